//! Words in which letters of one script stand for their lookalikes of another: `Вaгнeр` with a Latin a and e.
//!
//! The pairs are those that common fonts draw alike in both cases or in small letters (Unicode Technical Standard 39,
//! confusables), as they are folded.

use crate::text::Scripts;

/// Latin letters and the Cyrillic ones that look like them.
const CYRILLIC: &[(char, char)] = &[
    ('a', 'а'),
    ('b', 'в'),
    ('c', 'с'),
    ('e', 'е'),
    ('h', 'н'),
    ('i', 'і'),
    ('j', 'ј'),
    ('k', 'к'),
    ('m', 'м'),
    ('o', 'о'),
    ('p', 'р'),
    ('s', 'ѕ'),
    ('t', 'т'),
    ('x', 'х'),
    ('y', 'у'),
];

/// Latin letters and the Greek ones that look like them.
const GREEK: &[(char, char)] = &[
    ('a', 'α'),
    ('b', 'β'),
    ('e', 'ε'),
    ('h', 'η'),
    ('i', 'ι'),
    ('k', 'κ'),
    ('m', 'μ'),
    ('n', 'ν'),
    ('o', 'ο'),
    ('p', 'ρ'),
    ('t', 'τ'),
    ('v', 'ν'),
    ('x', 'χ'),
    ('y', 'υ'),
    ('z', 'ζ'),
];

/// Writes into `out` the readings of a word of mixed scripts in one script, each in turn, and gives them to `each`.
pub(super) fn in_one_script(word: &str, scripts: Scripts, out: &mut String, mut each: impl FnMut(&str)) {
    for (script, pairs) in [(Scripts::CYRILLIC, CYRILLIC), (Scripts::GREEK, GREEK)] {
        if !scripts.has(Scripts::LATIN) || !scripts.has(script) {
            continue;
        }
        let latin = |c: char| pairs.iter().find(|pair| pair.1 == c).map(|pair| pair.0);
        let other = |c: char| pairs.iter().find(|pair| pair.0 == c).map(|pair| pair.1);
        for (own, change) in [(Scripts::LATIN, &latin as &dyn Fn(char) -> Option<char>), (script, &other)] {
            out.clear();
            let whole = word.chars().all(|c| {
                let letter = if Scripts::of(c) == own || c.is_ascii_digit() { Some(c) } else { change(c) };
                out.extend(letter);
                letter.is_some()
            });
            if whole {
                each(out);
            }
        }
    }
}
