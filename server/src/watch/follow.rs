//! The loop of `test-server watch`: prints what the stream says, asks for verdicts, and comes back when it breaks off.

use std::future::Future;
use std::time::{Duration, Instant};

use actix_web::web::Bytes;
use futures::StreamExt;
use futures::future::{Fuse, FutureExt, LocalBoxFuture};
use serde_json::Value;

use super::error::WatchError;
use super::events::{Event, EventReader};
use super::judging::{Finding, Judging};
use super::line;
use super::output::{Closed, Lines};
use super::server::{Chunks, Watched};

/// How long the watcher waits before it connects again: the shortest and the longest time.
const FIRST_WAIT: Duration = Duration::from_millis(250);
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// How long the stream may be silent. The server says every 15 s that it is alive.
const SILENCE: Duration = Duration::from_secs(45);

/// Follows a session until `stop` is ready, the session has ended, or nobody reads the lines any more. `note` is called
/// with what happens to the connection.
///
/// # Errors
/// [`WatchError`] when it cannot be watched, or the lines cannot be written.
pub async fn watch(
    watched: &Watched,
    note: fn(&str),
    stop: impl Future<Output = &'static str>,
) -> Result<(), WatchError> {
    let lines = Lines::start()?;
    let judging = Judging::begin(Instant::now());
    let mut watcher = Watcher { watched, note, lines: &lines, judging, last: 0 };
    let ended = tokio::select! {
        biased;
        _ = stop => Ok(()),
        ended = watcher.run() => ended,
    };
    let written = lines.finish().await;
    ended.and(written)
}

/// Why a stream is not followed any more.
enum Broken {
    /// It has broken off, for this reason.
    Off(String),
    /// Nobody reads the lines any more.
    Closed,
}

impl From<Closed> for Broken {
    fn from(_: Closed) -> Self {
        Self::Closed
    }
}

/// The question for a verdict that is being answered, and when it was asked.
struct Question {
    asked: Instant,
    answer: Fuse<LocalBoxFuture<'static, Option<Vec<Finding>>>>,
}

struct Watcher<'a> {
    watched: &'a Watched,
    note: fn(&str),
    lines: &'a Lines,
    judging: Judging,
    /// The number of the last entry that was seen.
    last: u64,
}

impl Watcher<'_> {
    async fn run(&mut self) -> Result<(), WatchError> {
        let mut stream = self.watched.stream(None).await?;
        self.last = self.watched.newest().await;
        (self.note)(&format!("watching {}", self.watched.name()));
        loop {
            match self.follow(stream).await {
                Broken::Closed => return Ok(()),
                Broken::Off(why) => (self.note)(&format!("the stream has ended: {why}; connecting again")),
            }
            stream = match self.connect_again().await {
                Err(WatchError::NoSession { .. }) => {
                    (self.note)("the session has ended");
                    return Ok(());
                }
                again => again?,
            };
            (self.note)("connected again");
            self.judging.ask(Instant::now());
        }
    }

    /// Opens the stream again, as often as it takes.
    async fn connect_again(&self) -> Result<Chunks, WatchError> {
        let mut wait = FIRST_WAIT;
        loop {
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(LONGEST_WAIT);
            match self.watched.stream(Some(self.last)).await {
                Err(error) if error.is_passing() => {}
                result => return result,
            }
        }
    }

    /// Prints the events of a stream, and meanwhile the findings of verdicts, until it breaks off.
    async fn follow(&mut self, mut stream: Chunks) -> Broken {
        let mut reader = EventReader::default();
        let mut question: Option<Question> = None;
        loop {
            let due = self.judging.due().filter(|_| question.is_none());
            let answer =
                question.as_mut().map_or_else(Fuse::terminated, |question| (&mut question.answer).fuse());
            let printed = tokio::select! {
                chunk = tokio::time::timeout(SILENCE, stream.next()) => match events(&mut reader, chunk.ok()) {
                    Ok(events) => self.print_events(&events).await,
                    Err(why) => return Broken::Off(why),
                },
                () = until(due) => {
                    question = Some(self.ask());
                    Ok(())
                }
                findings = answer => {
                    let asked = question.take().map_or_else(Instant::now, |question| question.asked);
                    self.print_findings(asked, findings.unwrap_or_default()).await
                }
            };
            if let Err(closed) = printed {
                return closed.into();
            }
        }
    }

    fn ask(&mut self) -> Question {
        self.judging.asked();
        let answer = self.watched.clone().findings().boxed_local().fuse();
        Question { asked: Instant::now(), answer }
    }

    async fn print_findings(&mut self, asked: Instant, findings: Vec<Finding>) -> Result<(), Closed> {
        let now = Instant::now();
        self.judging.answered(asked, now);
        for finding in self.judging.new_findings(findings, now) {
            self.lines.print(line::finding(&finding, &self.watched.explanations())).await?;
        }
        Ok(())
    }

    async fn print_events(&mut self, events: &[Event]) -> Result<(), Closed> {
        for event in events {
            let data: Value = serde_json::from_str(&event.data).unwrap_or_default();
            match (event.name.as_str(), event.id) {
                ("ended", Some(seq)) => {
                    if seq <= self.last {
                        self.judging.session_began_anew();
                    }
                    self.last = seq;
                    self.judging.request_ended(Instant::now());
                    self.lines.print(line::request(&data)).await?;
                }
                ("missed", _) => self.lines.print(line::missed(&data)).await?,
                _ => {}
            }
        }
        Ok(())
    }
}

/// The events in the next part of a stream; an error says why there will be no more. No part came in time if it is
/// `None`.
fn events(
    reader: &mut EventReader,
    chunk: Option<Option<Result<Bytes, String>>>,
) -> Result<Vec<Event>, String> {
    match chunk {
        Some(Some(Ok(bytes))) => reader.push(&bytes).map_err(|_| "an event is too long".to_owned()),
        Some(Some(Err(why))) => Err(why),
        Some(None) => Err("the server has closed it".to_owned()),
        None => Err(format!("nothing came for {} s", SILENCE.as_secs())),
    }
}

/// Waits until `due`; for ever if it is `None`.
async fn until(due: Option<Instant>) {
    match due {
        Some(due) => tokio::time::sleep_until(due.into()).await,
        None => std::future::pending().await,
    }
}
