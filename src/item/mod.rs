//! One entry of a source, normalised: what every later stage reads.
//!
//! A feed entry, a Telegram message and a piece of a page all become an [`Item`]. What identifies it
//! over polls lives in [`key`], what makes two links the same in [`link`].

pub mod dating;
pub mod key;
pub mod link;

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;

pub use dating::Dating;
pub use key::{ItemId, SeenKey};

/// The name of a source: unique in the config and the source's identity in the store (`[a-z0-9-]+`).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceName(Arc<str>);

impl SourceName {
    /// Takes a name of 1 to 64 characters out of `a-z`, `0-9` and `-`.
    ///
    /// Returns `None` for anything else.
    pub fn new(name: &str) -> Option<Self> {
        let fits = !name.is_empty()
            && name.len() <= 64
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        fits.then(|| Self(name.into()))
    }

    /// The name as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SourceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for SourceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a source is read as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SourceKind {
    /// RSS, Atom, RDF or JSON Feed.
    Feed,
    /// The web preview of a public Telegram channel.
    Telegram,
    /// An HTML page read by CSS selectors.
    Page,
}

impl SourceKind {
    /// The word used in config, JSON and tables.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Feed => "feed",
            Self::Telegram => "telegram",
            Self::Page => "page",
        }
    }
}

/// One entry of a source.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// Stable over polls, restarts, mirrors and edits.
    pub id: ItemId,
    /// The source it was read from; absent for items that come from outside (`match`, rule tests).
    pub source: Option<SourceName>,
    /// What that source is read as.
    pub kind: SourceKind,
    /// Plain text of one line; empty where the entry has none (Telegram).
    pub title: String,
    /// Plain text: markup removed, entities decoded, block ends and `<br>` as newlines.
    pub text: String,
    /// Absolute link to the entry.
    pub url: Option<String>,
    /// Author as stated.
    pub author: Option<String>,
    /// Language tag, lower case (`fr`): the entry's own, else the source's.
    pub lang: Option<String>,
    /// When it was published, as stated.
    pub published: Option<Timestamp>,
    /// When it was last changed, as stated.
    pub updated: Option<Timestamp>,
    /// Categories as stated.
    pub tags: Vec<String>,
    /// The entry's own identifier (guid, Atom id, `rdf:about`), byte for byte.
    pub guid: Option<String>,
    /// What only a Telegram message has.
    pub telegram: Option<TelegramPost>,
}

impl Item {
    /// A text that comes from nowhere, such as one to be tried on the rules; its id is all zeros.
    pub fn of_text(title: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            id: ItemId::from_bytes([0; 16]),
            source: None,
            kind: SourceKind::Feed,
            title: title.into(),
            text: text.into(),
            url: None,
            author: None,
            lang: None,
            published: None,
            updated: None,
            tags: Vec::new(),
            guid: None,
            telegram: None,
        }
    }

    /// The same with all that a Telegram message says beside its text in paragraphs behind it, as rules judge it: its
    /// documents, its poll, the preview of its link. `None` where its text is all.
    pub fn whole(&self) -> Option<Self> {
        let beside = self.telegram.as_ref()?.beside();
        // Also where this is done already.
        if self.text.contains(&beside) {
            return None;
        }
        let between = if self.text.is_empty() { "" } else { "\n\n" };
        Some(Self { text: [&self.text, between, &beside].concat(), ..self.clone() })
    }
}

/// What a Telegram message has beyond an [`Item`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TelegramPost {
    /// Channel name in the case Telegram uses.
    pub channel: String,
    /// Number of the message; of an album, its first member.
    pub message: u64,
    /// Numbers of all members of an album, in order; empty for a single message.
    pub album: Vec<u64>,
    /// Kinds of content, always in this order: `service photo video gif round_video voice document audio poll
    /// sticker location text link_preview`; `unsupported` stands alone.
    pub kinds: Vec<String>,
    /// Views as shown, expanded (`8.67M` is 8,670,000): rounded by Telegram.
    pub views: Option<u64>,
    /// Whether it carries the mark `edited`.
    pub edited: bool,
    /// The author's signature.
    pub signature: Option<String>,
    /// Where it was forwarded from.
    pub forwarded_from: Option<Forward>,
    /// Link of the message it replies to.
    pub reply_to: Option<String>,
    /// Links in the text, in order, without repetition.
    pub links: Vec<String>,
    /// The preview of a link.
    pub preview: Option<LinkPreview>,
    /// A poll.
    pub poll: Option<Poll>,
    /// Titles of its documents, mostly names of files.
    pub documents: Vec<String>,
    /// The mirror through which it was seen, where the channel itself could not be read.
    pub via: Option<String>,
}

impl TelegramPost {
    /// What it says beside its text.
    fn beside(&self) -> String {
        let lines = |lines: Vec<&str>| lines.join("\n");
        let poll = self.poll.as_ref().map(|poll| {
            lines([&poll.question].into_iter().chain(&poll.options).map(String::as_str).collect())
        });
        let preview = self.preview.as_ref().map(|preview| {
            lines([&preview.title, &preview.description].into_iter().flatten().map(String::as_str).collect())
        });
        let documents = self.documents.iter().cloned();
        let parts = documents.chain(poll).chain(preview).filter(|part| !part.is_empty());
        parts.collect::<Vec<_>>().join("\n\n")
    }
}

/// The origin of a forwarded message.
#[derive(Clone, Debug, PartialEq)]
pub struct Forward {
    /// Name as shown.
    pub name: String,
    /// Link to the original; absent when its source is hidden or private.
    pub url: Option<String>,
}

/// The preview of a link in a message; any part may be missing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LinkPreview {
    /// Where it leads.
    pub url: Option<String>,
    /// Title of the page.
    pub title: Option<String>,
    /// Its description.
    pub description: Option<String>,
}

/// A poll in a message.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Poll {
    /// What is asked.
    pub question: String,
    /// The answers offered, in order.
    pub options: Vec<String>,
}
