//! The words of a term: how they are cut, folded and linked.

use std::cell::RefCell;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::{Meets, Phrase, PhraseWord, TERM_WORDS_MAX, Term, TermError, error};
use crate::text::{Field, Words, is_invisible};

/// Letters that stand before a `*` at least; fewer would match half a language.
const PREFIX_LETTERS_MIN: usize = 2;

/// Letters that stand before a `*` at most.
const PREFIX_LETTERS_MAX: usize = 31;

/// Linked words of a phrase that are tried both joined and apart, each for itself; with more of them only all
/// joined and all apart.
const LINKS_VARIED_MAX: usize = 3;

/// Bytes of folded letters before a `*` at most.
const PREFIX_BYTES_MAX: usize = 63;

/// Reads `=Exact words`, without the sign.
pub(super) fn exact(spelling: &str, part: &str) -> Result<Term, TermError> {
    if spelling.contains('*') {
        return error(
            format!("`{part}` has a `*` in an exact term"),
            "take off the `=` or the `*`: `=` asks for whole words as written",
        );
    }
    let words = split(spelling, part)?;
    let spelt = words.iter().map(|word| self::spelling(&word.written)).collect();
    Ok(Term::Exact(words.into_iter().map(|word| word.folded).collect(), spelt))
}

/// Reads `~words`, without the sign.
pub(super) fn stems(words: &str, part: &str) -> Result<Term, TermError> {
    if words.contains('*') {
        return error(
            format!("`{part}` has a `*` in a term of stems"),
            "take off the `~` or the `*`: `~` finds all forms of a whole word",
        );
    }
    let mut words = split(words, part)?;
    for word in &mut words {
        // A name with a hyphen has no forms but its parts'.
        word.linked = false;
        if word.folded.letters.chars().all(char::is_alphabetic) {
            word.folded.meets = Meets::Stem;
        }
    }
    Ok(Term::Words(vec![words.into_iter().map(|word| word.folded).collect()]))
}

/// Reads plain words and prefixes.
pub(super) fn phrase(part: &str) -> Result<Term, TermError> {
    let mut forms = linked_forms(&split(part, part)?);
    // The German way to write an umlaut without one.
    if part.contains(['ä', 'ö', 'ü', 'Ä', 'Ö', 'Ü', UMLAUT]) {
        let spelt_out: String = part.nfc().map(spelt_out).collect();
        forms.extend(linked_forms(&split(&spelt_out, part)?));
    }
    Ok(Term::Words(forms))
}

/// The mark that makes ä of a.
const UMLAUT: char = '\u{308}';

fn spelt_out(c: char) -> String {
    match c {
        'ä' | 'Ä' => "ae".to_owned(),
        'ö' | 'Ö' => "oe".to_owned(),
        'ü' | 'Ü' => "ue".to_owned(),
        other => other.to_string(),
    }
}

thread_local! {
    /// The words of one piece of a term, kept for the next one: a large desk has a hundred thousand.
    static BUFFER: RefCell<Words> = RefCell::default();
}

/// A word of a term, before its links are resolved.
struct TermWord {
    folded: PhraseWord,
    written: String,
    linked: bool,
}

fn split(text: &str, part: &str) -> Result<Vec<TermWord>, TermError> {
    let mut words = Vec::new();
    BUFFER.with_borrow_mut(|buffer| {
        text.split_whitespace().try_for_each(|piece| split_piece(piece, part, buffer, &mut words))
    })?;
    if words.is_empty() {
        let has_sigil = part.starts_with(['=', '~']);
        let message = if has_sigil { "names nothing" } else { "has no letter or digit" };
        return error(format!("`{part}` {message}"), "write the words to look for");
    }
    if words.len() > TERM_WORDS_MAX {
        return error(format!("`{part}` has more than {TERM_WORDS_MAX} words"), "shorten it");
    }
    Ok(words)
}

/// Reads what stands between two spaces: `Вагнер*»`, `s'empare*`, `террорист*-смертник*`.
fn split_piece(
    piece: &str,
    part: &str,
    buffer: &mut Words,
    out: &mut Vec<TermWord>,
) -> Result<(), TermError> {
    if piece.starts_with(['@', '~', '=']) && piece.chars().nth(1).is_some_and(char::is_alphanumeric) {
        return error(
            format!("`{part}` has `{piece}` inside it"),
            "`@`, `~` and `=` stand only at the start of a term; make it a term of its own",
        );
    }
    let mut behind_star = false;
    for stretch in piece.split_inclusive('*') {
        let (stem, prefix) = match stretch.strip_suffix('*') {
            Some(stem) => (stem, true),
            None => (stretch, false),
        };
        if behind_star && stem.starts_with(|c: char| c.is_alphanumeric() || is_combining_mark(c)) {
            return error(format!("`{part}` has a `*` before or inside a word"), WHERE_STAR_STANDS);
        }
        split_stem(stem, prefix, part, buffer, out)?;
        behind_star = prefix;
    }
    Ok(())
}

/// Reads words up to a `*`, which then belongs to the last of them.
fn split_stem(
    stem: &str,
    prefix: bool,
    part: &str,
    words: &mut Words,
    out: &mut Vec<TermWord>,
) -> Result<(), TermError> {
    words.read("", stem);
    let range = words.field(Field::Text);
    let last = range.end.checked_sub(1);
    let ends_in_word = last.is_some_and(|last| words.bytes(last).end == stem.len());
    if prefix && !ends_in_word {
        return error(format!("`{part}` has a `*` that ends no word"), WHERE_STAR_STANDS);
    }
    for place in range {
        let Some(word) = words.word(place) else { continue };
        let letters = words.letters(place, place).to_owned();
        let prefix = prefix && Some(place) == last && !word.traits.single();
        let count = letters.chars().count();
        if prefix
            && (!(PREFIX_LETTERS_MIN..=PREFIX_LETTERS_MAX).contains(&count)
                || letters.len() > PREFIX_BYTES_MAX)
        {
            return error(
                format!("`{part}` has {count} letters before `*`"),
                &format!("write {PREFIX_LETTERS_MIN} to {PREFIX_LETTERS_MAX} letters before it"),
            );
        }
        let meets = if prefix { Meets::Prefix } else { Meets::Whole };
        out.push(TermWord {
            folded: PhraseWord { letters, meets },
            written: words.bytes(place).of(stem).to_owned(),
            linked: word.traits.linked(),
        });
    }
    Ok(())
}

/// The remedy for a misplaced star.
pub(super) const WHERE_STAR_STANDS: &str = "`*` ends a word after at least 2 letters: `word*`";

/// A word as `=` compares it: composed, and without what cannot be seen.
pub(crate) fn spelling(word: &str) -> String {
    word.chars().filter(|&c| !is_invisible(c)).nfc().collect()
}

/// All ways to write the links of a phrase: `al qaida` and `alqaida`.
fn linked_forms(words: &[TermWord]) -> Vec<Phrase> {
    let chains = words.iter().filter(|word| word.linked).count();
    if chains == 0 {
        return vec![words.iter().map(|word| word.folded.clone()).collect()];
    }
    let choices: Vec<u32> = match chains {
        few if few <= LINKS_VARIED_MAX => (0..1 << few).collect(),
        _ => vec![0, u32::MAX],
    };
    let mut forms: Vec<Phrase> = Vec::new();
    for joined in choices {
        let mut form = Phrase::new();
        let mut link = 0;
        let mut join_next = false;
        for word in words {
            match form.last_mut() {
                Some(before) if join_next => {
                    before.letters.push_str(&word.folded.letters);
                    before.meets = word.folded.meets;
                }
                _ => form.push(word.folded.clone()),
            }
            join_next = word.linked && joined & 1 << link.min(31) != 0;
            link += u32::from(word.linked);
        }
        if form.iter().all(|word| word.meets != Meets::Prefix || word.letters.len() <= PREFIX_BYTES_MAX)
            && !forms.contains(&form)
        {
            forms.push(form);
        }
    }
    forms
}
