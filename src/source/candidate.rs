//! From what a reader found to a [`Candidate`]: identity, aliases and the fingerprint of the content.

use jiff::Timestamp;
use memchr::memchr_iter;

use super::naming::{self, Keys};
use super::{Aliases, Candidate, FIELD_BYTES_MAX, Plan, doublets};
use crate::id::digest;
use crate::item::{Item, ItemId, SeenKey, SourceKind, TelegramPost};
use crate::text::eight;

/// An item before it has an identity.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub(super) guid: Option<String>,
    pub(super) title: String,
    pub(super) text: String,
    /// The part of what it says by which it is known where it has no other name; its text where there is none.
    ///
    /// Earlier versions took the longest text of an entry for all that it says, and fingerprints that are stored are
    /// of that. Were they now of the whole, every entry without guid and link would be new once more.
    pub(super) named_by: Option<String>,
    pub(super) url: Option<String>,
    pub(super) author: Option<String>,
    pub(super) lang: Option<String>,
    pub(super) published: Option<Timestamp>,
    /// Whether that was reckoned from the time of the fetch, so that it names nothing.
    pub(super) reckoned: bool,
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
        self.named_by.as_mut().map(cut);
        let cut = [cut(&mut self.title), cut(&mut self.text)];
        cut.contains(&true)
    }

    /// What its fingerprint is of: the words as a reader sees them, without regard to case and white space; of an entry
    /// without words and without any name, whatever else it says.
    fn appearance(&self) -> String {
        let mut seen = folded(&self.title, self.named_by.as_ref().unwrap_or(&self.text));
        if seen == "\n" && self.guid.is_none() && self.url.is_none() {
            let dates = [self.published, self.updated].map(|date| date.map(|date| date.to_string()));
            let rest = [self.author.clone(), Some(self.tags.join("\n"))].into_iter().chain(dates);
            seen = rest.map(Option::unwrap_or_default).collect::<Vec<_>>().join("\n");
        }
        seen
    }

    fn texts(&self) -> Texts {
        let fingerprint = SeenKey::new("text", &self.appearance());
        let whole = self.named_by.as_ref().map(|_| whole(&self.title, &self.text));
        let whole = whole.unwrap_or(fingerprint);
        // So it is stored of what has a guid and no link, from a time when that had no alias either.
        let own = if self.guid.is_some() && self.url.is_none() { whole } else { fingerprint };
        Texts { fingerprint, whole, own }
    }

    pub(super) fn link(&self) -> Option<String> {
        self.url.as_deref().map(naming::identity_of)
    }
}

/// Keys of what an entry says.
struct Texts {
    /// Of that by which it is known.
    fingerprint: SeenKey,
    /// Of all of it.
    whole: SeenKey,
    /// Of that which names it where nothing else does.
    own: SeenKey,
}

/// Gives every draft of one document its identity.
///
/// A guid that stands beside different links in one document identifies together with the link alone. A fragment counts
/// where it is what tells links of one document apart. What entries of different text share all the same (the home page
/// in every entry, a guid that is the link of a live page, a title with a day) identifies nothing, and the text does.
pub(super) fn identify(drafts: Vec<Draft>, plan: &Plan<'_>, kind: SourceKind) -> Vec<Candidate> {
    let drafts = doublets::joined(drafts);
    let texts: Vec<Texts> = drafts.iter().map(Draft::texts).collect();
    let own: Vec<SeenKey> = texts.iter().map(|texts| texts.own).collect();
    let keys = naming::keys(&drafts, &own);
    let named = drafts.into_iter().zip(keys).zip(&texts);
    named.map(|((draft, keys), texts)| finish(draft, keys, texts, plan, kind)).collect()
}

fn finish(draft: Draft, keys: Keys, texts: &Texts, plan: &Plan<'_>, kind: SourceKind) -> Candidate {
    let Keys { own: key, common, link } = keys;
    let fingerprint = texts.fingerprint;
    // The number of a message never changes.
    let aliases = draft.telegram.is_none().then_some(Aliases { link, fingerprint });
    let kinds = draft.telegram.as_ref().map(|post| post.kinds.join(" ")).unwrap_or_default();
    let content = content(texts.whole, &kinds);
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
    Candidate { item, key, common, members: Vec::new(), aliases, content }
}

/// Fingerprint of all that a reader sees: of the text with its title, and the kinds of media.
fn content(text: SeenKey, kinds: &str) -> u64 {
    let all = digest(&[b"content", &text.to_bytes(), kinds.as_bytes()]);
    // The upper half: it fits.
    u64::try_from(u128::from_be_bytes(all) >> 64).unwrap_or_default()
}

/// Fingerprint of a message seen through a mirror that says this; [`wordless`] of one that says nothing.
pub(super) fn said(text: &str) -> u64 {
    content(whole("", text), "")
}

/// Fingerprint of an item of a page, and of a message seen through a mirror, that says nothing.
pub(crate) fn wordless() -> u64 {
    said("")
}

/// The key of a title and a whole text.
pub(super) fn whole(title: &str, text: &str) -> SeenKey {
    SeenKey::new("text", &folded(title, text))
}

/// A title and a text in lower case, each in one line.
fn folded(title: &str, text: &str) -> String {
    let mut folded = String::with_capacity(title.len() + text.len() + 1);
    fold_into(title, &mut folded);
    folded.push('\n');
    fold_into(text, &mut folded);
    folded
}

/// The text in lower case and in one line.
pub(super) fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    fold_into(text, &mut folded);
    folded
}

/// Appends a text in lower case and in one line. Readers leave no other white space than single spaces and line ends.
fn fold_into(text: &str, folded: &mut String) {
    let mut separator = "";
    let (mut from, ends) = (0, memchr_iter(b'\n', text.as_bytes()).chain([text.len()]));
    for end in ends {
        if let Some(line) = text.get(from..end).filter(|line| !line.is_empty()) {
            folded.push_str(separator);
            lower_into(line, folded);
            separator = " ";
        }
        from = end + 1;
    }
}

/// Appends the text in lower case.
fn lower_into(text: &str, lower: &mut String) {
    let mut rest = text;
    loop {
        let (small, from) = rest.split_at(small_bytes(rest.as_bytes()));
        lower.push_str(small);
        let mut characters = from.chars();
        match characters.next() {
            None => return,
            Some(c) if c.is_ascii() => lower.push(c.to_ascii_lowercase()),
            Some(c) => lower.extend(c.to_lowercase()),
        }
        rest = characters.as_str();
    }
}

/// How many of the first bytes of a text are of characters that are known to be small, or neither small nor great,
/// without a search: most of what stands in English, French, Russian and Arabic.
fn small_bytes(bytes: &[u8]) -> usize {
    let mut place = 0;
    loop {
        let from = place;
        while let Some(eight) = eight::eight(bytes, place) {
            let capitals = eight::within(eight::low(eight), b'A', b'Z');
            let small = eight::before_first(capitals | eight);
            place += small;
            if small < 8 {
                break;
            }
        }
        while let Some(length) = small_at(bytes, place) {
            place += length;
        }
        if place == from {
            return place;
        }
    }
}

/// The length of the character at `place`, when it is such.
fn small_at(bytes: &[u8], place: usize) -> Option<usize> {
    let second = || bytes.get(place + 1).copied().unwrap_or_default();
    match *bytes.get(place)? {
        ..b'A' | b'['..0x80 => Some(1),
        // ß to ÿ, а to п, р to џ, the Arabic block.
        0xC3 if second() >= 0x9F => Some(2),
        0xD0 if second() >= 0xB0 => Some(2),
        0xD1 if second() <= 0x9F => Some(2),
        0xD8..=0xDB => Some(2),
        // General punctuation.
        0xE2 if second() == 0x80 => Some(3),
        _ => None,
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
        assert_eq!(
            keys(vec![draft(None, home, "A")]),
            same_link[..1],
            "nor does it name one that stands alone"
        );
        let live =
            keys(vec![draft(Some("g"), one, "A"), draft(Some("g"), one, "B"), draft(Some("g"), two, "B")]);
        assert_eq!(live[..2], [SeenKey::new("text", "a\n"), SeenKey::new("text", "b\n")]);
        assert_eq!(live[2], SeenKey::new("guid", "g\na.example/2"));
        let repeated = keys(vec![draft(Some("g"), one, "A"), draft(Some("g"), one, "A")]);
        assert_eq!(repeated[0], repeated[1]);
    }

    #[test]
    fn every_character_is_folded_as_by_itself() {
        for c in '\0'..=char::MAX {
            let text = format!("x{c}y");
            let expected = if c == '\n' {
                "x y".to_owned()
            } else {
                text.chars().flat_map(char::to_lowercase).collect()
            };
            assert_eq!(fold(&text), expected, "{c:?}");
        }
        assert_eq!(fold("\n\nÀ Gao\n\nХОРОШО – مالي\n"), "à gao хорошо – مالي");
        assert_eq!(small_bytes("à gao, «ёж» – مالي".as_bytes()), "à gao, ".len());
    }

    #[test]
    fn a_long_field_is_cut_between_characters() {
        let mut long = draft(None, None, &"é".repeat(FIELD_BYTES_MAX));
        assert!(long.cut());
        assert_eq!(long.title.len(), FIELD_BYTES_MAX);
        assert!(!long.cut());
    }
}
