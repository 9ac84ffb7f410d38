//! The program `test-server`: reads the command line, runs the command, and exits with 0 after success, 2 for
//! invalid usage or configuration, and 1 for any other failure.

use std::io::{ErrorKind, Write};
use std::path::Path;
use std::process::ExitCode;

use actix_rt::System;
use futures::future::{self, BoxFuture, Either};

use test_server::check::report::{self, Format, Strictness};
use test_server::check::{self, CheckError, Options};
use test_server::cli::{self, Asked, CheckArguments, CheckUsage, Command, Flags, Switch, Unparsed};
use test_server::config::{Config, ConfigError, DotEnv, Layers, Loaded, UnknownVariable};
use test_server::health::{self, Unhealthy};
use test_server::listen::StartError;
use test_server::serve::{self, ServeError};
use test_server::signals::{SecondSignal, StopSignals};
use test_server::watch::{self, WatchError, Watched};
use test_server::{logging, openapi};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Why a command failed: an exit code, and one line for standard error.
struct Failed(u8, String);

const USAGE: u8 = 2;
const FAILURE: u8 = 1;

fn main() -> ExitCode {
    let result = match cli::parse(std::env::args_os()) {
        Ok(cli) => run(cli.command),
        Err(Unparsed::Asked(text)) => print(&text),
        Err(Unparsed::Invalid(line)) => Err(Failed(USAGE, line)),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failed(code, line)) => {
            complain(&line);
            ExitCode::from(code)
        }
    }
}

fn run(command: Command) -> Result<(), Failed> {
    match command {
        Command::Serve { flags, reload } => {
            let reload = reload.is_some_and(|reload| reload.is_none_or(|Switch(reload)| reload));
            serve(flags, reload)
        }
        Command::ConfigInfo { flags, json } => {
            let (loaded, unknown) = load(flags)?;
            unknown.iter().for_each(|variable| complain(&variable.to_string()));
            print(&if json { loaded.json() } else { loaded.table() })
        }
        Command::Health { url } => {
            let configured = || load(Flags::default()).map(|(loaded, _)| health::url_of(&loaded.config));
            System::new().block_on(health::check(&url.map_or_else(configured, Ok)?))?;
            print("healthy")
        }
        Command::Watch { url, session } => watch(url, session),
        Command::Check(arguments) => check(&arguments),
        Command::Openapi => print(&openapi::document()),
        Command::Completions { shell } => print(&cli::completions(shell)),
    }
}

fn serve(flags: Flags, reload: bool) -> Result<(), Failed> {
    let (Loaded { config, .. }, unknown) = load(flags)?;
    let _flush = logging::start(&config);
    System::new().block_on(async {
        if reload {
            serve::serve_and_reload(config, &unknown).await
        } else {
            serve::serve(config, &unknown).await
        }
    })?;
    Ok(())
}

fn watch(url: Option<String>, session: Option<String>) -> Result<(), Failed> {
    let configured = || load(Flags::default()).map(|(loaded, _)| health::base_of(&loaded.config));
    let url = url.map_or_else(configured, Ok)?;
    System::new().block_on(async {
        let signals = StopSignals::install().map_err(|error| Failed(FAILURE, error.to_string()))?;
        let watched = Watched::new(&url, session)?;
        let work = async |stop| watch::watch(&watched, complain, stop).await;
        // A second signal ends what the first one has not ended yet.
        Ok(signals.supervise(work).await.unwrap_or(Ok(()))?)
    })
}

fn check(arguments: &CheckArguments) -> Result<(), Failed> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let (options, format, strictness) = match arguments.asked(cores)? {
        Asked::List(cases) => return print(&report::list(&cases)),
        Asked::Check(options, format, strictness) => (options, format, strictness),
    };
    System::new().block_on(async {
        let signals = StopSignals::install().map_err(|error| Failed(FAILURE, error.to_string()))?;
        let examine = async |stop| examine(&options, format, strictness, stop).await;
        signals.supervise(examine).await.unwrap_or_else(|SecondSignal(name)| Err(interrupted(name)))
    })
}

/// Examines a client, reports, and keeps the server until a signal comes if that was asked for.
async fn examine(
    options: &Options,
    format: Format,
    strictness: Strictness,
    stop: BoxFuture<'static, &'static str>,
) -> Result<(), Failed> {
    let (checked, stop) = match future::select(Box::pin(check::check(options)), stop).await {
        Either::Left((checked, stop)) => (checked?, stop),
        Either::Right((signal, _)) => return Err(interrupted(signal)),
    };
    print(&report::report(&checked.judged, format, strictness))?;
    if let Some(kept) = checked.kept {
        for (case, url) in &kept.sessions {
            complain(&format!("{case}: {url}/ui"));
        }
        complain("the server runs until SIGINT or SIGTERM");
        stop.await;
        kept.stop().await;
    }
    let failed = checked.judged.iter().filter(|judged| strictness.fails(judged.result)).count();
    match failed {
        0 => Ok(()),
        _ => Err(Failed(FAILURE, format!("the client failed in {failed} of {} cases", options.cases.len()))),
    }
}

fn interrupted(signal: &str) -> Failed {
    Failed(FAILURE, format!("interrupted by {signal}"))
}

fn load(flags: Flags) -> Result<(Loaded, Vec<UnknownVariable>), Failed> {
    let layers = Layers {
        flags: flags.0,
        environment: std::env::vars_os().collect(),
        dot_env: DotEnv::read(Path::new(".env"))?,
        cores: std::thread::available_parallelism().map_or(1, usize::from),
    };
    Ok((Config::load(&layers)?, layers.unknown()))
}

/// Writes a text to standard output. A reader that has closed its side has seen what it wanted.
fn print(text: &str) -> Result<(), Failed> {
    match writeln!(std::io::stdout(), "{}", text.trim_end()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(Failed(FAILURE, format!("cannot write to standard output: {error}")))
        }
        _ => Ok(()),
    }
}

/// Writes one line to standard error, which may be closed.
fn complain(line: &str) {
    let line: String = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let _ = writeln!(std::io::stderr(), "test-server: {line}");
}

impl From<CheckUsage> for Failed {
    fn from(error: CheckUsage) -> Self {
        Self(USAGE, error.to_string())
    }
}

impl From<CheckError> for Failed {
    fn from(error: CheckError) -> Self {
        let code = if matches!(error, CheckError::NotStarted { .. }) { USAGE } else { FAILURE };
        Self(code, error.to_string())
    }
}

impl From<ConfigError> for Failed {
    fn from(error: ConfigError) -> Self {
        Self(USAGE, error.to_string())
    }
}

impl From<Unhealthy> for Failed {
    fn from(error: Unhealthy) -> Self {
        let code = if matches!(error, Unhealthy::BadUrl { .. }) { USAGE } else { FAILURE };
        Self(code, error.to_string())
    }
}

impl From<WatchError> for Failed {
    fn from(error: WatchError) -> Self {
        Self(if error.is_usage() { USAGE } else { FAILURE }, error.to_string())
    }
}

impl From<ServeError> for Failed {
    fn from(error: ServeError) -> Self {
        let is_usage = matches!(error, ServeError::Start(StartError::Unresolved { .. }));
        Self(if is_usage { USAGE } else { FAILURE }, error.to_string())
    }
}
