//! Entries that a document shows twice: at the top of a front page and in its list, or once for each of their categories.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use super::FIELD_BYTES_MAX;
use super::candidate::{Draft, fold};

/// Guid and link.
type Name = (Option<String>, Option<String>);

/// The entries, without those that have the name and the title of one before and say more or less of the same; or, with that
/// very guid and date, another part. In doubt they are two; and what is repeated word for word has one key as it is.
pub(super) fn joined(drafts: Vec<Draft>) -> Vec<Draft> {
    if !has_doublets(&drafts) {
        return drafts;
    }
    // Of each name the first entry alone, so that a long list costs no more than its length.
    let mut first: HashMap<Name, (usize, String)> = HashMap::with_capacity(drafts.len());
    let mut kept: Vec<Draft> = Vec::with_capacity(drafts.len());
    for draft in drafts {
        if !is_named(&draft) {
            kept.push(draft);
            continue;
        }
        let name = (draft.guid.clone(), draft.link());
        let (place, text) = first.entry(name).or_insert_with(|| (kept.len(), fold(&draft.text)));
        let apart = match kept.get_mut(*place).filter(|other| are_alike(other, &draft)) {
            Some(other) => join(other, text, draft),
            None => Some(draft),
        };
        kept.extend(apart);
    }
    kept
}

/// Whether any two have the same guid and the same link, as written: hardly any document has such.
fn has_doublets(drafts: &[Draft]) -> bool {
    let mut seen = HashSet::with_capacity(drafts.len());
    let mut named = drafts.iter().filter(|draft| is_named(draft));
    named.any(|draft| !seen.insert((draft.guid.as_deref(), draft.url.as_deref())))
}

fn is_named(draft: &Draft) -> bool {
    draft.telegram.is_none() && !draft.title.is_empty() && (draft.guid.is_some() || draft.url.is_some())
}

/// Whether two of one name have one title, too, and neither states a time that the other contradicts.
fn are_alike(one: &Draft, other: &Draft) -> bool {
    let agree = |one: Option<Timestamp>, other| one == other || one.is_none() || other.is_none();
    agree(one.published, other.published)
        && agree(one.updated, other.updated)
        && fold(&one.title) == fold(&other.title)
}

/// Makes one of two, `text` being the folded text of the first; gives the second back where they are two.
fn join(one: &mut Draft, text: &mut String, other: Draft) -> Option<Draft> {
    let more = fold(&other.text);
    let is_same_entry = one.guid.is_some() && one.published.is_some() && one.published == other.published;
    if more == *text {
        return Some(other);
    }
    if text.contains(&more) {
        // The first says it all.
    } else if more.contains(text.as_str()) {
        (one.text, one.named_by, *text) = (other.text, other.named_by, more);
    } else if is_same_entry && one.text.len() + other.text.len() < FIELD_BYTES_MAX {
        // Where a fingerprint is wanted it is that of the first part, as if it stood alone.
        one.named_by.get_or_insert_with(|| one.text.clone());
        for (whole, part) in [(&mut one.text, &other.text), (text, &more)] {
            whole.push('\n');
            whole.push_str(part);
        }
    } else {
        return Some(other);
    }
    (one.published, one.updated) = (one.published.or(other.published), one.updated.or(other.updated));
    one.author = one.author.take().or(other.author);
    one.tags.extend(other.tags.into_iter().filter(|tag| !one.tags.contains(tag)).collect::<Vec<_>>());
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(guid: &str, url: &str, title: &str, text: &str) -> Draft {
        let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Draft { guid: some(guid), url: some(url), title: title.into(), text: text.into(), ..Draft::default() }
    }

    #[test]
    fn what_says_the_same_under_one_name_is_one() {
        let link = "https://a.example/1";
        let dated = |draft: Draft| Draft { published: "2026-11-30T10:00:00Z".parse().ok(), ..draft };
        for (name, drafts, expected) in [
            (
                "headline and list",
                vec![draft("", link, "A", "Lead."), draft("", link, "a", "")],
                &["Lead."][..],
            ),
            ("list and headline", vec![draft("", link, "A", ""), draft("", link, "A", "Lead.")], &["Lead."]),
            (
                "part of it",
                vec![draft("", link, "A", "One two."), draft("", link, "A", "two")],
                &["One two."],
            ),
            ("other titles", vec![draft("", link, "A", ""), draft("", link, "B", "")], &["", ""]),
            ("other texts", vec![draft("", link, "A", "One"), draft("", link, "A", "Two")], &["One", "Two"]),
            (
                "other links",
                vec![draft("", link, "A", ""), draft("", "https://a.example/2", "A", "")],
                &["", ""],
            ),
            ("without a name", vec![draft("", "", "A", "One"), draft("", "", "A", "One")], &["One", "One"]),
            (
                "two categories",
                vec![dated(draft("g", link, "A", "One")), dated(draft("g", link, "A", "Two"))],
                &["One\nTwo"],
            ),
            (
                "one guid, no dates",
                vec![draft("g", link, "A", "One"), draft("g", link, "A", "Two")],
                &["One", "Two"],
            ),
        ] {
            let texts: Vec<String> = joined(drafts).into_iter().map(|draft| draft.text).collect();
            assert_eq!(texts, expected, "{name}");
        }
    }

    #[test]
    fn versions_stay_apart() {
        let updated = |hour: &str| {
            let updated = format!("2026-11-30T{hour:0>2}:00:00Z").parse().ok();
            Draft { updated, ..draft("g", "https://a.example/1", "A", &format!("At {hour}")) }
        };
        assert_eq!(joined(vec![updated("1"), updated("11")]).len(), 2);
    }
}
