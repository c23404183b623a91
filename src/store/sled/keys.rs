//! Keys of the one tree: a byte that says what the row is, then what finds it, in an order that scans can use.
//!
//! One tree, because a transaction over one tree is the cheapest, and prefixes keep the kinds apart.

use jiff::Timestamp;

use crate::event::EventId;
use crate::item::{ItemId, SeenKey, SourceName};
use crate::outbox::DeliveryId;
use crate::outbox::bundle::BundleId;
use crate::report::ReportId;
use crate::route::Recipient;
use crate::store::Day;
use crate::story::{AlertId, StoryId};

/// Kind of a row: the first byte of its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Kind {
    /// Further piece of a value too long for one row.
    Part = b'+',
    /// Alert, by id, which is by age.
    Alert = b'a',
    /// Bundle, by id, which is by age.
    Bundle = b'b',
    /// Closed delivery, by id.
    Closed = b'c',
    /// Way of a notifier, by its name.
    Circuit = b'w',
    /// Host whose sources share a trouble, by name.
    Host = b'n',
    /// Order of a host to all who ask there, by its name.
    Order = b'O',
    /// What a server says to crawlers, by scheme, host and port.
    Robots = b'R',
    /// Open delivery, by id.
    Open = b'd',
    /// Dead letter, by the time of its end.
    Dead = b'e',
    /// Story filed under a key.
    Filed = b'f',
    /// Item of an older page set aside, by source and place.
    Held = b'g',
    /// Closed delivery, by the time of its end.
    History = b'h',
    /// Item, by day and id.
    Item = b'i',
    /// Seen keys of a source.
    Seen = b'k',
    /// Facts about the store.
    Meta = b'm',
    /// Article to be fetched, by the id of its item.
    Pending = b'p',
    /// Daily report, by id, which is by age.
    Report = b'j',
    /// When a report was last made, by notifier and recipient.
    Reported = b'l',
    /// What was spent of a budget, by notifier and recipient.
    Spent = b'q',
    /// What became of an article, by day and id of its item.
    Article = b'r',
    /// State of a source, by name.
    Source = b's',
    /// Story, by id.
    Story = b't',
    /// How many articles of a source are to be fetched, by its name; without a name, of all.
    Waiting = b'u',
    /// Event, by id, which is by age.
    Event = b'v',
    /// Row set aside because its checksum did not fit.
    Damaged = b'x',
}

impl Kind {
    /// The prefix that all keys of this kind share.
    pub(super) fn prefix(self) -> [u8; 1] {
        [self as u8]
    }

    /// The key of this kind made of `parts`.
    pub(super) fn key(self, parts: &[&[u8]]) -> Vec<u8> {
        let mut key = vec![self as u8];
        key.extend(parts.iter().copied().flatten());
        key
    }

    /// The first key after all of this kind.
    pub(super) fn end(self) -> [u8; 1] {
        [self as u8 + 1]
    }
}

/// The format of the store.
pub(super) fn format() -> Vec<u8> {
    Kind::Meta.key(&[b"format"])
}

/// The number of commits so far.
pub(super) fn commits() -> Vec<u8> {
    Kind::Meta.key(&[b"commits"])
}

/// What is known of the network.
pub(super) fn network() -> Vec<u8> {
    Kind::Meta.key(&[b"network"])
}

/// From which backup the store was restored, and when.
pub(super) fn restored() -> Vec<u8> {
    Kind::Meta.key(&[b"restored"])
}

/// When what is past its time was last removed to the end.
pub(super) fn retained() -> Vec<u8> {
    Kind::Meta.key(&[b"retained"])
}

/// The silences.
pub(super) fn silences() -> Vec<u8> {
    Kind::Meta.key(&[b"silences"])
}

/// The trouble of a host.
pub(super) fn host(name: &str) -> Vec<u8> {
    Kind::Host.key(&[name.as_bytes()])
}

/// The order of a host.
pub(super) fn order(host: &str) -> Vec<u8> {
    Kind::Order.key(&[host.as_bytes()])
}

/// What a server says to crawlers.
pub(super) fn robots(origin: &str) -> Vec<u8> {
    Kind::Robots.key(&[origin.as_bytes()])
}

/// A source's state.
pub(super) fn source(name: &SourceName) -> Vec<u8> {
    Kind::Source.key(&[name.as_str().as_bytes()])
}

/// An item set aside under a number of its source.
pub(super) fn held(name: &SourceName, place: u32) -> Vec<u8> {
    Kind::Held.key(&[name.as_str().as_bytes(), &[0], &place.to_be_bytes()])
}

/// A bucket of a source's seen keys: those whose first `depth` bits are the lowest `depth` bits of `path`.
pub(super) fn seen(name: &SourceName, depth: u8, path: u32) -> Vec<u8> {
    // The zero ends the name: no name is a prefix of another's keys.
    Kind::Seen.key(&[name.as_str().as_bytes(), &[0, depth], &path.to_be_bytes()])
}

/// The source whose seen keys are under `key`.
pub(super) fn seen_source(key: &[u8]) -> Option<SourceName> {
    let name = key.get(1..)?.split(|&byte| byte == 0).next()?;
    SourceName::new(std::str::from_utf8(name).ok()?)
}

/// An item.
pub(super) fn item(id: ItemId, first: Day) -> Vec<u8> {
    Kind::Item.key(&[&first.0.to_be_bytes(), &id.to_bytes()])
}

/// Before all items of `day`.
pub(super) fn items_of(day: Day) -> Vec<u8> {
    Kind::Item.key(&[&day.0.to_be_bytes()])
}

/// The day in an item's key.
pub(super) fn item_day(key: &[u8]) -> Option<Day> {
    key.get(1..)?.first_chunk().map(|bytes| Day(u16::from_be_bytes(*bytes)))
}

/// What became of the article of an item.
pub(super) fn article(id: ItemId, first: Day) -> Vec<u8> {
    Kind::Article.key(&[&first.0.to_be_bytes(), &id.to_bytes()])
}

/// Before all articles of items of `day`.
pub(super) fn articles_of(day: Day) -> Vec<u8> {
    Kind::Article.key(&[&day.0.to_be_bytes()])
}

/// An article to be fetched.
pub(super) fn pending(id: ItemId) -> Vec<u8> {
    Kind::Pending.key(&[&id.to_bytes()])
}

/// How many articles of a source are to be fetched.
pub(super) fn waiting(source: &SourceName) -> Vec<u8> {
    Kind::Waiting.key(&[source.as_str().as_bytes()])
}

/// How many articles are to be fetched in all.
pub(super) fn waiting_in_all() -> Vec<u8> {
    Kind::Waiting.key(&[])
}

/// A story.
pub(super) fn story(id: StoryId) -> Vec<u8> {
    Kind::Story.key(&[&id.to_bytes()])
}

/// The story filed under a key.
pub(super) fn filed(key: SeenKey) -> Vec<u8> {
    Kind::Filed.key(&[&key.to_bytes()])
}

/// An alert.
pub(super) fn alert(id: AlertId) -> Vec<u8> {
    Kind::Alert.key(&[&id.to_bytes()])
}

/// Before all alerts made at `time` or later: their ids begin with six bytes of milliseconds.
pub(super) fn alerts_from(time: Timestamp) -> Vec<u8> {
    Kind::Alert.key(&[millis(time).get(2..).unwrap_or_default()])
}

/// An event.
pub(super) fn event(id: EventId) -> Vec<u8> {
    Kind::Event.key(&[&id.to_bytes()])
}

/// Before all events made at `time` or later.
pub(super) fn events_from(time: Timestamp) -> Vec<u8> {
    Kind::Event.key(&[millis(time).get(2..).unwrap_or_default()])
}

/// A bundle.
pub(super) fn bundle(id: BundleId) -> Vec<u8> {
    Kind::Bundle.key(&[&id.to_bytes()])
}

/// Before all bundles made at `time` or later.
pub(super) fn bundles_from(time: Timestamp) -> Vec<u8> {
    Kind::Bundle.key(&[millis(time).get(2..).unwrap_or_default()])
}

/// What is known of a notifier's way.
pub(super) fn circuit(notifier: &str) -> Vec<u8> {
    Kind::Circuit.key(&[notifier.as_bytes()])
}

/// A daily report.
pub(super) fn report(id: ReportId) -> Vec<u8> {
    Kind::Report.key(&[&id.to_bytes()])
}

/// Before all reports made at `time` or later.
pub(super) fn reports_from(time: Timestamp) -> Vec<u8> {
    Kind::Report.key(&[millis(time).get(2..).unwrap_or_default()])
}

/// When a recipient's last report was made.
pub(super) fn reported((notifier, recipient): &Recipient) -> Vec<u8> {
    Kind::Reported.key(&[notifier.as_bytes(), &[0], recipient.as_bytes()])
}

/// What was spent of a recipient's budget.
pub(super) fn spent((notifier, recipient): &Recipient) -> Vec<u8> {
    Kind::Spent.key(&[notifier.as_bytes(), &[0], recipient.as_bytes()])
}

/// An open delivery.
pub(super) fn open(id: DeliveryId) -> Vec<u8> {
    Kind::Open.key(&[&id.to_bytes()])
}

/// A closed delivery.
pub(super) fn closed(id: DeliveryId) -> Vec<u8> {
    Kind::Closed.key(&[&id.to_bytes()])
}

/// A closed delivery's place in time.
pub(super) fn history(at: Timestamp, id: DeliveryId) -> Vec<u8> {
    Kind::History.key(&[&millis(at), &id.to_bytes()])
}

/// A dead letter's place in time, beside its [`history`]: dead letters are few among what was delivered.
pub(super) fn dead(at: Timestamp, id: DeliveryId) -> Vec<u8> {
    Kind::Dead.key(&[&millis(at), &id.to_bytes()])
}

/// The place that a dead letter would have beside `history`.
pub(super) fn dead_beside(history: &[u8]) -> Vec<u8> {
    Kind::Dead.key(&[history.get(1..).unwrap_or_default()])
}

/// Before all deliveries closed at `time` or later.
pub(super) fn history_from(time: Timestamp) -> Vec<u8> {
    Kind::History.key(&[&millis(time)])
}

/// The delivery whose place in time `key` is.
pub(super) fn place_id(key: &[u8]) -> Option<DeliveryId> {
    key.last_chunk().copied().map(DeliveryId::from_bytes)
}

/// Piece `n` of the value at `key`.
pub(super) fn part(key: &[u8], n: u16) -> Vec<u8> {
    Kind::Part.key(&[key, &n.to_be_bytes()])
}

/// Where the row at `key` goes when it is set aside.
pub(super) fn damaged(key: &[u8]) -> Vec<u8> {
    Kind::Damaged.key(&[key])
}

/// Milliseconds since 1970; times before that count as 1970.
fn millis(time: Timestamp) -> [u8; 8] {
    u64::try_from(time.as_millisecond()).unwrap_or_default().to_be_bytes()
}
