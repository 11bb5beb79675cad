//! TLS towards the broker: the agent knows it by the credential's authority only, and shows the machine's certificate.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme, version,
};
use wire::credential::TlsCredential;

/// Why a credential cannot be used for TLS.
#[derive(Debug, thiserror::Error)]
#[error("credential file: {field}: {reason}; get a new credential for this machine")]
pub struct InvalidTls {
    /// The field.
    pub field: &'static str,
    /// What is wrong with it.
    pub reason: String,
}

/// What a connection to the broker needs.
///
/// # Errors
///
/// A part of the credential is not the PEM that it should be, or certificate and key do not belong together.
pub fn client(credential: &TlsCredential) -> Result<Arc<ClientConfig>, InvalidTls> {
    let invalid = |field, error: &dyn std::fmt::Display| InvalidTls { field, reason: error.to_string() };
    let provider = Arc::new(ring::default_provider());
    let mut roots = RootCertStore::empty();
    for authority in certificates(&credential.authority, "authority")? {
        roots.add(authority).map_err(|error| invalid("authority", &error))?;
    }
    let chain = certificates(&credential.certificate, "certificate")?;
    let key = PrivateKeyDer::from_pem_slice(credential.private_key.as_bytes())
        .map_err(|error| invalid("private_key", &error))?;
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
        .build()
        .map_err(|error| invalid("authority", &error))?;
    let config = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&version::TLS13])
        .expect("the provider speaks TLS 1.3")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(ClocklessVerifier(verifier)))
        .with_client_auth_cert(chain, key)
        .map_err(|error| invalid("certificate", &error))?;
    Ok(Arc::new(config))
}

fn certificates(pem: &str, field: &'static str) -> Result<Vec<CertificateDer<'static>>, InvalidTls> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    match read {
        Ok(read) if read.is_empty() => {
            Err(InvalidTls { field, reason: "holds no certificate in PEM".to_owned() })
        }
        Ok(read) => Ok(read),
        Err(error) => Err(InvalidTls { field, reason: error.to_string() }),
    }
}

/// Verifies as usual, but takes a certificate from the future for one of now.
///
/// A machine may have no clock: it starts in 1970 and learns the time over this very connection. What it says of "not
/// yet" means nothing then. Authority, name, signature and the end of validity are verified all the same.
#[derive(Debug)]
pub(crate) struct ClocklessVerifier(pub(crate) Arc<WebPkiServerVerifier>);

impl ServerCertVerifier for ClocklessVerifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verify =
            |at| self.0.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, at);
        match verify(now) {
            Err(Error::InvalidCertificate(CertificateError::NotValidYetContext { not_before, .. })) => {
                verify(not_before)
            }
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}

#[cfg(test)]
mod tests;
