//! What threads the mails of a story.
//!
//! All mails of a story to one recipient refer to the same root, which is computed from the story and the recipient
//! and which nobody ever sends. So a follow-up finds its thread even where the first mail was lost, arrived late or
//! was only recorded, and no state is kept for it. Readers group by the reference alone (the algorithm of RFC 5256,
//! section 2.2, gives an absent root a place).
//!
//! Gmail also wants the first mail's subject, with `Re: ` at most before it. No follow-up gets it: whoever knows of a
//! story is told again only when it has become graver, so a subject that stays would understate each of them.

use lettre::message::MessageBuilder;

use crate::id::{digest, encode};
use crate::story::{Alert, AlertKind};

/// The left part of the root's Message-ID.
fn root(alert: &Alert, recipient: &str) -> String {
    encode(digest(&[b"mail-thread", &alert.story.id.to_bytes(), recipient.as_bytes()]))
}

/// `mail` in the thread of its story; a follow-up also as an answer to the root.
pub(super) fn threaded(mail: MessageBuilder, alert: &Alert, recipient: &str, domain: &str) -> MessageBuilder {
    let root = format!("<{}@{domain}>", root(alert, recipient));
    let follows = match alert.kind {
        AlertKind::New => alert.story.reports > 1,
        AlertKind::Update => true,
    };
    let mail = if follows { mail.in_reply_to(root.clone()) } else { mail };
    mail.references(root)
}
