//! How a client starts: on the current arbiter, or on threads of its own.

use std::{
    env,
    sync::{Arc, Weak, mpsc},
    thread,
};

use actix::{Addr, Arbiter, ArbiterHandle, Context, System, dev::channel};
use resilience_actors::supervisor::{SupervisorHandle, SupervisorSettings};

#[cfg(any(test, feature = "test-util"))]
use crate::transport::scripted::ScriptedTransport;
use crate::{
    actor::{self, ClientActor},
    client::{Inner, ResilientClient},
    config::ClientConfig,
    dispatch::{Worker, WorkerPool},
    error::{Error, ErrorKind, FieldError},
    lifetime::Lifetime,
    observe::{CallLog, Event, Observers},
    policy,
    proxy::Proxies,
    state::ClientState,
    transport::{
        ConnectSettings, TransportSettings,
        tls::{self, Trust},
    },
};

const MAX_ARBITERS: usize = 1_024;
/// The messages of actors that may wait for the client's actor, which takes each up at once.
const MAILBOX: usize = 1_024;

/// Where a client runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// On the current arbiter.
    Here,
    /// On this many threads of its own.
    Own(usize),
}

impl ResilientClient {
    /// Starts a client: inside an actix system on the current arbiter, elsewhere on a thread of its own.
    ///
    /// Calls that are made on the client's own arbiter cost least: they do not change threads.
    ///
    /// # Errors
    ///
    /// [`Config`](ErrorKind::Config) when a setting is invalid; [`Closed`](ErrorKind::Closed) when no thread could
    /// be started.
    #[allow(clippy::needless_pass_by_value, reason = "a configuration is written where it is used")]
    pub fn start(config: ClientConfig) -> Result<Self, Error> {
        start(&config, Place::default())
    }

    /// Starts a client on 1 to 1024 arbiters of its own, over which its calls are spread.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start).
    #[allow(clippy::needless_pass_by_value, reason = "a configuration is written where it is used")]
    pub fn start_on(arbiters: usize, config: ClientConfig) -> Result<Self, Error> {
        start(&config, Place::Own(arbiters))
    }
}

impl Default for Place {
    /// The current arbiter, if there is one and it runs.
    fn default() -> Self {
        let in_system = System::try_current().is_some() && Arbiter::try_current().is_some();
        if in_system && tokio::runtime::Handle::try_current().is_ok() { Self::Here } else { Self::Own(1) }
    }
}

fn start(config: &ClientConfig, place: Place) -> Result<ResilientClient, Error> {
    config.validate()?;
    let trust = match config.verify_ssl {
        true => Trust::Roots { ca_file: config.ca_file.as_deref() },
        false => Trust::Anyone,
    };
    let connect = ConnectSettings {
        tls: tls::config(trust)?,
        proxies: Arc::new(Proxies::new(&config.proxy, |name| env::var_os(name))?),
    };
    start_with(config, place, TransportSettings::Awc(connect))
}

/// Starts a client that follows a script, on the current arbiter.
///
/// # Panics
///
/// If there is no actix system on this thread: the script is to run under the clock of the test.
#[cfg(any(test, feature = "test-util"))]
#[track_caller]
pub(crate) fn start_scripted(
    config: &ClientConfig,
    transport: ScriptedTransport,
) -> Result<ResilientClient, Error> {
    assert!(
        Place::default() == Place::Here,
        "a scripted client needs an actix system on this thread: resilient_client::test::run starts one"
    );
    config.validate()?;
    start_with(config, Place::Here, TransportSettings::Scripted(transport))
}

/// Starts a client whose configuration is valid.
fn start_with(
    config: &ClientConfig,
    place: Place,
    transport: TransportSettings,
) -> Result<ResilientClient, Error> {
    let log = CallLog::new(&config.logging);
    let target = log.target();
    let observers = Arc::new(Observers::new(log));
    config.observers.iter().try_for_each(|observer| observers.add(Arc::clone(observer)))?;
    let settings = policy::supervisor_settings(config, target, &observers);
    let setup = Setup { transport, lifetime: Lifetime::default(), settings };
    let (workers, supervisor, arbiter) = match place {
        Place::Here => setup.here(),
        Place::Own(count) if (1..=MAX_ARBITERS).contains(&count) => setup.apart(count)?,
        Place::Own(count) => {
            let rule = format!("must be 1 to {MAX_ARBITERS}");
            return Err(FieldError::new("arbiters", rule).with_value(count).into());
        }
    };
    observers.emit(Event::ClientStarted { base_url: &config.base_url });
    let state = Arc::new(ClientState::new(config, supervisor, observers, setup.lifetime.clone())?);
    Ok(ResilientClient(Arc::new_cyclic(|client| Inner {
        state,
        workers,
        actor: start_actor(&arbiter, client.clone(), setup.lifetime),
    })))
}

/// What every worker of a client is set up with.
struct Setup {
    transport: TransportSettings,
    lifetime: Lifetime,
    settings: SupervisorSettings,
}

type Started = (WorkerPool, SupervisorHandle, ArbiterHandle);

impl Setup {
    fn here(&self) -> Started {
        let (pool, workers) = WorkerPool::new(1);
        for worker in workers {
            actix_rt::spawn(worker.open(self.transport.clone(), self.lifetime.clone()));
        }
        (pool, SupervisorHandle::start(self.settings.clone()), Arbiter::current())
    }

    fn apart(&self, count: usize) -> Result<Started, Error> {
        let (pool, workers) = WorkerPool::new(count);
        let mut first = None;
        for worker in workers {
            let started = self.thread(worker)?;
            first.get_or_insert(started);
        }
        let (supervisor, arbiter) = first.ok_or_else(no_thread)?;
        Ok((pool, supervisor, arbiter))
    }

    /// Starts a thread with an actix system of its own, which ends with the client.
    fn thread(&self, worker: Worker) -> Result<(SupervisorHandle, ArbiterHandle), Error> {
        let (transport, lifetime, settings) =
            (self.transport.clone(), self.lifetime.clone(), self.settings.clone());
        let (ready, started) = mpsc::sync_channel(1);
        let run = move || {
            System::new().block_on(async move {
                let serving = worker.open(transport, lifetime);
                // The starting thread is waiting; if it has stopped waiting, there is no client to serve.
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

fn start_actor(arbiter: &ArbiterHandle, client: Weak<Inner>, lifetime: Lifetime) -> Addr<ClientActor> {
    let (sender, receiver) = channel::channel(MAILBOX);
    arbiter.spawn_fn(move || {
        let actor = Context::with_receiver(receiver).into_future(ClientActor::new(client));
        actix_rt::spawn(actor::supervise(actor, lifetime));
    });
    Addr::new(sender)
}
