//! Whether a rule fires on what an item mentions, and the words that made it fire.

use super::code::{Conditions, Flags};
use super::filter::{Barred, SourceLabel};
use super::mentions::Mentions;
use super::model::{Clause, ConceptId, Near, Rule};
use super::near::{self, Span};
use super::spec::{FieldFilter, Scope};
use super::verdict::{Match, Reason};
use crate::item::Item;
use crate::text::{Field, Pos, TEXT_START};

/// Places of one term that a reason is given for, the first ones; an alert need not quote all fifty.
const REASONS_PER_TERM_MAX: usize = 4;

/// The first condition of a rule that an item does not meet; the numbers count the terms of its list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Miss {
    /// It is not for such items at all.
    Barred(Barred),
    /// A term of `all` does not occur.
    All(usize),
    /// No term of `any` occurs.
    Any,
    /// The terms of a `near` do not stand close together.
    Near(usize),
    /// All holds, but not together in one piece of the item.
    Scope,
    /// The weights add up to too little.
    Score(i64),
    /// A term of `none` occurs.
    Veto(usize),
}

/// The part of an item in which conditions are to hold, from one position up to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    from: Pos,
    to: Pos,
}

impl Piece {
    fn of(field: FieldFilter) -> Self {
        match field {
            FieldFilter::Any => Self { from: 0, to: Pos::MAX },
            FieldFilter::Title => Self { from: 0, to: TEXT_START },
            FieldFilter::Text => Self { from: TEXT_START, to: Pos::MAX },
        }
    }

    fn holds(self, span: Span) -> bool {
        self.from <= span.0 && span.1 < self.to
    }
}

/// A rule and an item, side by side.
pub(crate) struct Case<'a> {
    /// The rule.
    pub(crate) rule: &'a Rule,
    /// Its conditions.
    pub(crate) code: Conditions<'a>,
    /// The item.
    pub(crate) item: &'a Item,
    /// What it mentions.
    pub(crate) mentions: &'a Mentions,
}

/// Where the conditions of a rule held, and the sum of its weights.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Held {
    piece: Piece,
    score: Option<i64>,
}

impl Case<'_> {
    /// Whether the rule fires; if not, the first condition that fails.
    #[inline]
    pub(crate) fn judge(&self, source: Option<SourceLabel<'_>>) -> Result<Held, Miss> {
        let flags = self.code.flags();
        if flags.has(Flags::FILTERED)
            && let Some(barred) =
                self.rule.filters.as_ref().and_then(|filters| filters.bars(self.item, source))
        {
            return Err(Miss::Barred(barred));
        }
        let whole = Piece::of(flags.field());
        if !flags.has(Flags::SELDOM) {
            let none = self.conditions(whole, &[])?;
            return none.map_or(Ok(Held { piece: whole, score: None }), |at| Err(Miss::Veto(at)));
        }
        let piece = self.hold_together(whole)?;
        let score = self.score();
        if let (Some(sum), Some(score)) = (score, self.rule.score())
            && sum < score.threshold
        {
            return Err(Miss::Score(sum));
        }
        match self.veto() {
            Some((at, _)) => Err(Miss::Veto(at)),
            None => Ok(Held { piece, score }),
        }
    }

    /// The piece of the item in which `all`, `any` and `near` hold.
    fn hold_together(&self, whole: Piece) -> Result<Piece, Miss> {
        let unless = self.unless();
        self.conditions(whole, &unless)?;
        if self.rule.scope == Scope::Item {
            return Ok(whole);
        }
        let begins = self.mentions.pieces(self.item, self.rule.scope);
        let starts = std::iter::once(whole.from).chain(begins.iter().copied());
        let ends = begins.iter().copied().chain([whole.to]);
        let pieces =
            starts.zip(ends).map(|(from, to)| Piece { from: from.max(whole.from), to: to.min(whole.to) });
        let mut held = pieces.filter(|piece| self.conditions(*piece, &unless).is_ok());
        held.next().ok_or(Miss::Scope)
    }

    /// Whether `all`, `any` and `near` hold in a piece of the item; if so, the first term of `none` that occurs.
    fn conditions(&self, piece: Piece, unless: &[Span]) -> Result<Option<usize>, Miss> {
        let view = View { case: self, piece, unless };
        let mut code = self.code;
        let [_, all, any, none, near] = [code.next(), code.next(), code.next(), code.next(), code.next()];
        for at in 0..all {
            if !view.holds(code.clause()) {
                return Err(Miss::All(at as usize));
            }
        }
        let mut held = any == 0;
        for _ in 0..any {
            let clause = code.clause();
            held = held || view.holds(clause);
        }
        if !held {
            return Err(Miss::Any);
        }
        let mut veto = None;
        for at in 0..none {
            let clause = code.clause();
            let occurs = || clause.iter().any(|&concept| !self.mentions.of(concept).is_empty());
            if veto.is_none() && occurs() {
                veto = Some(at as usize);
            }
        }
        for at in 0..near {
            let [within, ordered, terms] = [code.next(), code.next(), code.next()];
            if !view.is_grouped(&mut code, within, ordered != 0, terms) {
                return Err(Miss::Near(at as usize));
            }
        }
        Ok(veto)
    }

    /// How far the terms reach that take away hits close to them: by beginning, each end the furthest up to it.
    pub(crate) fn unless(&self) -> Vec<Span> {
        let Some((within, terms)) = self.rule.unless() else { return Vec::new() };
        let concepts = terms.iter().flat_map(Clause::concepts);
        let spans = concepts.flat_map(|concept| self.mentions.of(concept)).map(|mention| mention.span());
        let mut reached: Vec<Span> = spans
            .map(|(first, last)| (first.saturating_sub(*within), last.saturating_add(*within)))
            .collect();
        reached.sort_unstable();
        let mut furthest = 0;
        for span in &mut reached {
            furthest = furthest.max(span.1);
            span.1 = furthest;
        }
        reached
    }

    /// The sum of the weights whose terms occur.
    fn score(&self) -> Option<i64> {
        let score = self.rule.score()?;
        let whole = Piece::of(self.rule.field);
        let weigh = |(clause, weight): &(Clause, i64)| {
            let mut spans =
                clause.concepts().flat_map(|concept| self.mentions.of(concept)).map(|one| one.span());
            let (mut in_title, mut in_text) = (false, false);
            for span in spans.by_ref().filter(|span| whole.holds(*span)) {
                let title = span.0 < TEXT_START;
                (in_title, in_text) = (in_title || title, in_text || !title);
            }
            match (in_title, in_text) {
                (true, _) => weight.saturating_mul(score.title_factor),
                (false, true) => *weight,
                (false, false) => 0,
            }
        };
        Some(score.terms.iter().map(weigh).fold(0, i64::saturating_add))
    }

    /// The first term of `none` that occurs, and where.
    pub(crate) fn veto(&self) -> Option<(usize, Span)> {
        let occurs = |clause: &Clause| {
            clause
                .concepts()
                .find_map(|concept| self.mentions.of(concept).first())
                .map(|mention| mention.span())
        };
        self.rule.none.iter().enumerate().find_map(|(at, clause)| Some((at, occurs(clause)?)))
    }

    /// The match of a rule that fires.
    pub(crate) fn fired(&self, held: Held) -> Match {
        Match {
            rule: self.rule.name.value.clone(),
            severity: self.rule.severity,
            tags: self.rule.tags.clone(),
            mode: self.rule.mode,
            note: self.rule.note.clone(),
            max_age: self.rule.max_age,
            score: held.score,
            why: self.reasons(held.piece),
        }
    }

    /// The words that met the conditions of a rule that fired, in order of place, each once.
    fn reasons(&self, piece: Piece) -> Vec<Reason> {
        let unless = self.unless();
        let view = View { case: self, piece, unless: &unless };
        let mut found: Vec<(Span, &str)> = Vec::new();
        // Weights count in the whole field, whatever scope and `unless` say.
        let weighed = View { case: self, piece: Piece::of(self.rule.field), unless: &[] };
        let terms = self.rule.all.iter().chain(&self.rule.any).map(|clause| (&view, clause));
        let weights = self.rule.score().into_iter().flat_map(|score| &score.terms);
        for (view, clause) in terms.chain(weights.map(|(clause, _)| (&weighed, clause))) {
            for wanted in &clause.wanted {
                let places = view.spans(wanted.concept).take(REASONS_PER_TERM_MAX);
                found.extend(places.map(|span| (span, &*wanted.written)));
            }
        }
        for near in &self.rule.near {
            for (clause, span) in near.terms.iter().zip(view.group(near).into_iter().flatten()) {
                found.extend(view.alternative_at(clause, span).map(|written| (span, written)));
            }
        }
        found.sort_unstable();
        found.dedup();
        found.into_iter().map(|(span, term)| self.reason(span, term)).collect()
    }

    /// The least distance within which the terms of a `near` stand anywhere, and where.
    pub(crate) fn least_within(&self, near: &Near) -> Option<(u32, Vec<Span>)> {
        let unless = self.unless();
        let view = View { case: self, piece: Piece::of(self.rule.field), unless: &unless };
        let lists = view.lists(near)?;
        let found = near::group(&lists, TEXT_START / 2, near.ordered)?;
        let (mut low, mut high, mut best) = (near.within, TEXT_START / 2, found);
        while low + 1 < high {
            let middle = low.midpoint(high);
            match near::group(&lists, middle, near.ordered) {
                Some(group) => (high, best) = (middle, group),
                None => low = middle,
            }
        }
        Some((high, best))
    }

    /// A hit of a clause that `unless` takes away.
    pub(crate) fn taken_away(&self, clause: &Clause) -> Option<Span> {
        let unless = self.unless();
        let view = View { case: self, piece: Piece::of(self.rule.field), unless: &unless };
        let mut spans = clause.concepts().flat_map(|concept| self.mentions.of(concept)).map(|one| one.span());
        spans.find(|span| view.is_taken(*span))
    }

    /// Where the item says `span`, as a reason for `term`.
    pub(crate) fn reason(&self, span: Span, term: &str) -> Reason {
        let (field, bytes) = self.mentions.words.span(span.0, span.1);
        let text = match field {
            Field::Title => &self.item.title,
            Field::Text => &self.item.text,
        };
        Reason { term: term.to_owned(), text: bytes.of(text).to_owned(), field, span: bytes }
    }
}

/// A piece of an item as a rule looks at it.
struct View<'c, 'a> {
    case: &'c Case<'a>,
    piece: Piece,
    unless: &'c [Span],
}

impl<'c> View<'c, '_> {
    /// Where a concept stands in the piece, without what `unless` takes away.
    #[inline]
    fn spans(&self, concept: ConceptId) -> impl Iterator<Item = Span> + Clone + 'c {
        let (piece, unless) = (self.piece, self.unless);
        let mentions = self.case.mentions.of(concept);
        // A text of a hundred thousand paragraphs must not be read as often.
        let from = match piece.from {
            0 => 0,
            from => mentions.partition_point(|mention| mention.span().0 < from),
        };
        let spans = mentions.get(from..).unwrap_or_default().iter().map(|mention| mention.span());
        spans
            .take_while(move |span| span.0 < piece.to)
            .filter(move |span| piece.holds(*span) && !is_close(unless, *span))
    }

    fn is_taken(&self, span: Span) -> bool {
        is_close(self.unless, span)
    }

    #[inline]
    fn holds(&self, clause: &[ConceptId]) -> bool {
        clause.iter().any(|&concept| self.spans(concept).next().is_some())
    }

    /// Whether the next clauses of `code`, the terms of a `near`, stand close together.
    #[inline]
    fn is_grouped(&self, code: &mut Conditions<'_>, within: u32, ordered: bool, terms: u32) -> bool {
        if terms == 2 {
            let (a, b) = (code.clause(), code.clause());
            return match (self.only(a), self.only(b)) {
                (Places::None, _) | (_, Places::None) => false,
                (Places::Of(a), Places::Of(b)) => {
                    near::pair(self.spans(a), self.spans(b), within, ordered).is_some()
                }
                (Places::Of(_) | Places::Many, Places::Of(_) | Places::Many) => {
                    let (a, b) = (self.merged(a), self.merged(b));
                    near::pair(a.iter().copied(), b.iter().copied(), within, ordered).is_some()
                }
            };
        }
        let clauses: Vec<&[ConceptId]> = (0..terms).map(|_| code.clause()).collect();
        if !clauses.iter().all(|clause| self.holds(clause)) {
            return false;
        }
        let lists: Vec<Vec<Span>> = clauses.into_iter().map(|clause| self.merged(clause)).collect();
        near::group(&lists, within, ordered).is_some()
    }

    /// Which concept of a clause stands in the piece.
    fn only(&self, clause: &[ConceptId]) -> Places {
        let mut found = Places::None;
        for &concept in clause {
            if self.spans(concept).next().is_some() {
                if !matches!(found, Places::None) {
                    return Places::Many;
                }
                found = Places::Of(concept);
            }
        }
        found
    }

    /// All places of a clause, in order, each once.
    fn merged(&self, clause: &[ConceptId]) -> Vec<Span> {
        let mut spans: Vec<Span> = clause.iter().flat_map(|&concept| self.spans(concept)).collect();
        spans.sort_unstable();
        spans.dedup();
        spans
    }

    fn lists(&self, near: &Near) -> Option<Vec<Vec<Span>>> {
        let list = |clause: &Clause| {
            let concepts: Vec<ConceptId> = clause.concepts().collect();
            let merged = self.merged(&concepts);
            (!merged.is_empty()).then_some(merged)
        };
        near.terms.iter().map(list).collect()
    }

    fn group(&self, near: &Near) -> Option<Vec<Span>> {
        let lists = self.lists(near)?;
        if let [a, b] = lists.as_slice() {
            let (a, b) = near::pair(a.iter().copied(), b.iter().copied(), near.within, near.ordered)?;
            return Some(vec![a, b]);
        }
        near::group(&lists, near.within, near.ordered)
    }

    fn alternative_at<'b>(&self, clause: &'b Clause, span: Span) -> Option<&'b str> {
        let stands_there = |concept| self.spans(concept).any(|other| other == span);
        clause.wanted.iter().find(|wanted| stands_there(wanted.concept)).map(|wanted| &*wanted.written)
    }
}

/// The concepts of a clause that stand somewhere.
enum Places {
    None,
    Of(ConceptId),
    Many,
}

/// Whether a span lies within reach of `unless`; no reach goes from one field to the other.
pub(crate) fn is_close(reached: &[Span], span: Span) -> bool {
    let begun = reached.partition_point(|reach| reach.0 <= span.1);
    begun.checked_sub(1).and_then(|at| reached.get(at)).is_some_and(|reach| reach.1 >= span.0)
}
