//! What the process shares: its configuration, its documents, its start time and its sessions.
//!
//! What one test needs is in a [`Session`](crate::session::Session); what is here exists once.

use std::net::SocketAddr;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use actix_web::web::Bytes;

use crate::config::Config;
use crate::connection::Connections;
use crate::metrics::Metrics;
use crate::session::{Home, SessionSettings, Sessions};

/// What all requests of the process share.
pub struct AppState {
    /// The configuration in force.
    pub config: Config,
    /// The documents that are served as they are.
    pub documents: Documents,
    /// The sessions.
    pub sessions: Sessions,
    /// Where the server listens; at least one address.
    pub addresses: Vec<SocketAddr>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// The open connections.
    pub connections: Arc<Connections>,
    started: Instant,
}

/// Documents that are made once, when they are first asked for: most servers never are.
pub struct Documents {
    /// The OpenAPI document as JSON text.
    pub openapi: LazyLock<Bytes>,
}

impl AppState {
    /// Creates the state of a server that starts now, with the default session alone.
    #[must_use]
    pub fn new(config: Config, documents: Documents, addresses: Vec<SocketAddr>, home: Home) -> Self {
        let sessions = Sessions::new(SessionSettings::from(&config), config.max_sessions, home);
        Self {
            config,
            documents,
            sessions,
            addresses,
            metrics: Arc::default(),
            connections: Arc::default(),
            started: Instant::now(),
        }
    }

    /// How long the server has been running.
    #[must_use]
    pub fn uptime(&self) -> Duration {
        self.started.elapsed()
    }
}
