//! The command line: a command for each method, `load`, `demo` and `completions`.
#![expect(clippy::doc_markdown, reason = "these comments are the help text that people read in a terminal")]

use std::ffi::OsString;

use resilient_client::Method;
use structopt::{
    StructOpt,
    clap::{App, AppSettings, Error, ErrorKind},
};

use crate::{request::Payload, settings::Settings};

/// A resilient HTTP client: retries, circuit breaker, bulkhead, deadlines.
///
/// A setting comes from its flag, else from the environment (RESILIENT_RETRY_MAX_ATTEMPTS and so on, named as in
/// the library), else from its default. Times are seconds, with fractions.
///
/// Exit codes: 0 ok, 2 wrong usage, 3 connection error after all attempts, 4 status error, 5 pool timeout,
/// 6 circuit open, 7 deadline exceeded, 130 and 143 ended by SIGINT and SIGTERM, 1 any other error.
#[derive(Debug, StructOpt)]
#[structopt(name = "resilient", setting = AppSettings::VersionlessSubcommands)]
enum Typed {
    /// Send a GET request
    Get(Call),
    /// Send a POST request
    Post(Call),
    /// Send a PUT request
    Put(Call),
    /// Send a PATCH request
    Patch(Call),
    /// Send a DELETE request
    Delete(Call),
    /// Send a HEAD request, and print the status and the headers
    Head(Call),
    /// Send many requests through one client, and print the results
    ///
    /// SIGINT (Ctrl-C) ends it early: the results so far are printed, and the exit code is 130. Otherwise the exit
    /// code is 0, whatever the outcomes.
    Load(Load),
    /// Show each pattern in turn against a running test server
    ///
    /// Each pattern says what it does and what it saw, and checks it. The failure modes of the server are reset
    /// before and after each. The exit code is 1 if a pattern did not hold, and 3 if no server answers.
    Demo(Demo),
    /// Print a completion script for a shell
    ///
    /// For bash: source <(resilient completions bash)
    Completions(Completions),
}

// One call, or several.
#[derive(Debug, StructOpt)]
pub(crate) struct Call {
    /// The address: http:// (the default) or https://, or a path below RESILIENT_BASE_URL, which begins with /.
    /// Several are called one after another through one client; the exit code is that of the last failed call
    #[structopt(value_name = "URL", required = true)]
    pub(crate) urls: Vec<String>,
    #[structopt(flatten)]
    pub(crate) payload: Payload,
    /// The X-Request-ID, the same on every attempt [default: a new UUID for each call]
    #[structopt(long, value_name = "ID", allow_hyphen_values = true)]
    pub(crate) request_id: Option<String>,
    /// Call several URLs at the same time
    #[structopt(long)]
    pub(crate) parallel: bool,
    /// Print the status and the headers before the body
    #[structopt(short, long, conflicts_with = "report")]
    pub(crate) include: bool,
    /// Print one line of JSON for each call, with its outcome, attempts, headers and body, instead of the body
    #[structopt(long)]
    pub(crate) report: bool,
    #[structopt(flatten)]
    pub(crate) settings: Settings,
}

// Many calls.
#[derive(Debug, StructOpt)]
pub(crate) struct Load {
    /// The address: http:// (the default) or https://, or a path below RESILIENT_BASE_URL, which begins with /
    #[structopt(value_name = "URL")]
    pub(crate) url: String,
    /// Number of requests, 1 to 1000000000. Each has its own request id
    #[structopt(long, value_name = "N", allow_hyphen_values = true)]
    pub(crate) requests: String,
    /// Requests in flight at the same time, 1 to 100000; those beyond --max-concurrency wait in the client for a slot
    #[structopt(long, value_name = "N", allow_hyphen_values = true)]
    pub(crate) concurrency: String,
    /// Requests to start each second, 0.001 to 1000000, evenly spaced; without it each starts when another ends.
    /// Latency is then counted from the moment at which a request was due, even if it had to wait because
    /// --concurrency others were still in flight: a server that stalls cannot hide it
    #[structopt(long, value_name = "N", allow_hyphen_values = true)]
    pub(crate) rate: Option<String>,
    /// The method: get, post, put, patch, delete, head
    #[structopt(short = "X", long, value_name = "METHOD", default_value = "get", allow_hyphen_values = true)]
    pub(crate) method: String,
    #[structopt(flatten)]
    pub(crate) payload: Payload,
    /// Print one line of JSON instead of the tables
    #[structopt(long)]
    pub(crate) report: bool,
    #[structopt(flatten)]
    pub(crate) settings: Settings,
}

// The demonstration.
#[derive(Debug, StructOpt)]
pub(crate) struct Demo {
    /// The address of the test server
    #[structopt(
        long,
        value_name = "URL",
        default_value = "http://localhost:8000",
        allow_hyphen_values = true
    )]
    pub(crate) base_url: String,
    /// Log what the clients do to standard error
    #[structopt(short, long)]
    pub(crate) verbose: bool,
}

// The completion scripts.
#[derive(Debug, StructOpt)]
pub(crate) struct Completions {
    /// The shell: bash, zsh or fish
    #[structopt(value_name = "SHELL")]
    pub(crate) shell: String,
}

/// The names of the commands.
pub(crate) const COMMANDS: [&str; 9] =
    ["get", "post", "put", "patch", "delete", "head", "load", "demo", "completions"];

/// What the program can do.
#[derive(Debug)]
pub(crate) enum Command {
    Call(Method, Call),
    Load(Load),
    Demo(Demo),
    Completions(Completions),
}

/// Why there is no command to run.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unparsed {
    /// Help or the version was asked for; this is its text.
    Asked(String),
    /// The command line is wrong; this line says why.
    Wrong(String),
}

/// The declaration of the command line.
pub(crate) fn app() -> App<'static, 'static> {
    Typed::clap()
}

/// Parses the arguments, of which the first is the name of the program.
pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Command, Unparsed> {
    let arguments = as_text(arguments)?;
    if arguments.get(1).is_some_and(|first| !is_command_or_flag(first)) {
        // The argument is not shown: it may be a URL with credentials.
        return Err(Unparsed::Wrong(format!(
            "the first argument must be a command: {}",
            COMMANDS.join(", ")
        )));
    }
    let typed = Typed::from_iter_safe(arguments).map_err(|error| match error.kind {
        ErrorKind::HelpDisplayed | ErrorKind::VersionDisplayed => Unparsed::Asked(error.message),
        // The version could not be written. Writing it again gives a better message.
        ErrorKind::Io => Unparsed::Asked(concat!("resilient ", env!("CARGO_PKG_VERSION")).to_owned()),
        _ => Unparsed::Wrong(reason(&error)),
    })?;
    Ok(match typed {
        Typed::Get(call) => Command::Call(Method::Get, call),
        Typed::Post(call) => Command::Call(Method::Post, call),
        Typed::Put(call) => Command::Call(Method::Put, call),
        Typed::Patch(call) => Command::Call(Method::Patch, call),
        Typed::Delete(call) => Command::Call(Method::Delete, call),
        Typed::Head(call) => Command::Call(Method::Head, call),
        Typed::Load(load) => Command::Load(load),
        Typed::Demo(demo) => Command::Demo(demo),
        Typed::Completions(completions) => Command::Completions(completions),
    })
}

/// Whether clap knows what to do with the first argument. Its own error would not say that a command is missing.
fn is_command_or_flag(argument: &str) -> bool {
    argument.starts_with('-') || argument == "help" || COMMANDS.contains(&argument)
}

/// The arguments as text. The error names the place of an argument that is not UTF-8, which clap does not.
fn as_text(arguments: impl IntoIterator<Item = OsString>) -> Result<Vec<String>, Unparsed> {
    let mut texts: Vec<String> = Vec::new();
    for argument in arguments {
        let text = argument.into_string().map_err(|argument| {
            let before = texts.last().filter(|_| texts.len() > 1).map_or("the command", String::as_str);
            Unparsed::Wrong(format!("the argument after {before} must be UTF-8, got {argument:?}"))
        })?;
        texts.push(text);
    }
    Ok(texts)
}

/// Says in one line what is wrong.
fn reason(error: &Error) -> String {
    let mut lines = error.message.lines().map(|line| line.trim_start_matches("error: ").trim());
    let reason = match error.kind {
        ErrorKind::MissingArgumentOrSubcommand | ErrorKind::MissingSubcommand => {
            "no command is given".to_owned()
        }
        // The first line of the message announces a list, which follows.
        ErrorKind::MissingRequiredArgument => {
            let missing: Vec<_> = lines.skip(1).take_while(|line| !line.is_empty()).collect();
            format!("{} must be given", missing.join(", "))
        }
        _ => lines.next().unwrap_or_default().to_owned(),
    };
    format!("{reason} (see resilient --help)")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(arguments: &[&str]) -> String {
        let arguments = std::iter::once("resilient").chain(arguments.iter().copied());
        match parse(arguments.map(OsString::from)) {
            Err(Unparsed::Wrong(line)) => line,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_wrong_command_line_is_one_line_that_names_what_is_wrong() {
        for (arguments, named) in [
            (&[][..], "no command"),
            (&["dance"], "must be a command: get, post, put"),
            (&["GET", "http://h"], "must be a command"),
            (&["--dance"], "--dance"),
            (&["get"], "<URL>"),
            (&["get", "--bogus", "http://h"], "--bogus"),
            (&["get", "http://h", "--deadline"], "--deadline"),
            (&["get", "http://h", "--deadline", "1", "--deadline", "2"], "--deadline"),
            (&["get", "http://h", "-d", "a", "--json", "1"], "--json"),
            (&["load", "http://h"], "--requests <N>"),
            (&["load", "http://h", "--requests", "1"], "--concurrency <N>"),
            (&["load", "--requests", "1", "--concurrency", "1"], "<URL>"),
            (&["demo", "extra"], "extra"),
        ] {
            let line = wrong(arguments);
            assert!(line.contains(named) && !line.contains('\n'), "{arguments:?}: {line}");
        }
    }

    #[test]
    fn an_argument_that_is_not_utf_8_is_refused_with_its_place() {
        use std::os::unix::ffi::OsStringExt;
        let bad = OsString::from_vec(vec![b'a', 0xff]);
        let arguments =
            ["resilient", "get", "http://h", "--deadline"].map(OsString::from).into_iter().chain([bad]);
        let Err(Unparsed::Wrong(line)) = parse(arguments) else { panic!("the arguments are accepted") };
        assert_eq!(line, r#"the argument after --deadline must be UTF-8, got "a\xFF""#);
    }

    #[test]
    fn every_command_of_the_list_exists_and_no_other() {
        for command in COMMANDS {
            let arguments = ["resilient", command, "--help"].map(OsString::from);
            assert!(matches!(parse(arguments), Err(Unparsed::Asked(_))), "{command}");
        }
        let Err(Unparsed::Asked(help)) = parse(["resilient", "--help"].map(OsString::from)) else {
            panic!("there is no help")
        };
        let (_, commands) = help.split_once("SUBCOMMANDS:").expect("the help lists the commands");
        let mut listed: Vec<_> = commands.lines().filter_map(|line| line.split_whitespace().next()).collect();
        listed.retain(|command| *command != "help");
        let mut expected = COMMANDS.to_vec();
        expected.sort_unstable();
        assert_eq!(listed, expected);
    }

    #[test]
    fn a_value_may_look_like_a_flag() {
        let arguments = ["resilient", "get", "http://h", "-d", "-5", "--deadline", "-1", "-H", "-a: b"];
        let Ok(Command::Call(Method::Get, call)) = parse(arguments.map(OsString::from)) else {
            panic!("the arguments are refused")
        };
        assert_eq!(call.urls, ["http://h"]);
    }

    #[test]
    fn help_and_version_are_not_errors() {
        for arguments in
            [&["--help"][..], &["-h"], &["--version"], &["get", "--help"], &["load", "-h"], &["help", "demo"]]
        {
            let arguments = std::iter::once("resilient").chain(arguments.iter().copied());
            assert!(matches!(parse(arguments.map(OsString::from)), Err(Unparsed::Asked(_))));
        }
    }
}
