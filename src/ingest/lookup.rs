//! Whether an item was seen before: the names to ask for, and what the answers say.

use crate::item::SeenKey;
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

/// Whether any name of an item tells that it was shown before. One that several items share tells nothing.
pub fn was_shown(answers: &[Option<Seen>]) -> bool {
    answers.iter().flatten().any(|seen| seen.owner != Owner::Several)
}

/// What is remembered of an item under its key. Items known by their aliases alone are found inside the transaction.
pub fn known(answers: &[Option<Seen>]) -> Option<Seen> {
    answers.first().copied().flatten().filter(|seen| seen.owner != Owner::Several)
}
