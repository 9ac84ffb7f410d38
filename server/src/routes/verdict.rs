//! `GET /verdict`: what the client did wrong.

use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse};
use utoipa::{IntoParams, OpenApi};

use crate::context::{CurrentSession, RequestContext};
use crate::error::{ApiError, ErrorBody};
use crate::json::{Node, Place, Problems};
use crate::judgement;
use crate::metrics::Metrics;
use crate::query;
use crate::routes::{Plane, Route};
use crate::state::AppState;
use crate::validation::HttpValidationError;
use crate::verdict::{Policy, Verdict, report};

/// How long a verdict may take beyond the request timeout of its session: its wait for the requests in flight, and
/// reading and judging a large journal.
const EXTRA_TIME: Duration = Duration::from_secs(30);

#[derive(OpenApi)]
#[openapi(paths(get_verdict))]
struct Document;

/// The route.
pub fn route() -> Route {
    Route::documented(Plane::Control, "/verdict", Document::openapi).get(get_verdict)
}

/// The parameters of the query.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "read by the derive alone")]
struct Parameters {
    /// `json`, `text` for people, or `junit` for CI systems: a test case for each finding that there is.
    #[param(required = false, default = "json")]
    format: String,
    /// What the client promises, as a JSON object: `max_attempts`, `retries_on` (statuses), `min_wait_ms`,
    /// `max_wait_ms`, `jitter`, `timeout_ms`, `key_header`, `allow` (findings that are accepted). All are optional.
    #[param(required = false)]
    expect: String,
}

/// How a verdict is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Json,
    Text,
    Junit,
}

const FORMATS: [(&str, Format); 3] =
    [("json", Format::Json), ("text", Format::Text), ("junit", Format::Junit)];

/// Judge the client
///
/// Waits up to two seconds for the requests in flight, sorts the journal of the session into calls, and says what the
/// client did wrong. The answer is 200 whatever the verdict is. `/findings` explains each finding.
#[utoipa::path(
    get,
    path = "/verdict",
    tag = "journal",
    params(Parameters),
    responses(
        (status = 200, description = "The verdict", content(
            (Verdict = "application/json"),
            (String = "text/plain"),
            (String = "application/xml"),
        )),
        (status = 409, description = "The journal is off", body = ErrorBody),
        (status = 422, description = "The format or the policy is wrong", body = HttpValidationError),
    )
)]
async fn get_verdict(session: CurrentSession, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let (format, policy) = asked(&request)?;
    let journal = session.journal.as_ref().ok_or(ApiError::JournalOff)?;
    RequestContext::allow_longer(&request, EXTRA_TIME);
    let mut verdict = judgement::judge(journal, policy, session.grouping).await?;
    if let Some(metrics) = Metrics::of(&request) {
        metrics.count_findings(&verdict, &session.counted_findings);
    }
    verdict.link_below(
        request.app_data::<actix_web::web::Data<AppState>>().map_or("", |state| state.config.own_prefix()),
    );
    Ok(match format {
        Format::Json => HttpResponse::Ok().json(verdict),
        Format::Text => {
            HttpResponse::Ok().content_type("text/plain; charset=utf-8").body(report::text(&verdict))
        }
        Format::Junit => {
            HttpResponse::Ok().content_type("application/xml; charset=utf-8").body(report::junit(&verdict))
        }
    })
}

/// The format and the policy that a request asks for.
fn asked(request: &HttpRequest) -> Result<(Format, Policy), ApiError> {
    let value = |name: &str| query::last(request.query_string(), name);
    let place = |name: &str| vec![Place::from("query"), Place::from(name)];
    let read_format = |node: Node<'_>| node.one_of(&FORMATS);
    let format = value("format")
        .map_or(Ok(Format::Json), |text| Problems::read_value(&text.into(), place("format"), read_format));
    let policy = value("expect")
        .map_or(Ok(Policy::default()), |text| Policy::read_at(text.as_bytes(), place("expect")));
    match (format, policy) {
        (Ok(format), Ok(policy)) => Ok((format, policy)),
        (format, policy) => {
            let problems = [format.err(), policy.err()].into_iter().flatten().flatten();
            Err(ApiError::Invalid(problems.collect()))
        }
    }
}
