//! What is wrong with a config: every mistake at once, each with its place and its remedy.

use std::cell::RefCell;
use std::fmt;

use crate::rules::spec::Origin;

/// A mistake, or a warning of the same form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where it was written; absent when it lies in no line of a file.
    pub origin: Option<Origin>,
    /// Column in characters, from 1; known for errors of syntax.
    pub column: Option<u32>,
    /// The key, dotted (`rule.near.within`); empty when no key is to blame.
    pub key: String,
    /// What is wrong; never holds a secret.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Problem {
    /// A problem that lies in no line of a file.
    pub fn new(key: &str, message: impl Into<String>) -> Self {
        Self { origin: None, column: None, key: key.to_owned(), message: message.into(), hint: None }
    }

    /// The same problem, at a place.
    #[must_use]
    pub fn at(mut self, origin: Origin) -> Self {
        self.origin = Some(origin);
        self
    }

    /// The same problem, with a remedy.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(origin) = &self.origin {
            write!(f, "{origin}:")?;
            if let Some(column) = self.column {
                write!(f, "{column}:")?;
            }
            f.write_str(" ")?;
        }
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.message)?;
        if let Some(hint) = &self.hint {
            write!(f, "\n  hint: {hint}")?;
        }
        Ok(())
    }
}

/// Why a config was refused: all its mistakes, ordered by file and line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// Orders what was found.
    pub fn new(mut problems: Vec<Problem>) -> Self {
        sort(&mut problems);
        Self(problems)
    }

    /// The mistakes.
    pub fn as_slice(&self) -> &[Problem] {
        &self.0
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for problem in &self.0 {
            writeln!(f, "{problem}")?;
        }
        match self.0.len() {
            1 => f.write_str("1 problem"),
            count => write!(f, "{count} problems"),
        }
    }
}

impl std::error::Error for Problems {}

/// Orders problems as a reader meets them.
pub(super) fn sort(problems: &mut [Problem]) {
    problems.sort_by(|a, b| {
        let place = |problem: &Problem| {
            problem.origin.as_ref().map(|origin| (origin.file.clone(), origin.line, problem.column))
        };
        place(a).cmp(&place(b)).then_with(|| a.key.cmp(&b.key)).then_with(|| a.message.cmp(&b.message))
    });
}

/// Where readers put what they find.
///
/// Shared by every reader of one load, so that nested readers need no thread of `&mut`; it never leaves the load.
#[derive(Debug, Default)]
pub(super) struct Report {
    problems: RefCell<Vec<Problem>>,
    warnings: RefCell<Vec<Problem>>,
}

impl Report {
    /// Notes a mistake: the config will be refused.
    pub(super) fn problem(&self, problem: Problem) {
        self.problems.borrow_mut().push(problem);
    }

    /// Notes what the operator should know and may keep.
    pub(super) fn warn(&self, warning: Problem) {
        self.warnings.borrow_mut().push(warning);
    }

    /// How many mistakes are noted.
    pub(super) fn count(&self) -> usize {
        self.problems.borrow().len()
    }

    /// Says of the mistakes from one on, which lie in a `[[table]]`, in which of them: "rule `x`: scope".
    pub(super) fn name_owner(&self, from: usize, table: &str, name: &str) {
        for problem in self.problems.borrow_mut().iter_mut().skip(from) {
            if let Some(rest) = problem.key.strip_prefix(table) {
                let rest = rest.strip_prefix('.').map(|key| format!(": {key}")).unwrap_or_default();
                problem.key = format!("{table} `{}`{rest}", name.escape_debug());
            }
        }
    }

    /// Mistakes and warnings, the latter in order.
    pub(super) fn into_parts(self) -> (Vec<Problem>, Vec<Problem>) {
        let mut warnings = self.warnings.into_inner();
        sort(&mut warnings);
        (self.problems.into_inner(), warnings)
    }
}
