//! Which of a document's items are known, and under which name: by their key, by their aliases, or because a whole
//! document was given new names.
//!
//! In doubt an item is new: told twice is a nuisance, not told is a failure.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use super::lookup::shared_aliases;
use super::past::{Past, RENAMED_MIN, are_apart, counts_edits};
use super::{Harvest, Judged, look_up, lookups};
use crate::item::{SeenKey, SourceName, link};
use crate::source::{self, Aliases, Candidate};
use crate::store::{Owner, Seen, SourceState, StoreError, Transaction};

/// How often a guid or a text may change although the stated dates stand still, before such changes are no longer
/// recorded.
pub(super) const CHANGES_MAX: u8 = 24;

/// Fewest items that stand under guids of others, in a document whose guids are places.
const SHIFTED_MIN: usize = 2;

/// What an item of a document is to the store.
pub(super) struct Standing {
    /// The key that it has.
    pub(super) key: SeenKey,
    /// The key of the item that it is; its own when it is new.
    pub(super) owner: SeenKey,
    /// What is remembered of it; `None` when it is new.
    pub(super) seen: Option<Seen>,
    /// How it was found.
    pub(super) found: Found,
    /// The keys that it has in common with others.
    broader: Vec<SeenKey>,
    /// What the store says under each key of [`lookups`], and under its own.
    answers: Answers,
}

/// What the store says under the few keys of one item.
#[derive(Default)]
struct Answers(Vec<(SeenKey, Option<Seen>)>);

impl Answers {
    /// What is remembered under `key`, where that was asked for.
    fn get(&self, key: SeenKey) -> Option<Seen> {
        self.0.iter().rev().find(|(asked, _)| *asked == key).and_then(|(_, seen)| *seen)
    }
}

/// How an item was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// Not at all, or by its key.
    Plainly,
    /// By its link and its text, or its text and its date, under another key.
    Renamed,
    /// By its text alone, under another date.
    Redated,
    /// By its link, where the item of that link is gone from the document.
    Retitled,
    /// By its link or its text, in a document that was given new names.
    Moved,
}

/// The names of all items of a document.
pub(super) struct Roll {
    pub(super) standings: Vec<Standing>,
    /// Links of items of different text in this document, texts of items of different guids without links, and links and
    /// texts of reports of different times.
    shared: HashSet<SeenKey>,
    /// The keys of all items of this document.
    keys: HashSet<SeenKey>,
    /// The items that the document shows, by their owner, and when they say they were published.
    present: HashMap<SeenKey, Option<Timestamp>>,
    /// Whether a document that was given new names says otherwise what most of its items are.
    pub(super) rewritten: bool,
    /// Whether the document may leave out what is still there: a delta, or one that was cut off.
    partial: bool,
}

/// Looks up all items of a document.
pub(super) fn call(
    tx: &dyn Transaction,
    state: &SourceState,
    harvest: &Harvest,
    now: Timestamp,
) -> Result<Roll, StoreError> {
    let source = &state.name;
    let items = harvest.items.as_slice();
    let candidates = || items.iter().map(|judged| &judged.candidate);
    let answers = look_up(candidates(), |keys| tx.seen(source, keys))?;
    let mut standings = candidates()
        .zip(answers)
        .map(|(candidate, found)| by_key(tx, source, candidate, found))
        .collect::<Result<Vec<_>, StoreError>>()?;
    let past = Past { tx, state, now };
    part_reused(&past, items, &mut standings)?;
    let known = standings.iter().zip(items).filter(|(standing, _)| standing.seen.is_some());
    let present = known.map(|(standing, judged)| (standing.owner, judged.candidate.item.published)).collect();
    let mut roll = Roll {
        standings,
        shared: shared_aliases(items),
        keys: HashSet::new(),
        present,
        rewritten: false,
        partial: harvest.delta || !harvest.whole,
    };
    roll.find_others(&past, items)?;
    roll.find_twins(items);
    roll.keys = roll.standings.iter().map(|standing| standing.key).collect();
    Ok(roll)
}

/// The item by its key alone, or by that of a member of its album.
fn by_key(
    tx: &dyn Transaction,
    source: &SourceName,
    candidate: &Candidate,
    found: Vec<Option<Seen>>,
) -> Result<Standing, StoreError> {
    let answers = Answers(lookups(candidate).into_iter().zip(found).collect());
    if answers.get(candidate.key).is_some_and(|seen| seen.owner == Owner::Several) {
        return narrowed(tx, source, candidate, answers);
    }
    Ok(under(candidate.key, candidate.common.clone(), candidate, answers))
}

/// The item by the broadest key that is not known to be of several, where its own one is.
fn narrowed(
    tx: &dyn Transaction,
    source: &SourceName,
    candidate: &Candidate,
    mut answers: Answers,
) -> Result<Standing, StoreError> {
    let mut key = candidate.key;
    let mut broader = candidate.common.clone();
    let narrower = source::narrow(candidate);
    let found = tx.seen(source, &narrower)?;
    for (next, seen) in narrower.into_iter().zip(found) {
        broader.push(std::mem::replace(&mut key, next));
        answers.0.push((next, seen));
        if seen.is_none_or(|seen| seen.owner != Owner::Several) {
            break;
        }
    }
    Ok(under(key, broader, candidate, answers))
}

fn under(key: SeenKey, broader: Vec<SeenKey>, candidate: &Candidate, answers: Answers) -> Standing {
    let named = |key| {
        let seen = answers.get(key)?;
        Some((seen.owner.of(key)?, seen))
    };
    // What had a key to itself until others were shown beside it; where aliases tell an item it is found by these.
    let is_found_by_aliases = candidate.aliases.is_some() && !candidate.is_told_by_guid_alone();
    let sole = || {
        let known = broader.iter().find_map(|key| named(*key)).filter(|_| !is_found_by_aliases);
        known.filter(|(_, seen)| seen.content == candidate.content)
    };
    let member = || candidate.members.iter().find_map(|member| named(*member));
    let found = named(key).or_else(member).or_else(sole);
    let (owner, seen) = found.map_or((key, None), |(owner, seen)| (owner, Some(seen)));
    Standing { key, owner, seen, found: Found::Plainly, broader, answers }
}

/// Gives names of their own to new reports that took over the guid of an older one. More than a few of them at one time are
/// a site that writes its links and texts anew, unless others have changed places: then guids are places in the list, and
/// name nothing.
fn part_reused(past: &Past<'_>, items: &[Judged], standings: &mut [Standing]) -> Result<(), StoreError> {
    let distinct = standings.iter().map(|standing| standing.key).collect::<HashSet<_>>().len();
    let both = || standings.iter().zip(items).enumerate();
    let shifted = both().filter(|(_, (standing, judged))| standing.shows_a_known_one(&judged.candidate));
    let shifted: Vec<usize> = shifted.map(|(place, _)| place).collect();
    let are_places = shifted.len() >= SHIFTED_MIN;
    let mut reused = if are_places { shifted } else { Vec::new() };
    for (place, (standing, judged)) in both() {
        if standing.shows_another(&judged.candidate)
            && (are_places || past.is_another(standing, judged, distinct == 1)?)
        {
            reused.push(place);
        }
    }
    if reused.len() >= RENAMED_MIN && !are_places {
        return Ok(());
    }
    for place in reused {
        let Some((standing, judged)) = standings.get_mut(place).zip(items.get(place)) else { continue };
        let answers = std::mem::take(&mut standing.answers);
        *standing = narrowed(past.tx, &past.state.name, &judged.candidate, answers)?;
    }
    Ok(())
}

impl Standing {
    /// Whether a known guid stands beside a link and a text that its source never showed.
    fn shows_another(&self, candidate: &Candidate) -> bool {
        let by_guid = self.key == candidate.key && candidate.item.guid.is_some();
        let is_edited = self.seen.is_some_and(|seen| seen.content != candidate.content);
        let is_new = |aliases: Aliases| {
            let unknown = |key| self.answer(Some(key)).is_none();
            aliases.link.is_some_and(unknown) && unknown(aliases.fingerprint)
        };
        by_guid && is_edited && candidate.aliases.is_some_and(is_new)
    }

    /// Whether a known guid stands beside the link and the text of another known item.
    fn shows_a_known_one(&self, candidate: &Candidate) -> bool {
        let by_guid = self.key == candidate.key && candidate.item.guid.is_some() && self.seen.is_some();
        let owner = |key: SeenKey| self.answer(Some(key)).and_then(|seen| seen.owner.of(key));
        let by_aliases = |aliases: Aliases| Some((owner(aliases.link?)?, owner(aliases.fingerprint)?));
        let other = candidate.aliases.filter(|_| by_guid).and_then(by_aliases);
        other.is_some_and(|(link, text)| link == text && link != self.owner)
    }

    fn answer(&self, key: Option<SeenKey>) -> Option<Seen> {
        self.answers.get(key?)
    }
}

/// How an item that is not known by its key could be found.
#[derive(Clone, Copy)]
pub(super) struct Claim {
    pub(super) owner: SeenKey,
    pub(super) seen: Seen,
    pub(super) by: By,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    /// Link and text, or the text that is its key.
    Both,
    /// A guid that is the link and the number of a version.
    Version,
    Link,
    Text,
    /// Its text, where neither has a guid, nor a link but to the front page.
    TextAlone,
}

impl Roll {
    /// Finds those of the items not known by their key that are known all the same.
    fn find_others(&mut self, past: &Past<'_>, items: &[Judged]) -> Result<(), StoreError> {
        let mut claimed = HashSet::with_capacity(items.len());
        let mut claims = Vec::with_capacity(items.len());
        for (standing, judged) in self.standings.iter().zip(items) {
            let claim = match self.claim(standing, &judged.candidate) {
                Some(claim) if past.is_of_another_time(judged, claim)? => None,
                claim => claim.filter(|claim| claim.by == By::Both || claimed.insert(claim.owner)),
            };
            claims.push(claim);
        }
        let distinct = self.standings.iter().map(|standing| standing.key).collect::<HashSet<_>>().len();
        let moved = claims.iter().flatten().count();
        let all_moved = moved >= RENAMED_MIN && (2 * moved > distinct || past.moved(claims.iter().flatten()));
        let retold = claims.iter().flatten().filter(|claim| claim.by == By::Link).count();
        self.rewritten = all_moved && 2 * retold > moved;
        for (at, claim) in claims.into_iter().enumerate() {
            let Some((claim, judged)) = claim.zip(items.get(at)) else { continue };
            let found = match claim.by {
                By::Both => Found::Renamed,
                By::Version if past.is_version(judged, claim)? => Found::Renamed,
                By::Link | By::Text | By::TextAlone if all_moved => Found::Moved,
                By::Link if past.is_near(judged, claim)? => Found::Retitled,
                By::TextAlone if past.is_redated(judged, claim)? => Found::Redated,
                By::Text if past.is_relinked(judged, claim)? => Found::Renamed,
                By::Version | By::Link | By::Text | By::TextAlone => continue,
            };
            if let Some(standing) = self.standings.get_mut(at) {
                (standing.owner, standing.seen, standing.found) = (claim.owner, Some(claim.seen), found);
            }
        }
        Ok(())
    }

    fn claim(&self, standing: &Standing, candidate: &Candidate) -> Option<Claim> {
        let aliases = candidate.aliases.filter(|_| standing.seen.is_none())?;
        let text = standing.answer(Some(aliases.fingerprint));
        let text_owner = text.and_then(|seen| seen.owner.of(aliases.fingerprint));
        let absent = |(_, owner): &(Seen, SeenKey)| !self.present.contains_key(owner);
        let gone = |known: &(Seen, SeenKey)| !self.partial && absent(known);
        let apart = |by| move |(seen, owner)| Claim { owner, seen, by };
        let by_text = || text.zip(text_owner).filter(gone).map(apart(By::Text));
        if candidate.is_told_by_guid_alone() {
            return by_text();
        }
        let Some(link_key) = aliases.link.filter(|_| !is_told_by_date(candidate)) else {
            // Its date changed, and not its text. An earlier version knew it by the front page.
            let (seen, owner) = text.zip(text_owner).filter(absent)?;
            let is_its_name = owner == aliases.fingerprint || Some(owner) == aliases.link;
            let by = if is_its_name { By::Both } else { By::TextAlone };
            return Some(Claim { owner, seen, by });
        };
        let usable = !self.shared.contains(&link_key);
        let link = standing.answer(Some(link_key)).filter(|_| usable);
        let link_owner = link.and_then(|seen| seen.owner.of(link_key));
        if let (Some((link, owner)), Some(text)) = (link.zip(link_owner), text) {
            let one = text_owner.is_none_or(|text_owner| text_owner == owner) || unowned(&link, &text);
            // Beside an item of another time it is no new name of that.
            let shown = self.present.get(&owner).copied().flatten();
            if one && !are_apart(shown, candidate.item.published) {
                return Some(Claim { owner, seen: link, by: By::Both });
            }
        }
        let by_link = link.zip(link_owner).filter(|_| leads_to_a_page(candidate));
        // However long after: the guid says that it is the same page.
        let version = by_link.filter(absent).filter(|_| counts_edits(&candidate.item));
        let by_link = by_link.filter(gone).map(apart(By::Link));
        version.map(apart(By::Version)).or(by_link).or_else(by_text)
    }

    /// Makes one of new items that differ in their guids alone, unless they are of different times.
    fn find_twins(&mut self, items: &[Judged]) {
        let mut alike: HashMap<_, Vec<(SeenKey, Option<Timestamp>)>> = HashMap::with_capacity(items.len());
        for (standing, judged) in self.standings.iter_mut().zip(items) {
            let Some(aliases) = judged.candidate.aliases.filter(|_| standing.seen.is_none()) else {
                continue;
            };
            let Some(link) = aliases.link else { continue };
            let published = judged.candidate.item.published;
            let known = alike.entry((link, aliases.fingerprint)).or_default();
            if let Some((first, _)) = known.iter().find(|(_, other)| !are_apart(*other, published)) {
                standing.owner = *first;
                continue;
            }
            if !known.is_empty() {
                self.shared.extend([link, aliases.fingerprint]);
            }
            known.push((standing.key, published));
        }
        for (standing, judged) in self.standings.iter().zip(items) {
            self.present.entry(standing.owner).or_insert(judged.candidate.item.published);
        }
    }

    /// The keys that an item is to be remembered under and whose each is, and whether that is news to the store.
    pub(super) fn names(&self, standing: &Standing, candidate: &Candidate) -> (Vec<(SeenKey, Owner)>, bool) {
        let own = |key| if key == standing.owner { Owner::Itself } else { Owner::Item(standing.owner) };
        let churns =
            standing.found != Found::Plainly && standing.seen.is_some_and(|seen| seen.changes >= CHANGES_MAX);
        let mut names: Vec<(SeenKey, Owner)> = Vec::with_capacity(4);
        if !churns {
            names.push((standing.key, own(standing.key)));
        }
        names.extend(candidate.members.iter().map(|member| (*member, own(*member))));
        names.extend(standing.broader.iter().map(|key| (*key, Owner::Several)));
        let link = candidate.aliases.and_then(|aliases| aliases.link);
        let text = candidate.aliases.map(|aliases| aliases.fingerprint);
        // What is named by its text is not to lose that name to another of the same text.
        let text = text.filter(|text| !self.keys.contains(text));
        for key in [link, text].into_iter().flatten() {
            if names.iter().all(|(known, _)| *known != key) {
                names.push((key, self.alias_of(standing, key)));
            }
        }
        let is_told = |(key, owner): &(SeenKey, Owner)| {
            standing.answer(Some(*key)).is_some_and(|seen| seen.owner == *owner)
        };
        let news = !names.iter().all(is_told);
        (names, news)
    }

    /// Whether an item has the page that it links to to itself: its source shows no other under it, and never did beside
    /// another.
    pub(super) fn is_alone(&self, standing: &Standing, candidate: &Candidate) -> bool {
        // The link of a message is its own.
        let Some(aliases) = candidate.aliases else { return true };
        let Some(page) = source::page_key(&candidate.item) else { return true };
        let is_part = aliases.link != Some(page) || candidate.common.contains(&page);
        !is_part && self.alias_of(standing, page) != Owner::Several
    }

    /// Whose an alias is: of several items when another one that has it is shown beside this one.
    fn alias_of(&self, standing: &Standing, key: SeenKey) -> Owner {
        let known = standing.answer(Some(key)).map(|seen| seen.owner);
        let other = known.and_then(|owner| owner.of(key)).filter(|owner| *owner != standing.owner);
        let shared = self.shared.contains(&key)
            || known == Some(Owner::Several)
            || other.is_some_and(|other| self.present.contains_key(&other));
        if shared { Owner::Several } else { Owner::Item(standing.owner) }
    }
}

/// Whether the link alone may tell an item: not one into a page that holds several, nor one to the front page.
fn leads_to_a_page(candidate: &Candidate) -> bool {
    let elsewhere = |url: &str| link::with_fragment(url, "").is_some() || link::is_front(url);
    candidate.common.is_empty() && !candidate.item.url.as_deref().is_some_and(elsewhere)
}

/// Whether an item has no other link than one to the front page, and no guid.
fn is_told_by_date(Candidate { item, .. }: &Candidate) -> bool {
    item.guid.is_none() && item.url.as_deref().is_some_and(link::is_front)
}

/// Whether two aliases are of one item as earlier versions remembered them: both alike, and of nobody.
fn unowned(link: &Seen, text: &Seen) -> bool {
    let alike = (link.first, link.content) == (text.first, text.content);
    alike && link.owner == Owner::Itself && text.owner == Owner::Itself
}
