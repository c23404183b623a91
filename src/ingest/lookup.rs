//! Whether an item was seen before: the names to ask for, and what the answers say.

use std::collections::{HashMap, HashSet};

use super::Judged;
use crate::item::{SeenKey, SourceName};
use crate::source::{Aliases, Candidate};
use crate::store::{Owner, Seen, StoreError};

/// The keys that tell whether an item is known, in the order in which [`known`] reads the answers.
pub fn lookups(candidate: &Candidate) -> Vec<SeenKey> {
    let mut keys = vec![candidate.key];
    if let Some(Aliases { link, fingerprint }) = candidate.aliases {
        keys.extend(link);
        keys.push(fingerprint);
    }
    keys.extend(&candidate.common);
    keys.extend(&candidate.members);
    keys
}

/// What is remembered of each of `candidates`: under each of its [`lookups`]. All are asked for at once, as the names of a
/// source lie together in the store.
///
/// # Errors
/// What `ask` returned.
pub fn look_up<'a>(
    candidates: impl IntoIterator<Item = &'a Candidate>,
    ask: impl FnOnce(&[SeenKey]) -> Result<Vec<Option<Seen>>, StoreError>,
) -> Result<Vec<Vec<Option<Seen>>>, StoreError> {
    let names: Vec<Vec<SeenKey>> = candidates.into_iter().map(lookups).collect();
    let mut found = ask(&names.concat())?.into_iter();
    Ok(names.iter().map(|keys| found.by_ref().take(keys.len()).collect()).collect())
}

/// Of each of `candidates`, whether the source `other` has it: under its key, or under its link and its text. Where there
/// is no other source, none is.
///
/// # Errors
/// What `ask` returned.
pub fn known_by<'a>(
    other: Option<&SourceName>,
    candidates: impl IntoIterator<Item = &'a Candidate> + Clone,
    ask: impl FnOnce(&SourceName, &[SeenKey]) -> Result<Vec<Option<Seen>>, StoreError>,
) -> Result<Vec<bool>, StoreError> {
    let Some(other) = other else { return Ok(candidates.into_iter().map(|_| false).collect()) };
    let answers = look_up(candidates.clone(), |keys| ask(other, keys))?;
    Ok(candidates.into_iter().zip(answers).map(|(candidate, answers)| is_had(candidate, &answers)).collect())
}

/// Whether that is remembered of this very item. A link alone may be that of a page whose reports replace each other.
fn is_had(candidate: &Candidate, answers: &[Option<Seen>]) -> bool {
    let is_its = |seen: &Option<Seen>| seen.is_some_and(|seen| seen.owner != Owner::Several);
    let aliases = candidate.aliases.map_or(0, |aliases| 1 + usize::from(aliases.link.is_some()));
    let by_aliases = || aliases > 0 && answers.iter().skip(1).take(aliases).all(is_its);
    let by_members = || answers.iter().rev().take(candidate.members.len()).any(is_its);
    answers.first().is_some_and(is_its) || by_aliases() || by_members()
}

/// Whether any name of an item tells that it was shown before. One that several items share tells nothing.
pub fn was_shown(answers: &[Option<Seen>]) -> bool {
    answers.iter().flatten().any(|seen| seen.owner != Owner::Several)
}

/// What is remembered of an item under its key. Items known by their aliases alone are found inside the transaction.
pub fn known(answers: &[Option<Seen>]) -> Option<Seen> {
    answers.first().copied().flatten().filter(|seen| seen.owner != Owner::Several)
}

/// The links under which the document has different texts, and the texts that it has under different guids without links.
pub(super) fn shared_aliases(items: &[Judged]) -> HashSet<SeenKey> {
    let mut others = HashMap::with_capacity(items.len());
    let mut shared = HashSet::new();
    for candidate in items.iter().map(|judged| &judged.candidate) {
        let Some(aliases) = candidate.aliases else { continue };
        let (alias, other) = match aliases.link {
            Some(link) => (link, aliases.fingerprint),
            None if candidate.is_told_by_guid_alone() => (aliases.fingerprint, candidate.key),
            None => continue,
        };
        if *others.entry(alias).or_insert(other) != other {
            shared.insert(alias);
        }
    }
    shared
}
