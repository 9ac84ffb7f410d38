//! A scripted server, and the clients that talk to it.

use std::{collections::VecDeque, fmt, sync::Arc, thread};

use crate::{
    client::ResilientClient,
    config::ClientConfig,
    error::Error,
    start::start_scripted,
    transport::scripted::{ScriptedTransport, SentRequest, Shared, Source, Step},
};

/// A scripted server: what it does with the first request, the second, and so on. A retry is a request of its own, and
/// so is a redirect that is followed.
///
/// ```
/// use std::time::Duration;
/// use resilient_client::test::{Fault, Reply, Script};
///
/// let script = Script::new([503, 503])
///     .then(Fault::Refused)
///     .then(Reply::new(429).header("retry-after", "2"))
///     .then(Reply::new(200).json(&["tea"]).after(Duration::from_millis(300)));
/// # drop(script);
/// ```
///
/// A request beyond the last step panics, and with it the test. Where a panic does not reach the test, because the call
/// was made by a task of its own, dropping the script panics. Dropping it does not ask for steps that are left over:
/// that is [`assert_done`](Self::assert_done).
#[must_use = "a script does nothing until a client follows it"]
pub struct Script(Arc<Shared>);

impl Script {
    /// Makes a server that takes these steps in order.
    pub fn new<S: Into<Step>>(steps: impl IntoIterator<Item = S>) -> Self {
        Self::of(Source::Listed { steps: steps.into_iter().map(Into::into).collect(), rest: None })
    }

    /// Makes a server that takes the same step for every request.
    pub fn always(step: impl Into<Step>) -> Self {
        Self::of(Source::Listed { steps: VecDeque::new(), rest: Some(step.into()) })
    }

    /// Makes a server that decides from the request what it does.
    ///
    /// ```
    /// use resilient_client::test::{Fault, Script, SentRequest};
    ///
    /// let script = Script::from_fn(|request: &SentRequest| match request.url() {
    ///     "http://api/health" => 200.into(),
    ///     url if url.starts_with("http://dead/") => Fault::Refused.into(),
    ///     _ => 404.into(),
    /// });
    /// # drop(script);
    /// ```
    pub fn from_fn(respond: impl FnMut(&SentRequest) -> Step + Send + 'static) -> Self {
        Self::of(Source::Computed(Box::new(respond)))
    }

    /// Appends a step.
    ///
    /// # Panics
    ///
    /// If the script was made by [`from_fn`](Self::from_fn), which has no list of steps.
    #[track_caller]
    pub fn then(self, step: impl Into<Step>) -> Self {
        self.change_list(|steps, _| steps.push_back(step.into()));
        self
    }

    /// Sets the step of every request beyond the last step.
    ///
    /// # Panics
    ///
    /// If the script was made by [`from_fn`](Self::from_fn), which has no list of steps.
    #[track_caller]
    pub fn then_always(self, step: impl Into<Step>) -> Self {
        self.change_list(|_, rest| *rest = Some(step.into()));
        self
    }

    /// Starts a client that follows the script, on the current arbiter. Several clients of one script share its steps.
    ///
    /// # Errors
    ///
    /// [`Config`](crate::ErrorKind::Config) when a setting is invalid.
    ///
    /// # Panics
    ///
    /// If there is no actix system on this thread; [`run`](super::run) starts one.
    #[track_caller]
    #[allow(clippy::needless_pass_by_value, reason = "a configuration is written where it is used")]
    pub fn client(&self, config: ClientConfig) -> Result<ResilientClient, Error> {
        let client = start_scripted(&config, ScriptedTransport::new(Arc::clone(&self.0)))?;
        self.0.start();
        Ok(client)
    }

    /// Returns the requests so far, in the order in which they were sent.
    pub fn requests(&self) -> Vec<SentRequest> {
        self.0.requests()
    }

    /// Returns the number of requests that have neither been answered nor dropped.
    pub fn in_flight(&self) -> usize {
        self.0.in_flight()
    }

    /// Checks that every step of the list was taken.
    ///
    /// # Panics
    ///
    /// If there are steps left.
    #[track_caller]
    pub fn assert_done(&self) {
        let (left, sent) = (self.0.left(), self.requests().len());
        assert!(left == 0, "{left} steps of the script are left after {sent} requests");
    }

    fn of(source: Source) -> Self {
        Self(Arc::new(Shared::new(source)))
    }

    #[track_caller]
    fn change_list(&self, change: impl FnOnce(&mut VecDeque<Step>, &mut Option<Step>)) {
        let mut changed = false;
        self.0.change(|source| {
            if let Source::Listed { steps, rest } = source {
                change(steps, rest);
                changed = true;
            }
        });
        assert!(changed, "a script that is a function has no list of steps");
    }
}

impl Drop for Script {
    fn drop(&mut self) {
        match self.0.unexpected() {
            Some(message) if !thread::panicking() => panic!("{message}"),
            _ => {}
        }
    }
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
