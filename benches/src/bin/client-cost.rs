//! What one call costs its caller in processor time: prints nanoseconds a call.

use std::time::Duration;

use actix_rt::System;
use futures::StreamExt;
use futures::stream;
use resilient_client::{BulkheadConfig, Call, ClientConfig, ErrorKind, ResilientClient};
use structopt::StructOpt;
use uuid::Uuid;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(StructOpt)]
struct Options {
    /// bare: awc alone; call: the client on its own arbiter; message: a call sent to the client's actor;
    /// refused: a call while the breaker is open.
    what: String,
    /// The address to call.
    url: String,
    /// How many calls are measured; a tenth of them goes before, as a warm-up.
    calls: usize,
    /// How many are under way at once.
    concurrency: usize,
}

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let options = Options::from_args();
    System::new().block_on(run(&options))
}

async fn run(options: &Options) -> Result<(), Failure> {
    let url = options.url.as_str();
    match options.what.as_str() {
        "bare" => {
            let client = awc::Client::builder().timeout(Duration::from_secs(10)).finish();
            measure(options, || bare(&client, url)).await
        }
        "call" => {
            let client = client(options)?;
            measure(options, || async { succeed(client.get(url).send().await?.status()) }).await
        }
        "message" => {
            // The actor ends with the last handle.
            let client = client(options)?;
            let recipient = client.recipient();
            measure(options, || async { succeed(recipient.send(Call::get(url)).await??.status()) }).await
        }
        "refused" => {
            let client = client(options)?;
            client.force_open().await?;
            measure(options, || async {
                match client.get(url).send().await {
                    Err(error) if matches!(error.kind(), ErrorKind::CircuitOpen { .. }) => Ok(()),
                    other => {
                        Err(format!("the breaker let a call pass: {:?}", other.map(|reply| reply.status()))
                            .into())
                    }
                }
            })
            .await
        }
        other => Err(format!("{other} is not one of bare, call, message, refused").into()),
    }
}

fn client(options: &Options) -> Result<ResilientClient, Failure> {
    let slots = u32::try_from(options.concurrency)?.max(50);
    Ok(ResilientClient::start(ClientConfig {
        bulkhead: BulkheadConfig { max_concurrency: slots, ..BulkheadConfig::default() },
        ..ClientConfig::default()
    })?)
}

/// The same call by awc alone: sets a request id, sends, reads the body.
async fn bare(client: &awc::Client, url: &str) -> Result<(), Failure> {
    let request = client.get(url).insert_header(("x-request-id", Uuid::new_v4().to_string()));
    let mut reply = request.send().await.map_err(|error| error.to_string())?;
    let body = reply.body().await?;
    if !reply.status().is_success() || body.is_empty() {
        return Err("an answer is no success".into());
    }
    Ok(())
}

fn succeed(status: u16) -> Result<(), Failure> {
    if status == 200 { Ok(()) } else { Err("an answer is no success".into()) }
}

async fn measure<F>(options: &Options, call: impl Fn() -> F) -> Result<(), Failure>
where
    F: Future<Output = Result<(), Failure>>,
{
    let run = async |calls: usize| {
        let mut done = stream::iter(0..calls).map(|_| call()).buffer_unordered(options.concurrency);
        while let Some(result) = done.next().await {
            result?;
        }
        Ok::<(), Failure>(())
    };
    run(options.calls / 10).await?;
    let before = processor_time()?;
    run(options.calls).await?;
    let used = processor_time()? - before;
    println!("{}", used as f64 / options.calls as f64);
    Ok(())
}

/// Nanoseconds, over all threads of this process.
fn processor_time() -> Result<u64, Failure> {
    let mut total = 0;
    for thread in std::fs::read_dir("/proc/self/task")? {
        let text = std::fs::read_to_string(thread?.path().join("schedstat"))?;
        total += text.split_whitespace().next().unwrap_or_default().parse::<u64>()?;
    }
    Ok(total)
}
