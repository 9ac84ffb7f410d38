//! TLS: the certificates that are trusted, and what a failed handshake means.
//!
//! HTTP/1.1 alone is offered: awc's HTTP/2 runs where its failures cannot be told apart.

mod no_verifier;
mod roots;

use std::{io, path::Path, sync::Arc};

use rustls::{
    AlertDescription, ClientConfig, SignatureScheme, client::ResolvesClientCert, crypto::ring,
    sign::CertifiedKey,
};

use self::no_verifier::NoVerifier;
use super::{
    context::{self, CertificateRequest},
    wire::WireFault,
};
use crate::error::Error;

/// Which certificates are trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trust<'a> {
    /// Those that lead to one of Mozilla's roots, or to one in the file.
    Roots {
        /// The `ca_file` of the configuration.
        ca_file: Option<&'a Path>,
    },
    /// Any certificate: for tests.
    Anyone,
}

/// The configuration of all TLS connections of a client.
pub(crate) fn config(trust: Trust<'_>) -> Result<Arc<ClientConfig>, Error> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|why| Error::config("verify_ssl", "TLS is not available").with_source(why))?;
    let builder = match trust {
        Trust::Roots { ca_file } => builder.with_root_certificates(roots::load(ca_file)?),
        Trust::Anyone => builder.dangerous().with_custom_certificate_verifier(Arc::new(NoVerifier(provider))),
    };
    let mut config = builder.with_client_cert_resolver(Arc::new(NoClientCertificate));
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// Has no client certificate, and notes that one was asked for.
#[derive(Debug)]
struct NoClientCertificate;

impl ResolvesClientCert for NoClientCertificate {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        context::note_certificate_request();
        None
    }

    fn has_certs(&self) -> bool {
        false
    }
}

/// Recognises a handshake that failed for want of a client certificate: before TLS 1.3, servers say so with an alert
/// that has other meanings too.
pub(super) fn explain_handshake(error: io::Error, request: CertificateRequest) -> io::Error {
    let refused = match tls_error(&error) {
        Some(rustls::Error::AlertReceived(alert)) => refuses_client(*alert),
        _ => false,
    };
    if refused && request == CertificateRequest::Received {
        WireFault::ClientCertificate.into_io()
    } else {
        error
    }
}

/// Whether an alert may mean that the server wants a certificate which it did not get.
fn refuses_client(alert: AlertDescription) -> bool {
    matches!(
        alert,
        AlertDescription::HandshakeFailure
            | AlertDescription::BadCertificate
            | AlertDescription::NoCertificate
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA
            | AlertDescription::AccessDenied
            | AlertDescription::CertificateRequired
    )
}

/// Whether an error of the stream concerns a certificate, the server's or the missing one of the client: it will be
/// the same next time.
pub(super) fn is_certificate_error(error: &io::Error) -> bool {
    use rustls::Error as Tls;
    matches!(
        tls_error(error),
        Some(Tls::InvalidCertificate(_) | Tls::NoCertificatesPresented | Tls::UnsupportedNameType)
    ) || missing_client_certificate(error).is_some()
}

/// The fault of a server that refuses a client without a certificate. In TLS 1.3 it does so after the handshake.
pub(super) fn missing_client_certificate(error: &io::Error) -> Option<WireFault> {
    match tls_error(error)? {
        rustls::Error::AlertReceived(AlertDescription::CertificateRequired) => {
            Some(WireFault::ClientCertificate)
        }
        _ => None,
    }
}

fn tls_error(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref().and_then(|inner| inner.downcast_ref())
}
