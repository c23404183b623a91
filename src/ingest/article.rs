//! An article's end as one transaction: what it adds to the verdict of its entry, and that it is wanted no more.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;

use super::record::{self, Recorder, Told};
use super::{InForce, Receipt};
use crate::article::{self, End, Fate, Pending, retry};
use crate::config::ArticleChoice;
use crate::item::{Dating, Item, SourceName, link};
use crate::rules::spec::Mode;
use crate::rules::verdict::Verdict;
use crate::rules::{Engine, SourceLabel};
use crate::store::{Day, StoreError, StoredItem, Transaction};
use crate::story::TEXT_BYTES_MAX;
use crate::story::kept::Kept;
use crate::text::ByteSpan;

/// An article that is fetched or given up.
#[derive(Clone, Debug)]
pub struct Settled {
    /// As it waited.
    pub pending: Pending,
    /// What became of it.
    pub end: End,
    /// When.
    pub at: Timestamp,
    /// What the clock of its server showed.
    pub clock: Option<Timestamp>,
    /// Tags of its source.
    pub tags: Vec<String>,
    /// Tier of its source.
    pub tier: u8,
    /// The entry as it was when it was judged together with the article, and what fired anew.
    pub judged: Option<(Item, Verdict)>,
}

/// What fires on an entry together with its article and not on the entry alone, and all that both mention.
pub fn added(engine: &Engine, item: &Item, text: &str, label: SourceLabel<'_>) -> Verdict {
    let alone = engine.judge(item, Some(label));
    let mut together = engine.judge(&article::joined(item, text), Some(label));
    together.fired.retain(|rule| alone.fired.iter().all(|known| known.rule != rule.rule));
    together
}

/// What is stored of an article that is settled.
#[derive(Clone, Debug, Default)]
pub struct Settlement {
    /// What follows for those who are told.
    pub receipt: Receipt,
    /// The same article, where it is read once more.
    pub again: Option<Box<Pending>>,
}

/// Writes what became of an article; an entry that fires with it alone alerts like one that fires by itself.
///
/// # Errors
/// When the store cannot be read or written.
pub fn settle(tx: &dyn Transaction, settled: &Settled, force: &InForce) -> Result<Settlement, StoreError> {
    let Pending { item: id, first, source, url, repeat, .. } = &settled.pending;
    let mut settlement = Settlement::default();
    // As it is stored: its entry may have been edited since the attempt began.
    let Some(pending) = tx.pending_article(*id)? else { return Ok(settlement) };
    tx.drop_pending_article(*id)?;
    let stored = tx.item(*id, *first)?;
    let before = tx.article(*id, *first)?;
    let readings = before.as_ref().map_or(0, |fate| fate.readings).saturating_add(1);
    let (mut end, mut told) = (settled.end.clone(), pending.told);
    told.extend(before.iter().flat_map(|fate| fate.told.clone()));
    if let (End::Used { text }, Some(stored)) = (&mut end, &stored) {
        let label = SourceLabel { name: source, tags: &settled.tags };
        let mut verdict = match &settled.judged {
            Some((item, verdict)) if *item == stored.item => verdict.clone(),
            // Edited meanwhile.
            Some(_) | None => added(&force.engine, &stored.item, text, label),
        };
        let kept = kept(&stored.item, text, &verdict);
        let fired: Vec<_> = verdict.fired.iter().map(|rule| Arc::clone(&rule.rule)).collect();
        verdict.fired.retain(|rule| !told.contains(&rule.rule));
        told.extend(fired);
        if !verdict.fired.is_empty() {
            let (tags, tier) = (settled.tags.as_slice(), settled.tier);
            let repeat = if *repeat { tx.restored()?.map(|restored| restored.taken) } else { None };
            settlement.receipt.repeat = repeat.is_some();
            let (now, clock) = (settled.at, settled.clock);
            let recorder = Recorder { tx, force, now, clock, source, tags, tier, repeat };
            let dating = Dating::of(&stored.item, stored.fetched, None);
            // Only a page that no other entry is shown under is an article.
            let link = stored.item.url.as_deref().and_then(|url| link::naming(url, true));
            let item = &article::joined(&stored.item, text);
            let told = Told { item, article: Some(article::begin(&stored.item)), link: link.as_deref() };
            recorder.alert(told, verdict, dating, &mut settlement.receipt)?;
        }
        *text = kept;
    } else if stored.is_none() {
        return Ok(settlement);
    }
    count(tx, source, &end, settled.at)?;
    let mut fate = Fate { item: *id, first: *first, url: url.clone(), at: settled.at, end, readings, told };
    settlement.again = again(tx, &fate, &settled.pending)?.map(Box::new);
    let is_used = |fate: &Fate| used(fate).is_some();
    if let Some(before) = before.filter(|before| is_used(before) && !is_used(&fate)) {
        // What could not be read once more said what it said.
        (fate.end, fate.url) = (before.end, before.url);
    }
    tx.put_article(&fate)?;
    Ok(settlement)
}

/// Notes that an article that promises more is to be read once more, where that has room to wait.
fn again(tx: &dyn Transaction, fate: &Fate, pending: &Pending) -> Result<Option<Pending>, StoreError> {
    let Some(due) = retry::next_of_stub(fate) else { return Ok(None) };
    if tx.waiting_articles(&pending.source)?.refusal(&pending.url).is_some() {
        return Ok(None);
    }
    let (anew, told) = (Some(fate.at), BTreeSet::new());
    let again = Pending { attempts: 0, due, anew, told, ..pending.clone() };
    tx.put_pending_article(&again)?;
    Ok(Some(again))
}

/// Counts how an article ended among those of its source.
fn count(tx: &dyn Transaction, source: &SourceName, end: &End, at: Timestamp) -> Result<(), StoreError> {
    let Some(mut state) = tx.source(source)? else { return Ok(()) };
    state.articles.add(end, Day::of(at));
    tx.put_source(&state)
}

/// What is kept of the text of an article: also where words stand on which rules fired, so that whoever asks why sees
/// them, and an edit is compared with them.
fn kept(item: &Item, text: &str, verdict: &Verdict) -> String {
    let begins = article::begin(item);
    let within = |span: ByteSpan| {
        Some(ByteSpan { start: span.start.checked_sub(begins)?, end: span.end.checked_sub(begins)? })
    };
    let places: Vec<_> = record::places_of(verdict.fired.iter()).into_iter().filter_map(within).collect();
    Kept::of(text, &places, TEXT_BYTES_MAX).text
}

/// Puts off an article that waits still.
///
/// # Errors
/// When the store cannot be read or written.
pub fn put_off(tx: &dyn Transaction, later: &Pending) -> Result<(), StoreError> {
    match tx.pending_article(later.item)? {
        // What fired on its entry meanwhile stands there alone.
        Some(stored) => tx.put_pending_article(&Pending { told: stored.told, ..later.clone() }),
        None => Ok(()),
    }
}

/// What decides whether the article of an item is wanted.
pub(super) struct Wish<'a> {
    pub(super) choice: ArticleChoice,
    pub(super) source: &'a SourceName,
    pub(super) now: Timestamp,
    pub(super) repeat: bool,
}

/// How the item is shown whose article may be wanted.
#[derive(Clone, Copy)]
pub(super) enum Shown<'a> {
    /// For the first time, or in the same words.
    Plainly {
        /// Whether it fires by itself.
        fires: bool,
    },
    /// In other words than before.
    Edited(&'a Edit),
}

impl Shown<'_> {
    fn fires(self) -> bool {
        match self {
            Self::Plainly { fires } => fires,
            Self::Edited(edit) => edit.alone,
        }
    }

    fn fired_before(self) -> BTreeSet<Arc<str>> {
        match self {
            Self::Plainly { .. } => BTreeSet::new(),
            Self::Edited(edit) => edit.fired.clone(),
        }
    }
}

/// What came of a wish.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Noted {
    /// No article is wanted, or it is known.
    Nothing,
    /// It waits to be fetched.
    Waits,
    /// It has no room to wait.
    Refused,
}

impl Wish<'_> {
    /// Notes the article of an item to be fetched, if it is wanted and not known yet, or once more where the item was edited:
    /// what has no room to wait is over at once.
    pub(super) fn note(
        &self,
        tx: &dyn Transaction,
        item: &Item,
        first: Day,
        shown: Shown<'_>,
    ) -> Result<Noted, StoreError> {
        let Some(url) = article::wanted(self.choice, item, shown.fires()) else { return Ok(Noted::Nothing) };
        let told = shown.fired_before();
        if let Some(mut waiting) = tx.pending_article(item.id)? {
            waiting.told.extend(told);
            tx.put_pending_article(&waiting)?;
            return Ok(Noted::Nothing);
        }
        let fate = tx.article(item.id, first)?;
        let due = match (&fate, shown) {
            (None, _) => self.now,
            (Some(fate), Shown::Edited(_)) => match retry::next_reading(fate, self.now) {
                Some(due) => due,
                None => return Ok(Noted::Nothing),
            },
            (Some(_), Shown::Plainly { .. }) => return Ok(Noted::Nothing),
        };
        if let Some(detail) = tx.waiting_articles(self.source)?.refusal(&url) {
            if fate.is_some() {
                return Ok(Noted::Nothing);
            }
            tx.put_article(&self.unread(item, first, &url, End::Failed { detail }))?;
            return Ok(Noted::Refused);
        }
        let (source, repeat, anew) = (self.source.clone(), self.repeat, fate.map(|_| self.now));
        let pending = Pending { item: item.id, first, source, url, attempts: 0, due, repeat, anew, told };
        tx.put_pending_article(&pending)?;
        Ok(Noted::Waits)
    }

    /// What became of an article that nobody tried to read.
    fn unread(&self, item: &Item, first: Day, url: &str, end: End) -> Fate {
        let url = article::shortened(url).to_owned();
        Fate { item: item.id, first, url, at: self.now, end, readings: 0, told: BTreeSet::new() }
    }

    /// Notes that the article of an item of which nothing was told so far is not wanted: nobody knows what of it is new.
    pub(super) fn renounce(&self, tx: &dyn Transaction, item: &Item, first: Day) -> Result<(), StoreError> {
        let choice = if self.choice == ArticleChoice::Never { self.choice } else { ArticleChoice::Always };
        let Some(url) = article::wanted(choice, item, false) else { return Ok(()) };
        tx.put_article(&self.unread(item, first, &url, End::Dropped))
    }
}

/// What an edit changes for the rules that are told. The article only adds, to both versions alike.
pub(super) struct Edit {
    /// Whether the entry fires now by itself.
    pub(super) alone: bool,
    /// The rules that are told and fired on the stored version, by itself or with its article.
    fired: BTreeSet<Arc<str>>,
    /// Whether a rule that is told fires now on the entry by itself, and did not before.
    pub(super) tells: bool,
    /// The entry with its article, and what fires on both together alone, where that tells something new.
    pub(super) added: Option<(Item, Verdict)>,
}

impl Edit {
    /// Compares what is stored with what is shown now; `fate` is that of the article.
    pub(super) fn of(
        engine: &Engine,
        label: SourceLabel<'_>,
        stored: &StoredItem,
        now: &Item,
        fate: Option<&Fate>,
    ) -> Self {
        let (before, text) = (&stored.item, fate.and_then(used));
        // Of a version of earlier days nobody knows what fired behind the cut: there both are judged as far as that.
        let short = (stored.fired.is_none() && record::is_long(before)).then(|| record::cut(now));
        let now = short.as_ref().unwrap_or(now);
        let judge = |item: &Item| engine.judge(item, Some(label));
        let with_article = text.map(|text| judge(&article::joined(before, text)).fired);
        let fired = judge(before).fired.into_iter().chain(with_article.into_iter().flatten());
        let fired = fired.filter(|rule| rule.mode == Mode::Live).map(|rule| rule.rule);
        let fired = fired.chain(fate.iter().flat_map(|fate| fate.told.clone()));
        let unstored = stored.fired.iter().flatten().map(|rule| Arc::from(rule.as_str()));
        let fired = fired.chain(unstored).collect();
        let shown = judge(now);
        let alone = record::fires(&shown);
        let mut edit = Self { alone, fired, tells: false, added: None };
        edit.tells = edit.news(shown).is_some();
        let added = text.map(|text| (article::joined(now, text), added(engine, now, text, label)));
        edit.added = added.and_then(|(item, verdict)| Some((item, edit.news(verdict)?)));
        edit
    }

    /// Whether it tells anything new.
    pub(super) fn is_news(&self) -> bool {
        self.tells || self.added.is_some()
    }

    /// What of a verdict on the version shown now is to be told: the rules that did not fire before, and those on trial
    /// beside them. `None` where no rule is told.
    pub(super) fn news(&self, mut verdict: Verdict) -> Option<Verdict> {
        verdict.fired.retain(|rule| !self.fired.contains(&rule.rule));
        record::fires(&verdict).then_some(verdict)
    }
}

/// The text of an article, where it was used.
fn used(fate: &Fate) -> Option<&str> {
    match &fate.end {
        End::Used { text } => Some(text),
        End::Unfit(_) | End::Robots | End::Failed { .. } | End::Dropped => None,
    }
}
