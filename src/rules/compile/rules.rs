//! Rules: conditions, filters and tests.

use std::collections::HashSet;
use std::sync::Arc;

use super::super::filter::{Languages, Sources};
use super::super::model::{Near, Rule};
use super::super::near::TERMS_MAX;
use super::super::spec::{Located, NearSpec, Origin, RuleSpec};
use super::{Compiler, Owner};

impl Compiler {
    /// Compiles all rules.
    pub(super) fn rules(&mut self, specs: Vec<RuleSpec>) {
        let mut names: HashSet<Arc<str>> = HashSet::new();
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

    fn rule(&mut self, name: &Arc<str>, spec: RuleSpec) {
        let owner = Owner { kind: "rule", name };
        let origin = spec.name.origin;
        if spec.all.is_empty() && spec.any.is_empty() && spec.near.is_empty() {
            let message =
                if spec.none.is_empty() { "it has no condition" } else { "its only condition is `none`" };
            self.refuse(owner, &origin, message, "say with `all`, `any` or `near` what it looks for");
        }
        let rule = Rule {
            name: Located { value: name.clone(), origin: origin.clone() },
            severity: spec.severity,
            tags: spec.tags,
            all: self.clauses(owner, "all", &spec.all),
            any: self.clauses(owner, "any", &spec.any),
            none: self.clauses(owner, "none", &spec.none),
            near: spec.near.iter().filter_map(|near| self.near(owner, &origin, near)).collect(),
            field: spec.field,
            languages: self.languages(owner, &origin, &spec.lang),
            sources: self.sources(owner, &spec.source),
            fires_on: spec.fires_on,
            silent_on: spec.silent_on,
        };
        self.rules.push(rule);
    }

    fn near(&mut self, owner: Owner<'_>, origin: &Origin, spec: &NearSpec) -> Option<Near> {
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
        let least = u32::try_from(spec.terms.len() - 1).unwrap_or(u32::MAX);
        if spec.within > 0 && spec.within < least {
            let message =
                format!("near.within is {}, too little for {} terms", spec.within, spec.terms.len());
            self.refuse(owner, origin, message, &format!("write at least {least}: neighbours differ by 1"));
        }
        Some(Near { within: spec.within, terms: self.clauses(owner, "near", &spec.terms) })
    }

    fn languages(&mut self, owner: Owner<'_>, origin: &Origin, tags: &[String]) -> Languages {
        for tag in tags {
            if tag.is_empty() || !tag.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
                let message = format!("lang: `{tag}` is no language tag");
                self.refuse(owner, origin, message, "write `en`, `fr`, `ru`, `ar` or the like");
            }
        }
        Languages::new(tags)
    }

    fn sources(&mut self, owner: Owner<'_>, filters: &[Located<String>]) -> Sources {
        let mut sources = Sources::default();
        for filter in filters {
            if let Err(message) = sources.add(&filter.value) {
                let hint = "write a source's name, a glob such as `wagner-*`, or `tag:press`";
                self.refuse(owner, &filter.origin, format!("source: {message}"), hint);
            }
        }
        sources
    }
}
