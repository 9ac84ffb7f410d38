//! `GET /fail/status`: reports which failure modes are set.

use std::time::SystemTime;

use actix_web::web::Json;
use serde::Serialize;
use utoipa::{OpenApi, ToSchema};

use crate::context::CurrentSession;
use crate::error::ApiError;
use crate::routes::{Plane, Route};

#[derive(OpenApi)]
#[openapi(paths(get_failure_status))]
struct Document;

/// The route.
pub fn route() -> Route {
    Route::documented(Plane::Control, "/fail/status", Document::openapi).get(get_failure_status)
}

/// Which failure modes are set.
#[derive(Debug, Serialize, ToSchema)]
struct Status {
    failure_status: FailureStatus,
    /// Whether a request that came now would fail.
    currently_failing: bool,
}

/// The failure modes in detail.
#[derive(Debug, Serialize, ToSchema)]
struct FailureStatus {
    /// How many of the following requests fail because of the count.
    fail_requests_count: u32,
    /// When the duration ends by this machine's clock, in Unix seconds; null when no duration is set.
    #[schema(required = true)]
    fail_until_timestamp: Option<f64>,
    /// How many seconds of the duration are left; 0 when no duration is set.
    duration_remaining_seconds: f64,
    /// Whether a request that came now would fail.
    currently_failing: bool,
}

/// Report which failure modes are set
#[utoipa::path(
    get,
    path = "/fail/status",
    tag = "failure-injection",
    responses((status = 200, description = "The failure modes", body = Status))
)]
async fn get_failure_status(session: CurrentSession) -> Result<Json<Status>, ApiError> {
    let status = session.failures.status().await?;
    let currently_failing = status.failing();
    // From the time that is left, so that it stays right when the wall clock is set.
    let fail_until_timestamp = status.remaining.map(|left| unix_seconds(SystemTime::now() + left));
    Ok(Json(Status {
        failure_status: FailureStatus {
            fail_requests_count: status.count,
            fail_until_timestamp,
            duration_remaining_seconds: status.remaining.unwrap_or_default().as_secs_f64(),
            currently_failing,
        },
        currently_failing,
    }))
}

/// Unix seconds, rounded to milliseconds: finer digits would differ from one request to the next.
fn unix_seconds(time: SystemTime) -> f64 {
    let since_epoch = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    (since_epoch.as_secs_f64() * 1000.0).round() / 1000.0
}
