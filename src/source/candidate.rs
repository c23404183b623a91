//! From what a reader found to a [`Candidate`]: identity, aliases and the fingerprint of the content.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use super::{Aliases, Candidate, FIELD_BYTES_MAX, Plan};
use crate::id::digest;
use crate::item::{Item, ItemId, SeenKey, SourceKind, TelegramPost, link};

/// An item before it has an identity.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub(super) guid: Option<String>,
    pub(super) title: String,
    pub(super) text: String,
    pub(super) url: Option<String>,
    pub(super) author: Option<String>,
    pub(super) lang: Option<String>,
    pub(super) published: Option<Timestamp>,
    pub(super) updated: Option<Timestamp>,
    pub(super) tags: Vec<String>,
    pub(super) telegram: Option<TelegramPost>,
}

impl Draft {
    /// Whether there is nothing to show and nothing to know it by.
    pub(super) fn is_blank(&self) -> bool {
        self.guid.is_none() && self.url.is_none() && self.title.is_empty() && self.text.is_empty()
    }

    /// Cuts title and text at [`FIELD_BYTES_MAX`]; says whether it did.
    pub(super) fn cut(&mut self) -> bool {
        let cut = [cut(&mut self.title), cut(&mut self.text)];
        cut.contains(&true)
    }

    /// Title and text as a reader sees them, without regard to case and white space.
    fn appearance(&self) -> String {
        let mut folded = String::with_capacity(self.title.len() + self.text.len() + 1);
        fold_into(&self.title, &mut folded);
        folded.push('\n');
        fold_into(&self.text, &mut folded);
        folded
    }

    fn link(&self) -> Option<String> {
        self.url.as_deref().map(|url| link::normalise(url).unwrap_or_else(|| url.to_owned()))
    }
}

/// Gives every draft of one document its identity.
///
/// A guid that stands beside different links in one document identifies together with the link alone. A link
/// shared by entries of different text (the home page in every entry) identifies nothing.
pub(super) fn identify(drafts: Vec<Draft>, plan: &Plan<'_>, kind: SourceKind) -> Vec<Candidate> {
    let links: Vec<Option<String>> = drafts.iter().map(Draft::link).collect();
    let both = || drafts.iter().zip(&links);
    let guids = both()
        .filter_map(|(draft, link)| Some((draft.guid.as_deref()?, link.as_deref().unwrap_or_default())));
    let shared_guids = owned(shared(guids));
    let without_guid = both().filter(|(draft, _)| draft.guid.is_none());
    let titles = without_guid.filter_map(|(draft, link)| Some((link.as_deref()?, fold(&draft.title))));
    let shared_links = owned(shared(titles));
    drafts
        .into_iter()
        .zip(&links)
        .map(|(draft, link)| {
            let appearance = draft.appearance();
            let key = match (&draft.telegram, &draft.guid, link) {
                (Some(post), _, _) => {
                    SeenKey::new("telegram", &format!("{}/{}", post.channel.to_lowercase(), post.message))
                }
                (None, Some(guid), Some(link)) if shared_guids.contains(guid) => {
                    SeenKey::new("guid", &format!("{guid}\n{link}"))
                }
                (None, Some(guid), _) => SeenKey::new("guid", guid),
                (None, None, Some(link)) if !shared_links.contains(link) => SeenKey::new("link", link),
                (None, None, _) => SeenKey::new("text", &appearance),
            };
            finish(draft, key, link.as_deref(), &appearance, plan, kind)
        })
        .collect()
}

/// The values that occur with more than one companion.
fn shared<'a, C: PartialEq>(pairs: impl Iterator<Item = (&'a str, C)>) -> HashSet<&'a str> {
    let mut companions: HashMap<&str, C> = HashMap::new();
    let mut shared = HashSet::new();
    for (value, companion) in pairs {
        match companions.get(value) {
            Some(known) if *known != companion => {
                shared.insert(value);
            }
            Some(_) => {}
            None => {
                companions.insert(value, companion);
            }
        }
    }
    shared
}

fn owned(values: HashSet<&str>) -> HashSet<String> {
    values.into_iter().map(str::to_owned).collect()
}

fn finish(
    draft: Draft,
    key: SeenKey,
    link: Option<&str>,
    appearance: &str,
    plan: &Plan<'_>,
    kind: SourceKind,
) -> Candidate {
    let fingerprint = SeenKey::new("text", appearance);
    let aliases = link.map(|link| Aliases { link: SeenKey::new("link", link), fingerprint });
    let kinds = draft.telegram.as_ref().map(|post| post.kinds.join(" ")).unwrap_or_default();
    let content = content(fingerprint, &kinds);
    let item = Item {
        id: ItemId::new(plan.source, key),
        source: Some(plan.source.clone()),
        kind,
        title: draft.title,
        text: draft.text,
        url: draft.url,
        author: draft.author,
        lang: draft.lang.or_else(|| plan.lang.map(str::to_lowercase)),
        published: draft.published,
        updated: draft.updated,
        tags: draft.tags,
        guid: draft.guid,
        telegram: draft.telegram,
    };
    Candidate { item, key, aliases, content }
}

/// Fingerprint of all that a reader sees: of the text with its title, and the kinds of media.
fn content(text: SeenKey, kinds: &str) -> u64 {
    let all = digest(&[b"content", &text.to_bytes(), kinds.as_bytes()]);
    // The upper half: it fits.
    u64::try_from(u128::from_be_bytes(all) >> 64).unwrap_or_default()
}

fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    fold_into(text, &mut folded);
    folded
}

/// Appends a text in lower case and in one line. Readers leave no other white space than single spaces and line ends.
fn fold_into(text: &str, folded: &mut String) {
    let mut separator = "";
    for line in text.split('\n').filter(|line| !line.is_empty()) {
        folded.push_str(separator);
        lower_into(line, folded);
        separator = " ";
    }
}

/// Appends the text in lower case.
fn lower_into(text: &str, lower: &mut String) {
    if text.is_ascii() {
        let from = lower.len();
        lower.push_str(text);
        if let Some(appended) = lower.get_mut(from..) {
            appended.make_ascii_lowercase();
        }
        return;
    }
    for c in text.chars() {
        match c {
            // The letters of which most texts are made, known to be small without a search.
            ' ' | 'a'..='z' | 'ß'..='ÿ' | 'а'..='џ' | '\u{600}'..='\u{6ff}' => lower.push(c),
            _ => lower.extend(c.to_lowercase()),
        }
    }
}

fn cut(field: &mut String) -> bool {
    if field.len() <= FIELD_BYTES_MAX {
        return false;
    }
    let end = (0..=FIELD_BYTES_MAX).rev().find(|&end| field.is_char_boundary(end)).unwrap_or(0);
    field.truncate(end);
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::item::SourceName;
    use crate::source::ReadAs;

    fn keys(drafts: Vec<Draft>) -> Vec<SeenKey> {
        let source = SourceName::new("test").unwrap();
        let plan = Plan { source: &source, kind: ReadAs::Feed, lang: None, now: None };
        identify(drafts, &plan, SourceKind::Feed).into_iter().map(|candidate| candidate.key).collect()
    }

    fn draft(guid: Option<&str>, url: Option<&str>, title: &str) -> Draft {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        Draft { guid: owned(guid), url: owned(url), title: title.to_owned(), ..Draft::default() }
    }

    #[test]
    fn the_first_of_guid_link_and_text_identifies() {
        let link = Some("https://a.example/1?utm_source=rss");
        let found = keys(vec![
            draft(Some("g"), link, "A"),
            draft(None, link, "A"),
            draft(None, None, "Attaque à\nGao"),
        ]);
        let expected = [
            SeenKey::new("guid", "g"),
            SeenKey::new("link", "a.example/1"),
            SeenKey::new("text", "attaque à gao\n"),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn what_entries_share_does_not_identify_them() {
        let one = Some("https://a.example/1");
        let two = Some("https://a.example/2");
        let same_guid = keys(vec![draft(Some("g"), one, "A"), draft(Some("g"), two, "B")]);
        assert_ne!(same_guid[0], same_guid[1]);
        let home = Some("https://a.example/");
        let same_link = keys(vec![draft(None, home, "A"), draft(None, home, "B")]);
        assert_ne!(same_link[0], same_link[1]);
        let repeated = keys(vec![draft(Some("g"), one, "A"), draft(Some("g"), one, "A")]);
        assert_eq!(repeated[0], repeated[1]);
    }

    #[test]
    fn a_long_field_is_cut_between_characters() {
        let mut long = draft(None, None, &"é".repeat(FIELD_BYTES_MAX));
        assert!(long.cut());
        assert_eq!(long.title.len(), FIELD_BYTES_MAX);
        assert!(!long.cut());
    }
}
