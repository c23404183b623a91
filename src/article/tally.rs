//! How the articles of a source ended of late.

use std::collections::BTreeMap;

use super::End;
use crate::store::Day;

/// Days after which counts begin anew; those before are kept as long, so that between so many and twice as many count.
const PERIOD_DAYS: u16 = 25;

/// Articles by how they ended: `used`, `robots`, `failed`, or what their pages showed in their place.
pub type Counts = BTreeMap<String, u32>;

/// Ends of articles, counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// The day on which `now` began.
    pub began: Day,
    /// Since then.
    pub now: Counts,
    /// In the period before, when one was counted.
    pub before: Option<Counts>,
}

impl Tally {
    /// Counts an article that ended so today. One that is not wanted any more says nothing of its site.
    pub fn add(&mut self, end: &End, today: Day) {
        let word = match end {
            End::Dropped => return,
            End::Used { .. } | End::Unfit(_) | End::Robots | End::Failed { .. } => end.as_str(),
        };
        match today.0.saturating_sub(self.began.0) / PERIOD_DAYS {
            0 => {}
            1 => {
                self.before = Some(std::mem::take(&mut self.now));
                self.began = Day(self.began.0 + PERIOD_DAYS);
            }
            _ => *self = Self { began: today, ..Self::default() },
        }
        let count = self.now.entry(word.to_owned()).or_default();
        *count = count.saturating_add(1);
    }

    /// All that is counted, and since when; `None` when that is nothing of late.
    pub fn of_late(&self, today: Day) -> Option<(Day, Counts)> {
        if today.0.saturating_sub(self.began.0) >= 2 * PERIOD_DAYS || self.now.is_empty() {
            return None;
        }
        let mut all = self.now.clone();
        for (word, more) in self.before.iter().flatten() {
            let count = all.entry(word.clone()).or_default();
            *count = count.saturating_add(*more);
        }
        let since =
            if self.before.is_some() { Day(self.began.0.saturating_sub(PERIOD_DAYS)) } else { self.began };
        Some((since, all))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::article::Unfit;

    #[test]
    fn ends_are_counted_for_a_month_or_two_and_then_forgotten() {
        let mut tally = Tally::default();
        let late = |tally: &Tally, today| {
            tally.of_late(Day(today)).map(|(since, counts)| {
                (
                    since.0,
                    counts.into_iter().map(|(word, count)| format!("{count} {word}")).collect::<Vec<_>>(),
                )
            })
        };
        assert_eq!(late(&tally, 20_000), None);
        let used = End::Used { text: "Gao".into() };
        for (day, end) in [
            (20_000, &used),
            (20_024, &used),
            (20_024, &End::Dropped),
            (20_025, &End::Unfit(Unfit::Paywall)),
            (20_049, &End::Robots),
        ] {
            tally.add(end, Day(day));
        }
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let all = words(&["1 paywall", "1 robots", "2 used"]);
        assert_eq!(late(&tally, 20_049), Some((20_000, all.clone())));
        assert_eq!(late(&tally, 20_074), Some((20_000, all)));
        assert_eq!(late(&tally, 20_075), None, "nothing for two periods");
        tally.add(&used, Day(20_050));
        assert_eq!(late(&tally, 20_050), Some((20_025, words(&["1 paywall", "1 robots", "1 used"]))));
        tally.add(&used, Day(20_200));
        assert_eq!(late(&tally, 20_200), Some((20_200, words(&["1 used"]))));
    }
}
