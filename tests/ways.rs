//! Notifiers through which nothing gets, by the built program on loopback: who is told, what waits, and how it leaves.
//! Time passes by moving what the store remembers between two runs.

use std::time::Duration;

use harmattan::daemon::clock::now;
use harmattan::outbox::circuit::Circuit;
use harmattan::outbox::{Delivery, DeliveryState};
use harmattan::route::hold::Hold;
use harmattan::store::{SledStore, Store};
use jiff::Timestamp;
use serde_json::Value;

use crate::support::calls::{Desk, text};
use crate::support::http::Reply;
use crate::support::site::Site;

/// A feed and two webhooks.
fn config(site: &Site) -> String {
    let hook = |name: &str| {
        let url = site.url(&format!("/{name}"));
        format!("[[notifier]]\nname = \"{name}\"\ntype = \"webhook\"\nurl = \"{url}\"\n")
    };
    let source = format!("[[source]]\nname = \"wire\"\nfeed = \"{}\"\n", site.url("/feed"));
    format!("{source}{}{}", hook("ops"), hook("night"))
}

/// A desk with two webhooks, the receivers of both, and a feed.
struct Stage {
    site: Site,
    desk: Desk,
    titles: Vec<String>,
}

impl Stage {
    fn set() -> Self {
        let site = Site::start();
        let desk = Desk::with(&config(&site));
        let mut stage = Self { site, desk, titles: Vec::new() };
        stage.answer("ops", 200);
        stage.answer("night", 200);
        stage.poll(&["calm"]);
        stage
    }

    /// A receiver answers so from now on; it asks for an hour, so that no slow machine is faster than the next attempt.
    fn answer(&self, receiver: &str, status: u16) {
        self.site.show(&format!("/{receiver}"), Reply::status(status).header("Retry-After", "3600"));
    }

    /// Polls once, with these new titles.
    fn poll(&mut self, titles: &[&str]) {
        self.titles.extend(titles.iter().map(|title| (*title).to_owned()));
        let items = self.titles.iter().rev().fold(String::new(), |items, title| {
            items + &format!("<item><title>{title}</title><guid>{title}</guid></item>")
        });
        let feed = format!("<rss version=\"2.0\"><channel><title>t</title>{items}</channel></rss>");
        self.site.show("/feed", Reply::ok(feed));
        self.desk.all();
    }

    /// What a receiver was sent after the first `skip`: of each request its type and, of an alert, its title.
    fn told(&self, receiver: &str, skip: usize) -> Vec<String> {
        let says = |body: &Value| {
            let (kind, title) = (text(body, "/type"), text(body, "/data/item/title"));
            let late = if body.pointer("/data/late") == Some(&Value::Bool(true)) { " late" } else { "" };
            format!("{kind}{late} {title}{}", text(body, "/data/name"))
        };
        self.bodies(receiver).iter().skip(skip).map(says).collect()
    }

    fn bodies(&self, receiver: &str) -> Vec<Value> {
        let asked = self.site.asked(&format!("/{receiver}"));
        asked.iter().map(|asked| serde_json::from_slice(&asked.body).unwrap()).collect()
    }

    fn store(&self) -> SledStore {
        SledStore::open(&self.desk.store()).unwrap()
    }

    /// Lets so much time pass for what waits, and for the ways.
    fn pass(&self, time: Duration) {
        let store = self.store();
        for (name, mut circuit) in store.circuits().unwrap() {
            if let Some(fault) = &mut circuit.fault {
                for at in [&mut fault.since, &mut fault.last, &mut fault.until] {
                    *at = at.checked_sub(time).unwrap();
                }
            }
            store.transact(&mut |tx| tx.put_circuit(&name, &circuit)).unwrap();
        }
        for delivery in store.open_deliveries().unwrap() {
            let ready = delivery.ready.checked_sub(time).unwrap();
            store.transact(&mut |tx| tx.put_delivery(&Delivery { ready, ..delivery.clone() })).unwrap();
        }
        store.sync().unwrap();
    }

    /// Lets all that is held have been held until then.
    fn release(&self, until: Timestamp) {
        let store = self.store();
        for delivery in store.open_deliveries().unwrap() {
            let hold = Hold { until, ..delivery.state.held().unwrap() };
            let delivery = Delivery { state: DeliveryState::Held(hold), ..delivery };
            store.transact(&mut |tx| tx.put_delivery(&delivery)).unwrap();
        }
        store.sync().unwrap();
    }

    /// Has those that were tried come behind all others, however slow the machine is.
    fn put_off(&self) {
        let (store, due) = (self.store(), now() + Duration::from_hours(6));
        for delivery in store.open_deliveries().unwrap() {
            let DeliveryState::Retrying { failed, reason, .. } = delivery.state else { continue };
            let delivery = Delivery { state: DeliveryState::Retrying { failed, due, reason }, ..delivery };
            store.transact(&mut |tx| tx.put_delivery(&delivery)).unwrap();
        }
        store.sync().unwrap();
    }

    /// Has a way forget that it is in trouble.
    fn mend(&self, name: &str) {
        let store = self.store();
        store.transact(&mut |tx| tx.put_circuit(name, &Circuit::default())).unwrap();
        store.sync().unwrap();
    }

    /// Lets so much time pass while the machine is off: no source is polled.
    fn be_off(&self, time: Duration) {
        self.pass(time);
        let store = self.store();
        for mut state in store.sources().unwrap() {
            state.last_poll = state.last_poll.map(|last| last.checked_sub(time).unwrap());
            store.transact(&mut |tx| tx.put_source(&state)).unwrap();
        }
        store.sync().unwrap();
    }

    /// Lets a way have been tried in vain as often as three days bring about.
    fn fail_often(&self, name: &str) {
        let mut circuit = self.circuit(name);
        circuit.fault.as_mut().unwrap().failures = 400;
        let store = self.store();
        store.transact(&mut |tx| tx.put_circuit(name, &circuit)).unwrap();
        store.sync().unwrap();
    }

    /// What the deliveries that are held wait for.
    fn held(&self) -> Vec<String> {
        let rows = self.desk.run(&["outbox", "list", "--state", "held", "--json"]);
        rows.iter().map(|row| text(row, "/reason")).collect()
    }

    /// Lets the time of all that is held come.
    fn end_holds(&self) {
        let (store, until) = (self.store(), now());
        for delivery in store.open_deliveries().unwrap() {
            let Some(hold) = delivery.state.held() else { continue };
            let state = DeliveryState::Held(Hold { until, ..hold });
            store
                .transact(&mut |tx| tx.put_delivery(&Delivery { state: state.clone(), ..delivery.clone() }))
                .unwrap();
        }
        store.sync().unwrap();
    }

    fn circuit(&self, name: &str) -> Circuit {
        let circuits = self.store().circuits().unwrap();
        circuits.into_iter().find(|(named, _)| named == name).map(|(_, circuit)| circuit).unwrap_or_default()
    }
}

#[test]
fn a_notifier_that_fails_is_told_by_the_others_once_and_its_recovery_too() {
    let mut stage = Stage::set();
    stage.answer("ops", 503);
    stage.poll(&["a convoy attacked"]);
    assert_eq!(stage.told("night", 0), ["alert.new a convoy attacked"]);
    let asked = stage.bodies("ops").len();
    for failures in 2..=5 {
        stage.pass(Duration::from_mins(61));
        stage.poll(&[]);
        assert_eq!(stage.circuit("ops").fault.unwrap().failures, failures);
    }
    assert_eq!(stage.bodies("ops").len(), asked + 4, "one attempt a turn");
    assert_eq!(stage.told("night", 1), ["notifier.failing ops"]);
    let status = stage.desk.run(&["status", "--json"]).pop().unwrap();
    assert!(status["warnings"].to_string().contains("notifier `ops` is failing"), "{status}");
    stage.answer("ops", 200);
    stage.pass(Duration::from_mins(61));
    stage.poll(&[]);
    assert_eq!(stage.told("ops", asked + 4), ["alert.new late a convoy attacked"]);
    assert_eq!(stage.told("night", 2), ["notifier.recovered ops"]);
    assert_eq!(stage.circuit("ops"), Circuit::default());
}

#[test]
fn a_notifier_that_takes_nothing_is_told_by_the_others_before_much_is_lost() {
    // Who asks to be left alone: at once. Who refuses what it is sent: the third time. Who is not to be asked for an
    // hour: after five minutes of it.
    for (status, told_at, lost) in [(410, 1, 0), (400, 3, 4), (503, 2, 0)] {
        let mut stage = Stage::set();
        stage.answer("ops", status);
        let told = |stage: &Stage, event: &str| {
            stage.told("night", 0).iter().filter(|told| *told == &format!("{event} ops")).count()
        };
        for n in 1..=4 {
            stage.poll(&[&format!("a convoy attacked in place {n}")]);
            assert_eq!(told(&stage, "notifier.failing"), usize::from(n >= told_at), "{status}, turn {n}");
            stage.pass(Duration::from_mins(6));
        }
        assert_eq!(stage.desk.run(&["outbox", "list", "--dead", "--json"]).len(), lost, "{status}");
        let shown = stage.desk.run(&["status", "--json"]).pop().unwrap();
        assert!(shown["warnings"].to_string().contains("`ops`"), "{shown}");
        stage.answer("ops", 200);
        stage.pass(Duration::from_mins(61));
        stage.poll(&["a convoy attacked at last"]);
        assert_eq!(told(&stage, "notifier.recovered"), 1, "{status}");
        assert_eq!(stage.circuit("ops"), Circuit::default(), "{status}");
    }
}

#[test]
fn what_an_outage_held_up_leaves_marked_as_late_and_but_for_the_gravest_as_one_message() {
    let mut stage = Stage::set();
    stage.answer("ops", 503);
    stage.poll(&["a convoy attacked"]);
    stage.poll(&[
        "the base falls",
        "a convoy attacked again",
        "a convoy attacked at noon",
        "a convoy attacked at night",
    ]);
    stage.poll(&["the base falls anew"]);
    let asked = stage.bodies("ops").len();
    assert_eq!(asked, 1, "a way in trouble is left alone");
    stage.answer("ops", 200);
    stage.pass(Duration::from_hours(2));
    stage.poll(&[]);
    let told = stage.told("ops", asked);
    // One was the first to get through.
    let digest = stage.bodies("ops").into_iter().find(|body| body["type"] == "alert.digest").unwrap();
    let alerts = digest["data"]["alerts"].as_array().unwrap();
    assert!(digest["data"]["late"] == true && alerts.iter().all(|alert| alert["late"] == true), "{digest}");
    let critical = told.iter().filter(|told| told.starts_with("alert.new late the base falls")).count();
    assert_eq!(critical, 2, "{told:?}");
    let alone = told.iter().filter(|told| told.starts_with("alert.new")).count();
    assert_eq!(alone + alerts.len(), 6, "{told:?} and {digest}");
    let rows = stage.desk.run(&["outbox", "list", "--json"]);
    assert_eq!(rows, Vec::<Value>::new(), "nothing is left");
}

#[test]
fn what_waited_three_days_behind_a_dead_receiver_is_given_up_and_listed() {
    let mut stage = Stage::set();
    stage.answer("ops", 503);
    stage.poll(&["a convoy attacked", "the base falls", "a convoy attacked again"]);
    stage.fail_often("ops");
    stage.pass(Duration::from_hours(73));
    stage.poll(&[]);
    let dead = stage.desk.run(&["outbox", "list", "--dead", "--json"]);
    assert_eq!(dead.len(), 3, "{dead:?}");
    assert!(dead.iter().all(|row| text(row, "/reason").contains("503")), "{dead:?}");
    stage.answer("ops", 200);
    stage.desk.run(&["outbox", "retry", "--all", "--json"]);
    stage.poll(&[]);
    assert_eq!(stage.desk.run(&["outbox", "list", "--dead", "--json"]).len(), 0);
    let told = stage.told("ops", 0);
    assert!(told.iter().filter(|told| told.starts_with("alert.new ")).count() >= 4, "{told:?}");
}

#[test]
fn whoever_did_not_get_what_was_given_up_is_told_of_the_next_report_of_its_story() {
    let at =
        jiff::tz::TimeZone::UTC.to_datetime(now() + jiff::SignedDuration::from_hours(5)).strftime("%H:%M");
    let digest = format!("timezone = \"UTC\"\ndigest = [\"{at}\"]\n");
    let (refused, shut) = (Reply::status(400), Reply::status(503).header("Retry-After", "3600"));
    // Whether the receiver may have it after all.
    for (hold, answer, may_have) in [
        ("", &refused, false),
        (&digest, &refused, false),
        ("", &shut, false),
        (&digest, &shut, false),
        ("", &Reply::raw(""), true),
        (&digest, &Reply::raw(""), true),
    ] {
        let told = format!("{hold:?} {answer:?}");
        let mut stage = Stage::set();
        // Who is told is the same for both, and each gets what it can.
        let routes = |hold: &str| {
            let held = format!("[[route]]\nto = [\"ops\"]\ncontinue = true\n{hold}");
            config(&stage.site) + &held + "[[route]]\nto = [\"night\"]\n"
        };
        let (held, open) = (routes(hold), routes(""));
        stage.desk.change(&held);
        stage.site.show("/ops", answer.clone());
        stage.poll(&["a convoy attacked"]);
        stage.poll(&["a convoy attacked again"]);
        if !hold.is_empty() {
            stage.release(now());
            stage.poll(&[]);
        }
        if stage.circuit("ops").fault.is_some() {
            stage.fail_often("ops");
            stage.pass(Duration::from_hours(73));
            stage.poll(&[]);
        }
        let rows = stage.desk.run(&["outbox", "list", "--dead", "--json"]);
        assert!(
            !rows.is_empty() && rows.iter().all(|row| text(row, "/notifier") == "ops"),
            "{told}: {rows:?}"
        );
        assert_eq!(
            stage.desk.run(&["outbox", "list", "--json"]).len(),
            rows.len(),
            "{told}: nothing is owed"
        );

        stage.answer("ops", 200);
        stage.mend("ops");
        stage.desk.change(&open);
        let is_alert = |told: &&String| told.starts_with("alert.");
        let count =
            |stage: &Stage| ["ops", "night"].map(|name| stage.told(name, 0).iter().filter(is_alert).count());
        let before = count(&stage);
        stage.poll(&["A convoy attacked!"]);
        let next = usize::from(!may_have);
        assert_eq!(count(&stage), [before[0] + next, before[1]], "{told}: who has it is not told again");
        stage.poll(&["A convoy attacked!!"]);
        assert_eq!(count(&stage), [before[0] + next, before[1]], "{told}: once");
        if !may_have {
            // Of the two one was tried last, and the other waited behind it.
            stage.poll(&["A convoy attacked again!"]);
            assert_eq!(count(&stage), [before[0] + 2, before[1]], "{told}: the other as well");
        }
    }
}

#[test]
fn the_days_in_which_the_machine_is_off_are_not_days_of_trying() {
    let mut stage = Stage::set();
    stage.answer("ops", 503);
    stage.poll(&["a convoy attacked"]);
    stage.fail_often("ops");
    let dead = |stage: &Stage| stage.desk.run(&["outbox", "list", "--dead", "--json"]).len();
    for (time_off, trying, lost) in [(80, 0, 0), (0, 71, 0), (50, 0, 0), (0, 2, 1)] {
        stage.be_off(Duration::from_hours(time_off));
        stage.pass(Duration::from_hours(trying));
        stage.poll(&[]);
        assert_eq!(dead(&stage), lost, "off for {time_off} h, then tried for {trying} h");
    }
}

#[test]
fn what_an_outage_held_up_does_not_leave_in_quiet_hours() {
    let mut stage = Stage::set();
    stage.answer("ops", 503);
    stage.poll(&["a convoy attacked"]);
    stage.poll(&[
        "the base falls",
        "a convoy attacked again",
        "a convoy attacked at noon",
        "a convoy attacked at night",
    ]);
    let asked = stage.bodies("ops").len();
    // Quiet hours that began an hour ago, in the config that is in force when the way works again.
    let clock = |hours| {
        let at = now() + jiff::SignedDuration::from_hours(hours);
        jiff::tz::TimeZone::UTC.to_datetime(at).strftime("%H:%M").to_string()
    };
    let quiet = format!("quiet = {{ from = \"{}\", to = \"{}\" }}\ntimezone = \"UTC\"", clock(-1), clock(3));
    stage.desk.change(&format!("{}[[route]]\nto = [\"ops\", \"night\"]\n{quiet}\n", config(&stage.site)));
    stage.answer("ops", 200);
    stage.pass(Duration::from_hours(2));
    stage.poll(&[]);
    let mut told = stage.told("ops", asked);
    told.sort();
    // The gravest does not wait; the one that was tried does, as its receiver refused it.
    assert_eq!(told, ["alert.new late the base falls"]);
    assert_eq!(stage.held(), ["quiet"; 4]);
}

#[test]
fn what_was_tried_in_an_outage_keeps_to_its_holds_and_leaves_as_one_message() {
    let routed = |stage: &Stage, hold: &str| {
        stage.desk.change(&format!("{}[[route]]\nto = [\"ops\"]\n{hold}\n", config(&stage.site)));
    };
    let clock = |hours| {
        let at = now() + jiff::SignedDuration::from_hours(hours);
        jiff::tz::TimeZone::UTC.to_datetime(at).strftime("%H:%M").to_string()
    };
    let budget = "budget = \"1/1h\"";
    let quiet = format!("quiet = {{ from = \"{}\", to = \"{}\" }}\ntimezone = \"UTC\"", clock(-1), clock(3));
    // One that refuses cannot have what it was sent; one that is cut off may. Of four alerts, as many leave at once as
    // holds let through, and the others when these end: as one message, or each under its id.
    let (refused, cut) = (Reply::status(503).header("Retry-After", "3600"), Reply::raw(""));
    for (answer, is_cut, before, after, at_once, held) in [
        (&refused, false, budget, budget, 2, &[][..]),
        (&refused, false, "", &quiet, 0, &["quiet"; 4]),
        (&cut, true, "", &quiet, 0, &["quiet"; 4]),
        (&cut, true, "", budget, 1, &["budget"; 3]),
    ] {
        let mut stage = Stage::set();
        routed(&stage, before);
        stage.site.show("/ops", answer.clone());
        for n in 1..=4 {
            // A way in trouble would try what was tried before the new one is known.
            stage.mend("ops");
            stage.poll(&[&format!("a convoy attacked in place {n}")]);
            stage.pass(Duration::from_mins(61));
            stage.put_off();
        }
        let rows = stage.desk.run(&["outbox", "list", "--json"]);
        let attempts: Vec<_> = rows.iter().filter_map(|row| row["attempts"].as_u64()).collect();
        assert_eq!(attempts, [1; 4], "{rows:?}");
        let mut ids: Vec<_> = rows.iter().map(|row| text(row, "/id")).collect();
        ids.sort();

        routed(&stage, after);
        stage.answer("ops", 200);
        stage.poll(&[]);
        assert_eq!(stage.told("ops", 4).len(), at_once, "{after}");
        assert_eq!(stage.held(), held, "{after}");
        routed(&stage, "");
        stage.end_holds();
        stage.poll(&[]);
        let asked = stage.site.asked("/ops").split_off(4);
        let mut sent: Vec<_> = asked.iter().map(|asked| asked.text("webhook-id").unwrap()).collect();
        sent.sort();
        let digests = stage.told("ops", 4).iter().filter(|told| told.starts_with("alert.digest")).count();
        match (is_cut, held.len()) {
            (true, _) => assert_eq!(sent, ids, "each under its id"),
            // One got through before the others.
            (false, 0) => assert_eq!((sent.len(), digests), (2, 1), "{sent:?}"),
            (false, _) => assert_eq!((sent.len(), digests), (1, 1), "{sent:?}"),
        }
    }
}

#[test]
fn what_may_have_arrived_says_so_when_it_is_sent_again() {
    let no = Reply::status(503).header("Retry-After", "3600");
    // Of three attempts whether the second and the third say so; the last case ended with the program.
    for (first, second, is_killed, says) in [
        (&no, &no, false, [false, false]),
        (&Reply::raw(""), &no, false, [true, true]),
        (&no, &Reply::raw(""), false, [false, true]),
        (&no, &no, true, [true, true]),
    ] {
        let mut stage = Stage::set();
        stage.desk.change(&format!("{}[[route]]\nto = [\"ops\"]\n", config(&stage.site)));
        stage.site.show("/ops", first.clone());
        stage.poll(&["a convoy attacked"]);
        if is_killed {
            let (store, under_way) = (stage.store(), DeliveryState::Attempted { at: now() });
            for delivery in store.open_deliveries().unwrap() {
                let begun = Delivery { state: under_way.clone(), ..delivery };
                store.transact(&mut |tx| tx.put_delivery(&begun)).unwrap();
            }
            store.sync().unwrap();
        }
        for answer in [second, &Reply::status(200)] {
            stage.site.show("/ops", answer.clone());
            stage.pass(Duration::from_mins(61));
            stage.poll(&[]);
        }
        let asked = stage.site.asked("/ops");
        let said: Vec<_> = asked.iter().map(|asked| asked.text("harmattan-possible-duplicate")).collect();
        let mark = |says: bool| says.then(|| "true".to_owned());
        let expected = [None, mark(says[0]), mark(says[1])];
        assert_eq!(said, expected, "{first:?} {second:?} {is_killed}");
        assert!(asked.iter().all(|one| one.text("webhook-id") == asked[0].text("webhook-id")));
        let rows = stage.desk.run(&["outbox", "list", "--all", "--notifier", "ops", "--json"]);
        let row = rows.iter().find(|row| row.get("alert").is_some()).unwrap();
        assert_eq!(row.get("possible_duplicate"), says[1].then_some(&true.into()), "{row}");
    }
}

#[test]
fn a_silence_stops_what_is_held_or_tried_again_and_lists_it() {
    let clock = |hours| {
        let at = now() + jiff::SignedDuration::from_hours(hours);
        jiff::tz::TimeZone::UTC.to_datetime(at).strftime("%H:%M").to_string()
    };
    let digest = format!("digest = [\"{}\"]", clock(5));
    let quiet = format!("quiet = {{ from = \"{}\", to = \"{}\" }}", clock(-1), clock(3));
    let (yes, no) = (Reply::status(200), Reply::status(503).header("Retry-After", "3600"));
    // With what was told before, how often the receiver is asked before the silence, and whether it may have the alert.
    let cases = [
        ("batch = \"1h\"", &yes, &[][..], 0, false),
        (&digest, &yes, &[], 0, false),
        (&quiet, &yes, &[], 0, false),
        ("budget = \"1/1h\"", &yes, &["the base falls"], 1, false),
        ("", &no, &[], 1, false),
        ("", &Reply::raw(""), &[], 1, true),
        // The digest itself was tried.
        (&digest, &no, &[], 1, false),
    ];
    for (hold, answer, before, asked, may_have) in cases {
        let mut stage = Stage::set();
        let routed = |stage: &Stage, hold: &str| {
            let route = format!("[[route]]\nto = [\"ops\"]\ntimezone = \"UTC\"\n{hold}\n");
            stage.desk.change(&(config(&stage.site) + &route));
        };
        routed(&stage, hold);
        stage.site.show("/ops", answer.clone());
        stage.poll(before);
        stage.poll(&["a convoy attacked"]);
        stage.poll(&["a convoy attacked again"]);
        if !stage.held().is_empty() && asked > before.len() {
            stage.end_holds();
            stage.poll(&[]);
        }
        let told = stage.bodies("ops").len();
        assert!(told >= asked, "{hold} {before:?}");

        let silence = ["silence", "add", "--rule", "convoy", "--for", "4h", "--reason", "known", "--json"];
        let silence = text(&stage.desk.run(&silence)[0], "/id");
        routed(&stage, "");
        stage.answer("ops", 200);
        stage.end_holds();
        stage.pass(Duration::from_mins(61));
        stage.poll(&[]);
        assert_eq!(stage.bodies("ops").len(), told, "{hold} {before:?}: stopped");
        assert_eq!(stage.desk.run(&["outbox", "list", "--json"]), Vec::<Value>::new(), "{hold} {before:?}");
        let listed = &stage.desk.run(&["silence", "list", "--json"])[0];
        assert_eq!((&listed["held"], listed["alerts"].as_array().map(Vec::len)), (&2.into(), Some(2)));
        let mut alerts = stage.desk.alerts();
        alerts.retain(|alert| alert["severity"] == "high");
        assert!(
            alerts.len() == 2 && alerts.iter().all(|alert| alert["disposition"] == "silenced"),
            "{alerts:?}"
        );
        let rows = stage.desk.run(&["outbox", "list", "--all", "--json"]);
        let stopped = rows.iter().filter(|row| text(row, "/reason") == format!("silence {silence}"));
        assert!(stopped.count() >= 2, "{rows:?}");

        // Who has not heard of a story does when it goes on after the silence.
        stage.desk.run(&["silence", "end", &silence]);
        stage.poll(&["A convoy attacked!"]);
        assert_eq!(stage.bodies("ops").len() == told, may_have, "{hold} {before:?}");
    }
}

#[test]
fn a_digest_that_is_tried_again_waits_for_the_end_of_quiet_hours_under_its_id() {
    let clock = |hours| {
        let at = now() + jiff::SignedDuration::from_hours(hours);
        jiff::tz::TimeZone::UTC.to_datetime(at).strftime("%H:%M").to_string()
    };
    let quiet = format!("quiet = {{ from = \"{}\", to = \"{}\" }}", clock(-1), clock(3));
    for (answer, gravest, waits) in [
        (Reply::status(503).header("Retry-After", "3600"), "a convoy attacked again", true),
        (Reply::raw(""), "a convoy attacked again", true),
        (Reply::raw(""), "the base falls", false),
    ] {
        let mut stage = Stage::set();
        let routed = |stage: &Stage, hold: &str| {
            let route = format!("[[route]]\nto = [\"ops\"]\ntimezone = \"UTC\"\n{hold}\n");
            stage.desk.change(&(config(&stage.site) + &route));
        };
        routed(&stage, &format!("digest = [\"{}\"]", clock(5)));
        stage.poll(&["a convoy attacked", gravest]);
        stage.site.show("/ops", answer);
        stage.end_holds();
        stage.poll(&[]);
        assert_eq!(stage.told("ops", 0), ["alert.digest "]);
        routed(&stage, &quiet);
        stage.answer("ops", 200);
        stage.pass(Duration::from_mins(61));
        stage.poll(&[]);
        assert_eq!((stage.bodies("ops").len() == 1, stage.held().len() == 1), (waits, waits), "{gravest}");
        routed(&stage, "");
        stage.end_holds();
        stage.poll(&[]);
        let ids: Vec<_> = stage.site.asked("/ops").iter().map(|asked| asked.text("webhook-id")).collect();
        assert!(ids.len() == 2 && ids[0] == ids[1], "{ids:?}");
    }
}

#[test]
fn what_a_receiver_refuses_uses_up_no_budget() {
    let mut stage = Stage::set();
    stage.desk.change(&format!("{}[[route]]\nto = [\"ops\"]\nbudget = \"1/1h\"\n", config(&stage.site)));
    // Given up at once: what is tried again might be by now.
    stage.answer("ops", 400);
    stage.poll(&["a convoy attacked"]);
    stage.poll(&["the base falls"]);
    assert_eq!((stage.bodies("ops").len(), stage.held().len()), (2, 0));
    stage.answer("ops", 200);
    stage.poll(&["a convoy attacked again"]);
    stage.poll(&["the base falls anew"]);
    assert_eq!(stage.told("ops", 2), ["alert.new a convoy attacked again"]);
    assert_eq!(stage.held(), ["budget"], "what was taken counts");
}

#[test]
fn what_was_held_to_an_hour_at_which_nothing_ran_leaves_marked_as_late() {
    let digest = |hours: i64| {
        let at = now() + jiff::SignedDuration::from_hours(hours);
        format!("digest = [\"{}\"]", jiff::tz::TimeZone::UTC.to_datetime(at).strftime("%H:%M"))
    };
    let quiet = |from: i64, to: i64| {
        let clock = |hours| digest(hours).split('"').nth(1).unwrap().to_owned();
        format!("quiet = {{ from = \"{}\", to = \"{}\" }}", clock(from), clock(to))
    };
    for (hold, titles, kind) in [
        (digest(5), &["a convoy attacked", "a convoy attacked again"][..], "alert.digest"),
        (quiet(-1, 5), &["a convoy attacked"], "alert.new"),
        (quiet(-1, 5), &["a convoy attacked", "a convoy attacked again"], "alert.digest"),
    ] {
        for (hours, late) in [(0, false), (3, true)] {
            let mut stage = Stage::set();
            let route = format!("{}[[route]]\nto = [\"ops\"]\n", config(&stage.site));
            stage.desk.change(&format!("{route}timezone = \"UTC\"\n{hold}\n"));
            stage.poll(titles);
            assert_eq!(stage.told("ops", 0), Vec::<String>::new());
            stage.release(now() - Duration::from_hours(hours));
            // Quiet hours that last by the clock still would hold a single one anew.
            stage.desk.change(&route);
            stage.poll(&[]);
            let bodies = stage.bodies("ops");
            let [body] = bodies.as_slice() else { panic!("{bodies:?}") };
            assert_eq!((text(body, "/type").as_str(), body["data"]["late"] == true), (kind, late), "{body}");
            for alert in body["data"]["alerts"].as_array().into_iter().flatten() {
                assert_eq!(alert["late"], late, "{body}");
            }
        }
    }
}

#[test]
fn what_waits_behind_a_way_that_is_shut_is_tried_when_it_is_named() {
    let mut stage = Stage::set();
    let route = format!("{}[[route]]\nto = [\"ops\"]\n", config(&stage.site));
    stage.desk.change(&route);
    stage.answer("ops", 503);
    stage.poll(&["a convoy attacked"]);
    stage.poll(&["a convoy attacked again"]);
    let ready = stage.desk.run(&["outbox", "list", "--state", "ready", "--json"]);
    let [ready] = ready.as_slice() else { panic!("{ready:?}") };
    stage.answer("ops", 200);
    let tried = stage.told("ops", 0).len();
    assert_eq!(stage.desk.run(&["outbox", "retry", &text(ready, "/id"), "--json"]).len(), 1);
    stage.poll(&[]);
    assert_eq!(
        stage.told("ops", tried).first().map(String::as_str),
        Some("alert.new a convoy attacked again")
    );
    assert_eq!(stage.desk.run(&["outbox", "list", "--json"]).len(), 0);
}

#[test]
fn an_alert_that_waits_behind_a_way_that_is_shut_is_not_said_to_be_sent() {
    let mut stage = Stage::set();
    stage.desk.change(&format!("{}[[route]]\nto = [\"ops\"]\n", config(&stage.site)));
    stage.answer("ops", 503);
    stage.poll(&["a convoy attacked"]);
    stage.poll(&["a convoy attacked again"]);
    let ready = stage.desk.run(&["outbox", "list", "--state", "ready", "--json"]);
    let [ready] = ready.as_slice() else { panic!("{ready:?}") };
    let id = text(ready, "/alert");
    let said = |stage: &Stage, word: &str| {
        let (table, csv) = (["alerts", "list"], ["alerts", "export", "--format", "csv"]);
        let lines = [&["explain", id.as_str()][..], &["alerts", "show", &id]];
        let single = lines.map(|line| stage.desk.print(line).matches(&format!("alert.new, {word}")).count());
        let listed = stage.desk.print(&table).matches(&format!("  {word}  ")).count();
        (single, listed, stage.desk.print(&csv).matches(&format!(",{word},")).count())
    };
    assert_eq!((said(&stage, "waiting"), said(&stage, "sent")), (([1, 1], 2, 2), ([0, 0], 0, 0)));
    stage.answer("ops", 200);
    stage.pass(Duration::from_mins(61));
    stage.poll(&[]);
    assert_eq!((said(&stage, "waiting"), said(&stage, "sent")), (([0, 0], 0, 0), ([1, 1], 2, 2)));
}

#[test]
fn an_alert_that_nobody_has_is_not_listed_as_sent_and_status_counts_what_is_wrong() {
    let hour = jiff::SignedDuration::from_hours(5);
    let at = jiff::tz::TimeZone::UTC.to_datetime(now() + hour).strftime("%H:%M").to_string();
    for hold in [String::new(), format!("timezone = \"UTC\"\ndigest = [\"{at}\"]\n")] {
        let mut stage = Stage::set();
        let route = |hold: &str| format!("{}[[route]]\nto = [\"ops\"]\n{hold}", config(&stage.site));
        let (held, open) = (route(&hold), route(""));
        stage.desk.change(&held);
        let undelivered = |stage: &Stage| -> Vec<String> {
            stage.desk.alerts().iter().map(|alert| text(alert, "/undelivered")).collect()
        };
        let status = |stage: &Stage| {
            let told = stage.desk.run(&["status", "--json"]).pop().unwrap();
            let count = |key: &str| told[key].as_u64().unwrap();
            let failing = told["notifiers_failing"].as_array().map_or(0, Vec::len);
            (failing, count("deliveries_retrying"), count("deliveries_dead"))
        };
        stage.answer("ops", 503);
        stage.poll(&["a convoy attacked", "a convoy attacked again"]);
        if !hold.is_empty() {
            assert_eq!((undelivered(&stage), status(&stage)), (vec![String::new(); 2], (0, 0, 0)));
            stage.release(now());
            stage.poll(&[]);
        }
        let waiting = undelivered(&stage);
        assert!(waiting.contains(&"waiting".to_owned()), "{waiting:?}");
        let (failing, retrying, dead) = status(&stage);
        assert_eq!((failing, retrying > 0, dead), (1, true, 0));
        let table = |stage: &Stage, word: &str| {
            stage.desk.print(&["alerts", "list"]).matches(&format!("  {word}  ")).count()
        };
        assert!(table(&stage, "waiting") > 0);
        let exported = stage.desk.print(&["alerts", "export", "--format", "csv"]);
        assert_eq!(exported.matches(",waiting,").count(), table(&stage, "waiting"), "{exported}");

        // Each is refused for good when its turn comes.
        stage.answer("ops", 400);
        stage.pass(Duration::from_mins(61));
        stage.poll(&[]);
        assert_eq!(undelivered(&stage), ["dead", "dead"]);
        assert_eq!((table(&stage, "dead"), table(&stage, "sent")), (2, 0));
        let (failing, retrying, dead) = status(&stage);
        // A digest is refused whole and by its halves: three times in a row.
        assert_eq!((failing, retrying, dead > 0), (usize::from(!hold.is_empty()), 0, true));
        assert_eq!(stage.desk.print(&["alerts", "export"]), "");
        let all = stage.desk.print(&["alerts", "export", "--all", "--format", "csv"]);
        assert_eq!(all.matches(",alert.new,dead,").count(), 2, "{all}");

        // What somebody has is sent, whatever became of the rest.
        stage.answer("ops", 200);
        stage.desk.change(&open);
        stage.desk.run(&["outbox", "retry", "--all", "--json"]);
        stage.poll(&[]);
        assert_eq!((undelivered(&stage), status(&stage)), (vec![String::new(); 2], (0, 0, 0)));
    }
}
