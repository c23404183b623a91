//! One article: fetched, read, judged together with its entry, and recorded.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tracing::{debug, info};
use url::Url;

use super::clock;
use super::shelf::Page;
use super::station::Station;
use crate::article::retry::{self, Next};
use crate::article::{self, End, Pending, WAIT_DAYS_MAX};
use crate::config::ArticleChoice;
use crate::desk::{Desk, Source};
use crate::fault;
use crate::fetch::{ACCEPT_PAGE, Answer, Document, Failure, FetchError, Redirects, Request};
use crate::ingest::article::{self as settlement, Settled, Settlement};
use crate::item::Item;
use crate::rules::SourceLabel;
use crate::rules::verdict::Verdict;
use crate::store::{Day, StoreError};

/// Longest pause of a host for which one of the places is kept.
const PATIENCE: Duration = Duration::from_secs(5);

/// What an attempt came to.
pub(super) enum Ended {
    /// Settled; that is durable. What was read of its page serves others that link to it.
    Over(Settlement, Option<Page>),
    /// Put off; that is durable.
    Again(Pending),
    /// Not begun: a host asks for a pause of that length still.
    Resting { host: String, left: Duration },
}

impl Ended {
    /// Settled without a page that would serve others.
    fn alone(settlement: Settlement) -> Self {
        Self::Over(settlement, None)
    }
}

/// Fetches one article, unless its page is `known`, and records what became of it.
pub(super) async fn fetch(
    station: Station,
    desk: Arc<Desk>,
    pending: Pending,
    known: Option<Page>,
) -> Result<Ended, StoreError> {
    let now = clock::now();
    let source = desk.source(pending.source.as_str()).cloned();
    let source = source.filter(|source| source.spec.article != ArticleChoice::Never);
    let Some((source, url)) = source.zip(Url::parse(&pending.url).ok()) else {
        return settle(&station, &desk, None, pending, End::Dropped, None).await.map(Ended::alone);
    };
    if pending.is_too_old(Day::of(now)) {
        let end = End::Failed { detail: format!("it waited for more than {WAIT_DAYS_MAX} days") };
        return settle(&station, &desk, Some(&source), pending, end, None).await.map(Ended::alone);
    }
    if let Some(end) = retry::spent(&pending) {
        return settle(&station, &desk, Some(&source), pending, end, None).await.map(Ended::alone);
    }
    let is_news = |page: &Page| pending.anew.is_none_or(|since| page.at > since);
    if let Some(Page { end, clock, .. }) = known.filter(is_news) {
        return settle(&station, &desk, Some(&source), pending, end, clock).await.map(Ended::alone);
    }
    let request = Request {
        url: &url,
        validators: None,
        accept: ACCEPT_PAGE,
        delta: false,
        redirects: Redirects::Follow,
        proxy: source.spec.proxy.as_ref(),
        pinned: source.pinned.as_ref(),
        contact: source.spec.contact,
        now,
    };
    let fetched = desk.fetcher.crawl_within(&request, PATIENCE).await;
    let showed = fetched.as_ref().ok().and_then(|fetched| fetched.freshness.clock);
    let end = match fetched.map(|fetched| fetched.answer) {
        Ok(Answer::Document(document)) => {
            // Durable before it is read: a page that ends the program would end it at every start.
            let reading = retry::reading(pending.clone(), now);
            station.commit(&desk.fetcher, move |tx| settlement::put_off(tx, &reading)).await?;
            let end = read(document, url, source.spec.lang.clone()).await;
            match retry::next_unread(end, pending.attempts, clock::now()) {
                Next::Over(end) => end,
                Next::Again { due, attempts } => {
                    debug!(item = %pending.item, %due, "an article is looked for again: its page has none yet");
                    return put_off(&station, &desk, Pending { attempts, due, ..pending }).await;
                }
            }
        }
        Ok(Answer::Unchanged { .. } | Answer::Redirect { .. }) => {
            End::Failed { detail: "an answer without a document".to_owned() }
        }
        Err(FetchError { failure: Failure::Resting { host, left }, .. }) => {
            return Ok(Ended::Resting { host: host.into(), left });
        }
        Err(error) => match next(&station, &error, pending.attempts).await? {
            Next::Over(end) => end,
            Next::Again { due, attempts } => {
                debug!(item = %pending.item, %due, "an article is tried again: {error}");
                return put_off(&station, &desk, Pending { attempts, due, ..pending }).await;
            }
        },
    };
    let is_said = matches!(end, End::Used { .. } | End::Unfit(_));
    let page = is_said.then(|| Page { end: end.clone(), at: now, clock: showed });
    let settlement = settle(&station, &desk, Some(&source), pending, end, showed).await?;
    Ok(Ended::Over(settlement, page))
}

/// Lets an article wait for its next attempt.
async fn put_off(station: &Station, desk: &Arc<Desk>, later: Pending) -> Result<Ended, StoreError> {
    let stored = later.clone();
    station.commit(&desk.fetcher, move |tx| settlement::put_off(tx, &stored)).await?;
    Ok(Ended::Again(later))
}

/// What follows the failure of an attempt.
async fn next(station: &Station, error: &FetchError, attempts: u32) -> Result<Next, StoreError> {
    let network = station.read(|store| store.network()).await?;
    let decide = if network.offline.is_some() { retry::next_offline } else { retry::next };
    Ok(decide(error, attempts, clock::now()))
}

/// Takes the text from a page, on a thread that may be kept busy.
async fn read(document: Document, asked: Url, lang: Option<String>) -> End {
    let read = tokio::task::spawn_blocking(move || {
        fault::point("reading");
        article::read(&document, &asked, lang.as_deref())
    });
    match read.await {
        Ok(Ok(text)) => End::Used { text },
        Ok(Err(unfit)) => End::Unfit(unfit),
        Err(_) => End::Failed { detail: "its page could not be read".to_owned() },
    }
}

async fn settle(
    station: &Station,
    desk: &Arc<Desk>,
    source: Option<&Arc<Source>>,
    pending: Pending,
    end: End,
    showed: Option<Timestamp>,
) -> Result<Settlement, StoreError> {
    let judged = match (&end, source) {
        (End::Used { text }, Some(source)) => judge(station, desk, source, &pending, text.clone()).await?,
        _ => None,
    };
    let spec = source.map(|source| &source.spec);
    let settled = Settled {
        end,
        at: clock::now(),
        clock: showed,
        tags: spec.map(|spec| spec.tags.clone()).unwrap_or_default(),
        tier: spec.map_or(2, |spec| spec.tier),
        judged,
        pending,
    };
    let (item, name, end) = (settled.pending.item, settled.pending.source.clone(), settled.end.as_str());
    let force = desk.in_force.clone();
    let settlement =
        station.commit(&desk.fetcher, move |tx| settlement::settle(tx, &settled, &force)).await?;
    debug!(source = %name, %item, end, "an article is settled");
    for (alert, disposition) in &settlement.receipt.alerts {
        info!(source = %name, %alert, disposition = disposition.as_str(), "alert made, with the article");
    }
    Ok(settlement)
}

/// Asks the rules about the stored entry together with its article.
async fn judge(
    station: &Station,
    desk: &Arc<Desk>,
    source: &Arc<Source>,
    pending: &Pending,
    text: String,
) -> Result<Option<(Item, Verdict)>, StoreError> {
    let (desk, source, item, first) = (Arc::clone(desk), Arc::clone(source), pending.item, pending.first);
    station
        .read(move |store| {
            let Some(stored) = store.item(item, first)? else { return Ok(None) };
            let label = SourceLabel { name: source.name(), tags: &source.spec.tags };
            let verdict = settlement::added(&desk.engine, &stored.item, &text, label);
            Ok(Some((stored.item, verdict)))
        })
        .await
}
