//! feed-rs, held so that nothing it does to one entry harms another.
//!
//! The whole document is tried first. When that fails, or gives another number of entries than the document
//! has, every entry is tried alone under the root of its feed. feed-rs can panic on input that it does not
//! expect; a panic costs the attempt. Nothing of feed-rs or of its clock leaves this file.

use std::panic::{AssertUnwindSafe, catch_unwind};

use feed_rs::model;
use feed_rs::parser::Builder;
use jiff::Timestamp;

use super::mend::Mended;
use super::root::Format;

/// An entry as feed-rs reads it; texts may hold HTML.
#[derive(Debug, Default, Clone, PartialEq)]
pub(super) struct Entry {
    pub(super) title: String,
    pub(super) summary: String,
    pub(super) content: String,
    /// What is said of its media, where there is no summary.
    pub(super) caption: String,
    pub(super) author: Option<String>,
    pub(super) tags: Vec<String>,
    pub(super) published: Option<Timestamp>,
    pub(super) updated: Option<Timestamp>,
}

/// The entries of a document.
#[derive(Debug)]
pub(super) struct Entries {
    /// One for each item, in order; `None` where feed-rs cannot read it.
    pub(super) entries: Vec<Option<Entry>>,
    /// Why the document was not read in one piece, if it was not.
    pub(super) reason: Option<String>,
}

/// Reads the items of a document.
pub(super) fn entries(feed: &Mended) -> Entries {
    let reason = match parse(&feed.text) {
        Ok(entries) if entries.len() == feed.items.len() => {
            return Entries { entries: entries.into_iter().map(Some).collect(), reason: None };
        }
        Ok(entries) => format!("{} of {} entries read at once", entries.len(), feed.items.len()),
        Err(error) => error,
    };
    let entries = feed.items.iter().map(|range| {
        let item = feed.text.get(range.clone())?;
        parse(&alone(feed, item)).ok()?.into_iter().next()
    });
    Entries { entries: entries.collect(), reason: Some(reason) }
}

/// A document with one entry only.
fn alone(feed: &Mended, item: &str) -> String {
    let (open, close) = match feed.root.format {
        Format::Rss => ("<channel>", "</channel>"),
        Format::Rdf | Format::Atom => ("", ""),
    };
    format!("{}{open}{item}{close}</{}>", feed.root.start_tag(), feed.root.name())
}

/// Lets feed-rs read a document; the error is in words.
fn parse(text: &str) -> Result<Vec<Entry>, String> {
    // Ids are ours to make: its own are random where an entry has neither guid nor link.
    let parser = Builder::new().id_generator(|_, _, _| String::new()).sanitize_content(false).build();
    let feed = catch_unwind(AssertUnwindSafe(|| parser.parse(text.as_bytes())))
        .map_err(|_| "the feed reader panicked".to_owned())?
        .map_err(|error| error.to_string())?;
    Ok(feed.entries.into_iter().map(Entry::from).collect())
}

impl From<model::Entry> for Entry {
    fn from(entry: model::Entry) -> Self {
        let text = |text: Option<model::Text>| text.map(|text| text.content).unwrap_or_default();
        let described = entry.media.into_iter().find_map(|media| media.description);
        let caption = described.filter(|_| entry.summary.is_none());
        let person = entry.authors.into_iter().next();
        let tags = entry.categories.into_iter().map(|category| category.label.unwrap_or(category.term));
        Self {
            title: text(entry.title),
            summary: text(entry.summary),
            caption: text(caption),
            content: entry.content.and_then(|content| content.body).unwrap_or_default(),
            author: person.and_then(|person| person.name.or(person.email)),
            tags: tags.collect(),
            published: entry
                .published
                .and_then(|date| stamp(date.timestamp(), date.timestamp_subsec_nanos())),
            updated: entry.updated.and_then(|date| stamp(date.timestamp(), date.timestamp_subsec_nanos())),
        }
    }
}

fn stamp(second: i64, nanosecond: u32) -> Option<Timestamp> {
    Timestamp::new(second, i32::try_from(nanosecond).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::feed::mend::mend;

    const PANICS: &str = "<rss version=\"2.0\"><channel><item><title>T</title><author>a@b.com（田中）</author></item></channel></rss>";

    #[test]
    fn a_panic_of_feed_rs_is_an_error_and_mending_avoids_it() {
        // Should the first assertion fail, feed-rs has mended its reading of authors, and `Flaw::Author` can go.
        assert_eq!(parse(PANICS), Err("the feed reader panicked".to_owned()));
        let entries = entries(&mend(PANICS).unwrap());
        assert_eq!(entries.reason, None);
        assert_eq!(entries.entries.len(), 1);
    }

    #[test]
    fn an_entry_that_feed_rs_refuses_costs_itself_alone() {
        let entry =
            |kind: &str| format!("<entry><title>{kind}</title><content type='{kind}'>x</content></entry>");
        let feed =
            format!("<feed xmlns='http://www.w3.org/2005/Atom'>{}{}</feed>", entry("html"), entry("foo"));
        let Entries { entries, reason } = entries(&mend(&feed).unwrap());
        assert!(reason.is_some());
        let titles: Vec<_> = entries.into_iter().map(|entry| entry.map(|entry| entry.title)).collect();
        assert_eq!(titles, [Some("html".to_owned()), None]);
    }
}
