//! Tables that stand once.

use std::time::Duration;

use super::{DURATION_MAX, PROXY, days};
use crate::config::option::{Form, Key, Table};

/// `[store]`
pub static STORE: Table = Table {
    name: "store",
    kind: None,
    doc: "What is remembered, and for how long.",
    keys: &[
        Key::with_words(
            "path",
            Form::Path,
            r#""/var/lib/harmattan""#,
            "`$STATE_DIRECTORY`, else `/var/lib/harmattan` when the config lies under `/etc`, else \
             `./harmattan-data` in the working directory",
            "Folder of the store.",
        ),
        Key::with_default(
            "keep",
            Form::Duration { min: Duration::from_secs(1), max: DURATION_MAX },
            r#""180d""#,
            "How long items, alerts and history are kept.",
        ),
    ],
};

/// `[desk]`
pub static DESK: Table = Table {
    name: "desk",
    kind: None,
    doc: "Who reads the alerts.",
    keys: &[Key::with_words(
        "timezone",
        Form::Zone,
        r#""Africa/Bamako""#,
        "the machine's",
        "Time zone of the desk, by its IANA name; mails show UTC beside it.",
    )],
};

/// `[http]`
pub static HTTP: Table = Table {
    name: "http",
    kind: None,
    doc: "How servers are asked.",
    keys: &[
        Key::new(
            "contact",
            Form::Address { schemes: &["mailto", "http", "https"] },
            r#""mailto:desk@example.org""#,
            "How a server's owner reaches the desk; goes into the `User-Agent`.",
        ),
        Key::with_default(
            "concurrency",
            Form::Integer { min: 1, max: 1000 },
            "32",
            "Requests in flight over all hosts; there is one per host.",
        ),
        Key::with_default(
            "timeout",
            Form::Duration { min: Duration::from_secs(1), max: Duration::from_hours(1) },
            r#""60s""#,
            "Longest time for a whole request.",
        ),
        Key::with_default(
            "body_max",
            Form::Size { min: 1 << 10, max: 1 << 30 },
            r#""16MiB""#,
            "Greatest size of a body after decompression.",
        ),
        Key::with_default(
            "allow_networks",
            Form::Networks,
            "[]",
            "Private or loopback ranges that sources, redirects and article links may reach.",
        ),
        Key::new("proxy", PROXY, r#""socks5h://127.0.0.1:9050""#, "Proxy for all requests to sources."),
    ],
};

/// Intervals of `[schedule]` may go below what `check` calls polite: it warns.
const INTERVAL: Form = Form::Duration { min: Duration::from_millis(100), max: days(365) };

/// `[schedule]`
pub static SCHEDULE: Table = Table {
    name: "schedule",
    kind: None,
    doc: "How often sources are polled.",
    keys: &[
        Key::with_default(
            "interval",
            INTERVAL,
            r#""15m""#,
            "How often a source is polled that has no interval of its own.",
        ),
        Key::with_default("telegram", INTERVAL, r#""5m""#, "The same for Telegram channels."),
        Key::with_default(
            "interval_min",
            INTERVAL,
            r#""5m""#,
            "Least such interval; `check` warns below `60s`.",
        ),
        Key::with_default(
            "interval_max",
            INTERVAL,
            r#""24h""#,
            "Greatest such interval, and the longest `max-age` obeyed.",
        ),
        Key::with_default(
            "host_gap",
            Form::Duration { min: Duration::ZERO, max: Duration::from_hours(1) },
            r#""1s""#,
            "Least time between two requests to one host.",
        ),
    ],
};

/// `[alerts]`
pub static ALERTS: Table = Table {
    name: "alerts",
    kind: None,
    doc: "What is sent.",
    keys: &[Key::with_default(
        "max_age",
        Form::Duration { min: Duration::from_secs(1), max: DURATION_MAX },
        r#""14d""#,
        "Items dated longer ago are recorded as stale and not sent; undated items count as new.",
    )],
};

/// `[log]`
pub static LOG: Table = Table {
    name: "log",
    kind: None,
    doc: "What the program says of itself.",
    keys: &[
        Key::with_default(
            "format",
            Form::Word { built: &["auto", "human", "json", "journald"], planned: &[] },
            r#""auto""#,
            "`auto` is journald under systemd, human on a terminal, else JSON.",
        ),
        Key::with_default(
            "level",
            Form::Word { built: &["error", "warn", "info", "debug", "trace"], planned: &[] },
            r#""info""#,
            "`info` tells of changes of state, alerts and deliveries, not of every poll.",
        ),
    ],
};

/// `[heartbeat]`
pub static HEARTBEAT: Table = Table {
    name: "heartbeat",
    kind: None,
    doc: "An address outside that is called while polling and delivering make progress, and only then.",
    keys: &[
        Key::new(
            "url",
            Form::Address { schemes: super::WEB_SCHEMES },
            r#""https://hc-ping.example.org/desk""#,
            "Called with GET; who watches it notices when the calls stop.",
        ),
        Key::with_default(
            "every",
            Form::Duration { min: Duration::from_secs(10), max: Duration::from_hours(24) },
            r#""5m""#,
            "How often.",
        ),
    ],
};

/// `[control]`
pub static CONTROL: Table = Table {
    name: "control",
    kind: None,
    doc: "How commands reach the daemon.",
    keys: &[Key::with_words(
        "socket",
        Form::Path,
        r#""/run/harmattan/control.sock""#,
        "`control.sock` in `$RUNTIME_DIRECTORY`, else in `/run/harmattan` when the config lies under `/etc`, \
         else in the folder of the store",
        "Unix socket of the daemon.",
    )],
};
