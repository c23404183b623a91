//! Which source has which document, so that one to which two addresses lead is asked for once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

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
}

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
        for state in states.iter().filter(|state| state.learned.same_as.is_none()) {
            if let Some((from, _)) = &state.validators {
                _ = self.landed(&state.name, from);
            }
        }
    }

    /// Whether a source of that name is switched on.
    pub fn has(&self, source: &SourceName) -> bool {
        self.sources.contains_key(source)
    }

    /// The source before this one that has the same address.
    pub fn twin(&self, source: &Source) -> Option<SourceName> {
        let first = self.configured.get(&document(&source.address(), &source.read_as()))?;
        Some(first.clone()).filter(|first| first != source.name())
    }

    /// Says that what a source asked for came from `url`; the answer is the source that has this document already.
    pub fn landed(&self, source: &SourceName, url: &str) -> Option<SourceName> {
        let document = document(url, self.sources.get(source)?);
        let mut claims = self.claims.lock().unwrap_or_else(PoisonError::into_inner);
        let other = self.configured.get(&document).or_else(|| claims.by_document.get(&document)).cloned();
        if let Some(other) = other.filter(|other| other != source && self.has(other)) {
            return Some(other);
        }
        if let Some(before) = claims.by_source.insert(source.clone(), document.clone())
            && before != document
            && claims.by_document.get(&before) == Some(source)
        {
            claims.by_document.remove(&before);
        }
        claims.by_document.insert(document, source.clone());
        None
    }
}

fn document(address: &str, read_as: &str) -> String {
    format!("{address}\n{read_as}")
}
