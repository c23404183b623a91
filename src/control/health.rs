//! What commands are told of how sources fare, beside their rows.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A time for which items may have been missed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gap {
    /// When the source was last read without a gap.
    pub since: Timestamp,
    /// When it was read again.
    pub until: Timestamp,
    /// How that was noticed, in words.
    pub detail: String,
}

/// A source that is not well.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Unwell {
    /// Its name.
    pub name: String,
    /// `failing`, `gone` or `silent`.
    pub state: String,
    /// Of a failing one: class of the failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Since when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
}
