//! Stretches of text that need no change when white space becomes single spaces and controls go.

use super::eight::{self, HIGH};

/// What a byte of UTF-8 may be the first of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    /// Characters that are shown; or it is no first byte.
    Shown,
    /// A space.
    Space,
    /// A control or other white space, or characters of which some are.
    Doubtful,
}

/// The class of every byte. White space and controls outside ASCII begin with C2, E1, E2 or E3.
const CLASSES: [Class; 256] = {
    let mut classes = [Class::Shown; 256];
    let mut byte = 0;
    while byte < 0x20 {
        classes[byte] = Class::Doubtful;
        byte += 1;
    }
    classes[0x20] = Class::Space;
    let doubtful = [0x7F, 0xC2, 0xE1, 0xE2, 0xE3];
    let mut place = 0;
    while place < doubtful.len() {
        classes[doubtful[place]] = Class::Doubtful;
        place += 1;
    }
    classes
};

/// Splits off the longest beginning of `text` that has no controls, no white space at its ends and none but single
/// spaces inside.
pub(crate) fn run(text: &str) -> (&str, &str) {
    let bytes = text.as_bytes();
    let mut place = 0;
    // Whether the byte before is a space.
    let mut spaced = true;
    loop {
        let plain = plain_bytes(bytes, place, spaced);
        if plain > 0 {
            place += plain;
            spaced = bytes.get(place - 1) == Some(&b' ');
        }
        let Some(&byte) = bytes.get(place) else { break };
        match CLASSES[usize::from(byte)] {
            Class::Shown => {
                spaced = false;
                place += 1;
            }
            Class::Space if spaced => break,
            Class::Space => {
                spaced = true;
                place += 1;
            }
            Class::Doubtful => match text.get(place..).and_then(|rest| rest.chars().next()) {
                Some(c) if !c.is_whitespace() && !c.is_control() => {
                    spaced = false;
                    place += c.len_utf8();
                }
                Some(_) | None => break,
            },
        }
    }
    text.split_at_checked(place - usize::from(spaced && place > 0)).unwrap_or((text, ""))
}

/// How many bytes from `place` on are shown, or a space behind one that is shown, as far as they can be told by eight.
fn plain_bytes(bytes: &[u8], place: usize, spaced: bool) -> usize {
    let (mut plain, mut spaced) = (0, spaced);
    while let Some(eight) = eight::eight(bytes, place + plain) {
        let low = eight::low(eight);
        let blanks = eight::within(low, b' ', b' ') & !eight & HIGH;
        let twice = blanks & (blanks << 8 | u64::from(spaced) << 7);
        let controls = (!eight::at_least(low, b' ') | eight::at_least(low, 0x7F)) & !eight;
        // C2 and E1 to E3, without the eighth bit.
        let doubtful = (eight::within(low, 0x42, 0x42) | eight::within(low, 0x61, 0x63)) & eight;
        let more = eight::before_first(twice | controls | doubtful);
        plain += more;
        if more < 8 {
            break;
        }
        spaced = blanks >> 63 != 0;
    }
    plain
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_run_is_as_long_as_character_by_character(text in "([a-zé«\u{a0}\u{2028}\u{7f}ابж日\n\t]{0,9} {0,2}){0,6}") {
            let mut expected = 0;
            let mut before = ' ';
            for (at, c) in text.char_indices() {
                if (c.is_whitespace() && (c != ' ' || before == ' ')) || c.is_control() {
                    break;
                }
                expected = at + c.len_utf8();
                before = c;
            }
            let expected = text.get(..expected).unwrap();
            let expected = expected.strip_suffix(' ').unwrap_or(expected);
            prop_assert_eq!(run(&text).0, expected);
        }
    }

    #[test]
    fn a_run_ends_before_white_space_that_is_no_single_space() {
        for (text, expected) in [
            ("", ""),
            (" a", ""),
            ("a b  c", "a b"),
            ("a b ", "a b"),
            ("a\u{a0}b", "a"),
            ("« é – ш ه 日 𝄞 »\u{2028}x", "« é – ш ه 日 𝄞 »"),
            ("a \nb", "a"),
            ("a\u{85}", "a"),
            ("\u{7f}", ""),
            ("a\u{3000}", "a"),
        ] {
            assert_eq!(run(text), (expected, text.strip_prefix(expected).unwrap()), "{text}");
        }
    }

    #[test]
    fn no_character_is_taken_for_another_class() {
        for c in '\0'..=char::MAX {
            let text = c.to_string();
            assert_eq!(run(&text).0.is_empty(), c.is_whitespace() || c.is_control(), "{c:?}");
        }
    }
}
