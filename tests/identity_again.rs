//! Which items are the same where a source gives them little to be told by (polling.md, section 2): documents are taken in
//! by a real store at times that the tests choose.

use std::sync::Arc;
use std::time::Duration;

use harmattan::config::{ArticleChoice, Backlog};
use harmattan::fetch::{Document, Validators};
use harmattan::ingest::{
    Beyond, Harvest, InForce, Judged, Outcome, Poll, Polled, Receipt, Vantage, Witness, ingest,
};
use harmattan::item::SourceName;
use harmattan::route::Routes;
use harmattan::schedule::Learned;
use harmattan::source::{self, Plan, ReadAs};
use harmattan::store::{Day, Owner, Seen, SledStore, Store};
use harmattan::story::Disposition;
use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;
use url::Url;

use crate::support::rules;

const ADDRESS: &str = "https://paper.example/feed";

/// A store and a rule that `convoy` fires.
struct Stage {
    store: SledStore,
    force: InForce,
    _folder: TempDir,
}

/// So many hours after the beginning.
fn at(hours: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap() + SignedDuration::from_hours(hours)
}

fn name() -> SourceName {
    SourceName::new("paper").unwrap()
}

/// An entry that states its date where `hours` are given.
fn entry(guid: &str, link: &str, title: &str, hours: Option<i64>) -> String {
    let stated = |element: &str, value: &str| match value {
        "" => String::new(),
        value => format!("<{element}>{value}</{element}>"),
    };
    let date = hours.map(|hours| at(hours).strftime("%a, %d %b %Y %H:%M:%S GMT").to_string());
    let parts = [("guid", guid), ("link", link), ("title", title), ("pubDate", &date.unwrap_or_default())];
    format!("<item>{}</item>", parts.map(|(element, value)| stated(element, value)).concat())
}

/// An entry of these elements.
fn item(parts: &[(&str, &str)]) -> String {
    let parts = parts.iter().map(|(element, value)| format!("<{element}>{value}</{element}>"));
    format!("<item>{}</item>", parts.collect::<String>())
}

/// Entries with these numbers in their guids, links and titles.
fn entries(numbers: std::ops::Range<u32>, guid: &str) -> Vec<String> {
    let link = |n: u32| format!("https://paper.example/{guid}/{n}");
    numbers.map(|n| entry(&format!("{guid}{n}"), &link(n), &format!("Convoy attacked, {n}"), None)).collect()
}

impl Stage {
    /// A stage whose baseline is of these entries.
    fn with(baseline: &[String]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let engine = rules::engine(Vec::new(), vec![rules::rule("convoy", &["convoy"])]);
        let stage = Self {
            store: SledStore::create(folder.path()).unwrap(),
            force: InForce {
                engine: Arc::new(engine),
                routes: Arc::new(Routes::to_all(vec![("hook".to_owned(), String::new())])),
                max_age: Duration::from_hours(14 * 24),
                vantage: Vantage::default(),
            },
            _folder: folder,
        };
        assert!(stage.take(0, read(baseline, false)).baseline);
        stage
    }

    /// What a poll comes to.
    fn take(&self, hours: i64, outcome: Outcome) -> Receipt {
        let poll = Poll {
            source: Polled {
                name: name(),
                address: ADDRESS.to_owned(),
                read_as: String::new(),
                tags: Vec::new(),
                tier: 2,
                backlog: Backlog::None,
                article: ArticleChoice::Never,
            },
            started: at(hours),
            outcome,
            hints: None,
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

    /// The counts of new items, edits and alerts sent of a poll.
    fn poll(&self, hours: i64, entries: &[String]) -> (u32, u32, usize) {
        let receipt = self.take(hours, read(entries, false));
        let sent = receipt.alerts.iter().filter(|(_, disposition)| *disposition == Disposition::Sent);
        (receipt.new, receipt.edited, sent.count())
    }
}

/// A document of these entries, as read.
fn read(entries: &[String], delta: bool) -> Outcome {
    let text = format!("<rss version='2.0'><channel>{}</channel></rss>", entries.concat());
    let validators = Validators::default();
    let url = Url::parse(ADDRESS).unwrap();
    let document = Document { url, bytes: text.into(), content_type: None, validators, delta };
    let plan = Plan { source: &name(), kind: ReadAs::Feed, lang: None, now: None };
    let reading = source::read(&document, &plan).unwrap();
    let judged = |candidate| Judged { candidate, verdict: None };
    Outcome::Read(Harvest {
        items: reading.items.into_iter().map(judged).collect(),
        lost: 0,
        delta,
        whole: true,
        validators: (ADDRESS.to_owned(), Validators::default()),
        body: [0; 16],
        complaint: None,
        beyond: Beyond::default(),
    })
}

const WARNING: &str = "https://paper.example/warning";

#[test]
fn i1_what_replaces_an_item_of_which_no_version_is_stored_is_new() {
    let warning = |guid: &str, title: &str| [entry(guid, WARNING, title, None)];
    let stage = Stage::with(&warning("1", "Convoy attacked at Gao"));
    assert_eq!(stage.poll(1, &warning("2", "Convoy attacked at Kidal")), (1, 0, 1), "after a baseline");
    assert_eq!(stage.poll(2, &warning("2", "Convoy attacked at Kidal")), (0, 0, 0));
    // Its version is no longer kept, while its keys are.
    stage.store.expire(at(24 * 40), Duration::from_hours(24 * 30), &|| true).unwrap();
    assert_eq!(stage.poll(24 * 40, &warning("3", "Convoy attacked near Gao")), (1, 0, 1));
}

#[test]
fn i2_entries_known_by_their_text_are_known_by_the_longest_of_their_texts() {
    // So they were remembered before leads were read beside bodies and captions: by what is left without the lead.
    let road = "The road to Gao has been closed since Monday.";
    for longest in [
        format!("<content:encoded>{road}</content:encoded>"),
        format!("<media:description>{road}</media:description>"),
    ] {
        let entry = |n: u32, lead: &str| {
            format!("<item><title>Gao {n}</title>{longest}<description>{lead}</description></item>")
        };
        let entries = |lead: &str| [entry(1, lead), entry(2, lead)];
        let stage = Stage::with(&entries(""));
        assert_eq!(stage.poll(1, &entries("Convoy attacked")), (0, 2, 0), "of a baseline nothing is stored");
        let stage = Stage::with(&[]);
        assert_eq!(stage.poll(1, &entries("Mangoes")), (2, 0, 0));
        assert_eq!(stage.poll(2, &entries("Convoy attacked")), (0, 2, 2), "an edit of the lead is one");
        assert_eq!(stage.poll(3, &entries("Convoy attacked")), (0, 0, 0));
    }
}

#[test]
fn i1_undated_reports_under_one_link_are_as_old_as_the_polls_that_found_them() {
    let warning = |guid: &str, title: &str| [entry(guid, WARNING, title, None)];
    let stage = Stage::with(&[]);
    assert_eq!(stage.poll(1, &warning("1", "Convoy attacked at Gao")), (1, 0, 1));
    assert_eq!(stage.poll(13, &warning("2", "Convoy attacked near Gao")), (0, 1, 0), "within half a day");
    assert_eq!(stage.poll(26, &warning("3", "Convoy attacked at Kidal")), (1, 0, 1));
    let later = warning("4", "Convoy attacked at Menaka");
    assert_eq!(stage.poll(39, &later), (1, 0, 1), "also while the story of the one before takes in reports");
}

#[test]
fn i1_alerts_of_one_title_and_one_link_are_told_day_by_day() {
    let map = "https://paper.example/map";
    let alarm = |day: i64| entry(&format!("g{day}"), map, "Convoy attacked near Gao", Some(24 * day));
    let window = |day: i64, most: i64| -> Vec<String> { (day - most + 1..=day).rev().map(alarm).collect() };
    let stage = Stage::with(&[]);
    assert_eq!(stage.poll(1, &window(0, 1)).0, 1);
    for (day, most) in [(1, 2), (2, 2), (3, 3), (5, 3), (6, 2), (7, 1)] {
        let expected = if day == 5 { 2 } else { 1 };
        assert_eq!(stage.poll(24 * day, &window(day, most)).0, expected, "day {day}");
        assert_eq!(stage.poll(24 * day + 1, &window(day, most)), (0, 0, 0), "day {day}");
    }
    let mut reversed = window(8, 3);
    reversed.reverse();
    assert_eq!(stage.poll(24 * 8, &reversed).0, 1, "in another order");
    // Several in the first document.
    let stage = Stage::with(&window(0, 3));
    assert_eq!(stage.poll(24, &window(1, 3)), (1, 0, 1));
    let stage = Stage::with(&[]);
    assert_eq!(stage.poll(1, &window(0, 3)).0, 3);
    assert_eq!(stage.poll(24, &window(1, 3)).0, 1);
    // One report under two guids is one.
    let twice = |guid: &str, hours: i64| entry(guid, map, "Convoy attacked near Gao", Some(hours));
    let stage = Stage::with(&[]);
    assert_eq!(stage.poll(1, &[twice("a", 0), twice("b", 1)]), (1, 0, 1));
    assert_eq!(stage.poll(2, &[twice("a", 0), twice("c", 2)]), (0, 0, 0));
    assert_eq!(stage.poll(30, &[twice("d", 29)]), (0, 0, 0), "a new guid, and the old one is gone");
}

#[test]
fn i4_a_guid_that_counts_edits_is_one_item_however_late_the_edit() {
    let link = "https://www.paper.example/articles/c1?at_medium=RSS";
    let bbc = |version: u32, title: &str, hours: i64| {
        let guid = format!("https://www.paper.example/articles/c1#{version}");
        [entry(&guid, link, title, Some(hours))]
    };
    let stage = Stage::with(&[]);
    assert_eq!(stage.poll(1, &bbc(0, "Convoy attacked near Gao", 0)), (1, 0, 1));
    assert_eq!(stage.poll(40, &bbc(1, "Convoy attacked near Gao: ten dead", 39)), (0, 1, 0));
    assert_eq!(stage.poll(41, &bbc(1, "Convoy attacked near Gao: ten dead", 39)), (0, 0, 0));
    let update = stage.take(80, read(&bbc(2, "Convoy attacked near Gao: twelve dead", 79), true));
    assert_eq!((update.new, update.edited), (0, 1), "also where what is new is shown alone");
    // Of a baseline, too.
    let stage = Stage::with(&bbc(0, "All calm near Gao", 0));
    assert_eq!(stage.poll(1, &bbc(1, "All is calm near Gao", 0)), (0, 1, 0));
    assert_eq!(stage.poll(40, &bbc(2, "Convoy attacked near Gao", 39)), (0, 1, 1));
    // Two that are shown side by side are two.
    let stage = Stage::with(&[]);
    let both = [bbc(0, "Convoy attacked near Gao", 0), bbc(1, "Convoy attacked at Kidal", 1)].concat();
    assert_eq!(stage.poll(1, &both).0, 2);
    // A page that is of another report every day is no item.
    let brief = |number: u32, title: &str, hours: i64| {
        let guid = format!("https://paper.example/brief#{number}");
        [entry(&guid, "https://paper.example/brief", title, Some(hours))]
    };
    let stage = Stage::with(&[]);
    assert_eq!(stage.poll(1, &brief(1, "Convoy attacked near Gao", 0)).0, 1);
    assert_eq!(stage.poll(25, &brief(2, "The minister visits Kidal", 24)).0, 1);
    // A number that is no count is a name.
    let post = |number: u64, hours: i64| {
        let guid = format!("https://paper.example/live#{number}");
        [entry(&guid, "https://paper.example/live", &format!("Convoy attacked, {number}"), Some(hours))]
    };
    let stage = Stage::with(&post(1_764_500_000, 0));
    assert_eq!(stage.poll(20, &post(1_764_572_000, 20)).0, 1);
}

#[test]
fn i1_a_lone_report_under_the_front_page_is_no_edit_of_the_one_before() {
    let report = |title: &str, hours: i64| [entry("", "https://paper.example/", title, Some(hours))];
    let stage = Stage::with(&report("All quiet today", 0));
    let titles = ["Convoy attacked near Gao", "Convoy attacked close to Menaka", "Convoy attacked near Gao"];
    for (day, title) in (1..).zip(titles) {
        assert_eq!(stage.poll(24 * day, &report(title, 24 * day)).0, 1, "{title}");
        assert_eq!(stage.poll(24 * day + 1, &report(title, 24 * day)), (0, 0, 0), "{title}");
    }
    assert_eq!(stage.poll(73, &report("Convoy attacked near Gao", 73)), (0, 0, 0), "its date was put right");
    // One that an earlier version knew by that link, or by its text, is not told again.
    let Outcome::Read(harvest) = read(&report("Convoy attacked near Gao", 0), false) else { panic!("read") };
    let candidate = &harvest.items[0].candidate;
    let aliases = candidate.aliases.unwrap();
    let (link, today) = (aliases.link.unwrap(), Day::of(at(0)));
    let seen = |owner| Seen { first: today, last: today, content: candidate.content, owner, changes: 0 };
    for (page, text) in [(Owner::Itself, Owner::Item(link)), (Owner::Several, Owner::Itself)] {
        let known = [(link, seen(page)), (aliases.fingerprint, seen(text))];
        let stage = Stage::with(&[]);
        stage.store.transact(&mut |tx| tx.put_seen(&name(), &known)).unwrap();
        assert_eq!(stage.poll(1, &report("Convoy attacked near Gao", 0)), (0, 0, 0), "{page:?}");
        assert_eq!(stage.poll(24, &report("Convoy attacked at Kidal", 24)).0, 1, "{page:?}");
        assert_eq!(stage.poll(25, &report("Convoy attacked near Gao", 0)), (0, 0, 0), "it comes again");
    }
}

#[test]
fn i1_a_report_that_is_given_another_link_is_known_by_its_text_and_its_time() {
    let report = |session: u32, text: &str, hours: i64| {
        let date = at(hours).strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
        let link = format!("https://paper.example/a?session={session}");
        item(&[("link", &link), ("title", "Convoy attacked"), ("description", text), ("pubDate", &date)])
    };
    let stage = Stage::with(&[]);
    assert_eq!(stage.poll(1, &[report(1, "Near Gao.", 0)]), (1, 0, 1));
    assert_eq!(stage.poll(2, &[report(2, "Near Gao.", 0)]), (0, 0, 0));
    assert_eq!(stage.poll(3, &[report(3, "Near Gao.", 2)]).0, 1, "of another time");
    let both = [report(4, "Near Gao.", 2), report(3, "Near Gao.", 2)];
    assert_eq!(stage.poll(4, &both).0, 1, "beside the known one");
    let stage = Stage::with(&[]);
    assert_eq!(stage.poll(1, &[report(1, "", 0)]).0, 1);
    assert_eq!(stage.poll(2, &[report(2, "", 0)]).0, 1, "a title alone says too little");
}

#[test]
fn i2_a_move_that_makes_the_page_longer_is_no_news() {
    let stage = Stage::with(&entries(20..30, "old"));
    assert_eq!(stage.poll(1, &entries(0..30, "new")), (20, 0, 20), "what was not on the shorter page");

    // Three of ten texts come again beside others: that is no move.
    let stage = Stage::with(&entries(20..30, "old"));
    assert_eq!(stage.poll(1, &entries(27..40, "new")), (13, 0, 13));
    // An empty page in between changes nothing.
    let stage = Stage::with(&entries(20..30, "old"));
    assert_eq!(stage.poll(1, &[]), (0, 0, 0));
    assert_eq!(stage.poll(2, &entries(0..30, "new")).0, 20);
    // Nor is it one when they were on an earlier page.
    let stage = Stage::with(&entries(0..10, "old"));
    assert_eq!(stage.poll(48, &entries(40..44, "old")), (4, 0, 4));
    assert_eq!(stage.poll(49, &entries(6..30, "new")), (24, 0, 24));
}

#[test]
fn i2_guids_without_links_that_all_change_are_no_news() {
    let report =
        |guid: &str, n: u32| entry(&format!("{guid}{n}"), "", &format!("Convoy attacked, {n}"), None);
    let reports =
        |guid, range: std::ops::RangeInclusive<u32>| range.map(|n| report(guid, n)).collect::<Vec<_>>();
    let stage = Stage::with(&reports("a", 1..=7));
    assert_eq!(stage.poll(1, &reports("b", 1..=7)), (0, 0, 0));
    assert_eq!(stage.poll(2, &reports("c", 1..=8)), (1, 0, 1), "with one that is new");
    assert_eq!(stage.poll(3, &reports("a", 1..=7)), (0, 0, 0), "and back");
    // A few reports of a known text are no move.
    let again = [reports("d", 1..=2), reports("a", 3..=7)].concat();
    assert_eq!(stage.poll(4, &again).0, 2);
}

#[test]
fn i2_what_guids_without_links_tell_apart_no_move_joins() {
    let bulletins = |guids: std::ops::Range<u32>| {
        guids.map(|n| entry(&n.to_string(), "", "Convoy attacked", None)).collect::<Vec<_>>()
    };
    let stage = Stage::with(&bulletins(1..6));
    for poll in 1..4 {
        let first = 1 + 5 * u32::try_from(poll).unwrap();
        assert_eq!(stage.poll(poll, &bulletins(first..first + 5)).0, 5, "{poll}");
    }
    // What a guid has in common with others is named by all that it says.
    let entry = |guid: &str, title: &str| {
        item(&[
            ("guid", guid),
            ("title", title),
            ("description", "Ten dead."),
            ("body", "Convoy attacked at Gao"),
        ])
    };
    let stage = Stage::with(&[entry("1", "A")]);
    assert_eq!(stage.poll(1, &[entry("1", "A"), entry("1", "B")]), (1, 0, 1));
    assert_eq!(stage.poll(2, &[entry("1", "A"), entry("1", "B")]), (0, 0, 0));
    assert_eq!(stage.poll(3, &[entry("1", "B")]), (0, 0, 0), "alone");
}

#[test]
fn i2_what_is_of_another_time_is_no_part_of_a_move() {
    let bulletin = |hour: i64| {
        let link = format!("https://paper.example/bulletin/{hour}");
        entry(
            &format!("b{hour}"),
            &link,
            &format!("Convoy attacked, bulletin of {:02}:00", hour.rem_euclid(24)),
            Some(hour),
        )
    };
    let window = |hour: i64| -> Vec<String> { (hour - 5..=hour).rev().map(bulletin).collect() };
    for polls in [&[0][..], &[0, 3, 6]] {
        let stage = Stage::with(&window(0));
        for hour in polls {
            stage.poll(*hour, &window(*hour));
        }
        let receipt = stage.take(26, read(&window(26), false));
        assert_eq!((receipt.new, receipt.alerts.len()), (6, 6), "polled at {polls:?}");
    }
    // Places that are filled anew.
    let slots = |name: &str, hours: i64| -> Vec<String> {
        let slot = |n: u32| format!("https://paper.example/slot/{n}");
        (1..6)
            .map(|n| entry(&format!("{name}{n}"), &slot(n), &format!("{name} attacked, {n}"), Some(hours)))
            .collect()
    };
    let stage = Stage::with(&[]);
    assert_eq!(stage.poll(1, &slots("Base", 1)), (5, 0, 0));
    assert_eq!(stage.poll(24 * 6, &slots("Convoy", 24 * 6)), (5, 0, 5));
    // Of a move the dates stay, but for the zone in which they are written.
    let stage = Stage::with(&[]);
    assert_eq!(stage.poll(1, &slots("Convoy", 1)), (5, 0, 5));
    let moved = slots("Convoy", 3).concat().replace("Convoy1", "a").replace("Convoy2", "b");
    let moved = moved.replace("Convoy3", "c").replace("Convoy4", "d").replace("Convoy5", "e");
    assert_eq!(stage.poll(90, &[moved.replace("/slot/", "/place/")]), (0, 0, 0));
}

#[test]
fn i5_a_known_guid_with_another_link_title_and_date_is_another_report() {
    let others = |guid: &str, link: &str, title: &str, hours: Option<i64>| {
        let beside = entries(0..3, "other").into_iter();
        beside
            .chain([entry(guid, &format!("https://paper.example/{link}"), title, hours)])
            .collect::<Vec<_>>()
    };
    let lone = |link: &str, title: &str, hours: Option<i64>| {
        [entry("g", &format!("https://paper.example/{link}"), title, hours)]
    };
    let stage = Stage::with(&entries(0..3, "other"));
    assert_eq!(stage.poll(1, &others("g", "one", "Convoy attacked", Some(1))), (1, 0, 1));
    assert_eq!(
        stage.poll(2, &others("g", "two", "Convoy attacked: ten dead", Some(1))),
        (0, 1, 0),
        "renamed"
    );
    assert_eq!(stage.poll(20, &others("g", "three", "Convoy attacked at Kidal", Some(20))), (1, 0, 1));
    assert_eq!(
        stage.poll(21, &others("g", "four", "Convoy attacked near Ansongo", None)),
        (1, 0, 1),
        "known to be shared"
    );
    // Alone in its document, and without a date or with another one.
    for (date, expected) in [(Some(1), (0, 1, 0)), (Some(2), (1, 0, 1)), (None, (1, 0, 1))] {
        let stage = Stage::with(&[]);
        assert_eq!(stage.poll(1, &lone("one", "Convoy attacked", Some(1))), (1, 0, 1));
        assert_eq!(stage.poll(2, &lone("two", "Convoy attacked at Kidal", date)), expected, "{date:?}");
    }
    // A site that writes its links and titles anew.
    let stage = Stage::with(&[]);
    let all = |words: &str, hours: i64| -> Vec<String> {
        let link = |n: u32| format!("https://paper.example/{words}/{n}");
        (0..4)
            .map(|n| entry(&format!("g{n}"), &link(n), &format!("Convoy {words} {n}"), Some(hours)))
            .collect()
    };
    assert_eq!(stage.poll(1, &all("attacked", 1)), (4, 0, 4));
    assert_eq!(stage.poll(30, &all("hit", 30)), (0, 4, 0));
}

#[test]
fn i5_what_guid_and_link_do_not_tell_apart_the_text_does() {
    let date = at(0).strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    for shared in [
        &[("guid", WARNING), ("link", WARNING)][..],
        &[("guid", WARNING), ("link", WARNING), ("title", "Live")],
        &[("guid", "live")],
        &[("guid", "live"), ("title", "Live")],
        &[("link", WARNING), ("title", "Live")],
        &[("link", WARNING)],
        &[("link", "https://paper.example/live#top"), ("title", "Live")],
        &[("title", "Live"), ("pubDate", &date)],
    ] {
        let entries = |numbers: &[u32]| -> Vec<String> {
            let entry = |n: &u32| {
                let text = format!("Convoy attacked, post {n}");
                item(&[shared, &[("description", &text)]].concat())
            };
            numbers.iter().map(entry).collect()
        };
        let stage = Stage::with(&[]);
        for (hour, numbers, expected) in [
            (1, &[1][..], 1),
            (2, &[2, 1], 1),
            (3, &[6, 5, 4, 3, 2], 4),
            (4, &[3, 2, 6, 4, 5], 0),
            (5, &[3], 0),
            (6, &[7], 1),
            (7, &[8, 7], 1),
            (8, &[8, 9, 9], 1),
            (9, &[9, 8], 0),
        ] {
            let receipt = stage.take(hour, read(&entries(numbers), false));
            let counts = (receipt.new, receipt.edited, receipt.alerts.len());
            assert_eq!(counts, (expected, 0, expected as usize), "{shared:?} at {hour}");
        }
    }
    // The titles alone differ, and each is of another day.
    let post = |n: i64| entry(WARNING, WARNING, &format!("Convoy attacked, post {n}"), Some(24 * n));
    let stage = Stage::with(&[1, 2, 3, 4].map(post));
    assert_eq!(stage.poll(24 * 6, &[6, 5, 4, 3].map(post)), (2, 0, 2));
    assert_eq!(stage.poll(24 * 6 + 1, &[6, 5, 4, 3].map(post)), (0, 0, 0));
}

#[test]
fn i5_versions_of_one_entry_are_one() {
    let version = |hours: i64, text: &str| {
        let date = |hours| at(hours).to_string();
        let named = [("guid", "live"), ("link", WARNING), ("title", "Convoy attacked")];
        item(
            &[&named[..], &[("published", &date(0)), ("updated", &date(hours)), ("description", text)]]
                .concat(),
        )
    };
    let stage = Stage::with(&[]);
    assert_eq!(stage.poll(3, &[version(2, "Ten dead."), version(1, "Dead are feared.")]), (1, 0, 1));

    // The newer one is judged, wherever it stands, and it alone is remembered.
    let version = |hours, text| version(hours, text).replace("Convoy attacked", "Gao");
    let [calm, news] = [version(1, "All is calm."), version(2, "A convoy was attacked.")];
    let latest = version(4, "A convoy was attacked, ten are dead.");
    for [first, second] in [[&calm, &news], [&news, &calm]] {
        let both = [first.clone(), second.clone()];
        let stage = Stage::with(&[]);
        assert_eq!(stage.poll(3, &both), (1, 0, 1), "{both:?}");
        assert_eq!(stage.poll(4, &both), (0, 0, 0), "{both:?}");
        assert_eq!(stage.poll(5, std::slice::from_ref(&news)), (0, 0, 0), "{both:?}");
        assert_eq!(stage.poll(6, &[calm.clone(), latest.clone()]), (0, 1, 0), "{both:?}");
        let stage = Stage::with(&[]);
        assert_eq!(stage.poll(3, std::slice::from_ref(&calm)), (1, 0, 0));
        assert_eq!(stage.poll(4, &both), (0, 1, 1), "{both:?}");
    }
}

#[test]
fn i8_an_edit_long_after_is_compared_with_the_one_before() {
    let page = |title: &str| [entry("a", WARNING, title, None)];
    let stage = Stage::with(&page("All calm"));
    let later = |days: i64, title: &str| {
        stage.store.expire(at(24 * days), Duration::from_hours(24 * 30), &|| true).unwrap();
        stage.poll(24 * days, &page(title))
    };
    (1..100).for_each(|day| _ = stage.poll(24 * day, &page("All calm")));
    assert_eq!(later(100, "Calm"), (0, 1, 0));
    assert_eq!(later(101, "Convoy attacked"), (0, 1, 1));
}

#[test]
fn i8_a_text_or_a_title_that_is_missing_for_a_while_is_not_told_again() {
    let says = |title: &str, text: &str| [item(&[("guid", "a"), ("title", title), ("description", text)])];
    for (whole, rest) in [
        (says("Mali", "Convoy attacked"), says("Mali", "")),
        (says("Convoy attacked", "Near Gao"), says("", "Near Gao")),
    ] {
        // Of a baseline nothing is stored before the first edit.
        let old = Stage::with(&whole);
        assert_eq!(old.poll(1, &rest), (0, 1, 0), "{rest:?}");
        assert_eq!(old.poll(60, &whole), (0, 1, 0), "{whole:?}");
        assert_eq!(old.poll(61, &rest), (0, 0, 0));
        assert_eq!(old.poll(62, &whole), (0, 0, 0));
        let new = Stage::with(&[]);
        assert_eq!(new.poll(1, &whole), (1, 0, 1));
        assert_eq!(new.poll(2, &rest), (0, 0, 0));
        assert_eq!(new.poll(60, &whole), (0, 0, 0));
    }
    // What it says new is told, in the other part as well.
    let stage = Stage::with(&says("Mali", "All calm"));
    stage.poll(1, &says("Mali", ""));
    assert_eq!(stage.poll(2, &says("Mali", "Convoy attacked")), (0, 1, 1));
    let stage = Stage::with(&[]);
    stage.poll(1, &says("Mali", "All calm"));
    assert_eq!(stage.poll(2, &says("Convoy attacked", "")), (0, 1, 1));
}

#[test]
fn i6_a_text_that_comes_again_much_later_is_another_report() {
    let report = |hours: Option<i64>| [entry("", "", "Convoy attacked near Gao", hours)];
    let stage = Stage::with(&[]);
    assert_eq!(stage.poll(1, &report(Some(0))), (1, 0, 1));
    assert_eq!(stage.poll(2, &report(Some(1))), (0, 0, 0), "its date was put right");
    assert_eq!(stage.poll(30, &report(Some(29))), (1, 0, 1), "the next day");

    let stage = Stage::with(&report(Some(-1)));
    assert_eq!(stage.poll(30, &report(Some(29))), (1, 0, 1), "after a baseline");
    let stage = Stage::with(&report(None));
    assert_eq!(stage.poll(30, &report(Some(29))), (0, 0, 0), "it was given a date");
}

#[test]
fn i6_dates_that_change_at_every_fetch_are_no_news() {
    let stage = Stage::with(&[]);
    let told: usize = (1..=200).map(|hour| stage.poll(hour, &[entry("", "", "Convoy", Some(hour))]).2).sum();
    assert_eq!(told, 1);
}

#[test]
fn i12_a_feed_that_pauses_is_not_forgotten() {
    // So that ten windows are shorter than ninety days.
    let daily = |day: u32| entries(20 * day..20 * day + 20, "g");
    for outcome in [
        Outcome::Unchanged { validators: Validators::default() },
        Outcome::Repeated { validators: (ADDRESS.to_owned(), Validators::default()) },
        read(&entries(5000..5001, "delta"), true),
        read(&[], false),
    ] {
        let stage = Stage::with(&daily(0));
        (1..=40).for_each(|day| _ = stage.poll(24 * i64::from(day), &daily(day)));
        for day in 41..200 {
            stage.take(24 * day, outcome.clone());
            if day % 10 == 0 {
                stage.store.expire(at(24 * day), Duration::from_hours(24 * 30), &|| true).unwrap();
            }
        }
        assert_eq!(stage.poll(24 * 200, &daily(40)), (0, 0, 0), "{outcome:?}");
    }
}

#[test]
fn o1_a_delta_says_nothing_of_how_much_a_source_shows() {
    let stage = Stage::with(&entries(0..20, "g"));
    assert_eq!(stage.take(1, read(&entries(20..21, "g"), true)).new, 1);
    assert_eq!(stage.store.source(&name()).unwrap().unwrap().items_last, 20);
    assert_eq!(stage.poll(2, &[]), (0, 0, 0));
    assert_eq!(stage.store.source(&name()).unwrap().unwrap().items_last, 20, "nor does an empty document");
}
