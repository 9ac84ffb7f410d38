//! `/sessions`: makes a session, and lists all of them.

use std::borrow::Cow;
use std::time::Duration;

use actix_web::http::header::LOCATION;
use actix_web::web::{Data, Json, Payload};
use actix_web::{HttpRequest, HttpResponse};
use log::info;
use resilience_actors::registry::Refused;
use serde::Serialize;
use utoipa::{IntoParams, OpenApi, ToSchema};

use super::SessionReport;
use super::create::Asked;
use crate::body;
use crate::context::RequestContext;
use crate::error::{ApiError, ErrorBody};
use crate::json::{Problem, Problems};
use crate::logging::SESSION;
use crate::query;
use crate::routes::{Plane, Route};
use crate::session::{Session, SessionEntry};
use crate::state::AppState;
use crate::validation::{self, HttpValidationError};

/// How many sessions are listed at most.
const MAX_LISTED: u32 = 10_000;
/// How many are listed unless asked otherwise.
const LISTED: u32 = 100;

#[derive(OpenApi)]
#[openapi(paths(create_session, list_sessions))]
struct Document;

/// The route.
pub fn route() -> Route {
    Route::documented(Plane::Control, "/sessions", Document::openapi)
        .reading_bodies()
        .get(list_sessions)
        .post(create_session)
}

/// Sessions in the order of their ids.
#[derive(Debug, Serialize, ToSchema)]
struct SessionList {
    sessions: Vec<SessionReport>,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "read by the derive alone")]
struct ListParameters {
    /// How many sessions to list.
    #[param(required = false, minimum = 1, maximum = 10000, default = 100)]
    limit: u32,
    /// The id of the session after which the list begins.
    #[param(required = false)]
    after: String,
}

/// Make a session
///
/// A session has failure modes, faults, idempotency cache, slots and seed of its own. All fields are optional: `id`,
/// `ttl_seconds`, `seed`, `faults` (a plan) or `case` (a case of `test-server check`), `calls` (1: all requests are of one call), `max_concurrency`, `request_timeout`, `cache_max_size`,
/// `cache_ttl_seconds`.
#[utoipa::path(
    post,
    path = "/sessions",
    tag = "sessions",
    request_body(content = Option<Object>, description = "What it is made with, up to 512 KiB, whatever the content type"),
    responses(
        (status = 201, description = "The session", body = SessionReport,
            headers(("Location" = String, description = "The session's path"))),
        (status = 409, description = "The id is taken", body = ErrorBody),
        (status = 422, description = "A field is wrong; every one is named", body = HttpValidationError),
        (status = 429, description = "There are as many sessions as there may be", body = ErrorBody,
            headers(("Retry-After" = u64, description = "When the next session ends, in seconds"))),
    )
)]
async fn create_session(
    request: HttpRequest,
    state: Data<AppState>,
    mut payload: Payload,
) -> Result<HttpResponse, ApiError> {
    let body = body::read(&request, &mut payload, body::JSON).await?;
    let asked =
        if body.trim_ascii().is_empty() { Asked::nothing() } else { Problems::read(&body, Asked::read)? };
    let sessions = &state.sessions;
    let (id, ttl, settings) = asked.with(sessions.default_settings(), state.config.session_ttl);
    let home = sessions.home.clone();
    let created = sessions.registry.create(id.into(), ttl, move || Session::new(settings, home)).await?;
    let entry = created.map_err(|refused| match refused {
        Refused::Taken => ApiError::SessionTaken,
        Refused::Full(full) => ApiError::TooManySessions(retry_after(full.next_end)),
    })?;
    entry.member.begin().await?;
    let correlation_id = RequestContext::correlation_id(&request);
    info!(target: SESSION, correlation_id:%, session = &*entry.id, ttl_seconds = ttl.as_secs(); "Session created");
    Ok(HttpResponse::Created()
        .insert_header((LOCATION, format!("{}/sessions/{}", state.config.own_prefix(), entry.id)))
        .json(SessionReport::of(&entry, &request, &state)))
}

/// Whole seconds until the next session ends, within a minute.
fn retry_after(next_end: Option<Duration>) -> u64 {
    let left = next_end.unwrap_or(Duration::from_secs(60));
    (left.as_secs() + u64::from(left.subsec_nanos() > 0)).clamp(1, 60)
}

/// List the sessions
#[utoipa::path(
    get,
    path = "/sessions",
    tag = "sessions",
    params(ListParameters),
    responses(
        (status = 200, description = "The sessions, in the order of their ids", body = SessionList),
        (status = 422, description = "The limit does not parse or is out of range", body = HttpValidationError),
    )
)]
async fn list_sessions(
    request: HttpRequest,
    state: Data<AppState>,
    mut payload: Payload,
) -> Result<Json<SessionList>, ApiError> {
    body::ignore(&mut payload, body::IGNORED).await?;
    let (limit, after) = page(&request)?;
    let all = state.sessions.registry.all();
    let listed = following(&all, after.as_deref()).iter().take(limit);
    Ok(Json(SessionList {
        sessions: listed.map(|entry| SessionReport::of(entry, &request, &state)).collect(),
    }))
}

/// The sessions whose ids come after `after`, whether or not that session still exists.
fn following<'a>(all: &'a [SessionEntry], after: Option<&str>) -> &'a [SessionEntry] {
    let Some(after) = after else { return all };
    &all[all.partition_point(|entry| &*entry.id <= after)..]
}

fn page(request: &HttpRequest) -> Result<(usize, Option<String>), ApiError> {
    let value = |name: &str| query::last(request.query_string(), name);
    let limit = match value("limit") {
        Some(text) => validation::whole_number(["query", "limit"], &text, &(1..=MAX_LISTED))
            .map_err(|fault| vec![Problem::from(fault)])?,
        None => LISTED,
    };
    Ok((usize::try_from(limit).unwrap_or(usize::MAX), value("after").map(Cow::into_owned)))
}
