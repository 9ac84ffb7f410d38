//! What a client is told when it does not get what it asked for: always JSON, in the form that FastAPI uses.

use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, HeaderValue};
use actix_web::{HttpResponse, ResponseError};
use derive_more::{Display, Error, From};
use resilience_actors::ActorError;
use serde::Serialize;

use crate::logging;
use crate::validation::Fault;

/// Every answer of ours that is not a success.
#[derive(Debug, Display, Error, From)]
pub enum ApiError {
    /// A failure that somebody asked for.
    #[display("Induced server failure")]
    InducedFailure,
    /// One entry for every value that does not parse or is out of range.
    #[display("{} invalid values", _0.len())]
    #[from]
    Invalid(#[error(not(source))] Vec<Fault>),
    /// No such path.
    #[display("Not Found")]
    NotFound,
    /// The path exists, but not with this method; the value of `Allow`.
    #[display("Method Not Allowed")]
    MethodNotAllowed(#[error(not(source))] &'static str),
    /// The request took longer than it may.
    #[display("Request timeout")]
    Timeout,
    /// A body where none is needed, and a large one.
    #[display("Request body too large")]
    BodyTooLarge,
    /// The body breaks the rules of HTTP.
    #[display("Malformed request body")]
    BodyMalformed,
    /// An actor has not answered: it has failed, or it has ended with the server.
    #[from]
    #[display("Internal Server Error")]
    Internal(ActorError),
    /// A handler panicked, which is a defect of this server.
    #[display("Internal Server Error")]
    Panicked,
}

/// The body of every error but [`ApiError::Invalid`].
#[derive(Serialize)]
pub(crate) struct Detail<T> {
    pub(crate) detail: T,
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::InducedFailure | Self::Internal(_) | Self::Panicked => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::Timeout => StatusCode::REQUEST_TIMEOUT,
            Self::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::BodyMalformed => StatusCode::BAD_REQUEST,
        }
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        match self {
            Self::Invalid(faults) => return response.json(Detail { detail: faults }),
            Self::MethodNotAllowed(allow) => {
                response.insert_header((ALLOW, HeaderValue::from_static(allow)));
            }
            Self::Panicked => log::error!(target: logging::ERROR, "Request failed: its handler panicked"),
            Self::Internal(cause) => log::error!(target: logging::ERROR, cause:% = cause; "Request failed"),
            _ => {}
        }
        response.json(Detail { detail: self.to_string() })
    }
}
