//! A call, and what its request id is good for.

use resilient_client::{ResilientClient, Response};
use serde_json::Value;

use super::{
    stage::Stage,
    story::{Broken, Story, told},
};

pub(super) async fn show(stage: &Stage) -> Result<(), Broken> {
    let client = ResilientClient::start(stage.single_attempts())?;

    Story::does("GET /msg twice; each call gets a request id of its own");
    let (one, other) = (client.get("/msg").send().await?, client.get("/msg").send().await?);
    let (first, second) = (message_id(&one)?, message_id(&other)?);
    Story::saw(format!("message {first}, {}, request id {}", told(one.attempts()), one.request_id()));
    Story::saw(format!("message {second}, {}, request id {}", told(other.attempts()), other.request_id()));
    Story::check("two calls are two messages", first != second && one.request_id() != other.request_id())?;

    let id = one.request_id();
    Story::does(format!("GET /msg once more with the first request id, {id}"));
    let again = client.get("/msg").request_id(id).send().await?;
    let replayed = again.headers().get("idempotent-replayed").unwrap_or("not said");
    Story::saw(format!("message {}, replayed: {replayed}", message_id(&again)?));
    Story::check("a repeated call is one message", message_id(&again)? == first)?;

    client.close().await;
    Ok(())
}

fn message_id(reply: &Response) -> Result<String, Broken> {
    let body: Value = reply.json()?;
    let id = body["message_id"].as_str().map(str::to_owned);
    id.ok_or_else(|| Broken::new(format!("GET /msg answers without a message_id: {body}")))
}
