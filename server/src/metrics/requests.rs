//! Requests by route and status: a row of cells for each route, which its layer holds.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use actix_web::dev::ServiceRequest;

use crate::connection::{Exchange, Fate};
use crate::middleware::layer::{Answered, Layer};

/// The route of requests that reach no other.
const OTHER: &str = "other";

/// The first status that is counted by its number.
const FIRST: u16 = 100;

/// One cell for each status from 100 to 599, behind the cell of requests that no answer was sent to.
const CELLS: usize = 501;

/// The requests to each route.
#[derive(Debug, Default)]
pub struct Requests(Mutex<BTreeMap<String, RouteCounter>>);

/// The requests to one route. Cheap to clone.
#[derive(Debug, Clone)]
pub struct RouteCounter(Arc<[AtomicU64]>);

/// The layer that counts the requests to a route.
pub struct Count(pub RouteCounter);

impl Requests {
    /// The counter of a route, which is made at its first registration. Call it for patterns alone: what a client
    /// sends must not become a label.
    #[must_use]
    pub fn route(&self, pattern: &str) -> RouteCounter {
        let mut routes = self.lock();
        routes.entry(pattern.to_owned()).or_insert_with(RouteCounter::new).clone()
    }

    /// The counter of requests that reach no route.
    #[must_use]
    pub fn other(&self) -> RouteCounter {
        self.route(OTHER)
    }

    /// Calls `show` with route, status (`none` when no answer was sent) and number, where there were requests.
    ///
    /// # Errors
    /// The first error of `show`.
    pub fn each<E>(&self, mut show: impl FnMut(&str, &str, u64) -> Result<(), E>) -> Result<(), E> {
        for (route, RouteCounter(cells)) in &*self.lock() {
            for (index, cell) in cells.iter().enumerate() {
                let count = cell.load(Ordering::Relaxed);
                if count > 0 {
                    show(route, &status_of(index), count)?;
                }
            }
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, RouteCounter>> {
        // The map is whole whenever the lock is free.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn status_of(index: usize) -> String {
    match index {
        0 => "none".to_owned(),
        _ => (index - 1 + usize::from(FIRST)).to_string(),
    }
}

impl RouteCounter {
    fn new() -> Self {
        Self((0..CELLS).map(|_| AtomicU64::new(0)).collect())
    }

    /// Counts a request; `status` is `None` when no answer was sent.
    pub fn count(&self, status: Option<u16>) {
        let index =
            status.and_then(|status| status.checked_sub(FIRST)).map_or(0, |index| usize::from(index) + 1);
        if let Some(cell) = self.0.get(index) {
            cell.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Layer for Count {
    async fn call(
        &self,
        request: ServiceRequest,
        inner: impl AsyncFnOnce(ServiceRequest) -> Answered,
    ) -> Answered {
        let mut request_count = OneRequest { counter: &self.0, status: None };
        let answered = inner(request).await;
        request_count.status = match &answered {
            Ok(answer) => {
                let fate = Exchange::of(answer.request()).map_or(Fate::Whole, |exchange| exchange.fate());
                let is_sent = !matches!(fate, Fate::Meaningless | Fate::Stale);
                is_sent.then(|| answer.status().as_u16())
            }
            Err(error) => Some(error.as_response_error().status_code().as_u16()),
        };
        answered
    }
}

/// A request that is counted when it ends, also when it is dropped because the client has left.
struct OneRequest<'a> {
    counter: &'a RouteCounter,
    status: Option<u16>,
}

impl Drop for OneRequest<'_> {
    fn drop(&mut self) {
        self.counter.count(self.status);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_counted_under_its_route_and_status() {
        let requests = Requests::default();
        for status in [Some(100), Some(200), Some(200), Some(599), None, Some(600), Some(99)] {
            requests.route("/msg").count(status);
        }
        requests.other().count(Some(404));
        let mut seen = Vec::new();
        let all: Result<(), ()> = requests.each(|route, status, count| {
            seen.push(format!("{route} {status} {count}"));
            Ok(())
        });
        assert_eq!(all, Ok(()));
        assert_eq!(seen, ["/msg none 2", "/msg 100 1", "/msg 200 2", "/msg 599 1", "other 404 1"]);
    }
}
