//! The conditions of all rules, close together: looking at a rule costs a line or two of the processor's cache, of a
//! hundred thousand rules as of ten.

use super::model::{Clause, ConceptId, Rule, RuleId};
use super::spec::{FieldFilter, Scope};

/// Numbers of a rule that lie in its record; a rule with more conditions has the rest elsewhere.
const RECORD: usize = 16;

/// A line of the processor's cache, and never part of two.
#[derive(Clone, Debug, Default)]
#[repr(align(64))]
struct Record([u32; RECORD]);

/// The conditions of all rules.
///
/// Each rule begins with what it has at all ([`Flags`]) and the numbers of its terms in `all`, `any`, `none` and
/// `near`; then follows each term: how many concepts, and these; before the terms of a `near` its distance, whether
/// it is ordered, and their number.
#[derive(Debug, Default)]
pub(super) struct Code {
    /// One record for each rule.
    records: Vec<Record>,
    /// Rules that do not fit into a record, which then holds where they begin and end here.
    long: Vec<u32>,
}

/// What a rule has beyond terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Flags(u32);

impl Flags {
    /// Its conditions lie in the other list.
    const LONG: u32 = 1;
    /// It is for some items only.
    pub(super) const FILTERED: u32 = 2;
    /// It has `unless`, weights, or a scope.
    pub(super) const SELDOM: u32 = 4;
    const TITLE: u32 = 8;
    const TEXT: u32 = 16;

    fn of(rule: &Rule) -> Self {
        let field = match rule.field {
            FieldFilter::Any => 0,
            FieldFilter::Title => Self::TITLE,
            FieldFilter::Text => Self::TEXT,
        };
        let filtered = if rule.filters.is_some() { Self::FILTERED } else { 0 };
        let seldom = if rule.seldom.is_some() || rule.scope != Scope::Item { Self::SELDOM } else { 0 };
        Self(field | filtered | seldom)
    }

    /// Whether it has that.
    pub(super) fn has(self, flag: u32) -> bool {
        self.0 & flag != 0
    }

    /// Where the conditions look.
    pub(super) fn field(self) -> FieldFilter {
        match (self.has(Self::TITLE), self.has(Self::TEXT)) {
            (true, _) => FieldFilter::Title,
            (false, true) => FieldFilter::Text,
            (false, false) => FieldFilter::Any,
        }
    }
}

impl Code {
    pub(super) fn new(rules: &[Rule]) -> Self {
        let mut code = Self::default();
        code.records.reserve_exact(rules.len());
        let mut words = Vec::new();
        for rule in rules {
            words.clear();
            encode(rule, &mut words);
            if words.len() > RECORD {
                let from = code.long.len();
                code.long.extend_from_slice(&words);
                let flags = words.first().copied().unwrap_or_default();
                words = vec![flags | Flags::LONG, len(from), len(code.long.len())];
            }
            let mut record = Record::default();
            record.0.iter_mut().zip(&words).for_each(|(slot, word)| *slot = *word);
            code.records.push(record);
        }
        code.long.shrink_to_fit();
        code
    }

    /// The conditions of a rule.
    #[inline]
    pub(super) fn of(&self, rule: RuleId) -> Conditions<'_> {
        match self.records.get(rule as usize) {
            Some(Record([flags, from, to, ..])) if Flags(*flags).has(Flags::LONG) => {
                Conditions(self.long.get(*from as usize..*to as usize).unwrap_or_default())
            }
            Some(Record(words)) => Conditions(words),
            None => Conditions(&[]),
        }
    }
}

fn len(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

fn encode(rule: &Rule, words: &mut Vec<u32>) {
    words.push(Flags::of(rule).0);
    words.extend([rule.all.len(), rule.any.len(), rule.none.len(), rule.near.len()].map(len));
    let clause = |words: &mut Vec<u32>, clause: &Clause| {
        words.push(len(clause.wanted.len()));
        words.extend(clause.concepts());
    };
    for one in rule.all.iter().chain(&rule.any).chain(&rule.none) {
        clause(words, one);
    }
    for near in &rule.near {
        words.extend([near.within, u32::from(near.ordered), len(near.terms.len())]);
        near.terms.iter().for_each(|one| clause(words, one));
    }
}

/// The conditions of one rule, read from front to back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Conditions<'a>(&'a [u32]);

impl<'a> Conditions<'a> {
    /// What the rule has beyond terms.
    #[inline]
    pub(super) fn flags(self) -> Flags {
        Flags(self.0.first().copied().unwrap_or_default())
    }

    /// The next number; 0 behind the last.
    pub(super) fn next(&mut self) -> u32 {
        let (first, rest) = self.0.split_first().unwrap_or((&0, &[]));
        self.0 = rest;
        *first
    }

    /// The concepts of the next term.
    pub(super) fn clause(&mut self) -> &'a [ConceptId] {
        let len = self.next() as usize;
        let (clause, rest) = self.0.split_at_checked(len).unwrap_or_default();
        self.0 = rest;
        clause
    }
}
