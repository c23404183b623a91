//! What follows in a story goes on, where its receiver keeps threads, from the message with which the story began there.
//!
//! Both ends of that are written with the attempt that they belong to: what a first attempt goes on from stays with its
//! delivery, so that every attempt says the same; the name that a receiver gave to a message lies with the story.

use super::hold::who;
use crate::outbox::Delivery;
use crate::store::{StoreError, Transaction};
use crate::story::StoryId;

/// Has `delivery`, which is about to be tried for the first time, go on from the message with which `story` began where it
/// goes.
///
/// # Errors
/// When the store cannot be read.
pub(super) fn follow(
    tx: &dyn Transaction,
    story: StoryId,
    delivery: &mut Delivery,
) -> Result<(), StoreError> {
    let (who, story) = (who(delivery), tx.story(story)?);
    let told = story.and_then(|story| story.told.into_iter().find(|told| told.who == who));
    delivery.follows = told.and_then(|told| told.thread);
    Ok(())
}

/// Keeps the receiver's name for the message with which `story` began where `delivery` went: of several the last, for one
/// before it is gone, or was under way at the same time.
///
/// # Errors
/// When the store cannot be read or written.
pub(super) fn keep(
    tx: &dyn Transaction,
    story: StoryId,
    delivery: &Delivery,
    thread: &str,
) -> Result<(), StoreError> {
    let who = who(delivery);
    let Some(mut story) = tx.story(story)? else { return Ok(()) };
    let Some(told) = story.told.iter_mut().find(|told| told.who == who) else { return Ok(()) };
    told.thread = Some(thread.to_owned());
    tx.put_story(&story)
}

/// The story of all these, when it is one.
pub(super) fn of(stories: impl IntoIterator<Item = StoryId>) -> Option<StoryId> {
    let mut stories = stories.into_iter();
    let first = stories.next()?;
    stories.all(|story| story == first).then_some(first)
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::outbox::DeliveryState;
    use crate::route::Recipient;
    use crate::rules::spec::Severity;
    use crate::store::{SledStore, Store as _};
    use crate::story::{AlertId, Informed, Story};

    #[test]
    fn what_tells_of_several_stories_goes_on_from_nothing() {
        let story = |n: u8| StoryId::from_bytes([n; 16]);
        for (stories, expected) in
            [(vec![], None), (vec![1], Some(1)), (vec![1, 1], Some(1)), (vec![1, 1, 2], None)]
        {
            assert_eq!(of(stories.into_iter().map(story)), expected.map(story));
        }
    }

    #[test]
    fn every_recipient_has_a_thread_of_its_own() {
        let who = |to: &str| ("chat".to_owned(), to.to_owned());
        let told =
            |to: &str| Informed { who: who(to), severity: Severity::Low, before: Vec::new(), thread: None };
        let story = Story {
            id: StoryId::from_bytes([3; 16]),
            reports: 1,
            sources: Vec::new(),
            first_seen: Timestamp::UNIX_EPOCH,
            severity: Severity::Low,
            told: vec![told("-1"), told("-2")],
        };
        let owed = |who: Recipient| {
            let alert = AlertId::from_bytes([7; 16]);
            Delivery::owed(who, alert.into(), Timestamp::UNIX_EPOCH, DeliveryState::Ready)
        };
        let folder = tempfile::tempdir().unwrap();
        let opened = SledStore::create(folder.path()).unwrap();
        let work = &mut |tx: &dyn Transaction| {
            tx.put_story(&story)?;
            keep(tx, story.id, &owed(who("-1")), "41")?;
            keep(tx, story.id, &owed(who("-1")), "42")?;
            keep(tx, story.id, &owed(who("-3")), "43")?;
            keep(tx, StoryId::from_bytes([4; 16]), &owed(who("-1")), "44")?;
            for (to, expected) in [("-1", Some("42")), ("-2", None), ("-3", None)] {
                let mut delivery = owed(who(to));
                follow(tx, story.id, &mut delivery)?;
                assert_eq!(delivery.follows.as_deref(), expected, "{to}");
            }
            Ok(())
        };
        opened.transact(work).unwrap();
    }
}
