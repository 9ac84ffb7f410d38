//! The command line: four commands, and a flag for every setting.
#![expect(clippy::doc_markdown, reason = "these comments are the help text that people read in a terminal")]

use std::ffi::OsString;

use structopt::StructOpt;
use structopt::clap::ErrorKind;

/// An HTTP server that misbehaves on command, for testing HTTP clients.
///
/// Every setting can be given as a flag, as an environment variable (SERVER_PORT for --port, and so on) or in the
/// file .env of the working directory; the first of them that has it wins. Without a command the server serves.
#[derive(Debug, StructOpt)]
#[structopt(name = "test-server")]
pub struct Cli {
    /// What to do.
    #[structopt(subcommand)]
    pub command: Command,
}

/// What the program can do.
#[derive(Debug, StructOpt)]
pub enum Command {
    /// Serve until told to stop (SIGTERM or SIGINT); this is what happens without a command.
    Serve {
        /// The settings.
        #[structopt(flatten)]
        flags: Flags,
        /// For development: start anew, on the same port and without dropping a connection that is being
        /// served, when this program's binary or the file .env changes.
        #[structopt(long)]
        reload: bool,
    },
    /// Print the configuration in force, and where each value came from.
    ConfigInfo {
        /// The settings.
        #[structopt(flatten)]
        flags: Flags,
        /// Print one JSON object instead of a table.
        #[structopt(long)]
        json: bool,
    },
    /// Ask a running server whether it is healthy; exit with 0 if it is, else with 1.
    Health {
        /// The address to ask; by default /health on the configured host and port.
        #[structopt(long)]
        url: Option<String>,
    },
    /// Print the OpenAPI document.
    Openapi,
}

/// The value of each setting as it was typed; [`crate::config`] checks it.
#[derive(Debug, Default, StructOpt)]
#[structopt(setting = structopt::clap::AppSettings::AllowLeadingHyphen)]
pub struct Flags {
    /// Address or name to listen on [SERVER_HOST, default 0.0.0.0].
    #[structopt(long)]
    host: Option<String>,
    /// Port to listen on, 0 for a free one [SERVER_PORT, default 8000].
    #[structopt(long)]
    port: Option<String>,
    /// Requests to /msg processed at once, 1 to 100000 [SERVER_MAX_CONCURRENCY, default 50].
    #[structopt(long)]
    max_concurrency: Option<String>,
    /// Bound on a request in seconds, 1 to 300 [SERVER_REQUEST_TIMEOUT, default 30].
    #[structopt(long)]
    request_timeout: Option<String>,
    /// Answers in the idempotency cache, 1 to 1000000 [SERVER_CACHE_MAX_SIZE, default 1000].
    #[structopt(long)]
    cache_max_size: Option<String>,
    /// Seconds that each of them is kept, 1 to 86400 [SERVER_CACHE_TTL_SECONDS, default 300].
    #[structopt(long)]
    cache_ttl_seconds: Option<String>,
    /// DEBUG, INFO, WARNING or ERROR [SERVER_LOG_LEVEL, default INFO].
    #[structopt(long)]
    log_level: Option<String>,
    /// json or console [SERVER_LOG_FORMAT, default json].
    #[structopt(long)]
    log_format: Option<String>,
    /// Serve /openapi.json, /docs and /redoc: true or false [SERVER_ENABLE_DOCS, default true].
    #[structopt(long)]
    enable_docs: Option<String>,
    /// Answer pages of other origins: true or false [SERVER_CORS_ENABLED, default false].
    #[structopt(long)]
    cors_enabled: Option<String>,
    /// Which origins, separated by commas; none means any, without credentials [SERVER_CORS_ORIGINS].
    #[structopt(long)]
    cors_origins: Option<String>,
    /// Threads that serve, 1 to 1024 [SERVER_WORKERS, default: the number of cores].
    #[structopt(long)]
    workers: Option<String>,
    /// Seconds for requests in flight when the server stops, 0 to 300 [SERVER_SHUTDOWN_TIMEOUT, default 10].
    #[structopt(long)]
    shutdown_timeout: Option<String>,
    /// Seconds for a request's head to arrive, 1 to 300 [SERVER_HEADER_TIMEOUT, default 5].
    #[structopt(long)]
    header_timeout: Option<String>,
    /// Seconds that an idle connection is kept, 0 to 3600 [SERVER_KEEP_ALIVE, default 75].
    #[structopt(long)]
    keep_alive: Option<String>,
    /// Connections open at once on each worker, 1 to 1000000 [SERVER_MAX_CONNECTIONS, default 25000].
    #[structopt(long)]
    max_connections: Option<String>,
}

impl Flags {
    /// The value of a flag by its name, without the hyphens.
    #[must_use]
    pub fn get(&self, flag: &str) -> Option<String> {
        let value = match flag {
            "host" => &self.host,
            "port" => &self.port,
            "max-concurrency" => &self.max_concurrency,
            "request-timeout" => &self.request_timeout,
            "cache-max-size" => &self.cache_max_size,
            "cache-ttl-seconds" => &self.cache_ttl_seconds,
            "log-level" => &self.log_level,
            "log-format" => &self.log_format,
            "enable-docs" => &self.enable_docs,
            "cors-enabled" => &self.cors_enabled,
            "cors-origins" => &self.cors_origins,
            "workers" => &self.workers,
            "shutdown-timeout" => &self.shutdown_timeout,
            "header-timeout" => &self.header_timeout,
            "keep-alive" => &self.keep_alive,
            "max-connections" => &self.max_connections,
            _ => &None,
        };
        value.clone()
    }
}

/// Why there is no command to run.
#[derive(Debug, PartialEq, Eq)]
pub enum Unparsed {
    /// Help or the version was asked for: print this and be content.
    Asked(String),
    /// The command line is wrong: one line that says how.
    Wrong(String),
}

/// Understands the arguments, the program's name first.
///
/// # Errors
/// [`Unparsed`] when there is nothing to run.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Cli, Unparsed> {
    // The parser panics on what is not UTF-8. With replacement characters in it, no setting takes such a value.
    let readable = |argument: OsString| argument.to_string_lossy().into_owned().into();
    let mut arguments: Vec<OsString> = arguments.into_iter().map(readable).collect();
    if serves_by_default(arguments.get(1)) {
        arguments.insert(1, "serve".into());
    }
    Cli::from_iter_safe(arguments).map_err(|error| match error.kind {
        ErrorKind::HelpDisplayed | ErrorKind::VersionDisplayed => Unparsed::Asked(error.message),
        _ => {
            let first_line = error.message.lines().next().unwrap_or_default();
            let reason = first_line.trim_start_matches("error: ");
            Unparsed::Wrong(format!("{reason} (test-server --help lists what is)"))
        }
    })
}

/// `test-server` and `test-server --port 9000` mean `serve`.
fn serves_by_default(first: Option<&OsString>) -> bool {
    let about_the_program = ["-h", "--help", "-V", "--version"];
    first.is_none_or(|first| {
        first.to_string_lossy().starts_with('-') && !about_the_program.iter().any(|flag| first == flag)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::setting;

    fn parsed(arguments: &[&str]) -> Result<Command, Unparsed> {
        let arguments = std::iter::once("test-server").chain(arguments.iter().copied());
        parse(arguments.map(OsString::from)).map(|cli| cli.command)
    }

    #[test]
    fn without_a_command_the_server_serves() {
        assert!(matches!(parsed(&[]), Ok(Command::Serve { reload: false, .. })));
        let Ok(Command::Serve { flags, reload: true }) = parsed(&["--port", "9000", "--reload"]) else {
            panic!("flags without a command belong to serve");
        };
        assert_eq!(flags.get("port").as_deref(), Some("9000"));
    }

    #[test]
    fn every_setting_has_its_flag() {
        for setting in setting::ALL {
            let flag = format!("--{}", setting.flag);
            let Ok(Command::Serve { flags, .. }) = parsed(&["serve", &flag, "-1"]) else {
                panic!("{flag} is not understood");
            };
            assert_eq!(flags.get(setting.flag).as_deref(), Some("-1"), "{flag}");
        }
    }

    #[test]
    fn the_help_of_serve_names_every_variable_and_default() {
        let Err(Unparsed::Asked(help)) = parsed(&["serve", "--help"]) else { panic!("no help") };
        for setting in setting::ALL {
            assert!(help.contains(setting.variable), "{} is missing", setting.variable);
            let default = setting.default.unwrap_or_default();
            assert!(help.contains(default), "the default of {} is missing", setting.variable);
        }
    }

    #[test]
    fn a_wrong_command_line_is_one_line() {
        for arguments in [&["serve", "--bogus"][..], &["dance"], &["serve", "--port"], &["health", "extra"]] {
            let Err(Unparsed::Wrong(line)) = parsed(arguments) else { panic!("{arguments:?} is understood") };
            assert!(!line.contains('\n') && !line.is_empty(), "{line}");
        }
    }

    #[test]
    fn help_and_version_are_no_errors() {
        for flag in ["--help", "-h", "--version", "-V"] {
            assert!(matches!(parsed(&[flag]), Err(Unparsed::Asked(_))), "{flag}");
        }
    }
}
