//! Asks a source for its document: where, with which validators, and through which host of several.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use url::Url;

use super::{mirrored, network};
use crate::desk::{Desk, Source, Target};
use crate::event::Reach;
use crate::fetch::{
    ACCEPT_FEED, ACCEPT_PAGE, Answer, Document, Failure, FetchError, Fetched, Freshness, REDIRECTS_MAX,
    Redirects, Request, Validators,
};
use crate::item::SourceKind;
use crate::schedule::Condition;
use crate::source::telegram::{self, ChannelName, Turn};
use crate::source::{self, Complaint, Reading, Unreadable};
use crate::store::SourceState;

/// The status of a server that is asked too often.
pub(super) const TOO_MANY_REQUESTS: u16 = 429;

/// What asking came to.
pub enum Got {
    /// A document.
    Document(Document),
    /// The server says that nothing changed.
    Unchanged(Validators),
    /// A mirror's page of a channel that its hosts do not show.
    Mirrored {
        /// The page.
        document: Document,
        /// What it shows.
        reading: Box<Reading>,
        /// How it came.
        via: Via,
        /// The channel's own page, where that could be read, but not all of it.
        own: Option<Box<Document>>,
    },
    /// An answer from which nothing can be read.
    Unreadable(Unreadable),
    /// No answer, or an error.
    Error(FetchError),
}

impl Got {
    /// The source's own document.
    pub(super) fn document(&self) -> Option<&Document> {
        match self {
            Self::Document(document) => Some(document),
            Self::Unchanged(_) | Self::Mirrored { .. } | Self::Unreadable(_) | Self::Error(_) => None,
        }
    }
}

/// A mirror in place of the channel itself.
#[derive(Clone, Debug)]
pub struct Via {
    /// Why the channel itself was not read.
    pub cause: Complaint,
    /// Whether its own host was reached.
    pub reach: Reach,
}

/// What asking came to, and what came with it.
pub struct Asked {
    /// The answer.
    pub got: Got,
    /// When the server wishes to be asked again.
    pub freshness: Freshness,
    /// Time spent waiting for the host's turn.
    pub waited: Duration,
    /// Where it came from, if permanent redirects alone led there.
    pub led: Option<Url>,
    /// The host of which it tells whether it can be reached: the one that answered, or the one that failed. Of a page
    /// read through a mirror that of the channel.
    pub host: Option<String>,
    /// The host that was asked first, where it answered with a redirect to that one.
    pub passed: Option<String>,
    /// Hosts that stand in for that one and could not be reached either.
    pub others: Vec<String>,
    /// Why none of its mirrors could be read either, to follow the words of the failure; empty when none was asked.
    pub mirrors: String,
}

/// It was not asked: the host ordered everybody to wait.
pub struct Held {
    /// How long from now.
    pub left: Duration,
}

impl Asked {
    fn failed(error: FetchError) -> Result<Self, Held> {
        if let Failure::Held { left, .. } = error.failure {
            return Err(Held { left });
        }
        let (freshness, waited) = (*error.freshness, error.waited);
        let host = error.host.as_deref().map(str::to_owned);
        Ok(Self { freshness, waited, host, ..Self::of(Got::Error(error)) })
    }

    /// What was got, without anything around it.
    pub(super) fn of(got: Got) -> Self {
        let (freshness, waited) = (Freshness::default(), Duration::ZERO);
        let (others, mirrors) = (Vec::new(), String::new());
        Self { got, freshness, waited, led: None, host: None, passed: None, others, mirrors }
    }

    fn unreadable(why: Unreadable) -> Self {
        Self::of(Got::Unreadable(why))
    }
}

/// Asks a source for its document.
///
/// # Errors
/// [`Held`] when its host is on hold.
pub async fn ask(
    desk: &Desk,
    source: &Arc<Source>,
    state: &SourceState,
    now: Timestamp,
) -> Result<Asked, Held> {
    let delta = source.kind() == SourceKind::Feed && state.learned.takes(Condition::Delta, now);
    let asker = Asker { desk, source, now, delta };
    let moved = state.learned.moved.to.as_deref().and_then(|to| Url::parse(to).ok());
    match &source.target {
        Target::Feed(url) => asker.once(moved.as_ref().unwrap_or(url), ACCEPT_FEED, state).await,
        Target::Page { url, .. } => asker.once(moved.as_ref().unwrap_or(url), ACCEPT_PAGE, state).await,
        Target::Telegram { channel, hosts, mirrors } => {
            let mut dead = None;
            if let Some(why) = mirrored::resting(state).filter(|_| !mirrors.is_empty()) {
                match asker.mirror_alone(why, channel, mirrors).await {
                    Ok(mirrored) => return Ok(mirrored),
                    Err(why) => dead = Some(why),
                }
            }
            let direct = asker.telegram(channel, hosts, |host| channel.preview_url(host)).await?;
            Ok(match dead {
                Some(mirrors) => Asked { mirrors, ..direct },
                None => asker.or_mirror(direct, channel, mirrors).await,
            })
        }
    }
}

/// Asks a source for an older page: of a channel, what is older than the message number `cursor`; else the page at
/// the address `cursor`.
///
/// # Errors
/// [`Held`] when its host is on hold.
pub async fn ask_older(
    desk: &Desk,
    source: &Arc<Source>,
    cursor: &str,
    now: Timestamp,
) -> Result<Asked, Held> {
    let asker = Asker { desk, source, now, delta: false };
    let nowhere = || Ok(Asked::unreadable(Unreadable::Parse(format!("no older page at `{cursor}`"))));
    match &source.target {
        Target::Feed(_) | Target::Page { .. } => {
            let Ok(url) = Url::parse(cursor) else { return nowhere() };
            let accept = if source.kind() == SourceKind::Feed { ACCEPT_FEED } else { ACCEPT_PAGE };
            asker.fresh(&url, accept, None).await
        }
        Target::Telegram { channel, hosts, .. } => {
            let Ok(before) = cursor.parse() else { return nowhere() };
            asker.telegram(channel, hosts, |host| channel.older_url(host, before)).await
        }
    }
}

/// Whether the document last read is that of the source as it is configured now: the same address, read the same way.
pub fn is_same_document(source: &Source, state: &SourceState) -> bool {
    state.address == source.address() && state.read_as == source.read_as()
}

/// The validators to ask with, and where they came from.
pub(super) fn known<'a>(
    source: &Source,
    state: &'a SourceState,
    now: Timestamp,
) -> Option<&'a (String, Validators)> {
    // A walk that was cut off goes on from the document, also where that has not changed.
    let whole = state.walk.is_some() || state.learned.is_audit_due(now);
    let conditional = is_same_document(source, state) && !whole;
    let known = state.validators.as_ref().filter(|(_, known)| conditional && !known.is_empty());
    known.filter(|_| state.learned.takes(Condition::Validators, now))
}

/// Whoever asks for a source.
pub(super) struct Asker<'a> {
    pub(super) desk: &'a Desk,
    pub(super) source: &'a Arc<Source>,
    pub(super) now: Timestamp,
    /// Whether the new entries alone would do.
    pub(super) delta: bool,
}

impl Asker<'_> {
    async fn once(&self, url: &Url, accept: &'static str, state: &SourceState) -> Result<Asked, Held> {
        let known = known(self.source, state, self.now);
        let from = known.and_then(|(from, _)| Url::parse(from).ok());
        let validators = from.as_ref().zip(known.map(|(_, validators)| validators));
        self.fresh(url, accept, validators).await
    }

    async fn fresh(
        &self,
        url: &Url,
        accept: &'static str,
        validators: Option<(&Url, &Validators)>,
    ) -> Result<Asked, Held> {
        match self.fetch(url, accept, validators, Redirects::Follow).await {
            Ok(Fetched { answer, freshness, moved, for_good, host, waited }) => {
                let led = moved.filter(|_| for_good);
                let got = match answer {
                    Answer::Document(document) => Got::Document(document),
                    Answer::Unchanged { validators } => Got::Unchanged(validators),
                    Answer::Redirect { location } => {
                        Got::Unreadable(Unreadable::Parse(format!("redirected to `{location}`")))
                    }
                };
                let passed = passed(url, Some(&host));
                Ok(Asked { freshness, waited, led, host: Some(host), passed, ..Asked::of(got) })
            }
            Err(error) => {
                let asked = Asked::failed(error)?;
                Ok(Asked { passed: passed(url, asked.host.as_deref()), ..asked })
            }
        }
    }

    /// Asks the hosts in order until one answers, those first that could be reached lately. t.me itself was gone for a
    /// day in July 2026, while telegram.me went on.
    async fn telegram(
        &self,
        channel: &ChannelName,
        hosts: &[String],
        page: impl Fn(&str) -> Option<Url>,
    ) -> Result<Asked, Held> {
        let (mut failed, mut cut): (Option<(usize, FetchError)>, _) = (None, Vec::new());
        let mut odd: Option<(usize, Asked)> = None;
        for place in self.desk.reached.order(hosts, self.now) {
            let Some((host, url)) = hosts.get(place).and_then(|host| Some((host, page(host)?))) else {
                continue;
            };
            match self.preview(channel, hosts, url).await {
                Ok(Fetched { answer, freshness, host: answered, waited, .. }) => {
                    let is_odd =
                        matches!(&answer, Answer::Document(page) if !telegram::is_of_telegram(&page.bytes));
                    if is_odd {
                        self.desk.reached.failed(host, self.now);
                    } else {
                        self.desk.reached.answered(host);
                    }
                    let got = match answer {
                        Answer::Document(document) => Got::Document(document),
                        Answer::Unchanged { validators } => Got::Unchanged(validators),
                        Answer::Redirect { .. } => self.landing(channel, host).await,
                    };
                    let asked = Asked { freshness, waited, host: Some(answered), ..Asked::of(got) };
                    if !is_odd {
                        return Ok(asked);
                    }
                    // Whoever blocks Telegram answers in its place: another of its hosts may get through.
                    odd.get_or_insert((place, asked));
                }
                // The others are Telegram's too: what one orders is not to be dodged by asking the next.
                Err(error) if orders_to_wait(&error) => return Asked::failed(error),
                Err(error) => {
                    if error.failure.is_of_the_network() {
                        self.desk.reached.failed(host, self.now);
                    } else {
                        self.desk.reached.answered(host);
                    }
                    if network::reach(&error.failure) == Reach::Cut {
                        cut.extend(error.host.as_deref().map(str::to_owned));
                    }
                    if failed.as_ref().is_none_or(|(first, _)| place < *first) {
                        failed = Some((place, error));
                    }
                }
            }
        }
        // The others stand in for the first, so its failure is the channel's.
        match (failed, odd) {
            (Some((first, _)), Some((place, asked))) if place < first => Ok(asked),
            (None, Some((_, asked))) => Ok(asked),
            (Some((_, error)), _) => {
                let asked = Asked::failed(error)?;
                cut.retain(|host| Some(host) != asked.host.as_ref());
                Ok(Asked { others: cut, ..asked })
            }
            (None, None) => Ok(Asked::unreadable(Unreadable::Parse("no host to ask".into()))),
        }
    }

    /// A page of a channel's preview, from wherever on Telegram's hosts it leads; a redirect means that there is none.
    async fn preview(
        &self,
        channel: &ChannelName,
        hosts: &[String],
        mut url: Url,
    ) -> Result<Fetched, FetchError> {
        let astray = |to: String, host: String| FetchError {
            host: Some(host.into_boxed_str()),
            ..Failure::Redirect(to).into()
        };
        for _ in 0..=REDIRECTS_MAX {
            let fetched = self.fetch(&url, ACCEPT_PAGE, None, Redirects::Report).await?;
            let Answer::Redirect { location } = &fetched.answer else { return Ok(fetched) };
            match telegram::turn(channel, &url, hosts, location) {
                Turn::Landing => return Ok(fetched),
                Turn::Preview(onward) => url = onward,
                Turn::Astray(to) => return Err(astray(to, fetched.host)),
            }
        }
        let host = url.host_str().unwrap_or_default().to_owned();
        Err(astray(format!("more than {REDIRECTS_MAX} of them"), host))
    }

    /// Why a channel has no preview: its landing page tells. A name that cannot be asked about has none. A page of another
    /// layout than is known stands for the preview, so that it is kept like one.
    async fn landing(&self, channel: &ChannelName, host: &str) -> Got {
        let Some(url) = channel.landing_url(host) else { return Got::Unreadable(Unreadable::PreviewOff) };
        let fetched = self.fetch(&url, ACCEPT_PAGE, None, Redirects::Follow).await;
        let why = match fetched.map(|fetched| fetched.answer) {
            Ok(Answer::Document(document)) => match source::read(&document, &self.source.plan()).err() {
                Some(Unreadable::Layout(_)) => return Got::Document(document),
                why => why,
            },
            Ok(Answer::Unchanged { .. } | Answer::Redirect { .. }) | Err(_) => None,
        };
        Got::Unreadable(why.unwrap_or(Unreadable::PreviewOff))
    }

    async fn fetch(
        &self,
        url: &Url,
        accept: &'static str,
        validators: Option<(&Url, &Validators)>,
        redirects: Redirects,
    ) -> Result<Fetched, FetchError> {
        let request = self.request(url, accept, validators, redirects);
        match self.source.target {
            Target::Page { .. } => self.desk.fetcher.crawl(&request).await,
            Target::Feed(_) | Target::Telegram { .. } => self.desk.fetcher.fetch(&request).await,
        }
    }

    pub(super) fn request<'a>(
        &'a self,
        url: &'a Url,
        accept: &'static str,
        validators: Option<(&'a Url, &'a Validators)>,
        redirects: Redirects,
    ) -> Request<'a> {
        Request {
            url,
            validators,
            accept,
            delta: self.delta,
            redirects,
            proxy: self.source.spec.proxy.as_ref(),
            pinned: self.source.pinned.as_ref(),
            contact: self.source.spec.contact,
            now: self.now,
        }
    }
}

/// The host of the address asked, where the answer or the failure is that of another: it has sent us there.
fn passed(asked: &Url, last: Option<&str>) -> Option<String> {
    let first = asked.host_str()?.trim_end_matches('.').to_ascii_lowercase();
    (last? != first).then_some(first)
}

/// Whether a failure tells to wait.
pub(super) fn orders_to_wait(error: &FetchError) -> bool {
    error.is_held() || error.status() == Some(TOO_MANY_REQUESTS) || error.freshness.retry_after.is_some()
}
