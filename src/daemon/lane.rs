//! What one notifier owes, in the order in which it is sent.

use std::collections::{BTreeSet, HashMap, HashSet};

use jiff::{SignedDuration, Timestamp};

use crate::outbox::DeliveryId;
use crate::outbox::circuit::{Circuit, Gate};

/// The deliveries of one notifier that wait.
#[derive(Debug, Default)]
pub(super) struct Lane {
    waiting: BTreeSet<(Timestamp, DeliveryId)>,
    due: HashMap<DeliveryId, Timestamp>,
    /// Those that wait for the disk, with the times under which they were filed.
    aside: HashMap<DeliveryId, Timestamp>,
    /// Those of which a commit that was acknowledged told: they may leave while the disk refuses.
    durable: HashSet<DeliveryId>,
    /// Of what leaves in an order, to whom it goes.
    ordered_for: HashMap<DeliveryId, String>,
    /// The recipients to whom such a delivery is under way.
    taking: HashSet<String>,
    /// How many are under way.
    pub(super) under_way: usize,
    /// What is known of its way.
    pub(super) circuit: Circuit,
    /// How what was held up is to leave.
    pub(super) jam: Jam,
    /// Whether anything of it was ordered anew while it was sorted.
    pub(super) ordered: bool,
    /// Until when it gathers what is to leave together.
    pub(super) gathering: Option<Timestamp>,
}

/// What was held up by a stop or by a way in trouble, and is to be sorted before it leaves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Jam {
    /// Nothing is to be sorted.
    #[default]
    Clear,
    /// It is to be sorted as soon as the way works.
    Held,
    /// One had to wait after all: what else must is held at once, not one after the other.
    Full,
    /// It is being sorted.
    Sorting,
}

impl Lane {
    /// When the next delivery may begin, where `width` of them may be under way; `None` while there is no room or nothing
    /// waits.
    pub(super) fn next(&self, now: Timestamp, width: usize) -> Option<Timestamp> {
        let (width, opens) = match self.circuit.gate(now) {
            Gate::Open => (width, Timestamp::MIN),
            Gate::One => (1, Timestamp::MIN),
            Gate::Shut(until) => (1, until),
        };
        if self.under_way >= width || self.jam == Jam::Sorting {
            return None;
        }
        self.first().map(|(due, _)| due.max(opens))
    }

    /// When it is to be told that nothing gets through, unless an attempt is under way that finds it out.
    pub(super) fn tell_at(&self) -> Option<Timestamp> {
        self.circuit.tell_at().filter(|_| self.under_way == 0)
    }

    /// Files a delivery under a time, whatever it was filed under before.
    pub(super) fn file(&mut self, delivery: DeliveryId, due: Timestamp) {
        self.aside.remove(&delivery);
        if let Some(before) = self.due.insert(delivery, due) {
            self.waiting.remove(&(before, delivery));
        }
        self.waiting.insert((due, delivery));
    }

    /// Takes note that a delivery is on disk. It stays so until it is forgotten.
    pub(super) fn vouch(&mut self, delivery: DeliveryId) {
        self.durable.insert(delivery);
    }

    /// Whether a delivery is known to be on disk. What was read after a failure is not: it may lie in memory alone.
    pub(super) fn is_durable(&self, delivery: DeliveryId) -> bool {
        self.durable.contains(&delivery)
    }

    /// Lets a delivery wait until the disk takes what is written.
    pub(super) fn set_aside(&mut self, delivery: DeliveryId, due: Timestamp) {
        if let Some(due) = self.due.remove(&delivery) {
            self.waiting.remove(&(due, delivery));
        }
        self.aside.insert(delivery, due);
    }

    /// Files what waited for the disk where it was. What became late meanwhile is sorted before it leaves.
    pub(super) fn resume(&mut self) {
        let aside = std::mem::take(&mut self.aside);
        if !aside.is_empty() && self.jam == Jam::Clear {
            self.jam = Jam::Held;
        }
        for (delivery, due) in aside {
            self.file(delivery, due);
        }
    }

    /// Has what was gathered sorted before it leaves.
    pub(super) fn gathered(&mut self) {
        if self.gathering.take().is_some() {
            self.jam = Jam::Held;
        }
    }

    /// Files everything so much earlier; what its way waits for comes so much earlier, too.
    pub(super) fn advance(&mut self, by: SignedDuration) {
        let earlier = |due: Timestamp| due.checked_sub(by).unwrap_or(due);
        self.due.values_mut().chain(self.aside.values_mut()).for_each(|due| *due = earlier(*due));
        self.gathering = self.gathering.map(earlier);
        self.circuit.advance(by);
        self.waiting = self.due.iter().map(|(delivery, due)| (*due, *delivery)).collect();
    }

    /// Files everything under `now` at the latest; its way no longer counts, and it is not sorted.
    pub(super) fn hasten(&mut self, now: Timestamp) {
        self.circuit = Circuit::default();
        self.gathering = None;
        if matches!(self.jam, Jam::Held | Jam::Full) {
            self.jam = Jam::Clear;
        }
        self.due.values_mut().chain(self.aside.values_mut()).for_each(|due| *due = now.min(*due));
        self.waiting = self.due.iter().map(|(delivery, due)| (*due, *delivery)).collect();
    }

    /// Has a delivery wait as long as one before it, of those that are marked so, is under way to the same recipient: parts
    /// of one message, which are to arrive in their order.
    pub(super) fn in_order(&mut self, delivery: DeliveryId, recipient: String) {
        self.ordered_for.insert(delivery, recipient);
    }

    /// Takes the first out that may begin.
    pub(super) fn take(&mut self) -> Option<DeliveryId> {
        let first = self.first()?;
        self.waiting.remove(&first);
        let (_, delivery) = first;
        self.due.remove(&delivery);
        self.taking.extend(self.ordered_for.get(&delivery).cloned());
        Some(delivery)
    }

    /// Notes that one that was taken out is no longer under way, so that the next of the same message may begin; unless
    /// it is filed again, it is closed.
    pub(super) fn ended(&mut self, delivery: DeliveryId, is_closed: bool) {
        if let Some(recipient) = self.ordered_for.get(&delivery) {
            self.taking.remove(recipient);
        }
        if is_closed {
            self.ordered_for.remove(&delivery);
        }
    }

    /// The first that need not wait for another of the same message.
    fn first(&self) -> Option<(Timestamp, DeliveryId)> {
        let waits = |delivery| self.ordered_for.get(delivery).is_some_and(|to| self.taking.contains(to));
        self.waiting.iter().find(|(_, delivery)| !waits(delivery)).copied()
    }

    /// Takes a delivery out, wherever it stands.
    pub(super) fn forget(&mut self, delivery: DeliveryId) {
        self.durable.remove(&delivery);
        self.aside.remove(&delivery);
        self.ordered_for.remove(&delivery);
        if let Some(due) = self.due.remove(&delivery) {
            self.waiting.remove(&(due, delivery));
        }
    }

    /// What may be sent by `now` as far as its own time goes, in order.
    pub(super) fn due(&self, now: Timestamp) -> Vec<DeliveryId> {
        self.waiting.iter().take_while(|(due, _)| *due <= now).map(|(_, delivery)| *delivery).collect()
    }

    /// All that waits.
    pub(super) fn all(&self) -> Vec<DeliveryId> {
        self.waiting.iter().map(|(_, delivery)| *delivery).collect()
    }

    /// Whether nothing waits, nothing is under way, and nothing is to be remembered.
    pub(super) fn is_idle(&self) -> bool {
        self.under_way == 0
            && self.waiting.is_empty()
            && self.aside.is_empty()
            && self.circuit.fault.is_none()
            && self.jam == Jam::Clear
            && self.gathering.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIDTH: usize = 4;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn id(n: u8) -> DeliveryId {
        DeliveryId::from_bytes([n; 16])
    }

    #[test]
    fn g7_what_waits_in_a_lane_is_filed_anew_when_the_clock_was_set_back() {
        let mut lane = Lane::default();
        let now = at(0);
        lane.file(id(2), at(600));
        lane.file(id(1), at(5));
        lane.advance(SignedDuration::from_secs(3600));
        assert_eq!(lane.next(now, WIDTH), Some(at(5 - 3600)));
        lane.file(id(1), at(-3000));
        assert_eq!((lane.take(), lane.next(now, WIDTH)), (Some(id(1)), Some(at(-3000))));
        assert_eq!((lane.take(), lane.take()), (Some(id(2)), None));
        lane.file(id(3), at(0));
        lane.circuit.failed("hook", ("503", None), (at(0), at(0)), false);
        lane.advance(SignedDuration::from_secs(3600));
        assert_eq!(lane.next(at(-3600), WIDTH), Some(at(5 - 3600)), "its way waits for five seconds still");
    }

    #[test]
    fn parts_of_one_message_leave_one_after_the_other() {
        let mut lane = Lane::default();
        for n in 1..=6 {
            lane.file(id(n), at(i64::from(n)));
        }
        for (n, recipient) in [(1, "a"), (2, "a"), (3, "b"), (5, "a")] {
            lane.in_order(id(n), recipient.to_owned());
        }
        assert_eq!([lane.take(), lane.take(), lane.take()], [Some(id(1)), Some(id(3)), Some(id(4))]);
        assert_eq!((lane.next(at(9), WIDTH), lane.take()), (Some(at(6)), Some(id(6))));
        assert_eq!((lane.next(at(9), WIDTH), lane.take()), (None, None), "the rest waits for its first part");
        lane.file(id(1), at(100));
        lane.ended(id(1), false);
        assert_eq!((lane.next(at(9), WIDTH), lane.take(), lane.take()), (Some(at(2)), Some(id(2)), None));
        lane.ended(id(2), true);
        assert_eq!(
            (lane.take(), lane.take()),
            (Some(id(5)), None),
            "the first is filed again and waits, too"
        );
        lane.ended(id(5), true);
        assert_eq!((lane.next(at(9), WIDTH), lane.take()), (Some(at(100)), Some(id(1))));
    }

    #[test]
    fn what_gathers_waits_and_is_sorted_then() {
        let mut lane = Lane { gathering: Some(at(60)), ..Lane::default() };
        lane.file(id(1), at(60));
        assert_eq!((lane.next(at(0), WIDTH), lane.is_idle()), (Some(at(60)), false));
        lane.gathered();
        assert_eq!((lane.jam, lane.gathering), (Jam::Held, None));
        lane.jam = Jam::Clear;
        lane.gathered();
        assert_eq!(lane.jam, Jam::Clear, "nothing was gathered");
    }

    #[test]
    fn what_is_hastened_waits_for_nothing() {
        let mut lane = Lane::default();
        lane.file(id(1), at(600));
        lane.file(id(2), at(-600));
        lane.jam = Jam::Held;
        lane.circuit.failed("hook", ("503", None), (at(0), at(0)), false);
        lane.hasten(at(1));
        assert_eq!((lane.jam, lane.next(at(1), WIDTH)), (Jam::Clear, Some(at(-600))));
        assert_eq!(
            (lane.take(), lane.next(at(1), WIDTH), lane.take()),
            (Some(id(2)), Some(at(1)), Some(id(1)))
        );
    }

    #[test]
    fn only_what_a_commit_told_of_is_durable_until_it_is_forgotten() {
        let mut lane = Lane::default();
        (1..=2).for_each(|n| lane.file(id(n), at(5)));
        lane.vouch(id(1));
        assert_eq!([1, 2].map(|n| lane.is_durable(id(n))), [true, false], "one was read");
        assert_eq!(lane.take(), Some(id(1)));
        lane.file(id(1), at(9));
        assert!(lane.is_durable(id(1)), "it was under way meanwhile");
        lane.forget(id(1));
        lane.file(id(1), at(9));
        assert!(!lane.is_durable(id(1)), "read anew");
    }

    #[test]
    fn what_waits_for_the_disk_is_not_due_before_it_takes_and_is_sorted_then() {
        let mut lane = Lane::default();
        (1..=2).for_each(|n| lane.file(id(n), at(i64::from(n))));
        lane.vouch(id(1));
        lane.set_aside(id(1), at(1));
        assert_eq!(
            (lane.next(at(9), WIDTH), lane.take(), lane.next(at(9), WIDTH)),
            (Some(at(2)), Some(id(2)), None)
        );
        assert!(!lane.is_idle(), "one waits");
        lane.resume();
        assert_eq!(
            (lane.jam, lane.next(at(9), WIDTH), lane.is_durable(id(1))),
            (Jam::Held, Some(at(1)), true)
        );
        lane.set_aside(id(1), at(1));
        lane.file(id(1), at(7));
        lane.jam = Jam::Clear;
        lane.resume();
        assert_eq!((lane.jam, lane.next(at(9), WIDTH)), (Jam::Clear, Some(at(7))), "it was filed anew");
    }

    #[test]
    fn a_way_in_trouble_lets_one_through_at_a_time_another_each_time() {
        let mut lane = Lane::default();
        (1..=3).for_each(|n| lane.file(id(n), at(i64::from(n))));
        lane.circuit.failed("hook", ("503", None), (at(10), at(10)), false);
        assert_eq!(lane.next(at(11), WIDTH), Some(at(15)), "shut for five seconds");
        assert_eq!((lane.next(at(15), WIDTH), lane.take()), (Some(at(1)), Some(id(1))));
        lane.under_way = 1;
        assert_eq!(lane.next(at(15), WIDTH), None, "one alone");
        lane.under_way = 0;
        lane.circuit.failed("hook", ("503", None), (at(15), at(16)), false);
        lane.file(id(1), at(16));
        assert_eq!((lane.next(at(50), WIDTH), lane.take()), (Some(at(2)), Some(id(2))), "another");
        assert!(lane.circuit.worked("hook", at(50)).is_none());
        lane.under_way = 3;
        assert_eq!((lane.next(at(50), WIDTH), lane.take()), (Some(at(3)), Some(id(3))), "the oldest first");
        lane.under_way = 4;
        assert_eq!(lane.next(at(50), WIDTH), None);
    }
}
