//! Why a rule fired or stayed silent, in words.

use std::sync::Arc;

use super::engine::Engine;
use super::evaluate::{Case, Miss};
use super::filter::{Barred, SourceLabel};
use super::model::{Clause, ConceptId, Near, Score};
use super::nearest;
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
        Ok(held) => Outcome::Fired(case.fired(held)),
        Err(miss) => Outcome::Silent(silence(engine, case, source, miss)),
    };
    Explanation { rule: case.rule.name.value.clone(), severity: case.rule.severity, outcome }
}

fn silence(engine: &Engine, case: &Case<'_>, source: Option<SourceLabel<'_>>, miss: Miss) -> Silence {
    let rule = case.rule;
    let mut silence = match miss {
        Miss::Barred(barred) => barred_by(case, source, barred),
        Miss::All(at) => {
            let missing = rule.all.get(at).map(std::slice::from_ref).unwrap_or_default();
            absent(engine, case, "all", missing, "nothing in the item meets it")
        }
        Miss::Any => absent(engine, case, "any", &rule.any, "nothing in the item meets any of them"),
        Miss::Near(at) => match rule.near.get(at) {
            Some(near) => apart(engine, case, near),
            None => Silence::of("near", String::new()),
        },
        Miss::Scope => {
            let scope = rule.scope.as_str();
            let detail = format!("all conditions hold, but not together in one {scope}");
            Silence::of(format!("scope: {scope}"), detail)
        }
        Miss::Score(sum) => match rule.score() {
            Some(score) => too_little(engine, case, score, sum),
            None => Silence::of("score", String::new()),
        },
        Miss::Veto(at) => {
            let written = rule.none.get(at).map(Clause::written).unwrap_or_default();
            Silence { only_none: true, ..Silence::of(format!("none: {written}"), String::new()) }
        }
    };
    if let Some((at, span)) = case.veto() {
        let written = rule.none.get(at).map(Clause::written).unwrap_or_default();
        let reason = case.reason(span, &written);
        silence.add(&format!("`{written}` vetoes it by {}", quote(&reason)));
    }
    silence
}

impl Silence {
    fn of(clause: impl Into<String>, detail: String) -> Self {
        Self { clause: clause.into(), detail, nearest: None, only_none: false }
    }

    /// Adds what stands in the item and does not count.
    fn add_discounted(&mut self, engine: &Engine, case: &Case<'_>, clauses: &[Clause]) {
        let found = taken_away(case, clauses).into_iter().chain(discounted(engine, case, clauses));
        found.for_each(|one| self.add(&one));
    }

    fn add(&mut self, more: &str) {
        if !self.detail.is_empty() {
            self.detail.push_str("; ");
        }
        self.detail.push_str(more);
    }
}

fn barred_by(case: &Case<'_>, source: Option<SourceLabel<'_>>, barred: Barred) -> Silence {
    match barred {
        Barred::Language => {
            let lang = case.item.lang.as_deref().unwrap_or_default();
            Silence::of("lang", format!("the item is in `{lang}`"))
        }
        Barred::Source => {
            let name = source.map(|source| source.name.to_string()).unwrap_or_default();
            Silence::of("source", format!("the item is from `{name}`"))
        }
        Barred::Kind => {
            let post = case.item.telegram.as_ref();
            let kinds = post.map(|post| post.kinds.join("`, `")).unwrap_or_default();
            let kind = case.item.kind.as_str();
            let detail = if kinds.is_empty() { format!("`{kind}`") } else { format!("`{kind}`: `{kinds}`") };
            Silence::of("kind", format!("the item is of kind {detail}"))
        }
        Barred::ForwardedFrom => {
            let forward = case.item.telegram.as_ref().and_then(|post| post.forwarded_from.as_ref());
            let detail = match forward {
                Some(forward) => format!("the message was forwarded from `{}`", forward.name),
                None => "the item is not a forwarded message".to_owned(),
            };
            Silence::of("forwarded_from", detail)
        }
    }
}

/// Terms of which none occurs.
fn absent(engine: &Engine, case: &Case<'_>, key: &str, clauses: &[Clause], why: &str) -> Silence {
    let mut silence = Silence::of(format!("{key}: {}", list(clauses)), why.to_owned());
    silence.add_discounted(engine, case, clauses);
    silence.nearest = nearest::miss(engine, case, clauses);
    silence
}

/// Terms that do not stand close together.
fn apart(engine: &Engine, case: &Case<'_>, near: &Near) -> Silence {
    let order = if near.ordered { " in this order" } else { "" };
    let mut silence = Silence::of(
        format!("near: {}", list(&near.terms)),
        format!("no group of them stands within {} words{order}", near.within),
    );
    silence.add_discounted(engine, case, &near.terms);
    silence.nearest = nearest::apart(engine, case, near);
    silence
}

/// Weights that add up to too little.
fn too_little(engine: &Engine, case: &Case<'_>, score: &Score, sum: i64) -> Silence {
    let occurs = |clause: &Clause| !nearest::places(case, clause).is_empty();
    let counted: Vec<String> = score
        .terms
        .iter()
        .filter(|(clause, _)| occurs(clause))
        .map(|(clause, weight)| format!("`{}` {weight:+}", clause.written()))
        .collect();
    let counted = if counted.is_empty() { "none of its terms occurs".to_owned() } else { counted.join(", ") };
    let missing = score.threshold.saturating_sub(sum);
    let clause = format!("score: {sum} of {}", score.threshold);
    let mut silence = Silence::of(clause, format!("{counted}; missing {missing}"));
    let absent: Vec<Clause> = score
        .terms
        .iter()
        .filter(|(one, weight)| *weight > 0 && !occurs(one))
        .map(|(one, _)| one.clone())
        .collect();
    silence.nearest = nearest::miss(engine, case, &absent);
    silence
}

fn list(clauses: &[Clause]) -> String {
    let written: Vec<String> = clauses.iter().map(Clause::written).collect();
    written.join(", ")
}

/// Hits that `unless` takes away.
fn taken_away(case: &Case<'_>, clauses: &[Clause]) -> Vec<String> {
    let Some((within, _)) = case.rule.unless() else { return Vec::new() };
    let spans = clauses.iter().filter_map(|clause| case.taken_away(clause)).take(NEAR_MISSES_MAX);
    spans
        .map(|span| format!("{} stands within {within} words of `unless`", quote(&case.reason(span, ""))))
        .collect()
}

/// Ambiguous words of the entities that `clauses` ask for, and why they do not count.
fn discounted(engine: &Engine, case: &Case<'_>, clauses: &[Clause]) -> Vec<String> {
    let asked = |concept: &ConceptId| clauses.iter().flat_map(Clause::concepts).any(|one| one == *concept);
    let dropped = case.mentions.dropped.iter().filter(|hit| engine.concepts_of(hit.entity).iter().any(asked));
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
