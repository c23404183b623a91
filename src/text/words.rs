//! Cuts the fields of an item into folded words.
//!
//! One pass over the characters, in time linear in their number whatever they are. A word is a run of letters
//! and digits; a script without spaces gives a word for each character. Buffers are kept from item to item.

use std::ops::Range;

use unicode_normalization::char::compose;

use super::fold::{self, Fold};
use super::{ByteSpan, Field, hash_letters};

/// Bytes of a field that the rules read; what stands beyond is not looked at, and the verdict says so.
pub const FIELD_BYTES_MAX: usize = 256 * 1024;

/// Letters that the buffer keeps room for between two items; a larger one is given back.
const LETTERS_KEPT: usize = 256 * 1024;

/// A word's place in an item: its number in the title, or [`TEXT_START`] and its number in the text.
pub(crate) type Pos = u32;

/// The position of the first word of the text. So far behind any title that no distance reaches across.
pub(crate) const TEXT_START: Pos = 1 << 24;

/// A folded word.
#[derive(Clone, Debug)]
pub(crate) struct Word {
    /// Hash of its letters.
    pub(crate) hash: u64,
    /// Where its letters stand in the letter buffer.
    letters: Range<u32>,
    /// First byte in its field.
    start: u32,
    /// One past its last byte.
    end: u32,
    /// Whether a single hyphen or apostrophe joins it to the next word.
    pub(crate) linked: bool,
    /// Whether it is one character of a script without spaces.
    pub(crate) single: bool,
}

/// The words of an item.
#[derive(Debug, Default)]
pub(crate) struct Words {
    list: Vec<Word>,
    letters: Vec<char>,
    /// How many of them stand in the title.
    in_title: usize,
    /// Whether a field was longer than [`FIELD_BYTES_MAX`].
    pub(crate) cut: bool,
}

impl Words {
    /// Replaces what was read before by the words of a title and a text.
    pub(crate) fn read(&mut self, title: &str, text: &str) {
        self.list.clear();
        self.letters.clear();
        self.letters.shrink_to(LETTERS_KEPT);
        self.list.shrink_to(LETTERS_KEPT);
        self.cut = false;
        self.read_field(title);
        self.in_title = self.list.len();
        self.read_field(text);
    }

    fn read_field(&mut self, text: &str) {
        let mut reader = Reader { words: self, open: Open::None, link: false, start: 0, end: 0, letters: 0 };
        for (at, c) in text.char_indices() {
            let end = at + c.len_utf8();
            if end > FIELD_BYTES_MAX {
                reader.words.cut = true;
                break;
            }
            // Most characters by far; the table says the same of them.
            if c.is_ascii_alphanumeric() {
                reader.take_letter(c.to_ascii_lowercase(), at, end);
            } else {
                fold::fold(c, |fold| reader.take(fold, at, end));
            }
        }
        reader.close();
    }

    /// Places of the words of a field, for [`Words::word`].
    pub(crate) fn field(&self, field: Field) -> Range<usize> {
        match field {
            Field::Title => 0..self.in_title,
            Field::Text => self.in_title..self.list.len(),
        }
    }

    /// The word at a place.
    pub(crate) fn word(&self, place: usize) -> Option<&Word> {
        self.list.get(place)
    }

    /// The letters of the words from one place to another, as one word.
    pub(crate) fn letters(&self, first: usize, last: usize) -> &[char] {
        let (Some(first), Some(last)) = (self.list.get(first), self.list.get(last)) else { return &[] };
        self.letters.get(first.letters.start as usize..last.letters.end as usize).unwrap_or_default()
    }

    /// The position of the word at a place.
    pub(crate) fn pos(&self, place: usize) -> Pos {
        let (base, number) = match place.checked_sub(self.in_title) {
            Some(number) => (TEXT_START, number),
            None => (0, place),
        };
        // FIELD_BYTES_MAX keeps the number of words of a field far below TEXT_START.
        base + Pos::try_from(number).unwrap_or(TEXT_START - 1).min(TEXT_START - 1)
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

    fn place(&self, pos: Pos) -> usize {
        match pos.checked_sub(TEXT_START) {
            Some(number) => self.in_title + number as usize,
            None => pos as usize,
        }
    }
}

/// Whether the last word can still grow.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Open {
    /// No word is open.
    None,
    /// The last word takes letters.
    Word,
    /// The last word is a character of a script without spaces: it takes marks only.
    Single,
}

struct Reader<'a> {
    words: &'a mut Words,
    open: Open,
    /// Whether a single link, and nothing else, stands behind the last word.
    link: bool,
    /// First byte of the open word.
    start: usize,
    /// One past its last byte.
    end: usize,
    /// Where its letters begin.
    letters: usize,
}

impl Reader<'_> {
    /// Takes the next piece of a character that stands from `start` to `end`.
    fn take(&mut self, fold: Fold, start: usize, end: usize) {
        match fold {
            Fold::Letter(letter) => self.take_letter(letter, start, end),
            Fold::Single(letter) => {
                self.begin(start, Open::Single);
                self.grow(letter, end);
            }
            Fold::Join(mark) => self.join(mark, start, end),
            Fold::Mark => self.end = end,
            Fold::Link => {
                self.link = self.open != Open::None;
                self.close();
            }
            Fold::Break => {
                self.link = false;
                self.close();
            }
            Fold::Invisible => {}
        }
    }

    fn take_letter(&mut self, letter: char, start: usize, end: usize) {
        if self.open != Open::Word {
            self.begin(start, Open::Word);
        }
        self.grow(letter, end);
    }

    fn begin(&mut self, start: usize, open: Open) {
        self.close();
        if self.link
            && let Some(before) = self.words.list.last_mut()
        {
            before.linked = true;
        }
        self.link = false;
        self.open = open;
        self.start = start;
        self.letters = self.words.letters.len();
    }

    fn grow(&mut self, letter: char, end: usize) {
        self.words.letters.push(letter);
        self.end = end;
    }

    /// A mark makes another letter of the one before it where Unicode knows that letter and folding keeps it.
    fn join(&mut self, mark: char, start: usize, end: usize) {
        let before = if self.open == Open::None { None } else { self.words.letters.last_mut() };
        if let Some(letter) = before
            && let Some(whole) = compose(*letter, mark)
            && fold::is_folded(whole)
        {
            *letter = whole;
            self.end = end;
        } else if fold::is_mark_only(mark) {
            self.end = end;
        } else {
            if self.open == Open::None {
                self.begin(start, Open::Word);
            }
            self.grow(mark, end);
        }
    }

    fn close(&mut self) {
        if self.open == Open::None {
            return;
        }
        let single = self.open == Open::Single;
        self.open = Open::None;
        let hash = hash_letters(self.words.letters.get(self.letters..).unwrap_or_default());
        self.words.list.push(Word {
            hash,
            letters: offset(self.letters)..offset(self.words.letters.len()),
            start: offset(self.start),
            end: offset(self.end),
            linked: false,
            single,
        });
    }
}

/// [`FIELD_BYTES_MAX`] keeps every offset far below the limit of `u32`.
fn offset(bytes: usize) -> u32 {
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
        out.extend(words.letters(place, place));
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
            assert_eq!(words.word(0).is_some_and(|word| word.linked), expected, "{text}");
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
        for text in ["a".repeat(1 << 20), "\u{301}".repeat(100_000), "\u{fdfa}".repeat(200_000)] {
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
