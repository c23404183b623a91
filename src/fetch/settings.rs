//! What the config says of HTTP.

use std::time::Duration;

use reqwest::header::HeaderValue;
use url::Url;

use super::address::Networks;
use super::error::{Failure, FetchError};

/// What the config says of HTTP.
///
/// Not `Debug`: a proxy's address may hold a password.
#[derive(Clone)]
pub struct HttpSettings {
    /// Where a server's operator reaches ours: goes into the `User-Agent`.
    pub contact: Option<String>,
    /// Requests in flight over all hosts.
    pub concurrency: usize,
    /// Limit for a whole request with its redirects, waits for a host's turn apart.
    pub timeout: Duration,
    /// Longest body, in bytes after decompression.
    pub body_bytes_max: u64,
    /// Refused ranges that are open all the same.
    pub allow_networks: Networks,
    /// Proxy of all sources that have none of their own.
    pub proxy: Option<Url>,
    /// Least time between two requests to one host.
    pub host_gap: Duration,
    /// Number of sources, for the `User-Agent`.
    pub sources: usize,
}

impl Default for HttpSettings {
    /// The defaults of the config, for a fetch without one.
    fn default() -> Self {
        Self {
            contact: None,
            concurrency: 32,
            timeout: Duration::from_mins(1),
            body_bytes_max: 16 * 1024 * 1024,
            allow_networks: Networks::default(),
            proxy: None,
            host_gap: Duration::from_secs(1),
            sources: 1,
        }
    }
}

/// `Harmattan/0.1.0 (+mailto:desk@example.org; 12 feeds)`: who asks, where to complain, and how much is behind it.
pub(super) fn user_agent(contact: Option<&str>, sources: usize) -> Result<HeaderValue, FetchError> {
    let contact = contact.map(|contact| format!("+{contact}; ")).unwrap_or_default();
    let agent = format!("Harmattan/{} ({contact}{sources} feeds)", env!("CARGO_PKG_VERSION"));
    HeaderValue::from_str(&agent).map_err(|_| {
        Failure::Setup("`contact` has characters that cannot stand in a header".to_owned()).into()
    })
}
