//! Why a request brought no answer, sorted by what the schedule and the operator do about it.

use std::error::Error;
use std::io;
use std::time::Duration;

use rustls::{CertificateError, InvalidMessage};
use url::Url;

use super::authority::is_of_an_authority;
use super::gate::{Barred, Held};
use super::resolve::RefusedName;
use super::{Document, Freshness, Pace};

/// A request that failed, and what the server said of coming again all the same.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{failure}{}", if *unasked { ", as requests to the same host had found just before" } else { "" })]
pub struct FetchError {
    /// What went wrong.
    pub failure: Failure,
    /// What the answer said, if there was one; the schedule obeys it for errors too.
    pub freshness: Box<Freshness>,
    /// Time spent waiting for the host's turn before the first request went out.
    pub waited: Duration,
    /// Whether it was the target of a redirect that failed.
    pub redirected: bool,
    /// Whether one of the redirects that led there was for a time: then it says nothing for good of the address asked.
    pub detour: bool,
    /// The host at which it failed; none before any was asked.
    pub host: Option<Box<str>>,
    /// Whether no request of its own went out: those before it at the same host had found no way there.
    pub unasked: bool,
    /// What had come of a document when its transfer broke off. Half a page misleads, but of a feed the entries that are
    /// whole can be read.
    pub part: Option<Box<Document>>,
}

/// What went wrong. The messages hold host names and paths, never user names, passwords or query strings.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// An answer without a document in it.
    #[error("the server answered {status}{}", note(detail))]
    Status {
        /// The status code.
        status: u16,
        /// What is odd about it; empty when the code says it all.
        detail: &'static str,
    },
    /// No connection, or one that broke, or an answer that is no HTTP.
    #[error("{0}")]
    Transport(String),
    /// No way to the host's address.
    #[error("cannot connect: {0}")]
    Unreachable(String),
    /// The name could not be resolved.
    #[error("cannot resolve the host name: {0}")]
    Dns(String),
    /// No trustworthy connection.
    #[error("no secure connection: {0}")]
    Tls(String),
    /// It took too long.
    #[error("{missing} within {} s", .limit.as_secs_f64())]
    Timeout {
        /// What did not come, such as `no connection`.
        missing: &'static str,
        /// How long it was waited for.
        limit: Duration,
    },
    /// The body came drop by drop.
    #[error("the body comes at less than {bytes_per_second_min} bytes a second")]
    TooSlow {
        /// What was to be expected.
        bytes_per_second_min: u32,
    },
    /// A bot protection answered in place of the server.
    #[error("a bot protection asks for a browser (status {status})")]
    Challenge {
        /// The status code.
        status: u16,
    },
    /// An address that sources may not reach.
    #[error("`{host}` is refused: the address is {why}")]
    Refused {
        /// The host as named.
        host: Box<str>,
        /// What the address is, such as `loopback`.
        why: &'static str,
    },
    /// The body is longer than allowed, over the wire or decoded.
    #[error("the body is longer than {bytes_max} bytes")]
    TooLarge {
        /// The limit, in bytes after decompression.
        bytes_max: u64,
    },
    /// A body made to burst whoever decompresses it.
    #[error("the body grows more than {ratio_max}-fold when it is decompressed")]
    Swollen {
        /// What is allowed.
        ratio_max: u64,
    },
    /// Sound, pictures, an archive or the like, where a page was asked for.
    #[error("the document is no page but `{content_type}`")]
    NotAPage {
        /// The type as stated.
        content_type: String,
    },
    /// A redirect that is not followed.
    #[error("redirect not followed: {0}")]
    Redirect(String),
    /// Not asked at all: the host ordered everybody to wait. No failure of the source.
    #[error("not asked: `{host}` wants to be left alone for {} s", .left.as_secs())]
    Held {
        /// The host.
        host: Box<str>,
        /// How long from now.
        left: Duration,
    },
    /// Not asked yet: the pause that the robots.txt of the host asks for between two pages lasts on. No failure.
    #[error("not asked yet: the robots.txt of `{host}` asks for a pause of {} s more", .left.as_secs())]
    Resting {
        /// The host.
        host: Box<str>,
        /// How long from now.
        left: Duration,
    },
    /// Not asked at all: the robots.txt of the server forbids it.
    #[error("the robots.txt of `{host}` does not allow it")]
    Robots {
        /// The host.
        host: String,
    },
    /// Not asked at all: what the server allows could not be learned, because its robots.txt cannot be had.
    #[error("the robots.txt of `{host}` cannot be had ({why}), so nothing else is asked for")]
    NoRobots {
        /// The host.
        host: String,
        /// Why it cannot, in words.
        why: Box<str>,
    },
    /// The client itself cannot work with what the config says.
    #[error("cannot set up HTTP: {0}")]
    Setup(String),
}

impl Failure {
    /// What did not come of a server that cannot be connected to in time.
    pub const NO_CONNECTION: &str = "no connection";

    /// Whether no server was reached, so that none said anything.
    pub fn is_of_the_network(&self) -> bool {
        self.finds_no_way()
            || matches!(self, Self::Dns(_) | Self::Transport(_) | Self::Timeout { .. } | Self::Tls(_))
    }

    /// Whether there is no way to the host, as far as that takes time to find out. One that refuses is there, and says so
    /// at once.
    pub(super) fn finds_no_way(&self) -> bool {
        matches!(self, Self::Unreachable(_) | Self::Timeout { missing: Self::NO_CONNECTION, .. })
    }
}

impl FetchError {
    /// What it means that a host is not asked now.
    pub(super) fn barred(host: &str, barred: Barred) -> Self {
        let host = host.into();
        match barred {
            Barred::Held(Held { left }) => Self {
                freshness: Box::new(Freshness { retry_after: Some(left), ..Freshness::default() }),
                ..Failure::Held { host, left }.into()
            },
            Barred::Resting { left } => Failure::Resting { host, left }.into(),
            Barred::Dark(failure) => Self { unasked: true, ..failure.into() },
        }
    }

    /// The class for states, events and metrics.
    pub fn reason(&self) -> &'static str {
        match &self.failure {
            Failure::Status { .. }
            | Failure::Transport(_)
            | Failure::Unreachable(_)
            | Failure::Held { .. }
            | Failure::Setup(_) => "http",
            Failure::Dns(_) => "dns",
            Failure::Tls(_) => "tls",
            Failure::Timeout { .. } | Failure::TooSlow { .. } => "timeout",
            Failure::Challenge { .. } => "challenge",
            Failure::Refused { .. } => "refused",
            Failure::TooLarge { .. } | Failure::Swollen { .. } => "too-large",
            Failure::NotAPage { .. } => "parse",
            Failure::Redirect(_) => "redirect",
            Failure::Robots { .. } | Failure::NoRobots { .. } | Failure::Resting { .. } => "robots",
        }
    }

    /// The status code, where the answer had one that matters.
    pub fn status(&self) -> Option<u16> {
        match self.failure {
            Failure::Status { status, .. } | Failure::Challenge { status } => Some(status),
            Failure::Transport(_)
            | Failure::Unreachable(_)
            | Failure::Dns(_)
            | Failure::Tls(_)
            | Failure::Timeout { .. }
            | Failure::TooSlow { .. }
            | Failure::Refused { .. }
            | Failure::TooLarge { .. }
            | Failure::Swollen { .. }
            | Failure::NotAPage { .. }
            | Failure::Redirect(_)
            | Failure::Held { .. }
            | Failure::Resting { .. }
            | Failure::Robots { .. }
            | Failure::NoRobots { .. }
            | Failure::Setup(_) => None,
        }
    }

    /// What the server said of coming again.
    pub fn freshness(&self) -> Freshness {
        *self.freshness
    }

    /// Whether no request went out because the host is on hold; the source has not failed then.
    pub fn is_held(&self) -> bool {
        matches!(self.failure, Failure::Held { .. })
    }

    /// What the operator can do, where it is in their hands.
    pub fn hint(&self) -> Option<&'static str> {
        match &self.failure {
            Failure::Refused { .. } => {
                Some("list the range under `allow_networks` in `[http]` if it is meant")
            }
            Failure::Setup(_) => Some(
                "see `contact` and `proxy` in `[http]`, and whether the package `ca-certificates` is installed",
            ),
            Failure::TooLarge { .. } => Some("raise `body_max` in `[http]` if the document is that long"),
            Failure::Status { .. }
            | Failure::Transport(_)
            | Failure::Unreachable(_)
            | Failure::Dns(_)
            | Failure::Tls(_)
            | Failure::Timeout { .. }
            | Failure::TooSlow { .. }
            | Failure::Swollen { .. }
            | Failure::NotAPage { .. }
            | Failure::Challenge { .. }
            | Failure::Redirect(_)
            | Failure::Held { .. }
            | Failure::Resting { .. }
            | Failure::Robots { .. }
            | Failure::NoRobots { .. } => None,
        }
    }
}

impl From<Failure> for FetchError {
    fn from(failure: Failure) -> Self {
        Self {
            failure,
            freshness: Box::default(),
            waited: Duration::ZERO,
            redirected: false,
            detour: false,
            host: None,
            unasked: false,
            part: None,
        }
    }
}

impl Failure {
    /// A client that could not be built.
    pub(super) fn setup(error: &reqwest::Error) -> Self {
        Self::Setup(root(error))
    }

    /// A request that did not come to its end in time.
    pub(super) fn late(limit: Duration) -> Self {
        Self::Timeout { missing: "no complete answer", limit }
    }

    /// Sorts what the client reports.
    pub(super) fn sorted(error: &reqwest::Error, pace: &Pace) -> Self {
        if let Some(refused) = cause::<RefusedName>(error) {
            return Self::Refused { host: refused.host.as_str().into(), why: refused.why };
        }
        let detail = root(error);
        if error.is_timeout() && error.is_connect() {
            Self::Timeout { missing: Self::NO_CONNECTION, limit: pace.connect_max }
        } else if error.is_timeout() && error.is_request() {
            // It may have come slowly, or behind many a word that the answer will follow (103).
            Self::Timeout { missing: "no complete headers", limit: pace.silence_max }
        } else if error.is_timeout() {
            Self::Timeout { missing: "not one more byte", limit: pace.silence_max }
        } else if error.is_dns() {
            Self::Dns(detail)
        } else if let Some(insecure) = cause::<rustls::Error>(error) {
            Self::Tls(told(insecure).map_or(detail, str::to_owned))
        } else if error.is_connect() && cause::<io::Error>(error).is_some_and(has_no_route) {
            Self::Unreachable(detail)
        } else if error.is_connect() {
            Self::Transport(format!("cannot connect: {detail}"))
        } else {
            Self::Transport(format!("no complete answer: {detail}"))
        }
    }
}

/// What rustls says in the words of its code, in plain ones.
fn told(insecure: &rustls::Error) -> Option<&'static str> {
    if *insecure == rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType) {
        return Some("what answers there speaks no TLS: no https at this port");
    }
    let rustls::Error::InvalidCertificate(why) = insecure else { return None };
    if *why == CertificateError::UnknownIssuer {
        return Some("its certificate is signed by nobody trusted, here or in `ca` of the source");
    }
    is_of_an_authority(why)
        .then_some("its certificate is self-signed, or an authority's own, and not in `ca` of the source")
}

fn has_no_route(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable)
}

/// The first cause of a type. An I/O error is asked for what it wraps, which its `source` skips.
fn cause<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref::<T>() {
            return Some(found);
        }
        let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = wrapped.map(|inner| -> &(dyn Error + 'static) { inner }).or_else(|| error.source());
    }
    None
}

/// The innermost cause in words: what stands around it repeats the layers of the client, and may hold the URL.
fn root(error: &reqwest::Error) -> String {
    let Some(mut inner) = error.source() else {
        return "no cause given".to_owned();
    };
    while let Some(source) = inner.source() {
        inner = source;
    }
    let text = inner.to_string();
    let mut letters = text.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}

fn note(detail: &str) -> String {
    if detail.is_empty() { String::new() } else { format!(": {detail}") }
}

/// A URL as it may be shown: without user name, password, query and fragment, any of which may hold a token.
pub fn shown(url: &Url) -> String {
    let mut shown = bare(url);
    if shown.query().is_some() {
        shown.set_query(Some("…"));
    }
    shown.to_string().replace("?%E2%80%A6", "?…")
}

/// A URL without fragment and credentials: what a document is known by.
pub(super) fn bare(url: &Url) -> Url {
    let mut bare = url.clone();
    bare.set_fragment(None);
    // Refused only for URLs without a host, which have no credentials either.
    if !bare.username().is_empty() || bare.password().is_some() {
        bare.set_username("").ok();
        bare.set_password(None).ok();
    }
    bare
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shown_url_holds_no_secret() {
        let url = Url::parse("https://user:pass@example.org:8443/feed?token=s3cret#part").unwrap();
        assert_eq!(shown(&url), "https://example.org:8443/feed?…");
        assert_eq!(shown(&Url::parse("http://example.org/a").unwrap()), "http://example.org/a");
    }
}
