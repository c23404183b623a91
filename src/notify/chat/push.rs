//! Servers that ring telephones: ntfy, Gotify.

use serde_json::{Value, json};

use super::note::{Note, Shape};
use crate::outbox::DeliveryId;
use crate::rules::spec::Severity;

/// A message published as JSON, so that no text can stand in a header. A repeated attempt takes the place of the first on
/// telephones (a server before 2.16 shows both); a follow-up of a story has an id of its own, since what takes the place
/// of another rings nobody.
pub(super) fn ntfy(note: &Note, shape: &Shape, topic: &str, id: DeliveryId) -> Value {
    let priority = match note.severity {
        Severity::Info | Severity::Low => 2,
        Severity::Medium => 3,
        Severity::High => 4,
        Severity::Critical => 5,
    };
    let mut body = json!({
        "topic": topic, "title": note.title(shape), "message": note.text(shape), "priority": priority,
        "sequence_id": id.to_string(),
    });
    if let (Some(link), Value::Object(body)) = (&note.link, &mut body) {
        body.insert("click".to_owned(), json!(link));
    }
    body
}

/// A message of plain text; on telephones a priority of 4 and more makes a sound, one of 8 and more also vibrates
/// (<https://gotify.net/docs/priority>).
pub(super) fn gotify(note: &Note, shape: &Shape) -> Value {
    let priority = match note.severity {
        Severity::Info => 1,
        Severity::Low => 3,
        Severity::Medium => 5,
        Severity::High => 7,
        Severity::Critical => 9,
    };
    let mut extras = json!({ "client::display": { "contentType": "text/plain" } });
    if let (Some(link), Value::Object(extras)) = (&note.link, &mut extras) {
        extras.insert("client::notification".to_owned(), json!({ "click": { "url": link } }));
    }
    json!({ "title": note.title(shape), "message": note.text(shape), "priority": priority, "extras": extras })
}
