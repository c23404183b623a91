//! When a source is due by the config in force: what an earlier one planned may be hours later.

use std::time::Duration;

use jiff::Timestamp;

use crate::config::Config;
use crate::desk::Source;
use crate::fetch::Freshness;
use crate::schedule::{self, Condition, PollOutcome};
use crate::store::SourceState;

/// The next poll of a source as it is planned, or sooner where that is well and the config lets it wait less since. What
/// its server ordered holds.
pub(crate) fn due(source: &Source, state: &SourceState, config: &Config) -> Option<Timestamp> {
    let planned = state.due?;
    let is_well = state.failing.is_none() && state.learned.same_as.is_none();
    let Some(last) = state.last_poll.filter(|_| is_well && state.asked == source.address()) else {
        return Some(planned);
    };
    let order =
        state.not_before.map(|order| Duration::try_from(order.duration_since(last)).unwrap_or_default());
    let poll = schedule::Poll {
        started: last,
        answered: last,
        outcome: PollOutcome::Read,
        freshness: Freshness { retry_after: order, ..Freshness::default() },
        hints: state.hints(),
        validators: state.validators.as_ref().is_some_and(|(_, known)| !known.is_empty())
            && state.learned.takes(Condition::Validators, last),
        news: state.learned.news(state.last_new.max(state.baseline), false),
    };
    let anew = schedule::next_poll(source.name(), &source.rhythm(config), &poll).due;
    Some(planned.min(anew.max(state.not_before.unwrap_or(anew))))
}

/// When a source is polled that is not to be asked before `free`, as seen at `now`: no sooner than it was planned, nor in
/// hours in which its publisher asks to be left alone.
pub(super) fn after(
    source: &Source,
    state: &SourceState,
    config: &Config,
    free: Timestamp,
    now: Timestamp,
) -> Timestamp {
    let planned = state.due_later(&source.address(), now).and_then(|_| due(source, state, config));
    let due = planned.map_or(free, |due| due.max(free));
    schedule::closed_until(source.name(), &source.rhythm(config), &state.hints(), due).unwrap_or(due)
}
