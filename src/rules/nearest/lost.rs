//! Words that are there, and why they do not count for a term.

use super::super::engine::Engine;
use super::super::evaluate::Case;
use super::super::explain::quote;
use super::super::literals::Hit;
use super::super::mentions::AliasHit;
use super::super::model::{Clause, ConceptId, Role, Wanted};
use super::super::near::Span;
use super::super::spec::FieldFilter;
use super::looks_at;
use crate::text::TEXT_START;

/// The first of these words that the rule looks for, what takes it away, and the remedy.
pub(super) fn lost(engine: &Engine, case: &Case<'_>, clauses: &[Clause]) -> Option<String> {
    let asked: Vec<ConceptId> = clauses.iter().flat_map(Clause::concepts).collect();
    taken_away(case, clauses)
        .or_else(|| in_bad_company(engine, case, &asked))
        .or_else(|| in_longer(engine, case, &asked))
        .or_else(|| masked(engine, case, &asked))
        .or_else(|| elsewhere(case, &asked))
}

fn shown(case: &Case<'_>, span: Span) -> String {
    quote(&case.reason(span, ""))
}

/// Hits that `unless` takes away.
fn taken_away(case: &Case<'_>, clauses: &[Clause]) -> Option<String> {
    let (within, terms) = case.rule.unless()?;
    let span = clauses.iter().find_map(|clause| case.taken_away(clause))?;
    let others = terms.iter().flat_map(|clause| clause.concepts().map(move |concept| (clause, concept)));
    let near = others.flat_map(|(clause, concept)| {
        case.mentions.of(concept).iter().map(move |mention| (clause, mention.span()))
    });
    let (clause, other) = near.min_by_key(|(_, other)| distance(span, *other))?;
    let (hit, by, far) = (shown(case, span), shown(case, other), distance(span, other));
    Some(format!(
        "{hit} is taken away by {by}, which `{}` in `unless` finds {far} words from it, and `within` is {within}",
        clause.written()
    ))
}

fn distance(a: Span, b: Span) -> u32 {
    b.0.saturating_sub(a.1).max(a.0.saturating_sub(b.1))
}

/// Ambiguous aliases without the company that they need.
fn in_bad_company(engine: &Engine, case: &Case<'_>, asked: &[ConceptId]) -> Option<String> {
    let hit = case
        .mentions
        .dropped
        .iter()
        .find(|hit| is_asked(engine, hit, asked) && looks_at(case, hit.span.0))?;
    let (entity, company) = (engine.entity(hit.entity)?, engine.company(hit.alias)?);
    let (word, id) = (shown(case, hit.span), &entity.id);
    let reach = |within: u32| match within {
        u32::MAX => "anywhere in the item".to_owned(),
        within => format!("within {within} words"),
    };
    if let Some(reject) = case.mentions.reject(company, hit.span) {
        let reach = reach(company.rejects_within);
        return Some(format!("{word} is `{id}` only without `{}` {reach}", reject.written));
    }
    let (needs, reach) = (list(&company.needs), reach(company.needs_within));
    Some(format!("{word} is `{id}` only with one of {needs} {reach}"))
}

fn list(terms: &[Wanted]) -> String {
    let written: Vec<String> = terms.iter().map(|wanted| format!("`{}`", wanted.written)).collect();
    written.join(", ")
}

/// Names that are part of a longer one of their type.
fn in_longer(engine: &Engine, case: &Case<'_>, asked: &[ConceptId]) -> Option<String> {
    let counted = &case.mentions.counted;
    let hidden = case.mentions.hidden.iter().filter(|hit| is_asked(engine, hit, asked));
    let mut pairs = hidden.filter_map(|hit| {
        let longer = counted.iter().find(|longer| hit.is_inside(longer))?;
        looks_at(case, hit.span.0).then_some((hit, longer))
    });
    let (hit, longer) = pairs.next()?;
    let (id, other) = (&engine.entity(hit.entity)?.id, &engine.entity(longer.entity)?.id);
    let (word, whole) = (shown(case, hit.span), shown(case, longer.span));
    let remedy = if id == other { String::new() } else { format!("; ask for `@{other}` too if it is meant") };
    Some(format!("{word} is no `{id}` inside {whole}, the longest name of its type there{remedy}"))
}

fn is_asked(engine: &Engine, hit: &AliasHit, asked: &[ConceptId]) -> bool {
    engine.concepts_of(hit.entity).iter().any(|concept| asked.contains(concept))
}

/// Words inside a mask.
fn masked(engine: &Engine, case: &Case<'_>, asked: &[ConceptId]) -> Option<String> {
    if !engine.has_masks() {
        return None;
    }
    let hits = case.mentions.found().iter().filter(|hit| looks_at(case, hit.first));
    let mut pairs = hits.filter_map(|hit| {
        let as_words = asked.contains(&engine.literal(hit.literal).concept);
        let wanted = as_words || names_asked(engine, hit, asked);
        let mask = wanted.then(|| mask_over(engine, case, hit)).flatten()?;
        Some((hit, mask))
    });
    let (hit, mask) = pairs.next()?;
    let by = engine.aliases_of(mask.literal).iter().find(|&&alias| engine.is_mask(alias))?;
    let id = &engine.entity(engine.entity_of(*by))?.id;
    let (word, whole) = (shown(case, (hit.first, hit.last)), shown(case, (mask.first, mask.last)));
    Some(format!(
        "{word} lies in {whole}, which the mask `{id}` hides; ask for the longer words if they are meant"
    ))
}

/// Whether a hit would name an entity that is asked for, were it not masked.
fn names_asked(engine: &Engine, hit: &Hit, asked: &[ConceptId]) -> bool {
    engine.aliases_of(hit.literal).iter().any(|&alias| {
        let entity = engine.entity_of(alias);
        let is_mask = engine.entity(entity).is_some_and(|entity| matches!(entity.role, Role::Mask));
        !is_mask && engine.concepts_of(entity).iter().any(|concept| asked.contains(concept))
    })
}

/// The mask that covers a hit.
fn mask_over<'a>(engine: &Engine, case: &Case<'a>, hit: &Hit) -> Option<&'a Hit> {
    let covers = |mask: &&Hit| {
        mask.first <= hit.first
            && hit.last <= mask.last
            && engine.aliases_of(mask.literal).iter().any(|&alias| engine.is_mask(alias))
    };
    case.mentions.found().iter().find(covers)
}

/// Words in the field that the rule does not look at.
fn elsewhere(case: &Case<'_>, asked: &[ConceptId]) -> Option<String> {
    let mut spans = asked.iter().flat_map(|&concept| case.mentions.of(concept)).map(|one| one.span());
    let span = spans.find(|span| !looks_at(case, span.0))?;
    let field = match case.rule.field {
        FieldFilter::Title => "title",
        FieldFilter::Text => "text",
        FieldFilter::Any => return None,
    };
    let there = if span.0 >= TEXT_START { "text" } else { "title" };
    let word = shown(case, span);
    Some(format!("{word} stands in the {there}, and `field = \"{field}\"` looks past it; take `field` out"))
}
