//! The store through its public face: what it keeps, over reopening, damage and being killed.

use std::cell::Cell;
use std::collections::HashMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::ops::ControlFlow;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use harmattan::item::SeenKey;
use harmattan::outbox::bundle::{Bundle, BundleId, Cause};
use harmattan::outbox::{Delivery, DeliveryState};
use harmattan::store::{Day, Deliveries, Expired, Seen, SledStore, Store, StoreError, Transaction, Writer};
use harmattan::story::{Alert, StoryId};
use proptest::prelude::*;

use crate::support::store::*;

#[test]
fn a_reopened_store_has_all_that_was_written() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("deep/store");
    let (source, alert, open, closed) = (source_state("rfi"), alert(1), delivery(1), delivered(2, at(2)));
    let (item, key, entry) = (stored_item(1, Day(20_000)), seen_key(1), seen(20_000, 20_001));
    {
        let store = SledStore::create(&path).unwrap();
        write(&store, |rows| {
            rows.put_source(&source)?;
            rows.put_seen(&source.name, &[(key, entry)])?;
            rows.put_item(&item)?;
            rows.put_story(&alert.story)?;
            rows.file_story(key, alert.story.id, at(1))?;
            rows.put_alert(&alert)?;
            rows.put_delivery(&open)?;
            rows.put_delivery(&closed)
        });
        store.sync().unwrap();
    }
    let store = SledStore::open(&path).unwrap();
    assert_eq!(store.source(&source.name).unwrap().as_ref(), Some(&source));
    assert_eq!(store.sources().unwrap(), std::slice::from_ref(&source));
    assert_eq!(store.seen(&source.name, &[seen_key(9), key]).unwrap(), [None, Some(entry)]);
    assert_eq!(store.item(item.item.id, item.first).unwrap().as_ref(), Some(&item));
    assert_eq!(store.find_item(item.item.id).unwrap().as_ref(), Some(&item));
    assert_eq!(store.alert(alert.id).unwrap().as_ref(), Some(&alert));
    assert_eq!(store.delivery(open.id).unwrap().as_ref(), Some(&open));
    assert_eq!(store.delivery(closed.id).unwrap().as_ref(), Some(&closed));
    assert_eq!(store.open_deliveries().unwrap(), [open]);
    assert_eq!(store.deliveries(Deliveries::Closed, 9).unwrap(), [closed]);
    write(&store, |rows| {
        assert_eq!(rows.story_under(key)?, Some((alert.story.id, at(1))));
        assert_eq!(rows.story(alert.story.id)?.as_ref(), Some(&alert.story));
        assert_eq!(rows.story(StoryId::from_bytes([9; 16]))?, None);
        Ok(())
    });
    let stats = store.stats().unwrap();
    assert_eq!((stats.deliveries_open, stats.damaged), (1, 0));
    assert!(stats.disk_bytes > 0);
}

#[test]
fn work_that_fails_or_panics_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let store = SledStore::create(dir.path()).unwrap();
    let refused = store.transact(&mut |rows| {
        rows.put_alert(&alert(1))?;
        rows.put_seen(&name("rfi"), &[(seen_key(1), seen(1, 1))])?;
        assert!(rows.seen(&name("rfi"), &[seen_key(1)])?[0].is_some(), "a transaction reads its own writes");
        Err(StoreError::Stopped)
    });
    assert!(matches!(refused, Err(StoreError::Stopped)));
    let panicked = store.transact(&mut |rows| {
        rows.put_alert(&alert(1))?;
        panic!("on purpose");
    });
    assert!(matches!(panicked, Err(StoreError::Panicked(text)) if text == "on purpose"));
    assert_eq!(store.alert(alert(1).id).unwrap(), None);
    assert_eq!(store.seen(&name("rfi"), &[seen_key(1)]).unwrap(), [None]);
    write(&store, |rows| rows.put_alert(&alert(1)));
    assert_eq!(store.alert(alert(1).id).unwrap(), Some(alert(1)));
}

#[test]
fn row_04_who_may_not_open_it_learns_why() {
    let dir = tempfile::tempdir().unwrap();
    let absent = SledStore::open(&dir.path().join("none")).unwrap_err();
    assert!(matches!(absent, StoreError::Absent(_)), "{absent:?}");
    assert!(!dir.path().join("none").exists(), "looking creates nothing");

    let path = dir.path().join("store");
    let held = SledStore::create(&path).unwrap();
    for second in [SledStore::open(&path), SledStore::create(&path)] {
        assert!(matches!(second, Err(StoreError::InUse(_))), "{second:?}");
    }
    drop(held);

    if std::os::unix::fs::chown(&path, Some(12_345), None).is_err() {
        println!("skipped: only root can give a directory away");
        return;
    }
    let foreign = SledStore::open(&path).unwrap_err();
    assert!(matches!(foreign, StoreError::Foreign { owner: 12_345, .. }), "{foreign:?}");
    assert!(foreign.hint().unwrap().contains("#12345"));
}

#[test]
fn lists_are_newest_first_and_end_at_their_limit() {
    let dir = tempfile::tempdir().unwrap();
    let store = SledStore::create(dir.path()).unwrap();
    write(&store, |rows| {
        for n in 1..=5_u8 {
            rows.put_item(&stored_item(n.into(), Day(n.into())))?;
            rows.put_alert(&alert(n))?;
            rows.put_delivery(&delivered(n, at(i64::from(100 - n))))?;
        }
        Ok(())
    });
    let days: Vec<_> = store.items(3).unwrap().iter().map(|item| item.first.0).collect();
    assert_eq!(days, [5, 4, 3]);
    let made: Vec<_> = store.alerts(Some(at(3)), 9).unwrap().iter().map(|alert| alert.created).collect();
    assert_eq!(made, [at(5), at(4), at(3)]);
    assert_eq!(store.alerts(None, 2).unwrap().len(), 2);
    let closed: Vec<_> =
        store.deliveries(Deliveries::Closed, 2).unwrap().iter().map(|delivery| delivery.id).collect();
    assert_eq!(closed, [delivery(1).id, delivery(2).id], "by the time of their end");
    assert_eq!(store.find_item(stored_item(2, Day(2)).item.id).unwrap(), Some(stored_item(2, Day(2))));
    assert_eq!(store.find_item(stored_item(77, Day(2)).item.id).unwrap(), None);
}

#[test]
fn dead_letters_are_found_behind_any_number_of_delivered_ones() {
    let dir = tempfile::tempdir().unwrap();
    let store = SledStore::create(dir.path()).unwrap();
    let dead = |n, time| with_state(delivery(n), DeliveryState::Dead { at: at(time), reason: "550".into() });
    let listed = |limit| store.deliveries(Deliveries::Dead, limit).unwrap();
    let counted = || store.stats().unwrap().deliveries_dead;
    write(&store, |rows| {
        rows.put_delivery(&dead(1, 1))?;
        rows.put_delivery(&dead(2, 2))?;
        (3..100).try_for_each(|n| rows.put_delivery(&delivered(n, at(n.into()))))
    });
    assert_eq!(listed(9), [dead(2, 2), dead(1, 1)]);
    assert_eq!((listed(1), counted()), (vec![dead(2, 2)], 2));
    assert_eq!(store.deliveries(Deliveries::Closed, 999).unwrap().len(), 99);

    write(&store, |rows| {
        rows.put_delivery(&dead(1, 7))?;
        rows.put_delivery(&dead(3, 8))?;
        rows.put_delivery(&delivered(2, at(9)))
    });
    assert_eq!(listed(9), [dead(3, 8), dead(1, 7)], "as they ended last");
    assert_eq!(counted(), 2);
    store.expire(at(400 * 86_400), Duration::from_hours(24), &|| true).unwrap();
    assert_eq!((listed(9), counted()), (Vec::new(), 0));
}

#[test]
fn a_visitor_sees_the_newest_first_until_it_has_enough() {
    let dir = tempfile::tempdir().unwrap();
    let store = SledStore::create(dir.path()).unwrap();
    write(&store, |rows| {
        (1..=5_u8).try_for_each(|n| {
            rows.put_item(&stored_item(n.into(), Day(n.into())))?;
            rows.put_alert(&alert(n))
        })
    });
    let (mut items, mut alerts) = (Vec::new(), Vec::new());
    let enough = |enough| if enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
    store
        .visit_items(&mut |item| {
            items.push(item.first.0);
            enough(items.len() == 2)
        })
        .unwrap();
    store
        .visit_alerts(Some(at(2)), &mut |alert| {
            alerts.push(alert.created);
            enough(false)
        })
        .unwrap();
    assert_eq!(items, [5, 4]);
    assert_eq!(alerts, [at(5), at(4), at(3), at(2)]);
}

#[test]
fn a_visit_goes_on_where_an_earlier_one_ended() {
    let dir = tempfile::tempdir().unwrap();
    let store = SledStore::create(dir.path()).unwrap();
    write(&store, |rows| {
        (1..=4_u8).try_for_each(|n| {
            rows.put_item(&stored_item(n.into(), Day(u16::from(n) / 2)))?;
            rows.put_alert(&alert(n))
        })
    });
    let all = store.items(9).unwrap();
    assert_eq!(all.iter().map(|item| item.first.0).collect::<Vec<_>>(), [2, 1, 1, 0]);
    for (number, last) in all.iter().enumerate() {
        let mut rest = Vec::new();
        let mut visit = |item| {
            rest.push(item);
            ControlFlow::Continue(())
        };
        store.visit_items_after((last.first, last.item.id), &mut visit).unwrap();
        assert_eq!(rest, all[number + 1..], "after {number}");
    }
    for (since, last, expected) in
        [(1, 4, vec![3, 2, 1]), (2, 4, vec![3, 2]), (1, 1, vec![]), (3, 1, vec![]), (9, 4, vec![])]
    {
        let mut rest = Vec::new();
        let mut visit = |alert: Alert| {
            rest.push(alert.created);
            ControlFlow::Continue(())
        };
        store.visit_alerts_after(Some(at(since)), alert(last).id, &mut visit).unwrap();
        let expected: Vec<_> = expected.into_iter().map(at).collect();
        assert_eq!(rest, expected, "since {since}, after {last}");
    }
}

#[test]
fn a_delivery_is_open_or_closed_but_never_both() {
    let dir = tempfile::tempdir().unwrap();
    let store = SledStore::create(dir.path()).unwrap();
    let retrying = DeliveryState::Retrying { failed: at(8), due: at(9), reason: "421".into() };
    let dead = DeliveryState::Dead { at: at(5), reason: "550".into() };
    for state in [
        DeliveryState::Ready,
        DeliveryState::Attempted { at: at(3) },
        retrying,
        dead,
        DeliveryState::Dead { at: at(6), reason: "550 again".into() },
        DeliveryState::Ready,
        DeliveryState::Delivered { at: at(8) },
    ] {
        let delivery = with_state(delivery(1), state);
        write(&store, |rows| rows.put_delivery(&delivery));
        let (open, closed) =
            (store.open_deliveries().unwrap(), store.deliveries(Deliveries::Closed, 9).unwrap());
        let expected = std::slice::from_ref(&delivery);
        let dead = store.deliveries(Deliveries::Dead, 9).unwrap();
        let is_dead = matches!(delivery.state, DeliveryState::Dead { .. });
        assert_eq!(dead, if is_dead { expected } else { &[] });
        if delivery.state.is_open() {
            assert_eq!((open.as_slice(), closed.as_slice()), (expected, [].as_slice()));
        } else {
            assert_eq!((open.as_slice(), closed.as_slice()), ([].as_slice(), expected));
        }
        assert_eq!(store.delivery(delivery.id).unwrap(), Some(delivery));
    }
}

#[test]
fn long_values_stay_in_the_log_and_shrink_again() {
    let dir = tempfile::tempdir().unwrap();
    let store = SledStore::create(dir.path()).unwrap();
    for part in 0..20_u64 {
        write(&store, |rows| {
            for n in 0..20 {
                let mut item = stored_item(part * 20 + n, Day(1));
                item.item.text = "ساحل".repeat(1024);
                item.item.title = "x".repeat(if n == 0 { 64 * 1024 } else { 500 });
                rows.put_item(&item)?;
            }
            Ok(())
        });
    }
    store.sync().unwrap();
    let item = store.item(stored_item(20, Day(1)).item.id, Day(1)).unwrap().unwrap();
    assert_eq!((item.item.title.len(), item.item.text.len()), (64 * 1024, 8 * 1024));
    write(&store, |rows| rows.put_item(&stored_item(20, Day(1))));
    assert_eq!(store.item(item.item.id, Day(1)).unwrap(), Some(stored_item(20, Day(1))));
    let blobs = fs::read_dir(dir.path().join("blobs")).unwrap().count();
    assert_eq!(blobs, 0, "a file under blobs/ is not covered by our sync");
}

#[test]
fn expiry_removes_what_is_old_and_keeps_what_is_owed() {
    let dir = tempfile::tempdir().unwrap();
    let store = SledStore::create(dir.path()).unwrap();
    let day = |n: i64| at(n * 86_400);
    let now = day(1_000);
    let (gone, owed, dead, fresh) =
        (alert_at(1, day(800)), alert_at(2, day(801)), alert_at(3, day(802)), alert_at(4, day(999)));
    let (read, silent) = (name("read"), name("silent"));
    write(&store, |rows| {
        for alert in [&gone, &owed, &dead, &fresh] {
            rows.put_alert(alert)?;
            rows.put_story(&story_at(alert.created))?;
            rows.file_story(
                seen_key(alert.created.as_second().unsigned_abs()),
                alert.story.id,
                alert.created,
            )?;
        }
        rows.put_delivery(&with_alert(delivery(1), owed.id))?;
        rows.put_delivery(&with_alert(delivered(2, day(802)), gone.id))?;
        rows.put_delivery(&with_alert(delivered(3, day(990)), dead.id))?;
        rows.put_item(&stored_item(1, Day(800)))?;
        rows.put_item(&stored_item(2, Day(900)))?;
        rows.put_source(&SourceRead::new(&read, day(1_000)).state())?;
        rows.put_source(&SourceRead::new(&silent, day(850)).state())?;
        let entries =
            [(seen_key(1), seen(700, 800)), (seen_key(2), seen(700, 995)), (seen_key(3), seen(700, 750))];
        rows.put_seen(&read, &entries)?;
        rows.put_seen(&silent, &entries)
    });
    let expired = store.expire(now, Duration::from_hours(2400), &|| true).unwrap();
    // Of `read` two keys are too old; of `silent`, unread since day 850, that of day 750 is just young enough.
    assert_eq!(expired, Expired { keys: 2, items: 1, alerts: 1, deliveries: 1, cut: false });
    let left: Vec<_> = store.alerts(None, 9).unwrap().iter().map(|alert| alert.id).collect();
    assert_eq!(left, [fresh.id, dead.id, owed.id]);
    assert_eq!(store.open_deliveries().unwrap().len(), 1);
    assert_eq!(
        store.deliveries(Deliveries::Closed, 9).unwrap(),
        [with_alert(delivered(3, day(990)), dead.id)]
    );
    assert_eq!(store.items(9).unwrap(), [stored_item(2, Day(900))]);
    let all = [seen_key(1), seen_key(2), seen_key(3)];
    assert_eq!(store.seen(&read, &all).unwrap(), [None, Some(seen(700, 995)), None]);
    assert!(store.seen(&silent, &all).unwrap().iter().all(Option::is_some));
    write(&store, |rows| {
        assert_eq!(rows.story(story_at(owed.created).id)?, None);
        assert!(rows.story(story_at(fresh.created).id)?.is_some());
        assert_eq!(rows.story_under(seen_key(owed.created.as_second().unsigned_abs()))?, None);
        assert!(rows.story_under(seen_key(fresh.created.as_second().unsigned_abs()))?.is_some());
        Ok(())
    });
    assert_eq!(store.expire(now, Duration::from_hours(2400), &|| true).unwrap(), Expired::default());
}

#[test]
fn a_source_with_many_keys_forgets_them_all() {
    let dir = tempfile::tempdir().unwrap();
    let store = SledStore::create(dir.path()).unwrap();
    let rfi = name("rfi");
    let keys: Vec<_> = (0..20_000).map(seen_key).collect();
    for part in keys.chunks(2_000) {
        let entries: Vec<_> = part.iter().map(|&key| (key, seen(100, 100))).collect();
        write(&store, |rows| rows.put_seen(&rfi, &entries));
    }
    assert!(store.seen(&rfi, &keys).unwrap().iter().all(|found| *found == Some(seen(100, 100))));
    assert_eq!(store.expire(at(300 * 86_400), Duration::ZERO, &|| true).unwrap().keys, 20_000);
    assert!(store.seen(&rfi, &keys).unwrap().iter().all(Option::is_none));
    write(&store, |rows| rows.put_seen(&rfi, &[(keys[0], seen(300, 300))]));
    assert_eq!(store.seen(&rfi, &keys[..2]).unwrap(), [Some(seen(300, 300)), None]);
}

#[test]
fn a_removal_that_is_told_to_stop_leaves_the_rest_for_another_time() {
    let dir = tempfile::tempdir().unwrap();
    let store = SledStore::create(dir.path()).unwrap();
    for part in 0..25 {
        write(&store, |rows| (0..100).try_for_each(|n| rows.put_item(&stored_item(part * 100 + n, Day(1)))));
    }
    // It asks before each transaction of a thousand rows and between the kinds of them.
    let expire = |most: usize| {
        let asked = Cell::new(0);
        let go_on = || asked.replace(asked.get() + 1) < most;
        let expired = store.expire(at(900 * 86_400), Duration::from_hours(24), &go_on).unwrap();
        (expired.items, expired.cut, store.items(9_999).unwrap().len())
    };
    assert_eq!(expire(0), (0, true, 2_500));
    assert_eq!(expire(1), (1_000, true, 1_500));
    assert_eq!(expire(99), (1_500, false, 0));
    assert_eq!(expire(99), (0, false, 0));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn seen_keys_are_remembered_like_in_a_map(
        // Few leading bytes: buckets split deep on one side, as a hostile source would have them.
        commits in prop::collection::vec((0..2_usize, prop::collection::vec((0..4_u8, 0..600_u64, any::<u16>()), 0..200)), 1..12),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let store = SledStore::create(dir.path()).unwrap();
        let sources = [name("a"), name("a-b")];
        let mut model: [HashMap<SeenKey, Seen>; 2] = Default::default();
        for (source, entries) in commits {
            let entries: Vec<_> = entries.iter().map(|&(lead, n, day)| (skewed_key(lead, n), seen(day, day))).collect();
            model[source].extend(entries.iter().copied());
            write(&store, |rows| rows.put_seen(&sources[source], &entries));
        }
        let asked: Vec<_> = (0..4).flat_map(|lead| (0..600).map(move |n| skewed_key(lead, n))).collect();
        for (source, model) in sources.iter().zip(&model) {
            let expected: Vec<_> = asked.iter().map(|key| model.get(key).copied()).collect();
            prop_assert_eq!(store.seen(source, &asked).unwrap(), expected);
        }
    }
}

/// A closed store of 300 items that has a snapshot.
fn filled(path: &Path) {
    let store = SledStore::create(path).unwrap();
    for n in 0..300 {
        write(&store, |rows| rows.put_item(&stored_item(n, Day(1))));
    }
    store.sync().unwrap();
    drop(store);
    drop(SledStore::open(path).unwrap());
}

fn snapshots(path: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.file_name().unwrap().to_str().unwrap().starts_with("snap.")).collect()
}

#[test]
fn row_04_a_damaged_snapshot_is_survived() {
    type Damage = fn(&Path);
    let cut: Damage = |snap| fs::write(snap, []).unwrap();
    let halve: Damage = |snap| {
        let bytes = fs::read(snap).unwrap();
        fs::write(snap, &bytes[..bytes.len() / 2]).unwrap();
    };
    let junk: Damage = |snap| fs::write(snap.with_extension("ffff.generating"), b"junk").unwrap();
    for (case, damage) in [("cut", cut), ("halved", halve), ("junk beside", junk)] {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("store");
        filled(&path);
        let _control = std::os::unix::net::UnixListener::bind(path.join("control.sock")).unwrap();
        let snaps = snapshots(&path);
        assert!(!snaps.is_empty(), "{case}: sled writes a snapshot");
        for snap in &snaps {
            damage(snap);
        }
        let store = SledStore::open(&path).unwrap();
        assert_eq!(store.items(999).unwrap().len(), 300, "{case}");
        drop(store);
        let aside = fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path());
        let aside: Vec<_> = aside.filter(|path| path.to_str().unwrap().contains("/damaged-")).collect();
        assert_eq!(aside.len(), 1, "{case}");
        assert_eq!(
            snapshots(&aside[0]).len(),
            snaps.len() + usize::from(case == "junk beside"),
            "{case}: they are kept"
        );
    }
}

#[test]
fn row_04_a_damaged_log_is_an_error_and_never_a_panic() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store");
    filled(&path);
    let whole = fs::read(path.join("db")).unwrap();
    for with_snapshot in [true, false] {
        for at in (1..10).map(|tenth| whole.len() / 10 * tenth) {
            let copy = tempfile::tempdir().unwrap();
            let copied = copy.path().join("store");
            fs::create_dir_all(copied.join("blobs")).unwrap();
            for entry in fs::read_dir(&path).unwrap().map(Result::unwrap) {
                let is_snapshot = entry.file_name().to_str().unwrap().starts_with("snap.");
                if entry.file_type().unwrap().is_file() && (with_snapshot || !is_snapshot) {
                    fs::copy(entry.path(), copied.join(entry.file_name())).unwrap();
                }
            }
            let mut bytes = whole.clone();
            bytes[at] ^= 0x40;
            fs::write(copied.join("db"), bytes).unwrap();
            let read = SledStore::open(&copied).and_then(|store| store.items(999));
            // sled takes a broken record for the end of its log; what it then lacks must not go unnoticed.
            let case = format!("byte {at}, snapshot {with_snapshot}: {:?}", read.as_ref().map(Vec::len));
            assert!(read.is_err() || read.is_ok_and(|items| items.len() == 300), "{case}");
        }
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap()
}

#[test]
fn commits_that_come_together_share_a_sync() {
    let dir = tempfile::tempdir().unwrap();
    let store = Arc::new(SledStore::create(dir.path()).unwrap());
    let (writer, thread) = Writer::start(store.clone()).unwrap();
    runtime().block_on(async {
        let commits = (0..200_u64).map(|n| {
            writer.commit(move |rows| {
                // Each sees those before it: the order of the calls is the order of the commits.
                if n > 0 {
                    assert!(rows.item(stored_item(n - 1, Day(1)).item.id, Day(1))?.is_some());
                }
                rows.put_item(&stored_item(n, Day(1)))?;
                Ok(n)
            })
        });
        let outcomes = futures_util::future::join_all(commits).await;
        let numbers: Vec<_> = outcomes.into_iter().map(Result::unwrap).collect();
        assert_eq!(numbers, (0..200).collect::<Vec<_>>());
    });
    let syncs = writer.syncs();
    assert!((1..100).contains(&syncs), "{syncs} syncs for 200 commits");
    drop(writer);
    thread.join().unwrap();
    assert_eq!(store.items(999).unwrap().len(), 200);
}

#[test]
fn a_commit_that_fails_or_panics_harms_no_other() {
    let dir = tempfile::tempdir().unwrap();
    let (writer, thread) = Writer::start(Arc::new(SledStore::create(dir.path()).unwrap())).unwrap();
    runtime().block_on(async {
        let refused = writer.commit::<(), _>(|rows| {
            rows.put_alert(&alert(1))?;
            Err(StoreError::Stopped)
        });
        let panics = writer.commit::<(), _>(|_| panic!("on purpose"));
        let fine = writer.clone();
        let fine = fine.commit(|rows| rows.put_alert(&alert(2)));
        let (refused, panics, fine) = tokio::join!(refused, panics, fine);
        assert!(matches!(refused, Err(StoreError::Stopped)));
        assert!(matches!(panics, Err(StoreError::Panicked(_))));
        fine.unwrap();
    });
    drop(writer);
    thread.join().unwrap();
    let store = SledStore::open(dir.path()).unwrap();
    assert_eq!(store.alerts(None, 9).unwrap(), [alert(2)]);
}

/// Names the store and the first number for the process that is going to be killed.
const CHILD: &str = "HARMATTAN_TEST_STORE_CHILD";

/// Not a test by itself: commits numbers until it is killed, and prints each once its commit has resolved.
#[test]
fn child_that_commits_until_it_is_killed() {
    let Some(order) = std::env::var_os(CHILD) else { return };
    let order = order.into_string().unwrap();
    let (first, path) = order.split_once(' ').unwrap();
    let store = Arc::new(SledStore::create(Path::new(path)).unwrap());
    let (writer, _thread) = Writer::start(store).unwrap();
    runtime().block_on(async {
        for n in first.parse::<u64>().unwrap().. {
            let commit = move |rows: &dyn Transaction| {
                rows.put_seen(&name("rfi"), &[(seen_key(n), seen(1, 1))])?;
                rows.put_item(&stored_item(n, Day(1)))?;
                rows.put_delivery(&delivery(1))
            };
            writer.commit(commit).await.unwrap();
            println!("kept {n}");
        }
    });
}

#[test]
fn a_killed_process_keeps_what_it_acknowledged() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store");
    let mut next = 0;
    for round in 0..10_u64 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "store::child_that_commits_until_it_is_killed", "--nocapture"])
            .env(CHILD, format!("{next} {}", path.display()))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        // Round by round it is killed later, each time in the midst of the commits that follow.
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let mut kept =
            lines.filter_map(|line| line.rsplit_once("kept ").map(|(_, n)| n.parse::<u64>().unwrap()));
        let mut last = kept.nth(usize::try_from(round * round * 7).unwrap()).unwrap();
        child.kill().unwrap();
        // What it still printed before it died was acknowledged too.
        last = kept.last().unwrap_or(last).max(last);
        child.wait().unwrap();

        let store = SledStore::open(&path).unwrap();
        // One more commit may have got through unacknowledged: then whole, like all others.
        for n in 0..=last + 1 {
            let known = store.seen(&name("rfi"), &[seen_key(n)]).unwrap()[0].is_some();
            let stored = store.item(stored_item(n, Day(1)).item.id, Day(1)).unwrap().is_some();
            assert_eq!(known, stored, "round {round}: commit {n} is torn");
            assert!(known || n > last, "round {round}: {n} of {last} is lost");
        }
        next = last + 1;
    }
}

#[test]
fn the_alerts_of_a_bundle_are_kept_until_it_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let store = SledStore::create(dir.path()).unwrap();
    let alert = alert(1);
    let id = BundleId::new(alert.created, &[alert.id]);
    let bundle = Bundle {
        id,
        cause: Cause::Budget,
        alerts: vec![alert.id],
        part: 1,
        parts: 1,
        created: alert.created,
    };
    let owed = Delivery { subject: id.into(), ..delivery(1) };
    store
        .transact(&mut |tx| {
            tx.put_alert(&alert)?;
            tx.put_bundle(&bundle)?;
            tx.put_delivery(&owed)
        })
        .unwrap();
    let expire = |days: i64| store.expire(at(days * 86_400), Duration::from_hours(24), &|| true).unwrap();
    expire(400);
    assert!(store.bundle(id).unwrap().is_some() && store.alert(alert.id).unwrap().is_some());
    let told = Delivery { state: DeliveryState::Delivered { at: at(401 * 86_400) }, ..owed };
    store.transact(&mut |tx| tx.put_delivery(&told)).unwrap();
    expire(800);
    assert_eq!((store.bundle(id).unwrap(), store.alert(alert.id).unwrap()), (None, None));
}
