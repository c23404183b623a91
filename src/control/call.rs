//! What commands ask.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::api::Alert;
use super::history::Place;
use crate::outbox::Delivery;

/// A question or an order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "call", rename_all = "kebab-case")]
pub enum Call {
    /// How the daemon and its store are.
    Status,
    /// The state of every source.
    Sources,
    /// Which hosts ordered everybody to wait.
    Orders,
    /// Polls a source now; the server's orders still hold.
    Poll {
        /// Its name.
        source: String,
    },
    /// The page kept of a source whose layout is not known any more.
    Page {
        /// Its name.
        source: String,
    },
    /// The newest alerts.
    Alerts {
        /// Only those made since.
        since: Option<Timestamp>,
        /// At most so many.
        limit: usize,
        /// Only those older than this one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<String>,
    },
    /// One alert with all that is known of it.
    Alert {
        /// Its id.
        id: String,
    },
    /// Deliveries.
    Outbox {
        /// Which of them.
        state: OutboxFilter,
        /// Only those among them.
        #[serde(default)]
        only: Only,
        /// At most so many that are open, and as many that are closed.
        limit: usize,
    },
    /// Tries dead, waiting and held deliveries again at once.
    Retry {
        /// The ids.
        ids: Vec<String>,
    },
    /// Tries all that are dead or waiting again at once; what is held only where that state is asked for.
    RetryAll {
        /// Only those among them.
        only: Only,
    },
    /// Drops deliveries: they are not sent, and dead ones are no longer listed as dead.
    Drop {
        /// The ids.
        ids: Vec<String>,
    },
    /// Drops all that are dead.
    DropDead {
        /// Only those among them.
        only: Only,
    },
    /// Drops all that are owed still or dead.
    DropAll {
        /// Only those among them.
        only: Only,
    },
    /// Why rules did or did not fire on a stored item.
    Explain {
        /// Id of an item or an alert, or the link of a stored item.
        subject: String,
        /// Only this rule.
        rule: Option<String>,
    },
    /// A page of the stored items, newest day first.
    Items {
        /// Only those first seen on its day or later.
        since: Timestamp,
        /// Where the page before ended.
        after: Option<Place>,
    },
    /// A page of the alerts made, newest first, as far as they are compared with what rules say now.
    Told {
        /// Only those made since.
        since: Timestamp,
        /// The last one of the page before.
        after: Option<String>,
    },
    /// Sends alerts that are not stored as a part of a digest, once, through every notifier; one that is told a digest in
    /// one message has it with the first part.
    SendDigest {
        /// The alerts.
        alerts: Vec<Alert>,
        /// Number of the part, from 1.
        part: usize,
        /// How many parts there are.
        parts: usize,
        /// How many alerts they have together.
        whole: usize,
    },
    /// Begins a silence.
    Silence {
        /// `rule`, `entity`, `source` or `story`.
        about: String,
        /// Its name or id.
        name: String,
        /// For how many seconds.
        seconds: u64,
        /// Why.
        reason: String,
    },
    /// The silences.
    Silences,
    /// Ends a silence early.
    EndSilence {
        /// Its id.
        id: String,
    },
    /// Sends a test message.
    SendTest {
        /// Through this notifier; through all without.
        notifier: Option<String>,
    },
    /// Size and counts of the store.
    Store,
    /// Looks at every stored value.
    VerifyStore,
    /// Reads the configuration again; the reply is the verdict.
    Reload,
}

/// Which deliveries are asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OutboxFilter {
    /// Open and dead ones.
    #[default]
    Pending,
    /// Dead ones.
    Dead,
    /// All.
    All,
}

/// The word for all that is owed still and is not held, whatever its state.
pub(crate) const WAITING: &str = "waiting";

/// Which deliveries are meant; what is not stated is any.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Only {
    /// Those of this notifier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notifier: Option<String>,
    /// Those to this recipient.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipient: Option<String>,
    /// Those in this state; of `waiting` those that are owed still and not held.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<String>,
}

impl Only {
    /// Whether `delivery` is meant.
    pub(super) fn fits(&self, delivery: &Delivery) -> bool {
        let fits = |wanted: &Option<String>, is: &str| wanted.as_deref().is_none_or(|wanted| wanted == is);
        let state = match self.state.as_deref() {
            Some(WAITING) => delivery.state.is_open() && delivery.state.held().is_none(),
            _ => fits(&self.state, delivery.state.as_str()),
        };
        state && fits(&self.notifier, &delivery.notifier) && fits(&self.recipient, &delivery.recipient)
    }
}
