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
    // What is no tag is a comment to browsers, quotes and all.
    let length = if after.starts_with(['!', '?']) { first_end(text) } else { tag_length(text) };
    let Some(length) = length else { return Markup::Endless };
    let name_end = after.find(|c: char| c.is_whitespace() || matches!(c, '/' | '>')).unwrap_or(after.len());
    let name = after.get(..name_end).unwrap_or_default();
    Markup::Tag(Tag { name, end, length })
}

/// Where in a tag a byte stands: the states of the HTML standard's tokenizer that tell which quotes open a value.
#[derive(Clone, Copy)]
enum Inside {
    /// The name of the tag, or a value without quotes; the latter may hold a slash.
    TagName,
    Unquoted,
    /// Behind these, or behind a value in quotes: an attribute may begin.
    Between,
    /// The name of an attribute, and behind it.
    Name,
    Named,
    /// Behind its `=`.
    Sign,
    /// A value, up to this quote.
    Quoted(u8),
}

/// Bytes up to and including the `>` that ends a tag. A quote opens a value where one is expected alone, as browsers see
/// it (`alt='L'armée'` has one value); one that never ends is none.
fn tag_length(text: &str) -> Option<usize> {
    let mut inside = Inside::TagName;
    for (place, byte) in text.bytes().enumerate().skip("</".len()) {
        let space = byte.is_ascii_whitespace();
        inside = match (inside, byte) {
            (Inside::Quoted(quote), _) if byte == quote => Inside::Between,
            (Inside::Quoted(_), _) => inside,
            (_, b'>') => return Some(place + 1),
            (Inside::TagName | Inside::Unquoted, _) if space => Inside::Between,
            (Inside::Unquoted, _) => inside,
            (Inside::Sign, b'"' | b'\'') => Inside::Quoted(byte),
            (Inside::Sign, _) => {
                if space {
                    inside
                } else {
                    Inside::Unquoted
                }
            }
            (_, b'/') => Inside::Between,
            (Inside::TagName, _) => inside,
            (Inside::Name | Inside::Named, b'=') => Inside::Sign,
            (Inside::Name | Inside::Named, _) if space => Inside::Named,
            (Inside::Between, _) if space => inside,
            // A sign or a quote in front of a name is a part of it.
            (Inside::Between | Inside::Name | Inside::Named, _) => Inside::Name,
        };
    }
    first_end(text)
}

/// Bytes up to and including the first `>`.
fn first_end(text: &str) -> Option<usize> {
    memchr(b'>', text.as_bytes()).map(|place| place + 1)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_end_where_browsers_have_them_end() {
        for (tag, rest) in [
            ("<a>", "b>"),
            ("<a b='>' c=\">\">", "d>"),
            ("<a b = '>'>", "d'>"),
            ("<a b='L'armée'>", "l'est>"),
            ("<a b='Mali's army' c='>'>", "d'>"),
            ("<a b=L'Est>", "l'ouest>"),
            ("<a b=/x?y= '>", "d'>"),
            ("<a/b='>'>", "d'>"),
            ("<a b/='>", "d'>"),
            ("<a ='>", "b'>"),
            ("<a =='>'>", "b'>"),
            ("<a'>", "b'>"),
            ("<a b=>", "'>"),
            ("<a b='c'd='>'>", "e'>"),
            ("</a b='>'>", "c>"),
            ("</a 'b>", "c'>"),
            ("<a b='>", "c"),
            ("<!x '>", "y'>"),
            ("<?x '>", "y'>"),
            ("<!-- '> -->", "y'>"),
        ] {
            let text = format!("{tag}{rest}");
            let length = match markup(&text) {
                Markup::Tag(tag) => tag.length,
                Markup::Character | Markup::Endless => 0,
            };
            assert_eq!(length, tag.len(), "{text}");
        }
    }
}
