//! Row 3: the disk refuses, and what is stored is delivered. These need the feature `faults`, and say so when they skip.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use harmattan::daemon::clock::now;
use harmattan::store::{SledStore, Store};
use serde_json::Value;

use super::{restless, until, webhook};
use crate::support::calls::text;
use crate::support::desk::{Desk, Web, rss};
use crate::support::http::Reply;
use crate::support::site::Site;

/// Whatever takes longer has failed.
const PATIENCE: Duration = Duration::from_mins(1);

/// Every sync after the first is refused, which is the one that finds all on disk at the start.
const FOR_EVER: &str = "sync:2:1000000:28";

/// The same, for some seconds.
const FOR_A_WHILE: &str = "sync:2:5:28";

/// Whether the disk can be made to refuse.
#[expect(clippy::print_stderr, reason = "a test says that it skips")]
fn is_on() -> bool {
    if !cfg!(feature = "faults") {
        eprintln!("skipped: built without the feature `faults`");
    }
    cfg!(feature = "faults")
}

/// A desk that owes alerts to a receiver that was down, and may be tried again now.
struct Scene {
    web: Web,
    site: Site,
    desk: Desk,
    titles: Vec<&'static str>,
    /// Requests while the receiver was down.
    before: usize,
}

impl Scene {
    async fn set(more: &str, titles: &[&'static str]) -> Self {
        let (web, site) = (Web::start().await, Site::start());
        let desk = Desk::new(&(restless(&web) + &webhook("ops", site.url("/ops")) + more));
        let mut scene = Self { web, site, desk, titles: Vec::new(), before: 0 };
        scene.publish(&["Mangoes harvested"]);
        scene.once();
        scene.site.show("/ops", Reply::status(503).header("Retry-After", "3600"));
        // The first shuts the way; the others are not tried.
        for title in titles {
            scene.publish(&[title]);
            scene.once();
        }
        scene.before = scene.site.asked("/ops").len();
        assert_eq!(scene.before, 1, "one was tried");
        scene.site.show("/ops", Reply::status(200));
        let store = scene.store();
        let (name, mut circuit) = store.circuits().unwrap().remove(0);
        circuit.hurry(now());
        store.transact(&mut |tx| tx.put_circuit(&name, &circuit)).unwrap();
        store.sync().unwrap();
        scene
    }

    fn publish(&mut self, titles: &[&'static str]) {
        self.titles.extend(titles);
        self.web.put("/feed", rss(&self.titles));
    }

    fn once(&self) {
        let ran = self.desk.run(&["once", "--all"]);
        assert!(matches!(ran.code, 0 | 1), "{ran:?}");
    }

    fn store(&self) -> SledStore {
        SledStore::open(&self.desk.path("harmattan-data")).unwrap()
    }

    /// What the receiver took: of each webhook the id and the title.
    fn taken(&self) -> Vec<(String, String)> {
        let asked = self.site.asked("/ops").split_off(self.before);
        let taken = asked.iter().map(|asked| {
            let body: Value = serde_json::from_slice(&asked.body).unwrap();
            (asked.text("webhook-id").unwrap(), text(&body, "/data/item/title"))
        });
        taken.collect()
    }

    /// How often each title was taken; a title is always told under the same id.
    fn told(&self) -> BTreeMap<String, usize> {
        let (mut told, mut ids) = (BTreeMap::new(), BTreeMap::new());
        for (id, title) in self.taken() {
            assert_eq!(*ids.entry(title.clone()).or_insert_with(|| id.clone()), id, "{title}");
            *told.entry(title).or_default() += 1;
        }
        told
    }

    /// Waits until the receiver took so many.
    fn wait_for(&self, count: usize) {
        let began = Instant::now();
        while self.taken().len() < count {
            assert!(began.elapsed() < PATIENCE, "{:?}", self.taken());
            std::thread::yield_now();
        }
    }

    /// Waits until the daemon says that the disk takes what is written.
    fn healed(&self) {
        until(&self.desk, &["status", "--json"], |rows| rows[0]["store_refused"].is_null());
    }

    /// The states of all deliveries.
    fn states(&self) -> Vec<String> {
        let rows = self.desk.run(&["outbox", "list", "--all", "--json"]).json();
        let mut states: Vec<_> = rows.iter().map(|row| text(row, "/state") + &text(row, "/reason")).collect();
        states.sort_unstable();
        states
    }
}

const THREE: [&str; 3] =
    ["A convoy attacked at Gao", "A convoy attacked at Kidal", "A convoy attacked at Menaka"];

fn each(titles: &[&str], times: usize) -> BTreeMap<String, usize> {
    titles.iter().map(|title| ((*title).to_owned(), times)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_03_what_is_stored_is_delivered_once_while_the_disk_refuses_and_recorded_after_it() {
    if !is_on() {
        return;
    }
    let mut scene = Scene::set("", &THREE).await;
    let daemon = scene.desk.start_among(&[("HARMATTAN_FAIL", FOR_A_WHILE)]);
    scene.publish(&["A convoy attacked at Timbuktu"]);
    scene.wait_for(THREE.len());
    scene.healed();
    scene.wait_for(THREE.len() + 1);
    until(&scene.desk, &["outbox", "list", "--json"], <[Value]>::is_empty);
    let (code, log) = daemon.stop();
    assert_eq!(code, Some(0), "{log}");
    assert_eq!(scene.told(), each(&[&THREE[..], &["A convoy attacked at Timbuktu"]].concat(), 1), "{log}");
    assert_eq!(scene.states(), ["delivered"; 4]);
    for says in ["the disk refuses (", "the disk takes what is written again"] {
        assert_eq!(log.matches(says).count(), 1, "{says}: {log}");
    }
    scene.once();
    assert_eq!(scene.taken().len(), 4, "nothing is repeated");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_03_what_left_without_a_record_is_repeated_under_its_id_after_an_end_alone() {
    if !is_on() {
        return;
    }
    // What a daemon that stops writes at last is refused as well; in memory, where this machine still has it, it is found.
    for (is_killed, times) in [(true, 2), (false, 1)] {
        let mut scene = Scene::set("", &THREE).await;
        let daemon = scene.desk.start_among(&[("HARMATTAN_FAIL", FOR_EVER)]);
        scene.publish(&["A convoy attacked at Timbuktu"]);
        scene.wait_for(THREE.len());
        until(&scene.desk, &["status", "--json"], |rows| {
            rows[0].pointer("/store_refused/unrecorded").is_some_and(|count| *count == THREE.len())
        });
        assert_eq!(scene.told(), each(&THREE, 1));
        let delivered = scene.states().iter().filter(|state| *state == "delivered").count();
        assert_eq!(delivered, THREE.len(), "as far as the daemon knows");
        if is_killed {
            drop(daemon);
        } else {
            let (_, log) = daemon.stop();
            let last = log.lines().find(|line| line.contains("may be made again at the next start")).unwrap();
            assert!(last.contains("\"deliveries\":3"), "{last}");
        }
        scene.once();
        let mut told = each(&THREE, times);
        told.insert("A convoy attacked at Timbuktu".to_owned(), 1);
        assert_eq!(scene.told(), told);
        assert_eq!(scene.states(), ["delivered"; 4]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_03_a_budget_holds_while_the_disk_refuses() {
    if !is_on() {
        return;
    }
    let route = "[[route]]\nto = [\"ops\"]\nbudget = \"2/1h\"\n";
    let four = [&THREE[..], &["A convoy attacked at Timbuktu"]].concat();
    let scene = Scene::set(route, &four).await;
    let daemon = scene.desk.start_among(&[("HARMATTAN_FAIL", FOR_A_WHILE)]);
    scene.wait_for(2);
    scene.healed();
    // The one that was refused before may wait for its own time.
    let held = |rows: &[Value]| rows.len() == 2 && rows.iter().any(|row| text(row, "/state") == "held");
    until(&scene.desk, &["outbox", "list", "--json"], held);
    assert_eq!(daemon.stop().0, Some(0));
    assert_eq!(scene.states()[..3], ["delivered", "delivered", "heldbudget"]);
    assert_eq!(scene.taken().len(), 2, "{:?}", scene.taken());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn row_03_a_single_round_delivers_what_is_stored_and_records_it_at_its_end() {
    if !is_on() {
        return;
    }
    let scene = Scene::set("", &THREE).await;
    // The first sync is the poll's, the second finds all on disk, and the third would record an attempt.
    let ran = scene.desk.run_among(&["once", "--all"], &[("HARMATTAN_FAIL", "sync:3:1:28")]);
    assert!(ran.err.contains("the disk refuses ("), "{ran:?}");
    assert_eq!((scene.told(), scene.states()), (each(&THREE, 1), vec!["delivered".to_owned(); 3]), "{ran:?}");
    // On a disk that refuses the polls already nothing leaves: each such round would repeat it.
    let scene = Scene::set("", &THREE).await;
    let ran = scene.desk.run_among(&["once", "--all"], &[("HARMATTAN_FAIL", "sync:1:1000000:28")]);
    assert_eq!(scene.taken(), [], "{ran:?}");
}
