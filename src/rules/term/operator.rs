//! Operators of other search tools inside a term, where they are words like any other.

use super::{alternatives, gap_width};

/// What an operator is meant to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    And,
    Or,
    Not,
}

const OPERATORS: [(&str, Operator); 9] = [
    ("AND", Operator::And),
    ("ET", Operator::And),
    ("И", Operator::And),
    ("OR", Operator::Or),
    ("OU", Operator::Or),
    ("ИЛИ", Operator::Or),
    ("NOT", Operator::Not),
    ("SAUF", Operator::Not),
    ("НЕ", Operator::Not),
];

/// The first word of a term that looks like an operator, and what to write in place of it. In an exact term that is in
/// capitals throughout, and between quotation marks, it is a word; elsewhere capitals mean nothing, so that nobody who
/// means the word needs them.
pub(crate) fn operator(written: &str) -> Option<(&'static str, &'static str)> {
    let parts = alternatives(written).unwrap_or_default();
    parts.into_iter().find_map(|part| {
        let is_spelt = part.starts_with('=') && !part.chars().any(char::is_lowercase);
        if is_spelt { None } else { in_part(part) }
    })
}

fn in_part(part: &str) -> Option<(&'static str, &'static str)> {
    let words: Vec<&str> = part.split_whitespace().collect();
    let is_word = |at: Option<usize>| {
        let word = at.and_then(|at| words.get(at));
        word.is_some_and(|word| word.contains(char::is_alphanumeric) && gap_width(word).is_none())
    };
    let mut marks = 0;
    for (at, word) in words.iter().enumerate() {
        let known = OPERATORS.iter().find(|(known, _)| known == word);
        if let Some(&(known, operator)) = known.filter(|_| marks % 2 == 0)
            && (is_word(at.checked_sub(1)) || (at == 0 && operator == Operator::Not))
            && is_word(Some(at + 1))
        {
            return Some((known, remedy(operator)));
        }
        marks += word.matches(['"', '«', '»', '“', '”', '„']).count();
    }
    None
}

fn remedy(operator: Operator) -> &'static str {
    match operator {
        Operator::And => {
            "write what must all be there as terms of their own in `all`; a phrase means the same in small letters"
        }
        Operator::Or => {
            "part alternatives by `|`, or write them as terms of their own in `any`; a phrase means the same in small letters"
        }
        Operator::Not => {
            "write what must not be there as a term of its own in `none`; a phrase means the same in small letters"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operator_stands_bare_between_words() {
        for (written, expected, key) in [
            ("coup AND Mali", Some("AND"), "`all`"),
            ("junte OU putsch", Some("OU"), "`|`"),
            ("junte OU putsch", Some("OU"), "`any`"),
            ("Вагнер И Мали", Some("И"), "`all`"),
            ("Вагнер ИЛИ ЧВК", Some("ИЛИ"), "`any`"),
            ("Вагнер НЕ опера", Some("НЕ"), "`none`"),
            ("coup NOT film", Some("NOT"), "`none`"),
            ("NOT film", Some("NOT"), "`none`"),
            ("coup AND NOT film", Some("AND"), "`all`"),
            ("JNIM ET EIGS", Some("ET"), "`all`"),
            ("putsch | coup* SAUF «coup de foudre»", Some("SAUF"), "`none`"),
            ("«coup d'État» AND Mali", Some("AND"), "`all`"),
            ("convoy ..3 (attacked OR ambushed)", Some("OR"), "`any`"),
            ("=Wagner AND Mali", Some("AND"), "`all`"),
            ("=GUERRE ET PAIX", None, ""),
            ("\"War AND Peace\"", None, ""),
            ("« Guerre ET Paix »", None, ""),
            ("OR", None, ""),
            ("=OR", None, ""),
            ("OR Mali", None, ""),
            ("lingot OR", None, ""),
            ("OR | argent", None, ""),
            ("mine ..3 OR ..3 Mali", None, ""),
            ("guerre et paix", None, ""),
            ("Not in my name", None, ""),
            ("mine d'OR AND-Co", None, ""),
            ("NOT", None, ""),
        ] {
            let found = operator(written);
            assert_eq!(found.map(|(word, _)| word), expected, "{written}");
            let remedy = found.map(|(_, remedy)| remedy).unwrap_or_default();
            assert!(remedy.contains(key), "{written}: {remedy}");
        }
    }
}
