//! Feeds of the kinds that feed-rs refuses or empties (polling.md, section 3), one row each.

use harmattan::fetch::{Document, Validators};
use harmattan::item::SourceName;
use harmattan::source::{self, Plan, ReadAs};
use url::Url;

/// The titles read from a feed.
fn titles(feed: &[u8]) -> Vec<String> {
    let source = SourceName::new("torture").unwrap();
    let document = Document {
        url: Url::parse("https://source.example/feed").unwrap(),
        bytes: feed.to_vec().into(),
        content_type: None,
        validators: Validators::default(),
        delta: false,
    };
    let reading =
        source::read(&document, &Plan { source: &source, kind: ReadAs::Feed, lang: None, now: None })
            .unwrap();
    reading.items.into_iter().map(|candidate| candidate.item.title).collect()
}

#[test]
fn l1_to_l8_broken_feeds_keep_their_whole_items() {
    let item = "<item><title>T</title></item>";
    let rss = |root: &str| format!("<rss {root}><channel>{item}</channel></rss>");
    let version = |inside: &str| format!("<rss version='2.0'><channel>{inside}</channel></rss>");
    let entry =
        |title: &str| format!("<feed xmlns='http://www.w3.org/2005/Atom'><entry>{title}</entry></feed>");
    for (name, feed, expected) in [
        ("L1 no version", rss(""), vec!["T"]),
        ("L1 version 2.0.1", rss("version='2.0.1'"), vec!["T"]),
        ("L1 capitals", rss("version='0.94'").to_uppercase(), vec!["T"]),
        ("L2 default namespace", rss("version='2.0' xmlns='http://backend.userland.com/rss2'"), vec!["T"]),
        ("L2 beside the channel", format!("<rss version='2.0'><channel/>{item}</rss>"), vec!["T"]),
        (
            "L2 Atom 0.3",
            "<feed version='0.3' xmlns='http://purl.org/atom/ns#'><entry><title>T</title></entry></feed>"
                .to_owned(),
            vec!["T"],
        ),
        (
            "L3 empty media",
            version("<item><title>T</title><media:title/><media:description></media:description></item>"),
            vec!["T"],
        ),
        ("L3 unknown type", entry("<title type='foo'>T</title>"), vec!["T"]),
        ("L5 truncated", format!("<rss version='2.0'><channel>{item}<item><title>U"), vec!["T"]),
        (
            "L5 ampersand",
            version("<item><title>A & B</title><link>https://a.example/?a&b</link></item>"),
            vec!["A & B"],
        ),
        ("L5 tags crossed", version("<item><title>T</title><b><i></b></i></item>"), vec!["T"]),
        ("L7 HTML entity", version("<item><title>&Eacute;t&eacute;</title></item>"), vec!["Été"]),
        ("L8 warning", format!("<b>Warning</b>: x\n<?xml version='1.0'?>{}", version(item)), vec!["T"]),
        ("L8 control character", version("<item><title>T\u{8}</title></item>"), vec!["T"]),
        ("media title alone", version("<item><media:title>T</media:title></item>"), vec!["T"]),
        ("L9 inline tag", version("<item><title>A <b>x</b> y</title></item>"), vec!["A x y"]),
    ] {
        assert_eq!(titles(feed.as_bytes()), expected, "{name}");
    }
}
