//! What is told of notifiers that fail, and when no attempt is due that would find it out.

use std::sync::Arc;

use jiff::Timestamp;
use tracing::warn;

use super::sender::Sender;
use super::{clock, conclusion};
use crate::event::Event;
use crate::outbox::circuit::REFUSED;
use crate::outbox::{Delivery, DeliveryState};
use crate::route::Routes;
use crate::store::{StoreError, Transaction};

/// What is owed for an event of a notifier: to the others, and where it is about one recipient alone, to those of the same
/// notifier, too.
pub(super) fn owed(routes: &Routes, event: &Event) -> Vec<Delivery> {
    let only = (event.reason.as_deref() == Some(REFUSED)).then_some(event.recipient.as_str());
    let to = routes.of_notifier_event(event.kind, &event.name, only).into_iter();
    to.map(|who| Delivery::owed(who, event.id.into(), event.created, DeliveryState::Ready)).collect()
}

/// Tells that nothing has got through to a notifier for long enough.
fn tell(
    tx: &dyn Transaction,
    routes: &Routes,
    notifier: &str,
    now: Timestamp,
) -> Result<Vec<Delivery>, StoreError> {
    if tx.network()?.offline.is_some() {
        return Ok(Vec::new());
    }
    let mut circuit = tx.circuit(notifier)?;
    let Some(event) = circuit.tell_in_time(notifier, now) else { return Ok(Vec::new()) };
    tx.put_circuit(notifier, &circuit)?;
    warn!(notifier, "{}: {}", event.kind.as_str(), event.detail);
    let owed = owed(routes, &event);
    conclusion::put_news(tx, &event, &owed)?;
    Ok(owed)
}

impl Sender {
    /// Tells of ways that have been in trouble for long enough, where no attempt is under way that will.
    pub(super) fn tell(&mut self) {
        if self.refusing {
            return;
        }
        let now = clock::now();
        for (name, lane) in &mut self.lanes {
            let is_time = lane.tell_at().is_some_and(|at| at <= now);
            if !is_time || self.desk.notifier(name).is_none() {
                continue;
            }
            // As far as the lane knows. When it could not be told, the next attempt brings back that it was not.
            _ = lane.circuit.tell_in_time(name, now);
            let (writer, routes) = (self.station.writer.clone(), Arc::clone(&self.desk.in_force.routes));
            let name = name.clone();
            self.releases
                .spawn(async move { (None, writer.commit(move |tx| tell(tx, &routes, &name, now)).await) });
        }
    }
}
