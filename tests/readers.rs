//! The readers against samples of our own (`tests/golden`), hostile input and arbitrary bytes.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use harmattan::fetch::{Document, Validators};
use harmattan::item::SourceName;
use harmattan::source::page::Selectors;
use harmattan::source::telegram::ChannelName;
use harmattan::source::{
    self, Candidate, FIELD_BYTES_MAX, ITEMS_PER_DOCUMENT_MAX, Plan, ProblemKind, ReadAs, Reading, Unreadable,
};
use harmattan::wire;
use jiff::Timestamp;
use proptest::prelude::*;
use url::Url;

fn document(bytes: &[u8]) -> Document {
    Document {
        url: Url::parse("https://source.example/here/index").unwrap(),
        bytes: bytes.to_vec().into(),
        content_type: None,
        validators: Validators::default(),
        delta: false,
    }
}

fn selectors() -> Selectors {
    let title = Some("h2");
    Selectors::parse("article", title, Some("h2 a@href"), Some("time@datetime"), Some(".lead")).unwrap()
}

/// The three kinds of source, as the tests read them.
#[derive(Clone, Copy, Debug)]
enum Reader {
    Feed,
    Telegram,
    Page,
}

const READERS: [Reader; 3] = [Reader::Feed, Reader::Telegram, Reader::Page];

fn read(reader: Reader, bytes: &[u8]) -> Result<Reading, Unreadable> {
    let source = SourceName::new("golden").unwrap();
    let channel: ChannelName = "sahel_terrain".parse().unwrap();
    let select = selectors();
    let kind = match reader {
        Reader::Feed => ReadAs::Feed,
        Reader::Telegram => ReadAs::Telegram { channel: &channel },
        Reader::Page => ReadAs::Page { select: &select },
    };
    source::read(
        &document(bytes),
        &Plan { source: &source, kind, lang: None, now: Some("2026-11-25T12:00:00Z".parse().unwrap()) },
    )
}

/// A reading as the golden files show it.
fn shown(result: &Result<Reading, Unreadable>) -> String {
    let reading = match result {
        Ok(reading) => reading,
        Err(unreadable) => return format!("{}: {unreadable}\n", unreadable.reason()),
    };
    let mut out = String::new();
    for Candidate { item, key, aliases, content, common: _, members: _ } in &reading.items {
        let json = serde_json::to_string_pretty(&wire::item::Item::from(item.clone())).unwrap();
        let link = aliases.and_then(|aliases| aliases.link);
        writeln!(out, "{json}\nkey {key:?}, link {link:?}, content {content:016x}\n").unwrap();
    }
    for problem in &reading.problems {
        writeln!(out, "{:?}: {}", problem.kind, problem.detail).unwrap();
    }
    writeln!(out, "lost {}, {:?}", reading.lost, reading.hints).unwrap();
    out
}

/// Reads every sample in a folder and compares with the snapshot beside it.
fn golden(reader: Reader, folder: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(folder);
    let mut samples: Vec<PathBuf> =
        fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    samples
        .retain(|path| path.extension().is_some_and(|extension| extension != "snap" && extension != "new"));
    samples.sort();
    assert!(!samples.is_empty());
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(&folder);
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    for sample in samples {
        let bytes = fs::read(&sample).unwrap();
        let name = sample.file_stem().unwrap().to_string_lossy().into_owned();
        settings.bind(|| insta::assert_snapshot!(name, shown(&read(reader, &bytes))));
    }
}

#[test]
fn feeds_read_as_recorded() {
    golden(Reader::Feed, "feed");
}

#[test]
fn telegram_pages_read_as_recorded() {
    golden(Reader::Telegram, "telegram");
}

#[test]
fn pages_read_as_recorded() {
    golden(Reader::Page, "page");
}

/// Reads in a thread with the stack that threads have by default, and gives up on nothing.
fn read_in_thread(reader: Reader, bytes: Vec<u8>) -> Result<Reading, Unreadable> {
    let thread = std::thread::Builder::new().stack_size(2 * 1024 * 1024);
    thread.spawn(move || read(reader, &bytes)).unwrap().join().unwrap()
}

fn told(reading: &Reading, kind: ProblemKind) -> bool {
    reading.problems.iter().any(|problem| problem.kind == kind)
}

#[test]
fn two_hundred_thousand_nested_tags_overflow_no_stack() {
    let nested = |unit: &str| unit.repeat(200_000);
    let feed = format!(
        "<rss version='2.0'><channel><item><title>a</title></item><item><description>{}b</description></item></channel></rss>",
        nested("<div>")
    );
    let reading = read_in_thread(Reader::Feed, feed.into_bytes()).unwrap();
    assert_eq!(reading.items.len(), 2);
    assert_eq!(reading.items[1].item.text, "b");
    assert!(told(&reading, ProblemKind::Cut));

    let escaped = format!(
        "<rss version='2.0'><channel><item><description>{}b</description></item></channel></rss>",
        nested("&lt;b>")
    );
    assert_eq!(read_in_thread(Reader::Feed, escaped.into_bytes()).unwrap().items[0].item.text, "b");

    let message = r#"<div class="tgme_widget_message" data-post="sahel_terrain/7"><div class="js-message_text">a</div></div>"#;
    let page =
        read_in_thread(Reader::Telegram, format!("{message}{}", nested("<div class='x'>")).into_bytes())
            .unwrap();
    assert_eq!(page.items.len(), 1);
    assert!(told(&page, ProblemKind::Cut));
    let page =
        read_in_thread(Reader::Telegram, message.replace("</div>", "").repeat(2_000).into_bytes()).unwrap();
    assert_eq!(page.items.len(), 1);

    let page = format!("<article><h2>a</h2></article>{}", nested("<section><b>"));
    let reading = read_in_thread(Reader::Page, page.into_bytes()).unwrap();
    assert_eq!(reading.items.len(), 1);
    assert!(told(&reading, ProblemKind::Cut));
}

#[test]
fn input_that_invites_endless_rereading_takes_no_longer() {
    let units = [
        "<a",
        "<a ",
        "<!--",
        "<![CDATA[",
        "<script>",
        "<!DOCTYPE>",
        "<a \"'>",
        "</",
        "&",
        "&amp",
        "<?",
        "<item><title>",
        "<p a=\"",
        "<article><h2>x",
        "<b><p>",
        "<a b=c ",
    ];
    for unit in units {
        for (reader, start) in [
            (Reader::Feed, "<rss version='2.0'><channel><item><title>a</title></item><item><description>"),
            (Reader::Telegram, "<div class='tgme_widget_message' data-post='a/1'>"),
            (Reader::Page, "<article><h2>a</h2></article>"),
        ] {
            let text = format!("{start}{}", unit.repeat(10_000));
            let begin = Instant::now();
            let reading = read(reader, text.as_bytes());
            assert_eq!(reading.map(|reading| reading.items.is_empty()), Ok(false), "{reader:?} {unit}");
            // Work by the square of the length takes minutes; this allows for a busy machine.
            assert!(begin.elapsed() < Duration::from_secs(20), "{reader:?} {unit}: {:?}", begin.elapsed());
        }
    }
}

#[test]
fn an_entity_bomb_is_not_expanded() {
    let feed = "<!DOCTYPE rss [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;\">]>\
                <rss version='2.0'><channel><item><title>&b;&b;</title></item></channel></rss>";
    assert_eq!(read(Reader::Feed, feed.as_bytes()).unwrap().items[0].item.title, "&b;&b;");
}

#[test]
fn more_items_and_longer_texts_than_the_limits_are_cut_and_told() {
    let item = |n: usize| format!("<item><guid>{n}</guid><title>{n}</title></item>");
    let items: String = (0..ITEMS_PER_DOCUMENT_MAX + 5).map(item).collect();
    let reading =
        read(Reader::Feed, format!("<rss version='2.0'><channel>{items}</channel></rss>").as_bytes())
            .unwrap();
    assert_eq!((reading.items.len(), reading.lost), (ITEMS_PER_DOCUMENT_MAX, 5));
    assert!(told(&reading, ProblemKind::Cut));

    // The newest are read, wherever they stand.
    let dated =
        |n: usize| (n, Timestamp::from_second(1_700_000_000 + 60 * i64::try_from(n).unwrap()).unwrap());
    let rss = |(n, date): (usize, Timestamp)| {
        format!("<item><guid>{n}</guid><title>{n}</title><dc:date>{date}</dc:date></item>")
    };
    let json = |(n, date): (usize, Timestamp)| format!(r#"{{"id":"{n}","date_published":"{date}"}}"#);
    let last = ITEMS_PER_DOCUMENT_MAX + 4;
    let rising: Vec<_> = (0..=last).map(dated).collect();
    let falling: Vec<_> = rising.iter().rev().copied().collect();
    let channel = |items: Vec<_>| {
        let items: String = items.into_iter().map(rss).collect();
        format!("<rss version='2.0'><channel>{items}</channel></rss>")
    };
    let items = rising.iter().copied().map(json).collect::<Vec<_>>().join(",");
    for (feed, read_guids) in [
        (channel(rising), [5, last]),
        (channel(falling), [last, 5]),
        (format!(r#"{{"items":[{items}]}}"#), [5, last]),
    ] {
        let reading = read(Reader::Feed, feed.as_bytes()).unwrap();
        assert_eq!((reading.items.len(), reading.lost), (ITEMS_PER_DOCUMENT_MAX, 5));
        let guids = [0, ITEMS_PER_DOCUMENT_MAX - 1].map(|at| reading.items[at].item.guid.clone().unwrap());
        assert_eq!(guids, read_guids.map(|n| n.to_string()));
    }

    let text = "é".repeat(FIELD_BYTES_MAX);
    let feed =
        format!("<rss version='2.0'><channel><item><description>{text}</description></item></channel></rss>");
    let reading = read(Reader::Feed, feed.as_bytes()).unwrap();
    assert_eq!(reading.items[0].item.text.len(), FIELD_BYTES_MAX);
    assert!(told(&reading, ProblemKind::Cut));
}

#[test]
fn what_feed_rs_refuses_is_read_entry_by_entry() {
    let entry = |kind: &str, id: u8| {
        format!(
            "<entry><id>{id}</id><title>T{id}</title><content type='{kind}'>texte & {id}</content></entry>"
        )
    };
    let feed =
        format!("<feed xmlns='http://www.w3.org/2005/Atom'>{}{}</feed>", entry("foo", 1), entry("text", 2));
    let reading = read(Reader::Feed, feed.as_bytes()).unwrap();
    let texts: Vec<&str> = reading.items.iter().map(|candidate| candidate.item.text.as_str()).collect();
    assert_eq!(texts, ["texte & 1", "texte & 2"]);
    assert!(told(&reading, ProblemKind::Salvaged));
    assert_eq!((reading.lost, reading.truncated), (0, false));

    let capitals =
        "<RSS><CHANNEL><ITEM><TITLE>T</TITLE><LINK>https://a.example/1</LINK></ITEM></CHANNEL></RSS>";
    let reading = read(Reader::Feed, capitals.as_bytes()).unwrap();
    assert_eq!(reading.items[0].item.url.as_deref(), Some("https://a.example/1"));

    let foreign = "<rss version='2.0' xmlns:x='https://x.example/'><channel><x:item><x:title>T</x:title></x:item></channel></rss>";
    let reading = read(Reader::Feed, foreign.as_bytes()).unwrap();
    assert_eq!((reading.items.len(), reading.lost), (0, 1));
    assert!(told(&reading, ProblemKind::Lost));

    let beside = "<rss version='2.0'><channel><title>x</title></channel><item><title>T</title><guid>1</guid></item></rss>";
    assert_eq!(read(Reader::Feed, beside.as_bytes()).unwrap().items[0].item.title, "T");
}

#[test]
fn links_that_lead_to_no_page_are_none() {
    let feed = "<rss version='2.0'><channel><item><title>T</title><link>javascript:alert(1)</link></item>\
                <item><title>U</title><link>data:text/html,x</link><guid>https://a.example/2</guid></item></channel></rss>";
    let links = |reading: Reading| -> Vec<Option<String>> {
        reading.items.into_iter().map(|candidate| candidate.item.url).collect()
    };
    let expected = [None, Some("https://a.example/2".to_owned())];
    assert_eq!(links(read(Reader::Feed, feed.as_bytes()).unwrap()), expected);
    let page = "<article><h2><a href=' javascript:x'>T</a></h2></article><article><h2><a href='//a.example/2'>U</a></h2></article>";
    assert_eq!(links(read(Reader::Page, page.as_bytes()).unwrap()), expected);
}

#[test]
fn documents_of_another_kind_are_refused_with_their_reason() {
    let challenge = "<html><head><title>Just a moment...</title></head><body></body></html>";
    let page = "<html><body><h1>Bienvenue</h1></body></html>";
    for (reader, body, reason) in [
        (Reader::Feed, "", "parse"),
        (Reader::Page, "  \n", "parse"),
        (Reader::Feed, challenge, "challenge"),
        (Reader::Telegram, challenge, "challenge"),
        (Reader::Page, challenge, "challenge"),
        (Reader::Feed, page, "parse"),
        (Reader::Feed, "{\"error\":1}", "parse"),
        (Reader::Feed, "Service unavailable", "parse"),
        (Reader::Telegram, page, "layout"),
        (Reader::Page, page, "layout"),
    ] {
        assert_eq!(
            read(reader, body.as_bytes()).map_err(|error| error.reason()),
            Err(reason),
            "{reader:?} {body}"
        );
    }
}

#[test]
fn a_message_keeps_its_id_over_hosts_cases_and_edits() {
    let page = |post: &str, text: &str| {
        format!(
            r#"<div class="tgme_widget_message" data-post="{post}"><div class="js-message_text">{text}</div></div>"#
        )
    };
    let first = |html: String| read(Reader::Telegram, html.as_bytes()).unwrap().items.remove(0);
    let (before, after) = (first(page("Sahel_Terrain/7", "Un")), first(page("sahel_terrain/7", "Deux")));
    assert_eq!((before.item.id, before.key), (after.item.id, after.key));
    assert_ne!(before.content, after.content);
    let repeated = first(page("Sahel_Terrain/7", " un\n"));
    assert_eq!(before.content, repeated.content);
}

/// Pieces that documents are made of, in any order: nearer to what readers stumble over than random bytes.
fn scrap() -> impl Strategy<Value = String> {
    let pieces = [
        "<rss version='2.0'>",
        "<channel>",
        "<item>",
        "</item>",
        "<entry>",
        "</entry>",
        "<feed xmlns='http://www.w3.org/2005/Atom'>",
        "<rdf:RDF xmlns='http://purl.org/rss/1.0/'>",
        "<CHANNEL BASE='/b/'>",
        "</CHANNEL>",
        "<ITEM HREF='/a'>",
        "<ABSTRACT VALUE='x'/>",
        "<title>",
        "</title>",
        "<link href='/a'/>",
        "<guid>1</guid>",
        "<![CDATA[",
        "]]>",
        "&amp;",
        "&",
        "&#0;",
        "&eacute;",
        "<",
        ">",
        "\"",
        "<author>é@b.c（x）</author>",
        "<media:title/>",
        "<content type='xhtml'>",
        "<div class='tgme_widget_message' data-post='a/1'>",
        "<div class='js-message_text'>",
        "</div>",
        "<br>",
        "<a class='tgme_widget_message_date'><time datetime='2026-11-23T10:00:00+00:00'>",
        "<article>",
        "<h2>",
        "</h2>",
        "<table>",
        "<script>",
        "<!--",
        "-->",
        "<?xml version='1.0' encoding='utf-16'?>",
        "{\"items\":[",
        "{\"id\":1}",
        "]}",
        "\u{0}",
        "مالي",
        "<pubDate>Mon, 23 Nov 2026 10:00:00 +0000</pubDate>",
        " xml:base='//['",
        "texte ",
    ];
    prop::collection::vec(prop::sample::select(pieces.to_vec()), 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn no_bytes_make_a_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        for reader in READERS {
            prop_assert_eq!(read(reader, &bytes), read(reader, &bytes));
        }
    }

    #[test]
    fn no_scraps_make_a_reader_panic_and_a_second_reading_is_equal(text in scrap()) {
        for reader in READERS {
            let reading = read(reader, text.as_bytes());
            if let Ok(reading) = &reading {
                for candidate in &reading.items {
                    prop_assert!(!candidate.item.title.contains('\n'));
                    prop_assert!(!candidate.item.text.chars().any(|c| c.is_control() && c != '\n'));
                }
            }
            prop_assert_eq!(reading, read(reader, text.as_bytes()));
        }
    }
}
