//! The readers against genuine documents, where `HARMATTAN_FIXTURES` names the folder that has them.
//!
//! The documents belong to their publishers and are no part of this repository.

#![expect(clippy::print_stdout, reason = "a test that cannot go on should stop, and say why")]

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use harmattan::fetch::{Document, Validators};
use harmattan::item::SourceName;
use harmattan::source::telegram::ChannelName;
use harmattan::source::{self, Kind, Plan, ProblemKind, ReadAs, Reading, Unreadable};
use serde_json::Value;
use url::Url;

/// Every feed with the number of its items, and how many of their keys are distinct.
const FEEDS: [(&str, usize, usize); 18] = [
    ("bbc-news-2026.xml", 4, 4),
    ("bbc-urdu-2018.xml", 26, 26),
    ("dailymail-world-empty-2017.xml", 0, 0),
    ("dw-english-rdf-2026.xml", 2, 2),
    ("heise-rdf090-2018.xml", 60, 60),
    ("ibash-ru-cp1251-2018.xml", 50, 50),
    ("indianexpress-world-2017.xml", 200, 200),
    ("japantimes-2017.xml", 118, 118),
    ("koerant-afrikaans-2016.xml", 5, 5),
    ("lefigaro-culture-2017.xml", 50, 49),
    ("lemonde-une-2017.xml", 18, 18),
    ("leparisien-une-2017.xml", 30, 30),
    ("moscowtimes-2017.xml", 50, 50),
    ("nytimes-home-2017.xml", 33, 33),
    ("orf-news-rdf-2017.xml", 50, 50),
    ("reuters-world-2017.xml", 10, 10),
    ("theverge-atom-2017.xml", 10, 10),
    ("yandex-moskva-2017.xml", 15, 15),
];

/// Feeds whose items have no dates.
const UNDATED: [&str; 2] = ["japantimes-2017.xml", "heise-rdf090-2018.xml"];

/// The folder of the fixtures; says that the test is skipped where there is none.
fn fixtures() -> Option<PathBuf> {
    #[expect(clippy::disallowed_methods, reason = "tests find the genuine documents by this variable")]
    let folder = std::env::var("HARMATTAN_FIXTURES").ok();
    if folder.is_none() {
        println!("skipped: HARMATTAN_FIXTURES is not set");
    }
    folder.map(PathBuf::from)
}

fn document(path: &Path, url: &str) -> Document {
    Document {
        url: Url::parse(url).unwrap(),
        bytes: fs::read(path).unwrap().into(),
        content_type: None,
        validators: Validators::default(),
        delta: false,
    }
}

fn read(document: &Document, kind: ReadAs<'_>) -> Result<Reading, Unreadable> {
    let name = SourceName::new("fixture").unwrap();
    source::read(document, &Plan { source: &name, kind, lang: None, now: None })
}

#[test]
fn every_item_of_the_genuine_feeds_is_read() {
    let Some(folder) = fixtures() else { return };
    for (file, count, distinct) in FEEDS {
        let document = document(&folder.join("feeds").join(file), "https://feeds.example/rss.xml");
        assert_eq!(source::sniff(&document.bytes, None), Kind::Feed, "{file}");
        let reading = read(&document, ReadAs::Feed).unwrap_or_else(|error| panic!("{file}: {error}"));
        println!("{file}: {:?}", reading.problems);
        assert_eq!(reading.items.len(), count, "{file}");
        assert_eq!(reading.lost, 0, "{file}");
        let mut keys: Vec<_> = reading.items.iter().map(|candidate| candidate.key).collect();
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), distinct, "{file}");
        for candidate in &reading.items {
            let item = &candidate.item;
            assert!(!item.title.is_empty(), "{file}: {item:?}");
            assert!(!item.title.contains(['\n', '\u{fffd}']), "{file}: {}", item.title);
            assert!(item.url.is_some() && candidate.aliases.is_some(), "{file}: {item:?}");
            assert_eq!(
                item.published.or(item.updated).is_some(),
                !UNDATED.contains(&file),
                "{file}: {item:?}"
            );
        }
        assert_eq!(read(&document, ReadAs::Feed).as_ref(), Ok(&reading), "{file} read again");
    }
}

/// Genuine feeds that went through a wrong charset before they were kept: a word of the first titles as published.
const ENCODED_TWICE: [(&str, &str); 9] = [
    ("indianexpress-world-2017.xml", "’"),
    ("japantimes-2017.xml", "’"),
    ("koerant-afrikaans-2016.xml", ""),
    ("lefigaro-culture-2017.xml", "é"),
    ("lemonde-une-2017.xml", "é"),
    ("leparisien-une-2017.xml", "Neige et pluie verglaçante : alerte étendue à 37 départements"),
    ("reuters-world-2017.xml", ""),
    ("theverge-atom-2017.xml", "’"),
    ("yandex-moskva-2017.xml", "Москв"),
];

#[test]
fn titles_encoded_twice_come_out_as_published() {
    let Some(folder) = fixtures() else { return };
    for (file, _, _) in FEEDS {
        let document = document(&folder.join("feeds").join(file), "https://feeds.example/rss.xml");
        let reading = read(&document, ReadAs::Feed).unwrap();
        let twice = reading
            .problems
            .iter()
            .any(|problem| problem.kind == ProblemKind::Repaired && problem.detail.contains("twice"));
        let spoilt = ENCODED_TWICE.iter().find(|(spoilt, _)| *spoilt == file);
        assert_eq!(twice, spoilt.is_some(), "{file}: {:?}", reading.problems);
        for candidate in &reading.items {
            let whole = format!("{} {}", candidate.item.title, candidate.item.text);
            assert!(!["Ã", "Ð", "â€", "Â"].iter().any(|mark| whole.contains(mark)), "{file}: {whole}");
        }
        if let Some((_, word)) = spoilt {
            assert!(reading.items.iter().any(|candidate| candidate.item.title.contains(word)), "{file}");
        }
    }
}

/// The text of a feed as it was published.
fn as_published(file: &str, bytes: &[u8]) -> String {
    let windows_1251 = file.contains("cp1251");
    let text =
        if windows_1251 { encoding_rs::WINDOWS_1251.decode(bytes).0 } else { String::from_utf8_lossy(bytes) };
    if ENCODED_TWICE.iter().all(|(spoilt, _)| *spoilt != file) {
        return text.into_owned();
    }
    let mut published = String::new();
    for piece in text.split_inclusive(|c: char| c.is_ascii()) {
        let (spoilt, rest) = piece.split_at(piece.trim_end_matches(|c: char| c.is_ascii()).len());
        let (bytes, _, unmappable) = encoding_rs::WINDOWS_1252.encode(spoilt);
        let mended = std::str::from_utf8(&bytes).ok().filter(|_| !unmappable);
        published += mended.unwrap_or(spoilt);
        published += rest;
    }
    published
}

/// What stands in the first element of that name, without references to characters that are none of XML's five.
fn element(entry: &str, name: &str) -> String {
    let is_end = |c: char| c == '>' || c.is_whitespace();
    let element = entry.split(&format!("<{name}")).skip(1).find(|after| after.starts_with(is_end));
    let Some((tag, _)) = element.and_then(|after| after.split_once('>')) else { return String::new() };
    let Some((_, after)) = entry.split_once(&format!("<{name}{tag}>")) else { return String::new() };
    let inside = after.split_once(&format!("</{name}>")).map_or("", |(inside, _)| inside);
    let data = inside.trim().strip_prefix("<![CDATA[").and_then(|data| data.strip_suffix("]]>"));
    match data {
        _ if tag.ends_with('/') => String::new(),
        Some(data) => data.to_owned(),
        None => {
            inside.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
        }
    }
}

/// The words of HTML that stand in it as they are read: without those that have a reference in them.
fn plain_words(html: &str) -> Vec<String> {
    let text: String = html.split('<').enumerate().fold(String::new(), |text, (place, piece)| {
        let behind = if place == 0 { piece } else { piece.split_once('>').map_or("", |(_, behind)| behind) };
        text + " " + behind
    });
    let is_letter = |c: char| c.is_alphanumeric() || matches!(c, '&' | '#' | ';');
    let words = text.split(|c: char| !is_letter(c)).map(|word| word.trim_end_matches(';'));
    words.filter(|word| !word.is_empty() && !word.contains(['&', ';', '#'])).map(str::to_owned).collect()
}

#[test]
fn every_word_of_a_genuine_description_is_read() {
    let Some(folder) = fixtures() else { return };
    let mut described = 0;
    for (file, _, _) in FEEDS {
        let document = document(&folder.join("feeds").join(file), "https://feeds.example/rss.xml");
        let reading = read(&document, ReadAs::Feed).unwrap();
        let text = as_published(file, &document.bytes);
        let start = if text.contains("<entry>") { "<entry" } else { "<item" };
        let entries: Vec<&str> = text
            .split(start)
            .skip(1)
            .filter(|entry| entry.starts_with(|c: char| c == '>' || c.is_whitespace()))
            .collect();
        assert_eq!(entries.len(), reading.items.len(), "{file}");
        for (entry, candidate) in entries.into_iter().zip(&reading.items) {
            let read: HashSet<&str> = candidate.item.text.split(|c: char| !c.is_alphanumeric()).collect();
            for name in ["description", "summary"] {
                let words = plain_words(&element(entry, name));
                described += usize::from(!words.is_empty());
                let lost: Vec<_> = words.iter().filter(|word| !read.contains(word.as_str())).collect();
                assert!(lost.is_empty(), "{file}: {lost:?} of {entry}\n{:?}", candidate.item);
            }
        }
    }
    assert_eq!(described, 471);
}

/// The genuine Telegram pages that have messages, with what is expected of them.
fn telegram_pages(folder: &Path) -> Vec<(PathBuf, Value)> {
    let folder = folder.join("telegram");
    let mut pages = Vec::new();
    for part in ["", "messages"] {
        for entry in fs::read_dir(folder.join("expected").join(part)).unwrap() {
            let expected = entry.unwrap().path();
            if expected.extension().is_some_and(|extension| extension == "json") {
                let name = format!("{}.html", expected.file_stem().unwrap().to_string_lossy());
                let value = serde_json::from_str(&fs::read_to_string(&expected).unwrap()).unwrap();
                pages.push((folder.join(part).join(name), value));
            }
        }
    }
    assert_eq!(pages.len(), 35);
    pages
}

#[test]
fn every_genuine_telegram_page_is_read_as_expected() {
    let Some(folder) = fixtures() else { return };
    for (path, expected) in telegram_pages(&folder) {
        let file = path.file_name().unwrap().to_string_lossy().into_owned();
        let document = document(&path, "https://t.me/s/fixture");
        assert_eq!(source::sniff(&document.bytes, None), Kind::Telegram, "{file}");
        let messages = expected["messages"].as_array().unwrap();
        let name = messages.first().and_then(|message| message["post"].as_str()).unwrap_or("fixture/0");
        let channel: ChannelName = name.split('/').next().unwrap().parse().unwrap();
        let reading = read(&document, ReadAs::Telegram { channel: &channel });
        if file.starts_with("contact_") {
            let reason = match file.as_str() {
                "contact_tme_bot_2026-08.html" => Unreadable::NotAChannel("bot".to_owned()),
                "contact_tme_free_2026-08.html" => Unreadable::NotAChannel("unknown name".to_owned()),
                // Asked for in place of their previews, which they offer.
                _ => Unreadable::Withheld(""),
            };
            let withheld = |found: &Unreadable| matches!(found, Unreadable::Withheld(_));
            let found =
                reading.map_err(|found| if withheld(&found) { Unreadable::Withheld("") } else { found });
            assert_eq!(found, Err(reason), "{file}");
            continue;
        }
        let reading = reading.unwrap_or_else(|error| panic!("{file}: {error}"));
        assert_eq!(reading.problems, [], "{file}");
        assert_eq!(reading.items.len(), messages.len(), "{file}");
        assert_eq!(reading.lost, 0, "{file}");
        for (candidate, expected) in reading.items.iter().zip(messages) {
            check_message(&file, &candidate.item, expected);
        }
        let newest = messages.iter().flat_map(|message| {
            let album = message["album_ids"].as_array().unwrap().iter();
            album.chain([&message["id"]]).filter_map(Value::as_u64).collect::<Vec<_>>()
        });
        assert_eq!(reading.hints.telegram_newest, newest.max(), "{file}");
    }
}

fn check_message(file: &str, item: &harmattan::item::Item, expected: &Value) {
    let post = item.telegram.as_ref().unwrap();
    let place = format!("{file}: {}", expected["post"]);
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let list = |value: &Value| -> Vec<String> { value.as_array().unwrap().iter().filter_map(text).collect() };
    assert_eq!(Some(format!("{}/{}", post.channel, post.message)), text(&expected["post"]), "{place}");
    assert_eq!(item.url, text(&expected["url"]), "{place}");
    assert_eq!(item.title, "", "{place}");
    assert_eq!(item.text, text(&expected["text"]).unwrap_or_default(), "{place}");
    let date = expected["datetime"].as_str().map(|date| date.parse().unwrap());
    assert_eq!(item.published, date, "{place}");
    assert_eq!(post.kinds, list(&expected["kinds"]), "{place}");
    let album: Vec<u64> =
        expected["album_ids"].as_array().unwrap().iter().filter_map(Value::as_u64).collect();
    assert_eq!(post.album, album, "{place}");
    assert_eq!(post.views, expected["views"].as_u64(), "{place}");
    assert_eq!(post.edited, expected["edited"].as_bool().unwrap(), "{place}");
    assert_eq!(post.signature, text(&expected["signature"]), "{place}");
    let forward = post.forwarded_from.as_ref();
    assert_eq!(forward.map(|from| from.name.clone()), text(&expected["forwarded_from"]["name"]), "{place}");
    assert_eq!(
        forward.and_then(|from| from.url.clone()),
        text(&expected["forwarded_from"]["href"]),
        "{place}"
    );
    assert_eq!(post.reply_to, text(&expected["reply_to"]["href"]), "{place}");
    // Hashtags are links into the page's own search: no links of ours.
    let links: Vec<String> =
        list(&expected["links"]).into_iter().filter(|link| !link.starts_with('?')).collect();
    assert_eq!(post.links, links, "{place}");
    let preview = post.preview.clone().unwrap_or_default();
    let expected_preview = &expected["link_preview"];
    assert_eq!(post.preview.is_some(), !expected_preview.is_null(), "{place}");
    assert_eq!(preview.url, text(&expected_preview["href"]), "{place}");
    assert_eq!(preview.title, text(&expected_preview["title"]), "{place}");
    assert_eq!(preview.description, text(&expected_preview["description"]), "{place}");
    let poll = post.poll.as_ref();
    assert_eq!(poll.map(|poll| poll.question.clone()), text(&expected["poll"]["question"]), "{place}");
    let options = expected["poll"]["options"].as_array();
    let options = options.map(|all| all.iter().filter_map(|option| text(&option["text"])).collect());
    assert_eq!(poll.map(|poll| poll.options.clone()), options, "{place}");
}

#[test]
fn a_genuine_feed_cut_anywhere_keeps_its_whole_items() {
    let Some(folder) = fixtures() else { return };
    let mut named = 0;
    for file in ["bbc-news-2026.xml", "dw-english-rdf-2026.xml", "theverge-atom-2017.xml"] {
        let mut document = document(&folder.join("feeds").join(file), "https://feeds.example/rss.xml");
        let whole = document.bytes.clone();
        let text = String::from_utf8(whole.to_vec()).unwrap();
        let all = read(&document, ReadAs::Feed).unwrap();
        assert!(!all.truncated, "{file}");
        for length in (0..text.trim_end().len()).step_by(61) {
            document.bytes = whole.slice(..length);
            let Ok(reading) = read(&document, ReadAs::Feed) else { continue };
            let ends = ["</item>", "</entry>"].iter().map(|end| {
                text.as_bytes()[..length].windows(end.len()).filter(|w| *w == end.as_bytes()).count()
            });
            assert_eq!(reading.items.len(), ends.sum::<usize>(), "{file} at {length}");
            assert_eq!(reading.items, all.items[..reading.items.len()], "{file} at {length}");
            let told = reading.problems.iter().any(|problem| problem.kind == ProblemKind::Salvaged);
            assert_eq!((told, reading.truncated), (true, true), "{file} at {length}");
            assert!(reading.lost <= 1, "{file} at {length}");
            let Some(begun) = reading.begun.filter(|begun| begun.named) else { continue };
            let begun = begun.candidate;
            let whole = &all.items[reading.items.len()];
            assert_eq!((begun.key, reading.lost), (whole.key, 0), "{file} at {length}");
            let pieces =
                [&begun.item.title, &begun.item.text].into_iter().zip([&whole.item.title, &whole.item.text]);
            pieces
                .for_each(|(piece, whole)| assert!(piece.is_empty() || piece == whole, "{file} at {length}"));
            named += 1;
        }
    }
    assert!(named > 30, "{named} times the last item had its name before the cut");
}
