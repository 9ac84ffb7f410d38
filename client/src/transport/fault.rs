//! What can go wrong with an exchange, in the client's own words.

use std::{error::Error, io};

use super::{tls, wire::WireFault};

/// Why an exchange brought no whole reply.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) cause: Cause,
    pub(crate) sent: Sent,
    pub(crate) message: String,
    pub(crate) source: Option<Box<dyn Error + Send + Sync>>,
}

/// The class of a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// The network failed, or what came over it is not HTTP.
    Network,
    /// A connection that had been idle ended before a byte of the reply (RFC 9112, 9.3.1).
    Stale,
    /// The server's certificate is not trusted, or it wants one that the client does not have. It will be the same
    /// next time.
    Certificate,
    /// The time for connecting, reading or writing was over.
    Timeout,
    /// The head of the reply, or the number of interim replies, is beyond a limit of the client.
    Limit,
    /// The body is longer than allowed.
    BodyTooLarge,
    /// The body is not valid in its content coding.
    Decode,
}

/// How much of the request may have reached the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sent {
    /// Nothing: there was no connection.
    Nothing,
    /// It is not known.
    Maybe,
}

impl Fault {
    pub(crate) fn new(cause: Cause, sent: Sent, message: impl Into<String>) -> Self {
        Self { cause, sent, message: message.into(), source: None }
    }

    /// What an error of the stream means; `doing` is what it interrupted.
    pub(super) fn from_io(doing: &str, sent: Sent, error: io::Error) -> Self {
        let cause = match WireFault::inside(&error) {
            Some(WireFault::ReadSilence(_) | WireFault::WriteSilence(_) | WireFault::Connect(_)) => {
                Cause::Timeout
            }
            Some(WireFault::HeadTooLong | WireFault::TooManyFields | WireFault::TooManyInterim) => {
                Cause::Limit
            }
            Some(WireFault::ClientCertificate) => Cause::Certificate,
            Some(WireFault::Stale) => Cause::Stale,
            None if tls::is_certificate_error(&error) => Cause::Certificate,
            None if error.kind() == io::ErrorKind::TimedOut => Cause::Timeout,
            Some(WireFault::Closed | WireFault::Coding) | None => Cause::Network,
        };
        let message = match tls::missing_client_certificate(&error) {
            Some(fault) => format!("{doing}: {fault}"),
            None => format!("{doing}: {error}"),
        };
        Self { cause, sent, message, source: Some(Box::new(error)) }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn an_error_of_the_stream_is_classified_by_what_it_carries() {
        let second = Duration::from_secs(1);
        let table = [
            (WireFault::Closed.into_io(), Cause::Network),
            (WireFault::Coding.into_io(), Cause::Network),
            (WireFault::Stale.into_io(), Cause::Stale),
            (WireFault::HeadTooLong.into_io(), Cause::Limit),
            (WireFault::TooManyFields.into_io(), Cause::Limit),
            (WireFault::TooManyInterim.into_io(), Cause::Limit),
            (WireFault::ClientCertificate.into_io(), Cause::Certificate),
            (WireFault::ReadSilence(second).into_io(), Cause::Timeout),
            (WireFault::WriteSilence(second).into_io(), Cause::Timeout),
            (WireFault::Connect(second).into_io(), Cause::Timeout),
            (io::ErrorKind::ConnectionRefused.into(), Cause::Network),
            (io::ErrorKind::ConnectionReset.into(), Cause::Network),
            (io::ErrorKind::TimedOut.into(), Cause::Timeout),
            (
                io::Error::other(rustls::Error::InvalidCertificate(rustls::CertificateError::Expired)),
                Cause::Certificate,
            ),
            (
                io::Error::other(rustls::Error::AlertReceived(rustls::AlertDescription::CertificateRequired)),
                Cause::Certificate,
            ),
            (io::Error::other(rustls::Error::DecryptError), Cause::Network),
        ];
        for (error, expected) in table {
            let fault = Fault::from_io("connect", Sent::Nothing, error);
            assert_eq!(fault.cause, expected, "{}", fault.message);
        }
    }
}
