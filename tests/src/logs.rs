//! The log lines of a program, as events that a test can wait for.

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::guard::within;

/// One line of the log.
#[derive(Clone, Debug)]
pub struct LogLine {
    /// The line as it was written, without its end.
    pub text: String,
    /// The line's event; `Null` when the line is not JSON, as in the console format.
    pub event: Value,
}

impl LogLine {
    /// Parses one line.
    pub fn new(text: String) -> Self {
        let event = serde_json::from_str(&text).unwrap_or(Value::Null);
        LogLine { text, event }
    }

    /// Returns the event's `logger`; empty when it is missing.
    pub fn logger(&self) -> &str {
        self.event["logger"].as_str().unwrap_or_default()
    }

    /// Returns the event's `level`; empty when it is missing.
    pub fn level(&self) -> &str {
        self.event["level"].as_str().unwrap_or_default()
    }

    /// Returns the event's `message`; empty when it is missing.
    pub fn message(&self) -> &str {
        self.event["message"].as_str().unwrap_or_default()
    }

    /// Returns whether a field of the event, whatever its name, equals `value`.
    pub fn mentions(&self, value: &str) -> bool {
        self.event.as_object().is_some_and(|event| event.values().any(|field| field == value))
    }

    /// Returns whether the line contains `words`; case does not matter.
    pub fn says(&self, words: &str) -> bool {
        self.text.to_lowercase().contains(&words.to_lowercase())
    }
}

/// The output of a running program.
#[derive(Debug)]
pub struct LogStream {
    lines: watch::Receiver<Vec<LogLine>>,
    reader: JoinHandle<()>,
}

impl LogStream {
    /// Starts to read `output`, in the background.
    pub fn read(output: impl AsyncRead + Unpin + Send + 'static) -> Self {
        let (sender, lines) = watch::channel(Vec::new());
        let reader = tokio::spawn(async move {
            let mut output = BufReader::new(output);
            let mut line = Vec::new();
            while output.read_until(b'\n', &mut line).await.is_ok_and(|length| length > 0) {
                let text = String::from_utf8_lossy(&line).trim_end_matches('\n').to_owned();
                sender.send_modify(|lines| lines.push(LogLine::new(text)));
                line.clear();
            }
        });
        LogStream { lines, reader }
    }

    /// Returns the lines so far.
    pub fn lines(&self) -> Vec<LogLine> {
        self.lines.borrow().clone()
    }

    /// Waits for the first line, past or future, for which `is_it` holds; returns `None` when the output ends without one.
    ///
    /// # Panics
    /// When neither happens in time; the message names `what`.
    pub async fn find(&self, what: &str, is_it: impl Fn(&LogLine) -> bool) -> Option<LogLine> {
        let mut lines = self.lines.clone();
        let waiting = lines.wait_for(|lines| lines.iter().any(&is_it));
        let seen = within(&format!("a log line: {what}"), waiting).await.map(|lines| lines.clone());
        let lines = seen.unwrap_or_else(|_| self.lines());
        lines.into_iter().find(|line| is_it(line))
    }

    /// Waits until the program has closed its output, and returns all lines.
    pub async fn to_end(&mut self) -> Vec<LogLine> {
        if !self.reader.is_finished() {
            let end = within("the end of the program's output", &mut self.reader).await;
            end.expect("reading lines does not panic");
        }
        self.lines()
    }
}
