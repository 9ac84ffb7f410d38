//! The arguments of `test-server check`.

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use derive_more::Display;
use structopt::StructOpt;

use crate::cases::{CASES, Case};
use crate::check::report::{Format, Strictness};
use crate::check::{Method, Options, Sessions};
use crate::verdict::Policy;

const COMMAND: &str = "The client's command; {url} and {base_url} in it are replaced by addresses, which are in the \
variables TARGET_URL and TARGET_BASE_URL too";

/// The arguments, as they were typed. The comments of the fields are their help texts.
#[derive(Debug, StructOpt)]
pub struct CheckArguments {
    /// Examine the client in this case alone. May be given several times
    #[structopt(long = "case", value_name = "NAME", number_of_values = 1)]
    cases: Vec<String>,
    /// Print each case with its reason and its source, and end
    #[structopt(long)]
    list: bool,
    /// The command sends a POST: the cases for such clients concern it too
    #[structopt(long)]
    post: bool,
    /// Runs of the command at once, 1 to 256 [default: twice the number of cores, at least 4]
    #[structopt(long, value_name = "N")]
    jobs: Option<String>,
    /// How long a run may take, 1 to 3600 seconds
    #[structopt(long, value_name = "SECONDS", default_value = "90")]
    timeout: String,
    /// The form of the report
    #[structopt(long, possible_values = &["text", "json", "junit", "markdown"], default_value = "text")]
    report: String,
    /// A file with what the client promises, as JSON
    #[structopt(long, value_name = "FILE", parse(from_os_str))]
    expect: Option<PathBuf>,
    /// A warning is a failure
    #[structopt(long)]
    strict: bool,
    /// Leave the server running after the report, and print the page of each session
    #[structopt(long)]
    keep: bool,
    #[structopt(last = true, required_unless = "list", value_name = "COMMAND", help = COMMAND)]
    command: Vec<String>,
}

/// What is to be done.
#[derive(Debug)]
pub enum Asked {
    /// The cases are listed.
    List(Vec<&'static Case>),
    /// A client is examined, and the result reported.
    Check(Box<Options>, Format, Strictness),
}

/// Why there is nothing to be done.
#[derive(Debug, PartialEq, Eq, Display)]
pub enum CheckUsage {
    /// No case has this name.
    #[display("there is no case {_0:?}; did you mean {_1}? --list names them all")]
    UnknownCase(String, &'static str),
    /// A number is not one, or is out of range.
    #[display("{name} is {value:?}, expected {expected}")]
    Number {
        /// The flag.
        name: &'static str,
        /// Its value.
        value: String,
        /// What it should be.
        expected: String,
    },
    /// The policy cannot be read.
    #[display("cannot read {path}: {why}")]
    Policy {
        /// The file.
        path: String,
        /// What is wrong.
        why: String,
    },
    /// A word of the command is not UTF-8.
    #[display("the command has a word that is not UTF-8")]
    NotText,
}

impl CheckArguments {
    /// Checks the arguments and reads the policy. `cores` is the number of cores.
    ///
    /// # Errors
    /// [`CheckUsage`] says what is wrong.
    pub fn asked(&self, cores: usize) -> Result<Asked, CheckUsage> {
        let cases = self.chosen()?;
        if self.list {
            return Ok(Asked::List(cases));
        }
        if self.command.iter().any(|word| word.contains(char::REPLACEMENT_CHARACTER)) {
            return Err(CheckUsage::NotText);
        }
        let jobs = match &self.jobs {
            Some(text) => usize::try_from(number("--jobs", text, 1..=256)?).unwrap_or(1),
            None => (2 * cores).clamp(4, 256),
        };
        let limit = Duration::from_secs(number("--timeout", &self.timeout, 1..=3600)?);
        let options = Options {
            command: self.command.clone(),
            cases,
            method: if self.post { Method::Post } else { Method::Idempotent },
            policy: self.expect.as_deref().map_or_else(|| Ok(Policy::default()), policy)?,
            jobs,
            limit,
            sessions: if self.keep { Sessions::Keep } else { Sessions::End },
        };
        let named = Format::ALL.into_iter().find(|(name, _)| *name == self.report);
        let format = named.map_or(Format::Text, |(_, format)| format);
        let strictness = if self.strict { Strictness::Warnings } else { Strictness::Fails };
        Ok(Asked::Check(Box::new(options), format, strictness))
    }

    /// The cases that were asked for, in the order of the table; all of them if none was.
    fn chosen(&self) -> Result<Vec<&'static Case>, CheckUsage> {
        if let Some(name) = self.cases.iter().find(|name| Case::named(name).is_none()) {
            let nearest = CASES.iter().min_by_key(|case| strsim::osa_distance(case.name, name));
            return Err(CheckUsage::UnknownCase(name.clone(), nearest.map_or("steady", |case| case.name)));
        }
        let wanted = |case: &&Case| self.cases.is_empty() || self.cases.iter().any(|name| name == case.name);
        Ok(CASES.iter().filter(wanted).collect())
    }
}

fn number(name: &'static str, text: &str, range: RangeInclusive<u64>) -> Result<u64, CheckUsage> {
    let number = text.parse().ok().filter(|number| range.contains(number));
    let expected = || format!("a whole number from {} to {}", range.start(), range.end());
    number.ok_or_else(|| CheckUsage::Number { name, value: text.to_owned(), expected: expected() })
}

fn policy(path: &Path) -> Result<Policy, CheckUsage> {
    let wrong = |why: String| CheckUsage::Policy { path: path.display().to_string(), why };
    let text = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
    Policy::read(&text).map_err(|problems| {
        let problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
        wrong(problems.join("; "))
    })
}
