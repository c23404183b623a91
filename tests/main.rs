//! The tests of the library and of the built program, as one program: it is linked once, and its tests fill every core.
//! What measures its own process stands apart (`exhausting.rs`).

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

mod support;

mod alerting;
mod articles;
mod asides;
mod backups;
mod catchup;
mod channels;
mod commands;
mod config;
mod control;
mod crashes;
mod daemon;
mod demo;
mod detours;
mod discovery;
mod events;
mod faults;
mod feeds;
mod fetch;
mod fixtures;
mod gone;
mod history;
mod holds;
mod hostile;
mod hosts;
mod identity;
mod identity_again;
mod incident;
mod ingest;
mod language;
mod lenient;
mod mail;
mod manners;
mod mirrors;
mod notify;
mod oauth;
mod orders;
mod partial;
mod patience;
mod polite;
mod polling;
mod presets;
mod readers;
mod refused;
mod remembered;
mod rhythm;
mod robots;
mod routes;
mod rules;
mod scheduling;
mod schema;
mod secrets;
mod silences;
mod store;
mod threads;
mod tidy;
mod tls;
mod ways;
