//! Every pattern in turn, shown against a running test server.
//!
//! * `stage`: the server, and how it is told to fail. `story`: what a pattern says, and the checks it makes.
//! * One file a pattern: `basic`, `retry`, `breaker`, `bulkhead`, `errors`, `overhead`.
//!
//! Whatever becomes of a pattern, of the demonstration or of the one who watches: the server is left as if it
//! had never been told to fail.

mod basic;
mod breaker;
mod bulkhead;
mod errors;
mod overhead;
mod retry;
mod stage;
mod story;

use std::time::Duration;

use self::{
    stage::Stage,
    story::{Broken, Story},
};
use crate::{
    cli::Demo,
    exit::{Exit, Failure},
    out,
    stop::Stopped,
};

/// How long a stopped demonstration waits for the server to reset its failure modes; shorter than the grace that
/// `stop` gives.
const RESET_ON_STOP: Duration = Duration::from_millis(600);

/// What is shown.
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

    async fn show(self, stage: &Stage) -> Result<(), Broken> {
        match self {
            Self::Basic => basic::show(stage).await,
            Self::Retry => retry::show(stage).await,
            Self::Breaker => breaker::show(stage).await,
            Self::Bulkhead => bulkhead::show(stage).await,
            Self::Errors => errors::show(stage).await,
            Self::Overhead => overhead::show(stage).await,
        }
    }

    /// Shows it between two resets of the server; the second comes whatever happens.
    async fn show_cleanly(self, stage: &Stage) -> Result<(), Broken> {
        stage.reset().await?;
        let shown = self.show(stage).await;
        let reset = stage.reset().await;
        shown.and(reset)
    }
}

/// Shows them all, and says which did not hold.
pub(crate) async fn run(typed: Demo, stopped: Stopped) -> Result<Exit, Failure> {
    let stage = Stage::set(&typed)?;
    let stop = tokio::select! {
        broken = show_all(&stage) => return verdict(&broken?),
        stop = stopped.wait() => stop,
    };
    if !matches!(tokio::time::timeout(RESET_ON_STOP, stage.reset()).await, Ok(Ok(()))) {
        out::complain("stopped; the failure modes of the server could not be reset");
    }
    Ok(stop.into())
}

async fn show_all(stage: &Stage) -> Result<Vec<&'static str>, Failure> {
    stage.someone_answers().await?;
    let mut broken = Vec::new();
    for (n, pattern) in Pattern::ALL.into_iter().enumerate() {
        Story::title(&format!("{}. {}", n + 1, pattern.name()));
        if let Err(why) = pattern.show_cleanly(stage).await {
            Story::failed(&why);
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
