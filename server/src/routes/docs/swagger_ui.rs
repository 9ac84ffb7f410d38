//! `GET /docs`: Swagger UI. Its parts come from [`asset`](super::asset).

use actix_web::HttpResponse;
use actix_web::web::Bytes;

use super::page;
use crate::routes::{Plane, Route};

const PAGE: &str = r##"<!DOCTYPE html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>Test server: Swagger UI</title>
  <link rel="icon" type="image/png" href="docs/favicon-32x32.png">
  <link rel="stylesheet" href="docs/swagger-ui.css">
</head>
<body>
  <div id="swagger-ui"></div>
  <script src="docs/swagger-ui-bundle.js"></script>
  <script>
    SwaggerUIBundle({ url: "./openapi.json", dom_id: "#swagger-ui", deepLinking: true, validatorUrl: null });
  </script>
</body>
</html>
"##;

/// The route.
pub fn route() -> Route {
    Route::undocumented(Plane::Control, "/docs").get_and_head(swagger_ui)
}

async fn swagger_ui() -> HttpResponse {
    page(Bytes::from_static(PAGE.as_bytes()))
}
