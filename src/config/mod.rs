//! The configuration: raw as typed, then checked, so that the rest sees only what cannot be wrong.

pub mod secret;
