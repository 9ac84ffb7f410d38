//! `/fail/...`: arms and disarms failures, and tells what is armed.

use std::time::{Duration, SystemTime};

use actix_web::HttpRequest;
use actix_web::web::{Data, Json};
use log::info;
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::ApiError;
use crate::logging::FAILURE;
use crate::middleware::errors::CorrelationId;
use crate::validation;
use crate::world::World;

/// The most requests that can be made to fail.
pub const MAX_COUNT: u32 = 1000;

/// The longest time for which every request can be made to fail, in seconds.
pub const MAX_SECONDS: u32 = 3600;

/// The next requests fail.
#[derive(Debug, Serialize, ToSchema)]
pub struct CountArmed {
    message: String,
    /// How many of the following requests fail.
    fail_requests_count: u32,
}

/// Every request fails for a while.
#[derive(Debug, Serialize, ToSchema)]
pub struct DurationArmed {
    message: String,
    /// For how many seconds.
    duration_seconds: u32,
}

/// Nothing fails any more.
#[derive(Debug, Serialize, ToSchema)]
pub struct Reset {
    message: &'static str,
    /// Always `normal_operation`.
    status: &'static str,
}

/// What is armed.
#[derive(Debug, Serialize, ToSchema)]
pub struct Status {
    failure_status: FailureStatus,
    /// Whether a request made now would fail.
    currently_failing: bool,
}

/// What is armed, in detail.
#[derive(Debug, Serialize, ToSchema)]
pub struct FailureStatus {
    /// How many of the following requests fail because of the count.
    fail_requests_count: u32,
    /// When the duration runs out by this machine's clock, in Unix seconds; null when none is running.
    #[schema(required = true)]
    fail_until_timestamp: Option<f64>,
    /// How many seconds of it are left; 0 when none is running.
    duration_remaining_seconds: f64,
    /// Whether a request made now would fail.
    currently_failing: bool,
}

/// Lets the next requests fail.
pub async fn fail_count(world: Data<World>, request: HttpRequest) -> Result<Json<CountArmed>, ApiError> {
    let count = path_number(&request, "count", MAX_COUNT)?;
    world.failures.fail_next(count).await?;
    info!(
        target: FAILURE, correlation_id:% = CorrelationId::of(&request), fail_requests_count = count;
        "Failure mode set: count"
    );
    let message = format!("Server will fail the next {count} requests");
    Ok(Json(CountArmed { message, fail_requests_count: count }))
}

/// Lets every request fail for a while.
pub async fn fail_duration(
    world: Data<World>,
    request: HttpRequest,
) -> Result<Json<DurationArmed>, ApiError> {
    let seconds = path_number(&request, "seconds", MAX_SECONDS)?;
    world.failures.fail_for(Duration::from_secs(seconds.into())).await?;
    info!(
        target: FAILURE, correlation_id:% = CorrelationId::of(&request), duration_seconds = seconds;
        "Failure mode set: duration"
    );
    let message = format!("Server will fail requests for the next {seconds} seconds");
    Ok(Json(DurationArmed { message, duration_seconds: seconds }))
}

/// Ends both failure modes.
pub async fn reset(world: Data<World>, request: HttpRequest) -> Result<Json<Reset>, ApiError> {
    world.failures.reset().await?;
    info!(target: FAILURE, correlation_id:% = CorrelationId::of(&request); "Failure modes reset");
    Ok(Json(Reset { message: "All failure modes have been reset", status: "normal_operation" }))
}

/// Tells what is armed.
pub async fn status(world: Data<World>) -> Result<Json<Status>, ApiError> {
    let status = world.failures.status().await?;
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

/// Rounded to milliseconds: finer digits would differ from one question to the next.
fn unix_seconds(time: SystemTime) -> f64 {
    let since_epoch = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    (since_epoch.as_secs_f64() * 1000.0).round() / 1000.0
}

fn path_number(request: &HttpRequest, name: &'static str, max: u32) -> Result<u32, ApiError> {
    let raw = request.match_info().get(name).unwrap_or_default();
    let text = percent_encoding::percent_decode_str(raw).decode_utf8_lossy();
    validation::whole_number(["path", name], &text, &(0..=max)).map_err(|fault| vec![fault].into())
}
