//! Rules: conditions, filters and tests.

use std::collections::HashSet;
use std::sync::Arc;

use super::super::filter::{Filters, Languages, Sources};
use super::super::model::{Clause, Near, Rule, Score, Seldom};
use super::super::near::TERMS_MAX;
use super::super::presearch;
use super::super::spec::{FieldFilter, Located, NearSpec, Origin, RuleSpec};
use super::super::stem::Language;
use super::{Compiler, Owner};

/// The share of ordinary items above which the rarest condition of a rule must not lie: the rule would be asked
/// of nearly every item, and fire on most.
const CONDITION_SHARE_MAX: f32 = 0.2;

/// Lines of one list of a rule at most.
const LINES_MAX: usize = 10_000;

/// The key of a rule whose terms are written, and its own place.
type Place<'a> = (Owner<'a>, &'a Origin);

impl Compiler {
    /// Compiles all rules.
    pub(super) fn rules(&mut self, specs: impl Iterator<Item = RuleSpec>) {
        let mut names: HashSet<Arc<str>> = HashSet::new();
        self.rules.reserve_exact(specs.size_hint().0);
        for spec in specs {
            let name: Arc<str> = spec.name.value.as_str().into();
            let owner = Owner { kind: "rule", name: &name };
            if name.trim().is_empty() {
                self.refuse(owner, &spec.name.origin, "the name is empty", "give the rule a name");
            } else if !names.insert(name.clone()) {
                let hint = "give it another name, or tune the earlier one with `[[override]]`";
                self.refuse(owner, &spec.name.origin, "the name is taken by an earlier rule", hint);
            }
            self.rule(&name, spec);
        }
    }

    fn rule(&mut self, name: &Arc<str>, mut spec: RuleSpec) {
        let owner = Owner { kind: "rule", name };
        let origin = spec.name.origin.clone();
        let place = (owner, &origin);
        let everything = self.takes_everything(place, &mut spec);
        let languages = self.stem_languages(place, &spec);
        let has_condition =
            !(spec.all.is_empty() && spec.any.is_empty() && spec.near.is_empty() && spec.score.is_empty());
        if !has_condition && !everything {
            let message =
                if spec.none.is_empty() { "it has no condition" } else { "its only condition is `none`" };
            self.refuse(
                owner,
                &origin,
                message,
                "say with `all`, `any`, `near` or `score` what it looks for",
            );
        }
        if [&spec.all, &spec.any, &spec.none].iter().any(|list| list.len() > LINES_MAX) {
            let hint = "make the words aliases of an entity of type `context` and name that";
            self.refuse(owner, &origin, format!("a list has more than {LINES_MAX} lines"), hint);
        }
        let known = self.problems.len();
        let seldom = self.seldom(place, &spec, &languages);
        let rule = Rule {
            name: Located { value: name.clone(), origin: origin.clone() },
            severity: spec.severity,
            mode: spec.mode,
            note: spec.note.as_deref().map(Into::into),
            max_age: spec.max_age,
            all: self.clauses(owner, "all", &spec.all, &languages),
            any: self.clauses(owner, "any", &spec.any, &languages),
            none: self.clauses(owner, "none", &spec.none, &languages),
            near: spec.near.iter().filter_map(|near| self.near(place, near, &languages)).collect(),
            seldom,
            field: spec.field,
            scope: spec.scope,
            filters: self.filters(place, &spec),
            tags: spec.tags,
            fires_on: spec.fires_on,
            silent_on: spec.silent_on,
        };
        if known == self.problems.len() && has_condition {
            self.price(place, &rule);
        }
        self.rules.push(rule);
    }

    /// Whether the rule is for every item of its sources: `any = ["*"]`, which is then no term any more.
    fn takes_everything(&mut self, place: Place<'_>, spec: &mut RuleSpec) -> bool {
        let [one] = spec.any.as_slice() else { return false };
        if one.value.trim() != "*" {
            return false;
        }
        let line = one.origin.clone();
        spec.any.clear();
        if spec.source.is_empty() {
            let hint = "name the sources whose every item you want, or words to look for";
            self.refuse(
                place.0,
                &line,
                "any: `*` stands for every item, and no `source` narrows it down",
                hint,
            );
        }
        true
    }

    /// The languages that `~` stems in: the rule's own, else the four that Harmattan is made for.
    fn stem_languages(&mut self, place: Place<'_>, spec: &RuleSpec) -> Arc<[Language]> {
        if spec.lang.is_empty() {
            return self.languages.clone();
        }
        let known: Vec<Language> = spec.lang.iter().filter_map(|tag| Language::from_tag(tag)).collect();
        let near = spec.near.iter().flat_map(|near| &near.terms);
        let score = spec.score.iter().map(|(term, _)| term);
        let unless = spec.unless.iter().flat_map(|unless| &unless.terms);
        let lists = [&spec.all, &spec.any, &spec.none];
        let stemmed = lists.into_iter().flatten().chain(near).chain(score).chain(unless);
        let stemmed = stemmed.filter(|term| term.value.contains('~')).map(|term| term.origin.clone()).next();
        if let (Some(origin), true) = (stemmed, known.is_empty()) {
            let message = format!("`~` knows no word forms of `{}`", spec.lang.join("`, `"));
            self.refuse(place.0, &origin, message, "write the common beginning of its forms as `word*`");
        }
        known.into()
    }

    fn near(&mut self, place: Place<'_>, spec: &NearSpec, languages: &Arc<[Language]>) -> Option<Near> {
        let (owner, origin) = place;
        let origin = spec.terms.first().map_or(origin, |term| &term.origin);
        if spec.terms.len() < 2 {
            self.refuse(owner, origin, "near has fewer than two terms", "use `all` for a single term");
            return None;
        }
        if spec.terms.len() > TERMS_MAX {
            let message = format!("near has {} terms", spec.terms.len());
            self.refuse(owner, origin, message, &format!("write at most {TERMS_MAX}"));
            return None;
        }
        self.within(owner, origin, "near.within", spec.within);
        let least = super::number(spec.terms.len() - 1);
        if spec.within > 0 && spec.within < least {
            let message =
                format!("near.within is {}, too little for {} terms", spec.within, spec.terms.len());
            self.refuse(owner, origin, message, &format!("write at least {least}: neighbours differ by 1"));
        }
        let terms = self.clauses(owner, "near", &spec.terms, languages);
        Some(Near { within: spec.within, ordered: spec.ordered, terms })
    }

    fn seldom(
        &mut self,
        place: Place<'_>,
        spec: &RuleSpec,
        languages: &Arc<[Language]>,
    ) -> Option<Box<Seldom>> {
        let (owner, origin) = place;
        let unless = spec.unless.as_ref().map(|unless| {
            self.within(owner, origin, "unless.within", unless.within);
            (unless.within, self.clauses(owner, "unless", &unless.terms, languages))
        });
        let score = (!spec.score.is_empty()).then(|| {
            let mut terms = Vec::with_capacity(spec.score.len());
            for (term, weight) in &spec.score {
                terms.extend(self.clause(owner, "score", term, languages).map(|clause| (clause, *weight)));
            }
            let title_factor = spec.title_factor.max(1);
            let threshold = spec.threshold.unwrap_or(1);
            if threshold < 1 {
                self.refuse(
                    owner,
                    origin,
                    "threshold is less than 1",
                    "a sum of nothing would fire: write 1 or more",
                );
            }
            // In the text alone nothing is multiplied.
            let factor = if spec.field == FieldFilter::Text { 1 } else { title_factor };
            let reach: i64 = terms.iter().map(|(_, weight)| weight.max(&0) * factor).sum();
            if reach < threshold {
                let message =
                    format!("it can never fire: its weights add up to {reach}, threshold is {threshold}");
                self.refuse(owner, origin, message, "lower the threshold, or raise a weight");
            }
            Score { terms, threshold, title_factor }
        });
        (unless.is_some() || score.is_some()).then(|| Box::new(Seldom { unless, score }))
    }

    fn filters(&mut self, place: Place<'_>, spec: &RuleSpec) -> Option<Box<Filters>> {
        let (owner, origin) = place;
        for tag in &spec.lang {
            if tag.is_empty() || !tag.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
                let message = format!("lang: `{tag}` is no language tag");
                self.refuse(owner, origin, message, "write `en`, `fr`, `ru`, `ar` or the like");
            }
        }
        let mut sources = Sources::default();
        for filter in &spec.source {
            if let Err(message) = sources.add(&filter.value) {
                let hint = "write a source's name, a glob such as `wagner-*`, or `tag:press`";
                self.refuse(owner, &filter.origin, format!("source: {message}"), hint);
            }
        }
        let words = |list: &[Located<String>]| list.iter().map(|word| word.value.to_lowercase()).collect();
        let filters = Filters {
            languages: Languages::new(&spec.lang),
            sources,
            kinds: words(&spec.kind),
            forwarded_from: words(&spec.forwarded_from),
        };
        let any = !(spec.lang.is_empty()
            && spec.source.is_empty()
            && spec.kind.is_empty()
            && spec.forwarded_from.is_empty());
        any.then(|| Box::new(filters))
    }

    /// Refuses a rule all of whose conditions are common, unless it is for some sources alone, and warns of what is
    /// probably not meant.
    fn price(&mut self, place: Place<'_>, rule: &Rule) {
        let first_extra = self.first_extra();
        let share = |concept| self.shares.of(concept, &self.extras, first_extra);
        let has_sources = rule.filters.as_ref().is_some_and(|filters| !filters.sources.is_empty());
        let rarest = presearch::rarest(rule, &share).filter(|_| !has_sources);
        if let Some((clauses, share)) = rarest.as_ref().filter(|(_, share)| *share > CONDITION_SHARE_MAX) {
            let written: Vec<String> = clauses.iter().map(|clause| clause.written()).take(5).collect();
            let message = format!(
                "its rarest condition, `{}`, is met by {:.0} % of ordinary items",
                written.join("`, `"),
                share * 100.0
            );
            let hint = "add a condition with rarer words to `all` or `near`, or name its sources in `source`";
            self.refuse(place.0, place.1, message, hint);
            return;
        }
        let alone: Vec<&Clause> = rarest.into_iter().flat_map(|(clauses, _)| clauses).collect();
        self.advise(place, rule, &alone);
    }
}
