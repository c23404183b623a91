//! Tests that look behind the trait.

use std::collections::BTreeSet;
use std::fs::File;
use std::sync::Arc;
use std::time::Duration;

use super::access::InTransaction;
use super::*;
use crate::outbox::bundle::{Bundle, BundleId, Cause};
use crate::outbox::{DeliveryState, Freedom};
use crate::route::hold::{Hold, HoldReason};
use crate::silence::SilenceId;
use crate::store::{Day, Owner, Rescue, Restored, Seen, Transaction, Writer};
use crate::story::StoryId;

fn name() -> SourceName {
    SourceName::new("rfi").unwrap()
}

fn delivery(n: u8) -> Delivery {
    Delivery {
        id: DeliveryId::from_bytes([n; 16]),
        subject: AlertId::from_bytes([n; 16]).into(),
        notifier: "desk".into(),
        recipient: String::new(),
        created: Timestamp::UNIX_EPOCH,
        attempts: 0,
        freedom: Freedom::Free,
        may_have_arrived: false,
        follows: None,
        ready: Timestamp::UNIX_EPOCH,
        state: DeliveryState::Ready,
    }
}

fn mark(last: Day, content: u64) -> Seen {
    Seen { first: Day(1), last, content, owner: Owner::Itself, changes: 0 }
}

fn write(store: &SledStore, work: impl Fn(&InTransaction<'_>) -> Result<(), StoreError>) {
    store.read(|tree| engine::transact(tree, |rows| work(rows))).unwrap();
    // The commit that counts.
    store.transact(&mut |_| Ok(())).unwrap();
}

/// Flips a bit in the last byte of the row at `key`, as a bad disk or a bug of ours would.
fn damage(store: &SledStore, key: &[u8]) {
    store
        .read(|tree| {
            let mut row = tree.get(key).unwrap().unwrap().to_vec();
            *row.last_mut().unwrap() ^= 1;
            tree.insert(key, row).unwrap();
            Ok(())
        })
        .unwrap();
}

#[test]
fn a_damaged_value_is_set_aside_and_counted_once() {
    let dir = tempfile::tempdir().unwrap();
    let store = SledStore::create(dir.path()).unwrap();
    write(&store, |rows| {
        (1..=3).try_for_each(|n| rows.put(&keys::open(delivery(n).id), &delivery(n)))?;
        seen::remember(rows, &name(), &[(SeenKey::new("a", "b"), mark(Day(1), 1))])
    });
    let (one, two) = (keys::open(delivery(1).id), keys::open(delivery(2).id));
    for key in [&one, &two, &keys::seen(&name(), 0, 0)] {
        damage(&store, key);
    }

    assert_eq!(store.delivery(delivery(1).id).unwrap(), None, "by key");
    assert_eq!(store.open_deliveries().unwrap(), [delivery(3)], "in a scan");
    assert_eq!(store.seen(&name(), &[SeenKey::new("a", "b")]).unwrap(), [None]);
    assert_eq!(store.open_deliveries().unwrap(), [delivery(3)]);
    assert_eq!(store.stats().unwrap().damaged, 3);
    let kept = store.read(|tree| Ok(tree.get(keys::damaged(&one)).unwrap())).unwrap();
    assert!(kept.is_some(), "nothing is thrown away");

    write(&store, |rows| rows.put(&one, &delivery(1)));
    assert_eq!(store.delivery(delivery(1).id).unwrap(), Some(delivery(1)), "its place can be used again");
}

#[test]
fn a_dead_letter_that_is_damaged_is_not_counted_for_ever() {
    let dir = tempfile::tempdir().unwrap();
    let store = SledStore::create(dir.path()).unwrap();
    let dead = DeliveryState::Dead { at: Timestamp::UNIX_EPOCH, reason: "550".into() };
    write(&store, |rows| rows.put_delivery(&Delivery { state: dead.clone(), ..delivery(1) }));
    damage(&store, &keys::closed(delivery(1).id));
    assert_eq!(store.deliveries(Deliveries::Dead, 9).unwrap(), []);
    let later = Timestamp::from_second(86_400 * 400).unwrap();
    store.expire(later, Duration::from_hours(24), &|| true).unwrap();
    assert_eq!(store.stats().unwrap().deliveries_dead, 0);
}

#[test]
fn row_23_a_store_of_a_newer_format_is_refused_and_left_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let store = SledStore::create(dir.path()).unwrap();
    write(&store, |rows| rows.put(&keys::format(), &7_u32));
    drop(store);
    // All rows, past the look at the format; the engine itself may move them about.
    let rows = || {
        let open = open::existing(dir.path()).unwrap();
        open.db.iter().collect::<Result<Vec<_>, _>>().unwrap()
    };
    let before = rows();
    for refused in [SledStore::open(dir.path()), SledStore::create(dir.path())] {
        assert!(matches!(refused, Err(StoreError::Newer { found: 7, known: 2, .. })), "{refused:?}");
        let told = refused.unwrap_err().to_string();
        assert!(told.ends_with(" has format 7; this version of harmattan reads up to 2"), "{told}");
    }
    assert_eq!(rows(), before);
    assert!(!before.is_empty());
}

#[test]
fn what_does_not_change_is_not_written() {
    let dir = tempfile::tempdir().unwrap();
    let store = SledStore::create(dir.path()).unwrap();
    let entries = |last| (0..30).map(move |n| (SeenKey::new("k", &n.to_string()), Day(last)));
    let remember = |last| {
        let entries: Vec<_> = entries(last).map(|(key, last)| (key, mark(last, 5))).collect();
        write(&store, |rows| seen::remember(rows, &name(), &entries));
    };
    remember(1);
    let mut writes = store.read(|tree| Ok(tree.watch_prefix(Kind::Seen.prefix()))).unwrap();
    remember(1);
    assert!(writes.next_timeout(Duration::ZERO).is_err(), "the same day");
    remember(2);
    assert!(writes.next_timeout(Duration::ZERO).is_ok(), "the next day");
    assert!(writes.next_timeout(Duration::ZERO).is_err(), "thirty keys are one row");
}

#[test]
fn a_failed_sync_fails_its_commits_and_the_store_opens_again() {
    let dir = tempfile::tempdir().unwrap();
    let mut open = open::or_create(dir.path()).unwrap();
    // A file that the system cannot sync.
    open.log = File::open("/dev/null").unwrap();
    let store = Arc::new(SledStore { engine: Engine::new(dir.path(), open) });
    let (writer, thread) = Writer::start(store.clone()).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let commit = |n| writer.commit(move |rows| rows.put_delivery(&delivery(n)));
        let failed = commit(1).await;
        assert!(matches!(failed, Err(StoreError::Io { doing: "sync", .. })), "{failed:?}");
        // A commit would wait for the end of the pause.
        writer.insist(move |rows| rows.put_delivery(&delivery(2))).await.unwrap();
        assert!(writer.has_failed() && writer.refusal().is_none(), "it is known, and over");
        commit(3).await.unwrap();
    });
    drop(writer);
    thread.join().unwrap();
    assert!(store.open_deliveries().unwrap().contains(&delivery(2)));
}

#[test]
fn row_03_what_is_stored_can_be_read_while_the_disk_takes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let mut open = open::or_create(dir.path()).unwrap();
    open.log = File::open("/dev/null").unwrap();
    let store = SledStore { engine: Engine::new(dir.path(), open) };
    let put = |n| store.transact(&mut |rows| rows.put_delivery(&delivery(n)));
    put(1).unwrap();
    assert!(store.sync().is_err());
    // In the place of the file by which it is tried whether the disk takes anything.
    let trial = dir.path().join("trial");
    std::fs::create_dir(&trial).unwrap();
    for _ in 0..2 {
        let refused = put(2);
        assert!(matches!(refused, Err(StoreError::Io { doing: "write", .. })), "{refused:?}");
        assert_eq!(store.delivery(delivery(1).id).unwrap(), Some(delivery(1)));
        assert_eq!(store.open_deliveries().unwrap(), [delivery(1)]);
    }
    std::fs::remove_dir(&trial).unwrap();
    put(2).unwrap();
    store.sync().unwrap();
    assert!(store.open_deliveries().unwrap().contains(&delivery(2)) && !trial.exists());
}

#[test]
fn a_sync_does_not_vouch_for_commits_from_before_a_failure() {
    let dir = tempfile::tempdir().unwrap();
    let store = SledStore::create(dir.path()).unwrap();
    write(&store, |rows| rows.put(&keys::open(delivery(1).id), &delivery(1)));
    // A read that fails has the store opened again, and what was only in memory may be gone.
    let failed = store.read::<()>(|_| Err(access::unfit(std::io::Error::other("on purpose"))));
    assert!(failed.is_err());
    store.open_deliveries().unwrap();
    assert!(matches!(store.sync(), Err(StoreError::Io { doing: "sync", .. })));
    write(&store, |rows| rows.put(&keys::open(delivery(2).id), &delivery(2)));
    store.sync().unwrap();
}

#[test]
fn row_04_a_store_that_lost_its_end_is_refused_until_the_loss_is_accepted() {
    let dir = tempfile::tempdir().unwrap();
    let store = SledStore::create(dir.path()).unwrap();
    write(&store, |rows| rows.put(&keys::open(delivery(1).id), &delivery(1)));
    drop(store);
    let mark = dir.path().join("mark");
    assert_eq!(std::fs::read_to_string(&mark).unwrap(), "1\n");
    drop(SledStore::open(dir.path()).unwrap());
    std::fs::write(&mark, "2\n").unwrap();
    let refused = SledStore::open(dir.path());
    assert!(matches!(refused, Err(StoreError::Damaged { .. })), "{refused:?}");
    std::fs::remove_file(&mark).unwrap();
    assert_eq!(SledStore::open(dir.path()).unwrap().open_deliveries().unwrap(), [delivery(1)]);
}

#[test]
fn row_04_an_emptied_or_removed_log_is_no_new_store() {
    let dir = tempfile::tempdir().unwrap();
    let store = SledStore::create(dir.path()).unwrap();
    write(&store, |rows| rows.put(&keys::open(delivery(1).id), &delivery(1)));
    store.sync().unwrap();
    drop(store);
    for harm in
        [|log: &Path| std::fs::write(log, []).unwrap(), |log: &Path| std::fs::remove_file(log).unwrap()]
    {
        harm(&dir.path().join("db"));
        let refused = SledStore::create(dir.path());
        assert!(matches!(refused, Err(StoreError::Damaged { .. })), "{refused:?}");
    }
}

#[test]
fn deliveries_and_bundles_come_back_as_they_were() {
    let dir = tempfile::tempdir().unwrap();
    let store = SledStore::create(dir.path()).unwrap();
    let at = |second| Timestamp::from_second(second).unwrap();
    let held = |reason| DeliveryState::Held(Hold { reason, until: at(90) });
    let states = [
        held(HoldReason::Batch(StoryId::from_bytes([9; 16]))),
        held(HoldReason::Digest),
        held(HoldReason::Quiet),
        held(HoldReason::Budget),
        DeliveryState::Ready,
        DeliveryState::Attempted { at: at(80) },
        DeliveryState::Retrying { failed: at(82), due: at(85), reason: "503".into() },
        DeliveryState::Delivered { at: at(81) },
        DeliveryState::Bundled { at: at(82), into: delivery(99).id },
        DeliveryState::Dropped { at: at(83), by: None },
        DeliveryState::Dropped { at: at(84), by: Some(SilenceId::from_bytes([5; 16])) },
        DeliveryState::Dead { at: at(83), reason: "550".into() },
    ];
    let alerts = vec![AlertId::from_bytes([1; 16]), AlertId::from_bytes([2; 16])];
    let id = BundleId::new(at(70), &alerts);
    let bundle = Bundle { id, cause: Cause::Quiet, alerts, part: 1, parts: 2, created: at(70) };
    let who = ("desk".to_owned(), "a@example.org".to_owned());
    let rows: Vec<Delivery> = (1..)
        .zip(states)
        .map(|(n, state)| {
            let (ready, may_have_arrived) = (at(i64::from(n)), n % 2 == 0);
            Delivery { state, ready, may_have_arrived, subject: id.into(), ..delivery(n) }
        })
        .collect();
    store
        .transact(&mut |tx| {
            rows.iter().try_for_each(|row| tx.put_delivery(row))?;
            tx.put_bundle(&bundle)?;
            assert_eq!(tx.spent(&who)?, []);
            tx.put_spent(&who, &[at(1), at(2)])
        })
        .unwrap();
    for row in &rows {
        assert_eq!(store.delivery(row.id).unwrap().as_ref(), Some(row));
    }
    assert_eq!(store.bundle(id).unwrap(), Some(bundle));
    let counts = store.stats().unwrap();
    assert_eq!((counts.deliveries_held, counts.deliveries_open, counts.deliveries_dead), (4, 3, 1));
    store.transact(&mut |tx| tx.spent(&who).map(|left| assert_eq!(left, [at(1), at(2)]))).unwrap();
}

#[test]
fn row_23_a_store_of_an_older_format_is_taken_up_with_what_it_owes() {
    let dir = tempfile::tempdir().unwrap();
    let store = SledStore::create(dir.path()).unwrap();
    write(&store, |rows| {
        rows.put(&keys::format(), &1_u32)?;
        rows.put(&keys::open(delivery(1).id), &delivery(1))
    });
    store.sync().unwrap();
    drop(store);
    let store = SledStore::open(dir.path()).unwrap();
    assert_eq!(store.open_deliveries().unwrap(), [delivery(1)]);
    let format: Option<u32> = store.read(|tree| tree.row(&keys::format())).unwrap();
    assert_eq!(format, Some(2), "a program of format 1 is told that it is too old");
}

fn pending(n: u8, source: &str, first: Day) -> Pending {
    Pending {
        item: ItemId::from_bytes([n; 16]),
        first,
        source: SourceName::new(source).unwrap(),
        url: "https://paper.example/1".into(),
        attempts: 0,
        due: Timestamp::UNIX_EPOCH,
        repeat: false,
        anew: None,
        told: BTreeSet::new(),
    }
}

/// How many articles of `a` and of `b` are counted, how many in all, and how many there are.
fn counted(store: &SledStore) -> [usize; 4] {
    let of = |source| store.read(|tree| waiting::count(tree, &SourceName::new(source).unwrap())).unwrap();
    let (a, b, all) = (of("a"), of("b"), store.pending_articles().unwrap());
    [a.of_source as usize, b.of_source as usize, a.in_all as usize, all.len()]
}

#[test]
fn waiting_articles_are_counted_with_each_change_and_anew_at_each_opening() {
    let dir = tempfile::tempdir().unwrap();
    let store = SledStore::create(dir.path()).unwrap();
    let (old, new) = (Day(20_000), Day(20_100));
    write(&store, |rows| {
        for (n, source, first) in [(1, "a", old), (2, "a", new), (3, "b", new), (1, "a", old)] {
            rows.put_pending_article(&pending(n, source, first))?;
        }
        Ok(())
    });
    assert_eq!(counted(&store), [2, 1, 3, 3], "one put off counts once");
    store.expire(new.start(), Duration::from_hours(240), &|| true).unwrap();
    assert_eq!(counted(&store), [1, 1, 2, 2], "one without an item is gone");
    write(&store, |rows| (2..=3).try_for_each(|n| rows.drop_pending_article(ItemId::from_bytes([n; 16]))));
    assert_eq!(counted(&store), [0, 0, 0, 0]);
    // As earlier versions wrote them.
    write(&store, |rows| {
        rows.put(&keys::waiting(&SourceName::new("a").unwrap()), &7_u32)?;
        let b = pending(4, "b", new);
        rows.put(&keys::pending(b.item), &b)
    });
    drop(store);
    assert_eq!(counted(&SledStore::open(dir.path()).unwrap()), [0, 1, 1, 1]);
}

#[test]
fn a_panic_of_the_engine_is_looked_into_at_the_next_start_and_one_of_a_visitor_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store");
    let store = SledStore::create(&path).unwrap();
    write(&store, |rows| rows.put(&keys::open(delivery(1).id), &delivery(1)));
    let mut visitor = |_| panic!("on purpose");
    let visited = store.visit_deliveries(Deliveries::Open, &mut visitor);
    assert!(matches!(visited, Err(StoreError::Panicked(_))), "{visited:?}");
    assert_eq!((store.damage().borrow().clone(), SledStore::suspicion(&path)), (None, None));

    let panicked = store.read::<()>(|_| panic!("on purpose"));
    assert!(matches!(panicked, Err(StoreError::Damaged { .. })), "{panicked:?}");
    let found = Some("the engine panicked: on purpose".to_owned());
    assert_eq!((store.damage().borrow().clone(), SledStore::suspicion(&path)), (found.clone(), found));
    drop(store);

    let mut tell = |_: &dyn Transaction, _: &Restored| panic!("there is nothing to tell");
    let rescue = Rescue { now: Timestamp::UNIX_EPOCH, tell: &mut tell, progress: &mut || {} };
    let (store, restored) = crate::store::open(&path, rescue).unwrap();
    assert_eq!((restored, SledStore::suspicion(&path)), (None, None), "all of it is sound");
    assert_eq!(store.open_deliveries().unwrap(), [delivery(1)]);
}
