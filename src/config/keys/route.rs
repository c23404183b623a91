//! Which alerts go where.

use std::time::Duration;

use crate::config::option::{Form, Key, Table};
use crate::route::hold::Budget;

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
        Key::new(
            "batch",
            Form::Duration { min: Duration::from_secs(1), max: Duration::from_hours(1) },
            r#""30s""#,
            "How long alerts of one story are gathered, from its first on; critical ones pass.",
        ),
        Key::new(
            "digest",
            Form::TimesOfDay,
            r#"["07:00", "18:00"]"#,
            "Times of day at which all are told in one message, in place of each at once.",
        ),
        Key::nested("quiet", Form::Table(&QUIET), QUIET.doc),
        Key::new(
            "budget",
            Form::Budget {
                count_max: Budget::MESSAGES_MAX,
                min: Duration::from_mins(1),
                max: Duration::from_hours(7 * 24),
            },
            r#""20/1h""#,
            "Messages to one recipient in a sliding time; what is more leaves as one digest when there is room again.",
        ),
        Key::new(
            "report",
            Form::TimeOfDay,
            r#""07:00""#,
            "Time of day of a daily report to those in `to`, sent even when nothing happened.",
        ),
        Key::new(
            "timezone",
            Form::Zone,
            r#""Africa/Bamako""#,
            "Time zone of its times of day; the desk's without.",
        ),
    ],
};

/// `quiet` of a `[[route]]`
pub static QUIET: Table = Table {
    name: "route.quiet",
    kind: None,
    doc: "Hours in which the alerts of a route wait; several leave as one digest.",
    keys: &[
        Key::required("from", Form::TimeOfDay, r#""22:00""#, "Their beginning."),
        Key::required(
            "to",
            Form::TimeOfDay,
            r#""06:00""#,
            "Their end; on the next day when it is not later.",
        ),
        Key::with_default(
            "except",
            Form::Word { built: &["low", "medium", "high", "critical"], planned: &[] },
            r#""critical""#,
            "The least severity that does not wait.",
        ),
    ],
};
