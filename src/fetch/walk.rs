//! What a fetch is for, and what it has come to on its way from one address to the next.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;
use url::Url;

use super::error::{Failure, FetchError};

/// What a fetch has used up so far.
pub(super) struct Walk {
    /// When it began.
    pub(super) begun: Instant,
    /// Wait for the first host's turn, once it is over.
    pub(super) waited: Option<Duration>,
    /// Whether a redirect was followed.
    pub(super) redirected: bool,
    /// Whether one was followed that is not permanent.
    pub(super) detour: bool,
    /// The host asked last.
    pub(super) host: Option<String>,
    /// What is left of the time limit.
    pub(super) left: Duration,
    pub(super) purpose: Purpose,
}

impl Walk {
    /// The time now, of a request that was made at `start`.
    pub(super) fn time(&self, start: Timestamp) -> Timestamp {
        start.checked_add(self.begun.elapsed()).unwrap_or(start)
    }
}

/// Whether a robots.txt is asked first.
#[derive(Clone, Copy)]
pub(super) enum Purpose {
    /// No: somebody subscribed to it.
    Wanted,
    /// Yes, and its pause is waited for that long.
    Crawled { patience: Duration },
}

/// The host in lower case without port, as the gate knows it; also checks that the URL is one to ask.
pub(super) fn host_of(url: &Url) -> Result<String, FetchError> {
    let host = url.host_str().map(|host| host.trim_end_matches('.').to_ascii_lowercase());
    match host {
        Some(host) if matches!(url.scheme(), "http" | "https") && !host.is_empty() => Ok(host),
        Some(_) | None => Err(Failure::Setup("the address is not an http or https URL".to_owned()).into()),
    }
}
