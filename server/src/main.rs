//! The program: reads what it is told, runs one of its four commands, and says by its exit code how that went:
//! 0 well, 2 wrong usage or configuration, 1 anything else.

use std::path::Path;
use std::process::ExitCode;

use actix_rt::System;
use futures::future::{self, Either};
use tokio::signal::unix::{SignalKind, signal};

use test_server::app::{Application, StartError};
use test_server::cli::{self, Command, Flags, Switch, Unparsed};
use test_server::config::{Config, ConfigError, DotEnv, Layers, Loaded, UnknownVariable};
use test_server::reload::{self, Inherited};
use test_server::{health, logging, openapi};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What a command ends with when it does not end well: an exit code, and one line for standard error.
struct Failed(u8, String);

const USAGE: u8 = 2;
const FAILURE: u8 = 1;

fn main() -> ExitCode {
    match cli::parse(std::env::args_os()).map(|cli| run(cli.command)) {
        Ok(Ok(())) => ExitCode::SUCCESS,
        Err(Unparsed::Asked(text)) => print(&text),
        Ok(Err(Failed(code, line))) => complain(code, &line),
        Err(Unparsed::Invalid(line)) => complain(USAGE, &line),
    }
}

fn run(command: Command) -> Result<(), Failed> {
    match command {
        Command::Serve { flags, reload } => {
            let (Loaded { config, .. }, unknown) = load(flags)?;
            let _flush = logging::start(&config);
            let reload = reload.is_some_and(|reload| reload.is_none_or(|Switch(reload)| reload));
            System::new().block_on(async {
                if reload { serve_and_reload(config, &unknown).await } else { serve(config, &unknown).await }
            })
        }
        Command::ConfigInfo { flags, json } => {
            let (loaded, unknown) = load(flags)?;
            unknown.iter().for_each(|variable| warn(&variable.to_string()));
            print(&if json { loaded.json() } else { loaded.table() });
            Ok(())
        }
        Command::Health { url } => {
            let configured = || load(Flags::default()).map(|(loaded, _)| health::url_of(&loaded.config));
            let url = url.map_or_else(configured, Ok)?;
            System::new().block_on(health::check(&url)).map_err(|unhealthy| {
                let code =
                    if matches!(unhealthy, health::Unhealthy::BadUrl { .. }) { USAGE } else { FAILURE };
                Failed(code, unhealthy.to_string())
            })?;
            print("healthy");
            Ok(())
        }
        Command::Openapi => {
            print(&openapi::document());
            Ok(())
        }
        Command::Completions { shell } => {
            print(&cli::completions(shell));
            Ok(())
        }
    }
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

async fn serve(config: Config, unknown: &[UnknownVariable]) -> Result<(), Failed> {
    logging::unknown_variables(unknown);
    let stop = stop_signal()?;
    let application = Application::bind(config)?;
    Ok(application.run(stop, || {}).await?)
}

/// The watcher and the server that it watches are the same program, told apart by what they inherit.
async fn serve_and_reload(config: Config, unknown: &[UnknownVariable]) -> Result<(), Failed> {
    let stop = stop_signal()?;
    match reload::inherited()? {
        None => {
            let shutdown_timeout = config.shutdown_timeout;
            let listener = Application::bind(config)?.into_listener();
            Ok(reload::supervise(listener, shutdown_timeout, stop).await?)
        }
        Some(inherited) => {
            logging::unknown_variables(unknown);
            let (listener, watcher, token) = inherited.into_parts();
            let application = Application::with_listener(config, listener)?;
            let (served, is_serving) = futures::channel::oneshot::channel();
            let lifeline = async move {
                let _ = is_serving.await;
                Inherited::hold_lifeline(watcher, token).await
            };
            let stop = async {
                match future::select(Box::pin(stop), Box::pin(lifeline)).await {
                    Either::Left((reason, _)) | Either::Right((reason, _)) => reason,
                }
            };
            Ok(application
                .run(stop, || {
                    let _ = served.send(());
                })
                .await?)
        }
    }
}

/// Ready when the process is told to end. The handlers are there as soon as this returns: also as process 1,
/// which the system does not end by itself.
fn stop_signal() -> std::io::Result<impl Future<Output = &'static str>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        match future::select(Box::pin(terminate.recv()), Box::pin(interrupt.recv())).await {
            Either::Left(_) => "SIGTERM",
            Either::Right(_) => "SIGINT",
        }
    })
}

/// To standard output, which may be closed.
fn print(text: &str) -> ExitCode {
    use std::io::Write;
    match writeln!(std::io::stdout(), "{}", text.trim_end()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) => ExitCode::from(FAILURE),
    }
}

/// Ends the program with an exit code and one line on standard error.
fn complain(code: u8, line: &str) -> ExitCode {
    warn(line);
    ExitCode::from(code)
}

/// Writes one line to standard error, which may be closed.
fn warn(line: &str) {
    use std::io::Write;
    let line: String = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let _ = writeln!(std::io::stderr(), "test-server: {line}");
}

impl From<ConfigError> for Failed {
    fn from(error: ConfigError) -> Self {
        Self(USAGE, error.to_string())
    }
}

impl From<StartError> for Failed {
    fn from(error: StartError) -> Self {
        let code = if let StartError::Unresolved { .. } = error { USAGE } else { FAILURE };
        Self(code, error.to_string())
    }
}

impl From<std::io::Error> for Failed {
    fn from(error: std::io::Error) -> Self {
        Self(FAILURE, error.to_string())
    }
}
