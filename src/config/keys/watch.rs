//! What is read and what matters: sources, entities, rules.

use std::time::Duration;

use super::{DURATION_MAX, PROXY, WEB_SCHEMES, days};
use crate::config::option::{Form, Key, Table};

/// Greatest distance in words; longer than any article.
const WORDS_MAX: i64 = 10_000;

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
            Form::Word { built: &["never"], planned: &["auto", "always"] },
            r#""never""#,
            "Whether the linked article is fetched.",
        ),
        Key::with_default(
            "backlog",
            Form::Backlog { count_max: 10_000, age_max: DURATION_MAX },
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
