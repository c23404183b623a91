//! One request at a time per host, with a pause between, and few requests in flight over all hosts; and no more bodies
//! in hand than there is room for.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Mutex as TurnLock, OwnedMutexGuard, OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, sleep_until};

use super::dark::{Dark, Door};
use super::error::Failure;
use super::room::{Room, Rooms};

/// Hosts remembered before the idle ones are looked for.
const SWEEP_FROM: usize = 64;

/// Bodies in hand beside two for each request in flight: who holds one while it asks for another, as a search for feeds
/// does, must not wait for itself.
const BODIES_MORE: usize = 16;

/// Lets requests through, host by host.
#[derive(Debug)]
pub struct HostGate {
    gap: Duration,
    slots: Arc<Semaphore>,
    rooms: Rooms,
    // Held for a look-up only, never over an await.
    hosts: Arc<Mutex<Hosts>>,
}

#[derive(Debug)]
struct Hosts {
    known: HashMap<String, Arc<Host>>,
    /// How many may be known before the idle ones are dropped.
    sweep_at: usize,
}

#[derive(Debug, Default)]
struct Host {
    /// Fair: whoever waits longest comes next.
    turn: Arc<TurnLock<()>>,
    times: Mutex<Times>,
    dark: Mutex<Dark>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Times {
    /// End of the pause after the last request.
    rests_until: Option<Instant>,
    /// End of what the server ordered.
    held_until: Option<Instant>,
    /// End of the longer pause that its robots.txt asks of crawlers. Their own requests alone begin it: feeds of the
    /// same host would else hold them off for ever.
    crawls_from: Option<Instant>,
}

/// The right to ask a host, until it is dropped; then the host's pause begins.
#[derive(Debug)]
pub struct Turn {
    host: Arc<Host>,
    /// The pause that begins at its end; none when nothing was asked.
    gap: Option<Duration>,
    /// The longer one for crawlers.
    delay: Option<Duration>,
    _place: OwnedMutexGuard<()>,
    _slot: Option<OwnedSemaphorePermit>,
}

/// Why a host is not to be asked now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Barred {
    /// It asked to be left alone.
    Held(Held),
    /// Requests before this one found no way there, the last of them so.
    Dark(Failure),
    /// Its pause between two pages lasts longer than the crawler who asks would wait.
    Resting {
        /// For how long from now.
        left: Duration,
    },
}

/// The host asked to be left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// For how long from now.
    pub left: Duration,
}

impl HostGate {
    /// A gate with at most `concurrency` requests in flight (at least one) and `gap` from the end of one request
    /// to the start of the next at the same host. With those in flight, twice as many bodies and a few more are in hand
    /// before the next request waits; none is longer than `body_bytes_max`, and four of the longest are as many bytes
    /// as all may have together.
    pub fn new(concurrency: usize, gap: Duration, body_bytes_max: u64) -> Self {
        let slots = concurrency.clamp(1, Semaphore::MAX_PERMITS / 4);
        Self {
            gap,
            slots: Arc::new(Semaphore::new(slots)),
            rooms: Rooms::new(slots * 2 + BODIES_MORE, body_bytes_max),
            hosts: Arc::new(Mutex::new(Hosts { known: HashMap::new(), sweep_at: SWEEP_FROM })),
        }
    }

    /// A gate by other settings that knows the same hosts: their turns, pauses and holds go on.
    #[must_use]
    pub fn successor(&self, concurrency: usize, gap: Duration, body_bytes_max: u64) -> Self {
        Self { hosts: Arc::clone(&self.hosts), ..Self::new(concurrency, gap, body_bytes_max) }
    }

    /// Waits for the host's turn, its pause, then room for a body and a free slot; the host is a name in lower case without port.
    ///
    /// # Errors
    ///
    /// [`Barred::Held`] while the host is on hold, before or after waiting: such waits last hours and belong to the
    /// schedule. [`Barred::Dark`] when its turn comes soon after others found no way through that door: hundreds may
    /// wait for the same host, and each attempt takes a slot for the whole limit.
    ///
    /// # Cancel safety
    ///
    /// A dropped wait leaves the queue and changes nothing.
    pub async fn enter(&self, host: &str, door: &Door) -> Result<(Turn, Room), Barred> {
        let host = self.host(host);
        host.free_to_ask()?;
        let place = Arc::clone(&host.turn).lock_owned().await;
        // Whoever has the turn is the only one who can find out more.
        if let Some(failure) = host.dark().told(door, Instant::now()) {
            return Err(Barred::Dark(failure));
        }
        let rests_until = host.times().rests_until;
        if let Some(rests_until) = rests_until {
            sleep_until(rests_until).await;
        }
        // Room and slot come last, so that nobody who waits for a host keeps them from the others. The semaphore is
        // never closed, so it always gives.
        let room = self.rooms.enter().await;
        let slot = Arc::clone(&self.slots).acquire_owned().await.ok();
        host.free_to_ask()?;
        Ok((Turn { host, gap: Some(self.gap), delay: None, _place: place, _slot: slot }, room))
    }

    /// The same for a page or an article of a host whose robots.txt asks for a pause of `delay` between such requests. The
    /// wait for it leaves the turn to others; one of more than `patience` is not begun.
    ///
    /// # Errors
    ///
    /// As [`HostGate::enter`], and while the pause lasts longer than `patience`.
    ///
    /// # Cancel safety
    ///
    /// As [`HostGate::enter`].
    pub async fn enter_crawling(
        &self,
        host: &str,
        door: &Door,
        delay: Duration,
        patience: Duration,
    ) -> Result<(Turn, Room), Barred> {
        let known = self.host(host);
        loop {
            known.free_to_ask()?;
            let crawls_from = known.times().crawls_from;
            if let Some(until) = crawls_from {
                let left = until.saturating_duration_since(Instant::now());
                if left > patience {
                    return Err(Barred::Resting { left });
                }
                sleep_until(until).await;
            }
            let (mut turn, room) = self.enter(host, door).await?;
            if known.times().crawls_from.is_none_or(|until| until <= Instant::now()) {
                turn.delay = Some(delay);
                return Ok((turn, room));
            }
            // Somebody was faster. No request went out, so no pause begins.
            turn.give_back();
        }
    }

    /// Lets nobody in at this host before `until`; an earlier hold is never shortened.
    pub fn hold(&self, host: &str, until: Instant) {
        let host = self.host(host);
        let mut times = host.times();
        times.held_until = times.held_until.max(Some(until));
    }

    fn host(&self, name: &str) -> Arc<Host> {
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        hosts.sweep(Instant::now());
        Arc::clone(hosts.known.entry(name.to_owned()).or_default())
    }

    #[cfg(test)]
    fn known(&self) -> usize {
        self.hosts.lock().unwrap_or_else(PoisonError::into_inner).known.len()
    }
}

impl Hosts {
    /// Forgets hosts that nobody asks, that are rested and not on hold. Amortised: the next look comes when their
    /// number has doubled.
    fn sweep(&mut self, now: Instant) {
        if self.known.len() < self.sweep_at {
            return;
        }
        self.known.retain(|_, host| Arc::strong_count(host) > 1 || host.times().matter_at(now));
        self.sweep_at = SWEEP_FROM.max(self.known.len() * 2);
    }
}

impl Times {
    fn matter_at(self, now: Instant) -> bool {
        self.rests_until.max(self.held_until).max(self.crawls_from).is_some_and(|until| until > now)
    }
}

impl Host {
    fn times(&self) -> MutexGuard<'_, Times> {
        self.times.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn dark(&self) -> MutexGuard<'_, Dark> {
        self.dark.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn free_to_ask(&self) -> Result<(), Barred> {
        let held_until = self.times().held_until;
        match held_until.map(|until| until.saturating_duration_since(Instant::now())) {
            Some(left) if !left.is_zero() => Err(Barred::Held(Held { left })),
            Some(_) | None => Ok(()),
        }
    }
}

impl Turn {
    /// Takes note of how the request ended. One that found no way through the door stands for those that come within
    /// `patience`, if the one before it found none either.
    pub fn note(&self, door: Door, failure: Option<&Failure>, patience: Duration) {
        self.host.dark().note(door, failure, patience);
    }

    /// Ends the turn without a request.
    fn give_back(mut self) {
        self.gap = None;
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let Some(gap) = self.gap else { return };
        let (now, mut times) = (Instant::now(), self.host.times());
        times.rests_until = now.checked_add(gap);
        if let Some(delay) = self.delay {
            times.crawls_from = now.checked_add(delay);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use super::*;
    use bytes::Bytes;
    use futures_util::FutureExt;
    use url::Url;

    static DOOR: LazyLock<Door> = LazyLock::new(|| Door::of(&Url::parse("http://a/").unwrap(), None));

    #[tokio::test]
    async fn a_host_has_one_turn_and_others_have_theirs() {
        let gate = HostGate::new(8, Duration::ZERO, 1 << 20);
        let first = gate.enter("a", &DOOR).await.unwrap();
        assert!(gate.enter("a", &DOOR).now_or_never().is_none());
        assert!(gate.enter("b", &DOOR).now_or_never().is_some());
        drop(first);
        gate.enter("a", &DOOR).await.unwrap();
    }

    #[tokio::test]
    async fn g5_the_pause_runs_from_the_end_of_a_request() {
        let gap = Duration::from_millis(60);
        let gate = HostGate::new(8, gap, 1 << 20);
        drop(gate.enter("a", &DOOR).await.unwrap());
        let ended = Instant::now();
        drop(gate.enter("a", &DOOR).await.unwrap());
        assert!(ended.elapsed() >= gap.checked_sub(Duration::from_millis(5)).unwrap());
    }

    #[tokio::test]
    async fn those_who_wait_for_a_host_take_no_slot() {
        let gate = HostGate::new(2, Duration::from_hours(1), 1 << 20);
        drop(gate.enter("a", &DOOR).await.unwrap());
        let mut resting = Box::pin(gate.enter("a", &DOOR));
        let mut queued = Box::pin(gate.enter("a", &DOOR));
        assert!((&mut resting).now_or_never().is_none());
        assert!((&mut queued).now_or_never().is_none());
        let b = gate.enter("b", &DOOR).now_or_never();
        let c = gate.enter("c", &DOOR).now_or_never();
        assert!(b.is_some() && c.is_some());
        assert!(gate.enter("d", &DOOR).now_or_never().is_none(), "both slots are taken");
    }

    #[tokio::test]
    async fn bodies_that_nobody_reads_hold_back_the_next_requests() {
        let gate = HostGate::new(1, Duration::ZERO, 1 << 20);
        let mut bodies = Vec::new();
        while let Some(turn) = gate.enter(&bodies.len().to_string(), &DOOR).now_or_never() {
            bodies.push(turn.unwrap().1.keep(Bytes::from_static(b"body")));
        }
        assert_eq!(bodies.len(), 2 + BODIES_MORE);
        let copy = bodies.pop().unwrap();
        bodies.push(copy.slice(1..3));
        drop(copy);
        assert!(gate.enter("b", &DOOR).now_or_never().is_none(), "a part of it is still in use");
        bodies.pop();
        drop(gate.enter("c", &DOOR).now_or_never().expect("room again").unwrap());
        assert!(gate.enter("d", &DOOR).now_or_never().is_some(), "a request without a body leaves its room");
    }

    #[tokio::test]
    async fn a_dropped_wait_leaves_the_queue() {
        let gate = HostGate::new(1, Duration::ZERO, 1 << 20);
        let first = gate.enter("a", &DOOR).await.unwrap();
        {
            let mut waiting = Box::pin(gate.enter("a", &DOOR));
            assert!((&mut waiting).now_or_never().is_none());
        }
        drop(first);
        assert!(gate.enter("a", &DOOR).await.is_ok());
    }

    #[tokio::test]
    async fn r1_a_hold_stops_the_whole_host_and_is_never_shortened() {
        let gate = HostGate::new(8, Duration::ZERO, 1 << 20);
        let now = Instant::now();
        let asking = gate.enter("a", &DOOR).await.unwrap();
        let mut waiting = Box::pin(gate.enter("a", &DOOR));
        assert!((&mut waiting).now_or_never().is_none());
        gate.hold("a", now + Duration::from_mins(2));
        gate.hold("a", now + Duration::from_secs(1));
        drop(asking);
        let Barred::Held(Held { left }) = waiting.await.unwrap_err() else { panic!("another reason") };
        assert!(left > Duration::from_secs(110) && left <= Duration::from_mins(2));
        assert!(gate.enter("b", &DOOR).await.is_ok());
    }

    #[tokio::test]
    async fn g9_a_crawl_delay_holds_back_crawlers_and_nobody_else() {
        let gate = HostGate::new(8, Duration::ZERO, 1 << 20);
        let delay = Duration::from_millis(60);
        drop(gate.enter_crawling("a", &DOOR, delay, delay).await.unwrap());
        let ended = Instant::now();
        let mut crawler = Box::pin(gate.enter_crawling("a", &DOOR, delay, delay));
        assert!((&mut crawler).now_or_never().is_none());
        drop(gate.enter("a", &DOOR).await.unwrap());
        assert!(ended.elapsed() < delay, "a feed does not wait for it");
        drop(crawler.await.unwrap());
        assert!(ended.elapsed() >= delay.checked_sub(Duration::from_millis(5)).unwrap());
    }

    #[tokio::test]
    async fn g9_a_crawler_waits_no_longer_than_its_patience() {
        let gate = HostGate::new(8, Duration::ZERO, 1 << 20);
        let (delay, patience) = (Duration::from_mins(5), Duration::from_secs(5));
        drop(gate.enter_crawling("a", &DOOR, delay, patience).await.unwrap());
        let barred = gate.enter_crawling("a", &DOOR, delay, patience).await.unwrap_err();
        assert!(matches!(barred, Barred::Resting { left } if left > patience && left <= delay), "{barred:?}");
        assert!(gate.enter("a", &DOOR).await.is_ok());
        gate.hold("a", Instant::now() + delay);
        assert!(matches!(gate.enter_crawling("a", &DOOR, delay, patience).await, Err(Barred::Held(_))));
    }

    #[tokio::test]
    async fn idle_hosts_are_forgotten_and_held_ones_are_not() {
        let gate = HostGate::new(8, Duration::ZERO, 1 << 20);
        gate.hold("held", Instant::now() + Duration::from_mins(1));
        for n in 0..10_000 {
            drop(gate.enter(&format!("host-{n}"), &DOOR).await.unwrap());
        }
        assert!(gate.known() <= SWEEP_FROM, "{}", gate.known());
        assert!(gate.enter("held", &DOOR).await.is_err());
    }
}
