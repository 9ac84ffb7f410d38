//! What all handles and homes of one client share.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use http::HeaderValue;
use resilience_actors::supervisor::SupervisorHandle;
use tokio::sync::Notify;

use crate::{
    bulkhead::Bulkhead,
    config::{ClientConfig, TimeoutConfig},
    error::Error,
    journal::Journal,
    prepare::Retry,
};

/// The client, apart from where it does its I/O.
#[derive(Debug)]
pub(crate) struct Core {
    pub(crate) base_url: String,
    pub(crate) user_agent: HeaderValue,
    pub(crate) deadline: Duration,
    pub(crate) timeout: TimeoutConfig,
    pub(crate) max_body: u64,
    pub(crate) redirects: Redirects,
    pub(crate) retry: Retry,
    pub(crate) bulkhead: Bulkhead,
    pub(crate) supervisor: SupervisorHandle,
    pub(crate) journal: Journal,
    pub(crate) in_flight: InFlight,
    pub(crate) closing: Closing,
}

/// What becomes of redirects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Redirects {
    /// They are followed.
    Follow,
    /// They are answers.
    Keep,
}

impl Core {
    /// From a configuration that has been checked.
    pub(crate) fn new(
        config: &ClientConfig,
        supervisor: SupervisorHandle,
        journal: Journal,
        closing: Closing,
    ) -> Result<Self, Error> {
        let user_agent = HeaderValue::from_str(&config.user_agent)
            .map_err(|why| Error::config("user_agent", "is no value of a header").with_source(why))?;
        Ok(Self {
            base_url: config.base_url.clone(),
            user_agent,
            deadline: config.deadline,
            timeout: config.timeout,
            max_body: config.max_body_bytes,
            redirects: if config.follow_redirects { Redirects::Follow } else { Redirects::Keep },
            retry: Retry::new(&config.retry),
            bulkhead: Bulkhead::new(config.bulkhead.max_concurrency, config.bulkhead.acquisition_timeout),
            supervisor,
            journal,
            in_flight: InFlight::default(),
            closing,
        })
    }
}

/// Counts the calls that have begun and not ended.
#[derive(Clone, Debug, Default)]
pub(crate) struct InFlight(Arc<(AtomicUsize, Notify)>);

/// One call; counted until it is dropped.
pub(crate) struct Counted<'a>(&'a InFlight);

impl InFlight {
    pub(crate) fn enter(&self) -> Counted<'_> {
        self.0.0.fetch_add(1, Ordering::SeqCst);
        Counted(self)
    }

    pub(crate) fn count(&self) -> usize {
        self.0.0.load(Ordering::SeqCst)
    }

    /// Waits until there is none.
    pub(crate) async fn none(&self) {
        loop {
            let changed = self.0.1.notified();
            if self.count() == 0 {
                return;
            }
            changed.await;
        }
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        if self.0.0.0.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.0.0.1.notify_waiters();
        }
    }
}

/// Whether the client is being closed. It never opens again.
#[derive(Clone, Debug, Default)]
pub(crate) struct Closing(Arc<(AtomicBool, Notify)>);

/// Whether closing began now, or had begun before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Began {
    Now,
    Before,
}

impl Closing {
    pub(crate) fn begin(&self) -> Began {
        if self.0.0.swap(true, Ordering::SeqCst) {
            return Began::Before;
        }
        self.0.1.notify_waiters();
        Began::Now
    }

    pub(crate) fn has_begun(&self) -> bool {
        self.0.0.load(Ordering::SeqCst)
    }

    /// Waits until it begins.
    pub(crate) async fn begun(&self) {
        let told = self.0.1.notified();
        if !self.has_begun() {
            told.await;
        }
    }
}
