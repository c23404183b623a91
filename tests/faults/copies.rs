//! Row 23: a store put back from a copy of its folder, or restored from a backup.

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

/// The webhooks since the first `asked`, each with its type, the titles it tells, and whether each is marked as perhaps
/// told before.
fn messages(scene: &Scene, asked: usize) -> Vec<(String, Vec<(String, bool)>)> {
    let schema: Value = serde_json::from_str(include_str!("../../config/webhook.schema.json")).unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    let one = |alert: &Value| {
        let marked = alert["possible_duplicate"] == true;
        assert_eq!(marked, alert["backup"].is_string(), "{alert}");
        (text(alert, "/item/title"), marked)
    };
    let message = |(_, body): (String, Value)| {
        assert!(schema.is_valid(&body), "{body:#}");
        let alerts = body["data"]["alerts"].as_array();
        let mut told =
            alerts.map_or_else(|| vec![one(&body["data"])], |alerts| alerts.iter().map(one).collect());
        told.sort();
        (text(&body, "/type"), told)
    };
    scene.told("ops").split_off(asked).into_iter().map(message).collect()
}

#[test]
fn row_23_what_was_told_since_a_backup_comes_once_more_marked_and_in_few_messages() {
    let mut scene = Scene::set(&["ops"], "");
    scene.poll(&["a convoy attacked before"]);
    let folder = tempfile::tempdir().unwrap();
    let backup = folder.path().join("b").display().to_string();
    assert_eq!(scene.desk.run(&["store", "backup", &backup, "--json"]).len(), 1);
    let lost: Vec<String> = (0..12).map(|n| format!("a convoy attacked at {n:02}")).collect();
    let lost: Vec<&str> = lost.iter().map(String::as_str).chain(["the base falls"]).collect();
    scene.poll(&lost);
    assert_eq!(messages(&scene, 1).len(), 13, "one by one, as they came");

    let restored = scene.desk.run(&["store", "restore", &backup, "--replace", "--json"]).remove(0);
    let aside = text(&restored, "/aside");
    assert!(std::path::Path::new(&aside).join("db").is_file(), "the old store is kept: {restored}");
    let asked = scene.asked("ops").len();
    scene.poll(&["a convoy attacked while nobody looked"]);
    let mut again = messages(&scene, asked);
    again.sort();
    let marked = |title: &str| (title.to_owned(), true);
    let mut rest: Vec<_> = lost[..12].iter().map(|title| marked(title)).collect();
    rest.push(marked("a convoy attacked while nobody looked"));
    let critical = ("alert.new".to_owned(), vec![marked("the base falls")]);
    assert_eq!(again, [("alert.digest".to_owned(), rest), critical], "nothing is lost, nor told one by one");

    let asked = scene.asked("ops").len();
    scene.poll(&["a convoy attacked later"]);
    let later = vec![("a convoy attacked later".to_owned(), false)];
    assert_eq!(messages(&scene, asked), [("alert.new".to_owned(), later)]);
    let listed = scene.desk.alerts();
    let doubted = listed.iter().filter(|alert| alert["possible_duplicate"] == true).count();
    assert_eq!((listed.len(), doubted), (16, 14));
}

#[test]
fn row_23_what_a_backup_owes_keeps_its_id_and_is_marked() {
    let mut scene = Scene::set(&["ops"], "");
    scene.answer("ops", Reply::status(503).header("Retry-After", "3600"));
    scene.poll(&["a convoy attacked"]);
    let (owed, _) = scene.told("ops").remove(0);
    let folder = tempfile::tempdir().unwrap();
    let backup = folder.path().join("b").display().to_string();
    scene.desk.run(&["store", "backup", &backup]);
    scene.answer("ops", Reply::status(200));
    let retry = |scene: &mut Scene| {
        scene.desk.run(&["outbox", "retry", "--all", "--json"]);
        scene.poll(&[]);
    };
    retry(&mut scene);
    scene.desk.run(&["store", "restore", &backup, "--replace"]);
    retry(&mut scene);
    let told = |(id, _): &(String, Value)| *id == owed;
    assert!(scene.told("ops").iter().all(told), "{:?}", scene.told("ops"));
    let marks: Vec<bool> = messages(&scene, 0).into_iter().map(|(_, told)| told[0].1).collect();
    assert_eq!(marks, [false, false, true]);
}

/// Copies a folder as an operator does it.
pub(super) fn copy(from: PathBuf, to: PathBuf) {
    assert!(Command::new("cp").arg("-a").args([from, to]).status().unwrap().success());
}
