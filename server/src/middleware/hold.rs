//! Holds an answer back for as long as a fault says. It lies outside the request timeout, which does not cut a hang.

use actix_web::Error;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Service, ServiceRequest, ServiceResponse};

use super::layer::Layer;
use crate::context::RequestContext;

/// Waits for what a handler has put into the [`RequestContext`] with [`hold`](RequestContext::hold). A client that
/// leaves ends the wait.
pub struct Hold;

impl Layer for Hold {
    async fn call<S, B>(&self, request: ServiceRequest, inner: &S) -> Result<ServiceResponse<BoxBody>, Error>
    where
        S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error>,
        B: MessageBody + 'static,
    {
        let response = inner.call(request).await?.map_into_boxed_body();
        if let Some(held) = RequestContext::take_held(response.request()) {
            held.await;
        }
        Ok(response)
    }
}
