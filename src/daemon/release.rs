//! What the sender lets go of when its time has come, and what it gives up.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tokio::task::JoinError;
use tracing::{error, warn};

use super::hold::{self, Group};
use super::sender::{AFTER_FAULT, Sender};
use super::{clock, late};
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
