//! The article behind an entry: whether it is wanted, what its page says, and what became of it.
//!
//! Pure: pages come in as documents, time as an argument. What a page shows in the article's place (a paywall, a request
//! for consent, a login) is recognised by `marks` and not used: its words would say nothing of the entry. An article
//! only ever adds to the verdict of its entry.

mod around;
mod consent;
mod marks;
mod outline;
mod pieces;
mod pointer;
mod read;
pub mod retry;
mod schema;
mod sentences;
mod stub;
mod tally;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use url::Url;

pub use read::read;
pub use stub::is_stub;
pub use tally::{Counts, Tally};

use crate::config::ArticleChoice;
use crate::item::{Item, ItemId, SourceName, link};
use crate::store::Day;

/// With `article = "auto"`, entries of fewer characters have their article fetched.
pub const ENTRY_CHARS_MAX: usize = 400;

/// Longest text taken from an article, in bytes.
pub const TEXT_BYTES_MAX: usize = 64 * 1024;

/// Longest address of an article, in bytes; browsers' and servers' own limits lie about there.
pub const URL_BYTES_MAX: usize = 2 * 1024;

/// Articles of one source that may wait at one time: more than any source brings in an hour.
pub const WAITING_OF_SOURCE_MAX: u32 = 500;

/// Articles that may wait at one time in all. Those who fetch them hold them all in memory.
pub const WAITING_MAX: u32 = 5_000;

/// Days that an article may wait, for a host on hold or the network; what it says is no news then.
pub const WAIT_DAYS_MAX: u16 = 14;

/// An article that is to be fetched; it lies in the store until it is settled.
#[derive(Clone, Debug, PartialEq)]
pub struct Pending {
    /// The entry's item.
    pub item: ItemId,
    /// The day that item was first seen: with its id it finds the stored item.
    pub first: Day,
    /// The source of the item.
    pub source: SourceName,
    /// Address of the article.
    pub url: String,
    /// Attempts so far.
    pub attempts: u32,
    /// When the next one is due.
    pub due: Timestamp,
    /// Whether what it adds may have been told before, since the store was restored.
    pub repeat: bool,
    /// Of one that is read once more, since when that is wanted: what was read before would say nothing new.
    pub anew: Option<Timestamp>,
    /// Rules that fired on what its entry said before.
    pub told: BTreeSet<Arc<str>>,
}

impl Pending {
    /// Whether it has waited for too long by that day.
    #[must_use]
    pub fn is_too_old(&self, today: Day) -> bool {
        today.0.saturating_sub(self.first.0) > WAIT_DAYS_MAX
    }
}

/// How many articles wait.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waiting {
    /// Of one source.
    pub of_source: u32,
    /// In all.
    pub in_all: u32,
}

impl Waiting {
    /// Why an article may not wait beside these, in words; `None` when it may.
    pub fn refusal(self, url: &str) -> Option<String> {
        if url.len() > URL_BYTES_MAX {
            Some(format!("its address is longer than {URL_BYTES_MAX} bytes"))
        } else if self.of_source >= WAITING_OF_SOURCE_MAX {
            Some(format!("{WAITING_OF_SOURCE_MAX} articles of its source were waiting"))
        } else if self.in_all >= WAITING_MAX {
            Some(format!("{WAITING_MAX} articles were waiting"))
        } else {
            None
        }
    }
}

/// An address as far as it is kept.
pub fn shortened(url: &str) -> &str {
    url.get(..url.floor_char_boundary(URL_BYTES_MAX)).unwrap_or_default()
}

/// What became of an article.
#[derive(Clone, Debug, PartialEq)]
pub struct Fate {
    /// The entry's item.
    pub item: ItemId,
    /// The day that item was first seen.
    pub first: Day,
    /// Address of the article.
    pub url: String,
    /// When it was settled.
    pub at: Timestamp,
    /// How; of one that was used and could not be read once more, how it was used.
    pub end: End,
    /// How often that was tried.
    pub readings: u8,
    /// Rules that fired on what it said, now or before, or on what its entry said before: they tell nothing anew.
    pub told: BTreeSet<Arc<str>>,
}

/// How an article ended.
#[derive(Clone, Debug, PartialEq)]
pub enum End {
    /// It was read and judged together with its entry.
    Used {
        /// Its text, as far as it is kept.
        text: String,
    },
    /// The page showed something else in its place.
    Unfit(Unfit),
    /// The server's robots.txt does not allow it.
    Robots,
    /// It could not be fetched, or could not wait for that.
    Failed {
        /// Why, in words without secrets.
        detail: String,
    },
    /// It is not wanted: the config or the store changed, or its entry is of a baseline.
    Dropped,
}

impl End {
    /// The word used in JSON and by `explain`.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Used { .. } => "used",
            Self::Unfit(unfit) => unfit.as_str(),
            Self::Robots => "robots",
            Self::Failed { .. } => "failed",
            Self::Dropped => "dropped",
        }
    }
}

/// What a page shows in place of an article.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// The article's beginning and an offer to pay.
    Paywall,
    /// A request to consent to cookies or tracking.
    Consent,
    /// A bot protection.
    Challenge,
    /// A request to log in.
    Login,
    /// A page that says that there is none, or the front page of the site.
    NotFound,
    /// Nothing from which a text can be taken.
    NoText,
    /// A document that is no page.
    NotHtml,
}

impl Unfit {
    /// Every one.
    pub const ALL: [Self; 7] = [
        Self::Paywall,
        Self::Consent,
        Self::Challenge,
        Self::Login,
        Self::NotFound,
        Self::NoText,
        Self::NotHtml,
    ];

    /// The word used in JSON and by `explain`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Paywall => "paywall",
            Self::Consent => "consent",
            Self::Challenge => "challenge",
            Self::Login => "login",
            Self::NotFound => "not-found",
            Self::NoText => "no-text",
            Self::NotHtml => "not-html",
        }
    }
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The address of the article that an entry links to, when the source wants it fetched. `fired` says whether a rule fired
/// on the entry alone.
pub fn wanted(choice: ArticleChoice, item: &Item, fired: bool) -> Option<String> {
    let wanted = match choice {
        ArticleChoice::Never => false,
        ArticleChoice::Always => true,
        ArticleChoice::Auto => !fired && chars(item) < ENTRY_CHARS_MAX,
    };
    if wanted { place(item) } else { None }
}

fn chars(item: &Item) -> usize {
    item.title.chars().chain(item.text.chars()).take(ENTRY_CHARS_MAX).count()
}

/// Where the article of an entry is; the front page of a site is none. A Telegram message is its own entry; its article is
/// what it shows a preview of, or the first address in its text that is not on Telegram.
fn place(item: &Item) -> Option<String> {
    let links: Vec<&str> = match &item.telegram {
        None => item.url.as_deref().into_iter().collect(),
        Some(post) => {
            let preview = post.preview.as_ref().and_then(|preview| preview.url.as_deref());
            preview.into_iter().chain(post.links.iter().map(String::as_str)).collect()
        }
    };
    links.into_iter().find_map(|link| {
        let url = Url::parse(link).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
        (!is_telegram(url.host_str()?) && !link::is_front(url.as_str())).then(|| url.into())
    })
}

fn is_telegram(host: &str) -> bool {
    let host = host.trim_start_matches("www.");
    ["t.me", "telegram.me", "telegram.dog", "telegram.org"].iter().any(|own| own.eq_ignore_ascii_case(host))
}

/// An entry together with the text of its article, as rules judge them.
#[must_use]
pub fn joined(item: &Item, article: &str) -> Item {
    let item = &item.whole().unwrap_or_else(|| item.clone());
    let between = if item.text.is_empty() { "" } else { "\n\n" };
    Item { text: [&item.text, between, article].concat(), ..item.clone() }
}

/// Where the text of its article begins in an entry that is [`joined`] with it.
pub fn begin(item: &Item) -> usize {
    joined(item, "").text.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::item::{LinkPreview, TelegramPost};

    fn entry(title: &str, text: &str) -> Item {
        Item { url: Some("https://paper.example/1".into()), ..Item::of_text(title, text) }
    }

    #[test]
    fn auto_wants_short_entries_that_did_not_fire() {
        let (short, long) = (entry("Gao", "Short."), entry("Gao", &"é".repeat(397)));
        let almost = entry("Gao", &"é".repeat(396));
        for (choice, item, fired, expected) in [
            (ArticleChoice::Never, &short, false, false),
            (ArticleChoice::Auto, &short, false, true),
            (ArticleChoice::Auto, &short, true, false),
            (ArticleChoice::Auto, &almost, false, true),
            (ArticleChoice::Auto, &long, false, false),
            (ArticleChoice::Always, &long, true, true),
        ] {
            assert_eq!(wanted(choice, item, fired).is_some(), expected, "{choice:?} {fired}");
        }
        let odd = Item { url: Some("mailto:desk@example.org".into()), ..short };
        assert_eq!(wanted(ArticleChoice::Always, &odd, false), None);
    }

    #[test]
    fn an_article_waits_where_there_is_room_and_not_for_ever() {
        let full = Waiting { of_source: WAITING_OF_SOURCE_MAX, in_all: 600 };
        let all_full = Waiting { of_source: 0, in_all: WAITING_MAX };
        let [longest, long] = [URL_BYTES_MAX, URL_BYTES_MAX + 1].map(|bytes| "x".repeat(bytes));
        for (waiting, url, expected) in [
            (Waiting { of_source: 499, in_all: 4_999 }, longest.as_str(), None),
            (Waiting::default(), &long, Some("its address is longer than 2048 bytes")),
            (full, "x", Some("500 articles of its source were waiting")),
            (all_full, "x", Some("5000 articles were waiting")),
        ] {
            assert_eq!(waiting.refusal(url).as_deref(), expected, "{waiting:?}");
        }
        let pending = Pending {
            item: ItemId::from_bytes([1; 16]),
            first: Day(20_000),
            source: SourceName::new("paper").unwrap(),
            url: String::new(),
            attempts: 0,
            due: Timestamp::UNIX_EPOCH,
            repeat: false,
            anew: None,
            told: BTreeSet::new(),
        };
        for (today, expected) in [(19_000, false), (20_014, false), (20_015, true)] {
            assert_eq!(pending.is_too_old(Day(today)), expected, "{today}");
        }
    }

    #[test]
    fn a_message_links_to_what_it_previews() {
        let post = TelegramPost {
            links: vec!["https://t.me/x/1".into(), "https://a.example/1".into()],
            ..TelegramPost::default()
        };
        let message = Item { telegram: Some(post.clone()), ..entry("", "Short.") };
        assert_eq!(place(&message).as_deref(), Some("https://a.example/1"));
        let front = Some(LinkPreview { url: Some("https://b.example/".into()), ..LinkPreview::default() });
        let beside =
            Item { telegram: Some(TelegramPost { preview: front, ..post.clone() }), ..message.clone() };
        assert_eq!(place(&beside).as_deref(), Some("https://a.example/1"), "a front page is no article");
        let preview = Some(LinkPreview { url: Some("https://b.example/1".into()), ..LinkPreview::default() });
        let message = Item { telegram: Some(TelegramPost { preview, ..post }), ..message };
        assert_eq!(place(&message).as_deref(), Some("https://b.example/1"));
        let alone = Item { telegram: Some(TelegramPost::default()), ..message };
        assert_eq!(place(&alone), None);
    }

    #[test]
    fn an_entry_keeps_its_places_when_its_article_is_joined() {
        let item = joined(&entry("Gao", "Short."), "Long.");
        assert_eq!((item.title.as_str(), item.text.as_str()), ("Gao", "Short.\n\nLong."));
        assert_eq!(joined(&entry("Gao", ""), "Long.").text, "Long.");
    }
}
