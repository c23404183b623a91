//! What was held up by a stop or an outage, or may have been told before: the gravest first, the newest of them before
//! all, and the rest as one message for each recipient.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use tracing::{info, warn};

use super::hold;
use super::question::Question;
use super::station::Station;
use super::untold;
use crate::desk::Desk;
use crate::notify::LATE;
use crate::outbox::bundle::{Cause, Weight};
use crate::outbox::{Delivery, DeliveryId, DeliveryState, Freedom, retry};
use crate::route::Recipient;
use crate::rules::spec::Severity;
use crate::store::{Store, StoreError, Transaction};

/// Deliveries given up in one transaction.
const BATCH_MAX: usize = 500;

/// How what was held up leaves.
#[derive(Debug, Default)]
pub(super) struct Sorted {
    /// Deliveries of their own, with the times under which they are filed.
    pub(super) alone: Vec<(DeliveryId, Timestamp)>,
    /// New deliveries, of several alerts each.
    pub(super) bundles: Vec<Delivery>,
    /// Those that wait after all.
    pub(super) held: Vec<Delivery>,
    /// Those that are to leave as one message, which the disk refused to have written, and why.
    pub(super) refused: Option<(Vec<DeliveryId>, StoreError)>,
}

/// Alerts that no receiver can have, with what orders them, by recipient.
type Rest = BTreeMap<Recipient, Vec<(Weight, Delivery)>>;

/// Sorts `ids`, which wait in that order.
///
/// # Errors
/// When the store fails otherwise than by the disk that refuses; what is in a bundle by then stays there.
pub(super) async fn sort(
    station: &Station,
    desk: &Arc<Desk>,
    ids: Vec<DeliveryId>,
    now: Timestamp,
) -> Result<Sorted, StoreError> {
    let asked = Arc::clone(desk);
    let (alone, rest) = station.read(move |store| part(store, &asked, &ids, now)).await?;
    let mut sorted = Sorted { alone, ..Sorted::default() };
    for ((notifier, to), members) in rest {
        if let [(_, only)] = members.as_slice() {
            sorted.alone.push((only.id, only.ready));
            continue;
        }
        info!(notifier, to, alerts = members.len(), "was held up, and leaves as one message");
        let parts = hold::parts(desk, &notifier, members);
        let count = parts.len();
        for (number, part) in (1..).zip(parts) {
            let (place, ids) = ((number, count), part.iter().map(|member| member.id).collect::<Vec<_>>());
            let made = move |tx: &dyn Transaction| hold::bundle(tx, &part, place, now, Cause::Late, is_free);
            match station.writer.commit(made).await {
                Ok(bundle) => sorted.bundles.extend(bundle),
                Err(fault) if fault.is_of_disk() => {
                    sorted.refused.get_or_insert_with(|| (Vec::new(), fault)).0.extend(ids);
                }
                Err(fault) => return Err(fault),
            }
        }
    }
    Ok(sorted)
}

/// What leaves alone, and the alerts that leave together.
fn part(
    store: &dyn Store,
    desk: &Desk,
    ids: &[DeliveryId],
    now: Timestamp,
) -> Result<(Vec<(DeliveryId, Timestamp)>, Rest), StoreError> {
    let (mut alone, mut rest, silences) = (Vec::new(), Rest::new(), store.silences()?);
    for id in ids {
        let Some(delivery) = store.delivery(*id)? else { continue };
        let late = now.duration_since(delivery.ready) > LATE;
        let alert = delivery.subject.alert().map(|id| store.alert(id)).transpose()?.flatten();
        let Some(alert) = alert.filter(|alert| late || alert.repeat.is_some()) else {
            alone.push((delivery.id, delivery.ready));
            continue;
        };
        if alert.severity == Severity::Critical {
            alone.push((delivery.id, newest_first(delivery.ready, now)));
            continue;
        }
        let who = (delivery.notifier.clone(), delivery.recipient.clone());
        let question = Question::of(desk, &alert, now);
        let is_silenced = question.silences(&silences, &delivery).is_some();
        if !is_free(&delivery, now) || is_silenced || question.waits_for_quiet(&who) {
            // The latter two are stopped or held back when their turn comes; these leave with all that quiet hours hold.
            alone.push((delivery.id, delivery.ready));
            continue;
        }
        rest.entry(who).or_default().push((hold::weight(&delivery, Some(&alert)), delivery));
    }
    Ok((alone, rest))
}

/// The time under which what has been ready since then is filed, to leave before all that is filed under its own, and
/// before what is older.
fn newest_first(ready: Timestamp, now: Timestamp) -> Timestamp {
    Timestamp::UNIX_EPOCH.checked_add(now.duration_since(ready)).unwrap_or(ready)
}

/// Whether it waits and no receiver can have it: then it may leave under another id.
fn is_free(delivery: &Delivery, _now: Timestamp) -> bool {
    delivery.freedom == Freedom::Free
        && matches!(delivery.state, DeliveryState::Ready | DeliveryState::Retrying { .. })
}

/// Gives up what was tried for long enough, or waited as long behind what was.
///
/// # Errors
/// When the store fails.
pub(super) async fn give_up(
    station: &Station,
    ids: Vec<DeliveryId>,
    reason: String,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut count = 0;
    for batch in ids.chunks(BATCH_MAX) {
        let (batch, why) = (batch.to_vec(), reason.clone());
        count += station.writer.commit(move |tx| bury(tx, &batch, &why, now)).await?;
    }
    if count > 0 {
        warn!(deliveries = count, "given up after three days: {reason}");
    }
    Ok(())
}

/// Gives up those of `ids` that wait and did so for long enough; how many those are.
fn bury(tx: &dyn Transaction, ids: &[DeliveryId], reason: &str, now: Timestamp) -> Result<usize, StoreError> {
    let network = tx.network()?;
    let mut count = 0;
    for id in ids {
        let waits = |delivery: &Delivery| {
            matches!(delivery.state, DeliveryState::Ready | DeliveryState::Retrying { .. })
        };
        let Some(delivery) = tx.delivery(*id)?.filter(waits) else { continue };
        let failures = tx.circuit(&delivery.notifier)?.fault.map_or(0, |fault| fault.failures);
        let offline = network.offline_within(delivery.ready, now);
        if retry::is_exhausted(&delivery, now, offline, failures) {
            let reason = format!("given up after {} attempts: {reason}", delivery.attempts);
            let dead = Delivery { state: DeliveryState::Dead { at: now, reason }, ..delivery };
            tx.put_delivery(&dead)?;
            untold::by(tx, &dead)?;
            count += 1;
        }
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_leaves_first() {
        let at = |second: i64| Timestamp::from_second(1_800_000_000 + second).unwrap();
        let now = at(10_000);
        let filed = [at(9_000), at(5_000), at(0)].map(|ready| newest_first(ready, now));
        assert!(filed.is_sorted() && filed.iter().all(|due| *due < at(0)), "{filed:?}");
    }
}
