//! Terms with gaps: `a ..3 (b | c) ..8 @d`.
//!
//! A term of words alone is found right behind the words and is from there on words like any others, so that an
//! alias may have gaps too. One that names entities has to wait until these are known. Only terms whose rarest
//! piece is mentioned are looked at.

use super::engine::Engine;
use super::literals::Hit;
use super::mentions::Mentions;
use super::model::Gap;
use super::near::Span;
use super::places::{Mention, mention};
use crate::text::Pos;

/// Hits of terms with gaps that are made of words alone.
pub(super) fn of_words(engine: &Engine, mentions: &Mentions) -> Vec<Hit> {
    let mut found = Vec::new();
    for number in triggered(engine, mentions) {
        if let Some((literal, gap)) = engine.word_gap(number) {
            found.extend(spans(gap, mentions).into_iter().map(|(first, last)| Hit { literal, first, last }));
        }
    }
    found
}

/// Mentions of terms with gaps that name entities.
pub(super) fn of_entities(engine: &Engine, mentions: &Mentions) -> Vec<Mention> {
    let mut found = Vec::new();
    for number in triggered(engine, mentions) {
        if let Some((concept, gap)) = engine.entity_gap(number) {
            found.extend(spans(gap, mentions).into_iter().filter_map(|span| mention(concept, span)));
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}

fn triggered(engine: &Engine, mentions: &Mentions) -> Vec<u32> {
    let mut numbers: Vec<u32> =
        mentions.concepts().flat_map(|concept| engine.gaps_under(concept)).copied().collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}

/// Where all pieces stand in order: for each place of the first piece, the group that ends first.
fn spans(gap: &Gap, mentions: &Mentions) -> Vec<Span> {
    let mut found = Vec::new();
    let Some(((_, first), rest)) = gap.pieces.split_first() else { return found };
    let pieces: Vec<(u32, Vec<Span>)> =
        rest.iter().map(|(width, piece)| (*width, places(piece, mentions))).collect();
    if pieces.iter().any(|(_, places)| places.is_empty()) {
        return found;
    }
    for start in places(first, mentions) {
        let mut ends: Vec<Pos> = vec![start.1];
        for (width, places) in &pieces {
            ends = next_ends(&ends, *width, places);
        }
        found.extend(ends.first().map(|&end| (start.0, end)));
    }
    found
}

/// Where a piece ends that begins at most `width` words behind one of `ends`; sorted, each once.
fn next_ends(ends: &[Pos], width: u32, places: &[Span]) -> Vec<Pos> {
    let reach = |end: Pos| end.saturating_add(width).saturating_add(1);
    let (Some(&first), Some(&last)) = (ends.first(), ends.last()) else { return Vec::new() };
    let from = places.partition_point(|place| place.0 <= first);
    let behind = places.get(from..).unwrap_or_default().iter().take_while(|place| place.0 <= reach(last));
    // The last end before a place is the closest one.
    let closest = |place: &Span| ends.get(..ends.partition_point(|&end| end < place.0))?.last();
    let close = behind.filter(|place| closest(place).is_some_and(|&end| place.0 <= reach(end)));
    let mut next: Vec<Pos> = close.map(|place| place.1).collect();
    next.sort_unstable();
    next.dedup();
    next
}

fn places(piece: &[u32], mentions: &Mentions) -> Vec<Span> {
    let mut places: Vec<Span> =
        piece.iter().flat_map(|&concept| mentions.so_far(concept)).map(|mention| mention.span()).collect();
    places.sort_unstable();
    places.dedup();
    places
}
