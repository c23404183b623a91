//! In what share of ordinary items the terms of a config occur, estimated from a table of word frequencies: what
//! decides under which of its conditions a rule is looked up, and which terms are too common to mean anything.

use super::super::frequency;
use super::super::literals::LiteralId;
use super::super::model::{AliasId, ConceptId, Entity, Extra, Gap};
use super::super::term::{Meets, Phrase, PhraseWord, Term};
use crate::text::Scripts;

/// Letters off the end of a word that its forms may differ in.
const ENDING_LETTERS: usize = 2;

/// Of the items with the rarest word of a phrase, those that have the phrase: of two words, and of more. Rough: a
/// set phrase is commoner, a chance one far rarer.
const PHRASE_OF_WORD: [f32; 2] = [0.2, 0.1];

/// The share of ordinary items, 0 to 1, in languages of Latin, Cyrillic and Arabic script each: an item is in one
/// of them, and words of the others say nothing of it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Share([f32; 3]);

impl Share {
    /// Of every item.
    pub(crate) const ALL: Self = Self([1.0; 3]);

    /// That of items which have any of things with these shares, as if they did not care for each other.
    pub(crate) fn any(shares: impl Iterator<Item = Self>) -> Self {
        let absent = shares.fold([1.0_f32; 3], |mut absent, share| {
            absent.iter_mut().zip(share.0).for_each(|(absent, share)| *absent *= 1.0 - share);
            absent
        });
        Self(absent.map(|absent| 1.0 - absent))
    }

    /// The share in the script where it is greatest.
    pub(crate) fn most(self) -> f32 {
        self.0.into_iter().fold(0.0, f32::max)
    }

    fn in_script_of(letters: &str, share: f32) -> Self {
        let scripts = letters.chars().next().map_or(Scripts::LATIN, Scripts::of);
        let at = if scripts == Scripts::CYRILLIC { 1 } else { usize::from(scripts == Scripts::ARABIC) * 2 };
        let mut shares = [0.0; 3];
        if let Some(slot) = shares.get_mut(at) {
            *slot = share;
        }
        Self(shares)
    }
}

/// Shares of items.
#[derive(Debug, Default)]
pub(super) struct Shares {
    of_literals: Vec<Share>,
    /// Of entities with all that lies below them, then of types.
    of_entities: Vec<Share>,
}

impl Shares {
    /// Notes the share of a literal.
    pub(super) fn note_literal(&mut self, literal: LiteralId, term: &Term) {
        if (literal as usize) < self.of_literals.len() {
            return;
        }
        let share = match term {
            Term::Words(forms) => forms.iter().map(phrase).max_by(|a, b| a.most().total_cmp(&b.most())),
            Term::Exact(words, _) => Some(phrase(words)),
            Term::Gap(_) | Term::Entity(_) | Term::Type(_) | Term::Everything => None,
        };
        self.put(literal, share.unwrap_or(Share::ALL));
    }

    /// Notes the share of a term with gaps: like a phrase of two words, a part of that of its rarest piece.
    pub(super) fn note_gap(
        &mut self,
        literal: LiteralId,
        gap: &Gap,
        extras: &[Extra],
        first_extra: ConceptId,
    ) {
        let share = self.of_gap(gap, extras, first_extra);
        self.put(literal, share);
    }

    fn put(&mut self, literal: LiteralId, share: Share) {
        let at = literal as usize;
        if self.of_literals.len() <= at {
            self.of_literals.resize(at + 1, Share::default());
        }
        if let Some(slot) = self.of_literals.get_mut(at) {
            *slot = share;
        }
    }

    /// Reckons the shares of entities and types from their aliases.
    pub(super) fn note_entities(
        &mut self,
        entities: &[Entity],
        types: usize,
        aliases_of: &[(LiteralId, AliasId)],
        entity_of: impl Fn(AliasId) -> ConceptId,
    ) {
        let mut shares = vec![Share::default(); entities.len() + types];
        for &(literal, alias) in aliases_of {
            let share = self.of_literal(literal);
            let number = entity_of(alias);
            let Some(entity) = entities.get(number as usize) else { continue };
            let of_type = entities.len() + entity.type_id as usize;
            let all = entity.ancestors.iter().map(|&above| above as usize).chain([number as usize, of_type]);
            for concept in all {
                if let Some(known) = shares.get_mut(concept) {
                    *known = Share::any([*known, share].into_iter());
                }
            }
        }
        self.of_entities = shares;
    }

    /// The share of items that hold a literal.
    pub(super) fn of_literal(&self, literal: LiteralId) -> Share {
        self.of_literals.get(literal as usize).copied().unwrap_or_default()
    }

    /// The share of items that mention a concept.
    pub(super) fn of(&self, concept: ConceptId, extras: &[Extra], first_extra: ConceptId) -> Share {
        let Some(extra) = concept.checked_sub(first_extra) else {
            return self.of_entities.get(concept as usize).copied().unwrap_or(Share::ALL);
        };
        match extras.get(extra as usize) {
            Some(Extra::Words(literal)) => self.of_literal(*literal),
            Some(Extra::Gap(gap)) => self.of_gap(gap, extras, first_extra),
            None => Share::ALL,
        }
    }

    fn of_gap(&self, gap: &Gap, extras: &[Extra], first_extra: ConceptId) -> Share {
        let of = |concept: &ConceptId| self.of(*concept, extras, first_extra);
        let pieces = gap.pieces.iter().map(|(_, concepts)| Share::any(concepts.iter().map(of)));
        let rarest = pieces.min_by(|a, b| a.most().total_cmp(&b.most())).unwrap_or(Share::ALL);
        Share(rarest.0.map(|share| share * PHRASE_OF_WORD[0]))
    }

    /// The shares of all concepts, by number.
    pub(super) fn of_concepts(&self, extras: &[Extra], first_extra: ConceptId) -> Vec<Share> {
        let last = first_extra + super::number(extras.len());
        (0..last).map(|concept| self.of(concept, extras, first_extra)).collect()
    }
}

fn phrase(words: &Phrase) -> Share {
    let rarest = words.iter().map(|one| (word(one), one)).min_by(|a, b| a.0.total_cmp(&b.0));
    let Some((share, word)) = rarest else { return Share::ALL };
    let of_word = match words.len() {
        1 => 1.0,
        2 => PHRASE_OF_WORD[0],
        _ => PHRASE_OF_WORD[1],
    };
    Share::in_script_of(&word.letters, share * of_word)
}

fn word(word: &PhraseWord) -> f32 {
    let letters = word.letters.as_str();
    match word.meets {
        Meets::Whole | Meets::Fuzzy => frequency::share(letters),
        Meets::Prefix => frequency::share_of_prefix(letters),
        Meets::Stem => {
            let count = letters.chars().count();
            let kept = count.saturating_sub(ENDING_LETTERS).max(count.min(4));
            let end = letters.char_indices().nth(kept).map_or(letters.len(), |(at, _)| at);
            frequency::share_of_prefix(letters.get(..end).unwrap_or(letters))
        }
    }
}
