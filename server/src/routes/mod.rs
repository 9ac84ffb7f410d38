//! The routes. Each is one path with one method; every other method is refused with an `Allow` header.

pub mod docs;
pub mod failure;
pub mod health;
pub mod message;

use actix_web::web::Data;
use actix_web::{Resource, Route, web};

use crate::error::ApiError;
use crate::middleware::concurrency::Concurrency;
use crate::middleware::layer::Wrap;
use crate::middleware::timeout::Timeout;
use crate::world::World;

/// Whether the OpenAPI document and its pages are served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Docs {
    /// They are.
    Served,
    /// Their paths are unknown.
    Hidden,
}

/// Registers every route.
pub fn register(config: &mut web::ServiceConfig, world: &Data<World>, docs: Docs) {
    // Every resource is bounded in time, and only the message itself in number: whatever else is asked must be
    // answered while every slot is taken, refusals included.
    let timed = |resource: Resource| resource.wrap(Wrap::with(Timeout { after: world.request_timeout }));
    let message = web::get().to(message::message).wrap(Wrap::with(Concurrency { world: world.clone() }));
    config
        .service(timed(only("GET", "/msg", message)))
        .service(timed(only("POST", "/fail/count/{count}", web::post().to(failure::fail_count))))
        .service(timed(only("POST", "/fail/duration/{seconds}", web::post().to(failure::fail_duration))))
        .service(timed(only("POST", "/fail/reset", web::post().to(failure::reset))))
        .service(timed(only("GET", "/fail/status", web::get().to(failure::status))))
        .service(timed(only("GET", "/health", web::get().to(health::health))))
        .default_service(web::to(|| async { Err::<&str, _>(ApiError::NotFound) }));
    if docs == Docs::Served {
        config
            .service(timed(only("GET", "/openapi.json", web::get().to(docs::openapi))))
            .service(timed(only("GET", "/docs", web::get().to(docs::swagger_ui))))
            .service(timed(only("GET", "/docs/{asset}", web::get().to(docs::swagger_asset))))
            .service(timed(only("GET", "/redoc", web::get().to(docs::redoc))));
    }
}

fn only(method: &'static str, path: &str, route: Route) -> Resource {
    let refuse = move || async move { Err::<&str, _>(ApiError::MethodNotAllowed(method)) };
    web::resource(path).route(route).default_service(web::to(refuse))
}
