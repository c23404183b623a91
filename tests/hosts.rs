//! Incidents of hosts, by the built program on loopback: how they end, so that the next one is told. Time passes by moving
//! in the store, between two runs, when sources began to fail.

use std::path::Path;

use harmattan::demo::Hook;
use harmattan::store::{SledStore, Store};
use jiff::SignedDuration;
use serde_json::Value;

use crate::support::calls::{Desk, LOOPBACK, text};
use crate::support::desk::{self, Web, rss, soon};
use crate::support::http::Reply;
use crate::support::preview::{mangoes, message, page};
use crate::support::site::Site;

const NAMES: [&str; 3] = ["north", "south", "coast"];

/// A site, a desk with its three sources, and what a notifier is told of them.
struct Stage {
    site: Site,
    desk: Desk,
    heard: usize,
}

impl Stage {
    /// Sources as `source` writes them, after their baselines.
    fn set(show: impl Fn(&Site, &str), source: impl Fn(&Site, &str) -> String) -> Self {
        let site = Site::start();
        site.show("/hook", Reply::status(204));
        for name in NAMES {
            show(&site, name);
        }
        let sources: String = NAMES.iter().map(|name| source(&site, name)).collect();
        let desk = Desk::with(&(sources + &hook(&site)));
        let mut stage = Self { site, desk, heard: 0 };
        assert_eq!(stage.poll(), Vec::<String>::new());
        stage
    }

    /// Three feeds at 127.0.0.1.
    fn of_feeds() -> Self {
        Self::set(|site, name| site.show(&format!("/{name}"), Reply::ok(rss(&[name]))), feed)
    }

    /// Answers so at the paths of all sources.
    fn show(&self, folder: &str, reply: impl Fn(&str) -> Reply) {
        for name in NAMES {
            self.site.show(&format!("{folder}/{name}"), reply(name));
        }
    }

    /// Polls all, an hour after the last time; what was told of it, as `type name reason`.
    fn poll(&mut self) -> Vec<String> {
        self.desk.all();
        an_hour_passes(&self.desk.store());
        let all = self.site.asked("/hook");
        let bodies = all.iter().skip(self.heard).map(|asked| serde_json::from_slice(&asked.body).unwrap());
        let told = bodies.map(|event: Value| {
            let [kind, name, reason] = ["/type", "/data/name", "/data/reason"].map(|at| text(&event, at));
            format!("{kind} {name} {reason}")
        });
        let told = told.collect();
        self.heard = all.len();
        told
    }

    /// The same three times.
    fn poll_thrice(&mut self) -> Vec<String> {
        (0..3).flat_map(|_| self.poll()).collect()
    }
}

/// Whatever fails has failed for an hour more.
fn an_hour_passes(store: &Path) {
    let store = SledStore::open(store).unwrap();
    for mut state in store.sources().unwrap() {
        let Some(run) = &mut state.health.run else { continue };
        run.since -= SignedDuration::from_hours(1);
        store.transact(&mut |tx| tx.put_source(&state)).unwrap();
    }
    store.sync().unwrap();
}

fn hook(site: &Site) -> String {
    format!("[[notifier]]\nname = \"hook\"\ntype = \"webhook\"\nurl = \"{}\"\n", site.url("/hook"))
}

fn feed(site: &Site, name: &str) -> String {
    format!("[[source]]\nname = \"{name}\"\nfeed = \"{}\"\n", site.url(&format!("/{name}")))
}

#[test]
fn an_incident_of_a_host_that_redirects_ends_when_it_does_again() {
    for status in [301, 302] {
        // One that answers, and one that does not.
        for down in [Reply::status(500), Reply::raw("")] {
            let mut stage = Stage::of_feeds();
            let up = |stage: &Stage| {
                stage.show("", |name| {
                    Reply::to(status, stage.site.on("localhost", &format!("/there/{name}")))
                });
            };
            stage.show("/there", |name| Reply::ok(rss(&[name])));
            up(&stage);
            assert_eq!(stage.poll(), Vec::<String>::new());
            for _ in 0..2 {
                stage.show("", |_| down.clone());
                assert_eq!(stage.poll_thrice(), ["source.failing 127.0.0.1 http"], "{status} {down:?}");
                up(&stage);
                assert_eq!(stage.poll(), ["source.recovered 127.0.0.1 http"], "{status} {down:?}");
            }
        }
    }
}

#[test]
fn an_incident_of_a_telegram_host_ends_when_another_shows_its_channels() {
    let shown = |name: &str| page(&message(&format!("{name}/1"), "", &mangoes(1)));
    let stand_in = Site::start();
    let show_there = |reply: &dyn Fn(&str) -> Reply| {
        for name in NAMES {
            stand_in.show(&format!("/s/{name}"), reply(name));
        }
    };
    let mut stage = Stage::set(
        |site, name| site.show(&format!("/s/{name}"), shown(name)),
        |site, name| {
            let hosts = [site.base(), stand_in.on("localhost", "").trim_end_matches('/').to_owned()];
            format!("[[source]]\nname = \"{name}\"\ntelegram = \"{name}\"\nhosts = {hosts:?}\n")
        },
    );
    stage.show("/s", |_| Reply::raw(""));
    for _ in 0..2 {
        show_there(&|_| Reply::raw(""));
        assert_eq!(stage.poll_thrice(), ["source.failing 127.0.0.1 http"]);
        show_there(&shown);
        assert_eq!(stage.poll(), ["source.recovered 127.0.0.1 http"]);
    }
}

#[test]
fn an_incident_of_a_host_at_which_nobody_is_asked_any_more_is_over() {
    let others: [&dyn Fn(&Stage) -> String; 2] = [
        &|stage| feed(&stage.site, "river"),
        // The same names, elsewhere.
        &|stage| {
            let there = NAMES.map(|name| feed(&stage.site, name).replace("127.0.0.1", "localhost"));
            there.concat() + &feed(&stage.site, "river")
        },
    ];
    for other in others {
        let mut stage = Stage::of_feeds();
        stage.show("", |_| Reply::status(500));
        assert_eq!(stage.poll_thrice(), ["source.failing 127.0.0.1 http"]);
        stage.show("", |name| Reply::ok(rss(&[name])));
        stage.desk.change(&(other(&stage) + &hook(&stage.site)));
        let told = stage.poll_thrice();
        assert_eq!(told, ["source.recovered 127.0.0.1 http", "source.failing river http"]);
    }
}

#[test]
fn a_source_that_fails_on_when_the_incident_of_its_host_ends_is_told_by_its_next_poll() {
    let mut stage = Stage::of_feeds();
    stage.show("", |_| Reply::status(500));
    assert_eq!(stage.poll_thrice(), ["source.failing 127.0.0.1 http"]);
    for name in &NAMES[1..] {
        stage.site.show(&format!("/{name}"), Reply::ok(rss(&[name])));
    }
    // Whether it is asked before the others or after them is open.
    let mut told = stage.poll();
    told.extend(stage.poll());
    told.sort();
    assert_eq!(told, ["source.failing north http", "source.recovered 127.0.0.1 http"]);
    assert_eq!(stage.poll(), Vec::<String>::new(), "once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reload_ends_the_incident_of_a_host_at_which_nobody_is_asked_any_more() {
    let (web, hook) = (Web::start().await, Hook::start(&[], Vec::new()).await.unwrap());
    let notifier = format!("[[notifier]]\nname = \"hook\"\ntype = \"webhook\"\nurl = \"{}\"\n", hook.url());
    let places =
        "[store]\npath = \"../store\"\n[control]\nsocket = \"../socket\"\n[schedule]\nhost_gap = \"0s\"\n";
    let config = |sources: &str| format!("{places}{LOOPBACK}{notifier}{sources}");
    let nothing = |name| format!("[[source]]\nname = \"{name}\"\nfeed = \"{}\"\n", web.url("/nothing"));
    let desk = desk::Desk::new(&config(&NAMES.map(|name| nothing(name).replace("nothing", name)).concat()));
    for _ in 0..3 {
        desk.run(&["once", "--all"]).ended(1);
        an_hour_passes(&desk.path("store"));
    }
    assert_eq!(hook.received().len(), 1);
    let daemon = desk.start();
    desk.configure(&config(&nothing("river").replace("127.0.0.1", "localhost")));
    desk.run(&["reload"]).ended(0);
    let told = soon(hook.wait_for(2)).await;
    let event: Value = serde_json::from_slice(&told[1].body).unwrap();
    assert_eq!(
        [text(&event, "/type"), text(&event, "/data/name")],
        ["source.recovered", "127.0.0.1"].map(str::to_owned)
    );
    daemon.stop();
}
