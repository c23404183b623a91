//! Stretches of text that need no change when white space becomes single spaces and controls go.

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
    while let Some(&byte) = bytes.get(place) {
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

#[cfg(test)]
mod tests {
    use super::*;

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
