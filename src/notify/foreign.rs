//! Text from outside, made harmless before it reaches a mail header, a mail body or a terminal; the one table for it.
//!
//! What is removed cannot be seen but steers what shows the text: control characters (a mail header ends at a line
//! break, a terminal obeys ESC), bidirectional overrides and isolates, which reorder what follows them, U+2028/9, and
//! tags, which spell words that nobody sees.
//! Marks that only speak of their neighbours (U+200E/F, the joiners of Persian and of emoji) stay.

use std::fmt;

use unicode_segmentation::UnicodeSegmentation as _;

/// Greatest length of a [`HeaderText`], in characters: with the words that encode it, below the 998 bytes that a mail
/// line may have (RFC 5322, section 2.1.1).
pub const HEADER_CHARS_MAX: usize = 200;

/// Text that can stand in a mail header: one line, nothing invisible that steers, at most [`HEADER_CHARS_MAX`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderText(String);

impl HeaderText {
    /// Cleans and cuts `text`.
    pub fn new(text: &str) -> Self {
        // A source could write an encoded word (RFC 2047), which the mail reader would decode into all that is removed here.
        let plain = line(text).replace("=?", "= ?");
        Self(cut(&plain, HEADER_CHARS_MAX))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for HeaderText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What becomes of one character in a text of several lines: itself, a blank, a line break, or nothing.
pub(crate) fn harmless(char: char) -> Option<char> {
    match char {
        '\n' | '\u{2028}' | '\u{2029}' => Some('\n'),
        '\t' | '\u{a0}' => Some(' '),
        // Embeddings, overrides, isolates; byte order mark; interlinear annotation; tags.
        '\u{202a}'..='\u{202e}'
        | '\u{2066}'..='\u{2069}'
        | '\u{feff}'
        | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e007f}' => None,
        control if control.is_control() => None,
        visible => Some(visible),
    }
}

/// `text` as one line, white space collapsed.
pub(crate) fn line(text: &str) -> String {
    // A lone CR separates words as much as LF does.
    let kept: String = text.chars().map(|c| if c == '\r' { '\n' } else { c }).filter_map(harmless).collect();
    kept.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// At most `chars_max` characters of `text`; a cut ends in `…` and falls between words where one is near.
pub(crate) fn cut(text: &str, chars_max: usize) -> String {
    if text.chars().count() <= chars_max {
        return text.to_owned();
    }
    let mut left = chars_max.saturating_sub(1);
    let fits = |(_, cluster): &(usize, &str)| {
        let room = left.checked_sub(cluster.chars().count());
        left = room.unwrap_or_default();
        room.is_some()
    };
    let kept: String = clusters(text).take_while(fits).map(|(_, cluster)| cluster).collect();
    format!("{}…", whole_words(&kept))
}

/// More characters than any cluster has that means something; a letter can be buried under more.
const CLUSTER_CHARS_MAX: usize = 32;

/// What of `text` is seen as one character each, with its byte offset: a cut within would leave half an emoji.
pub(super) fn clusters(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.grapheme_indices(true).flat_map(|(at, cluster)| {
        let is_whole = cluster.chars().nth(CLUSTER_CHARS_MAX).is_none();
        let char = move |(within, char): (usize, char)| {
            cluster.get(within..within + char.len_utf8()).map(|char| (at + within, char))
        };
        let buried = (!is_whole).then(|| cluster.char_indices().filter_map(char));
        is_whole.then_some((at, cluster)).into_iter().chain(buried.into_iter().flatten())
    })
}

/// `text`, which was cut somewhere, without its last word: that may be half of one. A long last word stays, since
/// much would be lost with it.
pub(crate) fn whole_words(text: &str) -> &str {
    match text.rsplit_once(char::is_whitespace) {
        Some((words, rest)) if rest.chars().count() <= WORD_CHARS_MAX => words.trim_end(),
        _ => text.trim_end(),
    }
}

/// A piece of a word up to this long is dropped rather than left cut.
const WORD_CHARS_MAX: usize = 20;

/// `text` broken at blanks into lines of at most `width` characters; longer words (links) stay whole.
pub(crate) fn wrap(text: &str, width: usize) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 32);
    for (number, paragraph) in text.lines().enumerate() {
        if number > 0 {
            out.push('\n');
        }
        let mut column = 0;
        for word in paragraph.split_whitespace() {
            let length = word.chars().count();
            if column > 0 && column + 1 + length > width {
                out.push('\n');
                column = 0;
            } else if column > 0 {
                out.push(' ');
                column += 1;
            }
            out.push_str(word);
            column += length;
        }
    }
    out
}

/// `text` with its marks of Markdown escaped. Addresses stay as they are, so that they lead where they say.
pub(crate) fn unmarked(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 16);
    for word in text.split_inclusive(char::is_whitespace) {
        let line_begins = out.is_empty() || out.ends_with('\n');
        if is_address(word) {
            out.push_str(word);
            continue;
        }
        let numbered = line_begins && word.trim_end().strip_suffix(['.', ')']).is_some_and(is_number);
        let mut chars = word.chars().peekable();
        let mut first = true;
        while let Some(char) = chars.next() {
            let marks = match char {
                '\\' | '*' | '_' | '~' | '`' | '|' | '[' | ']' | '<' | '>' => true,
                '#' | '-' | '+' | '=' => line_begins && first,
                '.' | ')' => numbered,
                // The name of an emoji may follow.
                ':' => {
                    chars.peek().is_some_and(|next| next.is_ascii_alphabetic() || matches!(next, '+' | '-'))
                }
                _ => false,
            };
            if marks {
                out.push('\\');
            }
            out.push(char);
            first = false;
        }
    }
    out
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a word is an address on its own, in brackets or not, without marks that could end it early.
pub(super) fn is_address(word: &str) -> bool {
    let bare = word.trim().trim_start_matches('<').trim_end_matches('>');
    let marks = ['\\', '*', '`', '|', '[', ']', '<', '>'];
    let rest = bare.strip_prefix("https://").or_else(|| bare.strip_prefix("http://"));
    rest.is_some_and(has_host) && !bare.contains(marks)
}

/// Whether what stands behind `https://` begins with a host that every service takes for one. Where a service takes none
/// there, the word is text, whose marks and names it obeys: `https://@all`, `https://a_b/@channel`.
fn has_host(rest: &str) -> bool {
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let (host, port) = authority.split_once(':').unwrap_or((authority, ""));
    host.starts_with(char::is_alphanumeric)
        && host.contains('.')
        && host.chars().all(|char| char.is_alphanumeric() || matches!(char, '.' | '-'))
        && port.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn hostile_text_becomes_one_harmless_line() {
        for (text, expected) in [
            ("Coup\r\nBcc: victim@example.org", "Coup Bcc: victim@example.org"),
            ("a\rb\nc\u{2028}d\u{2029}e\u{85}f", "a b c d ef"),
            ("nul\0 esc\u{1b}[31m bell\u{7}", "nul esc[31m bell"),
            ("\u{202e}gnp.exe\u{202c} \u{2066}x\u{2069}", "gnp.exe x"),
            ("  many \t\u{a0} blanks  ", "many blanks"),
            ("مالي: \u{200f}باماكو", "مالي: \u{200f}باماكو"),
            ("می\u{200c}خواهم 👩\u{200d}💻", "می\u{200c}خواهم 👩\u{200d}💻"),
            ("seen\u{e0068}\u{e0069} \u{fff9}a\u{fffa}b\u{fffb}", "seen ab"),
            ("=?utf-8?b?DQpCY2M6IHg=?=", "= ?utf-8?b?DQpCY2M6IHg= ?="),
            ("", ""),
        ] {
            assert_eq!(HeaderText::new(text).as_str(), expected);
        }
    }

    #[test]
    fn a_cut_falls_between_words_and_says_so() {
        assert_eq!(cut("Le Mali ferme ses frontières", 16), "Le Mali ferme…");
        assert_eq!(cut("Мали", 4), "Мали");
        // A firefighter is four characters, and seen as one.
        assert_eq!(cut(&"👩🏽\u{200d}🚒".repeat(60), 120), format!("{}…", "👩🏽\u{200d}🚒".repeat(29)));
        let buried = format!("a{}", "\u{301}".repeat(300));
        assert_eq!(cut(&buried, 120).chars().count(), 120);
        assert_eq!(cut(&"ж".repeat(300), 200).chars().count(), 200);
    }

    #[test]
    fn lines_break_at_blanks_only() {
        assert_eq!(
            wrap("one two three\n\nhttps://a.example/long x", 9),
            "one two\nthree\n\nhttps://a.example/long\nx"
        );
    }

    proptest! {
        #[test]
        fn header_text_is_one_short_line_and_stable(text in "\\PC*|[\\x00-\\x7f\\u{202a}-\\u{202e}\\u{2028}é ]{0,400}") {
            let once = HeaderText::new(&text);
            prop_assert!(once.as_str().chars().count() <= HEADER_CHARS_MAX);
            prop_assert!(!once.as_str().chars().any(|c| c.is_control() || harmless(c) != Some(c)));
            prop_assert_eq!(&HeaderText::new(once.as_str()), &once);
        }
    }
}
