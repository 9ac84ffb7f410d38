//! `GET /journal`: the requests to the data plane that have ended.

use actix_web::http::header::ACCEPT;
use actix_web::{HttpRequest, HttpResponse};
use resilience_actors::journal::Page;
use serde::Serialize;
use utoipa::{OpenApi, ToSchema};

use super::parameters::{PageParameters, Wanted, journal};
use crate::context::CurrentSession;
use crate::error::{ApiError, ErrorBody};
use crate::journal::{Entry, ShownEntry};
use crate::routes::{Plane, Route};
use crate::validation::HttpValidationError;

/// How many entries are listed unless the request says otherwise.
const LISTED: u32 = 100;

/// The content type of one JSON object a line.
const NDJSON: &str = "application/x-ndjson";

#[derive(OpenApi)]
#[openapi(paths(get_journal))]
struct Document;

/// The route.
pub fn route() -> Route {
    Route::documented(Plane::Control, "/journal", Document::openapi).get(get_journal)
}

/// A part of the journal.
#[derive(Serialize, ToSchema)]
struct JournalPage<'a> {
    /// The entries, in the order in which the requests ended.
    entries: Vec<ShownEntry<'a>>,
    /// How many entries of the session have been forgotten.
    forgotten: u64,
    /// The `since` of the next page.
    next: u64,
}

/// Read the journal
///
/// Every request to the data plane that has ended, in the order in which they ended. `Accept: application/x-ndjson`
/// asks for one entry a line.
#[utoipa::path(
    get,
    path = "/journal",
    tag = "journal",
    params(PageParameters),
    responses(
        (status = 200, description = "A part of the journal", content(
            (JournalPage<'_> = "application/json"),
            (ShownEntry<'_> = "application/x-ndjson"),
        )),
        (status = 409, description = "The journal is off", body = ErrorBody),
        (status = 422, description = "A parameter does not parse or is out of range", body = HttpValidationError),
    )
)]
async fn get_journal(session: CurrentSession, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let wanted = Wanted::of(&request, LISTED)?;
    let page = wanted.read(journal(&session)?).await?;
    Ok(match wants_lines(&request) {
        true => HttpResponse::Ok().content_type(NDJSON).body(lines(&page)),
        false => HttpResponse::Ok().json(JournalPage {
            entries: page.records.iter().map(ShownEntry::from).collect(),
            forgotten: page.forgotten,
            next: page.next,
        }),
    })
}

fn lines(page: &Page<Entry>) -> Vec<u8> {
    let mut lines = Vec::new();
    for entry in &page.records {
        // Writing to memory cannot fail.
        let _ = serde_json::to_writer(&mut lines, &ShownEntry::from(entry));
        lines.push(b'\n');
    }
    lines
}

/// Whether the request asks for one JSON object a line.
fn wants_lines(request: &HttpRequest) -> bool {
    let accepted = request.headers().get_all(ACCEPT).filter_map(|value| value.to_str().ok());
    let mut types = accepted.flat_map(|value| value.split(',')).map(|range| range.split(';'));
    types.any(|mut range| range.next().is_some_and(|name| name.trim().eq_ignore_ascii_case(NDJSON)))
}
