//! One hit of each term, not overlapping, close together.
//!
//! In a group the hits stand one behind the other. Among groups that begin with the same hit and use the same
//! terms, the one that ends first is never worse than another, so it is enough to know that one for every set
//! of terms. The work is linear in the number of hits; the number of terms is small and bounded.

use crate::text::Pos;

/// Terms of a `near` at most: the work for a hit doubles with each.
pub(crate) const TERMS_MAX: usize = 8;

/// First and last word of a hit.
pub(crate) type Span = (Pos, Pos);

/// The first group of one span of each list whose last word is at most `within` behind its first.
///
/// Each list is sorted; spans never reach from one field to the other and fields lie further apart than
/// `within`, so a group lies in one field.
pub(crate) fn group(lists: &[Vec<Span>], within: u32) -> Option<Vec<Span>> {
    if lists.is_empty() || lists.len() > TERMS_MAX || lists.iter().any(Vec::is_empty) {
        return None;
    }
    let shortest: Vec<Vec<Span>> = lists.iter().map(|list| shortest_from(list)).collect();
    let mut starts: Vec<(Span, usize)> = lists
        .iter()
        .enumerate()
        .flat_map(|(term, list)| list.iter().map(move |&span| (span, term)))
        .collect();
    starts.sort_unstable();
    starts.into_iter().find_map(|(span, term)| group_from(span, term, &shortest, within))
}

/// For each span the one that ends first among it and all that begin later.
fn shortest_from(list: &[Span]) -> Vec<Span> {
    let mut best: Option<Span> = None;
    let mut out = list.to_vec();
    for span in out.iter_mut().rev() {
        let better = best.filter(|best| best.1 <= span.1).unwrap_or(*span);
        best = Some(better);
        // The key of the search stays the beginning of the span itself: see `first_after`.
        *span = (span.0, better.1);
    }
    out
}

/// The last word of the span that ends first among those that begin behind `pos`.
fn first_after(list: &[Span], pos: Pos) -> Option<Pos> {
    let at = list.partition_point(|span| span.0 <= pos);
    list.get(at).map(|span| span.1)
}

fn group_from(first: Span, term: usize, lists: &[Vec<Span>], within: u32) -> Option<Vec<Span>> {
    let limit = first.0.saturating_add(within);
    let full = (1_usize << lists.len()) - 1;
    // For a set of terms: where the shortest group of them ends, and the term and set it was made of.
    let mut ends: [Option<(Pos, usize, usize)>; 1 << TERMS_MAX] = [None; 1 << TERMS_MAX];
    ends[1 << term] = (first.1 <= limit).then_some((first.1, term, 0));
    for set in 1..full {
        let Some((end, _, _)) = ends[set] else { continue };
        for (next, list) in lists.iter().enumerate().filter(|(next, _)| set & 1 << next == 0) {
            let Some(last) = first_after(list, end).filter(|&last| last <= limit) else { continue };
            let slot = &mut ends[set | 1 << next];
            if slot.is_none_or(|(known, _, _)| last < known) {
                *slot = Some((last, next, set));
            }
        }
    }
    let mut spans = vec![first; lists.len()];
    let mut set = full;
    while set != 1 << term {
        let (last, term, rest) = ends[set]?;
        let end_before = ends[rest].map_or(0, |(end, _, _)| end);
        spans[term] = (start_of_span(&lists[term], end_before, last), last);
        set = rest;
    }
    ends[set].map(|_| spans)
}

/// Where the latest span begins that begins behind `after` and ends at `end`.
fn start_of_span(list: &[Span], after: Pos, end: Pos) -> Pos {
    let from = list.partition_point(|span| span.0 <= after);
    let same_end = list.get(from..).unwrap_or_default().iter().take_while(|span| span.1 == end);
    same_end.last().map_or(end, |span| span.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Tries every choice of one span from each list.
    fn exists(lists: &[Vec<Span>], within: u32, chosen: &mut Vec<Span>) -> bool {
        let Some((list, rest)) = lists.split_first() else {
            let first = chosen.iter().map(|span| span.0).min().unwrap_or_default();
            let last = chosen.iter().map(|span| span.1).max().unwrap_or_default();
            return last - first <= within;
        };
        list.iter().any(|&span| {
            let apart = chosen.iter().all(|other| span.1 < other.0 || other.1 < span.0);
            chosen.push(span);
            let found = apart && exists(rest, within, chosen);
            chosen.pop();
            found
        })
    }

    #[test]
    fn distance_runs_from_the_first_word_to_the_last() {
        for (lists, within, expected) in [
            (vec![vec![(0, 0)], vec![(1, 1)]], 1, true),
            (vec![vec![(0, 1)], vec![(2, 3)]], 2, false),
            (vec![vec![(0, 1)], vec![(2, 3)]], 3, true),
            (vec![vec![(5, 5)], vec![(2, 2)]], 3, true),
            (vec![vec![(0, 2)], vec![(1, 1)]], 9, false),
            (vec![vec![(0, 0), (4, 4)], vec![(0, 0), (4, 4)]], 4, true),
            (vec![vec![(0, 0)], vec![(0, 0)]], 4, false),
            (vec![vec![(0, 0)], vec![]], 4, false),
        ] {
            assert_eq!(group(&lists, within).is_some(), expected, "{lists:?} within {within}");
        }
    }

    proptest! {
        #[test]
        fn a_group_is_found_exactly_when_there_is_one(
            lists in prop::collection::vec(prop::collection::vec((0_u32..30, 0_u32..3), 0..6), 1..5),
            within in 1_u32..12,
        ) {
            let lists: Vec<Vec<Span>> = lists
                .into_iter()
                .map(|list| {
                    let mut list: Vec<Span> = list.into_iter().map(|(at, more)| (at, at + more)).collect();
                    list.sort_unstable();
                    list
                })
                .collect();
            let found = group(&lists, within);
            prop_assert_eq!(found.is_some(), exists(&lists, within, &mut Vec::new()));
            for (span, list) in found.iter().flatten().zip(&lists) {
                prop_assert!(list.contains(span), "{:?} is a hit of {:?}", span, list);
            }
        }
    }
}
