//! What is read and what matters: sources, entities, rules.

use std::time::Duration;

use super::{DURATION_MAX, PROXY, WEB_SCHEMES, days};
use crate::config::option::{Form, Key, Table};

/// Greatest distance in words; longer than any article.
const WORDS_MAX: i64 = 10_000;

/// Greatest weight of a term, far from where a sum of them overflows.
const WEIGHT_MAX: i64 = 1_000_000;

/// Kinds of sources, and of Telegram messages: the words of [`crate::item::TelegramPost::kinds`].
const KINDS: &[&str] = &[
    "feed",
    "telegram",
    "page",
    "text",
    "photo",
    "video",
    "gif",
    "round_video",
    "voice",
    "audio",
    "document",
    "poll",
    "sticker",
    "location",
    "link_preview",
    "service",
    "unsupported",
];

const SEVERITY: Form = Form::Word { built: &["info", "low", "medium", "high", "critical"], planned: &[] };
const MODE: Form = Form::Word { built: &["live", "shadow", "off"], planned: &[] };
const NOTE: Form = Form::Prose { chars_max: 500 };
const SCOPE: Form = Form::Word { built: &["item", "paragraph", "sentence"], planned: &[] };
const FIELD: Form = Form::Word { built: &["any", "title", "text"], planned: &[] };
const MAX_AGE: Form = Form::Duration { min: Duration::from_secs(1), max: DURATION_MAX };
const THRESHOLD: Form = Form::Integer { min: 1, max: WEIGHT_MAX };
const TITLE_FACTOR: Form = Form::Integer { min: 1, max: 1000 };

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
            Form::Duration { min: Duration::from_mins(1), max: days(365) },
            r#""10m""#,
            "How often it is polled; without, as `[schedule]` says.",
        ),
        Key::with_default(
            "article",
            Form::Word { built: &["auto", "always", "never"], planned: &[] },
            r#""never""#,
            "Whether the linked article is fetched and judged with its entry; auto: of entries under 400 characters on which no rule fired.",
        ),
        Key::with_default(
            "backlog",
            Form::Backlog { count_max: 10_000, age_max: DURATION_MAX },
            "0",
            "What of the first poll may alert: a count of newest items, or an age.",
        ),
        Key::new(
            "silent_after",
            Form::Duration { min: Duration::from_mins(1), max: days(365) },
            r#""36h""#,
            "Raise `source.silent` when nothing was new for so long; without, learned from the source's rhythm.",
        ),
        Key::with_default("enabled", Form::Flag, "true", "Whether it is polled."),
        Key::with_default(
            "hosts",
            Form::Texts,
            r#"["t.me", "telegram.me", "telegram.dog"]"#,
            "Of a Telegram channel: hosts or addresses tried in order.",
        ),
        Key::nested("mirrors", Form::Tables(&MIRROR), MIRROR.doc),
        Key::new(
            "contact",
            Form::Word { built: &["none"], planned: &[] },
            r#""none""#,
            "`none` keeps the desk's contact out of requests to this source.",
        ),
        Key::new("proxy", PROXY, r#""socks5h://127.0.0.1:9050""#, "Proxy of this source alone."),
        Key::new("ca", Form::Path, r#""ca.pem""#, "PEM of authorities or hosts: alone trusted at its hosts."),
    ],
};

/// `mirrors` of a `[[source]]`
pub static MIRROR: Table = Table {
    name: "source.mirrors",
    kind: None,
    doc: "Of a Telegram channel: pages of others that show it, tried in order when no host does, its preview is off, or its page is an old copy or lacks texts or dates; CSS selectors, each with an optional `@attribute`, look inside an item.",
    keys: &[
        Key::required(
            "page",
            Form::Text,
            r#""https://mirror.example/{channel}""#,
            "Address of its page, with `{channel}` where the channel's name goes.",
        ),
        Key::required("item", Form::Text, r#"".post""#, "What holds one message."),
        Key::required(
            "link",
            Form::Text,
            r#""a.orig@href""#,
            "Link to the original on Telegram, by which the message is known.",
        ),
        Key::required("text", Form::Text, r#"".body""#, "Its text."),
        Key::new("date", Form::Text, r#""time@datetime""#, "When it was published."),
    ],
};

/// `select` of a `[[source]]`
pub static SELECT: Table = Table {
    name: "source.select",
    kind: None,
    doc: "Of a page: CSS selectors, each with an optional `@attribute`; all but `item` and `next` look inside an item.",
    keys: &[
        Key::required("item", Form::Text, r#""article""#, "What holds one item."),
        Key::new("title", Form::Text, r#""h2""#, "Its title."),
        Key::new("link", Form::Text, r#""h2 a@href""#, "Its link."),
        Key::new("date", Form::Text, r#""time@datetime""#, "When it was published."),
        Key::new("text", Form::Text, r#"".lead""#, "Its text."),
        Key::new(
            "next",
            Form::Text,
            r#""a[rel=next]@href""#,
            "Link to the page with older items, in the whole page; `@href` where no attribute is named.",
        ),
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
        Key::with_default(
            "fuzzy",
            Form::Integer { min: 0, max: 1 },
            "0",
            "Letters that may be wrong, missing or added in a word of six letters and more of its aliases.",
        ),
    ],
};

/// `[[extend]]`
pub static EXTEND: Table = Table {
    name: "extend",
    kind: None,
    doc: "The desk's additions to an entity, wherever that stands.",
    keys: &[
        Key::required("entity", Form::Text, r#""ml-timbuktu""#, "Id of the entity."),
        Key::with_default("aliases", Form::Texts, "[]", "Further terms that name it."),
        Key::nested(
            "ambiguous",
            Form::Tables(&AMBIGUOUS),
            "Further aliases that count in the right company.",
        ),
        Key::with_default("related", Form::Texts, "[]", "Further ids shown beside it."),
        Key::new("in", Form::TextOrTexts, r#""sahel""#, "Further parent or list of parents."),
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
    doc: "What matters; at least one of `all`, `any`, `near` and `score` is needed.",
    keys: &[
        Key::required("name", Form::Text, r#""wagner-leaves-sahel""#, "Unique name."),
        Key::with_default("severity", SEVERITY, r#""medium""#, "How much its alerts matter."),
        Key::with_default("tags", Form::Texts, "[]", "Free labels for routes and receivers."),
        Key::with_default(
            "mode",
            MODE,
            r#""live""#,
            "`shadow`: its alerts are recorded and not sent; `off`: it is checked and tested, nothing else.",
        ),
        Key::new("note", NOTE, r#""Call the desk head.""#, "What is printed in its alerts."),
        Key::with_default("all", Form::Texts, "[]", "Terms that must all hold."),
        Key::with_default("any", Form::Texts, "[]", "Terms of which one must hold."),
        Key::with_default("none", Form::Texts, "[]", "Terms that veto the item, wherever they stand."),
        Key::nested("unless", Form::Table(&UNLESS), UNLESS.doc),
        Key::nested("near", Form::TableOrTables(&NEAR), NEAR.doc),
        Key::with_default("scope", SCOPE, r#""item""#, "Where `all`, `any` and `near` must hold together."),
        Key::with_default(
            "field",
            FIELD,
            r#""any""#,
            "Where `all`, `any`, `near` and `score` look; `none` always looks at the whole item.",
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
        Key::with_default("kind", Form::Words(KINDS), "[]", "Kinds of sources and of Telegram messages."),
        Key::with_default(
            "forwarded_from",
            Form::Texts,
            "[]",
            "Telegram channels that a message was forwarded from: name, @name, or any t.me address.",
        ),
        Key::with_words(
            "max_age",
            MAX_AGE,
            r#""72h""#,
            "as `[alerts]` says",
            "Items dated longer ago are stale to this rule: it neither sends nor raises their alerts.",
        ),
        Key::new(
            "score",
            Form::Weights { min: -WEIGHT_MAX, max: WEIGHT_MAX },
            r#"{ "cholera" = 30, "~outbreak" = 10, "novel" = -20 }"#,
            "Weights of terms; each term that occurs counts once.",
        ),
        Key::new(
            "threshold",
            THRESHOLD,
            "40",
            "The sum of weights at which the rule fires; goes with `score`.",
        ),
        Key::with_default(
            "title_factor",
            TITLE_FACTOR,
            "1",
            "What the weight of a term that occurs in the title is multiplied by.",
        ),
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
    doc: "Terms that must stand close together in one field; of a list, every table must be met.",
    keys: &[
        Key::required(
            "within",
            Form::Integer { min: 1, max: WORDS_MAX },
            "25",
            "Greatest distance in words from the first to the last; neighbours differ by 1.",
        ),
        Key::required("terms", Form::Texts, r#"["Wagner", "Mali"]"#, "The terms, two or more."),
        Key::with_default("ordered", Form::Flag, "false", "Whether they must stand in this order."),
    ],
};

/// `unless` of a `[[rule]]`
pub static UNLESS: Table = Table {
    name: "rule.unless",
    kind: None,
    doc: "Terms that take away the hits of `all`, `any` and `near` close to them.",
    keys: &[
        Key::required(
            "within",
            Form::Integer { min: 1, max: WORDS_MAX },
            "12",
            "Greatest distance in words, in the same field; neighbours differ by 1.",
        ),
        Key::required("terms", Form::Texts, r#"["anniversary", "film | documentary"]"#, "The terms."),
    ],
};

/// `[[override]]`
pub static OVERRIDE: Table = Table {
    name: "override",
    kind: None,
    doc: "The desk's changes to a rule, wherever that stands; of several, the one read last holds, key by key.",
    keys: &[
        Key::required("rule", Form::Text, r#""wagner-leaves-sahel""#, "Name of the rule."),
        Key::new("severity", SEVERITY, r#""high""#, "Another severity."),
        Key::new("mode", MODE, r#""shadow""#, "Another mode; `off` switches it off."),
        Key::new("note", NOTE, r#""Call the night desk.""#, "Another note."),
        Key::new("scope", SCOPE, r#""paragraph""#, "Another scope."),
        Key::new("field", FIELD, r#""title""#, "Another field."),
        Key::new("max_age", MAX_AGE, r#""24h""#, "Another greatest age."),
        Key::new("threshold", THRESHOLD, "50", "Another threshold, of a rule with `score`."),
        Key::new("title_factor", TITLE_FACTOR, "3", "Another factor, of a rule with `score`."),
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
