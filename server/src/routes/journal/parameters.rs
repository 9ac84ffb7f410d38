//! Which entries of the journal a request asks for.

use std::borrow::Cow;
use std::time::Duration;

use actix_web::HttpRequest;
use resilience_actors::journal::Page;
use utoipa::IntoParams;

use crate::context::CurrentSession;
use crate::error::ApiError;
use crate::journal::{Entry, Journal};
use crate::json::{Place, Problem};
use crate::query;
use crate::validation;

/// The most entries of one answer.
pub(super) const MAX_LIMIT: u32 = 10_000;

/// How long a request whose answer is being written may take to end.
const LAST_WRITE: Duration = Duration::from_millis(20);

/// Which entries are asked for.
pub(super) struct Wanted {
    /// The number behind which they begin.
    pub(super) since: u64,
    /// The key that they have; `None`: any or no key.
    pub(super) key: Option<String>,
    /// How many at most.
    pub(super) limit: usize,
}

/// The parameters of the query.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "read by the derive alone")]
pub(super) struct PageParameters {
    /// The `seq` behind which the entries begin.
    #[param(required = false, minimum = 0, default = 0)]
    since: u64,
    /// Only requests with this idempotency key.
    #[param(required = false)]
    key: String,
    /// How many entries at most.
    #[param(required = false, minimum = 1, maximum = 10000, default = 100)]
    limit: u32,
}

impl Wanted {
    /// Reads the parameters of a request.
    ///
    /// # Errors
    /// [`ApiError::Invalid`] with every parameter that does not parse or is out of range.
    pub(super) fn of(request: &HttpRequest, default_limit: u32) -> Result<Self, ApiError> {
        let value = |name: &str| query::last(request.query_string(), name);
        let mut problems = Vec::new();
        let limit = value("limit").map_or(Ok(default_limit), |text| {
            validation::whole_number(["query", "limit"], &text, &(1..=MAX_LIMIT))
        });
        let limit = limit.unwrap_or_else(|fault| {
            problems.push(fault.into());
            default_limit
        });
        let since = value("since").map_or(Some(0), |text| seq(&text)).unwrap_or_else(|| {
            let place = vec![Place::from("query"), Place::from("since")];
            let input = value("since").unwrap_or_default().into();
            problems.push(Problem::invalid_value(place, input, "should be the seq of an entry, or 0"));
            0
        });
        if problems.is_empty() {
            let limit = usize::try_from(limit).unwrap_or(usize::MAX);
            Ok(Self { since, key: value("key").map(Cow::into_owned), limit })
        } else {
            Err(ApiError::Invalid(problems))
        }
    }

    /// Reads the entries.
    ///
    /// # Errors
    /// [`ApiError`] when the actor has not answered.
    pub(super) async fn read(self, journal: &Journal) -> Result<Page<Entry>, ApiError> {
        let Self { since, key, limit } = self;
        // A client may have the last byte of an answer an instant before the server notes it.
        let _ = actix_rt::time::timeout(LAST_WRITE, journal.handle.idle()).await;
        let has_key = move |entry: &Entry| key.as_ref().is_none_or(|key| entry.key.as_deref() == Some(key));
        Ok(journal.handle.read(since, limit, has_key).await?)
    }
}

/// The number of an entry, as the OpenAPI document bounds it: 0 to 2^63 - 1.
pub(super) fn seq(text: &str) -> Option<u64> {
    text.trim().parse::<i64>().ok().and_then(|seq| u64::try_from(seq).ok())
}

/// The journal of the session.
///
/// # Errors
/// [`ApiError::JournalOff`] if the session has no journal.
pub(super) fn journal(session: &CurrentSession) -> Result<&Journal, ApiError> {
    session.journal.as_ref().ok_or(ApiError::JournalOff)
}
