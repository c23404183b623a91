//! What of a conditional request a server answers with an error, although it gives the document to whoever asks without.

use jiff::{SignedDuration, Timestamp};

use super::Learned;

/// How long that is remembered: then it is tried once more, at the cost of one poll.
const REFUSED_FOR: SignedDuration = SignedDuration::from_hours(30 * 24);

/// The status of a server that takes a validator for a condition on a change of its own.
const PRECONDITION_FAILED: u16 = 412;

/// The status of a change to a document; one that could be read is no error.
const IM_USED: u16 = 226;

/// A part of a conditional request; each needs those after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Condition {
    /// The wish for the new entries alone (`A-IM`).
    Delta,
    /// Validators.
    Validators,
}

impl Condition {
    /// The word for logs and the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Delta => "a-im",
            Self::Validators => "validators",
        }
    }

    /// The part of that word.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Delta, Self::Validators].into_iter().find(|part| part.as_str() == word)
    }
}

/// What a server refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The part, and with it those that need it.
    pub what: Condition,
    /// When it did.
    pub at: Timestamp,
}

impl Learned {
    /// Whether that may stand in the next request.
    pub fn takes(&self, condition: Condition, now: Timestamp) -> bool {
        let holds = |refused: &Refused| now.duration_since(refused.at) < REFUSED_FOR;
        self.refused.filter(holds).is_none_or(|refused| condition > refused.what)
    }

    /// Takes note of the status with which a conditional request failed. Tells whether the next one is to be another.
    pub fn refuse(&mut self, status: Option<u16>, now: Timestamp) -> bool {
        let what = match status {
            Some(IM_USED) if self.takes(Condition::Delta, now) => Condition::Delta,
            Some(IM_USED | PRECONDITION_FAILED) => Condition::Validators,
            Some(_) | None => return false,
        };
        self.refused = Some(Refused { what, at: now });
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_refuses_is_left_out_for_a_month() {
        let at = |day: i64| Timestamp::from_second(1_800_000_000 + day * 86_400).unwrap();
        let (none, delta, both) = ([true, true], [false, true], [false, false]);
        for (failures, day, expected) in [
            (vec![(0, 500), (1, 304)], 1, none),
            (vec![(0, 226)], 29, delta),
            (vec![(0, 226)], 30, none),
            (vec![(0, 412)], 29, both),
            (vec![(0, 226), (1, 226)], 2, both),
            (vec![(0, 226), (30, 226)], 31, delta),
            (vec![(0, 226), (29, 412)], 58, both),
        ] {
            let mut learned = Learned::default();
            for (day, status) in &failures {
                learned.refuse(Some(*status), at(*day));
            }
            let takes = [Condition::Delta, Condition::Validators].map(|part| learned.takes(part, at(day)));
            assert_eq!(takes, expected, "{failures:?}");
        }
    }
}
