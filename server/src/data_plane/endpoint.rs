//! The endpoints of the data plane and their answers.

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, HeaderValue};
use actix_web::{HttpRequest, HttpResponse};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::body;
use crate::headers::REPLAYED;

/// The endpoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endpoint {
    /// `/msg`.
    Message,
    /// `/echo` and what is below it.
    Echo,
    /// A path of the upstream.
    Upstream,
    /// A path that no route has: it is answered with a 404 unless a fault concerns it.
    Unknown,
}

/// Whether an answer was made before, or for another request with the same key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Replay {
    /// It was.
    Yes,
    /// It is new.
    No,
}

/// A message, known by its id.
#[derive(Debug, Serialize, ToSchema)]
pub struct Message {
    /// A UUID of version 4, new unless the answer is replayed.
    message_id: Uuid,
}

/// The request as the server has read it.
#[derive(Debug, Serialize, ToSchema)]
pub struct Echo {
    /// A UUID of version 4, new unless the answer is replayed.
    message_id: Uuid,
    /// The method.
    method: String,
    /// The path as it was sent, without the prefix of a session.
    path: String,
    /// The query as it was sent, without the question mark.
    query: String,
    /// The headers, their names in lower case; repeated ones are joined by `, `.
    #[schema(value_type = std::collections::HashMap<String, String>)]
    headers: Map<String, Value>,
    /// The body, if it is UTF-8; empty without a body.
    #[schema(required = true)]
    body: Option<String>,
    /// The body in Base64, if it is not UTF-8.
    #[schema(required = true)]
    body_base64: Option<String>,
}

impl Endpoint {
    /// How large the body of a request may be.
    pub(super) fn body_limit(self) -> usize {
        match self {
            Self::Message | Self::Unknown => body::IGNORED,
            Self::Echo => body::ECHO,
            Self::Upstream => body::DRAINED,
        }
    }

    /// The answer to a request that has been executed.
    pub(super) fn answer(
        self,
        request: &HttpRequest,
        body: &[u8],
        message_id: Uuid,
        replay: Replay,
    ) -> HttpResponse {
        let mut answer = match self {
            Self::Echo => HttpResponse::Ok().json(Echo::of(request, body, message_id)),
            Self::Message | Self::Unknown | Self::Upstream => Message { message_id }.into_answer(),
        };
        if replay == Replay::Yes {
            answer.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
        }
        answer
    }
}

impl Message {
    /// The message as an answer. Most requests pay for this one, so it does without a serializer, which would look for
    /// what to escape, and without a builder.
    fn into_answer(self) -> HttpResponse {
        let mut answer = HttpResponse::with_body(StatusCode::OK, BoxBody::new(self.to_json()));
        answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        answer
    }

    fn to_json(&self) -> String {
        let mut id = Uuid::encode_buffer();
        ["{\"message_id\":\"", self.message_id.as_hyphenated().encode_lower(&mut id), "\"}"].concat()
    }
}

impl Echo {
    fn of(request: &HttpRequest, body: &[u8], message_id: Uuid) -> Self {
        let text = std::str::from_utf8(body).ok().map(str::to_owned);
        let body_base64 = if text.is_none() { Some(STANDARD.encode(body)) } else { None };
        Self {
            message_id,
            method: request.method().to_string(),
            path: request.uri().path().to_owned(),
            query: request.query_string().to_owned(),
            headers: headers(request),
            body: text,
            body_base64,
        }
    }
}

fn headers(request: &HttpRequest) -> Map<String, Value> {
    let mut headers = Map::new();
    for name in request.headers().keys() {
        let values: Vec<_> =
            request.headers().get_all(name).map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
        headers.insert(name.as_str().to_owned(), values.join(", ").into());
    }
    headers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_the_json_that_a_serializer_makes() {
        for message_id in [Uuid::nil(), Uuid::max(), Uuid::new_v4()] {
            let message = Message { message_id };
            assert_eq!(message.to_json(), serde_json::to_string(&message).unwrap());
        }
    }
}
