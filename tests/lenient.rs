//! What publishers really send, one row each: the inputs measured on bare feed-rs, and the torture classes of
//! polling.md, section 3. None may lose an entry in silence.

use harmattan::fetch::{Document, Validators};
use harmattan::item::{Item, SourceName};
use harmattan::source::{self, Plan, ReadAs, Reading};
use url::Url;

fn reading(feed: &[u8], content_type: Option<&str>, lang: Option<&str>) -> Reading {
    let source = SourceName::new("torture").unwrap();
    let document = Document {
        url: Url::parse("https://source.example/feed").unwrap(),
        bytes: feed.to_vec().into(),
        content_type: content_type.map(str::to_owned),
        validators: Validators::default(),
        delta: false,
    };
    let plan = Plan { source: &source, kind: ReadAs::Feed, lang, now: None };
    let reading = source::read(&document, &plan).unwrap_or_else(|why| panic!("{why}"));
    assert_eq!(source::read(&document, &plan), Ok(reading.clone()), "read again");
    reading
}

fn items(feed: &[u8]) -> Vec<Item> {
    reading(feed, None, None).items.into_iter().map(|candidate| candidate.item).collect()
}

fn titles(feed: &[u8]) -> Vec<String> {
    items(feed).into_iter().map(|item| item.title).collect()
}

fn rss(inside: &str) -> String {
    format!("<rss version='2.0'><channel><title>C</title>{inside}</channel></rss>")
}

fn item(inside: &str) -> String {
    format!("<item>{inside}</item>")
}

fn atom(inside: &str) -> String {
    format!("<feed xmlns='http://www.w3.org/2005/Atom'><title>C</title>{inside}</feed>")
}

const T: &str = "<item><title>T</title></item>";

/// Of every text its bytes, as UTF-16 in that order.
fn wide(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(bytes).collect()
}

/// Whether a feed gives so many items, all of the title `T`.
fn check(rows: impl IntoIterator<Item = (&'static str, String, usize)>) {
    for (name, feed, expected) in rows {
        let reading = reading(feed.as_bytes(), None, None);
        let titles: Vec<_> = reading.items.iter().map(|candidate| candidate.item.title.as_str()).collect();
        assert_eq!(titles, vec!["T"; expected], "{name}: {:?}", reading.problems);
    }
}

/// An entry of Atom.
const ENTRY: &str = "<entry><title>T</title></entry>";

/// A feed whose first of two items has more to it.
fn broken(more: &str) -> String {
    rss(&(item(&format!("<title>T</title>{more}")) + T))
}

#[test]
fn l3_l5_what_is_broken_costs_itself_alone() {
    check([
        ("an address in an author", rss(&item("<title>T</title><author>«a@b.com»</author>")), 1),
        (
            "an address, and a name outside ASCII",
            rss(&item("<title>T</title><author>a@b.com（田中）</author>")),
            1,
        ),
        ("bare ampersand", broken("<description>a & b</description>"), 2),
        ("unclosed br", broken("<description>a<br>b</description>"), 2),
        ("wrong end tag", broken("<description>a</desc>"), 2),
        ("bracket in a link", broken("<link>https://a.example/?a<b</link>"), 2),
        ("truncated", rss(&T.repeat(2)).replace("</channel></rss>", "<item><title>U"), 2),
        (
            "cut inside CDATA",
            rss(T).replace("</channel></rss>", "<item><title>U</title><description><![CDATA[x"),
            1,
        ),
        (
            "unclosed CDATA",
            rss(T).replace("</channel>", "<item><title><![CDATA[T</title></item></channel>"),
            2,
        ),
        (
            "unclosed CDATA before closed ones",
            rss(&[T, "<item><title><![CDATA[T</title></item>", &T.replace('T', "<![CDATA[T]]>").repeat(3)]
                .concat()),
            5,
        ),
        ("unclosed comment", broken("<!-- <description>a</description>"), 2),
        ("cut inside a comment", rss(&T.repeat(2)).replace("</channel></rss>", "<!-- x <i>y</i>"), 2),
        ("CDATA that shows markup", broken("<description><![CDATA[<item>a</item>]]></description>"), 2),
        ("unclosed end tag", rss(&T.repeat(5)).replacen("</item>", "</item\n", 2), 5),
        (
            "an entry of Atom cut inside CDATA",
            atom(ENTRY).replace("</feed>", "<entry><title>U</title><content><![CDATA["),
            1,
        ),
    ]);
}

#[test]
fn l1_l2_l8_odd_roots_and_junk_hide_no_item() {
    check([
        ("no version", rss(T).replace(" version='2.0'", ""), 1),
        ("empty version", rss(T).replace("2.0", ""), 1),
        ("version 2", rss(T).replace("2.0", "2"), 1),
        ("version 2.01", rss(T).replace("2.0", "2.01"), 1),
        ("version 0.93", rss(T).replace("2.0", "0.93"), 1),
        ("version 0.94", rss(T).replace("2.0", "0.94"), 1),
        ("capitals", rss(T).to_uppercase(), 1),
        (
            "warning before the XML",
            format!("<br />\n<b>Warning</b>: x in <b>y.php</b> on line <b>2</b><br />\n{}", rss(T)),
            1,
        ),
        ("9 KB of spaces first", format!("{}<?xml version='1.0'?>{}", " ".repeat(9_000), rss(T)), 1),
        ("blank lines first", format!("\n\n<?xml version='1.0'?>{}", rss(T)), 1),
        ("byte order mark", format!("\u{feff}<?xml version='1.0'?>{}", rss(T)), 1),
        ("junk behind", format!("{}<!-- cached --> junk </html>", rss(T)), 1),
        ("vertical tab and NUL", broken("<description>a\u{b}b\0c</description>"), 2),
        ("a title of unknown type", atom("<entry><title type='application/xhtml+xml'>T</title></entry>"), 1),
        (
            "a content of unknown type",
            atom("<entry><title>T</title><content type='foo'>x</content></entry>"),
            1,
        ),
        ("a content of no type", atom("<entry><title>T</title><content type=''>x</content></entry>"), 1),
        (
            "empty media",
            rss(&(item("<title>T</title><media:description/><media:title></media:title>") + T)),
            2,
        ),
        ("default namespace", rss(T).replace("version='2.0'", "version='2.0' xmlns='http://a.example/x'"), 1),
        ("items beside the channel", format!("<rss version='2.0'><channel/>{T}{T}</rss>"), 2),
        ("items behind the root", format!("<rss version='2.0'><channel/></rss>{T}"), 1),
        ("Atom 0.3", atom(ENTRY).replace("http://www.w3.org/2005/Atom", "http://purl.org/atom/ns#"), 1),
        ("Atom without a namespace", atom(ENTRY).replace(" xmlns='http://www.w3.org/2005/Atom'", ""), 1),
        (
            "RSS 0.90",
            format!(
                "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns='http://my.netscape.com/rdf/simple/0.9/'><channel/>{T}</rdf:RDF>"
            ),
            1,
        ),
        ("an item in Atom", atom(&format!("{ENTRY}<item><title>T</title></item>")), 2),
        ("an entry in RSS", rss(&format!("{T}{ENTRY}")), 2),
        ("nested elements", rss(&(item(&format!("<title>T</title>{}", "<a>".repeat(20_000))) + T)), 2),
    ]);
}

#[test]
fn names_in_another_case_are_read_and_told() {
    let fields = "<title>T</title><link>https://a.example/1</link><guid>7</guid><description>D</description>\
                  <pubDate>Mon, 30 Nov 2026 01:00:00 GMT</pubDate><category>C</category><dc:creator>A</dc:creator>";
    let rss = rss(&item(fields).repeat(2));
    let atom = atom(
        "<entry><title>T</title><id>7</id><link href='https://a.example/1'/><summary>S</summary>\
         <updated>2026-11-30T01:00:00Z</updated><author><name>A</name></author></entry>",
    );
    for (feed, usual, other) in [
        (&rss, "title", "Title"),
        (&rss, "link", "Link"),
        (&rss, "guid", "GUID"),
        (&rss, "description", "Description"),
        (&rss, "pubDate", "PubDate"),
        (&rss, "pubDate", "PUBDATE"),
        (&rss, "category", "Category"),
        (&rss, "dc:creator", "DC:Creator"),
        (&rss, "item", "Item"),
        (&rss, "item", "ITEM"),
        (&rss, "channel", "Channel"),
        (&atom, "entry", "Entry"),
        (&atom, "id", "ID"),
        (&atom, "summary", "Summary"),
        (&atom, "updated", "Updated"),
        (&atom, "name", "Name"),
    ] {
        let odd = feed
            .replace(&format!("<{usual}>"), &format!("<{other}>"))
            .replace(&format!("</{usual}>"), &format!("</{other}>"));
        assert_ne!(odd, *feed, "{other}");
        let [known, found] = [feed, &odd].map(|feed| reading(feed.as_bytes(), None, None));
        assert_eq!(found.items, known.items, "{other}");
        let told = found.problems.iter().any(|problem| problem.detail.contains("in another case"));
        assert!(told && known.problems.is_empty(), "{other}: {:?} {:?}", found.problems, known.problems);
    }
}

#[test]
fn l4_l6_bytes_are_read_in_the_charset_that_they_are_in() {
    let cyrillic = "ЧВК «Вагнер» ушла из Мали";
    let latin = "Opération à Ménaka, été";
    let declared = |charset: &str, title: &str| {
        format!(
            "<?xml version='1.0' encoding='{charset}'?>{}",
            rss(&item(&format!("<title>{title}</title>")))
        )
    };
    let in_1251 = |text: &str| encoding_rs::WINDOWS_1251.encode(text).0.into_owned();
    let in_1252 = |text: &str| encoding_rs::WINDOWS_1252.encode(text).0.into_owned();
    let marked = |text: &str| format!("\u{feff}{text}");
    for (name, bytes, header, expected, told) in [
        (
            "UTF-16BE with a mark, said to be UTF-16",
            wide(&marked(&declared("UTF-16", cyrillic)), u16::to_be_bytes),
            None,
            cyrillic,
            false,
        ),
        (
            "UTF-16LE with a mark",
            wide(&marked(&declared("UTF-16", cyrillic)), u16::to_le_bytes),
            None,
            cyrillic,
            false,
        ),
        ("UTF-16BE without a mark", wide(&declared("UTF-16BE", latin), u16::to_be_bytes), None, latin, false),
        ("UTF-8 said to be UTF-16", declared("UTF-16", cyrillic).into_bytes(), None, cyrillic, true),
        ("cp1251 said to be UTF-8", in_1251(&declared("utf-8", cyrillic)), None, cyrillic, true),
        (
            "cp1251 in the header alone",
            in_1251(&rss(&item(&format!("<title>{cyrillic}</title>")))),
            Some("text/xml; charset=windows-1251"),
            cyrillic,
            false,
        ),
        (
            "cp1251 declared behind 9 KB of spaces",
            [vec![b' '; 9_000], in_1251(&declared("windows-1251", cyrillic))].concat(),
            None,
            cyrillic,
            false,
        ),
        (
            "Latin-1 that nobody declares",
            in_1252(&rss(&item(&format!("<title>{latin}</title>")))),
            None,
            latin,
            true,
        ),
        ("UTF-8 labelled ISO-8859-1", declared("ISO-8859-1", latin).into_bytes(), None, latin, true),
        (
            "UTF-8 labelled ISO-8859-1 in the header",
            declared("utf-8", latin).into_bytes(),
            Some("application/rss+xml; charset=ISO-8859-1"),
            latin,
            true,
        ),
        ("an unknown charset", declared("x-unknown", latin).into_bytes(), None, latin, false),
        ("UTF-7 stays as it is", declared("utf-7", "Mali +AOk-").into_bytes(), None, "Mali +AOk-", false),
    ] {
        let reading = reading(&bytes, header, Some(if expected == cyrillic { "ru" } else { "fr" }));
        let titles: Vec<_> = reading.items.iter().map(|candidate| candidate.item.title.as_str()).collect();
        assert_eq!(titles, [expected], "{name}: {:?}", reading.problems);
        let charset = reading.problems.iter().any(|problem| problem.detail.starts_with("charset"));
        assert_eq!(charset, told, "{name}: {:?}", reading.problems);
    }
}

#[test]
fn l6_utf8_that_is_cut_inside_a_character_stays_utf8_under_any_label() {
    let feed = rss(&item("<title>هجوم على قافلة في مالي</title>").repeat(2));
    let feed = format!("<?xml version='1.0' encoding='windows-1256'?>{feed}");
    let cut = feed.rfind('ي').unwrap() + 1;
    let [whole, cut] = [feed.len(), cut].map(|end| reading(&feed.as_bytes()[..end], None, Some("ar")));
    assert_eq!(cut.items, whole.items[..1]);
    assert_eq!(
        cut.problems[0].detail,
        "charset: said to be windows-1256, is UTF-8 but for 1 of its characters"
    );
}

#[test]
fn l7_references_are_read_and_never_expanded() {
    for (title, expected) in [
        ("&nbsp;&eacute;t&eacute;&hellip;", "été…"),
        ("A &amp;amp; B", "A & B"),
        ("A &unknown; B", "A &unknown; B"),
        ("&#8217;&#x2019;&#146;", "’’’"),
        ("AT&T", "AT&T"),
    ] {
        assert_eq!(titles(rss(&item(&format!("<title>{title}</title>"))).as_bytes()), [expected], "{title}");
    }
    let dtd = "<!DOCTYPE rss [<!ENTITY b 'bomb'><!ENTITY x SYSTEM 'file:///etc/passwd'>]>";
    let feed = format!("{dtd}{}", rss(&item("<title>&b; &x;</title>")));
    assert_eq!(titles(feed.as_bytes()), ["&b; &x;"]);
}

#[test]
fn l9_ids_are_the_same_in_every_reading_and_links_are_absolute() {
    let feed = rss(&[
        item("<title>No guid, no link</title>"),
        item("<title>A link</title><link>/1</link>"),
        item("<title>A guid</title><guid isPermaLink='false'>7</guid>"),
        item("<title>Atom's link</title><atom:link xmlns:atom='http://www.w3.org/2005/Atom' href='/2'/>"),
    ]
    .concat());
    let read = items(feed.as_bytes());
    let links: Vec<_> = read.iter().map(|item| item.url.as_deref()).collect();
    let expected = [None, Some("https://source.example/1"), None, Some("https://source.example/2")];
    assert_eq!(links, expected);
    let again = items(feed.replace("<title>C</title>", "<title>Other channel</title>").as_bytes());
    assert!(read.iter().zip(&again).all(|(one, other)| one.id == other.id));
    let rdf = "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns='http://purl.org/rss/1.0/'>\
               <item rdf:about='https://a.example/9'><title>T</title></item></rdf:RDF>";
    assert_eq!(items(rdf.as_bytes())[0].guid.as_deref(), Some("https://a.example/9"));
}

#[test]
fn l10_dates_are_read_in_all_forms_and_in_the_language_of_the_feed() {
    let dated = |lang: &str, name: &str, date: &str| {
        let lang = if lang.is_empty() { String::new() } else { format!("<language>{lang}</language>") };
        let xmlns = "xmlns:dcterms='http://purl.org/dc/terms/' xmlns:dc='http://purl.org/dc/elements/1.1/'";
        let entry = item(&format!("<title>T</title><{name}>{date}</{name}>"));
        format!("<rss version='2.0' {xmlns}><channel>{lang}{entry}</channel></rss>")
    };
    let june = "2025-06-10T04:00:00Z";
    for (lang, name, date, expected) in [
        ("", "pubDate", "Tue, 10 Jun 2025 04:00:00", june),
        ("", "pubDate", "2025-06-10 04:00:00", june),
        ("", "pubDate", "Tue, 10 Jun 2025 06:00:00 CEST", june),
        ("", "pubDate", "Tue, 10 Jun 2025 15:00:00 AEDT", june),
        ("", "pubDate", "Tue, 10 Jun 2025 06:00:00 GMT+0200", june),
        ("", "pubDate", "06/10/2025 04:00:00 AM", ""),
        ("en-US", "pubDate", "06/10/2025 04:00:00 AM", june),
        ("", "pubDate", "June 10, 2025 4:00 AM", june),
        ("", "pubDate", "Tue Jun 10 04:00:00 2025", june),
        ("", "pubDate", "Tuesday, 10-Jun-25 04:00:00 GMT", june),
        ("", "pubDate", "1749528000", june),
        ("", "pubDate", "1749528000000", june),
        ("", "pubDate", "20250610T040000Z", june),
        ("fr", "pubDate", "10/06/2025 04:00", june),
        ("", "pubDate", "10/06/2025", ""),
        ("fr-FR", "pubDate", "mar., 10 juin 2025 06:00:00 +0200", june),
        ("ru", "pubDate", "Вт, 10 июня 2025 07:00:00 +0300", june),
        ("ar", "pubDate", "الثلاثاء، 10 حزيران 2025 04:00", june),
        ("ar-DZ", "pubDate", "10 جوان 2025 04:00", june),
        ("it", "pubDate", "mar, 10 giu 2025 06:00:00 +0200", june),
        ("", "dcterms:issued", "2025-06-10T04:00:00Z", june),
        ("", "dc:date", "2025-06-10T06:00:00+02:00", june),
        ("", "pubDate", "yesterday", ""),
    ] {
        let reading = reading(dated(lang, name, date).as_bytes(), None, None);
        let published = reading.items[0].item.published.map(|at| at.to_string()).unwrap_or_default();
        assert_eq!(published, expected, "{date} {lang}");
        let told = reading.problems.iter().any(|problem| problem.detail.contains("unknown form of date"));
        assert_eq!(told, expected.is_empty(), "{date}: {:?}", reading.problems);
    }
    // What stands for no date, also in forms that feed-rs reads.
    for date in ["Thu, 01 Jan 1970 00:00:00 GMT", "0001-01-01T00:00:00Z", "Wed, 30 Nov -0001 00:00:00 +0000"]
    {
        let reading = reading(dated("", "pubDate", date).as_bytes(), None, None);
        assert_eq!(reading.items[0].item.published, None, "{date}");
        assert!(reading.problems.iter().any(|problem| problem.detail.contains(date)), "{reading:?}");
        let both =
            format!("<title>T</title><pubDate>{date}</pubDate><dc:date>2025-06-10T04:00:00Z</dc:date>");
        let published = items(rss(&item(&both)).as_bytes())[0].published;
        assert_eq!(published.map(|at| at.to_string()).as_deref(), Some(june), "{date}");
    }
    let modified = &items(dated("", "dcterms:modified", "2025-06-10T04:00:00Z").as_bytes())[0];
    assert_eq!(modified.updated.map(|at| at.to_string()).as_deref(), Some(june));
    // The source's language counts where the feed states none, and a second date where the first is none.
    let strokes = reading(dated("", "pubDate", "10/06/2025").as_bytes(), None, Some("fr"));
    assert_eq!(
        strokes.items[0].item.published.map(|at| at.to_string()).as_deref(),
        Some("2025-06-10T00:00:00Z")
    );
    for (first, second) in [("yesterday", june), (june, "yesterday")] {
        let both = format!("<title>T</title><pubDate>{first}</pubDate><dc:date>{second}</dc:date>");
        let published = items(rss(&item(&both)).as_bytes())[0].published;
        assert_eq!(published.map(|at| at.to_string()).as_deref(), Some(june), "{first}, {second}");
    }
}

#[test]
fn l11_json_feeds_with_oddities_are_read() {
    for (feed, expected) in [
        (
            "\u{feff}{\"version\":\"https://jsonfeed.org/version/1.1\",\"items\":[{\"id\":1,\"title\":\"T\"}]}",
            vec!["1"],
        ),
        ("{\"items\":[{\"id\":\"a\",\"title\":\"T\"},{\"id\":2.5,\"title\":\"T\"}]}", vec!["a", "2.5"]),
        ("{\"items\":[{\"id\":\"a\",\"title\":\"T\",},{\"id\":\"b\",\"title\":\"T\"},]}", vec!["a", "b"]),
        ("{\"items\":[{\"id\":\"a\",\"title\":\"T\"},{\"id\":\"b\",\"title", vec!["a"]),
        ("{\"version\":\"https://jsonfeed.org/version/1\",\"title\":\"no items\"}", vec![]),
        ("{\"version\":\"https://jsonfeed.org/version/1\",\"items\":null}", vec![]),
    ] {
        let guids: Vec<String> = items(feed.as_bytes()).into_iter().filter_map(|item| item.guid).collect();
        assert_eq!(guids, expected, "{feed}");
    }
    let feed = r#"{"items":[{"title":"T","url":"/1","date_published":"2025-06-10T04:00:00Z","content_html":"<p>x</p>"}]}"#;
    let item = &items(feed.as_bytes())[0];
    assert_eq!((item.url.as_deref(), item.text.as_str()), (Some("https://source.example/1"), "x"));
    assert!(item.published.is_some());
}

/// A channel of CDF.
fn cdf(inside: &str) -> String {
    format!("<?XML VERSION=\"1.0\"?>\n<CHANNEL HREF='https://a.example/'><TITLE>C</TITLE>{inside}</CHANNEL>")
}

#[test]
fn cdf_items_say_title_link_date_and_text() {
    for (name, feed, title, link, updated, text) in [
        (
            "in attributes and elements",
            cdf("<LOGO HREF='l.gif' STYLE='ICON'/><ITEM HREF='https://a.example/1' LASTMOD='2026-03-02T10:15' LEVEL='1'>\
                 <TITLE>Well dug at Tessit</TITLE><ABSTRACT>Clean water &amp; shade</ABSTRACT><USAGE VALUE='Channel'/></ITEM>"),
            "Well dug at Tessit",
            Some("https://a.example/1"),
            Some("2026-03-02T10:15:00Z"),
            "Clean water & shade",
        ),
        (
            "in small letters, with a zone",
            "<channel href='/'><item href='/2' lastmod='2026-03-02T10:15:30+01:00'><title>T</title></item></channel>"
                .to_owned(),
            "T",
            Some("https://source.example/2"),
            Some("2026-03-02T09:15:30Z"),
            "",
        ),
        (
            "in mixed letters",
            "<Channel><Item HRef='/3'><Title>T</Title><Abstract>x<Br/>y</Abstract></Item></Channel>".to_owned(),
            "T",
            Some("https://source.example/3"),
            None,
            "x\ny",
        ),
        (
            "an anchor for the address, values for texts",
            cdf("<ITEM><A HREF='/4'>read on</A><TITLE VALUE='A &lt; B'/><ABSTRACT VALUE='x'/></ITEM>"),
            "A < B",
            Some("https://source.example/4"),
            None,
            "x",
        ),
        ("nothing but an address", cdf("<ITEM HREF='/5'/>"), "", Some("https://source.example/5"), None, ""),
        (
            "a base of its channel",
            cdf("<ITEM HREF='/6'/>").replacen("<CHANNEL", "<CHANNEL BASE='https://b.example/x/'", 1),
            "",
            Some("https://b.example/6"),
            None,
            "",
        ),
        (
            "RSS without its root",
            "<channel><item><title>T</title><link>/7</link><description>x</description></item></channel>".to_owned(),
            "T",
            Some("https://source.example/7"),
            None,
            "x",
        ),
    ] {
        let reading = reading(feed.as_bytes(), None, None);
        assert!(reading.problems.is_empty(), "{name}: {:?}", reading.problems);
        let [candidate] = &reading.items[..] else { panic!("{name}: {}", reading.items.len()) };
        let item = &candidate.item;
        assert_eq!((item.title.as_str(), item.text.as_str()), (title, text), "{name}");
        assert_eq!((item.url.as_deref(), item.guid.as_deref()), (link, None), "{name}");
        assert_eq!(item.updated.map(|at| at.to_string()).as_deref(), updated, "{name}");
    }
}

#[test]
fn cdf_channels_nest_and_damage_costs_itself_alone() {
    let item = |n: u32| format!("<ITEM HREF='{n}'><TITLE>T</TITLE></ITEM>");
    let inner = |more: &str, items: &str| {
        format!("<CHANNEL {more}><TITLE>I</TITLE><ABSTRACT>i</ABSTRACT>{items}</CHANNEL>")
    };
    let deep = format!("{}{}{}", "<CHANNEL>".repeat(20_000), item(1), "</CHANNEL>".repeat(20_000));
    check([
        ("items of inner channels", cdf(&(item(1) + &inner("", &item(2)) + &item(3))), 3),
        ("channels in channels in channels", cdf(&inner("", &inner("", &item(1)))), 1),
        ("thousands of channels", deep, 1),
        ("an item in an item", cdf(&format!("<ITEM HREF='1'><TITLE>T</TITLE>{}</ITEM>", item(2))), 2),
        (
            "a channel in an item",
            cdf(&format!("<ITEM HREF='1'><TITLE>T</TITLE>{}</ITEM>", inner("", &item(2)))),
            2,
        ),
        ("items that do not end", cdf("<ITEM HREF='1'><TITLE>T</TITLE><ITEM HREF='2'><TITLE>T</TITLE>"), 2),
        (
            "ends of nothing",
            cdf(&format!("</ITEM></CHANNEL></A>{}</TITLE></CHANNEL>{}", item(1), item(2))),
            2,
        ),
        ("cut", cdf(&item(1).repeat(2)).replace("</CHANNEL>", "<ITEM HREF='3'><TITLE>T"), 2),
        ("a tag in an address", cdf("<ITEM HREF='a<ITEM>b'><TITLE>T</TITLE></ITEM>"), 1),
        ("behind a warning", format!("<br/><b>Warning</b>: x\n{}", cdf(&item(1))), 1),
    ]);
    let bases = cdf(&(item(1) + &inner("BASE='https://i.example/y/'", &item(2)) + &item(3)));
    let links: Vec<_> = items(bases.as_bytes()).into_iter().filter_map(|item| item.url).collect();
    assert_eq!(links, ["https://source.example/1", "https://i.example/y/2", "https://source.example/3"]);
}

#[test]
fn markup_that_is_shown_is_not_taken_for_markup() {
    let xhtml = |kind: &str, inside: &str| {
        let div = format!("<div xmlns='http://www.w3.org/1999/xhtml'>{inside}</div>");
        atom(&format!(
            "<entry><title type='{kind}'>{div}</title><content type='{kind}'>{div}</content></entry>"
        ))
    };
    for kind in ["xhtml", "application/xhtml+xml"] {
        for (inside, expected) in [
            ("The &lt;blink&gt; tag <i>lives</i>", "The <blink> tag lives"),
            ("<b>1 &lt; 2</b> &amp; so on", "1 < 2 & so on"),
        ] {
            let item = &items(xhtml(kind, inside).as_bytes())[0];
            assert_eq!((item.title.as_str(), item.text.as_str()), (expected, expected), "{kind}: {inside}");
        }
    }
}

#[test]
fn words_in_angle_brackets_are_text_in_every_format() {
    for (said, expected) in [
        ("<<Wagner>> au Mali <Gao>", "<<Wagner>> au Mali <Gao>"),
        ("L'<<Africa Corps>> dit", "L'<<Africa Corps>> dit"),
        ("<Africa Corps> x", "<Africa Corps> x"),
        (
            "Less <five hundred. Wagner convoy attacked. And more <b>x</b> tail",
            "Less <five hundred. Wagner convoy attacked. And more x tail",
        ),
        ("<i>Un</i> <noindex>convoi</noindex>", "Un convoi"),
    ] {
        let text = said.replace('<', "&lt;").replace('>', "&gt;");
        let entry = |kind: &str| {
            atom(&format!("<entry><title{kind}>{text}</title><summary{kind}>{text}</summary></entry>"))
        };
        let fields = |text: &str| item(&format!("<title>{text}</title><description>{text}</description>"));
        for feed in [
            entry(" type='text'"),
            entry(" type='html'"),
            entry(""),
            rss(&fields(&text)),
            rss(&fields(&format!("<![CDATA[{said}]]>"))),
            serde_json::json!({ "items": [{ "title": said, "content_text": said }] }).to_string(),
        ] {
            let item = &items(feed.as_bytes())[0];
            assert_eq!((item.title.as_str(), item.text.as_str()), (expected, expected), "{feed}");
        }
    }
    // Elements of a feed inside a text are markup, whatever they are called.
    let foreign = rss(&item("<title>Gao <x>is</x><y/> held</title>"));
    assert_eq!(titles(foreign.as_bytes()), ["Gao is held"]);
}

#[test]
fn cdata_that_is_written_as_text_is_read() {
    let escaped = |text: &str| format!("&lt;![CDATA[{text}]]&gt;");
    let nested = |text: &str| format!("<![CDATA[ <![CDATA[{text}]]> ]]>");
    let plain = |text: &str| format!("<![CDATA[{text}]]>");
    let expected = items(rss(&item(&fields(&plain))).as_bytes());
    for wrap in [&escaped as &dyn Fn(&str) -> String, &nested] {
        let reading = reading(rss(&(item(&fields(wrap)) + T)).as_bytes(), None, None);
        let found = &reading.items[0].item;
        assert_eq!(found, &expected[0]);
        assert_eq!(
            (found.title.as_str(), found.text.as_str()),
            ("Wagner au Mali", "Convoi à Gao\nDix morts")
        );
        assert_eq!(found.url.as_deref(), Some("https://paper.example/1"));
        let told = "entries with CDATA that is written as text: 1";
        assert!(reading.problems.iter().any(|problem| problem.detail == told), "{:?}", reading.problems);
    }
    // What shows the marks is not changed.
    let shown = item("<title>&amp;lt;![CDATA[ in XML</title>");
    assert_eq!(titles(rss(&shown).as_bytes()), ["<![CDATA[ in XML"]);
}

/// Fields of an entry, written in a way.
fn fields(wrap: &dyn Fn(&str) -> String) -> String {
    let fields = [
        ("title", "Wagner au Mali"),
        ("link", "https://paper.example/1"),
        ("guid", "https://paper.example/?p=1"),
        ("description", "<p>Convoi à Gao</p><p>Dix morts</p>"),
        ("author", "A. Sow"),
        ("category", "Mali"),
        ("pubDate", "Mon, 23 Nov 2026 10:00:00 GMT"),
    ];
    fields.map(|(name, value)| format!("<{name}>{}</{name}>", wrap(value))).concat()
}

#[test]
fn the_whole_text_is_read_under_the_names_that_exports_to_russian_portals_give_it() {
    for name in ["yandex:full-text", "rambler:fulltext", "mailru:full-text", "fulltext", "FullText"] {
        let entry =
            item(&format!("<title>Info</title><description>Short</description><{name}>A convoy</{name}>"));
        let text = items(rss(&entry).as_bytes()).into_iter().map(|item| item.text).collect::<String>();
        assert!(text.contains("A convoy"), "{name}: {text}");
    }
}
