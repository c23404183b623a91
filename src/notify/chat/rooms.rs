//! Chats that a program enters as one of their members: Telegram, Matrix. In both, what follows in a story goes on from
//! the message with which that began there, by the name that the service gave to it.

use serde_json::{Value, json};

use super::note::{Note, Shape};

/// Greatest length of the name of an event in Matrix, in bytes (specification, appendix "Common Identifier Format").
const EVENT_ID_BYTES_MAX: usize = 255;

/// A message whose marks are spans beside the text, so that nothing in the text is markup. It answers `follows`, and stands
/// alone where somebody deleted that.
pub(super) fn telegram(note: &Note, shape: &Shape, chat: &str, follows: Option<&str>) -> Value {
    let title = note.title(shape);
    let bold = json!([{ "type": "bold", "offset": 0, "length": title.encode_utf16().count() }]);
    let mut message = json!({
        "chat_id": chat,
        "text": linked(&title, note, shape),
        "entities": bold,
        "link_preview_options": { "is_disabled": true },
    });
    if let Some(id) = follows.and_then(|id| id.parse::<i64>().ok()) {
        let answers = json!({ "message_id": id, "allow_sending_without_reply": true });
        message["reply_parameters"] = answers;
    }
    message
}

/// A message of plain text that mentions nobody; `m.notice` would be passed over in silence by most telephones. It stands in
/// the thread of `follows`, and is an answer to that for programs that know no threads.
pub(super) fn matrix(note: &Note, shape: &Shape, follows: Option<&str>) -> Value {
    let mut message = json!({
        "msgtype": "m.text",
        "body": linked(&note.title(shape), note, shape),
        "m.mentions": {},
        "com.beeper.linkpreviews": [],
    });
    if let Some(root) = follows {
        message["m.relates_to"] = json!({
            "rel_type": "m.thread",
            "event_id": root,
            "is_falling_back": true,
            "m.in_reply_to": { "event_id": root },
        });
    }
    message
}

/// The number that Telegram gave to a message that it took as the beginning of a thread. Of one that `followed` it shows
/// what that answers, unless somebody deleted it.
pub(super) fn telegram_id(answer: &Value, followed: bool) -> Option<String> {
    if followed && answer.pointer("/result/reply_to_message").is_some() {
        return None;
    }
    answer.pointer("/result/message_id")?.as_i64().map(|id| id.to_string())
}

/// The name that a homeserver of Matrix gave to the event that it took, unless that is in the thread of another.
pub(super) fn matrix_id(answer: &Value, followed: bool) -> Option<String> {
    if followed {
        return None;
    }
    let id = answer.get("event_id")?.as_str()?;
    (id.starts_with('$') && id.len() <= EVENT_ID_BYTES_MAX).then(|| id.to_owned())
}

/// Title, text and link; the text gives way to a long link.
fn linked(title: &str, note: &Note, shape: &Shape) -> String {
    let link = note.link.as_ref().map_or_else(String::new, |link| format!("\n\n{link}"));
    let room = shape.text.saturating_sub((shape.size)(&link));
    let text = note.text(&Shape { text: room, ..*shape });
    format!("{title}\n\n{text}{link}")
}
