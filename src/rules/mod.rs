//! Watch rules: compiled once, then asked of every item.
//!
//! Pure: no clock, no disk, no network. [`spec`] is what the config hands over, [`Engine`] what comes of it,
//! [`verdict`] what it says of an item.

pub mod spec;
pub mod verdict;
