//! What a poll came to, as far as it tells of the health of its source.

use std::time::Duration;

use jiff::Timestamp;

use super::gap::Gap;
use super::health::{Complaint, Health, RENAMED};
use super::{Event, EventKind};

/// Classes that may be those of a host that answers: the others speak of one source.
const SHARED: [&str; 7] = ["http", "challenge", "timeout", "layout", "parse", "preview-off", "gone"];

/// What a poll came to.
#[derive(Clone, Debug)]
pub struct Observed<'a> {
    /// The source.
    pub source: &'a str,
    /// Its host.
    pub host: Option<&'a str>,
    /// The host that was asked first, where it answered with a redirect to that one.
    pub passed: Option<&'a str>,
    /// Those that stand in for it and could not be reached either.
    pub others: &'a [String],
    /// Public hosts of all sources.
    pub hosts: usize,
    /// Name of this machine.
    pub machine: &'a str,
    /// Whether the host was reached.
    pub reach: Reach,
    /// What is wrong.
    pub trouble: Option<Trouble<'a>>,
    /// Whether the server says that this one document is gone for good, and it is not asked for again.
    pub for_good: bool,
    /// What was new.
    pub news: News,
    /// The last news before this poll.
    pub last_new: Option<Timestamp>,
    /// When the baseline was taken.
    pub baseline: Option<Timestamp>,
    /// When the source was last read before this poll.
    pub last_read: Option<Timestamp>,
    /// For how long it may be without news, as configured.
    pub silent_after: Option<Duration>,
    /// What may have been missed.
    pub gap: Option<Gap>,
    /// When the poll was.
    pub now: Timestamp,
}

/// Whether a poll reached the host.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reach {
    /// It answered.
    Answered,
    /// No answer: its name, the connection or time failed.
    Cut,
    /// A secure connection was refused by one side.
    Insecure,
    /// The poll says nothing of it.
    #[default]
    Untried,
}

/// What is wrong with a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trouble<'a> {
    /// Its class.
    pub reason: &'a str,
    /// In words.
    pub detail: &'a str,
    /// Whether the document could be read all the same.
    pub of_document: bool,
}

/// What of a poll was new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// It could not be read.
    Unread,
    /// It was not read again, being the same document.
    Same,
    /// The first reading; nothing of it is news.
    Baseline,
    /// A reading.
    Read {
        /// Items never seen before.
        new: u32,
    },
}

impl Trouble<'_> {
    /// Whether it is another one of the class `reason` than that which has these words.
    pub(super) fn follows(&self, reason: &str, detail: Option<&str>) -> bool {
        self.reason == RENAMED && reason == RENAMED && detail.is_some_and(|detail| detail != self.detail)
    }
}

impl<'a> From<&'a Complaint> for Trouble<'a> {
    fn from(complaint: &'a Complaint) -> Self {
        Self { reason: &complaint.reason, detail: &complaint.detail, of_document: true }
    }
}

impl Observed<'_> {
    /// The hosts of whose trouble it may tell: those that it asked, and the one at which the source failed before.
    pub fn hosts_of<'a>(&'a self, health: &'a Health) -> impl Iterator<Item = &'a str> {
        self.passed.into_iter().chain(self.host).chain(health.host.as_deref())
    }

    /// Whether this trouble may be that of the host.
    pub(super) fn may_be_of_host(&self, trouble: Trouble<'_>) -> bool {
        match self.reach {
            Reach::Cut | Reach::Insecure => !self.for_good,
            Reach::Answered => !self.for_good && SHARED.contains(&trouble.reason),
            Reach::Untried => false,
        }
    }

    pub(super) fn event(
        &self,
        kind: EventKind,
        reason: Option<&str>,
        since: Timestamp,
        detail: String,
    ) -> Event {
        Event::new(kind, self.source, reason, since, detail, self.now)
    }
}
