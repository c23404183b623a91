//! From matches to alerts: what is news, what is one more report of the same.
//!
//! Pure. Until near-duplicates are grouped, an item joins a story opened in the last 24 hours when it is an item of that,
//! has the same normalised link as a report of another source, or the same folded text.

pub mod join;
pub mod kept;

use jiff::Timestamp;

use crate::id::{digest, id};
use crate::item::{Dating, Item, ItemId, SourceName};
use crate::route::Recipient;
use crate::rules::spec::Severity;
use crate::rules::verdict::{EntityRef, Match, PlaceRef};

id! {
    /// Identifies an alert. Its first six bytes are the time of its making in milliseconds, so that ids sort by age.
    AlertId
}

impl AlertId {
    /// The id of the alert that `item` raises at `created`.
    pub fn new(created: Timestamp, item: ItemId) -> Self {
        let age = u64::try_from(created.as_millisecond()).unwrap_or_default().to_be_bytes();
        let rest = digest(&[b"alert", &item.to_bytes(), &age]);
        Self(std::array::from_fn(|i| if i < 6 { age[i + 2] } else { rest[i] }))
    }

    /// The lowest id that an alert made at `created` can have.
    pub fn lowest_at(created: Timestamp) -> Self {
        let age = u64::try_from(created.as_millisecond()).unwrap_or_default().to_be_bytes();
        Self(std::array::from_fn(|i| if i < 6 { age[i + 2] } else { 0 }))
    }
}

id! {
    /// Identifies a story: the development that its alerts and reports tell of.
    StoryId
}

impl StoryId {
    /// The id of the story that `alert` opens.
    pub fn opened_by(alert: AlertId) -> Self {
        Self(digest(&[b"story", &alert.to_bytes()]))
    }
}

/// What an alert tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AlertKind {
    /// A story opens.
    New,
    /// A report raised the severity of a known story.
    Update,
}

/// Whether an alert leaves the house.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Disposition {
    /// Delivered.
    Sent,
    /// Its routes send to nobody: recorded and listed.
    Recorded,
    /// A silence holds it back: recorded, listed, and counted under the silence.
    Silenced,
    /// One more report of a story of which all whom it concerns were told: recorded and counted.
    Joined,
    /// Too old, by its stated date, for every rule that fired: recorded and listed.
    Stale,
    /// Only rules on trial fired, as far as the item is not too old for them: recorded and listed.
    Shadow,
}

impl Disposition {
    /// The word used in JSON and tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Recorded => "recorded",
            Self::Silenced => "silenced",
            Self::Joined => "joined",
            Self::Stale => "stale",
            Self::Shadow => "shadow",
        }
    }
}

/// An item on which rules fired, and what became of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Alert {
    /// Its id.
    pub id: AlertId,
    /// What it tells.
    pub kind: AlertKind,
    /// Whether it is delivered.
    pub disposition: Disposition,
    /// When it was made.
    pub created: Timestamp,
    /// Whether no route took it, so that it goes to everybody.
    pub unrouted: bool,
    /// The highest severity among its rules; of one that tells nothing, what it would have been.
    pub severity: Severity,
    /// The rules that it tells of, and why they fired; none when it is stale or a shadow.
    pub rules: Vec<Match>,
    /// Rules that fired as well and are only recorded: those on trial (of mode shadow), and live ones for which the
    /// item is too old.
    pub untold: Vec<Match>,
    /// The item, its text cut at [`TEXT_BYTES_MAX`]: its beginning, and the places in which its rules fired.
    pub item: Item,
    /// Whether the text was cut.
    pub truncated: bool,
    /// Of one that fired with the article behind its item alone: where in the item's text that begins.
    pub article: Option<usize>,
    /// Tier of the source: 1 wire or official, 2 press, 3 unverified.
    pub tier: u8,
    /// When the item was fetched.
    pub fetched: Timestamp,
    /// What is odd about its date.
    pub dating: Dating,
    /// When it may have been told before, since the store was restored: until when that one knows what was told.
    pub repeat: Option<Timestamp>,
    /// Entities it mentions.
    pub entities: Vec<EntityRef>,
    /// Places it mentions.
    pub places: Vec<PlaceRef>,
    /// The story as it stood then, this report included.
    pub story: Story,
}

/// A development and the reports of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Story {
    /// Its id.
    pub id: StoryId,
    /// Number of reports so far.
    pub reports: u32,
    /// Sources that reported, in order, each once.
    pub sources: Vec<SourceName>,
    /// When the first report was seen.
    pub first_seen: Timestamp,
    /// The highest severity reported so far.
    pub severity: Severity,
    /// Who was told, and the highest severity of it: nobody is told of the same twice, and nobody is left out because
    /// others know.
    pub told: Vec<Informed>,
}

/// Somebody who was told of a story.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Informed {
    /// Notifier and recipient.
    pub who: Recipient,
    /// The highest severity told.
    pub severity: Severity,
    /// The severities told before that, the lowest first: they count again when it turns out that the highest was not told.
    pub before: Vec<Severity>,
    /// The receiver's name for the message with which the story began there; `None` where it gives none.
    pub thread: Option<String>,
}

/// Greatest length of an item's text in an alert and in the store.
pub const TEXT_BYTES_MAX: usize = 8 * 1024;
