//! Alerts that leave together: which, in which order, in how many messages.

use std::ops::Range;

use jiff::Timestamp;

use crate::id::{digest, id};
use crate::route::hold::HoldReason;
use crate::rules::spec::Severity;
use crate::story::AlertId;

/// Alerts in a part at most.
pub const PART_ALERTS_MAX: usize = 100;

/// Bytes of a part at most, counted as the JSON of its alerts; a single alert may pass it.
const PART_BYTES_MAX: usize = 256 * 1024;

/// Alerts at most in a bundle that is one message: all of them are marked as told in one transaction, for which polls
/// wait some tenths of a second.
const WHOLE_ALERTS_MAX: usize = 5_000;

/// Alerts of a bundle that are read for a message that lists what fits: no service takes as many.
pub const LISTED_MAX: usize = 300;

id! {
    /// Identifies a bundle. Its first six bytes are the time of its making in milliseconds, so that ids sort by age.
    BundleId
}

impl BundleId {
    /// The id of the bundle that is made of these alerts at `created`.
    pub fn new(created: Timestamp, alerts: &[AlertId]) -> Self {
        let age = u64::try_from(created.as_millisecond()).unwrap_or_default().to_be_bytes();
        let bytes: Vec<u8> = alerts.iter().flat_map(|alert| alert.to_bytes()).collect();
        let rest = digest(&[b"bundle", &bytes, &age]);
        Self(std::array::from_fn(|i| if i < 6 { age[i + 2] } else { rest[i] }))
    }
}

/// Alerts that leave as one message, gravest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bundle {
    /// Its id.
    pub id: BundleId,
    /// What they waited for.
    pub cause: Cause,
    /// The alerts: at most [`PART_ALERTS_MAX`], or all where one message lists what fits.
    pub alerts: Vec<AlertId>,
    /// Its number among those that left together, from 1.
    pub part: usize,
    /// How many left together.
    pub parts: usize,
    /// When it was made.
    pub created: Timestamp,
}

/// What the alerts of a bundle waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Others of their story.
    Batch,
    /// The time of a digest.
    Digest,
    /// The end of quiet hours.
    Quiet,
    /// Room in a budget.
    Budget,
    /// A way that works: a stop or an outage held them up.
    Late,
}

impl Cause {
    /// All of them.
    const ALL: [Self; 5] = [Self::Batch, Self::Digest, Self::Quiet, Self::Budget, Self::Late];

    /// The word used in JSON and in the store.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Batch => "batch",
            Self::Digest => "digest",
            Self::Quiet => "quiet",
            Self::Budget => "budget",
            Self::Late => "late",
        }
    }

    /// The cause of that word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.as_str() == word)
    }
}

impl From<HoldReason> for Cause {
    fn from(reason: HoldReason) -> Self {
        match reason {
            HoldReason::Batch(_) => Self::Batch,
            HoldReason::Digest => Self::Digest,
            HoldReason::Quiet => Self::Quiet,
            HoldReason::Budget => Self::Budget,
        }
    }
}

/// What of an alert decides where in a bundle it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weight {
    /// Its severity.
    pub severity: Severity,
    /// When it was made.
    pub created: Timestamp,
    /// Bytes of its JSON.
    pub bytes: usize,
}

/// Sorts what leaves together, gravest and then oldest first, and cuts it into as few parts as their limits allow.
pub fn parts<T>(members: Vec<(Weight, T)>) -> Vec<Vec<T>> {
    divided(members, cut)
}

/// Sorts it in the same way for a receiver that is told what fits into one message, and how many are left.
pub fn wholes<T>(members: Vec<(Weight, T)>) -> Vec<Vec<T>> {
    divided(members, |bytes| {
        let begins = (0..bytes.len()).step_by(WHOLE_ALERTS_MAX);
        begins.map(|begin| begin..bytes.len().min(begin + WHOLE_ALERTS_MAX)).collect()
    })
}

fn divided<T>(mut members: Vec<(Weight, T)>, cut: impl Fn(&[usize]) -> Vec<Range<usize>>) -> Vec<Vec<T>> {
    members.sort_by_key(|(weight, _)| (std::cmp::Reverse(weight.severity), weight.created));
    let bytes: Vec<usize> = members.iter().map(|(weight, _)| weight.bytes).collect();
    let mut members = members.into_iter().map(|(_, member)| member);
    cut(&bytes).into_iter().map(|part| members.by_ref().take(part.len()).collect()).collect()
}

/// Where to cut alerts of so many bytes each into messages.
pub fn cut(bytes: &[usize]) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    let (mut begin, mut sum) = (0, 0);
    for (at, size) in bytes.iter().enumerate() {
        if at > begin && (at - begin == PART_ALERTS_MAX || sum + size > PART_BYTES_MAX) {
            parts.push(begin..at);
            (begin, sum) = (at, 0);
        }
        sum += size;
    }
    if begin < bytes.len() {
        parts.push(begin..bytes.len());
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_keep_to_their_limits_and_lose_nothing() {
        for (count, bytes, expected) in [
            (0, 10, vec![]),
            (1, 10, vec![1]),
            (100, 10, vec![100]),
            (201, 10, vec![100, 100, 1]),
            (70, 8_400, vec![31, 31, 8]),
            (3, 300_000, vec![1, 1, 1]),
        ] {
            let lengths: Vec<usize> = cut(&vec![bytes; count]).into_iter().map(|part| part.len()).collect();
            assert_eq!(lengths, expected, "{count} of {bytes} bytes");
        }
    }

    #[test]
    fn one_message_holds_all_as_far_as_a_transaction_does() {
        let weight = Weight { severity: Severity::Low, created: Timestamp::UNIX_EPOCH, bytes: 10_000 };
        for (count, expected) in
            [(0, vec![]), (1, vec![1]), (450, vec![450]), (10_001, vec![5_000, 5_000, 1])]
        {
            let parts = wholes((0..count).map(|number| (weight, number)).collect());
            assert_eq!(parts.iter().map(Vec::len).collect::<Vec<_>>(), expected, "{count}");
            assert!(parts.concat().into_iter().eq(0..count), "{count}");
        }
    }

    #[test]
    fn the_gravest_stand_first_and_among_them_the_oldest() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let member = |severity, second, name| (Weight { severity, created: at(second), bytes: 10 }, name);
        let members = vec![
            member(Severity::Low, 1, "low"),
            member(Severity::High, 3, "later"),
            member(Severity::High, 2, "high"),
            member(Severity::Critical, 4, "critical"),
        ];
        assert_eq!(parts(members), [["critical", "high", "later", "low"]]);
    }
}
