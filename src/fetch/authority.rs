//! Authorities of a source's own (`ca`): trusted at its hosts alone, and nobody else there.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};
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
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let judge = Judge::new(&self.certificates, proxy, &provider)?;
        let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        // It checks all that the usual one does: it only chooses by which authorities.
        let builder = builder.map_err(refused)?.dangerous().with_custom_certificate_verifier(Arc::new(judge));
        let mut config = builder.with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(config)
    }
}

/// Checks whoever is reached by the authorities of a source, and a proxy by those that the machine trusts.
#[derive(Debug)]
struct Judge {
    own: Arc<WebPkiServerVerifier>,
    certificates: Arc<[CertificateDer<'static>]>,
    /// The proxy's host, as certificates have it.
    proxy: Option<(String, Verifier)>,
}

impl Judge {
    fn new(
        certificates: &Arc<[CertificateDer<'static>]>,
        proxy: Option<&str>,
        provider: &Arc<CryptoProvider>,
    ) -> Result<Self, Failure> {
        let refused = |error: rustls::Error| Failure::Setup(error.to_string());
        let mut roots = RootCertStore::empty();
        certificates.iter().try_for_each(|one| roots.add(one.clone())).map_err(refused)?;
        let own = WebPkiServerVerifier::builder_with_provider(roots.into(), Arc::clone(provider)).build();
        let own = own.map_err(|error| Failure::Setup(error.to_string()))?;
        let proxy = proxy.map(|host| {
            let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
            Verifier::new(Arc::clone(provider)).map(|machine| (host, machine))
        });
        let proxy = proxy.transpose().map_err(refused)?;
        Ok(Self { own, certificates: Arc::clone(certificates), proxy })
    }

    /// Whether a certificate that was refused by these authorities is to be taken all the same: it is one of them itself,
    /// byte for byte, its time is right, and it is made out for this name, or for none. Most that sign themselves are made
    /// out as an authority's. Who shows one must have its key, which the signature of the handshake tells.
    fn is_pinned(&self, end: &CertificateDer<'_>, name: &ServerName<'_>, why: &rustls::Error) -> bool {
        let rustls::Error::InvalidCertificate(why) = why else { return false };
        if !self.certificates.contains(end) {
            return false;
        }
        // Both are found out after its time was checked.
        if !is_of_an_authority(why) && *why != CertificateError::UnknownIssuer {
            return names_nobody(why);
        }
        match ParsedCertificate::try_from(end).and_then(|end| verify_server_name(&end, name)) {
            Ok(()) => true,
            Err(rustls::Error::InvalidCertificate(why)) => names_nobody(&why),
            Err(_) => false,
        }
    }
}

/// Whether a certificate was refused because it is an authority's own: rustls has no name for that.
pub(super) fn is_of_an_authority(why: &CertificateError) -> bool {
    matches!(why, CertificateError::Other(other) if other.0.to_string() == "CaUsedAsEndEntity")
}

/// Whether a certificate was refused for its name, and has none that could be checked. The name is checked last.
fn names_nobody(why: &CertificateError) -> bool {
    matches!(why, CertificateError::NotValidForNameContext { presented, .. } if presented.is_empty())
}

impl ServerCertVerifier for Judge {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if let Some((proxy, machine)) = &self.proxy
            && name.to_str().eq_ignore_ascii_case(proxy)
        {
            return machine.verify_server_cert(end_entity, intermediates, name, ocsp, now);
        }
        match self.own.verify_server_cert(end_entity, intermediates, name, ocsp, now) {
            Err(why) if self.is_pinned(end_entity, name, &why) => Ok(ServerCertVerified::assertion()),
            verdict => verdict,
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
