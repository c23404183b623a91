//! The config as its operator meets it: what is taken, what is refused, and in which words.

use std::ffi::OsString;
use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::Duration;

use harmattan::config::keys;
use harmattan::config::option::{Fallback, Form, Key, Support, Table};
use harmattan::config::secret::Secret;
use harmattan::config::{Backlog, Environment, Loaded, Problems, SourceAddress, load, reference};
use harmattan::notify::{Login, MailWay, NotifierKind, SmtpTls};
use harmattan::rules::spec::{FieldFilter, Located, Mode, RuleSpec, Scope, Severity};
use proptest::prelude::*;

use crate::tls::{authority, pem};

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/config")
}

fn environment(working_directory: &Path) -> Environment {
    Environment::bare(working_directory.to_owned()).with_variables(|name| match name {
        "MAIL" => Some(OsString::from("hunter2\n")),
        "HOOK" | "SMTP_PASSWORD" => Some(OsString::from("hunter2")),
        "EMPTY" => Some(OsString::from("\n")),
        _ => None,
    })
}

/// Loads a main file of that text out of a folder that also holds `others`.
fn load_text(text: &str, others: &[(&str, &str)]) -> Result<Loaded, Problems> {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in others {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    for name in ["mail.txt.j2", "mail.html.j2", "hook.json.j2"] {
        fs::write(folder.path().join(name), "{}").unwrap();
    }
    fs::write(folder.path().join("ca.pem"), CA.as_str()).unwrap();
    fs::write(folder.path().join("harmattan.toml"), text).unwrap();
    load(Path::new("harmattan.toml"), &environment(folder.path()))
}

fn render(loaded: &Result<Loaded, Problems>) -> String {
    match loaded {
        Err(problems) => problems.to_string(),
        Ok(loaded) => loaded.warnings.iter().fold(String::new(), |mut out, warning| {
            writeln!(out, "warning: {warning}").unwrap();
            out
        }),
    }
}

/// Every `<case>.toml` holds one mistake, or what is worth one warning; `<case>.snap` is what the operator reads.
#[test]
fn every_mistake_is_told_with_its_place_and_its_remedy() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(golden());
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let mut cases: Vec<PathBuf> =
        fs::read_dir(golden()).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    cases.sort();
    assert!(cases.len() > 100, "the fixtures are gone");
    for case in cases {
        let name = case.file_stem().unwrap().to_str().unwrap();
        let loaded = load(Path::new(&format!("{name}.toml")), &environment(&golden()));
        assert_eq!(loaded.is_ok(), name.starts_with("warn-"), "{name}: {}", render(&loaded));
        // Secrets in files are shown by their full path.
        let text = render(&loaded).replace(golden().to_str().unwrap(), "[here]");
        assert!(!text.contains("hunter2"), "{name} prints a secret: {text}");
        settings.bind(|| insta::assert_snapshot!(name, text));
    }
}

/// Notifiers of services that have a form of their own, and what of each is a secret.
const CHATS: [(&Table, &str); 10] = [
    (&keys::SLACK, "url"),
    (&keys::DISCORD, "url"),
    (&keys::MATTERMOST, "url"),
    (&keys::TEAMS, "url"),
    (&keys::TELEGRAM, "token"),
    (&keys::NTFY, "token"),
    (&keys::GOTIFY, "token"),
    (&keys::MATRIX, "token"),
    (&keys::PAGERDUTY, "token"),
    (&keys::ALERTMANAGER, "token"),
];

/// Tables that stand once.
const ONCE: [&Table; 8] = [
    &keys::STORE,
    &keys::DESK,
    &keys::HTTP,
    &keys::SCHEDULE,
    &keys::ALERTS,
    &keys::LOG,
    &keys::HEARTBEAT,
    &keys::CONTROL,
];

/// A certificate that a source may name.
static CA: LazyLock<String> = LazyLock::new(|| pem(authority().der()));

/// A config that uses every key of the option table with its example, but for one key of one table that has
/// another value.
fn sample(replaced: Option<(&Table, &Key, &str)>) -> String {
    let values = |table: &'static Table, skipped: &[&str]| -> String {
        let mut out = String::new();
        for key in table.keys {
            if key.support != Support::Built || key.example.is_empty() || skipped.contains(&key.name) {
                continue;
            }
            let value = match replaced {
                Some((owner, other, value)) if std::ptr::eq(owner, table) && other.name == key.name => value,
                _ => key.example,
            };
            writeln!(out, "{} = {value}", key.name).unwrap();
        }
        out
    };
    let mut out = values(&keys::ROOT, &[]);
    for table in ONCE {
        write!(out, "[{}]\n{}", table.name, values(table, &[])).unwrap();
    }
    for (name, skipped) in [
        ("rfi-afrique", &["telegram", "page", "hosts"][..]),
        ("wagner-channel", &["feed", "page"]),
        ("mod-communiques", &["telegram", "feed", "hosts"]),
    ] {
        let source = values(&keys::SOURCE, skipped).replace("rfi-afrique", name);
        write!(out, "[[source]]\n{source}").unwrap();
        if name == "wagner-channel" {
            write!(out, "[[source.mirrors]]\n{}", values(&keys::MIRROR, &[])).unwrap();
        }
    }
    let test_text = values(&keys::TEST_TEXT, &[]).trim_end().replace('\n', ", ");
    let hook = values(&keys::WEBHOOK, &["secret"]).replace("desk-mail", "ops-hook");
    let local = values(&keys::EMAIL, &["smtp", "tls", "password"]).replace("desk-mail", "local-mail");
    let of_alerts = ["severity", "rules", "tags", "entities", "source", "tier", "batch", "digest", "budget"];
    let by_tokens = values(&keys::EMAIL, &["sendmail", "password"]).replace("desk-mail", "token-mail");
    let client_secret = values(&keys::SECRET, &["credential", "file"]);
    let screen = values(&keys::STDOUT, &[]).replace("desk-mail", "screen");
    for (header, body) in [
        ("[source.select]", values(&keys::SELECT, &[])),
        ("[[entity]]", values(&keys::ENTITY, &[])),
        ("[[entity.ambiguous]]", values(&keys::AMBIGUOUS, &[])),
        ("[[extend]]", values(&keys::EXTEND, &[])),
        ("[[extend.ambiguous]]", values(&keys::AMBIGUOUS, &[])),
        ("[[rule]]", values(&keys::RULE, &["fires_on"])),
        ("fires_on = [{", format!("{test_text} }}]\n")),
        ("[rule.near]", values(&keys::NEAR, &[])),
        ("[rule.unless]", values(&keys::UNLESS, &[])),
        ("[[override]]", values(&keys::OVERRIDE, &[])),
        ("[[notifier]]", values(&keys::EMAIL, &["sendmail", "password"])),
        ("[notifier.password]", values(&keys::SECRET, &["credential", "file"])),
        ("[[notifier]]", by_tokens),
        ("[notifier.oauth]", values(&keys::OAUTH, &["client_secret", "refresh_token"])),
        ("[notifier.oauth.client_secret]", client_secret),
        ("[[notifier]]", local),
        ("[[notifier]]", hook),
        ("[[notifier]]", screen),
        ("[[route]]", values(&keys::ROUTE, &["events"])),
        ("[route.quiet]", values(&keys::QUIET, &[])),
        ("[[route]]", values(&keys::ROUTE, &of_alerts)),
    ] {
        let gap = if header.ends_with(']') { '\n' } else { ' ' };
        write!(out, "{header}{gap}{body}").unwrap();
    }
    for (table, secret) in CHATS {
        let body = values(table, &[secret]).replace("desk-mail", table.kind.unwrap());
        let env = values(&keys::SECRET, &["credential", "file"]);
        write!(out, "[[notifier]]\n{body}[notifier.{secret}]\n{env}").unwrap();
    }
    out
}

/// Tables whose keys [`sample`] writes all; secrets and notifiers have tests of their own.
fn sampled() -> impl Iterator<Item = (&'static Table, &'static Key)> {
    keys::tables()
        .filter(|table| !std::ptr::eq(*table, &raw const keys::SECRET))
        .flat_map(|table| table.keys.iter().map(move |key| (table, key)))
        .filter(|(_, key)| key.support == Support::Built && !key.example.is_empty())
        .filter(|(_, key)| !matches!(key.form, Form::Secret | Form::Secrets | Form::TestTexts(_)))
}

#[test]
fn every_key_of_the_table_is_taken() {
    let loaded = load_text(&sample(None), &[]);
    assert!(loaded.is_ok(), "{}\n{}", render(&loaded), sample(None));
}

#[test]
fn every_key_of_the_table_is_read() {
    // No key takes a date: one that is taken unseen was never looked at.
    for (table, key) in sampled() {
        let text = sample(Some((table, key, "2026-11-23")));
        let told = render(&load_text(&text, &[]));
        let name = [table.name, key.name].iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>();
        // A mistake in a rule or an entity is told with its name.
        let name = name.join(".");
        let inner = ["rule.", "entity."].iter().find_map(|table| name.strip_prefix(table));
        let told_of_it = told.contains(&format!(" {name}: "))
            || inner.is_some_and(|key| told.contains(&format!("`: {key}: ")));
        assert!(told_of_it && told.contains("found a date"), "{} {}: {told}", table.name, key.name);
    }
}

#[test]
fn every_default_is_a_value_that_its_key_takes() {
    let mut defaults = 0;
    for (table, key) in sampled() {
        if let Fallback::Value(value) = key.fallback {
            defaults += 1;
            let told = load_text(&sample(Some((table, key, value))), &[]);
            assert!(told.is_ok(), "{} {}: {}", table.name, key.name, render(&told));
        }
    }
    assert!(defaults > 30);
}

#[test]
fn the_reference_names_every_key() {
    insta::with_settings!({
        snapshot_path => golden(), prepend_module_to_snapshot => false, omit_expression => true,
    }, { insta::assert_snapshot!("reference", reference()) });
    for key in keys::tables().flat_map(|table| table.keys) {
        assert!(reference().contains(&format!("- `{}`", key.name)), "{}", key.name);
    }
}

#[test]
fn an_empty_config_is_all_defaults() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("harmattan.toml"), "[desk]\ntimezone = \"UTC\"\n").unwrap();
    let loaded = load(Path::new("harmattan.toml"), &environment(folder.path())).unwrap();
    let config = loaded.config;
    assert_eq!(config.store.path, folder.path().join("harmattan-data"));
    assert_eq!(config.control.socket, folder.path().join("harmattan-data/control.sock"));
    assert_eq!(config.store.keep, Duration::from_hours(4320));
    assert_eq!((config.http.concurrency, config.http.body_bytes_max), (32, 16 << 20));
    assert_eq!(config.schedule.interval, Duration::from_mins(15));
    assert_eq!(config.alerts.max_age, Duration::from_hours(336));
    assert_eq!(config.log.level, tracing::Level::INFO);
    let screen = config.notifiers.first().unwrap();
    assert_eq!((screen.name.as_str(), &screen.kind), ("screen", &NotifierKind::Stdout));
    assert_eq!(loaded.files, [PathBuf::from("harmattan.toml")]);
}

#[test]
fn folders_of_systemd_come_before_the_usual_ones_and_the_config_before_both() {
    let folder = tempfile::tempdir().unwrap();
    let load_with = |text: &str| {
        fs::write(folder.path().join("harmattan.toml"), text).unwrap();
        let mut environment = environment(folder.path());
        environment.state_directory = Some("/var/lib/state".into());
        environment.runtime_directory = Some("/run/runtime".into());
        load(Path::new("harmattan.toml"), &environment).unwrap().config
    };
    let config = load_with("");
    assert_eq!(config.store.path, Path::new("/var/lib/state"));
    assert_eq!(config.control.socket, Path::new("/run/runtime/control.sock"));
    let config = load_with("[store]\npath = \"data\"\n[control]\nsocket = \"/run/x.sock\"\n");
    assert_eq!(config.store.path, folder.path().join("data"));
    assert_eq!(config.control.socket, Path::new("/run/x.sock"));
}

#[test]
fn a_path_starts_from_the_file_that_holds_it() {
    let others = [("parts/store.toml", "[store]\npath = \"data\"\n")];
    let loaded = load_text("include = [\"parts/*.toml\"]\n", &others).unwrap();
    assert!(loaded.config.store.path.ends_with("parts/data"), "{:?}", loaded.config.store.path);
}

#[test]
fn files_are_read_once_in_the_order_of_the_globs() {
    let source = |name: &str| format!("[[source]]\nname = \"{name}\"\nfeed = \"https://{name}.example/\"\n");
    let (a, b, c) = (source("a"), source("b"), source("c"));
    let others = [
        ("sources/b.toml", b.as_str()),
        ("sources/a.toml", a.as_str()),
        ("local/c.toml", c.as_str()),
        // Editors keep such files beside the one they edit.
        ("sources/.#a.toml", a.as_str()),
        ("sources/a.toml~", a.as_str()),
    ];
    let include = "include = [\"local/*.toml\", \"sources/*.toml\", \"*/a.toml\", \"*.toml\"]\n";
    let loaded = load_text(include, &others).unwrap();
    let names: Vec<&str> = loaded.config.sources.iter().map(|source| source.name.as_str()).collect();
    assert_eq!(names, ["c", "a", "b"]);
    let files: Vec<&str> = loaded.files.iter().map(|path| path.to_str().unwrap()).collect();
    assert_eq!(files, ["harmattan.toml", "local/c.toml", "sources/a.toml", "sources/b.toml"]);
}

#[test]
fn a_default_gives_way_to_bounds_that_were_written() {
    let schedule = |text: &str| load_text(&format!("[schedule]\n{text}"), &[]).unwrap().config.schedule;
    assert_eq!(schedule("interval_min = \"1h\"").interval, Duration::from_hours(1));
    assert_eq!(schedule("interval_max = \"6m\"").interval, Duration::from_mins(6));
}

#[test]
fn a_source_says_where_it_is_and_how_it_is_read() {
    let config = load_text(&sample(None), &[]).unwrap().config;
    let [feed, telegram, page] = config.sources.as_slice() else { panic!("{:?}", config.sources) };
    assert!(matches!(&feed.what, SourceAddress::Feed(url) if url.host_str() == Some("www.rfi.fr")));
    assert!(matches!(&telegram.what, SourceAddress::Telegram { channel, hosts, .. }
        if channel == "@grey_zone" && hosts == &["t.me", "telegram.me", "telegram.dog"]));
    assert!(matches!(&page.what, SourceAddress::Page { select, .. } if select.item.value == "article"));
    assert_eq!((feed.tier, feed.enabled, feed.contact, feed.backlog), (2, true, false, Backlog::None));
    assert!(telegram.origin.line > feed.origin.line);
}

#[test]
fn a_test_text_without_a_table_stands_in_the_field_of_its_rule() {
    for (field, title, text) in [("any", "Mali", ""), ("title", "Mali", ""), ("text", "", "Mali")] {
        let rule =
            format!("[[rule]]\nname = \"r\"\nall = [\"mali\"]\nfield = \"{field}\"\nfires_on = [\"Mali\"]");
        let config = load_text(&rule, &[]).unwrap().config;
        let test = &config.rules[0].fires_on[0].value;
        assert_eq!((test.title.as_str(), test.text.as_str()), (title, text), "{field}");
    }
}

/// The rules of a main file, each key in the order of the table.
fn rules(text: &str) -> Vec<RuleSpec> {
    load_text(text, &[]).unwrap_or_else(|problems| panic!("{problems}\n{text}")).config.rules
}

fn values<T: Clone>(located: &[Located<T>]) -> Vec<T> {
    located.iter().map(|located| located.value.clone()).collect()
}

#[test]
fn a_rule_reaches_the_engine_as_it_is_written() {
    let text = r#"
[[rule]]
name = "cholera"
severity = "high"
mode = "shadow"
note = """
Call the desk head.
Then the doctor.
"""
any = ["Mali"]
unless = { within = 12, terms = ["novel", "film | documentary"] }
near = [
  { within = 5, terms = ["a", "b"] },
  { within = 9, terms = ["c", "d"], ordered = true },
]
scope = "paragraph"
kind = ["telegram", "video"]
forwarded_from = ["@Grey_Zone", "https://t.me/s/razgruzka/77", "rybar.t.me"]
max_age = "72h"
threshold = 40
title_factor = 2
[rule.score]
"~outbreak" = 10
"cholera" = 30
"novel" = -20
"#;
    let rules = rules(text);
    let [rule] = rules.as_slice() else { panic!("{rules:?}") };
    assert_eq!((rule.severity, rule.mode, rule.scope), (Severity::High, Mode::Shadow, Scope::Paragraph));
    assert_eq!(rule.note.as_deref(), Some("Call the desk head.\nThen the doctor."));
    let unless = rule.unless.as_ref().unwrap();
    assert_eq!(
        (unless.within, values(&unless.terms)),
        (12, vec!["novel".into(), "film | documentary".into()])
    );
    let near: Vec<_> = rule.near.iter().map(|near| (near.within, near.terms.len(), near.ordered)).collect();
    assert_eq!(near, [(5, 2, false), (9, 2, true)]);
    assert_eq!(values(&rule.kind), ["telegram", "video"]);
    assert_eq!(values(&rule.forwarded_from), ["grey_zone", "razgruzka", "rybar"]);
    assert_eq!(rule.max_age, Some(Duration::from_hours(72)));
    let weights: Vec<_> =
        rule.score.iter().map(|(term, weight)| (term.value.as_str(), *weight, term.origin.line)).collect();
    assert_eq!(weights, [("~outbreak", 10, 23), ("cholera", 30, 24), ("novel", -20, 25)]);
    assert_eq!((rule.threshold, rule.title_factor), (Some(40), 2));
}

#[test]
fn a_rule_is_live_and_takes_all_where_nothing_is_written() {
    let rules = rules("[[rule]]\nname = \"r\"\nnear = { within = 3, terms = [\"a\", \"b\"] }\n");
    let [rule] = rules.as_slice() else { panic!("{rules:?}") };
    let plain = RuleSpec { near: rule.near.clone(), ..RuleSpec::named(rule.name.clone()) };
    assert_eq!(*rule, plain);
    assert!(!rule.near[0].ordered);
}

#[test]
fn an_override_changes_what_it_names_and_the_later_file_wins() {
    let shipped = "[[rule]]\nname = \"wagner\"\nseverity = \"critical\"\nnote = \"shipped\"\nfires_on = [\"Mali\"]\n\
                   score = { \"mali\" = 30 }\nthreshold = 30\n[[rule]]\nname = \"coup\"\nall = [\"coup\"]\n";
    let early = "[[override]]\nrule = \"wagner\"\nseverity = \"low\"\nmode = \"off\"\nthreshold = 25\n";
    let late = "[[override]]\nrule = \"wagner\"\nmode = \"shadow\"\nfield = \"text\"\n\
                [[override]]\nrule = \"wagner\"\ntitle_factor = 3\nmax_age = \"1h\"\nscope = \"sentence\"\n";
    let include = "include = [\"a/*.toml\", \"b/*.toml\", \"c/*.toml\"]\n";
    let others = [("a/early.toml", early), ("b/shipped.toml", shipped), ("c/late.toml", late)];
    let rules = load_text(include, &others).unwrap().config.rules;
    let [wagner, coup] = rules.as_slice() else { panic!("{rules:?}") };
    assert_eq!((wagner.severity, wagner.mode), (Severity::Low, Mode::Shadow));
    assert_eq!((wagner.note.as_deref(), wagner.max_age), (Some("shipped"), Some(Duration::from_hours(1))));
    assert_eq!((wagner.threshold, wagner.title_factor), (Some(25), 3));
    assert_eq!((wagner.scope, wagner.field), (Scope::Sentence, FieldFilter::Text));
    // A plain test text stands in the field that the rule has in the end.
    let test = &wagner.fires_on[0].value;
    assert_eq!((test.title.as_str(), test.text.as_str()), ("", "Mali"));
    assert_eq!(*coup, RuleSpec { all: coup.all.clone(), ..RuleSpec::named(coup.name.clone()) });
}

#[test]
fn an_extension_adds_to_its_entity_wherever_that_stands() {
    let extend = "[[extend]]\nentity = \"jnim\"\naliases = [\"katiba Serma\"]\nrelated = [\"iss\"]\nin = \"sahel\"\n\
                  [[extend]]\nentity = \"jnim\"\nambiguous = [{ alias = \"Serma\", needs = [\"Mali\"] }]\nin = [\"a\", \"b\"]\n";
    let entity = "[[entity]]\nid = \"jnim\"\ntype = \"armed-group\"\nname = \"JNIM\"\naliases = [\"GSIM\"]\nfuzzy = 1\n";
    for (first, second) in [(extend, entity), (entity, extend)] {
        let others = [("a.toml", first), ("b.toml", second)];
        let entities = load_text("include = [\"?.toml\"]\n", &others).unwrap().config.entities;
        let [jnim] = entities.as_slice() else { panic!("{entities:?}") };
        assert_eq!((jnim.name.as_str(), jnim.fuzzy), ("JNIM", true));
        assert_eq!(values(&jnim.aliases), ["GSIM", "katiba Serma"]);
        assert_eq!(values(&jnim.related), ["iss"]);
        assert_eq!(values(&jnim.parents), ["sahel", "a", "b"]);
        let [serma] = jnim.ambiguous.as_slice() else { panic!("{jnim:?}") };
        assert_eq!((serma.alias.value.as_str(), values(&serma.needs)), ("Serma", vec!["Mali".into()]));
    }
}

/// Its rule may stand in the part that could not be read.
#[test]
fn an_override_is_not_blamed_for_a_file_that_cannot_be_read() {
    let include = "include = [\"shipped.toml\"]\n[[override]]\nrule = \"wagner\"\nmode = \"off\"\n";
    for shipped in
        ["[[rule]]\nname = \"wagner\nall = [\"wagner\"]\n", "[[rule]]\nnam = \"wagner\"\nall = [\"a\"]\n"]
    {
        let problems = load_text(include, &[("shipped.toml", shipped)]).unwrap_err();
        let keys: Vec<&str> = problems.as_slice().iter().map(|problem| problem.key.as_str()).collect();
        assert!(!keys.contains(&"override.rule"), "{problems}");
    }
}

#[test]
fn mail_is_protected_unless_it_stays_on_the_machine_or_somebody_says_otherwise() {
    for (smtp, tls, expected) in [
        ("smtps://mail.example", "", ("mail.example", 465, SmtpTls::Implicit)),
        ("smtp://mail.example", "", ("mail.example", 587, SmtpTls::Required)),
        ("smtp://mail.example:2525", "", ("mail.example", 2525, SmtpTls::Required)),
        ("smtp://mail.example", "tls = \"off\"", ("mail.example", 25, SmtpTls::Off)),
        ("smtp://localhost", "", ("localhost", 25, SmtpTls::Off)),
        ("smtp://127.0.0.1:1025", "", ("127.0.0.1", 1025, SmtpTls::Off)),
        ("smtp://[::1]", "tls = \"required\"", ("::1", 587, SmtpTls::Required)),
        ("smtp://127.0.0.1.example", "", ("127.0.0.1.example", 587, SmtpTls::Required)),
    ] {
        let text = format!(
            "[[notifier]]\nname = \"m\"\ntype = \"email\"\nsmtp = \"{smtp}\"\n{tls}\n\
             from = \"a@b.example\"\nto = [\"c@d.example\"]\n"
        );
        let config = load_text(&text, &[]).unwrap().config;
        let NotifierKind::Email(mail) = &config.notifiers[0].kind else { panic!("{smtp}") };
        let MailWay::Relay(relay) = &mail.way else { panic!("{smtp}") };
        assert_eq!((relay.host.as_str(), relay.port, relay.tls), expected, "{smtp} {tls}");
        assert_eq!(mail.excerpt, 600);
    }
}

#[test]
fn a_user_may_be_a_mail_address() {
    let text = "[[notifier]]\nname = \"m\"\ntype = \"email\"\nsmtp = \"smtps://a%40b.example@mail.example\"\n\
                password = { env = \"MAIL\" }\nfrom = \"a@b.example\"\nto = [\"c@d.example\"]\n";
    let config = load_text(text, &[]).unwrap().config;
    let NotifierKind::Email(mail) = &config.notifiers[0].kind else { panic!("no mail") };
    let MailWay::Relay(relay) = &mail.way else { panic!("no relay") };
    let Some(Login::Password { user, password }) = &relay.login else { panic!("no password") };
    assert_eq!((user.as_str(), password.expose()), ("a@b.example", "hunter2"));
    assert!(!format!("{config:?}").contains("hunter2"));
}

#[test]
fn a_login_by_tokens_says_where_they_are_had() {
    let text = "[[notifier]]\nname = \"m\"\ntype = \"email\"\nsmtp = \"smtp://a%40b.example@mail.example\"\n\
                from = \"a@b.example\"\nto = [\"c@d.example\"]\noauth = { token_url = \"https://id.example/token\", \
                client_id = \"us\", client_secret = { env = \"MAIL\" }, scope = \"mail\" }\n";
    let config = load_text(text, &[]).unwrap().config;
    let NotifierKind::Email(mail) = &config.notifiers[0].kind else { panic!("no mail") };
    let MailWay::Relay(relay) = &mail.way else { panic!("no relay") };
    let Some(Login::Oauth { user, oauth }) = &relay.login else { panic!("no tokens") };
    assert_eq!(user, "a@b.example");
    assert_eq!((oauth.token_url.as_str(), oauth.client_id.as_str()), ("https://id.example/token", "us"));
    assert_eq!(oauth.client_secret.as_ref().map(Secret::expose), Some("hunter2"));
    assert_eq!((oauth.refresh_token.as_ref(), oauth.scope.as_deref()), (None, Some("mail")));
    assert!(!format!("{config:?}").contains("hunter2"));
}

#[test]
fn a_secret_is_read_from_where_it_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("one", "from NAME\n");
    write("secret_two", "from secret_NAME\r\n");
    write("three", "from a file\n\n");
    let mut environment = environment(folder.path());
    environment.credentials_directory = Some(folder.path().to_owned());
    for (secret, expected) in [
        ("{ credential = \"one\" }", &["from NAME"][..]),
        ("{ credential = \"two\" }", &["from secret_NAME"]),
        ("{ file = \"three\" }", &["from a file\n"]),
        ("{ env = \"HOOK\" }", &["hunter2"]),
        ("[{ env = \"HOOK\" }, { credential = \"one\" }]", &["hunter2", "from NAME"]),
    ] {
        let hook = "[[notifier]]\nname = \"h\"\ntype = \"webhook\"\nurl = \"https://h.example/\"\n";
        write("harmattan.toml", &format!("{hook}secret = {secret}\n"));
        let loaded = load(Path::new("harmattan.toml"), &environment).unwrap();
        assert_eq!(loaded.unchecked, Vec::<String>::new());
        let NotifierKind::Webhook(hook) = &loaded.config.notifiers[0].kind else { panic!("{secret}") };
        assert_eq!(hook.secrets.iter().map(Secret::expose).collect::<Vec<_>>(), expected, "{secret}");
    }
}

#[test]
fn a_missing_credential_is_a_mistake_under_systemd_and_out_of_reach_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let text = "[[notifier]]\nname = \"h\"\ntype = \"webhook\"\nurl = \"https://h.example/\"\n\
                secret = { credential = \"hook\" }\n";
    fs::write(folder.path().join("harmattan.toml"), text).unwrap();
    let mut environment = environment(folder.path());
    let loaded = load(Path::new("harmattan.toml"), &environment).unwrap();
    assert_eq!((loaded.unchecked, loaded.config.notifiers), (vec!["h".to_owned()], vec![]));
    environment.credentials_directory = Some(folder.path().join("credentials"));
    let problems = load(Path::new("harmattan.toml"), &environment).unwrap_err();
    assert!(problems.to_string().contains("credential `hook` does not exist"), "{problems}");
}

#[test]
fn a_file_that_is_not_there_or_no_file_is_told_by_name() {
    let folder = tempfile::tempdir().unwrap();
    for (path, expected) in [
        ("nowhere.toml", "`nowhere.toml` cannot be read: No such file or directory"),
        (".", "`.` cannot be read: not a regular file"),
        ("/dev/zero", "`/dev/zero` cannot be read: not a regular file"),
    ] {
        let problems = load(Path::new(path), &environment(folder.path())).unwrap_err();
        assert!(problems.to_string().starts_with(expected), "{problems}");
    }
}

#[test]
fn a_file_from_another_system_is_read_like_ours() {
    let text = "\u{feff}[store]\r\nkeep = \"30d\"\r\n[http]\r\ntimeout = \"soon\"\r\n";
    let problems = load_text(text, &[]).unwrap_err();
    assert!(problems.to_string().starts_with("harmattan.toml:4: http.timeout: "), "{problems}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// Whatever stands in the file, the load comes back, and every problem has words.
    #[test]
    fn no_bytes_make_a_load_panic(
        cuts in prop::collection::vec((any::<prop::sample::Index>(), 0_usize..40, any::<Vec<u8>>()), 1..6),
    ) {
        let mut bytes = sample(None).into_bytes();
        for (at, length, inserted) in cuts {
            let start = at.index(bytes.len() + 1);
            let end = (start + length).min(bytes.len());
            bytes.splice(start..end, inserted);
        }
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("harmattan.toml"), &bytes).unwrap();
        if let Err(problems) = load(Path::new("harmattan.toml"), &environment(folder.path())) {
            prop_assert!(!problems.as_slice().is_empty());
            prop_assert!(!problems.to_string().contains("a bug"), "{problems}");
        }
    }

    /// The same with values of every kind in the place of any other, which reaches further into the readers.
    #[test]
    fn no_value_makes_a_load_panic(
        which in any::<prop::sample::Index>(),
        value in prop::sample::select(vec![
            "\"\"", "\"x\"", "\"\\u0000\"", "-1", "0", "9223372036854775807", "0xffff", "nan", "-inf", "1e999",
            "true", "[]", "{}", "[[]]", "[{}]", "[\"\"]", "[1, 2]", "[91, 0]", "07:32:00", "\"://\"", "\"@\"",
            "\"99999999999d\"", "\"***\"", "\"http://[::\"", "{ a = { b = { c = 1 } } }",
        ]),
    ) {
        let all: Vec<_> = sampled().collect();
        let (table, key) = all[which.index(all.len())];
        let told = render(&load_text(&sample(Some((table, key, value))), &[]));
        prop_assert!(!told.contains("a bug"), "{told}");
    }
}
