//! The answer to a preflight for an extension method (RFC 9110, 16.1), such as `PURGE`.
//!
//! actix-cors lists the methods that it allows, and refuses every other one. This layer around it asks for `GET`
//! instead, so that origin and headers are checked as for any request, and adds the method to the list.

use actix_web::dev::ServiceRequest;
use actix_web::http::Method;
use actix_web::http::header::{ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_REQUEST_METHOD, HeaderValue};

use super::layer::{Answered, Layer};

/// Lets a preflight ask for any method.
pub struct AnyMethod;

impl Layer for AnyMethod {
    async fn call(
        &self,
        mut request: ServiceRequest,
        inner: impl AsyncFnOnce(ServiceRequest) -> Answered,
    ) -> Answered {
        let Some(method) = extension_method(&request) else {
            return inner(request).await;
        };
        let placeholder = HeaderValue::from_static("GET");
        request.headers_mut().insert(ACCESS_CONTROL_REQUEST_METHOD, placeholder);
        let mut response = inner(request).await?;
        if let Some(allowed) = response.headers_mut().get_mut(ACCESS_CONTROL_ALLOW_METHODS) {
            let list = [allowed.as_bytes(), b", ", method.as_str().as_bytes()].concat();
            // A list of methods is a valid value.
            if let Ok(list) = HeaderValue::from_bytes(&list) {
                *allowed = list;
            }
        }
        Ok(response)
    }
}

/// The method that a preflight asks for, if actix-cors does not know it.
fn extension_method(request: &ServiceRequest) -> Option<Method> {
    if request.method() != Method::OPTIONS {
        return None;
    }
    let asked = request.headers().get(ACCESS_CONTROL_REQUEST_METHOD)?;
    let method = Method::from_bytes(asked.as_bytes()).ok()?;
    (!KNOWN.contains(&method)).then_some(method)
}

/// The methods that actix-cors allows when it allows any.
const KNOWN: [Method; 9] = [
    Method::GET,
    Method::HEAD,
    Method::POST,
    Method::PUT,
    Method::PATCH,
    Method::DELETE,
    Method::OPTIONS,
    Method::CONNECT,
    Method::TRACE,
];
