//! A request as the matchers of a plan see it.

use actix_web::HttpRequest;
use actix_web::http::header::HeaderName;
use resilience_actors::fault::Request;

use crate::query;

/// The facts of a request.
pub(super) struct Facts<'a> {
    request: &'a HttpRequest,
    key: Option<&'a str>,
}

impl<'a> Facts<'a> {
    /// The facts of a request with this key.
    #[must_use]
    pub(super) fn new(request: &'a HttpRequest, key: Option<&'a str>) -> Self {
        Self { request, key }
    }
}

impl Request for Facts<'_> {
    fn method(&self) -> &str {
        self.request.method().as_str()
    }

    fn path(&self) -> &str {
        self.request.uri().path()
    }

    fn key(&self) -> Option<&str> {
        self.key
    }

    fn any_header(&self, name: &str, holds: &mut dyn FnMut(&str) -> bool) -> bool {
        let Ok(name) = HeaderName::from_bytes(name.as_bytes()) else { return false };
        let mut values = self.request.headers().get_all(name);
        values.any(|value| holds(&String::from_utf8_lossy(value.as_bytes())))
    }

    fn any_query(&self, name: &str, holds: &mut dyn FnMut(&str) -> bool) -> bool {
        query::values(self.request.query_string(), name).any(|value| holds(&value))
    }
}
