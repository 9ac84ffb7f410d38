//! `POST /fail/count/{count}`: makes the next requests fail.

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

/// The most requests that can be made to fail.
const MAX_COUNT: u32 = 1000;

#[derive(OpenApi)]
#[openapi(paths(set_failure_count))]
struct Document;

/// The route.
pub fn route() -> Route {
    Route::documented(Plane::Control, "/fail/count/{count}", Document::openapi).post(set_failure_count)
}

/// The next requests fail.
#[derive(Debug, Serialize, ToSchema)]
struct CountArmed {
    message: String,
    /// How many of the following requests fail.
    fail_requests_count: u32,
}

/// Make the next requests fail
///
/// Exactly this many of the following requests to `/msg` are answered with a 500. The mode by duration is left as it
/// is.
#[utoipa::path(
    post,
    path = "/fail/count/{count}",
    tag = "failure-injection",
    params(("count" = u32, Path, minimum = 0, maximum = 1000, description = "How many; 0 ends this mode")),
    responses(
        (status = 200, description = "The mode is set", body = CountArmed),
        (status = 422, description = "The count does not parse or is out of range", body = HttpValidationError),
    )
)]
async fn set_failure_count(
    session: CurrentSession,
    request: HttpRequest,
) -> Result<Json<CountArmed>, ApiError> {
    let count = path_number(&request, "count", MAX_COUNT)?;
    session.failures.fail_next(count).await?;
    info!(
        target: FAILURE, correlation_id:% = RequestContext::correlation_id(&request), fail_requests_count = count;
        "Failure mode set: count"
    );
    let message = format!("Server will fail the next {count} requests");
    Ok(Json(CountArmed { message, fail_requests_count: count }))
}
