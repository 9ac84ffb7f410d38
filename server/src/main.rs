//! The program `test-server`: reads the command line, runs the command, and exits with 0 after success, 2 for
//! invalid usage or configuration, and 1 for any other failure.

use std::io::{ErrorKind, Write};
use std::path::Path;
use std::process::ExitCode;

use actix_rt::System;

use test_server::cli::{self, Command, Flags, Switch, Unparsed};
use test_server::config::{Config, ConfigError, DotEnv, Layers, Loaded, UnknownVariable};
use test_server::health::{self, Unhealthy};
use test_server::listen::StartError;
use test_server::serve::{self, ServeError};
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

impl From<ServeError> for Failed {
    fn from(error: ServeError) -> Self {
        let is_usage = matches!(error, ServeError::Start(StartError::Unresolved { .. }));
        Self(if is_usage { USAGE } else { FAILURE }, error.to_string())
    }
}
