//! Tells documents that need no mending, which nearly all are, and where their items stand.
//!
//! Such a document is read as it was sent. Whatever [`mend`](super::mend) would change or count makes it not clean.

use std::ops::Range;

use memchr::memchr_iter;

use super::facts::{Collector, Facts};
use super::lexer::{ATTRIBUTES_MAX, Lexer, Tag, Token, split_name};
use super::mend::{FIELDS, MEDIA_TEXTS, XML_DEPTH_MAX};
use super::person;
use super::root::{Root, usual};
use crate::source::ITEMS_PER_DOCUMENT_MAX;
use crate::text::reference::{self, Reference};

/// A document that needs no mending.
#[derive(Debug, Default)]
pub(super) struct Clean {
    /// Where its items are, in order.
    pub(super) items: Vec<Range<usize>>,
    /// What each of them says.
    pub(super) facts: Vec<Facts>,
}

/// Reads the items of a document; `None` when it is not clean.
pub(super) fn read(text: &str) -> Option<Clean> {
    if !reference::all_allowed(text) {
        return None;
    }
    let mut tokens = Lexer::new(text);
    let root = loop {
        match tokens.next()? {
            Token::Start(tag) => break Root::of(tag).filter(|root| root.is_plain() && !tag.empty)?,
            Token::Text(text) if text.trim().is_empty() => {}
            Token::Aside => {}
            Token::Text(_) | Token::CData(_) | Token::End(_) | Token::LoneBracket | Token::Unfinished => {
                return None;
            }
        }
    };
    let mut walk =
        Walk { root, open: Vec::new(), found: Clean::default(), item: None, bare: false, ended: false };
    loop {
        let start = tokens.place();
        let Some(token) = tokens.next() else { break };
        walk.step(token, start..tokens.place())?;
    }
    (walk.ended && tokens.unended() == 0).then_some(walk.found)
}

/// The way through the elements of a document.
struct Walk<'a> {
    root: Root,
    /// Names of the open elements inside the root.
    open: Vec<&'a str>,
    found: Clean,
    /// The item that is open.
    item: Option<Item<'a>>,
    /// Whether an element has just begun that must not be empty.
    bare: bool,
    ended: bool,
}

/// An item that is open.
struct Item<'a> {
    /// Where it begins.
    start: usize,
    /// How many elements are open around it.
    around: usize,
    collector: Collector<'a>,
}

impl<'a> Walk<'a> {
    /// Takes the token that stands at `place`; `None` when the document is not clean.
    fn step(&mut self, token: Token<'a>, place: Range<usize>) -> Option<()> {
        let clean = match token {
            Token::Text(text) => self.text(text),
            Token::CData(_) => {
                self.bare = false;
                !self.ended
            }
            Token::Start(tag) => self.start(tag, place.start),
            Token::End(name) => self.end(name),
            Token::Aside => true,
            Token::LoneBracket | Token::Unfinished => false,
        };
        if let Some(item) = &mut self.item
            && item.start < place.start
        {
            item.collector.take(token);
        }
        if self.item.as_ref().is_some_and(|item| item.around == self.open.len()) {
            let item = self.item.take()?;
            self.found.items.push(item.start..place.end);
            self.found.facts.push(item.collector.finish());
        }
        (clean && self.found.items.len() < ITEMS_PER_DOCUMENT_MAX).then_some(())
    }

    fn text(&mut self, text: &str) -> bool {
        let blank = text.trim_ascii_start().is_empty();
        self.bare &= blank;
        let odd = || self.open.last().is_some_and(|name| person::is_odd(name, text));
        blank || (!self.ended && is_clean(text) && !odd())
    }

    fn start(&mut self, tag: Tag<'a>, place: usize) -> bool {
        let is_item = self.root.is_item(tag.name);
        let inside = self.item.is_some();
        if self.ended || (is_item && inside) || (!inside && self.root.is_foreign_item(tag.name)) {
            return false;
        }
        let (prefix, local) = split_name(tag.name);
        let keeps_space = is_item || local == "channel";
        let too_deep = self.open.len() + 1 >= XML_DEPTH_MAX;
        let is_odd = too_deep || usual(tag.name).is_some();
        if is_odd || self.ends_field(tag.name) || !has_clean_attributes(tag, keeps_space) {
            return false;
        }
        self.bare = prefix == "media" && MEDIA_TEXTS.contains(&local);
        if is_item {
            let collector = Collector::new(tag);
            self.item = Some(Item { start: place, around: self.open.len(), collector });
        }
        if tag.empty {
            return !self.bare;
        }
        self.open.push(tag.name);
        true
    }

    /// Whether a field of the item begins inside another, which therefore lacks its end.
    fn ends_field(&self, name: &str) -> bool {
        let directly = self.item.as_ref().is_some_and(|item| self.open.len() == item.around + 2);
        directly && FIELDS.contains(&name) && self.open.last().is_some_and(|open| FIELDS.contains(open))
    }

    fn end(&mut self, name: &str) -> bool {
        let Some(open) = self.open.pop() else {
            // Its start tag is spelled so, says `is_plain`.
            let first = !self.ended && name == self.root.name();
            self.ended = true;
            return first;
        };
        open == name && !std::mem::take(&mut self.bare)
    }
}

/// Whether every `&` of a text begins a reference that XML knows.
fn is_clean(text: &str) -> bool {
    memchr_iter(b'&', text.as_bytes()).all(|place| {
        let after = text.get(place + 1..).unwrap_or_default();
        let known = ["amp;", "lt;", "gt;", "quot;", "apos;"].iter().any(|name| after.starts_with(name));
        known
            || (after.starts_with('#')
                && matches!(reference::reference(after), Some((Reference::Character(_), _))))
    })
}

/// Whether the attributes are written by the rules of XML, none twice and not more than are read; a new default namespace
/// where items are looked for is not clean.
fn has_clean_attributes(tag: Tag<'_>, keeps_space: bool) -> bool {
    let mut rest = tag.inside.trim_start();
    let mut names: Vec<&str> = Vec::new();
    while !rest.is_empty() {
        let Some((name, after)) = rest.split_once('=') else { return false };
        let quoted = after.strip_prefix('"').and_then(|after| after.split_once('"'));
        let Some((value, after)) =
            quoted.or_else(|| after.strip_prefix('\'').and_then(|after| after.split_once('\'')))
        else {
            return false;
        };
        let is_one_more = names.len() >= ATTRIBUTES_MAX || names.contains(&name);
        if is_one_more || name.contains(char::is_whitespace) || value.contains('<') || !is_clean(value) {
            return false;
        }
        if keeps_space && name == "xmlns" {
            return false;
        }
        names.push(name);
        rest = after.trim_start();
    }
    true
}

#[cfg(test)]
mod tests {
    use super::super::mend::mend;
    use super::*;

    const CLEAN: [&str; 5] = [
        "<?xml version='1.0'?>\n<!-- c --><rss version=\"2.0\"><channel><item><title>a &amp; &#233;</title></item></channel></rss>\n",
        "<rss version='2.0'><channel><item><a><![CDATA[<p>&nbsp;]]></a></item><item/></channel></rss>",
        "<feed xmlns='http://www.w3.org/2005/Atom'><entry><link href='/?a=1&amp;b=2' rel=\"self\"/></entry></feed>",
        "<rss version='2.0'><channel><image><title>x</title></image><item><media:title>t</media:title></item></channel></rss>",
        "<rss version='2.0'><channel></channel></rss>",
    ];

    const UNCLEAN: [&str; 28] = [
        "",
        "x<rss version='2.0'></rss>",
        "<rss><channel/></rss>",
        "<RSS version='2.0'></RSS>",
        "<rSS version='2.0'></rSS>",
        "<rss version='2.0'><Item></Item></rss>",
        "<rss version='2.0'><item><GUID></GUID></item></rss>",
        "<rss version='2.0'><item></item\n></item</rss>",
        "<rss version='2.0'><a><![CDATA[b</a><a><![CDATA[c]]></a></rss>",
        "<rss version='2.0'><a>b<!-- c</a></rss>",
        "<rss version='2.0'><a>1 & 2</a></rss>",
        "<rss version='2.0'><a>&nbsp;</a></rss>",
        "<rss version='2.0'><a>&#0;</a></rss>",
        "<rss version='2.0'><a>1 < 2</a></rss>",
        "<rss version='2.0'><a>\u{b}</a></rss>",
        "<rss version='2.0'><a>\u{ffff}</a></rss>",
        "<rss version='2.0'><a><b></a></rss>",
        "<rss version='2.0'><a></rss>",
        "<rss version='2.0'><a/>",
        "<rss version='2.0'><a/></rss><rss/>",
        "<rss version='2.0'><item><item></item></item></rss>",
        "<rss version='2.0'><item><title>a<link>b</link></title></item></rss>",
        "<rss version='2.0'><item><media:title></media:title></item></rss>",
        "<rss version='2.0'><item><media:title/></item></rss>",
        "<rss version='2.0'><item><a b='1' b='2'/></item></rss>",
        "<rss version='2.0'><item><a b=1/></item></rss>",
        "<rss version='2.0'><channel xmlns='x'><item/></channel></rss>",
        "<rss version='2.0'><author>a@b.com（田中）</author></rss>",
    ];

    #[test]
    fn a_clean_document_is_what_mending_leaves_alone() {
        for text in CLEAN {
            let found = read(text).unwrap_or_else(|| panic!("{text}"));
            let mended = mend(text).unwrap();
            assert!(mended.flaws.is_empty() && mended.ended, "{text}");
            assert_eq!(found.items.len(), mended.items.len(), "{text}");
            assert_eq!(found.items.len(), found.facts.len(), "{text}");
            let mut items = found.items.iter().map(|item| text.get(item.clone()).unwrap());
            let whole = |item: &str| {
                item == "<item/>"
                    || ["item", "entry"].iter().any(|name| {
                        item.starts_with(&format!("<{name}>")) && item.ends_with(&format!("</{name}>"))
                    })
            };
            assert!(items.all(whole), "{text}");
        }
        for text in UNCLEAN {
            assert!(read(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_tag_of_more_attributes_than_are_read_is_not_clean() {
        for (count, clean) in [(ATTRIBUTES_MAX, true), (ATTRIBUTES_MAX + 1, false), (10_000, false)] {
            let attributes: Vec<String> = (0..count).map(|number| format!(" a{number}='1'")).collect();
            let text = format!("<rss version='2.0'><a{}/></rss>", attributes.concat());
            assert_eq!(read(&text).is_some(), clean, "{count}");
        }
    }
}
