//! The entry inside which a document ends, and whether it is one of the items that came.

use jiff::Timestamp;

use crate::desk::Source;
use crate::ingest;
use crate::source::Reading;
use crate::store::{SourceState, Store, StoreError};

/// What became of the entry inside which a document ends.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// There is none, or it waits for the whole.
    Left,
    /// It was known.
    Known,
    /// It is one of the items.
    Taken,
}

/// What becomes of the entry inside which a document ends: it is added to its items, where no name of it is known, and it can
/// be known again and judged. The whole of it will be an edit, which alerts with the rules that did not fire on the beginning.
/// Without a date it is old in the first reading of a source, and in a later one waits for the whole where others have dates,
/// or where the baseline is not read up yet.
pub(super) fn take(
    store: &dyn Store,
    source: &Source,
    state: &SourceState,
    reading: &mut Reading,
    now: Timestamp,
) -> Result<Fate, StoreError> {
    let alone = reading.items.is_empty();
    let Some(begun) = reading.begun.take_if(|begun| begun.named && (begun.between || !alone)) else {
        return Ok(Fate::Left);
    };
    let answers = store.seen(source.name(), &ingest::lookups(&begun.candidate))?;
    if answers.iter().any(Option::is_some) {
        return Ok(Fate::Known);
    }
    let settled = state.open_baseline(now).is_none() && begun.is_dated_as(&reading.items);
    if state.baseline.is_some() && !settled && !begun.is_dated() {
        return Ok(Fate::Left);
    }
    reading.items.push(begun.candidate);
    Ok(Fate::Taken)
}
