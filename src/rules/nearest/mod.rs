//! What in an item comes closest to a term that it does not meet, and how the term would have to be written.
//!
//! Only asked for what is explained: it compares words, which judging never does. In this order: words that are
//! there and do not count (`lost`), a rule's own phrases in another order or with words between (`order`), words that
//! are nearly the right ones (`words`), and phrases of entities. `group` is for what stands too far apart.

mod group;
mod lost;
mod order;
mod words;

use super::engine::Engine;
use super::evaluate::Case;
use super::model::{Alias, Clause, ConceptId};
use super::near::Span;
use super::spec::FieldFilter;
use crate::text::{Pos, TEXT_START};

pub(super) use self::group::apart;

/// Words of an item that are compared at most; news say what they mean early.
const WORDS_MAX: usize = 2000;

/// Words of terms and aliases that are compared at most.
const WANTED_MAX: usize = 400;

/// What comes closest to terms none of which is met, and the remedy.
pub(super) fn miss(engine: &Engine, case: &Case<'_>, clauses: &[Clause]) -> Option<String> {
    lost::lost(engine, case, clauses)
        .or_else(|| order::of_terms(engine, case, clauses))
        .or_else(|| words::miss(engine, case, clauses))
        .or_else(|| order::of_aliases(engine, case, clauses))
}

/// Whether a rule looks at a position.
fn looks_at(case: &Case<'_>, pos: Pos) -> bool {
    match case.rule.field {
        FieldFilter::Any => true,
        FieldFilter::Title => pos < TEXT_START,
        FieldFilter::Text => pos >= TEXT_START,
    }
}

/// Where a clause stands in the fields that its rule looks at, in order, each place once.
pub(super) fn places(case: &Case<'_>, clause: &Clause) -> Vec<Span> {
    let mentions = clause.concepts().flat_map(|concept| case.mentions.of(concept));
    let mut spans: Vec<Span> = mentions.map(|one| one.span()).filter(|span| looks_at(case, span.0)).collect();
    spans.sort_unstable();
    spans.dedup();
    spans
}

/// The aliases that a mention of a concept may be one of.
fn aliases_of(engine: &Engine, concept: ConceptId) -> impl Iterator<Item = &Alias> {
    let named = move |alias: &&Alias| engine.concepts_of(alias.entity).contains(&concept);
    engine.aliases().iter().filter(named).take(WANTED_MAX)
}
