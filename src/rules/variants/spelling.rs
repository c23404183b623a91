//! Tables that write a word in other letters.

/// Letters, where they stand, and what is written for them.
pub(super) type Row = (&'static str, At, &'static str);

/// Where the letters of a row stand in their word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum At {
    Anywhere,
    Start,
    End,
    /// Before `e`, `i` and `y`, or their Cyrillic fellows.
    BeforeSoft,
    AfterVowel,
    BetweenVowels,
}

/// `word` by the first row that fits at each place; letters that none fits are left out.
pub(super) fn write(word: &[char], table: &[&[Row]]) -> String {
    let mut out = String::with_capacity(word.len() * 3);
    let mut at = 0;
    while at < word.len() {
        let row = table
            .iter()
            .copied()
            .flatten()
            .find(|(from, place, _)| stands(word, at, from) && fits(word, at, from, *place));
        at += match row {
            Some((from, _, to)) => {
                out.push_str(to);
                from.chars().count()
            }
            None => 1,
        };
    }
    out
}

/// Whether `from` stands at a place of a word.
pub(super) fn stands(word: &[char], at: usize, from: &str) -> bool {
    let mut rest = word.iter().skip(at);
    from.chars().all(|letter| rest.next() == Some(&letter))
}

fn fits(word: &[char], at: usize, from: &str, place: At) -> bool {
    let before = at.checked_sub(1).and_then(|before| word.get(before)).copied();
    let after = word.get(at + from.chars().count()).copied();
    match place {
        At::Anywhere => true,
        At::Start => before.is_none(),
        At::End => after.is_none(),
        At::BeforeSoft => {
            after.is_some_and(|letter| matches!(letter, 'e' | 'i' | 'y' | 'е' | 'и' | 'э' | 'і'))
        }
        At::AfterVowel => before.is_some_and(is_vowel),
        At::BetweenVowels => before.is_some_and(is_vowel) && after.is_some_and(is_vowel),
    }
}

/// Whether a folded Latin or Cyrillic letter is a vowel; `y` is one.
pub(super) fn is_vowel(letter: char) -> bool {
    matches!(
        letter,
        'a' | 'e' | 'i' | 'o' | 'u' | 'y' | 'а' | 'е' | 'и' | 'о' | 'у' | 'ы' | 'э' | 'ю' | 'я' | 'і' | 'є'
    )
}
