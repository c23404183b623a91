//! Servers to which there is no way: every request that tries one takes the whole limit for a connection and a slot, and
//! hundreds may wait for the same host.

use std::time::Duration;

use tokio::time::Instant;
use url::Url;

use super::error::Failure;

/// So many requests in a row must have found no way there before others take that as told: a single connection is lost by
/// chance, and must not be the failure of all who wait.
const TRIES_MIN: u32 = 2;

/// Doors of a host that are remembered; a redirect may name any port.
const DOORS_MAX: usize = 4;

/// Where a connection is made: scheme, host and port, and the proxy through which. Behind one closed door another of the
/// same host may be open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Door {
    origin: String,
    proxy: Option<Url>,
}

impl Door {
    /// That of an address.
    pub fn of(url: &Url, proxy: Option<&Url>) -> Self {
        Self { origin: url.origin().ascii_serialization(), proxy: proxy.cloned() }
    }
}

/// The doors of a host behind which nobody was found last time.
#[derive(Debug, Default)]
pub(super) struct Dark(Vec<Lost>);

#[derive(Debug)]
struct Lost {
    door: Door,
    /// Requests in a row.
    tries: u32,
    /// How the last of them failed, and for how long that stands for others.
    failure: Failure,
    until: Instant,
}

impl Dark {
    /// Takes note of a request that has ended; one that found no way there stands for those that come within `patience`.
    pub(super) fn note(&mut self, door: Door, failure: Option<&Failure>, patience: Duration) {
        let before = self.0.iter().position(|lost| lost.door == door).map(|place| self.0.remove(place));
        let Some(failure) = failure.filter(|failure| failure.finds_no_way()).cloned() else { return };
        let tries = before.map_or(0, |lost| lost.tries).saturating_add(1);
        if self.0.len() >= DOORS_MAX {
            self.0.remove(0);
        }
        let now = Instant::now();
        self.0.push(Lost { door, tries, failure, until: now.checked_add(patience).unwrap_or(now) });
    }

    /// How a request would fail that is made now. After a while somebody tries again, while the others wait for their
    /// turn.
    pub(super) fn told(&self, door: &Door, now: Instant) -> Option<Failure> {
        let lost = self.0.iter().find(|lost| lost.door == *door)?;
        (lost.tries >= TRIES_MIN && now < lost.until).then(|| lost.failure.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn g10_two_requests_in_a_row_tell_of_a_door_for_a_while_and_of_no_other() {
        let door = |url: &str, proxy: Option<&str>| {
            let proxy = proxy.map(|proxy| Url::parse(proxy).unwrap());
            Door::of(&Url::parse(url).unwrap(), proxy.as_ref())
        };
        let (this, patience) = (door("https://a.example/feed", None), Duration::from_mins(1));
        let cut = Failure::Unreachable("no route to host".into());
        let silent = Failure::Timeout { missing: Failure::NO_CONNECTION, limit: patience };
        let slow = Failure::Timeout { missing: "not one more byte", limit: patience };
        let told = |failures: &[Option<&Failure>], later: Duration| {
            let mut dark = Dark::default();
            for failure in failures {
                dark.note(this.clone(), *failure, patience);
            }
            let others = ["http://a.example/feed", "https://a.example:8443/feed", "https://b.example/feed"];
            let others = others.map(|other| door(other, None));
            let proxied = door("https://a.example/feed", Some("http://proxy.example:3128"));
            for other in others.iter().chain([&proxied]) {
                assert_eq!(dark.told(other, Instant::now()), None);
            }
            dark.told(&door("https://a.example/other", None), Instant::now() + later)
        };
        for (failures, later, expected) in [
            (&[][..], 0, None),
            (&[Some(&silent)], 0, None),
            (&[Some(&silent), Some(&cut)], 0, Some(&cut)),
            (&[Some(&cut), Some(&silent), Some(&silent)], 50, Some(&silent)),
            (&[Some(&silent), Some(&silent)], 61, None),
            (&[Some(&silent), None, Some(&silent)], 0, None),
            (&[Some(&silent), Some(&silent), None], 0, None),
            (&[Some(&silent), Some(&slow), Some(&silent)], 0, None),
        ] {
            assert_eq!(told(failures, Duration::from_secs(later)).as_ref(), expected, "{failures:?} {later}");
        }
    }

    #[test]
    fn no_server_makes_a_host_remember_every_port() {
        let mut dark = Dark::default();
        let cut = Failure::Unreachable("no route to host".into());
        for port in 1..50_u16 {
            let url = Url::parse(&format!("http://a.example:{port}/")).unwrap();
            dark.note(Door::of(&url, None), Some(&cut), Duration::from_mins(1));
        }
        assert_eq!(dark.0.len(), DOORS_MAX);
    }
}
