//! `GET /journal.har`: the journal as an HTTP archive.

use actix_web::http::header::CONTENT_DISPOSITION;
use actix_web::{HttpRequest, HttpResponse};
use utoipa::OpenApi;

use super::parameters::{MAX_LIMIT, PageParameters, Wanted, journal};
use crate::context::CurrentSession;
use crate::error::{ApiError, ErrorBody};
use crate::journal::har;
use crate::routes::{Plane, Route};
use crate::validation::HttpValidationError;

#[derive(OpenApi)]
#[openapi(paths(get_journal_archive))]
struct Document;

/// The route.
pub fn route() -> Route {
    Route::documented(Plane::Control, "/journal.har", Document::openapi).get(get_journal_archive)
}

/// Download the journal as an HTTP archive
///
/// HAR 1.2, which browsers and other tools read; up to 10,000 requests. Fields that begin with an underscore are our
/// own.
#[utoipa::path(
    get,
    path = "/journal.har",
    tag = "journal",
    params(PageParameters),
    responses(
        (status = 200, description = "The archive", body = Object),
        (status = 409, description = "The journal is off", body = ErrorBody),
        (status = 422, description = "A parameter does not parse or is out of range", body = HttpValidationError),
    )
)]
async fn get_journal_archive(
    session: CurrentSession,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let wanted = Wanted::of(&request, MAX_LIMIT)?;
    let journal = journal(&session)?;
    let page = wanted.read(journal).await?;
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_DISPOSITION, "attachment; filename=\"journal.har\""))
        .json(har::archive(&page.records, journal.began_at)))
}
