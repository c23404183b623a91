//! Row 4: a damaged store neither stops the service for good nor loses in silence.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use harmattan::demo::Hook;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::copies::copy;
use super::{restless, webhook};
use crate::support::calls::text;
use crate::support::desk::{Desk, Web, soon};

/// Feeds date their items, and the store was used as late as its files say.
#[expect(clippy::disallowed_methods, reason = "what came since the damage is told by its date")]
fn now() -> Timestamp {
    Timestamp::now()
}

/// A feed of these titles, each published so many hours ago.
fn feed(items: &[(&str, i64)]) -> String {
    let item = |(title, hours): &(&str, i64)| {
        let published = now() - SignedDuration::from_hours(*hours);
        let date = published.strftime("%a, %d %b %Y %H:%M:%S GMT");
        format!("<item><title>{title}</title><guid>{title}</guid><pubDate>{date}</pubDate></item>")
    };
    let items: String = items.iter().map(item).collect();
    format!("<?xml version=\"1.0\"?><rss version=\"2.0\"><channel><title>News</title>{items}</channel></rss>")
}

const OLD: &str = "ten days ago a convoy attacked a camp";

/// What was told before the damage.
const TOLD: [&str; 2] = ["a convoy attacked at dawn", "a convoy attacked at dusk"];

const NEWS: &str = "a convoy attacked while nobody looked";

/// A desk that has told a few news, and a receiver that was told of them.
struct Scene {
    desk: Desk,
    web: Web,
    hook: Hook,
}

impl Scene {
    async fn set() -> Self {
        let web = Web::start().await;
        let hook = Hook::start(&[], Vec::new()).await.unwrap();
        let store = "[store]\npath = \"../store\"\n[control]\nsocket = \"../control.sock\"\n";
        let desk =
            Desk::new(&(restless(&web).replace("\"1s\"", "\"100ms\"") + &webhook("ops", hook.url()) + store));
        let scene = Self { desk, web, hook };
        for told in 0..=TOLD.len() {
            scene.show(&TOLD[..told]);
            scene.desk.run(&["once", "--all"]).ended(0);
        }
        assert_eq!(scene.hook.received().len(), TOLD.len());
        scene
    }

    fn show(&self, titles: &[&str]) {
        let items: Vec<_> = titles.iter().rev().map(|title| (*title, 0)).chain([(OLD, 240)]).collect();
        self.web.put("/feed", feed(&items));
    }

    fn store(&self) -> PathBuf {
        self.desk.path("store")
    }

    /// What the receiver was told since the first `count`: the type of each, and the titles of alerts that are marked as
    /// perhaps told before, and of those that are not.
    fn told(&self, count: usize) -> (Vec<String>, BTreeSet<String>, BTreeSet<String>) {
        let (mut kinds, mut marked, mut plain) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
        for request in self.hook.received().split_off(count) {
            let body: Value = serde_json::from_slice(&request.body).unwrap();
            kinds.push(text(&body, "/type"));
            let alerts = body["data"]["alerts"].as_array().cloned();
            let alone = || body["data"].get("item").map(|_| body["data"].clone()).into_iter().collect();
            for alert in alerts.unwrap_or_else(alone) {
                let titles = if alert["possible_duplicate"] == true { &mut marked } else { &mut plain };
                assert!(titles.insert(text(&alert, "/item/title")), "told twice: {alert}");
            }
        }
        (kinds, marked, plain)
    }

    /// Starts the daemon, which has to be ready, and stops it once it has told this and has polled twice.
    async fn run(&self, is_told: impl Fn() -> bool) {
        let daemon = self.desk.start();
        soon(self.web.asked_more("/feed", 2)).await;
        let told = async {
            let mut count = self.hook.received().len();
            while !is_told() {
                count = self.hook.wait_for(count + 1).await.len();
            }
        };
        soon(told).await;
        assert_eq!(daemon.stop().0, Some(0));
    }
}

/// The bytes of a log that hold anything.
fn used(log: &[u8]) -> usize {
    log.iter().rposition(|byte| *byte != 0).unwrap()
}

fn change(log: &Path, change: impl Fn(&mut Vec<u8>)) {
    let mut bytes = fs::read(log).unwrap();
    change(&mut bytes);
    fs::write(log, bytes).unwrap();
}

type Harm = fn(&Path);

/// What a disk or an operator may do to a store, and what the event tells then; none when nothing is lost.
const HARMS: [(&str, Harm, Option<&str>); 6] = [
    (
        "cut in the middle",
        |store| change(&store.join("db"), |log| log.truncate(used(log) / 2)),
        Some("cut-short"),
    ),
    (
        "a bit flipped in the middle",
        |store| {
            change(&store.join("db"), |log| {
                let middle = used(log) / 2;
                log[middle] ^= 0x10;
            });
        },
        Some("cut-short"),
    ),
    ("emptied", |store| fs::write(store.join("db"), []).unwrap(), Some("unreadable")),
    ("its log removed", |store| fs::remove_file(store.join("db")).unwrap(), Some("unreadable")),
    ("a mark ahead", |store| fs::write(store.join("mark"), "9999\n").unwrap(), Some("cut-short")),
    ("junk for a snapshot", |store| fs::write(store.join("snap.ffff.generating"), "junk").unwrap(), None),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_04_a_damaged_store_is_set_aside_and_told_and_loses_no_news() {
    let scene = Scene::set().await;
    scene.show(&[&TOLD[..], &[NEWS]].concat());
    copy(scene.store(), scene.desk.path("whole"));
    for (case, harm, reason) in HARMS {
        fs::remove_dir_all(scene.store()).unwrap();
        copy(scene.desk.path("whole"), scene.store());
        harm(&scene.store());
        let before = scene.hook.received().len();
        scene.run(|| reason.is_none() || !scene.told(before).0.is_empty()).await;
        // What gathers would wait for a minute: the next start, which is like any other, sends it at once.
        scene.run(|| scene.told(before).1.contains(NEWS) || scene.told(before).2.contains(NEWS)).await;

        let (kinds, marked, plain) = scene.told(before);
        let all: BTreeSet<&str> = TOLD.into_iter().chain([NEWS]).collect();
        let shown = scene.desk.run(&["status"]).out;
        let stats = scene.desk.run(&["store", "stats", "--json"]).ended(0).json().remove(0);
        let Some(reason) = reason else {
            assert_eq!((plain, marked), ([NEWS.to_owned()].into(), BTreeSet::new()), "{case}");
            assert!(kinds == ["alert.new"] && stats.get("rescued").is_none(), "{case}: {kinds:?} {stats}");
            continue;
        };
        assert!(plain.is_empty() && marked.contains(NEWS), "{case}: {plain:?} {marked:?}");
        assert!(marked.iter().all(|title| all.contains(title.as_str())), "{case}: old news: {marked:?}");
        // What a store was owing when it ends is sent as soon as it is open, the rest as one message.
        let events = kinds.iter().filter(|kind| *kind == "store.damaged").count();
        assert!(events == 1 && kinds.len() <= 3, "{case}: {kinds:?} {marked:?}");

        let aside = PathBuf::from(text(&stats, "/rescued/aside"));
        assert!(aside.join("db").is_file() && aside.join("mark").is_file(), "{case}: {stats}");
        assert_eq!(stats["rescued"]["kept"], reason == "cut-short", "{case}: {stats}");
        let warning = format!("remove `{}` when nobody needs it", aside.display());
        assert!(
            shown.contains("warning: the store was found damaged at ") && shown.contains(&warning),
            "{shown}"
        );

        let told = scene.hook.received().into_iter().skip(before).map(|told| told.body);
        let bodies: Vec<Value> = told.map(|body| serde_json::from_slice(&body).unwrap()).collect();
        let schema: Value = serde_json::from_str(include_str!("../../config/webhook.schema.json")).unwrap();
        let schema = jsonschema::validator_for(&schema).unwrap();
        assert!(bodies.iter().all(|body| schema.is_valid(body)), "{case}: {bodies:?}");
        let event = bodies.iter().find(|body| body["type"] == "store.damaged").unwrap();
        let told = (text(event, "/data/state"), text(event, "/data/reason"));
        assert_eq!(told, ("damaged".into(), reason.into()), "{case}");
        assert!(text(event, "/data/detail").contains(&aside.display().to_string()), "{case}: {event}");
        let since: Timestamp = text(event, "/data/since").parse().unwrap();
        let age = now().duration_since(since);
        assert!((5..=7).contains(&age.as_hours()), "{case}: since {since}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_04_a_source_that_comes_after_the_damage_has_a_silent_baseline() {
    let scene = Scene::set().await;
    fs::write(scene.store().join("db"), []).unwrap();
    scene.desk.run(&["once", "--all"]).ended(0);
    let told = scene.hook.received().len();
    scene.web.put("/other", feed(&[("elsewhere a convoy attacked", 0)]));
    let config = fs::read_to_string(scene.desk.path("config/harmattan.toml")).unwrap();
    let other = format!("[[source]]\nname = \"other\"\nfeed = \"{}\"\n", scene.web.url("/other"));
    scene.desk.configure(&(config + &other));
    scene.desk.run(&["once", "--all"]).ended(0);
    assert_eq!(scene.hook.received().len(), told);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_04_commands_leave_a_damaged_store_as_it_is_and_many_damaged_ones_stop_it() {
    let scene = Scene::set().await;
    let store = scene.store();
    fs::write(store.join("mark"), "9999\n").unwrap();
    for line in [["store", "stats"], ["alerts", "list"], ["store", "compact"]] {
        let told = scene.desk.run(&line).ended(74).err;
        assert!(told.contains("it ends at commit ") && told.contains("hint: "), "{told}");
    }
    let asides = || {
        let names =
            fs::read_dir(&store).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.starts_with("damaged-")).count()
    };
    assert_eq!(asides(), 0);
    (1..10).for_each(|n| fs::create_dir(store.join(format!("damaged-{n}"))).unwrap());
    scene.desk.run(&["once"]).ended(0);
    assert_eq!(asides(), 10);
    fs::write(store.join("mark"), "9999\n").unwrap();
    let told = scene.desk.run(&["once"]).ended(74).err;
    assert!(told.contains("10 folders `damaged-…` of earlier damage lie in it"), "{told}");
    assert_eq!(asides(), 10);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_04_a_store_that_breaks_while_it_is_in_use_ends_the_daemon_and_the_next_start_mends_it() {
    if !cfg!(feature = "faults") {
        return;
    }
    let scene = Scene::set().await;
    let daemon = tokio::process::Command::new(env!("CARGO_BIN_EXE_harmattan"))
        .current_dir(scene.desk.path(""))
        .arg("run")
        // The disk refuses a sync, so the log is read anew: it has lost its end by then.
        .env("HARMATTAN_FAIL", "sync:8:1:5")
        .kill_on_drop(true)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    soon(scene.web.asked_more("/feed", 1)).await;
    fs::write(scene.store().join("mark"), "9999\n").unwrap();
    let ended = soon(daemon.wait_with_output()).await.unwrap();
    let log = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(74), "{log}");
    assert!(log.contains("it ends at commit "), "{log}");
    let before = scene.hook.received().len();
    scene.run(|| scene.hook.received().len() > before).await;
    assert_eq!(scene.told(before).0, ["store.damaged"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_04_damage_is_told_once_however_the_rescue_is_killed() {
    if !cfg!(feature = "faults") {
        return;
    }
    let points = ["built:1", "aside:2", "swapped:1", "entering:2"];
    let scene = Scene::set().await;
    for point in points {
        fs::write(scene.store().join("db"), []).unwrap();
        let before = scene.hook.received().len();
        let once = |fault: &str| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_harmattan"));
            command.current_dir(scene.desk.path("")).env("HARMATTAN_FAIL", fault).args(["once", "--all"]);
            command.output().unwrap().status
        };
        assert!(!once(point).success(), "{point} was not met");
        assert!(once("").success(), "{point}");
        let kinds = scene.told(before).0;
        let damaged = kinds.iter().filter(|kind| *kind == "store.damaged").count();
        assert_eq!(damaged, 1, "{point}: {kinds:?}");
        let mut names: Vec<String> = fs::read_dir(scene.store())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.retain(|name| !name.starts_with("snap."));
        names.sort();
        let (asides, parts): (Vec<_>, Vec<_>) =
            names.into_iter().partition(|name| name.starts_with("damaged-"));
        assert_eq!(parts, ["blobs", "conf", "db", "mark"], "{point}");
        // A snapshot that the log does not go with is in a folder of its own.
        let logs = asides.iter().filter(|aside| scene.store().join(aside).join("db").is_file()).count();
        assert_eq!(logs, 1, "{point}: {asides:?}");
        for aside in asides {
            fs::remove_dir_all(scene.store().join(aside)).unwrap();
        }
    }
}
