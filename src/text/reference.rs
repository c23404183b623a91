//! Character references of HTML and XML.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::OnceLock;

use memchr::memchr;

/// Names of U+00A0 to U+00FF, in order (HTML 4.01, section 24.2).
const LATIN_1: &str = "nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr deg plusmn \
    sup2 sup3 acute micro para middot cedil sup1 ordm raquo frac14 frac12 frac34 iquest Agrave Aacute Acirc Atilde \
    Auml Aring AElig Ccedil Egrave Eacute Ecirc Euml Igrave Iacute Icirc Iuml ETH Ntilde Ograve Oacute Ocirc Otilde \
    Ouml times Oslash Ugrave Uacute Ucirc Uuml Yacute THORN szlig agrave aacute acirc atilde auml aring aelig ccedil \
    egrave eacute ecirc euml igrave iacute icirc iuml eth ntilde ograve oacute ocirc otilde ouml divide oslash ugrave \
    uacute ucirc uuml yacute thorn yuml";

/// The names beyond Latin-1 that occur in news, each with its character.
const OTHERS: &str = "OElig Œ oelig œ Scaron Š scaron š Yuml Ÿ fnof ƒ circ ˆ tilde ˜ \
    Alpha Α Beta Β Gamma Γ Delta Δ Theta Θ Lambda Λ Pi Π Sigma Σ Phi Φ Psi Ψ Omega Ω alpha α beta β gamma γ delta δ \
    epsilon ε theta θ lambda λ mu μ pi π sigma σ tau τ phi φ psi ψ omega ω ndash – mdash — lsquo ‘ rsquo ’ sbquo ‚ \
    ldquo “ rdquo ” bdquo „ dagger † Dagger ‡ bull • hellip … permil ‰ prime ′ Prime ″ lsaquo ‹ rsaquo › oline ‾ \
    frasl ⁄ euro € trade ™ larr ← uarr ↑ rarr → darr ↓ harr ↔ minus − radic √ infin ∞ asymp ≈ ne ≠ equiv ≡ le ≤ ge ≥ \
    loz ◊ spades ♠ clubs ♣ hearts ♥ diams ♦";

/// Names of characters that cannot be seen, with their code points.
const INVISIBLE: [(&str, char); 7] = [
    ("ensp", '\u{2002}'),
    ("emsp", '\u{2003}'),
    ("thinsp", '\u{2009}'),
    ("zwnj", '\u{200c}'),
    ("zwj", '\u{200d}'),
    ("lrm", '\u{200e}'),
    ("rlm", '\u{200f}'),
];

/// Longest reference looked for, in bytes between `&` and `;`.
const REFERENCE_BYTES_MAX: usize = 12;

/// Bytes that are looked at together, so that the compiler takes many at once.
const CHUNK_BYTES: usize = 256;

/// What a reference at the start of `text` stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reference {
    /// A character.
    Character(char),
    /// A number that is no character or none that XML allows: nothing is shown for it.
    Nothing,
}

/// Reads the reference after an `&`; returns it with the length of what follows the `&`, `;` included.
pub(crate) fn reference(after: &str) -> Option<(Reference, usize)> {
    let head = after.bytes().take(REFERENCE_BYTES_MAX + 1);
    let length = head.into_iter().position(|b| b == b';')?;
    let name = after.get(..length)?;
    let meaning = match name.strip_prefix('#') {
        Some(number) => numbered(number)?,
        None => Reference::Character(named(name)?),
    };
    Some((meaning, length + 1))
}

/// A numeric reference, decimal or hexadecimal.
///
/// 128 to 159 are read as windows-1252, as browsers do: that is what their writers meant.
fn numbered(number: &str) -> Option<Reference> {
    let code = match number.strip_prefix(['x', 'X']) {
        Some(digits) => u32::from_str_radix(digits, 16),
        None => number.parse(),
    };
    let code = code.ok()?;
    if let Ok(byte @ 128..=159) = u8::try_from(code) {
        let byte = [byte];
        let text = encoding_rs::WINDOWS_1252.decode_without_bom_handling(&byte).0;
        return Some(text.chars().next().map_or(Reference::Nothing, Reference::Character));
    }
    Some(match char::from_u32(code) {
        Some(c) if allowed(c) => Reference::Character(c),
        Some(_) | None => Reference::Nothing,
    })
}

/// The character of a named reference; those of XML, by far the most, are known without the table.
fn named(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => table().get(name).copied(),
    }
}

/// The characters of all names.
fn table() -> &'static HashMap<&'static str, char> {
    static TABLE: OnceLock<HashMap<&'static str, char>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let mut words = OTHERS.split_whitespace();
        let pairs = std::iter::from_fn(|| Some((words.next()?, words.next()?.chars().next()?)));
        LATIN_1.split_whitespace().zip('\u{a0}'..).chain(INVISIBLE).chain(pairs).collect()
    })
}

/// Whether XML 1.0 allows the character (section 2.2).
pub(crate) fn allowed(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | '\u{20}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

/// Whether XML allows every character of a text.
pub(crate) fn all_allowed(text: &str) -> bool {
    // Bytes first, without a branch for each: of the forbidden characters those outside ASCII begin with EF.
    let suspect = |byte: u8| (byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r')) || byte == 0xEF;
    let mut chunks = text.as_bytes().chunks(CHUNK_BYTES);
    let clean = chunks.all(|chunk| !chunk.iter().fold(false, |found, &byte| found | suspect(byte)));
    clean || text.chars().all(allowed)
}

/// What stands before and after the first `byte` of ASCII.
fn split_at_byte(text: &str, byte: u8) -> Option<(&str, &str)> {
    let (before, from) = text.split_at_checked(memchr(byte, text.as_bytes())?)?;
    Some((before, from.get(1..)?))
}

/// The text with every reference replaced; what is none stays as written.
pub(crate) fn decode(text: &str) -> Cow<'_, str> {
    if memchr(b'&', text.as_bytes()).is_none() {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = split_at_byte(rest, b'&') {
        out.push_str(before);
        rest = after;
        match reference(after) {
            Some((meaning, length)) => {
                if let Reference::Character(c) = meaning {
                    out.push(c);
                }
                rest = after.get(length..).unwrap_or_default();
            }
            None => out.push('&'),
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_read_and_the_rest_stays() {
        for (text, expected) in [
            ("S&eacute;curit&eacute; &amp; d&#233;fense", "Sécurité & défense"),
            ("AT&T & co &unknown; &;", "AT&T & co &unknown; &;"),
            ("&#x412;&#X430; &#8217;&#146;", "Ва ’’"),
            ("a&#0;b&#1;c&#xD800;d&#99999999;", "abcd"),
            ("&yuml;&nbsp;&euro;&rlm;&apos;", "ÿ\u{a0}€\u{200f}'"),
            ("&", "&"),
            ("&longerthananyname;é", "&longerthananyname;é"),
        ] {
            assert_eq!(decode(text), expected, "{text}");
        }
    }

    #[test]
    fn the_tables_are_whole() {
        assert_eq!(LATIN_1.split_whitespace().count(), 96);
        let words: Vec<&str> = OTHERS.split_whitespace().collect();
        assert_eq!(words.len() % 2, 0);
        assert!(words.chunks(2).all(|pair| pair[1].chars().count() == 1), "{words:?}");
    }
}
