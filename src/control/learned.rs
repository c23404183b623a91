//! What polls have taught, as listings show it.

use serde::{Deserialize, Serialize};

use crate::schedule;

/// What the polls of a source have taught.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Learned {
    /// The usual time between two new items, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rhythm_seconds: Option<u64>,
    /// Of the last document that was not the first: its items.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window_items: Option<u32>,
    /// Of these, the items known before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window_known: Option<u32>,
    /// Flaws of the last document that were mended without loss.
    pub mended_last: u32,
    /// Whether it ended too early.
    pub cut_last: bool,
    /// What decided when the next poll is due.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub due_by: Option<String>,
    /// Where it is asked in place of its address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moved_to: Option<String>,
    /// The source that has the same document.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub same_as: Option<String>,
}

impl From<&schedule::Learned> for Learned {
    fn from(learned: &schedule::Learned) -> Self {
        Self {
            rhythm_seconds: learned.gap().map(|gap| gap.as_secs()),
            window_items: learned.window.map(|window| window.items),
            window_known: learned.window.map(|window| window.known),
            mended_last: learned.mended_last,
            cut_last: learned.cut_last,
            due_by: learned.reason.map(|reason| reason.as_str().to_owned()),
            moved_to: learned.moved.to.clone(),
            same_as: learned.same_as.as_ref().map(ToString::to_string),
        }
    }
}
