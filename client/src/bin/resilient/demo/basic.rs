//! A call, and the same call repeated with its request id.

use resilient_client::{ResilientClient, Response};
use serde_json::Value;

use super::{
    server::Server,
    transcript::{self, NotHeld, describe},
};

pub(super) async fn show(server: &Server) -> Result<(), NotHeld> {
    let client = ResilientClient::start(server.single_attempts())?;

    transcript::step("GET /msg twice; each call gets a request id of its own");
    let (one, other) = (client.get("/msg").send().await?, client.get("/msg").send().await?);
    let (first, second) = (message_id(&one)?, message_id(&other)?);
    transcript::saw(format!(
        "message {first}, {}, request id {}",
        describe(one.attempts()),
        one.request_id()
    ));
    transcript::saw(format!(
        "message {second}, {}, request id {}",
        describe(other.attempts()),
        other.request_id()
    ));
    transcript::check(
        "two calls are two messages",
        first != second && one.request_id() != other.request_id(),
    )?;

    let id = one.request_id();
    transcript::step(format!("GET /msg once more with the first request id, {id}"));
    let again = client.get("/msg").request_id(id).send().await?;
    let replayed = again.headers().get("idempotent-replayed").unwrap_or("no");
    transcript::saw(format!("message {}, replayed: {replayed}", message_id(&again)?));
    transcript::check("a repeated call is one message", message_id(&again)? == first)?;

    client.close().await;
    Ok(())
}

fn message_id(reply: &Response) -> Result<String, NotHeld> {
    let body: Value = reply.json()?;
    let id = body["message_id"].as_str().map(str::to_owned);
    id.ok_or_else(|| NotHeld::new(format!("GET /msg answers without a message_id: {body}")))
}
