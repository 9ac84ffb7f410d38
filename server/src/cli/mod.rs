//! The command line: the commands, and a flag for every setting.

mod check;
mod flags;

use std::ffi::OsString;
use std::str::FromStr;

use structopt::StructOpt;
use structopt::clap::{ErrorKind, Shell};

use crate::config::kind::{Boolean, Kind};
pub use check::{Asked, CheckArguments, CheckUsage};
pub use flags::Flags;

const ABOUT: &str = "An HTTP server that misbehaves on command, for testing HTTP clients.

Every setting can be given as a flag, as an environment variable (SERVER_PORT for --port, and so on), or in the file \
.env of the working directory; the first of them that has it is used. Without a command the server serves.";

/// The command line.
#[derive(Debug, StructOpt)]
#[structopt(name = "test-server")]
pub struct Cli {
    /// The command.
    #[structopt(subcommand)]
    pub command: Command,
}

/// A command of the program. The comments of the commands are their help texts; structopt would take this comment for
/// the description of the program.
#[derive(Debug, StructOpt)]
#[structopt(about = ABOUT)]
pub enum Command {
    /// Serve until SIGTERM or SIGINT arrives. This is the default command.
    Serve {
        /// The settings.
        #[structopt(flatten)]
        flags: Flags,
        /// For development: restart on the same port, without dropping a connection that is being served, when
        /// this program's binary or the file .env changes.
        #[structopt(long, require_equals = true, value_name = "true|false")]
        reload: Option<Option<Switch>>,
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
    /// Follow a running server: print a line for each request, and each finding as it appears.
    ///
    /// It connects again when the server was gone, and ends with 0 on SIGINT (Ctrl-C), or when the session has ended.
    Watch {
        /// The address of the server; by default the configured host and port.
        #[structopt(long)]
        url: Option<String>,
        /// The session to follow instead of the default one.
        #[structopt(long, value_name = "ID")]
        session: Option<String>,
    },
    /// Examine an HTTP client: run its command against every case, and say what it does wrong.
    ///
    /// Exits with 0 when nothing failed, with 1 when something did, with 2 when the command cannot be started.
    /// Reads no SERVER_ variable and no .env.
    Check(CheckArguments),
    /// Print the OpenAPI document.
    Openapi,
    /// Print a script that completes this program's commands and flags in a shell.
    Completions {
        /// The shell.
        #[structopt(possible_values = &["bash", "zsh", "fish"])]
        shell: Shell,
    },
}

/// A boolean in the words that the settings accept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Switch(pub bool);

impl FromStr for Switch {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Boolean.parse(text).map(Self).ok_or_else(|| format!("{text:?}, expected {}", Boolean.expected()))
    }
}

/// Why there is no command to run.
#[derive(Debug, PartialEq, Eq)]
pub enum Unparsed {
    /// The user asked for the help or the version: the text to print.
    Asked(String),
    /// The command line is invalid: one line that says why.
    Invalid(String),
}

/// Parses the arguments, the program's name first.
///
/// # Errors
/// [`Unparsed`] when there is no command to run.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Cli, Unparsed> {
    // The parser panics on what is not UTF-8. With replacement characters in it, no setting accepts such a value.
    let readable = |argument: OsString| argument.to_string_lossy().into_owned().into();
    let mut arguments: Vec<OsString> = arguments.into_iter().map(readable).collect();
    if serves_by_default(arguments.get(1)) {
        arguments.insert(1, "serve".into());
    }
    Cli::from_iter_safe(arguments).map_err(|error| match error.kind {
        ErrorKind::HelpDisplayed | ErrorKind::VersionDisplayed => Unparsed::Asked(error.message),
        _ => Unparsed::Invalid(first_paragraph(&error.message)),
    })
}

/// `test-server` and `test-server --port 9000` mean `serve`.
fn serves_by_default(first: Option<&OsString>) -> bool {
    let about_the_program = ["-h", "--help", "-V", "--version"];
    first.is_none_or(|first| {
        first.to_string_lossy().starts_with('-') && !about_the_program.iter().any(|flag| first == flag)
    })
}

/// The parser's message on one line, without its usage text.
fn first_paragraph(message: &str) -> String {
    let lines: Vec<_> = message.lines().map(str::trim).take_while(|line| !line.is_empty()).collect();
    format!("{} (see test-server --help)", lines.join(" ").trim_start_matches("error: "))
}

/// The completion script for a shell.
#[must_use]
pub fn completions(shell: Shell) -> String {
    let mut script = Vec::new();
    Cli::clap().gen_completions_to("test-server", shell, &mut script);
    let script = String::from_utf8_lossy(&script).into_owned();
    match shell {
        // The generator builds the names of commands from `test-server`, and looks them up from `test__server`.
        Shell::Bash => script
            .replace("cmd=\"test-server\"", "cmd=\"test__server\"")
            .replace("        test-server)\n            opts=", "        test__server)\n            opts="),
        _ => script,
    }
}

#[cfg(test)]
mod tests;
