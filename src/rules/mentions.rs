//! What an item mentions: from hits of literals to entities that count.
//!
//! In this order: what lies inside a mask is dropped, the longest match of a type wins, and an ambiguous
//! alias is kept or dropped by its company. Company is judged in two rounds, so that no circle arises: first
//! the aliases without needs, which only a reject can drop, then the others, which may lean on the first.

use super::engine::Engine;
use super::literals::Hit;
use super::model::{AliasId, Company, Concept, EntityId, Role, Wanted};
use super::near::Span;
use crate::item::Item;
use crate::text::{Pos, Words};

/// A place where a concept stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Mention {
    /// What is mentioned.
    pub(crate) concept: Concept,
    /// Its first and last word.
    pub(crate) span: Span,
}

/// A place where an alias stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AliasHit {
    /// The alias.
    pub(crate) alias: AliasId,
    /// Whom it names.
    pub(crate) entity: EntityId,
    /// Its first and last word.
    pub(crate) span: Span,
}

/// Everything that is found in an item. Kept from item to item for its buffers.
#[derive(Debug, Default)]
pub(crate) struct Mentions {
    /// The words of the item.
    pub(crate) words: Words,
    /// Hits of aliases that count, contexts among them, in no order.
    pub(crate) counted: Vec<AliasHit>,
    /// Hits of ambiguous aliases that do not count.
    pub(crate) dropped: Vec<AliasHit>,
    hits: Vec<Hit>,
    masks: Vec<Span>,
    aliases: Vec<AliasHit>,
    /// Sorted, each once.
    phrases: Vec<Mention>,
    /// Entities, those above them, and types; sorted, each once.
    entities: Vec<Mention>,
}

impl Mentions {
    /// Finds everything in an item.
    pub(crate) fn read(&mut self, engine: &Engine, item: &Item) {
        self.counted.clear();
        self.dropped.clear();
        self.hits.clear();
        self.masks.clear();
        self.aliases.clear();
        self.phrases.clear();
        self.entities.clear();
        self.words.read(&item.title, &item.text);
        engine.literals.scan(&self.words, &item.title, &item.text, &mut self.hits);
        if self.hits.is_empty() {
            return;
        }
        self.collect_masks(engine);
        self.collect(engine);
        self.keep_longest(engine);
        self.keep_in_good_company(engine);
    }

    /// Where a concept is mentioned, in order.
    pub(crate) fn of(&self, concept: Concept) -> &[Mention] {
        let list = if matches!(concept, Concept::Phrase(_)) { &self.phrases } else { &self.entities };
        let from = list.partition_point(|mention| mention.concept < concept);
        let rest = list.get(from..).unwrap_or_default();
        let len = rest.partition_point(|mention| mention.concept == concept);
        rest.get(..len).unwrap_or_default()
    }

    /// Everything that is mentioned, each concept once.
    pub(crate) fn concepts(&self) -> impl Iterator<Item = Concept> {
        let both = [&self.phrases, &self.entities];
        both.into_iter()
            .flat_map(|list| list.chunk_by(|a, b| a.concept == b.concept))
            .filter_map(|chunk| chunk.first())
            .map(|mention| mention.concept)
    }

    fn collect_masks(&mut self, engine: &Engine) {
        for hit in &self.hits {
            if engine.aliases_of(hit.literal).iter().any(|&alias| engine.is_mask(alias)) {
                self.masks.push((hit.first, hit.last));
            }
        }
        self.masks.sort_unstable();
        // From here on the end of each is the furthest end of all up to it.
        let mut furthest = 0;
        for mask in &mut self.masks {
            furthest = furthest.max(mask.1);
            mask.1 = furthest;
        }
    }

    /// Sorts hits into words and aliases, without those inside masks. What covers the very words of a mask is
    /// inside it when it names an entity; a word list or a rule that asks for these words means them.
    fn collect(&mut self, engine: &Engine) {
        for hit in &self.hits {
            let span = (hit.first, hit.last);
            let inside_longer = is_inside_longer(&self.masks, span);
            if engine.is_term(hit.literal) && !inside_longer {
                self.phrases.push(Mention { concept: Concept::Phrase(hit.literal), span });
            }
            for &alias in engine.aliases_of(hit.literal) {
                let entity = engine.entity_of(alias);
                let kept = match engine.role(entity) {
                    Role::Mask => false,
                    Role::Context => !inside_longer,
                    Role::Entity(_) | Role::Place(_) => !is_inside(&self.masks, span),
                };
                if kept {
                    self.aliases.push(AliasHit { alias, entity, span });
                }
            }
        }
        // Hits come sorted by literal and place, each once, so the phrases are too.
    }

    /// Drops hits that lie inside a longer one of the same type. Word lists do not compete.
    fn keep_longest(&mut self, engine: &Engine) {
        let type_of = |hit: &AliasHit| engine.entity(hit.entity).map(|entity| entity.type_id);
        self.aliases
            .sort_unstable_by_key(|hit| (type_of(hit), hit.span.0, std::cmp::Reverse(hit.span.1), hit.alias));
        let mut current = (None, (0, 0));
        // The furthest end of hits of the type before the current span, and up to it.
        let (mut before, mut furthest) = (None, None);
        self.aliases.retain(|hit| {
            let key = (type_of(hit), hit.span);
            if key.0 != current.0 {
                (before, furthest) = (None, None);
            } else if key != current {
                before = furthest;
            }
            current = key;
            furthest = furthest.max(Some(hit.span.1));
            matches!(engine.role(hit.entity), Role::Context) || before < Some(hit.span.1)
        });
    }

    fn keep_in_good_company(&mut self, engine: &Engine) {
        let aliases = std::mem::take(&mut self.aliases);
        let needs = |hit: &&AliasHit| engine.company(hit.alias).map(|company| !company.needs.is_empty());
        self.counted.extend(aliases.iter().filter(|hit| needs(hit).is_none()));
        let mut settled: Vec<EntityId> = self.counted.iter().map(|hit| hit.entity).collect();
        settled.sort_unstable();
        settled.dedup();

        // Until they are judged, all aliases without needs count as rejects of each other.
        let unambiguous = self.counted.len();
        self.counted.extend(aliases.iter().filter(|hit| needs(hit) == Some(false)));
        self.index(engine, 0);
        for hit in self.counted.split_off(unambiguous) {
            self.judge(engine, hit, &settled);
        }
        if !self.dropped.is_empty() {
            self.entities.clear();
            self.index(engine, 0);
        }

        let leant_on = self.counted.len();
        for &hit in aliases.iter().filter(|hit| needs(hit) == Some(true)) {
            self.judge(engine, hit, &settled);
        }
        self.index(engine, leant_on);
        self.aliases = aliases;
    }

    /// Files a hit of an ambiguous alias under those that count or those that do not.
    fn judge(&mut self, engine: &Engine, hit: AliasHit, settled: &[EntityId]) {
        let admitted = engine.company(hit.alias).is_none_or(|company| self.admits(company, hit.span));
        let counts = admitted || settled.binary_search(&hit.entity).is_ok();
        if counts { &mut self.counted } else { &mut self.dropped }.push(hit);
    }

    /// Adds the hits that count, from one of them on, to the list of entities.
    fn index(&mut self, engine: &Engine, from: usize) {
        let before = self.entities.len();
        for hit in self.counted.get(from..).unwrap_or_default() {
            let Some(entity) = engine.entity(hit.entity) else { continue };
            let span = hit.span;
            self.entities.push(Mention { concept: Concept::Entity(hit.entity), span });
            for &above in &entity.ancestors {
                self.entities.push(Mention { concept: Concept::Entity(above), span });
            }
            if !matches!(entity.role, Role::Context | Role::Mask) {
                self.entities.push(Mention { concept: Concept::Type(entity.type_id), span });
            }
        }
        if let Some(added) = self.entities.get_mut(before..) {
            added.sort_unstable();
        }
        // Two sorted runs: the stable sort merges them.
        self.entities.sort();
        self.entities.dedup();
    }

    fn admits(&self, company: &Company, own: Span) -> bool {
        let needed = company.needs.is_empty()
            || company.needs.iter().any(|need| is_apart(self.of(need.concept), own, company.needs_within));
        needed && self.reject(company, own).is_none()
    }

    /// The reject that drops an alias standing at `own`.
    pub(crate) fn reject<'a>(&self, company: &'a Company, own: Span) -> Option<&'a Wanted> {
        company.rejects.iter().find(|reject| is_beyond(self.of(reject.concept), own, company.rejects_within))
    }
}

/// Whether a mask covers `span`. Ends of masks are running maxima.
fn is_inside(masks: &[Span], span: Span) -> bool {
    last_end(masks, span.0.saturating_add(1)) >= Some(span.1)
}

/// Whether a mask covers `span` and more.
fn is_inside_longer(masks: &[Span], span: Span) -> bool {
    last_end(masks, span.0) >= Some(span.1) || last_end(masks, span.0.saturating_add(1)) > Some(span.1)
}

/// The furthest end of the masks that begin before `pos`.
fn last_end(masks: &[Span], pos: Pos) -> Option<Pos> {
    let before = masks.partition_point(|mask| mask.0 < pos);
    before.checked_sub(1).and_then(|at| masks.get(at)).map(|mask| mask.1)
}

/// Whether something is mentioned outside the words `own`, at most `within` words from them.
///
/// Phrases are short, so only a few mentions can overlap `own` and have to be stepped over.
fn is_apart(mentions: &[Mention], own: Span, within: u32) -> bool {
    let behind = mentions.partition_point(|mention| mention.span.0 <= own.1);
    if mentions.get(behind).is_some_and(|mention| mention.span.0 - own.1 <= within) {
        return true;
    }
    let before = mentions.get(..behind).unwrap_or_default().iter().rev();
    before
        .take_while(|mention| reaches(mention.span, own, within))
        .any(|mention| mention.span.1 < own.0 && own.0 - mention.span.1 <= within)
}

/// Whether something is mentioned not only inside the words `own`, at most `within` words from them.
fn is_beyond(mentions: &[Mention], own: Span, within: u32) -> bool {
    if is_apart(mentions, own, within) {
        return true;
    }
    let behind = mentions.partition_point(|mention| mention.span.0 <= own.1);
    let before = mentions.get(..behind).unwrap_or_default().iter().rev();
    before
        .take_while(|mention| reaches(mention.span, own, 0))
        .any(|mention| mention.span.1 >= own.0 && (mention.span.0 < own.0 || mention.span.1 > own.1))
}

/// Whether a mention that begins so early could still end within reach.
fn reaches(span: Span, own: Span, within: u32) -> bool {
    span.0.saturating_add(super::term::TERM_SPAN_MAX).saturating_add(within) >= own.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mentions(spans: &[Span]) -> Vec<Mention> {
        spans.iter().map(|&span| Mention { concept: Concept::Phrase(0), span }).collect()
    }

    #[test]
    fn a_need_stands_outside_the_own_words_and_a_reject_may_contain_them() {
        for (spans, own, within, apart, beyond) in [
            (&[(5, 5)][..], (5, 5), Pos::MAX, false, false),
            (&[(4, 5)], (5, 5), Pos::MAX, false, true),
            (&[(5, 6)], (5, 5), Pos::MAX, false, true),
            (&[(5, 5)], (4, 6), Pos::MAX, false, false),
            (&[(3, 3)], (5, 5), 2, true, true),
            (&[(3, 3)], (5, 5), 1, false, false),
            (&[(7, 9)], (5, 5), 2, true, true),
            (&[(7, 9)], (5, 5), 1, false, false),
            (&[(1, 2), (1, 9)], (5, 5), 3, true, true),
            (&[(0, 0), (4, 5), (5, 5)], (5, 5), Pos::MAX, true, true),
            (&[], (5, 5), Pos::MAX, false, false),
        ] {
            let mentions = mentions(spans);
            assert_eq!(is_apart(&mentions, own, within), apart, "{spans:?} apart from {own:?} by {within}");
            assert_eq!(is_beyond(&mentions, own, within), beyond, "{spans:?} beyond {own:?} by {within}");
        }
    }

    #[test]
    fn a_mask_covers_what_lies_inside_it() {
        // Ends as running maxima.
        let masks = [(2, 4), (3, 4), (8, 9)];
        for (span, inside, longer) in [
            ((2, 4), true, false),
            ((2, 3), true, true),
            ((3, 4), true, true),
            ((1, 2), false, false),
            ((4, 5), false, false),
            ((8, 9), true, false),
            ((9, 9), true, true),
        ] {
            assert_eq!(is_inside(&masks, span), inside, "{span:?}");
            assert_eq!(is_inside_longer(&masks, span), longer, "{span:?}");
        }
    }
}
