//! Forgetting: small transactions, so that polls go on between them.
//!
//! Scans find what may go, outside of any transaction; each transaction then looks again at what it removes.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use sled::Tree;

use super::access::{InTransaction, Read, Row};
use super::engine::{self, Engine};
use super::keys::{self, Kind};
use super::story_row::Filed;
use super::{seen, transaction, unreadable};
use crate::article::Pending;
use crate::fault;
use crate::fetch::{Order, RobotsTxt};
use crate::outbox::bundle::Bundle;
use crate::outbox::{Delivery, Subject};
use crate::source::LAYOUT;
use crate::store::{Day, Expired, SourceState, StoreError, Transaction as _};
use crate::story::Story;

/// Rows per transaction: tens of milliseconds for which commits wait.
const BATCH_ROWS_MAX: usize = 1_000;

/// Buckets of seen keys per transaction; each is rewritten whole.
const BATCH_BUCKETS_MAX: usize = 64;

/// Shortest time for which a seen key is kept after its source last showed it.
const SEEN_KEEP_MIN: SignedDuration = SignedDuration::from_hours(90 * 24);

/// Seen keys are kept for so many windows: the time in which a source brings as many items as it shows at once.
const SEEN_WINDOWS: i64 = 10;

/// After a year without a readable answer a source is given up, and its keys age like those of others.
const SOURCE_GONE: SignedDuration = SignedDuration::from_hours(365 * 24);

/// Stories are joined for 24 hours after they open; one more day for clocks that were set.
const FILED_KEEP: SignedDuration = SignedDuration::from_hours(48);

/// Rules of a robots.txt hold on while it cannot be had, for so long that it may be taken for gone (RFC 9309 section
/// 2.3.1.4).
const ROBOTS_KEEP: SignedDuration = SignedDuration::from_hours(30 * 24);

/// What is swept, and whether to go on with it.
struct Broom<'a> {
    db: &'a Tree,
    sweeping: &'a Mutex<()>,
    go_on: &'a dyn Fn() -> bool,
}

/// See [`crate::store::Store::expire`].
pub(super) fn expire(
    engine: &Engine,
    now: Timestamp,
    keep: Duration,
    go_on: &dyn Fn() -> bool,
) -> Result<Expired, StoreError> {
    let keep = SignedDuration::try_from(keep).unwrap_or(SignedDuration::MAX);
    let limit = before(now, keep);
    let with = |sweep: &dyn Fn(&Broom<'_>) -> Result<u64, StoreError>| {
        engine.with(|open| sweep(&Broom { db: &open.db, sweeping: &open.sweeping, go_on }))
    };
    let deliveries = with(&|broom| closed_deliveries(broom, limit))?;
    let alerts = with(&|broom| alerts(broom, limit))?;
    with(&|broom| events(broom, limit))?;
    with(&|broom| bundles(broom, limit))?;
    with(&|broom| reports(broom, limit))?;
    let items = with(&|broom| {
        let range = Kind::Item.prefix().to_vec()..keys::items_of(Day::of(limit));
        sweep(broom, range, BATCH_ROWS_MAX, |_, _| Ok(true), remove)
    })?;
    with(&|broom| {
        let range = Kind::Article.prefix().to_vec()..keys::articles_of(Day::of(limit));
        sweep(broom, range, BATCH_ROWS_MAX, |_, _| Ok(true), remove)
    })?;
    with(&|broom| waiting(broom, Day::of(limit)))?;
    with(&|broom| {
        let old = |story: Story| story.first_seen < limit;
        remove_where(broom, Kind::Story, old)?;
        let forgettable = before(now, FILED_KEEP);
        remove_where(broom, Kind::Filed, |filed: Filed| filed.at < forgettable)?;
        let unread = before(now, ROBOTS_KEEP);
        remove_where(broom, Kind::Robots, |said: RobotsTxt| said.at < unread)?;
        remove_where(broom, Kind::Order, |order: Order| order.until < now)
    })?;
    let keys = with(&|broom| seen_keys(broom, now, keep.max(SEEN_KEEP_MIN)))?;
    if go_on() {
        pages(engine, limit)?;
    }
    Ok(Expired { keys, items, alerts, deliveries, cut: !go_on() })
}

/// Removes the pages kept before `limit` of sources that can be read again, or are not polled any more.
fn pages(engine: &Engine, limit: Timestamp) -> Result<(), StoreError> {
    super::pages::forget(engine.path(), limit, |source| {
        let state: Option<SourceState> = engine.with(|open| open.db.row(&keys::source(source)))?;
        let failing = state.filter(|state| state.last_poll.is_some_and(|last| last >= limit));
        Ok(failing.is_some_and(|state| state.failing.is_some_and(|run| run.reason == LAYOUT)))
    })
}

/// `span` before `time`, or the beginning of time.
fn before(time: Timestamp, span: SignedDuration) -> Timestamp {
    time.checked_sub(span).unwrap_or(Timestamp::UNIX_EPOCH).max(Timestamp::UNIX_EPOCH)
}

/// Removes deliveries closed before `limit`.
fn closed_deliveries(broom: &Broom<'_>, limit: Timestamp) -> Result<u64, StoreError> {
    let range = Kind::History.prefix().to_vec()..keys::history_from(limit);
    sweep(
        broom,
        range,
        BATCH_ROWS_MAX,
        |_, _| Ok(true),
        |rows, place| {
            let Some(id) = keys::place_id(place) else { return remove(rows, place) };
            // Sent again by hand meanwhile, it has another place in time or is open.
            match rows.row::<Delivery>(&keys::closed(id))? {
                Some(old) if transaction::closed_at(&old.state).is_some_and(|at| at < limit) => {
                    transaction::remove_closed(rows, &old)?;
                    Ok(1)
                }
                Some(_) | None => {
                    rows.remove(&keys::dead_beside(place))?;
                    rows.remove(place).map(|()| 0)
                }
            }
        },
    )
}

/// Removes alerts made before `limit` of which no delivery is left, alone or in a bundle.
fn alerts(broom: &Broom<'_>, limit: Timestamp) -> Result<u64, StoreError> {
    let keys = |subject: Subject| {
        Ok(match subject {
            Subject::Alert(alert) => vec![keys::alert(alert)],
            Subject::Bundle(bundle) => {
                let bundle: Option<Bundle> = broom.db.row(&keys::bundle(bundle))?;
                bundle.into_iter().flat_map(|bundle| bundle.alerts).map(keys::alert).collect()
            }
            Subject::Event(_) | Subject::Report(_) => Vec::new(),
        })
    };
    unowed(broom, Kind::Alert.prefix().to_vec()..keys::alerts_from(limit), keys)
}

/// Removes bundles made before `limit` of which no delivery is left.
fn bundles(broom: &Broom<'_>, limit: Timestamp) -> Result<u64, StoreError> {
    let keys = |subject| {
        Ok(match subject {
            Subject::Bundle(bundle) => vec![keys::bundle(bundle)],
            Subject::Alert(_) | Subject::Event(_) | Subject::Report(_) => Vec::new(),
        })
    };
    unowed(broom, Kind::Bundle.prefix().to_vec()..keys::bundles_from(limit), keys)
}

/// Removes reports made before `limit` of which no delivery is left.
fn reports(broom: &Broom<'_>, limit: Timestamp) -> Result<u64, StoreError> {
    let keys = |subject| {
        Ok(match subject {
            Subject::Report(report) => vec![keys::report(report)],
            Subject::Alert(_) | Subject::Bundle(_) | Subject::Event(_) => Vec::new(),
        })
    };
    unowed(broom, Kind::Report.prefix().to_vec()..keys::reports_from(limit), keys)
}

/// Removes the articles to be fetched whose items, first seen before that day, are removed.
fn waiting(broom: &Broom<'_>, limit: Day) -> Result<u64, StoreError> {
    let range = Kind::Pending.prefix().to_vec()..Kind::Pending.end().to_vec();
    let old = |key: &[u8], head: &[u8]| {
        Ok(broom.db.row_from(key, head)?.is_some_and(|pending: Pending| pending.first < limit))
    };
    sweep(broom, range, BATCH_ROWS_MAX, old, |rows, key| match rows.row::<Pending>(key)? {
        Some(pending) => rows.drop_pending_article(pending.item).map(|()| 1),
        None => Ok(0),
    })
}

/// Removes events made before `limit` of which no delivery is left.
fn events(broom: &Broom<'_>, limit: Timestamp) -> Result<u64, StoreError> {
    let keys = |subject| {
        Ok(match subject {
            Subject::Event(event) => vec![keys::event(event)],
            Subject::Alert(_) | Subject::Bundle(_) | Subject::Report(_) => Vec::new(),
        })
    };
    unowed(broom, Kind::Event.prefix().to_vec()..keys::events_from(limit), keys)
}

/// Removes the values in `range` that no delivery tells.
fn unowed(
    broom: &Broom<'_>,
    range: std::ops::Range<Vec<u8>>,
    keys_of: impl Fn(Subject) -> Result<Vec<Vec<u8>>, StoreError>,
) -> Result<u64, StoreError> {
    let mut owed = HashSet::new();
    for kind in [Kind::Open, Kind::Closed] {
        for row in broom.db.scan_prefix(kind.prefix()) {
            let (key, head) = row.map_err(unreadable)?;
            let delivery: Option<Delivery> = broom.db.row_from(&key, &head)?;
            let Some(delivery) = delivery else { continue };
            owed.extend(keys_of(delivery.subject)?.into_iter().filter(|key| *key < range.end));
        }
    }
    sweep(broom, range, BATCH_ROWS_MAX, |key, _| Ok(!owed.contains(key)), remove)
}

/// Removes the values of `kind` for which `old` holds.
fn remove_where<T: Row>(broom: &Broom<'_>, kind: Kind, old: impl Fn(T) -> bool) -> Result<u64, StoreError> {
    let range = kind.prefix().to_vec()..kind.end().to_vec();
    let wanted = |key: &[u8], head: &[u8]| Ok(broom.db.row_from(key, head)?.is_some_and(&old));
    sweep(broom, range, BATCH_ROWS_MAX, wanted, |rows, key| {
        if rows.row(key)?.is_some_and(&old) { remove(rows, key) } else { Ok(0) }
    })
}

/// Removes seen keys that their sources have not shown for `keep`.
///
/// The time for which a source showed nothing, since it could not be read or answered that nothing had changed, does
/// not count: when it goes on, its old items are still old.
fn seen_keys(broom: &Broom<'_>, now: Timestamp, keep: SignedDuration) -> Result<u64, StoreError> {
    let range = Kind::Seen.prefix().to_vec()..Kind::Seen.end().to_vec();
    sweep(
        broom,
        range,
        BATCH_BUCKETS_MAX,
        |_, _| Ok(true),
        |rows, key| {
            let Some(name) = keys::seen_source(key) else { return Ok(0) };
            let state: Option<SourceState> = rows.row(&keys::source(&name))?;
            let gone = before(now, SOURCE_GONE);
            let read = state.filter(|state| state.last_success.is_some_and(|at| at > gone));
            let keep = keep.max(read.as_ref().map(|state| windows(state, now)).unwrap_or_default());
            // Earlier versions did not note when a document was taken in: not before it had something new.
            let shown = read.and_then(|state| state.last_shown.or(state.last_new).or(state.baseline));
            let limit = before(shown.map_or(now, |at| at.min(now)), keep);
            seen::forget(rows, key, Day::of(limit))
        },
    )
}

/// How long [`SEEN_WINDOWS`] windows of a source last, by what it has brought since its baseline.
///
/// What it shows comes back when it shows more of it, so a slow source is remembered for years; it brings few keys.
fn windows(state: &SourceState, now: Timestamp) -> SignedDuration {
    let Some(began) = state.baseline else { return SignedDuration::ZERO };
    if state.items_last == 0 {
        // An empty document says nothing of what the next one shows.
        return SOURCE_GONE;
    }
    let many = SEEN_WINDOWS.saturating_mul(i64::from(state.items_last));
    let brought = i64::try_from(state.items).unwrap_or(i64::MAX).saturating_sub(i64::from(state.items_last));
    if brought <= many {
        return SignedDuration::MAX;
    }
    let lived = now.duration_since(began).as_secs().max(0);
    SignedDuration::from_secs(lived.saturating_mul(many) / brought)
}

/// Hands the keys in `range` that are `wanted` to `act`, in transactions of `batch`; returns the sum of what it says.
fn sweep(
    broom: &Broom<'_>,
    range: std::ops::Range<Vec<u8>>,
    batch: usize,
    mut wanted: impl FnMut(&[u8], &[u8]) -> Result<bool, StoreError>,
    act: impl Fn(&InTransaction<'_>, &[u8]) -> Result<u64, StoreError>,
) -> Result<u64, StoreError> {
    let mut sum = 0;
    let mut scan = broom.db.range(range);
    loop {
        let mut found = Vec::new();
        while found.len() < batch {
            let Some(row) = scan.next() else { break };
            let (key, head) = row.map_err(unreadable)?;
            if wanted(&key, &head)? {
                found.push(key);
            }
        }
        if found.is_empty() || !(broom.go_on)() {
            return Ok(sum);
        }
        fault::point("expiry");
        let _turn = broom.sweeping.lock().unwrap_or_else(PoisonError::into_inner);
        sum += engine::transact(broom.db, |rows| {
            found.iter().map(|key| act(rows, key)).sum::<Result<u64, _>>()
        })?;
    }
}

/// Removes the value at `key` and counts it.
fn remove(rows: &InTransaction<'_>, key: &[u8]) -> Result<u64, StoreError> {
    rows.remove(key).map(|()| 1)
}
