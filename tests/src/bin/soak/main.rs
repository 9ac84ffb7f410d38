//! The server and the client against each other for as long as asked, with failures being armed and reset at random.
//! What must always hold is checked on the way; the first thing that does not ends the run with one line.
//!
//! A cycle is a storm of everything at once (`storm`), then silence in which what must be exact is counted and what
//! was taken must be back (`checks`). The seed decides what is done; when it happens is up to the machine.

mod checks;
mod keys;
mod setup;
mod storm;
mod tally;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use structopt::StructOpt;

use crate::setup::Soak;

/// Runs the test server and the resilient client against each other and checks what must always hold.
#[derive(Debug, StructOpt)]
#[structopt(name = "soak")]
struct Options {
    /// How long, in seconds; a cycle that has begun is finished
    #[structopt(long, default_value = "30")]
    seconds: u64,
    /// A server that runs already and that nothing else uses, with a cache of 10000 or more; without it the
    /// soak starts one of its own, and looks at its memory, descriptors and slots too
    #[structopt(long)]
    url: Option<String>,
    /// The seed that decides what is done; by default that of the variable SEED, else a new one
    #[structopt(long)]
    seed: Option<u64>,
}

/// Something that must always hold, and did not.
#[derive(Debug)]
struct Broken(String);

/// Ends the run with a line that names what did not hold.
macro_rules! broken {
    ($($what:tt)*) => { Err($crate::Broken(format!($($what)*))) };
}
pub(crate) use broken;

const BROKEN: u8 = 1;
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let options = match Options::from_args_safe() {
        Ok(options) => options,
        Err(asked) if !asked.use_stderr() => {
            println!("{}", asked.message);
            return ExitCode::SUCCESS;
        }
        Err(wrong) => {
            eprintln!("soak: {}", wrong.message);
            return ExitCode::from(USAGE);
        }
    };
    let seed = options.seed.unwrap_or_else(workspace_tests::seed::seed);
    println!("soak: {} s, seed {seed}", options.seconds);
    match actix_rt::System::new().block_on(run(&options, seed)) {
        Ok(summary) => {
            println!("soak: everything held: {summary}");
            ExitCode::SUCCESS
        }
        Err(Broken(what)) => {
            eprintln!("soak: BROKEN: {what} (seed {seed})");
            ExitCode::from(BROKEN)
        }
    }
}

async fn run(options: &Options, seed: u64) -> Result<String, Broken> {
    let start = Instant::now();
    let length = Duration::from_secs(options.seconds);
    // Memory is compared with what the server has taken once everything has been used.
    let warm_up = (length / 3).min(Duration::from_secs(60));
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut soak = Soak::start(options.url.as_deref()).await?;
    loop {
        let storm = Duration::from_millis(rng.u64(200..1200));
        storm::rage(&soak, &mut rng, storm).await?;
        soak.calm_down().await?;
        checks::failures_are_exact(&soak, &mut rng).await?;
        checks::gauges_are_back(&soak).await?;
        checks::slots_are_back(&soak).await?;
        checks::keys_still_answer(&soak).await?;
        if start.elapsed() >= warm_up {
            checks::memory_is_flat(&mut soak)?;
        }
        checks::log_is_clean(&soak)?;
        soak.tally.cycles.add(1);
        if start.elapsed() >= length {
            break;
        }
    }
    soak.finish().await
}
