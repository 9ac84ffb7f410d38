//! `GET /docs/{asset}`: one file of Swagger UI.

use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use actix_web::HttpResponse;
use actix_web::http::header::CACHE_CONTROL;
use actix_web::web::{Bytes, Path};

use super::DOCUMENT;
use crate::error::ApiError;
use crate::routes::{Plane, Route};

/// The files change with the program only, so a browser may keep them for an hour.
const CACHED: &str = "max-age=3600";

/// The route.
pub fn route() -> Route {
    Route::undocumented(Plane::Control, "/docs/{asset}").get_and_head(asset)
}

async fn asset(name: Path<String>) -> Result<HttpResponse, ApiError> {
    static CONFIG: OnceLock<Arc<utoipa_swagger_ui::Config<'static>>> = OnceLock::new();
    let config = CONFIG.get_or_init(|| Arc::new(utoipa_swagger_ui::Config::from(DOCUMENT)));
    let Ok(Some(file)) = utoipa_swagger_ui::serve(&name, Arc::clone(config)) else {
        return Err(ApiError::NotFound);
    };
    let bytes = match file.bytes {
        Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        Cow::Owned(bytes) => Bytes::from(bytes),
    };
    let mut response = HttpResponse::Ok();
    response.content_type(file.content_type).insert_header((CACHE_CONTROL, CACHED));
    Ok(response.body(bytes))
}
