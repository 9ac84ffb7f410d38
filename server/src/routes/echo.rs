//! `/echo` and everything below it, with any method: answers with the request as the server has read it.

use actix_web::web::Payload;
use actix_web::{HttpRequest, HttpResponse};
use utoipa::OpenApi;

use super::{Plane, Route};
use crate::context::CurrentSession;
use crate::data_plane::{self, DelayParameter, Echo, Endpoint, FaultHeader, KeyHeaders};
use crate::error::{ApiError, ErrorBody};
use crate::validation::Unprocessable;

#[derive(OpenApi)]
#[openapi(paths(echo))]
struct Document;

#[derive(OpenApi)]
#[openapi(paths(echo_below))]
struct DocumentBelow;

/// The route of `/echo`.
pub fn route() -> Route {
    Route::documented(Plane::Data, "/echo", Document::openapi).any(answer)
}

/// The route of everything below `/echo`.
pub fn route_below() -> Route {
    Route::documented(Plane::Data, "/echo/{path}", DocumentBelow::openapi)
        .matching("/echo/{path:.*}")
        .any(answer)
}

async fn answer(
    session: CurrentSession,
    request: HttpRequest,
    payload: Payload,
) -> Result<HttpResponse, ApiError> {
    data_plane::serve(Endpoint::Echo, &session, &request, payload).await
}

/// Echo the request
///
/// Any method and a body of up to 1 MiB. Requests with the same key are executed once, like those to `/msg`.
#[utoipa::path(
    method(get, post, put, patch, delete, options, head, trace),
    path = "/echo",
    params(DelayParameter, KeyHeaders, FaultHeader),
    request_body(content = Option<String>, content_type = "*/*", description = "Any body"),
    responses(
        (status = 200, description = "The request", body = Echo, headers(
            ("Idempotent-Replayed" = String,
                description = "`true` when the message id was made for another request with this key"),
        )),
        (status = 422, description = "A value does not parse or is out of range, or the key was used for something else",
            body = Unprocessable),
        (status = 500, description = "An induced failure", body = ErrorBody),
    )
)]
#[expect(dead_code, reason = "read by the derive alone")]
fn echo() {}

/// Echo the request
///
/// As `/echo`.
#[utoipa::path(
    method(get, post, put, patch, delete, options, head, trace),
    path = "/echo/{path}",
    params(("path" = String, Path, description = "Any path"), DelayParameter, KeyHeaders, FaultHeader),
    request_body(content = Option<String>, content_type = "*/*", description = "Any body"),
    responses(
        (status = 200, description = "The request", body = Echo),
        (status = 422, description = "A value does not parse or is out of range, or the key was used for something else",
            body = Unprocessable),
        (status = 500, description = "An induced failure", body = ErrorBody),
    )
)]
#[expect(dead_code, reason = "read by the derive alone")]
fn echo_below() {}
