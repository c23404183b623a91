//! Rows 1 to 3 of the catalogue of faults: the program ends at each step of poll, store and delivery, the power fails, the
//! disk refuses. They need the feature `faults`, and say so when they skip.
//!
//! `HARMATTAN_CRASHES=20` makes each of them that much longer.

use std::ffi::OsStr;
use std::hash::{BuildHasher, RandomState};
use std::process::{Command, Stdio};
use std::time::Duration;

use harmattan::store::{Day, SledStore, Store};
use jiff::Timestamp;
use tokio::time::{sleep, timeout};

use crate::support::power;
use crate::support::program::Daemon;
use crate::support::stage::{PATIENCE, Stage, UNDER_WAY_MAX, matter, moment, told_once};
use crate::support::store::{stored_item, write};

/// Whether the program can be made to fail.
#[expect(clippy::print_stderr, reason = "a test says that it skips")]
fn is_on() -> bool {
    if !cfg!(feature = "faults") {
        eprintln!("skipped: built without the feature `faults`");
    }
    cfg!(feature = "faults")
}

/// How long a daemon that lives may take for a poll, on a busy machine.
const TURN: Duration = Duration::from_secs(1);

/// How often each fault is tried.
fn rounds(few: usize) -> usize {
    std::env::var_os("HARMATTAN_CRASHES").and_then(|count| count.to_str()?.parse().ok()).unwrap_or(few)
}

/// The program, failing so.
fn failing(stage: &Stage, fault: &str) -> Daemon {
    Daemon::among(&stage.config, &[("HARMATTAN_FAIL", OsStr::new(fault))])
}

/// A stage whose baseline is taken, and whose stream flows.
async fn flowing(stage: Stage) -> Stage {
    let daemon = stage.run();
    stage.stream.asked(2).await;
    assert!(daemon.terminate().success());
    stage.stream.flow(true);
    stage
}

/// Ends the stream, has `daemon` tell what is left, and looks at all that was told.
async fn settle(stage: &Stage, daemon: Daemon, doubles: usize) {
    stage.stream.flow(false);
    let expected = matter(31, stage.stream.newest());
    stage.told_of(&expected).await;
    stage.stream.asked(3).await;
    assert!(daemon.terminate().success());
    told_once(stage, &expected, doubles);
}

/// Ends the program at the first passages of a point, one after the other; a start in between heals it.
async fn crashes_at(point: &str) {
    if !is_on() {
        return;
    }
    let stage = flowing(Stage::set().await).await;
    let rounds = rounds(3);
    for passage in 1..=rounds {
        let mut daemon = failing(&stage, &format!("{point}:{passage}"));
        let ended = async {
            while !daemon.has_ended() {
                // One that has ended asks for nothing any more.
                drop(timeout(TURN, stage.stream.asked(1)).await);
                if point == "reload" {
                    daemon.reload();
                }
            }
        };
        assert!(timeout(PATIENCE, ended).await.is_ok(), "{point} was not passed {passage} times");
    }
    settle(&stage, stage.run(), rounds * UNDER_WAY_MAX).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_01_a_crash_after_a_document_was_fetched() {
    crashes_at("fetched").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_01_a_crash_within_a_transaction() {
    crashes_at("transaction").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_01_a_crash_between_transaction_and_sync() {
    crashes_at("committed").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_01_a_crash_after_a_sync() {
    crashes_at("synced").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_01_a_crash_between_an_attempts_record_and_the_attempt() {
    crashes_at("attempted").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_01_a_crash_between_a_receivers_yes_and_its_record() {
    crashes_at("answered").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_01_a_crash_during_a_reload() {
    crashes_at("reload").await;
}

/// Names the store of the child that removes old records.
const CHILD: &str = "HARMATTAN_EXPIRING_STORE";

/// Not a test of its own: the child of the next one.
#[test]
fn child_that_expires_until_it_fails() {
    let Some(path) = std::env::var_os(CHILD) else { return };
    let store = SledStore::open(path.as_ref()).unwrap();
    store.expire(expired_at(), Duration::from_hours(24), &|| true).unwrap();
}

/// Old items: those removed at a time are a fifth of them.
const OLD: u64 = 5_000;

fn expired_at() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

#[test]
fn row_01_a_crash_while_old_records_are_removed() {
    if !is_on() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let (old, fresh) = (Day::of(Timestamp::UNIX_EPOCH), Day::of(expired_at()));
    {
        let store = SledStore::create(&path).unwrap();
        write(&store, |tx| {
            (0..OLD + 100).try_for_each(|n| tx.put_item(&stored_item(n, if n < OLD { old } else { fresh })))
        });
    }
    let kept =
        |store: &SledStore, n: u64, day| store.item(stored_item(n, day).item.id, day).unwrap().is_some();
    // Each crash leaves all but the batches before it.
    for passage in 1..=3 {
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "crashes::child_that_expires_until_it_fails"])
            .env(CHILD, &path)
            .env("HARMATTAN_FAIL", format!("expiry:{passage}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .unwrap();
        let store = SledStore::open(&path).unwrap();
        assert!(!child.success(), "passage {passage} was not met");
        assert!((OLD..OLD + 100).all(|n| kept(&store, n, fresh)), "after passage {passage}");
    }
    let store = SledStore::open(&path).unwrap();
    store.expire(expired_at(), Duration::from_hours(24), &|| true).unwrap();
    assert!((0..OLD).all(|n| !kept(&store, n, old)) && (OLD..OLD + 100).all(|n| kept(&store, n, fresh)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_02_when_the_power_fails_nothing_that_was_synced_is_lost() {
    if !is_on() {
        return;
    }
    let stage = Stage::set().await;
    let image = stage.folder.path().join("image");
    let (store, seed) = (stage.folder.path().join("store"), RandomState::new().hash_one(0));
    eprintln!("seed {seed}");
    let stage = flowing(stage).await;
    let rounds = rounds(8);
    for round in 0..rounds {
        power::keep(&store, &image);
        let daemon = Daemon::among(&stage.config, &[("HARMATTAN_IMAGE", image.as_os_str())]);
        let polls = timeout(PATIENCE, stage.stream.asked(1 + round as u64 % 3));
        assert!(polls.await.is_ok(), "no poll after power failure {round}");
        sleep(moment(seed, round)).await;
        daemon.kill();
        power::cut(&store, &image, seed.wrapping_add(round as u64));
        let left = SledStore::open(&store).map(drop);
        assert!(left.is_ok(), "after power failure {round}: {left:?}");
    }
    settle(&stage, stage.run(), rounds * 2 * UNDER_WAY_MAX).await;
}

/// What a disk says that is full, broken, over its quota or read-only.
const REFUSALS: [i32; 4] = [28, 5, 122, 30];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_03_a_disk_that_refuses_for_a_while_costs_nothing() {
    if !is_on() {
        return;
    }
    let stage = flowing(Stage::set().await).await;
    let refusals = REFUSALS.iter().cycle().take(REFUSALS.len().max(rounds(0)));
    let mut count = 0;
    for (round, errno) in refusals.enumerate() {
        let daemon = failing(&stage, &format!("sync:{}:5:{errno}", 3 + round));
        stage.stream.asked(6).await;
        stage.hook.wait_for(stage.hook.received().len() + 1).await;
        assert!(daemon.terminate().success(), "{errno}");
        count += 1;
    }
    settle(&stage, stage.run(), count * 2 * UNDER_WAY_MAX).await;
}
