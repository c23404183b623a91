//! What keeps the terms of a `near` apart.

use super::super::engine::Engine;
use super::super::evaluate::{Case, is_close};
use super::super::explain::quote;
use super::super::model::Near;
use super::super::near::{self, Span};
use super::{miss, places};
use crate::text::TEXT_START;

/// Further than any two words of one field are apart.
const ANYWHERE: u32 = TEXT_START / 2;

/// What comes closest to the terms of a `near` standing together, and the remedy.
pub(in crate::rules) fn apart(engine: &Engine, case: &Case<'_>, near: &Near) -> Option<String> {
    let unless = case.unless();
    let left = |spans: Vec<Span>| -> Vec<Span> {
        spans.into_iter().filter(|span| !is_close(&unless, *span)).collect()
    };
    let lists: Vec<Vec<Span>> = near.terms.iter().map(|clause| left(places(case, clause))).collect();
    if let Some(missing) = lists.iter().position(Vec::is_empty) {
        return miss(engine, case, std::slice::from_ref(near.terms.get(missing)?));
    }
    if near.ordered
        && let Some(spans) = near::group(&lists, near.within, false)
    {
        let quoted = quoted(case, spans);
        return Some(format!("{quoted} stand in another order; take `ordered` out to take them in"));
    }
    if let Some((within, spans)) = case.least_within(near) {
        let quoted = quoted(case, spans);
        return Some(format!("{quoted} stand within {within} words; `within = {within}` would take them in"));
    }
    if let Some(spans) = near::group(&lists, ANYWHERE, false) {
        let within = reach(&spans);
        let quoted = quoted(case, spans);
        return Some(format!("{quoted} stand in another order, within {within} words"));
    }
    let first: Vec<Span> = lists.iter().filter_map(|list| list.first().copied()).collect();
    let holds_all =
        |in_text: bool| lists.iter().all(|list| list.iter().any(|span| (span.0 >= TEXT_START) == in_text));
    let quoted = quoted(case, first);
    Some(if holds_all(false) || holds_all(true) {
        format!("{quoted}: the same words meet several of the terms, and each term needs its own")
    } else {
        format!("{quoted} stand in different fields, and `near` looks in one; `all` looks in both")
    })
}

/// From the first word to the last.
fn reach(spans: &[Span]) -> u32 {
    let first = spans.iter().map(|span| span.0).min().unwrap_or_default();
    spans.iter().map(|span| span.1).max().unwrap_or_default() - first
}

/// What stands at these places, in their order.
fn quoted(case: &Case<'_>, mut spans: Vec<Span>) -> String {
    spans.sort_unstable();
    let quoted: Vec<String> = spans.into_iter().map(|span| quote(&case.reason(span, ""))).collect();
    quoted.join(", ")
}
