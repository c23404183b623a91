//! The option table: every key of the config, its bounds, its default and its sentence in the reference.
//!
//! The reader asks this table and nothing else, so a key that is not here is unknown, and a key that stands here
//! as planned is refused rather than ignored.

mod chat;
mod notifier;
mod route;
mod settings;
mod watch;

use std::time::Duration;

pub use chat::{ALERTMANAGER, DISCORD, GOTIFY, MATRIX, MATTERMOST, NTFY, PAGERDUTY, SLACK, TEAMS, TELEGRAM};
pub use notifier::{EMAIL, OAUTH, SECRET, STDOUT, WEBHOOK};
pub use route::{QUIET, ROUTE};
pub use settings::{ALERTS, CONTROL, DESK, HEARTBEAT, HTTP, LOG, SCHEDULE, STORE};
pub use watch::{AMBIGUOUS, ENTITY, EXTEND, MIRROR, NEAR, OVERRIDE, RULE, SELECT, SOURCE, TEST_TEXT, UNLESS};

use super::option::{Form, Key, Table};

/// Greatest duration taken anywhere: a century, far from where sums with a time stamp overflow.
const DURATION_MAX: Duration = days(36_500);

const WEB_SCHEMES: &[&str] = &["https", "http"];

const PROXY: Form = Form::Address { schemes: &["http", "https", "socks5", "socks5h"] };

const fn days(count: u64) -> Duration {
    Duration::from_secs(86_400 * count)
}

/// The top of a file.
pub static ROOT: Table = Table {
    name: "",
    kind: None,
    doc: "Any file may hold any table; `include` stands in the main file only.",
    keys: &[
        Key::new(
            "include",
            Form::Texts,
            r#"["sources/*.toml", "local/*.toml"]"#,
            "Globs of further files, relative to this one; a file is read once however often it is named.",
        ),
        Key::nested("store", Form::Table(&STORE), STORE.doc),
        Key::nested("desk", Form::Table(&DESK), DESK.doc),
        Key::nested("http", Form::Table(&HTTP), HTTP.doc),
        Key::nested("schedule", Form::Table(&SCHEDULE), SCHEDULE.doc),
        Key::nested("alerts", Form::Table(&ALERTS), ALERTS.doc),
        Key::nested("log", Form::Table(&LOG), LOG.doc),
        Key::nested("heartbeat", Form::Table(&HEARTBEAT), HEARTBEAT.doc),
        Key::nested("control", Form::Table(&CONTROL), CONTROL.doc),
        Key::planned("web", "Pages for health checks and metrics."),
        Key::nested("source", Form::Tables(&SOURCE), SOURCE.doc),
        Key::nested("entity", Form::Tables(&ENTITY), ENTITY.doc),
        Key::nested("extend", Form::Tables(&EXTEND), EXTEND.doc),
        Key::nested("rule", Form::Tables(&RULE), RULE.doc),
        Key::nested("override", Form::Tables(&OVERRIDE), OVERRIDE.doc),
        Key::nested(
            "notifier",
            Form::TablesByType(NOTIFIERS),
            "Where alerts go; without any, one of type `stdout` named `screen`.",
        ),
        Key::nested("route", Form::Tables(&ROUTE), ROUTE.doc),
    ],
};

/// Those of notifiers, by their types.
static NOTIFIERS: &[&Table] = &[
    &EMAIL,
    &WEBHOOK,
    &SLACK,
    &DISCORD,
    &MATTERMOST,
    &TEAMS,
    &TELEGRAM,
    &NTFY,
    &GOTIFY,
    &MATRIX,
    &PAGERDUTY,
    &ALERTMANAGER,
    &STDOUT,
];

/// All tables, in the order of the reference.
pub fn tables() -> impl Iterator<Item = &'static Table> {
    let before = [
        &ROOT, &STORE, &DESK, &HTTP, &SCHEDULE, &ALERTS, &LOG, &HEARTBEAT, &CONTROL, &SOURCE, &MIRROR,
        &SELECT, &ENTITY, &AMBIGUOUS, &EXTEND, &RULE, &NEAR, &UNLESS, &TEST_TEXT, &OVERRIDE,
    ];
    let behind = [&OAUTH, &SECRET, &ROUTE, &QUIET];
    before.into_iter().chain(NOTIFIERS.iter().copied()).chain(behind)
}
