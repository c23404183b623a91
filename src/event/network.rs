//! Whether this machine is cut off: then no source is to blame.

use core::net::IpAddr;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::gathering::Gathering;
use super::{Event, EventKind, minute};

/// With fewer hosts nothing can be said of the network, where there are more: they may be down themselves.
const HOSTS_MIN: usize = 3;

/// A single host says nothing of it at all.
const HOSTS_LEAST: usize = 2;

/// So many different hosts in a row are no coincidence, however many there are.
const HOSTS_ENOUGH: usize = 10;

/// A host that could not be reached longer ago says nothing of now. Any answer ends its say, so it may be long: sources
/// that are asked every few hours bear witness, too.
const WINDOW: SignedDuration = SignedDuration::from_hours(24);

/// Endings of names that are those of the local network (RFC 6761, RFC 6762, RFC 8375, and what routers give).
const LOCAL: [&str; 7] = ["localhost", "local", "internal", "lan", "home", "arpa", "intranet"];

/// Times of being cut off that are remembered: more than a bad line makes in the three days for which deliveries are
/// tried.
const SPANS_MAX: usize = 100;

/// What is known of the network; the store keeps it, so that a restart repeats no event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Network {
    /// Hosts that could not be reached since any host answered.
    pub suspects: Vec<Suspect>,
    /// Since when the machine is cut off, while it is.
    pub offline: Option<Timestamp>,
    /// When it last came back.
    pub returned: Option<Timestamp>,
    /// From when until when it was cut off or away, oldest first; the last hundred.
    pub spans: Vec<(Timestamp, Timestamp)>,
    /// Gaps of sources for which these may be the cause, until they are told.
    pub gaps: Option<Gathering>,
    /// When such gaps were told last.
    pub gaps_told: Option<Timestamp>,
}

/// Whether reaching a host, or not, says anything of the line: one of this machine or of the local network does not.
pub fn is_public(host: &str) -> bool {
    let name = host.trim_start_matches('[').trim_end_matches(']');
    match name.parse::<IpAddr>().map(|address| address.to_canonical()) {
        Ok(IpAddr::V4(ip)) => !(ip.is_loopback() || ip.is_private() || ip.is_link_local()),
        Ok(IpAddr::V6(ip)) => !(ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local()),
        Err(_) => {
            let top = name.trim_end_matches('.').rsplit_once('.').map(|(_, top)| top);
            top.is_some_and(|top| !LOCAL.iter().any(|local| top.eq_ignore_ascii_case(local)))
        }
    }
}

/// A host that could not be reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suspect {
    /// Its name.
    pub host: String,
    /// When it was first tried in vain.
    pub at: Timestamp,
}

impl Network {
    /// For how long it was cut off or away between `from` and `until`, as far as that is remembered.
    pub fn offline_within(&self, from: Timestamp, until: Timestamp) -> Duration {
        let now = self.offline.map(|since| (since, until));
        let overlap = |(begin, end): &(Timestamp, Timestamp)| {
            Duration::try_from((*end).min(until).duration_since((*begin).max(from))).unwrap_or_default()
        };
        self.spans.iter().chain(&now).map(overlap).sum()
    }

    /// The machine was off or asleep between `from` and `until`, or its clock leapt. What was cut off before stays so until
    /// a host answers.
    pub fn away(&mut self, from: Timestamp, until: Timestamp) {
        if self.offline.is_none() {
            self.remember(from, until);
        }
    }

    fn remember(&mut self, from: Timestamp, until: Timestamp) {
        let before = self.spans.len().saturating_sub(SPANS_MAX - 1);
        self.spans.drain(..before);
        self.spans.push((from, until));
    }

    /// A host answered.
    pub(super) fn heard(&mut self, machine: &str, now: Timestamp) -> Option<Event> {
        self.suspects.clear();
        let since = self.offline.take()?;
        self.returned = Some(now);
        self.remember(since, now);
        let detail = format!("sources answer again; none could be reached from {} on", minute(since));
        Some(Event::new(EventKind::NetworkOnline, machine, None, now, detail, now))
    }

    /// Whether it is open who is to blame that sources cannot be reached since then, where there are so many hosts: none
    /// answered, and too few were tried. For a day at most.
    pub(super) fn is_unsure(&self, since: Timestamp, hosts: usize, now: Timestamp) -> bool {
        let unanswered = self.suspects.iter().any(|suspect| suspect.at <= since);
        hosts >= HOSTS_LEAST && unanswered && now.duration_since(since) < WINDOW
    }

    /// Some of `hosts` hosts could not be reached. The machine counts as cut off when half of its hosts, at least three
    /// (or both of two) and at most ten, could not be reached within a day and none answered in between.
    pub(super) fn missed<'a>(
        &mut self,
        missed: impl IntoIterator<Item = &'a str>,
        hosts: usize,
        machine: &str,
        now: Timestamp,
    ) -> Option<Event> {
        if self.offline.is_some() {
            return None;
        }
        for host in missed {
            self.suspects.retain(|suspect| now.duration_since(suspect.at) < WINDOW);
            if self.suspects.iter().all(|suspect| suspect.host != host) {
                self.suspects.push(Suspect { host: host.to_owned(), at: now });
            }
        }
        let least = hosts.clamp(HOSTS_LEAST, HOSTS_MIN);
        if self.suspects.len() < hosts.div_ceil(2).clamp(least, HOSTS_ENOUGH) {
            return None;
        }
        let since = self.suspects.iter().map(|suspect| suspect.at).min().unwrap_or(now);
        let names: Vec<&str> = self.suspects.iter().map(|suspect| suspect.host.as_str()).collect();
        let detail = format!("none of {} hosts in a row could be reached: {}", names.len(), names.join(", "));
        self.suspects.clear();
        self.offline = Some(since);
        Some(Event::new(EventKind::NetworkOffline, machine, None, since, detail, now))
    }
}
