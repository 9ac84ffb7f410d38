//! What one call costs its caller in processor time, or an idle connection in memory, with the clients that one would
//! use instead of `resilient-client`: prints nanoseconds or bytes.

#[path = "../../src/cost.rs"]
mod cost;
mod with_reqwest;
mod with_tower;

use structopt::StructOpt;

use crate::cost::{Failure, SETTLED, idle_memory, processor_time};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Attempts beyond the first, as by default in `resilient-client`.
const RETRIES: u32 = 2;

#[derive(StructOpt)]
struct Options {
    /// reqwest: reqwest with reqwest-retry; tower: tower's layers for retries, a limit and a timeout, over hyper-util.
    what: String,
    /// The address to call.
    url: String,
    /// How many calls are measured; a tenth of them goes before, as a warm-up.
    calls: usize,
    /// How many are under way at once.
    concurrency: usize,
    /// Measure the memory of `concurrency` idle connections instead.
    #[structopt(long)]
    idle: bool,
}

fn main() -> Result<(), Failure> {
    let options = Options::from_args();
    // One thread, as the client of the workspace.
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(run(&options))
}

async fn run(options: &Options) -> Result<(), Failure> {
    match options.what.as_str() {
        "reqwest" => {
            let client = with_reqwest::client()?;
            measure(options, || with_reqwest::get(&client, &options.url)).await
        }
        "tower" => {
            let client = with_tower::client(options.concurrency);
            let url: http::Uri = options.url.parse()?;
            measure(options, || with_tower::get(client.clone(), url.clone())).await
        }
        other => Err(format!("{other} is not one of reqwest, tower").into()),
    }
}

async fn measure<F>(options: &Options, call: impl Fn() -> F) -> Result<(), Failure>
where
    F: Future<Output = Result<(), Failure>>,
{
    let Options { calls, concurrency, .. } = *options;
    let cost = match options.idle {
        true => idle_memory(concurrency, tokio::time::sleep(SETTLED), call).await?,
        false => processor_time(calls, concurrency, call).await?,
    };
    println!("{cost}");
    Ok(())
}

/// Checks that a call has brought a success and its body.
fn succeed(is_success: bool, body: &[u8]) -> Result<(), Failure> {
    if is_success && !body.is_empty() { Ok(()) } else { Err("an answer is no success".into()) }
}
