//! Certificates, and TLS configurations for the servers of tests.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::STANDARD};
use tokio_rustls::rustls::{
    RootCertStore, ServerConfig, SupportedProtocolVersion,
    crypto::{CryptoProvider, ring},
    pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer},
    server::WebPkiClientVerifier,
};

/// A certificate for `localhost` that no public root vouches for.
#[derive(Debug)]
pub struct Certificate {
    der: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
}

impl Certificate {
    /// A new certificate that has signed itself.
    pub fn self_signed() -> Self {
        let rcgen::CertifiedKey { cert, signing_key } =
            rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("localhost is a valid name");
        let key = PrivatePkcs8KeyDer::from(signing_key.serialize_der()).into();
        Self { der: cert.der().clone(), key }
    }

    /// The certificate in PEM format, as a `ca_file` has it.
    pub fn pem(&self) -> String {
        let base64 = STANDARD.encode(&self.der);
        format!("-----BEGIN CERTIFICATE-----\n{base64}\n-----END CERTIFICATE-----\n")
    }

    /// A server with this certificate.
    pub fn server(&self) -> Arc<ServerConfig> {
        let config = ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .expect("the provider has them")
            .with_no_client_auth()
            .with_single_cert(vec![self.der.clone()], self.key.clone_key())
            .expect("the key is the certificate's");
        Arc::new(config)
    }

    /// A server with this certificate that requires one of its clients too.
    pub fn server_requiring_client_certificates(
        &self,
        version: &'static SupportedProtocolVersion,
    ) -> Arc<ServerConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(self.der.clone()).expect("a valid certificate");
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider())
            .build()
            .expect("there is a root");
        let config = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(&[version])
            .expect("the provider has the version")
            .with_client_cert_verifier(verifier)
            .with_single_cert(vec![self.der.clone()], self.key.clone_key())
            .expect("the key is the certificate's");
        Arc::new(config)
    }
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}
