//! Row 10: clocks that leap.

use harmattan::daemon::clock::now;
use jiff::{SignedDuration, Timestamp};

use super::Scene;
use crate::support::calls::text;
use crate::support::http::Reply;

fn years(n: i64) -> SignedDuration {
    SignedDuration::from_hours(n * 365 * 24)
}

#[test]
fn row_10_a_clock_that_leaps_ahead_gives_up_nothing_and_ends_in_no_burst() {
    let busy = || Reply::status(503).header("Retry-After", "3600");
    // A year; and a start in 1970.
    for leap in [years(1), now().duration_since(Timestamp::UNIX_EPOCH) - SignedDuration::from_hours(24)] {
        let mut scene = Scene::set(&["ops"], "");
        scene.answer("ops", busy());
        scene.poll(&["a convoy attacked"]);
        let more = ["at dawn", "at noon", "at night", "in Gao", "in Kidal", "in Mopti"];
        let more = more.map(|when_or_where| format!("a convoy attacked {when_or_where}"));
        scene.poll(&more.iter().map(String::as_str).collect::<Vec<_>>());
        scene.shift(-leap);
        scene.poll(&[]);
        assert!(!scene.states().contains(&"dead".to_owned()), "{:?}", scene.states());
        scene.answer("ops", Reply::status(200));
        scene.shift(-SignedDuration::from_hours(2));
        let asked = scene.asked("ops").len();
        scene.poll(&[]);
        let told = scene.told("ops").split_off(asked);
        let kinds: Vec<_> = told.iter().map(|(_, body)| text(body, "/type")).collect();
        assert_eq!(kinds, ["alert.new", "alert.digest"], "the one that got through, and the rest as one");
        let states = scene.states();
        assert!(states.iter().all(|state| state == "delivered" || state == "bundled"), "{states:?}");
        for asked in scene.asked("ops").split_off(asked) {
            let signed: i64 = asked.text("webhook-timestamp").unwrap().parse().unwrap();
            assert!(now().as_second() - signed < 300, "the clock of the attempt, not of the alert");
        }
    }
}

#[test]
fn row_10_a_clock_set_back_a_year_leaves_no_delivery_stuck() {
    let route = "[[notifier]]\nname = \"screen\"\ntype = \"stdout\"\n[[route]]\nrules = [\"base\"]\nto = [\"night\"]\n\
                 digest = [\"00:00\", \"12:00\"]\n[[route]]\nto = [\"ops\"]\n";
    let mut scene = Scene::set(&["ops", "night"], &format!("[desk]\ntimezone = \"UTC\"\n{route}"));
    scene.answer("ops", Reply::status(503).header("Retry-After", "3600"));
    scene.poll(&["a convoy attacked", "the base falls"]);
    let mut states = scene.states();
    states.sort();
    assert_eq!(states, ["held", "retrying"]);
    scene.shift(years(1));
    scene.poll(&[]);
    scene.answer("ops", Reply::status(200));
    scene.poll(&[]);
    assert_eq!(scene.told("ops").len(), 2, "one attempt, and then it waits as long as any");
    scene.shift(SignedDuration::from_hours(2));
    scene.poll(&[]);
    let ops = scene.told("ops");
    assert_eq!(ops.iter().map(|(id, _)| id).collect::<Vec<_>>(), [&ops[0].0; 3], "once more, under its id");
    assert_eq!(scene.told("night").len(), 1, "what was held for a day of next year");
    assert!(
        !scene.states().iter().any(|state| state == "held" || state == "retrying"),
        "{:?}",
        scene.states()
    );
}

#[test]
fn row_10_news_is_not_stale_for_a_clock_that_runs_ahead() {
    // Our clock runs a year ahead of the world: the server's shows the world's time, and so do its items.
    let http = |time: Timestamp| time.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    let (world, ahead) = (http(now() - years(1)), http(now() + years(1)));
    let year = years(1).as_secs().to_string();
    for (date, age, item, told) in [
        (Some(&world), None, &world, true),
        (Some(&world), Some("60"), &world, true),
        // A cached answer is not the world's time, nor is there any without a date.
        (Some(&world), Some(year.as_str()), &world, false),
        (None, None, &world, false),
        // A server whose clock runs ahead makes nothing stale.
        (Some(&ahead), None, &http(now()), true),
        (Some(&ahead), None, &world, false),
    ] {
        let scene = Scene::set(&["ops"], "");
        let news = format!("<item><title>a convoy attacked</title><pubDate>{item}</pubDate></item>");
        let feed = format!("<rss version=\"2.0\"><channel><title>t</title>{news}</channel></rss>");
        let headers = [("Date", date.map(String::as_str)), ("Age", age)];
        let reply = headers.into_iter().filter_map(|(name, value)| Some((name, value?)));
        scene
            .site
            .show("/feed", reply.fold(Reply::ok(feed), |reply, (name, value)| reply.header(name, value)));
        scene.desk.all();
        let disposition =
            scene.desk.alerts().iter().map(|alert| text(alert, "/disposition")).collect::<Vec<_>>();
        assert_eq!(disposition, [if told { "sent" } else { "stale" }], "{date:?} {age:?} {item}");
        assert_eq!(scene.told("ops").len(), usize::from(told), "{date:?} {age:?} {item}");
    }
}

#[test]
fn row_10_items_from_the_future_alert() {
    let mut scene = Scene::set(&["ops"], "");
    scene.poll(&[
        "a convoy attacked on Thu, 31 Dec 2099 23:59:59 GMT",
        "the base falls on Fri, 31 Dec 9999 23:59:59 GMT",
    ]);
    let mut titles: Vec<_> =
        scene.told("ops").iter().map(|(_, body)| text(body, "/data/item/title")).collect();
    titles.sort();
    assert_eq!(titles, ["a convoy attacked", "the base falls"]);
}
