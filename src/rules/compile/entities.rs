//! Entities: ids and types first, so that terms can name them, then parents, then aliases.

use std::sync::Arc;

use super::super::literals::LiteralId;
use super::super::model::{Alias, AliasId, Company, Entity, EntityId, Role, Wanted};
use super::super::problem::nearest;
use super::super::spec::{AmbiguousSpec, EntitySpec, Located};
use super::super::term::Term;
use super::super::verdict::{EntityRef, PlaceRef};
use super::{Compiler, Owner};

/// Type of places.
const PLACE: &str = "place";
/// Type of word lists.
const CONTEXT: &str = "context";
/// Type of masks.
const MASK: &str = "mask";

impl Compiler {
    /// Compiles all entities.
    pub(super) fn entities(&mut self, specs: Vec<EntitySpec>) {
        let mut kept = Vec::with_capacity(specs.len());
        for spec in specs {
            if self.register(&spec) {
                kept.push(spec);
            }
        }
        let parents: Vec<Vec<EntityId>> = kept.iter().map(|spec| self.parents(spec)).collect();
        self.refuse_circles(&kept, &parents);
        for (number, entity) in self.entities.iter_mut().enumerate() {
            entity.ancestors = ancestors(&parents, number);
            if let Role::Place(place) = &mut entity.role {
                let above = entity.ancestors.iter().filter_map(|&above| kept.get(above as usize));
                place.within = above.map(|above| above.id.value.clone()).collect();
            }
        }
        for (number, spec) in kept.iter().enumerate() {
            self.aliases(spec, EntityId::try_from(number).unwrap_or(EntityId::MAX));
        }
        self.warn_of_shared_aliases(&kept);
    }

    /// Takes an id and a type; false when the id cannot stand or is taken.
    fn register(&mut self, spec: &EntitySpec) -> bool {
        let id = spec.id.value.as_str();
        let owner = Owner { kind: "entity", name: id };
        let origin = &spec.id.origin;
        if id.is_empty() || !id.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')) {
            self.refuse(owner, origin, "the id cannot be named in a rule", "use letters, digits and `-`");
            return false;
        }
        if self.ids.contains_key(id) {
            self.refuse(
                owner,
                origin,
                "the id is taken by an earlier entity",
                "give it another id, or add to the earlier one with `[[extend]]`",
            );
            return false;
        }
        let type_name = spec.entity_type.as_str();
        if type_name.is_empty() || type_name.contains(char::is_whitespace) {
            let message = format!("the type `{type_name}` cannot be named in a rule");
            self.refuse(owner, origin, message, "write one word, such as `person`");
        }
        let known = self.types.iter().position(|known| known == type_name);
        let type_id = known.unwrap_or_else(|| {
            self.types.push(type_name.to_owned());
            self.types.len() - 1
        });
        let id: Arc<str> = id.into();
        self.ids.insert(id.clone(), EntityId::try_from(self.entities.len()).unwrap_or(EntityId::MAX));
        self.names.push(Located { value: spec.name.clone(), origin: origin.clone() });
        self.entities.push(Entity {
            id,
            type_id: u32::try_from(type_id).unwrap_or(u32::MAX),
            role: role(spec),
            ancestors: Vec::new(),
        });
        true
    }

    fn parents(&mut self, spec: &EntitySpec) -> Vec<EntityId> {
        let owner = Owner { kind: "entity", name: &spec.id.value };
        for related in &spec.related {
            self.known_id(owner, "related", related);
        }
        let parents: Vec<EntityId> =
            spec.parents.iter().filter_map(|parent| self.known_id(owner, "in", parent)).collect();
        for (parent, written) in parents.iter().zip(&spec.parents) {
            if self.is_mask(*parent) {
                let message = format!("in: `{}` is a mask and holds nothing", written.value);
                self.refuse(owner, &written.origin, message, "remove it");
            }
        }
        parents
    }

    fn known_id(&mut self, owner: Owner<'_>, key: &str, id: &Located<String>) -> Option<EntityId> {
        let known = self.ids.get(id.value.as_str()).copied();
        if known.is_none() {
            let near = nearest(&id.value, self.ids.keys().map(|known| &**known));
            let hint = near.map(|near| format!("did you mean `{near}`?"));
            let message = format!("{key}: no entity has the id `{}`", id.value);
            self.problems.push(owner.problem(&id.origin, message, hint));
        }
        known
    }

    fn refuse_circles(&mut self, specs: &[EntitySpec], parents: &[Vec<EntityId>]) {
        for (number, spec) in specs.iter().enumerate() {
            let above = ancestors(parents, number);
            if above.iter().any(|&id| id as usize == number) {
                let through: Vec<&str> = above
                    .iter()
                    .filter(|&&id| id as usize != number && is_above(parents, number, id as usize))
                    .filter_map(|&id| specs.get(id as usize))
                    .map(|spec| spec.id.value.as_str())
                    .collect();
                let owner = Owner { kind: "entity", name: &spec.id.value };
                let message = if through.is_empty() {
                    "it lies in itself".to_owned()
                } else {
                    format!("it lies in itself, by way of `{}`", through.join("`, `"))
                };
                self.refuse(owner, &spec.id.origin, message, "take one of them out of `in`");
            }
        }
    }

    fn aliases(&mut self, spec: &EntitySpec, entity: EntityId) {
        let owner = Owner { kind: "entity", name: &spec.id.value };
        for alias in &spec.aliases {
            self.alias(owner, "aliases", alias, entity, None);
        }
        if spec.entity_type == MASK
            && let Some(first) = spec.ambiguous.first()
        {
            let hint = "move it to `aliases`: a mask hides in any company";
            self.refuse(owner, &first.alias.origin, "a mask has ambiguous aliases", hint);
            return;
        }
        for ambiguous in &spec.ambiguous {
            let company = self.company(owner, ambiguous);
            self.alias(owner, "ambiguous", &ambiguous.alias, entity, Some(&company));
        }
    }

    fn company(&mut self, owner: Owner<'_>, spec: &AmbiguousSpec) -> Company {
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
        Company {
            needs: self.wanted(owner, "needs", &spec.needs),
            rejects: self.wanted(owner, "rejects", &spec.rejects),
            needs_within: spec.within.unwrap_or(u32::MAX),
            rejects_within: spec.rejects_within.or(spec.within).unwrap_or(u32::MAX),
        }
    }

    fn wanted(&mut self, owner: Owner<'_>, key: &str, terms: &[Located<String>]) -> Vec<Wanted> {
        self.clauses(owner, key, terms).into_iter().flat_map(|clause| clause.wanted).collect()
    }

    fn alias(
        &mut self,
        owner: Owner<'_>,
        key: &str,
        written: &Located<String>,
        entity: EntityId,
        company: Option<&Company>,
    ) {
        for alternative in self.parse(owner, key, written).unwrap_or_default() {
            if matches!(alternative.term, Term::Entity(_) | Term::Type(_)) {
                let message = format!("{key}: `{}` names an entity", alternative.written);
                self.refuse(
                    owner,
                    &written.origin,
                    message,
                    "an alias is words; use `in` for what lies below",
                );
                continue;
            }
            let Some(literal) = self.literal(alternative.term) else { continue };
            let number = AliasId::try_from(self.aliases.len()).unwrap_or(AliasId::MAX);
            let known = self.aliases_of.entry(literal).or_default();
            let of_same = known.iter().filter_map(|&alias| self.aliases.get(alias as usize));
            let of_same = of_same.filter(|alias| alias.entity == entity);
            let (mut repeated, mut contradicts) = (false, false);
            for alias in of_same {
                repeated |= alias.company.is_none() && company.is_none();
                contradicts |= alias.company.is_none() != company.is_none();
            }
            if repeated {
                continue;
            }
            known.push(number);
            self.aliases.push(Alias { entity, company: company.cloned() });
            if contradicts {
                let message = format!("`{}` is both an alias and an ambiguous one", alternative.written);
                let hint = "as an alias it counts in any company: remove it there, or here";
                self.warn(owner, &written.origin, message, hint);
            }
        }
    }

    /// An alias that two entities of one type own names both of them; that is allowed, and often a slip.
    fn warn_of_shared_aliases(&mut self, specs: &[EntitySpec]) {
        let mut shared: Vec<(LiteralId, EntityId, EntityId)> = Vec::new();
        for (&literal, aliases) in &self.aliases_of {
            let plain = aliases.iter().filter_map(|&alias| self.aliases.get(alias as usize));
            let owners: Vec<EntityId> = plain
                .filter(|alias| alias.company.is_none())
                .map(|alias| alias.entity)
                .filter(|&id| {
                    self.entities
                        .get(id as usize)
                        .is_some_and(|entity| matches!(entity.role, Role::Entity(_) | Role::Place(_)))
                })
                .collect();
            let kind = |id: EntityId| specs.get(id as usize).map(|spec| &spec.entity_type);
            let pairs = owners
                .iter()
                .enumerate()
                .flat_map(|(at, first)| owners.iter().skip(at + 1).map(move |second| (*first, *second)));
            // Things of different types may well share a name: an event and the word list of its topic.
            shared.extend(
                pairs
                    .filter(|(first, second)| kind(*first) == kind(*second))
                    .map(|(a, b)| (literal, a, b))
                    .take(1),
            );
        }
        shared.sort_unstable();
        for (literal, first, second) in shared {
            let (Some(first), Some(second)) = (specs.get(first as usize), specs.get(second as usize)) else {
                continue;
            };
            let written = second.aliases.iter().find(|alias| {
                let alternatives = super::term::parse(&alias.value).unwrap_or_default();
                alternatives.into_iter().any(|one| self.literal(one.term) == Some(literal))
            });
            let Some(written) = written else { continue };
            let owner = Owner { kind: "entity", name: &second.id.value };
            let message = format!("`{}` is an alias of `{}` too", written.value, first.id.value);
            self.warn(
                owner,
                &written.origin,
                message,
                "make it ambiguous in both, with what tells them apart",
            );
        }
    }
}

fn role(spec: &EntitySpec) -> Role {
    let id = spec.id.value.clone();
    match spec.entity_type.as_str() {
        CONTEXT => Role::Context,
        MASK => Role::Mask,
        PLACE => Role::Place(PlaceRef {
            id,
            name: spec.name.clone(),
            country: spec.country.clone(),
            within: Vec::new(),
            at: spec.at,
        }),
        other => Role::Entity(EntityRef { id, entity_type: other.to_owned(), name: spec.name.clone() }),
    }
}

/// All entities above one, nearest first; itself only when it lies in a circle.
fn ancestors(parents: &[Vec<EntityId>], of: usize) -> Vec<EntityId> {
    let mut found: Vec<EntityId> = Vec::new();
    let mut next = 0;
    let mut at = of;
    loop {
        for &parent in parents.get(at).into_iter().flatten() {
            if !found.contains(&parent) {
                found.push(parent);
            }
        }
        let Some(&above) = found.get(next) else { return found };
        at = above as usize;
        next += 1;
    }
}

/// Whether `upper` has `lower` above it in turn, so that both lie in one circle.
fn is_above(parents: &[Vec<EntityId>], lower: usize, upper: usize) -> bool {
    ancestors(parents, upper).iter().any(|&id| id as usize == lower)
}
