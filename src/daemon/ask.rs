//! Asks a source for its document: where, with which validators, and through which host of several.

use std::time::Duration;

use jiff::Timestamp;
use url::Url;

use crate::desk::{Desk, Source, Target};
use crate::fetch::{
    ACCEPT_FEED, ACCEPT_PAGE, Answer, Document, Failure, FetchError, Fetched, Freshness, Redirects, Request,
    Validators,
};
use crate::source::telegram::ChannelName;
use crate::source::{self, Unreadable};
use crate::store::SourceState;

/// The status of a server that is asked too often.
pub const TOO_MANY_REQUESTS: u16 = 429;

/// What asking came to.
pub enum Got {
    /// A document.
    Document(Document),
    /// The server says that nothing changed.
    Unchanged(Validators),
    /// An answer from which nothing can be read.
    Unreadable(Unreadable),
    /// No answer, or an error.
    Error(FetchError),
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
        let (freshness, waited) = (error.freshness, error.waited);
        Ok(Self { got: Got::Error(error), freshness, waited, led: None })
    }

    fn unreadable(why: Unreadable) -> Self {
        Self { got: Got::Unreadable(why), freshness: Freshness::default(), waited: Duration::ZERO, led: None }
    }
}

/// Asks a source for its document.
///
/// # Errors
/// [`Held`] when its host is on hold.
pub async fn ask(desk: &Desk, source: &Source, state: &SourceState, now: Timestamp) -> Result<Asked, Held> {
    let asker = Asker { desk, source, now };
    let moved = state.learned.moved.to.as_deref().and_then(|to| Url::parse(to).ok());
    match &source.target {
        Target::Feed(url) => asker.once(moved.as_ref().unwrap_or(url), ACCEPT_FEED, state).await,
        Target::Page { url, .. } => asker.once(moved.as_ref().unwrap_or(url), ACCEPT_PAGE, state).await,
        Target::Telegram { channel, hosts } => asker.telegram(channel, hosts).await,
    }
}

/// Whether the document last read is that of the source as it is configured now: the same address, read the same way.
pub fn is_same_document(source: &Source, state: &SourceState) -> bool {
    state.address == source.address() && state.read_as == source.read_as()
}

struct Asker<'a> {
    desk: &'a Desk,
    source: &'a Source,
    now: Timestamp,
}

impl Asker<'_> {
    async fn once(&self, url: &Url, accept: &'static str, state: &SourceState) -> Result<Asked, Held> {
        let conditional = is_same_document(self.source, state) && !state.learned.is_audit_due(self.now);
        let known = state.validators.as_ref().filter(|_| conditional);
        let from = known.and_then(|(from, _)| Url::parse(from).ok());
        let validators = from.as_ref().zip(known.map(|(_, validators)| validators));
        match self.fetch(url, accept, validators, Redirects::Follow).await {
            Ok(Fetched { answer, freshness, moved, for_good, waited }) => {
                let led = moved.filter(|_| for_good);
                let got = match answer {
                    Answer::Document(document) => Got::Document(document),
                    Answer::Unchanged { validators } => Got::Unchanged(validators),
                    Answer::Redirect { location } => {
                        Got::Unreadable(Unreadable::Parse(format!("redirected to `{location}`")))
                    }
                };
                Ok(Asked { got, freshness, waited, led })
            }
            Err(error) => Asked::failed(error),
        }
    }

    /// Asks the hosts in order until one answers. t.me itself was gone for a day in July 2026, while
    /// telegram.me went on.
    async fn telegram(&self, channel: &ChannelName, hosts: &[String]) -> Result<Asked, Held> {
        let mut last = None;
        for host in hosts {
            let Some(url) = channel.preview_url(host) else { continue };
            match self.fetch(&url, ACCEPT_PAGE, None, Redirects::Report).await {
                Ok(Fetched { answer, freshness, waited, .. }) => {
                    let got = match answer {
                        Answer::Document(document) => Got::Document(document),
                        Answer::Unchanged { validators } => Got::Unchanged(validators),
                        Answer::Redirect { .. } => Got::Unreadable(self.landing(channel, host).await),
                    };
                    return Ok(Asked { got, freshness, waited, led: None });
                }
                // The others are Telegram's too: what one orders is not to be dodged by asking the next.
                Err(error) if orders_to_wait(&error) => return Asked::failed(error),
                Err(error) => last = Some(error),
            }
        }
        match last {
            Some(error) => Asked::failed(error),
            None => Ok(Asked::unreadable(Unreadable::Parse("no host to ask".into()))),
        }
    }

    /// Why a channel has no preview: its landing page tells. A name that cannot be asked about has none.
    async fn landing(&self, channel: &ChannelName, host: &str) -> Unreadable {
        let Some(url) = channel.landing_url(host) else { return Unreadable::PreviewOff };
        let fetched = self.fetch(&url, ACCEPT_PAGE, None, Redirects::Follow).await;
        match fetched.map(|fetched| fetched.answer) {
            Ok(Answer::Document(document)) => {
                source::read(&document, &self.source.plan()).err().unwrap_or(Unreadable::PreviewOff)
            }
            Ok(Answer::Unchanged { .. } | Answer::Redirect { .. }) | Err(_) => Unreadable::PreviewOff,
        }
    }

    async fn fetch(
        &self,
        url: &Url,
        accept: &'static str,
        validators: Option<(&Url, &Validators)>,
        redirects: Redirects,
    ) -> Result<Fetched, FetchError> {
        let request = Request {
            url,
            validators,
            accept,
            redirects,
            proxy: self.source.spec.proxy.as_ref(),
            contact: self.source.spec.contact,
            now: self.now,
        };
        self.desk.fetcher.fetch(&request).await
    }
}

fn orders_to_wait(error: &FetchError) -> bool {
    error.is_held() || error.status() == Some(TOO_MANY_REQUESTS) || error.freshness.retry_after.is_some()
}
