//! RSS, Atom, RDF, CDF and JSON Feed.
//!
//! A document goes through stages: decoded text, [`mend`] (a well-formed document and where its items are),
//! [`strict`] (feed-rs: the texts), [`facts`] (the raw elements: identifiers, links, dates), and the two
//! joined into candidates. feed-rs alone refuses or silently empties what publishers really send
//! (design/polling.md, section 3); here an entry is lost only when it says nothing, or the document ends before its name.

mod around;
mod cdf;
mod clean;
mod facts;
mod flaw;
mod json;
mod lexer;
mod mend;
mod person;
mod root;
mod salvage;
mod shape;
mod strict;
mod surplus;
mod texts;

use std::borrow::Borrow;
use std::ops::Range;

use url::Url;

use self::around::Surroundings;
use self::facts::{Facts, Odd, TAGS_MAX};
use self::flaw::Flaw;
use self::json::{Damage, Feed};
use self::mend::Mended;
use self::strict::Entry;
use self::surplus::Newest;
use self::texts::Said;
use super::candidate::{Draft, identify};
use super::{Begun, ITEMS_PER_DOCUMENT_MAX, Kind, Plan, Problem, ProblemKind, Reading, Unreadable};
use super::{charset, dates, html, web_link};
use crate::item::SourceKind;

/// Among so many tags at its top an OPML document has its own.
const OPML_TAGS_MAX: usize = 20;

/// Reads a decoded feed that was fetched from `url`.
pub(super) fn read(text: &str, kind: Kind, url: &Url, plan: &Plan<'_>) -> Result<Reading, Unreadable> {
    match kind {
        Kind::Feed | Kind::Unknown => {}
        Kind::Telegram => return Err(Unreadable::Parse("a Telegram page, not a feed".to_owned())),
        Kind::Page if is_opml(text) => {
            return Err(Unreadable::Parse("a list of feeds (OPML), not a feed".to_owned()));
        }
        Kind::Page | Kind::Challenge | Kind::Empty => {
            return Err(Unreadable::Parse("an HTML page, not a feed".to_owned()));
        }
    }
    if text.trim_start().starts_with('{') {
        return read_json(text, url, plan);
    }
    if let Some(reading) = read_clean(text, url, plan) {
        return Ok(reading);
    }
    let translated = cdf::as_rss(text);
    read_mended(translated.as_deref().unwrap_or(text), url, plan)
}

/// Whether it is what readers export their subscriptions as.
fn is_opml(text: &str) -> bool {
    text.match_indices('<')
        .take(OPML_TAGS_MAX)
        .any(|(at, _)| text.get(at + 1..at + 5).is_some_and(|name| name.eq_ignore_ascii_case("opml")))
}

/// Reads a document as feed-rs and its raw elements tell it, once it is mended.
fn read_mended(text: &str, url: &Url, plan: &Plan<'_>) -> Result<Reading, Unreadable> {
    let mut feed =
        mend::mend(text).ok_or_else(|| Unreadable::Parse("no root element of a feed".to_owned()))?;
    let (found, mut newest) = (feed.items.len() + feed.over, Newest::First);
    if feed.over > 0 {
        newest = newest_of(&feed, plan);
        let later = surplus::without_first(text, feed.over).filter(|_| newest == Newest::Last);
        feed = later.and_then(|later| mend::mend(&later)).unwrap_or(feed);
    }
    let mut reading = Reading::default();
    report(&feed, &mut reading);
    let strict = strict::entries(&feed);
    if let Some(reason) = &strict.reason {
        by_entry(reason, &mut reading);
    }
    let around = surroundings(&feed.text, &feed.items);
    let raw = feed.items.iter().map(|range| feed.text.get(range.clone()).unwrap_or_default());
    let pairs = raw.map(facts::of_entry).zip(strict.entries).collect();
    assemble(Entries { pairs, begun: feed.begun }, &around, url, plan, &mut reading);
    if let Some(begun) = &mut reading.begun {
        begun.between = feed.between;
    }
    too_many(found, newest, &mut reading);
    reading.lost += feed.foreign;
    reading.tell(feed.foreign, ProblemKind::Lost, "entries of an unknown namespace");
    Ok(reading)
}

/// Where the newest items are of a document that has more than are read.
fn newest_of(feed: &Mended, plan: &Plan<'_>) -> Newest {
    let around = surroundings(&feed.text, &feed.items);
    let raw = feed.items.iter().filter_map(|range| feed.text.get(range.clone()));
    newest(raw.map(facts::of_entry), &around, plan)
}

/// The same by what the items say.
fn newest(items: impl Iterator<Item = impl Borrow<Facts>>, around: &Surroundings, plan: &Plan<'_>) -> Newest {
    let lang = around.lang.as_deref().or(plan.lang);
    let date = |facts: &Facts| {
        let stated = facts.published.as_deref().or(facts.updated.as_deref())?;
        dates::parse_in(stated, lang)
    };
    Newest::of(&items.filter_map(|item| date(item.borrow())).collect::<Vec<_>>())
}

/// Reads a document that needs no mending and whose entries all say of themselves what a reader looks for. There is
/// nothing that feed-rs could add then; `None` for any other.
fn read_clean(text: &str, url: &Url, plan: &Plan<'_>) -> Option<Reading> {
    let clean = clean::read(text)?;
    if !clean.facts.iter().all(Facts::suffices) {
        return None;
    }
    let around = surroundings(text, &clean.items);
    let mut reading = Reading::default();
    let pairs = clean.facts.into_iter().map(|facts| (facts, Some(Entry::default()))).collect();
    assemble(Entries { pairs, begun: false }, &around, url, plan, &mut reading);
    reading.problems.is_empty().then_some(reading)
}

/// Reads what stands before the first and after the last item: channels may say of themselves at their end.
fn surroundings(text: &str, items: &[Range<usize>]) -> Surroundings {
    let head = items.first().map_or(text.len(), |item| item.start);
    let tail = items.last().map_or(text.len(), |item| item.end);
    let mut around = Surroundings::default();
    around.take(text.get(..head).unwrap_or_default());
    around.take(text.get(tail..).unwrap_or_default());
    around
}

fn read_json(text: &str, url: &Url, plan: &Plan<'_>) -> Result<Reading, Unreadable> {
    let Feed { items, around, damage } = json::read(text).map_err(Unreadable::Parse)?;
    let mut reading = Reading::default();
    let found = items.found();
    let begun = damage.as_ref().is_some_and(|damage| damage.begun);
    if let Some(Damage { reason, lost, ended, .. }) = damage {
        by_entry(&reason, &mut reading);
        reading.tell(lost, ProblemKind::Lost, "entries that are no JSON");
        reading.lost += lost;
        reading.truncated = !ended;
        if !ended {
            cut_off(begun, found, &mut reading);
        }
    }
    let more = found > ITEMS_PER_DOCUMENT_MAX;
    let newest = if more { newest(items.iter(), &around, plan) } else { Newest::First };
    let pairs = items.at(newest).map(|facts| (facts, Some(Entry::default()))).collect();
    let begun = begun && (!more || newest == Newest::Last);
    assemble(Entries { pairs, begun }, &around, url, plan, &mut reading);
    too_many(found, newest, &mut reading);
    Ok(reading)
}

/// Tells that a document was not read in one piece.
fn by_entry(reason: &str, reading: &mut Reading) {
    let detail = format!("read entry by entry, as the whole is refused: {reason}");
    reading.problems.push(Problem::new(ProblemKind::Repaired, detail));
}

/// Tells that a document ends too early, with so many entries, inside the last of them or behind it.
fn cut_off(inside: bool, entries: usize, reading: &mut Reading) {
    let place = if inside { "inside an entry" } else { "between entries" };
    let whole = entries - usize::from(inside);
    let detail = format!("the document ends {place}: {whole} whole ones read");
    reading.problems.push(Problem::new(ProblemKind::Salvaged, detail));
}

/// Tells what mending did.
fn report(feed: &Mended, reading: &mut Reading) {
    for (flaw, count) in &feed.flaws {
        let kind = if *flaw == Flaw::Depth { ProblemKind::Cut } else { ProblemKind::Repaired };
        let times = if *count > 1 { format!(" ({count} times)") } else { String::new() };
        let problem = Problem::new(kind, format!("{}{times}", flaw.describe()));
        reading.problems.push(Problem { times: *count, ..problem });
    }
    reading.truncated = !feed.ended;
    if !feed.ended {
        cut_off(feed.begun, feed.items.len(), reading);
    }
}

/// Tells that a document has more entries than are read.
fn too_many(found: usize, newest: Newest, reading: &mut Reading) {
    if found > ITEMS_PER_DOCUMENT_MAX {
        reading.lost += found - ITEMS_PER_DOCUMENT_MAX;
        let detail = format!("{found} entries, the {} {ITEMS_PER_DOCUMENT_MAX} read", newest.as_str());
        reading.problems.push(Problem::new(ProblemKind::Cut, detail));
    }
}

/// What was read of each entry.
struct Entries {
    /// From its raw elements and by feed-rs, in order.
    pairs: Vec<(Facts, Option<Entry>)>,
    /// Whether the document ends inside the last of them.
    begun: bool,
}

/// Joins facts and texts into candidates.
fn assemble(mut entries: Entries, around: &Surroundings, url: &Url, plan: &Plan<'_>, reading: &mut Reading) {
    let base = around.base(url);
    let begun = entries.begun.then(|| entries.pairs.pop()).flatten();
    let mut drafts = Vec::with_capacity(entries.pairs.len());
    let (mut blank, mut unread, mut cut, mut base64, mut wrapped, mut undated) = (0, 0, 0, 0, 0, None);
    for (facts, entry) in entries.pairs {
        unread += usize::from(entry.is_none());
        base64 += usize::from(facts.odd == Some(Odd::Base64));
        wrapped += usize::from(facts.odd == Some(Odd::CData));
        let mut entry = entry.unwrap_or_default();
        if facts.odd.is_some() {
            // The texts of feed-rs are the base64 itself, or with the marks of CDATA.
            entry = Entry {
                author: entry.author,
                tags: entry.tags,
                published: entry.published,
                updated: entry.updated,
                ..Entry::default()
            };
        }
        let mut draft = draft(&facts, entry, around, &base, plan);
        let raw_dates = [(&facts.published, draft.published), (&facts.updated, draft.updated)];
        let unknown = raw_dates.into_iter().find(|(raw, read)| raw.is_some() && read.is_none());
        let lang = facts.lang.as_deref().or(around.lang.as_deref()).or(plan.lang);
        undated =
            undated.or_else(|| unknown.and_then(|(raw, _)| Some(dates::complaint(raw.as_ref()?, lang))));
        cut += usize::from(draft.cut());
        if draft.is_blank() && !facts.says_something {
            blank += 1;
        } else {
            drafts.push(draft);
        }
    }
    reading.tell(unread, ProblemKind::Salvaged, "entries read from their raw elements alone");
    reading.tell(blank, ProblemKind::Lost, "entries that say nothing");
    reading.tell(base64, ProblemKind::Repaired, "entries with a text in base64");
    reading.tell(wrapped, ProblemKind::Repaired, "entries with CDATA that is written as text");
    reading.tell(cut, ProblemKind::Cut, "entries with a text over 64 KiB");
    reading.problems.extend(undated.map(|detail| Problem::new(ProblemKind::Repaired, detail)));
    reading.lost += blank;
    reading.items = identify(drafts, plan, SourceKind::Feed);
    reading.begun = begun.and_then(|(facts, entry)| {
        let draft = draft(&facts, entry.unwrap_or_default(), around, &base, plan);
        let linked = draft.url.is_some()
            && (facts.link.is_some() || facts.other_link.is_none() && facts.enclosure.is_none());
        let candidate = identify(vec![draft], plan, SourceKind::Feed).pop()?;
        Some(Begun::behind(&reading.items, candidate, linked))
    });
    reading.lost += usize::from(reading.begun.as_ref().is_some_and(|begun| !begun.named));
    reading.hints = around.hints();
    reading.older = around.older(url);
}

fn draft(facts: &Facts, entry: Entry, around: &Surroundings, base: &Url, plan: &Plan<'_>) -> Draft {
    let base = facts.base.as_deref().and_then(|own| base.join(own).ok()).unwrap_or_else(|| base.clone());
    let url = facts.addresses().find_map(|link| web_link(&base, link));
    let stated = facts.lang.as_deref().or(around.lang.as_deref());
    let lang = stated.map(charset::primary);
    let tags = if entry.tags.is_empty() { &facts.tags } else { &entry.tags };
    // feed-rs makes up the date of a change; only what the publisher wrote counts.
    let in_words = |raw: &String| dates::parse_in(raw, stated.or(plan.lang));
    let date = |raw: Option<&String>, read: Option<_>| {
        raw.and_then(|raw| in_words(raw).or(read.filter(dates::is_possible)))
    };
    let published = || facts.published_too.iter().find_map(in_words);
    // feed-rs ends a title at the first tag inside it.
    let title = longest([html::plain_line(&entry.title), html::plain_line(&facts.title)]);
    let media_title = || html::plain_line(facts.media_title.as_deref().unwrap_or_default());
    let Said { text, longest: named_by } = texts::of(&entry, facts);
    Draft {
        guid: facts.identifier().map(str::to_owned),
        title: if title.is_empty() { media_title() } else { title },
        text,
        named_by,
        url,
        author: entry
            .author
            .or_else(|| facts.author.clone())
            .map(|author| html::plain_line(&author))
            .filter(|a| !a.is_empty()),
        lang: lang.filter(|lang| !lang.is_empty()),
        published: date(facts.published.as_ref(), entry.published).or_else(published),
        updated: date(facts.updated.as_ref(), entry.updated),
        tags: tags
            .iter()
            .take(TAGS_MAX)
            .map(|tag| html::plain_line(tag))
            .filter(|tag| !tag.is_empty())
            .collect(),
        ..Draft::default()
    }
}

/// The longest; the first of equals.
fn longest<const N: usize>(texts: [String; N]) -> String {
    texts.into_iter().rev().max_by_key(String::len).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::item::SourceName;
    use crate::source::{ReadAs, sniff};

    /// Every document of the golden tests, and the genuine ones where `HARMATTAN_FIXTURES` names their folder.
    fn documents() -> Vec<PathBuf> {
        let genuine =
            std::env::var_os("HARMATTAN_FIXTURES").map(|folder| PathBuf::from(folder).join("feeds"));
        let golden = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/feed"));
        let files = [Some(golden), genuine]
            .into_iter()
            .flatten()
            .flat_map(|folder| std::fs::read_dir(folder).unwrap());
        let documents = files.map(|file| file.unwrap().path());
        documents.filter(|path| path.extension().is_some_and(|ending| ending == "xml")).collect()
    }

    #[test]
    fn what_is_no_feed_is_called_what_it_is() {
        let source = SourceName::new("test").unwrap();
        let plan = Plan { source: &source, kind: ReadAs::Feed, lang: None, now: None };
        let url = Url::parse("https://source.example/feed").unwrap();
        let opml = "<?xml version='1.0'?><!-- mine --><opml version='2.0'><head><title>T</title></head><body/></opml>";
        for (text, said) in [
            (opml, "a list of feeds (OPML), not a feed"),
            ("<!DOCTYPE html><html><body><p>&lt;opml></p></body></html>", "an HTML page, not a feed"),
            (r#"<div class="tgme_page"></div>"#, "a Telegram page, not a feed"),
        ] {
            let why = read(text, sniff(text.as_bytes(), None), &url, &plan).unwrap_err();
            assert_eq!(why, Unreadable::Parse(said.to_owned()), "{text}");
        }
    }

    #[test]
    fn a_clean_feed_reads_the_same_with_and_without_feed_rs() {
        let source = SourceName::new("test").unwrap();
        let plan = Plan { source: &source, kind: ReadAs::Feed, lang: None, now: None };
        let url = Url::parse("https://source.example/feed").unwrap();
        let mut clean = 0;
        for path in documents() {
            let bytes = std::fs::read(&path).unwrap();
            let text = charset::decode(&bytes, None, None).text;
            let Some(reading) = read_clean(&text, &url, &plan) else { continue };
            assert_eq!(read_mended(&text, &url, &plan), Ok(reading), "{}", path.display());
            clean += 1;
        }
        assert!(clean >= 2, "{clean} of the documents are clean");
    }
}
