//! What decides whether something that is about to leave must wait after all.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::hold::who;
use crate::desk::Desk;
use crate::outbox::{Delivery, DeliveryState, Freedom};
use crate::route::hold::{Asked, Budget, Hold};
use crate::route::{self, Facts, Recipient, Routed, Routes};
use crate::rules::SourceLabel;
use crate::store::{StoreError, Transaction};
use crate::story::Alert;

/// The question for an alert, or for several that leave as one message.
pub(super) struct Question {
    routes: Arc<Routes>,
    routed: Routed,
    asked: Asked,
    /// Whether it uses up budgets.
    counts: bool,
}

impl Question {
    /// The question for `alert`, under the routes now in force.
    pub(super) fn of(desk: &Desk, alert: &Alert, now: Timestamp) -> Self {
        let story = &alert.story;
        let asked = Asked { severity: alert.severity, story: story.id, began: story.first_seen, now };
        let routes = Arc::clone(&desk.in_force.routes);
        Self { routes, routed: routed(desk, alert), asked, counts: true }
    }

    /// The question for `alerts` that leave as one message: by the gravest of them and the routes of all, and of quiet
    /// hours alone, for what is bundled was held to a budget before. None where there are no alerts.
    pub(super) fn of_bundle(desk: &Desk, alerts: &[Alert], now: Timestamp) -> Option<Self> {
        let gravest = alerts.iter().max_by_key(|alert| alert.severity)?;
        let mut together = Routed::default();
        for place in alerts.iter().flat_map(|alert| routed(desk, alert).routes) {
            if !together.routes.contains(&place) {
                together.routes.push(place);
            }
        }
        Some(Self { routed: together, counts: false, ..Self::of(desk, gravest, now) })
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
    desk.in_force.routes.of_alert(&Facts {
        severity: alert.severity,
        rules: &alert.rules,
        source: source.map(|name| SourceLabel { name, tags }),
        tier: alert.tier,
        entities: &route::mentioned(&alert.entities, &alert.places),
    })
}
