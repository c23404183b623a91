//! Deliveries, bundles and what was spent of budgets, as they are stored.

use std::collections::BTreeMap;
use std::ops::Not;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::access::Row;
use super::rows::{from_json, to_json};
use crate::outbox::bundle::{Bundle, Cause};
use crate::outbox::circuit::{Circuit, Fault, Refusals};
use crate::outbox::retry::WAIT_MAX;
use crate::outbox::{Delivery, DeliveryState, Freedom, Subject};
use crate::report::Report;
use crate::route::hold::{Hold, HoldReason};
use crate::store::StoreError;

#[derive(Serialize, Deserialize)]
struct DeliveryRow {
    id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    alert: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    event: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bundle: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    report: Option<String>,
    notifier: String,
    recipient: String,
    created: Timestamp,
    /// Absent when it is `created`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ready: Option<Timestamp>,
    attempts: u32,
    /// Absent when it is as [`presumed`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    freedom: Option<String>,
    /// Absent when it is false, as in rows of earlier versions.
    #[serde(default, skip_serializing_if = "Not::not")]
    may_have_arrived: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    follows: Option<String>,
    #[serde(flatten)]
    state: StateRow,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "lowercase")]
enum StateRow {
    Held {
        hold: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        story: Option<String>,
        until: Timestamp,
    },
    Ready,
    Attempted {
        at: Timestamp,
    },
    Retrying {
        /// Absent in rows of earlier versions.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        failed: Option<Timestamp>,
        due: Timestamp,
        reason: String,
    },
    Delivered {
        at: Timestamp,
    },
    Dropped {
        at: Timestamp,
        /// Absent when it was dropped by hand.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        silence: Option<String>,
    },
    Bundled {
        at: Timestamp,
        into: String,
    },
    Dead {
        at: Timestamp,
        reason: String,
    },
}

impl Row for Delivery {
    fn encode(&self) -> Result<Vec<u8>, StoreError> {
        let delivery = self.clone();
        let presumed = presumed(delivery.attempts, &delivery.state);
        let (mut alert, mut event, mut bundle, mut report) = (None, None, None, None);
        match delivery.subject {
            Subject::Alert(id) => alert = Some(id.to_string()),
            Subject::Event(id) => event = Some(id.to_string()),
            Subject::Bundle(id) => bundle = Some(id.to_string()),
            Subject::Report(id) => report = Some(id.to_string()),
        }
        to_json(&DeliveryRow {
            id: delivery.id.to_string(),
            alert,
            event,
            bundle,
            report,
            notifier: delivery.notifier,
            recipient: delivery.recipient,
            created: delivery.created,
            ready: (delivery.ready != delivery.created).then_some(delivery.ready),
            attempts: delivery.attempts,
            freedom: (delivery.freedom != presumed).then(|| delivery.freedom.as_str().to_owned()),
            may_have_arrived: delivery.may_have_arrived,
            follows: delivery.follows,
            state: delivery.state.into(),
        })
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let row: DeliveryRow = from_json(bytes)?;
        let state = row.state.into_core()?;
        let freedom = match row.freedom {
            Some(word) => Freedom::from_word(&word)?,
            None => presumed(row.attempts, &state),
        };
        Some(Self {
            id: row.id.parse().ok()?,
            subject: match (row.alert, row.event, row.bundle, row.report) {
                (Some(alert), _, _, _) => Subject::Alert(alert.parse().ok()?),
                (None, Some(event), _, _) => Subject::Event(event.parse().ok()?),
                (None, None, Some(bundle), _) => Subject::Bundle(bundle.parse().ok()?),
                (None, None, None, Some(report)) => Subject::Report(report.parse().ok()?),
                (None, None, None, None) => return None,
            },
            notifier: row.notifier,
            recipient: row.recipient,
            created: row.created,
            ready: row.ready.unwrap_or(row.created),
            attempts: row.attempts,
            freedom,
            may_have_arrived: row.may_have_arrived,
            follows: row.follows,
            state,
        })
    }
}

/// The freedom of a row that tells none, as those of earlier versions: what was tried may have arrived, and what is to
/// be tried again without having been was asked for by hand.
fn presumed(attempts: u32, state: &DeliveryState) -> Freedom {
    match (attempts, state) {
        (0, DeliveryState::Retrying { .. }) => Freedom::Asked,
        (0, _) => Freedom::Free,
        _ => Freedom::Doubtful,
    }
}

impl From<DeliveryState> for StateRow {
    fn from(state: DeliveryState) -> Self {
        match state {
            DeliveryState::Held(Hold { reason, until }) => Self::Held {
                hold: reason.as_str().to_owned(),
                story: match reason {
                    HoldReason::Batch(story) => Some(story.to_string()),
                    HoldReason::Digest | HoldReason::Quiet | HoldReason::Budget => None,
                },
                until,
            },
            DeliveryState::Ready => Self::Ready,
            DeliveryState::Attempted { at } => Self::Attempted { at },
            DeliveryState::Retrying { failed, due, reason } => {
                Self::Retrying { failed: Some(failed), due, reason }
            }
            DeliveryState::Delivered { at } => Self::Delivered { at },
            DeliveryState::Dropped { at, by } => Self::Dropped { at, silence: by.map(|id| id.to_string()) },
            DeliveryState::Bundled { at, into } => Self::Bundled { at, into: into.to_string() },
            DeliveryState::Dead { at, reason } => Self::Dead { at, reason },
        }
    }
}

impl StateRow {
    fn into_core(self) -> Option<DeliveryState> {
        Some(match self {
            Self::Held { hold, story, until } => {
                let reason = match (hold.as_str(), story) {
                    ("batch", Some(story)) => HoldReason::Batch(story.parse().ok()?),
                    ("digest", _) => HoldReason::Digest,
                    ("quiet", _) => HoldReason::Quiet,
                    ("budget", _) => HoldReason::Budget,
                    _ => return None,
                };
                DeliveryState::Held(Hold { reason, until })
            }
            Self::Ready => DeliveryState::Ready,
            Self::Attempted { at } => DeliveryState::Attempted { at },
            Self::Retrying { failed, due, reason } => {
                // No wait was longer.
                let earliest = due.checked_sub(WAIT_MAX).unwrap_or(Timestamp::MIN);
                DeliveryState::Retrying { failed: failed.unwrap_or(earliest), due, reason }
            }
            Self::Delivered { at } => DeliveryState::Delivered { at },
            Self::Dropped { at, silence } => {
                DeliveryState::Dropped { at, by: silence.map(|id| id.parse()).transpose().ok()? }
            }
            Self::Bundled { at, into } => DeliveryState::Bundled { at, into: into.parse().ok()? },
            Self::Dead { at, reason } => DeliveryState::Dead { at, reason },
        })
    }
}

#[derive(Serialize, Deserialize)]
struct BundleRow {
    id: String,
    cause: String,
    alerts: Vec<String>,
    part: usize,
    parts: usize,
    created: Timestamp,
}

impl Row for Bundle {
    fn encode(&self) -> Result<Vec<u8>, StoreError> {
        to_json(&BundleRow {
            id: self.id.to_string(),
            cause: self.cause.as_str().to_owned(),
            alerts: self.alerts.iter().map(ToString::to_string).collect(),
            part: self.part,
            parts: self.parts,
            created: self.created,
        })
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let row: BundleRow = from_json(bytes)?;
        let alerts: Option<Vec<_>> = row.alerts.iter().map(|id| id.parse().ok()).collect();
        Some(Self {
            id: row.id.parse().ok()?,
            cause: Cause::from_word(&row.cause)?,
            alerts: alerts?,
            part: row.part,
            parts: row.parts,
            created: row.created,
        })
    }
}

/// When the last messages to a recipient left.
impl Row for Vec<Timestamp> {
    fn encode(&self) -> Result<Vec<u8>, StoreError> {
        to_json(self)
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        from_json(bytes)
    }
}

#[derive(Serialize, Deserialize)]
struct CircuitRow {
    /// Its keys are absent where the way works.
    #[serde(flatten)]
    fault: Option<FaultRow>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    refusals: BTreeMap<String, RefusalsRow>,
}

#[derive(Serialize, Deserialize)]
struct RefusalsRow {
    since: Timestamp,
    attempts: u32,
    reason: String,
    told: bool,
}

#[derive(Serialize, Deserialize)]
struct FaultRow {
    since: Timestamp,
    last: Timestamp,
    failures: u32,
    until: Timestamp,
    /// Absent when it is false.
    #[serde(default, skip_serializing_if = "Not::not")]
    asked: bool,
    reason: String,
    told: bool,
}

/// Only what is in trouble has a row.
impl Row for Circuit {
    fn encode(&self) -> Result<Vec<u8>, StoreError> {
        let fault = |fault: &Fault| FaultRow {
            since: fault.since,
            last: fault.last,
            failures: fault.failures,
            until: fault.until,
            asked: fault.asked,
            reason: fault.reason.clone(),
            told: fault.told,
        };
        let refusals = |run: &Refusals| RefusalsRow {
            since: run.since,
            attempts: run.attempts,
            reason: run.reason.clone(),
            told: run.told,
        };
        to_json(&CircuitRow {
            fault: self.fault.as_ref().map(fault),
            refusals: self.refusals.iter().map(|(to, run)| (to.clone(), refusals(run))).collect(),
        })
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let row: CircuitRow = from_json(bytes)?;
        let fault = row.fault.map(|row| Fault {
            since: row.since,
            last: row.last,
            failures: row.failures,
            until: row.until,
            asked: row.asked,
            reason: row.reason,
            told: row.told,
        });
        let refusals = |run: RefusalsRow| Refusals {
            since: run.since,
            attempts: run.attempts,
            reason: run.reason,
            told: run.told,
        };
        let refusals = row.refusals.into_iter().map(|(to, run)| (to, refusals(run))).collect();
        Some(Self { fault, refusals })
    }
}

impl Row for Report {
    fn encode(&self) -> Result<Vec<u8>, StoreError> {
        to_json(self)
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        from_json(bytes)
    }
}
