//! The text of an entry: of its lead (`description`, `summary`) and its body (`content`) both, as either may say what
//! the other does not.
//!
//! To many publishers the lead is the beginning of the body, cut short; a text is therefore left out line by line
//! where a longer one has its words. The caption of a picture (`media:description`) counts when there is nothing else.

use super::facts::Facts;
use super::strict::Entry;
use crate::source::html;

/// Most texts of an entry in which repetitions are looked for, the longest first; of the others all is taken.
const TEXTS_MAX: usize = 4;

/// Most lines of a text that are looked for one by one; a text of more is looked for as a whole.
const LINES_MAX: usize = 16;

/// Ways to end a text that was cut short.
const CUT_ENDS: [&str; 2] = ["…", "..."];

/// What an entry says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Said {
    /// Its text.
    pub(super) text: String,
    /// Its longest text, captions included, where that is not all of it.
    pub(super) longest: Option<String>,
}

/// Puts the texts of an entry together.
pub(super) fn of(entry: &Entry, facts: &Facts) -> Said {
    // What feed-rs read is mostly one of the raw texts, and not taken again then.
    let is_other = |text: &&str| !text.is_empty() && facts.texts().all(|known| known != *text);
    let other =
        [&entry.summary, &entry.content, &entry.caption].map(|text| Some(text.trim()).filter(is_other));
    let [lead, body, caption] = other;
    let leads = facts.leads.iter().map(String::as_str).chain(lead);
    let bodies = facts.bodies.iter().map(String::as_str).chain(body);
    let captions = || facts.captions.iter().map(String::as_str).chain(caption);
    let mut texts = plain(leads.chain(bodies));
    if texts.is_empty() {
        texts = plain(captions());
    }
    let mut most = texts.iter().map(String::len).max().unwrap_or_default();
    let longest = captions().fold(None, |longest: Option<String>, caption| {
        // Nothing grows when its markup goes.
        let longer = Some(caption).filter(|caption| caption.len() > most).map(html::plain);
        let longer = longer.filter(|longer| longer.len() > most);
        most = longer.as_ref().map_or(most, String::len);
        longer.or(longest)
    });
    if texts.len() < 2 {
        return Said { text: texts.pop().unwrap_or_default(), longest };
    }
    together(texts, longest)
}

fn plain<'a>(raw: impl Iterator<Item = &'a str>) -> Vec<String> {
    raw.map(html::plain).filter(|text| !text.is_empty()).collect()
}

/// Texts one below the other, each without the lines that a longer one has; with the longest of them, unless that is
/// all of it or a caption is longer still.
fn together(texts: Vec<String>, caption: Option<String>) -> Said {
    let count = texts.len();
    let mut by_length: Vec<(usize, String)> = texts.into_iter().enumerate().collect();
    by_length.sort_by_key(|(_, text)| std::cmp::Reverse(text.len()));
    let mut by_length = by_length.into_iter();
    let Some((place, longest)) = by_length.next() else { return Said::default() };
    let mut known = Words::default();
    known.add(&longest);
    let mut others: Vec<(usize, String)> = Vec::new();
    for ((place, text), rank) in by_length.zip(1..) {
        if rank >= TEXTS_MAX {
            others.push((place, text));
            continue;
        }
        let (rest, begins) = known.not_in(&text);
        if !rest.is_empty() {
            known.add(&rest);
            // What is left of a lead that begins as the body does stands behind the body.
            others.push((if begins { place } else { place + count }, rest));
        }
    }
    if others.is_empty() {
        return Said { text: longest, longest: caption };
    }
    let mut text = String::new();
    let whole = (place, longest);
    let mut pieces: Vec<&(usize, String)> = others.iter().chain([&whole]).collect();
    pieces.sort_by_key(|(place, _)| *place);
    for (_, piece) in pieces {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(piece);
    }
    Said { text, longest: caption.or(Some(whole.1)) }
}

/// Words of texts in small letters, a space before and behind each.
#[derive(Default)]
struct Words(String);

impl Words {
    fn add(&mut self, text: &str) {
        self.0.reserve(text.len() + 2);
        let mut inside = false;
        for c in text.chars().chain(['\n']) {
            let is_letter = if c.is_ascii() { c.is_ascii_alphanumeric() } else { c.is_alphanumeric() };
            if is_letter && self.0.is_empty() {
                self.0.push(' ');
            }
            match (is_letter, c.is_ascii()) {
                (true, true) => self.0.push(c.to_ascii_lowercase()),
                (true, false) => self.0.extend(c.to_lowercase()),
                (false, _) if inside => self.0.push(' '),
                (false, _) => {}
            }
            inside = is_letter;
        }
    }

    /// The lines of a text whose words are not here, and whether its first line is among them.
    fn not_in(&self, text: &str) -> (String, bool) {
        if self.has(text) {
            return (String::new(), false);
        }
        let lines = || text.split('\n').filter(|line| !line.is_empty());
        if lines().nth(LINES_MAX).is_some() {
            return (text.to_owned(), true);
        }
        let news: Vec<&str> = lines().filter(|line| !self.has(line)).collect();
        let begins = news.first().copied() == lines().next();
        (news.join("\n"), begins)
    }

    /// Whether the words of a text are here in a row. The last word of one that was cut short may be the beginning of
    /// a longer one.
    fn has(&self, text: &str) -> bool {
        let mut wanted = Self::default();
        wanted.add(text);
        let end = text.trim_end_matches([' ', ']', ')']);
        let cut = CUT_ENDS.iter().any(|mark| end.ends_with(mark));
        let wanted = if cut { wanted.0.trim_end() } else { wanted.0.as_str() };
        self.0.contains(wanted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|&text| text.to_owned()).collect()
    }

    /// What an entry of these leads, bodies and captions says.
    fn said(leads: &[&str], bodies: &[&str], captions: &[&str]) -> (String, Option<String>) {
        let (leads, bodies, captions) = (owned(leads), owned(bodies), owned(captions));
        let said = of(&Entry::default(), &Facts { leads, bodies, captions, ..Facts::default() });
        (said.text, said.longest)
    }

    #[test]
    fn lead_and_body_are_both_said_and_nothing_twice() {
        for (leads, bodies, text, longest) in [
            (&["Convoy attacked."][..], &[][..], "Convoy attacked.", None),
            (&[], &["<p>Convoy attacked.</p>"], "Convoy attacked.", None),
            (
                &["Convoy attacked."],
                &["<p>The road to Gao is closed</p>"],
                "Convoy attacked.\nThe road to Gao is closed",
                Some("The road to Gao is closed"),
            ),
            (
                &["Convoy «attacked»"],
                &["<p>Gao: convoy attacked, ten dead"],
                "Gao: convoy attacked, ten dead",
                None,
            ),
            (
                &["Convoy attacked. Ten"],
                &["<p>Convoy attacked.</p><p>Ten dead</p>"],
                "Convoy attacked.\nTen dead",
                None,
            ),
            (&["Mali"], &["Somalia calls"], "Mali\nSomalia calls", Some("Somalia calls")),
            // Cut short, inside a word or before it.
            (&["Convoy att…"], &["Convoy attacked near Gao"], "Convoy attacked near Gao", None),
            (&["Convoy attacked [...]"], &["Convoy attacked near Gao"], "Convoy attacked near Gao", None),
            (
                &["Convoy att"],
                &["Convoy attacked near Gao"],
                "Convoy att\nConvoy attacked near Gao",
                Some("Convoy attacked near Gao"),
            ),
            // What a lead has behind the beginning of the body.
            (
                &["<p>Convoy […]</p><p>The post first</p>"],
                &["Convoy attacked near Gao, ten dead"],
                "Convoy attacked near Gao, ten dead\nThe post first",
                Some("Convoy attacked near Gao, ten dead"),
            ),
            (
                &["<p>By A. Sow</p><p>Convoy</p>"],
                &["Convoy attacked near Gao"],
                "By A. Sow\nConvoy attacked near Gao",
                Some("Convoy attacked near Gao"),
            ),
            (
                &["A long lead about Gao"],
                &["Photo"],
                "A long lead about Gao\nPhoto",
                Some("A long lead about Gao"),
            ),
            (
                &["One", "Two, two"],
                &["Three, three, three"],
                "One\nTwo, two\nThree, three, three",
                Some("Three, three, three"),
            ),
            (&["<img src=x>"], &["Convoy"], "Convoy", None),
        ] {
            let (said, found) = said(leads, bodies, &[]);
            assert_eq!((said.as_str(), found.as_deref()), (text, longest), "{leads:?} {bodies:?}");
        }
    }

    #[test]
    fn a_caption_is_said_where_there_is_nothing_else() {
        for (leads, text, longest) in [
            (&["Convoy attacked"][..], "Convoy attacked", Some("A market in Kidal in 2019")),
            (&["Convoy attacked on the road to Kidal"], "Convoy attacked on the road to Kidal", None),
            (&["<img src=x>"], "A market in Kidal in 2019", None),
            (&[], "A market in Kidal in 2019", None),
        ] {
            let (said, found) = said(leads, &[], &["A market in Kidal in 2019"]);
            assert_eq!((said.as_str(), found.as_deref()), (text, longest), "{leads:?}");
        }
    }

    #[test]
    fn many_and_long_texts_are_compared_in_part() {
        let lines: Vec<String> = (0..=LINES_MAX).map(|line| format!("line {line}")).collect();
        let body = format!("{} and one more", lines.join("<br>"));
        let (said, _) = said(&[&lines.join("<br>")], &[&body], &[]);
        assert_eq!(said, body.replace("<br>", "\n"), "as a whole");
        let texts: Vec<String> =
            (0..2 * TEXTS_MAX).map(|text| format!("{} end", "a ".repeat(40 - text))).collect();
        let leads: Vec<&str> = texts.iter().map(String::as_str).collect();
        let (said, _) = self::said(&leads, &[], &[]);
        assert_eq!(said.lines().count(), 1 + TEXTS_MAX, "{said}");
    }
}
