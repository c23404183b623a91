//! From a document to items: feeds, Telegram pages ([`telegram`]) and pages by selectors ([`page`]).
//!
//! Hostile input never aborts the batch: what is readable comes back with a list of problems, and no
//! reader panics.

mod begun;
mod candidate;
mod charset;
mod dates;
pub mod discover;
mod doublets;
mod feed;
mod html;
pub(crate) mod linked;
pub mod mirror;
mod naming;
pub mod older;
pub mod opml;
pub mod page;
mod sniff;
pub mod telegram;
mod twice;

use std::fmt;

use jiff::Timestamp;
use url::Url;

pub use self::begun::Begun;
pub(crate) use self::candidate::wordless;
pub use self::naming::{narrow, page_key};
pub use self::sniff::{Kind, sniff};
use crate::fetch::Document;
use crate::item::{Item, SeenKey, SourceName};

/// Most items taken from one document; the rest is told as lost.
pub const ITEMS_PER_DOCUMENT_MAX: usize = 2000;

/// Longest title and longest text kept, in bytes; what is longer is cut, and told.
pub const FIELD_BYTES_MAX: usize = 64 * 1024;

/// The class of a document that its selectors or the known layout do not fit.
pub const LAYOUT: &str = "layout";

/// How to read a document.
#[derive(Clone, Copy, Debug)]
pub struct Plan<'a> {
    /// The source it belongs to.
    pub source: &'a SourceName,
    /// What to read it as.
    pub kind: ReadAs<'a>,
    /// Language of the source, for items that state none.
    pub lang: Option<&'a str>,
    /// When the document was fetched: what the relative dates of a page (`2 hours ago`) are counted from. Without
    /// it they are not read.
    pub now: Option<Timestamp>,
}

/// What to read a document as.
#[derive(Clone, Copy, Debug)]
pub enum ReadAs<'a> {
    /// RSS, Atom, RDF, CDF or JSON Feed.
    Feed,
    /// The web preview of a Telegram channel.
    Telegram {
        /// The channel that was asked for.
        channel: &'a telegram::ChannelName,
    },
    /// An HTML page.
    Page {
        /// Where its items are.
        select: &'a page::Selectors,
    },
}

/// Reads a document.
///
/// # Errors
///
/// [`Unreadable`] when there is nothing to read: the document is of another kind, a challenge page, empty, or
/// damaged beyond salvage. Whatever is wrong with single items is a [`Problem`] of the [`Reading`] instead.
pub fn read(document: &Document, plan: &Plan<'_>) -> Result<Reading, Unreadable> {
    let decoded = charset::decode(&document.bytes, document.content_type.as_deref(), plan.lang);
    let kind = sniff::kind(&decoded.text);
    match kind {
        Kind::Empty => return Err(Unreadable::Empty),
        Kind::Challenge => return Err(Unreadable::Challenge),
        Kind::Feed | Kind::Telegram | Kind::Page | Kind::Unknown => {}
    }
    let mut reading = match plan.kind {
        ReadAs::Feed => feed::read(&decoded.text, kind, &document.url, plan)?,
        ReadAs::Telegram { channel } => telegram::read(&decoded.text, channel, plan)?,
        ReadAs::Page { select } => page::read(&decoded.text, select, &document.url, plan)?,
    };
    if let Some(flaw) = decoded.flaw {
        reading.problems.insert(0, Problem::new(ProblemKind::Repaired, format!("charset: {flaw}")));
    }
    Ok(reading)
}

/// One item as read, with the keys to know it again by.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// The item.
    pub item: Item,
    /// Its identity: the guid where there is one, else the link, else title and stated date, else the fingerprint of its
    /// text.
    pub key: SeenKey,
    /// The keys that it would have if other items of the document did not have them too, the broadest first.
    pub common: Vec<SeenKey>,
    /// Keys of the other members of an album: each is of the same item.
    pub members: Vec<SeenKey>,
    /// Further keys; it is the same item when both of them are known.
    pub aliases: Option<Aliases>,
    /// Fingerprint of what a reader sees (title, text, kinds of media): tells an edit from a repeat.
    pub content: u64,
}

impl Candidate {
    /// Whether it has a guid and no link: another guid is another item then, whatever it says, unless the whole document
    /// has others.
    pub fn is_told_by_guid_alone(&self) -> bool {
        self.item.guid.is_some() && self.aliases.is_some_and(|aliases| aliases.link.is_none())
    }
}

/// The normalised link and the fingerprint of title and text (of an entry with several texts, of the longest): together
/// they identify an item whose guid changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Aliases {
    /// Key of the normalised link; absent where there is no link, and then the fingerprint alone identifies, or beside a
    /// guid (see [`Candidate::is_told_by_guid_alone`]) is what is left when a whole document was given new guids.
    pub link: Option<SeenKey>,
    /// Key of the folded title and text, or longest text.
    pub fingerprint: SeenKey,
}

/// What came of reading a document.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reading {
    /// The items, in the order of the document.
    pub items: Vec<Candidate>,
    /// The entry inside which the document ends.
    pub begun: Option<Begun>,
    /// What was repaired, salvaged, skipped or lost, in words.
    pub problems: Vec<Problem>,
    /// Entries that the document has and no item stands for.
    pub lost: usize,
    /// Whether the document ends before its end, so that there may be more in the whole one.
    pub truncated: bool,
    /// What the publisher asks of pollers.
    pub hints: Hints,
    /// Where older items are: `prev-archive` or `next` of a feed (RFC 5005), a page's `next`, `?before=` of a channel.
    pub older: Option<Url>,
    /// What is wrong with the source although it could be read.
    pub complaint: Option<Complaint>,
    /// What a Telegram page shows beside its messages.
    pub shown: Option<telegram::Shown>,
}

/// Something wrong with a source whose document could be read all the same: it is in a bad state, and its items count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    /// The class, as in [`Unreadable::reason`]: `layout`, `renamed`.
    pub reason: &'static str,
    /// In words.
    pub detail: String,
}

/// What a document says of how often to ask.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hints {
    /// RSS `ttl`, in minutes.
    pub ttl_minutes: Option<u32>,
    /// Hours of the day in GMT in which RSS `skipHours` asks to be left alone: bit 0 is midnight to one. None or all
    /// of them is none.
    pub skip_hours: u32,
    /// Days on which RSS `skipDays` asks to be left alone: bit 0 is Monday. None or all of them is none.
    pub skip_days: u8,
    /// How often the feed says it is updated (`sy:updatePeriod` by `sy:updateFrequency`), in minutes.
    pub update_minutes: Option<u32>,
    /// Message number up to which a Telegram channel is read once its page is told, album members included.
    pub telegram_newest: Option<u64>,
    /// Server time of a Telegram page.
    pub rendered: Option<Timestamp>,
}

/// Something about a document that its reader should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What was done about it.
    pub kind: ProblemKind,
    /// What it was.
    pub detail: String,
    /// How often.
    pub times: usize,
}

/// The absolute form of a link; `None` when it leads to no web page (`javascript:`, `mailto:`).
fn web_link(base: &Url, link: &str) -> Option<String> {
    let link = link.trim();
    if crate::item::link::is_canonical(link) {
        return Some(link.to_owned());
    }
    let url = base.join(link).ok()?;
    matches!(url.scheme(), "http" | "https").then(|| url.into())
}

impl Reading {
    /// Notes that the transfer of the document broke off, and why: whether there was more does not follow from what came.
    pub fn broke_off(&mut self, why: &str) {
        self.truncated = true;
        let detail = format!("the transfer broke off: {why}");
        self.problems.push(Problem::new(ProblemKind::Salvaged, detail));
    }

    /// Adds a problem that `count` entries share, unless there are none.
    fn tell(&mut self, count: usize, kind: ProblemKind, what: &str) {
        if count > 0 {
            self.problems.push(Problem { times: count, ..Problem::new(kind, format!("{what}: {count}")) });
        }
    }
}

impl Problem {
    fn new(kind: ProblemKind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into(), times: 1 }
    }
}

/// What was done about a flaw of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProblemKind {
    /// Mended without loss.
    Repaired,
    /// Read in part: the complete items before the damage.
    Salvaged,
    /// An item that could not be read.
    Lost,
    /// Cut at a limit.
    Cut,
}

impl ProblemKind {
    /// The word for tables and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Repaired => "repaired",
            Self::Salvaged => "salvaged",
            Self::Lost => "lost",
            Self::Cut => "cut",
        }
    }
}

/// Why nothing could be read from a document. The word of [`Unreadable::reason`] is the one shown and stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// Not a document of this kind, or damaged beyond salvage.
    Parse(String),
    /// An interstitial of a bot protection instead of the document.
    Challenge,
    /// An empty body.
    Empty,
    /// A Telegram channel whose preview is switched off.
    PreviewOff,
    /// A Telegram channel whose preview is withheld from us: for adults, or blocked where we ask from.
    Withheld(&'static str),
    /// A Telegram name that is no channel: absent, a person, a group or a bot.
    NotAChannel(String),
    /// A page without anything that its selectors or the known layout would find.
    Layout(String),
}

impl Unreadable {
    /// The word for states and events.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Parse(_) | Self::Empty => "parse",
            Self::Challenge => "challenge",
            Self::PreviewOff | Self::Withheld(_) => "preview-off",
            Self::NotAChannel(_) => "gone",
            Self::Layout(_) => LAYOUT,
        }
    }
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Parse(detail) => write!(f, "cannot be read: {detail}"),
            Self::Challenge => f.write_str("a challenge page instead of the document"),
            Self::Empty => f.write_str("an empty body"),
            Self::PreviewOff => f.write_str("the channel has no web preview"),
            Self::Withheld(why) => write!(f, "the channel's web preview is withheld: {why}"),
            Self::NotAChannel(what) => write!(f, "not a channel: {what}"),
            Self::Layout(detail) => write!(f, "unknown layout: {detail}"),
        }
    }
}
