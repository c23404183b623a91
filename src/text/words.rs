//! Cuts the fields of an item into folded words.
//!
//! One pass over the characters, in time linear in their number whatever they are. A word is a run of letters
//! and digits; a script without spaces gives a word for each character. Buffers are kept from item to item.

use std::ops::Range;

use unicode_normalization::char::compose;

use super::fold::{self, Entry, Fold, Scripts, Table};
use super::hash::{chunk, hash_between};
use super::reference::{self, Reference};
use super::{ByteSpan, Field};

/// Bytes of a field that the rules read; what stands beyond is not looked at, and the verdict says so.
pub const FIELD_BYTES_MAX: usize = 256 * 1024;

/// Bytes and words that the buffers keep room for between two items; larger ones are given back.
const KEPT_MAX: usize = 256 * 1024;

/// Bytes that the buffer of letters goes on for behind the last letter: it is written and read in chunks.
const SLACK: usize = 64;

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
    from: u32,
    /// One past its last letter there.
    to: u32,
    /// First byte in its field.
    start: u32,
    /// One past its last byte.
    end: u32,
    /// What is special about it.
    pub(crate) traits: Traits,
    /// The scripts of its letters.
    pub(crate) scripts: Scripts,
}

/// What is special about a word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Traits(u8);

impl Traits {
    const LINKED: u8 = 1;
    const SINGLE: u8 = 2;

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
    pub(crate) fn is_letter(&self) -> bool {
        !self.traits.single()
            && self.scripts != Scripts::default()
            && self.to - self.from <= 2
            && (self.to - self.from == 1 || !self.scripts.has(Scripts::LATIN))
    }

    /// Whether it can only be read as it stands: most words by far.
    #[inline]
    pub(crate) fn is_plain(&self) -> bool {
        self.traits.0 & Traits::LINKED == 0
            && matches!(self.scripts, Scripts(0) | Scripts::LATIN | Scripts::CYRILLIC)
            && self.to - self.from > 2
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
        let mut reader = Reader {
            table: fold::table(),
            text,
            list: &mut self.list,
            letters: &mut self.letters,
            out: used,
            open: Open::None,
            link: false,
            scripts: 0,
            start: 0,
            end: 0,
            from: used,
        };
        reader.make_room(text.len());
        reader.read();
        reader.close();
        reader.out
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

/// Reads one field. ASCII is taken eight bytes at a time, letters of two bytes one by one through the table; all
/// else, a few characters in a hundred, goes through [`Reader::take`].
struct Reader<'a> {
    table: &'static Table,
    text: &'a str,
    list: &'a mut Vec<Word>,
    letters: &'a mut Vec<u8>,
    /// Where the next letter goes in `letters`.
    out: usize,
    open: Open,
    /// Whether a single link, and nothing else, stands behind the last word.
    link: bool,
    /// Scripts of the open word.
    scripts: u8,
    /// First byte of the open word.
    start: usize,
    /// One past its last byte.
    end: usize,
    /// Where its letters begin.
    from: usize,
}

impl Reader<'_> {
    fn read(&mut self) {
        let bytes = self.text.as_bytes();
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            at = match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => self.take_ascii(at),
                b'\'' | b'-' | b'`' => {
                    self.take(Fold::Link, at, at + 1);
                    at + 1
                }
                b'&' => self.take_reference(at),
                0x80.. => self.take_other(at),
                _ => {
                    self.take(Fold::Break, at, at + 1);
                    at + 1
                }
            };
        }
    }

    /// Takes a run of letters and digits that begins with one of ASCII at `at`; returns where it ends.
    #[inline]
    fn take_ascii(&mut self, mut at: usize) -> usize {
        let bytes = self.text.as_bytes();
        if self.open != Open::Word {
            self.begin(at, Open::Word);
        }
        loop {
            let eight = chunk_or_rest(bytes, at);
            let (run, letters) = ascii_run(eight);
            self.write((eight | LOWER).to_le_bytes(), run);
            self.scripts |= u8::from(letters) * Scripts::LATIN.0;
            at += run;
            if run < 8 {
                let Some(entry) = self.letter_of_two(bytes, at) else { break };
                self.take_entry(entry);
                at += 2;
            }
        }
        self.end = at;
        if bytes.get(at) == Some(&b' ') {
            self.close();
            return at + 1;
        }
        at
    }

    /// Takes what a `&` begins: a character that markup left over, or nothing.
    fn take_reference(&mut self, at: usize) -> usize {
        let Some((meaning, length)) = self.text.get(at + 1..).and_then(reference::reference) else {
            self.take(Fold::Break, at, at + 1);
            return at + 1;
        };
        let end = at + 1 + length;
        if let Reference::Character(c) = meaning {
            self.take_char(c, at, end);
        }
        end
    }

    /// Takes the character at `at`, and the letters of two bytes behind it.
    #[inline]
    fn take_other(&mut self, mut at: usize) -> usize {
        let bytes = self.text.as_bytes();
        while let Some(entry) = self.letter_of_two(bytes, at) {
            if self.open != Open::Word {
                self.begin(at, Open::Word);
            }
            self.take_entry(entry);
            at += 2;
            self.end = at;
        }
        if bytes.get(at).is_none_or(u8::is_ascii) {
            return at;
        }
        let Some(c) = self.text.get(at..).and_then(|rest| rest.chars().next()) else { return at + 1 };
        let end = at + c.len_utf8();
        self.take_char(c, at, end);
        end
    }

    /// What the character at `at` becomes, if it has two bytes and is a letter.
    #[inline]
    fn letter_of_two(&self, bytes: &[u8], at: usize) -> Option<Entry> {
        let &[first @ 0xc2..=0xdf, second] = bytes.get(at..)?.first_chunk()? else { return None };
        let code = usize::from(first & 0x1f) << 6 | usize::from(second & 0x3f);
        self.table.entry(code).filter(|entry| entry.is_letter())
    }

    #[inline]
    fn take_entry(&mut self, entry: Entry) {
        let [a, b, c, d] = entry.bytes();
        self.write([a, b, c, d, 0, 0, 0, 0], entry.len());
        self.scripts |= entry.scripts().0;
    }

    /// Takes a character that stands from `start` to `end`.
    fn take_char(&mut self, c: char, start: usize, end: usize) {
        // One character can become many, so the buffer may have to grow.
        self.make_room(self.text.len() - start);
        self.table.fold(c, |fold| self.take(fold, start, end));
    }

    /// Takes the next piece of a character.
    fn take(&mut self, fold: Fold, start: usize, end: usize) {
        match fold {
            Fold::Letter(letter) => {
                if self.open != Open::Word {
                    self.begin(start, Open::Word);
                }
                self.grow(letter, end);
            }
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

    #[inline]
    fn begin(&mut self, start: usize, open: Open) {
        self.close();
        if self.link
            && let Some(before) = self.list.last_mut()
        {
            before.traits.0 |= Traits::LINKED;
        }
        self.link = false;
        self.open = open;
        self.scripts = 0;
        self.start = start;
        self.from = self.out;
    }

    fn grow(&mut self, letter: char, end: usize) {
        let mut bytes = [0; 8];
        let len = letter.encode_utf8(&mut bytes).len();
        self.write(bytes, len);
        self.scripts |= Scripts::of(letter).0;
        self.end = end;
    }

    /// Writes eight bytes, of which the first `len` count.
    #[inline]
    fn write(&mut self, bytes: [u8; 8], len: usize) {
        if let Some(to) = self.letters.get_mut(self.out..).and_then(<[u8]>::first_chunk_mut) {
            *to = bytes;
            self.out += len;
        }
    }

    /// Sees that the buffer takes as many letters as `rest` bytes of ordinary text become.
    fn make_room(&mut self, rest: usize) {
        let wanted = self.out + rest + SLACK;
        if self.letters.len() < wanted {
            self.letters.resize(wanted, 0);
        }
    }

    /// A mark makes another letter of the one before it where Unicode knows that letter and folding keeps it.
    fn join(&mut self, mark: char, start: usize, end: usize) {
        let before = if self.open == Open::None { None } else { self.last_letter() };
        if let Some((at, letter)) = before
            && let Some(whole) = compose(letter, mark)
            && fold::is_folded(whole)
        {
            self.out = at;
            self.grow(whole, end);
        } else if fold::is_mark_only(mark) {
            self.end = end;
        } else {
            if self.open == Open::None {
                self.begin(start, Open::Word);
            }
            self.grow(mark, end);
        }
    }

    /// The last letter of the open word, and where it stands in the buffer.
    fn last_letter(&self) -> Option<(usize, char)> {
        let word = self.letters.get(self.from..self.out)?;
        // Only its own bytes are looked at, or a word of nothing but marks would be read again for each of them.
        let behind = word.iter().rev().take_while(|byte| **byte & 0xc0 == 0x80).count();
        let at = self.out.checked_sub(behind + 1)?;
        let letter = std::str::from_utf8(self.letters.get(at..self.out)?).ok()?.chars().next()?;
        (at >= self.from).then_some((at, letter))
    }

    #[inline]
    fn close(&mut self) {
        if self.open == Open::None {
            return;
        }
        let traits = Traits(u8::from(self.open == Open::Single) * Traits::SINGLE);
        self.open = Open::None;
        self.list.push(Word {
            hash: hash_between(self.letters, self.from, self.out),
            from: offset(self.from),
            to: offset(self.out),
            start: offset(self.start),
            end: offset(self.end),
            traits,
            scripts: Scripts(self.scripts),
        });
    }
}

/// The bit that makes a small letter of a capital one; digits have it already.
const LOWER: u64 = 0x2020_2020_2020_2020;

/// Of eight bytes: how many of the first are ASCII letters or digits, and whether one of those is a letter.
///
/// Every byte is tested at once: adding a constant to its low seven bits carries into the eighth exactly when it
/// lies above a bound.
#[inline]
fn ascii_run(eight: u64) -> (usize, bool) {
    const HIGH: u64 = 0x8080_8080_8080_8080;
    const EACH: u64 = 0x0101_0101_0101_0101;
    const LETTER_A: u64 = 0x61;
    const LETTER_Z: u64 = 0x7a;
    const DIGIT_0: u64 = 0x30;
    const DIGIT_9: u64 = 0x39;
    let low = eight & !HIGH;
    let small = low | LOWER;
    let letters = (small + EACH * (0x80 - LETTER_A)) & !(small + EACH * (0x7f - LETTER_Z));
    let digits = (low + EACH * (0x80 - DIGIT_0)) & !(low + EACH * (0x7f - DIGIT_9));
    let stops = !((letters | digits) & !eight) & HIGH;
    // Bit 7 of the first byte that stops the run.
    let zeros = stops.trailing_zeros();
    let before = stops.wrapping_sub(1) & !stops;
    (zeros as usize / 8, letters & !eight & HIGH & before != 0)
}

/// Eight bytes of a text from `at` on; near its end the rest, and zeros.
#[inline]
fn chunk_or_rest(bytes: &[u8], at: usize) -> u64 {
    if at + 8 <= bytes.len() {
        return chunk(bytes, at);
    }
    let rest = bytes.get(at..).unwrap_or_default();
    rest.iter().rev().fold(0, |eight, &byte| eight << 8 | u64::from(byte))
}

/// [`FIELD_BYTES_MAX`] keeps every offset far below the limit of `u32`.
#[inline]
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
