//! The OpenAPI document and its two pages. Every asset is part of the program: the pages need no internet.

use std::sync::{Arc, OnceLock};

use actix_web::HttpResponse;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, ContentType};
use actix_web::web::{Bytes, Data, Path};

use crate::error::ApiError;
use crate::world::World;

/// The page around Swagger UI; its parts come from [`swagger_asset`].
const SWAGGER_PAGE: &str = r##"<!DOCTYPE html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>Test server: Swagger UI</title>
  <link rel="icon" type="image/png" href="/docs/favicon-32x32.png">
  <link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
  <div id="swagger-ui"></div>
  <script src="/docs/swagger-ui-bundle.js"></script>
  <script>
    SwaggerUIBundle({ url: "/openapi.json", dom_id: "#swagger-ui", deepLinking: true, validatorUrl: null });
  </script>
</body>
</html>
"##;

/// The document itself.
pub async fn openapi(world: Data<World>) -> Result<HttpResponse, ApiError> {
    let document = world.openapi.clone().ok_or(ApiError::NotFound)?;
    Ok(HttpResponse::Ok().content_type(ContentType::json()).body(document))
}

/// Swagger UI.
pub async fn swagger_ui() -> HttpResponse {
    page(Bytes::from_static(SWAGGER_PAGE.as_bytes()))
}

/// Keeps the browser from asking anybody but this server, so that a page cannot come to need the internet.
const POLICY: &str = "default-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; \
                      script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:";

fn page(html: Bytes) -> HttpResponse {
    let mut response = HttpResponse::Ok();
    response.content_type(ContentType::html()).insert_header((CONTENT_SECURITY_POLICY, POLICY)).body(html)
}

/// One file of Swagger UI. They change with the program only, so a browser may keep them for an hour.
pub async fn swagger_asset(asset: Path<String>) -> Result<HttpResponse, ApiError> {
    static CONFIG: OnceLock<Arc<utoipa_swagger_ui::Config<'static>>> = OnceLock::new();
    let config = CONFIG.get_or_init(|| Arc::new(utoipa_swagger_ui::Config::from("/openapi.json")));
    match utoipa_swagger_ui::serve(&asset, Arc::clone(config)) {
        Ok(Some(file)) => {
            let bytes = match file.bytes {
                std::borrow::Cow::Borrowed(bytes) => Bytes::from_static(bytes),
                std::borrow::Cow::Owned(bytes) => Bytes::from(bytes),
            };
            let mut response = HttpResponse::Ok();
            response.content_type(file.content_type).insert_header((CACHE_CONTROL, "max-age=3600"));
            Ok(response.body(bytes))
        }
        _ => Err(ApiError::NotFound),
    }
}

/// ReDoc: one page with its script inside, put together when it is first asked for.
pub async fn redoc() -> HttpResponse {
    static PAGE: OnceLock<Bytes> = OnceLock::new();
    let page = PAGE.get_or_init(|| {
        let page = aide::redoc::Redoc::new("/openapi.json").with_title("Test server: ReDoc").html();
        // The one thing that ReDoc's script would fetch from elsewhere is its maker's logo.
        let page = page.replace("https://cdn.redoc.ly/redoc/logo-mini.svg", "data:,");
        page.replacen("<head>", "<head>\n    <link rel=\"icon\" href=\"data:,\">", 1).into()
    });
    self::page(page.clone())
}
