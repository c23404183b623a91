//! What the store keeps of a Telegram channel.

use jiff::Timestamp;

use super::SourceState;
use crate::source::telegram::ChannelName;

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
    /// The highest number of a message with one on its last page, where most had one.
    pub said: Option<u64>,
    /// When the page before the newest was last read again, for edits and deletions.
    pub reread: Option<Timestamp>,
    /// Messages once seen that its pages do not show any more, by number, with when that was noticed; the last
    /// [`GONE_MAX`] of them.
    pub gone: Vec<(u64, Timestamp)>,
    /// How far its page goes since its highest number fell, when the last one was the first to show that.
    pub fell: Option<u64>,
    /// The stranger found under its name at the last page, which is watched in its place when the next one shows it again.
    pub stranger: Option<Stranger>,
    /// The name, in lower case, under which messages of it may be remembered, too: a mirror showed them before its number
    /// told whose they are.
    pub mirrored: Option<String>,
    /// The channel that was read before, while mirrors alone show the one that the config names now. No mirror tells
    /// whether that is the same under another name.
    pub left: Option<Box<Left>>,
}

/// What is kept of a channel while another address than its own is read.
#[derive(Clone, Debug, PartialEq)]
pub struct Left {
    /// The address at which it was read.
    pub address: String,
    /// When its baseline was taken.
    pub baseline: Option<Timestamp>,
    /// The highest number up to which it was read without a gap.
    pub newest: Option<u64>,
    /// What else was known of it.
    pub channel: ChannelState,
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

impl SourceState {
    /// What is to be kept of the channel when a mirror's page is read at another address: the one read itself last, which
    /// alone can be known again by its number.
    pub fn left(&self) -> Option<Box<Left>> {
        if self.channel.id.is_none() {
            return self.channel.left.clone();
        }
        // What a walk set aside is not kept; it begins anew from the same number.
        let newest = self.walk.as_ref().map_or(self.telegram_newest, |walk| walk.floor);
        Some(Box::new(Left {
            address: self.address.clone(),
            baseline: self.baseline,
            newest: newest.filter(|newest| *newest > 0),
            channel: ChannelState { left: None, ..self.channel.clone() },
        }))
    }

    /// The same with what was kept of a channel in force again, where a page at `address` on which the channel has the
    /// number `id` is its own.
    pub fn recalled(&self, address: &str, id: Option<i64>) -> Option<Self> {
        let left = self.channel.left.as_deref()?;
        let is_back = left.address == address;
        if !is_back && (id.is_none() || left.channel.id != id) {
            return None;
        }
        let Left { address, baseline, newest, mut channel } = left.clone();
        if !is_back {
            let name = self.address.parse::<ChannelName>().ok();
            channel.mirrored = name.map(|name| name.as_str().to_lowercase()).or(channel.mirrored);
        }
        Some(Self { address, baseline, telegram_newest: newest, channel, ..self.clone() })
    }
}

/// Most messages gone from a preview that are remembered of a channel.
pub const GONE_MAX: usize = 50;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::item::SourceName;
    use crate::store::Walk;

    /// A channel read at `post` up to number 60.
    fn state(channel: ChannelState, floor: Option<u64>) -> SourceState {
        SourceState {
            address: "https://t.me/post".into(),
            telegram_newest: Some(60),
            channel,
            walk: floor.map(|floor| Walk { floor: Some(floor), ..Walk::default() }),
            ..SourceState::blank(&SourceName::new("post").unwrap())
        }
    }

    fn channel(id: i64) -> ChannelState {
        ChannelState { id: Some(id), first: Some(11), ..ChannelState::default() }
    }

    #[test]
    fn what_is_kept_of_a_channel_reaches_to_where_it_was_read_without_a_gap() {
        for (floor, newest) in [(None, Some(60)), (Some(30), Some(30)), (Some(0), None)] {
            let left = state(channel(-1), floor).left().unwrap();
            assert_eq!((left.newest, &left.channel), (newest, &channel(-1)), "{floor:?}");
        }
        // One that no number tells is not kept, and takes the place of none that is.
        assert_eq!(state(ChannelState::default(), None).left(), None);
        let left = state(channel(-1), None).left();
        let unnumbered = ChannelState { left: left.clone(), ..ChannelState::default() };
        assert_eq!(state(unnumbered, None).left(), left);
    }

    #[test]
    fn a_channel_is_known_again_by_its_address_or_its_number() {
        let left = state(channel(-1), Some(30)).left();
        let now = ChannelState { first: Some(100), left, ..ChannelState::default() };
        let now = SourceState { address: "https://t.me/Poste".into(), ..state(now, None) };
        for (address, id, expected) in [
            ("https://t.me/poste", Some(-1), Some(Some("poste"))),
            ("https://t.me/poste", Some(-2), None),
            ("https://t.me/poste", None, None),
            ("https://t.me/post", None, Some(None)),
        ] {
            let recalled = now.recalled(address, id);
            let mirrored = recalled.as_ref().map(|state| state.channel.mirrored.as_deref());
            assert_eq!(mirrored, expected, "{address} {id:?}");
            let Some(recalled) = recalled else { continue };
            assert_eq!(
                (recalled.address.as_str(), recalled.telegram_newest),
                ("https://t.me/post", Some(30))
            );
            assert_eq!((recalled.channel.id, recalled.channel.left), (Some(-1), None));
        }
    }
}
