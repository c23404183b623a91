//! What the answers of these services mean: statuses as everywhere, and where a service says more, what it says.

use std::time::Duration;

use serde_json::Value;

use super::super::foreign::{cut, line};
use super::super::post::Answer;
use super::{Service, rooms};
use crate::outbox::classify::{self, HttpVerdict};

/// Greatest length of a receiver's own words, in characters.
const WORDS_CHARS_MAX: usize = 120;

/// What an answer means.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It took it.
    Accepted(&'static str),
    /// Nothing by this way now, perhaps not until its operator acts.
    Way { why: String, retry_after: Option<Duration> },
    /// Not this message now.
    Transient { why: String, retry_after: Option<Duration> },
    /// Never this message.
    Permanent { why: String },
}

/// Words with which Telegram refuses a message for what it says. Whatever else it refuses under 400 lies with the bot, the
/// chat or its rights, which somebody can put right.
const OF_THE_MESSAGE: &[&str] = &["too long", "empty", "entit", "parse", "url", "utf-8"];

/// Words by which services say that the way is closed, not that the message is bad, though the status says so. Those of
/// Mattermost are in its server's language; its ids are not.
const OF_THE_WAY: &[(Service, u16, &[&str])] = &[
    (Service::Slack, 400, &["invalid_token", "no_service", "no_team", "user_not_found"]),
    (Service::Discord, 400, &["forum channels"]),
    (Service::PagerDuty, 400, &["routing_key"]),
    (
        Service::Mattermost,
        400,
        &["web.incoming_webhook.invalid", "web.incoming_webhook.channel", "invalid webhook", "the channel"],
    ),
    (Service::Ntfy, 400, &["topic", "attachments not allowed"]),
];

/// What `answer` of `service` means; its words are shown as `redacted` leaves them.
pub(super) fn verdict(service: Service, answer: &Answer, redacted: impl Fn(&str) -> String) -> Verdict {
    let status = status(service, answer);
    let json: Option<Value> = serde_json::from_slice(&answer.body).ok();
    // A secret that the cut would shorten is none any more to whoever looks for it, so it is taken out before.
    let why = cut(&redacted(&words(json.as_ref(), &answer.body)), WORDS_CHARS_MAX);
    match classify::http(status) {
        HttpVerdict::Accepted => Verdict::Accepted(match (service, status) {
            (Service::Teams, _) => "accepted; whether its flow ends well, Teams does not say",
            (_, 202) => "accepted",
            _ => "taken",
        }),
        HttpVerdict::Permanent if !is_of_the_way(service, status, &why, json.as_ref()) => {
            Verdict::Permanent { why }
        }
        HttpVerdict::Transient => Verdict::Transient { why, retry_after: answer.retry_after },
        // One who shut us out, of several.
        HttpVerdict::Permanent | HttpVerdict::Way
            if service.names_recipients() && matches!(status, 400 | 403) =>
        {
            Verdict::Transient { why, retry_after: None }
        }
        HttpVerdict::Permanent | HttpVerdict::Way | HttpVerdict::Gone => {
            let asked = json.as_ref().and_then(wish);
            Verdict::Way { why, retry_after: answer.retry_after.max(asked) }
        }
    }
}

/// The status, also where it stands in the body: an old connector of Teams passes refusals on under 200, as
/// `Microsoft Teams endpoint returned HTTP error 429 with ContextId …`.
fn status(service: Service, answer: &Answer) -> u16 {
    let body = String::from_utf8_lossy(&answer.body);
    let told = body.split_once("returned HTTP error ").filter(|_| service == Service::Teams);
    let told = told.and_then(|(_, rest)| rest.get(..3)?.parse().ok());
    told.filter(|_| answer.status.is_success()).unwrap_or(answer.status.as_u16())
}

/// How a service names the message that it took, where what follows can go on from that: one that began a thread, not one
/// that `followed`, unless what it was to answer is gone.
pub(super) fn name(service: Service, answer: &Answer, followed: bool) -> Option<String> {
    let named: fn(&Value, bool) -> Option<String> = match service {
        Service::Telegram => rooms::telegram_id,
        Service::Matrix => rooms::matrix_id,
        // Their webhooks name nothing, or take no answer to what they name.
        Service::Slack
        | Service::Discord
        | Service::Mattermost
        | Service::Teams
        | Service::Ntfy
        | Service::Gotify
        | Service::PagerDuty
        | Service::Alertmanager => return None,
    };
    named(&serde_json::from_slice(&answer.body).ok()?, followed)
}

/// The id that a group of Telegram has now, when it was asked for by one that it had.
pub(super) fn moved_to(service: Service, answer: &Answer) -> Option<String> {
    if service != Service::Telegram {
        return None;
    }
    let json: Value = serde_json::from_slice(&answer.body).ok()?;
    json.pointer("/parameters/migrate_to_chat_id")?.as_i64().map(|id| id.to_string())
}

fn is_of_the_way(service: Service, status: u16, why: &str, json: Option<&Value>) -> bool {
    let id = json.and_then(|json| json.get("id")?.as_str()).unwrap_or_default();
    let why = format!("{why} {id}").to_lowercase();
    if service == Service::Telegram && status == 400 {
        return !OF_THE_MESSAGE.iter().any(|word| why.contains(word));
    }
    let closed = |row: &&(Service, u16, &[&str])| row.0 == service && row.1 == status;
    OF_THE_WAY.iter().filter(closed).any(|row| row.2.iter().any(|word| why.contains(word)))
}

/// The wait that a body asks for: seconds in Discord and Telegram, milliseconds in Matrix, whose newer servers ask in
/// `Retry-After` (specification 1.10); the longer of both counts.
fn wish(json: &Value) -> Option<Duration> {
    let seconds = json.pointer("/parameters/retry_after").or_else(|| json.get("retry_after"));
    let seconds = seconds.and_then(Value::as_f64);
    let seconds = seconds.or_else(|| Some(json.get("retry_after_ms")?.as_f64()? / 1000.0))?;
    Duration::try_from_secs_f64(seconds).ok()
}

/// What the receiver says, in one line.
fn words(json: Option<&Value>, body: &[u8]) -> String {
    let said = |json: &Value| {
        let errors = json.get("errors").and_then(Value::as_array);
        let errors = errors.map(|list| list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(", "));
        let keys = ["errorDescription", "description", "error", "message"];
        let text = keys.iter().find_map(|key| json.get(key)?.as_str());
        let text = text.or_else(|| json.as_str()).map(str::to_owned);
        match (text, errors.filter(|errors| !errors.is_empty())) {
            (Some(text), Some(errors)) => format!("{text} ({errors})"),
            (text, errors) => text.or(errors).unwrap_or_default(),
        }
    };
    let words = json.map_or_else(|| String::from_utf8_lossy(body).into_owned(), said);
    // A page that some gateway put there tells nothing.
    let is_page = words.trim_start().starts_with('<');
    if is_page { String::new() } else { line(&words) }
}

#[cfg(test)]
mod tests {
    use reqwest::StatusCode;

    use super::*;

    fn answer(status: u16, body: &str) -> Answer {
        Answer {
            status: StatusCode::from_u16(status).expect("a status"),
            retry_after: None,
            body: body.as_bytes().to_vec(),
        }
    }

    /// `accepted`, `permanent: why` or `transient 3.5s: why`.
    fn told(service: Service, status: u16, body: &str) -> String {
        match verdict(service, &answer(status, body), str::to_owned) {
            Verdict::Accepted(_) => "accepted".to_owned(),
            Verdict::Permanent { why } => format!("permanent: {why}"),
            Verdict::Transient { why, .. } => format!("transient: {why}"),
            Verdict::Way { why, retry_after: None } => format!("way: {why}"),
            Verdict::Way { why, retry_after: Some(wait) } => format!("way {wait:?}: {why}"),
        }
    }

    /// Of each service answers that were seen or are documented, and what they mean.
    const FIELD: &[(Service, u16, &str, &str)] = &[
        (Service::Slack, 200, "ok", "accepted"),
        (Service::Slack, 400, "invalid_blocks", "permanent: invalid_blocks"),
        (Service::Slack, 403, "invalid_token", "way: invalid_token"),
        (Service::Slack, 404, "no_service", "way: no_service"),
        (Service::Slack, 410, "channel_is_archived", "way: channel_is_archived"),
        (Service::Discord, 200, r#"{"id":"1"}"#, "accepted"),
        (
            Service::Discord,
            429,
            r#"{"message":"You are being rate limited.","retry_after":3.5,"global":false}"#,
            "way 3.5s: You are being rate limited.",
        ),
        (Service::Discord, 404, r#"{"message":"Unknown Webhook","code":10015}"#, "way: Unknown Webhook"),
        (
            Service::Discord,
            400,
            r#"{"message":"Webhooks posted to forum channels must have a thread_name or thread_id","code":220001}"#,
            "way: Webhooks posted to forum channels must have a thread_name or thread_id",
        ),
        (
            Service::Discord,
            400,
            r#"{"message":"Invalid Form Body","code":50035}"#,
            "permanent: Invalid Form Body",
        ),
        (
            Service::Mattermost,
            400,
            r#"{"message":"Couldn't find the channel."}"#,
            "way: Couldn't find the channel.",
        ),
        (
            Service::Mattermost,
            400,
            r#"{"id":"web.incoming_webhook.invalid.app_error","message":"Ungültiger Hook.","status_code":400}"#,
            "way: Ungültiger Hook.",
        ),
        (
            Service::Mattermost,
            400,
            r#"{"id":"web.incoming_webhook.split_props_length.app_error","message":"Unable to split webhook props"}"#,
            "permanent: Unable to split webhook props",
        ),
        (Service::Teams, 202, "", "accepted"),
        (Service::Teams, 413, "<html>", "permanent: "),
        (Service::Teams, 200, "1", "accepted"),
        (
            Service::Teams,
            200,
            "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 429 with ContextId \
             tcid=0,server=a",
            "way: Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 429 with \
             ContextId…",
        ),
        (
            Service::Teams,
            200,
            "Microsoft Teams endpoint returned HTTP error 413 with ContextId x",
            "permanent: Microsoft Teams endpoint returned HTTP error 413 with ContextId x",
        ),
        (
            Service::Teams,
            200,
            "Microsoft Teams endpoint returned HTTP error 502",
            "way: Microsoft Teams endpoint returned HTTP error 502",
        ),
        (
            Service::Telegram,
            429,
            r#"{"ok":false,"description":"Too Many Requests: retry after 14","parameters":{"retry_after":14}}"#,
            "way 14s: Too Many Requests: retry after 14",
        ),
        (
            Service::Telegram,
            400,
            r#"{"ok":false,"description":"Bad Request: chat not found"}"#,
            "transient: Bad Request: chat not found",
        ),
        (
            Service::Telegram,
            400,
            r#"{"ok":false,"description":"Bad Request: message is too long"}"#,
            "permanent: Bad Request: message is too long",
        ),
        (
            Service::Telegram,
            400,
            r#"{"ok":false,"description":"Bad Request: need administrator rights in the channel chat"}"#,
            "transient: Bad Request: need administrator rights in the channel chat",
        ),
        (
            Service::Telegram,
            400,
            r#"{"ok":false,"description":"Bad Request: TOPIC_CLOSED"}"#,
            "transient: Bad Request: TOPIC_CLOSED",
        ),
        (
            Service::Telegram,
            400,
            r#"{"ok":false,"description":"Bad Request: message text is empty"}"#,
            "permanent: Bad Request: message text is empty",
        ),
        (
            Service::Telegram,
            403,
            r#"{"ok":false,"description":"Forbidden: bot was blocked by the user"}"#,
            "transient: Forbidden: bot was blocked by the user",
        ),
        (
            Service::Ntfy,
            429,
            r#"{"code":42901,"http":429,"error":"limit reached: too many requests"}"#,
            "way: limit reached: too many requests",
        ),
        (
            Service::Ntfy,
            400,
            r#"{"code":40009,"http":400,"error":"invalid request: topic invalid"}"#,
            "transient: invalid request: topic invalid",
        ),
        (
            Service::Ntfy,
            400,
            r#"{"code":40014,"http":400,"error":"invalid request: attachments not allowed"}"#,
            "transient: invalid request: attachments not allowed",
        ),
        (
            Service::Ntfy,
            413,
            r#"{"code":41303,"http":413,"error":"JSON body too large"}"#,
            "permanent: JSON body too large",
        ),
        (
            Service::Gotify,
            401,
            r#"{"error":"Unauthorized","errorCode":401,"errorDescription":"you need to provide a valid access token"}"#,
            "way: you need to provide a valid access token",
        ),
        (
            Service::Matrix,
            429,
            r#"{"errcode":"M_LIMIT_EXCEEDED","error":"Too Many Requests","retry_after_ms":2000}"#,
            "way 2s: Too Many Requests",
        ),
        (
            Service::Matrix,
            403,
            r#"{"errcode":"M_FORBIDDEN","error":"User not in room"}"#,
            "transient: User not in room",
        ),
        (
            Service::Matrix,
            413,
            r#"{"errcode":"M_TOO_LARGE","error":"event too large"}"#,
            "permanent: event too large",
        ),
        (Service::PagerDuty, 202, r#"{"status":"success"}"#, "accepted"),
        (
            Service::PagerDuty,
            400,
            r#"{"status":"invalid event","message":"Event object is invalid","errors":["'routing_key' is a malformed"]}"#,
            "way: Event object is invalid ('routing_key' is a malformed)",
        ),
        (
            Service::PagerDuty,
            400,
            r#"{"message":"Event object is invalid","errors":["Length of 'payload.summary' is too long"]}"#,
            "permanent: Event object is invalid (Length of 'payload.summary' is too long)",
        ),
        (Service::Alertmanager, 200, "", "accepted"),
        (
            Service::Alertmanager,
            400,
            r#""start time must be before end time""#,
            "permanent: start time must be before end time",
        ),
        (Service::Alertmanager, 503, "<html>bad gateway</html>", "way: "),
    ];

    #[test]
    fn answers_seen_in_the_field() {
        for (service, status, body, expected) in FIELD {
            assert_eq!(told(*service, *status, body), *expected, "{} {status}", service.as_str());
        }
    }

    #[test]
    fn of_two_wishes_the_longer_counts() {
        let body = r#"{"errcode":"M_LIMIT_EXCEEDED","error":"Too Many Requests","retry_after_ms":2000}"#;
        for (header, body, expected) in
            [(5, body, 5), (1, body, 2), (5, r#"{"errcode":"M_LIMIT_EXCEEDED"}"#, 5)]
        {
            let header = Some(Duration::from_secs(header));
            let answer = Answer { retry_after: header, ..answer(429, body) };
            let Verdict::Way { retry_after, .. } = verdict(Service::Matrix, &answer, str::to_owned) else {
                panic!("{answer:?}")
            };
            assert_eq!(retry_after, Some(Duration::from_secs(expected)), "{answer:?}");
        }
    }

    #[test]
    fn a_group_that_moved_says_where() {
        let moved = r#"{"ok":false,"description":"group chat was upgraded","parameters":{"migrate_to_chat_id":-1001234}}"#;
        assert_eq!(moved_to(Service::Telegram, &answer(400, moved)), Some("-1001234".to_owned()));
        assert_eq!(moved_to(Service::Telegram, &answer(400, r#"{"ok":false}"#)), None);
        assert_eq!(moved_to(Service::Matrix, &answer(400, moved)), None);
    }

    #[test]
    fn only_what_can_be_answered_has_a_name() {
        let long = format!(r#"{{"event_id":"${}"}}"#, "x".repeat(255));
        for (service, body, expected) in [
            (Service::Telegram, r#"{"ok":true,"result":{"message_id":4711,"text":"x"}}"#, Some("4711")),
            (Service::Telegram, r#"{"ok":true,"result":{"message_id":"4711"}}"#, None),
            (Service::Telegram, r#"{"ok":true,"result":true}"#, None),
            (Service::Telegram, "<html>", None),
            (
                Service::Telegram,
                r#"{"result":{"message_id":5,"reply_to_message":{"message_id":4}}}"#,
                Some("5"),
            ),
            (Service::Matrix, r#"{"event_id":"$aBc-1:example.org"}"#, Some("$aBc-1:example.org")),
            (Service::Matrix, r#"{"event_id":"aBc"}"#, None),
            (Service::Matrix, &long, None),
            (Service::Discord, r#"{"id":"1","event_id":"$1"}"#, None),
        ] {
            assert_eq!(name(service, &answer(200, body), false).as_deref(), expected, "{body}");
            // One that stands alone although it was to answer another, which somebody deleted.
            let alone =
                expected.filter(|_| service == Service::Telegram && !body.contains("reply_to_message"));
            assert_eq!(name(service, &answer(200, body), true).as_deref(), alone, "{body}");
        }
    }

    #[test]
    fn a_wish_that_is_no_time_is_none() {
        for body in [r#"{"retry_after":-1}"#, r#"{"retry_after":1e300}"#, r#"{"retry_after":"soon"}"#] {
            assert_eq!(told(Service::Discord, 429, body), "way: ", "{body}");
        }
    }
}
