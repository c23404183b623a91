//! Which source has which document, so that one to which two addresses lead is asked for once.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Source;
use crate::item::SourceName;
use crate::store::SourceState;

/// Who has which document. A document is an address and how what is there is read.
#[derive(Debug, Default)]
pub struct Landings {
    /// Of several sources with one address, the first.
    configured: HashMap<String, SourceName>,
    /// How each source reads.
    sources: HashMap<SourceName, String>,
    /// Where redirects led. Held for a look-up only, never over an await.
    claims: Mutex<Claims>,
}

#[derive(Debug, Default)]
struct Claims {
    by_document: HashMap<String, SourceName>,
    by_source: HashMap<SourceName, String>,
    /// Who stands aside for whom.
    aside: HashMap<SourceName, SourceName>,
    /// Sources whose polls fail.
    failing: HashSet<SourceName>,
}

/// From how many failed polls in a row on a source has no document any more for which another would stand aside.
const FAILURES_MIN: u32 = 2;

impl Landings {
    /// Those of these sources, as far as the config tells.
    pub(super) fn of(sources: &[Arc<Source>]) -> Self {
        let mut landings = Self::default();
        for source in sources {
            let name = source.name();
            landings.configured.entry(document(&source.address(), &source.read_as())).or_insert(name.clone());
            landings.sources.insert(name.clone(), source.read_as());
        }
        landings
    }

    /// What the store remembers of where sources were read.
    pub fn remember(&self, states: &[SourceState]) {
        for state in states {
            // What fails although it can be read has its document still.
            let failures = state.unread_polls();
            if let Some(other) = &state.learned.same_as {
                self.claims().aside.insert(state.name.clone(), other.clone());
            } else if failures >= FAILURES_MIN {
                _ = self.failed(&state.name, failures);
            } else if let Some((from, _)) = &state.validators {
                _ = self.claim(&state.name, from);
            }
        }
    }

    /// Whether a source of that name is switched on.
    pub fn has(&self, source: &SourceName) -> bool {
        self.sources.contains_key(source)
    }

    /// Whether a source of that name is switched on and can be read, as far as is known.
    pub fn is_well(&self, source: &SourceName) -> bool {
        self.has(source) && !self.claims().failing.contains(source)
    }

    /// The source before this one that has the same address.
    pub fn twin(&self, source: &Source) -> Option<SourceName> {
        let first = self.configured.get(&document(&source.address(), &source.read_as()))?;
        Some(first.clone()).filter(|first| first != source.name())
    }

    /// Says that what a source asked for came from `url`; the answer is the source that has this document already. One
    /// whose polls fail has none.
    pub fn landed(&self, source: &SourceName, url: &str) -> Option<SourceName> {
        let other = self.claim(source, url);
        let mut claims = self.claims();
        match &other {
            Some(other) => claims.aside.insert(source.clone(), other.clone()),
            None => claims.aside.remove(source),
        };
        other
    }

    /// Says that so many polls of a source failed in a row. From the second on it has no document any more; the answer
    /// is who stood aside for it, told once.
    pub fn failed(&self, source: &SourceName, polls: u32) -> Vec<SourceName> {
        let mut claims = self.claims();
        if polls < FAILURES_MIN || !claims.failing.insert(source.clone()) {
            return Vec::new();
        }
        claims.let_go(source);
        claims.aside.iter().filter(|(_, other)| *other == source).map(|(name, _)| name.clone()).collect()
    }

    fn claim(&self, source: &SourceName, url: &str) -> Option<SourceName> {
        let document = document(url, self.sources.get(source)?);
        let mut claims = self.claims();
        claims.failing.remove(source);
        let owners = [self.configured.get(&document), claims.by_document.get(&document)];
        let is_well = |owner: &&SourceName| self.has(owner) && !claims.failing.contains(*owner);
        let owner = owners.into_iter().flatten().find(is_well);
        if let Some(other) = owner.filter(|owner| *owner != source) {
            return Some(other.clone());
        }
        claims.let_go(source);
        claims.by_source.insert(source.clone(), document.clone());
        claims.by_document.insert(document, source.clone());
        None
    }

    fn claims(&self) -> MutexGuard<'_, Claims> {
        self.claims.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Claims {
    /// Takes from a source the document that it has.
    fn let_go(&mut self, source: &SourceName) {
        if let Some(before) = self.by_source.remove(source)
            && self.by_document.get(&before) == Some(source)
        {
            self.by_document.remove(&before);
        }
    }
}

fn document(address: &str, read_as: &str) -> String {
    format!("{address}\n{read_as}")
}
