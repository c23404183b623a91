//! The alert for an item on which rules fired, what of them it tells, and the deliveries that it owes.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::take::Ingest;
use super::{InForce, Receipt, by_both};
use crate::item::{Dating, Item, SourceName};
use crate::outbox::{Delivery, DeliveryState};
use crate::route::hold::Asked;
use crate::route::{self, Facts, Routed};
use crate::rules::SourceLabel;
use crate::rules::spec::{Mode, Severity};
use crate::rules::verdict::{EntityRef, Match, PlaceRef, Reason, Verdict};
use crate::silence;
use crate::store::{StoreError, Transaction};
use crate::story::join::{self, Joined, Report};
use crate::story::kept::Kept;
use crate::story::{Alert, AlertId, Disposition, Story, TEXT_BYTES_MAX};
use crate::text::{ByteSpan, Field};

/// What an alert tells of.
#[derive(Clone, Copy)]
pub(super) struct Told<'a> {
    /// The item as the rules judged it.
    pub(super) item: &'a Item,
    /// Where in its text that of its article begins, where it was judged together with that.
    pub(super) article: Option<usize>,
    /// Its link, as far as that names it and no other that its source shows.
    pub(super) link: Option<&'a str>,
}

/// What making an alert needs.
pub(super) struct Recorder<'a> {
    pub(super) tx: &'a dyn Transaction,
    pub(super) force: &'a InForce,
    /// When it is made.
    pub(super) now: Timestamp,
    /// What the clock of the server showed that showed the item.
    pub(super) clock: Option<Timestamp>,
    /// Source of its item.
    pub(super) source: &'a SourceName,
    /// Tags of that source.
    pub(super) tags: &'a [String],
    /// Tier of that source.
    pub(super) tier: u8,
    /// Since when the store, restored, may have forgotten that it was told.
    pub(super) repeat: Option<Timestamp>,
}

impl Ingest<'_> {
    /// Records the alert for an item of the harvest.
    pub(super) fn alert(
        &self,
        told: Told<'_>,
        verdict: Verdict,
        dating: Dating,
        receipt: &mut Receipt,
    ) -> Result<(), StoreError> {
        let (source, now) = (&self.poll.source, self.poll.started);
        let recorder = Recorder {
            tx: self.tx,
            force: self.force,
            now,
            clock: self.poll.witness.clock,
            source: &source.name,
            tags: &source.tags,
            tier: source.tier,
            repeat: self.repeat,
        };
        recorder.alert(told, verdict, dating, receipt)
    }
}

impl Recorder<'_> {
    /// Records an alert and, when it is to be sent, what it owes.
    pub(super) fn alert(
        &self,
        told: Told<'_>,
        verdict: Verdict,
        dating: Dating,
        receipt: &mut Receipt,
    ) -> Result<(), StoreError> {
        let Told { item, article, link } = told;
        // A thousandth of a second apart, alerts of one poll keep the order of their items.
        let place = i64::try_from(receipt.alerts.len()).unwrap_or(i64::MAX);
        let now = self.now.checked_add(SignedDuration::from_millis(place)).unwrap_or(self.now);
        let id = AlertId::new(now, item.id);
        let item = &*verdict.quoted(item);
        let Verdict { fired, entities, places, .. } = verdict;
        let sifted = Sifted::of(fired, age(item, by_both(now, self.clock)), self.force.max_age);
        let severity = sifted.severity();
        let Joined { mut story, kind } =
            self.join(Told { item, article, link }, id, severity, sifted.withheld.is_some())?;
        let (disposition, routed) = match sifted.withheld {
            Some(withheld) => (withheld, Routed::default()),
            None => self.tell(id, &mut story, &sifted, &entities, &places)?,
        };
        let Sifted { mut told, mut untold, .. } = sifted;
        let kept = Kept::of(&item.text, &places_of(told.iter().chain(&untold)), TEXT_BYTES_MAX);
        for rule in told.iter_mut().chain(&mut untold) {
            rule.why =
                std::mem::take(&mut rule.why).into_iter().filter_map(|why| moved(why, &kept)).collect();
        }
        let truncated = kept.text.len() < item.text.len();
        let article = article.map(|begins| kept.behind(begins));
        let item = Item { text: kept.text, ..item.clone() };
        let alert = Alert {
            id,
            kind,
            disposition,
            unrouted: routed.unrouted,
            created: now,
            severity,
            rules: told,
            untold,
            item,
            truncated,
            article,
            tier: self.tier,
            fetched: self.now,
            dating,
            repeat: self.repeat,
            entities: entities.iter().map(|told| EntityRef::clone(told)).collect(),
            places: places.iter().map(|told| PlaceRef::clone(told)).collect(),
            story,
        };
        self.tx.put_alert(&alert)?;
        let asked = Asked { severity, story: alert.story.id, began: alert.story.first_seen, now };
        for who in &routed.to {
            let hold = self.force.routes.hold(&routed, who, asked);
            let state = hold.map_or(DeliveryState::Ready, DeliveryState::Held);
            owe(self.tx, Delivery::owed(who.clone(), id.into(), now, state), receipt)?;
        }
        receipt.alerts.push((id, disposition));
        Ok(())
    }

    /// Whether an alert that tells of something is sent, and to whom: those whom its routes name and who do not know
    /// of its story at this severity yet, unless a silence holds it back.
    fn tell(
        &self,
        id: AlertId,
        story: &mut Story,
        sifted: &Sifted,
        entities: &[Arc<EntityRef>],
        places: &[Arc<PlaceRef>],
    ) -> Result<(Disposition, Routed), StoreError> {
        let mentioned = route::mentioned(entities, places);
        let severity = sifted.severity();
        let facts = Facts {
            severity,
            rules: &sifted.told,
            source: Some(SourceLabel { name: self.source, tags: self.tags }),
            tier: self.tier,
            entities: &mentioned,
        };
        let mut silences = self.tx.silences()?;
        let holding = silence::holding(&silences, &facts, &self.force.routes, story.id, self.now);
        let (disposition, routed) = if let Some(silence) = holding.and_then(|place| silences.get_mut(place)) {
            silence.note(id);
            self.tx.put_silences(&silences)?;
            (Disposition::Silenced, Routed::default())
        } else {
            let Routed { routes, to, unrouted } = self.force.routes.of_alert(&facts);
            let is_for_nobody = to.is_empty();
            let to = join::inform(story, to, severity);
            match (is_for_nobody, to.is_empty()) {
                (true, _) => (Disposition::Recorded, Routed::default()),
                (false, true) => (Disposition::Joined, Routed::default()),
                (false, false) => (Disposition::Sent, Routed { routes, to, unrouted }),
            }
        };
        self.tx.put_story(story)?;
        Ok((disposition, routed))
    }

    /// The story that the item opens or joins. One that tells nothing neither opens nor joins one for others.
    fn join(
        &self,
        told: Told<'_>,
        id: AlertId,
        severity: Severity,
        is_withheld: bool,
    ) -> Result<Joined, StoreError> {
        let report = Report { alert: id, source: self.source, severity, now: self.now };
        if is_withheld {
            return Ok(join::join(None, report));
        }
        let keys = join::keys(told.item, told.link);
        let mut open: Option<Story> = None;
        for (under, key) in &keys {
            if let Some((story, _)) = self.tx.story_under(*key)?.filter(|_| open.is_none()) {
                open = self.tx.story(story)?.filter(|story| join::takes_in(story, *under, report));
            }
        }
        let joined = join::join(open, report);
        for (_, key) in keys {
            self.tx.file_story(key, joined.story.id, joined.story.first_seen)?;
        }
        Ok(joined)
    }
}

/// Owes what a delivery says.
pub(super) fn owe(tx: &dyn Transaction, delivery: Delivery, receipt: &mut Receipt) -> Result<(), StoreError> {
    tx.put_delivery(&delivery)?;
    receipt.deliveries.push(delivery);
    Ok(())
}

/// What of the rules that fired an alert tells, and what it only records.
#[derive(Debug, PartialEq)]
struct Sifted {
    /// Live, and not too old an item for them.
    told: Vec<Match>,
    /// On trial, or live with too old an item.
    untold: Vec<Match>,
    /// When nothing is told: what the alert is instead of sent or joined.
    withheld: Option<Disposition>,
}

impl Sifted {
    /// Sifts what fired on an item of that age; rules without a greatest age of their own take `max_age`.
    fn of(fired: Vec<Match>, age: Option<Duration>, max_age: Duration) -> Self {
        let is_stale = |rule: &Match| age.is_some_and(|age| age > rule.max_age.unwrap_or(max_age));
        let all_stale = fired.iter().all(is_stale);
        let (told, untold): (Vec<_>, Vec<_>) =
            fired.into_iter().partition(|rule| rule.mode == Mode::Live && !is_stale(rule));
        let withheld = match (told.is_empty(), all_stale) {
            (false, _) => None,
            (true, true) => Some(Disposition::Stale),
            (true, false) => Some(Disposition::Shadow),
        };
        Self { told, untold, withheld }
    }

    /// The highest severity among what is told; when nothing is, what it would have been.
    fn severity(&self) -> Severity {
        let counted = if self.told.is_empty() { &self.untold } else { &self.told };
        counted.iter().map(|rule| rule.severity).max().unwrap_or(Severity::Info)
    }
}

/// Where in the text rules found their words: the first of each rule, then the second, and so on.
pub(super) fn places_of<'m>(rules: impl Iterator<Item = &'m Match>) -> Vec<ByteSpan> {
    let of_rule = |rule: &'m Match| rule.why.iter().filter(|why| why.field == Field::Text).enumerate();
    let mut places: Vec<_> = rules.flat_map(of_rule).map(|(place, why)| (place, why.span)).collect();
    places.sort_by_key(|(place, _)| *place);
    places.into_iter().map(|(_, span)| span).collect()
}

/// A reason where its words are in what is kept of the text; none when they are not.
fn moved(why: Reason, kept: &Kept) -> Option<Reason> {
    match why.field {
        Field::Title => Some(why),
        Field::Text => Some(Reason { span: kept.place(why.span)?, ..why }),
    }
}

/// How old an item is by the later of the dates it states; none for one that states none or a date to come.
///
/// Both are stated dates, and what its publisher changed today is news of today. A site that dates all its entries
/// anew tells nothing by that: known entries alert by an edit of their words alone, and unknown ones are few.
fn age(item: &Item, now: Timestamp) -> Option<Duration> {
    let age = now.duration_since(item.published.max(item.updated)?);
    (!age.is_negative()).then(|| age.unsigned_abs())
}

/// Whether a rule fired whose alerts are sent.
pub(super) fn fires(verdict: &Verdict) -> bool {
    verdict.fired.iter().any(|rule| rule.mode == Mode::Live)
}

/// Whether the rules have to look at all of its text before it is stored: part of it is not, or nearly. Of what is stored
/// at that length nobody could tell later.
pub(super) fn is_long(item: &Item) -> bool {
    item.text.len() + char::MAX.len_utf8() > TEXT_BYTES_MAX
}

/// The item with its text cut at [`TEXT_BYTES_MAX`], as it is stored.
pub(super) fn cut(item: &Item) -> Item {
    Item { text: Kept::of(&item.text, &[], TEXT_BYTES_MAX).text, ..item.clone() }
}
