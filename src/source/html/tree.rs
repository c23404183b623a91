//! A page as a tree, within bounds that hostile nesting cannot blow up.

use html5ever::ParseOpts;
use html5ever::tree_builder::TreeBuilderOpts;
use scraper::{ElementRef, Html, Node};

use super::Lines;
use super::effect::{Effect, effect};
use super::parser::Parser;
use super::sink::Excess;

/// A page as far as it was read.
struct Built {
    html: Html,
    /// Bytes that were read.
    read: usize,
    /// Of these, those that make no more than a page may.
    within: usize,
    /// What there is too much of in the rest.
    excess: Option<Excess>,
}

/// Parses a page. What is nested too deep or would make too many nodes is cut off, and told.
pub(in crate::source) fn parse(page: &str) -> (Html, Option<String>) {
    let Built { html, read, excess, .. } = build(page, ParseOpts::default());
    let told = |excess: Excess| format!("the page {}: read up to byte {read}", excess.as_str());
    (html, excess.map(told))
}

/// The longest beginning of a page that is nested no deeper and makes no more nodes than [`parse`] reads, for a parser that
/// runs no scripts and so has elements in `noscript`.
pub(in crate::source) fn bounded(page: &str) -> &str {
    let tree_builder = TreeBuilderOpts { scripting_enabled: false, ..TreeBuilderOpts::default() };
    let built = build(page, ParseOpts { tree_builder, ..ParseOpts::default() });
    page.get(..built.within).unwrap_or_default()
}

/// Has the parser read tag by tag until there is too much: one tag can make no more nodes than elements are open.
fn build(page: &str, options: ParseOpts) -> Built {
    let mut parser = Parser::new(page, options);
    let mut within = 0;
    while parser.step() && parser.excess().is_none() {
        within = parser.whole();
    }
    let (read, excess) = (parser.read(), parser.excess());
    let within = if excess.is_none() { read } else { within };
    Built { html: parser.finish(), read, within, excess }
}

/// The plain text of an element, with `<br>` and the borders of blocks as newlines; script and style are no text.
///
/// Walks without recursion: a page may nest deep.
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
    use super::super::sink::{HTML_DEPTH_MAX, HTML_NODES_MAX};
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
        assert_eq!(parse(&page).1, None);
        assert_eq!(bounded(&page), page);
        let misnested = "<div><a href=x><p>a</a></div><b><i>b</b></i>".repeat(5_000);
        assert_eq!(parse(&misnested).1, None, "elements that are put elsewhere nest no deeper");
    }

    #[test]
    fn a_tag_has_as_many_attributes_as_a_parser_bears_and_the_page_ends_before_one_with_more() {
        let named = |count: usize| (0..count).map(|n| format!("a{n:05}")).collect::<Vec<_>>();
        let valued = |value: &str| {
            named(1_500).iter().map(|name| format!(" {name}={value}")).collect::<Vec<_>>().concat()
        };
        let many = named(1_500).join("/");
        let few = |value: &str| format!("<p title=\"{}\">", value.repeat(2_000));
        for (before, tag, whole) in [
            ("<b>x</b>", format!("<p {many}>"), false),
            ("x", format!("</p {}>", valued("1")), false),
            ("x &am", format!("<p {}>", valued("'>'")), false),
            ("x <", format!("<p{}>", valued("\"<i>\"")), false),
            ("</>=\"", format!("<p {many}>"), false),
            ("<script>a </x<b=\"", format!("</script {many}>"), false),
            ("<script><!-- <script> </script></x<", format!("</script {many}>"), false),
            ("<svg><![CDATA[ <<b=' ]]>", format!("<p {many}>"), false),
            ("<!-- -->", format!("<p title=' {} '>", "<b x=y>".repeat(2_000)), true),
            ("", few("a b"), true),
            ("", few("a='b' "), true),
            ("", format!("<p{}>", few("<a b=c>").replace("<p", " x='")), true),
            ("", format!("<!-- <p {many}> -->"), true),
            ("", format!("<!x <p {many} y"), true),
            ("<script>", format!("if (a<b) {many}"), true),
            ("<textarea>", format!("<p {many}>"), true),
            ("<p>", format!("5 <6 {}", many.replace('/', " ")), true),
            ("<p", format!(" a=b>{}", many.replace('/', " ")), true),
        ] {
            let page = format!("{before}{tag}</p>y");
            let (bounded, told) = (bounded(&page), parse(&page).1);
            // A lone bracket may go with what it did not begin.
            let mark = |text: &str| text.trim_end_matches('<').to_owned();
            let begin: String = page.chars().take(40).collect();
            assert!(mark(bounded) == mark(if whole { &page } else { before }), "{begin}");
            assert_eq!(told.is_some(), !whole, "{begin}");
        }
    }

    #[test]
    fn hostile_nesting_is_cut_before_it_is_parsed() {
        for unit in [
            "<div>",
            "<b><p>",
            "<a href=x><table>",
            "<font size=1><p>x</div>",
            "<b id=a></div><p>",
            "<svg><g><foreignobject>",
            "<template>",
            "<a><p></a>",
        ] {
            let (page, cut) = parse(&unit.repeat(200_000));
            assert!(cut.is_some(), "{unit}");
            assert!(page.tree.values().count() <= HTML_NODES_MAX + 2 * HTML_DEPTH_MAX, "{unit}");
        }
    }

    /// Many elements of few tags, each another's copy, behind what has the tags look like something else.
    #[test]
    fn no_page_makes_more_elements_than_are_counted() {
        let unit = |n: usize| format!("<font size={n}><p>x");
        let units: String = (0..2_500).map(unit).collect();
        for (before, after) in [
            ("", ""),
            ("<i x=y'>", "'>"),
            ("<svg><style>", ""),
            ("<!x '>", ""),
            ("<noscript>", ""),
            ("<math><annotation-xml encoding=text/html>", ""),
        ] {
            let page = [before, &units, after].concat();
            let (tree, cut) = parse(&page);
            assert!(tree.tree.values().count() <= HTML_NODES_MAX + 2 * HTML_DEPTH_MAX, "{before}");
            assert!(before == "<noscript>" || cut.is_some(), "{before}");
            assert!(bounded(&page).len() < page.len(), "{before}");
        }
        let attribute = |n: usize| format!(" a{n}=b");
        let many: String = (0..1_000).map(attribute).collect();
        let copied = format!("<p><b{many}>") + &"x<p>".repeat(100_000);
        let (tree, cut) = parse(&copied);
        assert!(cut.is_some() && tree.tree.values().count() < 10_000, "an element has its attributes");
    }
}
