//! Trouble that the sources of one host share: one incident, not one for each.

use jiff::{SignedDuration, Timestamp};

use super::{Event, EventKind};

/// So many sources of a host in the same trouble are an incident of the host.
pub const MEMBERS_MIN: usize = 3;

/// Sources remembered for one host; more add nothing.
const MEMBERS_MAX: usize = 16;

/// Backoff ends at a day: a source not tried for longer is gone from the config.
const MEMBER_KEPT: SignedDuration = SignedDuration::from_hours(30);

/// The sources of a host that cannot reach it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostTrouble {
    /// Those whose last poll could not reach it; the latest last.
    pub members: Vec<Member>,
    /// The class told of, and since when it is so, once an event told of the host.
    pub told: Option<(String, Timestamp)>,
}

/// A source that cannot reach its host.
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
    /// Takes note of a poll that could not reach the host.
    pub(super) fn note(&mut self, member: Member) {
        self.members.retain(|other| {
            other.source != member.source && member.at.duration_since(other.at) < MEMBER_KEPT
        });
        if self.members.len() >= MEMBERS_MAX {
            self.members.remove(0);
        }
        self.members.push(member);
    }

    /// The incident of the host, when enough sources share the trouble.
    pub(super) fn incident(
        &mut self,
        host: &str,
        reason: &str,
        detail: &str,
        now: Timestamp,
    ) -> Option<Event> {
        let shared: Vec<&Member> = self.members.iter().filter(|member| member.reason == reason).collect();
        if shared.len() < MEMBERS_MIN {
            return None;
        }
        let since = shared.iter().map(|member| member.since).min().unwrap_or(now);
        let names: Vec<&str> = shared.iter().map(|member| member.source.as_str()).collect();
        let more = if names.len() == MEMBERS_MAX { " and perhaps more" } else { "" };
        let detail = format!("{detail}; sources: {}{more}", names.join(", "));
        self.told = Some((reason.to_owned(), since));
        Some(Event::new(EventKind::SourceFailing, host, Some(reason), since, detail, now))
    }

    /// The host answered `source`: an incident ends with its first answer.
    pub(super) fn heard(&mut self, host: &str, source: &str, now: Timestamp) -> Option<Event> {
        let Some((reason, since)) = self.told.take() else {
            self.members.retain(|member| member.source != source);
            return None;
        };
        self.members.clear();
        let detail = format!("the host answers again, after failing since {since:.0}");
        Some(Event::new(EventKind::SourceRecovered, host, Some(&reason), now, detail, now))
    }
}
