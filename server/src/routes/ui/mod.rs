//! `GET /ui`: the live page of a session. Its files are part of the program, and every address in them is relative, so
//! that the page works below `/s/{id}` and behind a path prefix of a reverse proxy.

use actix_web::HttpResponse;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, X_CONTENT_TYPE_OPTIONS};
use actix_web::web::Path;

use super::{Plane, Route};
use crate::error::ApiError;

/// Nothing is loaded from elsewhere, and no script or style stands in the page itself.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const JAVASCRIPT: &str = "text/javascript; charset=utf-8";

/// The files that the page loads: name, type and text.
const ASSETS: [(&str, &str, &str); 7] = [
    ("ui.css", CSS, include_str!("ui.css")),
    ("main.js", JAVASCRIPT, include_str!("main.js")),
    ("journal.js", JAVASCRIPT, include_str!("journal.js")),
    ("lanes.js", JAVASCRIPT, include_str!("lanes.js")),
    ("panels.js", JAVASCRIPT, include_str!("panels.js")),
    ("place.js", JAVASCRIPT, include_str!("place.js")),
    ("text.js", JAVASCRIPT, include_str!("text.js")),
];

/// The route of the page.
pub fn route() -> Route {
    Route::undocumented(Plane::Control, "/ui").get_and_head(page)
}

/// The route of the files that the page loads.
pub fn route_of_assets() -> Route {
    Route::undocumented(Plane::Control, "/ui/{asset}").get_and_head(asset)
}

async fn page() -> HttpResponse {
    file(HTML, include_str!("page.html"))
}

async fn asset(name: Path<String>) -> Result<HttpResponse, ApiError> {
    let found = ASSETS.iter().find(|(asset, _, _)| *asset == name.as_str());
    found.map(|(_, content_type, text)| file(content_type, text)).ok_or(ApiError::NotFound)
}

fn file(content_type: &str, text: &'static str) -> HttpResponse {
    HttpResponse::Ok()
        .content_type(content_type)
        .insert_header((CONTENT_SECURITY_POLICY, POLICY))
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((CACHE_CONTROL, "no-cache"))
        .body(text)
}
