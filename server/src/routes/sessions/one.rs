//! `/sessions/{id}`: reports a session, and ends it.

use actix_web::web::{Data, Json};
use actix_web::{HttpRequest, HttpResponse};
use log::info;
use utoipa::OpenApi;

use super::SessionReport;
use crate::context::RequestContext;
use crate::error::{ApiError, ErrorBody};
use crate::logging::SESSION;
use crate::routes::{Plane, Route};
use crate::session::id;
use crate::state::AppState;

#[derive(OpenApi)]
#[openapi(paths(get_session, delete_session))]
struct Document;

/// The route.
pub fn route() -> Route {
    Route::documented(Plane::Control, "/sessions/{id}", Document::openapi)
        .get(get_session)
        .delete(delete_session)
}

/// Report a session
///
/// Reading a session does not count as a use of it.
#[utoipa::path(
    get,
    path = "/sessions/{id}",
    tag = "sessions",
    params(("id" = String, Path, description = "The id of the session")),
    responses(
        (status = 200, description = "The session", body = SessionReport),
        (status = 404, description = "No session has this id", body = ErrorBody),
    )
)]
async fn get_session(request: HttpRequest, state: Data<AppState>) -> Result<Json<SessionReport>, ApiError> {
    let entry = state.sessions.registry.find(path_id(&request)).ok_or(ApiError::NoSuchSession)?;
    Ok(Json(SessionReport::of(&entry, &request, &state)))
}

/// End a session
///
/// Its requests in flight end, and their connections close.
#[utoipa::path(
    delete,
    path = "/sessions/{id}",
    tag = "sessions",
    params(("id" = String, Path, description = "The id of the session")),
    responses(
        (status = 204, description = "The session has ended"),
        (status = 404, description = "No session has this id", body = ErrorBody),
        (status = 409, description = "It is the default session", body = ErrorBody),
    )
)]
async fn delete_session(request: HttpRequest, state: Data<AppState>) -> Result<HttpResponse, ApiError> {
    let id = path_id(&request);
    if id == id::DEFAULT {
        return Err(ApiError::SessionIsDefault);
    }
    state.sessions.registry.remove(id.into()).await?.ok_or(ApiError::NoSuchSession)?;
    info!(target: SESSION, correlation_id:% = RequestContext::correlation_id(&request), session = id; "Session deleted");
    Ok(HttpResponse::NoContent().finish())
}

fn path_id(request: &HttpRequest) -> &str {
    request.match_info().get("id").unwrap_or_default()
}
