//! What an item mentions: from hits of literals to entities that count.
//!
//! In this order: what lies inside a mask is dropped, the longest match of a type wins, and an ambiguous
//! alias is kept or dropped by its company. Company is judged in two rounds, so that no circle arises: first
//! the aliases without needs, which only a reject can drop, then the others, which may lean on the first. After each
//! round what only dropped matches had hidden comes back, so that the longest wins among those that count.

use std::cell::OnceCell;
use std::cmp::Reverse;

use super::engine::Engine;
use super::gaps;
use super::literals::{Hit, Scratch};
use super::model::{AliasId, Company, ConceptId, EntityId, Role, Wanted};
use super::near::Span;
use super::places::{Mention, Places, is_apart, is_beyond, mention};
use super::spec::Scope;
use crate::item::Item;
use crate::text::{Pos, Words, segments};

/// How often what dropped matches had hidden is looked through for one item; each time another layer of matches inside
/// matches is judged, and names have few.
const LAYERS_MAX: usize = 4;

/// A place where an alias stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct AliasHit {
    /// The alias.
    pub(crate) alias: AliasId,
    /// Whom it names.
    pub(crate) entity: EntityId,
    /// Its first and last word.
    pub(crate) span: Span,
    /// The type of the entity, and whether it competes with others of that type.
    type_id: u32,
    competes: bool,
}

impl AliasHit {
    /// By type and place, at each place the longest first.
    fn key(&self) -> (u32, Pos, Reverse<Pos>, AliasId) {
        (self.type_id, self.span.0, Reverse(self.span.1), self.alias)
    }

    /// Whether it lies inside a longer hit of the same type.
    pub(crate) fn is_inside(&self, longer: &Self) -> bool {
        let covers = longer.span.0 <= self.span.0 && self.span.1 <= longer.span.1;
        covers && self.span != longer.span && self.type_id == longer.type_id && longer.competes
    }
}

/// Everything that is found in an item. Kept from item to item for its buffers.
#[derive(Default)]
pub(crate) struct Mentions {
    /// The words of the item.
    pub(crate) words: Words,
    /// Hits of aliases that count, contexts among them, in no order.
    pub(crate) counted: Vec<AliasHit>,
    /// Hits of ambiguous aliases that do not count.
    pub(crate) dropped: Vec<AliasHit>,
    /// Hits inside a longer one of their type.
    pub(crate) hidden: Vec<AliasHit>,
    hits: Vec<Hit>,
    masks: Vec<Span>,
    aliases: Vec<AliasHit>,
    scratch: Scratch,
    /// Words that are asked for; sorted, each once.
    phrases: Vec<Mention>,
    /// Entities, those above them, and types; sorted, each once.
    entities: Vec<Mention>,
    /// Gaps with entities in them; sorted, each once.
    gaps: Vec<Mention>,
    /// Number of the first concept that is neither entity nor type.
    first_extra: ConceptId,
    /// All of these in a row, once they are complete, and where each concept stands in it.
    all: Vec<Mention>,
    places: Places,
    paragraphs: OnceCell<Vec<Pos>>,
    sentences: OnceCell<Vec<Pos>>,
}

impl Mentions {
    /// Finds everything in an item.
    pub(crate) fn read(&mut self, engine: &Engine, item: &Item) {
        self.hits(engine, item);
        if self.hits.is_empty() {
            return;
        }
        self.collect_masks(engine, 0);
        self.find_word_gaps(engine);
        self.collect(engine);
        self.keep_longest();
        self.keep_in_good_company(engine);
        self.find_entity_gaps(engine);
        for list in [&self.phrases, &self.entities, &self.gaps] {
            self.all.extend_from_slice(list);
        }
        self.places.fill(&self.all);
    }

    /// Forgets the item before, and finds the literals of this one.
    pub(crate) fn hits(&mut self, engine: &Engine, item: &Item) -> &[Hit] {
        self.counted.clear();
        self.dropped.clear();
        self.hidden.clear();
        self.hits.clear();
        self.masks.clear();
        self.aliases.clear();
        self.phrases.clear();
        self.entities.clear();
        self.gaps.clear();
        self.all.clear();
        self.places.clear();
        self.paragraphs.take();
        self.sentences.take();
        self.first_extra = engine.first_extra;
        self.words.read(&item.title, &item.text);
        engine.literals.scan(&self.words, [&item.title, &item.text], &mut self.scratch, &mut self.hits);
        &self.hits
    }

    /// All literals that were found, those inside masks among them.
    pub(crate) fn found(&self) -> &[Hit] {
        &self.hits
    }

    /// Where a concept is mentioned, in order.
    #[inline]
    pub(crate) fn of(&self, concept: ConceptId) -> &[Mention] {
        let range = self.places.of(concept);
        self.all.get(range).unwrap_or_default()
    }

    /// The same while not all is known yet.
    pub(crate) fn so_far(&self, concept: ConceptId) -> &[Mention] {
        if concept < self.first_extra {
            return within(&self.entities, concept);
        }
        let words = within(&self.phrases, concept);
        if words.is_empty() { within(&self.gaps, concept) } else { words }
    }

    /// Everything that is mentioned so far, each concept once.
    pub(crate) fn concepts(&self) -> impl Iterator<Item = ConceptId> {
        let all = [&self.phrases, &self.entities, &self.gaps];
        all.into_iter()
            .flat_map(|list| list.chunk_by(|a, b| a.concept() == b.concept()))
            .filter_map(|chunk| chunk.first())
            .map(|mention| mention.concept())
    }

    /// The positions at which pieces of that size begin, the first one left out; none for the whole item.
    pub(crate) fn pieces(&self, item: &Item, scope: Scope) -> &[Pos] {
        let texts = [item.title.as_str(), item.text.as_str()];
        match scope {
            Scope::Item => &[],
            Scope::Paragraph => self.paragraphs.get_or_init(|| segments::paragraphs(&self.words, texts)),
            Scope::Sentence => self.sentences.get_or_init(|| segments::sentences(&self.words, texts)),
        }
    }

    /// Adds hits of terms with gaps that are made of words alone.
    fn find_word_gaps(&mut self, engine: &Engine) {
        if !engine.has_word_gaps() {
            return;
        }
        for hit in &self.hits {
            let span = (hit.first, hit.last);
            if !is_inside_longer(&self.masks, span) {
                self.phrases.extend(mention(engine.literal(hit.literal).concept, span));
            }
        }
        sort(&mut self.phrases);
        let found = gaps::of_words(engine, self);
        let before = self.hits.len();
        self.hits.extend(found);
        self.phrases.clear();
        self.collect_masks(engine, before);
    }

    /// Finds terms with gaps that name entities, by what is known of these so far.
    fn find_entity_gaps(&mut self, engine: &Engine) {
        if engine.has_entity_gaps() {
            self.gaps.clear();
            self.gaps = gaps::of_entities(engine, self);
        }
    }

    /// Notes where masks stand, among the hits from one of them on.
    fn collect_masks(&mut self, engine: &Engine, from: usize) {
        if !engine.has_masks() {
            return;
        }
        for hit in self.hits.get(from..).unwrap_or_default() {
            let mut aliases = engine.aliases_of(hit.literal).iter();
            if aliases.any(|&alias| engine.is_mask(alias)) {
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
            let info = engine.literal(hit.literal);
            if !inside_longer {
                self.phrases.extend(mention(info.concept, span));
            }
            for &alias in engine.aliases_of(hit.literal) {
                let entity = engine.entity_of(alias);
                let Some(known) = engine.entity(entity) else { continue };
                let kept = match known.role {
                    Role::Mask => false,
                    Role::Context => !inside_longer,
                    Role::Entity(_) | Role::Place(_) => !is_inside(&self.masks, span),
                };
                if kept {
                    let competes = !matches!(known.role, Role::Context);
                    self.aliases.push(AliasHit { alias, entity, span, type_id: known.type_id, competes });
                }
            }
        }
        sort(&mut self.phrases);
    }

    fn keep_longest(&mut self) {
        keep_longest(&mut self.aliases, &mut self.hidden);
    }

    fn keep_in_good_company(&mut self, engine: &Engine) {
        let aliases = std::mem::take(&mut self.aliases);
        let needs = |hit: &&AliasHit| engine.company(hit.alias).map(|company| !company.needs.is_empty());
        self.counted.extend(aliases.iter().filter(|hit| needs(hit).is_none()));
        if self.counted.len() == aliases.len() {
            self.index(engine, 0);
            self.aliases = aliases;
            return;
        }
        let mut settled: Vec<EntityId> = self.counted.iter().map(|hit| hit.entity).collect();
        settled.sort_unstable();
        settled.dedup();

        // Until they are judged, all aliases without needs count as rejects of each other.
        let unambiguous = self.counted.len();
        self.counted.extend(aliases.iter().filter(|hit| needs(hit) == Some(false)));
        self.index(engine, 0);
        self.find_entity_gaps(engine);
        for hit in self.counted.split_off(unambiguous) {
            self.judge(engine, hit, &settled);
        }
        if !self.dropped.is_empty() {
            self.entities.clear();
            self.index(engine, 0);
            self.find_entity_gaps(engine);
            let known = self.counted.len();
            let open: Vec<AliasHit> =
                aliases.iter().filter(|hit| needs(hit) == Some(true)).copied().collect();
            self.uncover(engine, &open, &settled);
            if self.counted.len() > known {
                self.index(engine, known);
                self.find_entity_gaps(engine);
                let sure = self.counted.iter().skip(known).filter(|hit| needs(hit).is_none());
                settled.extend(sure.map(|hit| hit.entity));
                settled.sort_unstable();
            }
        }

        let leant_on = self.counted.len();
        for &hit in aliases.iter().filter(|hit| needs(hit) == Some(true)) {
            self.judge(engine, hit, &settled);
        }
        self.uncover(engine, &[], &settled);
        self.index(engine, leant_on);
        self.aliases = aliases;
    }

    /// Judges what only dropped hits had hidden; `open` are hits that may count yet.
    fn uncover(&mut self, engine: &Engine, open: &[AliasHit], settled: &[EntityId]) {
        let mut known = 0;
        for _ in 0..LAYERS_MAX {
            if self.hidden.is_empty() || self.dropped.len() == known {
                return;
            }
            known = self.dropped.len();
            let hidden = std::mem::take(&mut self.hidden);
            let mut all = [&self.counted, open, &hidden].concat();
            keep_longest(&mut all, &mut self.hidden);
            self.hidden.sort_unstable_by_key(AliasHit::key);
            for hit in hidden {
                if self.hidden.binary_search_by_key(&hit.key(), AliasHit::key).is_err() {
                    self.judge(engine, hit, settled);
                }
            }
        }
    }

    /// Files a hit of an ambiguous alias under those that count or those that do not.
    fn judge(&mut self, engine: &Engine, hit: AliasHit, settled: &[EntityId]) {
        let admitted = engine.company(hit.alias).is_none_or(|company| self.admits(company, hit.span));
        let counts = admitted || settled.binary_search(&hit.entity).is_ok();
        if counts { &mut self.counted } else { &mut self.dropped }.push(hit);
    }

    /// Adds the hits that count, from one of them on, to the list of entities.
    fn index(&mut self, engine: &Engine, from: usize) {
        for hit in self.counted.get(from..).unwrap_or_default() {
            let concepts = engine.concepts_of(hit.entity);
            self.entities.extend(concepts.iter().filter_map(|&concept| mention(concept, hit.span)));
        }
        sort(&mut self.entities);
    }

    fn admits(&self, company: &Company, own: Span) -> bool {
        let needed = company.needs.is_empty()
            || company
                .needs
                .iter()
                .any(|need| is_apart(self.so_far(need.concept), own, company.needs_within));
        needed && self.reject(company, own).is_none()
    }

    /// The reject that drops an alias standing at `own`.
    pub(crate) fn reject<'a>(&self, company: &'a Company, own: Span) -> Option<&'a Wanted> {
        company
            .rejects
            .iter()
            .find(|reject| is_beyond(self.so_far(reject.concept), own, company.rejects_within))
    }
}

/// Takes hits out that lie inside a longer one of the same type, and adds them to `hidden`. Word lists do not compete.
fn keep_longest(hits: &mut Vec<AliasHit>, hidden: &mut Vec<AliasHit>) {
    hits.sort_unstable_by_key(AliasHit::key);
    hits.dedup();
    let mut current = (None, (0, 0));
    // The furthest end of hits of the type before the current span, and up to it.
    let (mut before, mut furthest) = (None, None);
    hits.retain(|hit| {
        let key = (Some(hit.type_id), hit.span);
        if key.0 != current.0 {
            (before, furthest) = (None, None);
        } else if key != current {
            before = furthest;
        }
        current = key;
        furthest = furthest.max(Some(hit.span.1));
        let kept = !hit.competes || before < Some(hit.span.1);
        if !kept {
            hidden.push(*hit);
        }
        kept
    });
}

fn sort(mentions: &mut Vec<Mention>) {
    mentions.sort_unstable();
    mentions.dedup();
}

/// The mentions of one concept in a sorted list.
#[inline]
fn within(list: &[Mention], concept: ConceptId) -> &[Mention] {
    let from = list.partition_point(|mention| mention.concept() < concept);
    let rest = list.get(from..).unwrap_or_default();
    let len = rest.partition_point(|mention| mention.concept() == concept);
    rest.get(..len).unwrap_or_default()
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

#[cfg(test)]
mod tests {
    use super::*;

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
