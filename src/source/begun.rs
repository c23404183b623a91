//! The entry inside which a document ends.

use super::Candidate;

/// An entry of which those fields were read that are whole.
#[derive(Clone, Debug, PartialEq)]
pub struct Begun {
    /// What came of it.
    pub candidate: Candidate,
    /// Whether the name that has come is the one by which it will be known when the whole is there.
    pub named: bool,
    /// Whether the document ends between two of its fields: it may lack no more than end tags.
    pub between: bool,
}

impl Begun {
    /// Behind the entries that are whole. `linked` tells that its link is one by which a reader gets to it, and not one that
    /// stands in for what has not come yet.
    pub(super) fn behind(whole: &[Candidate], candidate: Candidate, linked: bool) -> Self {
        let of_others = |has: fn(&Candidate) -> bool| whole.iter().any(has);
        let named = if candidate.item.guid.is_some() {
            // By its link it is known again whose guid changes with every edit.
            linked || !of_others(|other| other.item.url.is_some())
        } else {
            // Where no entry is whole, a guid may have been yet to come.
            linked
                && !whole.is_empty()
                && !of_others(|other| other.item.guid.is_some() || !other.common.is_empty())
        };
        let shares = |other: &Candidate| other.key == candidate.key || other.common.contains(&candidate.key);
        Self { named: named && !whole.iter().any(shares), candidate, between: false }
    }

    /// Whether its date has come.
    pub fn is_dated(&self) -> bool {
        is_dated(&self.candidate)
    }

    /// Whether its date has come, or no entry that is whole has one.
    pub fn is_dated_as(&self, whole: &[Candidate]) -> bool {
        self.is_dated() || !whole.iter().any(is_dated)
    }
}

fn is_dated(entry: &Candidate) -> bool {
    entry.item.published.or(entry.item.updated).is_some()
}
