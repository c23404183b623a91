//! What follows in a story goes on from the message with which it began in a chat, by the built program on loopback. Each
//! round is a process of its own, so what a chat answered comes from the disk.

use std::sync::atomic::{AtomicU64, Ordering};

use harmattan::daemon::clock;
use harmattan::notify::chat::Service;
use harmattan::outbox::{Delivery, DeliveryState};
use harmattan::route::hold::Hold;
use harmattan::store::{SledStore, Store as _};
use serde_json::{Value, json};

use crate::support::calls::Desk;
use crate::support::checker::check;
use crate::support::http::{Asked, Reply, Server};
use crate::support::site::Site;

const SERVICES: [Service; 2] = [Service::Telegram, Service::Matrix];

/// What a chat answers to its `number`th message.
fn taken(asked: &Asked, number: u64) -> Reply {
    let answer = if service(asked) == Service::Matrix {
        json!({ "event_id": format!("$event-{number}") })
    } else {
        let body: Value = serde_json::from_slice(&asked.body).unwrap();
        let mut message = json!({ "message_id": number });
        if let Some(answered) = body.pointer("/reply_parameters/message_id") {
            message["reply_to_message"] = json!({ "message_id": answered });
        }
        json!({ "ok": true, "result": message })
    };
    Reply::ok(answer.to_string())
}

fn service(asked: &Asked) -> Service {
    if asked.target.starts_with("/_matrix/") { Service::Matrix } else { Service::Telegram }
}

/// Both services at one place, which answers so; the number is that of the messages to that service so far.
fn chats(answer: impl Fn(&Asked, u64) -> Reply + Send + Sync + 'static) -> Server {
    let counts = SERVICES.map(|_| AtomicU64::new(0));
    Server::start(move |asked| {
        let count = &counts[usize::from(service(asked) == Service::Matrix)];
        answer(asked, count.fetch_add(1, Ordering::SeqCst) + 1)
    })
}

/// Three sources, three rules of growing severity, and both services told of all.
fn desk(site: &Site, chats: &Server, more: &str) -> Desk {
    let source =
        |name: &str| format!("[[source]]\nname = \"{name}\"\nfeed = \"{}\"\n", site.url(&format!("/{name}")));
    let notifier = |service: Service, to: &str| {
        let (name, url) = (service.as_str(), chats.url("/"));
        format!(
            "[[notifier]]\nname = \"{name}\"\ntype = \"{name}\"\nurl = \"{url}\"\n\
             token = {{ file = \"token\" }}\nto = [\"{to}\"]\n"
        )
    };
    let desk = Desk::with(&format!(
        "[[rule]]\nname = \"hint\"\nseverity = \"low\"\nall = [\"shots heard\"]\n{}{}{}{}{}{more}",
        source("a"),
        source("b"),
        source("c"),
        notifier(Service::Telegram, "-100123"),
        notifier(Service::Matrix, "!desk:example.org"),
    ));
    std::fs::write(desk.config().with_file_name("token"), "tk_desk-of-the-tests").unwrap();
    for path in ["/a", "/b", "/c"] {
        site.show(path, Reply::ok(feed(&[])));
    }
    desk.all();
    desk
}

/// A feed of entries, each with its link.
fn feed(entries: &[(&str, &str)]) -> String {
    let entry = |(link, title): &(&str, &str)| {
        format!("<item><title>{title}</title><link>https://wire.example/{link}</link></item>")
    };
    let entries: String = entries.iter().map(entry).collect();
    format!("<rss version=\"2.0\"><channel><title>News</title>{entries}</channel></rss>")
}

/// A round in which that source shows these entries.
fn round(desk: &Desk, site: &Site, source: &str, entries: &[(&str, &str)]) {
    site.show(&format!("/{source}"), Reply::ok(feed(entries)));
    desk.all();
}

/// Of each message to a service the beginning of its words and what it goes on from, in the order in which they came; all
/// keep to the limits of that service.
fn told(chats: &Server, of: Service) -> Vec<(String, Option<String>)> {
    let told = |asked: Asked| {
        let body = check(of, &asked, clock::now());
        let [words, relation] = if of == Service::Matrix {
            ["/body", "/m.relates_to/event_id"]
        } else {
            ["/text", "/reply_parameters/message_id"]
        };
        let words = body.pointer(words).and_then(Value::as_str).unwrap().lines().next().unwrap().to_owned();
        let follows = body.pointer(relation).map(|id| id.to_string().replace('"', ""));
        (words, follows)
    };
    chats.asked().into_iter().filter(|asked| service(asked) == of).map(told).collect()
}

/// What the service answered to the message of that number.
fn name(of: Service, number: u64) -> String {
    if of == Service::Matrix { format!("$event-{number}") } else { number.to_string() }
}

#[test]
fn what_follows_in_a_story_goes_on_from_its_first_message_in_a_chat() {
    let site = Site::start();
    let chats = chats(taken);
    let desk = desk(&site, &chats, "");
    round(&desk, &site, "a", &[("1", "Shots heard near Gao")]);
    round(&desk, &site, "b", &[("1", "A convoy attacked near Gao")]);
    round(&desk, &site, "a", &[("1", "Shots heard near Gao"), ("2", "Convoy attacked in Niger")]);
    round(&desk, &site, "c", &[("1", "The base falls at Gao")]);
    for of in SERVICES {
        let told = told(&chats, of);
        let expected = [
            ("[LOW] Shots heard near Gao", None),
            ("[HIGH] A convoy attacked near Gao", Some(name(of, 1))),
            ("[HIGH] Convoy attacked in Niger", None),
            ("[CRITICAL] The base falls at Gao", Some(name(of, 1))),
        ];
        assert_eq!(told, expected.map(|(words, follows)| (words.to_owned(), follows)), "{}", of.as_str());
    }
}

#[test]
fn a_chat_that_has_forgotten_where_a_story_began_is_told_what_follows_all_the_same() {
    let site = Site::start();
    // As Synapse does where it cannot find the event; what is refused counts, too.
    let unknown = r#"{"errcode":"M_UNKNOWN","error":"Can't send relation to unknown event"}"#;
    let chats = chats(move |asked, number| {
        let forgotten = String::from_utf8_lossy(&asked.body).contains("$event-1\"");
        if forgotten { Reply::status(400).body(unknown) } else { taken(asked, number) }
    });
    let desk = desk(&site, &chats, "");
    round(&desk, &site, "a", &[("1", "Shots heard near Gao")]);
    round(&desk, &site, "b", &[("1", "A convoy attacked near Gao")]);
    round(&desk, &site, "c", &[("1", "The base falls at Gao")]);
    let follows: Vec<_> = told(&chats, Service::Matrix).into_iter().map(|(_, follows)| follows).collect();
    // The second is refused; the same without a thread is the third, and the last goes on from that.
    assert_eq!(follows, [None, Some("$event-1".to_owned()), None, Some("$event-3".to_owned())]);
    let owed = desk.run(&["outbox", "list", "--all", "--json"]);
    assert!(owed.iter().all(|row| row["state"] == "delivered"), "{owed:?}");
}

#[test]
fn every_attempt_goes_on_from_the_same_message() {
    let site = Site::start();
    // The second message of each service is not taken at first; meanwhile nothing else can begin the story anew.
    let chats = chats(|asked, number| if number == 2 { Reply::status(503) } else { taken(asked, number) });
    let desk = desk(&site, &chats, "");
    round(&desk, &site, "a", &[("1", "Shots heard near Gao")]);
    round(&desk, &site, "b", &[("1", "A convoy attacked near Gao")]);
    desk.run(&["outbox", "retry", "--all", "--json"]);
    desk.all();
    for of in SERVICES {
        let bodies: Vec<Vec<u8>> =
            chats.asked().into_iter().filter(|asked| service(asked) == of).map(|asked| asked.body).collect();
        assert_eq!(bodies.len(), 3, "{}", of.as_str());
        assert_eq!(bodies[1], bodies[2], "{}", of.as_str());
        assert_eq!(told(&chats, of)[2].1, Some(name(of, 1)));
    }
}

#[test]
fn what_a_silence_stops_takes_back_neither_what_was_told_before_nor_the_thread() {
    let site = Site::start();
    let chats = chats(taken);
    let desk = desk(&site, &chats, "[[route]]\nto = [\"matrix\"]\nbatch = \"1h\"\n");
    let release = || {
        let (store, until) = (SledStore::open(&desk.store()).unwrap(), clock::now());
        for delivery in store.open_deliveries().unwrap() {
            let hold = Hold { until, ..delivery.state.held().unwrap() };
            let delivery = Delivery { state: DeliveryState::Held(hold), ..delivery };
            store.transact(&mut |tx| tx.put_delivery(&delivery)).unwrap();
        }
        store.sync().unwrap();
        drop(store);
        desk.all();
    };
    round(&desk, &site, "a", &[("1", "Shots heard near Gao")]);
    release();
    round(&desk, &site, "b", &[("1", "A convoy attacked near Gao")]);
    let silence = ["silence", "add", "--rule", "convoy", "--for", "4h", "--reason", "known", "--json"];
    let silence = desk.run(&silence).remove(0);
    release();
    assert_eq!(desk.told().last().unwrap(), "alert.update silenced A convoy attacked near Gao");
    desk.run(&["silence", "end", silence["id"].as_str().unwrap()]);

    round(&desk, &site, "c", &[("1", "Shots heard again near Gao")]);
    assert_eq!(desk.told().last().unwrap(), "alert.new joined Shots heard again near Gao");
    round(&desk, &site, "c", &[("1", "The base falls at Gao")]);
    let expected = [
        ("[LOW] Shots heard near Gao", None),
        ("[CRITICAL] The base falls at Gao", Some(name(Service::Matrix, 1))),
    ];
    assert_eq!(told(&chats, Service::Matrix), expected.map(|(words, follows)| (words.to_owned(), follows)));
}
