//! A word of the item that is nearly one of a term: another form, a longer word, a slip.

use super::super::engine::Engine;
use super::super::evaluate::Case;
use super::super::model::{Clause, ConceptId};
use super::super::stem::{self, Language};
use super::super::term::{self, Meets, PhraseWord, Term};
use super::{WANTED_MAX, WORDS_MAX, aliases_of, looks_at};
use crate::rules::frequency;
use crate::text::TEXT_START;

/// Letters that a word has at least if another one may be its misspelling.
const MISSPELT_LETTERS_MIN: usize = 5;

/// A word of a term, and how the term is written.
struct Sought<'a> {
    word: PhraseWord,
    written: &'a str,
    /// Whose alias it is of.
    entity: Option<&'a str>,
    exact: bool,
    /// Whether it is the whole term: one word of a phrase says little by itself.
    alone: bool,
}

/// The word of the item that comes closest to one of the terms, and the remedy.
pub(super) fn miss(engine: &Engine, case: &Case<'_>, clauses: &[Clause]) -> Option<String> {
    let wanted: Vec<Sought<'_>> = clauses
        .iter()
        .flat_map(|clause| &clause.wanted)
        .flat_map(|wanted| sought(engine, wanted.concept, &wanted.written))
        .take(WANTED_MAX)
        .collect();
    let words = &case.mentions.words;
    let mut best: Option<(u32, String)> = None;
    for (place, word) in words.list().iter().enumerate().take(WORDS_MAX) {
        let in_text = words.pos(place) >= TEXT_START;
        if !looks_at(case, words.pos(place)) || word.traits.single() {
            continue;
        }
        let letters = words.letters(place, place);
        for one in &wanted {
            let Some((cost, remedy)) = compare(letters, one) else { continue };
            if best.as_ref().is_none_or(|(known, _)| cost < *known) {
                let text = if in_text { &case.item.text } else { &case.item.title };
                let shown = words.bytes(place).of(text);
                best = Some((cost, format!("`{shown}` is not matched by `{}`; {remedy}", one.written)));
            }
        }
    }
    best.map(|(_, told)| told)
}

/// The words that a concept is found by.
fn sought<'a>(engine: &'a Engine, concept: ConceptId, written: &'a str) -> Vec<Sought<'a>> {
    if engine.extra(concept).is_some() {
        return words_of(written, None);
    }
    aliases_of(engine, concept)
        .flat_map(|alias| words_of(&alias.written, engine.entity(alias.entity).map(|entity| &*entity.id)))
        .collect()
}

/// The words of a term, without those of everyday language in a longer one.
fn words_of<'a>(written: &'a str, entity: Option<&'a str>) -> Vec<Sought<'a>> {
    let Ok(alternative) = term::alternative(written, written) else { return Vec::new() };
    let (words, exact): (Vec<PhraseWord>, bool) = match alternative.term {
        Term::Words(mut forms) if !forms.is_empty() => (forms.swap_remove(0), false),
        Term::Exact(words, _) => (words, true),
        Term::Gap(pieces) => {
            let inner = pieces.into_iter().flat_map(|(_, alternatives)| alternatives);
            let words = inner.filter_map(|one| match one.term {
                Term::Words(forms) => forms.into_iter().next(),
                Term::Exact(..) | Term::Entity(_) | Term::Type(_) | Term::Gap(_) | Term::Everything => None,
            });
            (words.flatten().collect(), false)
        }
        Term::Words(_) | Term::Entity(_) | Term::Type(_) | Term::Everything => return Vec::new(),
    };
    let alone = words.len() == 1;
    let rare = words.into_iter().filter(|word| alone || !frequency::is_known(&word.letters));
    rare.map(|word| Sought { word, written, entity, exact, alone }).collect()
}

/// How far a word is from one that is sought, lower for nearer, and what would match it.
fn compare(letters: &str, sought: &Sought<'_>) -> Option<(u32, String)> {
    let wanted = sought.word.letters.as_str();
    if letters == wanted {
        // It is there, so something else failed: its spelling, or the words beside it.
        return (sought.exact && sought.alone)
            .then(|| (0, "`=` asks for the very letters; take it off".to_owned()));
    }
    if letters.chars().next() != wanted.chars().next() {
        return None;
    }
    if sought.alone && sought.word.meets != Meets::Stem && wanted.chars().count() > 2 {
        let is_form =
            Language::DEFAULT.into_iter().any(|language| stem::is_form_of(language, letters, wanted));
        if is_form {
            let remedy = match sought.entity {
                Some(entity) => format!("add `~{wanted}` to the aliases of `{entity}`"),
                None => format!("use `~{wanted}`"),
            };
            return Some((1, remedy));
        }
    }
    if sought.alone
        && sought.word.meets == Meets::Whole
        && wanted.chars().count() >= 4
        && letters.starts_with(wanted)
    {
        return Some((2, format!("use `{wanted}*`")));
    }
    let long = wanted.chars().count().min(letters.chars().count()) >= MISSPELT_LETTERS_MIN;
    let close = letters.len().abs_diff(wanted.len()) <= 2 && !frequency::is_known(letters);
    if long && close && strsim::osa_distance(letters, wanted) == 1 {
        let remedy = match sought.entity {
            Some(entity) => format!("add it to the aliases of `{entity}`, or set `fuzzy = 1` there"),
            None => format!("add it: `{} | {letters}`", sought.written),
        };
        return Some((3, remedy));
    }
    None
}
