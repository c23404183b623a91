//! A page as a tree, within bounds that hostile nesting cannot blow up.

use scraper::{ElementRef, Html, Node};

use super::Lines;
use super::effect::{Effect, effect};
use super::markup::{Markup, after_end, markup, split_at};

/// Deepest nesting of a page that is parsed; browsers stop at the same depth.
const HTML_DEPTH_MAX: usize = 512;

/// Most nodes that parsing a page may make. Unclosed formatting elements are made anew in every paragraph after
/// them (the "reconstruction" of the HTML standard), so a small page could otherwise fill the memory.
pub(in crate::source) const HTML_NODES_MAX: usize = 400_000;

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

/// Parses a page. What is nested too deep or would make too many nodes is cut off, and told.
pub(in crate::source) fn parse(page: &str) -> (Html, Option<String>) {
    let (fit, cut) = bounded(page);
    (Html::parse_document(fit), cut)
}

/// The longest beginning of a page that stays within [`HTML_DEPTH_MAX`] and [`HTML_NODES_MAX`].
pub(in crate::source) fn bounded(page: &str) -> (&str, Option<String>) {
    let mut open: Vec<&str> = Vec::new();
    // Formatting elements not ended by a tag of their own: the parser opens them again after each block.
    let mut loose = 0_usize;
    let mut nodes = 0_usize;
    let mut rest = page;
    while let Some((_, from)) = split_at(rest, b'<') {
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
        if is(&SELF_ENDING) || effect(tag.name) == Effect::Block {
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

/// The plain text of an element, with `<br>` and the borders of blocks as newlines; script and style are no text.
///
/// Walks without recursion: a page may nest as deep as [`HTML_DEPTH_MAX`].
pub(in crate::source) fn element_text(element: ElementRef<'_>) -> String {
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
            border(node.value(), &mut lines);
        }
        if let Some(child) = node.first_child() {
            node = child;
            continue;
        }
        // Leave this element, and every one that ends with it.
        loop {
            hidden -= usize::from(is_hidden(node.value()));
            border(node.value(), &mut lines);
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
    node.as_element().is_some_and(|element| effect(element.name()) == Effect::Hidden)
}

fn border(node: &Node, lines: &mut Lines) {
    if node.as_element().is_some_and(|element| effect(element.name()) == Effect::Block) {
        lines.block();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_of_an_element_has_blocks_and_breaks_as_lines() {
        let selector = scraper::Selector::parse("#a").unwrap();
        for (inside, expected) in [
            ("un<div>deux<br>trois</div><script>x</script>quatre", "un\ndeux\ntrois\nquatre"),
            ("Ministry:<blockquote>Convoy attacked</blockquote>More.", "Ministry:\nConvoy attacked\nMore."),
            ("un<br><blockquote>deux</blockquote>", "un\ndeux"),
            ("un <b>deux</b><i>trois</i>", "un deuxtrois"),
        ] {
            let (page, _) = parse(&format!("<div id=a>{inside}</div>"));
            assert_eq!(element_text(page.select(&selector).next().unwrap()), expected, "{inside}");
        }
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
