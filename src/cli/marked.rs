//! A foreign text on a terminal, with the words that met a rule marked and the rest cut to a screenful.

use std::ffi::OsStr;
use std::io::{self, IsTerminal as _};
use std::ops::Range;

use crate::notify::foreign;
use crate::text::ByteSpan;

/// Characters of a field that are shown at most: with a title about a screen of 100 columns and 24 lines.
const CHARS_MAX: usize = 1600;

/// Characters around a mark that are shown where the text is cut.
const AROUND_CHARS: usize = 160;

/// Characters of a line; words are not broken.
const WIDTH: usize = 96;

/// How words are marked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// Bold and inverse: for terminals that may be told.
    Bright,
    /// Not at all.
    Plain,
}

impl Style {
    /// The style for the standard output, by what it is and by the variable `NO_COLOR` (<https://no-color.org>).
    pub(super) fn of_output(no_color: Option<&OsStr>) -> Self {
        let wanted = no_color.is_none_or(OsStr::is_empty);
        if wanted && io::stdout().is_terminal() { Self::Bright } else { Self::Plain }
    }

    /// Clean text, marked.
    pub(super) fn mark(self, clean: &str) -> String {
        match self {
            Self::Bright => format!("\u{1b}[1;7m{clean}\u{1b}[0m"),
            Self::Plain => clean.to_owned(),
        }
    }

    /// Clean text, set off as a heading.
    pub(super) fn strong(self, clean: &str) -> String {
        match self {
            Self::Bright => format!("\u{1b}[1m{clean}\u{1b}[0m"),
            Self::Plain => clean.to_owned(),
        }
    }
}

/// The lines to show of `text`, harmless to a terminal, with what `spans` cover marked. Where the text is cut
/// stands `…`; what is left are the places around the marks, the first ones if they are many, or the beginning.
pub(super) fn lines(text: &str, spans: &[ByteSpan], style: Style) -> Vec<String> {
    let spans = merged(spans);
    let windows = windows(text, &spans);
    let mut shown: Vec<(char, bool)> = Vec::new();
    let mut end = 0;
    for window in &windows {
        if window.start > end {
            shown.extend([('…', false), (' ', false)]);
        }
        let piece = text.get(window.clone()).unwrap_or_default();
        for (at, char) in piece.char_indices() {
            // A lone CR separates words as much as LF does.
            let char = if char == '\r' { '\n' } else { char };
            let at = window.start + at;
            let marked = spans.iter().any(|span| span.start <= at && at < span.end);
            shown.extend(foreign::harmless(char).map(|clean| (clean, marked)));
        }
        end = window.end;
        if end < text.len() {
            shown.push((' ', false));
        }
    }
    if end < text.len() {
        shown.push(('…', false));
    }
    wrapped(&shown).iter().map(|line| painted(line, style)).collect()
}

/// Spans in order, those that overlap or touch as one.
fn merged(spans: &[ByteSpan]) -> Vec<ByteSpan> {
    let mut sorted = spans.to_vec();
    sorted.sort_unstable();
    let mut merged: Vec<ByteSpan> = Vec::with_capacity(sorted.len());
    for span in sorted {
        match merged.last_mut() {
            Some(last) if span.start <= last.end => last.end = last.end.max(span.end),
            _ => merged.push(span),
        }
    }
    merged
}

/// The parts of `text` to show, in order and apart: all of it when it is short.
fn windows(text: &str, spans: &[ByteSpan]) -> Vec<Range<usize>> {
    if text.chars().nth(CHARS_MAX).is_none() {
        return std::iter::once(0..text.len()).collect();
    }
    if spans.is_empty() {
        return std::iter::once(0..forward(text, 0, AROUND_CHARS * 2)).collect();
    }
    let mut windows: Vec<Range<usize>> = Vec::new();
    let mut left = CHARS_MAX;
    for span in spans {
        let start = backward(text, span.start, AROUND_CHARS);
        let end = forward(text, span.end, AROUND_CHARS);
        let from = windows.last().map_or(start, |last| start.max(last.end));
        let end = end.min(forward(text, from, left));
        left -= text.get(from..end).map_or(0, |piece| piece.chars().count()).min(left);
        match windows.last_mut() {
            Some(last) if last.end >= start => last.end = last.end.max(end),
            _ if from < end => windows.push(from..end),
            _ => {}
        }
    }
    windows
}

/// The place `chars` characters before `at`, which may be anywhere.
fn backward(text: &str, at: usize, chars: usize) -> usize {
    let before = text.get(..text.floor_char_boundary(at)).unwrap_or_default();
    before.char_indices().rev().take(chars).last().map_or(before.len(), |(place, _)| place)
}

/// The place `chars` characters behind `at`.
fn forward(text: &str, at: usize, chars: usize) -> usize {
    let from = text.ceil_char_boundary(at);
    let behind = text.get(from..).unwrap_or_default();
    behind.char_indices().nth(chars).map_or(text.len(), |(place, _)| from + place)
}

/// Characters with their marks as lines of at most [`WIDTH`], broken at blanks; blanks collapse, and empty lines go.
fn wrapped(shown: &[(char, bool)]) -> Vec<Vec<(char, bool)>> {
    let mut lines = Vec::new();
    for paragraph in shown.split(|&(char, _)| char == '\n') {
        let mut line: Vec<(char, bool)> = Vec::new();
        for (blank_marked, word) in words(paragraph) {
            if !line.is_empty() && line.len() + 1 + word.len() > WIDTH {
                lines.push(std::mem::take(&mut line));
            }
            if !line.is_empty() {
                line.push((' ', blank_marked));
            }
            line.extend(word);
        }
        if !line.is_empty() {
            lines.push(line);
        }
    }
    lines
}

/// The words of a paragraph, each with whether the blank before it is marked.
fn words(paragraph: &[(char, bool)]) -> Vec<(bool, Vec<(char, bool)>)> {
    let mut words: Vec<(bool, Vec<(char, bool)>)> = Vec::new();
    let mut blank = Some(false);
    for &(char, marked) in paragraph {
        if char.is_whitespace() {
            blank = Some(marked);
            continue;
        }
        if let Some(marked) = blank.take() {
            words.push((marked, Vec::new()));
        }
        if let Some((_, word)) = words.last_mut() {
            word.push((char, marked));
        }
    }
    words
}

/// A line with its marks.
fn painted(line: &[(char, bool)], style: Style) -> String {
    let runs = line.chunk_by(|(_, one), (_, other)| one == other);
    runs.map(|run| {
        let text: String = run.iter().map(|(char, _)| char).collect();
        if run.first().is_some_and(|&(_, marked)| marked) { style.mark(&text) } else { text }
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The lines with brackets where the terminal would be told to mark.
    fn shown(text: &str, marks: &[(usize, usize)]) -> Vec<String> {
        let spans: Vec<ByteSpan> = marks.iter().map(|&(start, end)| ByteSpan { start, end }).collect();
        let bright = lines(text, &spans, Style::Bright);
        bright.iter().map(|line| line.replace("\u{1b}[1;7m", "[").replace("\u{1b}[0m", "]")).collect()
    }

    #[test]
    fn the_right_words_are_marked_whatever_is_cleaned_away() {
        for (text, marks, expected) in [
            ("Mali et Niger", vec![(8, 13), (0, 4)], "[Mali] et [Niger]"),
            ("Mali et Niger", vec![(0, 7), (5, 13)], "[Mali et Niger]"),
            ("Mali et Niger", vec![(0, 13), (5, 7)], "[Mali et Niger]"),
            ("\u{1b}[2J\u{202e}Мали\u{7} et", vec![(7, 15)], "[2J[Мали] et"),
            ("a\u{1b} \u{202e} Mali", vec![(7, 11)], "a [Mali]"),
            ("Ma\u{ad}li\t\tsud", vec![(0, 6)], "[Ma\u{ad}li] sud"),
            ("coup  d'État", vec![(0, 13)], "[coup d'État]"),
            ("Wagner a quitté", vec![(0, 6), (7, 16)], "[Wagner] [a quitté]"),
            ("Mali", vec![(2, 900)], "Ma[li]"),
            ("Mali", vec![(3, 3)], "Mali"),
            ("Мали", vec![(1, 4)], "М[а]ли"),
            ("مالي: هجوم", vec![(0, 8)], "[مالي]: هجوم"),
        ] {
            assert_eq!(shown(text, &marks), [expected], "{text:?} {marks:?}");
        }
        assert_eq!(shown("", &[(0, 4)]), [""; 0]);
        assert_eq!(shown("a\r\n\n\u{2028}b", &[]), ["a", "b"]);
    }

    #[test]
    fn a_mark_goes_over_the_end_of_a_line() {
        let text = format!("{} Wagner Group now", "x".repeat(WIDTH - 8));
        let expected = [format!("{} [Wagner]", "x".repeat(WIDTH - 8)), "[Group] now".to_owned()];
        assert_eq!(shown(&text, &[(WIDTH - 7, WIDTH + 5)]), expected);
    }

    #[test]
    fn a_long_text_is_cut_around_its_marks() {
        let text = format!("{}Mali {}Niger {}", "a ".repeat(2000), "b ".repeat(2000), "c ".repeat(2000));
        let mali = text.find("Mali").unwrap();
        let niger = text.find("Niger").unwrap();
        let lines = shown(&text, &[(mali, mali + 4), (niger, niger + 5)]);
        let joined = lines.join(" ");
        assert!(joined.starts_with("… a a") && joined.ends_with("c c …"), "{joined}");
        assert!(joined.contains("a [Mali] b") && joined.contains("b [Niger] c"), "{joined}");
        assert_eq!(joined.matches('…').count(), 3, "{joined}");
        assert!(lines.len() < 10, "{lines:?}");
        let begun = shown(&text, &[]).join(" ");
        assert!(begun.starts_with("a a") && begun.ends_with("a …"), "{begun}");
        let many: Vec<(usize, usize)> = (0..2000).map(|n| (n * 2, n * 2 + 1)).collect();
        let full: usize = shown(&text, &many).iter().map(|line| line.chars().count()).sum();
        assert!(full < CHARS_MAX * 3, "{full}");
    }

    proptest! {
        #[test]
        fn any_text_and_spans_are_shown_harmlessly(
            text in "(\\PC|[\\x00-\\x20\\u{202a}-\\u{202e}\\u{2028}]){0,60}",
            times in 1_usize..60,
            marks in prop::collection::vec((0_usize..4000, 0_usize..4000), 0..6),
        ) {
            let text = text.repeat(times);
            let spans: Vec<ByteSpan> = marks.iter().map(|&(start, end)| ByteSpan { start, end }).collect();
            let plain = lines(&text, &spans, Style::Plain);
            for line in &plain {
                prop_assert!(line.chars().all(|c| foreign::harmless(c) == Some(c) && c != '\n'), "{:?}", line);
            }
            if text.chars().count() <= CHARS_MAX {
                prop_assert_eq!(plain, lines(&text, &[], Style::Plain));
            }
        }
    }
}
