//! An article's end as one transaction: what it adds to the verdict of its entry, and that it is wanted no more.

use jiff::Timestamp;

use super::record::{self, Recorder};
use super::{InForce, Receipt};
use crate::article::{self, End, Fate, Pending};
use crate::config::ArticleChoice;
use crate::item::{Dating, Item, SourceName};
use crate::rules::verdict::Verdict;
use crate::rules::{Engine, SourceLabel};
use crate::store::{Day, StoreError, Transaction};

/// An article that is fetched or given up.
#[derive(Clone, Debug)]
pub struct Settled {
    /// As it waited.
    pub pending: Pending,
    /// What became of it.
    pub end: End,
    /// When.
    pub at: Timestamp,
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

/// Writes what became of an article; an entry that fires with it alone alerts like one that fires by itself.
///
/// # Errors
/// When the store cannot be read or written.
pub fn settle(tx: &dyn Transaction, settled: &Settled, force: &InForce) -> Result<Receipt, StoreError> {
    let Pending { item: id, first, source, url, .. } = &settled.pending;
    let mut receipt = Receipt::default();
    if tx.pending_article(*id)?.is_none() {
        return Ok(receipt);
    }
    tx.drop_pending_article(*id)?;
    let stored = tx.item(*id, *first)?;
    let mut end = settled.end.clone();
    if let (End::Used { text }, Some(stored)) = (&mut end, &stored) {
        let label = SourceLabel { name: source, tags: &settled.tags };
        let verdict = match &settled.judged {
            Some((item, verdict)) if *item == stored.item => verdict.clone(),
            // Edited meanwhile.
            Some(_) | None => added(&force.engine, &stored.item, text, label),
        };
        if !verdict.fired.is_empty() {
            let (tags, tier) = (settled.tags.as_slice(), settled.tier);
            let recorder = Recorder { tx, force, now: settled.at, source, tags, tier };
            let dating = Dating::of(&stored.item, stored.fetched, None);
            recorder.alert(&article::joined(&stored.item, text), verdict, dating, &mut receipt)?;
        }
        *text = record::cut_text(text).to_owned();
    } else if stored.is_none() {
        return Ok(receipt);
    }
    tx.put_article(&Fate { item: *id, first: *first, url: url.clone(), at: settled.at, end })?;
    Ok(receipt)
}

/// Puts off an article that waits still.
///
/// # Errors
/// When the store cannot be read or written.
pub fn put_off(tx: &dyn Transaction, later: &Pending) -> Result<(), StoreError> {
    match tx.pending_article(later.item)? {
        Some(_) => tx.put_pending_article(later),
        None => Ok(()),
    }
}

/// What decides whether the article of an item is wanted.
pub(super) struct Wish<'a> {
    pub(super) choice: ArticleChoice,
    pub(super) source: &'a SourceName,
    pub(super) now: Timestamp,
}

impl Wish<'_> {
    /// Notes the article of an item to be fetched, if it is wanted and not known yet. Says whether it did: what has no
    /// room to wait is over at once.
    pub(super) fn note(
        &self,
        tx: &dyn Transaction,
        item: &Item,
        first: Day,
        fired: bool,
    ) -> Result<bool, StoreError> {
        let Some(url) = article::wanted(self.choice, item, fired) else { return Ok(false) };
        if tx.pending_article(item.id)?.is_some() || tx.article(item.id, first)?.is_some() {
            return Ok(false);
        }
        if let Some(detail) = tx.waiting_articles(self.source)?.refusal(&url) {
            let url = article::shortened(&url).to_owned();
            let end = End::Failed { detail };
            tx.put_article(&Fate { item: item.id, first, url, at: self.now, end })?;
            return Ok(false);
        }
        let (source, due) = (self.source.clone(), self.now);
        tx.put_pending_article(&Pending { item: item.id, first, source, url, attempts: 0, due })?;
        Ok(true)
    }
}

/// The stored version of an item as it was judged last: with its article, where that was used.
pub(super) fn as_judged(tx: &dyn Transaction, item: Item, first: Day) -> Result<Item, StoreError> {
    Ok(match tx.article(item.id, first)?.map(|fate| fate.end) {
        Some(End::Used { text }) => article::joined(&item, &text),
        Some(End::Unfit(_) | End::Robots | End::Failed { .. } | End::Dropped) | None => item,
    })
}
