//! The alert for an item on which rules fired, and the deliveries that it owes.

use super::take::Ingest;
use super::{Judged, Receipt};
use crate::item::Item;
use crate::outbox::{Delivery, DeliveryId, DeliveryState};
use crate::rules::spec::Severity;
use crate::rules::verdict::Verdict;
use crate::store::StoreError;
use crate::story::join::{self, Joined, Report};
use crate::story::{Alert, AlertId, Disposition, Story, TEXT_BYTES_MAX};
use crate::text::Field;

impl Ingest<'_> {
    /// Records an alert and, when it is to be sent, what it owes.
    pub(super) fn alert(
        &self,
        judged: &Judged,
        verdict: Verdict,
        receipt: &mut Receipt,
    ) -> Result<(), StoreError> {
        let item = &judged.candidate.item;
        let now = self.poll.started;
        let id = AlertId::new(now, item.id);
        let severity = verdict.severity().unwrap_or(Severity::Info);
        let stale = item.published.or(item.updated).is_some_and(|stated| {
            let age = now.duration_since(stated);
            !age.is_negative() && age.unsigned_abs() > self.force.max_age
        });
        let Joined { story, kind, disposition } = self.join(item, id, severity, stale)?;
        let (item, truncated) = cut(item);
        let mut rules = verdict.fired;
        for rule in &mut rules {
            rule.why.retain(|why| why.field == Field::Title || why.span.end <= item.text.len());
        }
        let alert = Alert {
            id,
            kind,
            disposition,
            created: now,
            severity,
            rules,
            item,
            truncated,
            tier: self.poll.source.tier,
            fetched: now,
            entities: verdict.entities,
            places: verdict.places,
            story,
        };
        self.tx.put_alert(&alert)?;
        if disposition == Disposition::Sent {
            self.owe(&alert, receipt)?;
        }
        receipt.alerts.push((id, disposition));
        Ok(())
    }

    /// The story that the item opens or joins. A stale item neither opens nor joins one for others.
    fn join(&self, item: &Item, id: AlertId, severity: Severity, stale: bool) -> Result<Joined, StoreError> {
        let report = Report { alert: id, source: &self.poll.source.name, severity, now: self.poll.started };
        if stale {
            return Ok(Joined { disposition: Disposition::Stale, ..join::join(None, report) });
        }
        let keys = join::keys(item);
        let mut open: Option<Story> = None;
        for key in &keys {
            if let Some((story, _)) = self.tx.story_under(*key)?.filter(|_| open.is_none()) {
                open = self.tx.story(story)?.filter(|story| join::is_open(story, self.poll.started));
            }
        }
        let joined = join::join(open, report);
        self.tx.put_story(&joined.story)?;
        for key in keys {
            self.tx.file_story(key, joined.story.id, joined.story.first_seen)?;
        }
        Ok(joined)
    }

    fn owe(&self, alert: &Alert, receipt: &mut Receipt) -> Result<(), StoreError> {
        for (notifier, recipient) in self.force.recipients.iter() {
            let delivery = Delivery {
                id: DeliveryId::new(alert.id, notifier, recipient),
                alert: alert.id,
                notifier: notifier.clone(),
                recipient: recipient.clone(),
                created: self.poll.started,
                attempts: 0,
                state: DeliveryState::Ready,
            };
            self.tx.put_delivery(&delivery)?;
            receipt.deliveries.push(delivery);
        }
        Ok(())
    }
}

/// The item with its text cut at [`TEXT_BYTES_MAX`], and whether it was.
pub(super) fn cut(item: &Item) -> (Item, bool) {
    let end = item.text.floor_char_boundary(TEXT_BYTES_MAX);
    let truncated = end < item.text.len();
    let text = item.text.get(..end).unwrap_or_default().to_owned();
    (Item { text, ..item.clone() }, truncated)
}
