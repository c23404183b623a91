//! robots.txt (RFC 9309): whether pages and articles may be asked for, and how fast.
//!
//! A feed is asked for because somebody subscribed to it, as peers have it. A page read by selectors and a linked article
//! are crawled: [`Robots`] knows what their servers say of that, for 24 hours. What a server that fails or cannot be
//! reached would say is not known, so nothing of it is asked for.

mod rules;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Mutex as TurnLock;
use url::Url;

pub use rules::Rules;

use super::error::{Failure, FetchError};
use super::{Answer, Fetched};

/// How long what a robots.txt says holds.
const FRESH: SignedDuration = SignedDuration::from_hours(24);

/// How long a server without a readable robots.txt is left alone before it is asked for it again.
const UNREACHABLE: SignedDuration = SignedDuration::from_mins(30);

/// Servers remembered before those that nobody asks are forgotten.
const SERVERS_MAX: usize = 4096;

/// What servers said, by scheme, host and port.
#[derive(Debug, Default)]
pub(super) struct Robots {
    // Held for a look-up only, never over an await.
    servers: Mutex<HashMap<String, Server>>,
}

/// One server: whoever asks first asks for all who wait.
pub(super) type Server = Arc<TurnLock<Option<Known>>>;

/// What a server said, and when.
#[derive(Clone, Debug)]
pub(super) struct Known {
    at: Timestamp,
    said: Said,
}

/// What is known of a server's wishes.
#[derive(Clone, Debug)]
pub(super) enum Said {
    /// These rules; none when it has no robots.txt.
    Rules(Arc<Rules>),
    /// Its robots.txt could not be had.
    Unreachable,
}

impl Robots {
    /// What is known of the server of an address.
    pub(super) fn server(&self, url: &Url) -> Server {
        let mut servers = self.servers.lock().unwrap_or_else(PoisonError::into_inner);
        if servers.len() >= SERVERS_MAX {
            servers.retain(|_, server| Arc::strong_count(server) > 1);
        }
        Arc::clone(servers.entry(url.origin().ascii_serialization()).or_default())
    }

    /// Takes over what another one knows.
    pub(super) fn succeed(&self, old: &Self) {
        let known = old.servers.lock().unwrap_or_else(PoisonError::into_inner).clone();
        *self.servers.lock().unwrap_or_else(PoisonError::into_inner) = known;
    }
}

impl Known {
    /// Whether rules are known, which hold on while their server cannot be reached.
    pub(super) fn has_rules(&self) -> bool {
        matches!(self.said, Said::Rules(_))
    }

    /// What it said, as long as that holds. A time in the future tells that the clock was set back.
    pub(super) fn holds(&self, now: Timestamp) -> Option<&Said> {
        let keep = match self.said {
            Said::Rules(_) => FRESH,
            Said::Unreachable => UNREACHABLE,
        };
        let age = now.duration_since(self.at);
        (!age.is_negative() && age < keep).then_some(&self.said)
    }

    /// What the answer to a request for a robots.txt says. Without an answer the rules known from before hold on.
    ///
    /// # Errors
    ///
    /// When the host was not asked, because it ordered everybody to wait.
    pub(super) fn of(
        answer: Result<Fetched, FetchError>,
        before: Option<&Self>,
        now: Timestamp,
    ) -> Result<Self, FetchError> {
        let said = match answer.map(|fetched| fetched.answer) {
            Ok(Answer::Document(document)) => Said::Rules(Arc::new(Rules::parse(&document.bytes))),
            Ok(Answer::Unchanged { .. } | Answer::Redirect { .. }) => Said::Unreachable,
            Err(error) if error.is_held() => return Err(error),
            Err(error) => match (&error.failure, error.status()) {
                // An empty one, and one that is not there, forbid nothing; who is asked too often wants to be left alone.
                (Failure::Status { .. }, Some(200 | 203 | 204 | 400..=428 | 430..=499)) => {
                    Said::Rules(Arc::default())
                }
                _ => Said::Unreachable,
            },
        };
        let said = match (said, before.map(|known| &known.said)) {
            (Said::Unreachable, Some(Said::Rules(rules))) => {
                // Asked for again after a while, not after a day.
                let at = now.checked_sub(FRESH).and_then(|at| at.checked_add(UNREACHABLE)).unwrap_or(now);
                return Ok(Self { at, said: Said::Rules(Arc::clone(rules)) });
            }
            (said, _) => said,
        };
        Ok(Self { at: now, said })
    }
}

/// The address of the robots.txt for an address.
pub(super) fn address(url: &Url) -> Option<Url> {
    let mut robots = url.join("/robots.txt").ok()?;
    robots.set_query(None);
    robots.set_fragment(None);
    Some(robots)
}
