//! The syntax of a term, as rules and entities write it.
//!
//! `plain words`, `word*`, `=Exact`, `@id`, `@type:x` and `a | b` are read; what the language has beyond
//! that (`~word`, `a ..3 b`, groups, a lone `*`) is refused as not supported yet, never read as words.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use crate::text::{Field, Words, is_invisible};

/// Letters that stand before a `*` at least; fewer would match half a language.
const PREFIX_LETTERS_MIN: usize = 2;

/// Letters that stand before a `*` at most.
pub(crate) const PREFIX_LETTERS_MAX: usize = 63;

/// Words of a term at most.
const TERM_WORDS_MAX: usize = 16;

/// Words of an item that a hit of a term can cover: each word of a term may be read from a chain of linked ones.
pub(crate) const TERM_SPAN_MAX: u32 = 128;

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
    Phrase(Vec<Phrase>),
    /// The same with each word spelt exactly so.
    Exact(Phrase, Vec<String>),
    /// An entity or anything below it.
    Entity(String),
    /// Any entity of a type.
    Type(String),
}

/// Folded words, one after the other.
pub(crate) type Phrase = Vec<PhraseWord>;

/// A folded word of a term.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct PhraseWord {
    /// Its letters.
    pub(crate) letters: Vec<char>,
    /// Whether a word need only begin with them.
    pub(crate) prefix: bool,
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

fn unsupported<T>(what: &str, hint: &str) -> Result<T, TermError> {
    error(format!("{what} is not supported yet"), hint)
}

/// Reads a term with all its alternatives.
///
/// # Errors
/// When it is malformed, or asks for what is not supported yet.
pub(crate) fn parse(written: &str) -> Result<Vec<Alternative>, TermError> {
    if written.trim().is_empty() {
        return error("the term is empty", "remove it, or write the words to look for");
    }
    refuse_gaps_and_groups(written)?;
    written.split('|').map(|part| alternative(part.trim(), written)).collect()
}

fn refuse_gaps_and_groups(written: &str) -> Result<(), TermError> {
    if written.split_whitespace().any(|word| word.strip_prefix("..").is_some_and(is_number)) {
        return unsupported(
            &format!("a gap between words (`{written}`)"),
            "use `near` with the words as its terms",
        );
    }
    let grouped = written
        .split_once('(')
        .and_then(|(_, rest)| rest.split(')').next())
        .is_some_and(|inside| inside.contains('|'));
    if grouped {
        return unsupported(
            &format!("a group of alternatives (`{written}`)"),
            "write each alternative in full: `a b | a c`",
        );
    }
    Ok(())
}

fn is_number(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

fn alternative(part: &str, whole: &str) -> Result<Alternative, TermError> {
    if part.is_empty() {
        return error(
            format!("an alternative of `{whole}` is empty"),
            "write a term on both sides of each `|`",
        );
    }
    let mut rest = part.chars();
    let term = match rest.next() {
        Some('@') => mention(rest.as_str().trim(), part)?,
        Some('=') => exact(rest.as_str().trim(), part)?,
        Some('~') => {
            return unsupported(
                &format!("the stem of a word (`{part}`)"),
                "list its forms, or write its common beginning as `word*`",
            );
        }
        _ => phrase(part)?,
    };
    Ok(Alternative { written: part.to_owned(), term })
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

fn phrase(part: &str) -> Result<Term, TermError> {
    let mut forms = linked_forms(&split(part, part)?);
    // The German way to write an umlaut without one.
    if part.nfc().any(|c| matches!(c, 'ä' | 'ö' | 'ü' | 'Ä' | 'Ö' | 'Ü')) {
        let spelt_out: String = part.nfc().map(spelt_out).collect();
        forms.extend(linked_forms(&split(&spelt_out, part)?));
    }
    Ok(Term::Phrase(forms))
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
    for piece in text.split_whitespace() {
        split_piece(piece, part, &mut words)?;
    }
    if words.is_empty() {
        let has_sigil = part.starts_with('=');
        let message = if has_sigil { "names nothing" } else { "has no letter or digit" };
        return error(format!("`{part}` {message}"), "write the words to look for");
    }
    if words.len() > TERM_WORDS_MAX {
        return error(format!("`{part}` has more than {TERM_WORDS_MAX} words"), "shorten it");
    }
    Ok(words)
}

/// Reads what stands between two spaces: `Вагнер*»`, `s'empare*`, `террорист*-смертник*`.
fn split_piece(piece: &str, part: &str, out: &mut Vec<TermWord>) -> Result<(), TermError> {
    if piece.starts_with(['@', '~', '=']) && piece.chars().nth(1).is_some_and(char::is_alphanumeric) {
        return error(
            format!("`{part}` has `{piece}` inside it"),
            "`@`, `~` and `=` stand only at the start of a term; make it a term of its own",
        );
    }
    if part == "*" {
        return unsupported("`*`, every item of a source,", "name words or entities");
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
        split_stem(stem, prefix, part, out)?;
        behind_star = prefix;
    }
    Ok(())
}

/// Reads words up to a `*`, which then belongs to the last of them.
fn split_stem(stem: &str, prefix: bool, part: &str, out: &mut Vec<TermWord>) -> Result<(), TermError> {
    let mut words = Words::default();
    words.read("", stem);
    let range = words.field(Field::Text);
    let last = range.end.checked_sub(1);
    let ends_in_word = last.is_some_and(|last| words.bytes(last).end == stem.len());
    if prefix && !ends_in_word {
        return error(format!("`{part}` has a `*` that ends no word"), WHERE_STAR_STANDS);
    }
    for place in range {
        let Some(word) = words.word(place) else { continue };
        let letters = words.letters(place, place).to_vec();
        let prefix = prefix && Some(place) == last && !word.single;
        if prefix && !(PREFIX_LETTERS_MIN..=PREFIX_LETTERS_MAX).contains(&letters.len()) {
            return error(
                format!("`{part}` has {} letters before `*`", letters.len()),
                &format!("write {PREFIX_LETTERS_MIN} to {PREFIX_LETTERS_MAX} letters before it"),
            );
        }
        out.push(TermWord {
            folded: PhraseWord { letters, prefix },
            spelling: spelling(words.bytes(place).of(stem)),
            linked: word.linked,
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
                    before.letters.extend(&word.folded.letters);
                    before.prefix = word.folded.prefix;
                }
                _ => form.push(word.folded.clone()),
            }
            join_next = word.linked && joined & 1 << link.min(31) != 0;
            link += u32::from(word.linked);
        }
        if form.iter().all(|word| !word.prefix || word.letters.len() <= PREFIX_LETTERS_MAX)
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
                .map(|word| {
                    let letters: String = word.letters.iter().collect();
                    letters + if word.prefix { "*" } else { "" }
                })
                .collect();
            words.join(" ")
        };
        match term {
            Term::Phrase(forms) => forms.iter().map(phrase).collect(),
            Term::Exact(words, spelt) => vec![format!("={} {}", phrase(words), spelt.join(" "))],
            Term::Entity(id) => vec![format!("@{id}")],
            Term::Type(name) => vec![format!("@type:{name}")],
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
            ("~withdraw", "not supported yet"),
            ("a ..3 b", "not supported yet"),
            ("@jnim ..6 (captur* | s'empare*)", "not supported yet"),
            ("coup (Mali | Niger)", "not supported yet"),
            ("*", "not supported yet"),
        ] {
            let refused = parse(written).expect_err(written);
            assert!(refused.message.contains(expected), "{written}: {}", refused.message);
        }
    }
}
