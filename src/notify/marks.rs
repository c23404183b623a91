//! A foreign text cut to length, with the words that met a rule marked.

use super::foreign::{clusters, harmless, whole_words};
use crate::rules::verdict::{Match, Reason};
use crate::story::kept::Kept;
use crate::text::{ByteSpan, Field};

/// A stretch of text that is marked as a whole or not at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    /// Harmless text.
    pub(crate) text: String,
    /// Whether it met a rule.
    pub(crate) marked: bool,
}

/// The spans of `field` that met any of `rules`, in order, without overlaps.
pub(crate) fn spans(rules: &[Match], field: Field) -> Vec<ByteSpan> {
    let reasons = rules.iter().flat_map(|rule| &rule.why);
    let mut spans: Vec<ByteSpan> =
        reasons.filter(|reason| reason.field == field).map(|reason: &Reason| reason.span).collect();
    spans.sort_unstable();
    let mut merged: Vec<ByteSpan> = Vec::with_capacity(spans.len());
    for span in spans {
        match merged.last_mut() {
            Some(last) if span.start <= last.end => last.end = last.end.max(span.end),
            _ => merged.push(span),
        }
    }
    merged
}

/// At most `chars_max` characters of what an item says, in pieces: its beginning, or where the first word that met a rule
/// stands behind that, a shorter one and the surroundings of such words.
pub(crate) fn excerpt(text: &str, rules: &[Match], chars_max: usize) -> Vec<Piece> {
    let (text, spans) = (text.trim_end(), spans(rules, Field::Text));
    let bytes_max = text.char_indices().nth(chars_max).map_or(text.len(), |(at, _)| at);
    if spans.first().is_none_or(|first| first.end <= bytes_max) {
        return pieces(text, &spans, chars_max);
    }
    let kept = Kept::of(text, &spans, bytes_max);
    let places: Vec<ByteSpan> = spans.iter().filter_map(|span| kept.place(*span)).collect();
    let mut pieces = pieces(&kept.text, &places, chars_max);
    let is_cut = kept.text.lines().next_back().is_none_or(|line| !text.ends_with(line));
    if is_cut && pieces.last().is_some_and(|last| !last.text.ends_with('…')) {
        push(&mut pieces, '…', false);
    }
    pieces
}

/// The first `chars_max` characters of `text`, in pieces; a cut ends in `…`.
///
/// At most one blank line stays in a row. Characters are taken whole, whatever the spans say, and what is seen as one
/// character is not cut. Of none there is nothing.
pub(crate) fn pieces(text: &str, spans: &[ByteSpan], chars_max: usize) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    if chars_max == 0 {
        return pieces;
    }
    let mut left = chars_max;
    let mut breaks = 2; // as if after a blank line: none stands at the start
    let mut spans = spans.iter().peekable();
    for (begins, cluster) in clusters(text) {
        let chars = cluster.char_indices().filter_map(|(at, char)| Some((begins + at, harmless(char)?)));
        let chars: Vec<(usize, char)> = chars.collect();
        let Some((_, first)) = chars.first() else { continue };
        breaks = if *first == '\n' { breaks + 1 } else { 0 };
        if breaks > 2 {
            continue;
        }
        let Some(room) = left.checked_sub(chars.len()) else {
            end(&mut pieces);
            break;
        };
        left = room;
        for (at, char) in chars {
            while spans.next_if(|span| span.end <= at).is_some() {}
            let marked = spans.peek().is_some_and(|span| span.start <= at);
            push(&mut pieces, char, marked);
        }
    }
    pieces
}

/// Marks a cut: between words where the last piece is plain, anywhere in a marked one.
fn end(pieces: &mut Vec<Piece>) {
    if let Some(last) = pieces.last_mut().filter(|last| !last.marked) {
        last.text.truncate(whole_words(&last.text).len());
    }
    push(pieces, '…', false);
}

fn push(pieces: &mut Vec<Piece>, char: char, marked: bool) {
    match pieces.last_mut() {
        Some(last) if last.marked == marked => last.text.push(char),
        _ => pieces.push(Piece { text: char.to_string(), marked }),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::rules::spec::{Mode, Severity};

    fn rule(spans: &[(usize, usize)]) -> Match {
        let why = spans.iter().map(|&(start, end)| Reason {
            term: "@mali".to_owned(),
            text: String::new(),
            field: Field::Title,
            span: ByteSpan { start, end },
        });
        Match {
            rule: "r".into(),
            severity: Severity::High,
            tags: Vec::new(),
            mode: Mode::Live,
            note: None,
            max_age: None,
            score: None,
            why: why.collect(),
        }
    }

    /// Pieces written with brackets around what is marked.
    fn shown(text: &str, marks: &[(usize, usize)], chars_max: usize) -> String {
        let spans = spans(&[rule(marks)], Field::Title);
        let pieces = pieces(text, &spans, chars_max);
        pieces.iter().map(|p| if p.marked { format!("[{}]", p.text) } else { p.text.clone() }).collect()
    }

    #[test]
    fn matched_words_are_marked_once() {
        for (text, marks, chars_max, expected) in [
            ("Mali et Niger", vec![(8, 13), (0, 4)], 99, "[Mali] et [Niger]"),
            ("Mali et Niger", vec![(0, 7), (5, 13)], 99, "[Mali et Niger]"),
            ("Mali et Niger", vec![(0, 13), (5, 7)], 99, "[Mali et Niger]"),
            ("Мали", vec![(0, 4)], 99, "[Ма]ли"),
            ("Мали", vec![(1, 4)], 99, "М[а]ли"),
            ("Mali", vec![(2, 900)], 99, "Ma[li]"),
            ("Mali", vec![(3, 3)], 99, "Mali"),
            ("Mali et Niger", vec![(0, 4)], 3, "[Mal]…"),
            ("Mali et Niger", vec![(0, 4)], 10, "[Mali] et…"),
            ("Mali et Niger", vec![(0, 4)], 13, "[Mali] et Niger"),
            ("\n\na\u{202e}\n\n\n\nb\0", vec![], 99, "a\n\nb"),
            ("", vec![(0, 4)], 99, ""),
            ("Mali", vec![(0, 4)], 0, ""),
            ("e\u{301}e\u{301}", vec![], 3, "e\u{301}…"),
            ("🇲🇱🇳🇪", vec![(0, 8)], 3, "[🇲🇱]…"),
        ] {
            assert_eq!(shown(text, &marks, chars_max), expected, "{text:?} {marks:?}");
        }
    }

    #[test]
    fn an_excerpt_shows_what_met_a_rule_wherever_it_stands() {
        let filler = |count: usize| "Rice costs more in Bamako. ".repeat(count);
        let excerpt = |text: &str, word: &str, chars_max| {
            let start = text.find(word).unwrap();
            let mut rule = rule(&[(start, start + word.len())]);
            rule.why[0].field = Field::Text;
            let pieces = excerpt(text, &[rule], chars_max);
            let shown =
                pieces.iter().map(|p| if p.marked { format!("<{}>", p.text) } else { p.text.clone() });
            shown.collect::<String>()
        };
        let far = format!("{}Soldiers died when their convoy attacked a camp. {}", filler(30), filler(30));
        let shown = excerpt(&far, "convoy attacked", 600);
        assert!(shown.starts_with("Rice costs more in Bamako. Rice"), "{shown}");
        assert!(shown.contains("\n[…]\n") && shown.ends_with('…'), "{shown}");
        assert!(shown.contains("Soldiers died when their <convoy attacked> a camp."), "{shown}");
        assert!(shown.chars().count() <= 600 + "<>…".len(), "{shown}");
        let last = format!("{}The convoy attacked.", filler(30));
        assert!(
            excerpt(&last, "convoy attacked", 600).ends_with("The <convoy attacked>."),
            "the end is no cut"
        );
        let near = format!("The convoy attacked. {}", filler(40));
        assert!(excerpt(&near, "convoy attacked", 40).starts_with("The <convoy attacked>. Rice"));
        assert_eq!(excerpt(&near, "convoy attacked", 0), "");
    }

    proptest! {
        #[test]
        fn any_spans_are_survived(text in "\\PC{0,40}", marks in prop::collection::vec((0_usize..90, 0_usize..90), 0..6)) {
            let spans = spans(&[rule(&marks)], Field::Title);
            let joined: String = pieces(&text, &spans, 1000).into_iter().map(|piece| piece.text).collect();
            let plain: String = pieces(&text, &[], 1000).into_iter().map(|piece| piece.text).collect();
            prop_assert_eq!(joined, plain);
        }
    }
}
