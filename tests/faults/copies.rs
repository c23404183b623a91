//! Row 23: a store put back from a copy.

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use super::Scene;
use crate::support::calls::text;
use crate::support::http::Reply;

#[test]
fn row_23_a_store_put_back_from_a_copy_tells_all_at_least_once_and_doubles_by_their_ids() {
    let mut scene = Scene::set(&["ops"], "");
    scene.answer("ops", Reply::status(503).header("Retry-After", "3600"));
    scene.poll(&["a convoy attacked"]);
    let (owed, _) = scene.told("ops").remove(0);
    let backup = tempfile::tempdir().unwrap();
    copy(scene.desk.store(), backup.path().join("store"));

    let again = |scene: &mut Scene, titles: &[&str]| {
        let asked = scene.asked("ops").len();
        scene.desk.run(&["outbox", "retry", "--all", "--json"]);
        scene.poll(titles);
        scene.told("ops").split_off(asked)
    };
    scene.answer("ops", Reply::status(200));
    let before = again(&mut scene, &["the base falls"]);
    assert_eq!(before.len(), 2);
    std::fs::remove_dir_all(scene.desk.store()).unwrap();
    copy(backup.path().join("store"), scene.desk.store());
    let after = again(&mut scene, &["in Gao a convoy attacked a camp"]);
    let ids = |told: &[(String, Value)]| told.iter().filter(|(id, _)| *id == owed).count();
    assert_eq!((ids(&before), ids(&after)), (1, 1), "what the copy owed keeps its id");
    let item = |told: &[(String, Value)], title: &str| {
        let told = told.iter().find(|(_, body)| text(body, "/data/item/title") == title);
        text(&told.unwrap().1, "/data/item/id")
    };
    let base = "the base falls";
    assert_eq!(
        item(&before, base),
        item(&after, base),
        "what it did not know comes again, the item by its id"
    );
    item(&after, "in Gao a convoy attacked a camp");
    assert_eq!(after.len(), 3, "{after:?}");
    assert!(scene.states().iter().all(|state| state == "delivered"), "{:?}", scene.states());
}

/// Copies a folder as an operator does it.
fn copy(from: PathBuf, to: PathBuf) {
    assert!(Command::new("cp").arg("-a").args([from, to]).status().unwrap().success());
}
