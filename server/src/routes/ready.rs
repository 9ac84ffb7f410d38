//! `GET /ready`: whether the server can be sent requests.

use actix_web::web::Json;
use serde::Serialize;

use super::{Plane, Route};

/// The route.
pub fn route() -> Route {
    Route::undocumented(Plane::Control, "/ready").get_and_head(ready)
}

/// The server can be sent requests.
#[derive(Debug, Serialize)]
struct Ready {
    status: &'static str,
}

/// The state is in the memory of this process, which has been prepared before the first connection is accepted.
async fn ready() -> Json<Ready> {
    Json(Ready { status: "ready" })
}
