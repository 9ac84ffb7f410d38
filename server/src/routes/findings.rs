//! `GET /findings`: what each finding of a verdict means.

use actix_web::HttpResponse;
use actix_web::http::header::ContentType;

use crate::routes::{Plane, Route};
use crate::verdict::page;

/// The route.
pub fn route() -> Route {
    Route::undocumented(Plane::Control, "/findings").get_and_head(findings)
}

async fn findings() -> HttpResponse {
    HttpResponse::Ok().content_type(ContentType::html()).body(page::html())
}
