//! Tags of HTML in a text that may be broken.

use memchr::memchr;

/// A tag, comment or declaration at the start of a text.
pub(super) struct Tag<'a> {
    /// Empty for what is no element.
    pub(super) name: &'a str,
    /// Whether it is an end tag.
    pub(super) end: bool,
    /// Bytes of the whole tag.
    pub(super) length: usize,
}

/// What a `<` begins.
pub(super) enum Markup<'a> {
    Tag(Tag<'a>),
    /// Nothing: it is a character.
    Character,
    /// Something that does not end. A caller that went on looking for ends would read the rest again and again.
    Endless,
}

/// Reads the markup at the start of `text`.
pub(super) fn markup(text: &str) -> Markup<'_> {
    let after = text.get(1..).unwrap_or_default();
    if after.starts_with("!--") {
        let length = text.find("-->").map(|place| place + "-->".len());
        return length.map_or(Markup::Endless, |length| Markup::Tag(Tag { name: "", end: false, length }));
    }
    let (end, after) = after.strip_prefix('/').map_or((false, after), |after| (true, after));
    if !after.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '!' | '?')) {
        return Markup::Character;
    }
    let Some(length) = tag_length(text) else { return Markup::Endless };
    let name_end = after.find(|c: char| c.is_whitespace() || matches!(c, '/' | '>')).unwrap_or(after.len());
    let name = after.get(..name_end).unwrap_or_default();
    Markup::Tag(Tag { name, end, length })
}

/// Bytes up to and including the `>` that is in no quotes; a quote that never ends is none.
fn tag_length(text: &str) -> Option<usize> {
    let mut quote = None;
    for (place, byte) in text.bytes().enumerate() {
        match (byte, quote) {
            (b'>', None) => return Some(place + 1),
            (b'"' | b'\'', None) => quote = Some(byte),
            (byte, Some(open)) if byte == open => quote = None,
            _ => {}
        }
    }
    text.find('>').map(|place| place + 1)
}

/// Splits before the first `mark`, a byte of ASCII.
pub(super) fn split_at(text: &str, mark: u8) -> Option<(&str, &str)> {
    text.split_at_checked(memchr(mark, text.as_bytes())?)
}

/// What stands after the end tag of `name`; `None` when there is none.
pub(super) fn after_end<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let end = text.match_indices("</").find(|(place, _)| {
        let after = text.get(place + 2..place + 2 + name.len());
        after.is_some_and(|after| after.eq_ignore_ascii_case(name))
    });
    let from = text.get(end?.0..)?;
    Some(from.split_once('>').map_or("", |(_, rest)| rest))
}
