//! How long a document takes from its bytes to items with identities, and how long bare feed-rs takes for less:
//! `cargo bench --bench parsing`.
//!
//! Clean feeds of 30 entries in four scripts, made from fixed seeds: RSS 2.0 with escaped HTML, the same in CDATA, and
//! Atom 1.0. Where `HARMATTAN_FIXTURES` names the folder of genuine feeds, those that bare feed-rs can read are
//! measured too.

use std::hint::black_box;
use std::path::Path;

use criterion::{Criterion, Throughput};
use harmattan::fetch::{Document, Validators};
use harmattan::item::{Item, SourceName};
use harmattan::source::{self, Plan, ReadAs};
use url::Url;

mod corpus;

use corpus::{Corpus, LANGUAGES};

/// Entries of a feed.
const ENTRIES: usize = 30;

/// Bytes of title and text of an entry.
const ENTRY_BYTES: usize = 700;

/// Name and documents of a set.
type Set = (&'static str, Vec<Document>);

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    for (name, documents) in sets() {
        let mut group = criterion.benchmark_group("parse");
        group.throughput(Throughput::Bytes(
            documents.iter().map(|document| document.bytes.len() as u64).sum(),
        ));
        group.bench_function(format!("{name}/harmattan"), |bencher| {
            bencher.iter(|| documents.iter().map(read).sum::<usize>());
        });
        group.bench_function(format!("{name}/feed-rs"), |bencher| {
            bencher.iter(|| documents.iter().map(read_bare).sum::<usize>());
        });
        group.finish();
    }
    criterion.final_summary();
}

fn sets() -> Vec<Set> {
    let corpus = Corpus::new();
    let languages: Vec<Vec<Item>> =
        (0..LANGUAGES).map(|language| corpus.articles_of(language, ENTRY_BYTES)).collect();
    let feeds = |write: fn(&[Item]) -> String| {
        languages
            .iter()
            .flat_map(|items| items.chunks_exact(ENTRIES))
            .map(|items| document(write(items).into()))
            .collect()
    };
    let mut sets = vec![("rss", feeds(rss)), ("cdata", feeds(cdata)), ("atom", feeds(atom))];
    sets.extend(
        std::env::var_os("HARMATTAN_FIXTURES").map(|folder| ("genuine", genuine(Path::new(&folder)))),
    );
    sets
}

/// Feeds that publishers wrote, as far as bare feed-rs reads them.
fn genuine(folder: &Path) -> Vec<Document> {
    let files = std::fs::read_dir(folder.join("feeds")).into_iter().flatten().flatten();
    let documents = files.filter_map(|file| Some(document(std::fs::read(file.path()).ok()?)));
    documents.filter(|document| read_bare(document) > 0).collect()
}

fn document(bytes: Vec<u8>) -> Document {
    Document {
        url: Url::parse("https://news.example/feed").unwrap_or_else(|_| unreachable!("it is an address")),
        bytes: bytes.into(),
        content_type: Some("application/xml; charset=utf-8".to_owned()),
        validators: Validators::default(),
        delta: false,
    }
}

fn read(document: &Document) -> usize {
    let Some(source) = SourceName::new("bench") else { return 0 };
    let plan = Plan { source: &source, kind: ReadAs::Feed, lang: None, now: None };
    source::read(black_box(document), &plan).map_or(0, |reading| black_box(reading).items.len())
}

fn read_bare(document: &Document) -> usize {
    feed_rs::parser::parse(black_box(&document.bytes[..])).map_or(0, |feed| black_box(feed).entries.len())
}

fn rss(items: &[Item]) -> String {
    rss_with(items, |text| escaped(&format!("<p>{text}</p>")))
}

fn cdata(items: &[Item]) -> String {
    rss_with(items, |text| format!("<![CDATA[<p>{text}</p>]]>"))
}

fn rss_with(items: &[Item], written: impl Fn(&str) -> String) -> String {
    let mut feed = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<rss version=\"2.0\" \
                    xmlns:dc=\"http://purl.org/dc/elements/1.1/\">\n<channel>\n<title>News</title>\n\
                    <link>https://news.example/</link>\n<description>Feed</description>\n<language>fr</language>\n"
        .to_owned();
    for (item, place) in items.iter().zip(0..) {
        feed += &*format!(
            "<item>\n<title>{}</title>\n<link>https://news.example/2026/{place:06}.html?utm_source=feed&amp;id={place}</link>\n\
             <guid isPermaLink=\"false\">tag:news.example,2026:{place}</guid>\n\
             <pubDate>Wed, 18 Nov 2026 10:{:02}:40 GMT</pubDate>\n<dc:creator>Desk</dc:creator>\n\
             <category>Afrique</category>\n<description>{}</description>\n</item>\n",
            escaped(&item.title),
            place % 60,
            written(&item.text),
        );
    }
    feed + "</channel>\n</rss>\n"
}

fn atom(items: &[Item]) -> String {
    let mut feed = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<feed xmlns=\"http://www.w3.org/2005/Atom\" \
                    xml:lang=\"fr\">\n<title>News</title>\n<id>tag:news.example,2026:feed</id>\n"
        .to_owned();
    for (item, place) in items.iter().zip(0..) {
        feed += &*format!(
            "<entry>\n<title>{}</title>\n<link rel=\"alternate\" href=\"https://news.example/2026/{place:06}.html?id={place}\"/>\n\
             <id>tag:news.example,2026:{place}</id>\n<published>2026-11-18T10:{1:02}:40Z</published>\n\
             <updated>2026-11-18T10:{1:02}:40Z</updated>\n<author><name>Desk</name></author>\n\
             <category term=\"Afrique\"/>\n<summary type=\"html\">{2}</summary>\n</entry>\n",
            escaped(&item.title),
            place % 60,
            escaped(&format!("<p>{}</p>", item.text)),
        );
    }
    feed + "</feed>\n"
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
