//! `/sessions`: makes, lists and ends sessions.

pub mod all;
mod create;
pub mod one;

use std::time::SystemTime;

use actix_web::HttpRequest;
use actix_web::http::header::{HOST, HeaderName};
use actix_web::web::Data;
use serde::Serialize;
use tokio::time::Instant;
use utoipa::ToSchema;

use crate::session::{SessionEntry, id};
use crate::state::AppState;

/// A session, for people to read.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SessionReport {
    /// The id.
    id: String,
    /// Where a client under test finds the session; without a slash at its end.
    base_url: String,
    /// The seed of what is random in its faults.
    seed: u64,
    /// When it was created, in Unix seconds.
    created_at: f64,
    /// When it was last used, in Unix seconds.
    last_used_at: f64,
    /// Requests to its data plane.
    requests: u64,
    /// Seconds until it ends unless it is used; null for the default session.
    #[schema(required = true)]
    expires_in_seconds: Option<f64>,
}

const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

impl SessionReport {
    /// Reports a session to the client that sent `request`.
    fn of(entry: &SessionEntry, request: &HttpRequest, state: &Data<AppState>) -> Self {
        let now = Instant::now().into_std();
        let (session, usage) = (&entry.member, &entry.usage);
        let since_creation = usage.last_used().saturating_duration_since(usage.created());
        Self {
            id: entry.id.to_string(),
            base_url: base_url(&entry.id, request, state),
            seed: session.settings.shown_seed(),
            created_at: unix_seconds(session.created_at),
            last_used_at: unix_seconds(session.created_at + since_creation),
            requests: session.requests(),
            expires_in_seconds: usage.expires_in(now).map(|left| (left.as_secs_f64() * 1e3).round() / 1e3),
        }
    }
}

/// The address of a session, as the client that asks can use it.
fn base_url(id: &str, request: &HttpRequest, state: &Data<AppState>) -> String {
    let headers = request.headers();
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).filter(|host| !host.is_empty());
    let bound = || state.addresses.first().map(ToString::to_string).unwrap_or_default();
    let host = host.map_or_else(bound, str::to_owned);
    let forwarded = headers.get(FORWARDED_PROTO).and_then(|scheme| scheme.to_str().ok());
    let scheme =
        if forwarded.is_some_and(|scheme| scheme.eq_ignore_ascii_case("https")) { "https" } else { "http" };
    let origin = format!("{scheme}://{host}");
    // The default session is at the root, also with an upstream.
    if id == id::DEFAULT { origin } else { format!("{origin}{}/s/{id}", state.config.own_prefix()) }
}

fn unix_seconds(time: SystemTime) -> f64 {
    let since_epoch = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    (since_epoch.as_secs_f64() * 1e3).round() / 1e3
}
