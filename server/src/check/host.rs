//! The test server inside this process, on a loopback port, and its sessions.
//!
//! It reads no environment and no `.env`, and logs nothing.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use actix_rt::task::JoinHandle;
use actix_web::web::Data;
use derive_more::{Display, Error, From};
use futures::channel::oneshot;
use resilience_actors::ActorError;

use crate::app::Application;
use crate::cases::Case;
use crate::config::{Config, ConfigError, Layers};
use crate::judgement::Snapshot;
use crate::listen::StartError;
use crate::session::{Session, SessionEntry, id};
use crate::state::AppState;

/// How long a session lives. Longer than any examination.
const SESSION_TTL: Duration = Duration::from_secs(86_400);

/// A server that runs.
pub struct Host {
    state: Data<AppState>,
    address: SocketAddr,
    stop: oneshot::Sender<&'static str>,
    served: JoinHandle<std::io::Result<()>>,
}

/// The session of a case.
pub struct CaseSession {
    entry: SessionEntry,
    /// Its base URL, without a slash at its end.
    pub base_url: String,
}

/// Why the server does not serve.
#[derive(Debug, Display, Error, From)]
pub enum HostError {
    /// Its configuration is wrong.
    Config(ConfigError),
    /// It cannot listen.
    Start(StartError),
    /// It ended by itself.
    #[display("the test server has ended")]
    Ended,
    /// An actor does not answer.
    Actor(ActorError),
    /// There is no room for a session.
    #[display("the test server has no room for another session")]
    Full,
}

impl Host {
    /// Starts a server on a free loopback port. Must run inside an actix system.
    ///
    /// # Errors
    /// [`HostError`] when it does not start.
    pub async fn start() -> Result<Self, HostError> {
        let application = Application::bind(config()?)?;
        let (stop, stopped) = oneshot::channel();
        let (started, has_started) = oneshot::channel();
        let served = actix_rt::spawn(async move {
            let stop = async { stopped.await.unwrap_or("dropped") };
            let started = |state: &Data<AppState>| drop(started.send(state.clone()));
            application.run(stop, started).await
        });
        let state = has_started.await.map_err(|_| HostError::Ended)?;
        let address = *state.addresses.first().ok_or(HostError::Ended)?;
        Ok(Self { state, address, stop, served })
    }

    /// Opens a session of a case, in which a hang lasts `hang`.
    ///
    /// # Errors
    /// [`HostError`] when the server does not make one.
    pub async fn open(&self, case: &Case, hang: Duration) -> Result<CaseSession, HostError> {
        let sessions = &self.state.sessions;
        let settings = sessions.default_settings().for_case(case, hang);
        let home = sessions.home.clone();
        let make = move || Session::new(settings, home);
        let created = sessions.registry.create(id::generate().into(), SESSION_TTL, make).await?;
        let entry = created.map_err(|_| HostError::Full)?;
        entry.member.begin().await?;
        let base_url = format!("http://{}/s/{}", self.address, entry.id);
        Ok(CaseSession { entry, base_url })
    }

    /// Ends a session.
    pub async fn close(&self, session: &CaseSession) {
        // A session that cannot be ended ends with the server.
        let _ = self.state.sessions.registry.remove(session.entry.id.clone()).await;
    }

    /// Stops the server. Requests in flight are dropped.
    pub async fn stop(self) {
        let _ = self.stop.send("the examination is over");
        let _ = self.served.await;
    }
}

impl CaseSession {
    /// Waits until nothing is in flight, for a bounded time, and reads the journal.
    ///
    /// # Errors
    /// [`HostError`] when the journal does not answer.
    pub async fn seen(&self) -> Result<Snapshot, HostError> {
        let state = self.entry.member.state();
        let journal = state.journal.as_ref().ok_or(HostError::Ended)?;
        Ok(Snapshot::settled(journal).await?)
    }
}

/// The configuration: nothing of it comes from outside.
fn config() -> Result<Config, ConfigError> {
    let flags = [
        ("host", "127.0.0.1"),
        ("port", "0"),
        ("workers", "1"),
        ("shutdown-timeout", "0"),
        ("journal-size", "20000"),
        ("journal-bytes", "256MiB"),
    ];
    let flags: HashMap<_, _> = flags.into_iter().map(|(flag, value)| (flag, value.to_owned())).collect();
    Config::load(&Layers { flags, ..Layers::default() }).map(|loaded| loaded.config)
}
