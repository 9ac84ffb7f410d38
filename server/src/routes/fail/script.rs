//! `POST /fail/script/{script}`: a script of faults in one line.

use std::sync::Arc;

use actix_web::HttpRequest;
use actix_web::web::Json;
use log::info;
use serde::Serialize;
use serde_json::json;
use utoipa::{OpenApi, ToSchema};

use crate::context::{CurrentSession, RequestContext};
use crate::error::ApiError;
use crate::fault::read_script;
use crate::logging::FAULT;
use crate::routes::{Plane, Route};
use crate::validation::HttpValidationError;

#[derive(OpenApi)]
#[openapi(paths(set_fault_script))]
struct Document;

/// The route.
pub fn route() -> Route {
    Route::documented(Plane::Control, "/fail/script/{script}", Document::openapi).post(set_fault_script)
}

/// The script is in force.
#[derive(Debug, Serialize, ToSchema)]
struct ScriptSet {
    message: String,
    /// The steps in their short forms.
    script: Vec<String>,
}

/// Run a script of faults once
///
/// The next requests, on every path, get these steps one after the other, in place of the plan.
#[utoipa::path(
    post,
    path = "/fail/script/{script}",
    tag = "failure-injection",
    params(("script" = String, Path, description = "Steps in their short forms, separated by commas",
        example = "503,429,reset,ok")),
    responses(
        (status = 200, description = "The script is in force", body = ScriptSet),
        (status = 422, description = "A step cannot be read", body = HttpValidationError),
    )
)]
async fn set_fault_script(
    session: CurrentSession,
    request: HttpRequest,
) -> Result<Json<ScriptSet>, ApiError> {
    let raw = request.match_info().get("script").unwrap_or_default();
    let text = percent_encoding::percent_decode_str(raw).decode_utf8_lossy();
    let rules = read_script(&text)?;
    let script: Vec<String> = text.split(',').map(|step| step.trim().to_owned()).collect();
    let source = json!({ "rules": [{ "script": script }] }).to_string();
    session.faults.replace(Arc::new(rules.into_rules(session.seed, source))).await?;
    info!(
        target: FAULT, correlation_id:% = RequestContext::correlation_id(&request), script = text.as_ref();
        "Fault script set"
    );
    let message = format!("The next {} requests get the steps of the script", script.len());
    Ok(Json(ScriptSet { message, script }))
}
