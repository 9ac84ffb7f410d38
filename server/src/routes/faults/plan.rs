//! `/faults`: puts, reports and ends the fault plan of a session.

use std::sync::Arc;

use actix_web::web::{Json, Payload};
use actix_web::{HttpRequest, HttpResponse};
use log::info;
use serde::Serialize;
use serde_json::Value;
use utoipa::{OpenApi, ToSchema};

use crate::body;
use crate::context::{CurrentSession, RequestContext};
use crate::error::ApiError;
use crate::fault::read_plan;
use crate::json::Problems;
use crate::logging::FAULT;
use crate::routes::{Plane, Route};
use crate::validation::HttpValidationError;

#[derive(OpenApi)]
#[openapi(paths(set_faults, get_faults, delete_faults))]
struct Document;

/// The route.
pub fn route() -> Route {
    Route::documented(Plane::Control, "/faults", Document::openapi)
        .reading_bodies()
        .get(get_faults)
        .put(set_faults)
        .delete(delete_faults)
}

/// The plan and how far it has come.
#[derive(Debug, Serialize, ToSchema)]
struct FaultReport {
    /// The plan as it was put; null without one.
    #[schema(value_type = Option<Object>, required = true)]
    plan: Option<Value>,
    /// One entry for each rule.
    rules: Vec<RuleReport>,
    /// Keys that began at their first step again because there were too many of them.
    forgotten_keys: u64,
}

/// How often a rule has matched and injected.
#[derive(Debug, Serialize, ToSchema)]
struct RuleReport {
    /// The name of the rule, if it has one.
    #[schema(required = true)]
    name: Option<String>,
    /// Requests for which the rule held.
    matched: u64,
    /// Those of them that it gave a fault or a delay.
    injected: u64,
}

/// Put a fault plan in force
///
/// It replaces the plan that there is, and begins anew even if it is the same. A plan that cannot be read changes
/// nothing.
#[utoipa::path(
    put,
    path = "/faults",
    tag = "failure-injection",
    request_body(content = Object, description = "The plan, up to 256 KiB, whatever the content type"),
    responses(
        (status = 200, description = "The plan is in force", body = FaultReport),
        (status = 422, description = "The plan cannot be read; every place is named", body = HttpValidationError),
    )
)]
async fn set_faults(
    session: CurrentSession,
    request: HttpRequest,
    mut payload: Payload,
) -> Result<Json<FaultReport>, ApiError> {
    let body = body::read(&request, &mut payload, body::JSON).await?;
    let (rules, source) = Problems::read(&body, read_plan)?;
    let count = rules.rules.len();
    session.faults.replace(Arc::new(rules.into_rules(session.seed, source))).await?;
    info!(
        target: FAULT, correlation_id:% = RequestContext::correlation_id(&request), rules = count;
        "Fault plan set"
    );
    report(&session).await
}

/// Report the fault plan
#[utoipa::path(
    get,
    path = "/faults",
    tag = "failure-injection",
    responses((status = 200, description = "The plan and how far it has come", body = FaultReport))
)]
async fn get_faults(session: CurrentSession, mut payload: Payload) -> Result<Json<FaultReport>, ApiError> {
    body::ignore(&mut payload, body::IGNORED).await?;
    report(&session).await
}

/// End the fault plan
#[utoipa::path(
    delete,
    path = "/faults",
    tag = "failure-injection",
    responses((status = 204, description = "There is no plan any more"))
)]
async fn delete_faults(
    session: CurrentSession,
    request: HttpRequest,
    mut payload: Payload,
) -> Result<HttpResponse, ApiError> {
    body::ignore(&mut payload, body::IGNORED).await?;
    session.faults.clear().await?;
    info!(target: FAULT, correlation_id:% = RequestContext::correlation_id(&request); "Fault plan ended");
    Ok(HttpResponse::NoContent().finish())
}

async fn report(session: &CurrentSession) -> Result<Json<FaultReport>, ApiError> {
    let Some(report) = session.faults.report().await? else {
        return Ok(Json(FaultReport { plan: None, rules: Vec::new(), forgotten_keys: 0 }));
    };
    let counts = report.rules.rules.iter().zip(report.status.rules);
    let rules = counts.map(|(rule, status)| RuleReport {
        name: rule.name.clone(),
        matched: status.matched,
        injected: status.injected,
    });
    Ok(Json(FaultReport {
        plan: serde_json::from_str(&report.rules.source).ok(),
        rules: rules.collect(),
        forgotten_keys: report.status.forgotten_keys,
    }))
}
