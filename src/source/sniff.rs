//! What a body is, whatever its `Content-Type` says.

use memchr::{memchr, memchr_iter, memmem};

use super::charset;
use crate::fetch::is_challenge;

/// How far into a body its root element is looked for, in bytes.
const ROOT_BYTES_MAX: usize = 64 * 1024;

/// What a body looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// RSS, Atom, RDF, CDF or JSON Feed.
    Feed,
    /// A page of Telegram's web preview, or one of its landing pages.
    Telegram,
    /// Any other HTML.
    Page,
    /// An interstitial of a bot protection.
    Challenge,
    /// Nothing but white space.
    Empty,
    /// None of these.
    Unknown,
}

/// Says what `bytes` look like.
pub fn sniff(bytes: &[u8], content_type: Option<&str>) -> Kind {
    kind(&charset::decode(bytes, content_type, None).text)
}

/// Says what a decoded body looks like.
pub(super) fn kind(text: &str) -> Kind {
    let text = text.trim();
    if text.is_empty() {
        return Kind::Empty;
    }
    if text.starts_with('{') {
        let feed = text.contains("jsonfeed.org") || text.contains("\"items\"");
        return if feed { Kind::Feed } else { Kind::Unknown };
    }
    match root(text) {
        Root::Feed => Kind::Feed,
        Root::Html | Root::Fragment if text.contains("\"tgme_") || text.contains("\"tme_") => Kind::Telegram,
        Root::Html | Root::Fragment if is_challenge(text) => Kind::Challenge,
        Root::Html | Root::Fragment => Kind::Page,
        Root::None => Kind::Unknown,
    }
}

/// What is no tag though tags may stand in it: how it begins, and how it ends.
const ASIDES: [(&str, &str); 3] = [("<!--", "-->"), ("<![CDATA[", "]]>"), ("<?", ">")];

/// What the first telling tag is.
enum Root {
    Feed,
    Html,
    /// Tags, but none that tells.
    Fragment,
    None,
}

fn root(text: &str) -> Root {
    let mut root = Root::None;
    for (place, name) in tags(text) {
        if place > ROOT_BYTES_MAX && matches!(root, Root::Fragment) {
            break;
        }
        match name.as_str() {
            "rss" | "rdf" | "feed" | "channel" => return Root::Feed,
            "html" | "head" | "body" => return Root::Html,
            "" => {}
            other if other.starts_with(|c: char| c.is_ascii_alphabetic()) => root = Root::Fragment,
            _ => {}
        }
    }
    root
}

/// The name of the first element of a text, in small letters and without its prefix.
pub(super) fn first_element(text: &str) -> Option<String> {
    let mut names = tags(text).map(|(_, name)| name);
    names.find(|name| name.starts_with(|c: char| c.is_ascii_alphabetic()))
}

/// The tags of a text: where each stands, and its name in small letters and without its prefix.
fn tags(text: &str) -> impl Iterator<Item = (usize, String)> {
    let (mut rest, mut asides) = (text, Asides::default());
    std::iter::from_fn(move || {
        while let Some((_, piece)) = rest.split_once('<') {
            let place = text.len() - piece.len() - 1;
            if let Some(behind) = text.get(place..).and_then(|text| asides.behind(text)) {
                rest = behind;
                continue;
            }
            rest = piece;
            let end = piece.find(|c: char| c.is_whitespace() || matches!(c, '<' | '>' | '/'));
            let name = piece.get(..end.unwrap_or(piece.len())).unwrap_or_default().to_ascii_lowercase();
            return Some((place, name.rsplit(':').next().unwrap_or_default().to_owned()));
        }
        None
    })
}

/// What stands aside from the tags of a text. Of what was looked for in vain once nothing is found behind it either, and
/// is not looked for again.
#[derive(Default)]
struct Asides {
    endless: [bool; ASIDES.len()],
    /// Whether a document type was met: a second one is junk.
    typed: bool,
}

impl Asides {
    /// What follows the comment, processing instruction or document type at the head of `text`; one that never ends is none.
    fn behind<'a>(&mut self, text: &'a str) -> Option<&'a str> {
        for ((open, close), endless) in ASIDES.iter().zip(&mut self.endless) {
            let Some(inside) = text.strip_prefix(open).filter(|_| !*endless) else { continue };
            let end = memmem::find(inside.as_bytes(), close.as_bytes());
            *endless = end.is_none();
            return inside.get(end? + close.len()..);
        }
        let declares = text.get(.."<!DOCTYPE".len())?.eq_ignore_ascii_case("<!DOCTYPE");
        if !declares || std::mem::replace(&mut self.typed, true) {
            return None;
        }
        let end = memchr(b'>', text.as_bytes())?;
        let open = text.get(..end)?.find('[');
        // Its own declarations, if it has any, end before its end.
        let own = open.and_then(|open| {
            let mut closes = memchr_iter(b']', text.as_bytes()).skip_while(|place| *place < open);
            closes.find_map(|place| text.get(place + 1..)?.trim_start().strip_prefix('>'))
        });
        own.or_else(|| text.get(end + 1..))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_are_told_apart() {
        for (body, expected) in [
            ("", Kind::Empty),
            (" \r\n", Kind::Empty),
            ("<?xml version='1.0'?><rss version='2.0'>", Kind::Feed),
            (
                "<br />\n<b>Warning</b>: x in <b>y.php</b>\n<?xml version='1.0'?><rdf:RDF xmlns=''>",
                Kind::Feed,
            ),
            ("<a:feed xmlns:a='http://www.w3.org/2005/Atom'/>", Kind::Feed),
            ("<?XML VERSION=\"1.0\"?><CHANNEL HREF=\"/\">", Kind::Feed),
            ("<?xml version='1.0'?><!-- see <body> of page --><rss version='2.0'>", Kind::Feed),
            ("<?xml-stylesheet <html> ?><feed>", Kind::Feed),
            ("<!DOCTYPE rss [<!ENTITY a '<body>'>\n<!ENTITY b \"<html>\">] ><rss>", Kind::Feed),
            ("<!doctype rss [<!ENTITY a 'b'><rss>", Kind::Feed),
            ("<!-- a feed? <rss> --><html>", Kind::Page),
            ("<!-- <!DOCTYPE html><html>", Kind::Page),
            (r#"{"version":"https://jsonfeed.org/version/1.1","items":[]}"#, Kind::Feed),
            (r#"{"error":"not found"}"#, Kind::Unknown),
            ("<!DOCTYPE html><html><title>Just a moment...</title>", Kind::Challenge),
            ("<html><script src='/cdn-cgi/challenge-platform/scripts/jsd/main.js'></script>", Kind::Page),
            (r#"<div class="tgme_widget_message_wrap">"#, Kind::Telegram),
            (r#"<html><body><div class="tgme_page">"#, Kind::Telegram),
            ("<p>Bonjour", Kind::Page),
            ("Service unavailable", Kind::Unknown),
        ] {
            assert_eq!(sniff(body.as_bytes(), None), expected, "{body}");
        }
    }

    #[test]
    fn the_first_element_is_named() {
        for (body, expected) in [
            ("<?xml version='1.0'?>\n<!-- <rss> -->\n<OPML version='2.0'>", Some("opml")),
            ("<sm:urlset xmlns:sm='http://www.sitemaps.org/schemas/sitemap/0.9'>", Some("urlset")),
            ("</p><1><html>", Some("html")),
            ("a < b", None),
            ("", None),
        ] {
            assert_eq!(first_element(body).as_deref(), expected, "{body}");
        }
    }
}
