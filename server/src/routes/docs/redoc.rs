//! `GET /redoc`: ReDoc, one page with its script inside.

use std::sync::OnceLock;

use actix_web::HttpResponse;
use actix_web::web::Bytes;
use aide::redoc::Redoc;

use super::{DOCUMENT, page};
use crate::routes::{Plane, Route};

/// The route.
pub fn route() -> Route {
    Route::undocumented(Plane::Control, "/redoc").get_and_head(redoc)
}

/// The page is put together when it is first asked for.
async fn redoc() -> HttpResponse {
    static PAGE: OnceLock<Bytes> = OnceLock::new();
    let html = PAGE.get_or_init(|| {
        let html = Redoc::new(DOCUMENT).with_title("Test server: ReDoc").html();
        // The one thing that the script would load from another server is the logo of its maker.
        let html = html.replace("https://cdn.redoc.ly/redoc/logo-mini.svg", "data:,");
        html.replacen("<head>", "<head>\n    <link rel=\"icon\" href=\"data:,\">", 1).into()
    });
    page(html.clone())
}
