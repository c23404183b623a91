//! What decides whether something that is about to leave must wait after all.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::hold::who;
use crate::desk::Desk;
use crate::notify::punctuality;
use crate::outbox::{Delivery, DeliveryState, Freedom};
use crate::route::hold::{Asked, Budget, Hold};
use crate::route::{self, Facts, Recipient, Routed, Routes};
use crate::rules::SourceLabel;
use crate::silence::{self, Silence};
use crate::store::{StoreError, Transaction};
use crate::story::Alert;

/// The question for an alert, or for several that leave as one message.
pub(super) struct Question {
    routes: Arc<Routes>,
    routed: Routed,
    asked: Asked,
    /// Whether it uses up budgets.
    counts: bool,
    /// What is told, as far as it was read.
    pub(super) told: Vec<Alert>,
    /// Whether that is all.
    is_whole: bool,
}

impl Question {
    /// The question for `alert`, under the routes now in force.
    pub(super) fn of(desk: &Desk, alert: &Alert, now: Timestamp) -> Self {
        let story = &alert.story;
        let asked = Asked { severity: alert.severity, story: story.id, began: story.first_seen, now };
        let (routes, told) = (Arc::clone(&desk.in_force.routes), vec![alert.clone()]);
        Self { routes, routed: routed(desk, alert), asked, counts: true, told, is_whole: true }
    }

    /// The question for `alerts` that leave as one message: by the gravest of them and the routes of all, and of quiet
    /// hours alone, for what is bundled was held to a budget before. `left` are those that were not read. None where there
    /// are no alerts.
    pub(super) fn of_bundle(desk: &Desk, alerts: &[Alert], left: usize, now: Timestamp) -> Option<Self> {
        let gravest = alerts.iter().max_by_key(|alert| alert.severity)?;
        let mut together = Routed::default();
        for place in alerts.iter().flat_map(|alert| routed(desk, alert).routes) {
            if !together.routes.contains(&place) {
                together.routes.push(place);
            }
        }
        let (told, is_whole) = (alerts.to_vec(), left == 0);
        Some(Self { routed: together, counts: false, told, is_whole, ..Self::of(desk, gravest, now) })
    }

    /// When it is asked.
    pub(super) fn now(&self) -> Timestamp {
        self.asked.now
    }

    /// The routes now in force.
    pub(super) fn routes(&self) -> &Routes {
        &self.routes
    }

    /// For each alert the place in `silences` of the one that holds it back; `None` where some of what is told is not
    /// held back, or somebody asked for it by hand.
    pub(super) fn silences(&self, silences: &[Silence], delivery: &Delivery) -> Option<Vec<usize>> {
        if delivery.freedom == Freedom::Asked || !self.is_whole {
            return None;
        }
        let holding = |alert: &Alert| {
            let mentioned = route::mentioned(&alert.entities, &alert.places);
            let facts = facts(alert, &[], &mentioned);
            silence::holding(silences, &facts, &self.routes, alert.story.id, self.asked.now)
        };
        self.told.iter().map(holding).collect()
    }

    /// Whether `who` is not told before quiet hours end.
    pub(super) fn waits_for_quiet(&self, who: &Recipient) -> bool {
        // No budget is used up as long as nothing left.
        self.routes.hold_back(&self.routed, who, self.asked, &[]).is_some()
    }

    /// What `delivery` must wait for, unless it does or is closed.
    pub(super) fn hold(&self, tx: &dyn Transaction, delivery: &Delivery) -> Result<Option<Hold>, StoreError> {
        let left = match self.counted_for(delivery) {
            Some(_) => tx.spent(&who(delivery))?,
            None => Vec::new(),
        };
        Ok(self.hold_given(delivery, &left))
    }

    /// The same, given when the messages that count in budgets left.
    pub(super) fn hold_given(&self, delivery: &Delivery, left: &[Timestamp]) -> Option<Hold> {
        // What leaves as one message has waited as long as its routes said. Only what held it up since can have taken it
        // into quiet hours.
        let is_in_time = || delivery.attempts == 0 && !punctuality(delivery.ready, self.asked.now).0;
        if !self.counts && is_in_time() {
            return None;
        }
        let waits = delivery.state.is_open() && delivery.state.held().is_none();
        let left = if self.counts { left } else { &[] };
        let asked = || self.routes.hold_back(&self.routed, &who(delivery), self.asked, left);
        (waits && delivery.freedom != Freedom::Asked).then(asked).flatten()
    }

    /// For how long a message for the recipient of `delivery` counts in the longest of the budgets; `None` where there is
    /// none.
    pub(super) fn counted_for(&self, delivery: &Delivery) -> Option<Duration> {
        let budgets = self.routes.budgets(&self.routed, &who(delivery));
        budgets.iter().map(|budget| budget.per).max().filter(|_| self.counts)
    }

    /// Holds `delivery` back or counts it as a message that leaves; one that was asked for by hand is neither.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub(super) fn ask(&self, tx: &dyn Transaction, delivery: &mut Delivery) -> Result<bool, StoreError> {
        if delivery.freedom == Freedom::Asked {
            return Ok(false);
        }
        if let Some(hold) = self.hold(tx, delivery)? {
            delivery.state = DeliveryState::Held(hold);
            return Ok(true);
        }
        if let Some(longest) = self.counted_for(delivery) {
            let (who, now) = (who(delivery), self.asked.now);
            let mut left = Budget::counted(longest, &tx.spent(&who)?, now);
            left.push(now);
            tx.put_spent(&who, &left)?;
        }
        Ok(false)
    }
}

/// The routes that take `alert`, and to whom they lead.
fn routed(desk: &Desk, alert: &Alert) -> Routed {
    let source = alert.item.source.as_ref();
    let spec = source.and_then(|name| desk.source(name.as_str()));
    let tags = spec.map(|source| source.spec.tags.as_slice()).unwrap_or_default();
    let mentioned = route::mentioned(&alert.entities, &alert.places);
    desk.in_force.routes.of_alert(&facts(alert, tags, &mentioned))
}

/// What routes and silences look at of an alert.
fn facts<'a>(alert: &'a Alert, tags: &'a [String], mentioned: &'a [&'a str]) -> Facts<'a> {
    Facts {
        severity: alert.severity,
        rules: &alert.rules,
        source: alert.item.source.as_ref().map(|name| SourceLabel { name, tags }),
        tier: alert.tier,
        entities: mentioned,
    }
}
