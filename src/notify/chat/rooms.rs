//! Chats that a program enters as one of their members: Telegram, Matrix.

use serde_json::{Value, json};

use super::note::{Note, Shape};

/// A message whose marks are spans beside the text, so that nothing in the text is markup.
pub(super) fn telegram(note: &Note, shape: &Shape, chat: &str) -> Value {
    let title = note.title(shape);
    let bold = json!([{ "type": "bold", "offset": 0, "length": title.encode_utf16().count() }]);
    json!({
        "chat_id": chat,
        "text": linked(&title, note, shape),
        "entities": bold,
        "link_preview_options": { "is_disabled": true },
    })
}

/// A message of plain text that mentions nobody; `m.notice` would be passed over in silence by most telephones.
pub(super) fn matrix(note: &Note, shape: &Shape) -> Value {
    json!({
        "msgtype": "m.text",
        "body": linked(&note.title(shape), note, shape),
        "m.mentions": {},
        "com.beeper.linkpreviews": [],
    })
}

/// Title, text and link; the text gives way to a long link.
fn linked(title: &str, note: &Note, shape: &Shape) -> String {
    let link = note.link.as_ref().map_or_else(String::new, |link| format!("\n\n{link}"));
    let room = shape.text.saturating_sub((shape.size)(&link));
    let text = note.text(&Shape { text: room, ..*shape });
    format!("{title}\n\n{text}{link}")
}
