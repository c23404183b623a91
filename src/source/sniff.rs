//! What a body is, whatever its `Content-Type` says.

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
    let mut read = 0;
    for piece in text.split('<').skip(1) {
        read += piece.len() + 1;
        if read > ROOT_BYTES_MAX && matches!(root, Root::Fragment) {
            break;
        }
        let end = piece.find(|c: char| c.is_whitespace() || matches!(c, '>' | '/')).unwrap_or(piece.len());
        let name = piece.get(..end).unwrap_or_default().to_ascii_lowercase();
        match name.rsplit(':').next().unwrap_or_default() {
            "rss" | "rdf" | "feed" | "channel" => return Root::Feed,
            "html" | "head" | "body" => return Root::Html,
            "" => {}
            other if other.starts_with(|c: char| c.is_ascii_alphabetic()) => root = Root::Fragment,
            _ => {}
        }
    }
    root
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
}
