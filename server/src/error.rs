//! The answers that are not a success: always JSON, in the form that FastAPI uses.

use actix_web::http::StatusCode;
use actix_web::http::header::{ALLOW, HeaderValue, RETRY_AFTER};
use actix_web::web::Bytes;
use actix_web::{HttpResponse, ResponseError};
use derive_more::{Display, Error, From};
use resilience_actors::ActorError;
use serde::Serialize;
use utoipa::ToSchema;

use crate::json::Problem;
use crate::logging;

/// Every answer of ours that is not a success.
#[derive(Debug, Display, Error, From)]
pub enum ApiError {
    /// A failure that was armed with `/fail/count` or `/fail/duration`.
    #[display("Induced server failure")]
    InducedFailure,
    /// One entry for every value that does not parse or is out of range.
    #[display("{} invalid values", _0.len())]
    #[from]
    Invalid(#[error(not(source))] Vec<Problem>),
    /// The key belongs to a different request.
    #[display("Idempotency key reused with a different request")]
    KeyReused,
    /// No session has this id.
    #[display("No such session")]
    NoSuchSession,
    /// A session with this id exists.
    #[display("The session id is taken")]
    SessionTaken,
    /// The configuration leaves no room for a journal.
    #[display("The journal is off")]
    JournalOff,
    /// The default session cannot be deleted.
    #[display("The default session cannot be deleted")]
    SessionIsDefault,
    /// The limit on sessions is reached; the seconds until the next session ends.
    #[display("Too many sessions")]
    TooManySessions(#[error(not(source))] u64),
    /// No route has this path.
    #[display("Not Found")]
    NotFound,
    /// The path exists, but not with this method; the value of `Allow`.
    #[display("Method Not Allowed")]
    MethodNotAllowed(#[error(not(source))] HeaderValue),
    /// The request timeout has passed.
    #[display("Request timeout")]
    Timeout,
    /// The body is larger than the limit of the route.
    #[display("Request body too large")]
    BodyTooLarge,
    /// The body breaks the rules of HTTP.
    #[display("Malformed request body")]
    BodyMalformed,
    /// The upstream cannot be reached, or its answer cannot be forwarded.
    #[display("Upstream unreachable")]
    UpstreamUnreachable,
    /// An actor has not answered: it has failed, or it has ended with the server.
    #[from]
    #[display("Internal Server Error")]
    Internal(ActorError),
    /// The semaphore of the slots is closed, which never happens.
    #[display("Internal Server Error")]
    SlotsClosed,
    /// A handler panicked, which is a defect of this server.
    #[display("Internal Server Error")]
    Panicked,
}

/// Marks an answer that a fault plan has configured or that came from the upstream: no layer replaces its type and body.
pub(crate) struct AsIntended;

/// The body of every error but a validation error.
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct ErrorBody {
    /// What went wrong.
    pub(crate) detail: String,
}

/// The body of a validation error.
#[derive(Serialize)]
struct Invalid<'a> {
    detail: &'a [Problem],
}

/// The body of an error with this text.
pub(crate) fn detail(detail: &str) -> Bytes {
    serde_json::to_vec(&ErrorBody { detail: detail.to_owned() }).unwrap_or_default().into()
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::InducedFailure | Self::Internal(_) | Self::SlotsClosed | Self::Panicked => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
            Self::Invalid(_) | Self::KeyReused => StatusCode::UNPROCESSABLE_ENTITY,
            Self::NotFound | Self::NoSuchSession => StatusCode::NOT_FOUND,
            Self::SessionTaken | Self::SessionIsDefault | Self::JournalOff => StatusCode::CONFLICT,
            Self::TooManySessions(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::MethodNotAllowed(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::Timeout => StatusCode::REQUEST_TIMEOUT,
            Self::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::BodyMalformed => StatusCode::BAD_REQUEST,
            Self::UpstreamUnreachable => StatusCode::BAD_GATEWAY,
        }
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        match self {
            Self::Invalid(faults) => return response.json(Invalid { detail: faults }),
            Self::MethodNotAllowed(allow) => {
                response.insert_header((ALLOW, allow.clone()));
            }
            Self::TooManySessions(seconds) => {
                response.insert_header((RETRY_AFTER, *seconds));
            }
            Self::Panicked => log::error!(target: logging::ERROR, "Request failed: its handler panicked"),
            Self::SlotsClosed => log::error!(target: logging::ERROR, "Request failed: its slots are closed"),
            Self::Internal(cause) => log::error!(target: logging::ERROR, cause:% = cause; "Request failed"),
            _ => {}
        }
        response.json(ErrorBody { detail: self.to_string() })
    }
}
