//! Documents made to exhaust their reader (delivery.md, section 4, row 15): each costs time by its length and memory
//! by a few times its length. A program of its own, since the peak of memory is that of the whole process.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::time::{Duration, Instant};

use harmattan::article;
use harmattan::fetch::{Document, Validators};
use harmattan::item::SourceName;
use harmattan::source::page::Selectors;
use harmattan::source::{self, FIELD_BYTES_MAX, ITEMS_PER_DOCUMENT_MAX, Plan, ReadAs, Reading, Unreadable};
use url::Url;

/// Work by the square of the length takes minutes; this allows for a busy machine and a build without optimisation.
const TIME_MAX: Duration = Duration::from_secs(20);

/// The process that makes and reads these documents stays below this.
const PEAK_MIB_MAX: u64 = 200;

/// The longest of them, in bytes.
const MEGABYTES: usize = 10 << 20;

fn document(bytes: Vec<u8>) -> Document {
    Document {
        url: Url::parse("https://source.example/feed").unwrap(),
        bytes: bytes.into(),
        content_type: None,
        validators: Validators::default(),
        delta: false,
    }
}

fn read_as(bytes: Vec<u8>, kind: ReadAs<'_>) -> Result<Reading, Unreadable> {
    let source = SourceName::new("hostile").unwrap();
    source::read(&document(bytes), &Plan { source: &source, kind, lang: None, now: None })
}

fn read(bytes: Vec<u8>) -> Result<Reading, Unreadable> {
    read_as(bytes, ReadAs::Feed)
}

/// A feed whose first item is whole, and this after it.
fn feed(rest: &str) -> Vec<u8> {
    format!("<rss version='2.0'><channel><item><title>T</title></item>{rest}</channel></rss>").into_bytes()
}

/// The greatest memory that the process had so far, where the system tells.
fn peak_mib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.split_whitespace().next()?.parse::<u64>().ok().map(|kib| kib / 1024)
}

/// 250,000 repetitions.
fn filled(unit: &str) -> String {
    unit.repeat(250_000)
}

/// A million repetitions.
fn million(unit: &str) -> String {
    unit.repeat(1_000_000)
}

fn laughs() -> Vec<u8> {
    let entity = |n: u32| format!("<!ENTITY l{n} '{}'>", format!("&l{};", n - 1).repeat(10));
    let entities: String = (1..10).map(entity).collect();
    let dtd = format!("<!DOCTYPE rss [<!ENTITY l0 'ha'>{entities}]>");
    [dtd.into_bytes(), feed("<item><title>&l9;</title></item>")].concat()
}

/// A name, a document, and how many items it gives.
type Case = (&'static str, fn() -> Vec<u8>, usize);

const CASES: [Case; 28] = [
    ("250,000 items", || feed(&filled("<item><title>T</title></item>")), ITEMS_PER_DOCUMENT_MAX),
    ("250,000 empty items", || feed(&filled("<item/>")), 1),
    ("a hundred thousand deep", || feed(&"<a>".repeat(100_000)), 1),
    ("as deep in an item", || feed(&format!("<item><title>U</title>{}</item>", "<a>".repeat(100_000))), 2),
    (
        "an attribute of 10 MB",
        || feed(&format!("<item a='{}'><title>U</title></item>", "x".repeat(MEGABYTES))),
        2,
    ),
    ("250,000 attributes", || feed(&format!("<item {}><title>U</title></item>", filled("a='b' "))), 2),
    (
        "250,000 different attributes",
        || feed(&format!("<item><title>U</title><enclosure{}/></item>", attributes(250_000))),
        2,
    ),
    ("a title of 10 MB", || titled(&"x y ".repeat(MEGABYTES / 4)), 2),
    ("250,000 references", || titled(&filled("&amp;lt;")), 2),
    ("250,000 half references", || titled(&filled("&amp")), 2),
    ("250,000 brackets", || titled(&filled("<")), 2),
    ("entities in entities", laughs, 2),
    (
        "an external document type",
        || [b"<!DOCTYPE rss SYSTEM 'http://127.0.0.1:1/x.dtd'>".as_slice(), &feed("")].concat(),
        1,
    ),
    ("a document type without end", || [b"<!DOCTYPE rss [".as_slice(), &feed("")].concat(), 1),
    ("250,000 document types", || [filled("<!DOCTYPE a []").into_bytes(), feed("")].concat(), 1),
    ("250,000 unreadable items of JSON", || json(&filled("{\"a\":x},")), 1),
    ("a million items of JSON", || whole_json(&million(r#",{"id":1}"#)), ITEMS_PER_DOCUMENT_MAX),
    ("half as many without an end", || json(&filled(r#"{"id":1},{"id":1},"#)), ITEMS_PER_DOCUMENT_MAX),
    ("a million members of an item", || whole_json(&format!(r#",{{"id":1{}}}"#, million(r#","a":1"#))), 2),
    ("the same in an item without an end", || json(&format!(r#"{{"id":1{}"#, million(r#","a":1"#))), 1),
    ("a million tags", || whole_json(&list_of("tags", r#""a""#)), 2),
    ("a million authors", || whole_json(&list_of("authors", r#"{"a":1}"#)), 2),
    ("a million attachments", || whole_json(&list_of("attachments", "{}")), 2),
    ("250,000 open items of JSON", || json(&filled("{\"a\":{},{")), 1),
    ("UTF-16", || wide(&"<item><title>é</title></item>".repeat(150_000)), ITEMS_PER_DOCUMENT_MAX),
    ("half a character of UTF-16", || [wide(""), vec![0xD8]].concat(), 1),
    ("NUL everywhere", || titled(&filled("\0")), 2),
    ("invalid UTF-8", || [feed("<item><title>U</title></item>"), vec![0xFF; MEGABYTES]].concat(), 2),
];

#[test]
fn l12_hostile_documents_cost_bounded_time_and_memory() {
    for (name, bytes, expected) in CASES {
        let bytes = bytes();
        let began = Instant::now();
        let reading = read(bytes);
        let elapsed = began.elapsed();
        assert!(elapsed < TIME_MAX, "{name}: {elapsed:?}");
        let items = reading.map(|reading| reading.items).unwrap_or_default();
        assert_eq!(items.len(), expected, "{name}");
        let longest = items.iter().map(|found| found.item.title.len().max(found.item.text.len())).max();
        assert!(longest.is_none_or(|longest| longest <= FIELD_BYTES_MAX), "{name}: {longest:?}");
    }
    for (name, page) in pages() {
        let began = Instant::now();
        let select = Selectors::parse("body", Some("i"), None, None, None).unwrap();
        let found = read_as(page.clone().into(), ReadAs::Page { select: &select });
        assert!(found.is_ok(), "{name}: {found:?}");
        let url = Url::parse("https://source.example/article").unwrap();
        let found = article::read(&document(page.into()), &url, None);
        assert!(found.is_err(), "{name} is no article");
        let elapsed = began.elapsed();
        assert!(elapsed < TIME_MAX, "{name}: {elapsed:?}");
    }
    assert!(peak_mib().is_none_or(|peak| peak < PEAK_MIB_MAX), "{:?} MiB", peak_mib());
}

/// Pages of few bytes that have a parser make many elements, and their names.
fn pages() -> Vec<(String, String)> {
    let font = |n: usize| format!("<font size={n}><p>x");
    let fonts = |count: usize| (0..count).map(font).collect::<String>();
    let rows = [
        ("", fonts(5_000), ""),
        ("<i x=y'>", fonts(5_000), "'>"),
        ("<svg><style>", fonts(5_000), ""),
        ("<!x '>", fonts(5_000), ""),
        ("<noscript>", fonts(5_000), ""),
        ("<math><annotation-xml encoding=text/html>", fonts(5_000), ""),
        ("<svg><style>", "<g>".repeat(500_000), ""),
        ("", format!("<p><b{}>{}", attributes(1_000), " <p>".repeat(100_000)), ""),
        ("", format!("<p{}>", attributes(250_000)), ""),
        ("", format!("</p{}>", attributes(250_000).replace('b', "<")), ""),
    ];
    let page = |(before, many, after)| format!("<html><body><i>y</i>{before}{many}{after}");
    rows.into_iter().map(|row| (format!("{}{}", row.0, row.1.len()), page(row))).collect()
}

/// So many attributes, each with another name.
fn attributes(count: usize) -> String {
    let attribute = |n: usize| format!(" a{n}='b'");
    (0..count).map(attribute).collect()
}

/// A second item with this title.
fn titled(title: &str) -> Vec<u8> {
    feed(&format!("<item><title>U{title}</title></item>"))
}

/// A JSON Feed whose first item is whole, and this after it.
fn json(rest: &str) -> Vec<u8> {
    format!("{{\"items\":[{{\"title\":\"T\"}},{rest}").into_bytes()
}

/// The same with its end.
fn whole_json(rest: &str) -> Vec<u8> {
    format!("{{\"items\":[{{\"title\":\"T\"}}{rest}]}}").into_bytes()
}

/// A second item of JSON with a million of these in a list.
fn list_of(name: &str, element: &str) -> String {
    format!(",{{\"id\":1,\"{name}\":[{element}{}]}}", million(&format!(",{element}")))
}

/// A feed in UTF-16 with its mark.
fn wide(rest: &str) -> Vec<u8> {
    let text = format!("\u{feff}{}", String::from_utf8(feed(rest)).unwrap());
    text.encode_utf16().flat_map(u16::to_be_bytes).collect()
}
