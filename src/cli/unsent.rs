//! Alerts that a backtest would add, on their way out as one digest.
//!
//! They are in no store and in no outbox: each part is sent once, and whoever sends it sees what came of it.

use anyhow::bail;
use jiff::Timestamp;

use super::reach::{Session, unexpected};
use crate::control::api::TestSent;
use crate::control::{Call, Reply, rows};
use crate::daemon::clock;
use crate::desk::Desk;
use crate::item::Dating;
use crate::notify::digest::parts;
use crate::rules::spec::{Mode, Severity};
use crate::rules::verdict::{EntityRef, PlaceRef, Verdict};
use crate::store::StoredItem;
use crate::story::{Alert, AlertId, AlertKind, Disposition, Story, StoryId, TEXT_BYTES_MAX};

/// Alerts that are sent at most: more are a flood, and a mistake in a rule.
const ALERTS_MAX: usize = 1_000;

/// Bytes that the store may leave free of its limit when it cuts a text: the character that did not fit.
const CHARACTER_BYTES_MAX: usize = 4;

/// Tier of an item whose source is no longer configured: unverified.
const TIER_UNKNOWN: u8 = 3;

/// The alerts, newest day first.
pub(super) struct Unsent {
    wanted: bool,
    now: Timestamp,
    alerts: Vec<Alert>,
    left_out: usize,
}

impl Unsent {
    /// Gathers nothing unless something is to be sent.
    pub(super) fn new(wanted: bool) -> Self {
        Self { wanted, now: clock::now(), alerts: Vec::new(), left_out: 0 }
    }

    /// Takes an item that would alert.
    pub(super) fn take(&mut self, desk: &Desk, stored: StoredItem, verdict: Verdict) {
        if !self.wanted {
            return;
        }
        if self.alerts.len() == ALERTS_MAX {
            self.left_out += 1;
            return;
        }
        self.alerts.push(alert(desk, stored, verdict, self.now));
    }

    /// Sends them: for each part and recipient what came of it.
    pub(super) async fn send(self, session: &Session) -> anyhow::Result<Vec<TestSent>> {
        if self.left_out > 0 {
            let count = self.alerts.len() + self.left_out;
            bail!(
                "{count} alerts would be sent, more than {ALERTS_MAX}; nothing was\n  \
                 hint: shorten --since, or look at the rules without --send first"
            );
        }
        let parts = parts(&self.alerts);
        let mut sent = Vec::new();
        for (number, part) in (1..).zip(&parts) {
            let alerts = part.iter().cloned().map(rows::alert).collect();
            let whole = self.alerts.len();
            let call = Call::SendDigest { alerts, part: number, parts: parts.len(), whole };
            let reply = session.call(call).await?;
            let Reply::SendDigest(outcomes) = reply else { return unexpected(reply) };
            sent.extend(outcomes);
        }
        Ok(sent)
    }
}

/// The alert that the item would have made, in a story of its own.
fn alert(desk: &Desk, stored: StoredItem, verdict: Verdict, now: Timestamp) -> Alert {
    let item = stored.item;
    let id = AlertId::new(now, item.id);
    let spec = desk.config.sources.iter().find(|spec| Some(&spec.name) == item.source.as_ref());
    let rules: Vec<_> = verdict.fired.into_iter().filter(|fired| fired.mode == Mode::Live).collect();
    let severity = rules.iter().map(|fired| fired.severity).max().unwrap_or(Severity::Info);
    Alert {
        id,
        kind: AlertKind::New,
        disposition: Disposition::Sent,
        unrouted: false,
        created: now,
        severity,
        rules,
        untold: Vec::new(),
        truncated: item.text.len() > TEXT_BYTES_MAX - CHARACTER_BYTES_MAX,
        article: None,
        tier: spec.map_or(TIER_UNKNOWN, |spec| spec.tier),
        fetched: stored.fetched,
        dating: Dating::of(&item, stored.fetched, None),
        repeat: None,
        entities: verdict.entities.iter().map(|told| EntityRef::clone(told)).collect(),
        places: verdict.places.iter().map(|told| PlaceRef::clone(told)).collect(),
        story: Story {
            id: StoryId::opened_by(id),
            reports: 1,
            sources: item.source.iter().cloned().collect(),
            first_seen: now,
            told: Vec::new(),
            severity,
        },
        item,
    }
}
