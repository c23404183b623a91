//! What the other parts of the rules look up in an engine.

use std::collections::HashSet;

use super::{Engine, LiteralRole};
use crate::rules::literals::LiteralId;
use crate::rules::model::{
    Alias, AliasId, Company, ConceptId, Entity, EntityId, Extra, Gap, NO_CONCEPT, Role,
};

/// What the other parts of the engine look up.
impl Engine {
    #[inline]
    pub(in crate::rules) fn literal(&self, literal: LiteralId) -> LiteralRole {
        let none = LiteralRole { concept: NO_CONCEPT, first_alias: 0, aliases: 0 };
        self.literal_roles.get(literal as usize).copied().unwrap_or(none)
    }

    #[inline]
    pub(in crate::rules) fn aliases_of(&self, literal: LiteralId) -> &[AliasId] {
        let role = self.literal(literal);
        let from = role.first_alias as usize;
        self.alias_ids.get(from..from + role.aliases as usize).unwrap_or_default()
    }

    pub(in crate::rules) fn alias(&self, alias: AliasId) -> Option<&Alias> {
        self.aliases.get(alias as usize)
    }

    /// All aliases, in the order of the entities.
    pub(in crate::rules) fn aliases(&self) -> &[Alias] {
        &self.aliases
    }

    pub(in crate::rules) fn entity_of(&self, alias: AliasId) -> EntityId {
        self.alias(alias).map_or(EntityId::MAX, |alias| alias.entity)
    }

    /// The entities that have an alias.
    pub(in crate::rules) fn aliased(&self) -> HashSet<EntityId> {
        self.aliases.iter().map(|alias| alias.entity).collect()
    }

    pub(in crate::rules) fn company(&self, alias: AliasId) -> Option<&Company> {
        self.alias(alias).and_then(|alias| alias.company.as_deref())
    }

    pub(in crate::rules) fn entity(&self, entity: EntityId) -> Option<&Entity> {
        self.entities.get(entity as usize)
    }

    pub(in crate::rules) fn entities(&self) -> &[Entity] {
        &self.entities
    }

    /// What a mention of an entity is a mention of, as far as somebody asks for it.
    #[inline]
    pub(in crate::rules) fn concepts_of(&self, entity: EntityId) -> &[ConceptId] {
        self.concepts.get(entity as usize).map(Vec::as_slice).unwrap_or_default()
    }

    pub(in crate::rules) fn extra(&self, concept: ConceptId) -> Option<&Extra> {
        self.extras.get(concept.checked_sub(self.first_extra)? as usize)
    }

    pub(in crate::rules) fn is_mask(&self, alias: AliasId) -> bool {
        self.entity(self.entity_of(alias)).is_some_and(|entity| matches!(entity.role, Role::Mask))
    }

    pub(in crate::rules) fn has_masks(&self) -> bool {
        self.has_masks
    }

    pub(in crate::rules) fn has_word_gaps(&self) -> bool {
        !self.word_gaps.is_empty()
    }

    pub(in crate::rules) fn has_entity_gaps(&self) -> bool {
        !self.entity_gaps.is_empty()
    }

    /// The numbers of gaps that a mention of a concept makes worth a look.
    pub(in crate::rules) fn gaps_under(&self, concept: ConceptId) -> &[u32] {
        self.gaps_under.get(&concept).map(Vec::as_slice).unwrap_or_default()
    }

    /// The gap of that number, if it is one of words alone.
    pub(in crate::rules) fn word_gap(&self, number: u32) -> Option<(LiteralId, &Gap)> {
        self.word_gaps.get(number as usize).map(|(literal, gap)| (*literal, gap))
    }

    /// The gap of that number, if it is one with entities.
    pub(in crate::rules) fn entity_gap(&self, number: u32) -> Option<(ConceptId, &Gap)> {
        let at = (number as usize).checked_sub(self.word_gaps.len())?;
        self.entity_gaps.get(at).map(|(concept, gap)| (*concept, gap))
    }
}
