//! `POST /reset`: brings a session back to the state in which it was created.

use actix_web::HttpRequest;
use actix_web::web::{Data, Json};
use log::info;
use serde::Serialize;
use utoipa::{OpenApi, ToSchema};

use super::{Plane, Route};
use crate::context::RequestContext;
use crate::error::ApiError;
use crate::logging::SESSION;
use crate::state::AppState;

#[derive(OpenApi)]
#[openapi(paths(reset_session))]
struct Document;

/// The route.
pub fn route() -> Route {
    Route::documented(Plane::Control, "/reset", Document::openapi).post(reset_session)
}

/// The session is as it was created.
#[derive(Debug, Serialize, ToSchema)]
struct SessionReset {
    message: &'static str,
}

/// Reset the session
///
/// The session is as it was created: its plan begins anew, nothing fails, and the cache is empty. Hangs and delays in
/// flight end, and their connections close.
#[utoipa::path(
    post,
    path = "/reset",
    tag = "sessions",
    responses((status = 200, description = "The session has been reset", body = SessionReset))
)]
async fn reset_session(request: HttpRequest, state: Data<AppState>) -> Result<Json<SessionReset>, ApiError> {
    let id = RequestContext::with_session(&request, |id, _| id.to_owned()).ok_or(ApiError::NoSuchSession)?;
    let session = state.sessions.registry.find(&id).ok_or(ApiError::NoSuchSession)?;
    session.member.reset().await?;
    info!(
        target: SESSION, correlation_id:% = RequestContext::correlation_id(&request), session = id;
        "Session reset"
    );
    Ok(Json(SessionReset { message: "Session has been reset" }))
}
