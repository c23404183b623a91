//! What keeps sources from being polled all at once: a share of the wait that depends on the source's name.
//!
//! No random numbers: the same poll of the same source gives the same time, so a restart changes nothing.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use jiff::Timestamp;

use super::{FAST, after};
use crate::item::SourceName;

/// Time over which polls are spread that waited for the end of an hour that is to be left out.
const OPENING_MAX: Duration = Duration::from_mins(30);

/// `planned`, or up to a tenth of the wait later.
pub(super) fn later(source: &SourceName, started: Timestamp, planned: Timestamp) -> Timestamp {
    match Duration::try_from(planned.duration_since(started)) {
        Ok(wait) if wait >= FAST => after(planned, wait.mul_f64(share(&(source, planned)) / 10.0)),
        Ok(_) | Err(_) => planned,
    }
}

/// A time soon after `open`, for which many sources wait: up to a tenth of the wait later, and half an hour at most.
pub(super) fn opening(source: &SourceName, started: Timestamp, open: Timestamp) -> Timestamp {
    let wait = open.duration_since(started).unsigned_abs();
    after(open, (wait / 10).min(OPENING_MAX).mul_f64(share(&(source, open))))
}

/// A number from 0 to below 1 that depends on nothing but the value.
pub(super) fn share(of: &impl Hash) -> f64 {
    let mut hasher = DefaultHasher::new();
    of.hash(&mut hasher);
    let top = u32::try_from(hasher.finish() >> 32).unwrap_or(0);
    f64::from(top) / (f64::from(u32::MAX) + 1.0)
}
