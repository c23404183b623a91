//! Mirrors, which stand in for a Telegram channel that its own hosts do not show.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::ask::{Asked, Asker, Got, TOO_MANY_REQUESTS, Via, orders_to_wait};
use super::read::Read;
use super::station::Station;
use super::{network, read};
use crate::desk::{Desk, Source, Target};
use crate::event::Reach;
use crate::fetch::{ACCEPT_PAGE, Answer, Document, Fetched, Freshness, Redirects};
use crate::ingest::Outcome;
use crate::source::mirror::{self, Mirror};
use crate::source::telegram::ChannelName;
use crate::source::{Complaint, LAYOUT, Plan, Reading, Unreadable};
use crate::store::{SourceState, StoreError};

/// So many polls in a row must have found a channel without a preview before its own host rests.
const CONFIRMED_POLLS: u32 = 3;

/// Of so many polls one asks the channel's own host all the same: it may be shown again.
const PROBE_ONE_IN: u32 = 8;

/// Some mirrors lock out who goes on asking after their first refusal.
const REFUSED_FOR: Duration = Duration::from_mins(15);

/// Why a channel is not even asked for at its own host: at the last polls it had no preview or was gone, which changes
/// seldom.
pub(super) fn resting(state: &SourceState) -> Option<Unreadable> {
    let failing = state.failing.as_ref().filter(|failing| failing.polls >= CONFIRMED_POLLS)?;
    let off = Unreadable::PreviewOff;
    let gone = Unreadable::NotAChannel("it was none when it was last asked for".to_owned());
    let why = [off, gone].into_iter().find(|why| why.reason() == failing.reason)?;
    (failing.polls % PROBE_ONE_IN != 0).then_some(why)
}

/// What was read of a source whose layout is unknown, or else what its mirrors show: in place of it, or beside its own
/// page where that was read, but not all of it. Also how long what the mirror shows holds in its place.
///
/// # Errors
/// When the store fails.
pub(super) async fn or_instead(
    station: &Station,
    desk: &Arc<Desk>,
    source: &Arc<Source>,
    state: &SourceState,
    (mut read, page): (Read, Option<Document>),
    now: Timestamp,
) -> Result<(Read, Option<Duration>), StoreError> {
    let own = page.filter(|_| matches!(read.outcome, Outcome::Read(_))).map(Box::new);
    // Its own page alone says how long it holds.
    let is_read = own.is_some();
    let (Target::Telegram { channel, mirrors, .. }, Some(detail)) = (&source.target, read.layout()) else {
        return Ok((read, None));
    };
    let via = Via { cause: Complaint { reason: LAYOUT, detail: detail.clone() }, reach: Reach::Answered };
    let asked = Asked::of(Got::Unreadable(Unreadable::Layout(detail.clone())));
    let asked = Asker { desk, source, now, delta: false }.through(mirrors, asked, via, channel).await;
    let Got::Mirrored { document, reading, via, .. } = asked.got else {
        detail.push_str(&asked.mirrors);
        return Ok((read, None));
    };
    let got = Got::Mirrored { document, reading, via, own };
    let max_age = asked.freshness.max_age.filter(|_| !is_read);
    Ok((read::read(station, desk, source, state, got).await?, max_age))
}

impl Asker<'_> {
    /// The page of the first mirror that can be read, in place of a channel whose own host is left to rest; else why none
    /// can, and then that host has to be asked.
    pub(super) async fn mirror_alone(
        &self,
        why: Unreadable,
        channel: &ChannelName,
        mirrors: &[Mirror],
    ) -> Result<Asked, String> {
        let via = Via { cause: complaint(&why), reach: Reach::Untried };
        let asked = self.through(mirrors, Asked::of(Got::Unreadable(why)), via, channel).await;
        if matches!(asked.got, Got::Mirrored { .. }) { Ok(asked) } else { Err(asked.mirrors) }
    }

    /// The page of the first mirror that can be read, where no host shows the channel and none ordered to wait.
    pub(super) async fn or_mirror(&self, asked: Asked, channel: &ChannelName, mirrors: &[Mirror]) -> Asked {
        let via = match &asked.got {
            Got::Unreadable(
                why @ (Unreadable::PreviewOff | Unreadable::Withheld(_) | Unreadable::NotAChannel(_)),
            ) => Via { cause: complaint(why), reach: Reach::Answered },
            Got::Error(error) if !orders_to_wait(error) => Via {
                cause: Complaint { reason: error.reason(), detail: error.to_string() },
                reach: network::reach(&error.failure),
            },
            Got::Document(_)
            | Got::Unchanged(_)
            | Got::Mirrored { .. }
            | Got::Unreadable(_)
            | Got::Error(_) => return asked,
        };
        self.through(mirrors, asked, via, channel).await
    }

    /// What was asked, with the page of the first mirror that can be read in its place. What a mirror orders holds: for
    /// the source where it is read, else for its own host.
    async fn through(&self, mirrors: &[Mirror], asked: Asked, via: Via, channel: &ChannelName) -> Asked {
        let mut failed = String::new();
        for mirror in mirrors {
            let request = self.request(&mirror.page, ACCEPT_PAGE, None, Redirects::Follow);
            let why = match self.desk.fetcher.crawl(&request).await {
                Ok(Fetched { answer: Answer::Document(document), freshness, .. }) => {
                    match self.read_mirror(&document, mirror, channel).await {
                        Ok(reading) => {
                            let Via { cause: Complaint { reason, detail }, reach } = via;
                            let detail =
                                format!("{detail}{failed}; read through the mirror `{}`", mirror.host());
                            let via = Via { cause: Complaint { reason, detail }, reach };
                            let got = Got::Mirrored { document, reading: Box::new(reading), via, own: None };
                            return Asked { got, freshness: later(asked.freshness, freshness), ..asked };
                        }
                        Err(why) => why.to_string(),
                    }
                }
                Ok(Fetched { answer: Answer::Unchanged { .. } | Answer::Redirect { .. }, .. }) => {
                    "no page".to_owned()
                }
                Err(error) => {
                    let wait = error.freshness.retry_after.or_else(|| refused_for(error.status()));
                    if let (Some(host), Some(wait)) = (&error.host, wait) {
                        self.desk.fetcher.order(host, wait, self.now);
                    }
                    error.to_string()
                }
            };
            failed = format!("{failed}; the mirror `{}`: {why}", mirror.host());
        }
        Asked { mirrors: failed, ..asked }
    }

    /// What a mirror's page shows of the channel; read on a thread that may block.
    async fn read_mirror(
        &self,
        document: &Document,
        mirror: &Mirror,
        channel: &ChannelName,
    ) -> Result<Reading, Unreadable> {
        let (document, mirror, channel) = (document.clone(), mirror.clone(), channel.clone());
        let (source, now) = (Arc::clone(self.source), Some(self.now));
        let read = tokio::task::spawn_blocking(move || {
            mirror::read(&document, &mirror, &channel, &Plan { now, ..source.plan() })
        });
        read.await.unwrap_or_else(|bug| Err(Unreadable::Parse(format!("reading it ended in a bug: {bug}"))))
    }
}

/// How long a server is left alone that is asked too often and does not say for how long.
fn refused_for(status: Option<u16>) -> Option<Duration> {
    (status == Some(TOO_MANY_REQUESTS)).then_some(REFUSED_FOR)
}

fn complaint(why: &Unreadable) -> Complaint {
    Complaint { reason: why.reason(), detail: why.to_string() }
}

/// The later of what two servers order; the clock is the first one's.
fn later(own: Freshness, mirror: Freshness) -> Freshness {
    Freshness {
        max_age: own.max_age.max(mirror.max_age),
        retry_after: own.retry_after.max(mirror.retry_after),
        clock: own.clock,
    }
}
