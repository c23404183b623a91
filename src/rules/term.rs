//! The syntax of a term, as rules and entities write it: `plain words`, `word*`, `~word`, `=Exact`, `@id`,
//! `@type:x`, `a ..3 b`, `a | b`, and a lone `*`.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::text::{Field, Words, is_invisible};

/// Letters that stand before a `*` at least; fewer would match half a language.
const PREFIX_LETTERS_MIN: usize = 2;

/// Letters that stand before a `*` at most.
const PREFIX_LETTERS_MAX: usize = 31;

/// Bytes of folded letters before a `*` at most.
pub(crate) const PREFIX_BYTES_MAX: usize = 63;

/// Words of a term at most, and pieces of a term with gaps.
const TERM_WORDS_MAX: usize = 16;

/// Words that a gap may take at most.
const GAP_WORDS_MAX: u32 = 100;

/// Linked words of a phrase that are tried both joined and apart, each for itself; with more of them only all
/// joined and all apart.
const LINKS_VARIED_MAX: usize = 3;

/// One of the alternatives of a term.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Alternative {
    /// As written, without the other alternatives.
    pub(crate) written: String,
    /// What it asks for.
    pub(crate) term: Term,
}

/// What a term asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Term {
    /// Words one after the other, in any of these forms (`al qaida`, `alqaida`).
    Words(Vec<Phrase>),
    /// The same with each word spelt exactly so.
    Exact(Phrase, Vec<String>),
    /// An entity or anything below it.
    Entity(String),
    /// Any entity of a type.
    Type(String),
    /// Pieces in this order, each with the words that may stand before it at most; of the first, none.
    Gap(Vec<(u32, Vec<Alternative>)>),
    /// Every item.
    Everything,
}

/// Folded words, one after the other.
pub(crate) type Phrase = Vec<PhraseWord>;

/// A folded word of a term.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct PhraseWord {
    /// Its letters.
    pub(crate) letters: String,
    /// What a word must have in common with it.
    pub(crate) meets: Meets,
}

/// What a word of an item must have in common with a word of a term.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Meets {
    /// All letters.
    Whole,
    /// It need only begin with them.
    Prefix,
    /// It is a form of the same word.
    Stem,
    /// All letters but one.
    Fuzzy,
}

/// Why a text is no term.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TermError {
    /// What is wrong.
    pub(crate) message: String,
    /// The remedy.
    pub(crate) hint: Option<String>,
}

fn error<T>(message: impl Into<String>, hint: &str) -> Result<T, TermError> {
    Err(TermError { message: message.into(), hint: (!hint.is_empty()).then(|| hint.to_owned()) })
}

/// Reads a term with all its alternatives.
///
/// # Errors
/// When it is malformed.
pub(crate) fn parse(written: &str) -> Result<Vec<Alternative>, TermError> {
    alternatives(written)?.into_iter().map(|part| alternative(part, written)).collect()
}

/// The alternatives of a term, each as written.
///
/// # Errors
/// When there is none, or a group is left open.
pub(crate) fn alternatives(written: &str) -> Result<Vec<&str>, TermError> {
    if written.trim().is_empty() {
        return error("the term is empty", "remove it, or write the words to look for");
    }
    if !written.contains('(') {
        return Ok(written.split('|').map(str::trim).collect());
    }
    let mut parts = Vec::new();
    let (mut begin, mut depth) = (0, 0_u32);
    for (at, c) in written.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            '|' if depth == 0 => {
                parts.push(written.get(begin..at).unwrap_or_default().trim());
                begin = at + 1;
            }
            _ => {}
        }
    }
    if depth > 0 && written.contains('|') {
        return error(format!("`{written}` leaves a `(` open"), "close the group: `a ..3 (b | c)`");
    }
    parts.push(written.get(begin..).unwrap_or_default().trim());
    Ok(parts)
}

/// Reads one alternative of the term `whole`.
///
/// # Errors
/// When it is malformed.
pub(crate) fn alternative(part: &str, whole: &str) -> Result<Alternative, TermError> {
    if part.is_empty() {
        return error(
            format!("an alternative of `{whole}` is empty"),
            "write a term on both sides of each `|`",
        );
    }
    let term = if part.split_whitespace().any(|word| gap_width(word).is_some()) {
        gap(part)?
    } else {
        refuse_group(part)?;
        simple(part)?
    };
    Ok(Alternative { written: part.to_owned(), term })
}

/// A term without gaps.
fn simple(part: &str) -> Result<Term, TermError> {
    let mut rest = part.chars();
    match rest.next() {
        Some('@') => mention(rest.as_str().trim(), part),
        Some('=') => exact(rest.as_str().trim(), part),
        Some('~') => stems(rest.as_str().trim(), part),
        Some('*') if rest.as_str().is_empty() => Ok(Term::Everything),
        _ => phrase(part),
    }
}

/// How many words a `..3` lets stand between two pieces.
fn gap_width(word: &str) -> Option<&str> {
    word.strip_prefix("..").filter(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()))
}

fn refuse_group(part: &str) -> Result<(), TermError> {
    let grouped = part
        .split_once('(')
        .and_then(|(_, rest)| rest.split(')').next())
        .is_some_and(|inside| inside.contains('|'));
    if grouped {
        return error(
            format!("`{part}` has a group of alternatives without a gap beside it"),
            "write each alternative in full, `a b | a c`, or with a gap, `a ..0 (b | c)`",
        );
    }
    Ok(())
}

/// Reads `a ..3 (b | c) ..8 @d`.
fn gap(part: &str) -> Result<Term, TermError> {
    let mut pieces = Vec::new();
    let mut width = 0;
    let mut begin = 0;
    let mut at = 0;
    for word in part.split_inclusive(char::is_whitespace) {
        let end = at + word.len();
        if let Some(digits) = gap_width(word.trim_end()) {
            pieces.push((width, piece(part.get(begin..at).unwrap_or_default().trim(), part)?));
            width = digits.parse().ok().filter(|&width| width <= GAP_WORDS_MAX).map_or_else(
                || {
                    error(
                        format!("`..{digits}` is too wide a gap"),
                        &format!("write at most `..{GAP_WORDS_MAX}`"),
                    )
                },
                Ok,
            )?;
            begin = end;
        }
        at = end;
    }
    pieces.push((width, piece(part.get(begin..).unwrap_or_default().trim(), part)?));
    if pieces.len() > TERM_WORDS_MAX {
        return error(format!("`{part}` has more than {TERM_WORDS_MAX} pieces"), "shorten it");
    }
    Ok(Term::Gap(pieces))
}

fn piece(written: &str, part: &str) -> Result<Vec<Alternative>, TermError> {
    if written.is_empty() {
        return error(format!("a gap of `{part}` has nothing beside it"), "write words on both sides of it");
    }
    let inside = written.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')).unwrap_or(written);
    if inside.contains(['(', ')']) && inside.contains('|') {
        return error(
            format!("`{written}` has more than a group between two gaps"),
            "write the group alone: `a ..3 (b | c) ..3 d`",
        );
    }
    let mut alternatives = Vec::new();
    for one in inside.split('|').map(str::trim) {
        if one.is_empty() {
            return error(
                format!("an alternative of `{written}` is empty"),
                "write a term on both sides of each `|`",
            );
        }
        let term = simple(one)?;
        if term == Term::Everything {
            return error(format!("`{part}` has a `*` that ends no word"), WHERE_STAR_STANDS);
        }
        alternatives.push(Alternative { written: one.to_owned(), term });
    }
    Ok(alternatives)
}

fn mention(id: &str, part: &str) -> Result<Term, TermError> {
    let (name, make): (&str, fn(String) -> Term) = match id.strip_prefix("type:") {
        Some(name) => (name.trim(), Term::Type),
        None => (id, Term::Entity),
    };
    if name.is_empty() {
        return error(format!("`{part}` names nothing"), "write `@id` or `@type:name`");
    }
    if name.contains(char::is_whitespace) {
        return error(
            format!("`{part}` has words behind the name of an entity"),
            "write the words as a term of their own; `near` asks for both close together",
        );
    }
    Ok(make(name.to_owned()))
}

fn exact(spelling: &str, part: &str) -> Result<Term, TermError> {
    if spelling.contains('*') {
        return error(
            format!("`{part}` has a `*` in an exact term"),
            "take off the `=` or the `*`: `=` asks for whole words as written",
        );
    }
    let words = split(spelling, part)?;
    let spelt = words.iter().map(|word| word.spelling.clone()).collect();
    Ok(Term::Exact(words.into_iter().map(|word| word.folded).collect(), spelt))
}

fn stems(words: &str, part: &str) -> Result<Term, TermError> {
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

fn phrase(part: &str) -> Result<Term, TermError> {
    let mut forms = linked_forms(&split(part, part)?);
    // The German way to write an umlaut without one.
    if !part.is_ascii() && part.nfc().any(|c| matches!(c, 'ä' | 'ö' | 'ü' | 'Ä' | 'Ö' | 'Ü')) {
        let spelt_out: String = part.nfc().map(spelt_out).collect();
        forms.extend(linked_forms(&split(&spelt_out, part)?));
    }
    Ok(Term::Words(forms))
}

fn spelt_out(c: char) -> String {
    match c {
        'ä' | 'Ä' => "ae".to_owned(),
        'ö' | 'Ö' => "oe".to_owned(),
        'ü' | 'Ü' => "ue".to_owned(),
        other => other.to_string(),
    }
}

/// A word of a term, before its links are resolved.
struct TermWord {
    folded: PhraseWord,
    spelling: String,
    linked: bool,
}

fn split(text: &str, part: &str) -> Result<Vec<TermWord>, TermError> {
    let mut words = Vec::new();
    let mut buffer = Words::default();
    for piece in text.split_whitespace() {
        split_piece(piece, part, &mut buffer, &mut words)?;
    }
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
            spelling: spelling(words.bytes(place).of(stem)),
            linked: word.traits.linked(),
        });
    }
    Ok(())
}

const WHERE_STAR_STANDS: &str = "`*` ends a word after at least 2 letters: `word*`";

/// A word as `=` compares it: composed, and without what cannot be seen.
pub(crate) fn spelling(word: &str) -> String {
    word.chars().filter(|&c| !is_invisible(c)).nfc().collect()
}

/// All ways to write the links of a phrase: `al qaida` and `alqaida`.
fn linked_forms(words: &[TermWord]) -> Vec<Phrase> {
    let chains = words.iter().filter(|word| word.linked).count();
    let choices: Vec<u32> = match chains {
        0 => vec![0],
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

#[cfg(test)]
mod tests {
    use super::*;

    fn forms(written: &str) -> Vec<String> {
        let alternatives = parse(written).expect(written);
        alternatives.iter().flat_map(|alternative| show(&alternative.term)).collect()
    }

    fn show(term: &Term) -> Vec<String> {
        let phrase = |phrase: &Phrase| {
            let words: Vec<String> = phrase
                .iter()
                .map(|word| match word.meets {
                    Meets::Whole | Meets::Fuzzy => word.letters.clone(),
                    Meets::Prefix => format!("{}*", word.letters),
                    Meets::Stem => format!("~{}", word.letters),
                })
                .collect();
            words.join(" ")
        };
        let piece = |(width, alternatives): &(u32, Vec<Alternative>)| {
            let shown: Vec<String> = alternatives.iter().flat_map(|one| show(&one.term)).collect();
            format!("..{width} {}", shown.join("|"))
        };
        match term {
            Term::Words(forms) => forms.iter().map(phrase).collect(),
            Term::Exact(words, spelt) => vec![format!("={} {}", phrase(words), spelt.join(" "))],
            Term::Entity(id) => vec![format!("@{id}")],
            Term::Type(name) => vec![format!("@type:{name}")],
            Term::Gap(pieces) => pieces.iter().map(piece).collect(),
            Term::Everything => vec!["*".to_owned()],
        }
    }

    #[test]
    fn terms_are_read() {
        for (written, expected) in [
            ("Wagner Group", &["wagner group"][..]),
            ("ЧВК «Вагнер*»", &["чвк вагнер*"]),
            ("групп* Вагнера", &["групп* вагнера"]),
            ("част* военн* комп*", &["част* военн* комп*"]),
            ("Al-Qaida", &["al qaida", "alqaida"]),
            ("s'empare*", &["s empare*", "sempare*"]),
            ("Söldner*", &["soldner*", "soeldner*"]),
            ("=GW", &["=gw GW"]),
            ("= Africa Corps", &["=africa corps Africa Corps"]),
            ("@wagner-group | @africa-corps", &["@wagner-group", "@africa-corps"]),
            ("@type:person", &["@type:person"]),
            ("=ICC | Cour pénale", &["=icc ICC", "cour penale"]),
            ("Ansar al-Islam (Burkina)", &["ansar al islam burkina", "ansar alislam burkina"]),
            ("CAN 20*", &["can 20*"]),
            ("東京*", &["東 京"]),
            ("террорист*-смертник*", &["террорист* смертник*"]),
            ("«Вагнер*»-x", &["вагнер* x"]),
            ("~withdraw", &["~withdraw"]),
            ("~prendre otage", &["~prendre ~otage"]),
            ("a ..3 b", &["..0 a", "..3 b"]),
            (
                "@jnim ..6 (captur* | s'empare*) ..8 @type:place",
                &["..0 @jnim", "..6 captur*|s empare*|sempare*", "..8 @type:place"],
            ),
            ("a ..0 (~b | =C) | d", &["..0 a", "..0 ~b|=c C", "d"]),
            ("*", &["*"]),
        ] {
            assert_eq!(forms(written), expected, "{written}");
        }
    }

    #[test]
    fn what_is_no_term_is_refused_with_its_reason() {
        for (written, expected) in [
            ("", "is empty"),
            ("  ", "is empty"),
            ("a | ", "an alternative of `a | ` is empty"),
            ("*ger", "`*ger` has a `*` that ends no word"),
            ("Wag*ner", "before or inside a word"),
            ("Wag*\u{301}", "before or inside a word"),
            ("Wag** x", "ends no word"),
            ("Mali the *", "ends no word"),
            ("a*", "has 1 letters before `*`"),
            ("=GW*", "in an exact term"),
            ("=", "names nothing"),
            ("@", "names nothing"),
            ("@type:", "names nothing"),
            ("«…»", "has no letter or digit"),
            ("@jnim attack", "words behind the name"),
            ("attack @jnim", "inside it"),
            ("~", "names nothing"),
            ("~withdraw*", "in a term of stems"),
            ("a ..3", "has nothing beside it"),
            ("..3 a", "has nothing beside it"),
            ("a ..3 ..4 b", "has nothing beside it"),
            ("a ..300 b", "too wide a gap"),
            ("a ..3 (b | )", "an alternative of `(b | )` is empty"),
            ("a ..3 (b | c", "leaves a `(` open"),
            ("a ..3 b (c | d)", "more than a group"),
            ("a ..3 *", "ends no word"),
            ("coup (Mali | Niger)", "without a gap beside it"),
        ] {
            let refused = parse(written).expect_err(written);
            assert!(refused.message.contains(expected), "{written}: {}", refused.message);
        }
    }
}
