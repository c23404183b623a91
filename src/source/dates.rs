//! Dates as feeds and pages write them.
//!
//! A date that states no zone is read as UTC. A form with two readings (`10/06/2025`) is read as none:
//! a wrong date misleads, an absent one is replaced by the time of the first sight.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::Offset;

/// Month names by their beginnings in English, French, German, Spanish, Italian and Russian. Longer beginnings
/// come first where a shorter one would take them.
const MONTHS: [(&str, i8); 40] = [
    ("jan", 1),
    ("gen", 1),
    ("ene", 1),
    ("янв", 1),
    ("feb", 2),
    ("fév", 2),
    ("fev", 2),
    ("фев", 2),
    ("mar", 3),
    ("mär", 3),
    ("мар", 3),
    ("apr", 4),
    ("avr", 4),
    ("abr", 4),
    ("апр", 4),
    ("may", 5),
    ("mai", 5),
    ("mag", 5),
    ("мая", 5),
    ("май", 5),
    ("juin", 6),
    ("jun", 6),
    ("giu", 6),
    ("июн", 6),
    ("jui", 7),
    ("jul", 7),
    ("lug", 7),
    ("июл", 7),
    ("aug", 8),
    ("aoû", 8),
    ("aou", 8),
    ("ago", 8),
    ("авг", 8),
    ("sep", 9),
    ("сен", 9),
    ("oct", 10),
    ("okt", 10),
    ("окт", 10),
    ("nov", 11),
    ("ноя", 11),
];

/// Months that would not fit above: every language here writes December with one of these.
const DECEMBER: [&str; 5] = ["dec", "déc", "dez", "dic", "дек"];

/// Zone abbreviations in use by publishers, as hours from UTC. Those with several meanings (IST, CST) have
/// the one of RFC 2822, or are left out.
const ZONES: [(&str, i32); 21] = [
    ("UT", 0),
    ("UTC", 0),
    ("GMT", 0),
    ("Z", 0),
    ("WAT", 1),
    ("CET", 1),
    ("BST", 1),
    ("CAT", 2),
    ("EET", 2),
    ("CEST", 2),
    ("SAST", 2),
    ("EAT", 3),
    ("MSK", 3),
    ("EEST", 3),
    ("EDT", -4),
    ("EST", -5),
    ("CDT", -5),
    ("CST", -6),
    ("MST", -7),
    ("PDT", -7),
    ("PST", -8),
];

/// Reads a date; `None` when it is none, or could be several.
pub(super) fn parse(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    if text.is_empty() || text.len() > 80 {
        return None;
    }
    if let Ok(stamp) = text.parse::<Timestamp>() {
        return Some(stamp);
    }
    if let Ok(moment) = text.parse::<DateTime>() {
        return Offset::UTC.to_timestamp(moment).ok();
    }
    in_words(text)
}

/// What the words of a date have said so far.
#[derive(Default)]
struct Words {
    day: Option<i8>,
    month: Option<i8>,
    year: Option<i16>,
    time: Option<Time>,
    noon: Option<bool>,
    offset: Option<Offset>,
}

/// A date with a month in letters, its parts in any order: RFC 2822 and what people make of it.
///
/// Not left to a parser of RFC 2822, which must take an unknown zone (`CEST`) for UTC.
fn in_words(text: &str) -> Option<Timestamp> {
    let mut words = Words::default();
    for word in text.split(|c: char| c.is_whitespace() || c == ',').filter(|word| !word.is_empty()) {
        // `23-Nov-26` is three words; a zone such as `-0500` is one.
        if let Some(date) = word.parse::<Date>().ok().filter(|_| word.len() == "2026-11-23".len()) {
            (words.day, words.month, words.year) = (Some(date.day()), Some(date.month()), Some(date.year()));
        } else if word.contains('-') && word.chars().any(char::is_alphabetic) {
            word.split('-').for_each(|part| words.take(part));
        } else {
            words.take(word);
        }
    }
    let date = Date::new(words.year?, words.month?, words.day?).ok()?;
    let mut time = words.time.unwrap_or(Time::midnight());
    match words.noon {
        Some(true) if time.hour() < 12 => {
            time = Time::new(time.hour() + 12, time.minute(), time.second(), 0).ok()?;
        }
        Some(false) if time.hour() == 12 => time = Time::new(0, time.minute(), time.second(), 0).ok()?,
        Some(_) | None => {}
    }
    words.offset.unwrap_or(Offset::UTC).to_timestamp(date.to_datetime(time)).ok()
}

impl Words {
    /// Takes one word; weekdays and whatever else says nothing are passed over.
    fn take(&mut self, word: &str) {
        let word = word.trim_matches(['.', '(', ')']);
        if word.contains(':') && word.starts_with(|c: char| c.is_ascii_digit()) {
            self.time = self.time.or_else(|| clock(word));
            return;
        }
        if let Some(offset) = zone(word) {
            self.offset = self.offset.or(Some(offset));
            return;
        }
        match word.to_ascii_uppercase().as_str() {
            "AM" => self.noon = Some(false),
            "PM" => self.noon = Some(true),
            _ => self.take_date(word),
        }
    }

    fn take_date(&mut self, word: &str) {
        let digits = word.trim_end_matches(|c: char| c.is_alphabetic());
        if let Ok(number) = digits.parse::<i16>() {
            match (self.day, number) {
                (None, 1..=31) if digits.len() <= 2 => self.day = i8::try_from(number).ok(),
                (_, 1000..) => self.year = self.year.or(Some(number)),
                (Some(_), 0..=99) if self.year.is_none() => {
                    self.year = Some(if number < 70 { 2000 + number } else { 1900 + number });
                }
                _ => {}
            }
        } else if self.month.is_none() {
            self.month = month(word);
        }
    }
}

/// The month that a word names.
fn month(word: &str) -> Option<i8> {
    // `mardi`, `martes` and `Montag` begin like months or are no months at all.
    let word = word.to_lowercase();
    if ["mardi", "martes", "martedì"].contains(&word.as_str()) {
        return None;
    }
    if DECEMBER.iter().any(|name| word.starts_with(name)) {
        return Some(12);
    }
    MONTHS.iter().find(|(name, _)| word.starts_with(name)).map(|&(_, month)| month)
}

/// `10:15`, `10:15:30`, `10:15:30.5`.
fn clock(word: &str) -> Option<Time> {
    let mut parts = word.split(':');
    let hour = parts.next()?.parse().ok()?;
    let minute = parts.next()?.parse().ok()?;
    let second = parts.next().map_or(Some(0), |s| s.split('.').next()?.parse().ok())?;
    Time::new(hour, minute, second, 0).ok()
}

/// A zone: an abbreviation, `+0200`, `-05:00`, `GMT+0200`.
fn zone(word: &str) -> Option<Offset> {
    if let Some(&(_, hours)) = ZONES.iter().find(|(name, _)| name.eq_ignore_ascii_case(word)) {
        return Offset::from_seconds(hours * 3600).ok();
    }
    let number = ["GMT", "UTC"].iter().find_map(|name| word.strip_prefix(name)).unwrap_or(word);
    let (sign, number) = match number.strip_prefix('+') {
        Some(number) => (1, number),
        None => (-1, number.strip_prefix('-')?),
    };
    let digits: String = number.chars().filter(|&c| c != ':').collect();
    let value: i32 = digits.parse().ok()?;
    let (hours, minutes) = if digits.len() <= 2 { (value, 0) } else { (value / 100, value % 100) };
    Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_forms_in_use_are_read() {
        for (text, expected) in [
            ("Mon, 23 Nov 2026 10:00:00 +0000", "2026-11-23T10:00:00Z"),
            ("Tue, 23 Nov 2026 10:00:00 GMT", "2026-11-23T10:00:00Z"),
            ("23 Nov 2026 10:00:00 -0500", "2026-11-23T15:00:00Z"),
            ("2026-11-23T10:00:00+01:00", "2026-11-23T09:00:00Z"),
            ("2026-11-23T10:00:00.250Z", "2026-11-23T10:00:00.25Z"),
            ("2026-11-23 10:00:00", "2026-11-23T10:00:00Z"),
            ("2026-11-23 10:00:00Z", "2026-11-23T10:00:00Z"),
            ("2026-11-23T10:00:00", "2026-11-23T10:00:00Z"),
            ("2026-11-23T10:00:00+0100", "2026-11-23T09:00:00Z"),
            ("2026-11-23 10:00:00 +0100", "2026-11-23T09:00:00Z"),
            ("2026-11-23", "2026-11-23T00:00:00Z"),
            ("Mon, 23 Nov 2026 10:00:00 CEST", "2026-11-23T08:00:00Z"),
            ("Mon, 23 Nov 2026 10:00:00 GMT+0200", "2026-11-23T08:00:00Z"),
            ("Mon, 23 Nov 2026 10:00", "2026-11-23T10:00:00Z"),
            ("Nov 23, 2026 1:05 PM", "2026-11-23T13:05:00Z"),
            ("Mon Nov 23 10:00:00 2026", "2026-11-23T10:00:00Z"),
            ("Monday, 23-Nov-26 10:00:00 GMT", "2026-11-23T10:00:00Z"),
            ("mardi 23 juin 2026 12:00", "2026-06-23T12:00:00Z"),
            ("Пн, 23 ноября 2026 10:00:00 +0300", "2026-11-23T07:00:00Z"),
            ("3 décembre 2026", "2026-12-03T00:00:00Z"),
        ] {
            assert_eq!(parse(text).map(|stamp| stamp.to_string()).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_date_or_two_is_none() {
        for text in ["", "yesterday", "10/06/2025", "99 Nov 2026", "25:61", "il y a 2 heures", "-", "Mon"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
