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
}

/// What is read of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct List {
    /// The feeds, in order.
    pub outlines: Vec<Outline>,
    /// Outlines whose address is none of the web, in words.
    pub refused: Vec<String>,
}

/// Why a list cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotOpml {
    /// Broken XML.
    #[error("at byte {at}: {message}")]
    Broken {
        /// Where.
        at: u64,
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
/// When its form cannot be read: half a list would be taken for the whole. A single address that is none of the web is
/// left out and told.
pub fn read(bytes: &[u8]) -> Result<List, NotOpml> {
    let text = charset::decode(bytes, None, None).text;
    let mut reader = Reader::from_str(&text);
    let mut found = List::default();
    // The folders around, `None` for an outline that is a feed.
    let mut around: Vec<Option<String>> = Vec::new();
    let mut is_opml = false;
    loop {
        let event = reader
            .read_event()
            .map_err(|error| NotOpml::Broken { at: reader.error_position(), message: error.to_string() })?;
        match event {
            Event::Start(tag) if tag.name().as_ref().eq_ignore_ascii_case(OPML) => is_opml = true,
            Event::Start(tag) if tag.name().as_ref().eq_ignore_ascii_case(OUTLINE) => {
                if around.len() == DEPTH_MAX {
                    return Err(NotOpml::TooMuch);
                }
                let folder = outline(&tag, &around, &mut found);
                around.push(folder);
            }
            Event::Empty(tag) if tag.name().as_ref().eq_ignore_ascii_case(OUTLINE) => {
                outline(&tag, &around, &mut found);
            }
            Event::End(tag) if tag.name().as_ref().eq_ignore_ascii_case(OUTLINE) => {
                around.pop();
            }
            Event::Eof if !is_opml => return Err(NotOpml::Other),
            Event::Eof if !around.is_empty() => return Err(NotOpml::Cut),
            Event::Eof => return Ok(found),
            Event::Start(_)
            | Event::End(_)
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

/// Takes one outline: a feed is added or refused, of a folder the name comes back.
fn outline(tag: &BytesStart<'_>, around: &[Option<String>], found: &mut List) -> Option<String> {
    let (mut title, mut text, mut address, mut category, mut lang) = (None, None, None, None, None);
    for attribute in tag.attributes().with_checks(false).flatten() {
        let value = html::one_line(&reference::decode(&attribute.value));
        let name = attribute.key.as_ref().to_ascii_lowercase();
        match name.as_str() {
            "title" => title = Some(value),
            "text" => text = Some(value),
            "xmlurl" => address = Some(value),
            "category" => category = Some(value),
            "language" => lang = Some(charset::primary(&value)).filter(|lang| matches!(lang.len(), 2 | 3)),
            _ => {}
        }
    }
    let title = text.or(title).unwrap_or_default();
    let Some(address) = address.filter(|address| !address.is_empty()) else { return Some(title) };
    let Some(url) = web_address(&address) else {
        found.refused.push(format!("`{title}`: `{address}` is no http or https address"));
        return None;
    };
    let categories = category.as_deref().unwrap_or_default().split([',', '/']);
    let mut tags: Vec<String> = Vec::new();
    for name in around.iter().flatten().map(String::as_str).chain(categories) {
        let tag = name.trim().to_lowercase().split_whitespace().collect::<Vec<_>>().join("-");
        if !tag.is_empty() && !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    found.outlines.push(Outline { title, url, tags, lang });
    None
}

/// An address of the web; `feed://a.example` and `feed:https://a.example` are what readers of old registered for.
fn web_address(text: &str) -> Option<Url> {
    let text = match text.split_once(':') {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("feed") => match rest.strip_prefix("//") {
            Some(rest) => format!("https://{rest}"),
            None => rest.to_owned(),
        },
        Some(_) | None => text.to_owned(),
    };
    Url::parse(&text).ok().filter(|url| matches!(url.scheme(), "http" | "https"))
}

/// A list of `feeds` as OPML 2.0; `others` are named in comments.
pub fn write(feeds: &[Outline], others: &[String]) -> String {
    let mut out = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<opml version=\"2.0\">\n  <head>\n    <title>Harmattan sources</title>\n  </head>\n  <body>\n",
    );
    for feed in feeds {
        out.push_str("    <outline type=\"rss\"");
        let lang = feed.lang.clone().unwrap_or_default();
        let (tags, url) = (feed.tags.join(","), feed.url.to_string());
        for (name, value) in
            [("text", &feed.title), ("xmlUrl", &url), ("category", &tags), ("language", &lang)]
        {
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
            Outline { title: "RFI".into(), url: url("https://rfi.example/rss?a=1&b=2"), tags, lang: None },
            Outline {
                title: "Gao".into(),
                url: url("http://gao.example/feed"),
                tags: Vec::new(),
                lang: Some("fr".into()),
            },
        ];
        assert_eq!(read_once, List { outlines: expected.clone(), refused: Vec::new() });
        let others = ["telegram a: https://t.me/a--b".to_owned()];
        assert_eq!(read(write(&expected, &others).as_bytes()), Ok(read_once));
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
        assert!(matches!(read(b"<opml><a></b></opml>"), Err(NotOpml::Broken { .. })));
    }
}
