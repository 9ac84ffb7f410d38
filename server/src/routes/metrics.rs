//! `GET /metrics`: what the server counts, for Prometheus.

use actix_web::HttpResponse;
use actix_web::web::Data;

use super::{Plane, Route};
use crate::metrics;
use crate::state::AppState;

/// The type of the text (`OpenMetrics` 1.0).
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// The route.
pub fn route() -> Route {
    Route::undocumented(Plane::Control, "/metrics").get_and_head(show)
}

async fn show(state: Data<AppState>) -> HttpResponse {
    match metrics::text(&state) {
        Ok(text) => HttpResponse::Ok().content_type(OPEN_METRICS).body(text),
        Err(_) => HttpResponse::InternalServerError().finish(),
    }
}
