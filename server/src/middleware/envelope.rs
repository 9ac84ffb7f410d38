//! The outermost layer: whatever happens inside, the answer carries a correlation id, and an error is JSON.

use std::panic::AssertUnwindSafe;

use actix_cors::CorsError;
use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use actix_web::http::{ConnectionType, Method};
use actix_web::web::Data;
use actix_web::{Error, ResponseError};
use futures::FutureExt;
use tokio::time::Instant;
use uuid::Uuid;

use super::layer::{Answered, Layer};
use crate::connection::Exchange;
use crate::context::RequestContext;
use crate::error::{ApiError, AsIntended, detail};
use crate::headers::{self, CORRELATION_ID, Interpreted};
use crate::session::resolve::resolve;
use crate::state::AppState;

/// Attaches the [`RequestContext`] to the request, gives the answer its correlation id, and turns errors of the
/// framework into ours.
pub struct RequestEnvelope {
    /// Where the session of a request is found.
    pub state: Data<AppState>,
}

impl Layer for RequestEnvelope {
    async fn call(
        &self,
        mut request: ServiceRequest,
        inner: impl AsyncFnOnce(ServiceRequest) -> Answered,
    ) -> Answered {
        let id = Uuid::new_v4();
        let is_tunnel = request.method() == Method::CONNECT;
        let exchange = Exchange::of(request.request()).cloned();
        let now = exchange.as_ref().map_or_else(Instant::now, |exchange| exchange.came());
        if let Some(exchange) = &exchange {
            exchange.begin();
        }
        let interpreted = exchange.as_ref().map_or(Interpreted::Perhaps, |exchange| exchange.interpreted());
        let answered = match resolve(&mut request, interpreted, &self.state, now.into_std()) {
            Ok(resolved) => {
                RequestContext::attach(request.request(), exchange.as_ref(), id, resolved, now);
                inner(request).await
            }
            Err(refusal) => {
                self.state.metrics.requests.other().count(Some(refusal.status_code().as_u16()));
                Ok(request.into_response(refusal.error_response()))
            }
        };
        let result = match answered {
            Ok(response) => {
                let mut response = finish(response, id);
                // No tunnel is opened, so nothing can follow CONNECT. A server that stops announces it in each answer.
                let is_stopping = exchange.as_ref().is_some_and(|exchange| exchange.is_stopping());
                if is_tunnel || is_stopping {
                    response.response_mut().head_mut().set_connection_type(ConnectionType::Close);
                }
                Ok(response)
            }
            Err(error) => {
                let mut response = error.error_response();
                response.headers_mut().insert(CORRELATION_ID, headers::correlation_id(id));
                Err(InternalError::from_response(error, response).into())
            }
        };
        if let Some(exchange) = &exchange {
            exchange.end();
        }
        result
    }
}

/// Completes an answer. The framework's own errors have no JSON body yet; of these, a refusal by CORS says why.
fn finish(mut response: ServiceResponse<BoxBody>, id: Uuid) -> ServiceResponse<BoxBody> {
    let is_foreign = response.status().as_u16() >= 400 && !is_json(response.headers());
    if is_foreign && !response.response().extensions().contains::<AsIntended>() {
        let refused = response.response().error().and_then(|error| error.as_error::<CorsError>());
        let reason = refused.map(ToString::to_string);
        response = response.map_body(|head, _| {
            head.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
            BoxBody::new(detail(reason.as_deref().unwrap_or(head.reason())))
        });
    }
    response.headers_mut().insert(CORRELATION_ID, headers::correlation_id(id));
    response
}

/// Runs the handler of a request and turns a panic in it into an error like any other.
///
/// The state that the handler shares with others lives in actors and in values that clean up when dropped, so a
/// panic leaves it consistent.
pub(crate) async fn catching_panics<T>(work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    AssertUnwindSafe(work).catch_unwind().await.unwrap_or_else(|_| Err(ApiError::Panicked.into()))
}

fn is_json(headers: &HeaderMap) -> bool {
    headers.get(CONTENT_TYPE).is_some_and(|value| value.as_bytes().starts_with(b"application/json"))
}
