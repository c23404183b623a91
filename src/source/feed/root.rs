//! The root element of a feed: which format it is, and how it is written so that feed-rs knows it.

use std::borrow::Cow;

use super::flaw::Flaw;
use super::lexer::{Tag, split_name};

/// Namespaces of Atom 1.0, and of RSS 1.0.
const ATOM: &str = "http://www.w3.org/2005/Atom";
const RSS_1: &str = "http://purl.org/rss/1.0/";
const RDF: &str = "http://www.w3.org/1999/02/22-rdf-syntax-ns#";

/// Prefixes that everybody uses for one namespace; publishers forget to declare them.
const USUAL: [(&str, &str); 6] = [
    ("atom", ATOM),
    ("content", "http://purl.org/rss/1.0/modules/content/"),
    ("dc", "http://purl.org/dc/elements/1.1/"),
    ("dcterms", "http://purl.org/dc/terms/"),
    ("itunes", "http://www.itunes.com/dtds/podcast-1.0.dtd"),
    ("media", "http://search.yahoo.com/mrss/"),
];

/// Names of elements that are read here, as they are usually written: first the one that has capitals by right.
const NAMES: [&str; 32] = [
    "pubDate",
    "item",
    "entry",
    "channel",
    "title",
    "link",
    "guid",
    "id",
    "description",
    "summary",
    "content",
    "encoded",
    "full-text",
    "fulltext",
    "body",
    "published",
    "date",
    "issued",
    "created",
    "updated",
    "modified",
    "author",
    "creator",
    "name",
    "email",
    "category",
    "subject",
    "enclosure",
    "language",
    "ttl",
    "hour",
    "day",
];

/// The families of XML feeds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// `<rss>`, all versions.
    Rss,
    /// RSS 0.90 and 1.0, in RDF.
    Rdf,
    /// Atom 0.3 and 1.0.
    Atom,
}

/// The root of a feed.
#[derive(Debug)]
pub(super) struct Root {
    /// The format.
    pub(super) format: Format,
    /// Declared prefixes with their namespaces.
    prefixes: Vec<(String, String)>,
    /// `xml:lang` and `xml:base`, kept as written.
    inherited: Vec<(String, String)>,
    flaws: Vec<Flaw>,
}

impl Root {
    /// Reads a start tag; `None` when it is not the root of a feed.
    pub(super) fn of(tag: Tag<'_>) -> Option<Self> {
        let (prefix, local) = split_name(tag.name);
        let formats = [("rss", Format::Rss), ("RDF", Format::Rdf), ("feed", Format::Atom)];
        let (usual, format) = formats.into_iter().find(|(name, _)| local.eq_ignore_ascii_case(name))?;
        let mut root = Self { format, prefixes: Vec::new(), inherited: Vec::new(), flaws: Vec::new() };
        root.flaws.extend((local != usual).then_some(Flaw::Case));
        let mut default = None;
        for (name, value) in tag.attributes() {
            let usable = !value.contains(['<', '&', '"']);
            match split_name(name) {
                ("xmlns", prefix) if usable => root.prefixes.push((prefix.to_owned(), value.to_owned())),
                ("", "xmlns") => default = Some(value),
                ("xml", _) if usable => root.inherited.push((name.to_owned(), value.to_owned())),
                _ => {}
            }
        }
        root.judge(tag.attribute("version"), default, prefix);
        Some(root)
    }

    fn judge(&mut self, version: Option<&str>, default: Option<&str>, prefix: &str) {
        let expected = match self.format {
            Format::Rdf => Some(RSS_1),
            Format::Atom if prefix.is_empty() => Some(ATOM),
            Format::Rss | Format::Atom => None,
        };
        if default != expected && (default.is_some() || self.format == Format::Rdf) {
            self.flaws.push(Flaw::Namespace);
        }
        let usual = ["2.0", "0.91", "0.92"];
        if self.format == Format::Rss && !version.is_some_and(|version| usual.contains(&version)) {
            self.flaws.push(Flaw::Version);
        }
    }

    /// What was wrong with it.
    pub(super) fn flaws(&self) -> Vec<Flaw> {
        self.flaws.clone()
    }

    /// Whether it is written as [`start_tag`](Self::start_tag) would write it, as far as names and version go.
    pub(super) fn is_plain(&self) -> bool {
        self.flaws.is_empty()
    }

    /// Its name as written out.
    pub(super) fn name(&self) -> &'static str {
        match self.format {
            Format::Rss => "rss",
            Format::Rdf => "rdf:RDF",
            Format::Atom => "feed",
        }
    }

    /// Whether an element of this name is an item.
    pub(super) fn is_item(&self, name: &str) -> bool {
        let (prefix, local) = split_name(name);
        let expected = if self.format == Format::Atom { "entry" } else { "item" };
        local.eq_ignore_ascii_case(expected) && (prefix.is_empty() || self.is_own(prefix))
    }

    /// Whether an element is an item as another format has it: `<item>` in Atom, `<entry>` in RSS.
    pub(super) fn is_other_item(&self, name: &str) -> bool {
        let prefix = split_name(name).0;
        is_called_item(name) && (prefix.is_empty() || self.is_own(prefix)) && !self.is_item(name)
    }

    /// Whether an element is called like an item without being one.
    pub(super) fn is_foreign_item(&self, name: &str) -> bool {
        is_called_item(name) && !self.is_item(name)
    }

    /// Whether a prefix stands for a namespace of feeds, so that `a:entry` is an entry.
    pub(super) fn is_own(&self, prefix: &str) -> bool {
        let own = |uri: &str| {
            let uri = uri.to_ascii_lowercase();
            !uri.contains("modules") && ["2005/atom", "atom/ns", "/rss"].iter().any(|part| uri.contains(part))
        };
        self.prefixes.iter().any(|(known, uri)| known == prefix && own(uri))
    }

    /// The start tag: one version and one default namespace for all dialects of a format.
    pub(super) fn start_tag(&self) -> String {
        let mut tag = format!("<{}", self.name());
        let mut attribute = |name: &str, value: &str| {
            for part in [" ", name, "=\"", value, "\""] {
                tag.push_str(part);
            }
        };
        match self.format {
            Format::Rss => attribute("version", "2.0"),
            Format::Rdf => attribute("xmlns", RSS_1),
            Format::Atom => attribute("xmlns", ATOM),
        }
        let mut written = vec![];
        let rdf = (self.format == Format::Rdf).then_some(("rdf", RDF));
        let declared = self.prefixes.iter().map(|(prefix, uri)| (prefix.as_str(), uri.as_str()));
        for (prefix, uri) in rdf.into_iter().chain(declared).chain(USUAL) {
            if !written.contains(&prefix) {
                attribute(&format!("xmlns:{prefix}"), uri);
                written.push(prefix);
            }
        }
        let mut names: Vec<&str> = Vec::new();
        for (name, value) in &self.inherited {
            if !names.contains(&name.as_str()) {
                attribute(name, value);
                names.push(name);
            }
        }
        tag.push('>');
        tag
    }
}

fn is_called_item(name: &str) -> bool {
    let local = split_name(name).1;
    ["item", "entry"].iter().any(|item| item.eq_ignore_ascii_case(local))
}

/// How a name of an element that is read here is usually written, where it has another case (`GUID`); `None` for every
/// other name. Those of namespaces that have names of their own (`rdf:Description`) stay as they are.
#[inline]
pub(super) fn usual(name: &str) -> Option<Cow<'static, str>> {
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) { usual_of_capitals(name) } else { None }
}

/// The same of a name that has capitals. Every tag is asked about, and inlined there it made all of them slower.
#[inline(never)]
fn usual_of_capitals(name: &str) -> Option<Cow<'static, str>> {
    let (prefix, local) = split_name(name);
    let usual = NAMES.iter().copied().find(|usual| usual.eq_ignore_ascii_case(local));
    if prefix.is_empty() {
        return usual.filter(|usual| *usual != local).map(Cow::Borrowed);
    }
    let (known, _) = USUAL.iter().find(|(known, _)| known.eq_ignore_ascii_case(prefix))?;
    let usual = usual.unwrap_or(local);
    (*known != prefix || usual != local).then(|| format!("{known}:{usual}").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_another_case_are_known() {
        for (name, expected) in [
            ("Title", Some("title")),
            ("GUID", Some("guid")),
            ("PubDate", Some("pubDate")),
            ("PUBDATE", Some("pubDate")),
            ("DC:Date", Some("dc:date")),
            ("dc:Date", Some("dc:date")),
            ("MEDIA:thumbNail", Some("media:thumbNail")),
            ("title", None),
            ("pubDate", None),
            ("lastBuildDate", None),
            ("skipHours", None),
            ("media:starRating", None),
            ("rdf:Description", None),
            ("feedburner:origLink", None),
            ("BR", None),
        ] {
            assert_eq!(usual(name).as_deref(), expected, "{name}");
        }
    }
}
