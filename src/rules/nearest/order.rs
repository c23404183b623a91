//! Phrases and terms with gaps whose words are there, but in another order or too far apart.

use std::collections::HashMap;

use super::super::engine::Engine;
use super::super::evaluate::Case;
use super::super::explain::quote;
use super::super::frequency;
use super::super::model::{Clause, Wanted};
use super::super::near::{self, Span};
use super::super::stem::{self, Language};
use super::super::term::{self, Alternative, Meets, PhraseWord, Term};
use super::{WANTED_MAX, WORDS_MAX, aliases_of, looks_at};
use crate::text::Pos;

/// Words between two of a phrase for which a gap is still a remedy; of an alias, whose words are seldom meant apart.
const GAP_MAX: u32 = 10;
const ALIAS_GAP_MAX: u32 = 3;

/// The same where the term has gaps already: as many as they may take.
const WIDER_GAP_MAX: u32 = 100;

/// Words beyond those of a phrase that one in another order may cover.
const SLACK: u32 = 2;

/// Pieces in the order in which a term asks for them.
struct Sequence {
    /// Words that may stand before each at most.
    widths: Vec<u32>,
    /// As they would be written in a term with gaps.
    written: Vec<String>,
    /// Where each stands.
    places: Vec<Vec<Span>>,
    /// Whether the term has gaps.
    has_gaps: bool,
}

/// Terms of the rule itself.
pub(super) fn of_terms(engine: &Engine, case: &Case<'_>, clauses: &[Clause]) -> Option<String> {
    let wanted = clauses.iter().flat_map(|clause| &clause.wanted);
    let words: Vec<&Wanted> = wanted.filter(|wanted| engine.extra(wanted.concept).is_some()).collect();
    let index = Index::new(case, words.iter().map(|wanted| &*wanted.written))?;
    words.into_iter().take(WANTED_MAX).find_map(|wanted| {
        let sequence = sequence(engine, &index, &wanted.written)?;
        let most = if sequence.has_gaps { WIDER_GAP_MAX } else { GAP_MAX };
        told(case, &sequence, &wanted.written, most, "would take them in")
    })
}

/// Aliases of the entities that the rule asks for.
pub(super) fn of_aliases(engine: &Engine, case: &Case<'_>, clauses: &[Clause]) -> Option<String> {
    let concepts = clauses.iter().flat_map(Clause::concepts).filter(|&one| engine.extra(one).is_none());
    let aliases: Vec<_> = concepts.flat_map(|concept| aliases_of(engine, concept)).take(WANTED_MAX).collect();
    let index = Index::new(case, aliases.iter().map(|alias| &*alias.written))?;
    aliases.into_iter().find_map(|alias| {
        let id = &engine.entity(alias.entity)?.id;
        let sequence = sequence(engine, &index, &alias.written)?;
        // Words of everyday language stand everywhere, in any order.
        sequence.written.iter().find(|word| !frequency::is_known(&crate::text::folded(word)))?;
        let remedy = format!("is an alias that `{id}` may be given");
        told(case, &sequence, &alias.written, ALIAS_GAP_MAX, &remedy)
    })
}

/// What is said of a sequence that is there in another order or with too many words between.
fn told(case: &Case<'_>, sequence: &Sequence, written: &str, most: u32, remedy: &str) -> Option<String> {
    if sequence.places.iter().any(Vec::is_empty) {
        return None;
    }
    if let Some(group) = closest(&sequence.places) {
        let between: Vec<u32> =
            group.windows(2).map(|two| two[1].0.saturating_sub(two[0].1).saturating_sub(1)).collect();
        if between.iter().all(|&words| words <= most)
            && between.iter().zip(sequence.widths.iter().skip(1)).any(|(words, width)| words > width)
        {
            let quoted: Vec<String> = group.iter().map(|&span| quote(&case.reason(span, ""))).collect();
            let (quoted, wide) = (quoted.join(", "), between.iter().max().copied().unwrap_or_default());
            let wider = wider(sequence, &between);
            return Some(format!(
                "{quoted} stand in this order with {wide} words between; `{wider}` {remedy}"
            ));
        }
    }
    let words: u32 = sequence.widths.iter().map(|width| width + 1).sum();
    let mut group = near::group(&sequence.places, words + SLACK, false)?;
    group.sort_unstable();
    let (first, last) = (group.first()?.0, group.iter().map(|span| span.1).max()?);
    let quoted = quote(&case.reason((first, last), ""));
    Some(format!("{quoted} stands there, and `{written}` asks for another order; add that, or use `near`"))
}

/// The pieces in order that stand closest together.
fn closest(places: &[Vec<Span>]) -> Option<Vec<Span>> {
    let (starts, rest) = places.split_first()?;
    let from = |&start: &Span| {
        let mut group = vec![start];
        for list in rest {
            let end = group.last()?.1;
            group.push(*list.get(list.partition_point(|span| span.0 <= end))?);
        }
        Some(group)
    };
    starts.iter().filter_map(from).min_by_key(|group| group.last().map(|last| last.1 - group[0].0))
}

/// The term with gaps that are wide enough.
fn wider(sequence: &Sequence, between: &[u32]) -> String {
    let mut term = String::new();
    let widths = sequence.widths.iter().skip(1).zip(between).map(|(width, words)| *width.max(words));
    for (piece, width) in sequence.written.iter().zip(std::iter::once(None).chain(widths.map(Some))) {
        match width {
            None => {}
            // `~` is a sign of the whole piece, so that pieces of stems stay apart.
            Some(0) if !sequence.has_gaps && !piece.starts_with('~') => term.push(' '),
            Some(width) => term.extend([" ..", &width.to_string(), " "]),
        }
        term.push_str(piece);
    }
    term
}

fn sequence(engine: &Engine, index: &Index<'_>, written: &str) -> Option<Sequence> {
    match term::alternative(written, written).ok()?.term {
        Term::Words(mut forms) if !forms.is_empty() => {
            let words = forms.swap_remove(0);
            (words.len() > 1).then(|| Sequence {
                widths: vec![0; words.len()],
                written: as_written(&words, written),
                places: words.iter().map(|word| index.phrase(std::slice::from_ref(word))).collect(),
                has_gaps: false,
            })
        }
        Term::Gap(pieces) => {
            let places = pieces.iter().map(|(_, piece)| index.piece(engine, piece)).collect::<Option<_>>()?;
            let written = |piece: &[Alternative]| {
                let parts: Vec<&str> = piece.iter().map(|one| one.written.as_str()).collect();
                if parts.len() > 1 { format!("({})", parts.join(" | ")) } else { parts.concat() }
            };
            Some(Sequence {
                widths: pieces.iter().map(|(width, _)| *width).collect(),
                written: pieces.iter().map(|(_, piece)| written(piece)).collect(),
                places,
                has_gaps: true,
            })
        }
        Term::Words(_) | Term::Exact(..) | Term::Entity(_) | Term::Type(_) | Term::Everything => None,
    }
}

/// The words of a phrase, each as it would be written by itself.
fn as_written(words: &[PhraseWord], written: &str) -> Vec<String> {
    let parts: Vec<&str> = written.trim_start_matches('~').split_whitespace().collect();
    let as_read = parts.len() == words.len();
    let one = |(at, word): (usize, &PhraseWord)| {
        let folded = match word.meets {
            Meets::Prefix => format!("{}*", word.letters),
            Meets::Whole | Meets::Stem | Meets::Fuzzy => word.letters.clone(),
        };
        let letters = parts.get(at).filter(|_| as_read).map_or(folded, |part| (*part).to_owned());
        if word.meets == Meets::Stem { format!("~{letters}") } else { letters }
    };
    words.iter().enumerate().map(one).collect()
}

/// The words of an item, by their letters.
struct Index<'a> {
    case: &'a Case<'a>,
    by_letters: HashMap<&'a str, Vec<Pos>>,
}

impl<'a> Index<'a> {
    /// `None` when none of the terms has more than one word.
    fn new<'t>(case: &'a Case<'a>, mut terms: impl Iterator<Item = &'t str>) -> Option<Self> {
        terms.find(|term| term.contains(|c: char| !c.is_alphanumeric()))?;
        let words = &case.mentions.words;
        let mut by_letters: HashMap<&str, Vec<Pos>> = HashMap::new();
        for (place, _) in words.list().iter().enumerate().take(WORDS_MAX) {
            if looks_at(case, words.pos(place)) {
                by_letters.entry(words.letters(place, place)).or_default().push(words.pos(place));
            }
        }
        Some(Self { case, by_letters })
    }

    fn word(&self, word: &PhraseWord) -> Vec<Pos> {
        let wanted = word.letters.as_str();
        if matches!(word.meets, Meets::Whole | Meets::Fuzzy) {
            return self.by_letters.get(wanted).cloned().unwrap_or_default();
        }
        let is_met = |letters: &str| match word.meets {
            Meets::Prefix | Meets::Whole | Meets::Fuzzy => letters.starts_with(wanted),
            Meets::Stem => {
                letters.chars().next() == wanted.chars().next()
                    && Language::DEFAULT.into_iter().any(|one| stem::is_form_of(one, letters, wanted))
            }
        };
        let met = self.by_letters.iter().filter(|(letters, _)| is_met(letters));
        let mut found: Vec<Pos> = met.flat_map(|(_, places)| places).copied().collect();
        found.sort_unstable();
        found
    }

    /// Where words stand one behind the other.
    fn phrase(&self, phrase: &[PhraseWord]) -> Vec<Span> {
        let words: Vec<Vec<Pos>> = phrase.iter().map(|word| self.word(word)).collect();
        let Some((first, rest)) = words.split_first() else { return Vec::new() };
        let whole = |&start: &Pos| {
            let mut end = start;
            for places in rest {
                end += 1;
                places.binary_search(&end).ok()?;
            }
            Some((start, end))
        };
        first.iter().filter_map(whole).collect()
    }

    /// Where one of the alternatives of a piece stands; `None` for one that cannot be looked up by its words.
    fn piece(&self, engine: &Engine, piece: &[Alternative]) -> Option<Vec<Span>> {
        let mut found = Vec::new();
        for one in piece {
            match &one.term {
                Term::Words(forms) => found.extend(forms.iter().flat_map(|form| self.phrase(form))),
                Term::Entity(id) => {
                    let (concept, _) = (0..).zip(engine.entities()).find(|(_, entity)| *entity.id == **id)?;
                    let spans = self.case.mentions.of(concept).iter().map(|one| one.span());
                    found.extend(spans.filter(|span| looks_at(self.case, span.0)));
                }
                Term::Exact(..) | Term::Type(_) | Term::Gap(_) | Term::Everything => return None,
            }
        }
        found.sort_unstable();
        found.dedup();
        Some(found)
    }
}
