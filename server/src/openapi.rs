//! The OpenAPI 3.1 document: what the routes take and what they answer.
//!
//! The annotations stand here and not on the handlers, so that a handler's file says only what it does.
#![expect(dead_code, reason = "the items below are read by the derive alone")]

use serde_json::{Value as Json, json};
use utoipa::openapi::OpenApi as Document;
use utoipa::{IntoParams, OpenApi, ToSchema};

use crate::routes::failure::{CountArmed, DurationArmed, Reset, Status};
use crate::routes::health::Health;
use crate::routes::message::Message;

/// The document as JSON text.
#[must_use]
pub fn document() -> String {
    let document: Document = Api::openapi();
    let mut document = serde_json::to_value(document).unwrap_or_default();
    say_what_holds_everywhere(&mut document);
    serde_json::to_string_pretty(&document).unwrap_or_default()
}

/// What every route answers to a request that breaks the rules of HTTP, and the correlation id that every answer has.
/// Said here once: the derive would need it at each route, and cannot say that a header is always there.
fn say_what_holds_everywhere(document: &mut Json) {
    let paths = document["paths"].as_object_mut().into_iter().flat_map(serde_json::Map::values_mut);
    let operations = paths.filter_map(Json::as_object_mut).flat_map(serde_json::Map::values_mut);
    for answers in operations.filter_map(|operation| operation["responses"].as_object_mut()) {
        let malformed = json!({
            "description": "The request breaks the rules of HTTP",
            "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Problem" } } },
        });
        answers.insert("400".to_owned(), malformed);
        for answer in answers.values_mut() {
            answer["headers"]["X-Correlation-ID"] = json!({
                "description": "Names this request in the server's log",
                "required": true,
                "schema": { "type": "string", "format": "uuid" },
            });
        }
    }
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Test server",
        description = "An HTTP server that misbehaves on command: it fails by count or by duration, delays, \
                       limits concurrency, times out and answers idempotently, so that you can test your client.",
        license(name = "MIT", identifier = "MIT")
    ),
    paths(message, fail_count, fail_duration, fail_reset, fail_status, health),
    components(schemas(Problem, ValidationProblem)),
    tags(
        (name = "message", description = "What your client is pointed at"),
        (name = "failure", description = "How you make it fail"),
        (name = "health", description = "Whether it is there")
    )
)]
struct Api;

/// What every error but a validation error looks like.
#[derive(ToSchema)]
struct Problem {
    /// What went wrong.
    detail: String,
}

/// One entry for every value that does not parse or is out of range.
#[derive(ToSchema)]
struct ValidationProblem {
    detail: Vec<ValidationFault>,
}

/// One thing that is wrong with a request.
#[derive(ToSchema)]
struct ValidationFault {
    /// Which rule is broken.
    #[schema(example = "int_parsing")]
    r#type: String,
    /// Where: `path`, `query` or `header`, and the name.
    loc: Vec<String>,
    /// The rule in words.
    msg: String,
    /// What was sent.
    input: String,
    /// The rule's parameter, if it has one.
    #[schema(nullable = false)]
    ctx: Option<std::collections::HashMap<String, Json>>,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
struct MessageQuery {
    /// Milliseconds to wait before a new answer is made.
    #[param(required = false, minimum = 0, maximum = 30000)]
    delay: u32,
}

#[derive(IntoParams)]
#[into_params(parameter_in = Header)]
struct MessageHeaders {
    /// Idempotency key; requests with the same key get the same answer. Empty means none.
    #[param(rename = "X-Request-ID", required = false, max_length = 255, pattern = "^[!-~]*$")]
    key: String,
}

/// Get a message
///
/// Answers with a new UUID; with the UUID of an earlier request that had the same `X-Request-ID`; or with a 500
/// while a failure is due, which comes before the stored answer and leaves it where it is.
#[utoipa::path(
    get,
    path = "/msg",
    tag = "message",
    params(MessageQuery, MessageHeaders),
    responses(
        (status = 200, description = "A message", body = Message, headers(
            ("Idempotent-Replayed" = String,
                description = "`true` when the answer was made for another request with this key"),
        )),
        (status = 408, description = "The request took longer than it may", body = Problem),
        (status = 413, description = "A large body came with the request", body = Problem),
        (status = 422, description = "A value does not parse or is out of range", body = ValidationProblem),
        (status = 500, description = "An induced failure", body = Problem),
    )
)]
fn message() {}

/// Let the next requests fail
///
/// Exactly this many of the following requests to `/msg` are answered with a 500.
#[utoipa::path(
    post,
    path = "/fail/count/{count}",
    tag = "failure",
    params(("count" = u32, Path, minimum = 0, maximum = 1000, description = "How many; 0 ends this mode")),
    responses(
        (status = 200, description = "Armed", body = CountArmed),
        (status = 408, description = "The request took longer than it may", body = Problem),
        (status = 413, description = "A large body came with the request", body = Problem),
        (status = 422, description = "The count does not parse or is out of range", body = ValidationProblem),
    )
)]
fn fail_count() {}

/// Let every request fail for a while
#[utoipa::path(
    post,
    path = "/fail/duration/{seconds}",
    tag = "failure",
    params(("seconds" = u32, Path, minimum = 0, maximum = 3600, description = "How long; 0 ends this mode")),
    responses(
        (status = 200, description = "Armed", body = DurationArmed),
        (status = 408, description = "The request took longer than it may", body = Problem),
        (status = 413, description = "A large body came with the request", body = Problem),
        (status = 422, description = "The duration does not parse or is out of range", body = ValidationProblem),
    )
)]
fn fail_duration() {}

/// End all failure modes
#[utoipa::path(
    post,
    path = "/fail/reset",
    tag = "failure",
    responses(
        (status = 200, description = "Nothing fails any more", body = Reset),
        (status = 408, description = "The request took longer than it may", body = Problem),
        (status = 413, description = "A large body came with the request", body = Problem),
    )
)]
fn fail_reset() {}

/// Tell what is armed
#[utoipa::path(
    get,
    path = "/fail/status",
    tag = "failure",
    responses(
        (status = 200, description = "What is armed now", body = Status),
        (status = 408, description = "The request took longer than it may", body = Problem),
        (status = 413, description = "A large body came with the request", body = Problem),
    )
)]
fn fail_status() {}

/// Tell whether the server works
#[utoipa::path(
    get,
    path = "/health",
    tag = "health",
    responses(
        (status = 200, description = "It does", body = Health),
        (status = 408, description = "The request took longer than it may", body = Problem),
        (status = 413, description = "A large body came with the request", body = Problem),
    )
)]
fn health() {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_is_openapi_3_1_and_lists_every_route_with_its_method() {
        let document: Json = serde_json::from_str(&document()).unwrap();
        assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
        for (path, method) in [
            ("/msg", "get"),
            ("/fail/count/{count}", "post"),
            ("/fail/duration/{seconds}", "post"),
            ("/fail/reset", "post"),
            ("/fail/status", "get"),
            ("/health", "get"),
        ] {
            let operation = &document["paths"][path][method];
            assert!(operation.is_object(), "{method} {path} is missing");
            for (status, answer) in operation["responses"].as_object().unwrap() {
                let header = &answer["headers"]["X-Correlation-ID"];
                assert_eq!(header["required"], true, "{method} {path} {status}");
            }
        }
    }
}
