//! The root certificates: Mozilla's, and those of a file in PEM format.

use std::path::Path;

use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, pem::PemObject},
};

use crate::error::{Error, FieldError};

/// The field of the configuration that names the file.
const FIELD: &str = "ca_file";

/// Mozilla's roots and those in the file.
pub(super) fn load(file: Option<&Path>) -> Result<RootCertStore, Error> {
    let mut roots: RootCertStore = webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect();
    let Some(file) = file else { return Ok(roots) };
    let refused = |why: String| -> Error {
        let rule = format!("must be a file of root certificates in PEM format, and this one {why}");
        FieldError::new(FIELD, rule).with_value(file.display()).into()
    };
    let pem = std::fs::read(file).map_err(|why| refused(format!("cannot be read: {why}")))?;
    let before = roots.len();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|why| refused(format!("is not in PEM format: {why}")))?;
        roots.add(certificate).map_err(|why| refused(format!("has a certificate that is invalid: {why}")))?;
    }
    if roots.len() == before {
        return Err(refused("has no certificate in PEM format".to_owned()));
    }
    Ok(roots)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error_for(content: Option<&str>) -> String {
        let folder = std::env::temp_dir().join(format!(
            "ca-file-{}-{:?}",
            std::process::id(),
            std::thread::current().id()
        ));
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join("ca.pem");
        if let Some(content) = content {
            std::fs::write(&file, content).unwrap();
        }
        let error = load(Some(&file)).unwrap_err().message().to_owned();
        std::fs::remove_dir_all(&folder).unwrap();
        error
    }

    #[test]
    fn a_file_that_is_no_help_is_refused_by_the_name_of_the_field() {
        let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        for (content, why) in [
            (None, "cannot be read"),
            (Some(""), "has no certificate"),
            (Some("not a certificate"), "has no certificate"),
            (Some("-----BEGIN CERTIFICATE-----\n%%%\n-----END CERTIFICATE-----\n"), "is not in PEM format"),
            (Some(broken), "is invalid"),
        ] {
            let error = error_for(content);
            assert!(error.starts_with("ca_file: ") && error.contains(why), "{content:?}: {error}");
        }
    }

    #[test]
    fn mozillas_roots_need_no_file() {
        assert!(!load(None).unwrap().is_empty());
    }
}
