//! Makes the TLS settings of calls to vendors: 1.2 or later, the system's certificate authorities and those of a file.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use rustls::ClientConfig;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls_platform_verifier::Verifier;

/// Holds the TLS settings that all providers without a CA file share.
///
/// Reading the system's authorities takes longer than all else of making an HTTP client, and they are most of what it
/// holds. So it is done once, when a provider is first asked.
#[derive(Debug, Default)]
pub struct RootCertificates(OnceLock<ClientConfig>);

impl RootCertificates {
    /// Returns the settings with the system's authorities.
    pub(super) fn system(&self) -> Result<ClientConfig, String> {
        if let Some(made) = self.0.get() {
            return Ok(made.clone());
        }
        let made = with_roots(Vec::new()).map_err(|error| error.to_string())?;
        Ok(self.0.get_or_init(|| made).clone())
    }
}

/// Returns settings with the system's authorities and those of a PEM file.
pub(crate) fn with_file(path: &Path) -> Result<ClientConfig, String> {
    let wrong = |reason: &dyn std::fmt::Display| format!("{}: {reason}", path.display());
    let pem = std::fs::read(path).map_err(|error| wrong(&error))?;
    let roots = CertificateDer::pem_slice_iter(&pem)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| wrong(&error))?;
    if roots.is_empty() {
        return Err(wrong(&"there is no certificate in it"));
    }
    with_roots(roots).map_err(|error| wrong(&error))
}

fn with_roots(extra: Vec<CertificateDer<'static>>) -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier = Verifier::new_with_extra_roots(extra, Arc::clone(&provider))?;
    let mut settings = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    settings.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(settings)
}
