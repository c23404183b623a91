//! What a character becomes when text is folded, so that what readers take for the same word is the same word.
//!
//! In this order: NFKC, lower case, NFD, marks off, then the rules of the scripts, and NFC for what is left.
//! The basic plane is looked up in a table that is built once from the Unicode data; the planes above it are
//! rare enough to be folded on the spot.

use std::sync::OnceLock;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::{decompose_compatible, is_combining_mark};

/// What a character does to the text it stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fold {
    /// Ends a word.
    Break,
    /// Leaves no trace: soft hyphens, zero-width and bidi marks, tatweel.
    Invisible,
    /// An accent: leaves no letter, but belongs to the word before it.
    Mark,
    /// Ends a word; when words stand on both sides, they may also be read as one (`Al-Qaida`).
    Link,
    /// A letter or digit.
    Letter(char),
    /// A letter of a script without spaces: a word by itself.
    Single(char),
    /// A mark that makes another letter of the one before it (и + breve = й), or stands as a letter.
    Join(char),
}

/// Number of characters in the basic plane.
const BASIC_PLANE: u32 = 0x1_0000;

/// Times a folded character is folded again before it must have settled.
const FOLD_ROUNDS_MAX: usize = 4;

/// The decimal zero of every script of the basic plane that has digits of its own (Unicode 16, category Nd).
const ZEROS: &[u32] = &[
    0x0660, 0x06f0, 0x07c0, 0x0966, 0x09e6, 0x0a66, 0x0ae6, 0x0b66, 0x0be6, 0x0c66, 0x0ce6, 0x0d66, 0x0de6,
    0x0e50, 0x0ed0, 0x0f20, 0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90, 0x1b50, 0x1bb0,
    0x1c40, 0x1c50, 0xa620, 0xa8d0, 0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0,
];

/// What a character of the basic plane becomes, in one number. Letters, by far the most, hold up to three bytes
/// of folded UTF-8 (bits 0 to 23), their count (24 and 25) and the script (28 to 31), and so does a letter that is
/// a word by itself; for all else bits 0 to 23 lead to the list of folds: the place of the first (0 to 15) and how
/// many there are (16 to 23).
#[derive(Clone, Copy)]
pub(crate) struct Entry(u32);

/// Marks an [`Entry`] of a letter that is a word by itself.
const SINGLE: u32 = 1 << 26;

/// Marks an [`Entry`] that is no letter.
const LISTED: u32 = 1 << 27;

/// The [`Entry`] of what ends a word: the first of the list of folds.
const BREAK: Entry = Entry(LISTED | 1 << 16);

impl Entry {
    /// Whether the character becomes letters, and nothing else.
    #[inline]
    pub(crate) fn is_letter(self) -> bool {
        self.0 & (SINGLE | LISTED) == 0
    }

    /// Of a letter: its folded bytes, those past [`Entry::len`] without meaning.
    #[inline]
    pub(crate) fn bytes(self) -> [u8; 4] {
        self.0.to_le_bytes()
    }

    /// Of a letter: how many bytes it becomes, 1 to 3.
    #[inline]
    pub(crate) fn len(self) -> usize {
        (self.0 >> 24 & 3) as usize
    }

    /// Of a letter: its script.
    #[inline]
    pub(crate) fn scripts(self) -> Scripts {
        Scripts((self.0 >> 28) as u8)
    }
}

/// A set of the scripts whose letters a word can be made of, as far as it matters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Scripts(pub(crate) u8);

impl Scripts {
    /// Latin letters.
    pub(crate) const LATIN: Self = Self(1);
    /// Cyrillic letters.
    pub(crate) const CYRILLIC: Self = Self(2);
    /// Arabic letters.
    pub(crate) const ARABIC: Self = Self(4);
    /// Greek letters.
    pub(crate) const GREEK: Self = Self(8);

    /// The script of a letter.
    pub(crate) fn of(c: char) -> Self {
        if !c.is_alphabetic() {
            return Self(0);
        }
        match c {
            'a'..='z' | 'A'..='Z' | '\u{c0}'..='\u{24f}' => Self::LATIN,
            '\u{370}'..='\u{3ff}' => Self::GREEK,
            '\u{400}'..='\u{52f}' => Self::CYRILLIC,
            '\u{620}'..='\u{6ff}' => Self::ARABIC,
            _ => Self(0),
        }
    }

    /// Whether it has letters of all of `other`.
    pub(crate) fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// The beginning of the list of folds: those that many characters have. [`BREAK`] leads to the first.
const COMMON: [Fold; 4] = [Fold::Break, Fold::Invisible, Fold::Mark, Fold::Link];

/// What every character of the basic plane becomes.
pub(crate) struct Table {
    basic: Vec<Entry>,
    many: Vec<Fold>,
}

impl Table {
    /// What the character with that number becomes, for one of the basic plane.
    #[inline]
    pub(crate) fn entry(&self, code: usize) -> Option<Entry> {
        self.basic.get(code).copied()
    }

    /// Calls `each` with what `c` becomes: mostly one thing, for a ligature or a fraction several.
    pub(crate) fn fold(&self, c: char, mut each: impl FnMut(Fold)) {
        let Some(entry) = self.entry(c as usize) else {
            return classify(c).into_iter().for_each(each);
        };
        if entry.0 & LISTED == 0 {
            let unit = if entry.is_letter() { Fold::Letter } else { Fold::Single };
            let bytes = entry.bytes();
            let folded = bytes.get(..entry.len()).and_then(|bytes| std::str::from_utf8(bytes).ok());
            return folded.unwrap_or_default().chars().for_each(|letter| each(unit(letter)));
        }
        let (start, len) = (entry.0 & 0xffff, entry.0 >> 16 & 0xff);
        let several = self.many.get(start as usize..(start + len) as usize).unwrap_or_default();
        several.iter().copied().for_each(each);
    }
}

/// Whether folding leaves a letter as it is.
pub(crate) fn is_folded(c: char) -> bool {
    let mut same = true;
    table().fold(c, |fold| same &= matches!(fold, Fold::Letter(kept) | Fold::Single(kept) if kept == c));
    same
}

/// The table, built when it is asked for first.
pub(crate) fn table() -> &'static Table {
    static TABLE: OnceLock<Table> = OnceLock::new();
    TABLE.get_or_init(build)
}

fn build() -> Table {
    let mut table = Table { basic: Vec::with_capacity(BASIC_PLANE as usize), many: COMMON.to_vec() };
    for code in 0..BASIC_PLANE {
        let c = char::from_u32(code);
        if let Some(entry) = c.and_then(alike) {
            table.basic.push(entry);
            continue;
        }
        let folds = c.map(classify).unwrap_or_default();
        // The reader has room for as many letters as the text has bytes: what grows (Ⱥ) is listed, and asks for more.
        let fits = |entry: &Entry| entry.len() <= c.map_or(0, char::len_utf8);
        let entry = letters(&folds).filter(fits).unwrap_or_else(|| list(&folds, &mut table.many));
        table.basic.push(entry);
    }
    table
}

/// The entry of a character of the long ranges in which all are alike and stay what they are: ideographs, syllables of
/// Hangul, private use. They are most of the plane, and to classify each would cost a start 20 ms.
fn alike(c: char) -> Option<Entry> {
    let kind = match c {
        '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' => SINGLE,
        '\u{ac00}'..='\u{d7a3}' => 0,
        '\u{e000}'..='\u{f8ff}' => return Some(BREAK),
        _ => return None,
    };
    let mut bytes = [0; 4];
    c.encode_utf8(&mut bytes);
    // Three bytes each, and of no script that matters.
    Some(Entry(u32::from_le_bytes(bytes) | 3 << 24 | kind))
}

/// The entry of a character that becomes one to three bytes of letters, or one letter that is a word by itself.
fn letters(folds: &[Fold]) -> Option<Entry> {
    if let [Fold::Single(letter)] = folds {
        return letters(&[Fold::Letter(*letter)]).map(|entry| Entry(entry.0 | SINGLE));
    }
    let mut text = String::new();
    let mut scripts = 0;
    for fold in folds {
        let Fold::Letter(letter) = fold else { return None };
        text.push(*letter);
        scripts |= Scripts::of(*letter).0;
    }
    let len = u32::try_from(text.len()).ok().filter(|len| (1..=3).contains(len))?;
    let packed = text.bytes().rev().fold(0, |packed, byte| packed << 8 | u32::from(byte));
    Some(Entry(packed | len << 24 | u32::from(scripts) << 28))
}

/// The entry of any other, its folds appended to `many`; what does not fit there ends a word.
fn list(folds: &[Fold], many: &mut Vec<Fold>) -> Entry {
    if folds.is_empty() || folds == [Fold::Break] {
        return BREAK;
    }
    let known = if let [one] = folds { COMMON.iter().position(|known| known == one) } else { None };
    let start = known.unwrap_or(many.len());
    match (u16::try_from(start), u8::try_from(folds.len())) {
        (Ok(start), Ok(len)) => {
            if known.is_none() {
                many.extend_from_slice(folds);
            }
            Entry(LISTED | u32::from(len) << 16 | u32::from(start))
        }
        _ => BREAK,
    }
}

fn classify(c: char) -> Vec<Fold> {
    if is_invisible(c) {
        return vec![Fold::Invisible];
    }
    if is_link(c) {
        return vec![Fold::Link];
    }
    if is_accent(c) {
        return vec![if c == BREVE { Fold::Join(c) } else { Fold::Mark }];
    }
    // NFKC would glue them to the name they stand behind.
    if matches!(c, '\u{2120}' | '\u{2122}') {
        return vec![Fold::Break];
    }
    if stays(c) {
        return vec![unit(c)];
    }
    let mut text = String::from(c);
    for _ in 0..FOLD_ROUNDS_MAX {
        let next = fold_once(&text);
        if next == text {
            break;
        }
        text = next;
    }
    text.chars().filter(|&f| !is_invisible(f)).map(unit).collect()
}

/// What a character that is already folded counts as.
fn unit(c: char) -> Fold {
    if is_link(c) {
        Fold::Link
    } else if is_vowel_sign(c) || matches!(c, '\u{1160}'..='\u{11ff}') {
        Fold::Join(c)
    } else if is_spaceless(c) {
        Fold::Single(c)
    } else if c.is_alphanumeric() {
        Fold::Letter(c)
    } else {
        Fold::Break
    }
}

/// Whether folding leaves the character as it is, as it does most.
fn stays(c: char) -> bool {
    let mut is_whole = true;
    // Hangul syllables are taken apart and put together again.
    if !matches!(c, '\u{ac00}'..='\u{d7a3}') {
        decompose_compatible(c, |part| is_whole &= part == c);
    }
    is_whole && c.to_lowercase().eq([c]) && is_unruled(c)
}

/// Whether the rules of the scripts leave the character as it is.
fn is_unruled(c: char) -> bool {
    let mut ruled = String::new();
    script_rule(c, &mut ruled);
    ruled.chars().eq([c])
}

fn fold_once(text: &str) -> String {
    let mut bare = String::new();
    for c in text.nfkc().flat_map(char::to_lowercase) {
        // Its breve makes another letter of it, not an accented one.
        if c == 'й' || is_vowel_sign(c) {
            bare.push(c);
            continue;
        }
        for part in std::iter::once(c).nfd().filter(|&part| !is_accent(part)) {
            script_rule(part, &mut bare);
        }
    }
    bare.nfc().collect()
}

/// Letters that their readers take for others, and digits of all scripts.
fn script_rule(c: char, out: &mut String) {
    let value = |zero: &u32| u32::from(c).checked_sub(*zero).filter(|digit| *digit < 10);
    if c.is_numeric()
        && let Some(digit) = ZEROS.iter().find_map(value)
    {
        out.extend(char::from_digit(digit, 10));
        return;
    }
    // Among them those of Hausa, Fulfulde, Bambara, Songhay and Tamasheq, written plain where no keyboard has them.
    let one = match c {
        'ß' => return out.push_str("ss"),
        'æ' => return out.push_str("ae"),
        'œ' => return out.push_str("oe"),
        'þ' => return out.push_str("th"),
        'ı' | 'ɩ' => 'i',
        'ø' | 'ɔ' => 'o',
        'ł' => 'l',
        'đ' | 'ð' | 'ɖ' | 'ɗ' => 'd',
        'ħ' => 'h',
        'ŧ' => 't',
        'ɓ' => 'b',
        'ɛ' | 'ə' | 'ǝ' => 'e',
        'ɣ' => 'g',
        'ƙ' => 'k',
        'ŋ' | 'ɲ' => 'n',
        'ʊ' => 'u',
        'ʋ' => 'v',
        'ƴ' => 'y',
        'ς' => 'σ',
        // alef wasla
        '\u{671}' => '\u{627}',
        // alef maksura and the Persian yeh are written for yeh
        '\u{649}' | '\u{6cc}' => '\u{64a}',
        // teh marbuta, and the heh of Urdu, Persian and Uighur
        '\u{629}' | '\u{6c1}' | '\u{6be}' | '\u{6d5}' => '\u{647}',
        // keheh
        '\u{6a9}' => '\u{643}',
        other => other,
    };
    out.push(one);
}

/// The breve that makes й of и; on other letters it is an accent.
const BREVE: char = '\u{306}';

/// Whether a [`Fold::Join`] that joined nothing is an accent and leaves no letter.
pub(crate) fn is_mark_only(c: char) -> bool {
    c == BREVE
}

/// Characters that have no width and no meaning for a reader.
pub(crate) fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{61c}' | '\u{640}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
    )
}

/// Hyphens, and what people type for an apostrophe, an ayn or a hamza. Dashes only separate.
fn is_link(c: char) -> bool {
    matches!(
        c,
        '-' | '\u{2010}' | '\u{2011}' | '\u{fe63}' | '\u{ff0d}' | '\u{5be}'
            | '\'' | '`' | '\u{b4}' | '\u{2018}'..='\u{201b}' | '\u{2032}' | '\u{2b9}'..='\u{2bf}' | '\u{2c8}'
            | '\u{ff07}' | '\u{55a}'
    )
}

/// Marks that fold away: accents, vowel points, variation selectors. Not the vowel signs of scripts that
/// write vowels as marks.
fn is_accent(c: char) -> bool {
    is_combining_mark(c) && !is_vowel_sign(c)
}

/// Marks of Indic and South-East Asian scripts, and the voicing marks of kana: without them a word is another.
fn is_vowel_sign(c: char) -> bool {
    is_combining_mark(c)
        && matches!(c, '\u{900}'..='\u{109f}' | '\u{1700}'..='\u{17ff}' | '\u{1900}'..='\u{1aaf}'
            | '\u{1b00}'..='\u{1bff}' | '\u{3099}' | '\u{309a}' | '\u{a800}'..='\u{abff}')
}

/// Scripts that put no spaces between words: Thai, Lao, Burmese, Khmer, kana and Han.
fn is_spaceless(c: char) -> bool {
    c.is_alphabetic()
        && matches!(c, '\u{e01}'..='\u{e4e}' | '\u{e81}'..='\u{ecd}' | '\u{1000}'..='\u{103f}'
            | '\u{1780}'..='\u{17b3}' | '\u{3005}'..='\u{3007}' | '\u{3040}'..='\u{30ff}'
            | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}'
            | '\u{20000}'..='\u{3ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn letters(c: char) -> String {
        classify(c)
            .into_iter()
            .map(|fold| match fold {
                Fold::Letter(c) | Fold::Single(c) | Fold::Join(c) => c,
                Fold::Break | Fold::Link => ' ',
                Fold::Invisible | Fold::Mark => '_',
            })
            .collect()
    }

    #[test]
    fn characters_fold_to_what_their_readers_take_them_for() {
        for (c, expected) in [
            ('A', "a"),
            ('É', "e"),
            ('ß', "ss"),
            ('İ', "i"),
            ('ı', "i"),
            ('Ł', "l"),
            ('Œ', "oe"),
            ('ﬁ', "fi"),
            ('Ɓ', "b"),
            ('ɗ', "d"),
            ('Ƙ', "k"),
            ('ƴ', "y"),
            ('Ɛ', "e"),
            ('ɔ', "o"),
            ('ŋ', "n"),
            ('Ɲ', "n"),
            ('Ё', "е"),
            ('Й', "й"),
            ('ї', "і"),
            ('Σ', "σ"),
            ('ς', "σ"),
            ('أ', "ا"),
            ('إ', "ا"),
            ('آ', "ا"),
            ('ٱ', "ا"),
            ('ى', "ي"),
            ('ی', "ي"),
            ('ک', "ك"),
            ('ة', "ه"),
            ('ؤ', "و"),
            ('ئ', "ي"),
            ('ﻻ', "لا"),
            ('٣', "3"),
            ('۳', "3"),
            ('３', "3"),
            ('½', "1 2"),
            ('㍿', "株式会社"),
            ('が', "が"),
            ('\u{640}', "_"),
            ('\u{64b}', "_"),
            ('\u{ad}', "_"),
            ('™', " "),
            ('’', " "),
            ('𝐖', "w"),
        ] {
            assert_eq!(letters(c), expected, "{c}");
        }
    }

    #[test]
    fn the_table_holds_what_the_rules_say_and_folding_has_settled() {
        for c in (0..BASIC_PLANE).filter_map(char::from_u32) {
            let direct = classify(c);
            let mut stored = Vec::new();
            table().fold(c, |fold| stored.push(fold));
            assert!(stored == direct || direct.is_empty(), "{c:?}: {stored:?} {direct:?}");
            for part in stored {
                if let Fold::Letter(letter) | Fold::Single(letter) = part {
                    assert!(is_folded(letter), "{c:?} is not settled");
                }
            }
        }
    }

    #[test]
    fn what_stays_is_what_folding_does_not_change() {
        let staying: Vec<_> = (0..BASIC_PLANE).filter_map(char::from_u32).filter(|c| stays(*c)).collect();
        let changed = staying.iter().find(|c| fold_once(&c.to_string()) != c.to_string() && !is_accent(**c));
        assert_eq!(changed, None);
        assert!(['a', 'я', '中', '한'].iter().all(|c| staying.contains(c)));
        assert!(['É', 'й', 'ß', 'ک'].iter().all(|c| !staying.contains(c)));
    }
}
