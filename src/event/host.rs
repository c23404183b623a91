//! Trouble that the sources of one host share: one incident, not one for each.

use jiff::{SignedDuration, Timestamp};

use super::{Event, EventKind, minute};

/// So many sources of a host in the same trouble are an incident of the host.
pub const MEMBERS_MIN: usize = 3;

/// Sources remembered for one host; more add nothing.
const MEMBERS_MAX: usize = 16;

/// Backoff ends at a day: a source not tried for longer is gone from the config.
const MEMBER_KEPT: SignedDuration = SignedDuration::from_hours(30);

/// The sources of a host that cannot be read for what may be the host's trouble.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostTrouble {
    /// Those whose last poll failed so; the latest last.
    pub members: Vec<Member>,
    /// When another source of the host was last read, while some cannot be.
    pub read: Option<Timestamp>,
    /// The incident that an event told of.
    pub told: Option<Incident>,
}

/// An incident of a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incident {
    /// The class told of.
    pub reason: String,
    /// Since when it is so.
    pub since: Timestamp,
    /// Whether the host answers, so that only a source that can be read again ends it.
    pub answers: bool,
}

/// A source that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its name.
    pub source: String,
    /// Class of the failure.
    pub reason: String,
    /// Since when its polls fail.
    pub since: Timestamp,
    /// Its last poll.
    pub at: Timestamp,
}

impl HostTrouble {
    /// Whether another source was read since then.
    pub(super) fn spared(&self, since: Timestamp) -> bool {
        self.read.is_some_and(|read| since <= read)
    }

    /// The source fails elsewhere now, or is read elsewhere.
    pub fn leave(&mut self, source: &str) {
        self.members.retain(|member| member.source != source);
        self.read = self.read.filter(|_| !self.members.is_empty());
    }

    /// No source is asked there any more.
    pub fn clear(&mut self) {
        (self.members, self.read) = (Vec::new(), None);
    }

    /// An incident that no source bears out any more is over, though the host itself may never answer again.
    pub fn end_deserted(&mut self, host: &str, now: Timestamp) -> Option<Event> {
        let is_deserted = self.members.is_empty();
        let over = self.told.take_if(|_| is_deserted);
        over.map(|incident| incident.end(host, "none of its sources fails there any more", now))
    }

    /// Takes note of a poll that failed so.
    pub(super) fn note(&mut self, member: Member) {
        self.members.retain(|other| {
            other.source != member.source && member.at.duration_since(other.at) < MEMBER_KEPT
        });
        if self.members.len() >= MEMBERS_MAX {
            self.members.remove(0);
        }
        self.members.push(member);
    }

    /// The incident of the host, when enough sources share the trouble and the host could be reached or not.
    pub(super) fn incident(
        &mut self,
        host: &str,
        answers: bool,
        (reason, detail): (&str, &str),
        now: Timestamp,
    ) -> Option<Event> {
        // Where the host answers, one that failed before another was read has a trouble of its own.
        let own = |member: &Member| answers && self.spared(member.since);
        // What was told already is told again of those alone that fared worse since.
        let is_new = |member: &Member| self.told.as_ref().is_none_or(|told| told.since < member.since);
        let is_shared = |member: &&Member| member.reason == reason && !own(member) && is_new(member);
        let shared = self.members.iter().filter(is_shared);
        let shared: Vec<&Member> = shared.collect();
        if shared.len() < MEMBERS_MIN {
            return None;
        }
        let since = shared.iter().map(|member| member.since).min().unwrap_or(now);
        let names: Vec<&str> = shared.iter().map(|member| member.source.as_str()).collect();
        let more = if names.len() == MEMBERS_MAX { " and perhaps more" } else { "" };
        let detail = format!("{detail}; sources: {}{more}", names.join(", "));
        self.told = Some(Incident { reason: reason.to_owned(), since, answers });
        Some(Event::new(EventKind::SourceFailing, host, Some(reason), since, detail, now))
    }

    /// The host answered `source`, which could be read or not. An incident ends with the first answer, or where the
    /// host answered all along with the first source that can be read.
    pub(super) fn heard(&mut self, host: &str, source: &str, read: bool, now: Timestamp) -> Option<Event> {
        let members = self.members.len();
        self.members.retain(|member| member.source != source);
        let is_member = self.members.len() < members;
        let over = self.told.take_if(|told| read || !told.answers);
        // One that is read where the host answered all along tells that those that fail on have a trouble of their own:
        // each of them is told, and none of them makes another incident.
        if over.as_ref().is_some_and(|told| !told.answers) {
            self.clear();
        }
        if read {
            self.read = Some(now).filter(|_| !self.members.is_empty());
        }
        let over = over?;
        let what = match (over.answers, is_member) {
            (true, true) => "its sources can be read again",
            (true, false) => "another of its sources can be read",
            (false, _) => "the host answers again",
        };
        Some(over.end(host, what, now))
    }
}

impl Incident {
    /// What is told of its end.
    fn end(&self, host: &str, what: &str, now: Timestamp) -> Event {
        let detail = format!("{what}, after failing since {}", minute(self.since));
        Event::new(EventKind::SourceRecovered, host, Some(&self.reason), now, detail, now)
    }
}
