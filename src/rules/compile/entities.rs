//! Entities: ids and types first, so that terms can name them, then parents, then aliases.

use std::sync::Arc;

use super::super::model::{Entity, EntityId, Role};
use super::super::spec::{EntitySpec, Located};
use super::super::verdict::{EntityRef, PlaceRef};
use super::{Compiler, Owner};

/// Type of places.
pub(super) const PLACE: &str = "place";
/// Type of word lists.
pub(super) const CONTEXT: &str = "context";
/// Type of masks.
pub(super) const MASK: &str = "mask";

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
                Arc::make_mut(place).within = above.map(|above| above.id.value.clone()).collect();
            }
        }
        self.aliases(&kept);
        let aliases = &self.aliases;
        self.shares.note_entities(&self.entities, self.types.len(), &self.aliases_of, |alias| {
            aliases.get(alias as usize).map_or(EntityId::MAX, |alias| alias.entity)
        });
        self.warn_of_shared_aliases(&kept);
        self.warn_of_common_aliases(&kept);
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
}

fn role(spec: &EntitySpec) -> Role {
    let id = spec.id.value.clone();
    match spec.entity_type.as_str() {
        CONTEXT => Role::Context,
        MASK => Role::Mask,
        PLACE => Role::Place(Arc::new(PlaceRef {
            id,
            name: spec.name.clone(),
            country: spec.country.clone(),
            within: Vec::new(),
            at: spec.at,
        })),
        other => {
            Role::Entity(Arc::new(EntityRef { id, entity_type: other.to_owned(), name: spec.name.clone() }))
        }
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
