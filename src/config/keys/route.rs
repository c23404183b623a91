//! Which alerts go where.

use crate::config::option::{Form, Key, Table};

/// `[[route]]`
pub static ROUTE: Table = Table {
    name: "route",
    kind: None,
    doc: "Which alerts or events go where: the first that takes one decides, unless it says `continue`. Without any, \
          every alert goes to every notifier; with some, one that none takes does so too, marked `unrouted`.",
    keys: &[
        Key::new(
            "severity",
            Form::Word { built: &["info", "low", "medium", "high", "critical"], planned: &[] },
            r#""high""#,
            "The least severity that it takes.",
        ),
        Key::with_default("rules", Form::Texts, "[]", "Names of rules, or globs such as `wagner-*`."),
        Key::with_default("tags", Form::Texts, "[]", "Tags of rules; one is enough."),
        Key::with_default(
            "entities",
            Form::Texts,
            "[]",
            "Entities, as in `@ml`; one that is mentioned is enough, or what lies below it.",
        ),
        Key::with_default("source", Form::Texts, "[]", "Names of sources, globs, or `tag:press`."),
        Key::new("tier", Form::Integer { min: 1, max: 3 }, "1", "The greatest tier of a source."),
        Key::new(
            "events",
            Form::Texts,
            r#"["source.*", "notifier.*"]"#,
            "Takes events of these types in place of alerts; globs.",
        ),
        Key::required(
            "to",
            Form::Texts,
            r#"["desk-mail"]"#,
            "Names of notifiers; `[]` records without sending.",
        ),
        Key::with_default("continue", Form::Flag, "false", "Whether the routes behind it are asked as well."),
        Key::planned("batch", "How long alerts of one story are gathered."),
        Key::planned("digest", "Times of day at which all are told at once."),
        Key::planned("report", "Time of day of a daily proof of life."),
        Key::planned("timezone", "Time zone of the times; the desk's without."),
        Key::planned("quiet", "Hours in which alerts wait."),
        Key::planned("budget", "Messages per recipient in a time."),
    ],
};
