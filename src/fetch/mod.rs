//! Polite HTTP: one request at a time per host, conditional always, bodies capped, redirects checked.
//!
//! [`Fetcher::fetch`] takes a [`Request`] through the [`gate`], hop by hop, and gives back what it came to. It
//! stores nothing: the validators of a [`Document`] are kept by whoever stores the items read from it, in the same
//! transaction.

pub mod address;
mod answer;
mod authority;
mod body;
mod challenge;
mod client;
mod clients;
mod coding;
mod dark;
mod error;
mod fresh;
pub mod gate;
mod pace;
mod resolve;
mod robots;
pub mod room;
mod settings;
mod unsaved;
mod walk;

use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use url::Url;

pub use address::{Network, Networks};
pub use authority::{Authorities, NoAuthorities, Pinned};
pub use challenge::is_challenge;
pub use client::Fetcher;
pub use coding::unpacked;
pub use dark::Door;
pub use error::{Failure, FetchError, shown};
pub use gate::HostGate;
pub use pace::Pace;
pub use resolve::Names;
pub use robots::{RobotsTxt, Rules};
pub use settings::HttpSettings;
pub use unsaved::{Order, Unsaved};

/// The `Accept` header for feeds: feed types first; some servers block clients that do not name them.
pub const ACCEPT_FEED: &str = "application/atom+xml, application/rss+xml, application/feed+json, \
    application/rdf+xml, application/xml;q=0.9, text/xml;q=0.9, */*;q=0.1";

/// The `Accept` header for pages and articles.
pub const ACCEPT_PAGE: &str = "text/html, application/xhtml+xml, */*;q=0.1";

/// What a server gave to recognise a body by; sent back byte for byte (RFC 9110 section 13.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Validators {
    /// The `ETag` as it came, quotes and `W/` included.
    pub etag: Option<Vec<u8>>,
    /// The `Last-Modified` as it came.
    pub last_modified: Option<Vec<u8>>,
}

impl Validators {
    /// Whether there is nothing to ask conditionally with.
    pub fn is_empty(&self) -> bool {
        self.etag.is_none() && self.last_modified.is_none()
    }

    /// What to keep after a 304: what it carries replaces what was known, the rest stays (RFC 9111 section 3.2). A
    /// document replaces both at once, so one that is missing there is forgotten.
    #[must_use]
    pub fn refreshed(&self, by: &Self) -> Self {
        Self {
            etag: by.etag.as_ref().or(self.etag.as_ref()).cloned(),
            last_modified: by.last_modified.as_ref().or(self.last_modified.as_ref()).cloned(),
        }
    }
}

/// What a server said about when to come again, and what its clock showed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Freshness {
    /// From `Cache-Control: max-age` less `Age`, else `Expires` less `Date`.
    pub max_age: Option<Duration>,
    /// From `Retry-After`, seconds or date.
    pub retry_after: Option<Duration>,
    /// From `Date` and the `Age` since.
    pub clock: Option<Timestamp>,
}

/// One request.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// Where to.
    pub url: &'a Url,
    /// What is known of the last body; sent only to the address that it came from.
    pub validators: Option<(&'a Url, &'a Validators)>,
    /// The `Accept` header.
    pub accept: &'static str,
    /// Whether the new entries alone are welcome too, once an `ETag` is known.
    pub delta: bool,
    /// Whether redirects are followed or handed back.
    pub redirects: Redirects,
    /// Proxy of this source, where it has one of its own.
    pub proxy: Option<&'a Url>,
    /// Authorities of this source, where it has its own.
    pub pinned: Option<&'a Pinned>,
    /// Whether the `User-Agent` names the desk's contact.
    pub contact: bool,
    /// The time; stands in where an answer has no `Date`.
    pub now: Timestamp,
}

/// What to do with a redirect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redirects {
    /// Follow, at most [`REDIRECTS_MAX`] hops, each checked like a first address.
    Follow,
    /// Hand it back: Telegram redirects when a channel has no preview.
    Report,
}

/// Greatest number of redirects followed.
pub const REDIRECTS_MAX: usize = 5;

/// A body and where it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// The final address, after redirects, without credentials and fragment.
    pub url: Url,
    /// The body, decompressed.
    pub bytes: Bytes,
    /// The `Content-Type` as stated.
    pub content_type: Option<String>,
    /// What to recognise it by next time.
    pub validators: Validators,
    /// Whether it holds the entries that are new since the last document and no others (226, RFC 3229): what is absent
    /// has not vanished, and that nothing in it is known is no gap.
    pub delta: bool,
}

/// What a request came to.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// A body (200, 203, or 226 where new entries alone were welcome).
    Document(Document),
    /// Nothing changed (304); validators in the answer replace the stored ones.
    Unchanged {
        /// Those in the answer; empty when it carried none.
        validators: Validators,
    },
    /// A redirect, when asked to report it.
    Redirect {
        /// Where it leads.
        location: String,
    },
}

/// An answer and what came with it.
#[derive(Clone, Debug, PartialEq)]
pub struct Fetched {
    /// The answer.
    pub answer: Answer,
    /// When to come again.
    pub freshness: Freshness,
    /// Where the permanent redirects (301, 308) at the start of the chain led; `None` without any. Worth keeping only
    /// once it has been seen for days and what it leads to could be read.
    pub moved: Option<Url>,
    /// Whether all redirects of the chain were permanent, so that `moved` is where the answer came from.
    pub for_good: bool,
    /// The host that answered, at the end of all redirects.
    pub host: String,
    /// Time spent waiting for the host's turn before the first request went out: the poll began so much later.
    pub waited: Duration,
}
