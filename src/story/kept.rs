//! What is kept of a text that is too long: its beginning, and the places that its reader must see.

use crate::text::ByteSpan;

/// How much is kept on either side of a place, in bytes: a sentence or two, and where there is little room, a fifth of it.
const AROUND_BYTES: usize = 160;

/// Stands for what is left out, on a line of its own, so that nothing reads on.
const GAP: &str = "\n[…]\n";

/// A text as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Kept {
    /// What is kept.
    pub text: String,
    /// The pieces of the whole, and where each begins in `text`.
    pieces: Vec<(ByteSpan, usize)>,
}

impl Kept {
    /// Keeps at most `bytes_max` bytes. Where `places` lie behind them, half of the room is for their surroundings, as far
    /// as it goes, those of the first ones first.
    pub fn of(text: &str, places: &[ByteSpan], bytes_max: usize) -> Self {
        let is_cut = places.iter().any(|place| place.end > bytes_max);
        let spans = if is_cut { pieces(text, places, bytes_max) } else { vec![head(text, bytes_max)] };
        let mut kept = Self { text: String::new(), pieces: Vec::new() };
        for span in spans {
            if !kept.pieces.is_empty() {
                kept.text.push_str(GAP);
            }
            kept.pieces.push((span, kept.text.len()));
            kept.text.push_str(span.of(text));
        }
        kept
    }

    /// Where a place of the whole is now; `None` when it was left out.
    pub fn place(&self, whole: ByteSpan) -> Option<ByteSpan> {
        let holds = |(piece, _): &&(ByteSpan, usize)| piece.start <= whole.start && whole.end <= piece.end;
        let (piece, at) = self.pieces.iter().find(holds)?;
        let moved = |byte: usize| byte - piece.start + at;
        Some(ByteSpan { start: moved(whole.start), end: moved(whole.end) })
    }

    /// Where in what is kept stands what is behind a byte of the whole.
    pub fn behind(&self, byte: usize) -> usize {
        let holds = |(piece, _): &&(ByteSpan, usize)| byte < piece.end;
        let kept = self.pieces.iter().find(holds).map(|(piece, at)| byte.saturating_sub(piece.start) + at);
        kept.unwrap_or(self.text.len())
    }
}

/// The longest beginning of at most so many bytes.
fn head(text: &str, bytes_max: usize) -> ByteSpan {
    ByteSpan { start: 0, end: text.floor_char_boundary(bytes_max) }
}

/// The beginning and the surroundings of places, in the order of the text, none touching the next.
fn pieces(text: &str, places: &[ByteSpan], bytes_max: usize) -> Vec<ByteSpan> {
    let mut room = bytes_max / 2;
    let mut found: Vec<ByteSpan> = Vec::new();
    for place in places.iter().filter(|place| place.end > bytes_max / 2) {
        let around = around(text, *place, AROUND_BYTES.min(bytes_max / 5));
        let is_shown = found.iter().any(|other| other.start <= place.start && place.end <= other.end);
        let bytes = around.end.saturating_sub(around.start) + GAP.len();
        if !is_shown && bytes <= room {
            room -= bytes;
            found.push(around);
        }
    }
    found.sort_unstable_by_key(|span| span.start);
    let mut pieces = vec![head(text, bytes_max / 2 + room)];
    for span in found {
        match pieces.last_mut() {
            Some(last) if span.start <= last.end => last.end = last.end.max(span.end),
            Some(_) | None => pieces.push(span),
        }
    }
    pieces
}

/// A place with whole words on either side.
fn around(text: &str, place: ByteSpan, bytes: usize) -> ByteSpan {
    let first = text.floor_char_boundary(place.start.saturating_sub(bytes));
    let last = text.ceil_char_boundary(place.end.saturating_add(bytes));
    let before = text.get(first..place.start).unwrap_or_default();
    let after = text.get(place.end..last).unwrap_or_default();
    let start = if first == 0 { None } else { before.find(char::is_whitespace) };
    let end = if last == text.len() { None } else { after.rfind(char::is_whitespace) };
    ByteSpan {
        start: start.map_or(first, |skipped| first + skipped),
        end: end.map_or(last, |left| place.end + left),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Thousands of words, and where some of them stand.
    fn text(words: &[(usize, &str)]) -> (String, Vec<ByteSpan>) {
        let mut text = String::new();
        let mut places = Vec::new();
        for n in 0..5_000 {
            if let Some((_, word)) = words.iter().find(|(at, _)| *at == n) {
                text.push(' ');
                places.push(ByteSpan { start: text.len(), end: text.len() + word.len() });
                text.push_str(word);
            }
            text.push_str(" слово");
        }
        (text, places)
    }

    #[test]
    fn places_behind_the_cut_are_kept_with_their_surroundings() {
        let marked = [(1, "Gao"), (600, "Kidal"), (4_000, "Ménaka"), (4_002, "Ansongo"), (4_999, "Tessalit")];
        let (text, places) = text(&marked);
        let kept = Kept::of(&text, &places, 8_192);
        assert!(kept.text.len() <= 8_192 && kept.text.len() > 7_000, "{}", kept.text.len());
        for (place, (_, word)) in places.iter().zip(marked) {
            assert_eq!(kept.place(*place).map(|span| span.of(&kept.text)), Some(word));
        }
        let kidal = places.get(1).unwrap().start;
        assert_eq!((kept.behind(0), kept.behind(text.len())), (0, kept.text.len()));
        assert_eq!(kept.behind(kidal), kept.place(places[1]).unwrap().start);
        let left_out = kept.place(places[2]).unwrap().start;
        assert!(
            kept.behind(places[2].start - 2_000) <= left_out,
            "behind what is left out stands what comes next"
        );
        assert_eq!(kept.text.matches(GAP).count(), 2, "neighbours share their surroundings");
        let whole =
            |word: &&str| matches!(*word, "слово" | "[…]") || marked.iter().any(|(_, mark)| mark == word);
        let cut = kept.text.split_whitespace().filter(|word| !whole(word)).count();
        assert!(cut <= 1, "the beginning alone may end within a word");
        assert_eq!(kept.place(ByteSpan { start: 20_000, end: 20_010 }), None);
    }

    #[test]
    fn without_places_behind_the_cut_the_beginning_is_kept() {
        let (text, places) = text(&[(1, "Gao")]);
        let kept = Kept::of(&text, &places, 8_192);
        assert_eq!(
            (kept.text.as_str(), kept.place(places[0])),
            (head(&text, 8_192).of(&text), Some(places[0]))
        );
        let short = Kept::of("Gao", &[ByteSpan { start: 0, end: 3 }], 8_192);
        assert_eq!(short.text, "Gao");
    }

    #[test]
    fn many_and_long_places_stay_within_the_room() {
        let text = "é".repeat(50_000);
        let places: Vec<_> = (0..900).map(|n| ByteSpan { start: n * 100, end: n * 100 + 10 }).collect();
        let kept = Kept::of(&text, &places, 8_192);
        assert!(kept.text.len() <= 8_192, "{}", kept.text.len());
        let whole = ByteSpan { start: 0, end: text.len() };
        assert_eq!(Kept::of(&text, &[whole], 8_192).text.len(), 8_192);
        assert!(Kept::of(&text, &[ByteSpan { start: 99_999, end: 200_000 }], 8_192).text.len() <= 8_192);
    }
}
