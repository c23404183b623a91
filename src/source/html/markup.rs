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

impl Inside {
    /// Where the byte behind this one stands; `None` behind the tag.
    fn behind(self, byte: u8) -> Option<Self> {
        let space = byte.is_ascii_whitespace();
        Some(match (self, byte) {
            (Self::Quoted(quote), _) if byte == quote => Self::Between,
            (Self::Quoted(_), _) => self,
            (_, b'>') => return None,
            (Self::TagName | Self::Unquoted, _) if space => Self::Between,
            (Self::Unquoted, _) => self,
            (Self::Sign, b'"' | b'\'') => Self::Quoted(byte),
            (Self::Sign, _) => {
                if space {
                    self
                } else {
                    Self::Unquoted
                }
            }
            (_, b'/') => Self::Between,
            (Self::TagName, _) => self,
            (Self::Name | Self::Named, b'=') => Self::Sign,
            (Self::Name | Self::Named, _) if space => Self::Named,
            (Self::Between, _) if space => self,
            // A sign or a quote in front of a name is a part of it.
            (Self::Between | Self::Name | Self::Named, _) => Self::Name,
        })
    }
}

/// Bytes up to and including the `>` that ends a tag. A quote opens a value where one is expected alone, as browsers see
/// it (`alt='L'armée'` has one value); one that never ends is none.
fn tag_length(text: &str) -> Option<usize> {
    let mut inside = Inside::TagName;
    for (place, byte) in text.bytes().enumerate().skip("</".len()) {
        match inside.behind(byte) {
            Some(next) => inside = next,
            None => return Some(place + 1),
        }
    }
    first_end(text)
}

/// Counts the attributes of a tag that is read piece by piece; what is no tag has none.
#[derive(Default)]
pub(super) struct Attributes {
    begun: bool,
    /// Nowhere, when it is no tag or has ended.
    inside: Option<Inside>,
    count: usize,
}

impl Attributes {
    /// Reads the next piece; the first one has more than two bytes.
    pub(super) fn read(&mut self, piece: &[u8]) {
        let mut rest = piece.iter();
        if !std::mem::replace(&mut self.begun, true) {
            let (Some(_), Some(first), Some(second)) = (rest.next(), rest.next(), piece.get(2)) else {
                return;
            };
            let letter = if *first == b'/' { second } else { first };
            self.inside = letter.is_ascii_alphabetic().then_some(Inside::TagName);
        }
        while let Some(inside) = self.inside
            && let Some(byte) = rest.next()
        {
            self.inside = inside.behind(*byte);
            let begins = matches!(self.inside, Some(Inside::Name)) && !matches!(inside, Inside::Name);
            self.count += usize::from(begins);
        }
    }

    /// How many there are so far.
    pub(super) fn count(&self) -> usize {
        self.count
    }
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
