//! Watch rules: compiled once, then asked of every item.
//!
//! Pure: no clock, no disk, no network. [`spec`] is what the config hands over, [`Engine`] what comes of it,
//! [`verdict`] what it says of an item.
//!
//! An item goes through these steps. Its words are searched for all literals of all rules and entities in one
//! pass (`literals`); hits become mentions of entities that count (`mentions`); what is mentioned points to
//! the few rules worth a look (`presearch`); those are evaluated (`evaluate`, `near`).

mod code;
mod compile;
mod engine;
mod evaluate;
mod explain;
mod facts;
mod filter;
mod frequency;
mod fuzzy;
mod gaps;
mod literals;
mod mentions;
mod model;
mod near;
mod nearest;
mod places;
mod presearch;
mod problem;
mod selftest;
pub mod spec;
mod stem;
mod summary;
mod term;
mod variants;
pub mod verdict;

pub use engine::Engine;
pub use explain::{Explanation, Outcome, Silence};
pub use facts::{AliasFacts, EntityFacts};
pub use filter::{SourceLabel, Sources as SourceFilters};
pub use problem::RuleProblem;
pub use selftest::TestFailure;
pub use summary::{Summary, SummaryKind};
