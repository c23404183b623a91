//! Promise 5 by a real store: what becomes of sources, hosts and the network is owed once, in the poll's own
//! transaction, with time passed in.

use std::sync::Arc;
use std::time::Duration;

use harmattan::config::{ArticleChoice, Backlog};
use harmattan::event::Reach;
use harmattan::fetch::Validators;
use harmattan::ingest::{
    self, Aside, Beyond, Harvest, InForce, Judged, Missed, Outcome, Poll, Polled, Receipt, Vantage, Witness,
};
use harmattan::item::{Item, ItemId, SeenKey, SourceName};
use harmattan::outbox::{DeliveryId, Subject};
use harmattan::route::Routes;
use harmattan::rules::Engine;
use harmattan::schedule::Learned;
use harmattan::source::{Candidate, Complaint};
use harmattan::store::{SledStore, Store};
use jiff::Timestamp;
use tempfile::TempDir;

fn at(minute: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + 60 * minute).unwrap()
}

fn name(source: &str) -> SourceName {
    SourceName::new(source).unwrap()
}

/// A store and two notifiers.
struct Stage {
    store: SledStore,
    force: InForce,
    folder: TempDir,
}

impl Stage {
    fn set() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let recipients = ["mail", "hook"].map(|notifier| (notifier.to_owned(), String::new()));
        Self {
            store: SledStore::create(folder.path()).unwrap(),
            force: InForce {
                engine: Arc::new(Engine::compile(Vec::new(), Vec::new()).unwrap()),
                routes: Arc::new(Routes::to_all(recipients.to_vec())),
                max_age: Duration::from_hours(24),
                vantage: Vantage { machine: "desk".into(), hosts: 4 },
            },
            folder,
        }
    }

    /// The same after the program was ended and started.
    fn restarted(self) -> Self {
        let Self { store, force, folder } = self;
        drop(store);
        Self { store: SledStore::open(folder.path()).unwrap(), force, folder }
    }

    /// Stores a poll of `source` on `host`; what is told of it, as `type name reason`.
    fn poll(&self, minute: i64, (source, host): (&str, &str), outcome: Outcome) -> Vec<String> {
        let poll = poll(minute, source, host, outcome);
        self.told(&self.store_poll(&poll))
    }

    fn store_poll(&self, poll: &Poll) -> Receipt {
        let mut receipt = None;
        let mut work = |tx: &dyn harmattan::store::Transaction| {
            receipt = Some(ingest::ingest(tx, poll, &self.force)?);
            Ok(())
        };
        self.store.transact(&mut work).unwrap();
        receipt.unwrap()
    }

    /// Has a source stand aside for `rfi-2`; what is told of it.
    fn stand_aside(&self, minute: i64, (source, host): (&str, &str)) -> Vec<String> {
        let aside = Aside {
            source: name(source),
            address: format!("https://{host}/{source}"),
            other: name("rfi-2"),
            now: at(minute),
            due: at(minute + 1440),
            not_before: None,
        };
        let mut receipt = None;
        let mut work = |tx: &dyn harmattan::store::Transaction| {
            receipt = Some(ingest::stand_aside(tx, &aside, &self.force)?);
            Ok(())
        };
        self.store.transact(&mut work).unwrap();
        self.told(&receipt.unwrap())
    }

    /// The events of a receipt, each of which must be stored and owed to everybody.
    fn told(&self, receipt: &Receipt) -> Vec<String> {
        for event in &receipt.events {
            assert_eq!(self.store.event(event.id).unwrap().as_ref(), Some(event));
            for notifier in ["mail", "hook"] {
                let owed = self.store.delivery(DeliveryId::new(event.id, notifier, "")).unwrap().unwrap();
                assert_eq!(owed.subject, Subject::Event(event.id));
            }
        }
        assert_eq!(receipt.deliveries.len(), 2 * receipt.events.len());
        let line = |event: &harmattan::event::Event| {
            let reason = event.reason.as_deref().unwrap_or_default();
            format!("{} {} {reason}", event.kind.as_str(), event.name).trim_end().to_owned()
        };
        receipt.events.iter().map(line).collect()
    }
}

fn poll(minute: i64, source: &str, host: &str, outcome: Outcome) -> Poll {
    let is_cut = matches!(&outcome, Outcome::Failed { reason, .. } if reason == "dns");
    let reach = if is_cut { Reach::Cut } else { Reach::Answered };
    let address = format!("https://{host}/{source}");
    Poll {
        source: Polled {
            article: ArticleChoice::Never,
            name: name(source),
            address,
            read_as: String::new(),
            tags: Vec::new(),
            tier: 2,
            backlog: Backlog::None,
        },
        started: at(minute),
        outcome,
        hints: None,
        due: at(minute + 15),
        not_before: None,
        missed: None,
        learned: Learned::default(),
        witness: Witness {
            host: Some(host.to_owned()),
            passed: None,
            others: Vec::new(),
            reach,
            silent_after: Some(Duration::from_hours(36)),
            clock: None,
        },
    }
}

/// A document with items of these numbers.
fn read(numbers: std::ops::Range<u64>) -> Outcome {
    let item = |number: u64| {
        let key = SeenKey::new("test", &number.to_string());
        let item = Item { id: ItemId::new(&name("rfi"), key), ..Item::of_text(format!("item {number}"), "") };
        Judged {
            candidate: Candidate {
                item,
                key,
                common: Vec::new(),
                members: Vec::new(),
                aliases: None,
                content: number,
            },
            verdict: None,
        }
    };
    Outcome::Read(Harvest {
        delta: false,
        beyond: Beyond::default(),
        items: numbers.map(item).collect(),
        lost: 0,
        whole: true,
        validators: (String::new(), Validators::default()),
        body: [7; 16],
        complaint: None,
    })
}

fn failed(reason: &str) -> Outcome {
    Outcome::Failed { reason: reason.into(), detail: "in words".into() }
}

fn unchanged() -> Outcome {
    Outcome::Unchanged { validators: Validators::default() }
}

const RFI: (&str, &str) = ("rfi", "rfi.example");

#[test]
fn r3_ten_failures_then_success_tell_failing_once_and_recovered_once() {
    let mut stage = Stage::set();
    assert!(stage.poll(0, RFI, read(0..5)).is_empty());
    let mut told = Vec::new();
    for n in 0..10 {
        told.extend(stage.poll(20 + 20 * n, RFI, failed("http")));
        stage = stage.restarted();
    }
    assert_eq!(told, ["source.failing rfi http"]);
    let remembered = stage.store.source(&name("rfi")).unwrap().unwrap();
    assert_eq!(remembered.failing.unwrap().polls, 10);
    assert_eq!(stage.poll(300, RFI, read(0..6)), ["source.recovered rfi http"]);
    assert!(stage.poll(320, RFI, unchanged()).is_empty());
    // Classes that receivers do not know are told by one they do.
    let told: Vec<_> = (0..4).flat_map(|n| stage.poll(340 + 20 * n, RFI, failed("redirect"))).collect();
    assert_eq!(told, ["source.failing rfi http"]);
}

#[test]
fn r4_a_410_is_told_when_the_second_confirms_it() {
    let stage = Stage::set();
    assert!(stage.poll(0, RFI, read(0..5)).is_empty());
    assert!(stage.poll(20, RFI, failed("gone")).is_empty());
    assert_eq!(stage.poll(20 + 24 * 60, RFI, failed("gone")), ["source.failing rfi gone"]);
}

#[test]
fn a_complaint_is_confirmed_by_the_same_document_and_its_items_count() {
    let stage = Stage::set();
    assert!(stage.poll(0, RFI, read(0..5)).is_empty());
    let Outcome::Read(harvest) = read(0..6) else { panic!("a reading") };
    let complaint = Some(Complaint { reason: "renamed", detail: "another channel".into() });
    let receipt = stage.store_poll(&poll(5, RFI.0, RFI.1, Outcome::Read(Harvest { complaint, ..harvest })));
    assert_eq!((receipt.new, stage.told(&receipt)), (1, Vec::new()));
    assert_eq!(stage.poll(10, RFI, unchanged()), ["source.failing rfi renamed"]);
    assert_eq!(stage.poll(15, RFI, read(0..6)), ["source.recovered rfi renamed"]);
}

#[test]
fn silence_is_found_although_polls_bring_304s_alone() {
    let stage = Stage::set();
    assert!(stage.poll(0, RFI, read(0..5)).is_empty());
    let mut told = Vec::new();
    for hour in 1..48 {
        told.extend(stage.poll(60 * hour, RFI, unchanged()).into_iter().map(|event| (hour, event)));
    }
    assert_eq!(told, [(36, "source.silent rfi".to_owned())]);
    let stage = stage.restarted();
    assert_eq!(stage.poll(49 * 60, RFI, read(0..6)), ["source.recovered rfi"]);
}

#[test]
fn a_gap_is_told_once_with_its_times_and_needs_no_recovery() {
    let stage = Stage::set();
    assert!(stage.poll(0, RFI, read(0..5)).is_empty());
    let missed = Missed { since: at(0), until: at(300), detail: "no item was known".into() };
    let receipt = stage.store_poll(&Poll { missed: Some(missed), ..poll(300, RFI.0, RFI.1, read(50..55)) });
    assert_eq!(stage.told(&receipt), ["source.gap rfi"]);
    assert_eq!(receipt.events[0].since, at(0));
    assert!(stage.poll(315, RFI, read(51..56)).is_empty());
    let health = stage.store.source(&name("rfi")).unwrap().unwrap().health;
    assert_eq!(health.gaps.len(), 1);
}

#[test]
fn gaps_of_many_sources_since_a_downtime_are_one_event_although_the_program_ends_meanwhile() {
    let mut stage = Stage::set();
    let feeds: Vec<String> = (0..200).map(|number| format!("feed-{number}")).collect();
    for feed in &feeds {
        assert!(stage.poll(0, (feed, "cdn.example"), read(0..2)).is_empty());
    }
    let (off, on) = (1, 3 * 24 * 60);
    stage
        .store
        .transact(&mut |tx| {
            let mut network = tx.network()?;
            network.away(at(off), at(on));
            tx.put_network(&network)
        })
        .unwrap();
    let found = |stage: &Stage, minute, feed: &str| {
        let missed = Missed { since: at(0), until: at(minute), detail: "no item was known".into() };
        let poll = poll(minute, feed, "cdn.example", read(50..52));
        stage.told(&stage.store_poll(&Poll { missed: Some(missed), ..poll }))
    };
    let (soon, late) = feeds.split_at(150);
    let told: Vec<String> = soon.iter().flat_map(|feed| found(&stage, on + 1, feed)).collect();
    assert_eq!(told, Vec::<String>::new());
    stage = stage.restarted();
    assert_eq!(stage.poll(on + 16, (&feeds[0], "cdn.example"), unchanged()), ["source.gap desk away"]);
    stage = stage.restarted();
    // Those that are polled later are told hours after, and once.
    let told: Vec<String> = late.iter().flat_map(|feed| found(&stage, on + 60, feed)).collect();
    assert_eq!(told, Vec::<String>::new());
    let polls = (2..24).flat_map(|hour| stage.poll(on + 60 * hour, (&feeds[0], "cdn.example"), unchanged()));
    assert_eq!(polls.collect::<Vec<_>>(), ["source.gap desk away"]);
    for feed in &feeds {
        let health = stage.store.source(&name(feed)).unwrap().unwrap().health;
        assert_eq!(health.gaps.len(), 1, "{feed}");
    }
}

#[test]
fn a_host_whose_name_is_gone_is_one_incident_for_all_of_its_channels() {
    let mut stage = Stage::set();
    let channels = ["one", "two", "three", "four", "five"];
    let mut told = Vec::new();
    for channel in channels {
        told.extend(stage.poll(0, (channel, "t.me"), read(0..5)));
    }
    for round in 1..10 {
        for channel in channels {
            told.extend(stage.poll(20 * round, (channel, "t.me"), failed("dns")));
        }
        // Other hosts answer: the machine is not cut off.
        told.extend(stage.poll(20 * round + 1, RFI, read(0..5)));
        stage = stage.restarted();
    }
    assert_eq!(told, ["source.failing t.me dns"]);
    told.clear();
    let mut back = Vec::new();
    for channel in channels {
        let receipt = stage.store_poll(&poll(300, channel, "t.me", read(0..5)));
        told.extend(stage.told(&receipt));
        back.extend(receipt.back);
    }
    assert_eq!(back, ["t.me"], "once, so that its other sources are asked soon");
    assert_eq!(told, ["source.recovered t.me dns"]);
}

#[test]
fn a_source_that_stands_aside_no_longer_fails() {
    let stage = Stage::set();
    let told: Vec<_> = (0..4).flat_map(|n| stage.poll(20 * n, RFI, failed("http"))).collect();
    assert_eq!(told, ["source.failing rfi http"]);
    let stand = |minute| stage.stand_aside(minute, RFI);
    assert_eq!((stand(100), stand(1540)), (vec!["source.recovered rfi http".to_owned()], vec![]));
    // A run that begins when it is asked for itself again counts from there.
    let told: Vec<_> = (0..2).flat_map(|n| stage.poll(3000 + 90 * n, RFI, failed("http"))).collect();
    assert_eq!(told, Vec::<String>::new());
}

#[test]
fn an_incident_whose_sources_are_read_elsewhere_is_over_and_the_next_is_told() {
    let mut stage = Stage::set();
    let channels = ["one", "two", "three"];
    let out = |stage: &Stage, minute| -> Vec<String> {
        let polls = (0..4_i64).flat_map(|round| channels.map(|channel| (round, channel)));
        polls
            .flat_map(|(n, channel)| stage.poll(minute + 20 * n, (channel, "t.me"), failed("http")))
            .collect()
    };
    let mut told = out(&stage, 0);
    stage = stage.restarted();
    for channel in ["one", "two"] {
        told.extend(stage.poll(100, (channel, "telegram.me"), read(0..5)));
    }
    told.extend(stage.stand_aside(103, ("three", "t.me")));
    assert_eq!(told, ["source.failing t.me http", "source.recovered t.me http"]);
    assert_eq!(stage.store.hosts().unwrap(), []);
    assert_eq!(out(&stage, 3000), ["source.failing t.me http"]);
    // A redirect to another host tells of both.
    let sent = poll(3100, "one", "cdn.example", read(0..6));
    let witness = Witness { passed: Some("t.me".into()), ..sent.witness.clone() };
    let receipt = stage.store_poll(&Poll { witness, ..sent });
    assert_eq!(stage.told(&receipt), ["source.recovered t.me http"]);
}

#[test]
fn g11_a_machine_that_is_cut_off_is_told_once_and_blames_no_source() {
    let mut stage = Stage::set();
    let sources = [("a", "a.example"), ("b", "b.example"), ("c", "c.example"), ("d", "d.example")];
    let mut told = Vec::new();
    for source in sources {
        told.extend(stage.poll(0, source, read(0..5)));
    }
    for round in 1..20 {
        for source in sources {
            told.extend(stage.poll(15 * round, source, failed("dns")));
        }
        stage = stage.restarted();
    }
    assert_eq!(told, ["network.offline desk"]);
    assert!(stage.store.network().unwrap().offline.is_some());
    let polls = stage.store.source(&name("d")).unwrap().unwrap().failing.unwrap().polls;
    assert_eq!(polls, 1, "backoff does not grow while the machine is cut off");
    told.clear();
    for source in sources {
        told.extend(stage.poll(400, source, unchanged()));
    }
    assert_eq!(told, ["network.online desk"]);
}

#[test]
fn row_19_five_hundred_feeds_of_a_host_that_fail_and_recover_together_are_two_messages() {
    let stage = Stage::set();
    let feeds: Vec<String> = (0..500).map(|number| format!("feed-{number}")).collect();
    let round = |minute, outcome: &dyn Fn() -> Outcome| -> Vec<String> {
        feeds.iter().flat_map(|feed| stage.poll(minute, (feed, "cdn.example"), outcome())).collect()
    };
    assert_eq!(round(0, &|| read(0..2)), Vec::<String>::new());
    let failing: Vec<String> = (1..6).flat_map(|n| round(20 * n, &|| failed("http"))).collect();
    assert_eq!(failing, ["source.failing cdn.example http"]);
    assert_eq!(round(200, &|| read(0..2)), ["source.recovered cdn.example http"]);
    assert_eq!(round(220, &unchanged), Vec::<String>::new());
}
