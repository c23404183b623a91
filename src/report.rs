//! The daily report: proof that the desk is watched, sent even when nothing happened.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::id::{digest, id};
use crate::route::Recipient;

id! {
    /// Identifies a report. Its first six bytes are the time of its making in milliseconds, so that ids sort by age.
    ReportId
}

impl ReportId {
    /// The id of the report to `who` that ends at `until`.
    pub fn new(who: &Recipient, until: Timestamp) -> Self {
        let age = u64::try_from(until.as_millisecond()).unwrap_or_default().to_be_bytes();
        let rest = digest(&[b"report", who.0.as_bytes(), who.1.as_bytes(), &age]);
        Self(std::array::from_fn(|i| if i < 6 { age[i + 2] } else { rest[i] }))
    }
}

/// What happened since the report before. Its JSON is `data` of the webhook body, and what the store keeps.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// When the one before was made, or when they began.
    pub since: Timestamp,
    /// When it was made.
    pub until: Timestamp,
    /// Alerts that somebody was told of or waits for, by severity.
    pub alerts: Counts,
    /// Alerts that were only recorded.
    pub recorded: u64,
    /// Sources that are polled.
    pub sources: usize,
    /// Those of them that are failing, gone or silent.
    pub unwell: Vec<Unwell>,
    /// Names of notifiers through which nothing gets.
    pub notifiers_failing: Vec<String>,
    /// Deliveries that wait for another attempt.
    pub waiting: u64,
    /// Deliveries that their routes hold.
    pub held: u64,
    /// Deliveries given up and still listed.
    pub dead: u64,
    /// Silences in force.
    pub silences: usize,
}

/// Alerts by severity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Of severity critical.
    pub critical: u64,
    /// Of severity high.
    pub high: u64,
    /// Of severity medium.
    pub medium: u64,
    /// Of severity low.
    pub low: u64,
    /// Of severity info.
    pub info: u64,
}

/// A source that is not well.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unwell {
    /// Its name.
    pub name: String,
    /// `failing`, `gone` or `silent`.
    pub state: String,
    /// Of a failure: its class.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
}

impl Counts {
    /// How many there are.
    pub fn sum(self) -> u64 {
        self.critical + self.high + self.medium + self.low + self.info
    }

    /// How many of each severity there are, the gravest first.
    pub fn each(self) -> [(&'static str, u64); 5] {
        [
            ("critical", self.critical),
            ("high", self.high),
            ("medium", self.medium),
            ("low", self.low),
            ("info", self.info),
        ]
    }
}
