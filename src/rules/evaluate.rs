//! Whether a rule fires on what an item mentions, and the words that made it fire.

use super::filter::SourceLabel;
use super::mentions::{Mention, Mentions};
use super::model::{Clause, Near, Rule};
use super::near::{self, Span};
use super::spec::FieldFilter;
use super::verdict::Reason;
use crate::item::Item;
use crate::text::{Field, TEXT_START};

/// Places of one term that a reason is given for, the first ones; an alert need not quote all fifty.
const REASONS_PER_TERM_MAX: usize = 4;

/// The first condition of a rule that an item does not meet.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Miss<'a> {
    /// Another language.
    Language,
    /// Another source.
    Source,
    /// A term of `all` does not occur.
    All(&'a Clause),
    /// No term of `any` occurs.
    Any,
    /// The terms of `near` do not stand close together.
    Near(&'a Near),
    /// A term of `none` occurs.
    Veto(&'a Clause),
}

/// A rule and an item, side by side.
pub(crate) struct Case<'a> {
    /// The rule.
    pub(crate) rule: &'a Rule,
    /// The item.
    pub(crate) item: &'a Item,
    /// What it mentions.
    pub(crate) mentions: &'a Mentions,
}

impl<'a> Case<'a> {
    /// Whether the rule fires; if not, the first condition that fails.
    pub(crate) fn judge(&self, source: Option<SourceLabel<'_>>) -> Result<(), Miss<'a>> {
        let rule = self.rule;
        if !rule.languages.admit(self.item.lang.as_deref()) {
            return Err(Miss::Language);
        }
        if !rule.sources.admit(source) {
            return Err(Miss::Source);
        }
        if let Some(missing) = rule.all.iter().find(|clause| !self.holds(clause)) {
            return Err(Miss::All(missing));
        }
        if !rule.any.is_empty() && !rule.any.iter().any(|clause| self.holds(clause)) {
            return Err(Miss::Any);
        }
        if let Some(near) = rule.near.iter().find(|near| self.group(near).is_none()) {
            return Err(Miss::Near(near));
        }
        match self.veto() {
            Some((clause, _)) => Err(Miss::Veto(clause)),
            None => Ok(()),
        }
    }

    /// A term of `none` that occurs, and where.
    pub(crate) fn veto(&self) -> Option<(&'a Clause, Span)> {
        self.rule.none.iter().find_map(|clause| {
            let first = clause.wanted.iter().find_map(|wanted| self.mentions.of(wanted.concept).first())?;
            Some((clause, first.span))
        })
    }

    /// The words that met the conditions of a rule that fired, in order of place, each once.
    pub(crate) fn reasons(&self) -> Vec<Reason> {
        let mut found: Vec<(Span, &str)> = Vec::new();
        for clause in self.rule.all.iter().chain(&self.rule.any) {
            for wanted in &clause.wanted {
                let places = self.places(wanted.concept).iter().take(REASONS_PER_TERM_MAX);
                found.extend(places.map(|mention| (mention.span, &*wanted.written)));
            }
        }
        for near in &self.rule.near {
            for (clause, span) in near.terms.iter().zip(self.group(near).into_iter().flatten()) {
                found.extend(self.alternative_at(clause, span).map(|written| (span, written)));
            }
        }
        found.sort_unstable();
        found.dedup();
        found.into_iter().map(|(span, term)| self.reason(span, term)).collect()
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

    fn holds(&self, clause: &Clause) -> bool {
        clause.wanted.iter().any(|wanted| !self.places(wanted.concept).is_empty())
    }

    fn places(&self, concept: super::model::Concept) -> &'a [Mention] {
        in_field(self.mentions.of(concept), self.rule.field)
    }

    fn group(&self, near: &Near) -> Option<Vec<Span>> {
        let mut lists = Vec::with_capacity(near.terms.len());
        for clause in &near.terms {
            let mut spans: Vec<Span> = clause
                .wanted
                .iter()
                .flat_map(|wanted| self.places(wanted.concept))
                .map(|mention| mention.span)
                .collect();
            if spans.is_empty() {
                return None;
            }
            spans.sort_unstable();
            spans.dedup();
            lists.push(spans);
        }
        near::group(&lists, near.within)
    }

    fn alternative_at(&self, clause: &'a Clause, span: Span) -> Option<&'a str> {
        let stands_there = |concept| self.places(concept).iter().any(|mention| mention.span == span);
        clause.wanted.iter().find(|wanted| stands_there(wanted.concept)).map(|wanted| &*wanted.written)
    }
}

fn in_field(mentions: &[Mention], field: FieldFilter) -> &[Mention] {
    let text_from = || mentions.partition_point(|mention| mention.span.0 < TEXT_START);
    match field {
        FieldFilter::Any => mentions,
        FieldFilter::Title => mentions.get(..text_from()).unwrap_or_default(),
        FieldFilter::Text => mentions.get(text_from()..).unwrap_or_default(),
    }
}
