//! Receivers, clocks, configs, texts and backups that are out to lose, double or delay an alert, over loopback and mostly
//! against the built program. Names begin with the row of the catalogue of faults. What one notifier makes of one answer is
//! in `notify.rs`.

mod clocks;
mod configs;
mod copies;
mod damage;
mod floods;
mod receivers;
mod refusals;
mod texts;

use std::collections::BTreeMap;

use harmattan::demo::Mailbox;
use harmattan::outbox::{Delivery, DeliveryState};
use harmattan::route::hold::Hold;
use harmattan::store::{SledStore, Store};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use crate::support::calls::{self, LOOPBACK, text};
use crate::support::desk::{Desk, Web, rss};
use crate::support::http::{Asked, Reply};
use crate::support::site::Site;

/// A config that polls every second.
fn restless(web: &Web) -> String {
    let rule = "[[rule]]\nname = \"convoy\"\nseverity = \"high\"\nall = [\"convoy attacked\"]\n";
    let schedule = "[schedule]\ninterval = \"1s\"\ninterval_min = \"1s\"\nhost_gap = \"0s\"\n";
    let source = format!("[[source]]\nname = \"wire\"\nfeed = \"{}\"\n", web.url("/feed"));
    format!("{LOOPBACK}{schedule}{source}{rule}")
}

fn webhook(name: &str, url: impl std::fmt::Display) -> String {
    format!("[[notifier]]\nname = \"{name}\"\ntype = \"webhook\"\nurl = \"{url}\"\n")
}

fn mail(name: &str, mailbox: &Mailbox) -> String {
    let relay = mailbox.address();
    format!(
        "[[notifier]]\nname = \"{name}\"\ntype = \"email\"\nsmtp = \"smtp://{relay}\"\n\
         from = \"Harmattan <alerts@example.org>\"\nto = [\"desk@example.org\"]\n"
    )
}

/// A desk that has taken its baseline, and what its feed shows from then on.
fn desk(web: &Web, notifiers: &str, titles: &[&str]) -> Desk {
    web.put("/feed", rss(&["Mangoes harvested"]));
    let desk = Desk::new(&(restless(web) + notifiers));
    desk.run(&["once"]).ended(0);
    web.put("/feed", rss(&[&["Mangoes harvested"][..], titles].concat()));
    desk
}

/// Asks until it holds. Every question is a new process, so the machine is not kept busy.
#[track_caller]
fn until(desk: &Desk, line: &[&str], holds: impl Fn(&[Value]) -> bool) -> Vec<Value> {
    for _ in 0..600 {
        let rows = desk.run(line).json();
        if holds(&rows) {
            return rows;
        }
    }
    panic!("{line:?} never told what was waited for: {:?}", desk.run(line));
}

/// A desk of `calls`, whose runs poll at once, and a site with its feed and its receivers.
struct Scene {
    site: Site,
    desk: calls::Desk,
    items: Vec<String>,
}

impl Scene {
    /// Notifiers by the paths of their receivers, after a baseline.
    fn set(receivers: &[&str], more: &str) -> Self {
        let site = Site::start();
        let source = format!("[[source]]\nname = \"wire\"\nfeed = \"{}\"\n", site.url("/feed"));
        let hooks: String =
            receivers.iter().map(|name| webhook(name, site.url(&format!("/{name}")))).collect();
        let desk = calls::Desk::with(&format!("{source}{hooks}{more}"));
        let mut scene = Self { site, desk, items: Vec::new() };
        for name in receivers {
            scene.answer(name, Reply::status(200));
        }
        scene.poll(&["calm"]);
        scene
    }

    fn answer(&self, receiver: &str, reply: Reply) {
        self.site.show(&format!("/{receiver}"), reply);
    }

    /// Polls once, with new items of these titles, or of a title and a date.
    fn poll(&mut self, titles: &[&str]) {
        for title in titles {
            let (words, date) = title.split_once(" on ").unwrap_or((title, ""));
            let date = if date.is_empty() { String::new() } else { format!("<pubDate>{date}</pubDate>") };
            self.items.insert(0, format!("<item><title>{words}</title><guid>{words}</guid>{date}</item>"));
        }
        let items = self.items.concat();
        let feed = format!("<rss version=\"2.0\"><channel><title>t</title>{items}</channel></rss>");
        self.site.show("/feed", Reply::ok(feed));
        self.desk.all();
    }

    fn asked(&self, receiver: &str) -> Vec<Asked> {
        self.site.asked(&format!("/{receiver}"))
    }

    /// What a receiver was told, each with its title and what it is of.
    fn told(&self, receiver: &str) -> Vec<(String, Value)> {
        let told =
            |asked: &Asked| (asked.text("webhook-id").unwrap(), serde_json::from_slice(&asked.body).unwrap());
        self.asked(receiver).iter().map(told).collect()
    }

    /// Of each delivery its state.
    fn states(&self) -> Vec<String> {
        let rows = self.desk.run(&["outbox", "list", "--all", "--json"]);
        rows.iter().map(|row| text(row, "/state")).collect()
    }

    /// Moves all that deliveries and ways remember: the clock leaps the other way.
    fn shift(&self, by: SignedDuration) {
        let store = SledStore::open(&self.desk.store()).unwrap();
        let moved = |at: Timestamp| at.checked_add(by).unwrap();
        for (name, mut circuit) in store.circuits().unwrap() {
            if let Some(fault) = &mut circuit.fault {
                for at in [&mut fault.since, &mut fault.last, &mut fault.until] {
                    *at = moved(*at);
                }
            }
            store.transact(&mut |tx| tx.put_circuit(&name, &circuit)).unwrap();
        }
        for delivery in store.open_deliveries().unwrap() {
            let state = match delivery.state.clone() {
                DeliveryState::Retrying { failed, due, reason } => {
                    DeliveryState::Retrying { failed: moved(failed), due: moved(due), reason }
                }
                DeliveryState::Held(Hold { reason, until }) => {
                    DeliveryState::Held(Hold { reason, until: moved(until) })
                }
                DeliveryState::Attempted { at } => DeliveryState::Attempted { at: moved(at) },
                state @ (DeliveryState::Ready
                | DeliveryState::Delivered { .. }
                | DeliveryState::Dropped { .. }
                | DeliveryState::Bundled { .. }
                | DeliveryState::Dead { .. }) => state,
            };
            let (created, ready) = (moved(delivery.created), moved(delivery.ready));
            let delivery = Delivery { created, ready, state, ..delivery };
            store.transact(&mut |tx| tx.put_delivery(&delivery)).unwrap();
        }
        store.sync().unwrap();
    }

    /// For how many seconds each way is shut since its latest failure.
    fn shut(&self) -> BTreeMap<String, i64> {
        let circuits = SledStore::open(&self.desk.store()).unwrap().circuits().unwrap();
        let faults = circuits.into_iter().filter_map(|(name, circuit)| Some((name, circuit.fault?)));
        faults.map(|(name, fault)| (name, fault.until.duration_since(fault.last).as_secs())).collect()
    }
}
