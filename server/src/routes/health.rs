//! `GET /health`: whether the server is able to do its work.

use actix_web::web::{Data, Json};
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::ApiError;
use crate::world::World;

/// The server is there, and its actors answer.
#[derive(Debug, Serialize, ToSchema)]
pub struct Health {
    /// Always `ok`.
    status: &'static str,
    /// For how many seconds the server has been running, to two decimals.
    uptime_seconds: f64,
}

/// Answers at once, even when every slot is taken. Asks the actors, so that "ok" means that they work.
pub async fn health(world: Data<World>) -> Result<Json<Health>, ApiError> {
    world.check().await?;
    let uptime_seconds = (world.uptime().as_secs_f64() * 100.0).round() / 100.0;
    Ok(Json(Health { status: "ok", uptime_seconds }))
}
