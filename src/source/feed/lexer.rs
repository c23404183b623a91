//! Tags and text of XML that may be broken: every input gives tokens, none an error.
//!
//! A strict reader stops at the first flaw, and what stands after it is lost. This one takes a `<` that
//! begins nothing as a character, and says when the document ends inside a tag.

use memchr::{memchr, memchr_iter, memchr2, memmem};

/// What begins and ends a CDATA section.
const CDATA: &str = "<![CDATA[";
const CDATA_END: &str = "]]>";

/// Local names of the roots of feeds.
const ROOTS: [&str; 4] = ["rss", "rdf", "feed", "channel"];

/// Most attributes of one tag that are read.
pub(super) const ATTRIBUTES_MAX: usize = 64;

/// A piece of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// Character data as written, references not replaced.
    Text(&'a str),
    /// A `<` that begins no markup.
    LoneBracket,
    /// The inside of a CDATA section.
    CData(&'a str),
    /// A start tag, or one that is both.
    Start(Tag<'a>),
    /// The name in an end tag.
    End(&'a str),
    /// A comment, processing instruction or document type.
    Aside,
    /// The document ends inside this token.
    Unfinished,
}

/// A start tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tag<'a> {
    /// Name with prefix.
    pub(super) name: &'a str,
    /// Everything between the name and the end of the tag.
    pub(super) inside: &'a str,
    /// Whether it ends itself (`<link/>`).
    pub(super) empty: bool,
}

impl<'a> Tag<'a> {
    /// Names and raw values of the attributes, at most [`ATTRIBUTES_MAX`]; what is no attribute is passed over.
    pub(super) fn attributes(self) -> impl Iterator<Item = (&'a str, &'a str)> {
        Attributes { rest: self.inside }.take(ATTRIBUTES_MAX)
    }

    /// The raw value of an attribute.
    pub(super) fn attribute(self, name: &str) -> Option<&'a str> {
        if self.inside.is_empty() {
            return None;
        }
        self.attributes().find(|(known, _)| *known == name).map(|(_, value)| value)
    }
}

/// The prefix and the local part of a name.
pub(super) fn split_name(name: &str) -> (&str, &str) {
    name.split_once(':').unwrap_or(("", name))
}

/// Iterator over the attributes of a tag.
#[derive(Debug, Clone)]
struct Attributes<'a> {
    rest: &'a str,
}

impl<'a> Iterator for Attributes<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let sign = memchr(b'=', self.rest.as_bytes())?;
            let (before, after) = (self.rest.get(..sign)?, self.rest.get(sign + 1..)?);
            let name = before.split_whitespace().next_back().unwrap_or_default();
            let value = after.trim_start();
            let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''));
            let (value, rest) = match quote {
                Some(quote) => {
                    let value = value.get(1..).unwrap_or_default();
                    value.split_once(quote).unwrap_or((value, ""))
                }
                None => value.split_once(char::is_whitespace).unwrap_or((value, "")),
            };
            self.rest = rest;
            if is_name(name) {
                return Some((name, value));
            }
        }
    }
}

/// Whether the text can stand as a name of an element or attribute.
fn is_name(text: &str) -> bool {
    let mut colons = 0;
    let all_in_name = text.chars().all(|c| {
        colons += usize::from(c == ':');
        in_name(c)
    });
    all_in_name && text.starts_with(begins_name) && colons <= 1 && !text.ends_with(':')
}

fn begins_name(c: char) -> bool {
    c.is_alphabetic() || c == '_'
}

fn in_name(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ':')
}

/// Iterator over the tokens of a document.
#[derive(Debug, Clone)]
pub(super) struct Lexer<'a> {
    text: &'a str,
    place: usize,
    /// Whether a document type was met: a second one is junk, and looked at no further.
    typed: bool,
    /// Name of the element that began last.
    began: &'a str,
    /// Where the next end of a CDATA section is, found for one before: the length of the document when there is none.
    cdata_end: usize,
    /// Whether no comment ends any more.
    comments_over: bool,
    /// CDATA sections, comments and end tags without their end.
    unended: usize,
}

impl<'a> Lexer<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, place: 0, typed: false, began: "", cdata_end: 0, comments_over: false, unended: 0 }
    }

    /// How many CDATA sections, comments and end tags lacked their end so far, and were read up to where that showed.
    pub(super) fn unended(&self) -> usize {
        self.unended
    }

    /// Where the next token begins, in bytes.
    pub(super) fn place(&self) -> usize {
        self.place
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.place..).unwrap_or_default()
    }

    /// Steps over `length` bytes.
    fn skip(&mut self, length: usize) {
        self.place += length;
    }

    /// A token that ends with `close`, found after `open` bytes; its inside, or the end of the document.
    fn until(&mut self, open: usize, close: &str) -> Option<&'a str> {
        let rest = self.rest();
        let inside = rest.get(open..).unwrap_or_default();
        let Some(length) = memmem::find(inside.as_bytes(), close.as_bytes()) else {
            self.skip(rest.len());
            return None;
        };
        self.skip(open + length + close.len());
        inside.get(..length)
    }

    fn markup(&mut self) -> Token<'a> {
        let rest = self.rest();
        let after = rest.get(1..).unwrap_or_default();
        if rest.starts_with(CDATA) {
            return self.cdata();
        }
        if after.starts_with("!--") {
            return self.comment();
        }
        if after.starts_with('?') {
            return self.until(2, ">").map_or(Token::Unfinished, |_| Token::Aside);
        }
        if after.starts_with("!DOCTYPE") || after.starts_with("!doctype") {
            return self.document_type();
        }
        match after.strip_prefix('/') {
            Some(name) if name.starts_with(begins_name) => self.end_tag(),
            None if after.starts_with(begins_name) => self.start_tag(),
            Some(_) | None => {
                self.skip(1);
                Token::LoneBracket
            }
        }
    }

    /// A comment. Where none ends any more and the document is whole all the same, its beginning alone is stepped over.
    fn comment(&mut self) -> Token<'a> {
        let rest = self.rest();
        self.skip("<!--".len());
        if !self.comments_over {
            if let Some(length) = memmem::find(self.rest().as_bytes(), b"-->") {
                self.skip(length + "-->".len());
                return Token::Aside;
            }
            if !ends_with_root(rest) {
                self.skip(self.rest().len());
                return Token::Unfinished;
            }
        }
        self.comments_over = true;
        self.unended += 1;
        Token::Aside
    }

    /// Steps over a document type with its own declarations; where these have no end, over the first of them at most,
    /// and what follows is read as if it had ended.
    fn document_type(&mut self) -> Token<'a> {
        let rest = self.rest();
        let Some(end) = memchr(b'>', rest.as_bytes()) else {
            self.skip(rest.len());
            return Token::Unfinished;
        };
        let first = !std::mem::replace(&mut self.typed, true);
        let open = rest.get(..end).and_then(|head| head.find('['));
        let own = open.filter(|_| first).and_then(|open| {
            let closes = memchr_iter(b']', rest.as_bytes()).skip_while(|place| *place < open);
            let mut ends = closes.filter_map(|place| {
                let after = rest.get(place + 1..)?;
                let blank = after.len() - after.trim_start().len();
                after.get(blank..)?.starts_with('>').then_some(place + 1 + blank)
            });
            ends.next()
        });
        let head = rest.get(..end).unwrap_or_default();
        let tag = head.match_indices('<').skip(1).map(|(place, _)| place);
        let mut tags =
            tag.filter(|place| head.get(place + 1..).is_some_and(|tag| tag.starts_with(begins_name)));
        self.skip(own.map(|end| end + 1).or_else(|| tags.next()).unwrap_or(end + 1));
        Token::Aside
    }

    /// A CDATA section. One in which its element ends before another section begins has lost its own end, unless it is
    /// split as text is that quotes such an end (`]]]]><![CDATA[>`).
    fn cdata(&mut self) -> Token<'a> {
        self.skip(CDATA.len());
        let rest = self.rest();
        if self.cdata_end < self.place {
            let end = memmem::find(rest.as_bytes(), CDATA_END.as_bytes());
            self.cdata_end = end.map_or(self.text.len(), |end| self.place + end);
        }
        let inside = self.text.get(self.place..self.cdata_end).unwrap_or_default();
        let behind = rest.get(inside.len()..).and_then(|rest| rest.strip_prefix(CDATA_END));
        let next = || memmem::find(inside.as_bytes(), CDATA.as_bytes());
        let within = match behind {
            Some(behind) if behind.starts_with(CDATA) => None,
            Some(_) => next(),
            None => next().or(Some(inside.len())),
        };
        if let Some(own) = within.and_then(|end| end_of(self.began, inside.get(..end)?)) {
            self.unended += 1;
            self.skip(own.len());
            return Token::CData(own);
        }
        self.skip(rest.len() - behind.unwrap_or_default().len());
        behind.map_or(Token::Unfinished, |_| Token::CData(inside))
    }

    /// An end tag. One without its end ends where another tag begins.
    fn end_tag(&mut self) -> Token<'a> {
        let rest = self.rest();
        let inside = rest.get(2..).unwrap_or_default();
        let Some(end) = memchr2(b'>', b'<', inside.as_bytes()) else {
            self.skip(rest.len());
            return Token::Unfinished;
        };
        let ended = inside.as_bytes().get(end) == Some(&b'>');
        self.unended += usize::from(!ended);
        self.skip(2 + end + usize::from(ended));
        let name = inside.get(..end).unwrap_or_default();
        Token::End(name.get(..name.find(|c| !in_name(c)).unwrap_or(end)).unwrap_or_default())
    }

    fn start_tag(&mut self) -> Token<'a> {
        let rest = self.rest();
        let Some(end) = tag_end(rest) else {
            let open = rest.get(1..).unwrap_or_default().contains(['<', '>']);
            self.skip(if open { 1 } else { rest.len() });
            return if open { Token::LoneBracket } else { Token::Unfinished };
        };
        self.skip(end + 1);
        let tag = rest.get(1..end).unwrap_or_default();
        let (tag, empty) = tag.strip_suffix('/').map_or((tag, false), |tag| (tag, true));
        let name_end = tag.find(|c| !in_name(c)).unwrap_or(tag.len());
        let (name, inside) = tag.split_at(name_end);
        self.began = name;
        if is_name(name) { Token::Start(Tag { name, inside, empty }) } else { Token::Aside }
    }
}

/// Whether a text ends with the end tag of the root of a feed.
fn ends_with_root(text: &str) -> bool {
    let tag = text.trim_end().strip_suffix('>').and_then(|text| text.rsplit_once("</"));
    tag.is_some_and(|(_, name)| {
        ROOTS.iter().any(|root| split_name(name.trim_end()).1.eq_ignore_ascii_case(root))
    })
}

/// What stands before the first end tag of an element of this name.
fn end_of<'a>(name: &str, text: &'a str) -> Option<&'a str> {
    let ends = memmem::find_iter(text.as_bytes(), "</");
    let is_own = |place: &usize| {
        let after = text.get(place + 2..).and_then(|tag| tag.strip_prefix(name));
        after.is_some_and(|after| !after.starts_with(in_name))
    };
    text.get(..ends.filter(|_| !name.is_empty()).find(is_own)?)
}

/// Where the `>` of the start tag at the head of `text` is; `None` when another `<` comes first. A quote opens a value
/// behind a `=` alone; any other is an apostrophe that nobody replaced.
fn tag_end(text: &str) -> Option<usize> {
    let mut quote = None;
    let mut signed = false;
    for (place, byte) in text.bytes().enumerate().skip(1) {
        match (byte, quote) {
            (b'>', None) => return Some(place),
            (b'<', None) => return None,
            // A quote that has not ended where another tag begins was none.
            (b'<', Some(_)) => return text.get(..place)?.find('>'),
            (b'"' | b'\'', None) if signed => quote = Some(byte),
            (byte, Some(open)) if byte == open => quote = None,
            _ => {}
        }
        signed = byte == b'=' || (signed && byte.is_ascii_whitespace());
    }
    text.find('>')
}

impl<'a> Iterator for Lexer<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        let rest = self.rest();
        if rest.is_empty() {
            return None;
        }
        if rest.starts_with('<') {
            return Some(self.markup());
        }
        let length = memchr(b'<', rest.as_bytes()).unwrap_or(rest.len());
        self.skip(length);
        rest.get(..length).map(Token::Text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        let name = |token| match token {
            Token::Text(text) => text.to_owned(),
            Token::LoneBracket => "lone".to_owned(),
            Token::CData(text) => format!("cdata {text}"),
            Token::Start(tag) => format!("+{}{}", tag.name, if tag.empty { "/" } else { "" }),
            Token::End(name) => format!("-{name}"),
            Token::Aside => "aside".to_owned(),
            Token::Unfinished => "unfinished".to_owned(),
        };
        Lexer::new(text).map(name).collect()
    }

    #[test]
    fn broken_markup_gives_tokens() {
        for (text, expected) in [
            ("<a>x</a>", vec!["+a", "x", "-a"]),
            ("<a b='>'/>", vec!["+a/"]),
            ("1 < 2", vec!["1 ", "lone", " 2"]),
            ("<![CDATA[<p>]]><!-- <a> --><?x?>", vec!["cdata <p>", "aside", "aside"]),
            ("<!DOCTYPE a [<!ENTITY b \"c>\">]><a>", vec!["aside", "+a"]),
            ("<!DOCTYPE a [<!ENTITY b 'c'>]\n><a>", vec!["aside", "+a"]),
            ("<!DOCTYPE a [<!ENTITY b 'c'><a>", vec!["aside", "+a"]),
            ("<!DOCTYPE a [<a><b>", vec!["aside", "+a", "+b"]),
            ("<!DOCTYPE a><!DOCTYPE b [><c>]>", vec!["aside", "aside", "+c", "]>"]),
            ("<!DOCTYPE a", vec!["unfinished"]),
            ("<a><!-- <b>x</b>", vec!["+a", "unfinished"]),
            ("<a><!-- x</a></rss>\n", vec!["+a", "aside", " x", "-a", "-rss", "\n"]),
            ("<!-- x --><!-- <!-- y</rdf:RDF >", vec!["aside", "aside", " ", "aside", " y", "-rdf:RDF"]),
            ("<!-- x</rss><!-- y -->", vec!["aside"]),
            ("<a b=\"c><d>", vec!["+a", "+d"]),
            ("<a b=\"c>d\" e='L'armée'>f<g>", vec!["+a", "f", "+g"]),
            ("<a b=\"c>d\" e = 'f>'>g<h>", vec!["+a", "g", "+h"]),
            ("<a <b>", vec!["lone", "a ", "+b"]),
            ("<a", vec!["unfinished"]),
            ("x<![CDATA[y", vec!["x", "unfinished"]),
            ("</a b></", vec!["-a", "lone", "/"]),
            ("</a\n<a>b</a <c>", vec!["-a", "+a", "b", "-a", "+c"]),
            ("<a><![CDATA[b</a><a><![CDATA[c]]></a>", vec!["+a", "cdata b", "-a", "+a", "cdata c", "-a"]),
            ("<a><![CDATA[b</a><c>d</c>", vec!["+a", "cdata b", "-a", "+c", "d", "-c"]),
            ("<a><![CDATA[b</ab><c>", vec!["+a", "unfinished"]),
            ("<a><![CDATA[<a>b</a>]]></a><![CDATA[c]]>", vec!["+a", "cdata <a>b</a>", "-a", "cdata c"]),
            (
                "<a><![CDATA[<a>b</a><![CDATA[c]]]]><![CDATA[></a>]]></a>",
                vec!["+a", "cdata <a>b</a><![CDATA[c]]", "cdata ></a>", "-a"],
            ),
            ("<a><![CDATA[<![CDATA[b</a>]]></a>", vec!["+a", "cdata <![CDATA[b</a>", "-a"]),
            ("<a><![CDATA[b]]><![CDATA[</a>]]>", vec!["+a", "cdata b", "cdata </a>"]),
            ("<:a:b:>", vec!["lone", ":a:b:>"]),
        ] {
            assert_eq!(names(text), expected, "{text}");
        }
    }

    #[test]
    fn attributes_are_found_between_flaws() {
        let tag = Tag { name: "a", inside: " x=\"1\" y='2' z=3 junk 4=5 w = \"6", empty: false };
        let found: Vec<_> = tag.attributes().collect();
        assert_eq!(found, [("x", "1"), ("y", "2"), ("z", "3"), ("w", "6")]);
    }
}
