//! Which source is polled when, so that those of one host keep apart.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use jiff::Timestamp;

use crate::item::SourceName;
use crate::schedule;

/// When each source is polled next.
#[derive(Debug, Default)]
pub(super) struct Calendar {
    due: BTreeSet<(Timestamp, SourceName)>,
    entries: HashMap<SourceName, (Timestamp, Option<String>)>,
    hosts: HashMap<String, BTreeSet<(Timestamp, SourceName)>>,
}

impl Calendar {
    /// The earliest time at which one is due.
    pub(super) fn first(&self) -> Option<Timestamp> {
        self.due.first().map(|(due, _)| *due)
    }

    /// Enters a source that is due at that time, in place of what was entered before.
    pub(super) fn put(&mut self, source: SourceName, host: Option<String>, due: Timestamp) {
        self.remove(&source);
        if let Some(host) = &host {
            self.hosts.entry(host.clone()).or_default().insert((due, source.clone()));
        }
        self.due.insert((due, source.clone()));
        self.entries.insert(source, (due, host));
    }

    /// The same, a little later if others of its host are due near that time.
    pub(super) fn put_apart(
        &mut self,
        source: SourceName,
        host: Option<String>,
        due: Timestamp,
        interval: Duration,
    ) {
        self.remove(&source);
        let others = host.as_ref().and_then(|host| self.hosts.get(host));
        let due = others.map_or(due, |others| {
            let sources = others.len() + 1;
            let from = due.checked_sub(schedule::step(interval, sources)).unwrap_or(due);
            let near: Vec<_> = others.iter().map(|(time, _)| *time).skip_while(|time| *time < from).collect();
            schedule::space(due, interval, sources, &near)
        });
        self.put(source, host, due);
    }

    /// Enters a source that is entered already at an earlier time; never at a later one.
    pub(super) fn bring_forward(&mut self, source: SourceName, due: Timestamp) {
        let later = self.entries.get(&source).filter(|(before, _)| due < *before);
        if let Some((_, host)) = later.cloned() {
            self.put(source, host, due);
        }
    }

    /// Takes a source out.
    pub(super) fn remove(&mut self, source: &SourceName) {
        let Some((due, host)) = self.entries.remove(source) else { return };
        let entry = (due, source.clone());
        self.due.remove(&entry);
        if let Some(host) = host
            && let Some(others) = self.hosts.get_mut(&host)
        {
            others.remove(&entry);
            if others.is_empty() {
                self.hosts.remove(&host);
            }
        }
    }

    /// Takes out the earliest source, if it is due.
    pub(super) fn take_due(&mut self, now: Timestamp) -> Option<SourceName> {
        let (_, source) = self.due.first().filter(|(due, _)| *due <= now)?.clone();
        self.remove(&source);
        Some(source)
    }

    /// Takes everything out.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn name(n: usize) -> SourceName {
        SourceName::new(&format!("source-{n}")).unwrap()
    }

    #[test]
    fn g5_fifty_sources_of_a_host_that_are_due_together_are_polled_apart() {
        let mut calendar = Calendar::default();
        for n in 0..50 {
            calendar.put_apart(name(n), Some("host".into()), at(0), Duration::from_mins(15));
            calendar.put_apart(name(n + 50), Some(format!("host-{n}")), at(0), Duration::from_mins(15));
        }
        let (mut due, mut elsewhere) = (Vec::new(), 0);
        for second in 0..900 {
            while let Some(source) = calendar.take_due(at(second)) {
                if (0..50).any(|n| name(n) == source) { due.push(second) } else { elsewhere += 1 }
            }
        }
        assert_eq!((due.len(), elsewhere), (50, 50));
        assert!(due.windows(2).all(|pair| pair[1] - pair[0] >= 8), "{due:?}");
        assert_eq!(calendar.first(), None);
    }

    #[test]
    fn a_source_is_brought_forward_and_never_put_off_or_entered_anew() {
        for (entered, due, expected) in
            [(Some(9), 5, Some(at(5))), (Some(5), 9, Some(at(5))), (None, 5, None)]
        {
            let mut calendar = Calendar::default();
            if let Some(entered) = entered {
                calendar.put(name(1), Some("host".into()), at(entered));
            }
            calendar.bring_forward(name(1), at(due));
            assert_eq!(calendar.first(), expected, "{entered:?} {due}");
        }
    }

    #[test]
    fn a_source_stands_in_it_once() {
        let mut calendar = Calendar::default();
        calendar.put(name(1), Some("host".into()), at(5));
        calendar.put(name(1), Some("other".into()), at(9));
        assert_eq!((calendar.take_due(at(8)), calendar.first()), (None, Some(at(9))));
        calendar.remove(&name(1));
        assert!(calendar.first().is_none() && calendar.hosts.is_empty());
    }
}
