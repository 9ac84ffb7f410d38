//! The OpenAPI 3.1 document, put together from what each route declares.

use serde_json::{Value as Json, json};
use utoipa::OpenApi;
use utoipa::openapi::{OpenApi as Document, Server};

use crate::error::ErrorBody;
use crate::routes;

/// What the document says besides its routes.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Test server",
        description = "An HTTP server that misbehaves on command: it fails by count or by duration, delays, \
                       limits concurrency, times out and answers idempotently, so that you can test your client.",
        license(name = "MIT", identifier = "MIT")
    ),
    components(schemas(ErrorBody)),
    tags((name = "failure-injection", description = "Makes requests to `/msg` fail"))
)]
struct Frame;

/// Where the server is, relative to the document. It holds behind a path prefix of a reverse proxy.
const SERVER: &str = ".";

/// The document as JSON text.
#[must_use]
pub fn document() -> String {
    let mut document = Frame::openapi();
    document.servers = Some(vec![Server::new(SERVER)]);
    routes::api().into_iter().filter_map(routes::Route::into_document).for_each(|part| document.merge(part));
    serde_json::to_string_pretty(&complete(&document)).unwrap_or_default()
}

/// Adds what holds for every operation.
fn complete(document: &Document) -> Json {
    let mut document = serde_json::to_value(document).unwrap_or_default();
    let paths = document["paths"].as_object_mut().into_iter().flatten();
    for (path, item) in paths {
        for (method, operation) in item.as_object_mut().into_iter().flatten() {
            let function = operation["operationId"].as_str().unwrap_or_default();
            operation["operationId"] = operation_id(function, path, method).into();
            if let Some(operation) = operation.as_object_mut() {
                // FastAPI leaves the field out, too, where there is no tag.
                operation.retain(|name, value| name != "tags" || *value != json!([]));
            }
            complete_responses(&mut operation["responses"]);
        }
    }
    document
}

/// The id that FastAPI generates for the function that handles an operation. Generated clients name their own
/// functions after it.
fn operation_id(function: &str, path: &str, method: &str) -> String {
    let id = format!("{function}{path}_{method}");
    id.chars().map(|c| if c.is_alphanumeric() { c } else { '_' }).collect()
}

/// Adds the answers that every route gives, and the header that every answer has.
fn complete_responses(responses: &mut Json) {
    let refusals = [
        ("400", "The request breaks the rules of HTTP"),
        ("408", "The request timeout has passed"),
        ("413", "The body is too large"),
    ];
    for (status, description) in refusals {
        responses[status] = json!({
            "description": description,
            "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Problem" } } },
        });
    }
    for response in responses.as_object_mut().into_iter().flat_map(serde_json::Map::values_mut) {
        response["headers"]["X-Correlation-ID"] = json!({
            "description": "The id of this request in the server's log",
            "required": true,
            "schema": { "type": "string", "format": "uuid" },
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_is_openapi_3_1_and_every_answer_has_a_correlation_id() {
        let document: Json = serde_json::from_str(&document()).unwrap();
        assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
        let paths = document["paths"].as_object().unwrap();
        assert_eq!(paths.len(), routes::api().len());
        for operation in paths.values().flat_map(|path| path.as_object().unwrap().values()) {
            for answer in operation["responses"].as_object().unwrap().values() {
                assert_eq!(answer["headers"]["X-Correlation-ID"]["required"], true, "{operation}");
            }
        }
    }

    #[test]
    fn operation_ids_follow_the_rule_of_fastapi() {
        assert_eq!(operation_id("get_message", "/msg", "get"), "get_message_msg_get");
        assert_eq!(
            operation_id("set_failure_count", "/fail/count/{count}", "post"),
            "set_failure_count_fail_count__count__post"
        );
    }
}
