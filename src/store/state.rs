//! The values the store keeps.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::channel::ChannelState;
use crate::article::Tally;
use crate::event::Health;
use crate::fetch::Validators;
use crate::item::{Item, SeenKey, SourceName};
use crate::schedule::{self, Learned};
use crate::source::{Hints, LAYOUT};

/// What is remembered of a source.
#[derive(Clone, Debug, PartialEq)]
pub struct SourceState {
    /// Its name.
    pub name: SourceName,
    /// The address that the baseline, the validators and the body belong to: the one last read.
    pub address: String,
    /// The address asked last, which `due`, `not_before` and `failing` belong to.
    pub asked: String,
    /// How the body was read, as far as the config says (selectors): read otherwise it is another.
    pub read_as: String,
    /// When its first poll that parsed was; `None` until then.
    pub baseline: Option<Timestamp>,
    /// Items of the baseline on which a rule would have fired.
    pub baseline_fired: u32,
    /// Readings of the baseline that were cut, before one was whole.
    pub baseline_cut: u8,
    /// Validators of the last body whose items are stored, and the address they came from.
    pub validators: Option<(String, Validators)>,
    /// XXH3 (128 bits) of the last body whose items are stored.
    pub body: Option<[u8; 16]>,
    /// When the next poll is due.
    pub due: Option<Timestamp>,
    /// The server's order: no request before.
    pub not_before: Option<Timestamp>,
    /// Start of the last poll.
    pub last_poll: Option<Timestamp>,
    /// Last poll that was answered and could be read.
    pub last_success: Option<Timestamp>,
    /// Last poll that brought a document with items, rather than the news in it alone (226): it moved [`Seen::last`] of
    /// what the source still shows.
    pub last_shown: Option<Timestamp>,
    /// Last time a new item was seen.
    pub last_new: Option<Timestamp>,
    /// Items seen, all told.
    pub items: u64,
    /// Items on the last page that showed any; what shows news alone (226) is no page.
    pub items_last: u32,
    /// Entries lost in the last reading.
    pub lost_last: u32,
    /// How the last poll failed, while polls fail.
    pub failing: Option<Failing>,
    /// Highest message number of a Telegram channel.
    pub telegram_newest: Option<u64>,
    /// The `ttl` of the last document that could be read, in minutes.
    pub ttl_minutes: Option<u32>,
    /// What is known of a Telegram channel beside its highest number.
    pub channel: ChannelState,
    /// The walk through older pages that was not ended.
    pub walk: Option<Walk>,
    /// When it was last read before a document that was cut and shows nothing that was known then: whether there is a gap
    /// is decided of the next one. What came since does not close it.
    pub unsure: Option<Timestamp>,
    /// How it has fared, and what was told of that.
    pub health: Health,
    /// What its polls have taught.
    pub learned: Learned,
    /// How the articles that its entries link to ended.
    pub articles: Tally,
    /// The last restore of the store ([`Restored::at`]) since which all that it shows was read.
    pub restored: Option<Timestamp>,
}

/// A walk through older pages under way: what it read is set aside in the store until it ends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Walk {
    /// Where it goes on: the lowest message number read of a Telegram channel, else an address; empty where there is
    /// nothing older.
    pub cursor: String,
    /// Of a Telegram channel, the highest number from which it reached the cursor without a gap; the newest page itself
    /// is not set aside.
    pub top: Option<u64>,
    /// Pages read.
    pub pages: u32,
    /// Items set aside.
    pub held: u32,
    /// Of a Telegram channel, the highest number read before the gap, 0 where none was: what is told meanwhile does not
    /// close it.
    pub floor: Option<u64>,
    /// Polls that could not read the page where it goes on.
    pub tries: u32,
    /// When the source was last read without the gap that it is to fill; `None` where none is certain. What is told
    /// meanwhile does not close it.
    pub since: Option<Timestamp>,
}

/// For how long at most a baseline is taken of readings that are cut.
pub(super) const BASELINE_OPEN_MAX: SignedDuration = SignedDuration::from_hours(24);

/// Of how many such readings at most: a feed that is always cut must alert.
pub(super) const BASELINE_CUT_MAX: u8 = 4;

impl SourceState {
    /// The state of a source never polled.
    pub fn blank(name: &SourceName) -> Self {
        Self {
            name: name.clone(),
            address: String::new(),
            asked: String::new(),
            read_as: String::new(),
            baseline: None,
            baseline_fired: 0,
            baseline_cut: 0,
            validators: None,
            body: None,
            due: None,
            not_before: None,
            last_poll: None,
            last_success: None,
            last_shown: None,
            last_new: None,
            items: 0,
            items_last: 0,
            lost_last: 0,
            failing: None,
            telegram_newest: None,
            ttl_minutes: None,
            channel: ChannelState::default(),
            walk: None,
            unsure: None,
            health: Health::default(),
            learned: Learned::default(),
            articles: Tally::default(),
            restored: None,
        }
    }

    /// When a page was last read that could not be read since by its selectors, and has others now (`read_as`).
    pub fn unread_by_selectors(&self, address: &str, read_as: &str) -> Option<Timestamp> {
        let is_mended = self.address == address && self.read_as != read_as;
        // One that is read with a complaint misses nothing.
        let is_unread = self.is_layout_unknown() && self.unread_polls() > 0;
        self.last_success.or(self.baseline).filter(|_| is_mended && is_unread)
    }

    /// Whether its layout is unknown: it was at its last poll, or that was told and has not passed.
    pub fn is_layout_unknown(&self) -> bool {
        let last = self.failing.as_ref().map(|failing| failing.reason.as_str());
        let last = last.or(self.health.run.as_ref().map(|run| run.reason.as_str()));
        last == Some(LAYOUT) || self.health.told.as_ref().is_some_and(|told| told.reason == LAYOUT)
    }

    /// When its baseline was begun, while that is still being taken at `now`: until a first whole reading shows the rest.
    pub fn open_baseline(&self, now: Timestamp) -> Option<Timestamp> {
        let is_open = |begun: &Timestamp| now.duration_since(*begun) < BASELINE_OPEN_MAX;
        self.unread_baseline().filter(|begun| self.baseline_cut < BASELINE_CUT_MAX && is_open(begun))
    }

    /// The same however long that lasts: what is dated before it may have stood behind the cut all the time.
    pub fn unread_baseline(&self) -> Option<Timestamp> {
        self.baseline.filter(|_| self.body.is_none() && self.baseline_cut > 0)
    }

    /// What the last document that could be read asks of pollers.
    pub fn hints(&self) -> Hints {
        Hints {
            ttl_minutes: self.ttl_minutes,
            skip_hours: self.learned.skip_hours,
            skip_days: self.learned.skip_days,
            update_minutes: self.learned.update_minutes,
            telegram_newest: self.telegram_newest,
            ..Hints::default()
        }
    }

    /// The same for a source now asked at `address`: how another address fared and what it ordered says nothing.
    #[must_use]
    pub fn at(self, address: &str) -> Self {
        if self.asked == address {
            return self;
        }
        let asked = address.to_owned();
        let health = Health { run: None, complaint: None, ..self.health };
        let (moved, same_as, refused, reason) = Default::default();
        let learned = Learned { moved, same_as, refused, reason, ..self.learned };
        Self { asked, due: None, not_before: None, failing: None, health, learned, ..self }
    }

    /// Polls in a row that brought nothing to read, up to the last. What is read with a complaint counts as failing, and
    /// is none of them.
    pub fn unread_polls(&self) -> u32 {
        let unread = self.last_poll != self.last_success;
        self.failing.as_ref().filter(|_| unread).map_or(0, |failing| failing.polls)
    }

    /// When the next poll of `address` is due; `None` when it is now.
    pub fn due_later(&self, address: &str, now: Timestamp) -> Option<Timestamp> {
        self.due.filter(|due| self.asked == address && self.holds(*due, now))
    }

    /// Until when the server forbids asking; `None` when it does not.
    pub fn forbidden_until(&self, now: Timestamp) -> Option<Timestamp> {
        self.not_before.filter(|order| self.holds(*order, now))
    }

    /// Whether a remembered time is still to come. A last poll in the future tells that the clock was set back: what
    /// was written then says nothing; but what is gone stays gone.
    fn holds(&self, time: Timestamp, now: Timestamp) -> bool {
        let set_back = self.last_poll.is_some_and(|last| schedule::is_set_back(last, now));
        time > now && (!set_back || time == schedule::NEVER)
    }
}

/// A run of failed polls.
#[derive(Clone, Debug, PartialEq)]
pub struct Failing {
    /// When the first of the run failed.
    pub since: Timestamp,
    /// Number of failed polls in a row.
    pub polls: u32,
    /// Class: `http dns tls timeout parse challenge preview-off gone layout refused`.
    pub reason: String,
    /// The last failure in words.
    pub detail: String,
}

/// What is remembered under a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// When it was first seen; with the id it finds the stored item.
    pub first: Day,
    /// When its source last showed it.
    pub last: Day,
    /// Fingerprint of what a reader saw.
    pub content: u64,
    /// Whose key it is.
    pub owner: Owner,
    /// How often its text or its key changed although its stated dates stood still; counted up to a limit.
    pub changes: u8,
}

/// Whose a key is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Owner {
    /// The item's that was first seen under it. Rows of earlier versions say this of every key.
    #[default]
    Itself,
    /// Another name of the item that was first seen under this key.
    Item(SeenKey),
    /// Several items share it, so that it identifies none.
    Several,
}

impl Owner {
    /// The key of the item that `key` belongs to; `None` when it is several.
    pub fn of(self, key: SeenKey) -> Option<SeenKey> {
        match self {
            Self::Itself => Some(key),
            Self::Item(owner) => Some(owner),
            Self::Several => None,
        }
    }
}

/// Days since 1970-01-01 UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(pub u16);

impl Day {
    /// The day of `time`; clamped to what fits (1970 to 2149).
    pub fn of(time: Timestamp) -> Self {
        let days = time.as_second().div_euclid(86_400).clamp(0, i64::from(u16::MAX));
        Self(u16::try_from(days).unwrap_or(u16::MAX))
    }

    /// Its first second.
    pub fn start(self) -> Timestamp {
        Timestamp::from_second(i64::from(self.0) * 86_400).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// Whether a date states this day and no time of it.
    pub fn is_stated_by(self, date: Timestamp) -> bool {
        self.start() == date
    }
}

/// A stored item: its text cut at [`crate::story::TEXT_BYTES_MAX`].
#[derive(Clone, Debug, PartialEq)]
pub struct StoredItem {
    /// The item.
    pub item: Item,
    /// The day it was first seen.
    pub first: Day,
    /// When this version was fetched.
    pub fetched: Timestamp,
    /// Fingerprint of what it said before the first version that was stored, where that was not the first seen.
    pub before: Option<u64>,
    /// The rules that are told and fired on this version, where its text is longer than what is stored of it.
    pub fired: Option<BTreeSet<String>>,
}

/// Longest part of a page that is kept, in bytes: several pages of a Telegram channel.
pub const PAGE_BYTES_MAX: usize = 512 * 1024;

/// Most pages kept, one for each source: 32 MiB in all.
pub const PAGES_MAX: usize = 64;

/// A page that could not be read as it used to be, for a person to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptPage {
    /// When it was kept.
    pub at: Timestamp,
    /// The body as it came, or its beginning.
    pub bytes: Vec<u8>,
}

/// Which deliveries a scan shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deliveries {
    /// Those that are owed still.
    Open,
    /// Those that are delivered or dead.
    Closed,
    /// Dead letters alone.
    Dead,
}

/// What [`crate::store::Store::expire`] removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Expired {
    /// Seen keys.
    pub keys: u64,
    /// Items.
    pub items: u64,
    /// Alerts.
    pub alerts: u64,
    /// Deliveries.
    pub deliveries: u64,
    /// Whether it was told to stop, so that there may be more.
    pub cut: bool,
}

/// Size and counts of a store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Bytes on disk.
    pub disk_bytes: u64,
    /// Deliveries that are owed still, those that are held left out.
    pub deliveries_open: u64,
    /// Deliveries that are held by their routes.
    pub deliveries_held: u64,
    /// Dead letters.
    pub deliveries_dead: u64,
    /// Values whose checksum did not fit; they are set aside, not used.
    pub damaged: u64,
}

/// The store was restored, and does not know all that it knew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restored {
    /// When; it names this restore.
    pub at: Timestamp,
    /// Until when it knows all: when the backup was taken, or some hours before the damaged store worked for the last time.
    /// What was told since then it may not know.
    pub taken: Timestamp,
    /// From what.
    pub cause: Cause,
}

/// From what a store was restored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// From a backup.
    Backup,
    /// From what was left of it when it was found damaged.
    Damage {
        /// The folder within the store's to which the damaged one was moved.
        aside: String,
        /// What was found.
        detail: String,
        /// Whether anything was left; else it was begun anew.
        kept: bool,
    },
}

/// What a look at every stored value found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// Values looked at.
    pub values: u64,
    /// Those that are not as they were written.
    pub damaged: u64,
    /// Rows set aside earlier, since their value was damaged.
    pub set_aside: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADDRESS: &str = "https://rfi.example/rss";

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_795_000_000 + second).unwrap()
    }

    fn planned(due: Timestamp, not_before: Option<Timestamp>) -> SourceState {
        let name = SourceName::new("rfi").unwrap();
        let last_poll = Some(at(0));
        SourceState {
            asked: ADDRESS.into(),
            due: Some(due),
            not_before,
            last_poll,
            ..SourceState::blank(&name)
        }
    }

    #[test]
    fn g7_a_last_poll_in_the_future_counts_as_due() {
        let state = planned(at(900), None);
        assert_eq!(state.due_later(ADDRESS, at(899)), Some(at(900)));
        assert_eq!(state.due_later(ADDRESS, at(900)), None);
        assert_eq!(state.due_later(ADDRESS, at(-3600)), None, "the clock was set back by an hour");
        assert!(state.due_later(ADDRESS, at(-10)).is_some(), "the clock was corrected by some seconds");
        assert_eq!(state.due_later("https://elsewhere.example/", at(0)), None);
        let gone = planned(schedule::NEVER, Some(schedule::NEVER));
        assert!(gone.due_later(ADDRESS, at(-3600)).is_some() && gone.forbidden_until(at(-3600)).is_some());
    }

    #[test]
    fn orders_bind_polls_by_hand() {
        let state = planned(at(900), Some(at(600)));
        assert_eq!(state.forbidden_until(at(599)), Some(at(600)));
        assert_eq!(state.forbidden_until(at(600)), None);
        assert_eq!(state.at("https://elsewhere.example/").forbidden_until(at(0)), None);
    }
}
