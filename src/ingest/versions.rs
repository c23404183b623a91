//! What a version of an item that is shown says beside the one that is known. Pure.

use crate::item::Item;
use crate::source::{Candidate, wordless};
use crate::store::{Owner, Seen};

/// A message whose preview of a link alone came or went, as Telegram adds it some seconds later: that is no edit.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Card {
    Come,
    Gone,
}

impl Card {
    pub(super) fn between(stored: &Item, shown: &Item) -> Option<Self> {
        let is_card = |kind: &String| kind == "link_preview";
        let (before, now) = (&stored.telegram.as_ref()?.kinds, &shown.telegram.as_ref()?.kinds);
        let others = |kinds: &[String]| -> Vec<String> {
            kinds.iter().filter(|kind| !is_card(kind)).cloned().collect()
        };
        let has_card = |kinds: &[String]| kinds.iter().any(is_card);
        let is_same = stored.text == shown.text && others(before) == others(now);
        let card = if has_card(now) { Some(Self::Come) } else { has_card(before).then_some(Self::Gone) };
        card.filter(|_| is_same)
    }
}

/// Whether a known message shows none of its words: its album has lost those members, its caption was taken away, or a
/// layout does not show where texts are. There is nothing to tell of it, and the words may come back. What a mirror showed
/// without words never had any: of that the channel itself shows the media.
pub(super) fn is_wordless(candidate: &Candidate, seen: Seen) -> bool {
    let Some(post) = &candidate.item.telegram else { return false };
    let says_nothing = post.poll.is_none() && post.documents.is_empty();
    let is_of_several = matches!(seen.owner, Owner::Item(_));
    candidate.item.text.is_empty() && (says_nothing || is_of_several) && seen.content != wordless()
}

/// Whether a version says less than the stored one, and nothing else: its title or its text is missing.
pub(super) fn is_remnant(stored: &Item, shown: &Item) -> bool {
    let parts = [(&stored.title, &shown.title), (&stored.text, &shown.text)];
    let is_less = parts.iter().any(|(before, now)| now.is_empty() && !before.is_empty());
    let is_part = parts.iter().all(|(before, now)| now.is_empty() || before == now);
    let beside = stored.telegram.as_ref().zip(shown.telegram.as_ref());
    let is_same =
        beside.is_none_or(|(before, now)| (&before.poll, &before.documents) == (&now.poll, &now.documents));
    is_less && is_part && is_same
}
