//! `POST /fail/duration/{seconds}`: makes every request fail for a while.

use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::web::Json;
use log::info;
use serde::Serialize;
use utoipa::{OpenApi, ToSchema};

use super::path_number;
use crate::context::{CurrentSession, RequestContext};
use crate::error::ApiError;
use crate::logging::FAILURE;
use crate::routes::{Plane, Route};
use crate::validation::HttpValidationError;

/// The longest time for which every request can be made to fail, in seconds.
const MAX_SECONDS: u32 = 3600;

#[derive(OpenApi)]
#[openapi(paths(set_failure_duration))]
struct Document;

/// The route.
pub fn route() -> Route {
    Route::documented(Plane::Control, "/fail/duration/{seconds}", Document::openapi)
        .post(set_failure_duration)
}

/// Every request fails for a while.
#[derive(Debug, Serialize, ToSchema)]
struct DurationArmed {
    message: String,
    /// For how many seconds.
    duration_seconds: u32,
}

/// Make every request fail for a while
///
/// Every request to `/msg` is answered with a 500 until the time has passed. The mode by count is left as it is, and
/// goes down meanwhile.
#[utoipa::path(
    post,
    path = "/fail/duration/{seconds}",
    tag = "failure-injection",
    params(("seconds" = u32, Path, minimum = 0, maximum = 3600, description = "How long; 0 ends this mode")),
    responses(
        (status = 200, description = "The mode is set", body = DurationArmed),
        (status = 422, description = "The duration does not parse or is out of range", body = HttpValidationError),
    )
)]
async fn set_failure_duration(
    session: CurrentSession,
    request: HttpRequest,
) -> Result<Json<DurationArmed>, ApiError> {
    let seconds = path_number(&request, "seconds", MAX_SECONDS)?;
    session.failures.fail_for(Duration::from_secs(seconds.into())).await?;
    info!(
        target: FAILURE, correlation_id:% = RequestContext::correlation_id(&request), duration_seconds = seconds;
        "Failure mode set: duration"
    );
    let message = format!("Server will fail requests for the next {seconds} seconds");
    Ok(Json(DurationArmed { message, duration_seconds: seconds }))
}
