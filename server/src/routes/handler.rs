//! A handler as a route keeps it: whatever it takes and returns, it is a function from a request to an answer.

use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::{FromRequest, Handler, HttpResponse, Responder};
use futures::future::LocalBoxFuture;

/// A handler, with what it takes from a request and how its result becomes an answer.
pub(super) type AnyHandler = Box<dyn Fn(ServiceRequest) -> LocalBoxFuture<'static, ServiceResponse>>;

/// Makes a handler one for any request. A request costs one allocation; with a resource of actix-web, whose routes,
/// guards and layers are services each, it costs four.
pub(super) fn erase<F, A>(handler: F) -> AnyHandler
where
    F: Handler<A, Output: Responder + 'static>,
    A: FromRequest + 'static,
{
    Box::new(move |request| {
        let handler = handler.clone();
        Box::pin(async move {
            let (request, mut payload) = request.into_parts();
            let answer = match A::from_request(&request, &mut payload).await {
                Ok(arguments) => handler.call(arguments).await.respond_to(&request).map_into_boxed_body(),
                Err(error) => HttpResponse::from_error(error),
            };
            ServiceResponse::new(request, answer)
        })
    })
}
