//! What other rules would have made of the same items: alerts added and removed, by day and by rule.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

use super::history::Alerted;
use super::trial::{Judged, Lost};
use crate::item::Item;
use crate::rules::spec::{Mode, Severity};
use crate::rules::verdict::Match;
use crate::store::{Day, StoredItem};

/// Items of a list that are kept; the rest is counted.
pub(super) const LISTED_MAX: usize = 1_000;

/// The comparison so far.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Items looked at.
    pub(super) items: u64,
    /// Items with alerts that cannot be compared: the rules saw more of their text then than is stored.
    pub(super) not_compared: u64,
    /// Counts by the day on which items were first seen.
    pub(super) days: BTreeMap<Day, DayCount>,
    /// Counts by rule.
    pub(super) rules: BTreeMap<String, RuleCount>,
    /// Items that would alert and have not.
    pub(super) added: Listed<Row>,
    /// Items that have alerted and would not.
    pub(super) removed: Listed<Row>,
    /// Items that a rule loses to `none` alone.
    pub(super) lost: Listed<(Row, Lost)>,
}

/// What happened, and would have, on a day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct DayCount {
    /// Items first seen.
    pub(super) items: u64,
    /// Of these, those with an alert.
    pub(super) before: u64,
    /// Those with an alert by the rules on disk.
    pub(super) after: u64,
    /// Those that alert only by the rules on disk.
    pub(super) added: u64,
    /// Those that alert no more.
    pub(super) removed: u64,
}

/// What a rule does to these items.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct RuleCount {
    /// Items on which it fires.
    pub(super) fired: u64,
    /// Items on which it fires and did not.
    pub(super) added: u64,
    /// Items on which it fired and does not.
    pub(super) removed: u64,
    /// Items that it loses to `none` alone.
    pub(super) lost: u64,
}

/// The first of many, and how many.
#[derive(Debug)]
pub(super) struct Listed<T> {
    /// How many there are.
    pub(super) count: u64,
    /// The first [`LISTED_MAX`].
    pub(super) first: Vec<T>,
}

/// An item in a list.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Row {
    /// Its id.
    pub(super) id: String,
    /// The day it was first seen.
    pub(super) day: Day,
    /// Its source.
    pub(super) source: String,
    /// Title, or the beginning of the text.
    pub(super) title: String,
    /// Its link.
    pub(super) url: Option<String>,
    /// Of an added one: the severity of its alert.
    pub(super) severity: Option<Severity>,
    /// The rules that fire, or fired.
    pub(super) rules: Vec<String>,
    /// Whether it was too old for its alert to be sent.
    pub(super) stale: bool,
}

/// What the rules on disk change for an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// It alerts, and did not.
    Added {
        /// Whether it was too old for its alert to be sent.
        stale: bool,
    },
    /// It alerted, and does not.
    Removed,
    /// Nothing, or nothing that can be told.
    None,
}

impl Tally {
    /// Takes in an item, what the rules on disk say of it, and what it has alerted.
    pub(super) fn take(
        &mut self,
        stored: &StoredItem,
        judged: &Judged,
        alerted: Option<&Alerted>,
        max_age: Duration,
    ) -> Change {
        self.items += 1;
        let live: Vec<&Match> =
            judged.verdict.fired.iter().filter(|fired| fired.mode == Mode::Live).collect();
        let (before, after) = (alerted.is_some_and(Alerted::live), !live.is_empty());
        // What lies behind the cut cannot be compared: the rules then saw it.
        let unseen = alerted.is_some_and(|alerted| alerted.truncated);
        let stale = is_stale(stored, &live, max_age);
        let change = match (before, after) {
            (false, true) => Change::Added { stale },
            (true, false) if !unseen => Change::Removed,
            _ => Change::None,
        };
        let day = self.days.entry(stored.first).or_default();
        day.items += 1;
        day.before += u64::from(before);
        day.after += u64::from(after);
        self.not_compared += u64::from(before && !after && unseen);
        match change {
            Change::Added { .. } => {
                day.added += 1;
                let rules = live.iter().map(|fired| fired.rule.to_string()).collect();
                let severity = live.iter().map(|fired| fired.severity).max();
                self.added.push(|| Row { severity, stale, ..row(stored, rules) });
            }
            Change::Removed => {
                day.removed += 1;
                let rules =
                    alerted.map(|alerted| alerted.rules.keys().cloned().collect()).unwrap_or_default();
                self.removed.push(|| row(stored, rules));
            }
            Change::None => {}
        }
        self.count_rules(stored, judged, alerted);
        change
    }

    fn count_rules(&mut self, stored: &StoredItem, judged: &Judged, alerted: Option<&Alerted>) {
        let now: BTreeSet<&str> = judged.verdict.fired.iter().map(|fired| &*fired.rule).collect();
        let then: BTreeSet<&str> =
            alerted.iter().flat_map(|alerted| alerted.rules.keys()).map(String::as_str).collect();
        for rule in &now {
            let count = self.rule(rule);
            count.fired += 1;
            count.added += u64::from(!then.contains(rule));
        }
        if !alerted.is_some_and(|alerted| alerted.truncated) {
            then.difference(&now).for_each(|rule| self.rule(rule).removed += 1);
        }
        for lost in &judged.lost {
            self.rule(&lost.rule).lost += 1;
            self.lost.push(|| (row(stored, vec![lost.rule.clone()]), lost.clone()));
        }
    }

    fn rule(&mut self, name: &str) -> &mut RuleCount {
        self.rules.entry(name.to_owned()).or_default()
    }

    /// All days together.
    pub(super) fn total(&self) -> DayCount {
        self.days.values().fold(DayCount::default(), |sum, day| DayCount {
            items: sum.items + day.items,
            before: sum.before + day.before,
            after: sum.after + day.after,
            added: sum.added + day.added,
            removed: sum.removed + day.removed,
        })
    }
}

impl<T> Listed<T> {
    fn push(&mut self, value: impl FnOnce() -> T) {
        self.count += 1;
        if self.first.len() < LISTED_MAX {
            self.first.push(value());
        }
    }
}

impl<T> Default for Listed<T> {
    fn default() -> Self {
        Self { count: 0, first: Vec::new() }
    }
}

fn row(stored: &StoredItem, rules: Vec<String>) -> Row {
    let item = &stored.item;
    Row {
        id: item.id.to_string(),
        day: stored.first,
        source: item.source.as_ref().map(ToString::to_string).unwrap_or_default(),
        title: title(item),
        url: item.url.clone(),
        severity: None,
        rules,
        stale: false,
    }
}

/// The title, or the first line of the text.
pub(super) fn title(item: &Item) -> String {
    let mut lines = std::iter::once(item.title.as_str()).chain(item.text.lines()).map(str::trim);
    lines.find(|line| !line.is_empty()).unwrap_or_default().to_owned()
}

/// Whether the item was older, by its stated date, than any rule that fires lets an alert be.
fn is_stale(stored: &StoredItem, fired: &[&Match], max_age: Duration) -> bool {
    let Some(stated) = stored.item.published.or(stored.item.updated) else { return false };
    let age = age(stated, stored.fetched);
    fired.iter().all(|fired| age > fired.max_age.unwrap_or(max_age))
}

fn age(stated: Timestamp, fetched: Timestamp) -> Duration {
    Duration::try_from(fetched.duration_since(stated)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::item::{ItemId, SourceName};
    use crate::rules::verdict::Verdict;

    const MAX_AGE: Duration = Duration::from_hours(14 * 24);

    fn at(day: i64) -> Timestamp {
        Timestamp::from_second(day * 86_400 + 60).unwrap()
    }

    fn stored(day: u16, published: Option<i64>) -> StoredItem {
        let item = Item {
            id: ItemId::from_bytes([7; 16]),
            source: SourceName::new("news"),
            published: published.map(at),
            ..Item::of_text("", "\n Rain in Mopti\nmore")
        };
        StoredItem { item, first: Day(day), fetched: at(day.into()), before: None, fired: None }
    }

    fn fired(rule: &str, mode: Mode) -> Match {
        Match {
            rule: rule.into(),
            severity: Severity::High,
            tags: Vec::new(),
            mode,
            note: None,
            max_age: None,
            score: None,
            why: Vec::new(),
        }
    }

    fn judged(rules: &[(&str, Mode)], lost: &[&str]) -> Judged {
        let fired = rules.iter().map(|(rule, mode)| fired(rule, *mode)).collect();
        let lost = lost.iter().map(|rule| Lost { rule: (*rule).to_owned(), detail: "`@sport`".to_owned() });
        Judged { verdict: Verdict { fired, ..Verdict::default() }, lost: lost.collect() }
    }

    fn alerted(rules: &[(&str, bool)], truncated: bool) -> Alerted {
        Alerted { rules: rules.iter().map(|(rule, live)| ((*rule).to_owned(), *live)).collect(), truncated }
    }

    #[test]
    fn an_item_is_added_or_removed_when_live_rules_say_so() {
        use Change::{Added, None as Same, Removed};
        let (live, shadow) = (("a", Mode::Live), ("a", Mode::Shadow));
        let (sent, tried) = (Some(alerted(&[("a", true)], false)), Some(alerted(&[("a", false)], false)));
        let cut = Some(alerted(&[("a", true)], true));
        for (case, now, then, expected) in [
            ("silent, as before", vec![], None, Same),
            ("fires, as before", vec![live], sent.clone(), Same),
            ("fires now", vec![live], None, Added { stale: false }),
            ("fires no more", vec![], sent.clone(), Removed),
            ("fires on trial", vec![shadow], None, Same),
            ("is on trial now", vec![shadow], sent.clone(), Removed),
            ("was on trial", vec![live], tried.clone(), Added { stale: false }),
            ("was on trial and fires no more", vec![], tried, Same),
            ("another rule fires", vec![("b", Mode::Live)], sent, Same),
            ("fired on what is cut off", vec![], cut, Same),
        ] {
            let mut tally = Tally::default();
            let change = tally.take(&stored(9, None), &judged(&now, &[]), then.as_ref(), MAX_AGE);
            assert_eq!(change, expected, "{case}");
            let (added, removed) =
                (u64::from(expected == Added { stale: false }), u64::from(expected == Removed));
            assert_eq!((tally.added.count, tally.removed.count), (added, removed), "{case}");
            let total = tally.total();
            assert_eq!((total.added, total.removed), (added, removed), "{case}");
            let not_compared = tally.not_compared;
            assert_eq!(total.before + added, total.after + removed + not_compared, "{case}");
        }
    }

    #[test]
    fn days_rules_and_what_is_lost_are_counted() {
        let mut tally = Tally::default();
        let live = |rule| (rule, Mode::Live);
        let told = alerted(&[("a", true), ("old", true)], false);
        for (day, now, lost, then) in [
            (9, judged(&[live("a"), live("b")], &[]), 0, Some(&told)),
            (9, judged(&[], &["b"]), 1, None),
            (8, judged(&[live("b")], &["a"]), 1, None),
        ] {
            let before = tally.lost.count;
            tally.take(&stored(day, None), &now, then, MAX_AGE);
            assert_eq!(tally.lost.count - before, lost);
        }
        let count = |fired, added, removed, lost| RuleCount { fired, added, removed, lost };
        let expected = [("a", count(1, 0, 0, 1)), ("b", count(2, 2, 0, 1)), ("old", count(0, 0, 1, 0))];
        assert_eq!(tally.rules, expected.map(|(rule, count)| (rule.to_owned(), count)).into());
        let day = |items, before, after, added, removed| DayCount { items, before, after, added, removed };
        assert_eq!(tally.days, [(Day(8), day(1, 0, 1, 1, 0)), (Day(9), day(2, 1, 1, 0, 0))].into());
        assert_eq!(tally.added.first[0].title, "Rain in Mopti");
        assert_eq!((&tally.lost.first[0].1.rule, tally.lost.first[0].0.day), (&"b".to_owned(), Day(9)));
    }

    #[test]
    fn what_was_too_old_to_be_sent_is_marked() {
        let week = Some(Duration::from_hours(7 * 24));
        for (published, own, expected) in [
            (None, None, false),
            (Some(90), None, false),
            (Some(80), None, true),
            (Some(110), None, false),
            (Some(90), week, true),
            (Some(80), Some(MAX_AGE * 9), false),
        ] {
            let mut now = judged(&[("a", Mode::Live)], &[]);
            now.verdict.fired[0].max_age = own;
            let change = Tally::default().take(&stored(100, published), &now, None, MAX_AGE);
            assert_eq!(change, Change::Added { stale: expected }, "{published:?} {own:?}");
        }
    }

    #[test]
    fn long_lists_are_counted_and_cut() {
        let mut tally = Tally::default();
        for _ in 0..LISTED_MAX + 5 {
            tally.take(&stored(9, None), &judged(&[("a", Mode::Live)], &[]), None, MAX_AGE);
        }
        assert_eq!((tally.added.count, tally.added.first.len()), (LISTED_MAX as u64 + 5, LISTED_MAX));
    }
}
