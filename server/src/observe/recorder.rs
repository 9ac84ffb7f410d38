//! Records every request to the data plane in the journal of its session.
//!
//! That a request belongs to the data plane is known when it has been routed: [`begin`] is called then. Its answer is
//! handed to the connection, which knows when the last byte of it has been written.

use std::sync::Arc;

use actix_web::HttpRequest;
use actix_web::body::BoxBody;
use actix_web::dev::ServiceResponse;
use actix_web::http::ConnectionType;
use actix_web::http::header::{HeaderMap, HeaderName, LOCATION, RETRY_AFTER};

use super::{End, Listener, Outcome};
use crate::connection::{Exchange, Fate};
use crate::context::RequestContext;
use crate::journal::{Ended, Entry, Expected, Recording, Reuse};
use crate::metrics::{Happened, Metrics};

/// The listener that completes the entries of the journal.
pub struct Recorder {
    /// Whether sessions have journals.
    pub journals: Journals,
    /// Where the entries are counted.
    pub metrics: Arc<Metrics>,
}

/// Whether sessions have journals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Journals {
    /// They have.
    On,
    /// They have none.
    Off,
}

/// Begins to record a request to the data plane, if its session has a journal.
pub fn begin(context: &RequestContext, request: &HttpRequest) {
    context.record(|journal, came| {
        let connection = context.exchange();
        let connection = connection.map_or((0, 1), |exchange| (exchange.number(), exchange.request_number()));
        Recording::begin(journal, request, came, connection)
    });
}

impl Listener for Recorder {
    type Begun = ();

    fn is_interested(&self) -> bool {
        self.journals == Journals::On
    }

    fn begun(&self, _: &HttpRequest) {}

    /// A request that ends without an answer has left its entry already.
    fn ended(&self, (): (), end: &End<'_>) {
        let Some(answer) = end.answer else { return };
        let Some(context) = RequestContext::of(answer.request()) else { return };
        let Some(mut recording) = context.take_recording() else { return };
        let exchange = context.exchange();
        let fate = exchange.map_or(Fate::Whole, Exchange::fate);
        if let Some(entry) = recording.entry() {
            complete(entry, answer, fate);
            self.metrics.count(Happened::JournalEntry);
        }
        recording.expect(expected(end.outcome, fate));
        if let Some(exchange) = exchange {
            exchange.keep(recording);
        }
    }
}

fn complete(entry: &mut Entry, answer: &ServiceResponse<BoxBody>, fate: Fate) {
    if matches!(fate, Fate::Whole | Fate::Last | Fate::Broken) {
        entry.status = Some(answer.status().as_u16());
        entry.retry_after = text_of(answer.headers(), &RETRY_AFTER);
        entry.location = text_of(answer.headers(), &LOCATION);
    }
    let request = answer.request().head();
    let stays_open = request.connection_type() == ConnectionType::KeepAlive
        && answer.response().head().connection_type() != ConnectionType::Close;
    entry.reuse = if stays_open && fate == Fate::Whole { Reuse::Open } else { Reuse::Closed };
}

fn expected(outcome: Outcome, fate: Fate) -> Expected {
    match (fate, outcome) {
        (Fate::Broken | Fate::Meaningless, _) => Expected { written: Ended::Broken, cut: Ended::Broken },
        (Fate::Stale, _) => Expected { written: Ended::Stale, cut: Ended::Stale },
        (_, Outcome::TimedOut(_)) => Expected { written: Ended::TimedOut, cut: Ended::ClientLeft },
        _ => Expected { written: Ended::Answered, cut: Ended::ClientLeft },
    }
}

fn text_of(headers: &HeaderMap, name: &HeaderName) -> Option<Box<str>> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(Box::from)
}
