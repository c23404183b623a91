//! What is stored, walked through page by page, whoever holds the store.

use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;

use jiff::{SignedDuration, Timestamp};

use super::reach::{Session, unexpected};
use crate::control::{Call, Reply};
use crate::item::ItemId;
use crate::store::{Day, StoredItem};

/// How long before its item an alert may seem to be made: clocks are set.
const CLOCK_SET_BACK: SignedDuration = SignedDuration::from_hours(24);

/// The alerts made of an item.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Alerted {
    /// The rules that fired, and whether each was live then.
    pub(super) rules: BTreeMap<String, bool>,
    /// Whether the rules saw more of the text than is stored.
    pub(super) truncated: bool,
}

impl Alerted {
    /// Whether a live rule was among them.
    pub(super) fn live(&self) -> bool {
        self.rules.values().any(|live| *live)
    }
}

/// The items that have alerts, of those first seen on the day of `since` or later.
pub(super) async fn alerted(session: &Session, since: Timestamp) -> anyhow::Result<HashMap<ItemId, Alerted>> {
    let start = Day::of(since).start();
    let since = start.checked_sub(CLOCK_SET_BACK).unwrap_or(Timestamp::MIN);
    let mut found: HashMap<ItemId, Alerted> = HashMap::new();
    let mut after = None;
    loop {
        let reply = session.call(Call::Told { since, after }).await?;
        let Reply::Told(page) = reply else { return unexpected(reply) };
        for told in page.alerts {
            let alerted = found.entry(told.item.parse()?).or_default();
            alerted.truncated |= told.truncated;
            for (rule, live) in told.rules {
                *alerted.rules.entry(rule).or_default() |= live;
            }
        }
        after = page.next;
        if after.is_none() {
            return Ok(found);
        }
    }
}

/// Shows the items first seen on the day of `since` or later, newest day first, until `visit` has seen enough.
/// `turn` is told after each page how many were shown so far.
pub(super) async fn items(
    session: &Session,
    since: Timestamp,
    mut visit: impl FnMut(StoredItem) -> ControlFlow<()>,
    mut turn: impl FnMut(u64),
) -> anyhow::Result<()> {
    let (mut after, mut shown) = (None, 0);
    loop {
        let reply = session.call(Call::Items { since, after }).await?;
        let Reply::Items(page) = reply else { return unexpected(reply) };
        for stored in page.items {
            shown += 1;
            if visit(stored.try_into()?).is_break() {
                return Ok(());
            }
        }
        turn(shown);
        after = page.next;
        if after.is_none() {
            return Ok(());
        }
    }
}
