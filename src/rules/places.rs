//! Places where concepts stand: in one number each, in lists by concept, and how far they are from each other.

use super::model::{ConceptId, NO_CONCEPT};
use super::near::Span;

/// A place where a concept stands, in one number: concept, first word, words behind it. So they sort in that order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Mention(u64);

/// Words behind the first that a mention can cover at most.
pub(crate) const SPAN_MAX: u32 = (1 << 11) - 1;

impl Mention {
    /// A mention of `concept`; `None` when it covers too many words.
    fn new(concept: ConceptId, span: Span) -> Option<Self> {
        let behind = span.1 - span.0;
        let packed = u64::from(concept) << 32 | u64::from(span.0) << 11 | u64::from(behind);
        (behind <= SPAN_MAX).then_some(Self(packed))
    }

    /// What is mentioned.
    pub(crate) fn concept(self) -> ConceptId {
        low(self.0 >> 32)
    }

    /// Its first and last word.
    #[inline]
    pub(crate) fn span(self) -> Span {
        let first = low(self.0) >> 11;
        (first, first + (low(self.0) & SPAN_MAX))
    }
}

/// The lower half of a number.
#[inline]
fn low(number: u64) -> u32 {
    let [a, b, c, d, ..] = number.to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}

/// A mention of a concept that somebody asks for.
pub(super) fn mention(concept: ConceptId, span: Span) -> Option<Mention> {
    if concept == NO_CONCEPT { None } else { Mention::new(concept, span) }
}

/// Where each concept stands in a list of mentions: an open table that fits the closest cache.
#[derive(Default)]
pub(super) struct Places {
    /// Concept, and the range of its mentions; empty ranges are free. A power of two of them.
    slots: Vec<(ConceptId, u32, u32)>,
}

impl Places {
    /// Forgets the list.
    pub(super) fn clear(&mut self) {
        self.slots.clear();
    }

    /// Files a list that is sorted by concept.
    pub(super) fn fill(&mut self, mentions: &[Mention]) {
        let concepts = mentions.chunk_by(|a, b| a.concept() == b.concept());
        let slots = (concepts.clone().count() * 2).next_power_of_two();
        self.slots.resize(slots, (NO_CONCEPT, 0, 0));
        let mut from = 0;
        for chunk in concepts {
            let to = from + u32::try_from(chunk.len()).unwrap_or_default();
            let concept = chunk.first().map_or(NO_CONCEPT, |mention| mention.concept());
            let mut at = Self::start(concept) & (slots - 1);
            while self.slots.get(at).is_some_and(|slot| slot.1 != slot.2) {
                at = (at + 1) & (slots - 1);
            }
            if let Some(slot) = self.slots.get_mut(at) {
                *slot = (concept, from, to);
            }
            from = to;
        }
    }

    /// Where a concept stands in the list.
    #[inline]
    pub(super) fn of(&self, concept: ConceptId) -> std::ops::Range<usize> {
        let mask = self.slots.len().wrapping_sub(1);
        let mut at = Self::start(concept) & mask;
        while let Some(&(known, from, to)) = self.slots.get(at).filter(|slot| slot.1 != slot.2) {
            if known == concept {
                return from as usize..to as usize;
            }
            at = (at + 1) & mask;
        }
        0..0
    }

    #[inline]
    fn start(concept: ConceptId) -> usize {
        (concept.wrapping_mul(0x9e37_79b1) >> 12) as usize
    }
}

/// Whether something is mentioned outside the words `own`, at most `within` words from them.
///
/// Phrases are short, so only a few mentions can overlap `own` and have to be stepped over.
pub(super) fn is_apart(mentions: &[Mention], own: Span, within: u32) -> bool {
    let behind = mentions.partition_point(|mention| mention.span().0 <= own.1);
    if mentions.get(behind).is_some_and(|mention| mention.span().0 - own.1 <= within) {
        return true;
    }
    let before = mentions.get(..behind).unwrap_or_default().iter().rev();
    before
        .take_while(|mention| reaches(mention.span(), own, within))
        .any(|mention| mention.span().1 < own.0 && own.0 - mention.span().1 <= within)
}

/// Whether something is mentioned not only inside the words `own`, at most `within` words from them.
pub(super) fn is_beyond(mentions: &[Mention], own: Span, within: u32) -> bool {
    if is_apart(mentions, own, within) {
        return true;
    }
    let behind = mentions.partition_point(|mention| mention.span().0 <= own.1);
    let before = mentions.get(..behind).unwrap_or_default().iter().rev();
    before
        .take_while(|mention| reaches(mention.span(), own, 0))
        .any(|mention| mention.span().1 >= own.0 && (mention.span().0 < own.0 || mention.span().1 > own.1))
}

/// Whether a mention that begins so early could still end within reach.
fn reaches(span: Span, own: Span, within: u32) -> bool {
    span.0.saturating_add(SPAN_MAX).saturating_add(within) >= own.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Pos;

    fn mentions(spans: &[Span]) -> Vec<Mention> {
        spans.iter().filter_map(|&span| mention(7, span)).collect()
    }

    #[test]
    fn a_need_stands_outside_the_own_words_and_a_reject_may_contain_them() {
        for (spans, own, within, apart, beyond) in [
            (&[(5, 5)][..], (5, 5), Pos::MAX, false, false),
            (&[(4, 5)], (5, 5), Pos::MAX, false, true),
            (&[(5, 6)], (5, 5), Pos::MAX, false, true),
            (&[(5, 5)], (4, 6), Pos::MAX, false, false),
            (&[(3, 3)], (5, 5), 2, true, true),
            (&[(3, 3)], (5, 5), 1, false, false),
            (&[(7, 9)], (5, 5), 2, true, true),
            (&[(7, 9)], (5, 5), 1, false, false),
            (&[(1, 2), (1, 9)], (5, 5), 3, true, true),
            (&[(0, 0), (4, 5), (5, 5)], (5, 5), Pos::MAX, true, true),
            (&[], (5, 5), Pos::MAX, false, false),
        ] {
            let mentions = mentions(spans);
            assert_eq!(is_apart(&mentions, own, within), apart, "{spans:?} apart from {own:?} by {within}");
            assert_eq!(is_beyond(&mentions, own, within), beyond, "{spans:?} beyond {own:?} by {within}");
        }
    }
}
