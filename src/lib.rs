//! Harmattan watches news feeds and Telegram channels by rules, and alerts by mail and webhook.
//!
//! Data flows downward through the modules; ARCHITECTURE.md draws the way.

pub mod article;
pub mod cli;
pub mod config;
pub mod control;
pub mod daemon;
pub mod demo;
pub mod desk;
pub mod event;
mod fault;
pub mod fetch;
pub mod id;
pub mod ingest;
pub mod item;
pub mod notify;
pub mod outbox;
pub mod report;
pub mod route;
pub mod rules;
pub mod schedule;
pub mod silence;
pub mod source;
pub mod store;
pub mod story;
pub mod telemetry;
pub mod text;
pub mod wire;
