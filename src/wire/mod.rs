//! Items and alerts as JSON: one form for the webhook, the commands and the store.
//!
//! The structs here own the names that users and receivers rely on; the core types stay free of serde.

pub mod alert;
pub mod item;
