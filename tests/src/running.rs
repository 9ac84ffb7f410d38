//! A server that runs already, at `BASE_URL`, or one of the test's own where that is not set.

use std::time::Duration;

use reqwest::{Client, RequestBuilder};
use tokio::sync::{Mutex, MutexGuard};

use crate::http::{self, answer};
use crate::server::TestServer;

/// The tests of one program share the server at `BASE_URL`, so they use it one after the other.
static TURN: Mutex<()> = Mutex::const_new(());

/// A server in whatever configuration it has: nothing but its address is known.
#[derive(Debug)]
pub struct RunningServer {
    base_url: String,
    client: Client,
    /// The test's turn, when the server is shared.
    turn: Option<MutexGuard<'static, ()>>,
    /// The test's own server, when it is not.
    _own: Option<TestServer>,
}

impl RunningServer {
    /// Returns the server at `BASE_URL` once it is this test's turn, with no failure armed; without `BASE_URL`, a new
    /// server.
    ///
    /// # Panics
    /// When there is no server.
    pub async fn take() -> Self {
        let given = std::env::var("BASE_URL").unwrap_or_default();
        let client = http::client();
        let server = if given.is_empty() {
            let own = TestServer::start().await;
            RunningServer { base_url: own.url(""), client, turn: None, _own: Some(own) }
        } else {
            // No bound: a test that hangs while it has its turn fails by itself, and gives its turn back.
            let turn = Some(TURN.lock().await);
            RunningServer { base_url: given.trim_end_matches('/').to_owned(), client, turn, _own: None }
        };
        server.reset().await;
        server
    }

    /// Returns the URL of `path`, which starts with a slash.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base_url)
    }

    /// Returns a GET of `path`, to be sent.
    pub fn get(&self, path: &str) -> RequestBuilder {
        self.client.get(self.url(path))
    }

    /// Returns a GET of `path` with an idempotency key, to be sent.
    pub fn get_keyed(&self, path: &str, key: &str) -> RequestBuilder {
        self.get(path).header("X-Request-ID", key)
    }

    /// Returns a POST to `path`, to be sent.
    pub fn post(&self, path: &str) -> RequestBuilder {
        self.client.post(self.url(path))
    }

    /// Ends all failure modes.
    ///
    /// # Panics
    /// When the server does not confirm it.
    pub async fn reset(&self) {
        let reset = answer(self.post("/fail/reset").timeout(Duration::from_secs(20))).await;
        assert_eq!(reset.status, 200, "{} is a test server: {reset:#?}", self.base_url);
    }
}

impl Drop for RunningServer {
    fn drop(&mut self) {
        if self.turn.is_some() {
            // Also after a failed test. The test's runtime may be ending, so the request gets one of its own.
            let url = self.url("/fail/reset");
            let reset = async move { http::client().post(url).timeout(Duration::from_secs(5)).send().await };
            let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build();
            let _ = std::thread::spawn(move || runtime().map(|runtime| runtime.block_on(reset))).join();
        }
    }
}
