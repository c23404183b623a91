//! Channels of a team, each behind a secret address: Slack, Discord, Mattermost, Teams.

use serde_json::{Value, json};

use super::limits::{self, SLACK_SECTION_MAX};
use super::note::{Note, Shape, parted};
use crate::rules::spec::Severity;

/// Sections of plain text, in which Slack obeys nothing, and the link in one of its own.
pub(super) fn slack(note: &Note, shape: &Shape) -> Value {
    let plain = |kind: &str, text: &str| {
        let text = json!({ "type": "plain_text", "text": text, "emoji": false });
        json!({ "type": kind, "text": text })
    };
    let title = note.title(shape);
    let link = note.link.as_deref().map(slack_link);
    let room = shape.text.saturating_sub(link.as_deref().map_or(0, shape.size));
    let text = note.text(&Shape { text: room, ..*shape });
    let mut blocks = vec![plain("header", &title)];
    blocks.extend(parted(&text, SLACK_SECTION_MAX, shape.size).iter().map(|part| plain("section", part)));
    if let Some(link) = link {
        let text = json!({ "type": "mrkdwn", "text": link, "verbatim": true });
        blocks.push(json!({ "type": "section", "text": text }));
    }
    // What telephones show of it.
    json!({ "text": entities(&title), "blocks": blocks, "unfurl_links": false, "unfurl_media": false })
}

/// A link as Slack's text has it.
pub(super) fn slack_link(link: &str) -> String {
    format!("<{}>", entities(&link.replace('|', "%7C")))
}

/// The three characters that Slack's text obeys.
pub(super) fn entities(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// An embed, which calls nobody and of whose links Discord shows no preview.
pub(super) fn discord(note: &Note, shape: &Shape) -> Value {
    let mut embed = json!({
        "title": note.title(shape), "description": note.text(shape), "color": colour(note.severity),
    });
    if let (Some(link), Value::Object(embed)) = (&note.link, &mut embed) {
        embed.insert("url".to_owned(), json!(link));
    }
    json!({ "embeds": [embed], "allowed_mentions": { "parse": [] } })
}

/// An attachment, of whose links Mattermost shows no preview.
pub(super) fn mattermost(note: &Note, shape: &Shape) -> Value {
    let title = note.title(shape);
    // What telephones show of it, in which nothing is markup.
    let fallback = note.title(&Shape { plain: limits::uncalled, ..*shape });
    let mut attachment = json!({
        "fallback": fallback, "title": title, "text": note.text(shape), "color": format!("#{:06x}", colour(note.severity)),
    });
    if let (Some(link), Value::Object(attachment)) = (&note.link, &mut attachment) {
        attachment.insert("title_link".to_owned(), json!(link));
    }
    json!({ "attachments": [attachment] })
}

/// An adaptive card of plain runs of text, in which Teams obeys no Markdown.
pub(super) fn teams(note: &Note, shape: &Shape) -> Value {
    let paragraph = |text: &str, weight: &str| json!({ "type": "RichTextBlock", "inlines": [{ "type": "TextRun", "text": text, "weight": weight }] });
    let text = note.text(shape);
    let lines = text.lines().filter(|row| !row.is_empty()).map(|row| paragraph(row, "default"));
    let mut card = json!({
        "type": "AdaptiveCard",
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "version": "1.4",
        "msteams": { "width": "Full" },
        "body": std::iter::once(paragraph(&note.title(shape), "bolder")).chain(lines).collect::<Vec<_>>(),
    });
    if let (Some(link), Value::Object(card)) = (&note.link, &mut card) {
        card.insert(
            "actions".to_owned(),
            json!([{ "type": "Action.OpenUrl", "title": "Open", "url": link }]),
        );
    }
    let attachment = json!({ "contentType": "application/vnd.microsoft.card.adaptive", "content": card });
    json!({ "type": "message", "attachments": [attachment] })
}

/// What stands beside a message: red for the gravest.
fn colour(severity: Severity) -> u32 {
    match severity {
        Severity::Info => 0x6b_7280,
        Severity::Low => 0x25_63eb,
        Severity::Medium => 0xca_8a04,
        Severity::High => 0xea_580c,
        Severity::Critical => 0xdc_2626,
    }
}
