//! Why a rule fired or stayed silent, in words.

use std::sync::Arc;

use super::engine::{Engine, fired};
use super::evaluate::{Case, Miss};
use super::filter::SourceLabel;
use super::model::{Clause, Concept};
use super::spec::Severity;
use super::verdict::{Match, Reason};

/// Words that almost met a condition that are quoted at most.
const NEAR_MISSES_MAX: usize = 3;

/// What a rule says of an item, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// Name of the rule.
    pub rule: Arc<str>,
    /// Its severity.
    pub severity: Severity,
    /// Whether it fired.
    pub outcome: Outcome,
}

/// Whether a rule fired.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// It fired, for these reasons.
    Fired(Match),
    /// It did not.
    Silent(Silence),
}

/// Why a rule stayed silent.
#[derive(Clone, Debug, PartialEq)]
pub struct Silence {
    /// The first condition that failed: `all: @sahel`.
    pub clause: String,
    /// How it failed, what else vetoes the item, and what stands in the item but does not count.
    pub detail: String,
    /// What in the item comes closest to the condition, and how to write the term so that it is met:
    /// "`withdrew` is not matched by `withdraw*`; use `~withdraw`".
    pub nearest: Option<String>,
    /// Whether only `none` kept the rule from firing.
    pub only_none: bool,
}

/// Explains one rule.
pub(super) fn explain(engine: &Engine, case: &Case<'_>, source: Option<SourceLabel<'_>>) -> Explanation {
    let outcome = match case.judge(source) {
        Ok(()) => Outcome::Fired(fired(case)),
        Err(miss) => silent(engine, case, source, miss),
    };
    Explanation { rule: case.rule.name.value.clone(), severity: case.rule.severity, outcome }
}

fn silent(engine: &Engine, case: &Case<'_>, source: Option<SourceLabel<'_>>, miss: Miss<'_>) -> Outcome {
    let only_none = matches!(miss, Miss::Veto(_));
    let (clause, mut detail) = match miss {
        Miss::Language => {
            let lang = case.item.lang.as_deref().unwrap_or_default();
            ("lang".to_owned(), vec![format!("the item is in `{lang}`")])
        }
        Miss::Source => {
            let name = source.map(|source| source.name.to_string()).unwrap_or_default();
            ("source".to_owned(), vec![format!("the item is from `{name}`")])
        }
        Miss::All(clause) => {
            let mut detail = vec!["nothing in the item meets it".to_owned()];
            detail.extend(discounted(engine, case, std::slice::from_ref(clause)));
            (format!("all: {}", clause.written), detail)
        }
        Miss::Any => {
            let mut detail = vec!["nothing in the item meets any of them".to_owned()];
            detail.extend(discounted(engine, case, &case.rule.any));
            (format!("any: {}", list(&case.rule.any)), detail)
        }
        Miss::Near(near) => {
            let mut detail = vec![format!("no group of them stands within {} words", near.within)];
            detail.extend(discounted(engine, case, &near.terms));
            (format!("near: {}", list(&near.terms)), detail)
        }
        Miss::Veto(clause) => (format!("none: {}", clause.written), Vec::new()),
    };
    if let Some((veto, span)) = case.veto() {
        let reason = case.reason(span, &veto.written);
        detail.push(format!("`{}` vetoes it by {}", veto.written, quote(&reason)));
    }
    Outcome::Silent(Silence { clause, detail: detail.join("; "), nearest: None, only_none })
}

fn list(clauses: &[Clause]) -> String {
    let written: Vec<&str> = clauses.iter().map(|clause| &*clause.written).collect();
    written.join(", ")
}

/// Ambiguous words of the entities that `clauses` ask for, and why they do not count.
fn discounted(engine: &Engine, case: &Case<'_>, clauses: &[Clause]) -> Vec<String> {
    let asked =
        |concept: Concept| clauses.iter().flat_map(|clause| &clause.wanted).any(|one| one.concept == concept);
    let dropped = case.mentions.dropped.iter().filter(|hit| {
        engine.entity(hit.entity).is_some_and(|entity| {
            asked(Concept::Entity(hit.entity))
                || asked(Concept::Type(entity.type_id))
                || entity.ancestors.iter().any(|&above| asked(Concept::Entity(above)))
        })
    });
    let told = dropped.filter_map(|hit| {
        let entity = engine.entity(hit.entity)?;
        let company = engine.company(hit.alias)?;
        let reason = case.reason(hit.span, &entity.id);
        let why = match case.mentions.reject(company, hit.span) {
            Some(reject) => format!("`{}` rejects it", reject.written),
            None => "nothing it needs stands by it".to_owned(),
        };
        Some(format!("{} does not count as `{}`: {why}", quote(&reason), entity.id))
    });
    told.take(NEAR_MISSES_MAX).collect()
}

/// A piece of the item, with its place.
pub(super) fn quote(reason: &Reason) -> String {
    format!("`{}` ({} {}..{})", reason.text, reason.field.as_str(), reason.span.start, reason.span.end)
}
