//! Whether a service would take a request, by its published limits, each with where they are published. It shares
//! nothing with the program but the names of the services.

use harmattan::notify::chat::Service;
use jiff::Timestamp;
use serde_json::Value;

use super::http::Asked;

/// Asserts that the service would take the request if it came at `now`, and returns its body.
pub(crate) fn check(service: Service, asked: &Asked, now: Timestamp) -> Value {
    let body: Value = serde_json::from_slice(&asked.body).expect("JSON");
    assert_eq!(asked.text("content-type").as_deref(), Some("application/json"));
    assert_eq!(asked.method, if service == Service::Matrix { "PUT" } else { "POST" });
    match service {
        Service::Slack => slack(&body),
        Service::Discord => discord(&body, asked),
        Service::Mattermost => mattermost(&body),
        Service::Teams => teams(&body),
        Service::Telegram => telegram(&body, asked),
        Service::Ntfy => ntfy(&body, asked),
        Service::Gotify => gotify(&body, asked),
        Service::Matrix => matrix(&body, asked),
        Service::PagerDuty => pagerduty(&body, asked),
        Service::Alertmanager => alertmanager(&body, asked, now),
    }
    body
}

fn text<'a>(value: &'a Value, at: &str) -> &'a str {
    value.pointer(at).and_then(Value::as_str).unwrap_or_else(|| panic!("no text at {at} in {value}"))
}

fn utf16(text: &str) -> usize {
    text.encode_utf16().count()
}

/// Asserts that `value` has no keys but these.
fn only(value: &Value, keys: &[&str]) {
    for key in value.as_object().expect("an object").keys() {
        assert!(keys.contains(&key.as_str()), "{key} is not known: {value}");
    }
}

/// <https://docs.slack.dev/reference/block-kit/blocks>: 50 blocks; header plain text of 150; section of 1 to 3,000,
/// escapes counted. <https://github.com/slackapi/bolt-js/issues/2509>: near 12,000 in all.
fn slack(body: &Value) {
    only(body, &["text", "blocks", "unfurl_links", "unfurl_media"]);
    assert_eq!((&body["unfurl_links"], &body["unfurl_media"]), (&Value::from(false), &Value::from(false)));
    let fallback = text(body, "/text");
    assert!((1..=4_000).contains(&utf16(fallback)) && !fallback.contains("<!") && !fallback.contains("<@"));
    let blocks = body["blocks"].as_array().expect("blocks");
    assert!((1..=50).contains(&blocks.len()));
    let escaped = |words: &str| utf16(&words.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;"));
    let mut all = 0;
    for block in blocks {
        only(block, &["type", "text"]);
        let (kind, form, words) =
            (text(block, "/type"), text(block, "/text/type"), text(block, "/text/text"));
        match (kind, form) {
            ("header", "plain_text") => assert!((1..=150).contains(&escaped(words))),
            ("section", "plain_text") => {
                assert!(escaped(words) <= 3_000 && !words.trim().is_empty(), "{words}");
            }
            ("section", "mrkdwn") => {
                assert!((1..=3_000).contains(&utf16(words)) && block["text"]["verbatim"] == true);
                let link = words.strip_prefix('<').and_then(|rest| rest.strip_suffix('>')).expect("a link");
                assert!(link.starts_with("http") && !link.contains(['<', '>', '|', ' ']), "{link}");
            }
            other => panic!("{other:?}"),
        }
        all += escaped(words);
    }
    assert!(all <= 10_000, "{all}");
}

/// <https://docs.discord.com/developers/resources/message#embed-object-embed-limits>
fn discord(body: &Value, asked: &Asked) {
    assert!(asked.target.ends_with("?wait=true"), "{}", asked.target);
    only(body, &["embeds", "allowed_mentions"]);
    assert_eq!(body["allowed_mentions"], serde_json::json!({ "parse": [] }));
    let embeds = body["embeds"].as_array().expect("embeds");
    assert!((1..=10).contains(&embeds.len()));
    let mut all = 0;
    for embed in embeds {
        only(embed, &["title", "description", "color", "url"]);
        let (title, description) = (utf16(text(embed, "/title")), utf16(text(embed, "/description")));
        assert!(title <= 256 && description <= 4_096, "{title} {description}");
        assert!(embed["color"].as_u64().expect("a colour") <= 0xff_ffff);
        all += title + description;
    }
    assert!(all <= 6_000, "{all}");
}

/// <https://developers.mattermost.com/integrate/reference/message-attachments/>; all of them in 760,000 characters of
/// JSON (`PostPropsMaxUserRunes` in `server/public/model/post.go`).
fn mattermost(body: &Value) {
    only(body, &["attachments"]);
    let attachments = body["attachments"].as_array().expect("attachments");
    assert!(serde_json::to_string(attachments).expect("JSON").chars().count() <= 760_000);
    for attachment in attachments {
        only(attachment, &["fallback", "title", "title_link", "text", "color"]);
        for words in ["/fallback", "/title", "/text"].map(|at| text(attachment, at)) {
            for call in ["@all", "@channel", "@here", "@everyone"] {
                assert!(!words.contains(call), "{words}");
            }
        }
        let colour = text(attachment, "/color");
        assert!(colour.len() == 7 && colour.starts_with('#'), "{colour}");
    }
}

/// <https://learn.microsoft.com/connectors/teams/>: about 28 KB, of what is stored of a message, in which the card is
/// JSON within JSON (<https://github.com/MicrosoftDocs/msteams-docs/issues/11274>: 28,672 bytes), perhaps in ASCII; text
/// runs know no Markdown (<https://adaptivecards.io/explorer/TextRun.html>).
fn teams(body: &Value) {
    let stored = serde_json::to_string(&serde_json::to_string(body).expect("JSON")).expect("JSON");
    let stored: usize =
        stored.encode_utf16().map(|unit| if unit < 0x80 { 1 } else { "\\\\uXXXX".len() }).sum();
    assert!(stored <= 28_000, "{stored} bytes");
    only(body, &["type", "attachments"]);
    assert_eq!(body["type"], "message");
    let attachments = body["attachments"].as_array().expect("attachments");
    assert_eq!(attachments.len(), 1);
    assert_eq!(text(&attachments[0], "/contentType"), "application/vnd.microsoft.card.adaptive");
    let card = &attachments[0]["content"];
    only(card, &["type", "$schema", "version", "msteams", "body", "actions"]);
    assert_eq!((text(card, "/type"), text(card, "/version")), ("AdaptiveCard", "1.4"));
    for block in card["body"].as_array().expect("a body") {
        assert_eq!(text(block, "/type"), "RichTextBlock");
        assert_eq!(text(block, "/inlines/0/type"), "TextRun");
        assert!(!text(block, "/inlines/0/text").is_empty());
    }
    for action in card["actions"].as_array().into_iter().flatten() {
        assert_eq!(text(action, "/type"), "Action.OpenUrl");
        assert!(text(action, "/url").starts_with("http"));
    }
}

/// <https://core.telegram.org/bots/api#sendmessage>: 1 to 4,096 characters after entities, counted in UTF-16.
fn telegram(body: &Value, asked: &Asked) {
    assert!(asked.target.starts_with("/bot") && asked.target.ends_with("/sendMessage"), "{}", asked.target);
    only(body, &["chat_id", "text", "entities", "link_preview_options", "reply_parameters"]);
    if let Some(answers) = body.get("reply_parameters") {
        only(answers, &["message_id", "allow_sending_without_reply"]);
        assert!(answers["message_id"].as_u64().is_some_and(|id| id > 0), "{answers}");
        assert_eq!(
            answers["allow_sending_without_reply"], true,
            "an alert does not depend on another message"
        );
    }
    assert_eq!(body["link_preview_options"], serde_json::json!({ "is_disabled": true }));
    let words = text(body, "/text");
    assert!((1..=4_096).contains(&utf16(words)), "{}", utf16(words));
    let entities = body["entities"].as_array().expect("entities");
    assert!(entities.len() <= 100);
    for entity in entities {
        let number = |key: &str| usize::try_from(entity[key].as_u64().expect("a number")).expect("small");
        assert!(number("length") > 0 && number("offset") + number("length") <= utf16(words));
    }
}

/// <https://docs.ntfy.sh/publish/#publish-as-json> and `message-size-limit`: a message of 4,096 bytes is made an
/// attachment (`handlePublishBody` in `server/server.go`), one byte less is a message. A body of JSON
/// of 8,192 bytes is refused (`readJSONWithLimit`, <https://github.com/binwiederhier/ntfy/issues/1073>).
fn ntfy(body: &Value, asked: &Asked) {
    assert!(asked.body.len() < 8_192, "{} bytes", asked.body.len());
    only(body, &["topic", "title", "message", "priority", "click", "sequence_id"]);
    assert!((1..=64).contains(&text(body, "/sequence_id").len()));
    assert!(text(body, "/topic").chars().all(|char| char.is_ascii_alphanumeric() || "-_".contains(char)));
    assert!(text(body, "/title").len() <= 1_024 && (1..=4_095).contains(&text(body, "/message").len()));
    assert!((1..=5).contains(&body["priority"].as_u64().expect("a priority")));
}

/// <https://gotify.net/docs/pushmsg> and <https://gotify.net/docs/msgextras>.
fn gotify(body: &Value, asked: &Asked) {
    assert!(asked.target.ends_with("/message") && asked.header("x-gotify-key").is_some());
    only(body, &["title", "message", "priority", "extras"]);
    assert!(!text(body, "/message").is_empty() && body["priority"].as_u64().expect("a priority") <= 10);
    only(&body["extras"], &["client::display", "client::notification"]);
    assert_eq!(text(&body["extras"], "/client::display/contentType"), "text/plain");
}

/// <https://spec.matrix.org/latest/client-server-api/#size-limits>: 65,536 bytes with signatures, keys of servers and
/// all else that the homeserver adds, for which 4 KB are left here.
fn matrix(body: &Value, asked: &Asked) {
    assert!(asked.body.len() <= 61_000, "{} bytes", asked.body.len());
    let path: Vec<&str> = asked.target.trim_start_matches('/').split('/').collect();
    assert_eq!(path[..4], ["_matrix", "client", "v3", "rooms"], "{}", asked.target);
    assert_eq!((path[5], path[6], path.len()), ("send", "m.room.message", 8), "{}", asked.target);
    assert!(asked.text("authorization").expect("a token").starts_with("Bearer "));
    only(body, &["msgtype", "body", "m.mentions", "com.beeper.linkpreviews", "m.relates_to"]);
    // <https://spec.matrix.org/latest/client-server-api/#threading>: a fallback answers an event of the thread.
    if let Some(relation) = body.get("m.relates_to") {
        only(relation, &["rel_type", "event_id", "is_falling_back", "m.in_reply_to"]);
        assert_eq!((text(relation, "/rel_type"), &relation["is_falling_back"]), ("m.thread", &true.into()));
        for at in ["/event_id", "/m.in_reply_to/event_id"] {
            let event = text(relation, at);
            assert!(event.starts_with('$') && event.len() <= 255, "{event}");
        }
    }
    assert_eq!(body["m.mentions"], serde_json::json!({}));
    assert!(!text(body, "/body").contains("@room"));
}

/// <https://developer.pagerduty.com/docs/send-alert-event>: summary 1,024, `dedup_key` 255, 512 KB in all.
fn pagerduty(body: &Value, asked: &Asked) {
    assert!(asked.body.len() <= 512_000);
    only(body, &["routing_key", "event_action", "dedup_key", "client", "payload", "links"]);
    assert!(["trigger", "resolve"].contains(&text(body, "/event_action")));
    assert!(utf16(text(body, "/dedup_key")) <= 255);
    let summary = text(body, "/payload/summary");
    assert!((1..=1_024).contains(&utf16(summary)), "{}", utf16(summary));
    assert!(["critical", "error", "warning", "info"].contains(&text(body, "/payload/severity")));
    assert!(!text(body, "/payload/source").is_empty());
    text(body, "/payload/timestamp").parse::<Timestamp>().expect("ISO 8601");
    for link in body["links"].as_array().into_iter().flatten() {
        only(link, &["href", "text"]);
    }
}

/// `api/v2/openapi.yaml` of the Alertmanager: label names of letters, digits and `_`; RFC 3339 times, the end not before
/// the start; `generatorURL` a URI. <https://prometheus.io/docs/alerting/latest/alerts_api>: what ended is resolved, so
/// that only what is meant to be, which is sent without a start here, may have ended.
fn alertmanager(body: &Value, asked: &Asked, now: Timestamp) {
    assert!(asked.target.ends_with("/api/v2/alerts"), "{}", asked.target);
    let alerts = body.as_array().expect("a list");
    assert!(!alerts.is_empty());
    for alert in alerts {
        only(alert, &["labels", "annotations", "startsAt", "endsAt", "generatorURL"]);
        for (name, value) in
            ["labels", "annotations"].iter().flat_map(|part| alert[part].as_object().expect("text"))
        {
            assert!(name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'), "{name}");
            assert!(value.is_string());
        }
        assert!(!text(alert, "/labels/alertname").is_empty());
        let time = |key: &str| {
            alert.get(key).map(|at| at.as_str().expect("text").parse::<Timestamp>().expect("a time"))
        };
        let (starts, ends) = (time("startsAt"), time("endsAt").expect("an end"));
        assert!(starts.is_none_or(|starts| starts <= ends && now < ends), "{alert} at {now}");
    }
}
