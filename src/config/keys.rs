//! The option table: every key of the config, its bounds, its default and its sentence in the reference.
//!
//! The reader asks this table and nothing else, so a key that is not here is unknown, and a key that stands here
//! as planned is refused rather than ignored.

use std::time::Duration;

use super::option::{Form, Key, Table};

/// Greatest duration taken anywhere: a century, far from where sums with a time stamp overflow.
const DURATION_MAX: Duration = Duration::from_hours(24 * 36_500);
/// Greatest count or distance in words taken anywhere.
const WORDS_MAX: i64 = 10_000;

const WEB_SCHEMES: &[&str] = &["http", "https"];

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
        Key::nested("control", Form::Table(&CONTROL), CONTROL.doc),
        Key::planned("web", "Pages for health checks and metrics."),
        Key::nested("source", Form::Tables(&SOURCE), SOURCE.doc),
        Key::nested("entity", Form::Tables(&ENTITY), ENTITY.doc),
        Key::planned("extend", "The desk's additions to an entity of another file."),
        Key::nested("rule", Form::Tables(&RULE), RULE.doc),
        Key::planned("override", "The desk's changes to a rule of another file."),
        Key::nested(
            "notifier",
            Form::TablesByType(&[&NOTIFIER_EMAIL, &NOTIFIER_WEBHOOK, &NOTIFIER_STDOUT]),
            "Where alerts go; without any, one of type `stdout` named `screen`.",
        ),
        Key::planned("route", "Which alerts go where, and when."),
    ],
};

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

const PROXY: Form = Form::Address { schemes: &["http", "https", "socks5", "socks5h"] };

/// Intervals of `[schedule]` may go below what `check` calls polite: it warns.
const INTERVAL: Form =
    Form::Duration { min: Duration::from_millis(100), max: Duration::from_hours(24 * 365) };

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
            "Interval a source starts with; it is adapted to the source's rhythm.",
        ),
        Key::with_default("telegram", INTERVAL, r#""5m""#, "The same for Telegram channels."),
        Key::with_default(
            "interval_min",
            INTERVAL,
            r#""5m""#,
            "Least interval that adapting may reach; `check` warns below `60s`.",
        ),
        Key::with_default("interval_max", INTERVAL, r#""24h""#, "Greatest interval that adapting may reach."),
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

/// `[[source]]`
pub static SOURCE: Table = Table {
    name: "source",
    kind: None,
    doc: "What is read; exactly one of `feed`, `telegram` and `page` says where.",
    keys: &[
        Key::required(
            "name",
            Form::Text,
            r#""rfi-afrique""#,
            "Unique, up to 64 of `a-z`, `0-9` and `-`; the source's identity in the store.",
        ),
        Key::new(
            "feed",
            Form::Address { schemes: WEB_SCHEMES },
            r#""https://www.rfi.fr/fr/afrique/rss""#,
            "Address of an RSS, Atom, RDF or JSON feed.",
        ),
        Key::new(
            "telegram",
            Form::Text,
            r#""@grey_zone""#,
            "A public Telegram channel: name, @name, or any t.me address.",
        ),
        Key::new(
            "page",
            Form::Address { schemes: WEB_SCHEMES },
            r#""https://example.org/news""#,
            "Address of an HTML page, read by `select`.",
        ),
        Key::nested("select", Form::Table(&SELECT), SELECT.doc),
        Key::new("lang", Form::Text, r#""fr""#, "Language, as a hint: two or three letters."),
        Key::with_default("tags", Form::Texts, "[]", "Free labels for rules and routes."),
        Key::with_default(
            "tier",
            Form::Integer { min: 1, max: 3 },
            "2",
            "1 wire or official, 2 press, 3 unverified.",
        ),
        Key::planned("family", "Sources of one family corroborate once."),
        Key::new(
            "interval",
            Form::Duration { min: Duration::from_mins(1), max: Duration::from_hours(24 * 365) },
            r#""10m""#,
            "Fixed interval, not adapted.",
        ),
        Key::with_default(
            "article",
            Form::Word { built: &["never"], planned: &["auto", "always"] },
            r#""never""#,
            "Whether the linked article is fetched.",
        ),
        Key::with_default(
            "backlog",
            Form::Backlog { max: WORDS_MAX },
            "0",
            "What of the first poll may alert: a count of newest items, or an age.",
        ),
        Key::planned("silent_after", "Raise `source.silent` when nothing was new for so long."),
        Key::with_default("enabled", Form::Flag, "true", "Whether it is polled."),
        Key::with_default(
            "hosts",
            Form::Texts,
            r#"["t.me", "telegram.me", "telegram.dog"]"#,
            "Of a Telegram channel: hosts or addresses tried in order.",
        ),
        Key::planned("mirrors", "Of a Telegram channel: pages of others that show it."),
        Key::new(
            "contact",
            Form::Word { built: &["none"], planned: &[] },
            r#""none""#,
            "`none` keeps the desk's contact out of requests to this source.",
        ),
        Key::new("proxy", PROXY, r#""socks5h://127.0.0.1:9050""#, "Proxy of this source alone."),
    ],
};

/// `select` of a `[[source]]`
pub static SELECT: Table = Table {
    name: "source.select",
    kind: None,
    doc: "Of a page: CSS selectors, each with an optional `@attribute`; all but `item` look inside an item.",
    keys: &[
        Key::required("item", Form::Text, r#""article""#, "What holds one item."),
        Key::new("title", Form::Text, r#""h2""#, "Its title."),
        Key::new("link", Form::Text, r#""h2 a@href""#, "Its link."),
        Key::new("date", Form::Text, r#""time@datetime""#, "When it was published."),
        Key::new("text", Form::Text, r#"".lead""#, "Its text."),
    ],
};

/// `[[entity]]`
pub static ENTITY: Table = Table {
    name: "entity",
    kind: None,
    doc: "Who and what rules may name as `@id`.",
    keys: &[
        Key::required("id", Form::Text, r#""ml-timbuktu""#, "Unique id of `a-z`, `0-9` and `-`."),
        Key::required(
            "type",
            Form::Text,
            r#""place""#,
            "`mercenary`, `armed-group`, `military`, `government`, `organisation`, `person`, `place`, \
             `event-type`, one of your own, or `context` and `mask`, which are reported nowhere.",
        ),
        Key::new("kind", Form::Text, r#""city""#, "Of a place: `country`, `region`, `city`, `base`, …"),
        Key::with_words("name", Form::Text, r#""Timbuktu""#, "the id", "Name in Latin script."),
        Key::with_default("aliases", Form::Texts, "[]", "Terms that name it."),
        Key::nested("ambiguous", Form::Tables(&AMBIGUOUS), AMBIGUOUS.doc),
        Key::with_default("related", Form::Texts, "[]", "Ids shown beside it, never matched."),
        Key::new(
            "in",
            Form::TextOrTexts,
            r#""ml-tombouctou-region""#,
            "Parent or list of parents: a rule that asks for one of them gets this entity too.",
        ),
        Key::new("country", Form::Text, r#""ML""#, "ISO 3166-1 alpha-2."),
        Key::new("at", Form::Point, "[16.77, -3.00]", "Latitude and longitude, decimal degrees, WGS 84."),
    ],
};

/// `ambiguous` of an `[[entity]]`
pub static AMBIGUOUS: Table = Table {
    name: "entity.ambiguous",
    kind: None,
    doc: "Aliases that count only in the right company.",
    keys: &[
        Key::required("alias", Form::Text, r#""Wagner""#, "The term."),
        Key::with_default("needs", Form::Texts, "[]", "Terms of which one must occur; empty: none needed."),
        Key::with_default("rejects", Form::Texts, "[]", "Terms of which none may occur."),
        Key::new(
            "within",
            Form::Integer { min: 1, max: WORDS_MAX },
            "40",
            "Greatest distance in words, in the same field, of `needs` and `rejects`; absent: anywhere.",
        ),
        Key::new(
            "rejects_within",
            Form::Integer { min: 1, max: WORDS_MAX },
            "10",
            "The same for `rejects` alone.",
        ),
    ],
};

/// `[[rule]]`
pub static RULE: Table = Table {
    name: "rule",
    kind: None,
    doc: "What matters; at least one of `all`, `any` and `near` is needed.",
    keys: &[
        Key::required("name", Form::Text, r#""wagner-leaves-sahel""#, "Unique name."),
        Key::with_default(
            "severity",
            Form::Word { built: &["info", "low", "medium", "high", "critical"], planned: &[] },
            r#""medium""#,
            "How much its alerts matter.",
        ),
        Key::with_default("tags", Form::Texts, "[]", "Free labels for routes and receivers."),
        Key::planned("mode", "`live`, `shadow` or `off`."),
        Key::planned("note", "A sentence printed in the alert."),
        Key::with_default("all", Form::Texts, "[]", "Terms that must all hold."),
        Key::with_default("any", Form::Texts, "[]", "Terms of which one must hold."),
        Key::with_default("none", Form::Texts, "[]", "Terms that veto the item, wherever they stand."),
        Key::planned("unless", "Terms that take away the hits close to them."),
        Key::nested("near", Form::Table(&NEAR), NEAR.doc),
        Key::planned("scope", "`item`, `paragraph` or `sentence`: where conditions must hold together."),
        Key::with_default(
            "field",
            Form::Word { built: &["any", "title", "text"], planned: &[] },
            r#""any""#,
            "Where `all`, `any` and `near` look; `none` always looks at the whole item.",
        ),
        Key::with_default(
            "lang",
            Form::Texts,
            "[]",
            "Languages; an item of unknown or guessed language passes.",
        ),
        Key::with_default(
            "source",
            Form::Texts,
            "[]",
            "Sources: names, globs of names, or tags as `tag:press`.",
        ),
        Key::planned("kind", "Kinds of sources and of Telegram messages."),
        Key::planned("forwarded_from", "Telegram channels that a message was forwarded from."),
        Key::planned("max_age", "The rule's own greatest age of an item."),
        Key::planned("score", "Weights of terms."),
        Key::planned("threshold", "The sum of weights at which the rule fires."),
        Key::planned("title_factor", "What a weight is multiplied by in the title."),
        Key::planned("when", "Bursts and corroboration."),
        Key::with_default(
            "fires_on",
            Form::TestTexts(&TEST_TEXT),
            "[]",
            "Texts on which the rule must fire: titles as strings, or tables.",
        ),
        Key::with_default(
            "silent_on",
            Form::TestTexts(&TEST_TEXT),
            "[]",
            "Texts on which it must stay silent.",
        ),
    ],
};

/// `near` of a `[[rule]]`
pub static NEAR: Table = Table {
    name: "rule.near",
    kind: None,
    doc: "Terms that must stand close together in one field.",
    keys: &[
        Key::required(
            "within",
            Form::Integer { min: 1, max: WORDS_MAX },
            "25",
            "Greatest distance in words from the first to the last; neighbours differ by 1.",
        ),
        Key::required("terms", Form::Texts, r#"["Wagner", "Mali"]"#, "The terms, two or more."),
        Key::planned("ordered", "Whether they must stand in this order."),
    ],
};

/// A test text of a `[[rule]]` written as a table
pub static TEST_TEXT: Table = Table {
    name: "rule.fires_on",
    kind: None,
    doc: "A test text with more than a title.",
    keys: &[
        Key::with_default("title", Form::FreeText, r#""""#, "Title."),
        Key::with_default("text", Form::FreeText, r#""""#, "Text."),
        Key::new("lang", Form::Text, r#""en""#, "Language."),
        Key::new("source", Form::Text, r#""rfi-afrique""#, "Name of the source; then source filters apply."),
    ],
};

const NOTIFIER_NAME: Key = Key::required(
    "name",
    Form::Text,
    r#""desk-mail""#,
    "Unique, up to 64 letters, digits, `-`, `_` and `.`.",
);
const NOTIFIER_TYPE: Form = Form::Word {
    built: &["email", "webhook", "stdout"],
    planned: &[
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
    ],
};

/// `[[notifier]]` of type `email`
pub static NOTIFIER_EMAIL: Table = Table {
    name: "notifier",
    kind: Some("email"),
    doc: "Mail.",
    keys: &[
        NOTIFIER_NAME,
        Key::required("type", NOTIFIER_TYPE, r#""email""#, "How it tells."),
        Key::required(
            "smtp",
            Form::Address { schemes: &["smtps", "smtp"] },
            r#""smtps://alerts@mail.example.org:465""#,
            "The relay and the user: `smtps`, or `smtp`, where STARTTLS is required unless the host is \
             loopback; the port is 465, 587, or 25 without TLS unless given.",
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
        Key::required("from", Form::Text, r#""Harmattan <alerts@example.org>""#, "Sender."),
        Key::required("to", Form::Texts, r#"["desk@example.org"]"#, "Recipients, one delivery each."),
        Key::with_default(
            "excerpt",
            Form::Integer { min: 0, max: 100_000 },
            "600",
            "Characters of the item's text in a mail.",
        ),
    ],
};

/// `[[notifier]]` of type `webhook`
pub static NOTIFIER_WEBHOOK: Table = Table {
    name: "notifier",
    kind: Some("webhook"),
    doc: "A POST of JSON, signed by the Standard Webhooks rules when `secret` is set.",
    keys: &[
        NOTIFIER_NAME,
        Key::required("type", NOTIFIER_TYPE, r#""webhook""#, "How it tells."),
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
    ],
};

/// `[[notifier]]` of type `stdout`
pub static NOTIFIER_STDOUT: Table = Table {
    name: "notifier",
    kind: Some("stdout"),
    doc: "Lines on the standard output.",
    keys: &[NOTIFIER_NAME, Key::required("type", NOTIFIER_TYPE, r#""stdout""#, "How it tells.")],
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

/// All tables, in the order of the reference.
pub fn tables() -> impl Iterator<Item = &'static Table> {
    [
        &ROOT,
        &STORE,
        &DESK,
        &HTTP,
        &SCHEDULE,
        &ALERTS,
        &LOG,
        &CONTROL,
        &SOURCE,
        &SELECT,
        &ENTITY,
        &AMBIGUOUS,
        &RULE,
        &NEAR,
        &TEST_TEXT,
        &NOTIFIER_EMAIL,
        &NOTIFIER_WEBHOOK,
        &NOTIFIER_STDOUT,
        &SECRET,
    ]
    .into_iter()
}
