//! The trait of a layer, which gets a request and what comes inside it.
//!
//! actix-web's own `from_fn` allocates twice for every layer of every request and looks up its arguments each time.
//! Here a layer allocates once and holds what it needs. Layers that always go together are one: `(outer, inner)` is a
//! layer, and its requests pay for one allocation.

use std::future::{Ready, ready};
use std::rc::Rc;

use actix_web::Error;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform};
use futures::FutureExt;
use futures::future::LocalBoxFuture;

/// What a service or a layer makes of a request.
pub type Answered = Result<ServiceResponse<BoxBody>, Error>;

/// A layer around a service.
pub trait Layer: 'static {
    /// Handles the request: passes it on to `inner`, or answers by itself.
    fn call(
        &self,
        request: ServiceRequest,
        inner: impl AsyncFnOnce(ServiceRequest) -> Answered,
    ) -> impl Future<Output = Answered>;
}

impl<Outer: Layer, Inner: Layer> Layer for (Outer, Inner) {
    async fn call(
        &self,
        request: ServiceRequest,
        inner: impl AsyncFnOnce(ServiceRequest) -> Answered,
    ) -> Answered {
        self.0.call(request, async |request| self.1.call(request, inner).await).await
    }
}

/// A layer that is there or not; `None` costs its requests nothing.
impl<L: Layer> Layer for Option<L> {
    async fn call(
        &self,
        request: ServiceRequest,
        inner: impl AsyncFnOnce(ServiceRequest) -> Answered,
    ) -> Answered {
        match self {
            Some(layer) => layer.call(request, inner).await,
            None => inner(request).await,
        }
    }
}

/// Adapts a [`Layer`] to what actix-web can `wrap`.
pub struct Wrap<L>(Rc<L>);

impl<L: Layer> Wrap<L> {
    /// Wraps with this layer.
    pub fn with(layer: L) -> Self {
        Self(Rc::new(layer))
    }
}

impl<S, B, L> Transform<S, ServiceRequest> for Wrap<L>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
    L: Layer,
{
    type Response = ServiceResponse<BoxBody>;
    type Error = Error;
    type Transform = Wrapped<S, L>;
    type InitError = ();
    type Future = Ready<Result<Self::Transform, ()>>;

    fn new_transform(&self, service: S) -> Self::Future {
        ready(Ok(Wrapped { parts: Rc::new((service, Rc::clone(&self.0))) }))
    }
}

/// A service and the layer around it.
pub struct Wrapped<S, L> {
    parts: Rc<(S, Rc<L>)>,
}

impl<S, B, L> Service<ServiceRequest> for Wrapped<S, L>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = Error> + 'static,
    B: MessageBody + 'static,
    L: Layer,
{
    type Response = ServiceResponse<BoxBody>;
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self::Response, Error>>;

    fn poll_ready(&self, context: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), Error>> {
        self.parts.0.poll_ready(context)
    }

    fn call(&self, request: ServiceRequest) -> Self::Future {
        let parts = Rc::clone(&self.parts);
        async move {
            let (service, layer) = &*parts;
            let inner = async |request| service.call(request).await.map(ServiceResponse::map_into_boxed_body);
            layer.call(request, inner).await
        }
        .boxed_local()
    }
}
