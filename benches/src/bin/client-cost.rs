//! What one call costs its caller in processor time, or an idle connection in memory: prints nanoseconds or bytes.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use actix_rt::System;
use benchmarks::cost::{Failure, SETTLED, idle_memory, processor_time};
use resilient_client::config::HedgeAfter;
use resilient_client::{
    BreakerScope, BulkheadConfig, Call, CircuitBreakerConfig, ClientConfig, ErrorKind, Event, HedgeConfig,
    Observer, ResilientClient,
};
use structopt::StructOpt;
use uuid::Uuid;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(StructOpt)]
struct Options {
    /// bare: awc alone; call: the client on its own arbiter; everything: with every feature on; hedged: with hedging,
    /// which no call needs; message: a call sent to the client's actor; refused: a call while the breaker is open.
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
    System::new().block_on(run(&options))
}

async fn run(options: &Options) -> Result<(), Failure> {
    let url = options.url.as_str();
    match options.what.as_str() {
        "bare" => {
            let connector = awc::Connector::new().limit(0);
            let client =
                awc::Client::builder().connector(connector).timeout(Duration::from_secs(10)).finish();
            measure(options, || bare(&client, url)).await
        }
        "call" => calls(options, config(options)?).await,
        "everything" => calls(options, everything(config(options)?)).await,
        "hedged" => {
            let hedge = HedgeConfig { after: HedgeAfter::Delay(Duration::from_secs(10)), max: 1 };
            calls(options, ClientConfig { hedge, ..config(options)? }).await
        }
        "message" => {
            // The actor ends with the last handle.
            let client = ResilientClient::start(config(options)?)?;
            let recipient = client.recipient();
            measure(options, || async { succeed(recipient.send(Call::get(url)).await??.status()) }).await
        }
        "refused" => {
            let client = ResilientClient::start(config(options)?)?;
            client.force_open().await?;
            measure(options, || refused(&client, url)).await
        }
        other => {
            let known = "bare, call, everything, hedged, message, refused";
            Err(format!("{other} is not one of {known}").into())
        }
    }
}

fn config(options: &Options) -> Result<ClientConfig, Failure> {
    let slots = u32::try_from(options.concurrency)?.max(50);
    Ok(ClientConfig {
        bulkhead: BulkheadConfig { max_concurrency: slots, ..BulkheadConfig::default() },
        ..ClientConfig::default()
    })
}

/// With every feature that is off by default: a breaker by rate for each origin, hedging, cookies, an observer.
fn everything(config: ClientConfig) -> ClientConfig {
    let config = ClientConfig {
        circuit_breaker: CircuitBreakerConfig {
            failure_rate: 0.5,
            slow_call_rate: 0.5,
            scope: BreakerScope::Origin,
            ..CircuitBreakerConfig::default()
        },
        hedge: HedgeConfig { after: HedgeAfter::Quantile(0.97), max: 1 },
        cookies: true,
        bulkhead: BulkheadConfig { adaptive: true, ..config.bulkhead },
        ..config
    };
    config.observer(Arc::new(Counter::default()))
}

/// An observer that counts events, as a user's metrics would.
#[derive(Default)]
struct Counter(AtomicU64);

impl Observer for Counter {
    fn on(&self, _: &Event<'_>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

async fn calls(options: &Options, config: ClientConfig) -> Result<(), Failure> {
    let client = ResilientClient::start(config)?;
    let url = options.url.as_str();
    measure(options, || async { succeed(client.get(url).send().await?.status()) }).await
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

async fn refused(client: &ResilientClient, url: &str) -> Result<(), Failure> {
    match client.get(url).send().await {
        Err(error) if matches!(error.kind(), ErrorKind::CircuitOpen { .. }) => Ok(()),
        other => {
            let status = other.map(|reply| reply.status());
            Err(format!("the breaker let a call pass: {status:?}").into())
        }
    }
}

fn succeed(status: u16) -> Result<(), Failure> {
    if status == 200 { Ok(()) } else { Err("an answer is no success".into()) }
}

async fn measure<F>(options: &Options, call: impl Fn() -> F) -> Result<(), Failure>
where
    F: Future<Output = Result<(), Failure>>,
{
    let Options { calls, concurrency, .. } = *options;
    let cost = match options.idle {
        true => idle_memory(concurrency, actix_rt::time::sleep(SETTLED), call).await?,
        false => processor_time(calls, concurrency, call).await?,
    };
    println!("{cost}");
    Ok(())
}
