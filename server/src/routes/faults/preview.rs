//! `POST /faults/preview`: what the next requests would get.

use actix_web::HttpRequest;
use actix_web::web::{Json, Payload};
use resilience_actors::fault::{Decision, Effect, Request, Rules};
use serde::Serialize;
use utoipa::{OpenApi, ToSchema};

use crate::body;
use crate::context::CurrentSession;
use crate::data_plane::refusal;
use crate::error::ApiError;
use crate::fault::Fault;
use crate::json::{Node, Problems};
use crate::query;
use crate::routes::{Plane, Route};
use crate::validation::{HttpValidationError, MAX_KEY_LENGTH};

/// The most requests that are previewed at once.
const MAX_REQUESTS: u64 = 10_000;
const MAX_TEXT: usize = 8_192;
/// The number of a connection that does not exist.
const NEW_CONNECTION: u64 = u64::MAX;

#[derive(OpenApi)]
#[openapi(paths(preview_faults))]
struct Document;

/// The route.
pub fn route() -> Route {
    Route::documented(Plane::Control, "/faults/preview", Document::openapi)
        .reading_bodies()
        .post(preview_faults)
}

/// What the next requests would get.
#[derive(Debug, Serialize, ToSchema)]
struct Preview {
    requests: Vec<PreviewedRequest>,
}

/// What one request would get.
#[derive(Debug, Serialize, ToSchema)]
struct PreviewedRequest {
    /// The number of the request, from 1.
    n: usize,
    /// The index of the rule that decides, from 0; null if nothing is injected.
    #[schema(required = true)]
    rule: Option<usize>,
    /// The index of the step in the script of the rule, from 0.
    #[schema(required = true)]
    step: Option<usize>,
    /// The short form of the fault; null if there is none, or a delay alone.
    #[schema(required = true)]
    fault: Option<String>,
    /// How long the request would be delayed, in milliseconds.
    delay_ms: f64,
}

/// A request that has not come.
struct Imagined {
    requests: usize,
    method: String,
    path: String,
    query: String,
    headers: Vec<(String, String)>,
    key: Option<String>,
}

/// Preview what the next requests get
///
/// As if all of them came now, from where the plan stands, on a connection of their own. Changes nothing.
#[utoipa::path(
    post,
    path = "/faults/preview",
    tag = "failure-injection",
    request_body(content = Object,
        description = "`requests` (1 to 10000), and what they look like: `method` (GET), `path` (/msg), `headers`, `key`"),
    responses(
        (status = 200, description = "What they get", body = Preview),
        (status = 422, description = "The question cannot be read", body = HttpValidationError),
    )
)]
async fn preview_faults(
    session: CurrentSession,
    request: HttpRequest,
    mut payload: Payload,
) -> Result<Json<Preview>, ApiError> {
    let body = body::read(&request, &mut payload, body::JSON).await?;
    let imagined = Problems::read(&body, imagined)?;
    let previewed = session.faults.preview(&imagined, NEW_CONNECTION, imagined.requests).await?;
    let nothing = || vec![Decision::PASS; imagined.requests];
    let requests = match &previewed {
        Some((rules, decisions)) => {
            decisions.iter().enumerate().map(|(i, decision)| shown(i + 1, decision, Some(rules))).collect()
        }
        None => nothing().iter().enumerate().map(|(i, decision)| shown(i + 1, decision, None)).collect(),
    };
    Ok(Json(Preview { requests }))
}

fn shown(n: usize, decision: &Decision, rules: Option<&std::sync::Arc<Rules<Fault>>>) -> PreviewedRequest {
    let fault = match decision.effect {
        Effect::Pass => None,
        Effect::Inject => rules.and_then(|rules| rules.fault(decision)).map(ToString::to_string),
        Effect::Refuse { retry_after } => Some(refusal(retry_after).to_string()),
    };
    PreviewedRequest {
        n,
        rule: decision.source.map(|source| source.rule),
        step: decision.source.and_then(|source| source.step),
        fault,
        delay_ms: decision.delay.as_secs_f64() * 1e3,
    }
}

fn imagined(node: Node<'_>) -> Option<Imagined> {
    let mut object = node.object()?;
    let requests = object.required("requests").and_then(|node| node.integer(1..=MAX_REQUESTS));
    let mut text = |name: &'static str, default: &str, limit| match object.optional(name) {
        Some(node) => node.string(limit).map(str::to_owned),
        None => Some(default.to_owned()),
    };
    let method = text("method", "GET", MAX_TEXT);
    let target = text("path", "/msg", MAX_TEXT);
    let key = text("key", "", MAX_KEY_LENGTH);
    let headers = match object.optional("headers") {
        Some(node) => headers(node),
        None => Some(Vec::new()),
    };
    object.finish();
    let target = target?;
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    Some(Imagined {
        requests: usize::try_from(requests?).ok()?,
        method: method?,
        path: path.to_owned(),
        query: query.to_owned(),
        headers: headers?,
        key: key.map(|key| Some(key).filter(|key| !key.is_empty()))?,
    })
}

fn headers(node: Node<'_>) -> Option<Vec<(String, String)>> {
    let pairs = node.entries()?.into_iter();
    let pairs: Vec<_> = pairs
        .map(|(name, value)| Some((name.to_ascii_lowercase(), value.string(MAX_TEXT)?.to_owned())))
        .collect();
    pairs.into_iter().collect()
}

impl Request for Imagined {
    fn method(&self) -> &str {
        &self.method
    }

    fn path(&self) -> &str {
        &self.path
    }

    fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    fn any_header(&self, name: &str, holds: &mut dyn FnMut(&str) -> bool) -> bool {
        self.headers.iter().any(|(found, value)| found == name && holds(value))
    }

    fn any_query(&self, name: &str, holds: &mut dyn FnMut(&str) -> bool) -> bool {
        query::values(&self.query, name).any(|value| holds(&value))
    }
}
