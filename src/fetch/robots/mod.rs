//! robots.txt (RFC 9309): whether pages and articles may be asked for, and how fast.
//!
//! A feed is asked for because somebody subscribed to it, as peers have it. A page read by selectors and a linked article
//! are crawled: [`Robots`] knows what their servers say of that, for 24 hours, over restarts too. What a server that fails
//! or cannot be reached would say is not known, so nothing of it is asked for.

mod rules;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Mutex as TurnLock;
use url::Url;

pub use rules::Rules;

use super::error::{Failure, FetchError};
use super::{Answer, Fetched};
use crate::schedule;

/// How long what a robots.txt says holds.
const FRESH: SignedDuration = SignedDuration::from_hours(24);

/// How long a server without a readable robots.txt is left alone before it is asked for it again.
const UNREACHABLE: SignedDuration = SignedDuration::from_mins(30);

/// Servers remembered at one time.
const SERVERS_MAX: usize = 4096;

/// What the rules of all servers may take of the memory, in bytes: those of thousands of usual ones, or the longest of a
/// dozen.
const BYTES_MAX: usize = 16 * 1024 * 1024;

/// What servers said, by scheme, host and port.
#[derive(Debug, Default)]
pub(super) struct Robots {
    // Held for a look-up only, never over an await.
    servers: Mutex<HashMap<String, Server>>,
}

/// One server: whoever asks first asks for all who wait.
pub(super) type Server = Arc<TurnLock<Option<RobotsTxt>>>;

/// What a server said by its robots.txt.
#[derive(Clone, Debug, PartialEq)]
pub struct RobotsTxt {
    /// When it was asked for; of rules that hold on while it cannot be had, when it was last read.
    pub at: Timestamp,
    /// When it is to be asked for again.
    pub until: Timestamp,
    /// Its rules, none of them when there is no such file; in words why it could not be had, if it could not.
    pub rules: Result<Arc<Rules>, Box<str>>,
}

impl Robots {
    /// What is known of the server of an address.
    pub(super) fn server(&self, url: &Url) -> Server {
        let mut servers = self.servers.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(servers.entry(url.origin().ascii_serialization()).or_default())
    }

    /// Takes in what was stored of a server, unless it is known.
    pub(super) fn recall(&self, origin: String, said: RobotsTxt) {
        let mut servers = self.servers.lock().unwrap_or_else(PoisonError::into_inner);
        servers.entry(origin).or_insert_with(|| Arc::new(TurnLock::new(Some(said))));
    }

    /// Forgets what was learned longest ago until the rest is within bounds, and tells of whom. Servers that somebody
    /// asks now stay; those are few.
    pub(super) fn trim(&self) -> Vec<String> {
        let mut servers = self.servers.lock().unwrap_or_else(PoisonError::into_inner);
        let size = |server: &Server| server.try_lock().ok().map(|known| known.as_ref().map(RobotsTxt::size));
        let mut idle: Vec<_> = servers
            .iter()
            .filter(|(_, server)| Arc::strong_count(server) == 1)
            .filter_map(|(origin, server)| {
                size(server).map(|size| (size.unwrap_or_default(), origin.clone()))
            })
            .collect();
        idle.sort_unstable();
        let (mut bytes, mut count) = (idle.iter().map(|((_, bytes), _)| bytes).sum::<usize>(), servers.len());
        let mut forgotten = Vec::new();
        for ((_, freed), origin) in idle {
            if bytes <= BYTES_MAX && count <= SERVERS_MAX {
                break;
            }
            servers.remove(&origin);
            forgotten.push(origin);
            (bytes, count) = (bytes.saturating_sub(freed), count - 1);
        }
        forgotten
    }

    /// Takes over what another one knows.
    pub(super) fn succeed(&self, old: &Self) {
        let known = old.servers.lock().unwrap_or_else(PoisonError::into_inner).clone();
        *self.servers.lock().unwrap_or_else(PoisonError::into_inner) = known;
    }
}

impl RobotsTxt {
    /// When it was learned, and what it takes of the memory, in bytes.
    fn size(&self) -> (Timestamp, usize) {
        (self.at, self.rules.as_ref().map_or(0, |rules| rules.bytes()))
    }

    /// Whether it need not be asked for yet. A time in the future, or one too far in it, tells that the clock was set
    /// back.
    pub(super) fn holds(&self, now: Timestamp) -> bool {
        let too_far = schedule::is_set_back(self.until, now.checked_add(FRESH).unwrap_or(Timestamp::MAX));
        self.until > now && !too_far && !schedule::is_set_back(self.at, now)
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
        let after = |wait: SignedDuration| now.checked_add(wait).unwrap_or(now);
        let read = |rules| Self { at: now, until: after(FRESH), rules: Ok(rules) };
        let (wait, why) = match answer {
            Ok(Fetched { answer: Answer::Document(document), .. }) => {
                return Ok(read(Arc::new(Rules::parse(&document.bytes))));
            }
            Ok(Fetched { answer: Answer::Unchanged { .. } | Answer::Redirect { .. }, .. }) => {
                (None, "an answer without a document".into())
            }
            Err(error) if error.is_held() => return Err(error),
            Err(error) => match (&error.failure, error.status()) {
                // An empty one, and one that is not there, forbid nothing; who is asked too often wants to be left alone.
                (Failure::Status { .. }, Some(200 | 203 | 204 | 400..=428 | 430..=499)) => {
                    return Ok(read(Arc::default()));
                }
                _ => (error.freshness.retry_after, error.to_string().into()),
            },
        };
        let wait = wait.and_then(|wait| SignedDuration::try_from(wait).ok()).unwrap_or_default();
        let until = after(wait.clamp(UNREACHABLE, FRESH));
        let known = before.filter(|before| before.rules.is_ok());
        Ok(match known {
            // Asked for again after a while, not after a day.
            Some(known) => Self { until, ..known.clone() },
            None => Self { at: now, until, rules: Err(why) },
        })
    }
}

/// The address of the robots.txt for an address.
pub(super) fn address(url: &Url) -> Option<Url> {
    let mut robots = url.join("/robots.txt").ok()?;
    robots.set_query(None);
    robots.set_fragment(None);
    Some(robots)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now(second: i64) -> Timestamp {
        Timestamp::from_second(1_795_000_000 + second).unwrap()
    }

    /// Learns rules of a server at a time; who learned them still holds it.
    fn learn(robots: &Robots, n: usize, rules: &Arc<Rules>) -> Server {
        let server = robots.server(&Url::parse(&format!("https://n{n}.example/")).unwrap());
        let at = now(i64::try_from(n).unwrap());
        *server.try_lock().unwrap() = Some(RobotsTxt { at, until: at, rules: Ok(Arc::clone(rules)) });
        server
    }

    fn known(robots: &Robots, n: usize) -> bool {
        robots.servers.lock().unwrap().contains_key(&format!("https://n{n}.example"))
    }

    #[test]
    fn what_was_learned_longest_ago_goes_when_there_is_too_much() {
        let long =
            Arc::new(Rules::parse(format!("User-agent: *\n{}", "Disallow: /a\n".repeat(39_000)).as_bytes()));
        for (rules, count) in [(Arc::default(), SERVERS_MAX + 10), (long, 100)] {
            let robots = Robots::default();
            let asked = learn(&robots, 0, &rules);
            (1..count).for_each(|n| drop(learn(&robots, n, &rules)));
            let forgotten = robots.trim();
            assert!(forgotten.contains(&"https://n1.example".to_owned()), "{}", forgotten.len());
            assert!(known(&robots, 0), "it is asked now");
            assert!(!known(&robots, 1) && known(&robots, count - 1));
            let left = robots.servers.lock().unwrap().len();
            assert!(left <= SERVERS_MAX && (left - 1) * rules.bytes() <= BYTES_MAX, "{left}");
            drop(asked);
        }
    }
}
