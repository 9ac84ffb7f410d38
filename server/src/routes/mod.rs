//! The routes: one file each, which declares the path, the methods, the limits and the OpenAPI part of the route.
//!
//! A new route is a new file and one line in [`api`].

pub mod docs;
pub mod echo;
pub mod fail;
pub mod faults;
pub mod findings;
mod handler;
pub mod health;
pub mod journal;
pub mod message;
pub mod metrics;
pub mod ready;
mod redirect;
pub mod reset;
mod route;
pub mod sessions;
pub mod ui;
pub mod verdict;

use actix_web::web;

use crate::config::Config;
use crate::metrics::{Count, Metrics};
use crate::middleware::layer::Wrap;
use crate::middleware::timeout::{Bounded, Timeout};

pub use route::{Plane, Route};

/// The routes of the API, in the order in which the OpenAPI document lists them.
#[must_use]
pub fn api() -> Vec<Route> {
    vec![
        message::route(),
        echo::route(),
        echo::route_below(),
        fail::count::route(),
        fail::duration::route(),
        fail::reset::route(),
        fail::status::route(),
        fail::script::route(),
        faults::plan::route(),
        faults::preview::route(),
        reset::route(),
        journal::entries::route(),
        journal::har::route(),
        journal::stream::route(),
        verdict::route(),
        sessions::all::route(),
        sessions::one::route(),
        health::route(),
    ]
}

/// The routes of the documentation and of the live page, which are unknown paths when documentation is turned off.
#[must_use]
pub fn documentation() -> Vec<Route> {
    vec![
        docs::openapi::route(),
        docs::swagger_ui::route(),
        docs::asset::route(),
        docs::redoc::route(),
        ui::route(),
        ui::route_of_assets(),
    ]
}

/// Registers every route that the configuration asks for.
pub fn register(app: &mut web::ServiceConfig, config: &Config, counters: &Metrics) {
    let mut routes = api();
    routes.extend([findings::route(), metrics::route(), ready::route()]);
    if config.enable_docs {
        routes.extend(documentation());
    }
    let known = redirect::Paths::of(&routes);
    for route in routes {
        let counter = counters.requests.route(route.name());
        app.service(route.into_service(counter));
    }
    let others = (Count(counters.requests.other()), Timeout(Bounded::WorkInSession));
    // What serves an unknown path reads a small body too, without which the connection could not be used again.
    app.default_service(web::to(redirect::fallback).wrap(Wrap::with(others))).app_data(known);
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::Method;
    use std::collections::BTreeSet;

    #[test]
    fn every_documented_operation_has_a_handler_and_every_handler_is_documented() {
        for route in api() {
            let handled: BTreeSet<String> = route
                .methods()
                .filter(|method| *method != Method::HEAD)
                .map(|method| method.as_str().to_lowercase())
                .collect();
            let answers_any = route.answers_any_method();
            let path = route.documented_path().to_owned();
            let document = serde_json::to_value(route.into_document().unwrap()).unwrap();
            let paths = document["paths"].as_object().unwrap();
            assert_eq!(paths.keys().collect::<Vec<_>>(), [&path], "a route has one path");
            let documented = paths[&path].as_object().unwrap().keys().cloned().collect();
            if !answers_any {
                assert_eq!(handled, documented, "{path}");
            }
        }
    }
}
