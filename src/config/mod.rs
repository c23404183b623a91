//! The configuration: parsed with positions, read by one option table, checked as a whole, so that the rest sees
//! only what cannot be wrong.
//!
//! [`locate`] finds the main file, [`load`] reads it and what it includes. Every mistake is told at once with
//! file, line, key and remedy; with any mistake there is no [`Config`]. The option table is [`keys`]; [`reference()`]
//! writes it out for people.

mod advice;
mod chat;
mod entity;
mod environment;
mod file;
mod general;
mod hold;
pub mod keys;
mod load;
mod locate;
mod notifier;
pub mod option;
mod problem;
mod read;
mod reference;
mod relay;
mod route;
mod rule;
pub mod secret;
mod settings;
mod socket;
mod source;
mod suggest;
mod template;
mod tuning;
mod typed;
mod unmatched;
mod value;
mod write;

pub use environment::Environment;
pub use load::{Loaded, load};
pub use locate::{ConfigError, locate};
pub use problem::{Problem, Problems};
pub use reference::{man_page, reference};
pub use settings::{
    AlertSettings, Config, ControlSettings, DeskSettings, HeartbeatSettings, HttpSettings, LogFormat,
    LogSettings, ScheduleSettings, StoreSettings,
};
pub use socket::{Places, places};
pub use source::{ArticleChoice, Backlog, MirrorSpec, SelectSpec, SourceAddress, SourceSpec};
pub use value::duration;
pub use write::{Edit, NewAddress, NewSource};
