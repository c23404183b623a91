//! What the sender does while the disk refuses: what is on disk is delivered all the same, and as soon as the disk takes
//! what is written again, what came of it is recorded and the rest goes on.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinError;
use tokio::time::sleep;
use tracing::{error, info, warn};

use super::deliver::{Ended, Next};
use super::sender::Sender;
use super::systemd;
use crate::outbox::Delivery;
use crate::store::StoreError;

/// How often it is tried whether the disk takes what is written again; the store's writer pauses longer.
const MEND_EVERY: Duration = Duration::from_secs(1);

/// What is newly owed since all is recorded.
pub(super) type Mended = Result<Vec<Delivery>, StoreError>;

impl Sender {
    /// Tells when the disk begins to refuse, and has it tried whether it still does.
    pub(super) fn mend(&mut self) {
        if let Some(refusal) = self.unrecorded.refusal().filter(|_| !self.refusing) {
            self.refusing = true;
            error!(
                "the disk refuses ({}): nothing new is stored; what is stored is delivered without a record",
                refusal.reason
            );
            systemd::status(&format!("the disk refuses: {}", refusal.reason));
        }
        if self.mends.is_empty() && self.unrecorded.is_pending() {
            let (station, unrecorded) = (self.station.clone(), self.unrecorded.clone());
            self.mends.spawn(async move {
                sleep(MEND_EVERY).await;
                unrecorded.write(&station).await
            });
        }
    }

    /// Goes on as ever when all is recorded.
    pub(super) fn note_mend(&mut self, ended: Result<Mended, JoinError>) {
        match ended {
            Ok(Ok(owed)) => {
                self.lanes.values_mut().for_each(super::lane::Lane::resume);
                self.queue(owed);
                // Commits that failed may be stored all the same.
                self.doubt = true;
                if std::mem::take(&mut self.refusing) {
                    info!("the disk takes what is written again; all that left meanwhile is recorded");
                    systemd::ready(&self.desk, None);
                }
            }
            Ok(Err(fault)) if fault.is_of_disk() => {}
            Ok(Err(fault)) => {
                error!("the store failed what left without a record: {:#}", anyhow::Error::from(fault));
            }
            Err(panic) => warn!("what left without a record was not written, for a bug: {panic}"),
        }
    }

    /// Keeps what came of an attempt that the disk refused to have recorded.
    pub(super) fn keep(&mut self, notifier: &str, ended: Ended) -> Ended {
        let Next::Unrecorded(attempt, network) = &ended.next else { return ended };
        let routes = Arc::clone(&self.desk.in_force.routes);
        let before = self.lanes.get(notifier).map(|lane| lane.circuit.clone()).unwrap_or_default();
        let mut circuit = before.clone();
        let conclusion = attempt.conclude(&routes, &mut circuit, network);
        attempt.tell(&conclusion);
        let next = conclusion.again().map_or(Next::Closed, Next::Again);
        self.unrecorded.keep(attempt, conclusion, &circuit);
        // What is owed by it is not on disk yet.
        Ended { next, circuit: (circuit != before).then_some(circuit), owed: Vec::new() }
    }

    /// Has written what left without a record, once, since the sender ends.
    pub(super) async fn write_last(&mut self) {
        if let Err(fault) = self.unrecorded.write_last(&self.station).await {
            let fault = anyhow::Error::from(fault);
            let deliveries = self.unrecorded.count();
            warn!(
                deliveries,
                "what came of deliveries is not recorded, as the store failed ({fault:#}): they may be made again at the next \
                 start, under the same ids"
            );
        }
    }
}
