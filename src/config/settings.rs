//! The checked config: what the rest of the program sees.

use std::path::PathBuf;
use std::time::Duration;

use jiff::tz::TimeZone;
use url::Url;

use super::source::SourceSpec;
use crate::fetch::Networks;
use crate::notify::NotifierSettings;
use crate::route::RouteSpec;
use crate::rules::spec::{EntitySpec, RuleSpec};

/// A config that was checked as a whole.
#[derive(Clone, Debug)]
pub struct Config {
    /// `[store]`
    pub store: StoreSettings,
    /// `[desk]`
    pub desk: DeskSettings,
    /// `[http]`
    pub http: HttpSettings,
    /// `[schedule]`
    pub schedule: ScheduleSettings,
    /// `[alerts]`
    pub alerts: AlertSettings,
    /// `[log]`
    pub log: LogSettings,
    /// `[heartbeat]`
    pub heartbeat: HeartbeatSettings,
    /// `[control]`
    pub control: ControlSettings,
    /// `[[source]]`, in the order of the files; names are unique.
    pub sources: Vec<SourceSpec>,
    /// `[[entity]]`, likewise by id; terms and references are checked when the rules are compiled.
    pub entities: Vec<EntitySpec>,
    /// `[[rule]]`, likewise.
    pub rules: Vec<RuleSpec>,
    /// `[[notifier]]`, likewise; without any in the files, one of type `stdout` named `screen`.
    pub notifiers: Vec<NotifierSettings>,
    /// `[[route]]`, in the order of the files.
    pub routes: Vec<RouteSpec>,
}

/// `[store]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoreSettings {
    /// Folder of the store, absolute.
    pub path: PathBuf,
    /// How long items, alerts and history are kept.
    pub keep: Duration,
}

/// `[desk]`
#[derive(Clone, Debug, PartialEq)]
pub struct DeskSettings {
    /// Where the desk's readers are.
    pub timezone: TimeZone,
}

/// `[http]`
#[derive(Clone, Debug, PartialEq)]
pub struct HttpSettings {
    /// Address for the `User-Agent`, `mailto:`, `http:` or `https:`.
    pub contact: Option<Url>,
    /// Requests in flight over all hosts, from 1 to 1000.
    pub concurrency: usize,
    /// Longest time for a whole request.
    pub timeout: Duration,
    /// Greatest size of a body after decompression, in bytes.
    pub body_bytes_max: u64,
    /// Private ranges that may be reached.
    pub allow_networks: Networks,
    /// Proxy for requests to sources, without user or password.
    pub proxy: Option<Url>,
}

/// `[schedule]`; both start values lie within `interval_min..=interval_max`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScheduleSettings {
    /// Interval that feeds and pages start with.
    pub interval: Duration,
    /// Interval that Telegram channels start with.
    pub telegram: Duration,
    /// Least interval of sources that have none of their own.
    pub interval_min: Duration,
    /// Greatest such interval.
    pub interval_max: Duration,
    /// Least time between two requests to one host.
    pub host_gap: Duration,
}

/// `[alerts]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertSettings {
    /// Items with a stated date longer ago are stale.
    pub max_age: Duration,
}

/// `[log]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogSettings {
    /// What lines look like.
    pub format: LogFormat,
    /// What is told.
    pub level: tracing::Level,
}

/// What log lines look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// Journald under systemd, human on a terminal, else JSON.
    Auto,
    /// Lines for people.
    Human,
    /// One JSON object a line.
    Json,
    /// The fields of the systemd journal.
    Journald,
}

/// `[heartbeat]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeartbeatSettings {
    /// What is called; nothing without.
    pub url: Option<Url>,
    /// How often.
    pub every: Duration,
}

/// `[control]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControlSettings {
    /// Unix socket of the daemon, absolute.
    pub socket: PathBuf,
}
