//! Tags of HTML in a text that may be broken.

use memchr::memchr;

use super::effect::{Effect, known};

/// Most names of end tags that HTML does not know; those that come later are not looked at.
const ENDS_MAX: usize = 64;

/// A tag, comment or declaration at the start of a text.
pub(super) struct Tag<'a> {
    /// Empty for what is no element.
    pub(super) name: &'a str,
    /// What it does to the text around it.
    pub(super) effect: Effect,
    /// Whether it is an end tag.
    pub(super) end: bool,
    /// Bytes of the whole tag.
    pub(super) length: usize,
}

/// What a `<` begins.
pub(super) enum Markup<'a> {
    Tag(Tag<'a>),
    /// A name that HTML does not know, alone in its brackets: a tag where the text has its [end](Ends), else a word.
    Name(Tag<'a>),
    /// Nothing: it is a character.
    Character,
    /// Something that does not end. A caller that went on looking for ends would read the rest again and again.
    Endless,
}

/// Reads the markup at the start of `text`.
pub(super) fn markup(text: &str) -> Markup<'_> {
    let after = text.get(1..).unwrap_or_default();
    let aside = |length| Markup::Tag(Tag { name: "", effect: Effect::None, end: false, length });
    if after.starts_with("!--") {
        return text.find("-->").map_or(Markup::Endless, |place| aside(place + "-->".len()));
    }
    let (end, after) = after.strip_prefix('/').map_or((false, after), |after| (true, after));
    if after.starts_with(['!', '?']) {
        // A comment to browsers, quotes and all.
        return first_end(text).map_or(Markup::Endless, aside);
    }
    if !after.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return Markup::Character;
    }
    let name = name_of(after);
    let Some(effect) = known(name) else { return unknown(text, name, end) };
    tag_length(text).map_or(Markup::Endless, |length| Markup::Tag(Tag { name, effect, end, length }))
}

/// The name at the start of a text.
fn name_of(text: &str) -> &str {
    let ends = |c: char| c.is_whitespace() || matches!(c, '/' | '<' | '>');
    text.get(..text.find(ends).unwrap_or(text.len())).unwrap_or_default()
}

/// What begins as a tag does, with a name that HTML does not know. Words in brackets do too (`<<Africa Corps>>`), so it
/// is a tag only as no text is written, and never runs over another bracket.
fn unknown<'a>(text: &'a str, name: &'a str, end: bool) -> Markup<'a> {
    let next = text.get(1..).and_then(|rest| memchr(b'<', rest.as_bytes()));
    let alone = next.and_then(|place| text.get(..=place)).unwrap_or(text);
    let Some(length) = tag_length(alone) else { return Markup::Character };
    let from = "<".len() + usize::from(end) + name.len();
    let inside = alone.get(from..length - 1).unwrap_or_default().trim();
    let tag = Tag { name, effect: Effect::None, end, length };
    if inside == "/" || (inside.is_empty() && end) || inside.split_whitespace().any(is_attribute) {
        Markup::Tag(tag)
    } else if inside.is_empty() {
        Markup::Name(tag)
    } else {
        Markup::Character
    }
}

/// Whether a word begins as an attribute with a value in quotes does.
fn is_attribute(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, value)| {
        name.starts_with(|c: char| c.is_ascii_alphabetic()) && value.starts_with(['"', '\''])
    })
}

/// The names that HTML does not know of the end tags in a text, looked for when one is asked for.
pub(super) struct Ends<'a> {
    text: &'a str,
    names: Option<Vec<&'a str>>,
}

impl<'a> Ends<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        Self { text, names: None }
    }

    /// Whether there is one of that name.
    pub(super) fn has(&mut self, name: &str) -> bool {
        let text = self.text;
        is_among(self.names.get_or_insert_with(|| names_of_ends(text)), name)
    }
}

fn names_of_ends(text: &str) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for (place, mark) in text.match_indices("</") {
        let name = name_of(text.get(place + mark.len()..).unwrap_or_default());
        if known(name).is_none() && !is_among(&names, name) {
            names.push(name);
        }
        if names.len() >= ENDS_MAX {
            break;
        }
    }
    names
}

fn is_among(names: &[&str], name: &str) -> bool {
    names.iter().any(|known| known.eq_ignore_ascii_case(name))
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
                Markup::Tag(tag) | Markup::Name(tag) => tag.length,
                Markup::Character | Markup::Endless => 0,
            };
            assert_eq!(length, tag.len(), "{text}");
        }
    }

    #[test]
    fn a_name_that_html_does_not_know_is_a_tag_only_as_no_text_is_written() {
        for (text, expected) in [
            ("<FONT>", "tag"),
            ("<selectedContent>", "tag"),
            ("</Gao>", "tag"),
            ("</ Gao>", "character"),
            ("<x/>", "tag"),
            ("<x />", "tag"),
            ("<my-card open title='a > b'>", "tag"),
            ("<v:shape id=\"a\" />", "tag"),
            ("<Gao>", "name"),
            ("<o:p >", "name"),
            ("<Africa Corps>", "character"),
            ("</Africa Corps>", "character"),
            ("<Gao/Ménaka>", "character"),
            ("<x and y=3 but z>", "character"),
            ("<https://gao.example/?a='b'>", "character"),
            ("<five hundred <b title='x'>", "character"),
            ("<my-card title='<b>'>", "character"),
            ("<five hundred", "character"),
            ("<b five hundred", "endless"),
        ] {
            let found = match markup(text) {
                Markup::Tag(_) => "tag",
                Markup::Name(_) => "name",
                Markup::Character => "character",
                Markup::Endless => "endless",
            };
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn end_tags_are_known_by_their_names_in_any_case() {
        let many: String =
            (0..2 * ENDS_MAX).flat_map(|n| ["</x".to_owned(), n.to_string(), ">".to_owned()]).collect();
        for (text, name, there) in [
            ("<noindex>a</noindex>", "NOINDEX", true),
            ("a</o:p >", "o:p", true),
            ("a</Gao", "Gao", true),
            ("a</Gao-Ansongo>", "Gao", false),
            ("a</b>", "b", false),
            ("a", "a", false),
            (many.as_str(), "x0", true),
            (many.as_str(), "x127", false),
        ] {
            assert_eq!(Ends::of(text).has(name), there, "{name}");
        }
    }
}
