//! OPML: the lists of feeds that readers exchange.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use url::Url;

use super::{charset, html};
use crate::text::reference;

/// Most feeds read from one list.
const FEEDS_MAX: usize = 10_000;

/// Deepest nesting of folders.
const DEPTH_MAX: usize = 32;

const OPML: &str = "opml";
const OUTLINE: &str = "outline";

/// Types of outlines that are no folders.
const LEAVES: [&str; 4] = ["rss", "atom", "link", "include"];

/// One feed of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outline {
    /// What it is called.
    pub title: String,
    /// Its address.
    pub url: Url,
    /// The folders that it lies in, from the outermost, and its categories.
    pub tags: Vec<String>,
    /// Its language, where stated.
    pub lang: Option<String>,
    /// Whether it is commented out (`isComment`), alone or with a folder around it: kept, and not read.
    pub is_off: bool,
}

/// What is read of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct List {
    /// The feeds, in order.
    pub outlines: Vec<Outline>,
    /// Outlines that are no folders and have no address, or one that no source can have, in words.
    pub refused: Vec<String>,
}

/// Why a list cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotOpml {
    /// Broken XML.
    #[error("in line {line}: {message}")]
    Broken {
        /// Where, from one.
        line: usize,
        /// What is wrong.
        message: String,
    },
    /// XML without an `opml` in it.
    #[error("it is no OPML")]
    Other,
    /// It ends before its end.
    #[error("it ends before its end")]
    Cut,
    /// More than is read.
    #[error("it has more than {FEEDS_MAX} feeds or folders in more than {DEPTH_MAX} levels")]
    TooMuch,
}

/// Reads a list.
///
/// # Errors
///
/// When its form cannot be read, or when it ends too early: half a list would be taken for the whole. A bare `&` and an
/// end that is missing or too many cost nothing; a single address that is absent, or that no source can have, is left
/// out and told.
pub fn read(bytes: &[u8]) -> Result<List, NotOpml> {
    let text = charset::decode(bytes, None, None).text;
    let mut reader = Reader::from_str(&text);
    let leniency = reader.config_mut();
    (leniency.check_end_names, leniency.allow_unmatched_ends, leniency.allow_dangling_amp) =
        (false, true, true);
    let mut found = List::default();
    let mut around: Vec<Around> = Vec::new();
    let (mut is_opml, mut has_ended) = (false, false);
    loop {
        let event = reader.read_event().map_err(|error| {
            let line = line_of(&text, reader.error_position());
            NotOpml::Broken { line, message: error.to_string() }
        })?;
        match event {
            Event::Start(tag) if tag.name().as_ref().eq_ignore_ascii_case(OPML) => is_opml = true,
            Event::Start(tag) if tag.name().as_ref().eq_ignore_ascii_case(OUTLINE) => {
                if around.len() == DEPTH_MAX {
                    return Err(NotOpml::TooMuch);
                }
                let folder = outline(&tag, &mut around, &mut found);
                around.push(folder);
            }
            Event::Empty(tag) if tag.name().as_ref().eq_ignore_ascii_case(OUTLINE) => {
                let alone = outline(&tag, &mut around, &mut found);
                found.refused.extend(alone.missing);
            }
            Event::End(tag) if tag.name().as_ref().eq_ignore_ascii_case(OUTLINE) => {
                found.refused.extend(around.pop().and_then(|around| around.missing));
            }
            Event::End(tag) => has_ended |= tag.name().as_ref().eq_ignore_ascii_case(OPML),
            Event::Eof if !is_opml => return Err(NotOpml::Other),
            Event::Eof if !around.is_empty() && !has_ended => return Err(NotOpml::Cut),
            Event::Eof => return Ok(found),
            Event::Start(_)
            | Event::Empty(_)
            | Event::Text(_)
            | Event::CData(_)
            | Event::Comment(_)
            | Event::Decl(_)
            | Event::PI(_)
            | Event::DocType(_)
            | Event::GeneralRef(_) => {}
        }
        if found.outlines.len() + found.refused.len() > FEEDS_MAX {
            return Err(NotOpml::TooMuch);
        }
    }
}

/// The line of a byte, from one.
fn line_of(text: &str, byte: u64) -> usize {
    let before = usize::try_from(byte).unwrap_or(usize::MAX);
    1 + text.bytes().take(before).filter(|byte| *byte == b'\n').count()
}

/// An outline around others.
struct Around {
    /// The name of a folder; `None` for a feed.
    folder: Option<String>,
    /// Whether it is commented out, and all in it.
    is_off: bool,
    /// What it lacks, in words, if it is no folder: if nothing stands in it.
    missing: Option<String>,
}

/// Takes one outline: a feed is added or refused.
fn outline(tag: &BytesStart<'_>, around: &mut [Around], found: &mut List) -> Around {
    let (mut title, mut text, mut address, mut category, mut lang) = (None, None, None, None, None);
    let (mut is_meant, mut is_flawed) = (false, false);
    let mut is_off = around.last().is_some_and(|around| around.is_off);
    if let Some(folder) = around.last_mut() {
        folder.missing = None;
    }
    for attribute in tag.html_attributes().with_checks(false) {
        let Ok(attribute) = attribute else {
            is_flawed = true;
            continue;
        };
        let value = html::one_line(&reference::decode(&attribute.value));
        let name = attribute.key.as_ref().to_ascii_lowercase();
        match name.as_str() {
            "title" => title = Some(value),
            "text" => text = Some(value),
            "xmlurl" => address = Some(value),
            "category" => category = Some(value),
            "language" => lang = Some(charset::primary(&value)).filter(|lang| matches!(lang.len(), 2 | 3)),
            "iscomment" => is_off |= value.eq_ignore_ascii_case("true"),
            "htmlurl" | "url" => is_meant |= !value.is_empty(),
            "type" => is_meant |= LEAVES.iter().any(|leaf| value.eq_ignore_ascii_case(leaf)),
            _ => {}
        }
    }
    let title = text.or(title).unwrap_or_default();
    let Some(address) = address.filter(|address| !address.is_empty()) else {
        let why = if is_flawed { "its attributes cannot be read" } else { "it has no `xmlUrl`" };
        let missing = (is_meant || is_flawed).then(|| format!("`{title}`: {why}"));
        return Around { folder: Some(title), is_off, missing };
    };
    let feed = Around { folder: None, is_off, missing: None };
    let Some(url) = web_address(&address) else {
        found.refused.push(format!("`{title}`: `{address}` is no http or https address"));
        return feed;
    };
    if !url.username().is_empty() || url.password().is_some() {
        // What it holds is not shown.
        let host = url.host_str().unwrap_or_default();
        found.refused.push(format!("`{title}`: its address at `{host}` holds a user or a password"));
        return feed;
    }
    let categories = category.as_deref().unwrap_or_default().split([',', '/']);
    let mut tags: Vec<String> = Vec::new();
    for name in around.iter().filter_map(|around| around.folder.as_deref()).chain(categories) {
        let tag = tag_of(name);
        if !tag.is_empty() && !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    found.outlines.push(Outline { title, url, tags, lang, is_off });
    feed
}

/// A name as a tag. Commas and slashes part the categories of a list, so no tag has any.
pub fn tag_of(name: &str) -> String {
    let words = name.split(|c: char| c.is_whitespace() || matches!(c, ',' | '/' | '-'));
    words.filter(|word| !word.is_empty()).map(str::to_lowercase).collect::<Vec<_>>().join("-")
}

/// An address of the web; `feed://a.example` and `feed:https://a.example` are what readers of old registered for.
pub fn web_address(text: &str) -> Option<Url> {
    let text = match text.split_once(':') {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("feed") => match rest.strip_prefix("//") {
            Some(rest) => format!("https://{rest}"),
            None => rest.to_owned(),
        },
        Some(_) | None => text.to_owned(),
    };
    Url::parse(&text).ok().filter(|url| matches!(url.scheme(), "http" | "https"))
}

/// A list of `feeds` as OPML 2.0, their tags as [`read`] makes them; `others` are named in comments.
pub fn write(feeds: &[Outline], others: &[String]) -> String {
    let mut out = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<opml version=\"2.0\">\n  <head>\n    <title>Harmattan sources</title>\n  </head>\n  <body>\n",
    );
    for feed in feeds {
        out.push_str("    <outline type=\"rss\"");
        let lang = feed.lang.clone().unwrap_or_default();
        let tags: Vec<String> = feed.tags.iter().map(|tag| tag_of(tag)).collect();
        let (tags, url) = (tags.join(","), feed.url.to_string());
        let off = if feed.is_off { "true" } else { "" }.to_owned();
        for (name, value) in [
            ("text", &feed.title),
            ("xmlUrl", &url),
            ("category", &tags),
            ("language", &lang),
            ("isComment", &off),
        ] {
            if !value.is_empty() {
                out.extend([" ", name, "=\"", &escaped(value), "\""]);
            }
        }
        out.push_str("/>\n");
    }
    for other in others {
        // Two hyphens would end a comment.
        out.extend(["    <!-- ", &other.replace("--", "- -"), " -->\n"]);
    }
    out.push_str("  </body>\n</opml>\n");
    out
}

fn escaped(text: &str) -> String {
    quick_xml::escape::escape(text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_become_tags_and_what_is_written_is_read_again() {
        let list = br#"<?xml version="1.0"?><opml version="1.1"><head><title>x</title></head><body>
            <outline text="West Africa"><outline text="Press &amp; wires">
              <outline text="RFI" title="no" type="rss" xmlUrl="https://rfi.example/rss?a=1&amp;b=2" category="/fr"/>
            </outline></outline>
            <outline title="Gao" XMLURL="http://gao.example/feed" language="fr-FR"></outline>
            <outline text="empty"/></body></opml>"#;
        let read_once = read(list).unwrap();
        let url = |text: &str| Url::parse(text).unwrap();
        let tags = ["west-africa", "press-&-wires", "fr"].map(str::to_owned).to_vec();
        let expected = vec![
            Outline {
                title: "RFI".into(),
                url: url("https://rfi.example/rss?a=1&b=2"),
                tags,
                lang: None,
                is_off: false,
            },
            Outline {
                title: "Gao".into(),
                url: url("http://gao.example/feed"),
                tags: Vec::new(),
                lang: Some("fr".into()),
                is_off: false,
            },
        ];
        assert_eq!(read_once, List { outlines: expected.clone(), refused: Vec::new() });
        let others = ["telegram a: https://t.me/a--b".to_owned()];
        assert_eq!(read(write(&expected, &others).as_bytes()), Ok(read_once));
    }

    #[test]
    fn a_tag_is_read_as_it_was_written() {
        let list = "<opml><outline text='Afrique/Ouest'><outline text='Мали,  новости - А'>
            <outline text='a' xmlUrl='https://a.example/' category='/Press/Wires,Gao'/></outline></outline></opml>";
        let found = read(list.as_bytes()).unwrap();
        assert_eq!(found.outlines[0].tags, ["afrique-ouest", "мали-новости-а", "press", "wires", "gao"]);
        assert_eq!(read(write(&found.outlines, &[]).as_bytes()).unwrap(), found);
        let by_hand =
            Outline { tags: vec!["West Africa".into(), "a/b, c".into()], ..found.outlines[0].clone() };
        let found = read(write(&[by_hand], &[]).as_bytes()).unwrap();
        assert_eq!(found.outlines[0].tags, ["west-africa", "a-b-c"]);
    }

    #[test]
    fn what_is_commented_out_is_kept_as_that() {
        let list = "<opml><outline text='a' xmlUrl='https://a.example/' isComment='true'/>
            <outline text='old' isComment='TRUE'><outline text='b' xmlUrl='https://b.example/' isComment='false'/></outline>
            <outline text='c' xmlUrl='https://c.example/' isComment='false'/><outline text='d' xmlUrl='https://d.example/'/></opml>";
        let found = read(list.as_bytes()).unwrap();
        let off: Vec<bool> = found.outlines.iter().map(|outline| outline.is_off).collect();
        assert_eq!(off, [true, true, false, false]);
        let written = write(&found.outlines, &[]);
        assert_eq!((read(written.as_bytes()), written.matches("isComment").count()), (Ok(found), 2));
    }

    #[test]
    fn an_address_of_the_web_is_taken_and_another_one_told() {
        for (address, expected) in [
            ("https://a.example/rss", Some("https://a.example/rss")),
            ("feed://a.example/rss", Some("https://a.example/rss")),
            ("Feed:http://a.example/rss", Some("http://a.example/rss")),
            ("ftp://a.example", None),
            ("file:///tmp/rss", None),
            ("feed:", None),
            ("nonsense", None),
        ] {
            let list = format!(
                "<opml><outline text='a' xmlUrl='{address}'/><outline text='b' xmlUrl='https://b.example/'/></opml>"
            );
            let found = read(list.as_bytes()).unwrap();
            let urls: Vec<&str> = found.outlines.iter().map(|outline| outline.url.as_str()).collect();
            let all: Vec<&str> = expected.into_iter().chain(["https://b.example/"]).collect();
            assert_eq!(urls, all, "{address}");
            let told = format!("`a`: `{address}` is no http or https address");
            assert_eq!(found.refused, Vec::from_iter(expected.is_none().then_some(told)));
        }
    }

    #[test]
    fn an_outline_without_an_address_is_told_unless_it_is_a_folder() {
        for (outline, expected) in [
            ("<outline text='a' htmlUrl='https://a.example/'/>", Some("`a`: it has no `xmlUrl`")),
            ("<outline text='a' type='RSS' xmlUrl=''/>", Some("`a`: it has no `xmlUrl`")),
            (
                "<outline text='a' type='include' url='https://a.example/more.opml'></outline>",
                Some("`a`: it has no `xmlUrl`"),
            ),
            ("<outline text='a' xmlUrl=/>", Some("`a`: its attributes cannot be read")),
            ("<outline text='a' xmlUrl='https://a.example/' type=rss/>", None),
            ("<outline text='a'/>", None),
            ("<outline text='a' htmlUrl='https://a.example/'><outline text='c'/></outline>", None),
        ] {
            let list = format!("<opml>{outline}<outline text='b' xmlUrl='https://b.example/'/></opml>");
            let found = read(list.as_bytes()).unwrap();
            assert_eq!(found.refused, Vec::from_iter(expected.map(str::to_owned)), "{outline}");
            assert_eq!(found.outlines.last().map(|last| last.title.as_str()), Some("b"), "{outline}");
        }
        let unquoted = read(b"<opml><outline text=a xmlUrl=https://a.example/rss type=rss/></opml>").unwrap();
        assert_eq!(unquoted.outlines[0].url.as_str(), "https://a.example/rss");
    }

    #[test]
    fn what_is_no_whole_list_is_refused() {
        let deep = "<outline text='a'>".repeat(100);
        for (list, expected) in [
            ("<html></html>", "it is no OPML"),
            ("", "it is no OPML"),
            ("<opml><body><outline text='a'>", "it ends before its end"),
            (&format!("<opml>{deep}"), "it has more than 10000 feeds or folders in more than 32 levels"),
        ] {
            assert_eq!(
                read(list.as_bytes()).map_err(|error| error.to_string()),
                Err(expected.to_owned()),
                "{list}"
            );
        }
        let broken = read(b"<opml>\n<body>\n<outline text='a' xmlUrl='https://a.example/'").unwrap_err();
        assert!(broken.to_string().starts_with("in line 3: "), "{broken}");
    }

    #[test]
    fn small_flaws_cost_nothing() {
        let feeds = |found: List| -> Vec<(String, String)> {
            let feeds = found.outlines.into_iter();
            feeds.map(|feed| (feed.url.to_string(), feed.tags.join(" "))).collect()
        };
        let (a, b) = (
            "<outline text='A &amp; B' xmlUrl='https://a.example/'/>",
            "<outline text='b' xmlUrl='https://b.example/?x=1&y=2'/>",
        );
        let list = |head: &str, body: &str| format!("<opml><head>{head}</head><body>{body}</body></opml>");
        let folder = "<outline text='Mali'>";
        let end = "</outline>";
        for (name, text, tags) in [
            ("bare ampersands", list("<title>News & more &; &x</title>", &format!("{a}{b} &")), ["", ""]),
            ("an end is missing", list("", &format!("{a}{folder}{b}")), ["", "mali"]),
            ("ends too many", list("</b>", &format!("{folder}{a}{end}{end}</p>{b}")), ["mali", ""]),
            ("ends crossed", list("<a><b></a></b>", &format!("{folder}<p>{a}{end}</p>{b}")), ["mali", ""]),
        ] {
            let read = read(text.as_bytes()).unwrap_or_else(|error| panic!("{name}: {error}"));
            let expected = [("https://a.example/", tags[0]), ("https://b.example/?x=1&y=2", tags[1])];
            let expected = expected.map(|(url, tags)| (url.to_owned(), tags.to_owned()));
            assert_eq!((feeds(read.clone()), read.refused), (expected.to_vec(), Vec::new()), "{name}");
        }
    }

    #[test]
    fn an_address_with_a_password_is_left_out_and_not_shown() {
        let list = b"<opml><outline text='a' xmlUrl='https://desk:s3cret@a.example/'/><outline text='b' xmlUrl='https://b.example/'/></opml>";
        let found = read(list).unwrap();
        assert_eq!(found.outlines.len(), 1);
        assert_eq!(found.refused, ["`a`: its address at `a.example` holds a user or a password"]);
    }
}
