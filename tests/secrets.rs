//! Secrets of every kind, receivers that all refuse and repeat what they were sent, and all that the built
//! program prints, logs and stores meanwhile.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use harmattan::demo::{Fault, Mailbox, Replies, Verb};
use serde_json::Value;

use crate::support::desk::{Desk, rss};
use crate::support::http::{Asked, Reply, Server};

/// Logins that the mail server refuses, more than there are attempts.
const LOGINS: usize = 50;

/// Notifiers of the desk.
const NOTIFIERS: usize = 11;

/// What is written into a file for a notifier to read, by the name of the file; none may be seen anywhere.
const SECRETS: [(&str, &str); 12] = [
    ("smtp", "smtp-passw0rd-Zk3"),
    ("hook", "whsec_cGxhbnRlZCBzZWNyZXQgb2YgYSBob29rIG9mIG91cnM="),
    ("hook-old", "plain-h00k-secret-of-last-year"),
    ("slack", "T000/B000/sl4ckPathSecret"),
    ("discord", "d1scordPathSecret"),
    ("mattermost", "m4ttermostPathSecret"),
    ("teams", "workflows/te4msPathSecret?api-version=1&sig=te4ms%2DSig-Secret"),
    ("telegram", "123456:t3legramTokenSecret"),
    ("gotify", "g0tifyTokenSecret"),
    ("ntfy", "tk_ntfyT0kenSecret"),
    ("matrix", "syt_m4trixTokenSecret"),
    ("pagerduty", "p4gerdutyKeySecret"),
];

/// The parts of [`SECRETS`] that count, and what stands in addresses of the config that may hold secrets.
const HIDDEN: [&str; 18] = [
    "passw0rd",
    "AGFsZXJ0",
    "cGxhbnRl",
    "h00k-secret",
    "sl4ckPath",
    "d1scordPath",
    "m4ttermostPath",
    "te4msPath",
    "te4ms-Sig",
    "te4ms%2DSig",
    "t3legramToken",
    "g0tifyToken",
    "ntfyT0ken",
    "m4trixToken",
    "p4gerdutyKey",
    "h00kPath",
    "h00kQuery",
    "be4tPath",
];

/// In the query of a feed's address, which `sources list` shows as it is configured, and nothing else does.
const FEED_KEY: &str = "f33dKey";

/// A receiver that repeats all that it was sent, as some do in their errors.
fn parrot(asked: &Asked) -> Reply {
    let headers = ["authorization", "x-gotify-key", "webhook-signature"];
    let headers: Vec<String> = headers.iter().filter_map(|name| asked.text(name)).collect();
    let decoded = asked.target.replace("%2D", "-");
    let key = serde_json::from_slice::<Value>(&asked.body).ok();
    let key = key.and_then(|body| body["routing_key"].as_str().map(str::to_owned)).unwrap_or_default();
    let words = format!("no: {} {decoded} {} {key}", asked.target, headers.join(" "));
    let body = serde_json::json!({
        "error": words, "message": words, "description": words, "errorDescription": words, "errors": [words],
    });
    Reply::status(500).body(body.to_string())
}

/// Every kind of notifier, and what calls an address without being one.
fn notifiers(server: &Server, mailbox: &Mailbox) -> String {
    let secret = |name: &str| format!("{{ file = \"../secrets/{name}\" }}");
    let base = server.url("/");
    let base = base.as_str().trim_end_matches('/');
    let mut out = format!(
        "[heartbeat]\nurl = \"{base}/be4tPath\"\n\
         [[notifier]]\nname = \"mail\"\ntype = \"email\"\nsmtp = \"smtp://alerts@{}\"\npassword = {}\n\
         from = \"alerts@example.org\"\nto = [\"desk@example.org\"]\n\
         [[notifier]]\nname = \"hook\"\ntype = \"webhook\"\nurl = \"{base}/h00kPath?key=h00kQuery\"\n\
         secret = [{}, {}]\n",
        mailbox.address(),
        secret("smtp"),
        secret("hook"),
        secret("hook-old"),
    );
    for name in ["slack", "discord", "mattermost", "teams"] {
        _ = write!(out, "[[notifier]]\nname = \"{name}\"\ntype = \"{name}\"\nurl = {}\n", secret(name));
    }
    for (name, path, to) in [
        ("telegram", "", "to = [\"-100123\"]\n"),
        ("gotify", "", ""),
        ("ntfy", "", "to = [\"desk-alerts\"]\n"),
        ("matrix", "", "to = [\"!desk:example.org\"]\n"),
        ("pagerduty", "/v2/enqueue", ""),
    ] {
        _ = write!(
            out,
            "[[notifier]]\nname = \"{name}\"\ntype = \"{name}\"\nurl = \"{base}{path}\"\ntoken = {}\n{to}",
            secret(name)
        );
    }
    out
}

/// A desk with all of this, whose feed shows `titles`.
fn desk(server: &Server, mailbox: &Mailbox) -> Desk {
    let desk = Desk::new(&format!(
        "[store]\npath = \"../store\"\n[http]\ncontact = \"mailto:desk@example.org\"\n\
         allow_networks = [\"127.0.0.0/8\"]\n\
         [schedule]\nhost_gap = \"0s\"\n[log]\nlevel = \"trace\"\nformat = \"json\"\n\
         [[source]]\nname = \"wire\"\nfeed = \"{}\"\n\
         [[source]]\nname = \"gone\"\nfeed = \"{}\"\n\
         [[rule]]\nname = \"cholera\"\nseverity = \"critical\"\nall = [\"cholera\"]\n{}",
        server.url("/wire"),
        server.url(&format!("/gone?key={FEED_KEY}")),
        notifiers(server, mailbox)
    ));
    fs::create_dir(desk.path("secrets")).expect("a folder");
    for (name, secret) in SECRETS {
        let address = ["slack", "discord", "mattermost", "teams"].contains(&name);
        let text = if address { server.url(&format!("/{secret}")).to_string() } else { secret.to_owned() };
        desk.write(&format!("secrets/{name}"), &text);
    }
    desk
}

/// Fails when `text` shows what is hidden.
#[track_caller]
fn assert_hides(what: &str, text: &str) {
    for secret in HIDDEN {
        assert!(!text.contains(secret), "{what} shows `{secret}`:\n{text}");
    }
}

/// All bytes of the files below `folder`, as text.
fn stored(folder: &Path) -> String {
    let mut all = String::new();
    for entry in fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
        if entry.is_dir() {
            all += &stored(&entry);
        } else if entry.is_file() {
            all += &String::from_utf8_lossy(&fs::read(entry).expect("a file"));
        }
    }
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_printed_logged_or_stored_though_every_receiver_repeats_it() {
    // The password as it is, and as AUTH PLAIN sends it.
    let words = ["535 5.7.8 no: smtp-passw0rd-Zk3", "535 5.7.8 no: AGFsZXJ0cwBzbXRwLXBhc3N3MHJkLVprMw=="];
    let refusing = words.iter().cycle().take(LOGINS);
    let replies =
        refusing.fold(Replies::default(), |replies, word| replies.then(Verb::Auth, Fault::Reply(word)));
    let mailbox = Mailbox::start(replies).await.expect("a relay");
    let server = Server::start(|asked| match asked.target.as_str() {
        "/wire" if asked.text("if-none-match").is_none() => {
            Reply::ok(rss(&["Rain in Mopti"])).header("ETag", "\"1\"")
        }
        "/wire" => Reply::ok(rss(&["Rain in Mopti", "Cholera in Mopti"])),
        _ => parrot(asked),
    });
    let desk = desk(&server, &mailbox);
    let print = |line: &[&str]| {
        let ran = desk.run(line);
        assert!(matches!(ran.code, 0 | 1), "{line:?}: {}{}", ran.out, ran.err);
        let text = format!("{}{}", ran.out, ran.err);
        assert_hides(&line.join(" "), &text);
        assert!(line[0] == "sources" || !text.contains(FEED_KEY), "{line:?}: {text}");
        (ran.out, text)
    };
    print(&["once"]);
    print(&["once", "--all"]);
    let alerts = print(&["alerts", "list", "--json"]).0;
    let alert: Value = serde_json::from_str(alerts.trim_end()).expect("one alert");
    let alert = alert["id"].as_str().expect("an id");
    let commands: [&[&str]; 11] = [
        &["check"],
        &["status"],
        &["status", "--json"],
        &["sources", "list"],
        &["sources", "list", "--json"],
        &["outbox", "list", "--json"],
        &["alerts", "list", "--json"],
        &["alerts", "show", alert, "--json"],
        &["explain", alert],
        &["explain", alert, "--json"],
        &["send-test"],
    ];
    let owed = print(&["outbox", "list", "--json"]).0;
    assert_eq!(owed.lines().count(), NOTIFIERS, "{owed}");
    assert!(owed.matches("no: ").count() >= 8, "receivers are quoted: {owed}");
    let daemon = desk.start();
    let asked = server.asked().len();
    print(&["outbox", "retry", "--all"]);
    let has_tried = |row: &str| row.contains("\"retrying\"") && !row.contains("asked for by hand");
    while !print(&["outbox", "list", "--json"]).0.lines().all(has_tried) {}
    assert!(server.asked().len() > asked, "the daemon tried");
    for line in commands {
        print(line);
    }
    let (code, log) = daemon.stop();
    assert_eq!(code, Some(0), "{log}");
    assert_hides("the log", &log);
    assert!(!log.contains(FEED_KEY), "{log}");
    // What the command reads by itself is told by the same code; some of it does.
    for line in commands.iter().skip(4).step_by(2) {
        print(line);
    }
    assert_hides("the store", &stored(&desk.path("store")));
}

#[test]
fn an_address_of_the_config_with_a_password_is_refused_without_being_shown() {
    let hidden = "me:s3cretW0rd@";
    let source = |more: String| format!("[[source]]\nname = \"wire\"\n{more}\n");
    let notifier =
        |kind: &str, more: String| format!("[[notifier]]\nname = \"tried\"\ntype = \"{kind}\"\n{more}\n");
    let people = "from = \"a@example.org\"\nto = [\"b@example.org\"]";
    let selects = "item = \"li\", link = \"a@href\", text = \"p\"";
    for (config, key) in [
        (source(format!("feed = \"https://{hidden}wire.example/\"")), "source.feed"),
        (
            source(format!("page = \"https://{hidden}wire.example/\"\nselect = {{ item = \"li\" }}")),
            "source.page",
        ),
        (
            source(format!("feed = \"https://wire.example/\"\nproxy = \"socks5h://{hidden}[::1]:9050\"")),
            "source.proxy",
        ),
        (source(format!("telegram = \"wire\"\nhosts = [\"https://{hidden}t.example\"]")), "source.hosts"),
        (
            source(format!(
                "telegram = \"wire\"\n\
                 mirrors = [{{ page = \"https://{hidden}m.example/{{channel}}\", {selects} }}]"
            )),
            "source.mirrors.page",
        ),
        (
            source(format!(
                "telegram = \"wire\"\nmirrors = [{{ page = \"https://{hidden}m.example/wire\", {selects} }}]"
            )),
            "source.mirrors.page",
        ),
        (format!("[http]\nproxy = \"http://{hidden}127.0.0.1:3128\"\n"), "http.proxy"),
        (format!("[heartbeat]\nurl = \"https://{hidden}beat.example/\"\n"), "heartbeat.url"),
        (notifier("email", format!("smtp = \"smtps://{hidden}mail.example\"\n{people}")), "notifier.smtp"),
        (notifier("webhook", format!("url = \"https://{hidden}hook.example/\"")), "notifier.url"),
        (
            notifier("webhook", "url = \"https://hook.example/\"\nsecret = \"whsec_s3cretW0rd\"".to_owned()),
            "notifier.secret",
        ),
        (
            notifier("gotify", "url = \"https://chat.example/\"\ntoken = \"s3cretW0rd\"".to_owned()),
            "notifier.token",
        ),
    ] {
        let desk = Desk::new(&config);
        for command in ["check", "once", "run"] {
            let ran = desk.run(&[command]).ended(78);
            let told = format!("{}{}", ran.out, ran.err);
            assert!(told.contains(key) && !told.contains("s3cretW0rd"), "{command}: {told}");
        }
    }
}
