//! Room for bodies in hand: for so many of them, and for so many bytes of those that are long.
//!
//! Most bodies are short and are not counted in bytes. A longer one takes room as it grows, so that a server that drips
//! holds no more than it sent. Were all room taken by bodies that want more, none could be read and none would leave: one
//! at a time goes on without.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Bytes of a body that are not counted.
const SHORT_BYTES_MAX: usize = 256 * 1024;

/// So much room is taken at a time, in KiB.
const STEP_KIB: u32 = 1024;

/// So many of the longest bodies find room.
const LONGEST: u64 = 4;

const KIB: usize = 1024;

/// All the room there is.
#[derive(Debug)]
pub(super) struct Rooms {
    /// One for each request in flight, or for the body that came of it, until it is dropped.
    bodies: Arc<Semaphore>,
    /// KiB of long bodies.
    kib: Arc<Semaphore>,
    /// For the one that goes on without.
    beyond: Arc<Semaphore>,
}

impl Rooms {
    /// Room for so many bodies, none longer than `body_bytes_max`.
    pub(super) fn new(bodies: usize, body_bytes_max: u64) -> Self {
        let bytes = usize::try_from(body_bytes_max.saturating_mul(LONGEST)).unwrap_or(usize::MAX);
        Self {
            bodies: Arc::new(Semaphore::new(bodies)),
            kib: Arc::new(Semaphore::new((bytes / KIB).clamp(1, Semaphore::MAX_PERMITS))),
            beyond: Arc::new(Semaphore::new(1)),
        }
    }

    /// Waits for room for a body.
    ///
    /// # Cancel safety
    ///
    /// A dropped wait leaves the queue and changes nothing.
    pub(super) async fn enter(&self) -> Room {
        // The semaphores are never closed, so they always give.
        let place = Arc::clone(&self.bodies).acquire_owned().await.ok();
        let (all, beyond) = (Arc::clone(&self.kib), Arc::clone(&self.beyond));
        Room { _place: place, all, taken: None, beyond, goes_on: None }
    }
}

/// The room of a body, until it is dropped.
#[derive(Debug)]
pub struct Room {
    _place: Option<OwnedSemaphorePermit>,
    all: Arc<Semaphore>,
    taken: Option<OwnedSemaphorePermit>,
    beyond: Arc<Semaphore>,
    /// Whether it is the one that goes on without.
    goes_on: Option<OwnedSemaphorePermit>,
}

impl Room {
    /// How many bytes there is room for.
    pub(super) fn bytes(&self) -> usize {
        if self.goes_on.is_some() {
            return usize::MAX;
        }
        SHORT_BYTES_MAX + self.taken() * KIB
    }

    /// Waits for more.
    ///
    /// # Cancel safety
    ///
    /// A dropped wait leaves the queue and changes nothing.
    pub(super) async fn grow(&mut self) {
        // Both waits are cancel-safe.
        tokio::select! {
            biased;
            more = Arc::clone(&self.all).acquire_many_owned(STEP_KIB) => self.add(more.ok()),
            goes_on = Arc::clone(&self.beyond).acquire_owned() => self.goes_on = goes_on.ok(),
        }
    }

    /// Keeps what so many bytes need, and gives the rest back.
    fn fit(&mut self, bytes: usize) {
        let needed = bytes.saturating_sub(SHORT_BYTES_MAX).div_ceil(KIB);
        let taken = self.taken();
        if let Some(surplus) = taken.checked_sub(needed) {
            drop(self.taken.as_mut().and_then(|taken| taken.split(surplus)));
        } else {
            let missing = u32::try_from(needed - taken).unwrap_or(u32::MAX);
            let Ok(more) = Arc::clone(&self.all).try_acquire_many_owned(missing) else { return };
            self.add(Some(more));
        }
        // Whoever has room after all need not go on without.
        self.goes_on = None;
    }

    fn taken(&self) -> usize {
        self.taken.as_ref().map_or(0, OwnedSemaphorePermit::num_permits)
    }

    fn add(&mut self, more: Option<OwnedSemaphorePermit>) {
        match (&mut self.taken, more) {
            (Some(taken), Some(more)) => taken.merge(more),
            (taken @ None, more) => *taken = more,
            (Some(_), None) => {}
        }
    }

    /// A body that keeps its room until the last of its copies is dropped.
    pub(super) fn keep(mut self, body: Bytes) -> Bytes {
        self.fit(body.len());
        Bytes::from_owner(Kept { body, _room: self })
    }
}

/// A body and its room.
struct Kept {
    body: Bytes,
    _room: Room,
}

impl AsRef<[u8]> for Kept {
    fn as_ref(&self) -> &[u8] {
        &self.body
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    const LONG: u64 = 1 << 20;

    /// A body of so many bytes; `None` when there is no room for it.
    fn body(rooms: &Rooms, bytes: usize) -> Option<Bytes> {
        let mut room = rooms.enter().now_or_never()?;
        while room.bytes() < bytes {
            room.grow().now_or_never()?;
        }
        Some(room.keep(vec![0; bytes].into()))
    }

    #[test]
    fn short_bodies_take_a_place_and_no_room() {
        let rooms = Rooms::new(20, LONG);
        let bodies: Vec<_> = std::iter::from_fn(|| body(&rooms, SHORT_BYTES_MAX)).collect();
        assert_eq!(bodies.len(), 20);
        assert_eq!(rooms.kib.available_permits(), 4 * KIB);
    }

    #[test]
    fn long_bodies_take_room_until_the_last_copy_is_dropped() {
        let (rooms, length) = (Rooms::new(100, LONG), SHORT_BYTES_MAX + KIB * KIB);
        let mut bodies: Vec<_> = std::iter::from_fn(|| body(&rooms, length)).collect();
        assert_eq!(bodies.len(), 5, "one goes on without room");
        let copy = bodies[0].slice(1..2);
        bodies.remove(0);
        assert!(body(&rooms, length).is_none());
        drop(copy);
        bodies.extend(body(&rooms, length));
        assert_eq!(bodies.len(), 5);
        // Who went on without and finds room when it has ended leaves that to others.
        drop(bodies);
        let mut room = rooms.enter().now_or_never().unwrap();
        let all = Arc::clone(&rooms.kib).try_acquire_many_owned(4 * STEP_KIB).unwrap();
        assert!(room.grow().now_or_never().is_some());
        drop(all);
        let kept = room.keep(vec![0; length].into());
        assert_eq!((rooms.beyond.available_permits(), rooms.kib.available_permits()), (1, 3 * KIB));
        drop(kept);
        assert_eq!(rooms.kib.available_permits(), 4 * KIB);
    }

    #[tokio::test]
    async fn bodies_that_all_want_more_are_finished_one_by_one() {
        let rooms = Rooms::new(100, LONG);
        let half: Vec<Room> = std::iter::from_fn(|| {
            let mut room = rooms.enter().now_or_never()?;
            room.grow().now_or_never()?;
            room.goes_on.is_none().then_some(room)
        })
        .collect();
        let ended = half.into_iter().map(|mut room| async move {
            while room.bytes() < 3 * KIB * KIB {
                room.grow().await;
            }
            drop(room.keep(vec![0; 3 * KIB * KIB].into()));
        });
        assert_eq!(futures_util::future::join_all(ended).await.len(), 4);
        assert_eq!((rooms.beyond.available_permits(), rooms.kib.available_permits()), (1, 4 * KIB));
    }
}
