//! What a status or the cause of a fault means: which error it is, whether it is retried, whether the circuit
//! breaker counts it. Pure.

use resilience_actors::supervisor::{breaker::Outcome, retry::Retryability};

use crate::{
    error::{ConnectionError, ErrorKind, StatusError},
    transport::Cause,
};

/// The kind of error that a status is; `None` for a success.
pub(crate) fn status_error(status: u16) -> Option<ErrorKind> {
    use ConnectionError as C;
    use StatusError as S;
    Some(match status {
        200..=299 => return None,
        408 => ErrorKind::Connection(C::ServerTimeout),
        502..=504 => ErrorKind::Connection(C::ServiceUnavailable),
        // RFC 9110, 15: an invalid status beyond 599 is treated as a 5xx.
        500.. => ErrorKind::Connection(C::Server),
        // 407 is the answer of a proxy.
        401 | 403 | 407 => ErrorKind::Status(S::Authentication),
        404 => ErrorKind::Status(S::NotFound),
        400 | 422 => ErrorKind::Status(S::InvalidRequest),
        425 | 429 => ErrorKind::Status(S::RateLimited),
        // A final reply cannot have the status of an interim one.
        0..=199 => ErrorKind::Connection(C::Network),
        300..=499 => ErrorKind::Status(S::Other),
    })
}

/// Whether a failure of this kind is worth another attempt.
pub(crate) fn retryability(kind: ErrorKind) -> Retryability {
    match kind {
        ErrorKind::Connection(_) | ErrorKind::Status(StatusError::RateLimited) => Retryability::Retryable,
        _ => Retryability::NotRetryable,
    }
}

/// What a failure of this kind tells the breaker.
pub(crate) fn outcome(kind: ErrorKind) -> Outcome {
    match kind {
        ErrorKind::Connection(_) => Outcome::Failure,
        // The server was able to answer.
        ErrorKind::Status(_) | ErrorKind::BodyTooLarge => Outcome::Success,
        _ => Outcome::Abandoned,
    }
}

/// What a failure says of the load of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Load {
    /// The server has more to do than it can.
    Overloaded,
    /// The server has done its work, so that its time counts.
    Served,
    /// Nothing.
    Unknown,
}

/// What a status that is an error of this kind says of the load of the server.
pub(crate) fn load(kind: ErrorKind) -> Load {
    use ConnectionError as C;
    match kind {
        ErrorKind::Connection(C::ServerTimeout | C::ServiceUnavailable)
        | ErrorKind::Status(StatusError::RateLimited) => Load::Overloaded,
        ErrorKind::Status(_) => Load::Served,
        // A 500 is a mistake of the server, which may come early or late.
        _ => Load::Unknown,
    }
}

/// The kind of error that a fault of the transport is.
pub(crate) fn fault_error(cause: Cause) -> ErrorKind {
    match cause {
        Cause::Network | Cause::Stale | Cause::Certificate | Cause::Limit => {
            ErrorKind::Connection(ConnectionError::Network)
        }
        Cause::Timeout => ErrorKind::Connection(ConnectionError::Timeout),
        Cause::BodyTooLarge => ErrorKind::BodyTooLarge,
        Cause::Decode => ErrorKind::Decode,
    }
}

/// Whether a fault of the transport is worth another attempt.
pub(crate) fn fault_retryability(cause: Cause) -> Retryability {
    match cause {
        Cause::Network | Cause::Stale | Cause::Timeout => Retryability::Retryable,
        Cause::Certificate | Cause::Limit | Cause::BodyTooLarge | Cause::Decode => Retryability::NotRetryable,
    }
}

/// What a fault of the transport tells the breaker.
pub(crate) fn fault_outcome(cause: Cause) -> Outcome {
    match cause {
        Cause::Network | Cause::Stale | Cause::Certificate | Cause::Timeout => Outcome::Failure,
        // The server was able to answer: with more than is accepted, or with a body that is of no use.
        Cause::Limit | Cause::BodyTooLarge | Cause::Decode => Outcome::Success,
    }
}

/// What a fault of the transport says of the load of the server.
pub(crate) fn fault_load(cause: Cause) -> Load {
    match cause {
        Cause::Network | Cause::Stale | Cause::Timeout => Load::Overloaded,
        // Fewer requests at once would change nothing, and the time is not that of a whole answer.
        Cause::Certificate | Cause::Limit | Cause::BodyTooLarge | Cause::Decode => Load::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_has_its_error_is_retried_or_not_and_counts_or_not() {
        use {Outcome::*, Retryability::*};
        let table = [
            (100, "network", Retryable, Failure),
            (101, "network", Retryable, Failure),
            (300, "status", NotRetryable, Success),
            (304, "status", NotRetryable, Success),
            (307, "status", NotRetryable, Success),
            (400, "invalid_request", NotRetryable, Success),
            (401, "authentication", NotRetryable, Success),
            (402, "status", NotRetryable, Success),
            (403, "authentication", NotRetryable, Success),
            (404, "not_found", NotRetryable, Success),
            (407, "authentication", NotRetryable, Success),
            (408, "server_timeout", Retryable, Failure),
            (409, "status", NotRetryable, Success),
            (418, "status", NotRetryable, Success),
            (422, "invalid_request", NotRetryable, Success),
            (425, "rate_limited", Retryable, Success),
            (429, "rate_limited", Retryable, Success),
            (499, "status", NotRetryable, Success),
            (500, "server", Retryable, Failure),
            (501, "server", Retryable, Failure),
            (502, "service_unavailable", Retryable, Failure),
            (503, "service_unavailable", Retryable, Failure),
            (504, "service_unavailable", Retryable, Failure),
            (505, "server", Retryable, Failure),
            (599, "server", Retryable, Failure),
            (999, "server", Retryable, Failure),
        ];
        for (status, name, retried, counted) in table {
            let kind = status_error(status).unwrap();
            assert_eq!(
                (kind.name(), retryability(kind), outcome(kind)),
                (name, retried, counted),
                "{status}"
            );
        }
        for status in [200, 201, 204, 206, 299] {
            assert_eq!(status_error(status), None);
        }
    }

    #[test]
    fn every_cause_of_a_fault_has_its_error_is_retried_or_not_and_counts_or_not() {
        use {Outcome::*, Retryability::*};
        for (cause, name, retried, counted) in [
            (Cause::Network, "network", Retryable, Failure),
            (Cause::Stale, "network", Retryable, Failure),
            (Cause::Timeout, "timeout", Retryable, Failure),
            (Cause::Certificate, "network", NotRetryable, Failure),
            (Cause::Limit, "network", NotRetryable, Success),
            (Cause::BodyTooLarge, "body_too_large", NotRetryable, Success),
            (Cause::Decode, "decode", NotRetryable, Success),
        ] {
            let judged = (fault_error(cause).name(), fault_retryability(cause), fault_outcome(cause));
            assert_eq!(judged, (name, retried, counted), "{cause:?}");
        }
    }

    #[test]
    fn an_adaptive_limit_shrinks_by_refusals_and_timeouts_and_measures_answers() {
        use Load::{Overloaded, Served, Unknown};
        for (status, expected) in [
            (404, Served),
            (401, Served),
            (408, Overloaded),
            (425, Overloaded),
            (429, Overloaded),
            (500, Unknown),
            (502, Overloaded),
            (503, Overloaded),
        ] {
            assert_eq!(load(status_error(status).unwrap()), expected, "{status}");
        }
        for (cause, expected) in [
            (Cause::Network, Overloaded),
            (Cause::Stale, Overloaded),
            (Cause::Timeout, Overloaded),
            (Cause::Certificate, Unknown),
            (Cause::Limit, Unknown),
            (Cause::BodyTooLarge, Unknown),
            (Cause::Decode, Unknown),
        ] {
            assert_eq!(fault_load(cause), expected, "{cause:?}");
        }
    }

    #[test]
    fn what_the_client_itself_rejects_is_neither_retried_nor_counted() {
        for kind in [
            ErrorKind::PoolTimeout,
            ErrorKind::CircuitOpen { retry_after: None },
            ErrorKind::DeadlineExceeded,
            ErrorKind::Closed,
            ErrorKind::Config,
            ErrorKind::InvalidUrl,
            ErrorKind::Decode,
        ] {
            assert_eq!(
                (retryability(kind), outcome(kind)),
                (Retryability::NotRetryable, Outcome::Abandoned),
                "{kind}"
            );
        }
    }
}
