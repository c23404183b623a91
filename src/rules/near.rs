//! One hit of each term, not overlapping, close together.
//!
//! In a group the hits stand one behind the other. Among groups that begin with the same hit and use the same
//! terms, the one that ends first is never worse than another, so it is enough to know that one for every set
//! of terms; in order, for every number of terms. Two terms, nearly all groups, are walked side by side.

use crate::text::Pos;

/// Terms of a `near` at most.
pub(crate) const TERMS_MAX: usize = 32;

/// Terms for which every set of them is looked at: the work for a hit doubles with each.
const TERMS_OF_SETS_MAX: usize = 8;

/// Choices tried for a group of more terms; only texts that are made of little but overlapping hits need as many.
const CHOICES_MAX: usize = 20_000;

/// First and last word of a hit.
pub(crate) type Span = (Pos, Pos);

/// One span of each of two lists, the last word of both at most `within` behind the first; with `ordered`, that of
/// `a` before that of `b`.
///
/// Each list is sorted; spans never reach from one field to the other and fields lie further apart than
/// `within`, so a group lies in one field.
pub(crate) fn pair(
    a: impl Iterator<Item = Span> + Clone,
    b: impl Iterator<Item = Span> + Clone,
    within: u32,
    ordered: bool,
) -> Option<(Span, Span)> {
    let before = |first: Span, second: Span| first.1 < second.0 && second.1 - first.0 <= within;
    let mut rest = b;
    for first in a {
        // No later span of `a` can reach what ends so far before this one.
        while rest.clone().next().is_some_and(|second| second.0.saturating_add(REACH + within) < first.0) {
            rest.next();
        }
        let close = rest.clone().take_while(|second| second.0 <= first.0.saturating_add(within));
        for second in close {
            if before(first, second) || (!ordered && before(second, first)) {
                return Some((first, second));
            }
        }
    }
    None
}

/// Words that a span covers at most.
const REACH: u32 = super::places::SPAN_MAX;

/// The first group of one span of each list whose last word is at most `within` behind its first; with `ordered`,
/// in the order of the lists.
pub(crate) fn group(lists: &[Vec<Span>], within: u32, ordered: bool) -> Option<Vec<Span>> {
    if lists.is_empty() || lists.len() > TERMS_MAX || lists.iter().any(Vec::is_empty) {
        return None;
    }
    let shortest: Vec<Vec<Span>> = lists.iter().map(|list| shortest_from(list)).collect();
    if ordered {
        let rest = shortest.get(1..).unwrap_or_default();
        return lists.first()?.iter().find_map(|&start| in_order(start, rest, within));
    }
    let mut starts: Vec<(Span, usize)> = lists
        .iter()
        .enumerate()
        .flat_map(|(term, list)| list.iter().map(move |&span| (span, term)))
        .collect();
    starts.sort_unstable();
    if lists.len() <= TERMS_OF_SETS_MAX {
        return starts.into_iter().find_map(|(span, term)| group_from(span, term, &shortest, within));
    }
    let mut choices = CHOICES_MAX;
    starts.into_iter().find_map(|(span, term)| choose_from(span, term, lists, within, &mut choices))
}

/// The group that begins with `start` and goes on through `rest` in order.
fn in_order(start: Span, rest: &[Vec<Span>], within: u32) -> Option<Vec<Span>> {
    let limit = start.0.saturating_add(within);
    let mut group = vec![start];
    let mut end = start.1;
    for list in rest {
        let last = first_after(list, end)?;
        group.push((start_of_span(list, end, last), last));
        end = last;
    }
    (end <= limit).then_some(group)
}

/// A group of many terms that begins with `first`: tries the terms with the fewest hits in reach first.
fn choose_from(
    first: Span,
    term: usize,
    lists: &[Vec<Span>],
    within: u32,
    choices: &mut usize,
) -> Option<Vec<Span>> {
    let limit = first.0.saturating_add(within);
    if first.1 > limit {
        return None;
    }
    let mut open: Vec<(usize, Vec<Span>)> = Vec::with_capacity(lists.len());
    for (other, list) in lists.iter().enumerate().filter(|(other, _)| *other != term) {
        let from = list.partition_point(|span| span.0 <= first.1);
        let rest = list.get(from..).unwrap_or_default().iter();
        let near: Vec<Span> =
            rest.take_while(|span| span.0 <= limit).filter(|span| span.1 <= limit).copied().collect();
        if near.is_empty() {
            return None;
        }
        open.push((other, near));
    }
    open.sort_by_key(|(_, near)| near.len());
    let mut group = vec![first; lists.len()];
    choose(&open, &mut group, &mut vec![first], choices).then_some(group)
}

fn choose(
    open: &[(usize, Vec<Span>)],
    group: &mut [Span],
    taken: &mut Vec<Span>,
    choices: &mut usize,
) -> bool {
    let Some(((term, near), rest)) = open.split_first() else { return true };
    for &span in near {
        if *choices == 0 {
            return false;
        }
        *choices -= 1;
        if taken.iter().any(|other| span.0 <= other.1 && other.0 <= span.1) {
            continue;
        }
        taken.push(span);
        if let Some(slot) = group.get_mut(*term) {
            *slot = span;
        }
        if choose(rest, group, taken, choices) {
            return true;
        }
        taken.pop();
    }
    false
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
    let mut ends: [Option<(Pos, usize, usize)>; 1 << TERMS_OF_SETS_MAX] = [None; 1 << TERMS_OF_SETS_MAX];
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
    fn exists(lists: &[Vec<Span>], within: u32, ordered: bool, chosen: &mut Vec<Span>) -> bool {
        let Some((list, rest)) = lists.split_first() else {
            let first = chosen.iter().map(|span| span.0).min().unwrap_or_default();
            let last = chosen.iter().map(|span| span.1).max().unwrap_or_default();
            return last - first <= within;
        };
        list.iter().any(|&span| {
            let apart = chosen.iter().all(|other| span.1 < other.0 || other.1 < span.0);
            let behind = !ordered || chosen.last().is_none_or(|before| before.1 < span.0);
            chosen.push(span);
            let found = apart && behind && exists(rest, within, ordered, chosen);
            chosen.pop();
            found
        })
    }

    #[test]
    fn distance_runs_from_the_first_word_to_the_last() {
        for (lists, within, ordered, expected) in [
            (vec![vec![(0, 0)], vec![(1, 1)]], 1, true, true),
            (vec![vec![(0, 1)], vec![(2, 3)]], 2, false, false),
            (vec![vec![(0, 1)], vec![(2, 3)]], 3, false, true),
            (vec![vec![(5, 5)], vec![(2, 2)]], 3, false, true),
            (vec![vec![(5, 5)], vec![(2, 2)]], 3, true, false),
            (vec![vec![(0, 2)], vec![(1, 1)]], 9, false, false),
            (vec![vec![(0, 0), (4, 4)], vec![(0, 0), (4, 4)]], 4, true, true),
            (vec![vec![(0, 0)], vec![(0, 0)]], 4, false, false),
            (vec![vec![(0, 0)], vec![]], 4, false, false),
            (vec![vec![(3, 3)], vec![(1, 1), (5, 5)], vec![(4, 4), (6, 6)]], 3, true, true),
        ] {
            assert_eq!(group(&lists, within, ordered).is_some(), expected, "{lists:?} within {within}");
        }
    }

    #[test]
    fn a_group_may_have_many_terms() {
        let lists: Vec<Vec<Span>> = (0..20).map(|at| vec![(at, at), (at + 50, at + 50)]).collect();
        assert!(group(&lists, 19, false).is_some() && group(&lists, 19, true).is_some());
        assert!(group(&lists, 18, false).is_none() && group(&lists, 18, true).is_none());
        let crowded = vec![(0..40).map(|at| (at, at + 3)).collect::<Vec<Span>>(); 20];
        assert!(group(&crowded, 30, false).is_none(), "twenty hits of four words do not fit into thirty");
    }

    prop_compose! {
        fn some_lists(max: usize)(
            lists in prop::collection::vec(prop::collection::vec((0_u32..30, 0_u32..3), 0..6), 1..max)
        ) -> Vec<Vec<Span>> {
            let sorted = |list: Vec<(u32, u32)>| {
                let mut list: Vec<Span> = list.into_iter().map(|(at, more)| (at, at + more)).collect();
                list.sort_unstable();
                list
            };
            lists.into_iter().map(sorted).collect()
        }
    }

    proptest! {
        #[test]
        fn a_group_is_found_exactly_when_there_is_one(
            lists in some_lists(5), within in 1_u32..12, ordered in any::<bool>(),
        ) {
            let found = group(&lists, within, ordered);
            prop_assert_eq!(found.is_some(), exists(&lists, within, ordered, &mut Vec::new()));
            for (span, list) in found.iter().flatten().zip(&lists) {
                prop_assert!(list.contains(span), "{:?} is a hit of {:?}", span, list);
            }
            if let [a, b] = lists.as_slice() {
                let two = pair(a.iter().copied(), b.iter().copied(), within, ordered);
                prop_assert_eq!(two.is_some(), found.is_some());
            }
        }

        #[test]
        fn many_terms_are_grouped_like_few(lists in some_lists(5), within in 1_u32..12) {
            let mut choices = CHOICES_MAX;
            let found = lists.iter().enumerate().any(|(term, list)| {
                list.iter().any(|&span| choose_from(span, term, &lists, within, &mut choices).is_some())
            });
            prop_assert_eq!(found, exists(&lists, within, false, &mut Vec::new()));
        }
    }
}
