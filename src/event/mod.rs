//! What people must know of sources, of the network and of the store: entered states and gaps, each told once.
//!
//! Pure: [`judge`] takes what is known and what a poll came to, and returns what is known then and what to tell.
//! `ingest` stores both in the poll's own transaction.

mod gap;
mod gathering;
mod health;
mod host;
mod network;
mod observed;
mod silence;

#[cfg(test)]
mod tests;

use jiff::Timestamp;

use crate::id::{digest, id};

pub use self::gap::{Gap, Gapping};
pub use self::gathering::{AWAY, Gathering};
pub use self::health::{Complaint, Health, Known, Run, Told, judge};
pub use self::host::{HostTrouble, Incident, MEMBERS_MIN, Member};
pub use self::network::{Network, Suspect, is_public};
pub use self::observed::{News, Observed, Reach, Trouble};
pub use self::silence::{Arrivals, Quiet, patience};

id! {
    /// Identifies an event. Its first six bytes are the time of its making in milliseconds, so that ids sort by age.
    EventId
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventKind {
    /// Polls of a source, or of the sources of one host, fail; or what it shows is not what was subscribed.
    SourceFailing,
    /// A source brings nothing new.
    SourceSilent,
    /// What failed or was silent is well again.
    SourceRecovered,
    /// Items of a source may have been missed, or of several for one cause.
    SourceGap,
    /// This machine reaches no source.
    NetworkOffline,
    /// It reaches them again.
    NetworkOnline,
    /// Nothing gets through to the receiver of a notifier.
    NotifierFailing,
    /// Something does again.
    NotifierRecovered,
    /// The store was found damaged, and another has taken its place.
    StoreDamaged,
}

impl EventKind {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::SourceFailing,
        Self::SourceSilent,
        Self::SourceRecovered,
        Self::SourceGap,
        Self::NetworkOffline,
        Self::NetworkOnline,
        Self::NotifierFailing,
        Self::NotifierRecovered,
        Self::StoreDamaged,
    ];

    /// The type in webhooks and lists.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::SourceFailing => "source.failing",
            Self::SourceSilent => "source.silent",
            Self::SourceRecovered => "source.recovered",
            Self::SourceGap => "source.gap",
            Self::NetworkOffline => "network.offline",
            Self::NetworkOnline => "network.online",
            Self::NotifierFailing => "notifier.failing",
            Self::NotifierRecovered => "notifier.recovered",
            Self::StoreDamaged => "store.damaged",
        }
    }

    /// The kind that a word names.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// The state entered.
    pub fn state(self) -> &'static str {
        match self {
            Self::SourceFailing | Self::NotifierFailing => "failing",
            Self::SourceSilent => "silent",
            Self::SourceRecovered | Self::NotifierRecovered => "ok",
            Self::SourceGap => "gap",
            Self::NetworkOffline => "offline",
            Self::NetworkOnline => "online",
            Self::StoreDamaged => "damaged",
        }
    }
}

/// A time in the words of an event: `2026-11-23 17:40 UTC`.
pub(crate) fn minute(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// Something that happened to a source, a host, the network, a notifier or the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its id.
    pub id: EventId,
    /// What happened.
    pub kind: EventKind,
    /// The source; the host, when its sources share the trouble; the machine, for the network and the store and for
    /// gaps of several sources; the notifier.
    pub name: String,
    /// Of a failure, and of the recovery from one: its class. Of gaps of several sources: [`AWAY`]. Of damage: how much
    /// of the store was left.
    pub reason: Option<String>,
    /// The recipient of the notifier who takes nothing, or does again; empty where the notifier names none, and of all else.
    pub recipient: String,
    /// Since when it is so.
    pub since: Timestamp,
    /// In words.
    pub detail: String,
    /// When it was found out.
    pub created: Timestamp,
}

impl Event {
    /// An event found out at `now`; the same arguments make the same id.
    pub fn new(
        kind: EventKind,
        name: &str,
        reason: Option<&str>,
        since: Timestamp,
        detail: String,
        now: Timestamp,
    ) -> Self {
        let age = u64::try_from(now.as_millisecond()).unwrap_or_default().to_be_bytes();
        let (reason_bytes, since_bytes) = (reason.unwrap_or_default().as_bytes(), since.to_string());
        let rest = digest(&[
            b"event",
            kind.as_str().as_bytes(),
            name.as_bytes(),
            reason_bytes,
            since_bytes.as_bytes(),
            &age,
        ]);
        let id = EventId(std::array::from_fn(|i| if i < 6 { age[i + 2] } else { rest[i] }));
        Self {
            id,
            kind,
            name: name.to_owned(),
            reason: reason.map(str::to_owned),
            recipient: String::new(),
            since,
            detail,
            created: now,
        }
    }

    /// The same of one recipient alone, and with an id of its own: others may be told of at the same time.
    #[must_use]
    pub fn about(mut self, recipient: &str) -> Self {
        let EventId(id) = self.id;
        let rest = digest(&[b"event", &id, recipient.as_bytes()]);
        self.id = EventId(std::array::from_fn(|i| if i < 6 { id[i] } else { rest[i] }));
        recipient.clone_into(&mut self.recipient);
        self
    }
}
