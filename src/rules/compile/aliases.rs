//! Aliases: the words that name an entity, their other spellings, and the company that ambiguous ones need.

use std::collections::HashSet;
use std::sync::Arc;

use super::super::frequency;
use super::super::literals::{LiteralId, fuzzy_forms};
use super::super::model::{Alias, Company, EntityId, Wanted};
use super::super::spec::{AmbiguousSpec, EntitySpec, Located};
use super::super::stem::Language;
use super::super::term::{self, Alternative, Meets, Phrase, Term};
use super::super::variants::variants;
use super::entities::{CONTEXT, MASK};
use super::{Compiler, Owner, number};
use crate::text::folded;

/// Type of events, whose names are labels and not what a text says.
pub(super) const EVENT_TYPE: &str = "event-type";

/// Whose alias is read, and what is known of all others.
struct Naming<'a> {
    owner: Owner<'a>,
    entity: EntityId,
    fuzzy: bool,
    /// Whether other spellings are made.
    varied: bool,
    /// All aliases of all entities, folded: a made-up spelling must not be one of them.
    taken: &'a HashSet<String>,
    languages: &'a Arc<[Language]>,
}

impl Compiler {
    /// Compiles the aliases of all entities.
    pub(super) fn aliases(&mut self, specs: &[EntitySpec]) {
        let written = specs.iter().flat_map(|spec| {
            let ambiguous = spec.ambiguous.iter().map(|ambiguous| &ambiguous.alias);
            spec.aliases.iter().chain(ambiguous)
        });
        let taken: HashSet<String> = written.map(|alias| folded(&alias.value)).collect();
        let languages = self.languages.clone();
        for (at, spec) in specs.iter().enumerate() {
            let kind = spec.entity_type.as_str();
            self.aliases_of_one(
                spec,
                &Naming {
                    owner: Owner { kind: "entity", name: &spec.id.value },
                    entity: number(at),
                    fuzzy: spec.fuzzy,
                    varied: !matches!(kind, CONTEXT | MASK | EVENT_TYPE),
                    taken: &taken,
                    languages: &languages,
                },
            );
        }
    }

    fn aliases_of_one(&mut self, spec: &EntitySpec, naming: &Naming<'_>) {
        for alias in &spec.aliases {
            self.alias(naming, "aliases", alias, None);
        }
        if spec.entity_type == MASK
            && let Some(first) = spec.ambiguous.first()
        {
            let hint = "move it to `aliases`: a mask hides in any company";
            self.refuse(naming.owner, &first.alias.origin, "a mask has ambiguous aliases", hint);
            return;
        }
        for ambiguous in &spec.ambiguous {
            let company = Arc::new(self.company(naming, ambiguous));
            self.alias(naming, "ambiguous", &ambiguous.alias, Some(&company));
        }
    }

    fn company(&mut self, naming: &Naming<'_>, spec: &AmbiguousSpec) -> Company {
        let owner = naming.owner;
        let origin = &spec.alias.origin;
        if let Some(within) = spec.within {
            self.within(owner, origin, "within", within);
        }
        if let Some(within) = spec.rejects_within {
            self.within(owner, origin, "rejects_within", within);
        }
        if spec.needs.is_empty() && spec.rejects.is_empty() {
            let message = format!("ambiguous: `{}` has neither needs nor rejects", spec.alias.value);
            self.warn(owner, origin, message, "move it to `aliases`, or say what company it needs");
        }
        let mut wanted = |key: &str, terms: &[Located<String>]| -> Vec<Wanted> {
            let clauses = self.clauses(owner, key, terms, naming.languages);
            clauses.into_iter().flat_map(|clause| clause.wanted).collect()
        };
        Company {
            needs: wanted("needs", &spec.needs),
            rejects: wanted("rejects", &spec.rejects),
            needs_within: spec.within.unwrap_or(u32::MAX),
            rejects_within: spec.rejects_within.or(spec.within).unwrap_or(u32::MAX),
        }
    }

    fn alias(
        &mut self,
        naming: &Naming<'_>,
        key: &str,
        written: &Located<String>,
        company: Option<&Arc<Company>>,
    ) {
        let read = match term::parse(&written.value) {
            Ok(read) => read,
            Err(error) => {
                let message = format!("{key}: {}", error.message);
                self.problems.push(naming.owner.problem(&written.origin, message, error.hint));
                return;
            }
        };
        for alternative in read {
            let (name, term) = (alternative.written, alternative.term);
            if matches!(term, Term::Entity(_) | Term::Type(_) | Term::Everything) {
                let message = format!("{key}: `{name}` names an entity");
                let hint = "an alias is words; use `in` for what lies below";
                self.refuse(naming.owner, &written.origin, message, hint);
                continue;
            }
            let forgiven =
                naming.fuzzy && matches!(&term, Term::Words(forms) if !fuzzy_forms(forms).is_empty());
            let spellings = Self::spellings(naming, &name, &term, company.is_some());
            match self.alias_literal(naming, term, &spellings) {
                Ok(literal) => {
                    let alias = Alias {
                        entity: naming.entity,
                        company: company.cloned(),
                        written: name.as_str().into(),
                        variants: spellings,
                        fuzzy: forgiven,
                    };
                    self.name(naming, written, literal, alias);
                }
                Err(error) => {
                    let message = format!("{key}: `{name}`: {}", error.message);
                    self.problems.push(naming.owner.problem(&written.origin, message, error.hint));
                }
            }
        }
    }

    /// Other spellings of a plain alias that names somebody or something by itself.
    fn spellings(naming: &Naming<'_>, name: &str, term: &Term, ambiguous: bool) -> Vec<String> {
        let is_plain = |form: &Phrase| form.iter().all(|word| word.meets == Meets::Whole);
        let plain = matches!(term, Term::Words(forms) if forms.iter().all(is_plain));
        if !plain || ambiguous || !naming.varied {
            return Vec::new();
        }
        let mut found = variants(name, &|word| frequency::is_known(word));
        found.retain(|variant| !naming.taken.contains(&folded(variant)));
        found
    }

    fn alias_literal(
        &mut self,
        naming: &Naming<'_>,
        term: Term,
        spellings: &[String],
    ) -> Result<LiteralId, term::TermError> {
        let mut forms = match term {
            Term::Words(forms) => forms,
            Term::Gap(pieces) => return self.alias_gap(pieces, naming.languages),
            term @ (Term::Exact(..) | Term::Entity(_) | Term::Type(_) | Term::Everything) => {
                return Ok(self.literal(&term, naming.languages).unwrap_or(LiteralId::MAX));
            }
        };
        if naming.fuzzy {
            forms.extend(fuzzy_forms(&forms));
        }
        for spelling in spellings {
            if let Ok(Alternative { term: Term::Words(more), .. }) = term::alternative(spelling, spelling) {
                forms.extend(more);
            }
        }
        Ok(self.literal(&Term::Words(forms), naming.languages).unwrap_or(LiteralId::MAX))
    }

    /// Lets a literal name an entity.
    fn name(&mut self, naming: &Naming<'_>, written: &Located<String>, literal: LiteralId, alias: Alias) {
        let (mut repeated, mut contradicts) = (false, false);
        let from = self.first_alias_of.get(&naming.entity).copied().unwrap_or(self.aliases.len());
        for (known, number) in self.aliases_of.iter().rev() {
            if (*number as usize) < from {
                break;
            }
            let other = self.aliases.get(*number as usize).filter(|_| *known == literal);
            let Some(other) = other else { continue };
            repeated |= other.company.is_none() && alias.company.is_none();
            contradicts |= other.company.is_none() != alias.company.is_none();
        }
        let name = alias.written.clone();
        if repeated {
            let message = format!("`{name}` stands among its aliases twice");
            self.warn(naming.owner, &written.origin, message, "remove one of them");
            return;
        }
        self.first_alias_of.entry(naming.entity).or_insert(self.aliases.len());
        self.aliases_of.push((literal, number(self.aliases.len())));
        self.aliases.push(alias);
        if contradicts {
            let message = format!("`{name}` is both an alias and an ambiguous one");
            let hint = "as an alias it counts in any company: remove it there, or here";
            self.warn(naming.owner, &written.origin, message, hint);
        }
    }
}
