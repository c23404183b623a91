//! Values for the store's tests.

use std::time::Duration;

use harmattan::article::Tally;
use harmattan::event::{Arrivals, Complaint, Gap, Gapping, Health, Quiet, Run, Told};
use harmattan::fetch::Validators;
use harmattan::item::{Dating, Item, ItemId, SeenKey, SourceName};
use harmattan::outbox::{Delivery, DeliveryId, DeliveryState, Freedom};
use harmattan::rules::spec::{Mode, Severity};
use harmattan::rules::verdict::{EntityRef, Match, PlaceRef, Reason};
use harmattan::schedule::{Condition, Learned, Moved, PollReason, Refused, Watched, Window};
use harmattan::store::{
    ChannelState, Day, Failing, Left, Owner, Seen, SourceState, Store, StoreError, StoredItem, Stranger,
    Transaction, Walk,
};
use harmattan::story::{Alert, AlertId, AlertKind, Disposition, Story, StoryId};
use harmattan::text::{ByteSpan, Field};
use jiff::Timestamp;

pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

/// Runs `work` as one transaction.
pub(crate) fn write(store: &dyn Store, mut work: impl FnMut(&dyn Transaction) -> Result<(), StoreError>) {
    store.transact(&mut work).unwrap();
}

pub(crate) fn name(text: &str) -> SourceName {
    SourceName::new(text).unwrap()
}

pub(crate) fn seen_key(n: u64) -> SeenKey {
    SeenKey::new("test", &n.to_string())
}

/// A key whose first byte is chosen and whose next two are zero.
pub(crate) fn skewed_key(lead: u8, n: u64) -> SeenKey {
    let mut bytes = seen_key(n).to_bytes();
    bytes[..3].copy_from_slice(&[lead, 0, 0]);
    SeenKey::from_bytes(bytes)
}

pub(crate) fn seen(first: u16, last: u16) -> Seen {
    // All kinds of owners occur.
    let owner = match last % 3 {
        0 => Owner::Itself,
        1 => Owner::Item(seen_key(first.into())),
        _ => Owner::Several,
    };
    let content = u64::from(first) << 40 | u64::from(last);
    Seen { first: Day(first), last: Day(last), content, owner, changes: last.to_be_bytes()[1] }
}

pub(crate) fn item(n: u64) -> Item {
    Item {
        id: ItemId::new(&name("rfi"), seen_key(n)),
        source: Some(name("rfi")),
        url: Some(format!("https://rfi.example/{n}")),
        lang: Some("fr".into()),
        published: Some(at(5)),
        tags: vec!["Afrique".into()],
        guid: Some(n.to_string()),
        ..Item::of_text(format!("Mali : attaque n° {n}"), "نص\nтекст")
    }
}

pub(crate) fn stored_item(n: u64, first: Day) -> StoredItem {
    StoredItem { item: item(n), first, fetched: at(7), before: None, fired: None }
}

pub(crate) fn source_state(source: &str) -> SourceState {
    let validators = Validators { etag: Some(b"W/\"\xff\x00\"".to_vec()), last_modified: None };
    SourceState {
        name: name(source),
        address: "https://rfi.example/rss".into(),
        asked: "https://rfi.example/feed".into(),
        read_as: "article".into(),
        baseline: Some(at(1)),
        baseline_fired: 2,
        baseline_cut: 1,
        validators: Some(("https://rfi.example/rss".into(), validators)),
        body: Some([7; 16]),
        due: Some(at(2)),
        not_before: None,
        last_poll: Some(at(3)),
        last_success: Some(at(4)),
        last_shown: Some(at(3)),
        last_new: None,
        items: 30,
        items_last: 20,
        lost_last: 1,
        unsure: Some(at(4)),
        failing: Some(Failing { since: at(4), polls: 3, reason: "http".into(), detail: "503".into() }),
        telegram_newest: Some(12),
        ttl_minutes: Some(15),
        channel: ChannelState {
            id: Some(-1),
            named: Some(-2),
            filed: Some("post".into()),
            first: Some(3),
            texts: true,
            said: Some(11),
            reread: Some(at(6)),
            gone: vec![(5, at(7))],
            fell: Some(9),
            stranger: Some(Stranger { id: -3, first: 1, newest: 9 }),
            mirrored: Some("poste".into()),
            left: Some(Box::new(Left {
                address: "https://t.me/before".into(),
                baseline: Some(at(1)),
                newest: Some(30),
                channel: ChannelState { id: Some(-4), first: Some(11), ..ChannelState::default() },
            })),
        },
        walk: Some(Walk {
            cursor: "8".into(),
            top: Some(40),
            pages: 1,
            held: 2,
            floor: Some(3),
            tries: 1,
            since: Some(at(8)),
        }),
        health: health(),
        learned: learned(),
        articles: Tally {
            began: Day(20_000),
            now: [("used".to_owned(), 3)].into(),
            before: Some([("paywall".to_owned(), 1)].into()),
        },
        restored: Some(at(6)),
    }
}

/// A health with something in every field.
fn health() -> Health {
    let reason = || "http".to_owned();
    Health {
        run: Some(Run {
            since: at(4),
            polls: 3,
            repeated: 2,
            reason: reason(),
            detail: "503".into(),
            of_document: true,
        }),
        complaint: Some(Complaint { reason: reason(), detail: "a stranger".into() }),
        told: Some(Told { reason: reason(), since: at(4), by_host: true, detail: Some("in words".into()) }),
        host: Some("rfi.example".into()),
        silent: Some(at(2)),
        quiet: Some(Quiet { time: Duration::from_secs(61), seldom: true }),
        arrivals: Arrivals { gaps: vec![(at(3), 90), (at(2), 60)] },
        gaps: vec![Gap { since: at(1), until: at(2), detail: "no overlap".into() }],
        gapping: Some(Gapping { told: Some(at(2)), since: Some(at(1)), untold: 3, goes_on: true }),
    }
}

fn learned() -> Learned {
    Learned {
        arrivals: vec![at(-7), at(5), at(5), at(90)],
        window: Some(Window { items: 20, known: 3 }),
        skip_hours: 3,
        skip_days: 64,
        update_minutes: Some(60),
        mended_last: 2,
        cut_last: true,
        last_body: Some(at(6)),
        audited: Some(at(7)),
        moved: Moved {
            to: Some("https://new.example/rss".into()),
            watched: Some(Watched { to: "https://third.example/rss".into(), since: at(8), seen: 2 }),
        },
        same_as: Some(name("bbc")),
        told_by: Some(name("rfi")),
        refused: Some(Refused { what: Condition::Delta, at: at(9) }),
        reason: Some(PollReason::Learned),
    }
}

/// A source last read at a given time.
pub(crate) struct SourceRead(SourceState);

impl SourceRead {
    pub(crate) fn new(name: &SourceName, last_success: Timestamp) -> Self {
        Self(SourceState {
            last_success: Some(last_success),
            last_shown: Some(last_success),
            items: 1_000_000,
            ..source_state(name.as_str())
        })
    }

    pub(crate) fn state(self) -> SourceState {
        self.0
    }
}

pub(crate) fn story_at(time: Timestamp) -> Story {
    let mut id = [3; 16];
    id[..8].copy_from_slice(&time.as_second().to_be_bytes());
    Story {
        id: StoryId::from_bytes(id),
        reports: 2,
        sources: vec![name("rfi"), name("bbc")],
        first_seen: time,
        told: Vec::new(),
        severity: Severity::Critical,
    }
}

pub(crate) fn alert_at(n: u8, time: Timestamp) -> Alert {
    let mut id = [n; 16];
    id[..6].copy_from_slice(&time.as_millisecond().to_be_bytes()[2..]);
    let span = ByteSpan { start: 0, end: 4 };
    let why = Reason { term: "mali".into(), text: "Mali".into(), field: Field::Title, span };
    Alert {
        id: AlertId::from_bytes(id),
        kind: AlertKind::Update,
        disposition: Disposition::Joined,
        unrouted: false,
        created: time,
        severity: Severity::High,
        rules: vec![Match {
            rule: "sahel".into(),
            severity: Severity::High,
            tags: vec!["x".into()],
            mode: Mode::Live,
            note: Some("call".into()),
            max_age: None,
            score: Some(45),
            why: vec![why.clone()],
        }],
        untold: [Mode::Shadow, Mode::Live].map(|mode| untold(mode, &why)).to_vec(),
        item: item(n.into()),
        truncated: true,
        article: None,
        tier: 2,
        fetched: at(8),
        dating: Dating::Backdated,
        repeat: Some(at(9)),
        entities: vec![EntityRef {
            id: "wagner".into(),
            entity_type: "armed-group".into(),
            name: "Wagner".into(),
        }],
        places: vec![PlaceRef {
            id: "ml".into(),
            name: "Mali".into(),
            country: Some("ML".into()),
            within: vec!["sahel".into()],
            at: Some((17.5, -4.0)),
        }],
        story: story_at(time),
    }
}

/// A rule that is recorded alone: on trial, or live and too old for its item.
fn untold(mode: Mode, why: &Reason) -> Match {
    Match {
        rule: mode.as_str().into(),
        severity: Severity::Critical,
        tags: Vec::new(),
        mode,
        note: None,
        max_age: None,
        score: None,
        why: vec![why.clone()],
    }
}

pub(crate) fn alert(n: u8) -> Alert {
    alert_at(n, at(n.into()))
}

pub(crate) fn delivery(n: u8) -> Delivery {
    Delivery {
        id: DeliveryId::from_bytes([n; 16]),
        subject: alert(n).id.into(),
        notifier: "desk".into(),
        recipient: "desk@example.org".into(),
        created: at(n.into()),
        ready: at(n.into()),
        attempts: 1,
        freedom: Freedom::Free,
        may_have_arrived: false,
        follows: None,
        state: DeliveryState::Ready,
    }
}

pub(crate) fn with_state(delivery: Delivery, state: DeliveryState) -> Delivery {
    Delivery { state, ..delivery }
}

pub(crate) fn with_alert(delivery: Delivery, alert: AlertId) -> Delivery {
    Delivery { subject: alert.into(), ..delivery }
}

pub(crate) fn delivered(n: u8, time: Timestamp) -> Delivery {
    with_state(delivery(n), DeliveryState::Delivered { at: time })
}
