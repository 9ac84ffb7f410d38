//! The OpenAPI document and its two pages. Every asset is part of the program: the pages need no internet. Every
//! address in them is relative: the pages work behind a path prefix of a reverse proxy.

pub mod asset;
pub mod openapi;
pub mod redoc;
pub mod swagger_ui;

use actix_web::HttpResponse;
use actix_web::http::header::{CONTENT_SECURITY_POLICY, ContentType};
use actix_web::web::Bytes;

/// Keeps the browser from loading anything from another server, so that a page cannot come to need the internet.
const POLICY: &str = "default-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; \
                      script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:";

/// The address of the OpenAPI document, relative to the pages.
const DOCUMENT: &str = "./openapi.json";

fn page(html: Bytes) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    response.content_type(ContentType::html()).insert_header((CONTENT_SECURITY_POLICY, POLICY)).body(html)
}
