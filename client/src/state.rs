//! What all handles, calls and workers of one client share.

use std::{sync::Arc, time::Duration};

use resilience_actors::supervisor::SupervisorHandle;

use crate::{
    bulkhead::Bulkhead,
    config::ClientConfig,
    cookies::CookieJar,
    error::Error,
    hedge::Hedging,
    lifetime::{Closing, Lifetime},
    observe::{Event, Observers},
    policy,
    prepare::CallDefaults,
};

/// The state of a client, apart from the threads that do its I/O.
#[derive(Debug)]
pub(crate) struct ClientState {
    pub(crate) defaults: CallDefaults,
    pub(crate) bulkhead: Bulkhead,
    pub(crate) hedging: Hedging,
    pub(crate) supervisor: SupervisorHandle,
    pub(crate) observers: Arc<Observers>,
    pub(crate) lifetime: Lifetime,
    /// From which duration an attempt counts as slow; `None` unless the breaker looks at slow calls.
    pub(crate) slow_from: Option<Duration>,
    /// `None` unless the client keeps cookies.
    pub(crate) cookies: Option<CookieJar>,
}

impl ClientState {
    /// The state of a client whose configuration is valid.
    pub(crate) fn new(
        config: &ClientConfig,
        supervisor: SupervisorHandle,
        observers: Arc<Observers>,
        lifetime: Lifetime,
    ) -> Result<Self, Error> {
        Ok(Self {
            defaults: CallDefaults::new(config)?,
            bulkhead: Bulkhead::new(&config.bulkhead),
            hedging: Hedging::new(),
            supervisor,
            observers,
            lifetime,
            slow_from: policy::slow_from(&config.circuit_breaker),
            cookies: config.cookies.then(CookieJar::default),
        })
    }

    /// Begins to close the client: no call is admitted any more, and those in flight end.
    pub(crate) fn close(&self) {
        if self.lifetime.close() == Closing::BegunNow {
            self.observers.emit(Event::ClientClosed);
        }
    }
}
