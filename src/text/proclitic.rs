//! What Arabic writes in front of a word without a space: and, so, by, like, to, the.

const LAM: &str = "\u{644}";

/// Letters that a word keeps at least when something is taken off in front.
const STEM_LETTERS_MIN: usize = 2;

/// Bytes of an Arabic letter.
const LETTER_BYTES: usize = 2;

/// Whether a folded word begins with a letter that can be taken off it.
pub(crate) fn may_have_proclitics(word: &[u8]) -> bool {
    // و ف, ب ك ل and the ا of ال
    matches!(word, [0xd9, 0x88 | 0x81 | 0x83 | 0x84, ..] | [0xd8, 0xa8 | 0xa7, ..])
}

/// Calls `each` with the readings of a folded word without و or ف, then without ب, ك or ل, then without ال,
/// as far as they stand there. `لل` is ل before ال and is read both with and without the article.
///
/// A reading is a piece of the word and whether the article is to be put back before it.
pub(crate) fn without_proclitics<'a>(word: &'a str, mut each: impl FnMut(&'a str, bool)) {
    let mut give = |rest: &'a str, article: bool| {
        if rest.len() >= STEM_LETTERS_MIN * LETTER_BYTES {
            each(rest, article);
        }
    };
    let mut rest = word;
    // A word may begin with one of these letters itself, so each step also stands as it is.
    if let Some(bare) = rest.strip_prefix(['\u{648}', '\u{641}']) {
        rest = bare;
        give(rest, false);
    }
    if let Some(bare) = rest.strip_prefix(['\u{628}', '\u{643}']) {
        rest = bare;
        give(rest, false);
    } else if let Some(bare) = rest.strip_prefix(LAM) {
        rest = bare;
        give(rest, false);
        if let Some(bare) = rest.strip_prefix(LAM) {
            give(bare, false);
            give(bare, true);
            return;
        }
    }
    if let Some(bare) = rest.strip_prefix("\u{627}\u{644}") {
        give(bare, false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proclitics_come_off_one_after_the_other() {
        for (word, expected) in [
            ("مالي", &[][..]),
            ("ومالي", &["مالي"]),
            ("الجيش", &["جيش"]),
            ("والجيش", &["الجيش", "جيش"]),
            ("وبالجيش", &["بالجيش", "الجيش", "جيش"]),
            ("للجيش", &["لجيش", "جيش", "الجيش"]),
            ("لمالي", &["مالي"]),
            ("ول", &[]),
            ("wagner", &[]),
        ] {
            let mut found = Vec::new();
            without_proclitics(word, |rest, article| {
                found.push(if article { format!("ال{rest}") } else { rest.to_owned() });
            });
            assert_eq!(found, expected, "{word}");
            assert!(expected.is_empty() || may_have_proclitics(word.as_bytes()), "{word}");
        }
    }
}
