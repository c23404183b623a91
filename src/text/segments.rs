//! Where paragraphs and sentences begin.
//!
//! A paragraph ends with its line; the title is one by itself. A sentence ends at a full stop, a question or
//! exclamation mark of any script, or with its paragraph. A full stop behind a single letter or a common
//! abbreviation ends none, nor does one before a small letter.

use super::words::{Pos, Words};
use super::{ByteSpan, Field};

/// Abbreviations that stand before a name or a number, folded.
const ABBREVIATIONS: &[&str] = &[
    "mr", "mrs", "ms", "dr", "prof", "gen", "col", "lt", "maj", "capt", "cpl", "sgt", "brig", "adm", "hon",
    "rev", "st", "sen", "rep", "gov", "pres", "no", "vs", "etc", "mm", "mme", "mlle", "me", "cdt", "cne",
    "av", "env", "art", "г", "гг", "им", "ген", "полк", "ул", "тыс", "млн", "млрд", "руб", "др", "см", "т",
    "д", "е",
];

/// Characters that end a line and with it a paragraph: the newline, and those that stand for a line's or a paragraph's
/// end in Unicode.
const ENDS_LINE: [char; 3] = ['\n', '\u{2028}', '\u{2029}'];

/// The position of the first word of every paragraph but the first.
pub(crate) fn paragraphs(words: &Words, texts: [&str; 2]) -> Vec<Pos> {
    breaks(words, texts, |gap, _, _| gap.contains(ENDS_LINE))
}

/// The position of the first word of every sentence but the first.
pub(crate) fn sentences(words: &Words, texts: [&str; 2]) -> Vec<Pos> {
    breaks(words, texts, |gap, before, behind| gap.contains(ENDS_LINE) || ends_sentence(gap, before, behind))
}

/// Positions of words that begin a piece: the first of the text, and those before which `is_break` says so of
/// what stands between two words, the folded word before it and what follows.
fn breaks(words: &Words, texts: [&str; 2], is_break: impl Fn(&str, &str, &str) -> bool) -> Vec<Pos> {
    let mut found = Vec::new();
    for (field, text) in [Field::Title, Field::Text].into_iter().zip(texts) {
        let range = words.field(field);
        for place in range.clone() {
            let begins = if place == range.start {
                place > 0
            } else {
                let gap = ByteSpan { start: words.bytes(place - 1).end, end: words.bytes(place).start };
                let behind = text.get(gap.end..).unwrap_or_default();
                is_break(gap.of(text), words.letters(place - 1, place - 1), behind)
            };
            if begins {
                found.push(words.pos(place));
            }
        }
    }
    found
}

fn ends_sentence(gap: &str, before: &str, behind: &str) -> bool {
    let strong = |c| matches!(c, '!' | '?' | '…' | '؟' | '۔' | '。' | '！' | '？' | '।' | '።');
    if gap.contains(strong) {
        return true;
    }
    let Some((_, rest)) = gap.split_once('.') else { return false };
    // Two dots and more are a dash to some, and an ellipsis to others.
    if rest.contains('.') {
        return behind.starts_with(char::is_uppercase);
    }
    rest.contains(char::is_whitespace)
        && before.chars().nth(1).is_some()
        && !ABBREVIATIONS.contains(&before)
        && !behind.chars().next().is_some_and(char::is_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first words of all pieces but the first.
    fn begins(find: fn(&Words, [&str; 2]) -> Vec<Pos>, title: &str, text: &str) -> Vec<String> {
        let mut words = Words::default();
        words.read(title, text);
        let places = find(&words, [title, text]).into_iter().map(|pos| words.place(pos));
        places.map(|place| words.letters(place, place).to_owned()).collect()
    }

    #[test]
    fn sentences_end_where_readers_end_them() {
        for (text, expected) in [
            ("One. Two three! Four", &["two", "four"][..]),
            ("Gen. Goïta met Col. Sadio Camara. He left.", &["he"]),
            ("M. Macron a dit non. Puis oui", &["puis"]),
            ("at 3.5 percent. Then", &["then"]),
            ("a b. c d", &[]),
            ("«Конец». Начало", &["начало"]),
            ("هل وقع؟ نعم وقع. ثم انتهى", &["نعم", "ثم"]),
            ("One\ntwo", &["two"]),
            ("One\u{2029}two", &["two"]),
            ("U.S. Army", &[]),
            ("مالي.. مقتل جنود", &[]),
            ("He paused... Then", &["then"]),
        ] {
            assert_eq!(begins(sentences, "", text), expected, "{text}");
        }
    }

    #[test]
    fn a_title_is_a_piece_by_itself() {
        assert_eq!(begins(sentences, "Title here", "Text. More"), ["text", "more"]);
        assert_eq!(
            begins(paragraphs, "Title here", "Text. More\nnext\u{2029}last"),
            ["text", "next", "last"]
        );
        assert!(begins(paragraphs, "Title", "").is_empty());
    }
}
