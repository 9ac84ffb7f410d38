//! The requests to the server that is watched.

use std::time::Duration;

use actix_web::web::Bytes;
use awc::http::StatusCode;
use awc::http::header::{ACCEPT, CONTENT_TYPE};
use awc::{Client, ClientRequest, ClientResponse};
use futures::StreamExt;
use futures::stream::LocalBoxStream;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::error::WatchError;
use super::judging::Finding;
use crate::headers::TEST_SESSION;
use crate::session::id;

/// How long the head of an answer may take, and how long a verdict.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
const JSON_TIMEOUT: Duration = Duration::from_secs(60);

/// The longest verdict that is read, in bytes.
const LONGEST_JSON: usize = 256 << 20;

/// A number that no entry has.
const BEHIND_ALL: u64 = (1 << 53) - 1;

/// The session of a server that is watched.
#[derive(Clone)]
pub struct Watched {
    /// The address of the server's own routes, without a slash at its end.
    url: String,
    session: Option<String>,
    client: Client,
}

/// The bytes of a stream; an error says why it has broken off.
pub(super) type Chunks = LocalBoxStream<'static, Result<Bytes, String>>;

#[derive(Deserialize)]
struct Page {
    next: u64,
}

#[derive(Deserialize)]
struct Verdict {
    findings: Vec<Finding>,
}

impl Watched {
    /// The session of the server at `url`; without an id the default one.
    ///
    /// # Errors
    /// [`WatchError`] when the address or the id is invalid.
    pub fn new(url: &str, session: Option<String>) -> Result<Self, WatchError> {
        let wrong = |reason: &str| WatchError::BadUrl { url: url.to_owned(), reason: reason.to_owned() };
        let parsed: awc::http::Uri =
            url.parse().map_err(|error: awc::http::uri::InvalidUri| wrong(&error.to_string()))?;
        if parsed.scheme_str() != Some("http") || parsed.authority().is_none() {
            return Err(wrong("only http:// is spoken here"));
        }
        if parsed.query().is_some() {
            return Err(wrong("it has a query"));
        }
        if let Some(wrong) = session.as_ref().filter(|session| !id::is_valid(session)) {
            return Err(WatchError::BadSession(wrong.clone()));
        }
        let url = url.trim_end_matches('/').to_owned();
        // A stream has no end; each wait has a bound of its own.
        let client = Client::builder().disable_timeout().disable_redirects().finish();
        Ok(Self { url, session, client })
    }

    /// Where it is, for people.
    pub(super) fn name(&self) -> String {
        format!("session {} at {}", self.session.as_deref().unwrap_or(id::DEFAULT), self.url)
    }

    /// The page that explains findings.
    pub(super) fn explanations(&self) -> String {
        format!("{}/findings", self.url)
    }

    /// Opens the stream of its journal, behind the entry with the number `last`.
    ///
    /// # Errors
    /// [`WatchError`] when there is no stream.
    pub(super) async fn stream(&self, last: Option<u64>) -> Result<Chunks, WatchError> {
        let mut request = self.get("/journal/stream").insert_header((ACCEPT, "text/event-stream"));
        if let Some(last) = last {
            request = request.insert_header(("Last-Event-ID", last.to_string()));
        }
        let response = self.send(request).await?;
        let status = response.status();
        let content_type = response.headers().get(CONTENT_TYPE).map(|value| value.as_bytes().to_vec());
        if status == StatusCode::OK && content_type.is_some_and(|it| it.starts_with(b"text/event-stream")) {
            return Ok(response.map(|chunk| chunk.map_err(|error| error.to_string())).boxed_local());
        }
        Err(self.refusal(status, response).await)
    }

    /// The number of the newest entry of its journal; 0 if there is none, or no answer now.
    pub(super) async fn newest(&self) -> u64 {
        // Behind all entries there is none: the answer says where the next one will be.
        let page = self.json::<Page>(&format!("/journal?limit=1&since={BEHIND_ALL}")).await;
        page.map_or(0, |page| page.next)
    }

    /// The findings of its verdict; `None` when it does not answer now.
    pub(super) async fn findings(self) -> Option<Vec<Finding>> {
        self.json::<Verdict>("/verdict").await.map(|verdict| verdict.findings)
    }

    /// An answer as JSON; `None` when there is none now.
    async fn json<T: DeserializeOwned>(&self, path: &str) -> Option<T> {
        let ask = async {
            let mut response = self.get(path).send().await.ok()?;
            response.json().limit(LONGEST_JSON).await.ok()
        };
        actix_rt::time::timeout(JSON_TIMEOUT, ask).await.ok().flatten()
    }

    fn get(&self, path: &str) -> ClientRequest {
        let request = self.client.get(format!("{}{path}", self.url));
        match &self.session {
            Some(session) => request.insert_header((TEST_SESSION, session.as_str())),
            None => request,
        }
    }

    async fn send(&self, request: ClientRequest) -> Result<ClientResponse, WatchError> {
        let no_answer = |reason: String| WatchError::NoAnswer { url: self.url.clone(), reason };
        match actix_rt::time::timeout(HEAD_TIMEOUT, request.send()).await {
            Ok(answer) => answer.map_err(|error| no_answer(error.to_string())),
            Err(_) => Err(no_answer(format!("nothing within {} s", HEAD_TIMEOUT.as_secs()))),
        }
    }

    /// Why an answer is no stream.
    async fn refusal(&self, status: StatusCode, mut response: ClientResponse) -> WatchError {
        let url = self.url.clone();
        let body = actix_rt::time::timeout(HEAD_TIMEOUT, response.body()).await;
        let text = body.ok().and_then(Result::ok).map(|body| String::from_utf8_lossy(&body).into_owned());
        let says = |words: &str| text.as_deref().is_some_and(|text| text.contains(words));
        match (status, &self.session) {
            (StatusCode::NOT_FOUND, Some(session)) if says("No such session") => {
                WatchError::NoSession { url, session: session.clone() }
            }
            (StatusCode::CONFLICT, _) if says("The journal is off") => WatchError::JournalOff { url },
            _ => WatchError::WrongAnswer { url, status: status.as_u16() },
        }
    }
}
