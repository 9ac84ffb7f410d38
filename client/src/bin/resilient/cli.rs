//! The command line: one command a method, `load` and `demo`.
#![expect(clippy::doc_markdown, reason = "these comments are the help text that people read in a terminal")]

use std::ffi::OsString;

use resilient_client::Method;
use structopt::{
    StructOpt,
    clap::{AppSettings, Error, ErrorKind},
};

use crate::{request::Payload, settings::Settings};

/// An HTTP client that copes: it retries, waits, refuses and gives up as it is told to.
///
/// Settings come from the flags, else from the environment (RESILIENT_RETRY_MAX_ATTEMPTS and so on, named as in
/// the library), else from the defaults. Times are seconds, with fractions.
///
/// Exit codes: 0 ok, 2 bad usage, 3 connection error after all attempts, 4 status error, 5 pool timeout,
/// 6 circuit open, 7 deadline exceeded, 130 and 143 ended by SIGINT and SIGTERM, 1 anything else.
#[derive(Debug, StructOpt)]
#[structopt(name = "resilient", setting = AppSettings::VersionlessSubcommands)]
enum Typed {
    /// Make a GET
    Get(Call),
    /// Make a POST
    Post(Call),
    /// Make a PUT
    Put(Call),
    /// Make a PATCH
    Patch(Call),
    /// Make a DELETE
    Delete(Call),
    /// Make a HEAD, and print the status and the headers
    Head(Call),
    /// Make many calls through one client, and print what came of them
    ///
    /// Ctrl-C ends it early: what was done is printed, and the exit code is 130. Otherwise it is 0, whatever the
    /// outcomes.
    Load(Load),
    /// Show every pattern in turn against a running test server
    ///
    /// Each pattern says what it does and what it saw, and checks it. The server's failure modes are reset
    /// before and after each. Exits with 1 if a pattern did not hold, with 3 if no server answers.
    Demo(Demo),
}

// One call, or several in a row.
#[derive(Debug, StructOpt)]
pub(crate) struct Call {
    /// Where to: http:// or https://, or a path below RESILIENT_BASE_URL. Several are called one after another
    /// through one client, and the exit code is that of the last one that failed
    #[structopt(value_name = "URL", required = true)]
    pub(crate) urls: Vec<String>,
    #[structopt(flatten)]
    pub(crate) payload: Payload,
    /// The X-Request-ID, the same on every attempt [default: a new UUID for each call]
    #[structopt(long, value_name = "ID", allow_hyphen_values = true)]
    pub(crate) request_id: Option<String>,
    /// Call several URLs all at once
    #[structopt(long)]
    pub(crate) parallel: bool,
    /// Print one JSON object for each call, with its outcome and its attempts, instead of the body
    #[structopt(long)]
    pub(crate) report: bool,
    #[structopt(flatten)]
    pub(crate) settings: Settings,
}

// Many calls.
#[derive(Debug, StructOpt)]
pub(crate) struct Load {
    /// Where to
    #[structopt(value_name = "URL")]
    pub(crate) url: String,
    /// Requests in all, 1 to 1000000000. Each has a request id of its own
    #[structopt(long, value_name = "N", allow_hyphen_values = true)]
    pub(crate) requests: String,
    /// Requests under way at once, 1 to 100000; those beyond --max-concurrency wait in the client for a slot
    #[structopt(long, value_name = "N", allow_hyphen_values = true)]
    pub(crate) concurrency: String,
    /// Requests to start each second, 0.001 to 1000000, evenly spaced; without it each starts when another ends.
    /// Latency is then counted from the moment at which a request was due, also if it had to wait because
    /// --concurrency others were still under way: a server that stalls cannot hide it
    #[structopt(long, value_name = "N", allow_hyphen_values = true)]
    pub(crate) rate: Option<String>,
    /// The method: get, post, put, patch, delete, head
    #[structopt(short = "X", long, value_name = "METHOD", default_value = "get", allow_hyphen_values = true)]
    pub(crate) method: String,
    #[structopt(flatten)]
    pub(crate) payload: Payload,
    /// Print one JSON object instead of the tables
    #[structopt(long)]
    pub(crate) report: bool,
    #[structopt(flatten)]
    pub(crate) settings: Settings,
}

// The demonstration.
#[derive(Debug, StructOpt)]
pub(crate) struct Demo {
    /// The test server
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

/// What was asked for.
#[derive(Debug)]
pub(crate) struct Cli {
    pub(crate) command: Command,
}

/// What the program can do.
#[derive(Debug)]
pub(crate) enum Command {
    Call(Method, Call),
    Load(Load),
    Demo(Demo),
}

/// Why there is no command to run.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unparsed {
    /// Help or the version was asked for: print this and be content.
    Asked(String),
    /// The command line is wrong: one line that says how.
    Wrong(String),
}

/// Understands the arguments, the program's name first.
pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Cli, Unparsed> {
    let arguments = as_text(arguments)?;
    let typed = Typed::from_iter_safe(arguments).map_err(|error| match error.kind {
        ErrorKind::HelpDisplayed | ErrorKind::VersionDisplayed => Unparsed::Asked(error.message),
        _ => Unparsed::Wrong(reason(&error)),
    })?;
    let command = match typed {
        Typed::Get(call) => Command::Call(Method::Get, call),
        Typed::Post(call) => Command::Call(Method::Post, call),
        Typed::Put(call) => Command::Call(Method::Put, call),
        Typed::Patch(call) => Command::Call(Method::Patch, call),
        Typed::Delete(call) => Command::Call(Method::Delete, call),
        Typed::Head(call) => Command::Call(Method::Head, call),
        Typed::Load(load) => Command::Load(load),
        Typed::Demo(demo) => Command::Demo(demo),
    };
    Ok(Cli { command })
}

/// The arguments as text. Here it can still be said which of them is none, and after which flag.
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

/// What is wrong, in one line.
fn reason(error: &Error) -> String {
    let mut lines = error.message.lines().map(|line| line.trim_start_matches("error: ").trim());
    let reason = match error.kind {
        ErrorKind::MissingArgumentOrSubcommand | ErrorKind::MissingSubcommand => {
            "no command is given".to_owned()
        }
        // Its first line announces what the following ones list.
        ErrorKind::MissingRequiredArgument => {
            let missing: Vec<_> = lines.skip(1).take_while(|line| !line.is_empty()).collect();
            format!("{} must be given", missing.join(", "))
        }
        _ => lines.next().unwrap_or_default().to_owned(),
    };
    format!("{reason} (resilient --help tells more)")
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
            (&["dance"], "dance"),
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
    fn an_argument_that_is_no_text_is_refused_with_its_place() {
        use std::os::unix::ffi::OsStringExt;
        let bad = OsString::from_vec(vec![b'a', 0xff]);
        let arguments =
            ["resilient", "get", "http://h", "--deadline"].map(OsString::from).into_iter().chain([bad]);
        let Err(Unparsed::Wrong(line)) = parse(arguments) else { panic!("it is understood") };
        assert_eq!(line, r#"the argument after --deadline must be UTF-8, got "a\xFF""#);
    }

    #[test]
    fn a_value_may_look_like_a_flag() {
        let arguments = ["resilient", "get", "http://h", "-d", "-5", "--deadline", "-1", "-H", "-a: b"];
        let Ok(Cli { command: Command::Call(Method::Get, call) }) = parse(arguments.map(OsString::from))
        else {
            panic!("it is not understood")
        };
        assert_eq!(call.urls, ["http://h"]);
    }

    #[test]
    fn help_and_version_are_no_errors() {
        for arguments in
            [&["--help"][..], &["-h"], &["--version"], &["get", "--help"], &["load", "-h"], &["help", "demo"]]
        {
            let arguments = std::iter::once("resilient").chain(arguments.iter().copied());
            assert!(matches!(parse(arguments.map(OsString::from)), Err(Unparsed::Asked(_))));
        }
    }
}
