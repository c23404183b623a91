//! Microsoft's Channel Definition Format as RSS.
//!
//! What CDF says, RSS can say: the address and date of an `<ITEM>` stand in attributes, its text is an `<ABSTRACT>`,
//! channels lie within channels. This stage writes each piece as RSS has it and judges nothing: what is broken stays
//! so, for [`mend`](super::mend) to repair and to tell. The first drafts of the format put texts into an attribute
//! `VALUE`, and everybody writes names in any case. A channel of RSS that lost the `<rss>` around it comes out the same.

use super::lexer::{Lexer, Tag, Token};
use super::root::Root;
use crate::source::ITEMS_PER_DOCUMENT_MAX;

/// Names of elements in small letters, and what RSS calls them.
const NAMES: [(&str, &str); 9] = [
    ("abstract", "description"),
    ("author", "author"),
    ("category", "category"),
    ("description", "description"),
    ("guid", "guid"),
    ("lastmod", "dcterms:modified"),
    ("link", "link"),
    ("pubdate", "pubDate"),
    ("title", "title"),
];

/// Longest base address of a channel that is heeded, in bytes: it is written anew for each item.
const BASE_BYTES_MAX: usize = 2048;

/// Writes a document whose root is a channel as RSS; `None` for any other.
pub(super) fn as_rss(text: &str) -> Option<String> {
    let mut tokens = Lexer::new(text);
    loop {
        let before = tokens.clone();
        let Token::Start(tag) = tokens.next()? else { continue };
        if Root::of(tag).is_some() {
            return None;
        }
        if tag.name.eq_ignore_ascii_case("channel") {
            tokens = before;
            break;
        }
    }
    let mut writer = Writer { out: String::with_capacity(text.len()), ..Writer::default() };
    writer.out.push_str(text.get(..tokens.place()).unwrap_or_default());
    loop {
        let place = tokens.place();
        let Some(token) = tokens.next() else { break };
        match token {
            Token::Start(tag) => writer.start(tag),
            Token::End(name) => writer.end(name),
            Token::Text(_) | Token::CData(_) | Token::LoneBracket | Token::Aside | Token::Unfinished => {
                writer.out.push_str(text.get(place..tokens.place()).unwrap_or_default());
            }
        }
    }
    Some(writer.out)
}

/// Writes the RSS.
#[derive(Default)]
struct Writer<'a> {
    out: String,
    /// Whether the start tag of the root was written.
    begun: bool,
    /// Of each open channel the base address in force.
    channels: Vec<Option<&'a str>>,
    /// The base address of the outermost channel.
    outermost: Option<&'a str>,
    /// Items so far.
    items: usize,
    in_item: bool,
    /// The open child of the item, as it is called here.
    field: Option<&'a str>,
    /// Whether the open anchor was written as a link.
    anchor: bool,
}

impl<'a> Writer<'a> {
    fn start(&mut self, tag: Tag<'a>) {
        let is = |name| tag.name.eq_ignore_ascii_case(name);
        if is("channel") {
            self.start_channel(tag);
        } else if is("item") {
            self.start_item(tag);
        } else if is("a") && self.in_item && self.field.is_none() {
            self.anchor = !tag.empty;
            self.element("link", attribute(tag, "href"));
        } else {
            self.start_other(tag);
        }
    }

    fn start_channel(&mut self, tag: Tag<'a>) {
        let own = attribute(tag, "base").filter(|base| base.len() <= BASE_BYTES_MAX);
        let base = own.or(self.channels.last().copied().flatten());
        if !self.begun {
            self.begun = true;
            self.outermost = base;
            self.out.push_str("<rss version=\"2.0\">");
            self.open_with_base("channel", base);
        }
        if self.in_item {
            // An item holds no channel: it was not ended.
            self.end_item();
        }
        self.channels.push(base);
        if tag.empty {
            self.end_channel();
        }
    }

    fn start_item(&mut self, tag: Tag<'a>) {
        self.items += 1;
        // Channels of RSS do not nest, so an item says itself what its own channel says of addresses.
        let base = self.channels.last().copied().flatten();
        let base = base.filter(|base| Some(*base) != self.outermost && self.items <= ITEMS_PER_DOCUMENT_MAX);
        self.open_with_base("item", base);
        self.element("link", attribute(tag, "href"));
        self.element("dcterms:modified", attribute(tag, "lastmod"));
        (self.in_item, self.field) = (true, None);
        if tag.empty {
            self.end_item();
        }
    }

    fn start_other(&mut self, tag: Tag<'a>) {
        let name = renamed(tag.name);
        let value = attribute(tag, "value").filter(|_| tag.empty && self.field.is_none());
        if value.is_some() {
            self.element(name, value);
            return;
        }
        for part in ["<", name, tag.inside, if tag.empty { "/>" } else { ">" }] {
            self.out.push_str(part);
        }
        if !tag.empty && self.in_item {
            self.field.get_or_insert(name);
        }
    }

    fn end(&mut self, name: &'a str) {
        if name.eq_ignore_ascii_case("channel") {
            self.end_channel();
        } else if name.eq_ignore_ascii_case("item") {
            self.end_item();
        } else if self.anchor && name.eq_ignore_ascii_case("a") {
            self.anchor = false;
        } else {
            let name = renamed(name);
            self.field = self.field.filter(|field| *field != name);
            self.close(name);
        }
    }

    fn end_channel(&mut self) {
        if self.channels.pop().is_some() && self.channels.is_empty() {
            self.out.push_str("</channel></rss>");
        }
    }

    fn end_item(&mut self) {
        self.close("item");
        (self.in_item, self.field, self.anchor) = (false, None, false);
    }

    fn open_with_base(&mut self, name: &str, base: Option<&str>) {
        self.out.push('<');
        self.out.push_str(name);
        if let Some(base) = base {
            for part in [" xml:base=\"", &base.replace('"', "&quot;"), "\""] {
                self.out.push_str(part);
            }
        }
        self.out.push('>');
    }

    /// Writes an element with a text that stood in an attribute.
    fn element(&mut self, name: &str, text: Option<&str>) {
        let Some(text) = text else { return };
        for part in ["<", name, ">", text] {
            self.out.push_str(part);
        }
        self.close(name);
    }

    fn close(&mut self, name: &str) {
        for part in ["</", name, ">"] {
            self.out.push_str(part);
        }
    }
}

/// The raw value of an attribute, whose name may be in any case.
fn attribute<'a>(tag: Tag<'a>, name: &str) -> Option<&'a str> {
    tag.attributes().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

/// What RSS calls an element.
fn renamed(name: &str) -> &str {
    NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map_or(name, |(_, ours)| ours)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_is_written_as_rss() {
        for (cdf, rss) in [
            (
                "<CHANNEL HREF='h'><TITLE>C</TITLE><ITEM HREF='/1' LASTMOD=\"2026-03-02T10:15\"><TITLE>T</TITLE>\
                 <ABSTRACT>x</ABSTRACT></ITEM></CHANNEL>",
                "<rss version=\"2.0\"><channel><title>C</title><item><link>/1</link>\
                 <dcterms:modified>2026-03-02T10:15</dcterms:modified><title>T</title>\
                 <description>x</description></item></channel></rss>",
            ),
            (
                "<Channel><Item Href='a&amp;b'/></Channel>",
                "<rss version=\"2.0\"><channel><item><link>a&amp;b</link></item></channel></rss>",
            ),
            (
                "<channel base='https://a.example/'><channel BASE='/b/'><item/></channel><item/></channel>",
                "<rss version=\"2.0\"><channel xml:base=\"https://a.example/\"><item xml:base=\"/b/\"></item>\
                 <item></item></channel></rss>",
            ),
            (
                "<CHANNEL><ITEM><A HREF='/1'>here</A><TITLE VALUE='T'/></ITEM></CHANNEL>",
                "<rss version=\"2.0\"><channel><item><link>/1</link>here<title>T</title></item></channel></rss>",
            ),
            (
                "<CHANNEL><ITEM><ABSTRACT>see <A HREF='/2'>this</A></ABSTRACT></ITEM></CHANNEL>",
                "<rss version=\"2.0\"><channel><item><description>see <A HREF='/2'>this</A></description>\
                 </item></channel></rss>",
            ),
            (
                "<CHANNEL><ITEM><TITLE>T</TITLE><CHANNEL></ITEM>",
                "<rss version=\"2.0\"><channel><item><title>T</title></item></item>",
            ),
            ("x<CHANNEL/>", "x<rss version=\"2.0\"><channel></channel></rss>"),
        ] {
            assert_eq!(as_rss(cdf).as_deref(), Some(rss), "{cdf}");
        }
    }

    #[test]
    fn any_other_root_is_left_alone() {
        for text in [
            "",
            "x",
            "<rss><channel/></rss>",
            "<a:feed><channel/></a:feed>",
            "<!-- <channel> -->",
            "<channel",
        ] {
            assert_eq!(as_rss(text), None, "{text}");
        }
    }

    #[test]
    fn a_long_base_does_not_multiply() {
        for (base, times) in [(BASE_BYTES_MAX, ITEMS_PER_DOCUMENT_MAX), (BASE_BYTES_MAX + 1, 0)] {
            let items = "<ITEM/>".repeat(ITEMS_PER_DOCUMENT_MAX + 9);
            let text = format!("<CHANNEL><CHANNEL BASE='{}'>{items}</CHANNEL></CHANNEL>", "b".repeat(base));
            assert_eq!(as_rss(&text).unwrap().matches("xml:base").count(), times, "{base}");
        }
    }
}
