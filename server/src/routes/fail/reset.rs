//! `POST /fail/reset`: ends both failure modes and the fault plan.

use actix_web::HttpRequest;
use actix_web::web::Json;
use log::info;
use serde::Serialize;
use utoipa::{OpenApi, ToSchema};

use crate::context::{CurrentSession, RequestContext};
use crate::error::ApiError;
use crate::logging::FAILURE;
use crate::routes::{Plane, Route};

#[derive(OpenApi)]
#[openapi(paths(reset_failures))]
struct Document;

/// The route.
pub fn route() -> Route {
    Route::documented(Plane::Control, "/fail/reset", Document::openapi).post(reset_failures)
}

/// Nothing fails any more.
#[derive(Debug, Serialize, ToSchema)]
struct Reset {
    message: &'static str,
    /// Always `normal_operation`.
    status: &'static str,
}

/// End all failure modes and the fault plan
#[utoipa::path(
    post,
    path = "/fail/reset",
    tag = "failure-injection",
    responses((status = 200, description = "Nothing fails any more", body = Reset))
)]
async fn reset_failures(session: CurrentSession, request: HttpRequest) -> Result<Json<Reset>, ApiError> {
    session.failures.reset().await?;
    session.faults.clear().await?;
    info!(
        target: FAILURE, correlation_id:% = RequestContext::correlation_id(&request);
        "Failure modes reset"
    );
    Ok(Json(Reset { message: "All failure modes have been reset", status: "normal_operation" }))
}
