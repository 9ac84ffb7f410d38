//! The declaration of one route: its path, its methods, its limits and its part of the OpenAPI document.

use std::rc::Rc;

use actix_web::dev::{HttpServiceFactory, ServiceRequest, fn_service};
use actix_web::http::Method;
use actix_web::http::header::HeaderValue;
use actix_web::{FromRequest, Handler, Responder, web};
use utoipa::openapi::OpenApi;

use super::handler::{AnyHandler, erase};
use crate::error::ApiError;
use crate::metrics::{Count, RouteCounter};
use crate::middleware::layer::{Answered, Layer};
use crate::middleware::timeout::{Bounded, Timeout};

/// Which limits hold for a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plane {
    /// Called by the client under test: the number of requests that are processed at once is bounded.
    Data,
    /// Called by the test itself: answered even while every slot is taken.
    Control,
}

/// One path, with a handler for each of its methods.
pub struct Route {
    path: String,
    plane: Plane,
    handlers: Vec<(Method, AnyHandler)>,
    any: Option<AnyHandler>,
    body: Body,
    document: Option<Documented>,
}

/// A route's part of the OpenAPI document, which is made when the document is asked for.
struct Documented {
    path: &'static str,
    make: fn() -> OpenApi,
}

/// What a route does with the body of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Body {
    /// It is read and ignored before the handler runs.
    Ignored,
    /// The handler reads it.
    Read,
}

impl Route {
    /// Declares a route and its part of the OpenAPI document, which has exactly this path.
    pub fn documented(plane: Plane, path: &'static str, make: fn() -> OpenApi) -> Self {
        Self { document: Some(Documented { path, make }), ..Self::undocumented(plane, path) }
    }

    /// Declares a route that the OpenAPI document leaves out: the documentation itself.
    pub fn undocumented(plane: Plane, path: &str) -> Self {
        Self {
            path: path.to_owned(),
            plane,
            handlers: Vec::new(),
            any: None,
            body: Body::Ignored,
            document: None,
        }
    }

    /// Answers GET.
    pub fn get<F, A>(self, handler: F) -> Self
    where
        F: Handler<A, Output: Responder + 'static>,
        A: FromRequest + 'static,
    {
        self.on(Method::GET, handler)
    }

    /// Answers GET, and HEAD with the same head and no body.
    pub fn get_and_head<F, A>(self, handler: F) -> Self
    where
        F: Handler<A, Output: Responder + 'static>,
        A: FromRequest + 'static,
    {
        self.on(Method::GET, handler.clone()).on(Method::HEAD, handler)
    }

    /// Answers POST.
    pub fn post<F, A>(self, handler: F) -> Self
    where
        F: Handler<A, Output: Responder + 'static>,
        A: FromRequest + 'static,
    {
        self.on(Method::POST, handler)
    }

    /// Answers PUT.
    pub fn put<F, A>(self, handler: F) -> Self
    where
        F: Handler<A, Output: Responder + 'static>,
        A: FromRequest + 'static,
    {
        self.on(Method::PUT, handler)
    }

    /// Answers DELETE.
    pub fn delete<F, A>(self, handler: F) -> Self
    where
        F: Handler<A, Output: Responder + 'static>,
        A: FromRequest + 'static,
    {
        self.on(Method::DELETE, handler)
    }

    /// Answers every method.
    pub fn any<F, A>(mut self, handler: F) -> Self
    where
        F: Handler<A, Output: Responder + 'static>,
        A: FromRequest + 'static,
    {
        self.any = Some(erase(handler));
        self
    }

    /// Matches this pattern of actix-web instead of the path in the document.
    pub fn matching(mut self, pattern: &str) -> Self {
        pattern.clone_into(&mut self.path);
        self
    }

    /// Leaves the body of a request to the handler.
    pub fn reading_bodies(mut self) -> Self {
        self.body = Body::Read;
        self
    }

    fn on<F, A>(mut self, method: Method, handler: F) -> Self
    where
        F: Handler<A, Output: Responder + 'static>,
        A: FromRequest + 'static,
    {
        self.handlers.push((method, erase(handler)));
        self
    }

    /// Whether every method is answered.
    pub fn answers_any_method(&self) -> bool {
        self.any.is_some()
    }

    /// The path in the OpenAPI document; empty for a route that it leaves out.
    pub fn documented_path(&self) -> &str {
        self.document.as_ref().map_or("", |document| document.path)
    }

    /// The path as people write it: as in the OpenAPI document, else its pattern.
    pub fn name(&self) -> &str {
        self.document.as_ref().map_or(&self.path, |document| document.path)
    }

    /// The pattern of the path.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The route's part of the OpenAPI document.
    pub fn into_document(self) -> Option<OpenApi> {
        self.document.map(|document| (document.make)())
    }

    /// The methods that are answered.
    pub fn methods(&self) -> impl Iterator<Item = &Method> {
        self.handlers.iter().map(|(method, _)| method)
    }

    /// Makes the route one that actix-web can register. Every route is bounded in time, and its
    /// requests are counted.
    pub fn into_service(self, counter: RouteCounter) -> impl HttpServiceFactory + 'static {
        let bounded = match (self.plane, self.body) {
            (Plane::Data, _) => Bounded::WorkInSession,
            (Plane::Control, Body::Read) => Bounded::Work,
            (Plane::Control, Body::Ignored) => Bounded::BodyAndWork,
        };
        let path = self.path.clone();
        let parts = Rc::new(((Count(counter), Timeout(bounded)), self));
        let serve = move |request| {
            let parts = Rc::clone(&parts);
            async move { parts.0.call(request, async |request| parts.1.answer(request).await).await }
        };
        web::service(&path).finish(fn_service(serve))
    }

    /// Has the handler of the request's method answer it.
    async fn answer(&self, request: ServiceRequest) -> Answered {
        let own = self.handlers.iter().find(|(method, _)| method == request.method());
        match own.map(|(_, handler)| handler).or(self.any.as_ref()) {
            Some(handler) => Ok(handler(request).await),
            None => Err(ApiError::MethodNotAllowed(self.allowed()).into()),
        }
    }

    /// The methods that are answered, for the header `Allow`.
    fn allowed(&self) -> HeaderValue {
        let methods: Vec<&str> = self.methods().map(Method::as_str).collect();
        // A list of methods is a valid value.
        HeaderValue::from_str(&methods.join(", ")).unwrap_or_else(|_| HeaderValue::from_static(""))
    }
}
