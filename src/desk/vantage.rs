//! From where sources are watched: this machine, and how many hosts it asks.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::Source;
use crate::event::is_public;
use crate::ingest::Vantage;

/// What events of the network need to know.
pub(super) fn of(sources: &[Arc<Source>]) -> Vantage {
    let hosts: BTreeSet<String> =
        sources.iter().filter_map(|source| source.host()).filter(|host| is_public(host)).collect();
    Vantage { machine: machine().into(), hosts: hosts.len() }
}

/// The name of this machine, for whoever watches several.
fn machine() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    match name.trim() {
        "" => "harmattan".to_owned(),
        name => name.to_owned(),
    }
}
