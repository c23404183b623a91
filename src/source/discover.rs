//! Where a site has its feeds: what its pages link to, and where feeds usually are.

use std::iter;

use scraper::{ElementRef, Html, Selector};
use url::{Position, Url};

use super::{charset, html, sniff, web_link};
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

/// Elements looked at in a link for an icon that calls it so.
const ICON_NODES_MAX: usize = 8;

/// Types by which pages call their feeds.
const TYPES: [&str; 5] = [
    "application/rss+xml",
    "application/atom+xml",
    "application/rdf+xml",
    "application/feed+json",
    "text/xml",
];

/// Types by which some pages call their feeds, and others what is none.
const LOOSE_TYPES: [&str; 2] = ["application/json", "application/xml"];

/// In the address of what `WordPress` has for programs: a single post, and no feed.
const NO_FEED: &str = "/wp-json/";

/// What is taken for a feed and is a list of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listing {
    /// A list of feeds.
    Opml,
    /// A list of the pages of a site.
    Sitemap,
}

/// Whether a document is a list of addresses.
pub fn listing(document: &Document) -> Option<Listing> {
    let text = charset::decode(&document.bytes, document.content_type.as_deref(), None).text;
    match sniff::first_element(&text)?.as_str() {
        "opml" => Some(Listing::Opml),
        "urlset" | "sitemapindex" => Some(Listing::Sitemap),
        _ => None,
    }
}

/// What the links of a page are relative to.
fn base(page: &Html, document: &Document) -> Url {
    let stated = Selector::parse("base[href]").ok().and_then(|css| page.select(&css).next()?.attr("href"));
    let stated = stated.and_then(|href| document.url.join(href.trim()).ok());
    stated.unwrap_or_else(|| document.url.clone())
}

/// Where a page sends its readers by itself (`meta http-equiv=refresh`), to another page of its site: a front page
/// leads so to that of a language.
pub fn led_on(document: &Document) -> Option<Url> {
    let text = charset::decode(&document.bytes, document.content_type.as_deref(), None).text;
    let (page, _) = html::parse(&text);
    let metas = Selector::parse("meta[http-equiv=refresh i][content]").ok()?;
    let content = page.select(&metas).next()?.attr("content")?;
    let target = content.split_once([';', ','])?.1.trim();
    let named = target.get(..3).filter(|word| word.eq_ignore_ascii_case("url"));
    let named = named.and_then(|_| target.get(3..)?.trim_start().strip_prefix('='));
    let target = named.unwrap_or(target).trim().trim_matches(['\'', '"']);
    let mut url = web_link(&base(&page, document), target).and_then(|link| Url::parse(&link).ok())?;
    url.set_fragment(None);
    let site = |url: &Url| url.host_str().unwrap_or_default().trim_start_matches("www.").to_owned();
    (site(&url) == site(&document.url) && url != document.url).then_some(url)
}

/// The feeds that a page names by `link rel=alternate` or `rel=feed`, or else links to by addresses or words that look
/// like feeds; those of comments come last.
pub fn linked(document: &Document) -> Vec<Url> {
    let text = charset::decode(&document.bytes, document.content_type.as_deref(), None).text;
    let (page, _) = html::parse(&text);
    let select = |css: &str| Selector::parse(css).ok();
    let base = base(&page, document);
    let mut found: Vec<Url> = Vec::new();
    let mut add = |href: &str| {
        if found.len() >= LINKS_LOOKED_AT_MAX {
            return;
        }
        let url = web_link(&base, href).and_then(|link| Url::parse(&link).ok());
        found.extend(url.filter(|url| !found.contains(url)));
    };
    alternates(&page, &TYPES).into_iter().for_each(&mut add);
    if let Some(links) = select("link[rel~=feed i][href], a[rel~=feed i][href]") {
        page.select(&links).filter_map(|link| link.attr("href")).for_each(&mut add);
    }
    alternates(&page, &LOOSE_TYPES).into_iter().filter(|href| !href.contains(NO_FEED)).for_each(&mut add);
    if let Some(anchors) = select(
        "a[type='application/rss+xml'], a[href$='.rss'], a[href$='/rss'], a[href$='/feed'], a[href$='/feed/'], a[href$='rss.xml'], a[href$='feed.xml'], a[href$='atom.xml']",
    ) {
        page.select(&anchors).filter_map(|anchor| anchor.attr("href")).for_each(&mut add);
    }
    if let Some(anchors) = select("a[href]") {
        let called = page.select(&anchors).filter(is_called_feed);
        called.filter_map(|anchor| anchor.attr("href")).for_each(&mut add);
    }
    found.sort_by_key(is_of_comments);
    found.truncate(LINKS_MAX);
    found
}

/// Where the `link rel=alternate` of these types lead.
fn alternates<'a>(page: &'a Html, types: &[&str]) -> Vec<&'a str> {
    let Ok(links) = Selector::parse("link[rel~=alternate i][href]") else { return Vec::new() };
    let is_typed = |link: &ElementRef<'_>| {
        let kind = link.attr("type").unwrap_or_default().split(';').next().unwrap_or_default().trim();
        types.iter().any(|known| known.eq_ignore_ascii_case(kind))
    };
    page.select(&links).filter(is_typed).filter_map(|link| link.attr("href")).collect()
}

/// Whether a feed is, by its address, one of comments.
pub fn is_of_comments(feed: &Url) -> bool {
    feed[Position::BeforePath..].contains("comments")
}

/// Whether the few words of a link, its title, its label or its icon call it a feed.
fn is_called_feed(link: &ElementRef<'_>) -> bool {
    let named = ["title", "aria-label"].into_iter().filter_map(|name| link.attr(name));
    let inside = link.descendants().take(ICON_NODES_MAX);
    let icons = inside.filter_map(|node| node.value().as_element()?.attr("alt"));
    calls_feed(link.text()) || named.chain(icons).any(|words| calls_feed(iter::once(words)))
}

fn calls_feed<'a>(text: impl Iterator<Item = &'a str>) -> bool {
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

    fn document(html: &str) -> Document {
        Document {
            url: Url::parse("https://press.example/monde/").unwrap(),
            bytes: html.as_bytes().to_vec().into(),
            content_type: None,
            validators: Validators::default(),
            delta: false,
        }
    }

    fn links(html: &str) -> Vec<String> {
        linked(&document(html)).iter().map(ToString::to_string).collect()
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
            (
                "<link rel=alternate type=application/xml href=/x><link rel=alternate type=text/xml href=/y>",
                &["https://press.example/y", "https://press.example/x"],
            ),
            ("<link rel=alternate type=application/json href=/f.json>", &["https://press.example/f.json"]),
            ("<link rel=alternate type=application/json href=/wp-json/wp/v2/pages/2>", &[]),
            (
                "<link rel=feed href=/x><a rel='nofollow FEED' href=/y>",
                &["https://press.example/x", "https://press.example/y"],
            ),
            ("<a href=/x><span><img src=i.png alt=RSS></span></a>", &["https://press.example/x"]),
            (
                "<a href=/x title='RSS feed'></a><a href=/y aria-label=Atom></a>",
                &["https://press.example/x", "https://press.example/y"],
            ),
            ("<a href=/x><img alt='A reader of RSS at his desk'></a><img alt=RSS>", &[]),
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

    #[test]
    fn a_page_leads_on_within_its_site() {
        for (content, expected) in [
            ("0;url=/fr/", Some("https://press.example/fr/")),
            ("5; URL = 'fr#top'", Some("https://press.example/monde/fr")),
            ("0, https://www.press.example/fr/", Some("https://www.press.example/fr/")),
            ("0;urls", Some("https://press.example/monde/urls")),
            ("600", None),
            ("600;url=/monde/#top", None),
            ("0;url=https://other.example/", None),
            ("0;url=javascript:x", None),
        ] {
            let page = format!("<meta http-equiv=Refresh content=\"{content}\"><p>Gao");
            assert_eq!(led_on(&document(&page)).as_ref().map(Url::as_str), expected, "{content}");
        }
        assert_eq!(led_on(&document("<p>Gao")), None);
    }

    #[test]
    fn lists_of_addresses_are_known_by_their_root() {
        for (body, expected) in [
            ("<?xml version='1.0'?><opml version='2.0'><body>", Some(Listing::Opml)),
            ("<urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'>", Some(Listing::Sitemap)),
            ("<sitemapindex>", Some(Listing::Sitemap)),
            ("<html><opml>", None),
            ("<rss>", None),
            ("", None),
        ] {
            assert_eq!(listing(&document(body)), expected, "{body}");
        }
    }
}
