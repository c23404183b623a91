//! What of a harvest is new, known or edited, and what follows from it.

use std::collections::HashSet;

use super::article::{self, Wish};
use super::{Harvest, InForce, Judged, Poll, Receipt, known, lookups, record};
use crate::config::Backlog;
use crate::item::{Item, SeenKey};
use crate::rules::SourceLabel;
use crate::rules::verdict::Verdict;
use crate::store::{Day, Seen, SourceState, StoreError, StoredItem, Transaction};

/// An item met before.
#[derive(Clone, Copy)]
struct Known {
    seen: Seen,
    /// Whether it was found under its aliases alone: the key that it has now is to be remembered too.
    renamed: bool,
}

/// The parts that taking in a harvest shares.
pub(super) struct Ingest<'a> {
    pub(super) tx: &'a dyn Transaction,
    pub(super) poll: &'a Poll,
    pub(super) force: &'a InForce,
    pub(super) harvest: &'a Harvest,
}

impl Ingest<'_> {
    pub(super) fn take_in(&self, state: &mut SourceState, receipt: &mut Receipt) -> Result<(), StoreError> {
        let source = &self.poll.source.name;
        let found = self
            .harvest
            .items
            .iter()
            .map(|judged| {
                let answers = self.tx.seen(source, &lookups(&judged.candidate))?;
                let renamed = answers.first().is_some_and(Option::is_none);
                Ok(known(&answers).map(|seen| Known { seen, renamed }))
            })
            .collect::<Result<Vec<_>, StoreError>>()?;
        let moved = state.address != self.poll.source.address && found.iter().all(Option::is_none);
        receipt.baseline = state.baseline.is_none() || moved || self.completes_baseline(state);
        receipt.items = count(self.harvest.items.len());

        let mut taken = HashSet::new();
        let mut marks = Vec::new();
        for (place, (judged, seen)) in self.harvest.items.iter().zip(found).enumerate() {
            if !taken.insert(judged.candidate.key) {
                continue;
            }
            match seen {
                None => self.take_new(judged, place, receipt, &mut marks)?,
                Some(known) => self.take_known(judged, known, receipt, &mut marks)?,
            }
        }
        self.tx.put_seen(source, &marks)?;
        self.update(state, receipt);
        Ok(())
    }

    /// Whether this is the rest of a baseline taken from a damaged document. Only the very next reading counts: a
    /// feed that is always damaged must alert.
    fn completes_baseline(&self, state: &SourceState) -> bool {
        let just_taken = state.baseline.is_some() && state.last_success == state.baseline;
        just_taken && state.body.is_none() && self.harvest.whole
    }

    fn take_new(
        &self,
        judged: &Judged,
        place: usize,
        receipt: &mut Receipt,
        marks: &mut Vec<(SeenKey, Seen)>,
    ) -> Result<(), StoreError> {
        let today = Day::of(self.poll.started);
        let seen = Seen { first: today, last: today, content: judged.candidate.content };
        marks.extend(lookups(&judged.candidate).into_iter().map(|key| (key, seen)));
        receipt.new += 1;
        if receipt.baseline && !self.in_backlog(judged, place) {
            receipt.baseline_fired += u32::from(record::fires(&self.verdict(judged)));
            return Ok(());
        }
        self.store(judged, today)?;
        let verdict = self.verdict(judged);
        self.want_article(judged, today, record::fires(&verdict), receipt)?;
        if !verdict.fired.is_empty() {
            self.alert(judged, verdict, receipt)?;
        }
        Ok(())
    }

    /// A known item: shown once more, or edited. An edit alerts when its stored version does not fire; rules on trial
    /// do not count.
    fn take_known(
        &self,
        judged: &Judged,
        Known { seen, renamed }: Known,
        receipt: &mut Receipt,
        marks: &mut Vec<(SeenKey, Seen)>,
    ) -> Result<(), StoreError> {
        let candidate = &judged.candidate;
        let today = Day::of(self.poll.started);
        let edited = seen.content != candidate.content;
        if edited || renamed || seen.last != today {
            let seen = Seen { last: today, content: candidate.content, ..seen };
            marks.extend(lookups(candidate).into_iter().map(|key| (key, seen)));
        }
        if !edited {
            return Ok(());
        }
        receipt.edited += 1;
        let Some(stored) = self.tx.item(candidate.item.id, seen.first)? else {
            return Ok(());
        };
        self.store(judged, seen.first)?;
        // Both versions are judged as far as they are stored: what lies behind the cut cannot be compared.
        let fires = |item: &Item| record::fires(&self.force.engine.judge(item, Some(self.label())));
        let fires_now = fires(&record::cut(&candidate.item).0);
        self.want_article(judged, seen.first, fires_now, receipt)?;
        if fires_now && !fires(&article::as_judged(self.tx, stored.item, seen.first)?) {
            self.alert(judged, self.verdict(judged), receipt)?;
        }
        Ok(())
    }

    /// Notes that the article of an item is to be fetched, where the source wants that. What the entry says by itself is
    /// told without waiting for it.
    fn want_article(
        &self,
        judged: &Judged,
        first: Day,
        fired: bool,
        receipt: &mut Receipt,
    ) -> Result<(), StoreError> {
        let (choice, source) = (self.poll.source.article, &self.poll.source.name);
        let wish = Wish { choice, source, now: self.poll.started };
        receipt.articles += u32::from(wish.note(self.tx, &judged.candidate.item, first, fired)?);
        Ok(())
    }

    fn store(&self, judged: &Judged, first: Day) -> Result<(), StoreError> {
        let (item, _) = record::cut(&judged.candidate.item);
        self.tx.put_item(&StoredItem { item, first, fetched: self.poll.started })
    }

    /// The verdict made beside the poll, or made now where the item seemed known then.
    fn verdict(&self, judged: &Judged) -> Verdict {
        let item = &judged.candidate.item;
        judged.verdict.clone().unwrap_or_else(|| self.force.engine.judge(item, Some(self.label())))
    }

    fn label(&self) -> SourceLabel<'_> {
        SourceLabel { name: &self.poll.source.name, tags: &self.poll.source.tags }
    }

    /// Whether an item of a baseline may alert all the same.
    fn in_backlog(&self, judged: &Judged, place: usize) -> bool {
        match self.poll.source.backlog {
            Backlog::None => false,
            Backlog::Newest(most) => newer(&self.harvest.items, place) < most as usize,
            Backlog::Age(most) => judged.candidate.item.published.is_some_and(|published| {
                let age = self.poll.started.duration_since(published);
                age.is_negative() || age.unsigned_abs() <= most
            }),
        }
    }

    fn update(&self, state: &mut SourceState, receipt: &Receipt) {
        if receipt.baseline {
            let before = if self.completes_baseline(state) { state.baseline_fired } else { 0 };
            state.baseline_fired = before.saturating_add(receipt.baseline_fired);
            state.baseline = Some(self.poll.started);
        } else if receipt.new > 0 {
            state.last_new = Some(self.poll.started);
        }
        state.address.clone_from(&self.poll.source.address);
        state.read_as.clone_from(&self.poll.source.read_as);
        state.items = state.items.saturating_add(u64::from(receipt.new));
        state.items_last = receipt.items;
        state.lost_last = self.harvest.lost;
        if self.harvest.whole {
            state.validators = Some(self.harvest.validators.clone());
            state.body = Some(self.harvest.body);
        }
    }
}

/// How many items of a document are newer than the one at `place`: by date where both have one, else by place,
/// since a feed shows its newest first.
fn newer(items: &[Judged], place: usize) -> usize {
    let Some(own) = items.get(place).map(|judged| judged.candidate.item.published) else {
        return 0;
    };
    let is_newer = |(other, judged): &(usize, &Judged)| match (judged.candidate.item.published, own) {
        (Some(theirs), Some(ours)) if theirs != ours => theirs > ours,
        _ => *other < place,
    };
    items.iter().enumerate().filter(is_newer).count()
}

fn count(items: usize) -> u32 {
    u32::try_from(items).unwrap_or(u32::MAX)
}
