//! The load: many calls through one client, and their results.
//!
//! * `plan`: how many requests, how many at the same time, when each is due. Pure.
//! * `run`: makes the requests. `tally`: counts outcomes and latencies, in memory that does not grow with the requests.
//! * `table`, `histogram`: the results for people. `report`: the results as JSON. Pure.

mod histogram;
mod plan;
mod report;
mod run;
mod table;
mod tally;

use resilient_client::Stats;
use tokio::time::Instant;

use self::{plan::Plan, tally::Tally};
use crate::{
    address::with_scheme,
    cli::Load,
    exit::{Exit, Failure},
    out,
    stop::Stopped,
};

/// A load that has ended.
struct Finished {
    plan: Plan,
    tally: Tally,
    stats: Stats,
    elapsed: std::time::Duration,
    ended: Ended,
}

/// How a load ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    Complete,
    Early,
}

/// Makes the load. A signal ends it early.
pub(crate) async fn run(typed: Load, stopped: Stopped) -> Result<Exit, Failure> {
    let plan = Plan::typed(&typed.requests, &typed.concurrency, typed.rate.as_deref())?;
    let method = plan::method(&typed.method)?;
    if typed.payload.has_header("x-request-id") {
        return Err(Failure::usage("-H must not set X-Request-ID here, because each request has its own"));
    }
    let url = with_scheme(&typed.url).into_owned();
    let config = typed.settings.config()?;
    let request = typed.payload.request_without_body(method, None)?;
    request.validate(&config, std::slice::from_ref(&url))?;
    let request = typed.payload.with_body(request)?;
    let client = typed.settings.start(config)?;

    let progress = if typed.settings.verbose { run::no_progress() } else { run::progress(&plan) };
    let started = Instant::now();
    let loading = run::Run::new(&plan, started, &progress);
    let stop = tokio::select! {
        () = loading.all(|| client.send(request.call(&url))) => None,
        stop = stopped.wait() => Some(stop),
    };
    let elapsed = started.elapsed();
    progress.finish_and_clear();
    let ended = if stop.is_some() { Ended::Early } else { Ended::Complete };
    let finished = Finished { tally: loading.into_tally(), stats: client.stats(), plan, elapsed, ended };
    client.close().await;

    if typed.report {
        out::line(&report::json(&finished))?;
    } else {
        out::line(&table::render(&finished))?;
        out::line(&histogram::render(&finished.tally.overall()))?;
    }
    Ok(stop.map_or(Exit::Ok, Exit::from))
}
