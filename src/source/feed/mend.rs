//! Makes a well-formed feed of what a publisher sent.
//!
//! One pass over the tokens writes the document anew: end tags that are missing are added and those too many
//! are left out, bare `&` and `<` are escaped, named references of HTML become characters, characters that XML
//! forbids go. What stands before the root goes too: warnings of PHP, document types (their entities are never
//! expanded), the declaration (the text is UTF-8 by now). The writer knows where each item begins and
//! ends, so that a truncated document keeps the items that are whole, and of the last one the fields that are.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use super::flaw::Flaw;
use super::lexer::{Lexer, Tag, Token, split_name};
use super::person;
use super::root::{Root, usual};
use crate::source::ITEMS_PER_DOCUMENT_MAX;
use crate::text::reference::{self, Reference};

/// Deepest nesting of elements that is kept; deeper tags are left out, their text stays.
pub(super) const XML_DEPTH_MAX: usize = 64;

/// Elements of Media RSS that feed-rs refuses when they are empty, and the whole feed with them.
pub(super) const MEDIA_TEXTS: [&str; 5] = ["title", "description", "credit", "text", "keywords"];

/// Elements of an item that hold nothing but text: the next field ends one that was not ended.
pub(super) const FIELDS: [&str; 9] =
    ["title", "link", "guid", "id", "description", "pubDate", "published", "updated", "category"];

/// A feed that is well-formed.
#[derive(Debug)]
pub(super) struct Mended {
    /// The document.
    pub(super) text: String,
    /// Its root.
    pub(super) root: Root,
    /// Where the whole items are in it, in order.
    pub(super) items: Vec<Range<usize>>,
    /// Whether the document ends inside the last of them, which has the fields that are whole.
    pub(super) begun: bool,
    /// Whether it ends there between two fields.
    pub(super) between: bool,
    /// Whether the root element has its end tag.
    pub(super) ended: bool,
    /// Items beyond [`ITEMS_PER_DOCUMENT_MAX`].
    pub(super) over: usize,
    /// Elements called like items that are none by their namespace.
    pub(super) foreign: usize,
    /// What was repaired, and how often.
    pub(super) flaws: BTreeMap<Flaw, usize>,
}

/// Mends a document; `None` when it has no root element of a feed.
pub(super) fn mend(text: &str) -> Option<Mended> {
    let mut tokens = Lexer::new(text);
    let mut preamble = false;
    let (tag, root) = loop {
        match tokens.next()? {
            Token::Start(tag) => match Root::of(tag) {
                Some(root) => break (tag, root),
                None => preamble = true,
            },
            Token::Text(text) => preamble |= !text.trim().is_empty(),
            Token::LoneBracket | Token::CData(_) | Token::End(_) => preamble = true,
            Token::Aside => {}
            Token::Unfinished => return None,
        }
    };
    let mut writer = Writer::new(root, text.len());
    if preamble {
        writer.flaw(Flaw::Preamble);
    }
    writer.root(tag);
    while let Some(token) = tokens.next() {
        if writer.items.len() >= ITEMS_PER_DOCUMENT_MAX && writer.is_item(token) {
            writer.close_to(1);
            writer.ended = true;
            writer.over = 1 + tokens.by_ref().filter(|&token| writer.is_item(token)).count();
            break;
        }
        if !writer.skips(token, &tokens) {
            writer.token(token);
        }
    }
    if tokens.unended() > 0 {
        writer.flaws.insert(Flaw::Unended, tokens.unended());
    }
    Some(writer.finish())
}

/// Writes the document anew.
struct Writer<'a> {
    out: String,
    root: Root,
    /// Whether the end tag of the root was met.
    ended: bool,
    /// Names of the open elements, the root first.
    open: Vec<&'a str>,
    /// Start tags left out for their depth and not yet ended, by name.
    overflow: HashMap<&'a str, usize>,
    items: Vec<Range<usize>>,
    /// The item being written: where it begins, and how many elements are open around it.
    item: Option<(usize, usize)>,
    /// Where the field of it begins that is being written.
    field: usize,
    /// Whether the document ends inside a tag or section.
    unfinished: bool,
    over: usize,
    foreign: usize,
    flaws: BTreeMap<Flaw, usize>,
    /// The end tag of an element that was left out.
    skip_end: bool,
}

impl<'a> Writer<'a> {
    fn new(root: Root, capacity: usize) -> Self {
        Self {
            out: String::with_capacity(capacity),
            root,
            open: Vec::new(),
            overflow: HashMap::new(),
            items: Vec::new(),
            item: None,
            field: 0,
            unfinished: false,
            ended: false,
            over: 0,
            foreign: 0,
            flaws: BTreeMap::new(),
            skip_end: false,
        }
    }

    fn is_item(&self, token: Token<'_>) -> bool {
        matches!(token, Token::Start(tag) if self.root.is_item(tag.name) || self.root.is_other_item(tag.name))
    }

    fn flaw(&mut self, flaw: Flaw) {
        *self.flaws.entry(flaw).or_default() += 1;
    }

    fn root(&mut self, tag: Tag<'a>) {
        for flaw in self.root.flaws() {
            self.flaw(flaw);
        }
        self.out.push_str(&self.root.start_tag());
        self.open.push(tag.name);
        self.ended = tag.empty;
    }

    /// Leaves out an empty element of Media RSS: the tag, or the tag with the end tag that follows at once.
    fn skips(&mut self, token: Token<'a>, after: &Lexer<'a>) -> bool {
        if std::mem::take(&mut self.skip_end) {
            if matches!(token, Token::Text(text) if text.trim().is_empty()) {
                self.skip_end = true;
                return true;
            }
            return matches!(token, Token::End(_));
        }
        let Token::Start(tag) = token else { return false };
        let (prefix, name) = split_name(tag.name);
        if !prefix.eq_ignore_ascii_case("media") || !has(&MEDIA_TEXTS, name) {
            return false;
        }
        let mut next =
            after.clone().filter(|token| !matches!(token, Token::Text(text) if text.trim().is_empty()));
        let ends = !tag.empty
            && matches!(next.next(), Some(Token::End(name)) if name.eq_ignore_ascii_case(tag.name));
        if tag.empty || ends {
            self.flaw(Flaw::EmptyMedia);
        }
        self.skip_end = ends;
        tag.empty || ends
    }

    fn token(&mut self, token: Token<'a>) {
        match token {
            Token::Text(text) => self.text(text),
            Token::CData(text) => self.cdata(text),
            Token::LoneBracket => {
                self.flaw(Flaw::Bracket);
                self.out.push_str("&lt;");
            }
            Token::Start(tag) => self.start(tag),
            Token::End(name) => self.end(name),
            Token::Aside => {}
            Token::Unfinished => self.unfinished = true,
        }
    }

    fn start(&mut self, tag: Tag<'a>) {
        let other = self.item.is_none() && self.root.is_other_item(tag.name);
        self.foreign += usize::from(self.item.is_none() && !other && self.root.is_foreign_item(tag.name));
        if other || self.root.is_item(tag.name) {
            if let Some((_, around)) = self.item {
                self.flaw(Flaw::Nesting);
                self.close_to(around);
            }
            self.item = Some((self.out.len(), self.open.len()));
        } else if self.ends_field(tag.name) {
            self.flaw(Flaw::Nesting);
            self.close_to(self.open.len().saturating_sub(1));
        } else if self.open.len() >= XML_DEPTH_MAX {
            if self.overflow.is_empty() {
                self.flaw(Flaw::Depth);
            }
            *self.overflow.entry(tag.name).or_default() += usize::from(!tag.empty);
            return;
        }
        if usual(tag.name).is_some() {
            self.flaw(Flaw::Case);
        }
        self.write_start(tag);
        if tag.empty {
            self.after_close();
        } else {
            self.open.push(tag.name);
        }
    }

    /// Whether a field of the item begins inside another, which therefore lacks its end.
    fn ends_field(&self, name: &str) -> bool {
        let directly = self.item.is_some_and(|(_, around)| self.open.len() == around + 2);
        directly && has(&FIELDS, name) && self.open.last().is_some_and(|open| has(&FIELDS, open))
    }

    fn write_start(&mut self, tag: Tag<'a>) {
        if self.item.is_some_and(|(_, around)| self.open.len() == around + 1) {
            self.field = self.out.len();
        }
        self.out.push('<');
        self.out.push_str(&spelled(tag.name));
        let mut written: Vec<&str> = Vec::new();
        for (name, value) in tag.attributes() {
            // The default namespace of a channel or item is the root's, whatever it says.
            let foreign =
                name == "xmlns" && (self.root.is_item(tag.name) || split_name(tag.name).1 == "channel");
            if foreign || written.contains(&name) {
                continue;
            }
            written.push(name);
            self.out.push(' ');
            self.out.push_str(name);
            self.out.push_str("=\"");
            let start = self.out.len();
            self.text(value);
            let escaped = self.out.get(start..).unwrap_or_default();
            if escaped.contains(['"', '<']) {
                let escaped = escaped.replace('"', "&quot;").replace('<', "&lt;");
                self.out.truncate(start);
                self.out.push_str(&escaped);
            }
            self.out.push('"');
        }
        self.out.push_str(if tag.empty { "/>" } else { ">" });
    }

    fn end(&mut self, name: &str) {
        if let Some(left_out) = self.overflow.get_mut(name).filter(|left_out| **left_out > 0) {
            *left_out -= 1;
            return;
        }
        let Some(place) = self.open.iter().rposition(|open| open.eq_ignore_ascii_case(name)) else {
            self.flaw(Flaw::Nesting);
            return;
        };
        if place + 1 < self.open.len() {
            self.flaw(Flaw::Nesting);
        }
        self.ended |= place == 0;
        // The root ends with the document: items after its end tag (two feeds in one body) are items too.
        self.close_to(place.max(1));
    }

    /// Ends open elements until `count` of them are left.
    fn close_to(&mut self, count: usize) {
        self.overflow.clear();
        while self.open.len() > count {
            let Some(name) = self.open.pop() else { return };
            self.out.push_str("</");
            let name = if self.open.is_empty() { self.root.name().into() } else { spelled(name) };
            self.out.push_str(&name);
            self.out.push('>');
            self.after_close();
        }
    }

    /// Notes the end of an item, when that is what has just been closed.
    fn after_close(&mut self) {
        if let Some((start, around)) = self.item
            && around == self.open.len()
        {
            self.items.push(start..self.out.len());
            self.item = None;
        }
    }

    fn text(&mut self, text: &str) {
        if self.open.last().is_some_and(|name| person::is_odd(name, text)) {
            self.flaw(Flaw::Author);
            self.escaped(&person::without_address(text));
        } else {
            self.escaped(text);
        }
    }

    fn escaped(&mut self, text: &str) {
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('&') {
            self.characters(before);
            rest = after;
            let Some((meaning, length)) = reference::reference(after) else {
                self.flaw(Flaw::Ampersand);
                self.out.push_str("&amp;");
                continue;
            };
            let name = after.get(..length).unwrap_or_default();
            rest = after.get(length..).unwrap_or_default();
            match meaning {
                Reference::Nothing => self.flaw(Flaw::Character),
                Reference::Character(c) => self.reference(name, c),
            }
        }
        self.characters(rest);
    }

    fn reference(&mut self, name: &str, c: char) {
        if name.starts_with('#') || matches!(name, "amp;" | "lt;" | "gt;" | "quot;" | "apos;") {
            match c {
                '&' => self.out.push_str("&amp;"),
                '<' => self.out.push_str("&lt;"),
                '>' => self.out.push_str("&gt;"),
                '"' => self.out.push_str("&quot;"),
                c => self.out.push(c),
            }
        } else {
            self.flaw(Flaw::HtmlEntity);
            self.out.push(c);
        }
    }

    fn cdata(&mut self, text: &str) {
        self.out.push_str("<![CDATA[");
        self.characters(text);
        self.out.push_str("]]>");
    }

    /// Writes characters, without those that XML forbids.
    fn characters(&mut self, text: &str) {
        if reference::all_allowed(text) {
            self.out.push_str(text);
        } else {
            self.flaw(Flaw::Character);
            self.out.extend(text.chars().filter(|&c| reference::allowed(c)));
        }
    }

    /// Closes what is open. A field that has not ended is left out: half a text misleads.
    fn finish(mut self) -> Mended {
        let mut between = !self.unfinished;
        let begun = self.item.is_some();
        if let Some((_, around)) = self.item
            && self.open.len() > around + 1
        {
            between = false;
            self.out.truncate(self.field);
            self.open.truncate(around + 1);
        }
        self.close_to(0);
        Mended {
            text: self.out,
            root: self.root,
            items: self.items,
            begun,
            between: begun && between,
            ended: !begun && self.ended,
            over: self.over,
            foreign: self.foreign,
            flaws: self.flaws,
        }
    }
}

/// A name as written out.
fn spelled(name: &str) -> Cow<'_, str> {
    usual(name).unwrap_or(Cow::Borrowed(name))
}

/// Whether a name is among these, in whatever case.
pub(super) fn has(names: &[&str], name: &str) -> bool {
    names.iter().any(|known| known.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mended(text: &str) -> (String, Vec<Flaw>) {
        let mended = mend(text).unwrap();
        let root = mended.root.start_tag();
        (mended.text.replacen(&root, "<R>", 1), mended.flaws.into_keys().collect())
    }

    #[test]
    fn what_is_broken_becomes_well_formed() {
        for (text, expected, flaws) in [
            ("<rss version='2.0'><a>1 & 2</a></rss>", "<R><a>1 &amp; 2</a></rss>", vec![Flaw::Ampersand]),
            (
                "<rss version='2.0'><a>&eacute;&#8217;&lt;</a></rss>",
                "<R><a>é’&lt;</a></rss>",
                vec![Flaw::HtmlEntity],
            ),
            (
                "<rss version='2.0'><a b='\"&c'/></rss>",
                "<R><a b=\"&quot;&amp;c\"/></rss>",
                vec![Flaw::Ampersand],
            ),
            (
                "<rss version='2.0'><a>1 < 2\u{b}</a>",
                "<R><a>1 &lt; 2</a></rss>",
                vec![Flaw::Bracket, Flaw::Character],
            ),
            ("<rss version='2.0'><a>b<!-- c</a></rss>", "<R><a>b c</a></rss>", vec![Flaw::Unended]),
            ("<rss version='2.0'><a><b>x</a></c></rss>", "<R><a><b>x</b></a></rss>", vec![Flaw::Nesting]),
            ("<RSS><GUID></GUID></RSS>", "<R><guid></guid></rss>", vec![Flaw::Version, Flaw::Case]),
            ("<rSS version='2.0'><A/></rSS>", "<R><A/></rss>", vec![Flaw::Case]),
            (
                "<rss version='2.0'><Item><Title>T<Link>L</Link><Author>é@b.c (N)</Author></item></rss>",
                "<R><item><title>T</title><link>L</link><author>N</author></item></rss>",
                vec![Flaw::Case, Flaw::Nesting, Flaw::Author],
            ),
            (
                "<rss version='2.0'><Media:Title> </media:title><DC:Date>x</DC:Date></rss>",
                "<R><dc:date>x</dc:date></rss>",
                vec![Flaw::Case, Flaw::EmptyMedia],
            ),
            ("hello<rss version='2.0'/>", "<R></rss>", vec![Flaw::Preamble]),
            (
                "<!DOCTYPE rss [<!ENTITY x 'y'>]><rss version='2.0'>&x;</rss>",
                "<R>&amp;x;</rss>",
                vec![Flaw::Ampersand],
            ),
            (
                "<rss version='2.0'><media:title> </media:title><b/></rss>",
                "<R><b/></rss>",
                vec![Flaw::EmptyMedia],
            ),
            (
                "<rss version='2.0'><author>é@b.c (N)</author></rss>",
                "<R><author>N</author></rss>",
                vec![Flaw::Author],
            ),
            ("<rss version='2.0'></rss><item/>", "<R><item/></rss>", vec![]),
            ("<rss version='2.0'><a b=1 b=2 c></a></rss>", "<R><a b=\"1\"></a></rss>", vec![]),
        ] {
            assert_eq!(mended(text), (expected.to_owned(), flaws), "{text}");
        }
    }

    #[test]
    fn a_field_that_was_not_ended_ends_where_the_next_begins() {
        let text = "<rss version='2.0'><channel><item><title>T<link>L</link></item></channel></rss>";
        let feed = mend(text).unwrap();
        assert_eq!(
            feed.text.get(feed.items[0].clone()).unwrap(),
            "<item><title>T</title><link>L</link></item>"
        );
    }

    #[test]
    fn items_are_found_whole_and_of_the_last_the_whole_fields() {
        for (end, last) in [
            ("", vec![]),
            ("<item", vec![]),
            ("<item>4", vec!["<item>4</item>"]),
            ("<item><title><![CD", vec!["<item></item>"]),
            ("<item><title>T", vec!["<item></item>"]),
            ("<item><title>T</titl", vec!["<item></item>"]),
            ("<item><title>T</title>", vec!["<item><title>T</title></item>"]),
            ("<item><title>T</title><x><y/><z>Z</z>", vec!["<item><title>T</title></item>"]),
            ("<item><title>T</title><link/>", vec!["<item><title>T</title><link/></item>"]),
        ] {
            let feed = mend(&format!("<rss version='2.0'><channel><item>1</item><item>2<item>3</item>{end}"))
                .unwrap();
            let items: Vec<&str> =
                feed.items.iter().map(|range| feed.text.get(range.clone()).unwrap()).collect();
            let whole = vec!["<item>1</item>", "<item>2</item>", "<item>3</item>"];
            assert_eq!(items, [whole, last.clone()].concat(), "{end}");
            assert_eq!((feed.begun, feed.ended), (!last.is_empty(), false), "{end}");
            assert_eq!(
                feed.between,
                end.ends_with("</title>") || end.ends_with("/>") || end.ends_with('4'),
                "{end}"
            );
            assert!(feed.text.ends_with("</item></channel></rss>"), "{}", feed.text);
        }
    }

    #[test]
    fn deep_nesting_loses_its_tags_and_keeps_its_text() {
        let text =
            format!("<rss version='2.0'>{}x{}<item>y</item></rss>", "<a>".repeat(5000), "</a>".repeat(5000));
        let feed = mend(&text).unwrap();
        assert_eq!(feed.text.matches("<a>").count(), XML_DEPTH_MAX - 1);
        assert_eq!(feed.items.len(), 1);
        assert_eq!(feed.flaws.get(&Flaw::Depth), Some(&1));
    }

    #[test]
    fn what_has_no_root_of_a_feed_is_none() {
        for text in ["", "text", "<html><body/></html>", "<!-- <rss/> -->", "<rss"] {
            assert!(mend(text).is_none(), "{text}");
        }
    }
}
