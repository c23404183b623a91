//! Where a site has its feeds: what its pages link to, and where feeds usually are.

use scraper::Selector;
use url::Url;

use super::{charset, html, web_link};
use crate::fetch::Document;

/// Feeds taken from the links of one page; blogs link to a feed for each of their comments.
const LINKS_MAX: usize = 6;

/// Links looked at: a hostile page has a hundred thousand, each another.
const LINKS_LOOKED_AT_MAX: usize = 64;

/// Where feeds usually are, the likeliest first. Few: each is a request to somebody's server.
const USUAL: [&str; 8] =
    ["feed", "rss", "rss.xml", "feed.xml", "atom.xml", "index.xml", "feeds/posts/default", "feed.json"];

/// Words by which pages call links to their feeds.
const WORDS: [&str; 2] = ["rss", "atom"];

/// Most words of a link that is called so.
const WORDS_MAX: usize = 3;

/// Types by which pages call their feeds.
const TYPES: [&str; 5] = [
    "application/rss+xml",
    "application/atom+xml",
    "application/rdf+xml",
    "application/feed+json",
    "text/xml",
];

/// The feeds that a page names by `link rel=alternate`, or else links to by addresses or words that look like feeds; those
/// of comments come last.
pub fn linked(document: &Document) -> Vec<Url> {
    let text = charset::decode(&document.bytes, document.content_type.as_deref(), None).text;
    let (page, _) = html::parse(&text);
    let select = |css: &str| Selector::parse(css).ok();
    let first = |css: &str| Some(page.select(&select(css)?).next()?.attr("href")?.to_owned());
    let base = first("base[href]").and_then(|href| document.url.join(href.trim()).ok());
    let base = base.unwrap_or_else(|| document.url.clone());
    let mut found: Vec<Url> = Vec::new();
    let mut add = |href: &str| {
        if found.len() >= LINKS_LOOKED_AT_MAX {
            return;
        }
        let url = web_link(&base, href).and_then(|link| Url::parse(&link).ok());
        found.extend(url.filter(|url| !found.contains(url)));
    };
    if let Some(links) = select("link[rel~=alternate i][href]") {
        for link in page.select(&links) {
            let kind = link.attr("type").unwrap_or_default().split(';').next().unwrap_or_default().trim();
            if TYPES.iter().any(|known| known.eq_ignore_ascii_case(kind)) {
                link.attr("href").into_iter().for_each(&mut add);
            }
        }
    }
    if let Some(anchors) = select(
        "a[type='application/rss+xml'], a[href$='.rss'], a[href$='/rss'], a[href$='/feed'], a[href$='/feed/'], a[href$='rss.xml'], a[href$='feed.xml'], a[href$='atom.xml']",
    ) {
        page.select(&anchors).filter_map(|anchor| anchor.attr("href")).for_each(&mut add);
    }
    if let Some(anchors) = select("a[href]") {
        let called = page.select(&anchors).filter(|anchor| is_called_feed(anchor.text()));
        called.filter_map(|anchor| anchor.attr("href")).for_each(&mut add);
    }
    found.sort_by_key(|url| url.as_str().contains("comments"));
    found.truncate(LINKS_MAX);
    found
}

/// Whether the few words of a link call it a feed.
fn is_called_feed<'a>(text: impl Iterator<Item = &'a str>) -> bool {
    let words: Vec<&str> = text.flat_map(str::split_whitespace).take(WORDS_MAX + 1).collect();
    let is_feed = |word: &&str| WORDS.iter().any(|known| known.eq_ignore_ascii_case(word));
    words.len() <= WORDS_MAX && words.iter().any(is_feed)
}

/// Where the feeds of a site usually are, on its own host: beside the page that was named, and at the top.
pub fn usual(page: &Url) -> Vec<Url> {
    let mut folder = page.clone();
    folder.set_query(None);
    folder.set_fragment(None);
    if let Ok(mut parts) = folder.path_segments_mut() {
        parts.pop_if_empty().push("");
    }
    let at_top = folder.path() == "/";
    let beside = USUAL.iter().take(if at_top { 0 } else { 2 }).filter_map(|path| folder.join(path).ok());
    let top = USUAL.iter().filter_map(|path| folder.join("/").ok()?.join(path).ok());
    beside.chain(top).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fetch::Validators;

    fn links(html: &str) -> Vec<String> {
        let document = Document {
            url: Url::parse("https://press.example/monde/").unwrap(),
            bytes: html.as_bytes().to_vec().into(),
            content_type: None,
            validators: Validators::default(),
            delta: false,
        };
        linked(&document).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn feeds_are_found_by_the_links_of_a_page() {
        for (html, expected) in [
            (
                "<link rel=alternate type='application/rss+xml' href=/rss.xml>",
                &["https://press.example/rss.xml"][..],
            ),
            (
                "<link rel='ALTERNATE home' type='application/atom+xml; charset=utf-8' href=a>",
                &["https://press.example/monde/a"],
            ),
            (
                "<base href='https://cdn.example/x/'><link rel=alternate type=application/feed+json href=f.json>",
                &["https://cdn.example/x/f.json"],
            ),
            (
                "<link rel=alternate type=application/rss+xml href=/comments/feed><link rel=alternate type=application/rss+xml href=/feed>",
                &["https://press.example/feed", "https://press.example/comments/feed"],
            ),
            ("<link rel=alternate hreflang=fr href=/fr>", &[]),
            ("<link rel=alternate type=application/rss+xml href='javascript:x'>", &[]),
            ("<a href='/monde/rss.xml'>RSS</a>", &["https://press.example/monde/rss.xml"]),
            ("<a href='/real/feed'><b>x</b></a>", &["https://press.example/real/feed"]),
            ("<a href='/flux?id=1'>Flux <b>RSS</b></a>", &["https://press.example/flux?id=1"]),
            ("<a href='/why'>Why we still love RSS</a><a href='/m'>Atomic</a>", &[]),
            ("<p>nothing", &[]),
        ] {
            assert_eq!(links(html), expected, "{html}");
        }
        let anchors: Vec<String> = (0..100_000).map(|n| format!("<a href='/{n}.rss'></a>")).collect();
        let hostile = anchors.concat();
        assert_eq!(links(&hostile).len(), LINKS_MAX);
        let many = "<link rel=alternate type=application/rss+xml href=/x><a href='/y.rss'>";
        assert_eq!(links(&many.repeat(50)).len(), 2, "each once");
    }

    #[test]
    fn guesses_are_few_and_stay_on_the_host() {
        for (page, first) in [
            ("https://press.example", "https://press.example/feed"),
            ("https://press.example/monde?x=1#y", "https://press.example/monde/feed"),
        ] {
            let guesses = usual(&Url::parse(page).unwrap());
            assert_eq!(guesses.first().map(Url::as_str), Some(first));
            assert!(guesses.len() <= USUAL.len() + 2);
            assert!(guesses.iter().all(|url| url.host_str() == Some("press.example")));
        }
    }
}
