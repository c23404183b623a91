//! Arabic: what Snowball leaves on a word, and what it takes off wrongly. Proclitics are off already.

use super::families::Family;

/// Letters that are left at least when something is taken off.
const ROOT_LETTERS_MIN: usize = 2;

/// Letters that are left at least behind the prefix of the present tense: half the words of three letters
/// that begin with one are no verbs.
const VERB_LETTERS_MIN: usize = 3;

/// Further readings of a word: without the feminine ending, which folding made a heh, or its plural, and
/// without the prefix of the present tense.
pub(super) fn readings(word: &str, each: &mut dyn FnMut(&str)) {
    let noun = word.strip_suffix("ات").or_else(|| word.strip_suffix('ه'));
    if let Some(root) = noun.filter(|root| has_letters(root, ROOT_LETTERS_MIN)) {
        each(root);
    }
    let verb = word.strip_prefix(['ي', 'ت']);
    if let Some(root) = verb.filter(|root| has_letters(root, VERB_LETTERS_MIN)) {
        each(root.strip_suffix("ون").unwrap_or(root));
    }
}

fn has_letters(word: &str, at_least: usize) -> bool {
    word.chars().nth(at_least - 1).is_some()
}

/// Words that Snowball takes for forms of others: each row has one stem of its own.
pub(super) const APART: &[Family] = &[
    // Mali and Malian, not money
    ("مالي", "- ه ين ون"),
];
