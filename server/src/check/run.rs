//! All cases of an examination, some at once.

use std::time::Duration;

use futures::future;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::sync::Semaphore;

use crate::cases::Case;
use crate::verdict::Policy;

use super::examine::{CheckError, Examination, Examined, Method, Sessions};
use super::host::Host;
use super::judge::Judged;

/// What is examined, and how.
#[derive(Debug, Clone)]
pub struct Options {
    /// The client's command: a program and its arguments, in which `{url}` and `{base_url}` stand for addresses.
    pub command: Vec<String>,
    /// The cases, in the order of the report.
    pub cases: Vec<&'static Case>,
    /// What the client sends.
    pub method: Method,
    /// What it promises.
    pub policy: Policy,
    /// How many runs there may be at once.
    pub jobs: usize,
    /// How long a run may take.
    pub limit: Duration,
    /// What becomes of the sessions.
    pub sessions: Sessions,
}

/// An examination that is over.
pub struct Checked {
    /// The judgement of each case, in the order of the options.
    pub judged: Vec<Judged>,
    /// The server and the sessions that are kept.
    pub kept: Option<Kept>,
}

/// A server that goes on.
pub struct Kept {
    host: Host,
    /// The base URL of each session, and the case that it was of.
    pub sessions: Vec<(&'static str, String)>,
}

/// Examines a client. Must run inside an actix system.
///
/// # Errors
/// [`CheckError`] when the command cannot be started, or the server does not serve.
pub async fn check(options: &Options) -> Result<Checked, CheckError> {
    let host = Host::start().await?;
    let progress = progress(options.cases.len());
    let examination = Examination {
        host: &host,
        command: &options.command,
        method: options.method,
        policy: &options.policy,
        limit: options.limit,
        permits: Semaphore::new(options.jobs),
        sessions: options.sessions,
    };
    let examined = all(&examination, &options.cases, &progress).await;
    progress.finish_and_clear();
    let examined = examined?;
    let sessions = options.cases.iter().zip(&examined);
    let sessions =
        sessions.flat_map(|(case, it)| it.kept.iter().map(|url| (case.name, url.clone()))).collect();
    let kept = match options.sessions {
        Sessions::Keep => Some(Kept { host, sessions }),
        Sessions::End => {
            host.stop().await;
            None
        }
    };
    Ok(Checked { judged: examined.into_iter().map(|it| it.judged).collect(), kept })
}

impl Kept {
    /// Stops the server.
    pub async fn stop(self) {
        self.host.stop().await;
    }
}

/// Examines all cases, in the order of the list; those that take long begin first.
async fn all(
    examination: &Examination<'_>,
    cases: &[&'static Case],
    progress: &ProgressBar,
) -> Result<Vec<Examined>, CheckError> {
    let mut order: Vec<usize> = (0..cases.len()).collect();
    order.sort_by_key(|index| !cases[*index].is_long());
    let one = async |index: usize| {
        let examined = examination.case(cases[index]).await?;
        progress.set_message(format!("{}: {}", cases[index].name, examined.judged.result.name()));
        progress.inc(1);
        Ok::<_, CheckError>((index, examined))
    };
    let mut examined = future::try_join_all(order.into_iter().map(one)).await?;
    examined.sort_by_key(|(index, _)| *index);
    Ok(examined.into_iter().map(|(_, examined)| examined).collect())
}

/// A progress bar, which is shown if standard error is a terminal.
fn progress(cases: usize) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(cases as u64), ProgressDrawTarget::stderr_with_hz(10));
    if let Ok(style) =
        ProgressStyle::with_template("{elapsed_precise} [{bar:30}] {pos}/{len} cases  {wide_msg}")
    {
        bar.set_style(style.progress_chars("=> "));
    }
    bar.enable_steady_tick(Duration::from_millis(500));
    bar
}
