//! What the sender lets go of when its time has come, what it gives up, and what another config changes for it.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tokio::task::JoinError;
use tracing::{error, warn};

use super::hold::{self, Group};
use super::sender::{AFTER_FAULT, Sender};
use super::{clock, late, orphan};
use crate::desk::Desk;
use crate::outbox::{Delivery, DeliveryId, retry};
use crate::store::StoreError;

/// What was let go, unless it was given up, and what came of it.
pub(super) type Released = (Option<(Group, BTreeSet<DeliveryId>)>, Result<Vec<Delivery>, StoreError>);

impl Sender {
    /// Lets go of what was held until now.
    pub(super) fn let_go(&mut self) {
        if self.refusing {
            return;
        }
        let now = clock::now();
        for (group, ids) in self.held.take(now) {
            let (station, desk) = (self.station.clone(), Arc::clone(&self.desk));
            self.releases.spawn(async move {
                let outcome = hold::release(&station, &desk, ids.clone(), now).await;
                (Some((group, ids)), outcome)
            });
        }
    }

    pub(super) fn note_release(&mut self, ended: Result<Released, JoinError>) {
        match ended {
            Ok((_, Ok(ready))) => self.queue(ready),
            Ok((group, Err(fault))) => {
                error!("the store failed what was to be let go or given up: {fault:#}");
                self.unrecorded.refused(&fault, clock::now());
                if let Some((group, ids)) = group {
                    self.held.put_back(group, ids, clock::now() + AFTER_FAULT);
                }
            }
            Err(panic) => {
                warn!("what was to be let go ended in a bug: {panic}");
                self.doubt = true;
            }
        }
    }

    /// Works by another config from now on. Where it changed a notifier, what was amiss may have been put right.
    pub(super) fn replace(&mut self, desk: Arc<Desk>) {
        let (old, now) = (std::mem::replace(&mut self.desk, desk), clock::now());
        for (name, lane) in &mut self.lanes {
            let settings = |desk: &Desk| desk.config.notifiers.iter().find(|one| one.name == *name).cloned();
            let (before, after) = (settings(&old), settings(&self.desk));
            if before != after {
                let is_same = before.zip(after).is_some_and(|(before, after)| after.has_receiver_of(&before));
                lane.circuit.changed(is_same, now);
            }
        }
        self.hasten_the_last();
    }

    /// Lets what waits for notifiers and recipients that are no longer configured be given up now: it is listed then, and
    /// not forgotten until the hour of its next attempt.
    pub(super) fn hasten_the_last(&mut self) {
        let now = clock::now();
        let gone = self.lanes.iter_mut().filter(|(name, _)| self.desk.notifier(name).is_none());
        gone.for_each(|(_, lane)| lane.hasten(now));
        let (station, desk) = (self.station.clone(), Arc::clone(&self.desk));
        self.releases.spawn(async move {
            let outcome = orphan::give_up(&station, desk, now).await;
            (None, outcome.map(|()| Vec::new()))
        });
    }

    /// Gives up what waits too long behind a way in trouble.
    pub(super) fn give_up(&mut self, notifier: &str, now: Timestamp) {
        let Some(lane) = self.lanes.get(notifier).filter(|_| !self.refusing) else { return };
        let Some(fault) = &lane.circuit.fault else { return };
        let exhausted = fault.failures >= retry::ATTEMPTS_MIN
            && now.duration_since(fault.since)
                >= SignedDuration::try_from(retry::PATIENCE).unwrap_or(SignedDuration::MAX);
        let ids = lane.all();
        if !exhausted || ids.is_empty() {
            return;
        }
        let (station, reason) = (self.station.clone(), fault.reason.clone());
        self.releases.spawn(async move {
            let outcome = late::give_up(&station, ids, reason, now).await;
            (None, outcome.map(|()| Vec::new()))
        });
    }
}
