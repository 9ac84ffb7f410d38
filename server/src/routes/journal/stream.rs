//! `GET /journal/stream`: requests to the data plane as they begin and end.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use actix_web::http::header::{CACHE_CONTROL, HeaderName};
use actix_web::web::Bytes;
use actix_web::{Error, HttpRequest, HttpResponse};
use futures::Stream;
use resilience_actors::journal::{Event, JournalHandle};
use serde_json::json;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio_util::sync::CancellationToken;
use utoipa::{IntoParams, OpenApi};

use super::parameters::{journal, seq};
use crate::connection::{Exchange, OnClientExit, Streaming};
use crate::context::CurrentSession;
use crate::error::{ApiError, ErrorBody};
use crate::journal::{Entry, ShownEntry};
use crate::json::{Place, Problem};
use crate::routes::{Plane, Route};
use crate::validation::HttpValidationError;

/// The `seq` of the last entry that a reader has seen.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// How long nothing is sent, at most. A comment shows that the connection is alive.
const SILENCE: Duration = Duration::from_secs(15);

/// How long a browser waits before it comes back, so that a page is live soon after a reset, which ends the stream.
const COME_BACK_AFTER: Duration = Duration::from_millis(500);

/// How many entries of the past are read at once.
const PAGE: usize = 100;

#[derive(OpenApi)]
#[openapi(paths(follow_journal))]
struct Document;

/// The route.
pub fn route() -> Route {
    Route::documented(Plane::Control, "/journal/stream", Document::openapi).get(follow_journal)
}

#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
#[expect(dead_code, reason = "read by the derive alone")]
struct StreamParameters {
    /// The `seq` behind which the stream begins.
    #[param(rename = "Last-Event-ID", required = false)]
    last_event_id: u64,
}

/// Follow the journal
///
/// Server-sent events: `begun` and `ended`, each with an entry; the id of an `ended` is its `seq`. With
/// `Last-Event-ID`, what ended behind that entry comes first. A reader that is too slow, or comes back too late, gets
/// `missed`, with the number of events. The stream ends with the session.
#[utoipa::path(
    get,
    path = "/journal/stream",
    tag = "journal",
    params(StreamParameters),
    responses(
        (status = 200, description = "The events", body = String, content_type = "text/event-stream"),
        (status = 409, description = "The journal is off", body = ErrorBody),
        (status = 422, description = "The id is not the `seq` of an entry", body = HttpValidationError),
    )
)]
async fn follow_journal(session: CurrentSession, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let journal = journal(&session)?;
    let exchange = Exchange::of(&request).cloned();
    if let Some(exchange) = &exchange {
        exchange.on_client_exit(OnClientExit::Drop);
    }
    let last = last_event_id(&request)?;
    let reader = Reader {
        live: journal.handle.follow(),
        past: last.map(|_| journal.handle.clone()),
        last: last.unwrap_or(0),
        unsent: VecDeque::from([greeting()]),
        session_ended: session.ended.clone(),
        _streaming: exchange.as_ref().map(Exchange::stream),
        exchange,
    };
    Ok(HttpResponse::Ok()
        .content_type("text/event-stream")
        .insert_header((CACHE_CONTROL, "no-store"))
        .streaming(reader.into_stream()))
}

/// One reader of the stream.
struct Reader {
    live: Receiver<Event<Entry>>,
    /// Where the past is read, as long as there is more of it.
    past: Option<JournalHandle<Entry>>,
    /// The number of the last entry that was sent.
    last: u64,
    unsent: VecDeque<Bytes>,
    session_ended: CancellationToken,
    exchange: Option<Rc<Exchange>>,
    /// Ends the answer when the stream ends.
    _streaming: Option<Streaming>,
}

impl Reader {
    fn into_stream(self) -> impl Stream<Item = Result<Bytes, Error>> {
        futures::stream::unfold(self, |mut reader| async {
            let ended = reader.session_ended.clone();
            let exchange = reader.exchange.clone();
            let event = tokio::select! {
                biased;
                () = ended.cancelled() => None,
                () = stopped(exchange) => None,
                event = reader.next() => event,
            };
            event.map(|event| (Ok(event), reader))
        })
    }

    /// The next event; `None` when there can be no more.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(event) = self.unsent.pop_front() {
                return Some(event);
            }
            if let Some(past) = self.past.take() {
                self.read(past).await?;
                continue;
            }
            let Ok(event) = tokio::time::timeout(SILENCE, self.live.recv()).await else {
                return Some(comment("alive"));
            };
            match event {
                Ok(Event::Begun(entry)) => return Some(begun(&entry)),
                Ok(Event::Ended(entry)) if entry.seq > self.last => {
                    self.last = entry.seq;
                    return Some(ended(&entry));
                }
                // It was read as a part of the past.
                Ok(Event::Ended(_)) => {}
                Err(RecvError::Lagged(count)) => return Some(missed(count)),
                Err(RecvError::Closed) => return None,
            }
        }
    }

    /// Reads the next part of the past.
    async fn read(&mut self, past: JournalHandle<Entry>) -> Option<()> {
        let mut page = past.read(self.last, PAGE, |_| true).await.ok()?;
        if page.next < self.last {
            // A number that was never given is of another journal: nothing of this one has been seen.
            self.last = 0;
            page = past.read(self.last, PAGE, |_| true).await.ok()?;
        }
        if page.forgotten > self.last {
            self.unsent.push_back(missed(page.forgotten - self.last));
        }
        self.unsent.extend(page.records.iter().map(ended));
        if page.records.len() == PAGE {
            self.past = Some(past);
        }
        self.last = page.next;
        Some(())
    }
}

/// Waits until the server stops, which wakes every connection.
async fn stopped(exchange: Option<Rc<Exchange>>) {
    poll_fn(|_| match &exchange {
        Some(exchange) if exchange.is_stopping() => Poll::Ready(()),
        _ => Poll::Pending,
    })
    .await;
}

fn greeting() -> Bytes {
    format!("retry: {}\n: journal\n\n", COME_BACK_AFTER.as_millis()).into()
}

fn begun(entry: &Entry) -> Bytes {
    let shown = serde_json::to_string(&ShownEntry::from(entry)).unwrap_or_default();
    format!("event: begun\ndata: {shown}\n\n").into()
}

fn ended(entry: &Entry) -> Bytes {
    let shown = serde_json::to_string(&ShownEntry::from(entry)).unwrap_or_default();
    format!("event: ended\nid: {}\ndata: {shown}\n\n", entry.seq).into()
}

fn missed(count: u64) -> Bytes {
    format!("event: missed\ndata: {}\n\n", json!({ "missed": count })).into()
}

fn comment(text: &str) -> Bytes {
    format!(": {text}\n\n").into()
}

/// The id that a reader that comes back sends; `None` for a new reader.
fn last_event_id(request: &HttpRequest) -> Result<Option<u64>, ApiError> {
    let Some(value) = request.headers().get(LAST_EVENT_ID) else { return Ok(None) };
    let text = String::from_utf8_lossy(value.as_bytes());
    match text.trim() {
        "" => Ok(None),
        text => seq(text).map(Some).ok_or_else(|| {
            let place = vec![Place::from("header"), Place::from("Last-Event-ID")];
            ApiError::Invalid(vec![Problem::invalid_value(
                place,
                text.into(),
                "should be the seq of an entry",
            )])
        }),
    }
}
