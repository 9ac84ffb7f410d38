//! The one place to see what a client does: it emits typed events, and everything that watches is an observer.
//!
//! ```
//! use std::sync::{Arc, atomic::{AtomicU64, Ordering}};
//! use resilient_client::{ClientConfig, Event, Observer};
//!
//! #[derive(Default)]
//! struct Retries(AtomicU64);
//!
//! impl Observer for Retries {
//!     fn on(&self, event: &Event<'_>) {
//!         if let Event::RetryPlanned { .. } = event {
//!             self.0.fetch_add(1, Ordering::Relaxed);
//!         }
//!     }
//! }
//!
//! let config = ClientConfig::new("http://localhost:8000").observer(Arc::new(Retries::default()));
//! # config.validate().unwrap();
//! ```
//!
//! * `event`: the events, and what an observer is.
//! * `observers`: the observers of a client. `list`: those of a configuration.
//! * `call_log`: the observer that writes the client's log lines.
//! * `metrics`: the observer that feeds the `metrics` facade (feature `metrics`).
//!
//! The changes of the circuit breaker are logged by the supervisor's actor, which makes them.

mod call_log;
mod event;
mod list;
#[cfg(feature = "metrics")]
mod metrics;
mod observers;

#[cfg(feature = "metrics")]
pub use self::metrics::MetricsObserver;
pub(crate) use self::{call_log::CallLog, observers::Observers};
pub use self::{
    event::{AttemptEnding, Event, FailedAttempt, Observer},
    list::ObserverList,
};
