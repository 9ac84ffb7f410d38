//! One case: opens its sessions, runs the client, and judges what came of it.

use std::io;
use std::time::Duration;

use derive_more::{Display, Error, From};
use futures::future;
use tokio::process::Command;
use tokio::sync::Semaphore;

use crate::cases::{Case, Concerns, HANG, Runs};
use crate::journal::Entry;
use crate::judgement::Snapshot;
use crate::verdict::{Grouping, Policy};

use super::command::{Target, shared_path};
use super::host::{CaseSession, Host, HostError};
use super::judge::{Judged, RunSeen, judge};
use super::process::{self, Bounds, Ran};

/// What a client is examined with.
pub struct Examination<'a> {
    /// The server.
    pub host: &'a Host,
    /// The client's command: a program and its arguments.
    pub command: &'a [String],
    /// What the client sends.
    pub method: Method,
    /// What it promises.
    pub policy: &'a Policy,
    /// How long a run may take.
    pub limit: Duration,
    /// How many runs there may be at once. Those that share a session count as one.
    pub permits: Semaphore,
    /// What becomes of sessions.
    pub sessions: Sessions,
}

/// What a client sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// A request that is idempotent.
    Idempotent,
    /// A POST.
    Post,
}

/// What becomes of the sessions of a case that is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sessions {
    /// They end.
    End,
    /// They are kept.
    Keep,
}

/// A case that is over.
#[derive(Debug)]
pub struct Examined {
    /// Its judgement.
    pub judged: Judged,
    /// The base URLs of the sessions that are kept.
    pub kept: Vec<String>,
}

/// Why a client cannot be examined.
#[derive(Debug, Display, Error, From)]
pub enum CheckError {
    /// The command cannot be started.
    #[display("cannot start {program:?}: {source}")]
    #[from(skip)]
    NotStarted {
        /// The program.
        program: String,
        /// The error of the system.
        source: io::Error,
    },
    /// The test server does not serve.
    Host(HostError),
}

/// How long a command may take to end after SIGTERM.
const GRACE: Duration = Duration::from_secs(2);
/// How long the output of a command is read after its end.
const DRAIN: Duration = Duration::from_millis(500);
/// How much of each output of a command is kept.
const OUTPUT: usize = 1 << 20;

impl Examination<'_> {
    /// Examines the client in a case.
    ///
    /// # Errors
    /// [`CheckError`] when there is nothing to judge.
    pub async fn case(&self, case: &'static Case) -> Result<Examined, CheckError> {
        if case.concerns == Concerns::Posting && self.method != Method::Post {
            let judged = Judged::not_applicable(case, "concerns clients that POST: see --post");
            return Ok(Examined { judged, kept: Vec::new() });
        }
        match case.runs {
            Runs::Once => self.alike(case, 1).await,
            Runs::Alike(count) => self.alike(case, count).await,
            Runs::AtOnce(count) => self.at_once(case, count).await,
        }
    }

    /// Runs the client so many times, each in a session of its own.
    async fn alike(&self, case: &Case, count: usize) -> Result<Examined, CheckError> {
        let one = async || {
            // A semaphore that is never closed always gives its permits.
            let _permit = self.permits.acquire().await;
            let session = self.host.open(case, self.hang()).await?;
            let ran = self.run(&Target::of(&session.base_url)).await?;
            let seen = session.seen().await?;
            let kept = self.finish(session).await;
            Ok::<_, CheckError>((ran, seen, kept))
        };
        let runs = future::try_join_all((0..count).map(|_| one())).await?;
        let judged: Vec<RunSeen<'_>> = runs.iter().map(|(ran, snapshot, _)| seen(ran, snapshot)).collect();
        let judged = judge(case, &judged, self.policy, self.limit);
        Ok(Examined { judged, kept: runs.into_iter().filter_map(|(.., kept)| kept).collect() })
    }

    /// Runs the client so many times at once in one session.
    async fn at_once(&self, case: &Case, count: usize) -> Result<Examined, CheckError> {
        // One permit: to wait for as many as there are runs would hold up the other cases.
        let _permit = self.permits.acquire().await;
        let session = self.host.open(case, self.hang()).await?;
        let targets: Vec<Target> = (1..=count).map(|n| Target::shared(&session.base_url, n)).collect();
        let ran = future::try_join_all(targets.iter().map(|target| self.run(target))).await?;
        let all = session.seen().await?;
        let kept = self.finish(session).await.into_iter().collect();
        let judged = match split(all, count) {
            Some(snapshots) => {
                let judged: Vec<RunSeen<'_>> =
                    ran.iter().zip(&snapshots).map(|(ran, snapshot)| seen(ran, snapshot)).collect();
                judge(case, &judged, self.policy, self.limit)
            }
            None => Judged::not_applicable(
                case,
                "the command does not use {url}, so its runs cannot be told apart",
            ),
        };
        Ok(Examined { judged, kept })
    }

    async fn run(&self, target: &Target) -> Result<Ran, CheckError> {
        let words: Vec<String> = self.command.iter().map(|word| target.fill(word)).collect();
        let (program, arguments) = words.split_first().map_or(("", &[][..]), |(first, rest)| (first, rest));
        let mut command = Command::new(program);
        command.args(arguments).envs(target.environment(|name| std::env::var_os(name)));
        let bounds = Bounds { time: self.limit, grace: GRACE, drain: DRAIN, output: OUTPUT };
        let ran = process::run(&mut command, bounds).await;
        ran.map_err(|source| CheckError::NotStarted { program: program.to_owned(), source })
    }

    async fn finish(&self, session: CaseSession) -> Option<String> {
        match self.sessions {
            Sessions::Keep => Some(session.base_url),
            Sessions::End => {
                self.host.close(&session).await;
                None
            }
        }
    }

    /// How long the case `hang` hangs: a client that waits that long must still have time to go on.
    fn hang(&self) -> Duration {
        HANG.min(self.limit / 2)
    }
}

/// What each of so many runs in one session was seen to do; `None` if a request is of none of them.
fn split(seen: Snapshot, count: usize) -> Option<Vec<Snapshot>> {
    let nothing = Snapshot { entries: Vec::new(), in_flight: Vec::new(), ..seen };
    let mut runs = vec![nothing; count];
    for entry in seen.entries {
        runs.get_mut(run_of(&entry, count)?)?.entries.push(entry);
    }
    for entry in seen.in_flight {
        runs.get_mut(run_of(&entry, count)?)?.in_flight.push(entry);
    }
    Some(runs)
}

/// The run that sent a request, of so many that share a session.
fn run_of(entry: &Entry, count: usize) -> Option<usize> {
    (0..count).find(|run| {
        let rest = entry.path().strip_prefix(shared_path(run + 1).as_str());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}

/// A run as it is judged. All its requests are of one call.
fn seen<'a>(ran: &'a Ran, seen: &'a Snapshot) -> RunSeen<'a> {
    let journal = seen.as_journal(Grouping::OneCall);
    RunSeen { end: ran.end, took: ran.took, stdout: &ran.stdout, stderr: &ran.stderr, journal }
}
