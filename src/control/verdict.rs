//! What commands are told of an item and the rules, and of a new config.

use serde::{Deserialize, Serialize};

use super::api::{Alert, Delivery};
use crate::wire;

/// Why rules did or did not fire on an item.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Explain {
    /// The item.
    pub item: wire::item::Item,
    /// Each rule's verdict.
    pub rules: Vec<RuleVerdict>,
    /// Entities and places found.
    pub entities: Vec<String>,
    /// What became of the article that it links to, where that is wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub article: Option<super::article::Article>,
    /// Where an alert of what fires now would go; absent when nothing fires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub way: Option<super::route::Way>,
    /// Alerts made of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alerts: Vec<Alert>,
    /// Deliveries of those alerts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub deliveries: Vec<Delivery>,
}

/// One rule's verdict on an item.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct RuleVerdict {
    /// Name.
    pub rule: String,
    /// Severity.
    pub severity: String,
    /// `shadow` or `off`; absent of a live one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
    /// Whether it fired.
    pub fired: bool,
    /// Why it fired.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub why: Vec<wire::alert::Why>,
    /// Of one with weights that fired: their sum.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<i64>,
    /// Of one with weights: the sum at which it fires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<i64>,
    /// What the desk wrote for whoever reads its alerts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Of a silent one: the first clause that failed, and what was missing, in one line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
    /// Of a silent one: the first clause that failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clause: Option<String>,
    /// Of a silent one: how it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Of a silent one: what in the item comes closest, and how to write the term so that it is met.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nearest: Option<String>,
    /// Of a silent one: whether only `none` kept it from firing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub only_none: bool,
}

/// The verdict on a reload.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Reload {
    /// Whether the new set is in force.
    pub accepted: bool,
    /// Warnings, or why it was refused, in words with places.
    pub messages: Vec<String>,
    /// Sources now switched on.
    pub sources: usize,
    /// Rules now in force.
    pub rules: usize,
}
