//! What is owed to receivers: deliveries, their states and when to try again.
//!
//! Pure: the worker that sends belongs to the daemon. [`classify`] sorts what receivers answer, [`retry`] decides
//! what becomes of a delivery then.

pub mod bundle;
pub mod circuit;
pub mod classify;
pub mod retry;

use std::time::Duration;

use jiff::Timestamp;

use self::bundle::BundleId;
use crate::event::EventId;
use crate::id::{digest, id};
use crate::report::ReportId;
use crate::route::Recipient;
use crate::route::hold::Hold;
use crate::silence::SilenceId;
use crate::story::AlertId;

id! {
    /// Identifies a delivery through all retries and restarts: the `webhook-id`, the left part of the `Message-ID`.
    DeliveryId
}

impl DeliveryId {
    /// The id of what is owed to `recipient` of `notifier` for `subject`: computed, so that a delivery made twice
    /// is still one.
    pub fn new(subject: impl Into<Subject>, notifier: &str, recipient: &str) -> Self {
        let (label, subject): (&[u8], _) = match subject.into() {
            Subject::Alert(alert) => (b"delivery", alert.to_bytes()),
            Subject::Event(event) => (b"delivery of an event", event.to_bytes()),
            Subject::Bundle(bundle) => (b"delivery of a bundle", bundle.to_bytes()),
            Subject::Report(report) => (b"delivery of a report", report.to_bytes()),
        };
        Self(digest(&[label, &subject, notifier.as_bytes(), recipient.as_bytes()]))
    }
}

/// What a delivery tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    /// An alert.
    Alert(AlertId),
    /// An event.
    Event(EventId),
    /// Several alerts that leave together.
    Bundle(BundleId),
    /// A daily report.
    Report(ReportId),
}

impl Subject {
    /// The alert, when it is one.
    pub fn alert(self) -> Option<AlertId> {
        match self {
            Self::Alert(alert) => Some(alert),
            Self::Event(_) | Self::Bundle(_) | Self::Report(_) => None,
        }
    }
}

impl From<AlertId> for Subject {
    fn from(alert: AlertId) -> Self {
        Self::Alert(alert)
    }
}

impl From<BundleId> for Subject {
    fn from(bundle: BundleId) -> Self {
        Self::Bundle(bundle)
    }
}

impl From<ReportId> for Subject {
    fn from(report: ReportId) -> Self {
        Self::Report(report)
    }
}

impl From<EventId> for Subject {
    fn from(event: EventId) -> Self {
        Self::Event(event)
    }
}

/// One alert, event or bundle owed to one recipient of one notifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Its id.
    pub id: DeliveryId,
    /// What is told.
    pub subject: Subject,
    /// Name of the notifier.
    pub notifier: String,
    /// Mail address, or the notifier's only receiver as an empty string.
    pub recipient: String,
    /// When it was owed.
    pub created: Timestamp,
    /// Since when it may be sent: the same, or the end of its last hold.
    pub ready: Timestamp,
    /// Attempts begun so far.
    pub attempts: u32,
    /// What may be made of it before the next.
    pub freedom: Freedom,
    /// Whether its receiver may have it by an attempt before: no answer to that came, or the program ended meanwhile.
    pub may_have_arrived: bool,
    /// The receiver's name for the message from which it goes on there, as at its first attempt.
    pub follows: Option<String>,
    /// How it stands.
    pub state: DeliveryState,
}

impl Delivery {
    /// `subject`, owed to a recipient since `created`.
    pub fn owed(
        (notifier, recipient): Recipient,
        subject: Subject,
        created: Timestamp,
        state: DeliveryState,
    ) -> Self {
        let id = DeliveryId::new(subject, &notifier, &recipient);
        let freedom = Freedom::Free;
        Self {
            id,
            subject,
            notifier,
            recipient,
            created,
            ready: created,
            attempts: 0,
            freedom,
            may_have_arrived: false,
            follows: None,
            state,
        }
    }

    /// Before another attempt: one that was under way ended with the program, and its receiver may have the message.
    pub fn doubt_what_was_under_way(&mut self) {
        if !matches!(self.state, DeliveryState::Attempted { .. }) {
            return;
        }
        self.may_have_arrived = true;
        if self.freedom == Freedom::Free {
            self.freedom = Freedom::Doubtful;
        }
    }
}

/// What may be made of a delivery that waits for an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freedom {
    /// Its receiver cannot have it: it may be held back, and leave as one of several, under another id.
    Free,
    /// Its receiver may have it: it may be held back, but leaves alone, under the id by which that receiver knows it.
    Doubtful,
    /// Somebody asked for it by hand: it leaves alone and waits for nothing.
    Asked,
}

impl Freedom {
    /// All of them.
    const ALL: [Self; 3] = [Self::Free, Self::Doubtful, Self::Asked];

    /// The word used in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Doubtful => "doubtful",
            Self::Asked => "asked",
        }
    }

    /// The one of that word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|freedom| freedom.as_str() == word)
    }

    /// The same after an attempt that failed. Only where nothing gets through is it certain that the receiver has
    /// nothing: one that refuses a message may still know its id.
    #[must_use]
    pub fn after(self, failure: &Failure) -> Self {
        match (self, failure) {
            (Self::Free, Failure::Way { .. } | Failure::Gone { .. }) => Self::Free,
            (
                Self::Free | Self::Doubtful,
                Failure::Way { .. }
                | Failure::Gone { .. }
                | Failure::Lost { .. }
                | Failure::Transient { .. }
                | Failure::Refused { .. }
                | Failure::Permanent { .. },
            ) => Self::Doubtful,
            (Self::Asked, _) => Self::Asked,
        }
    }
}

/// How a delivery stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeliveryState {
    /// Waits for what its route says.
    Held(Hold),
    /// To be sent as soon as possible.
    Ready,
    /// An attempt began and its outcome is not recorded: after a crash the receiver may have it already.
    Attempted {
        /// When it began.
        at: Timestamp,
    },
    /// To be sent again.
    Retrying {
        /// When the last attempt failed.
        failed: Timestamp,
        /// Not before.
        due: Timestamp,
        /// Why the last attempt failed.
        reason: String,
    },
    /// The receiver took it.
    Delivered {
        /// When.
        at: Timestamp,
    },
    /// Dropped by hand, or by a silence that began before it left.
    Dropped {
        /// When.
        at: Timestamp,
        /// The silence, where it was one.
        by: Option<SilenceId>,
    },
    /// Told as one of several.
    Bundled {
        /// Since when.
        at: Timestamp,
        /// The delivery that tells it.
        into: DeliveryId,
    },
    /// Given up: listed, and sent again only by hand.
    Dead {
        /// When.
        at: Timestamp,
        /// Why.
        reason: String,
    },
}

impl DeliveryState {
    /// The word used in JSON and tables.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Held(_) => "held",
            Self::Ready => "ready",
            Self::Attempted { .. } => "attempted",
            Self::Retrying { .. } => "retrying",
            Self::Delivered { .. } => "delivered",
            Self::Bundled { .. } => "bundled",
            Self::Dropped { .. } => "dropped",
            Self::Dead { .. } => "dead",
        }
    }

    /// What it waits for by its route.
    pub fn held(&self) -> Option<Hold> {
        match self {
            Self::Held(hold) => Some(*hold),
            Self::Ready
            | Self::Attempted { .. }
            | Self::Retrying { .. }
            | Self::Delivered { .. }
            | Self::Bundled { .. }
            | Self::Dropped { .. }
            | Self::Dead { .. } => None,
        }
    }

    /// Whether something remains to be done.
    pub fn is_open(&self) -> bool {
        match self {
            Self::Held(_) | Self::Ready | Self::Attempted { .. } | Self::Retrying { .. } => true,
            Self::Delivered { .. } | Self::Bundled { .. } | Self::Dead { .. } | Self::Dropped { .. } => false,
        }
    }
}

/// Why an attempt failed, and whether another may succeed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Nothing gets through at present, whatever the message: network, logins, most answers. It may pass, or the
    /// operator can put it right: tried again for about three days, by one delivery at a time ([`circuit`]).
    Way {
        /// What happened, without secrets.
        reason: String,
        /// The receiver's wish, when it had one.
        retry_after: Option<Duration>,
    },
    /// The same, but the receiver may have the message: its answer did not come.
    Lost {
        /// What happened, without secrets.
        reason: String,
    },
    /// As the way, but its receiver asks to be left alone: the operator is to know at once.
    Gone {
        /// What happened, without secrets.
        reason: String,
    },
    /// Not this message now: tried again for about three days.
    Transient {
        /// What happened, without secrets.
        reason: String,
        /// The receiver's wish, when it had one.
        retry_after: Option<Duration>,
    },
    /// A mail server refused this message or this recipient, which is often a policy that passes: tried once more.
    Refused {
        /// What happened, without secrets.
        reason: String,
    },
    /// No attempt can succeed: the same bytes would get the same answer, or there is nothing to send. Given up.
    Permanent {
        /// What happened, without secrets.
        reason: String,
    },
}

impl Failure {
    /// What happened, without secrets.
    pub fn reason(&self) -> &str {
        match self {
            Self::Way { reason, .. }
            | Self::Lost { reason }
            | Self::Gone { reason }
            | Self::Transient { reason, .. }
            | Self::Refused { reason }
            | Self::Permanent { reason } => reason,
        }
    }

    /// The wait that the receiver asked for.
    pub fn wish(&self) -> Option<Duration> {
        match self {
            Self::Way { retry_after, .. } | Self::Transient { retry_after, .. } => *retry_after,
            Self::Lost { .. } | Self::Gone { .. } | Self::Refused { .. } | Self::Permanent { .. } => None,
        }
    }

    /// Whether it lies with the way, whatever the message.
    pub fn is_of_the_way(&self) -> bool {
        match self {
            Self::Way { .. } | Self::Lost { .. } | Self::Gone { .. } => true,
            Self::Transient { .. } | Self::Refused { .. } | Self::Permanent { .. } => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delivery_is_named_by_alert_notifier_and_recipient() {
        let alert = AlertId::from_bytes([7; 16]);
        let id = DeliveryId::new(alert, "desk-mail", "desk@example.org");
        assert_eq!(id, DeliveryId::new(alert, "desk-mail", "desk@example.org"));
        assert_ne!(id, DeliveryId::new(alert, "desk-mail", "night@example.org"));
        assert_ne!(id, DeliveryId::new(alert, "night-mail", "desk@example.org"));
        assert_ne!(id, DeliveryId::new(AlertId::from_bytes([8; 16]), "desk-mail", "desk@example.org"));
        assert_ne!(id, DeliveryId::new(EventId::from_bytes([7; 16]), "desk-mail", "desk@example.org"));
    }
}
