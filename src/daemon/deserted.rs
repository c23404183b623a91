//! Incidents of hosts at which none of the sources is asked any more, since they were taken out of the config or have
//! other addresses there: no poll would end them, and whatever fails at the host later would count as told.

use std::collections::HashSet;
use std::sync::Arc;

use jiff::Timestamp;
use tracing::{info, warn};

use super::station::Station;
use crate::desk::Desk;
use crate::event::HostTrouble;
use crate::ingest;
use crate::outbox::Delivery;
use crate::store::{SourceState, Store, StoreError};

/// Ends them; what is owed for that.
pub(super) async fn end(station: &Station, desk: &Arc<Desk>, now: Timestamp) -> Vec<Delivery> {
    try_end(station, desk, now).await.unwrap_or_else(|fault| {
        warn!("incidents of hosts that nobody asks any more go on: {:#}", anyhow::Error::from(fault));
        Vec::new()
    })
}

async fn try_end(station: &Station, desk: &Arc<Desk>, now: Timestamp) -> Result<Vec<Delivery>, StoreError> {
    let asked = Arc::clone(desk);
    let hosts = station.read(move |store| deserted(store, &asked)).await?;
    if hosts.is_empty() {
        return Ok(Vec::new());
    }
    let force = desk.in_force.clone();
    let receipt = station.writer.commit(move |tx| ingest::desert(tx, &hosts, &force, now)).await?;
    for event in &receipt.events {
        info!(event = event.kind.as_str(), name = event.name, reason = event.reason, "{}", event.detail);
    }
    Ok(receipt.deliveries)
}

/// The hosts with an incident at which no source of the desk fails.
fn deserted(store: &dyn Store, desk: &Desk) -> Result<Vec<String>, StoreError> {
    let mut hosts = store.hosts()?;
    hosts.retain(|(_, host)| host.told.is_some());
    if hosts.is_empty() {
        return Ok(Vec::new());
    }
    let is_asked = |state: &SourceState| {
        desk.source(state.name.as_str()).is_some_and(|source| source.address() == state.asked)
    };
    let mut states = store.sources()?;
    states.retain(|state| state.health.run.is_some() && is_asked(state));
    let at: HashSet<&str> = states.iter().filter_map(|state| state.health.host.as_deref()).collect();
    let failing: HashSet<&str> = states.iter().map(|state| state.name.as_str()).collect();
    // What an earlier version wrote of a source does not name the host.
    let is_deserted = |(name, host): &(String, HostTrouble)| {
        !at.contains(name.as_str())
            && host.members.iter().all(|member| !failing.contains(member.source.as_str()))
    };
    Ok(hosts.into_iter().filter(is_deserted).map(|(name, _)| name).collect())
}
