//! HTML: as plain text, and as a tree that hostile nesting cannot blow up.

use scraper::{ElementRef, Html, Node};

use super::{FIELD_BYTES_MAX, entities};

/// Deepest nesting of a page that is parsed; browsers stop at the same depth.
pub(super) const HTML_DEPTH_MAX: usize = 512;

/// Most nodes that parsing a page may make. Unclosed formatting elements are made anew in every paragraph after
/// them (the "reconstruction" of the HTML standard), so a small page could otherwise fill the memory.
pub(super) const HTML_NODES_MAX: usize = 400_000;

/// Longest text put together, in bytes: more than a field keeps, so that a cut is noticed.
const TEXT_BYTES_MAX: usize = 2 * FIELD_BYTES_MAX;

/// Elements that end a line.
const BLOCKS: [&str; 34] = [
    "address",
    "article",
    "aside",
    "blockquote",
    "center",
    "dd",
    "details",
    "div",
    "dl",
    "dt",
    "fieldset",
    "figcaption",
    "figure",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hr",
    "li",
    "main",
    "nav",
    "ol",
    "p",
    "pre",
    "section",
    "table",
    "td",
    "tr",
    "ul",
];

/// Elements without content.
const VOID: [&str; 14] = [
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track",
    "wbr",
];

/// Elements whose end tag is often left out and which end each other.
const SELF_ENDING: [&str; 11] = ["body", "dd", "dt", "head", "html", "li", "option", "p", "td", "th", "tr"];

/// Elements that stay in force until ended by name (HTML standard, "list of active formatting elements").
const FORMATTING: [&str; 14] =
    ["a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u"];

/// Elements whose content is no text.
const HIDDEN: [&str; 6] = ["head", "noscript", "script", "style", "template", "title"];

/// Text that is being put together: runs of white space become one space, none stands beside a line break.
#[derive(Debug, Default)]
pub(super) struct Lines {
    text: String,
    space: bool,
}

impl Lines {
    /// Adds text as written in the source; nothing once there is more than any field keeps.
    pub(super) fn text(&mut self, text: &str) {
        for c in text.chars() {
            if self.text.len() > TEXT_BYTES_MAX {
                return;
            }
            if c.is_whitespace() {
                self.space = true;
            } else if !c.is_control() {
                if self.space && !self.at_line_start() {
                    self.text.push(' ');
                }
                self.space = false;
                self.text.push(c);
            }
        }
    }

    /// Ends the line.
    pub(super) fn line_break(&mut self) {
        if self.text.len() <= TEXT_BYTES_MAX {
            self.text.push('\n');
        }
        self.space = false;
    }

    /// Ends the line unless it is empty.
    pub(super) fn block(&mut self) {
        if !self.at_line_start() {
            self.line_break();
        }
        self.space = false;
    }

    /// The text, without white space at its ends.
    pub(super) fn finish(self) -> String {
        let trimmed = self.text.trim();
        if trimmed.len() == self.text.len() { self.text } else { trimmed.to_owned() }
    }

    fn at_line_start(&self) -> bool {
        self.text.is_empty() || self.text.ends_with('\n')
    }
}

/// The plain text of a piece of HTML: markup removed, references decoded, `<br>` and block ends as newlines.
///
/// Text that was escaped once too often is unescaped, markup included.
pub(super) fn plain(html: &str) -> String {
    let text = strip(html);
    let twice = text.contains('&') && entities::decode(&text) != text;
    if twice || ["</", "<br", "<p>", "<img "].iter().any(|mark| text.contains(mark)) {
        return strip(&text);
    }
    text
}

/// [`plain`] in one line.
pub(super) fn plain_line(html: &str) -> String {
    one_line(&plain(html))
}

/// The text with every run of white space as one space.
pub(super) fn one_line(text: &str) -> String {
    let mut lines = Lines::default();
    lines.text(text);
    lines.finish()
}

fn strip(html: &str) -> String {
    let mut lines = Lines::default();
    let mut rest = html;
    while let Some((before, from)) = split_at(rest, '<') {
        lines.text(&entities::decode(before));
        let tag = match markup(from) {
            Markup::Tag(tag) => tag,
            Markup::Character => {
                lines.text("<");
                rest = from.get(1..).unwrap_or_default();
                continue;
            }
            Markup::Endless => {
                rest = from;
                break;
            }
        };
        rest = from.get(tag.length..).unwrap_or_default();
        let name = tag.name.to_ascii_lowercase();
        if !tag.end && HIDDEN.contains(&name.as_str()) {
            // What is never closed is shown: better noise than a loss.
            let Some(after) = after_end(rest, &name) else { break };
            rest = after;
        } else if name == "br" {
            lines.line_break();
        } else if BLOCKS.contains(&name.as_str()) {
            lines.block();
        }
    }
    lines.text(&entities::decode(rest));
    lines.finish()
}

/// What stands after the end tag of `name`; `None` when there is none.
fn after_end<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let end = text.match_indices("</").find(|(place, _)| {
        let after = text.get(place + 2..place + 2 + name.len());
        after.is_some_and(|after| after.eq_ignore_ascii_case(name))
    });
    let from = text.get(end?.0..)?;
    Some(from.split_once('>').map_or("", |(_, rest)| rest))
}

/// A tag, comment or declaration at the start of a text.
struct Tag<'a> {
    /// Empty for what is no element.
    name: &'a str,
    end: bool,
    length: usize,
}

/// What a `<` begins.
enum Markup<'a> {
    Tag(Tag<'a>),
    /// Nothing: it is a character.
    Character,
    /// Something that does not end. A caller that went on looking for ends would read the rest again and again.
    Endless,
}

/// Reads the markup at the start of `text`.
fn markup(text: &str) -> Markup<'_> {
    let after = text.get(1..).unwrap_or_default();
    for (open, close) in [("!--", "-->"), ("![CDATA[", "]]>")] {
        if after.starts_with(open) {
            let length = text.find(close).map(|place| place + close.len());
            return length
                .map_or(Markup::Endless, |length| Markup::Tag(Tag { name: "", end: false, length }));
        }
    }
    let (end, after) = after.strip_prefix('/').map_or((false, after), |after| (true, after));
    if !after.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '!' | '?')) {
        return Markup::Character;
    }
    let Some(length) = tag_length(text) else { return Markup::Endless };
    let name_end = after.find(|c: char| c.is_whitespace() || matches!(c, '/' | '>')).unwrap_or(after.len());
    let name = after.get(..name_end).unwrap_or_default();
    Markup::Tag(Tag { name, end, length })
}

/// Bytes up to and including the `>` that is in no quotes; a quote that never ends is none.
fn tag_length(text: &str) -> Option<usize> {
    let mut quote = None;
    for (place, byte) in text.bytes().enumerate() {
        match (byte, quote) {
            (b'>', None) => return Some(place + 1),
            (b'"' | b'\'', None) => quote = Some(byte),
            (byte, Some(open)) if byte == open => quote = None,
            _ => {}
        }
    }
    text.find('>').map(|place| place + 1)
}

/// Splits before the first `mark`.
fn split_at(text: &str, mark: char) -> Option<(&str, &str)> {
    text.find(mark).map(|place| text.split_at(place))
}

/// Parses a page. What is nested too deep or would make too many nodes is cut off, and told.
pub(super) fn parse(page: &str) -> (Html, Option<String>) {
    let (fit, cut) = bounded(page);
    (Html::parse_document(fit), cut)
}

/// The longest beginning of a page that stays within [`HTML_DEPTH_MAX`] and [`HTML_NODES_MAX`].
fn bounded(page: &str) -> (&str, Option<String>) {
    let mut open: Vec<&str> = Vec::new();
    // Formatting elements not ended by a tag of their own: the parser opens them again after each block.
    let mut loose = 0_usize;
    let mut nodes = 0_usize;
    let mut rest = page;
    while let Some((_, from)) = split_at(rest, '<') {
        let tag = match markup(from) {
            Markup::Tag(tag) => tag,
            Markup::Character => {
                rest = from.get(1..).unwrap_or_default();
                continue;
            }
            Markup::Endless => break,
        };
        rest = from.get(tag.length..).unwrap_or_default();
        let is = |names: &[&str]| names.iter().any(|name| name.eq_ignore_ascii_case(tag.name));
        nodes += 1;
        if is(&SELF_ENDING) || is(&BLOCKS) {
            nodes += loose;
        }
        if is(&FORMATTING) {
            loose = if tag.end { loose.saturating_sub(1) } else { loose + 1 };
        }
        if tag.end {
            if let Some(place) = open.iter().rposition(|name| name.eq_ignore_ascii_case(tag.name)) {
                open.truncate(place);
            }
        } else if is(&["script", "style"]) {
            let Some(after) = after_end(rest, tag.name) else { break };
            rest = after;
        } else if !is(&SELF_ENDING) && !is(&VOID) && tag.name.starts_with(|c: char| c.is_ascii_alphabetic()) {
            open.push(tag.name);
        }
        if open.len() > HTML_DEPTH_MAX || nodes > HTML_NODES_MAX {
            let kept = page.len() - from.len();
            let why = if nodes > HTML_NODES_MAX { "makes too many elements" } else { "nests too deep" };
            return (
                page.get(..kept).unwrap_or_default(),
                Some(format!("the page {why}: read up to byte {kept}")),
            );
        }
    }
    (page, None)
}

/// How the text of an element is put into lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Breaks {
    /// At `<br>` alone.
    Explicit,
    /// At `<br>` and at the borders of blocks.
    Blocks,
}

/// The plain text of an element; script and style are no text.
///
/// Walks without recursion: a page may nest as deep as [`HTML_DEPTH_MAX`].
pub(super) fn element_text(element: ElementRef<'_>, breaks: Breaks) -> String {
    let mut lines = Lines::default();
    let mut hidden = 0_usize;
    let root = *element;
    let mut node = root;
    loop {
        hidden += usize::from(is_hidden(node.value()));
        if let Some(text) = node.value().as_text().filter(|_| hidden == 0) {
            lines.text(text);
        } else if node.value().as_element().is_some_and(|element| element.name() == "br") {
            lines.line_break();
        } else {
            border(node.value(), breaks, &mut lines);
        }
        if let Some(child) = node.first_child() {
            node = child;
            continue;
        }
        // Leave this element, and every one that ends with it.
        loop {
            hidden -= usize::from(is_hidden(node.value()));
            border(node.value(), breaks, &mut lines);
            if node == root {
                return lines.finish();
            }
            if let Some(sibling) = node.next_sibling() {
                node = sibling;
                break;
            }
            let Some(parent) = node.parent() else { return lines.finish() };
            node = parent;
        }
    }
}

fn is_hidden(node: &Node) -> bool {
    node.as_element().is_some_and(|element| HIDDEN.contains(&element.name()))
}

fn border(node: &Node, breaks: Breaks, lines: &mut Lines) {
    let block = node.as_element().is_some_and(|element| BLOCKS.contains(&element.name()));
    if block && breaks == Breaks::Blocks {
        lines.block();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_becomes_lines_of_text() {
        for (html, expected) in [
            ("<p>Attaque à <b>Ménaka</b></p>\n<p>Deux   morts</p>", "Attaque à Ménaka\nDeux morts"),
            ("un<br>deux<br/><br />trois", "un\ndeux\n\ntrois"),
            ("S&eacute;curit&eacute; &amp;amp; d&eacute;fense", "Sécurité & défense"),
            ("a<script>alert('<p>')</script>b<style>p{}</style>c", "abc"),
            ("5 < 6 et 7 > 3 & plus", "5 < 6 et 7 > 3 & plus"),
            ("<a title='x > y'>lien</a><!-- <p>non</p> -->", "lien"),
            ("&lt;p&gt;Bamako&lt;/p&gt;&lt;p&gt;Gao&lt;/p&gt;", "Bamako\nGao"),
            ("<script>jamais fermé", "jamais fermé"),
            ("<li>un</li><li>deux</li>", "un\ndeux"),
            ("مالي&nbsp;:\u{200f} هجوم", "مالي :\u{200f} هجوم"),
            ("", ""),
        ] {
            assert_eq!(plain(html), expected, "{html}");
        }
    }

    #[test]
    fn the_text_of_an_element_ends_lines_where_asked() {
        let (page, _) = parse("<div id=a>un<div>deux<br>trois</div><script>x</script>quatre</div>");
        let selector = scraper::Selector::parse("#a").unwrap();
        let element = page.select(&selector).next().unwrap();
        assert_eq!(element_text(element, Breaks::Explicit), "undeux\ntroisquatre");
        assert_eq!(element_text(element, Breaks::Blocks), "un\ndeux\ntrois\nquatre");
    }

    #[test]
    fn an_ordinary_page_is_not_cut() {
        let page = "<html><body><ul>".to_owned() + &"<li><p>a <b>b</b> <a href=x>c</a><td>".repeat(20_000);
        assert_eq!(bounded(&page).1, None);
    }

    #[test]
    fn hostile_nesting_is_cut_before_it_is_parsed() {
        for unit in ["<div>", "<b><p>", "<a href=x><table>", "<font size=1><p>x</div>", "<b id=a></div><p>"] {
            let (page, cut) = parse(&unit.repeat(200_000));
            assert!(cut.is_some(), "{unit}");
            assert!(page.tree.values().count() <= 2 * HTML_NODES_MAX, "{unit}");
        }
    }
}
