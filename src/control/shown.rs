//! One alert with all that is known of it.

use std::ops::ControlFlow;

use super::answer::Context;
use super::api::{Mistake, Reply, Shown};
use super::{api, fate, rows};
use crate::daemon::clock;
use crate::notify::email::text_part;
use crate::notify::{Body, Message};
use crate::outbox::{Delivery, DeliveryId, Subject};
use crate::store::{Deliveries, Store, StoreError};
use crate::story::{Alert, AlertId};

/// Where the ids of alerts are.
const LISTED: &str = "`harmattan alerts list` tells the ids";

/// All of an alert's text: the store keeps 8 KiB.
const EXCERPT: usize = 100_000;

/// The alert of that id.
pub(super) async fn alert(context: &Context, id: &str) -> Result<Reply, StoreError> {
    let id = match id.parse::<AlertId>() {
        Ok(id) => id,
        Err(error) => return Ok(Mistake::new(error.to_string(), LISTED).into()),
    };
    let Some((alert, row, deliveries)) = context.station.read(move |store| found(store, id)).await? else {
        return Ok(Mistake::new(format!("no alert {id} is stored"), LISTED).into());
    };
    let timezone = context.desk.borrow().config.desk.timezone.clone();
    let message = Message {
        id: DeliveryId::new(id, "", ""),
        body: Body::Alert(&alert),
        recipient: "",
        timezone: &timezone,
        now: clock::now(),
        sent: None,
        late: false,
        possible_duplicate: false,
        follows: None,
    };
    let says = text_part(&message, EXCERPT);
    let deliveries = deliveries.iter().map(rows::delivery).collect();
    Ok(Reply::Alert(Box::new(Shown { alert: row, deliveries, says })))
}

/// An alert, the same as a row, and the deliveries that tell it.
type Found = (Alert, api::Alert, Vec<Delivery>);

/// The alert of that id.
fn found(store: &dyn Store, id: AlertId) -> Result<Option<Found>, StoreError> {
    let Some(alert) = store.alert(id)? else { return Ok(None) };
    let (mut deliveries, mut bundles) = (Vec::new(), Vec::new());
    for which in [Deliveries::Open, Deliveries::Closed] {
        store.visit_deliveries(which, &mut |delivery| {
            match delivery.subject {
                Subject::Alert(told) if told == id => deliveries.push(delivery),
                Subject::Bundle(bundle) => bundles.push((bundle, delivery)),
                Subject::Alert(_) | Subject::Event(_) | Subject::Report(_) => {}
            }
            ControlFlow::Continue(())
        })?;
    }
    for (bundle, delivery) in bundles {
        if store.bundle(bundle)?.is_some_and(|bundle| bundle.alerts.contains(&id)) {
            deliveries.push(delivery);
        }
    }
    let row = fate::row(store, alert.clone(), &deliveries)?;
    Ok(Some((alert, row, deliveries)))
}
