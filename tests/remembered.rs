//! What is remembered of items as time passes (polling.md, section 2): documents are read and taken in by a real store
//! at times that the tests choose.

use std::sync::Arc;
use std::time::Duration;

use harmattan::config::{ArticleChoice, Backlog};
use harmattan::fetch::{Document, Validators};
use harmattan::ingest::{
    Beyond, Harvest, InForce, Judged, Outcome, Poll, Polled, Receipt, Vantage, Witness, ingest,
};
use harmattan::item::{Dating, SourceName};
use harmattan::route::Routes;
use harmattan::schedule::Learned;
use harmattan::source::{self, Plan, ReadAs};
use harmattan::store::{SledStore, Store};
use harmattan::story::{Alert, Disposition};
use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;
use url::Url;

use crate::support::rules;

/// A store and a rule that `convoy` fires.
struct Stage {
    store: SledStore,
    force: InForce,
    backlog: Backlog,
    _folder: TempDir,
}

/// So many hours after the beginning.
fn at(hours: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap() + SignedDuration::from_hours(hours)
}

fn name() -> SourceName {
    SourceName::new("paper").unwrap()
}

fn dated(date: Timestamp) -> String {
    format!("<pubDate>{}</pubDate>", date.strftime("%a, %d %b %Y %H:%M:%S GMT"))
}

fn entry(n: i64, title: &str, more: &str) -> String {
    format!("<item><guid>paper-{n}</guid><title>{title}</title>{more}</item>")
}

impl Stage {
    fn bare() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let engine = rules::engine(Vec::new(), vec![rules::rule("convoy", &["convoy"])]);
        Self {
            store: SledStore::create(folder.path()).unwrap(),
            force: InForce {
                engine: Arc::new(engine),
                routes: Arc::new(Routes::to_all(vec![("hook".to_owned(), String::new())])),
                max_age: Duration::from_hours(14 * 24),
                vantage: Vantage::default(),
            },
            backlog: Backlog::None,
            _folder: folder,
        }
    }

    /// A stage whose baseline was empty.
    fn set() -> Self {
        let stage = Self::bare();
        assert!(stage.poll(0, &[]).baseline);
        stage
    }

    fn poll(&self, hours: i64, entries: &[String]) -> Receipt {
        let url = Url::parse("https://paper.example/feed").unwrap();
        let text = format!("<rss version='2.0'><channel>{}</channel></rss>", entries.concat());
        let document = Document {
            url,
            bytes: text.into(),
            content_type: None,
            validators: Validators::default(),
            delta: false,
        };
        let plan = Plan { source: &name(), kind: ReadAs::Feed, lang: None, now: None };
        let reading = source::read(&document, &plan).unwrap();
        let judged = |candidate| Judged { candidate, verdict: None };
        let poll = Poll {
            source: Polled {
                name: name(),
                address: document.url.to_string(),
                read_as: String::new(),
                tags: Vec::new(),
                tier: 2,
                backlog: self.backlog,
                article: ArticleChoice::Never,
            },
            started: at(hours),
            outcome: Outcome::Read(Harvest {
                items: reading.items.into_iter().map(judged).collect(),
                lost: 0,
                delta: false,
                whole: true,
                validators: (document.url.to_string(), Validators::default()),
                body: [0; 16],
                complaint: None,
                beyond: Beyond::default(),
            }),
            hints: Some(reading.hints),
            due: at(hours),
            not_before: None,
            missed: None,
            learned: Learned::default(),
            witness: Witness::default(),
        };
        let mut receipt = None;
        self.store
            .transact(&mut |tx| {
                receipt = Some(ingest(tx, &poll, &self.force)?);
                Ok(())
            })
            .unwrap();
        receipt.unwrap()
    }

    /// Polls; the alerts that it made.
    fn alerts(&self, hours: i64, entries: &[String]) -> Vec<Alert> {
        let made = self.poll(hours, entries).alerts;
        made.iter().map(|(id, _)| self.store.alert(*id).unwrap().unwrap()).collect()
    }

    fn expire(&self, hours: i64, keep_days: u64) {
        self.store.expire(at(hours), Duration::from_hours(24 * keep_days), &|| true).unwrap();
    }
}

#[test]
fn i8_text_that_changes_at_every_fetch_is_recorded_at_most_24_times_and_judged_always() {
    let stage = Stage::set();
    let counter = |n: i64, title: &str| [entry(1, title, &format!("<description>{n} views</description>"))];
    stage.poll(1, &counter(0, "Explosion"));
    let edited: u32 = (1..=60).map(|n| stage.poll(1 + n, &counter(n, "Explosion")).edited).sum();
    assert_eq!(edited, 24);
    let stored = stage.store.items(9).unwrap();
    assert_eq!(stored.iter().map(|stored| stored.item.text.as_str()).collect::<Vec<_>>(), ["24 views"]);
    assert_eq!(stage.poll(70, &counter(70, "Explosion: convoy hit")).alerts.len(), 1);
    let again: usize =
        (71..90).map(|n| stage.poll(n, &counter(n, "Explosion: convoy hit")).alerts.len()).sum();
    assert_eq!(again, 0);

    // What states another date each time means it.
    let restated =
        |n: i64| [entry(2, "Live", &(dated(at(n)) + &format!("<description>post {n}</description>")))];
    let edited: u32 = (100..160).map(|n| stage.poll(n, &restated(n)).edited).sum();
    assert_eq!(edited, 59);
}

#[test]
fn i8_guids_that_change_at_every_fetch_fill_no_store() {
    let stage = Stage::set();
    let churned = |n: i64| {
        [format!("<item><guid>{n}</guid><link>https://paper.example/1</link><title>Convoy</title></item>")]
    };
    assert_eq!(stage.poll(1, &churned(1)).new, 1);
    let polls: Vec<_> = (2..80).map(|n| stage.poll(n, &churned(n))).collect();
    assert!(polls.iter().all(|receipt| (receipt.new, receipt.edited, receipt.alerts.len()) == (0, 0, 0)));
    let remembered = (1..80).filter(|n| is_remembered(&stage, *n));
    assert_eq!(remembered.count(), 1 + 24);
}

/// Whether the guid of this number is a key of the store.
fn is_remembered(stage: &Stage, n: i64) -> bool {
    let key = harmattan::item::SeenKey::new("guid", &n.to_string());
    stage.store.seen(&name(), &[key]).unwrap() != [None]
}

#[test]
fn i10_an_undated_item_is_dated_by_its_first_sight() {
    let stage = Stage::set();
    let odd = |n: i64| {
        let date = ["", "<pubDate>yesterday-ish</pubDate>"].into_iter().cycle().nth(usize::from(n == 2));
        entry(n, &format!("Convoy {n}"), date.unwrap())
    };
    let entries = [odd(1), odd(2)];
    let alerts = stage.alerts(1, &entries);
    assert_eq!(alerts.len(), 2);
    for alert in &alerts {
        let told = (alert.disposition, alert.dating, alert.item.published, alert.fetched);
        assert_eq!(told, (Disposition::Sent, Dating::Undated, None, at(1)));
    }
    for hours in [24, 24 * 20, 24 * 80] {
        assert_eq!(stage.poll(hours, &entries).new, 0);
    }
    let first: Vec<_> = stage.store.items(9).unwrap().iter().map(|stored| stored.first.start()).collect();
    assert!(first.iter().all(|first| at(0).duration_since(*first) < SignedDuration::from_hours(24)));
}

#[test]
fn i11_odd_dates_are_kept_as_stated_and_suppress_nothing() {
    let stage = Stage::set();
    for (n, date, disposition, dating) in [
        (1, at(24 * 4000), Disposition::Sent, Dating::Future),
        (2, at(100), Disposition::Sent, Dating::Plain),
        (3, at(98 - 30), Disposition::Sent, Dating::Backdated),
        (4, at(98 - 24 * 30), Disposition::Stale, Dating::Backdated),
    ] {
        stage.poll(98, &[]);
        let alerts = stage.alerts(100, &[entry(n, &format!("Convoy {n}"), &dated(date))]);
        let [alert] = alerts.as_slice() else { panic!("{n}: {alerts:?}") };
        let told = (alert.disposition, alert.dating, alert.item.published);
        assert_eq!(told, (disposition, dating, Some(date)), "{n}");
    }

    // Of a baseline the newest may alert; a date to come counts as now, and what stands first is newer then.
    let stage = Stage { backlog: Backlog::Newest(2), ..Stage::bare() };
    let entries = [(1, at(0)), (2, at(24 * 4000)), (3, at(-1))]
        .map(|(n, date)| entry(n, &format!("Convoy {n}"), &dated(date)));
    let alerts = stage.alerts(0, &entries);
    assert_eq!(
        alerts.iter().map(|alert| alert.item.title.as_str()).collect::<Vec<_>>(),
        ["Convoy 1", "Convoy 2"]
    );
}

#[test]
fn i12_keys_are_kept_for_ninety_days_and_ten_windows_after_they_were_shown() {
    // Ten entries at a time, of which so many are new each day; how long is what vanished first remembered?
    for (daily, keep_days, remembered) in [(10, 30, 90), (10, 120, 120), (1, 30, 100), (0, 30, 400)] {
        let stage = Stage::bare();
        let page = |day: i64| -> Vec<String> {
            (0..10).map(|n| entry(daily * day + n, &format!("Mangoes {}", daily * day + n), "")).collect()
        };
        stage.poll(0, &[entry(-1, "Convoy, gone since", "")]);
        let known = |day: i64| {
            let key = harmattan::item::SeenKey::new("guid", "paper--1");
            stage.poll(24 * day, &page(day));
            stage.expire(24 * day, keep_days);
            stage.store.seen(&name(), &[key]).unwrap() != [None]
        };
        let kept = (1..=400).take_while(|day| known(*day)).last();
        assert_eq!(kept, Some(remembered), "{daily} a day");
    }
}

#[test]
fn i12_an_emptied_document_forgets_nothing_for_a_year() {
    let stage = Stage::set();
    let entries: Vec<String> = (1..40).map(|n| entry(n, &format!("Convoy {n}"), "")).collect();
    assert_eq!(stage.poll(1, &entries).new, 39);
    for day in 1..300 {
        stage.poll(24 * day, &[]);
        stage.expire(24 * day, 30);
    }
    assert_eq!(stage.poll(24 * 300, &entries).new, 0);
}

/// An entry with a link of its own, published so many hours after the beginning.
fn report(guid: &str, link: i64, title: &str, hours: i64) -> String {
    let link = format!("<link>https://paper.example/{link}</link>");
    let date = dated(at(hours));
    format!("<item><guid isPermaLink='false'>{guid}</guid>{link}<title>{title}</title>{date}</item>")
}

#[test]
fn edits_are_judged_behind_what_is_stored_of_a_text_too() {
    let stage = Stage::set();
    let text = |head: &str, tail: &str| {
        let middle = "mango ".repeat(2000);
        [entry(1, "Live", &format!("<description>{head} {middle} {tail}</description>"))]
    };
    let short = [entry(1, "Live", "<description>mango</description>")];
    for (hours, entries, alerts, what) in [
        (1, short.clone(), 0, "new"),
        (2, text("", "nothing"), 0, "a long text"),
        (3, text("", "a convoy"), 1, "news at its end"),
        (4, text("a convoy", ""), 0, "the same at its beginning"),
        (5, short, 0, "less"),
        (6, text("", "a convoy"), 1, "which was gone"),
    ] {
        assert_eq!(stage.poll(hours, &entries).alerts.len(), alerts, "{what}");
    }
}

#[test]
fn a_guid_that_has_another_report_each_time_hides_none() {
    let stage = Stage::bare();
    let fill = || (1..=5).map(|n| report(&format!("paper-{n}"), n, "Mangoes", -48));
    let page = |slot: String| std::iter::once(slot).chain(fill()).collect::<Vec<_>>();
    stage.poll(0, &page(report("flash", 90, "Price of gold", -2)));
    for (hours, link, title, alerts) in [
        (120, 91, "A convoy attacked near Gao", 1),
        (123, 92, "Second convoy ambushed at Kidal, forty dead", 1),
        // An edit.
        (124, 92, "Second convoy ambushed at Kidal, fifty dead", 0),
    ] {
        let poll = stage.poll(hours, &page(report("flash", link, title, hours)));
        assert_eq!(poll.alerts.len(), alerts, "{title}");
    }
}

#[test]
fn guids_that_are_places_in_the_list_name_nothing() {
    let stage = Stage::bare();
    let title = |n: i64| if n > 10 { format!("Convoy {n} attacked") } else { format!("Mangoes {n}") };
    let page = |newest: i64| -> Vec<String> {
        (0..10)
            .map(|place| (place, newest - place))
            .map(|(place, n)| report(&place.to_string(), n, &title(n), n))
            .collect()
    };
    stage.poll(10, &page(10));
    for (newest, new) in [(11, 1), (14, 3), (14, 0), (15, 1)] {
        let poll = stage.poll(newest, &page(newest));
        assert_eq!((poll.new, poll.alerts.len()), (new, new as usize), "{newest}");
    }
}

#[test]
fn an_edit_alerts_where_guids_change_at_every_fetch() {
    let stage = Stage::bare();
    let page = |fetch: i64, title: &str| -> Vec<String> {
        let guid = |n: i64| format!("{fetch}-{n}");
        let old = (1..=10).map(|n| report(&guid(n), n, &format!("Mangoes {n}"), -n));
        std::iter::once(report(&guid(11), 11, title, 1)).chain(old).collect()
    };
    stage.poll(0, &page(0, "Attack near Gao").split_off(1));
    assert_eq!(stage.poll(2, &page(2, "Attack near Gao")).new, 1);
    let poll = stage.poll(3, &page(3, "Attack on convoy near Gao"));
    assert_eq!((poll.new, poll.edited, poll.alerts.len()), (0, 1, 1));
}
