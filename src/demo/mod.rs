//! Servers on loopback that stand in for the world: the receivers of `harmattan demo` and of the tests.
//!
//! They speak the real protocols and can be told to misbehave, so that the notifiers are tried against what happens
//! on a network and not against a copy of themselves. Each stops when it is dropped.

pub mod hook;
pub mod letter;
pub mod mailbox;
pub mod origin;

pub use hook::{Answer, Hook, Request};
pub use letter::Letter;
pub use mailbox::{Fault, Mail, Mailbox, Replies, Verb};
pub use origin::Origin;
