//! Several alerts in one message: how they are parted, and how each is told in a few lines.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::foreign::line;
use super::wording::{self, Link};
use crate::rules::spec::Severity;
use crate::story::Alert;
use crate::wire;

/// Alerts in a part at most.
pub const PART_ALERTS_MAX: usize = 100;

/// Bytes of a part at most, counted as JSON; a single alert may pass it.
const PART_BYTES_MAX: usize = 256 * 1024;

/// One part of a digest.
#[derive(Clone, Copy, Debug)]
pub struct Digest<'a> {
    /// Its alerts; at least one.
    pub alerts: &'a [Alert],
    /// Its number, from 1.
    pub part: usize,
    /// How many there are.
    pub parts: usize,
}

impl Digest<'_> {
    /// The gravest of its alerts.
    pub(crate) fn severity(&self) -> Severity {
        self.alerts.iter().map(|alert| alert.severity).max().unwrap_or(Severity::Info)
    }

    /// When its newest alert was made: the same on every attempt.
    pub(crate) fn created(&self) -> Timestamp {
        self.alerts.iter().map(|alert| alert.created).max().unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// `3 alerts`, and which part of how many when there are several.
    pub(crate) fn headline(&self) -> String {
        let (count, alerts) = (self.alerts.len(), if self.alerts.len() == 1 { "alert" } else { "alerts" });
        match self.parts {
            0 | 1 => format!("{count} {alerts}"),
            parts => format!("{count} {alerts}, part {} of {parts}", self.part),
        }
    }
}

/// `alerts` in their order, cut into as few parts as the limits allow.
pub fn parts(alerts: &[Alert]) -> Vec<&[Alert]> {
    let mut parts = Vec::new();
    let (mut begin, mut bytes) = (0, 0);
    for (at, alert) in alerts.iter().enumerate() {
        let size = serde_json::to_vec(&wire::alert::Alert::from(alert.clone())).map_or(0, |json| json.len());
        if at > begin && (at - begin == PART_ALERTS_MAX || bytes + size > PART_BYTES_MAX) {
            parts.extend(alerts.get(begin..at));
            (begin, bytes) = (at, 0);
        }
        bytes += size;
    }
    parts.extend(alerts.get(begin..).filter(|rest| !rest.is_empty()));
    parts
}

/// An alert in a digest: its rules, what it says, from whom and when, its link, and the command that tells more.
pub(crate) fn entry(alert: &Alert, desk: &TimeZone) -> Vec<String> {
    let mut lines = vec![
        format!("{}: {}", alert.severity.as_str().to_uppercase(), wording::rules(alert)),
        wording::headline(alert),
        format!("{}; published {}", line(&wording::source(alert)), wording::published(alert, desk)),
    ];
    match wording::link(alert) {
        Link::Address(url) => lines.push(url.into()),
        Link::LeftOut(why) => lines.push(format!("({why})")),
        Link::None => {}
    }
    lines.push(wording::explain(alert));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::item::{Item, ItemId};
    use crate::story::{AlertId, AlertKind, Disposition, Story, StoryId};

    fn alert(severity: Severity, text_bytes: usize) -> Alert {
        let at = Timestamp::UNIX_EPOCH;
        let item = Item { id: ItemId::from_bytes([7; 16]), ..Item::of_text("", "x".repeat(text_bytes)) };
        let id = AlertId::new(at, item.id);
        let story = Story {
            id: StoryId::opened_by(id),
            reports: 1,
            sources: Vec::new(),
            first_seen: at,
            severity,
            told: Vec::new(),
        };
        Alert {
            id,
            kind: AlertKind::New,
            disposition: Disposition::Sent,
            unrouted: false,
            created: at,
            severity,
            rules: Vec::new(),
            untold: Vec::new(),
            item,
            truncated: false,
            tier: 2,
            fetched: at,
            dating: crate::item::Dating::Plain,
            entities: Vec::new(),
            places: Vec::new(),
            story,
        }
    }

    #[test]
    fn parts_keep_to_their_limits_and_lose_nothing() {
        for (count, bytes, expected) in [
            (0, 10, vec![]),
            (1, 10, vec![1]),
            (100, 10, vec![100]),
            (201, 10, vec![100, 100, 1]),
            (70, 8_000, vec![31, 31, 8]),
            (3, 300_000, vec![1, 1, 1]),
        ] {
            let alerts = vec![alert(Severity::Low, bytes); count];
            let lengths: Vec<usize> = parts(&alerts).iter().map(|part| part.len()).collect();
            assert_eq!(lengths, expected, "{count} of {bytes} bytes");
        }
    }

    #[test]
    fn a_digest_says_how_much_it_holds() {
        let alerts = [alert(Severity::Low, 1), alert(Severity::High, 1)];
        for (alerts, part, parts, expected) in [
            (&alerts[..1], 1, 1, "1 alert low"),
            (&alerts[..], 1, 1, "2 alerts high"),
            (&alerts[..], 2, 3, "2 alerts, part 2 of 3 high"),
        ] {
            let digest = Digest { alerts, part, parts };
            assert_eq!(format!("{} {}", digest.headline(), digest.severity()), expected);
        }
    }
}
