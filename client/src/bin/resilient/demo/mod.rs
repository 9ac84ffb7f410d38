//! The demonstration: shows each pattern in turn against a running test server.
//!
//! * `server`: the test server, and the commands that make it fail. `transcript`: what a pattern writes and checks.
//! * One file for each pattern: `basic`, `retry`, `breaker`, `bulkhead`, `errors`, `overhead`.
//!
//! The failure modes of the server are reset before and after each pattern, and when a signal ends the command.

mod basic;
mod breaker;
mod bulkhead;
mod errors;
mod overhead;
mod retry;
mod server;
mod transcript;

use std::time::Duration;

use self::{server::Server, transcript::NotHeld};
use crate::{
    cli::Demo,
    exit::{Exit, Failure},
    out,
    stop::Stopped,
};

/// How long a stopped demonstration waits for the server to reset its failure modes; shorter than the grace that
/// `stop` gives.
const RESET_ON_STOP: Duration = Duration::from_millis(600);

/// A pattern that is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Pattern {
    Basic,
    Retry,
    Breaker,
    Bulkhead,
    Errors,
    Overhead,
}

impl Pattern {
    const ALL: [Self; 6] =
        [Self::Basic, Self::Retry, Self::Breaker, Self::Bulkhead, Self::Errors, Self::Overhead];

    fn name(self) -> &'static str {
        match self {
            Self::Basic => "basic call and idempotency",
            Self::Retry => "retry",
            Self::Breaker => "circuit breaker",
            Self::Bulkhead => "bulkhead",
            Self::Errors => "error hierarchy",
            Self::Overhead => "overhead against bare awc",
        }
    }

    async fn show(self, server: &Server) -> Result<(), NotHeld> {
        match self {
            Self::Basic => basic::show(server).await,
            Self::Retry => retry::show(server).await,
            Self::Breaker => breaker::show(server).await,
            Self::Bulkhead => bulkhead::show(server).await,
            Self::Errors => errors::show(server).await,
            Self::Overhead => overhead::show(server).await,
        }
    }

    /// Shows the pattern between two resets of the server. The second is made also if the pattern does not hold.
    async fn show_cleanly(self, server: &Server) -> Result<(), NotHeld> {
        server.reset().await?;
        let shown = self.show(server).await;
        let reset = server.reset().await;
        shown.and(reset)
    }
}

/// Shows all patterns, and says which did not hold.
pub(crate) async fn run(typed: Demo, stopped: Stopped) -> Result<Exit, Failure> {
    let server = Server::new(&typed)?;
    let stop = tokio::select! {
        broken = show_all(&server) => return verdict(&broken?),
        stop = stopped.wait() => stop,
    };
    if !matches!(tokio::time::timeout(RESET_ON_STOP, server.reset()).await, Ok(Ok(()))) {
        out::complain("stopped; the failure modes of the server could not be reset");
    }
    Ok(stop.into())
}

async fn show_all(server: &Server) -> Result<Vec<&'static str>, Failure> {
    server.check_health().await?;
    let mut broken = Vec::new();
    for (n, pattern) in Pattern::ALL.into_iter().enumerate() {
        transcript::title(&format!("{}. {}", n + 1, pattern.name()));
        if let Err(why) = pattern.show_cleanly(server).await {
            transcript::failed(&why);
            broken.push(pattern.name());
        }
    }
    Ok(broken)
}

fn verdict(broken: &[&str]) -> Result<Exit, Failure> {
    let all = Pattern::ALL.len();
    if broken.is_empty() {
        out::line(&format!("\nAll {all} patterns held."))?;
        return Ok(Exit::Ok);
    }
    let line = format!("{} of {all} patterns did not hold: {}", broken.len(), broken.join(", "));
    Err(Failure::new(Exit::Failure, line))
}
