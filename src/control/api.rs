//! What commands ask and what they are told. The JSON of these types is what `--json` prints.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::history::{ItemsPage, ToldPage};
use crate::article::Counts;
use crate::wire;

pub use super::call::{Call, Only, OutboxFilter};
pub use super::health::{Gap, Unwell};
pub use super::learned::Learned;
pub use super::mistake::Mistake;
pub use super::owed::Owed;
pub use super::silence::Silence;
pub use super::size::{Checked, Size};
pub use super::verdict::{Explain, Reload, RuleVerdict};

/// The answer to a [`Call`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "reply", content = "body", rename_all = "kebab-case")]
pub enum Reply {
    /// To [`Call::Status`].
    Status(Box<Status>),
    /// To [`Call::Sources`].
    Sources(Vec<Source>),
    /// To [`Call::Orders`]: until when, by host.
    Orders(Vec<(String, Timestamp)>),
    /// To [`Call::Poll`].
    Poll(Poll),
    /// To [`Call::Page`].
    Page(Page),
    /// To [`Call::Alerts`].
    Alerts(Vec<Alert>),
    /// To [`Call::Alert`].
    Alert(Box<Shown>),
    /// To [`Call::Outbox`], [`Call::Retry`], [`Call::RetryAll`], [`Call::Drop`], [`Call::DropDead`] and
    /// [`Call::DropAll`].
    Outbox(Vec<Delivery>),
    /// To [`Call::Explain`].
    Explain(Box<Explain>),
    /// To [`Call::Items`].
    Items(ItemsPage),
    /// To [`Call::Told`].
    Told(ToldPage),
    /// To [`Call::SendDigest`].
    SendDigest(Vec<TestSent>),
    /// To [`Call::Silence`], [`Call::Silences`] and [`Call::EndSilence`]: newest first.
    Silences(Vec<Silence>),
    /// To [`Call::SendTest`].
    SendTest(Vec<TestSent>),
    /// To [`Call::Reload`].
    Reload(Reload),
    /// To [`Call::Store`].
    Store(Size),
    /// To [`Call::VerifyStore`].
    Verified(Checked),
    /// What was asked is a mistake.
    Mistaken(Mistake),
    /// It could not be done.
    Refused {
        /// Why, and what to do.
        message: String,
    },
}

/// That the disk refuses what is to be stored: nothing new is read, and what is stored is delivered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// Since when.
    pub since: Timestamp,
    /// What it says.
    pub reason: String,
    /// Deliveries that left meanwhile: they are recorded when the disk takes it, and made again after a crash.
    pub unrecorded: usize,
}

/// How Harmattan is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Status {
    /// Version of the program that answers.
    pub version: String,
    /// Whether a daemon answers; else the command read the store itself.
    pub running: bool,
    /// Process id of the daemon.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
    /// When the daemon started.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<Timestamp>,
    /// The main config file.
    pub config: String,
    /// When the config in force was read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loaded: Option<Timestamp>,
    /// Why the last reload was refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reload_error: Option<String>,
    /// Where the store is.
    pub store: String,
    /// Bytes on disk.
    pub store_bytes: u64,
    /// Stored values set aside because their checksum did not fit.
    pub store_damaged: u64,
    /// That the disk refuses what is to be stored, while it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub store_refused: Option<Refused>,
    /// Sources switched on.
    pub sources: usize,
    /// Sources whose polls fail.
    pub sources_failing: usize,
    /// Sources that are failing, gone or silent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources_unwell: Vec<Unwell>,
    /// Since when this machine reaches no source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offline: Option<Timestamp>,
    /// Rules in force.
    pub rules: usize,
    /// Entities in force.
    pub entities: usize,
    /// Rule tests that fail.
    pub rule_tests_failing: usize,
    /// Notifiers.
    pub notifiers: Vec<String>,
    /// Those through which nothing gets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notifiers_failing: Vec<String>,
    /// Deliveries owed still, those that are held left out.
    pub deliveries_open: u64,
    /// Those of them that failed, and are tried again.
    #[serde(default)]
    pub deliveries_retrying: u64,
    /// Deliveries that are held by their routes.
    #[serde(default)]
    pub deliveries_held: u64,
    /// Dead letters: deliveries given up.
    pub deliveries_dead: u64,
    /// What is owed, by whom it is owed to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub owed: Vec<Owed>,
    /// Things worth the operator's attention.
    pub warnings: Vec<String>,
}

/// The state of a source.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Source {
    /// Name.
    pub name: String,
    /// `feed`, `telegram` or `page`.
    pub kind: wire::item::Kind,
    /// Its address.
    pub address: String,
    /// `new` (never read), `ok`, `failing`, `gone`, `silent`, `same` (another source has its document), `off`.
    pub state: String,
    /// Of a failing one: class of the failure, or of what is wrong with what it shows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Of a failing one: the failure in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Of a failing or silent one: since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// Of a failing one: failed polls in a row.
    #[serde(default)]
    pub failures: u32,
    /// When its baseline was taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<Timestamp>,
    /// Items of the baseline on which a rule would have fired.
    #[serde(default)]
    pub baseline_fired: u32,
    /// Last poll.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_poll: Option<Timestamp>,
    /// Last poll that was answered and read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_success: Option<Timestamp>,
    /// Last new item.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_new: Option<Timestamp>,
    /// Next poll.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Timestamp>,
    /// The server's order: no request before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_before: Option<Timestamp>,
    /// Items seen, all told.
    pub items: u64,
    /// Items in the last reading.
    pub items_last: u32,
    /// Entries lost in the last reading.
    pub lost_last: u32,
    /// Its longest usual gap between news, once one was seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usual_gap_minutes: Option<u64>,
    /// For how long nothing new is no silence: as configured, else learned.
    #[serde(default)]
    pub silent_after_minutes: u64,
    /// Times for which items may have been missed, the newest last.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<Gap>,
    /// Of a Telegram channel: messages once seen that its preview does not show any more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gone: Vec<Gone>,
    /// How the articles behind its entries ended of late, where they are fetched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub articles: Option<Articles>,
    /// Articles that are yet to be fetched.
    #[serde(default)]
    pub articles_waiting: usize,
    /// Of a Telegram channel whose name was taken over: Telegram's numbers of the channel that is read now and of the one
    /// that had the name when it was first read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub taken_over: Option<(i64, i64)>,
    /// When the page was kept that `sources page` prints: the first of another layout than is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page_kept: Option<Timestamp>,
    /// What its polls have taught.
    #[serde(flatten)]
    pub learned: Learned,
}

/// A message that is gone from a preview.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gone {
    /// Its link.
    pub url: String,
    /// When that was noticed.
    pub noticed: Timestamp,
}

/// How articles ended, a month or two back.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Articles {
    /// Since when they are counted.
    pub since: Timestamp,
    /// By how they ended: `used`, `robots`, `failed`, or what their pages showed in their place, as `explain` tells of
    /// one.
    pub ends: Counts,
}

/// A page that is kept of a source.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Page {
    /// When it was kept.
    pub kept: Timestamp,
    /// The body as it came, or its beginning, in base64.
    pub body: String,
}

/// What a poll came to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Poll {
    /// The source.
    pub source: String,
    /// `baseline`, `read`, `unchanged`, `failed`, `waiting` (a server's order forbids it now, or it was polled a few
    /// minutes ago and is asked for by hand) or `same` (another source has the document).
    pub outcome: String,
    /// Items on the page.
    #[serde(default)]
    pub items: u32,
    /// Items never seen before.
    #[serde(default)]
    pub new: u32,
    /// Known items whose text changed.
    #[serde(default)]
    pub edited: u32,
    /// Of a baseline: items on which a rule would have fired.
    #[serde(default)]
    pub baseline_fired: u32,
    /// Alerts sent.
    #[serde(default)]
    pub alerts: u32,
    /// Alerts recorded without being sent: joined to a story, stale, or of rules on trial alone.
    #[serde(default)]
    pub recorded: u32,
    /// Of a failure: class and words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// What was repaired, cut or lost in reading.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<String>,
    /// When the next poll is due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<Timestamp>,
}

/// An alert with all that is known of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shown {
    /// The alert.
    #[serde(flatten)]
    pub alert: Alert,
    /// Its deliveries, also those of bundles with it.
    pub deliveries: Vec<Delivery>,
    /// What it says, as a mail would.
    pub says: String,
}

/// An alert in a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// When it was made.
    pub created: Timestamp,
    /// `sent`, `recorded` (its routes send to nobody), `silenced`, `joined`, `stale` or `shadow`.
    pub disposition: String,
    /// Of one that is sent: what its routes hold it for, as long as nobody has it and nothing of it is under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<Held>,
    /// Of one that is sent and that nobody has: `waiting` when it is tried again after a failure, `dead` when it was given
    /// up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undelivered: Option<String>,
    /// Of one that is silenced: by which silence, as long as that lists it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silence: Option<super::route::Silenced>,
    /// `alert.new` or `alert.update`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The alert.
    #[serde(flatten)]
    pub alert: wire::alert::Alert,
}

/// What an alert waits for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// `silence`, `digest`, `quiet`, `batch` or `budget`.
    pub reason: String,
    /// When the first of its deliveries is let go.
    pub until: Timestamp,
}

/// A delivery.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Delivery {
    /// Its id: the `webhook-id`, the left part of the `Message-ID`.
    pub id: String,
    /// The alert, when it tells one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub alert: String,
    /// The event, when it tells one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub event: String,
    /// The bundle, when it tells several alerts at once.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub bundle: String,
    /// The daily report, when it is one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub report: String,
    /// The notifier.
    pub notifier: String,
    /// The recipient, where the notifier has several.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub recipient: String,
    /// `held ready attempted retrying delivered bundled dead dropped`.
    pub state: String,
    /// When it was owed.
    pub created: Timestamp,
    /// Attempts begun.
    pub attempts: u32,
    /// Whether its receiver may have it by an attempt whose answer did not come; another is made under the same id.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub possible_duplicate: bool,
    /// When it entered its state, or is due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// Why it waits, is dead or was dropped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// How a message that is sent by hand fared.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TestSent {
    /// The notifier.
    pub notifier: String,
    /// The recipient, where the notifier has several.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub recipient: String,
    /// Whether the receiver took it.
    pub accepted: bool,
    /// What the receiver said.
    pub detail: String,
}
