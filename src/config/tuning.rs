//! `[[override]]` and `[[extend]]`: what a desk changes of rules and entities that stand elsewhere.
//!
//! Overrides are read before the rules, since a rule is read by what holds of it in the end: its plain test texts
//! stand in its field. Extensions are added when all entities are read. So neither depends on the order of files.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::entity;
use super::problem::{Problem, Report};
use super::read::Section;
use super::suggest;
use crate::rules::spec::{
    AmbiguousSpec, EntitySpec, FieldFilter, Located, Mode, Origin, RuleSpec, Scope, Severity,
};

/// Everything that a desk changes.
#[derive(Default)]
pub(super) struct Tuning {
    overrides: BTreeMap<String, Scalars>,
    /// The rules that overrides name, in the order in which they were read.
    named: Vec<Located<String>>,
    /// Where each key of each rule was overridden in each file.
    set: HashMap<(Arc<Path>, String, &'static str), Origin>,
    extensions: Vec<Extension>,
}

/// The keys of a rule that hold one value and can be overridden; `None` where nothing was written that has no default.
#[derive(Clone, Debug, Default)]
pub(super) struct Scalars {
    pub(super) severity: Option<Severity>,
    pub(super) mode: Option<Mode>,
    pub(super) note: Option<String>,
    pub(super) scope: Option<Scope>,
    pub(super) field: Option<FieldFilter>,
    pub(super) max_age: Option<Duration>,
    pub(super) threshold: Option<Located<i64>>,
    pub(super) title_factor: Option<Located<i64>>,
}

/// The keys of [`Scalars`].
const KEYS: [&str; 8] =
    ["severity", "mode", "note", "scope", "field", "max_age", "threshold", "title_factor"];

impl Scalars {
    /// Reads them from a `[[rule]]` or an `[[override]]`.
    pub(super) fn read(section: &Section<'_>) -> Self {
        let field = |word| match word {
            "title" => FieldFilter::Title,
            "text" => FieldFilter::Text,
            _ => FieldFilter::Any,
        };
        let number = |name| {
            let value = section.integer(name);
            let place = section.get(name).map(|node| node.origin());
            value.zip(place).map(|(value, origin)| Located { value, origin })
        };
        Self {
            severity: section.word("severity").and_then(Severity::from_word),
            mode: section.word("mode").and_then(Mode::from_word),
            note: section.get("note").and_then(|node| node.prose()),
            scope: section.word("scope").and_then(Scope::from_word),
            field: section.word("field").map(field),
            max_age: section.duration("max_age"),
            threshold: number("threshold"),
            title_factor: number("title_factor"),
        }
    }

    /// These with what `later` says instead.
    pub(super) fn with(self, later: Self) -> Self {
        Self {
            severity: later.severity.or(self.severity),
            mode: later.mode.or(self.mode),
            note: later.note.or(self.note),
            scope: later.scope.or(self.scope),
            field: later.field.or(self.field),
            max_age: later.max_age.or(self.max_age),
            threshold: later.threshold.or(self.threshold),
            title_factor: later.title_factor.or(self.title_factor),
        }
    }
}

/// One `[[extend]]`.
struct Extension {
    entity: Located<String>,
    aliases: Vec<Located<String>>,
    ambiguous: Vec<AmbiguousSpec>,
    related: Vec<Located<String>>,
    parents: Vec<Located<String>>,
}

impl Tuning {
    /// Reads what the top of one file holds of it; files come in their order.
    pub(super) fn add(&mut self, top: &Section<'_>, report: &Report) {
        for section in top.sections("override") {
            self.add_override(&section, report);
        }
        for section in top.sections("extend") {
            self.extensions.extend(extension(&section));
        }
    }

    fn add_override(&mut self, section: &Section<'_>, report: &Report) {
        let rule = section.text("rule");
        let scalars = Scalars::read(section);
        if section.has_no_more_than("rule") {
            section.problem("", "changes nothing", Some("write what is to change, such as `mode = \"off\"`"));
        }
        let Some(rule) = rule else { return };
        for key in KEYS.into_iter().filter(|key| section.has(key)) {
            let Some(place) = section.get(key).map(|node| node.origin()) else { continue };
            let slot = (place.file.clone(), rule.value.clone(), key);
            if let Some(first) = self.set.get(&slot) {
                let problem = Problem::new(
                    &format!("override.{key}"),
                    format!("`{key}` of `{}` is overridden twice in this file", rule.value),
                );
                report.problem(problem.at(place).hint(format!("it is also overridden at {first}")));
            } else {
                self.set.insert(slot, place);
            }
        }
        let before = self.overrides.remove(&rule.value).unwrap_or_default();
        self.overrides.insert(rule.value.clone(), before.with(scalars));
        self.named.push(rule);
    }

    /// What overrides say of a rule.
    pub(super) fn of(&self, rule: &str) -> Scalars {
        self.overrides.get(rule).cloned().unwrap_or_default()
    }

    /// Adds the extensions to the entities they name.
    pub(super) fn extend(self, entities: &mut [EntitySpec]) {
        let places: HashMap<String, usize> =
            entities.iter().enumerate().map(|(place, entity)| (entity.id.value.clone(), place)).collect();
        for extension in self.extensions {
            let place = places.get(&extension.entity.value);
            let Some(entity) = place.and_then(|place| entities.get_mut(*place)) else { continue };
            entity.aliases.extend(extension.aliases);
            entity.ambiguous.extend(extension.ambiguous);
            entity.related.extend(extension.related);
            entity.parents.extend(extension.parents);
        }
    }

    /// Notes what names a rule or an entity that is nowhere.
    pub(super) fn check_names(&self, entities: &[EntitySpec], rules: &[RuleSpec], report: &Report) {
        let ids = entities.iter().map(|entity| entity.id.value.as_str()).collect();
        let names = rules.iter().map(|rule| rule.name.value.as_str()).collect();
        let extended = self.extensions.iter().map(|extension| &extension.entity);
        unknown("override.rule", "no rule is named", &self.named, &names, report);
        unknown("extend.entity", "no entity has the id", extended, &ids, report);
    }

    /// Notes overrides of weights that their rule does not have.
    pub(super) fn check_weights(&self, rules: &[RuleSpec], report: &Report) {
        for rule in rules.iter().filter(|rule| rule.score.is_empty()) {
            let Some(scalars) = self.overrides.get(&rule.name.value) else { continue };
            for (key, value) in [("threshold", &scalars.threshold), ("title_factor", &scalars.title_factor)] {
                let Some(Located { origin, .. }) = value else { continue };
                let message = format!("the rule `{}` has no `score`", rule.name.value);
                let problem = Problem::new(&format!("override.{key}"), message).at(origin.clone());
                report.problem(problem.hint(format!("take it out; the rule is at {}", rule.name.origin)));
            }
        }
    }
}

fn unknown<'a>(
    key: &str,
    message: &str,
    used: impl IntoIterator<Item = &'a Located<String>>,
    known: &BTreeSet<&str>,
    report: &Report,
) {
    for Located { value, origin } in used {
        if known.contains(value.as_str()) {
            continue;
        }
        let hint = match suggest::nearest(value, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "what it changes must stand in one of the files".to_owned(),
        };
        report.problem(Problem::new(key, format!("{message} `{value}`")).at(origin.clone()).hint(hint));
    }
}

fn extension(section: &Section<'_>) -> Option<Extension> {
    let entity = section.text("entity");
    let aliases = section.texts("aliases");
    let ambiguous = entity::ambiguous(section);
    let related = section.texts("related");
    let parents = entity::parents(section);
    if section.has_no_more_than("entity") {
        section.problem("", "adds nothing", Some("write what is to be added, such as `aliases = [\"…\"]`"));
    }
    Some(Extension { entity: entity?, aliases, ambiguous, related, parents })
}
