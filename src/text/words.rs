//! Cuts the fields of an item into folded words.
//!
//! One pass over the characters, in time linear in their number whatever they are. A word is a run of letters
//! and digits; a script without spaces gives a word for each character. Buffers are kept from item to item.

use std::ops::Range;

use super::fold::Scripts;
use super::hash::hash_between;
use super::reader::Reader;
use super::{ByteSpan, Field};

/// Bytes of a field that the rules read; what stands beyond is not looked at, and the verdict says so.
pub const FIELD_BYTES_MAX: usize = 256 * 1024;

/// Bytes and words that the buffers keep room for between two items; larger ones are given back.
const KEPT_MAX: usize = 256 * 1024;

/// A word's place in an item: its number in the title, or [`TEXT_START`] and its number in the text.
pub(crate) type Pos = u32;

/// The position of the first word of the text. So far behind any title that no distance reaches across.
pub(crate) const TEXT_START: Pos = 1 << 20;

/// A folded word.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Word {
    /// Hash of its letters.
    pub(crate) hash: u64,
    /// Where its letters begin in the buffer of letters.
    pub(super) from: u32,
    /// One past its last letter there.
    pub(super) to: u32,
    /// First byte in its field.
    pub(super) start: u32,
    /// One past its last byte.
    pub(super) end: u32,
    /// What is special about it.
    pub(crate) traits: Traits,
    /// The scripts of its letters.
    pub(crate) scripts: Scripts,
}

/// What is special about a word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Traits(pub(super) u8);

impl Traits {
    /// Joined to the next word.
    pub(super) const LINKED: u8 = 1;
    /// A character by itself.
    pub(super) const SINGLE: u8 = 2;

    /// Whether a single hyphen or apostrophe joins it to the next word.
    pub(crate) fn linked(self) -> bool {
        self.0 & Self::LINKED != 0
    }

    /// Whether it is one character of a script without spaces.
    pub(crate) fn single(self) -> bool {
        self.0 & Self::SINGLE != 0
    }
}

impl Word {
    /// Whether it is one letter.
    #[inline]
    pub(crate) fn is_letter(&self) -> bool {
        let bytes = self.to - self.from;
        let one = bytes == 1 || (bytes == 2 && !self.scripts.has(Scripts::LATIN));
        one && !self.traits.single() && self.scripts != Scripts::default()
    }

    /// Whether it can only be read as it stands: most words by far.
    #[inline]
    pub(crate) fn is_plain(&self) -> bool {
        !self.traits.linked()
            && !self.is_letter()
            && matches!(self.scripts, Scripts(0) | Scripts::LATIN | Scripts::CYRILLIC)
    }
}

/// The words of an item.
#[derive(Debug, Default)]
pub struct Words {
    list: Vec<Word>,
    /// Folded letters, word behind word, as UTF-8; longer than what is in use.
    letters: Vec<u8>,
    /// How many of them stand in the title.
    in_title: usize,
    /// Whether a field was longer than [`FIELD_BYTES_MAX`].
    pub(crate) cut: bool,
}

impl Words {
    /// Replaces what was read before by the words of a title and a text.
    pub fn read(&mut self, title: &str, text: &str) {
        self.list.clear();
        self.list.shrink_to(KEPT_MAX);
        self.letters.truncate(KEPT_MAX);
        self.letters.shrink_to(KEPT_MAX);
        self.cut = false;
        let used = self.read_field(title, 0);
        self.in_title = self.list.len();
        self.read_field(text, used);
    }

    /// Number of words.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Reads a field, its letters from `used` on in the buffer; returns where they end.
    fn read_field(&mut self, text: &str, used: usize) -> usize {
        let text = text.get(..text.floor_char_boundary(FIELD_BYTES_MAX)).map_or(text, |head| {
            self.cut |= head.len() < text.len();
            head
        });
        Reader::new(text, &mut self.list, &mut self.letters, used).read()
    }

    /// Places of the words of a field, for [`Words::word`].
    pub(crate) fn field(&self, field: Field) -> Range<usize> {
        match field {
            Field::Title => 0..self.in_title,
            Field::Text => self.in_title..self.list.len(),
        }
    }

    /// The word at a place.
    #[inline]
    pub(crate) fn word(&self, place: usize) -> Option<&Word> {
        self.list.get(place)
    }

    /// All words, by place.
    pub(crate) fn list(&self) -> &[Word] {
        &self.list
    }

    /// The letters of a word, as bytes.
    #[inline]
    pub(crate) fn bytes_of(&self, word: &Word) -> &[u8] {
        self.letters.get(word.from as usize..word.to as usize).unwrap_or_default()
    }

    /// The letters of the words from one place to another, as one word.
    pub(crate) fn letters(&self, first: usize, last: usize) -> &str {
        let (Some(first), Some(last)) = (self.list.get(first), self.list.get(last)) else { return "" };
        let bytes = self.letters.get(first.from as usize..last.to as usize).unwrap_or_default();
        std::str::from_utf8(bytes).unwrap_or_default()
    }

    /// The hash of these letters, as of one word.
    pub(crate) fn hash(&self, first: usize, last: usize) -> u64 {
        let (Some(first), Some(last)) = (self.list.get(first), self.list.get(last)) else { return 0 };
        hash_between(&self.letters, first.from as usize, last.to as usize)
    }

    /// The position of the word at a place.
    #[inline]
    pub(crate) fn pos(&self, place: usize) -> Pos {
        let (base, number) = match place.checked_sub(self.in_title) {
            Some(number) => (TEXT_START, number),
            None => (0, place),
        };
        // FIELD_BYTES_MAX keeps the number of words of a field below TEXT_START.
        base + offset(number).min(TEXT_START - 1)
    }

    /// The place of the word at a position.
    pub(crate) fn place(&self, pos: Pos) -> usize {
        match pos.checked_sub(TEXT_START) {
            Some(number) => self.in_title + number as usize,
            None => pos as usize,
        }
    }

    /// The field and the bytes from one position to another of the same field.
    pub(crate) fn span(&self, first: Pos, last: Pos) -> (Field, ByteSpan) {
        let field = if first >= TEXT_START { Field::Text } else { Field::Title };
        let bounds = (self.list.get(self.place(first)), self.list.get(self.place(last)));
        let (Some(first), Some(last)) = bounds else { return (field, ByteSpan { start: 0, end: 0 }) };
        (field, ByteSpan { start: first.start as usize, end: last.end as usize })
    }

    /// The bytes of the word at a place, in its field.
    pub(crate) fn bytes(&self, place: usize) -> ByteSpan {
        let bounds = self.list.get(place).map(|word| (word.start as usize, word.end as usize));
        let (start, end) = bounds.unwrap_or_default();
        ByteSpan { start, end }
    }
}

/// [`FIELD_BYTES_MAX`] keeps every offset far below the limit of `u32`.
#[inline]
pub(super) fn offset(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

/// The folded words of a text with single spaces between them: equal for texts that readers take for the
/// same but for case, accents, punctuation and spacing.
///
/// Folding what is already folded changes nothing.
pub fn folded(text: &str) -> String {
    let mut words = Words::default();
    words.read("", text);
    let mut out = String::with_capacity(text.len().min(FIELD_BYTES_MAX));
    for place in words.field(Field::Text) {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(words.letters(place, place));
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Words {
        let mut words = Words::default();
        words.read("", text);
        words
    }

    #[test]
    fn texts_fold_to_words() {
        for (text, expected) in [
            ("", ""),
            ("  …  ", ""),
            ("L'armée de l’air", "l armee de l air"),
            ("Al-Qaida", "al qaida"),
            ("Qur\u{ad}an\u{200b}ic", "quranic"),
            ("Ва\u{301}гнер", "вагнер"),
            ("и\u{306}од йод", "йод йод"),
            ("e\u{301}tat État", "etat etat"),
            ("و\u{64e}الجـــيش", "والجيش"),
            ("東京都", "東 京 都"),
            ("か\u{3099}が", "が が"),
            ("①⁄½", "1 1 2"),
            ("#Wagner_Group @x", "wagner group x"),
            ("\u{301}\u{301}a\u{301}", "a"),
            ("Mali🇲🇱Gao", "mali gao"),
            ("𝐖agner \u{10783}", "wagner ae"),
            ("Mali&#39;s &eacute;lite &amp; co &unknown;", "mali s elite co unknown"),
            ("Go&iuml;ta, Goi&#776;ta", "goita goita"),
            (&format!("{} Gao", "Ⱥ".repeat(99)), &format!("{} gao", "ⱥ".repeat(99))),
            ("abcdefgh ijklmnopq", "abcdefgh ijklmnopq"),
            ("abcdefghÉijklmnopq12345678", "abcdefgheijklmnopq12345678"),
            ("Bɛlɛdugu, Ƙasar Hausa, ɲɔgɔn", "beledugu kasar hausa nogon"),
        ] {
            assert_eq!(folded(text), expected, "{text}");
        }
    }

    #[test]
    fn a_word_is_highlighted_with_its_accents_but_not_with_the_invisible_after_it() {
        for (text, expected) in
            [("(Mali\u{200b})", "Mali"), ("e\u{301} x", "e\u{301}"), ("«Ga\u{ad}o»", "Ga\u{ad}o")]
        {
            assert_eq!(read(text).bytes(0).of(text), expected);
        }
    }

    #[test]
    fn only_a_single_hyphen_or_apostrophe_links_two_words() {
        for (text, expected) in [
            ("a-b", true),
            ("d’or", true),
            ("a\u{200b}-\u{200b}b", true),
            ("a--b", false),
            ("a - b", false),
            ("a- b", false),
            ("a – b", false),
            ("a b", false),
        ] {
            let words = read(text);
            assert_eq!(words.word(0).is_some_and(|word| word.traits.linked()), expected, "{text}");
        }
    }

    #[test]
    fn positions_lead_back_to_their_field() {
        let (title, text) = ("One two", "three four");
        let mut words = Words::default();
        words.read(title, text);
        assert_eq!(words.pos(1), 1);
        assert_eq!(words.pos(2), TEXT_START);
        let (field, span) = words.span(TEXT_START, TEXT_START + 1);
        assert_eq!((field, span.of(text)), (Field::Text, "three four"));
        let (field, span) = words.span(1, 1);
        assert_eq!((field, span.of(title)), (Field::Title, "two"));
    }

    #[test]
    fn hostile_texts_are_cut_and_read_once() {
        let marked = ["ш".repeat(65_000), "\u{306}".repeat(65_000)].concat();
        for text in ["a".repeat(1 << 20), "\u{301}".repeat(100_000), "\u{fdfa}".repeat(200_000), marked] {
            let words = read(&text);
            assert_eq!(words.cut, text.len() > FIELD_BYTES_MAX);
            assert!(words.list.len() < TEXT_START as usize);
        }
    }

    proptest! {
        #[test]
        fn spans_lie_on_character_boundaries_and_in_order(text in "\\PC{0,200}") {
            let words = read(&text);
            let mut before = 0;
            for place in words.field(Field::Text) {
                let span = words.bytes(place);
                prop_assert!(span.start < span.end && span.end <= text.len());
                prop_assert!(text.get(span.start..span.end).is_some());
                prop_assert!(span.start >= before, "words begin in order");
                before = span.start;
            }
        }

        #[test]
        fn folding_twice_is_folding_once(text in any::<String>()) {
            let once = folded(&text);
            prop_assert_eq!(folded(&once), once);
        }
    }
}
