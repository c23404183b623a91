//! Notifiers for chats, telephones and incident desks.

use super::WEB_SCHEMES;
use super::notifier::{NAME, TYPE};
use crate::config::option::{Form, Key, Table};

const fn kind(example: &'static str) -> Key {
    Key::required("type", TYPE, example, "How it tells.")
}

const SECRET_URL: Key = Key::required(
    "url",
    Form::Secret,
    r#"{ credential = "chat-url" }"#,
    "The address that the service gave: whoever knows it can post.",
);
const SERVER: Key = Key::required(
    "url",
    Form::Address { schemes: WEB_SCHEMES },
    r#""https://chat.example.org""#,
    "The server.",
);
const TOKEN_DOC: &str = "What proves who we are.";
const TOKEN: Key = Key::required("token", Form::Secret, r#"{ credential = "chat-token" }"#, TOKEN_DOC);
const TOKEN_MAYBE: Key = Key::new("token", Form::Secret, r#"{ credential = "chat-token" }"#, TOKEN_DOC);

/// `[[notifier]]` of type `slack`
pub static SLACK: Table = Table {
    name: "notifier",
    kind: Some("slack"),
    doc: "An incoming webhook of Slack.",
    keys: &[NAME, kind(r#""slack""#), SECRET_URL],
};

/// `[[notifier]]` of type `discord`
pub static DISCORD: Table = Table {
    name: "notifier",
    kind: Some("discord"),
    doc: "A webhook of Discord. In a forum channel its address ends in `?thread_id=` and the id of a post.",
    keys: &[NAME, kind(r#""discord""#), SECRET_URL],
};

/// `[[notifier]]` of type `mattermost`
pub static MATTERMOST: Table = Table {
    name: "notifier",
    kind: Some("mattermost"),
    doc: "An incoming webhook of Mattermost.",
    keys: &[NAME, kind(r#""mattermost""#), SECRET_URL],
};

/// `[[notifier]]` of type `teams`
pub static TEAMS: Table = Table {
    name: "notifier",
    kind: Some("teams"),
    doc: "A workflow of Microsoft Teams that takes a posted card. Teams answers before the flow has run: look into the \
          channel after `send-test`.",
    keys: &[NAME, kind(r#""teams""#), SECRET_URL],
};

/// `[[notifier]]` of type `telegram`
pub static TELEGRAM: Table = Table {
    name: "notifier",
    kind: Some("telegram"),
    doc: "A bot of Telegram.",
    keys: &[
        NAME,
        kind(r#""telegram""#),
        TOKEN,
        Key::required(
            "to",
            Form::Texts,
            r#"["-1001234567890"]"#,
            "Ids of chats, or `@channel`, one delivery each.",
        ),
        Key::with_default(
            "url",
            Form::Address { schemes: WEB_SCHEMES },
            r#""https://api.telegram.org""#,
            "The server of the Bot API.",
        ),
    ],
};

/// `[[notifier]]` of type `ntfy`
pub static NTFY: Table = Table {
    name: "notifier",
    kind: Some("ntfy"),
    doc: "Topics of an ntfy server.",
    keys: &[
        NAME,
        kind(r#""ntfy""#),
        Key::required(
            "url",
            Form::Address { schemes: WEB_SCHEMES },
            r#""https://ntfy.example.org""#,
            "The server alone, without a path.",
        ),
        TOKEN_MAYBE,
        Key::required(
            "to",
            Form::Texts,
            r#"["desk-alerts"]"#,
            "Topics of up to 64 letters, digits, `-` and `_`, one delivery each.",
        ),
    ],
};

/// `[[notifier]]` of type `gotify`
pub static GOTIFY: Table = Table {
    name: "notifier",
    kind: Some("gotify"),
    doc: "An application of a Gotify server.",
    keys: &[NAME, kind(r#""gotify""#), SERVER, TOKEN],
};

/// `[[notifier]]` of type `matrix`
pub static MATRIX: Table = Table {
    name: "notifier",
    kind: Some("matrix"),
    doc: "Rooms of a Matrix homeserver that the token's user has joined.",
    keys: &[
        NAME,
        kind(r#""matrix""#),
        SERVER,
        TOKEN,
        Key::required("to", Form::Texts, r#"["!abc:example.org"]"#, "Ids of rooms, one delivery each."),
    ],
};

/// `[[notifier]]` of type `pagerduty`
pub static PAGERDUTY: Table = Table {
    name: "notifier",
    kind: Some("pagerduty"),
    doc: "A service of PagerDuty; a story is one incident.",
    keys: &[
        NAME,
        kind(r#""pagerduty""#),
        Key::required("token", Form::Secret, r#"{ credential = "pagerduty-key" }"#, "The integration key."),
        Key::with_default(
            "url",
            Form::Address { schemes: WEB_SCHEMES },
            r#""https://events.pagerduty.com/v2/enqueue""#,
            "Where events are taken; in Europe another host.",
        ),
    ],
};

/// `[[notifier]]` of type `alertmanager`
pub static ALERTMANAGER: Table = Table {
    name: "notifier",
    kind: Some("alertmanager"),
    doc: "A Prometheus Alertmanager; write a notifier for each of its peers.",
    keys: &[NAME, kind(r#""alertmanager""#), SERVER, TOKEN_MAYBE],
};
