//! The declaration of one route: its path, its methods, its limits and its part of the OpenAPI document.

use actix_web::dev::HttpServiceFactory;
use actix_web::http::Method;
use actix_web::http::header::HeaderValue;
use actix_web::{FromRequest, Handler, Resource, Responder, web};
use utoipa::openapi::OpenApi;

use crate::error::ApiError;
use crate::middleware::concurrency::Concurrency;
use crate::middleware::layer::Wrap;
use crate::middleware::timeout::Timeout;

/// Which limits hold for a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plane {
    /// What the client under test talks to: the number of requests that are processed at once is bounded.
    Data,
    /// What the person talks to who drives the test: answered even while every slot is taken.
    Control,
}

/// One path, with a handler for each of its methods.
pub struct Route {
    path: String,
    plane: Plane,
    handlers: Vec<(Method, actix_web::Route)>,
    document: Option<OpenApi>,
}

impl Route {
    /// Declares a route by its part of the OpenAPI document, which has exactly one path.
    pub fn documented(plane: Plane, document: OpenApi) -> Self {
        let path = document.paths.paths.keys().next().cloned().unwrap_or_default();
        Self { path, plane, handlers: Vec::new(), document: Some(document) }
    }

    /// Declares a route that the OpenAPI document leaves out: the documentation itself.
    pub fn undocumented(plane: Plane, path: &str) -> Self {
        Self { path: path.to_owned(), plane, handlers: Vec::new(), document: None }
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

    fn on<F, A>(mut self, method: Method, handler: F) -> Self
    where
        F: Handler<A, Output: Responder + 'static>,
        A: FromRequest + 'static,
    {
        let route = web::method(method.clone()).to(handler);
        let limited = match self.plane {
            // Only what has a slot is limited: a refusal of another method is answered at once.
            Plane::Data => route.wrap(Wrap::with(Concurrency)),
            Plane::Control => route,
        };
        self.handlers.push((method, limited));
        self
    }

    /// The pattern of the path.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The route's part of the OpenAPI document.
    pub fn into_document(self) -> Option<OpenApi> {
        self.document
    }

    /// The methods that are answered.
    pub fn methods(&self) -> impl Iterator<Item = &Method> {
        self.handlers.iter().map(|(method, _)| method)
    }

    /// Makes the route one that actix-web can register. Every route is bounded in time.
    pub fn into_service(self) -> impl HttpServiceFactory + 'static {
        let allowed: Vec<&str> = self.methods().map(Method::as_str).collect();
        let allow =
            HeaderValue::from_str(&allowed.join(", ")).unwrap_or_else(|_| HeaderValue::from_static(""));
        let refuse = move || {
            let allow = allow.clone();
            async move { Err::<&str, _>(ApiError::MethodNotAllowed(allow)) }
        };
        let resource = self
            .handlers
            .into_iter()
            .fold(Resource::new(self.path), |resource, (_, route)| resource.route(route));
        resource.default_service(web::to(refuse)).wrap(Wrap::with(Timeout))
    }
}
