//! `harmattan store`: backups of a store that is in use, what can be restored and what is refused, compaction, and how it
//! ends when the program is killed on the way.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use harmattan::outbox::DeliveryId;
use harmattan::store::{self, Day, SledStore, Store, Wish};
use jiff::Timestamp;

use crate::support::desk::{Desk, exists};
use crate::support::stage::Stage;
use crate::support::store::*;

/// The alerts of a store, and asserts that each of them has its deliveries: that no transaction was torn.
fn whole(place: &Path) -> usize {
    let store = SledStore::open(place).unwrap();
    assert_eq!(store.verify().unwrap().damaged, 0);
    let alerts = store.alerts(None, usize::MAX).unwrap();
    for alert in &alerts {
        for (notifier, recipient) in [("mail", "desk@example.org"), ("hook", "")] {
            let id = DeliveryId::new(alert.id, notifier, recipient);
            assert!(store.delivery(id).unwrap().is_some(), "{notifier} of {}", alert.id);
        }
        assert!(store.find_item(alert.item.id).unwrap().is_some());
    }
    alerts.len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_of_a_daemon_at_work_is_of_one_moment() {
    let stage = Stage::set().await;
    let daemon = stage.run();
    stage.stream.asked(2).await;
    stage.stream.flow(true);
    let mut counts = Vec::new();
    for round in 0..4 {
        stage.stream.asked(3).await;
        let file = stage.folder.path().join(format!("{round}.backup"));
        let mut command = Command::new(env!("CARGO_BIN_EXE_harmattan"));
        command.arg("-c").arg(&stage.config).args(["store", "backup"]).arg(&file);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let place = stage.folder.path().join(format!("{round}.store"));
        let wish = Wish { file: &file, place: &place, replace: false, now: Timestamp::UNIX_EPOCH };
        let (backup, aside) = store::restore(wish, &mut |_| {}).unwrap();
        assert!(backup.rows > 0 && aside.is_none());
        counts.push(whole(&place));
    }
    assert!(counts.is_sorted() && counts.last() > Some(&0), "{counts:?}");
    assert!(daemon.terminate().success());
    let left = exists(&stage.folder.path().join("store/backup.tmp"));
    assert!(!left, "the daemon's own copy has no name");
}

const CONFIG: &str = "[store]\npath = \"../store\"\n[control]\nsocket = \"../control.sock\"\n";

/// A desk with a store and a backup of it.
fn saved() -> Desk {
    let desk = Desk::new(CONFIG);
    desk.run(&["once"]).ended(0);
    let told = desk.run(&["store", "backup", "b"]).ended(0).out;
    assert!(told.starts_with("saved: b, ") && told.contains(" as of "), "{told}");
    desk
}

#[test]
fn a_backup_overwrites_nothing_and_needs_a_store() {
    let desk = saved();
    let refused = desk.run(&["store", "backup", "b"]).ended(74);
    assert!(refused.err.contains("`b` exists already, and a backup overwrites nothing"), "{}", refused.err);
    let empty = Desk::new(CONFIG);
    let refused = empty.run(&["store", "backup", "b"]).ended(74);
    assert!(refused.err.contains("no store at "), "{}", refused.err);
    assert!(!exists(&empty.path("b")) && !exists(&empty.path("store")));
    let names: Vec<_> =
        fs::read_dir(empty.path("")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["config"], "nothing is left of what was not finished");
}

#[test]
fn a_restore_refuses_what_it_should_and_touches_nothing() {
    let desk = saved();
    let bytes = fs::read(desk.path("b")).unwrap();
    let refused = |file: &str, words: &str| {
        let told = desk.run(&["store", "restore", file, "--replace"]).ended(74).err;
        assert!(told.contains(words) && told.contains("hint: nothing was changed"), "{told}");
    };
    fs::write(desk.path("cut"), &bytes[..bytes.len() / 2]).unwrap();
    refused("cut", "`cut` cannot be restored: it is cut short");
    let mut flipped = bytes.clone();
    *flipped.last_mut().unwrap() ^= 1;
    fs::write(desk.path("flipped"), flipped).unwrap();
    refused("flipped", "it was changed since it was written");
    desk.write("feed.xml", "<rss version=\"2.0\"><channel/></rss>");
    refused("feed.xml", "it is no backup of this program");
    refused("absent", "No such file");
    let newer = String::from_utf8_lossy(&bytes).replacen("\"format\":2", "\"format\":7", 1);
    desk.write("newer", &newer);
    refused(
        "newer",
        "it has format 7, and this version of harmattan reads up to 2: install 0.1.0, which took it",
    );

    let told = desk.run(&["store", "restore", "b"]).ended(74).err;
    assert!(
        told.contains("there is a store at ") && told.contains("hint: `--replace` moves it aside"),
        "{told}"
    );
    let daemon = desk.start();
    desk.run(&["store", "restore", "b", "--replace"]).ended(75);
    let stats = desk.run(&["store", "stats", "--json"]).ended(0).json().remove(0);
    assert!(stats["bytes"].as_u64() > Some(0) && stats.get("restored").is_none(), "{stats}");
    let verified = desk.run(&["store", "verify", "--json"]).ended(0).json().remove(0);
    assert!(verified["values"].as_u64() > Some(0) && verified["damaged"] == 0, "{verified}");
    daemon.stop();

    desk.run(&["store", "restore", "b", "--replace"]).ended(0);
    let told = desk.run(&["store"]).ended(0).out;
    assert!(told.contains("restored   ") && told.contains("from a backup of "), "{told}");
    desk.run(&["store", "verify"]).ended(0);
    desk.run(&["once"]).ended(0);
}

#[test]
fn a_backup_is_restored_where_no_store_is() {
    let desk = saved();
    fs::rename(desk.path("store"), desk.path("lost")).unwrap();
    // As systemd makes it.
    fs::create_dir(desk.path("store")).unwrap();
    desk.run(&["store", "restore", "b"]).ended(0);
    fs::remove_dir_all(desk.path("store")).unwrap();
    let told = desk.run(&["store", "restore", "b", "--json"]).ended(0).json().remove(0);
    assert_eq!(told["aside"], serde_json::Value::Null);
    let stats = desk.run(&["store", "stats", "--json"]).ended(0).json().remove(0);
    assert_eq!(stats["backup"], told["taken"]);
}

/// The steps of an exchange of stores at which a kill may come.
const STEPS: [&str; 7] =
    ["built:1", "ready:1", "aside:1", "aside:2", "swapped:1", "entering:1", "entering:3"];

/// What lies in the folder of a store, beside snapshots and what was moved aside.
const PARTS: [&str; 5] = ["blobs", "conf", "db", "mark", "pages"];

/// Runs a command that is killed at that step, or not at all.
fn killed_at(desk: &Desk, step: &str, line: &[&str]) -> bool {
    let mut command = Command::new(env!("CARGO_BIN_EXE_harmattan"));
    command.current_dir(desk.path("")).env("HARMATTAN_FAIL", step).args(line);
    !command.output().unwrap().status.success()
}

/// The files and folders of the desk's store, without snapshots.
fn parts(desk: &Desk) -> Vec<String> {
    let entries = fs::read_dir(desk.path("store")).unwrap();
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.retain(|name| !name.starts_with("snap."));
    names.sort();
    names
}

#[test]
fn a_restore_that_is_killed_is_undone_or_finished_by_whoever_opens_the_store_next() {
    if !cfg!(feature = "faults") {
        return;
    }
    for step in STEPS {
        let desk = saved();
        assert!(killed_at(&desk, step, &["store", "restore", "b", "--replace"]), "{step} was not met");
        let stats = desk.run(&["store", "stats", "--json"]).ended(0).json().remove(0);
        let is_restored = stats.get("restored").is_some();
        assert_eq!(is_restored, step != "built:1", "{step}: {stats}");
        let names = parts(&desk);
        let asides: Vec<_> = names.iter().filter(|name| name.starts_with("replaced-")).collect();
        assert_eq!(asides.len(), usize::from(is_restored), "{step}: {names:?}");
        let own =
            names.iter().filter(|name| !asides.contains(name)).all(|name| PARTS.contains(&name.as_str()));
        assert!(own, "nothing is left of the exchange, {step}: {names:?}");
        for aside in asides {
            assert!(desk.path("store").join(aside).join("db").is_file(), "{step}");
        }
        assert!(!killed_at(&desk, "", &["store", "restore", "b", "--replace"]), "{step}");
        desk.run(&["once"]).ended(0);
    }
}

/// All that a store holds.
fn rows(desk: &Desk) -> Vec<u8> {
    let store = SledStore::open(&desk.path("store")).unwrap();
    let mut rows = Vec::new();
    store.back_up(Timestamp::UNIX_EPOCH, &mut rows).unwrap();
    rows
}

#[test]
fn compacting_gives_room_back_and_keeps_every_row_and_page() {
    let desk = saved();
    let item = |n: u64| stored_item(n, Day(20_000));
    {
        let store = SledStore::open(&desk.path("store")).unwrap();
        fill(&store);
        for n in 0..3_000 {
            write(&store, |rows| rows.put_item(&item(n)));
        }
        store.expire(at(30_000 * 86_400), Duration::from_hours(24), &|| true).unwrap();
        store.keep_page(&name("rfi"), b"<html>").unwrap();
        fill(&store);
        store.sync().unwrap();
    }
    let before = rows(&desk);
    let told = desk.run(&["store", "compact", "--json"]).ended(0).json().remove(0);
    assert_eq!(rows(&desk), before);
    let bytes = |of: &str| told[of].as_u64().unwrap();
    assert!(bytes("after") * 2 < bytes("before"), "{told}");
    let store = SledStore::open(&desk.path("store")).unwrap();
    assert!(store.page(&name("rfi")).unwrap().is_some() && store.restored().unwrap().is_none());
    drop(store);
    assert_eq!(parts(&desk), PARTS);
    let mark = fs::read_to_string(desk.path("store/mark")).unwrap();
    assert!(mark.trim().parse::<u64>().unwrap() > 3_000, "what it must hold is known still: {mark}");

    let told = desk.run(&["store", "compact"]).ended(0).out;
    assert!(told.starts_with("compacted: ") && told.contains(" MiB before, "), "{told}");
    let daemon = desk.start();
    desk.run(&["store", "compact"]).ended(75);
    assert_eq!(daemon.stop().0, Some(0));
    let empty = Desk::new(CONFIG);
    let refused = empty.run(&["store", "compact"]).ended(74).err;
    assert!(refused.contains("no store at ") && !exists(&empty.path("store")), "{refused}");
}

#[test]
fn row_01_a_crash_during_compaction() {
    if !cfg!(feature = "faults") {
        return;
    }
    let desk = saved();
    fill(&SledStore::open(&desk.path("store")).unwrap());
    let before = rows(&desk);
    for step in STEPS {
        assert!(killed_at(&desk, step, &["store", "compact"]), "{step} was not met");
        assert_eq!(rows(&desk), before, "{step}");
        assert_eq!(parts(&desk), PARTS[..4], "{step}");
    }
}

/// Writes rows of every kind that has an own form.
fn fill(store: &SledStore) {
    let (source, key) = (source_state("rfi"), seen_key(1));
    let (alert, page) = (alert(1), "x".repeat(40_000));
    write(store, |rows| {
        rows.put_source(&source)?;
        rows.put_seen(&source.name, &[(key, seen(20_000, 20_001))])?;
        rows.put_item(&stored_item(1, Day(30_000)))?;
        let mut long = stored_item(2, Day(30_000));
        long.item.title.clone_from(&page);
        rows.put_item(&long)?;
        rows.put_story(&alert.story)?;
        rows.file_story(key, alert.story.id, at(1))?;
        rows.put_alert(&alert)?;
        rows.put_delivery(&delivery(1))?;
        rows.put_delivery(&delivered(2, at(2)))?;
        rows.put_reported(&("mail".into(), "desk@example.org".into()), at(3))?;
        rows.put_spent(&("mail".into(), "desk@example.org".into()), &[at(4)])
    });
    store.sync().unwrap();
}
