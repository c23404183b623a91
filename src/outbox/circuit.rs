//! The way of a notifier: while nothing gets through, few attempts are made, and one that works is enough.
//!
//! A failure of the way says nothing of the message: the receiver is down, or its operator must act. Then everything
//! that the notifier owes waits, and a single delivery, another each time, tries whether the way works again.
//!
//! Where the way works but a recipient takes nothing, its messages are given up one by one, and nobody else would notice.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::Failure;
use super::retry::RETRY_AFTER_MAX;
use crate::event::{Event, EventKind, minute};

/// Waits before the second, third, … attempt of a way, in seconds; the last one stays.
const WAITS_SECONDS: [u64; 6] = [5, 30, 120, 300, 600, 600];

/// Of so many attempts in vain, one after the other, a receiver's wish for a shorter wait is heard.
const WISHES_MAX: u32 = 6;

/// For how long nothing gets through before it is told.
const TOLD_AFTER: Duration = Duration::from_mins(5);

/// Refusals in a row after which it is told.
const TOLD_AFTER_REFUSALS: u32 = 3;

/// For how long a recipient takes nothing for now before that is told, as refusals are: most servers that greylist take
/// a mail within that time (RFC 6647, section 5).
const TOLD_AFTER_DEFERRALS: Duration = Duration::from_hours(1);

/// The class of an event that tells of a recipient who takes nothing.
pub const REFUSED: &str = "refused";

/// What is known of a notifier's way; the store keeps it, so that a restart repeats no event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Circuit {
    /// The fault of the way, while nothing gets through.
    pub fault: Option<Fault>,
    /// The recipients who took none of the latest messages, although the way works.
    pub refusals: BTreeMap<String, Refusals>,
}

/// Messages in a row that a recipient did not take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusals {
    /// When the first was refused.
    pub since: Timestamp,
    /// How many attempts were.
    pub attempts: u32,
    /// Why the latest was, without secrets.
    pub reason: String,
    /// Whether it was told.
    pub told: bool,
}

/// A way by which nothing gets through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// When the first attempt failed.
    pub since: Timestamp,
    /// When the latest one did.
    pub last: Timestamp,
    /// How many did.
    pub failures: u32,
    /// When the next may be made.
    pub until: Timestamp,
    /// Whether the receiver asked for that wait.
    pub asked: bool,
    /// Why the latest failed, without secrets.
    pub reason: String,
    /// Whether it was told.
    pub told: bool,
}

impl Circuit {
    /// Whether an attempt may be made now, and whether it must be alone.
    pub fn gate(&self, now: Timestamp) -> Gate {
        match &self.fault {
            None => Gate::Open,
            Some(fault) if fault.until <= now => Gate::One,
            Some(fault) => Gate::Shut(fault.until),
        }
    }

    /// Learns from an attempt for `recipient` that began at `began` and ended at `now`; what is to be told of it.
    pub fn learn(
        &mut self,
        (notifier, recipient): (&str, &str),
        outcome: Result<(), &Failure>,
        (began, now): (Timestamp, Timestamp),
        offline: bool,
    ) -> Vec<Event> {
        let (one, other) = match outcome {
            Ok(()) => (self.worked(notifier, now), self.took((notifier, recipient), now)),
            Err(failure) if failure.is_of_the_way() => {
                let why = (failure.reason(), failure.wish());
                let told = self.failed(notifier, why, (began, now), offline);
                // A receiver that asks to be left alone is not waited for.
                let is_gone = matches!(failure, Failure::Gone { .. });
                (told, if is_gone { self.tell(notifier, now) } else { None })
            }
            Err(failure) => (self.worked(notifier, now), self.refused((notifier, recipient), failure, now)),
        };
        one.into_iter().chain(other).collect()
    }

    /// An attempt that began at `began` failed by the way at `now`. While the machine is offline, which is told for
    /// itself, nobody is told.
    pub fn failed(
        &mut self,
        notifier: &str,
        (reason, retry_after): (&str, Option<Duration>),
        (began, now): (Timestamp, Timestamp),
        offline: bool,
    ) -> Option<Event> {
        let set_back = self.set_back(now);
        let (since, failures, told) = match &self.fault {
            // It was under way beside the one that failed first.
            Some(fault) if began < fault.last && !set_back => return None,
            Some(fault) => (fault.since, fault.failures.saturating_add(1), fault.told),
            None => (now, 1, false),
        };
        let step = usize::try_from(failures - 1).unwrap_or(usize::MAX).min(WAITS_SECONDS.len() - 1);
        let wait = Duration::from_secs(WAITS_SECONDS.get(step).copied().unwrap_or(600));
        // A short wish lets what is over a rate drain fast; one that is uttered again and again is no reason to ask as often.
        let least = if failures <= WISHES_MAX { Duration::from_secs(1) } else { wait };
        let wait = retry_after.map_or(wait, |wish| wish.clamp(least, RETRY_AFTER_MAX));
        let until = now.checked_add(wait).unwrap_or(Timestamp::MAX);
        let (reason, asked) = (reason.to_owned(), retry_after.is_some());
        self.fault = Some(Fault { since, last: now, failures, until, asked, reason, told });
        if offline { None } else { self.tell_in_time(notifier, now) }
    }

    /// When it is told that nothing gets through, whether or not an attempt is made then; `None` where it was, or the
    /// way works.
    pub fn tell_at(&self) -> Option<Timestamp> {
        let fault = self.fault.as_ref().filter(|fault| !fault.told)?;
        Some(fault.since.checked_add(TOLD_AFTER).unwrap_or(Timestamp::MAX))
    }

    /// Tells that nothing gets through, once it is time to.
    pub fn tell_in_time(&mut self, notifier: &str, now: Timestamp) -> Option<Event> {
        let is_time = self.tell_at().is_some_and(|at| at <= now);
        if is_time { self.tell(notifier, now) } else { None }
    }

    /// Tells that nothing gets through, unless that was told.
    fn tell(&mut self, notifier: &str, now: Timestamp) -> Option<Event> {
        let fault = self.fault.as_mut().filter(|fault| !fault.told)?;
        fault.told = true;
        let detail = format!("{} in vain: {}", attempts(fault.failures), fault.reason);
        Some(Event::new(EventKind::NotifierFailing, notifier, None, fault.since, detail, now))
    }

    /// The way works, but `recipient` did not take the message.
    fn refused(
        &mut self,
        (notifier, recipient): (&str, &str),
        failure: &Failure,
        now: Timestamp,
    ) -> Option<Event> {
        let blank = Refusals { since: now, attempts: 0, reason: String::new(), told: false };
        let run = self.refusals.entry(recipient.to_owned()).or_insert(blank);
        run.since = run.since.min(now);
        run.attempts = run.attempts.saturating_add(1);
        failure.reason().clone_into(&mut run.reason);
        let lasts = Duration::try_from(now.duration_since(run.since)).unwrap_or_default();
        let may_pass = matches!(failure, Failure::Transient { .. });
        let tell =
            !run.told && run.attempts >= TOLD_AFTER_REFUSALS && (!may_pass || lasts >= TOLD_AFTER_DEFERRALS);
        run.told |= tell;
        let detail = format!("{}{} refused: {}", whom(recipient), attempts(run.attempts), run.reason);
        let kind = EventKind::NotifierFailing;
        tell.then(|| Event::new(kind, notifier, Some(REFUSED), run.since, detail, now).about(recipient))
    }

    /// `recipient` took a message.
    fn took(&mut self, (notifier, recipient): (&str, &str), now: Timestamp) -> Option<Event> {
        let run = self.refusals.remove(recipient)?;
        let detail = format!("{}refused from {} on: {}", whom(recipient), minute(run.since), run.reason);
        let kind = EventKind::NotifierRecovered;
        run.told.then(|| Event::new(kind, notifier, Some(REFUSED), now, detail, now).about(recipient))
    }

    /// An attempt got through.
    pub fn worked(&mut self, notifier: &str, now: Timestamp) -> Option<Event> {
        let fault = self.fault.take()?;
        let detail = format!("nothing got through from {} on: {}", minute(fault.since), fault.reason);
        fault.told.then(|| Event::new(EventKind::NotifierRecovered, notifier, None, now, detail, now))
    }

    /// Corrects what was written when the clock showed more than `now`; tells whether there is such a thing: the clock
    /// was set back since. How long ago that is nobody knows, so the next attempt may be made at once.
    pub fn set_back(&mut self, now: Timestamp) -> bool {
        let ahead = self.fault.as_ref().map(|fault| fault.last.duration_since(now));
        let Some(by) = ahead.filter(SignedDuration::is_positive) else { return false };
        self.advance(by);
        self.hurry(now);
        true
    }

    /// Notes everything so much earlier.
    pub fn advance(&mut self, by: SignedDuration) {
        let Some(fault) = &mut self.fault else { return };
        for at in [&mut fault.since, &mut fault.last, &mut fault.until] {
            *at = at.checked_sub(by).unwrap_or(*at);
        }
    }

    /// Lets the next attempt be made at once: somebody says that the way is mended.
    pub fn hurry(&mut self, now: Timestamp) {
        if let Some(fault) = &mut self.fault {
            (fault.until, fault.asked) = (now, false);
        }
    }

    /// The same where its settings changed: what a receiver asked for holds, as long as it is the same receiver.
    pub fn changed(&mut self, is_same_receiver: bool, now: Timestamp) {
        if !(is_same_receiver && self.fault.as_ref().is_some_and(|fault| fault.asked)) {
            self.hurry(now);
        }
    }
}

fn attempts(count: u32) -> String {
    if count == 1 { "1 attempt".to_owned() } else { format!("{count} attempts") }
}

/// The beginning of a detail: the recipient, where a notifier names them.
fn whom(recipient: &str) -> String {
    if recipient.is_empty() { String::new() } else { format!("`{recipient}`: ") }
}

/// Whether attempts may be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gate {
    /// As many as there is room for.
    Open,
    /// One.
    One,
    /// None until then.
    Shut(Timestamp),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).expect("a time")
    }

    fn fails(circuit: &mut Circuit, second: i64) -> Option<Event> {
        circuit.failed("mail", ("refused", None), (at(second), at(second)), false)
    }

    #[test]
    fn a_way_in_trouble_is_tried_ever_less_and_told_once() {
        let mut circuit = Circuit::default();
        assert_eq!(circuit.gate(at(0)), Gate::Open);
        let mut told = Vec::new();
        for (second, until) in
            [(0, 5), (5, 35), (35, 155), (155, 455), (455, 1055), (1055, 1655), (1655, 2255)]
        {
            told.extend(fails(&mut circuit, second).map(|event| (second, event.kind, event.since)));
            assert_eq!(circuit.gate(at(until - 1)), Gate::Shut(at(until)));
            assert_eq!(circuit.gate(at(until)), Gate::One);
        }
        assert_eq!(told, [(455, EventKind::NotifierFailing, at(0))]);
        let recovered = circuit.worked("mail", at(2300)).expect("told");
        assert_eq!((recovered.kind, recovered.since), (EventKind::NotifierRecovered, at(2300)));
        assert_eq!((circuit.gate(at(2300)), circuit.worked("mail", at(2301))), (Gate::Open, None));
    }

    #[test]
    fn what_lasts_is_told_though_no_attempt_is_made() {
        let mut circuit = Circuit::default();
        assert_eq!(circuit.tell_at(), None);
        circuit.failed("hook", ("429", Some(Duration::from_hours(6))), (at(0), at(0)), false);
        assert_eq!((circuit.tell_at(), circuit.tell_in_time("hook", at(299))), (Some(at(300)), None));
        let told = circuit.tell_in_time("hook", at(300)).expect("told");
        assert_eq!((told.since, told.detail.as_str()), (at(0), "1 attempt in vain: 429"));
        assert_eq!((circuit.tell_at(), circuit.tell_in_time("hook", at(900))), (None, None));
    }

    #[test]
    fn who_takes_nothing_is_told_once_and_each_for_itself() {
        use Failure::{Gone, Lost, Permanent, Refused, Transient, Way};
        // Each attempt after so many seconds, and what is told of it.
        type Step = (i64, &'static str, Option<Failure>, &'static str);
        let reason = || "no".to_owned();
        let refused = || Refused { reason: reason() };
        let permanent = || Permanent { reason: reason() };
        let deferred = || Transient { reason: reason(), retry_after: None };
        let way = || Way { reason: reason(), retry_after: None };
        let cases: [&[Step]; 6] = [
            &[
                (0, "a", Some(refused()), ""),
                (1, "b", Some(refused()), ""),
                (2, "a", Some(refused()), ""),
                (3, "a", Some(refused()), "notifier.failing `a`: 3 attempts refused: no"),
                (4, "a", Some(refused()), ""),
                (5, "b", None, ""),
                (6, "a", None, "notifier.recovered `a`: refused from 2027-01-15 08:00 UTC on: no"),
                (7, "a", Some(refused()), ""),
            ],
            &[
                (0, "", Some(permanent()), ""),
                (1, "", Some(permanent()), ""),
                (2, "", None, ""),
                (3, "", Some(permanent()), ""),
                (4, "", Some(permanent()), ""),
                (5, "", Some(permanent()), "notifier.failing 3 attempts refused: no"),
            ],
            // Greylisted; and a chat that shut us out.
            &[
                (0, "a", Some(deferred()), ""),
                (5, "a", Some(deferred()), ""),
                (35, "a", Some(deferred()), ""),
                (3599, "a", Some(deferred()), ""),
                (3600, "a", Some(deferred()), "notifier.failing `a`: 5 attempts refused: no"),
            ],
            // A way in trouble says nothing of a recipient.
            &[
                (0, "a", Some(refused()), ""),
                (1, "a", Some(refused()), ""),
                (2, "a", Some(way()), ""),
                (3, "a", Some(refused()), "notifier.failing `a`: 3 attempts refused: no"),
            ],
            &[
                (0, "", Some(Gone { reason: reason() }), "notifier.failing 1 attempt in vain: no"),
                (5, "", Some(Gone { reason: reason() }), ""),
                (9, "", None, "notifier.recovered nothing got through from 2027-01-15 08:00 UTC on: no"),
            ],
            &[
                (0, "", Some(way()), ""),
                (300, "", Some(Lost { reason: reason() }), "notifier.failing 2 attempts in vain: no"),
                (
                    400,
                    "",
                    Some(permanent()),
                    "notifier.recovered nothing got through from 2027-01-15 08:00 UTC on: no",
                ),
            ],
        ];
        for steps in cases {
            let mut circuit = Circuit::default();
            for (second, recipient, failure, expected) in steps {
                let outcome = failure.as_ref().map_or(Ok(()), Err);
                let times = (at(*second), at(*second));
                let news = circuit.learn(("mail", recipient), outcome, times, false);
                let told: Vec<_> =
                    news.iter().map(|event| format!("{} {}", event.kind.as_str(), event.detail)).collect();
                assert_eq!(told.join("; "), *expected, "{second} s: {recipient} {failure:?}");
            }
        }
    }

    #[test]
    fn a_short_fault_is_not_told() {
        let mut circuit = Circuit::default();
        for second in [0, 5, 35, 155] {
            assert_eq!(fails(&mut circuit, second), None);
        }
        assert_eq!(circuit.worked("mail", at(299)), None);
    }

    #[test]
    fn those_under_way_together_count_once() {
        let mut circuit = Circuit::default();
        for _ in 0..4 {
            circuit.failed("mail", ("refused", None), (at(0), at(3)), false);
        }
        assert_eq!(circuit.fault.as_ref().map(|fault| fault.failures), Some(1));
    }

    #[test]
    fn the_receivers_wish_counts() {
        let mut circuit = Circuit::default();
        for (wish, until) in [(0, 1), (90, 90), (400_000, 21_600)] {
            circuit.fault = None;
            circuit.failed("hook", ("429", Some(Duration::from_secs(wish))), (at(0), at(0)), false);
            assert_eq!(circuit.gate(at(0)), Gate::Shut(at(until)));
        }
        circuit.failed("hook", ("503", None), (at(1), at(1)), false);
        circuit.hurry(at(2));
        assert_eq!(circuit.gate(at(2)), Gate::One);
    }

    #[test]
    fn a_short_wish_that_is_uttered_again_and_again_hurries_nobody() {
        let mut circuit = Circuit::default();
        let mut waits = Vec::new();
        let mut second = 0;
        for _ in 0..20 {
            circuit.failed("hook", ("503", Some(Duration::from_secs(1))), (at(second), at(second)), false);
            let until = circuit.fault.as_ref().map(|fault| fault.until).expect("a fault");
            waits.push(until.duration_since(at(second)).as_secs());
            second = until.duration_since(at(0)).as_secs();
        }
        assert_eq!(waits[..6], [1; 6]);
        assert_eq!(waits[6..], [600; 14]);
    }

    #[test]
    fn other_settings_hurry_but_not_against_the_wish_of_the_same_receiver() {
        for (wish, is_same_receiver, expected) in [
            (None, true, Gate::One),
            (None, false, Gate::One),
            (Some(Duration::from_mins(15)), true, Gate::Shut(at(900))),
            (Some(Duration::from_mins(15)), false, Gate::One),
        ] {
            let mut circuit = Circuit::default();
            circuit.failed("hook", ("429", wish), (at(0), at(0)), false);
            circuit.changed(is_same_receiver, at(1));
            assert_eq!(circuit.gate(at(1)), expected, "{wish:?} {is_same_receiver}");
            // By hand, and after it failed without a wish.
            circuit.hurry(at(2));
            circuit.failed("hook", ("503", None), (at(2), at(2)), false);
            circuit.changed(true, at(3));
            assert_eq!(circuit.gate(at(3)), Gate::One, "{wish:?} {is_same_receiver}");
        }
    }

    #[test]
    fn row_10_a_clock_set_back_neither_shuts_a_way_nor_has_it_hammered() {
        const HOUR: i64 = 3600;
        for back in [1, 59, 120, 2 * HOUR, 72 * HOUR, 365 * 24 * HOUR] {
            for wish in [None, Some(Duration::from_hours(6))] {
                let mut circuit = Circuit::default();
                circuit.failed("hook", ("503", wish), (at(0), at(0)), false);
                // An attempt by hand, after the clock was set back.
                circuit.hurry(at(-back));
                circuit.failed("hook", ("503", wish), (at(-back), at(-back)), false);
                let fault = circuit.fault.clone().expect("a fault");
                let again = wish.map_or(30, |_| 6 * HOUR);
                assert_eq!((fault.failures, fault.since), (2, at(-back)), "{back} s back");
                assert_eq!(circuit.gate(at(-back)), Gate::Shut(at(again - back)), "{back} s back");
                // The program starts after it: one attempt, and no more.
                circuit.failed("hook", ("503", wish), (at(0), at(0)), false);
                assert!(circuit.set_back(at(-back)) && !circuit.set_back(at(-back)), "{back} s back");
                assert_eq!(circuit.gate(at(-back)), Gate::One, "{back} s back");
                circuit.failed("hook", ("503", wish), (at(-back), at(-back)), false);
                assert!(matches!(circuit.gate(at(-back)), Gate::Shut(_)), "{back} s back");
            }
        }
    }

    #[test]
    fn nobody_is_told_while_the_machine_is_offline() {
        let mut circuit = Circuit::default();
        let fail = |circuit: &mut Circuit, second, offline| {
            circuit.failed("mail", ("no route", None), (at(second), at(second)), offline)
        };
        for second in [0, 300, 600, 900] {
            assert_eq!(fail(&mut circuit, second, true), None);
        }
        assert!(fail(&mut circuit, 1200, false).is_some());
    }
}
