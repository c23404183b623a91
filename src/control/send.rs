//! Messages that are sent by hand, outside the outbox: once, the outcome told to whoever sent them.

use super::answer::refused;
use super::api::{self, Mistake, Reply};
use crate::daemon::clock;
use crate::desk::Desk;
use crate::id::NotAnId;
use crate::item::Dating;
use crate::notify::digest::Digest;
use crate::notify::{Body, Message, Notifier};
use crate::outbox::DeliveryId;
use crate::rules::verdict::{EntityRef, Match, PlaceRef};
use crate::story::{Alert, AlertId, AlertKind, Disposition};
use crate::wire::alert::severity;

/// Sends a test message through the notifier of that name, or through all.
pub async fn send_tests(desk: &Desk, only: Option<&str>) -> Reply {
    let sent = send(desk, only, AlertId::lowest_at(clock::now()), |_| Some(Body::Test)).await;
    match (sent.is_empty(), only) {
        (true, Some(name)) => Mistake::unknown("notifier", name, names(desk)).into(),
        _ => Reply::SendTest(sent),
    }
}

/// The names of all notifiers, also of those that cannot be used here.
pub(super) fn names(desk: &Desk) -> impl Iterator<Item = &str> {
    desk.notifiers.iter().map(|notifier| notifier.name()).chain(desk.unchecked.iter().map(String::as_str))
}

/// Sends a part of a digest of `whole` alerts through all notifiers; those that take it in one message are told the first
/// part, and how many alerts are left.
pub(super) async fn send_digest(
    desk: &Desk,
    alerts: Vec<api::Alert>,
    (part, parts): (usize, usize),
    whole: usize,
) -> Reply {
    let alerts: Result<Vec<Alert>, NotAnId> = alerts.into_iter().map(unstored).collect();
    let alerts = match alerts {
        Ok(alerts) => alerts,
        Err(error) => return refused(error.to_string()),
    };
    let Some(first) = alerts.first() else { return refused("a digest without alerts is not sent") };
    let created = clock::now();
    let body = |notifier: &Notifier| {
        let digest = Digest { cause: None, alerts: &alerts, left: 0, part, parts, created };
        if notifier.takes_parts() {
            return Some(Body::Digest(digest));
        }
        let left = whole.saturating_sub(alerts.len());
        (part == 1).then_some(Body::Digest(Digest { left, parts: 1, ..digest }))
    };
    Reply::SendDigest(send(desk, None, first.id, body).await)
}

/// Sends to everyone once what `body` makes for their notifier; `alert` makes the ids of the messages.
async fn send<'a>(
    desk: &Desk,
    only: Option<&str>,
    alert: AlertId,
    body: impl Fn(&Notifier) -> Option<Body<'a>>,
) -> Vec<api::TestSent> {
    let mut sent = Vec::new();
    for notifier in desk.notifiers.iter().filter(|n| only.is_none_or(|only| n.name() == only)) {
        let Some(body) = body(notifier) else { continue };
        for recipient in notifier.recipients() {
            let now = clock::now();
            let message = Message {
                id: DeliveryId::new(alert, notifier.name(), &recipient),
                body: body.clone(),
                recipient: &recipient,
                timezone: &desk.config.desk.timezone,
                now,
                sent: Some(now),
                late: false,
                possible_duplicate: false,
                follows: None,
            };
            let (accepted, detail) = match notifier.send(&message).await {
                Ok(accepted) => (true, accepted.detail),
                Err(failure) => (false, failure.reason().to_owned()),
            };
            sent.push(api::TestSent { notifier: notifier.name().into(), recipient, accepted, detail });
        }
    }
    for name in desk.unchecked.iter().filter(|name| only.is_none_or(|only| *name == only)) {
        sent.push(api::TestSent {
            notifier: name.clone(),
            recipient: String::new(),
            accepted: false,
            detail: "not checkable here: only the service can read its credential".into(),
        });
    }
    sent
}

/// An alert that came over the socket and lies in no store.
fn unstored(told: api::Alert) -> Result<Alert, NotAnId> {
    let alert = told.alert;
    let severity = severity(&alert.severity);
    Ok(Alert {
        id: alert.id.parse()?,
        kind: AlertKind::New,
        disposition: Disposition::Sent,
        unrouted: false,
        created: told.created,
        severity,
        rules: alert.rules.into_iter().map(Match::from).collect(),
        untold: Vec::new(),
        item: alert.item.item.try_into()?,
        truncated: alert.item.truncated,
        article: alert.item.article_start,
        tier: alert.item.tier,
        fetched: alert.item.fetched,
        dating: Dating::from_word(alert.item.dated.as_deref()),
        repeat: alert.backup,
        entities: alert.entities.into_iter().map(EntityRef::from).collect(),
        places: alert.places.into_iter().map(PlaceRef::from).collect(),
        story: alert.story.into_core(severity)?,
    })
}
