//! Cross-origin requests (CORS): which pages of other origins may call the server.
//!
//! A preflight for any method and any headers is answered, as the Python server does.

use actix_cors::Cors;
use actix_web::http::header::{HeaderName, LOCATION, RETRY_AFTER};

use crate::config;
use crate::headers::{CORRELATION_ID, REPLAYED};

/// How long a browser may keep the answer to a preflight, in seconds.
const MAX_AGE: usize = 3600;

/// The layer for the configured origins.
pub fn layer(cors: &config::Cors) -> Cors {
    let layer = Cors::default()
        .allow_any_method()
        .allow_any_header()
        .expose_headers([CORRELATION_ID, REPLAYED, LOCATION, RETRY_AFTER] as [HeaderName; 4])
        .max_age(MAX_AGE);
    match cors {
        config::Cors::Off => layer,
        config::Cors::AnyOrigin => layer.allow_any_origin().send_wildcard(),
        config::Cors::Origins(origins) => {
            origins.iter().fold(layer, |layer, origin| layer.allowed_origin(origin)).supports_credentials()
        }
    }
}
