//! Several alerts in one message: how they are parted, and how each is told in a few lines.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::foreign::line;
use super::wording::{self, Link};
use crate::outbox::bundle::{self, Cause};
use crate::rules::spec::Severity;
use crate::story::Alert;
use crate::wire;

/// A digest, or one part of it.
#[derive(Clone, Copy, Debug)]
pub struct Digest<'a> {
    /// What its alerts waited for; `None` when somebody asked for them.
    pub cause: Option<Cause>,
    /// Its alerts; at least one.
    pub alerts: &'a [Alert],
    /// How many more it has, behind those and no graver; none where every alert is told.
    pub left: usize,
    /// Its number, from 1.
    pub part: usize,
    /// How many there are.
    pub parts: usize,
    /// When it was made: the same on every attempt.
    pub created: Timestamp,
}

impl Digest<'_> {
    /// The gravest of its alerts.
    pub(crate) fn severity(&self) -> Severity {
        self.alerts.iter().map(|alert| alert.severity).max().unwrap_or(Severity::Info)
    }

    /// `3 alerts of quiet hours`, and which part of how many when there are several.
    pub(crate) fn headline(&self) -> String {
        let count = self.alerts.len() + self.left;
        let alerts = if count == 1 { "alert" } else { "alerts" };
        let cause = match self.cause {
            Some(Cause::Batch) => " of one story",
            Some(Cause::Digest) => " since the last digest",
            Some(Cause::Quiet) => " of quiet hours",
            Some(Cause::Budget) => " over the budget",
            Some(Cause::Late) if self.alerts.iter().all(|alert| alert.repeat.is_some()) => {
                " that may have been told before"
            }
            Some(Cause::Late) => " that were held up",
            None => "",
        };
        match self.parts {
            0 | 1 => format!("{count} {alerts}{cause}"),
            parts => format!("{count} {alerts}{cause}, part {} of {parts}", self.part),
        }
    }
}

/// `alerts` in their order, cut into as few parts as the limits allow.
pub fn parts(alerts: &[Alert]) -> Vec<&[Alert]> {
    let bytes: Vec<usize> = alerts.iter().map(json_bytes).collect();
    bundle::cut(&bytes).into_iter().filter_map(|part| alerts.get(part)).collect()
}

/// Bytes of an alert's JSON.
pub fn json_bytes(alert: &Alert) -> usize {
    serde_json::to_vec(&wire::alert::Alert::from(alert.clone())).map_or(0, |json| json.len())
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
    lines.extend(wording::article(alert).map(str::to_owned));
    lines.extend(wording::repeat(alert, desk));
    lines.extend(wording::unrouted(alert).map(str::to_owned));
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
            article: None,
            tier: 2,
            fetched: at,
            dating: crate::item::Dating::Plain,
            repeat: None,
            entities: Vec::new(),
            places: Vec::new(),
            story,
        }
    }

    #[test]
    fn a_digest_says_how_much_it_holds() {
        let alerts = [alert(Severity::Low, 1), alert(Severity::High, 1)];
        for (cause, alerts, left, (part, parts), expected) in [
            (None, &alerts[..1], 0, (1, 1), "1 alert low"),
            (None, &alerts[..], 0, (1, 1), "2 alerts high"),
            (None, &alerts[..], 0, (2, 3), "2 alerts, part 2 of 3 high"),
            (Some(Cause::Digest), &alerts[..1], 0, (1, 1), "1 alert since the last digest low"),
            (Some(Cause::Quiet), &alerts[..], 0, (1, 2), "2 alerts of quiet hours, part 1 of 2 high"),
            (Some(Cause::Quiet), &alerts[..], 448, (1, 1), "450 alerts of quiet hours high"),
        ] {
            let digest = Digest { cause, alerts, left, part, parts, created: Timestamp::UNIX_EPOCH };
            assert_eq!(format!("{} {}", digest.headline(), digest.severity()), expected);
        }
    }
}
