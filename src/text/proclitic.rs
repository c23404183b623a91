//! What Arabic writes in front of a word without a space: and, so, by, like, to, the.

const LAM: char = '\u{644}';
const ALEF: char = '\u{627}';

/// Letters that a word keeps at least when something is taken off in front.
const STEM_LETTERS_MIN: usize = 2;

/// Most readings of one word that [`without_proclitics`] gives.
const READINGS_MAX: usize = 6;

/// Calls `each` with the readings of a folded word without و or ف, then without ب, ك or ل, then without ال,
/// as far as they stand there. `لل` is ل before ال and is read both with and without the article.
///
/// A reading is an offset into `letters` and whether the article is to be put back before it.
pub(crate) fn without_proclitics(letters: &[char], mut each: impl FnMut(usize, bool)) {
    let mut at = 0;
    let mut left = READINGS_MAX;
    let mut give = |at: usize, article: bool| {
        if at > 0 && left > 0 && letters.len() >= at + STEM_LETTERS_MIN {
            left -= 1;
            each(at, article);
        }
    };
    let next = |at: usize| letters.get(at).copied();
    // A word may begin with one of these letters itself, so each step also stands as it is.
    if matches!(next(at), Some('\u{648}' | '\u{641}')) {
        at += 1;
        give(at, false);
    }
    if matches!(next(at), Some('\u{628}' | '\u{643}')) {
        at += 1;
        give(at, false);
    } else if next(at) == Some(LAM) {
        at += 1;
        give(at, false);
        if next(at) == Some(LAM) {
            give(at + 1, false);
            give(at + 1, true);
            return;
        }
    }
    if next(at) == Some(ALEF) && next(at + 1) == Some(LAM) {
        give(at + 2, false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn readings(word: &str) -> Vec<String> {
        let letters: Vec<char> = word.chars().collect();
        let mut found = Vec::new();
        without_proclitics(&letters, |at, article| {
            let stem: String = letters[at..].iter().collect();
            found.push(if article { format!("ال{stem}") } else { stem });
        });
        found
    }

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
            assert_eq!(readings(word), expected, "{word}");
        }
    }
}
