//! Authorities of a source's own (`ca`): trusted at its hosts alone, and nobody else there.

use std::sync::Arc;

use reqwest::Certificate;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use sha2::{Digest as _, Sha256};

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

    /// As the client takes them.
    pub(super) fn certificates(&self) -> reqwest::Result<Vec<Certificate>> {
        self.certificates.iter().map(|certificate| Certificate::from_der(certificate)).collect()
    }
}

impl Pinned {
    /// Whom to trust at a host; `None` for those whom the machine trusts.
    pub(super) fn at(&self, host: &str) -> Option<&Authorities> {
        self.hosts.iter().any(|pinned| pinned == host).then_some(&self.authorities)
    }
}
