//! Pages of others that show a Telegram channel, read by the operator's selectors.
//!
//! A mirror is a second source: its messages are known by the link to the original, marked as seen through it, and
//! say nothing of how far the channel itself was read.

use std::collections::HashMap;

use url::Url;

use super::page::{SelectorProblem, Selectors};
use super::telegram::{self, ChannelName};
use super::{Candidate, FIELD_BYTES_MAX, Plan, Problem, ProblemKind, ReadAs, Reading, Unreadable, candidate};
use crate::fetch::Document;
use crate::item::{Item, SeenKey, SourceKind, TelegramPost};

/// What stands for the channel's name in the address of a mirror.
pub const CHANNEL: &str = "{channel}";

/// A mirror of one channel.
#[derive(Clone, Debug)]
pub struct Mirror {
    /// Its page of the channel.
    pub page: Url,
    /// Where the messages are on it.
    pub select: Selectors,
}

/// A mirror as written: address and selectors.
#[derive(Clone, Copy, Debug)]
pub struct Written<'a> {
    /// Address of the page, with [`CHANNEL`] where the name goes.
    pub page: &'a str,
    /// What holds one message.
    pub item: &'a str,
    /// Its link to the original.
    pub link: &'a str,
    /// Its text.
    pub text: &'a str,
    /// Its date.
    pub date: Option<&'a str>,
}

impl Mirror {
    /// The mirror of `channel`.
    ///
    /// # Errors
    ///
    /// When the address is none of the web, or a selector is no CSS.
    pub fn new(written: Written<'_>, channel: &ChannelName) -> Result<Self, SelectorProblem> {
        let page = address(written.page, channel.as_str()).ok_or_else(|| SelectorProblem {
            key: "page",
            message: format!("`{}` is no address of a page", written.page),
        })?;
        let select =
            Selectors::parse(written.item, None, Some(written.link), written.date, Some(written.text))?;
        Ok(Self { page, select: select.with_wordless() })
    }

    /// Its host, as shown with what came through it.
    pub fn host(&self) -> &str {
        self.page.host_str().unwrap_or_default()
    }
}

/// The address of a mirror's page of `channel`; `None` when it is none of the web.
pub fn address(page: &str, channel: &str) -> Option<Url> {
    let url = Url::parse(&page.replace(CHANNEL, channel)).ok()?;
    (matches!(url.scheme(), "http" | "https") && url.has_host()).then_some(url)
}

/// Reads a mirror's page of `channel`.
///
/// # Errors
///
/// As [`super::read`]; also when no item links to a message of the channel, or none that does has words: then the selector
/// of the text does not fit.
pub fn read(
    document: &Document,
    mirror: &Mirror,
    channel: &ChannelName,
    plan: &Plan<'_>,
) -> Result<Reading, Unreadable> {
    let plan = Plan { kind: ReadAs::Page { select: &mirror.select }, ..*plan };
    let mut reading = super::read(document, &plan)?;
    let found = reading.items.len();
    let message = |candidate: Candidate| message(candidate, mirror, channel, &plan);
    let messages: Vec<Candidate> =
        std::mem::take(&mut reading.items).into_iter().filter_map(message).collect();
    let lost = found - messages.len();
    reading.items = joined(messages);
    if reading.items.is_empty() {
        return Err(Unreadable::Layout(format!("none of {found} items links to a message of `{channel}`")));
    }
    if reading.items.iter().all(|message| message.item.text.is_empty()) {
        return Err(Unreadable::Layout(format!("{} messages, all without words", reading.items.len())));
    }
    reading.lost += lost;
    if lost > 0 {
        let detail = format!("items without a link to a message of `{channel}`: {lost}");
        reading.problems.push(Problem::new(ProblemKind::Lost, detail));
    }
    let wordless = reading.items.iter().filter(|message| message.item.text.is_empty()).count();
    reading.tell(wordless, ProblemKind::Salvaged, "messages without words");
    // An older page of a mirror is not followed.
    reading.older = None;
    Ok(reading)
}

/// The messages with each only once: an album may be shown in several blocks, of which one has the words.
fn joined(messages: Vec<Candidate>) -> Vec<Candidate> {
    let mut places: HashMap<SeenKey, usize> = HashMap::with_capacity(messages.len());
    let mut joined: Vec<Candidate> = Vec::with_capacity(messages.len());
    for message in messages {
        let place = *places.entry(message.key).or_insert(joined.len());
        match joined.get_mut(place) {
            Some(first) => join(first, message),
            None => joined.push(message),
        }
    }
    joined
}

/// Adds to a message what another block of it says.
fn join(first: &mut Candidate, other: Candidate) {
    first.item.published = first.item.published.or(other.item.published);
    let (words, more) = (&mut first.item.text, other.item.text);
    if more.is_empty() || words.contains(&more) || words.len() + more.len() >= FIELD_BYTES_MAX {
        return;
    }
    if words.is_empty() {
        first.item.telegram = other.item.telegram;
    } else {
        words.push('\n');
    }
    words.push_str(&more);
    first.content = candidate::said(words);
}

/// An item of the page as the message that it links to.
fn message(
    candidate: Candidate,
    mirror: &Mirror,
    channel: &ChannelName,
    plan: &Plan<'_>,
) -> Option<Candidate> {
    let number = number(candidate.item.url.as_deref()?, channel)?;
    // What a message without words shows, a picture or a film, is nothing that the selectors give.
    let kind = if candidate.item.text.is_empty() { "unsupported" } else { "text" };
    let post = TelegramPost {
        channel: channel.to_string(),
        message: number,
        kinds: vec![kind.to_owned()],
        via: Some(mirror.host().to_owned()),
        ..TelegramPost::default()
    };
    let url = format!("https://t.me/{channel}/{number}");
    let item = Item { kind: SourceKind::Telegram, url: Some(url), telegram: Some(post), ..candidate.item };
    // Its number alone identifies a message.
    let mut message = Candidate { item, aliases: None, common: Vec::new(), ..candidate };
    telegram::key_by(&mut message, plan.source, &channel.as_str().to_lowercase());
    Some(message)
}

/// The number of the message of `channel` that a link of Telegram leads to.
fn number(url: &str, channel: &ChannelName) -> Option<u64> {
    let named: ChannelName = url.parse().ok()?;
    if !named.as_str().eq_ignore_ascii_case(channel.as_str()) {
        return None;
    }
    let url = Url::parse(url).ok()?;
    url.path_segments()?.filter_map(|part| part.parse().ok()).next_back()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_known_by_its_link_on_any_host_of_telegram() {
        let channel: ChannelName = "grey_zone".parse().unwrap();
        for (url, expected) in [
            ("https://t.me/grey_zone/12", Some(12)),
            ("https://telegram.me/s/Grey_Zone/12?single", Some(12)),
            ("https://grey_zone.t.me/12", Some(12)),
            ("https://t.me/grey_zone", None),
            ("https://t.me/other/12", None),
            ("https://mirror.example/grey_zone/12", None),
        ] {
            assert_eq!(number(url, &channel), expected, "{url}");
        }
    }

    #[test]
    fn the_name_goes_into_the_address() {
        let url = address("https://mirror.example/{channel}?full=1", "grey_zone");
        assert_eq!(url.as_ref().map(Url::as_str), Some("https://mirror.example/grey_zone?full=1"));
        assert_eq!(address("ftp://mirror.example/{channel}", "x"), None);
        assert_eq!(address("{channel}", "x"), None);
    }
}
