//! Authorities of a source's own (`ca`): trusted at its hosts alone, and nobody else there.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_platform_verifier::Verifier;
use sha2::{Digest as _, Sha256};

use super::error::Failure;

/// Certificates of authorities.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorities {
    certificates: Arc<[CertificateDer<'static>]>,
    digest: [u8; 32],
}

/// Why a text holds none that can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoAuthorities {
    /// It is no PEM, or holds other things than certificates alone.
    #[error("holds no certificate in PEM")]
    None,
    /// One of them is damaged, or none that anybody could be trusted by.
    #[error("holds a certificate that cannot be read: number {0}")]
    Unfit(usize),
}

/// The authorities of a source, and where they are trusted: at the hosts of its own address, so that what a redirect or
/// a link leads to elsewhere is judged like any other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pinned {
    /// Whom to trust there, and nobody else.
    pub authorities: Authorities,
    /// Hosts in lower case.
    pub hosts: Vec<String>,
}

impl Authorities {
    /// Those in a text in PEM; whatever else stands in it, such as comments, is passed over.
    ///
    /// # Errors
    ///
    /// When there is none, or one that cannot be read: a file that holds half of what was meant is a mistake.
    pub fn read(pem: &[u8]) -> Result<Self, NoAuthorities> {
        let mut certificates = Vec::new();
        for (number, found) in (1..).zip(CertificateDer::pem_slice_iter(pem)) {
            let certificate = found.map_err(|_| NoAuthorities::Unfit(number))?;
            let mut store = RootCertStore::empty();
            store.add(certificate.clone()).map_err(|_| NoAuthorities::Unfit(number))?;
            certificates.push(certificate);
        }
        if certificates.is_empty() {
            return Err(NoAuthorities::None);
        }
        let mut digest = Sha256::new();
        for certificate in &certificates {
            digest.update(certificate);
        }
        Ok(Self { certificates: certificates.into(), digest: digest.finalize().into() })
    }

    /// What tells them from others.
    pub(super) fn digest(&self) -> [u8; 32] {
        self.digest
    }

    /// The ends of a TLS connection that is made by them: whoever is reached must be known to them, but for a proxy with
    /// TLS of its own at the host `proxy`, which is the machine's to judge.
    pub(super) fn config(&self, proxy: Option<&str>) -> Result<ClientConfig, Failure> {
        let refused = |error: rustls::Error| Failure::Setup(error.to_string());
        let mut roots = RootCertStore::empty();
        self.certificates.iter().try_for_each(|one| roots.add(one.clone())).map_err(refused)?;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let own = WebPkiServerVerifier::builder_with_provider(roots.into(), Arc::clone(&provider)).build();
        let own = own.map_err(|error| Failure::Setup(error.to_string()))?;
        let checked: Arc<dyn ServerCertVerifier> = match proxy {
            None => own,
            Some(host) => Arc::new(Apart::new(host, own, Arc::clone(&provider)).map_err(refused)?),
        };
        let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        // It checks all that the usual one does: it only chooses by which authorities.
        let builder = builder.map_err(refused)?.dangerous().with_custom_certificate_verifier(checked);
        let mut config = builder.with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(config)
    }
}

/// Checks a proxy by the authorities that the machine trusts, and whoever is reached through it by others.
#[derive(Debug)]
struct Apart {
    /// The proxy's host, as certificates have it.
    proxy: String,
    machine: Verifier,
    own: Arc<WebPkiServerVerifier>,
}

impl Apart {
    fn new(
        proxy: &str,
        own: Arc<WebPkiServerVerifier>,
        provider: Arc<CryptoProvider>,
    ) -> Result<Self, rustls::Error> {
        let proxy = proxy.trim_start_matches('[').trim_end_matches(']').to_owned();
        Ok(Self { proxy, machine: Verifier::new(provider)?, own })
    }
}

impl ServerCertVerifier for Apart {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if name.to_str().eq_ignore_ascii_case(&self.proxy) {
            self.machine.verify_server_cert(end_entity, intermediates, name, ocsp, now)
        } else {
            self.own.verify_server_cert(end_entity, intermediates, name, ocsp, now)
        }
    }

    // Signatures are the same for both: they show that the other end has the key of its certificate.
    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.own.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.own.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.own.supported_verify_schemes()
    }
}

impl Pinned {
    /// Whom to trust at a host; `None` for those whom the machine trusts.
    pub(super) fn at(&self, host: &str) -> Option<&Authorities> {
        self.hosts.iter().any(|pinned| pinned == host).then_some(&self.authorities)
    }
}
