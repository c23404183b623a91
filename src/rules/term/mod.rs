//! The syntax of a term, as rules and entities write it: `plain words`, `word*`, `~word`, `=Exact`, `@id`,
//! `@type:x`, `a ..3 b`, `a | b`, and a lone `*`.

mod operator;
mod words;

use self::words::{WHERE_STAR_STANDS, exact, phrase, stems};

pub(crate) use self::operator::operator;
pub(crate) use self::words::spelling;

/// Words of a term at most, and pieces of a term with gaps.
const TERM_WORDS_MAX: usize = 16;

/// Words that a gap may take at most.
const GAP_WORDS_MAX: u32 = 100;

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
    if let Some(word) = part.split_whitespace().find(|word| is_spoilt_gap(word)) {
        return error(format!("`{word}` in `{part}` is no gap"), "write it apart from the words: `a ..3 b`");
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

/// Whether a word looks like a gap and is none: `..3bar`, `...3`, `foo..3`.
fn is_spoilt_gap(word: &str) -> bool {
    let width = word.split_once("..").map(|(_, width)| width.trim_start_matches(['.', '-']));
    gap_width(word).is_none() && width.is_some_and(|width| width.starts_with(|c: char| c.is_ascii_digit()))
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
            ("a ..3b", "`..3b` in `a ..3b` is no gap"),
            ("a ...3 b", "is no gap"),
            ("a..3 b", "is no gap"),
            ("a ..-1 b", "is no gap"),
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
