//! What the store keeps of a Telegram channel.

use jiff::Timestamp;

/// What is remembered of a Telegram channel.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ChannelState {
    /// Telegram's own number of it, which outlives its name.
    pub id: Option<i64>,
    /// The number of the channel that had the name before, where another has taken it over. Messages of that one are
    /// remembered by the name, those of any other by its number.
    pub named: Option<i64>,
    /// The name, in lower case, by which its messages are remembered, where the config has another for it now.
    pub filed: Option<String>,
    /// Lowest message number of the baseline: what is older was never to be told.
    pub first: Option<u64>,
    /// Whether its pages had texts.
    pub texts: bool,
    /// When the page before the newest was last read again, for edits and deletions.
    pub reread: Option<Timestamp>,
    /// Messages once seen that its pages do not show any more, by number, with when that was noticed; the last
    /// [`GONE_MAX`] of them.
    pub gone: Vec<(u64, Timestamp)>,
    /// How far its page goes since its highest number fell, when the last one was the first to show that.
    pub fell: Option<u64>,
    /// The stranger found under its name at the last page, which is watched in its place when the next one shows it again.
    pub stranger: Option<Stranger>,
}

/// A channel found under the name of another: what its messages were told from, and up to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stranger {
    /// Telegram's own number of it.
    pub id: i64,
    /// Lowest number on the page on which it was found.
    pub first: u64,
    /// How far that page went.
    pub newest: u64,
}

/// Most messages gone from a preview that are remembered of a channel.
pub const GONE_MAX: usize = 50;
