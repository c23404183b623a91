//! What is odd in many places, told once: lists too long for a warning each.

use std::path::Path;
use std::sync::Arc;

use super::super::model::{Entity, Role};
use super::super::spec::Origin;
use super::super::summary::{Summary, SummaryKind};
use super::aliases::EVENT_TYPE;
use super::{Compiler, Owner, number};

/// The folder whose files are the shipped pack: what a desk adds stands elsewhere.
const PACK_FOLDER: &str = "entities";

/// Entities of the desk that get a warning each; with more of them a list is what they are.
const WARNED_EACH_MAX: usize = 10;

impl Compiler {
    /// Warns of what no rule, company or other entity makes use of: one by one of what is then good for nothing and of
    /// what the desk wrote, in one line of the shipped entities that alerts still name.
    pub(super) fn warn_of_unused_entities(&mut self) {
        if self.rules.is_empty() {
            return;
        }
        let (mut silent, mut own, mut named) = (Vec::new(), Vec::new(), Vec::new());
        for (at, (entity, name)) in self.entities.iter().zip(&self.names).enumerate() {
            let above = entity.ancestors.iter().copied();
            let mut reached = above.chain([number(at), self.type_concept(entity.type_id)]);
            if reached.any(|concept| self.asked.contains(&concept)) {
                continue;
            }
            let one = (entity.id.clone(), name.origin.clone());
            match use_of(entity) {
                Use::Rules => silent.push(one),
                Use::Alerts if is_shipped(&name.origin) => named.push(one),
                Use::Alerts => own.push(one),
                Use::Itself => {}
            }
        }
        for (id, origin) in silent {
            let owner = Owner { kind: "entity", name: &id };
            self.warn(owner, &origin, "nothing asks for it", "name it in a rule as `@id`, or remove it");
        }
        if own.len() > WARNED_EACH_MAX {
            named.append(&mut own);
        }
        for (id, origin) in own {
            let owner = Owner { kind: "entity", name: &id };
            let hint = "name it, its type or what it lies in in a rule, or keep it for the names alone";
            self.warn(owner, &origin, "no rule asks for it: alerts name it, and it causes none", hint);
        }
        let ids = named.into_iter().map(|(id, _)| id.to_string()).collect();
        self.summarise(SummaryKind::UnusedEntities, ids);
    }

    /// Tells of words that narrow nothing down in the places where they stand beside rarer ones.
    pub(super) fn warn_of_common_terms(&mut self) {
        let mut common: Vec<(Arc<str>, f32)> = self.common.drain().collect();
        common.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        let names = common.into_iter().map(|(written, _)| written.to_string()).collect();
        self.summarise(SummaryKind::CommonTerms, names);
    }

    fn summarise(&mut self, kind: SummaryKind, names: Vec<String>) {
        if !names.is_empty() {
            self.summaries.push(Summary { kind, names });
        }
    }
}

/// What an entity is good for that no term asks for.
enum Use {
    /// Nothing: only rules make use of it.
    Rules,
    /// Alerts name it.
    Alerts,
    /// It acts without being asked for.
    Itself,
}

fn use_of(entity: &Entity) -> Use {
    match &entity.role {
        Role::Context => Use::Rules,
        Role::Entity(told) if told.entity_type == EVENT_TYPE => Use::Rules,
        Role::Entity(_) | Role::Place(_) => Use::Alerts,
        Role::Mask => Use::Itself,
    }
}

fn is_shipped(origin: &Origin) -> bool {
    let folder = origin.file.parent().and_then(Path::file_name);
    folder.is_some_and(|folder| folder == PACK_FOLDER)
}
