//! How a client comes to life: on the arbiter it was started on, or on threads of its own.

use std::{
    sync::{Arc, Weak, mpsc},
    thread,
};

use actix::{Addr, Arbiter, ArbiterHandle, Context, System, dev::channel};
use resilience_actors::supervisor::{SupervisorHandle, SupervisorSettings, breaker, budget};

use crate::{
    actor::{self, ClientActor},
    client::Inner,
    config::{self, ClientConfig},
    core::{Closing, Core},
    error::{Error, ErrorKind},
    home::{Home, Homes},
    journal::Journal,
    transport::tls::{self, Trust},
};

/// Where a client lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// On the current arbiter.
    Here,
    /// On so many threads of its own.
    Own(usize),
}

const MOST_ARBITERS: usize = 1_024;
/// Messages on their way to the actor that others may have sent; each is taken up at once.
const MAILBOX: usize = 1_024;

impl Default for Place {
    /// The current arbiter if there is one and it runs.
    fn default() -> Self {
        let in_system = System::try_current().is_some() && Arbiter::try_current().is_some();
        if in_system && tokio::runtime::Handle::try_current().is_ok() { Self::Here } else { Self::Own(1) }
    }
}

/// Starts a client.
pub(crate) fn start(config: &ClientConfig, place: Place) -> Result<Arc<Inner>, Error> {
    config::check(config)?;
    let trust = if config.verify_ssl { Trust::PublicRoots } else { Trust::Anyone };
    let setup = Setup {
        tls: tls::config(trust)?,
        closing: Closing::default(),
        settings: settings(config, &Journal::new(&config.logging)),
    };
    let (homes, supervisor, arbiter) = match place {
        Place::Here => setup.here(),
        Place::Own(count) if (1..=MOST_ARBITERS).contains(&count) => setup.apart(count)?,
        Place::Own(count) => {
            return Err(Error::config("arbiters", &format!("must be 1 to {MOST_ARBITERS}, got {count}")));
        }
    };
    let journal = Journal::new(&config.logging);
    journal.started(&config.base_url);
    let core = Arc::new(Core::new(config, supervisor, journal, setup.closing.clone())?);
    Ok(Arc::new_cyclic(|client| Inner {
        core,
        homes,
        actor: start_actor(&arbiter, client.clone(), setup.closing),
    }))
}

/// What every home of a client is set up with.
struct Setup {
    tls: Arc<rustls::ClientConfig>,
    closing: Closing,
    settings: SupervisorSettings,
}

type Started = (Homes, SupervisorHandle, ArbiterHandle);

impl Setup {
    fn here(&self) -> Started {
        let (homes, insides) = Homes::new(1);
        for home in insides {
            actix_rt::spawn(home.open(Arc::clone(&self.tls), self.closing.clone()));
        }
        (homes, SupervisorHandle::start(self.settings.clone()), Arbiter::current())
    }

    fn apart(&self, count: usize) -> Result<Started, Error> {
        let (homes, insides) = Homes::new(count);
        let mut first = None;
        for home in insides {
            let started = self.thread(home)?;
            first.get_or_insert(started);
        }
        let (supervisor, arbiter) = first.ok_or_else(no_thread)?;
        Ok((homes, supervisor, arbiter))
    }

    /// Starts a thread with an actix system of its own, which ends with the client.
    fn thread(&self, home: Home) -> Result<(SupervisorHandle, ArbiterHandle), Error> {
        let (tls, closing, settings) = (Arc::clone(&self.tls), self.closing.clone(), self.settings.clone());
        let (ready, started) = mpsc::sync_channel(1);
        let run = move || {
            System::new().block_on(async move {
                let serving = home.open(tls, closing);
                // Whoever started us is waiting; if not, there is nobody to serve.
                if ready.send((SupervisorHandle::start(settings), Arbiter::current())).is_ok() {
                    serving.await;
                }
            });
        };
        let named = thread::Builder::new().name("resilient-client".to_owned());
        named.spawn(run).map_err(|why| no_thread().with_source(why))?;
        started.recv().map_err(|_| no_thread())
    }
}

fn no_thread() -> Error {
    Error::new(ErrorKind::Closed, "the client's thread could not be started")
}

pub(crate) fn settings(config: &ClientConfig, journal: &Journal) -> SupervisorSettings {
    let breaker = &config.circuit_breaker;
    SupervisorSettings {
        breaker: breaker::BreakerSettings {
            failure_threshold: breaker.failure_threshold,
            recovery_timeout: breaker.recovery_timeout,
            half_open_max_calls: breaker.half_open_max_calls,
        },
        budget: budget::BudgetSettings {
            ratio: config.retry.budget.ratio,
            per_second: config.retry.budget.per_second,
        },
        log: journal.target(),
        seed: None,
    }
}

fn start_actor(arbiter: &ArbiterHandle, client: Weak<Inner>, closing: Closing) -> Addr<ClientActor> {
    let (sender, receiver) = channel::channel(MAILBOX);
    arbiter.spawn_fn(move || {
        let actor = Context::with_receiver(receiver).into_future(ClientActor::new(client));
        actix_rt::spawn(actor::supervise(actor, closing));
    });
    Addr::new(sender)
}
