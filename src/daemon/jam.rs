//! What a lane holds back from being sent one by one: what was held up is sorted, and what must wait after all is held
//! many at a time.

use std::collections::HashSet;
use std::sync::Arc;

use jiff::SignedDuration;
use tokio::task::JoinError;
use tracing::{error, warn};

use super::lane::Jam;
use super::late::{self, Sorted};
use super::sender::{Learned, Sender};
use super::{clock, hold};
use crate::outbox::circuit::Gate;
use crate::outbox::{Delivery, DeliveryId};
use crate::store::StoreError;

/// How long alerts that may have been told before are gathered, to leave as few messages.
const GATHERING: SignedDuration = SignedDuration::from_secs(60);

/// What waited at a notifier, and how it leaves.
pub(super) type Sorting = (String, Vec<DeliveryId>, Result<Sorted, StoreError>);

impl Sender {
    /// Has what may have been told before wait for more of its kind: after a restore sources are read one after the other.
    pub(super) fn gather(&mut self, deliveries: Vec<Delivery>) {
        let until = clock::now() + GATHERING;
        self.file(deliveries, Learned::Acknowledged, |lane, due| {
            due.max(*lane.gathering.get_or_insert(until))
        });
    }

    /// Sorts what was held up at ways that work, and holds what must wait behind one that had to.
    pub(super) fn sort(&mut self) {
        let now = clock::now();
        for (name, lane) in &mut self.lanes {
            if lane.jam == Jam::Clear && lane.gathering.is_some_and(|until| until <= now) {
                lane.gathered();
            }
            let jam = lane.jam;
            if !matches!(jam, Jam::Held | Jam::Full) || lane.circuit.gate(now) != Gate::Open {
                continue;
            }
            let mut ids = lane.due(now);
            // The store takes them for untried, and they may leave under no other id.
            ids.retain(|id| self.unrecorded.known(*id).is_none());
            lane.jam = if ids.is_empty() { Jam::Clear } else { Jam::Sorting };
            if !ids.is_empty() {
                let (name, station, desk) = (name.clone(), self.station.clone(), Arc::clone(&self.desk));
                self.sorts.spawn(async move {
                    if jam == Jam::Held {
                        let outcome = late::sort(&station, &desk, ids.clone(), now).await;
                        return (name, ids, outcome);
                    }
                    let held = hold::hold_back(&station, desk, ids, now).await;
                    (name, Vec::new(), held.map(|held| Sorted { held, ..Sorted::default() }))
                });
            }
        }
    }

    pub(super) fn note_sort(&mut self, ended: Result<Sorting, JoinError>) {
        let (name, ids, outcome) = match ended {
            Ok(sorting) => sorting,
            Err(panic) => {
                warn!("what was held up could not be sorted, for a bug: {panic}");
                self.lanes
                    .values_mut()
                    .filter(|lane| lane.jam == Jam::Sorting)
                    .for_each(|lane| lane.jam = Jam::Clear);
                return;
            }
        };
        let lane = self.lanes.entry(name).or_default();
        lane.jam = Jam::Clear;
        // What was ordered meanwhile may be among what was sorted as it was before.
        self.doubt |= std::mem::take(&mut lane.ordered);
        match outcome {
            Ok(Sorted { alone, bundles, held, refused }) => {
                let waits = refused.map_or_else(Vec::new, |(ids, fault)| {
                    self.unrecorded.refused(&fault, clock::now());
                    ids
                });
                // Those that leave in a bundle are closed: what is taken out of turn here is not sent.
                let stay: HashSet<_> = alone.iter().map(|(id, _)| id).chain(&waits).copied().collect();
                let gone = ids.into_iter().filter(|id| !stay.contains(id));
                gone.chain(held.iter().map(|held| held.id)).for_each(|id| lane.forget(id));
                for (id, due) in alone {
                    lane.file(id, due);
                }
                // Sent one by one, they would be the flood that sorting prevents.
                for id in waits {
                    lane.set_aside(id, clock::now());
                }
                self.queue(bundles);
                self.queue(held);
            }
            Err(fault) => {
                error!("the store failed what was held up: {fault:#}");
                self.unrecorded.refused(&fault, clock::now());
                if fault.is_of_disk() {
                    for id in ids {
                        lane.set_aside(id, clock::now());
                    }
                }
            }
        }
    }
}
