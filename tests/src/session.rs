//! A session of a test server, as a test that has made one uses it.

use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};

use crate::http::{self, Answer, answer};
use crate::server::TestServer;

/// A session, and a client of its own to talk to it.
#[derive(Clone, Debug)]
pub struct Session {
    /// The id of the session.
    pub id: String,
    /// The URL in front of every path of the session, without a slash at its end.
    pub base_url: String,
    client: Client,
}

impl Session {
    /// Creates a session with the settings `settings`.
    ///
    /// # Panics
    /// When the server does not create it.
    pub async fn open(server: &TestServer, settings: Value) -> Self {
        let created = answer(server.post("/sessions").json(&settings)).await;
        assert_eq!(created.status, 201, "{created:#?}");
        let text = |field: &str| created.body[field].as_str().expect("a field of text").to_owned();
        Session { id: text("id"), base_url: text("base_url"), client: http::client() }
    }

    /// Creates a session with the fault plan `plan`.
    pub async fn with_plan(server: &TestServer, plan: Value) -> Self {
        Session::open(server, json!({ "faults": plan })).await
    }

    /// Returns the session that answers at the root.
    pub fn default_of(server: &TestServer) -> Self {
        Session { id: "default".to_owned(), base_url: server.url(""), client: http::client() }
    }

    /// Prepares a request for `path` in this session.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base_url))
    }

    /// Prepares a GET of `path` in this session.
    pub fn get(&self, path: &str) -> RequestBuilder {
        self.request(Method::GET, path)
    }

    /// Prepares a POST to `path` in this session.
    pub fn post(&self, path: &str) -> RequestBuilder {
        self.request(Method::POST, path)
    }

    /// Replaces the plan, and returns the answer.
    pub async fn put_plan(&self, plan: &Value) -> Answer {
        answer(self.request(Method::PUT, "/faults").json(plan)).await
    }

    /// Returns the answer to `GET /faults`.
    ///
    /// # Panics
    /// When it is not a success.
    pub async fn plan(&self) -> Value {
        let read = answer(self.get("/faults")).await;
        assert_eq!(read.status, 200, "{read:#?}");
        read.body
    }

    /// Sends `count` GETs of `path`, one after the other, and returns their statuses.
    pub async fn statuses(&self, path: &str, count: usize) -> Vec<u16> {
        let mut statuses = Vec::new();
        for _ in 0..count {
            statuses.push(answer(self.get(path)).await.status);
        }
        statuses
    }
}
