//! Terms: from texts to concepts.

use std::sync::Arc;

use super::super::literals::LiteralId;
use super::super::model::{Clause, ConceptId, EntityId, Extra, Gap, NO_CONCEPT, Wanted};
use super::super::problem::nearest;
use super::super::spec::Located;
use super::super::stem::Language;
use super::super::term::{self, Alternative, Term, TermError};
use super::{Compiler, Owner, number};
use crate::text::{hash_after, hash_word};

/// Words that the gaps of one term may take together.
const GAPS_WORDS_MAX: u32 = 1000;

/// The remedy for an id that nothing has, when no other is like it.
const NO_ENTITY: &str = "write an `[[entity]]` with that id, or take it out";

impl Compiler {
    /// Reads a list of terms into clauses; those with a mistake are left out and reported.
    pub(super) fn clauses(
        &mut self,
        owner: Owner<'_>,
        key: &str,
        terms: &[Located<String>],
        languages: &Arc<[Language]>,
    ) -> Vec<Clause> {
        terms.iter().filter_map(|term| self.clause(owner, key, term, languages)).collect()
    }

    pub(super) fn clause(
        &mut self,
        owner: Owner<'_>,
        key: &str,
        written: &Located<String>,
        languages: &Arc<[Language]>,
    ) -> Option<Clause> {
        match self.read_clause(&written.value, languages) {
            Ok(clause) => {
                self.advise_of_operator(owner, key, written);
                Some(clause)
            }
            Err(error) => {
                let message = format!("{key}: {}", error.message);
                self.problems.push(owner.problem(&written.origin, message, error.hint));
                None
            }
        }
    }

    /// Warns of `coup AND Mali`, which is looked for word by word. Rules alone have the lists that it should stand in.
    fn advise_of_operator(&mut self, owner: Owner<'_>, key: &str, written: &Located<String>) {
        if owner.kind != "rule" {
            return;
        }
        if let Some((word, remedy)) = term::operator(&written.value) {
            let message = format!("{key}: `{}` is a phrase, and `{word}` a word of it", written.value);
            self.warn(owner, &written.origin, message, remedy);
        }
    }

    fn read_clause(&mut self, written: &str, languages: &Arc<[Language]>) -> Result<Clause, TermError> {
        let parts = term::alternatives(written)?;
        let in_languages = languages.iter().fold(1, |hash, &language| hash_after(hash, language as u64));
        let mut wanted = Vec::with_capacity(parts.len());
        for part in parts {
            let key = hash_after(in_languages, hash_word(part.as_bytes()));
            if let Some(known) = self.known_terms.get(&key).filter(|known| &*known.written == part) {
                wanted.push(known.clone());
                continue;
            }
            let alternative = term::alternative(part, written)?;
            let one = Wanted { concept: self.concept(alternative.term, languages)?, written: part.into() };
            self.known_terms.insert(key, one.clone());
            wanted.push(one);
        }
        Ok(Clause { wanted })
    }

    /// The concept that a term asks for.
    fn concept(&mut self, term: Term, languages: &[Language]) -> Result<ConceptId, TermError> {
        match term {
            Term::Words(_) | Term::Exact(..) => {
                let literal = self.literal(&term, languages).unwrap_or(LiteralId::MAX);
                Ok(self.words_concept(literal))
            }
            Term::Entity(id) => self.entity_concept(&id),
            Term::Type(name) => self.type_named(&name),
            Term::Gap(pieces) => self.gap(pieces, languages),
            Term::Everything => Err(TermError {
                message: "`*` stands for every item".to_owned(),
                hint: Some("write it alone, as `any = [\"*\"]`, in a rule with a `source`".to_owned()),
            }),
        }
    }

    fn entity_concept(&mut self, id: &str) -> Result<ConceptId, TermError> {
        let known = self.ids.get(id).copied();
        if known.is_some_and(|entity| self.is_mask(entity)) {
            return Err(TermError {
                message: format!("`@{id}` is a mask, whose words are never a hit"),
                hint: Some("name the words themselves, or another entity".to_owned()),
            });
        }
        let Some(entity) = known else {
            let near = nearest(id, self.ids.keys().map(|known| &**known));
            let hint = near.map_or_else(|| NO_ENTITY.to_owned(), |known| format!("did you mean `@{known}`?"));
            return Err(TermError { message: format!("no entity has the id `{id}`"), hint: Some(hint) });
        };
        self.asked.insert(entity);
        Ok(entity)
    }

    fn type_named(&mut self, name: &str) -> Result<ConceptId, TermError> {
        if matches!(name, "context" | "mask") {
            return Err(TermError {
                message: format!("`@type:{name}` asks for what is reported nowhere"),
                hint: Some("name the entity itself: `@id`".to_owned()),
            });
        }
        let Some(known) = self.types.iter().position(|known| known == name) else {
            let near = nearest(name, self.types.iter().map(String::as_str));
            let of_type = || format!("give an entity `type = \"{name}\"`, or take it out");
            let hint = Some(near.map_or_else(of_type, |known| format!("did you mean `@type:{known}`?")));
            return Err(TermError { message: format!("no entity has the type `{name}`"), hint });
        };
        let concept = self.type_concept(number(known));
        self.asked.insert(concept);
        Ok(concept)
    }

    /// The number of a term of words; `None` for any other.
    pub(super) fn literal(&mut self, term: &Term, languages: &[Language]) -> Option<LiteralId> {
        let literal = match term {
            Term::Words(forms) => self.literals.add(forms, None, languages),
            Term::Exact(words, spelling) => {
                self.literals.add(std::slice::from_ref(words), Some(spelling.clone()), languages)
            }
            Term::Gap(_) | Term::Entity(_) | Term::Type(_) | Term::Everything => return None,
        };
        self.shares.note_literal(literal, term);
        Some(literal)
    }

    /// The concept of a literal that is asked for.
    pub(super) fn words_concept(&mut self, literal: LiteralId) -> ConceptId {
        let at = literal as usize;
        if self.concept_of.len() <= at {
            self.concept_of.resize((at + 1).next_power_of_two(), NO_CONCEPT);
        }
        let next = self.first_extra() + number(self.extras.len());
        match self.concept_of.get_mut(at) {
            Some(known) if *known != NO_CONCEPT => *known,
            slot => {
                if let Some(slot) = slot {
                    *slot = next;
                }
                self.extras.push(Extra::Words(literal));
                next
            }
        }
    }

    fn gap(
        &mut self,
        pieces: Vec<(u32, Vec<Alternative>)>,
        languages: &[Language],
    ) -> Result<ConceptId, TermError> {
        if pieces.iter().map(|(width, _)| width).sum::<u32>() > GAPS_WORDS_MAX {
            return Err(TermError {
                message: "its gaps are too wide together".to_owned(),
                hint: Some(format!("let them take at most {GAPS_WORDS_MAX} words, or use `near`")),
            });
        }
        let of_words = is_of_words(&pieces);
        let gap = self.pieces(pieces, languages)?;
        if of_words {
            let literal = self.word_gap(gap);
            return Ok(self.words_concept(literal));
        }
        let concept = self.first_extra() + number(self.extras.len());
        self.extras.push(Extra::Gap(gap));
        Ok(concept)
    }

    /// The literal of a gap of an alias, whose pieces must be words.
    pub(super) fn alias_gap(
        &mut self,
        pieces: Vec<(u32, Vec<Alternative>)>,
        languages: &[Language],
    ) -> Result<LiteralId, TermError> {
        if !is_of_words(&pieces) {
            return Err(TermError {
                message: "an alias names an entity".to_owned(),
                hint: Some("an alias is words; use `in` for what lies below".to_owned()),
            });
        }
        let gap = self.pieces(pieces, languages)?;
        Ok(self.word_gap(gap))
    }

    fn word_gap(&mut self, gap: Gap) -> LiteralId {
        let literal = self.literals.reserve();
        self.shares.note_gap(literal, &gap, &self.extras, self.first_extra());
        self.word_gaps.push((literal, gap));
        literal
    }

    fn pieces(
        &mut self,
        pieces: Vec<(u32, Vec<Alternative>)>,
        languages: &[Language],
    ) -> Result<Gap, TermError> {
        let mut compiled = Vec::with_capacity(pieces.len());
        for (width, alternatives) in pieces {
            let concepts: Result<Vec<ConceptId>, TermError> =
                alternatives.into_iter().map(|one| self.concept(one.term, languages)).collect();
            compiled.push((width, concepts?));
        }
        Ok(Gap { pieces: compiled })
    }

    /// The entity of that id; reports a mistake when there is none.
    pub(super) fn known_id(&mut self, owner: Owner<'_>, key: &str, id: &Located<String>) -> Option<EntityId> {
        let known = self.ids.get(id.value.as_str()).copied();
        if known.is_none() {
            let near = nearest(&id.value, self.ids.keys().map(|known| &**known));
            let hint = near.map_or_else(|| NO_ENTITY.to_owned(), |near| format!("did you mean `{near}`?"));
            let message = format!("{key}: no entity has the id `{}`", id.value);
            self.problems.push(owner.problem(&id.origin, message, Some(hint)));
        }
        known
    }
}

/// Whether all pieces are words, which no entity has to be known for.
fn is_of_words(pieces: &[(u32, Vec<Alternative>)]) -> bool {
    let mut all = pieces.iter().flat_map(|(_, alternatives)| alternatives);
    all.all(|one| matches!(one.term, Term::Words(_) | Term::Exact(..)))
}
