//! What of a harvest is new, known or edited, and what follows from it.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};

use jiff::{SignedDuration, Timestamp};

use super::article::{Edit, Noted, Shown, Wish};
use super::identity::{self, CHANGES_MAX, Found, Roll, Standing};
use super::record::Told;
use super::versions::{self, Card};
use super::{Harvest, InForce, Judged, Poll, Polled, Receipt, by_both, known_by, record, stamp};
use crate::article::{self, End};
use crate::config::Backlog;
use crate::item::{Dating, ItemId, SeenKey, dating, link};
use crate::rules::SourceLabel;
use crate::rules::spec::Mode;
use crate::rules::verdict::Verdict;
use crate::source::Candidate;
use crate::store::{Day, Owner, Seen, SourceState, StoreError, StoredItem, Transaction};

/// How much older than a baseline an item may say it is that came after it: some are published hours after their dates.
const LATE_WITHIN: SignedDuration = SignedDuration::from_hours(24);

/// The parts that taking in a harvest shares.
pub(super) struct Ingest<'a> {
    pub(super) tx: &'a dyn Transaction,
    pub(super) poll: &'a Poll,
    pub(super) force: &'a InForce,
    pub(super) harvest: &'a Harvest,
    /// When the source was last read.
    pub(super) last_read: Option<Timestamp>,
    /// Until when the restored store knows what was told, as long as not all that came since is read.
    pub(super) repeat: Option<Timestamp>,
    /// Until when items were published that are old though the store does not know them: it was damaged since, or no reading
    /// of the baseline begun then was whole yet.
    pub(super) lost: Option<Timestamp>,
    /// When a page was last read that is a baseline again because its selectors, which found nothing, are mended.
    pub(super) mended: Option<Timestamp>,
    /// When the baseline was begun of which no reading was whole yet.
    pub(super) open: Option<Timestamp>,
}

impl Ingest<'_> {
    pub(super) fn take_in(&self, state: &mut SourceState, receipt: &mut Receipt) -> Result<(), StoreError> {
        let Polled { name: source, address, read_as, .. } = &self.poll.source;
        let roll = identity::call(self.tx, state, self.harvest, self.poll.started)?;
        let elsewhere = self.known_elsewhere(state)?;
        let unknown =
            roll.standings.iter().all(|standing| standing.seen.is_none()) && !elsewhere.contains(&Some(true));
        // At another address, or by other selectors, it is another document, unless it is a channel under another name.
        let another = (&state.address, &state.read_as) != (address, read_as)
            && !self.harvest.beyond.is_same(&state.channel);
        receipt.baseline = state.baseline.is_none() || another && unknown || self.open.is_some();
        receipt.items = count(self.harvest.items.len());

        let newest = newest_versions(&roll, &self.harvest.items);
        let both = || self.harvest.items.iter().zip(&roll.standings);
        let stamp = stamp::of_all(&self.harvest.items, &roll.standings, self.poll.started);
        let known_from = roll.standings.iter().rposition(|standing| standing.seen.is_some());
        let mut taken = HashMap::with_capacity(newest.len());
        for (place, (judged, standing)) in both().enumerate() {
            if newest.get(&standing.owner) != Some(&place) {
                continue;
            }
            let elsewhere = elsewhere.get(place).copied().flatten();
            let mut judged = self.as_owner(judged, standing);
            let above = known_from.is_some_and(|known| place < known);
            if let Some(stamp) = stamp.filter(|_| above || standing.seen.is_some()) {
                stamp::erase(&mut judged.to_mut().candidate.item, stamp);
            }
            let entry = Entry { judged, roll: &roll, standing, elsewhere, above };
            let seen = match standing.seen {
                None => self.take_new(&entry, place, receipt)?,
                Some(seen) => self.take_known(&entry, seen, receipt)?,
            };
            taken.insert(standing.owner, seen);
        }
        let mut marks = Vec::new();
        for (judged, standing) in both() {
            // Of one shown twice the other name is remembered, too, and of what it says that which was judged.
            if let Some(seen) = taken.get(&standing.owner) {
                mark(&roll, standing, judged, *seen, &mut marks);
            }
        }
        self.tx.put_seen(source, &marks)?;
        self.update(state, receipt);
        Ok(())
    }

    /// Of each item whether the source that told what this one shows has it: then it is told, whatever document it stands
    /// in. That it has not says something where a baseline is to come of the very document that was read there.
    fn known_elsewhere(&self, state: &SourceState) -> Result<Vec<Option<bool>>, StoreError> {
        let Some(other) = &state.learned.told_by else { return Ok(Vec::new()) };
        let candidates = self.harvest.items.iter().map(|judged| &judged.candidate);
        let known = known_by(Some(other), candidates, |other, keys| self.tx.seen(other, keys))?;
        let read = self.tx.source(other)?.filter(|_| state.baseline.is_none());
        let read = read.and_then(|other| Some(other.validators?.0));
        let is_read = read.as_ref() == Some(&self.harvest.validators.0);
        Ok(known.into_iter().map(|known| (known || is_read).then_some(known)).collect())
    }

    /// The item under the id that it has been known by from the first.
    fn as_owner<'b>(&self, judged: &'b Judged, standing: &Standing) -> Cow<'b, Judged> {
        let id = ItemId::new(&self.poll.source.name, standing.owner);
        if judged.candidate.item.id == id {
            return Cow::Borrowed(judged);
        }
        let mut judged = judged.clone();
        judged.candidate.item.id = id;
        Cow::Owned(judged)
    }

    /// What is to be remembered of an item that is shown now.
    fn shown(&self, seen: Option<Seen>, candidate: &Candidate) -> Seen {
        let today = Day::of(self.poll.started);
        let blank = Seen { first: today, last: today, content: 0, owner: Owner::Itself, changes: 0 };
        Seen { last: today, content: candidate.content, ..seen.unwrap_or(blank) }
    }

    fn take_new(&self, entry: &Entry<'_>, place: usize, receipt: &mut Receipt) -> Result<Seen, StoreError> {
        let judged = &*entry.judged;
        let seen = self.shown(None, &judged.candidate);
        if entry.elsewhere == Some(true) && !receipt.baseline {
            return Ok(seen);
        }
        receipt.new += 1;
        if self.is_old(entry, receipt.baseline) && !(receipt.baseline && self.in_backlog(judged, place)) {
            receipt.baseline_fired += u32::from(record::fires(&self.verdict(judged)));
            return Ok(seen);
        }
        self.store(judged, seen.first, None)?;
        let verdict = self.verdict(judged);
        self.want_article(entry, seen.first, Shown::Plainly { fires: record::fires(&verdict) }, receipt)?;
        if !verdict.fired.is_empty() {
            let unseen = self.last_read.filter(|_| !receipt.baseline);
            let dating = Dating::of(&judged.candidate.item, self.poll.started, unseen);
            let link = entry.link();
            let told = Told { item: &judged.candidate.item, article: None, link: link.as_deref() };
            self.alert(told, verdict, dating, receipt)?;
        }
        Ok(seen)
    }

    /// A known item: shown once more, or edited. An edit alerts with the rules that did not fire on its stored version, by
    /// itself or with its article, and its story decides who has to hear of them; rules on trial do not count. What changes
    /// again and again is recorded no longer, only judged.
    fn take_known(&self, entry: &Entry<'_>, seen: Seen, receipt: &mut Receipt) -> Result<Seen, StoreError> {
        let (judged, found) = (&*entry.judged, entry.standing.found);
        let candidate = &judged.candidate;
        let mut now = self.shown(Some(seen), candidate);
        let edited = seen.content != candidate.content;
        let unchanged = Seen { content: seen.content, ..now };
        if edited && versions::is_wordless(candidate, seen) {
            return Ok(unchanged);
        }
        if !edited {
            now.changes = seen.changes.saturating_add(u8::from(found != Found::Plainly)).min(CHANGES_MAX);
            if found == Found::Redated && seen.changes < CHANGES_MAX {
                // The next date is compared with this one.
                let stored = self.tx.item(candidate.item.id, seen.first)?;
                self.store(judged, seen.first, stored.and_then(|stored| stored.before))?;
            }
            return Ok(now);
        }
        let stored = self.tx.item(candidate.item.id, seen.first)?;
        let shown = record::cut(&candidate.item);
        if stored.as_ref().is_some_and(|stored| versions::is_remnant(&stored.item, &shown)) {
            return Ok(unchanged);
        }
        let dated = stored.as_ref().is_some_and(|stored| {
            (stored.item.published, stored.item.updated) != (candidate.item.published, candidate.item.updated)
        });
        let card = stored.as_ref().and_then(|stored| Card::between(&stored.item, &shown));
        now.changes = seen.changes.saturating_add(u8::from(!dated && card.is_none())).min(CHANGES_MAX);
        let restless = !dated && seen.changes >= CHANGES_MAX;
        receipt.edited += u32::from(!restless && card.is_none());
        if card == Some(Card::Gone) {
            return Ok(now);
        }
        let Some(stored) = stored else { return self.begin_record(judged, now, seen.content) };
        let fate = self.tx.article(stored.item.id, seen.first)?;
        let edit = Edit::of(&self.force.engine, self.label(), &stored, &candidate.item, fate.as_ref());
        if !restless || edit.is_news() {
            self.store(judged, seen.first, stored.before)?;
            let fires = edit.alone;
            let how = if card.is_none() { Shown::Edited(&edit) } else { Shown::Plainly { fires } };
            self.want_article(entry, seen.first, how, receipt)?;
        }
        // What it said before it was first stored is no news, nor what a site says that gave all its items new names
        // and wrote most of them anew.
        let is_rewritten = found == Found::Moved && entry.roll.rewritten;
        let is_old = stored.before == Some(candidate.content) || is_rewritten;
        if edit.is_news() && !is_old {
            let dating = Dating::of(&candidate.item, self.poll.started, None);
            let link = entry.link();
            let told = |item, article| Told { item, article, link: link.as_deref() };
            if let Some(verdict) = edit.news(self.verdict(judged)).filter(|_| edit.tells) {
                self.alert(told(&candidate.item, None), verdict, dating, receipt)?;
            }
            if let Some((item, verdict)) = edit.added {
                let begins = article::begin(&shown);
                self.alert(told(&item, Some(begins)), verdict, dating, receipt)?;
            }
        }
        Ok(now)
    }

    /// Stores the first version of an item of which none is stored, of a baseline for one: it tells nothing itself, and is
    /// what the next one is compared with. A text may be missing in it for one poll, so `before` is kept of what it said.
    fn begin_record(&self, judged: &Judged, seen: Seen, before: u64) -> Result<Seen, StoreError> {
        // Where its first day is long past, it would be forgotten tonight.
        let first = Day::of(self.poll.started);
        self.store(judged, first, Some(before))?;
        self.wish().renounce(self.tx, &judged.candidate.item, first)?;
        Ok(Seen { first, ..seen })
    }

    fn wish(&self) -> Wish<'_> {
        let (choice, source) = (self.poll.source.article, &self.poll.source.name);
        Wish { choice, source, now: self.poll.started, repeat: self.repeat.is_some() }
    }

    /// Notes that the article of an item is to be fetched, where the source wants that and the page is of no other item,
    /// too. What the entry says by itself is told without waiting for it.
    fn want_article(
        &self,
        entry: &Entry<'_>,
        first: Day,
        shown: Shown<'_>,
        receipt: &mut Receipt,
    ) -> Result<(), StoreError> {
        if !entry.is_alone() {
            return Ok(());
        }
        match self.wish().note(self.tx, &entry.judged.candidate.item, first, shown)? {
            Noted::Nothing => {}
            Noted::Waits => receipt.articles += 1,
            Noted::Refused => receipt.articles_refused += 1,
        }
        Ok(())
    }

    fn store(&self, judged: &Judged, first: Day, before: Option<u64>) -> Result<(), StoreError> {
        let (whole, fetched) = (&judged.candidate.item, self.poll.started);
        let fired = record::is_long(whole).then(|| live_rules(&self.verdict(judged)));
        self.tx.put_item(&StoredItem { item: record::cut(whole), first, fetched, before, fired })
    }

    /// The verdict made beside the poll, or made now where the item seemed known then.
    fn verdict(&self, judged: &Judged) -> Verdict {
        let item = &judged.candidate.item;
        judged.verdict.clone().unwrap_or_else(|| self.force.engine.judge(item, Some(self.label())))
    }

    /// Whether an unknown item is one of those that were there before: of a baseline all are, but for what is dated later
    /// than a damaged store forgot, or than the baseline was begun whose readings were cut, and for what the source does
    /// not know whose document it was.
    fn is_old(&self, entry: &Entry<'_>, baseline: bool) -> bool {
        if let Some(known) = entry.elsewhere {
            return known;
        }
        let item = &entry.judged.candidate.item;
        let dated = item.published.or(item.updated);
        if self.is_above_the_cut(entry.above, dated) {
            return false;
        }
        let mended = self.mended.filter(|_| baseline);
        match self.lost.or(mended).zip(dated) {
            // A date without a time counts to the end of its day.
            Some((since, dated)) => {
                dated < since && !(mended.is_some() && Day::of(since).is_stated_by(dated))
            }
            None => baseline,
        }
    }

    /// Whether an unknown item was not there when the baseline was begun, though no reading of that was whole yet: it stands
    /// above known ones, and so before the place where they ended, and states no day before that.
    fn is_above_the_cut(&self, above: bool, dated: Option<Timestamp>) -> bool {
        let begun = self.open.filter(|_| above);
        begun.is_some_and(|begun| dated.is_none_or(|dated| begun.duration_since(dated) < LATE_WITHIN))
    }

    fn label(&self) -> SourceLabel<'_> {
        SourceLabel { name: &self.poll.source.name, tags: &self.poll.source.tags }
    }

    /// Whether an item of a baseline may alert all the same.
    fn in_backlog(&self, judged: &Judged, place: usize) -> bool {
        match self.poll.source.backlog {
            Backlog::None => false,
            Backlog::Newest(most) => newer(&self.harvest.items, place, self.poll.started) < most as usize,
            Backlog::Age(most) => judged.candidate.item.published.is_some_and(|published| {
                let age = by_both(self.poll.started, self.poll.witness.clock).duration_since(published);
                age.is_negative() || age.unsigned_abs() <= most
            }),
        }
    }

    fn update(&self, state: &mut SourceState, receipt: &Receipt) {
        if receipt.baseline {
            let (fired, cut) = self.open.map_or((0, 0), |_| (state.baseline_fired, state.baseline_cut));
            state.baseline_fired = fired.saturating_add(receipt.baseline_fired);
            state.baseline_cut = cut.saturating_add(u8::from(!self.harvest.whole));
            state.baseline = Some(self.open.unwrap_or(self.poll.started));
            // The one known is of another document.
            state.body = None;
        } else if receipt.new > 0 {
            state.last_new = Some(self.poll.started);
        }
        state.address.clone_from(&self.poll.source.address);
        state.read_as.clone_from(&self.poll.source.read_as);
        state.items = state.items.saturating_add(u64::from(receipt.new));
        // An empty document says nothing of what the next one shows.
        if !self.harvest.delta && (receipt.items > 0 || receipt.baseline) {
            state.items_last = receipt.items;
            state.last_shown = Some(self.poll.started);
        }
        state.lost_last = self.harvest.lost;
        let no_room = End::Failed { detail: String::new() };
        (0..receipt.articles_refused).for_each(|_| state.articles.add(&no_room, Day::of(self.poll.started)));
        if self.harvest.whole {
            state.validators = Some(self.harvest.validators.clone());
            state.body = Some(self.harvest.body);
        }
    }
}

/// An item of the harvest under the id that it has been known by from the first, and what it is to the store.
struct Entry<'a> {
    judged: Cow<'a, Judged>,
    roll: &'a Roll,
    standing: &'a Standing,
    /// Whether the source has it that told what this one shows, where that says something.
    elsewhere: Option<bool>,
    /// Whether it stands above one that was known before this poll.
    above: bool,
}

impl Entry<'_> {
    /// Its link, as far as that names it and no other that its source shows.
    fn link(&self) -> Option<String> {
        let url = self.judged.candidate.item.url.as_deref()?;
        link::naming(url, self.is_alone())
    }

    /// Whether it has the page that it links to to itself.
    fn is_alone(&self) -> bool {
        self.roll.is_alone(self.standing, &self.judged.candidate)
    }
}

/// The rules of a verdict that are told.
fn live_rules(verdict: &Verdict) -> BTreeSet<String> {
    let live = verdict.fired.iter().filter(|rule| rule.mode == Mode::Live);
    live.map(|rule| rule.rule.to_string()).collect()
}

/// The place of each item in its document; of one whose versions stand side by side, in whatever order, that of the one
/// updated last.
fn newest_versions(roll: &Roll, items: &[Judged]) -> HashMap<SeenKey, usize> {
    let updated = |place: usize| items.get(place).and_then(|judged| judged.candidate.item.updated);
    let mut newest = HashMap::with_capacity(items.len());
    for (place, standing) in roll.standings.iter().enumerate() {
        let chosen = newest.entry(standing.owner).or_insert(place);
        if updated(place).zip(updated(*chosen)).is_some_and(|(this, other)| this > other) {
            *chosen = place;
        }
    }
    newest
}

/// Notes what is to be remembered under each name of an item, unless all of that is remembered already.
fn mark(roll: &Roll, standing: &Standing, judged: &Judged, seen: Seen, marks: &mut Vec<(SeenKey, Seen)>) {
    let (names, news) = roll.names(standing, &judged.candidate);
    let same = |old: Seen| Seen { owner: old.owner, ..seen } == old;
    if news || !standing.seen.is_some_and(same) {
        marks.extend(names.into_iter().map(|(key, owner)| (key, Seen { owner, ..seen })));
    }
}

/// How many items of a document first seen at `now` are newer than the one at `place`: by date where both have one,
/// else by place, since a feed shows its newest first.
fn newer(items: &[Judged], place: usize, now: Timestamp) -> usize {
    let date = |judged: &Judged| {
        let item = &judged.candidate.item;
        item.published.map(|_| dating::ordered_by(item, now))
    };
    let Some(own) = items.get(place).map(date) else { return 0 };
    let is_newer = |(other, judged): &(usize, &Judged)| match (date(judged), own) {
        (Some(theirs), Some(ours)) if theirs != ours => theirs > ours,
        _ => *other < place,
    };
    items.iter().enumerate().filter(is_newer).count()
}

fn count(items: usize) -> u32 {
    u32::try_from(items).unwrap_or(u32::MAX)
}
