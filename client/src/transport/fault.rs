//! What can go wrong with an exchange, in the client's own words. Pure.

use std::{error::Error, io};

use super::wire::WireFault;

/// An exchange that brought no whole reply.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) cause: Cause,
    pub(crate) sent: Sent,
    pub(crate) message: String,
    pub(crate) source: Option<Box<dyn Error + Send + Sync>>,
}

/// Why it did not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cause {
    /// The network, or what came over it.
    Network,
    /// The server's certificate: it will be the same next time.
    Certificate,
    /// Time.
    Timeout,
    /// The head of the reply, or the number of interim replies, is beyond a limit of the client.
    #[allow(dead_code, reason = "the limits follow")]
    Limit,
    /// The body is longer than allowed.
    BodyTooLarge,
}

/// How much of the request may have reached the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sent {
    /// Nothing: there was no connection.
    Nothing,
    /// Nobody knows.
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
            None if is_certificate(&error) => Cause::Certificate,
            None if error.kind() == io::ErrorKind::TimedOut => Cause::Timeout,
            Some(WireFault::Closed | WireFault::Interim) | None => Cause::Network,
        };
        let message = format!("{doing}: {error}");
        Self { cause, sent, message, source: Some(Box::new(error)) }
    }
}

fn is_certificate(error: &io::Error) -> bool {
    use rustls::Error as Tls;
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<Tls>());
    matches!(tls, Some(Tls::InvalidCertificate(_) | Tls::NoCertificatesPresented | Tls::UnsupportedNameType))
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
            (WireFault::Interim.into_io(), Cause::Network),
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
            (io::Error::other(rustls::Error::DecryptError), Cause::Network),
        ];
        for (error, expected) in table {
            let fault = Fault::from_io("connect", Sent::Nothing, error);
            assert_eq!(fault.cause, expected, "{}", fault.message);
        }
    }
}
