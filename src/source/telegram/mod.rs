//! The web preview of public Telegram channels (`https://t.me/s/<channel>`).
//!
//! The page has no contract: every field of a message is taken as optional except its number, and what the
//! layout no longer gives is told. design/telegram.md records the markup.

mod channel;
mod landing;
mod message;
mod redirect;
mod shown;
mod whose;

use std::sync::LazyLock;

use scraper::{ElementRef, Html, Selector};

pub use self::channel::{ChannelName, NotAChannelName};
pub use self::redirect::{Turn, turn};
pub use self::shown::{Known, Shown};
use super::candidate::{Draft, identify};
use super::html;
use super::{Candidate, ITEMS_PER_DOCUMENT_MAX, Plan, Problem, ProblemKind, Reading, Unreadable};
use crate::item::{ItemId, SeenKey, SourceKind, SourceName};

/// A selector of ours.
fn selector(css: &str) -> Selector {
    #[expect(clippy::expect_used, reason = "the selectors are constants of this module, each used by a test")]
    Selector::parse(css).expect("a constant selector")
}

/// A page's selectors, compiled once.
struct Layout {
    message: Selector,
    history: Selector,
    no_posts: Selector,
    error: Selector,
}

static LAYOUT: LazyLock<Layout> = LazyLock::new(|| Layout {
    message: selector(".tgme_widget_message[data-post]"),
    history: selector(".tgme_channel_history"),
    no_posts: selector(".tme_no_messages_found"),
    error: selector(".tgme_widget_message_error"),
});

/// Whether a page may be one of Telegram's, in whatever layout: all of them name their classes so. What blocks Telegram, and
/// networks that want a login first, answer in its place with pages of their own.
pub fn is_of_telegram(page: &[u8]) -> bool {
    memchr::memmem::find(page, b"tgme_").or_else(|| memchr::memmem::find(page, b"tme_")).is_some()
}

/// Reads a decoded preview page of `channel`, or a fragment of one.
pub(super) fn read(text: &str, channel: &ChannelName, plan: &Plan<'_>) -> Result<Reading, Unreadable> {
    let (page, cut) = html::parse(text);
    let messages: Vec<ElementRef<'_>> =
        page.select(&LAYOUT.message).filter(|found| !is_nested(*found)).collect();
    let found = messages.len();
    if found == 0 {
        without_messages(&page)?;
    }
    let mut reading = Reading::default();
    reading.problems.extend(cut.map(|cut| Problem::new(ProblemKind::Cut, cut)));
    let numbered: Vec<_> =
        messages.into_iter().take(ITEMS_PER_DOCUMENT_MAX).filter_map(message::read).collect();
    let unreadable = found.min(ITEMS_PER_DOCUMENT_MAX) - numbered.len();
    let (own, others) = whose::own(numbered, channel);
    let mut drafts: Vec<Draft> = Vec::with_capacity(own.len());
    let (mut undated, mut long, mut foreign) = (0, 0, None);
    let mut shown = Shown::default();
    for message in own {
        let mut draft = message.draft;
        long += usize::from(draft.cut());
        undated += usize::from(draft.published.is_none());
        shown.add(&draft, message.channel);
        reading.hints.rendered = reading.hints.rendered.max(message.rendered);
        foreign = foreign.or_else(|| foreign_name(&draft, channel));
        drafts.push(draft);
    }
    reading.hints.telegram_newest = shown.reached();
    if found > 0 && drafts.is_empty() {
        return Err(Unreadable::Layout(format!("{found} messages, none with a number")));
    }
    if shown.is_bare() {
        return Err(Unreadable::Layout(format!(
            "none of {found} messages has a text, and most have nothing"
        )));
    }
    let over = found.saturating_sub(ITEMS_PER_DOCUMENT_MAX);
    reading.lost = unreadable + others + over;
    reading.tell(unreadable, ProblemKind::Lost, "messages without a number");
    reading.tell(others, ProblemKind::Lost, "messages of another channel");
    reading.tell(over, ProblemKind::Cut, "messages more than are read");
    reading.tell(undated, ProblemKind::Repaired, "messages without a date");
    reading.tell(long, ProblemKind::Cut, "messages with a text over 64 KiB");
    if let Some(name) = foreign {
        let detail = format!("the channel `{channel}` is now called `{name}`");
        reading.problems.push(Problem::new(ProblemKind::Repaired, detail));
    }
    reading.complaint = shown.complaint(channel, undated, reading.hints.rendered, plan.now);
    reading.shown = Some(shown);
    reading.items = identify(drafts, plan, SourceKind::Telegram);
    for candidate in &mut reading.items {
        key_by(candidate, plan.source, &channel.as_str().to_lowercase());
    }
    Ok(reading)
}

/// Keys a message by `channel` and its number: by the name that was asked for, whatever the page calls it, so that
/// the messages of a renamed channel are known still. An album has a key of each member, as its first ones may be
/// deleted, or be cut off at the edge of a page.
pub fn key_by(candidate: &mut Candidate, source: &SourceName, channel: &str) {
    let Some(post) = &candidate.item.telegram else { return };
    candidate.key = key_of(channel, post.message);
    let others = post.album.iter().filter(|number| **number != post.message);
    candidate.members = others.map(|number| key_of(channel, *number)).collect();
    candidate.item.id = ItemId::new(source, candidate.key);
}

/// What a message of `channel`, in lower case, is remembered under.
pub fn key_of(channel: &str, number: u64) -> SeenKey {
    SeenKey::new("telegram", &format!("{channel}/{number}"))
}

/// Whether a message lies inside another, as none of Telegram's does. Its outer one is read; reading both would
/// take time by the square of the depth.
fn is_nested(message: ElementRef<'_>) -> bool {
    message.ancestors().filter_map(ElementRef::wrap).any(|around| LAYOUT.message.matches(&around))
}

/// What a page without messages is: an empty channel (`Ok`), or the reason why nothing is shown.
fn without_messages(page: &Html) -> Result<(), Unreadable> {
    let has = |selector| page.select(selector).next().is_some();
    if has(&LAYOUT.no_posts) {
        return Ok(());
    }
    if has(&LAYOUT.error) {
        return Err(Unreadable::NotAChannel("no such message".to_owned()));
    }
    if has(&LAYOUT.history) {
        return Err(Unreadable::Layout("a history without messages".to_owned()));
    }
    Err(landing::reason(page)
        .unwrap_or_else(|| Unreadable::Layout("no page of Telegram's preview".to_owned())))
}

/// The name that a message gives its channel, when it is not the one asked for.
fn foreign_name(draft: &Draft, channel: &ChannelName) -> Option<String> {
    let name = &draft.telegram.as_ref()?.channel;
    (!name.eq_ignore_ascii_case(channel.as_str())).then(|| name.clone())
}
