//! What is said of an alert, in words: shared by the parts of a mail and by the terminal.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use url::Url;

use super::foreign::{cut, harmless, line};
use crate::item::{Dating, SourceKind, SourceName};
use crate::rules::verdict::{EntityRef, Match, PlaceRef};
use crate::story::{Alert, AlertKind, Story};

/// Greatest length of a headline, in characters.
const HEADLINE_CHARS_MAX: usize = 120;

/// Greatest length of a title in a mail, in characters.
pub(crate) const TITLE_CHARS_MAX: usize = 300;

/// Greatest length of a quote, in characters.
const QUOTE_CHARS_MAX: usize = 80;

/// Quotes shown for one term; the rest is counted.
const QUOTES_MAX: usize = 5;

/// Greatest length of an address in a message, in characters: mail readers and browsers take no more.
const ADDRESS_CHARS_MAX: usize = 2000;

/// What a source of the third tier is.
const UNVERIFIED: &str = "unverified";

/// Entities or places shown; the rest is counted.
const NAMES_MAX: usize = 20;

/// The title, else the first line of the text, as one short line.
pub(crate) fn headline(alert: &Alert) -> String {
    let lines = std::iter::once(alert.item.title.as_str()).chain(alert.item.text.lines());
    let first = lines.map(line).find(|line| !line.is_empty());
    first.map_or_else(|| "(no text)".to_owned(), |line| cut(&line, HEADLINE_CHARS_MAX))
}

/// Whether there is a title; without one the headline is the beginning of the text.
pub(crate) fn has_title(alert: &Alert) -> bool {
    !line(&alert.item.title).is_empty()
}

/// The rules by name: `wagner-leaves-sahel, sahel-coup`.
pub(crate) fn rules(alert: &Alert) -> String {
    alert.rules.iter().map(|fired| line(&fired.rule)).collect::<Vec<_>>().join(", ")
}

/// What the desk wrote into the rules for whoever reads their alerts, each with what it is to be shown under.
pub(crate) fn notes(alert: &Alert) -> Vec<(String, String)> {
    let heading = |rule: &Match| match alert.rules.as_slice() {
        [_] => "Note".to_owned(),
        _ => format!("Note of {}", line(&rule.rule)),
    };
    let note = |rule: &Match| {
        let note: String = rule.note.as_deref()?.chars().filter_map(harmless).collect();
        Some((heading(rule), note))
    };
    alert.rules.iter().filter_map(note).collect()
}

/// A rule with its severity, and the sum of its weights when it has any: `cholera (high, score 45)`.
pub(crate) fn rule(rule: &Match) -> String {
    let score = rule.score.map_or_else(String::new, |score| format!(", score {score}"));
    format!("{} ({}{score})", line(&rule.rule), rule.severity)
}

/// What a message says that leaves long after it could.
pub(crate) const LATE: &str = "Late: a stop or an outage held it up";

/// What is said of an alert that the store, restored from a backup or from damage, may have forgotten to have told.
pub(crate) fn repeat(alert: &Alert, desk: &TimeZone) -> Option<String> {
    let taken = time(alert.repeat?, desk);
    Some(format!("May have been told before: the store has forgotten what was told since {taken}"))
}

/// What is said of an alert that everybody has, since the desk's routes say of nobody in particular.
pub(crate) fn unrouted(alert: &Alert) -> Option<&'static str> {
    alert.unrouted.then_some("No route takes it: everybody is told")
}

/// What an update adds; `None` for a new alert.
pub(crate) fn update(alert: &Alert) -> Option<String> {
    match alert.kind {
        AlertKind::New => None,
        AlertKind::Update => Some(format!("Update of a known story: severity raised to {}", alert.severity)),
    }
}

/// Where the words of one stand that fired with the linked article alone: who looks for them in the entry finds none.
pub(crate) fn article(alert: &Alert) -> Option<&'static str> {
    alert.article.map(|_| "Found in the linked article, not in the entry by itself")
}

/// The source with its trust: `wagner-channel (telegram), unverified (tier 3)`.
pub(crate) fn source(alert: &Alert) -> String {
    let name = source_name(alert);
    let kind = match alert.item.kind {
        SourceKind::Feed => "feed",
        SourceKind::Telegram => "Telegram channel",
        SourceKind::Page => "page",
    };
    format!("{name} ({kind}), {}", tier(alert.tier))
}

/// The source's name alone.
pub(crate) fn source_name(alert: &Alert) -> &str {
    alert.item.source.as_ref().map_or("no source", SourceName::as_str)
}

/// How far a source of this tier can be trusted.
fn tier(tier: u8) -> String {
    format!("{} (tier {tier})", tier_words(tier))
}

fn tier_words(tier: u8) -> &'static str {
    match tier {
        1 => "wire or official",
        2 => "press",
        _ => UNVERIFIED,
    }
}

/// What must not be overlooked of a source that nobody vouches for.
pub(crate) fn unverified(alert: &Alert) -> Option<&'static str> {
    (tier_words(alert.tier) == UNVERIFIED).then_some("Unverified source: confirm before use")
}

/// Where a Telegram message was forwarded from.
pub(crate) fn forwarded(alert: &Alert) -> Option<String> {
    let from = alert.item.telegram.as_ref()?.forwarded_from.as_ref()?;
    let name = cut(&line(&from.name), QUOTE_CHARS_MAX);
    Some(match Link::to(from.url.as_deref()) {
        Link::Address(url) => format!("{name} <{url}>"),
        Link::LeftOut(why) => format!("{name} ({why})"),
        Link::None => name,
    })
}

/// A time as the desk reads it, and in UTC: `2026-11-23 18:40 CET (17:40 UTC)`.
pub(crate) fn time(time: Timestamp, desk: &TimeZone) -> String {
    let local = time.to_zoned_datetime(desk.clone());
    let utc = time.to_zoned_datetime(TimeZone::UTC);
    if local.offset().is_zero() {
        return utc.strftime("%Y-%m-%d %H:%M UTC").to_string();
    }
    let same_day = local.date() == utc.date();
    let beside = utc.strftime(if same_day { "%H:%M UTC" } else { "%Y-%m-%d %H:%M UTC" });
    format!("{} ({beside})", local.strftime("%Y-%m-%d %H:%M %Z"))
}

/// When the item was published, as stated, and what is odd about that.
pub(crate) fn published(alert: &Alert, desk: &TimeZone) -> String {
    let odd = match alert.dating {
        Dating::Plain | Dating::Undated => "",
        Dating::Future => " (still to come)",
        Dating::Backdated => " (backdated: the source did not show it then)",
    };
    alert.item.published.map_or_else(|| "not stated".to_owned(), |at| time(at, desk) + odd)
}

/// The item's link.
pub(crate) fn link(alert: &Alert) -> Link {
    Link::to(alert.item.url.as_deref())
}

/// A link as a message tells it.
#[derive(Debug)]
pub(crate) enum Link {
    /// A web address to follow.
    Address(Url),
    /// A web address too long to be told; what to say instead.
    LeftOut(String),
    /// No web address.
    None,
}

/// What is said in place of a link that is too long.
pub(crate) fn left_out(link: &str) -> String {
    format!("link of {} characters left out", link.len())
}

impl Link {
    fn to(text: Option<&str>) -> Self {
        let Some(url) = text.and_then(web_address) else {
            return Self::None;
        };
        // ASCII: as many characters as bytes.
        if url.as_str().len() <= ADDRESS_CHARS_MAX {
            Self::Address(url)
        } else {
            Self::LeftOut(left_out(url.as_str()))
        }
    }
}

/// `text` as an `http` or `https` address with a host. Its text form is ASCII: the host in punycode, the rest escaped.
fn web_address(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    (matches!(url.scheme(), "http" | "https") && url.host_str().is_some()).then_some(url)
}

/// The terms that a rule found, each once, with the words that met it: `("@mali", "“Mali”, “Bamako”")`.
pub(crate) fn reasons(rule: &Match) -> Vec<(String, String)> {
    let mut found: Vec<(String, Vec<String>)> = Vec::new();
    for reason in &rule.why {
        let quote = format!("“{}”", cut(&line(&reason.text), QUOTE_CHARS_MAX));
        match found.iter_mut().find(|(term, _)| *term == reason.term) {
            Some((_, quotes)) if quotes.contains(&quote) => {}
            Some((_, quotes)) => quotes.push(quote),
            None => found.push((reason.term.clone(), vec![quote])),
        }
    }
    found.into_iter().map(|(term, quotes)| (line(&term), counted(quotes, QUOTES_MAX).join(", "))).collect()
}

/// The entities mentioned.
pub(crate) fn entities(alert: &Alert) -> Vec<String> {
    counted(alert.entities.iter().map(entity).collect(), NAMES_MAX)
}

/// The places mentioned.
pub(crate) fn places(alert: &Alert) -> Vec<String> {
    counted(alert.places.iter().map(place).collect(), NAMES_MAX)
}

/// At most `max` of `words`, and how many are left.
fn counted(mut words: Vec<String>, max: usize) -> Vec<String> {
    let left = words.len().saturating_sub(max);
    words.truncate(max);
    words.extend((left > 0).then(|| format!("and {left} more")));
    words
}

/// An entity by its Latin name: `Wagner Group (mercenary)`.
fn entity(entity: &EntityRef) -> String {
    format!("{} ({})", line(&entity.name), line(&entity.entity_type))
}

/// A place with its parents and coordinates: `Timbuktu (ml-tombouctou-region, ml, sahel; 16.7700, -3.0000)`.
fn place(place: &PlaceRef) -> String {
    let mut beside = Vec::new();
    if !place.within.is_empty() {
        beside.push(place.within.iter().map(|id| line(id)).collect::<Vec<_>>().join(", "));
    }
    if let Some((lat, lon)) = place.at {
        beside.push(format!("{lat:.4}, {lon:.4}"));
    }
    let name = line(&place.name);
    if beside.is_empty() { name } else { format!("{name} ({})", beside.join("; ")) }
}

/// The story in numbers: `3 reports from wagner-channel, rfi-afrique; first seen …`.
pub(crate) fn story(story: &Story, desk: &TimeZone) -> String {
    let reports = if story.reports == 1 { "report" } else { "reports" };
    let sources: Vec<&str> = story.sources.iter().map(SourceName::as_str).collect();
    let from = if sources.is_empty() { String::new() } else { format!(" from {}", sources.join(", ")) };
    format!("{} {reports}{from}; first seen {}", story.reports, time(story.first_seen, desk))
}

/// The command that tells more.
pub(crate) fn explain(alert: &Alert) -> String {
    format!("harmattan explain {}", alert.item.id)
}

/// The command that ends the alerts of this story for some hours; its reason is for the reader to write.
pub(crate) fn silence(alert: &Alert) -> String {
    format!("harmattan silence add --story {} --for 4h --reason \"told\"", alert.story.id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_for_the_desk_and_in_utc() {
        let at: Timestamp = "2026-11-23T22:40:30Z".parse().expect("a time");
        for (zone, expected) in [
            ("Africa/Bamako", "2026-11-23 22:40 UTC"),
            ("Africa/Niamey", "2026-11-23 23:40 WAT (22:40 UTC)"),
            ("Europe/Moscow", "2026-11-24 01:40 MSK (2026-11-23 22:40 UTC)"),
        ] {
            let desk = TimeZone::get(zone).expect("a zone");
            assert_eq!(time(at, &desk), expected, "{zone}");
        }
    }

    #[test]
    fn what_is_left_out_is_counted() {
        let words = |count| (1..=count).map(|number: i32| number.to_string()).collect();
        assert_eq!(counted(words(2), 2), ["1", "2"]);
        assert_eq!(counted(words(5), 2), ["1", "2", "and 3 more"]);
    }

    #[test]
    fn only_web_addresses_become_links() {
        for (text, expected) in [
            ("https://t.me/wagner/123", Some("https://t.me/wagner/123")),
            ("http://пример.example/ж", Some("http://xn--e1afmkfd.example/%D0%B6")),
            ("javascript:alert(1)", None),
            ("data:text/html,x", None),
            ("mailto:a@b.example", None),
            ("//a.example/x", None),
            ("", None),
        ] {
            assert_eq!(web_address(text).as_ref().map(Url::as_str), expected, "{text}");
        }
    }

    #[test]
    fn giant_addresses_are_left_out_and_counted() {
        let prefix = "https://a.example/";
        for (length, told) in [(2000, true), (2001, false)] {
            let address = format!("{prefix}{}", "x".repeat(length - prefix.len()));
            match Link::to(Some(&address)) {
                Link::Address(url) => assert!(told && url.as_str() == address),
                Link::LeftOut(why) => {
                    assert!(!told);
                    assert_eq!(why, "link of 2001 characters left out");
                }
                Link::None => panic!("{length}: an address"),
            }
        }
    }
}
