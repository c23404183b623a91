//! Where alerts go.

use super::WEB_SCHEMES;
use crate::config::option::{Form, Key, Table};

pub(super) const NAME: Key = Key::required(
    "name",
    Form::Text,
    r#""desk-mail""#,
    "Unique, up to 64 letters, digits, `-`, `_` and `.`.",
);
pub(super) const TYPE: Form = Form::Word {
    built: &[
        "email",
        "webhook",
        "slack",
        "discord",
        "mattermost",
        "teams",
        "telegram",
        "ntfy",
        "gotify",
        "matrix",
        "pagerduty",
        "alertmanager",
        "stdout",
    ],
    planned: &[],
};

/// `[[notifier]]` of type `email`
pub static EMAIL: Table = Table {
    name: "notifier",
    kind: Some("email"),
    doc: "Mail.",
    keys: &[
        NAME,
        Key::required("type", TYPE, r#""email""#, "How it tells."),
        Key::new(
            "smtp",
            Form::Address { schemes: &["smtps", "smtp"] },
            r#""smtps://alerts@mail.example.org:465""#,
            "The relay and the user: `smtps`, or `smtp`, where STARTTLS is required unless the host is \
             loopback; the port is 465, 587, or 25 without TLS unless given.",
        ),
        Key::new(
            "sendmail",
            Form::Path,
            r#""/usr/sbin/sendmail""#,
            "A program that takes mail, in place of `smtp`; it cannot work under the shipped unit.",
        ),
        Key::new(
            "tls",
            Form::Word { built: &["required", "off"], planned: &[] },
            r#""required""#,
            "`off` allows an unprotected connection to another machine.",
        ),
        Key::new(
            "password",
            Form::Secret,
            r#"{ credential = "smtp-password" }"#,
            "Password of the user in `smtp`.",
        ),
        Key::nested("oauth", Form::Table(&OAUTH), OAUTH.doc),
        Key::required("from", Form::Text, r#""Harmattan <alerts@example.org>""#, "Sender."),
        Key::required("to", Form::Texts, r#"["desk@example.org"]"#, "Recipients, one delivery each."),
        Key::with_default(
            "excerpt",
            Form::Integer { min: 0, max: 100_000 },
            "600",
            "Characters of the item's text in a mail.",
        ),
        Key::new(
            "subject_template",
            Form::Text,
            r#""[{{ type }}] {{ data.severity | default(\"\") }}""#,
            "A template (MiniJinja) in place of the subject; it sees what the webhook body holds, and `says`.",
        ),
        Key::new(
            "text_template",
            Form::Path,
            r#""mail.txt.j2""#,
            "File of a template in place of the text part.",
        ),
        Key::new(
            "html_template",
            Form::Path,
            r#""mail.html.j2""#,
            "File of a template in place of the HTML part; values are escaped.",
        ),
    ],
};

/// `oauth` of a `[[notifier]]` of type `email`
pub static OAUTH: Table = Table {
    name: "notifier.oauth",
    kind: None,
    doc: "In place of `password`: log in by access tokens (XOAUTH2), as Microsoft 365 and Gmail ask for.",
    keys: &[
        Key::required(
            "token_url",
            Form::Address { schemes: WEB_SCHEMES },
            r#""https://login.microsoftonline.com/TENANT/oauth2/v2.0/token""#,
            "Where tokens are given out.",
        ),
        Key::required(
            "client_id",
            Form::Text,
            r#""00000000-0000-0000-0000-000000000000""#,
            "Who asks for them.",
        ),
        Key::new(
            "client_secret",
            Form::Secret,
            r#"{ credential = "smtp-client-secret" }"#,
            "Its secret. Without `refresh_token` it gets tokens for itself (client credentials).",
        ),
        Key::new(
            "refresh_token",
            Form::Secret,
            r#"{ credential = "smtp-refresh-token" }"#,
            "What a user's consent gave. A newer one that the server hands out serves until the program ends.",
        ),
        Key::new(
            "scope",
            Form::Text,
            r#""https://outlook.office365.com/.default""#,
            "What the tokens are for, where the server wants to be told.",
        ),
    ],
};

/// `[[notifier]]` of type `webhook`
pub static WEBHOOK: Table = Table {
    name: "notifier",
    kind: Some("webhook"),
    doc: "A POST of JSON, signed by the Standard Webhooks rules when `secret` is set.",
    keys: &[
        NAME,
        Key::required("type", TYPE, r#""webhook""#, "How it tells."),
        Key::required(
            "url",
            Form::Address { schemes: WEB_SCHEMES },
            r#""https://hooks.example.org/harmattan""#,
            "Where to.",
        ),
        Key::new(
            "secret",
            Form::Secrets,
            r#"{ credential = "hook-secret" }"#,
            "What bodies are signed with; a list of two while rotating.",
        ),
        Key::new(
            "template",
            Form::Path,
            r#""hook.json.j2""#,
            "File of a template (MiniJinja) in place of the body; values are written as JSON, and JSON must come of it.",
        ),
    ],
};

/// `[[notifier]]` of type `stdout`
pub static STDOUT: Table = Table {
    name: "notifier",
    kind: Some("stdout"),
    doc: "Lines on the standard output.",
    keys: &[NAME, Key::required("type", TYPE, r#""stdout""#, "How it tells.")],
};

/// A secret, wherever one is asked for
pub static SECRET: Table = Table {
    name: "secret",
    kind: None,
    doc: "Where a secret is kept; exactly one of the three.",
    keys: &[
        Key::new(
            "credential",
            Form::Text,
            r#""smtp-password""#,
            "A systemd credential: `NAME` or `secret_NAME` in `$CREDENTIALS_DIRECTORY`.",
        ),
        Key::new("file", Form::Path, r#""/etc/harmattan/smtp.secret""#, "A file that holds nothing else."),
        Key::new("env", Form::Text, r#""SMTP_PASSWORD""#, "A variable of the environment."),
    ],
};
