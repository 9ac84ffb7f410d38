//! `GET /msg`: a message id, with failures, delays and idempotency.

use actix_web::web::Payload;
use actix_web::{HttpRequest, HttpResponse};
use utoipa::OpenApi;

use super::{Plane, Route};
use crate::context::CurrentSession;
use crate::data_plane::{self, DelayParameter, Endpoint, FaultHeader, KeyHeaders, Message};
use crate::error::{ApiError, ErrorBody};
use crate::validation::Unprocessable;

#[derive(OpenApi)]
#[openapi(paths(get_message))]
struct Document;

/// The route.
pub fn route() -> Route {
    Route::documented(Plane::Data, "/msg", Document::openapi).get(get_message)
}

/// Get a message
///
/// Answers with a new UUID; with the UUID of an earlier request that had the same key; or with a 500 while a failure
/// is due, which comes before the stored answer and leaves it in the cache.
#[utoipa::path(
    get,
    path = "/msg",
    params(DelayParameter, KeyHeaders, FaultHeader),
    responses(
        (status = 200, description = "A message", body = Message, headers(
            ("Idempotent-Replayed" = String,
                description = "`true` when the answer was made for another request with this key"),
        )),
        (status = 422, description = "A value does not parse or is out of range, or the key was used for something else",
            body = Unprocessable),
        (status = 500, description = "An induced failure", body = ErrorBody),
    )
)]
async fn get_message(
    session: CurrentSession,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    data_plane::serve(Endpoint::Message, &session, &request, payload).await
}
