//! Ordinary HTTP requests to the test server, and checks of what every answer must have.

use std::time::Duration;

use reqwest::{Client, RequestBuilder, header::HeaderMap, redirect};
use serde_json::Value;
use uuid::{Uuid, Version};

use crate::guard::within;

/// Returns a client with its own connections that follows no redirects and uses no proxy.
pub fn client() -> Client {
    let client = Client::builder().no_proxy().redirect(redirect::Policy::none());
    client.pool_idle_timeout(Duration::from_secs(600)).build().expect("a client without TLS can be built")
}

/// An answer with its whole body.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as text.
    pub text: String,
    /// The body as JSON; `Null` when it is not JSON.
    pub body: Value,
}

/// Sends `request` and reads its answer.
///
/// # Panics
/// When there is no answer, or no correlation id in it.
pub async fn answer(request: RequestBuilder) -> Answer {
    let exchange = async {
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await?;
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        Ok::<_, reqwest::Error>(Answer { status, headers, text, body })
    };
    match within("an answer", exchange).await {
        Ok(answer) => {
            answer.correlation_id();
            answer
        }
        Err(error) => panic!("no answer: {error:?}"),
    }
}

impl Answer {
    /// Returns the value of header `name`; `None` when it is missing.
    ///
    /// # Panics
    /// When the header is there twice, or is not text.
    pub fn header(&self, name: &str) -> Option<&str> {
        let values: Vec<_> = self.headers.get_all(name).iter().collect();
        assert!(values.len() <= 1, "{name} more than once: {self:#?}");
        values.first().map(|value| value.to_str().expect("a header of ours is text"))
    }

    /// Returns the correlation id, which every answer has.
    ///
    /// # Panics
    /// When it is missing or is not a UUID of version 4.
    pub fn correlation_id(&self) -> Uuid {
        uuid_v4(self.header("X-Correlation-ID").unwrap_or_default())
    }

    /// Returns the message id of a success.
    ///
    /// # Panics
    /// When the answer is not a success with a message id.
    pub fn message_id(&self) -> Uuid {
        assert_eq!(self.status, 200, "{self:#?}");
        uuid_v4(self.body["message_id"].as_str().unwrap_or_default())
    }

    /// Returns whether the answer is marked as a replay.
    ///
    /// # Panics
    /// When the header has a value other than `true`.
    pub fn is_replayed(&self) -> bool {
        match self.header("Idempotent-Replayed") {
            None => false,
            Some("true") => true,
            Some(other) => panic!("Idempotent-Replayed: {other}"),
        }
    }

    /// Asserts the status and the whole body.
    #[track_caller]
    pub fn assert_is(&self, status: u16, body: &Value) {
        assert_eq!((self.status, &self.body), (status, body), "{self:#?}");
        assert!(self.header("Content-Type").unwrap_or_default().starts_with("application/json"), "{self:#?}");
    }
}

/// Reads a UUID and checks its version and its spelling.
///
/// # Panics
/// When it is not a UUID of version 4 in lower case with hyphens.
#[track_caller]
pub fn uuid_v4(text: &str) -> Uuid {
    let uuid = Uuid::parse_str(text).unwrap_or_else(|error| panic!("{text:?} is no UUID: {error}"));
    assert_eq!(uuid.get_version(), Some(Version::Random), "{text}");
    assert_eq!(uuid.hyphenated().to_string(), text);
    uuid
}
