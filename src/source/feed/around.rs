//! What a feed says outside of its entries: language, base addresses, how often to ask, where older entries are.
//!
//! feed-rs gives none of `skipHours`, `skipDays`, `sy:*` and the paging links of RFC 5005, so the raw elements are read.

use url::Url;

use super::facts::{text_of, value};
use super::lexer::{Lexer, Tag, Token, split_name};
use crate::source::{Hints, web_link};

/// Bits of a whole day and a whole week: who lists them all asks for nothing.
const ALL_HOURS: u32 = (1 << 24) - 1;
const ALL_DAYS: u8 = (1 << 7) - 1;

/// Days as RSS writes them, by their first three letters; the place is the bit.
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// Minutes of the periods of `sy:updatePeriod`.
const PERIODS: [(&str, u32); 5] =
    [("hourly", 60), ("daily", 1440), ("weekly", 10_080), ("monthly", 43_200), ("yearly", 525_600)];

/// What stands around the entries.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Surroundings {
    /// `language`, `dc:language` or `xml:lang`.
    pub(super) lang: Option<String>,
    /// `xml:base` of the elements around the entries, the outermost first.
    bases: Vec<String>,
    /// `ttl` in minutes.
    ttl: Option<u32>,
    /// Hours and days listed to be left alone, as bits.
    skip_hours: u32,
    skip_days: u8,
    /// `sy:updatePeriod` in minutes, and `sy:updateFrequency`.
    period: Option<u32>,
    frequency: Option<u32>,
    /// Link `prev-archive`: the archive before this document.
    previous: Option<String>,
    /// Link `next`, or `next_url` of JSON Feed: the page after this one, which is older.
    next: Option<String>,
}

impl Surroundings {
    /// Those of a JSON Feed: its language, and its `next_url`.
    pub(super) fn of_json(lang: Option<String>, next: Option<String>) -> Self {
        Self { lang, next, ..Self::default() }
    }

    /// Reads what stands before the first entry, or after the last one.
    pub(super) fn take(&mut self, outside: &str) {
        let mut tokens = Lexer::new(outside);
        while let Some(token) = tokens.next() {
            let Token::Start(tag) = token else { continue };
            let text = || tokens.clone().map_while(text_of).collect::<String>().trim().to_owned();
            match split_name(tag.name) {
                ("" | "dc", "language") => self.lang = value(&text()),
                ("", "ttl") => self.ttl = text().parse().ok(),
                (_, "rss" | "RDF" | "feed" | "channel") => {
                    self.bases.extend(tag.attribute("xml:base").and_then(value));
                    self.lang = tag.attribute("xml:lang").and_then(value).or(self.lang.take());
                }
                ("", "hour") => self.skip_hours |= hour(&text()),
                ("", "day") => self.skip_days |= day(&text()),
                (_, "updatePeriod") => self.period = period(&text()),
                (_, "updateFrequency") => self.frequency = text().parse().ok(),
                (_, "link") => self.take_link(tag),
                _ => {}
            }
        }
    }

    fn take_link(&mut self, tag: Tag<'_>) {
        let slot = match tag.attribute("rel").unwrap_or_default().trim() {
            "prev-archive" => &mut self.previous,
            "next" => &mut self.next,
            _ => return,
        };
        if slot.is_none() {
            *slot = tag.attribute("href").and_then(value);
        }
    }

    /// What relative links are relative to.
    pub(super) fn base(&self, url: &Url) -> Url {
        self.bases.iter().fold(url.clone(), |base, next| base.join(next).unwrap_or(base))
    }

    /// What the publisher asks of pollers.
    pub(super) fn hints(&self) -> Hints {
        let rhythm = (self.period.is_some() || self.frequency.is_some()).then(|| {
            let times = self.frequency.filter(|&times| times > 0).unwrap_or(1);
            (self.period.unwrap_or(1440) / times).max(1)
        });
        Hints {
            ttl_minutes: self.ttl,
            skip_hours: if self.skip_hours == ALL_HOURS { 0 } else { self.skip_hours },
            skip_days: if self.skip_days == ALL_DAYS { 0 } else { self.skip_days },
            update_minutes: rhythm,
            ..Hints::default()
        }
    }

    /// Where older entries are: another document of the host that `url` is of.
    pub(super) fn older(&self, url: &Url) -> Option<Url> {
        let base = self.base(url);
        let there = |link: &String| Url::parse(&web_link(&base, link)?).ok();
        let usable = |older: &Url| older.host_str() == url.host_str() && older != url;
        [&self.previous, &self.next].into_iter().flatten().filter_map(there).find(usable)
    }
}

/// The bit of an hour; 24 is midnight, and what is no hour has none.
fn hour(text: &str) -> u32 {
    text.parse::<u32>().ok().filter(|&hour| hour <= 24).map_or(0, |hour| 1 << (hour % 24))
}

/// The bit of a day.
fn day(text: &str) -> u8 {
    let text = text.to_ascii_lowercase();
    DAYS.iter()
        .zip(0_u32..)
        .filter(|(day, _)| text.starts_with(**day))
        .fold(0, |bits, (_, at)| bits | (1 << at))
}

fn period(text: &str) -> Option<u32> {
    let text = text.to_ascii_lowercase();
    PERIODS.iter().find(|(name, _)| *name == text).map(|&(_, minutes)| minutes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn around(outside: &str) -> Surroundings {
        let mut around = Surroundings::default();
        around.take(outside);
        around
    }

    #[test]
    fn the_channel_gives_language_and_rhythm() {
        let around =
            around("<rss xml:base=\"https://a.example/\"><channel><language>fr-FR</language><ttl>15</ttl>");
        assert_eq!(around.lang.as_deref(), Some("fr-FR"));
        assert_eq!(around.hints(), Hints { ttl_minutes: Some(15), ..Hints::default() });
        assert_eq!(around.bases, ["https://a.example/"]);
    }

    #[test]
    fn f5_hours_and_days_to_be_left_alone_are_bits() {
        let hours = |list: &[u32]| {
            let hours: Vec<String> = list.iter().map(|hour| format!("<hour> {hour} </hour>")).collect();
            hours.concat()
        };
        let every: Vec<u32> = (0..24).collect();
        for (inside, bits) in
            [(hours(&[0, 2]), 0b101), (hours(&[24, 23]), 0x80_0001), (hours(&[25]), 0), (hours(&every), 0)]
        {
            assert_eq!(
                around(&format!("<skipHours>{inside}</skipHours>")).hints().skip_hours,
                bits,
                "{inside}"
            );
        }
        let week = DAYS.map(|day| format!("<day>{day}</day>")).concat();
        for (inside, bits) in [
            ("<day>Monday</day><day>sunday</day>", 0b100_0001),
            ("<day>Caturday</day><day/>", 0),
            (week.as_str(), 0),
        ] {
            assert_eq!(around(&format!("<skipDays>{inside}</skipDays>")).hints().skip_days, bits, "{inside}");
        }
    }

    #[test]
    fn f6_period_and_frequency_make_minutes() {
        for (period, frequency, minutes) in [
            ("hourly", "1", Some(60)),
            (" Daily ", "4", Some(360)),
            ("hourly", "0", Some(60)),
            ("hourly", "100", Some(1)),
            ("weekly", "often", Some(10_080)),
            ("sometimes", "2", Some(720)),
            ("sometimes", "", None),
        ] {
            let outside = format!(
                "<sy:updatePeriod>{period}</sy:updatePeriod><sy:updateFrequency>{frequency}</sy:updateFrequency>"
            );
            assert_eq!(around(&outside).hints().update_minutes, minutes, "{period} {frequency}");
        }
    }

    #[test]
    fn o3_older_entries_are_on_the_same_host() {
        let url = Url::parse("https://a.example/feed?page=1").unwrap();
        let link = |rel: &str, href: &str| format!("<atom:link rel='{rel}' href='{href}'/>");
        for (outside, older) in [
            (link("next", "?page=2&amp;n=9"), Some("https://a.example/feed?page=2&n=9")),
            (link("next", "/2") + &link("prev-archive", "/old"), Some("https://a.example/old")),
            (link("prev-archive", "https://b.example/") + &link("next", "/2"), Some("https://a.example/2")),
            (link("next", "https://a.example/feed?page=1"), None),
            (link("next", "javascript:x") + &link("prev", "/0"), None),
        ] {
            assert_eq!(around(&outside).older(&url).map(String::from).as_deref(), older, "{outside}");
        }
    }
}
