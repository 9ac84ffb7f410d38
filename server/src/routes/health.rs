//! `GET /health`: whether the server is able to do its work.

use actix_web::web::{Data, Json};
use serde::Serialize;
use utoipa::{OpenApi, ToSchema};

use super::{Plane, Route};
use crate::context::CurrentSession;
use crate::error::ApiError;
use crate::state::AppState;

#[derive(OpenApi)]
#[openapi(paths(health_check))]
struct Document;

/// The route.
pub fn route() -> Route {
    Route::documented(Plane::Control, "/health", Document::openapi).get_and_head(health_check)
}

/// The server works: its actors answer.
#[derive(Debug, Serialize, ToSchema)]
struct Health {
    /// Always `ok`.
    status: &'static str,
    /// How long the server has been running, in seconds, with two decimals.
    uptime_seconds: f64,
}

/// Report whether the server works
///
/// Answered at once, even while every slot is taken. The server's actors are asked, so that `ok` means that they
/// work.
#[utoipa::path(
    get,
    path = "/health",
    responses((status = 200, description = "The server works", body = Health))
)]
async fn health_check(state: Data<AppState>, session: CurrentSession) -> Result<Json<Health>, ApiError> {
    session.check().await?;
    let uptime_seconds = (state.uptime().as_secs_f64() * 100.0).round() / 100.0;
    Ok(Json(Health { status: "ok", uptime_seconds }))
}
