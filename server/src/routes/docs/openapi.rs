//! `GET /openapi.json`: the OpenAPI document.

use actix_web::HttpResponse;
use actix_web::http::header::ContentType;
use actix_web::web::{Bytes, Data};

use crate::routes::{Plane, Route};
use crate::state::AppState;

/// The route.
pub fn route() -> Route {
    Route::undocumented(Plane::Control, "/openapi.json").get_and_head(openapi)
}

async fn openapi(state: Data<AppState>) -> HttpResponse {
    HttpResponse::Ok().content_type(ContentType::json()).body(Bytes::clone(&state.documents.openapi))
}
