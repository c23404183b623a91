//! Dates as feeds and pages write them.
//!
//! A date that states no zone is read as UTC. A form with two readings (`10/06/2025` in a language that does not
//! settle it) is read as none: a wrong date misleads, an absent one is replaced by the time of the first sight.

mod names;
mod relative;
mod usual;

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::Offset;

use self::names::{Month, after_noon, folded, month, prevailing, zone};
use self::relative::bare;
use super::html;

/// Longest text that is tried, in bytes: the longest date in letters of two bytes each, and some room.
const DATE_BYTES_MAX: usize = 160;

/// The start of 1990: no item is older. The web began in that year, and what is dated before it is a zero of some
/// clock or calendar that stands in for no date: of Unix, of spreadsheets (`1899-12-30`), of .NET (`0001-01-01`).
const EARLIEST: Timestamp = Timestamp::constant(631_152_000, 0);

/// Marks between the words of a date that are written as one.
const MARKS: [char; 2] = ['-', '/'];

/// Most characters of a date that are told.
const TOLD_MAX: usize = 60;

/// Languages that write the day before the month.
const DAY_FIRST: [&str; 14] =
    ["fr", "de", "es", "it", "pt", "ru", "uk", "ar", "nl", "pl", "tr", "ro", "ha", "sw"];

/// Reads a date; `None` when it is none, could be several, or [cannot be](is_possible) of an item. The language
/// `lang` of the text settles whether `10/06/2025` is of June or October.
pub(super) fn parse_in(text: &str, lang: Option<&str>) -> Option<Timestamp> {
    any(text, lang).filter(is_possible)
}

/// Whether an item can be of that date.
pub(super) fn is_possible(date: &Timestamp) -> bool {
    *date >= EARLIEST
}

/// Says of a date that was not read what is wrong with it.
pub(super) fn complaint(text: &str, lang: Option<&str>) -> String {
    let what = if any(text, lang).is_some() { "date before the web" } else { "unknown form of date" };
    let told: String = html::one_line(text).chars().take(TOLD_MAX).collect();
    format!("{what}: `{told}`")
}

/// Reads a date of any year.
fn any(text: &str, lang: Option<&str>) -> Option<Timestamp> {
    let text = text.trim();
    if text.is_empty() || text.len() > DATE_BYTES_MAX {
        return None;
    }
    if let Some(stamp) = usual::parse(text).or_else(|| figures(text)) {
        return Some(stamp);
    }
    if let Ok(stamp) = text.parse::<Timestamp>() {
        return Some(stamp);
    }
    if let Ok(moment) = text.parse::<DateTime>() {
        return Offset::UTC.to_timestamp(moment).ok();
    }
    counted(text, lang).or_else(|| in_words(text, lang))
}

/// A date of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dated {
    /// As it is written.
    Stated(Timestamp),
    /// By its distance from the time of the fetch: the next fetch gives another.
    Reckoned(Timestamp),
}

impl Dated {
    /// The date, however it was found.
    pub(super) fn at(self) -> Timestamp {
        match self {
            Self::Stated(at) | Self::Reckoned(at) => at,
        }
    }
}

/// The same on a page that was fetched at `now`, where dates may be relative to that.
pub(super) fn parse_near(text: &str, lang: Option<&str>, now: Option<Timestamp>) -> Option<Dated> {
    let relative = |now| {
        let text = text.trim();
        if text.len() > DATE_BYTES_MAX { None } else { relative::parse(&folded(text), now) }
    };
    let stated = parse_in(&relative::without_ago(text), lang).map(Dated::Stated);
    stated.or_else(|| now.and_then(relative).map(Dated::Reckoned))
}

/// A number alone: seconds or milliseconds since 1970, `20250610`, `20250610040000`; the last with a zone, too.
fn figures(text: &str) -> Option<Timestamp> {
    let (text, rest) = text.split_at_checked(text.bytes().take_while(u8::is_ascii_digit).count())?;
    let offset = match (text.len(), rest) {
        (_, "") => Offset::UTC,
        (14, rest) => zone(rest)?,
        _ => return None,
    };
    match text.len() {
        9 | 10 => Timestamp::from_second(text.parse().ok()?).ok(),
        12 | 13 => Timestamp::from_millisecond(text.parse().ok()?).ok(),
        8 | 14 => {
            let (date, time) = text.split_at_checked(8)?;
            let time = if time.is_empty() { "000000" } else { time };
            offset.to_timestamp(format!("{date}T{time}").parse::<DateTime>().ok()?).ok()
        }
        _ => None,
    }
}

/// A day by its week or by its number in the year, with or without a time: `2026-W48-1`, `2026-327T10:00Z`.
fn counted(text: &str, lang: Option<&str>) -> Option<Timestamp> {
    let (day, rest) = text.split_at_checked(text.find(['T', ' ']).unwrap_or(text.len()))?;
    let form = match day.len() {
        8 => "%Y-%j",
        10 => "%G-W%V-%u",
        _ => return None,
    };
    let date = Date::strptime(form, day).ok()?;
    any(&format!("{date}{rest}"), lang)
}

/// What the words of a date have said so far.
#[derive(Default)]
struct Words {
    day: Option<i8>,
    month: Option<i8>,
    /// A month that may be a weekday.
    weak_month: Option<i8>,
    year: Option<i16>,
    time: Option<Clock>,
    /// A time with a point, which counts where there is no other: `10.15` may be anything.
    dotted: Option<Clock>,
    noon: Option<bool>,
    offset: Option<Offset>,
    /// Whether something looks like a time and is none: `25:00`.
    odd_time: bool,
}

/// A date with a month in letters or between strokes, its parts in any order: RFC 2822 and what people make of it.
///
/// Not left to a parser of RFC 2822, which must take an unknown zone (`CEST`) for UTC.
fn in_words(text: &str, lang: Option<&str>) -> Option<Timestamp> {
    let mut words = Words::default();
    let plain = folded(text);
    for word in self::words(&plain).iter().map(Cow::as_ref) {
        // `23-Nov-26` is three words, a month under two names (`نوفمبر/تشرين`) two; a zone such as `-0500` is one.
        if let Some(date) = word.parse::<Date>().ok().filter(|_| word.len() == "2026-11-23".len()) {
            words.whole(date);
        } else if let Some((date, clock)) = joined(word) {
            words.whole(date);
            words.take(clock);
        } else if let Some(parts) = strokes(word).filter(|parts| !words.is_followed_by(parts)) {
            words.whole(parts.date(lang)?);
        } else if word.contains(MARKS) && word.chars().any(char::is_alphabetic) && zone(word).is_none() {
            word.split(MARKS).for_each(|part| words.take(part));
        } else {
            words.take(word);
        }
    }
    let date = Date::new(words.year?, words.month.or(words.weak_month)?, words.day?).ok()?;
    let clock = words.time.or(words.dotted);
    if words.odd_time && clock.is_none() {
        return None;
    }
    let Clock { mut time, ends_day } = clock.unwrap_or_default();
    let date = if ends_day { date.tomorrow().ok()? } else { date };
    match words.noon {
        Some(true) if time.hour() < 12 => {
            time = Time::new(time.hour() + 12, time.minute(), time.second(), 0).ok()?;
        }
        Some(false) if time.hour() == 12 => time = Time::new(0, time.minute(), time.second(), 0).ok()?,
        Some(_) | None => {}
    }
    let moment = date.to_datetime(time);
    match prevailing(text).filter(|_| words.offset.is_none() && clock.is_some()) {
        Some(zone) => zone.to_timestamp(moment).ok(),
        None => words.offset.unwrap_or(Offset::UTC).to_timestamp(moment).ok(),
    }
}

/// The words of a folded text. An hour that stands apart from its letter is one with it and its minutes (`18 h 20`, `18 h`),
/// unless it is a distance from now (`il y a 18 h`).
fn words(text: &str) -> Vec<Cow<'_, str>> {
    let is_figures =
        |word: &&str| matches!(word.len(), 1 | 2) && word.bytes().all(|byte| byte.is_ascii_digit());
    let apart = text.split(|c: char| c.is_whitespace() || c == ',').filter(|word| !word.is_empty());
    let apart: Vec<&str> = apart.collect();
    let word_at = |at: usize| apart.get(at).map(|word| bare(word));
    let (mut words, mut at) = (Vec::with_capacity(apart.len()), 0);
    while let Some((before, [word, ..])) = apart.split_at_checked(at) {
        let hour = word_at(at).filter(is_figures).filter(|_| word_at(at + 1) == Some("h"));
        let Some(hour) = hour.filter(|_| !relative::leads_to_distance(before)) else {
            words.push(Cow::Borrowed(*word));
            at += 1;
            continue;
        };
        let is_day = word_at(at + 3).is_some_and(|next| month(next).is_some());
        let minute = word_at(at + 2).filter(|minute| minute.len() == 2 && is_figures(minute) && !is_day);
        words.push(Cow::Owned(format!("{hour}h{}", minute.unwrap_or_default())));
        at += if minute.is_some() { 3 } else { 2 };
    }
    words
}

/// A date and a time of ISO 8601 that are one word: `2026-11-23T24:00:00Z`.
fn joined(word: &str) -> Option<(Date, &str)> {
    let (date, clock) = word.split_once('t')?;
    Some((date.parse().ok().filter(|_: &Date| date.len() == "2026-11-23".len())?, clock))
}

/// Three numbers between strokes: `10/06/2025`, `10.06.2025`, `2025/06/10`.
struct Strokes<'a> {
    mark: char,
    parts: [&'a str; 3],
}

fn strokes(word: &str) -> Option<Strokes<'_>> {
    let mark = ['/', '.', '-'].into_iter().find(|&mark| word.matches(mark).count() == 2)?;
    let mut parts = word.split(mark);
    let parts = [parts.next()?, parts.next()?, parts.next()?];
    let is_number = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    parts.iter().all(is_number).then_some(Strokes { mark, parts })
}

impl Strokes<'_> {
    /// The date; `None` when it is none, or could be two.
    fn date(&self, lang: Option<&str>) -> Option<Date> {
        let [first, second, third] = self.parts;
        if first.len() == 4 {
            return Date::new(first.parse().ok()?, second.parse().ok()?, third.parse().ok()?).ok();
        }
        let year = match third.len() {
            4 => third.parse().ok()?,
            // Points are put in dates of Europe alone, where the year is last.
            2 if self.mark == '.' => 2000 + third.parse::<i16>().ok()?,
            _ => return None,
        };
        let (first, second): (i8, i8) = (first.parse().ok()?, second.parse().ok()?);
        let day_first = self.mark == '.' || day_first(first, second, lang)?;
        let (day, month) = if day_first { (first, second) } else { (second, first) };
        Date::new(year, month, day).ok()
    }
}

/// Whether the first of two numbers is the day; `None` when it could be either.
fn day_first(first: i8, second: i8, lang: Option<&str>) -> Option<bool> {
    if first > 12 || first == second {
        return Some(true);
    }
    if second > 12 {
        return Some(false);
    }
    let lang = lang?.to_ascii_lowercase().replace('_', "-");
    match lang.as_str() {
        "en-us" => Some(false),
        "en-gb" | "en-au" | "en-za" | "en-ng" | "en-ie" => Some(true),
        other => DAY_FIRST.contains(&other.split('-').next()?).then_some(true),
    }
}

impl Words {
    /// Whether they are a date already, and these numbers its time: `30 Nov 2026 10.06.25`.
    fn is_followed_by(&self, time: &Strokes<'_>) -> bool {
        let is_dated = self.day.and(self.month.or(self.weak_month)).and(self.year).is_some();
        let [hour, minute, second] = time.parts.map(str::len);
        is_dated && time.mark == '.' && hour <= 2 && minute == 2 && second == 2
    }

    fn whole(&mut self, date: Date) {
        (self.day, self.month, self.year) = (Some(date.day()), Some(date.month()), Some(date.year()));
    }

    /// Takes one word; weekdays and whatever else says nothing are passed over.
    fn take(&mut self, word: &str) {
        let word = word.trim_matches(['.', '(', ')']);
        if let Some((time, rest)) = timed(word, clock) {
            self.time = self.time.or(Some(time));
            self.take_behind_time(rest);
        } else if let Some((time, rest)) = timed(word, dotted) {
            self.dotted = self.dotted.or(Some(time));
            self.take_behind_time(rest);
        } else if let Some(offset) = zone(word) {
            self.offset = self.offset.or(Some(offset));
        } else if let Some(noon) = after_noon(word) {
            self.noon = self.time.or(self.dotted).map(|_| noon);
        } else {
            let is_odd = |parts: Strokes<'_>| self.is_followed_by(&parts);
            self.odd_time |= looks_like_time(word) || strokes(word).is_some_and(is_odd);
            self.take_date(word);
        }
    }

    /// Takes what stands behind a time in the same word.
    fn take_behind_time(&mut self, rest: &str) {
        if let Some(noon) = after_noon(rest) {
            self.noon = Some(noon);
        } else if let Some(offset) = zone(rest) {
            self.offset = self.offset.or(Some(offset));
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
        } else {
            match month(word) {
                Some(Month::Sure(month)) => self.month = self.month.or(Some(month)),
                Some(Month::OrWeekday(month)) => self.weak_month = Some(month),
                None => {}
            }
        }
    }
}

/// A time at the start of a word, and what follows it: `10:15PM`, `10:15:30+0200`, `14h05`.
fn timed(word: &str, clock: fn(&str) -> Option<Clock>) -> Option<(Clock, &str)> {
    let end =
        word.find(|c: char| !(c.is_ascii_digit() || matches!(c, ':' | '.' | 'h'))).unwrap_or(word.len());
    let (time, rest) = word.split_at_checked(end)?;
    Some((clock(time)?, rest.trim_matches('.')))
}

/// Whether a word begins with two numbers as a time does.
fn looks_like_time(word: &str) -> bool {
    let is_number = |part: &str| part.len() <= 2 && part.parse::<u8>().is_ok();
    let mut parts =
        word.split(|c: char| !(c.is_ascii_digit() || c == ':')).next().unwrap_or_default().split(':');
    parts.next().is_some_and(is_number) && parts.next().is_some_and(|minute| minute.len() == 2)
}

/// A time of day.
#[derive(Clone, Copy, Default)]
struct Clock {
    time: Time,
    /// Whether it is the midnight at the end of the day: `24:00`.
    ends_day: bool,
}

/// `10:15`, `10:15:30`, `10:15:30.5`, `14h05`, `14h`, `24:00`.
fn clock(word: &str) -> Option<Clock> {
    let (hour, rest) = word.split_once([':', 'h'])?;
    let mut parts = rest.split(':');
    let minute = match parts.next()? {
        "" if word.ends_with('h') => 0,
        minute => minute.parse().ok()?,
    };
    let second = parts.next().map_or(Some(0), |s| s.split('.').next()?.parse().ok())?;
    let hour = hour.parse().ok()?;
    if (hour, minute, second) == (24, 0, 0) {
        return Some(Clock { time: Time::midnight(), ends_day: true });
    }
    // A leap second is written by those who mean the last one.
    let time = Time::new(hour, minute, if second == 60 { 59 } else { second }, 0).ok()?;
    Some(Clock { time, ends_day: false })
}

/// `10.15` and `10.15.30`, as times are written in Italy and in the north.
fn dotted(word: &str) -> Option<Clock> {
    let (hour, rest) = word.trim_end_matches('.').split_once('.')?;
    let (minute, second) = rest.split_once('.').unwrap_or((rest, "00"));
    let is_whole = hour.len() <= 2 && minute.len() == 2 && second.len() == 2;
    clock(&format!("{hour}:{minute}:{second}")).filter(|_| is_whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Option<Timestamp> {
        parse_in(text, None)
    }

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
            ("Tue, 10 Jun 2025 04:00:00 AEDT", "2025-06-09T17:00:00Z"),
            ("06/23/2025 12:15 PM", "2025-06-23T12:15:00Z"),
            ("June 10, 2025 12:15 AM", "2025-06-10T00:15:00Z"),
            ("June 10, 2025 9:15pm EDT", "2025-06-11T01:15:00Z"),
            ("June 10th, 2025, 9:15 p.m.", "2025-06-10T21:15:00Z"),
            ("Tue Jun 10 04:00:00 2025", "2025-06-10T04:00:00Z"),
            ("Tue Jun 10 04:00:00 CEST 2025", "2025-06-10T02:00:00Z"),
            ("Tuesday, 10-Jun-25 04:00:00 GMT", "2025-06-10T04:00:00Z"),
            ("1749528000", "2025-06-10T04:00:00Z"),
            ("1749528000123", "2025-06-10T04:00:00.123Z"),
            ("20250610T040000Z", "2025-06-10T04:00:00Z"),
            ("20250610", "2025-06-10T00:00:00Z"),
            ("20250610040000", "2025-06-10T04:00:00Z"),
            ("10.06.2025 04:00", "2025-06-10T04:00:00Z"),
            ("10.06.25, 04:00 Uhr", "2025-06-10T04:00:00Z"),
            ("2025/06/10 04:00:00", "2025-06-10T04:00:00Z"),
            ("mar, 10 giu 2025 04:00:00 +0200", "2025-06-10T02:00:00Z"),
            ("mar. 10 juin 2025 14h05", "2025-06-10T14:05:00Z"),
            ("10 Mar 2025 04:00:00 +0000", "2025-03-10T04:00:00Z"),
            ("Martedì, 10 Giugno 2025 04:00", "2025-06-10T04:00:00Z"),
            ("Di, 10 Jun 2025 04:00:00 +0200", "2025-06-10T02:00:00Z"),
            ("Dienstag, 10. Juni 2025", "2025-06-10T00:00:00Z"),
            ("Mittwoch, 3. Dezember 2025, 18:30 MEZ", "2025-12-03T17:30:00Z"),
            ("mardi 10 juin 2025 à 14h05", "2025-06-10T14:05:00Z"),
            ("1er août 2025", "2025-08-01T00:00:00Z"),
            ("ven, 14 févr. 2025 08:00:00 +0100", "2025-02-14T07:00:00Z"),
            ("10 июня 2025, 14:05", "2025-06-10T14:05:00Z"),
            ("Вт, 10 июн 2025 14:05:00 +0300", "2025-06-10T11:05:00Z"),
            ("10 мая 2025 14:05 МСК", "2025-05-10T11:05:00Z"),
            ("10 كانون الثاني 2025", "2025-01-10T00:00:00Z"),
            ("الثلاثاء، 10 حزيران 2025", "2025-06-10T00:00:00Z"),
            ("10 تشرين الأول 2025 - 14:05", "2025-10-10T14:05:00Z"),
            ("١٠ يونيو ٢٠٢٥ ٠٤:٠٠ م", "2025-06-10T16:00:00Z"),
            ("10 يناير 2025", "2025-01-10T00:00:00Z"),
            ("10 جوان 2025", "2025-06-10T00:00:00Z"),
            ("10 غشت 2025", "2025-08-10T00:00:00Z"),
            ("۱۰ أغسطس ۲۰۲۵", "2025-08-10T00:00:00Z"),
            ("Tue, 10 Jun 2025 23:59:60 GMT", "2025-06-10T23:59:59Z"),
            ("Mon, 23 Nov 2026 24:00:00 GMT", "2026-11-24T00:00:00Z"),
            ("2026-12-31T24:00:00+01:00", "2026-12-31T23:00:00Z"),
            ("1 janvier 1990", "1990-01-01T00:00:00Z"),
        ] {
            assert_eq!(parse(text).map(|stamp| stamp.to_string()).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn an_hour_apart_from_its_letter_is_read() {
        for (text, expected) in [
            ("29 novembre 2026 à 18 h 20", "2026-11-29T18:20:00Z"),
            ("29 novembre 2026 à 18\u{a0}h\u{a0}20", "2026-11-29T18:20:00Z"),
            ("Mis à jour le 29 novembre 2026 à 18\u{202f}h\u{202f}20.", "2026-11-29T18:20:00Z"),
            ("29\u{a0}novembre\u{a0}2026 à 18h20", "2026-11-29T18:20:00Z"),
            ("29 novembre 2026, 18 h", "2026-11-29T18:00:00Z"),
            ("18 h 20, le 29 novembre 2026", "2026-11-29T18:20:00Z"),
            ("18 h 29 novembre 2026", "2026-11-29T18:00:00Z"),
            ("29 novembre 2026, il y a 3 h", "2026-11-29T00:00:00Z"),
        ] {
            assert_eq!(parse(text).map(|stamp| stamp.to_string()).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn odd_forms_are_read() {
        for (text, expected) in [
            ("23 نوفمبر/تشرين الثاني 2026 10:00", "2026-11-23T10:00:00Z"),
            ("23 نوفمبر/ تشرين الثاني 2026", "2026-11-23T00:00:00Z"),
            ("الاثنين 23 تشرين الثاني/نوفمبر 2026", "2026-11-23T00:00:00Z"),
            ("23 آب/أغسطس 2026", "2026-08-23T00:00:00Z"),
            ("23 تشرين ثاني 2026", "2026-11-23T00:00:00Z"),
            ("23 تشرين أول 2026", "2026-10-23T00:00:00Z"),
            ("23 كانون أول 2026", "2026-12-23T00:00:00Z"),
            ("23 كانون ثانٍ 2026", "2026-01-23T00:00:00Z"),
            ("23 de\u{301}cembre 2026", "2026-12-23T00:00:00Z"),
            ("23 fe\u{301}vrier 2026", "2026-02-23T00:00:00Z"),
            ("23 ма\u{438}\u{306} 2026", "2026-05-23T00:00:00Z"),
            ("23/Nov/2026 10:00", "2026-11-23T10:00:00Z"),
            ("23 Nov 2026 10.15pm", "2026-11-23T22:15:00Z"),
            ("Version 3.12, 23 Nov 2026 10:00", "2026-11-23T10:00:00Z"),
            ("Mon, 23 Nov 2026 10.15", "2026-11-23T10:15:00Z"),
            ("10 juin 2025 (mis à jour le 11.06.2025)", "2025-06-10T00:00:00Z"),
            ("Mon, 30 Nov 2026 10.00.00 GMT", "2026-11-30T10:00:00Z"),
            ("Mon, 30 Nov 2026 10.11.12 +0100", "2026-11-30T09:11:12Z"),
            ("30.11.2026 9.05.30", "2026-11-30T09:05:30Z"),
            ("23 novembre 2026, ore 9.05", "2026-11-23T09:05:00Z"),
            ("Mon, 23 Nov 2026 10:15:00 ET", "2026-11-23T15:15:00Z"),
            ("Updated 3:45 PM ET, Tue June 23, 2026", "2026-06-23T19:45:00Z"),
            ("Nov 23, 2026 10:15 a.m. (PT)", "2026-11-23T18:15:00Z"),
            ("le 23 novembre 2026 à 10:15 et mis à jour", "2026-11-23T10:15:00Z"),
            ("20261123100000Z", "2026-11-23T10:00:00Z"),
            ("20261123100000+0100", "2026-11-23T09:00:00Z"),
            ("2026-W48-1", "2026-11-23T00:00:00Z"),
            ("2026-W48-1T10:00:00+01:00", "2026-11-23T09:00:00Z"),
            ("2026-327", "2026-11-23T00:00:00Z"),
            ("Communiqué 2026-112 du 23 novembre 2026", "2026-11-23T00:00:00Z"),
        ] {
            assert_eq!(parse(text).map(|stamp| stamp.to_string()).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn the_language_settles_what_strokes_leave_open() {
        for (text, lang, expected) in [
            ("10/06/2025", Some("fr"), Some("2025-06-10T00:00:00Z")),
            ("10/06/2025 14:05", Some("ar"), Some("2025-06-10T14:05:00Z")),
            ("10/06/2025", Some("en-US"), Some("2025-10-06T00:00:00Z")),
            ("10/06/2025", Some("en_GB"), Some("2025-06-10T00:00:00Z")),
            ("10/06/2025", Some("en"), None),
            ("10/06/2025", None, None),
            ("23/06/2025", None, Some("2025-06-23T00:00:00Z")),
            ("06/06/2025", None, Some("2025-06-06T00:00:00Z")),
            ("31/31/2025", Some("fr"), None),
        ] {
            assert_eq!(parse_in(text, lang).map(|at| at.to_string()).as_deref(), expected, "{text} {lang:?}");
        }
    }

    /// Reads a text half past four on the tenth of June 2025, and without knowing that.
    #[track_caller]
    fn reckoned(text: &str, expected: Option<&str>) {
        let read = |now| parse_near(text, None, now);
        let now = read("2025-06-10T16:30:00Z".parse().ok());
        assert_eq!(now.map(|dated| dated.at().to_string()).as_deref(), expected, "{text}");
        let stated = now.filter(|_| text.contains("2025"));
        assert_eq!(read(None), stated, "{text} without a time of the fetch");
        let is_stated = matches!(now, Some(Dated::Stated(_)));
        assert_eq!(is_stated, stated.is_some(), "{text}");
    }

    #[test]
    fn distances_from_now_are_read_on_pages() {
        for (text, expected) in [
            ("il y a 2 heures", "2025-06-10T14:30:00Z"),
            ("Il y a 5 min", "2025-06-10T16:25:00Z"),
            ("il y a une heure", "2025-06-10T15:30:00Z"),
            ("il y a 3 jours", "2025-06-07T16:30:00Z"),
            ("2 hours ago", "2025-06-10T14:30:00Z"),
            ("an hour ago", "2025-06-10T15:30:00Z"),
            ("2h ago", "2025-06-10T14:30:00Z"),
            ("1 week ago", "2025-06-03T16:30:00Z"),
            ("just now", "2025-06-10T16:30:00Z"),
            ("yesterday", "2025-06-09T00:00:00Z"),
            ("Yesterday at 14:05", "2025-06-09T14:05:00Z"),
            ("hier", "2025-06-09T00:00:00Z"),
            ("Hier à 14h05", "2025-06-09T14:05:00Z"),
            ("aujourd'hui 14:05", "2025-06-10T14:05:00Z"),
            ("Aujourd’hui à 14h05", "2025-06-10T14:05:00Z"),
            ("вчера", "2025-06-09T00:00:00Z"),
            ("Сегодня, 14:05", "2025-06-10T14:05:00Z"),
            ("2 часа назад", "2025-06-10T14:30:00Z"),
            ("час назад", "2025-06-10T15:30:00Z"),
            ("5 минут назад", "2025-06-10T16:25:00Z"),
            ("منذ ساعتين", "2025-06-10T14:30:00Z"),
            ("منذ ٣ ساعات", "2025-06-10T13:30:00Z"),
            ("قبل يومين", "2025-06-08T16:30:00Z"),
            ("منذ ساعة", "2025-06-10T15:30:00Z"),
            ("أمس", "2025-06-09T00:00:00Z"),
            ("vor 2 Stunden", "2025-06-10T14:30:00Z"),
            ("vor 3 Std.", "2025-06-10T13:30:00Z"),
            ("полчаса назад", "2025-06-10T16:00:00Z"),
            ("il y a une demi-heure", "2025-06-10T16:00:00Z"),
            ("il y a 18 h", "2025-06-09T22:30:00Z"),
            ("avant hier", "2025-06-08T00:00:00Z"),
            ("Avant-hier à 18 h 20", "2025-06-08T18:20:00Z"),
            ("hier à 18\u{a0}h", "2025-06-09T18:00:00Z"),
            ("the day before yesterday", "2025-06-08T00:00:00Z"),
            ("Ontem às 14h", "2025-06-09T14:00:00Z"),
            ("anteontem", "2025-06-08T00:00:00Z"),
            ("hoje, 9h30", "2025-06-10T09:30:00Z"),
            ("ieri", "2025-06-09T00:00:00Z"),
            ("l’altro ieri", "2025-06-08T00:00:00Z"),
            ("oggi alle 12:30", "2025-06-10T12:30:00Z"),
            ("antes de ayer", "2025-06-08T00:00:00Z"),
            ("أول أمس", "2025-06-08T00:00:00Z"),
        ] {
            reckoned(text, Some(expected));
        }
        for text in ["ago", "soon", "99999999999999999999 hours ago", "2 bananas ago", ""] {
            reckoned(text, None);
        }
    }

    #[test]
    fn distances_from_now_are_read_wherever_they_stand() {
        for (text, expected) in [
            ("Publié il y a 3 heures", "2025-06-10T13:30:00Z"),
            ("Publié hier à 14h", "2025-06-09T14:00:00Z"),
            ("Mali : publié aujourd’hui, à 9h30", "2025-06-10T09:30:00Z"),
            ("Опубликовано вчера, 14:05", "2025-06-09T14:05:00Z"),
            ("Опубликовано: 2 часа назад", "2025-06-10T14:30:00Z"),
            ("نشر منذ 3 أشهر", "2025-03-12T16:30:00Z"),
            ("نُشر أمس", "2025-06-09T00:00:00Z"),
            ("Mis à jour à l'instant", "2025-06-10T16:30:00Z"),
            ("5 min read · 2 hours ago", "2025-06-10T14:30:00Z"),
            ("il y a 2 heures — 5 jours de lecture", "2025-06-10T14:30:00Z"),
            ("5 hours ago, 9 June 2025", "2025-06-09T00:00:00Z"),
            ("9 June 2025, 2h ago", "2025-06-09T00:00:00Z"),
            ("Top 5 stories, an hour ago", "2025-06-10T15:30:00Z"),
            ("Monthly, 3 days ago", "2025-06-07T16:30:00Z"),
            ("1 hour and 30 minutes ago", "2025-06-10T15:00:00Z"),
            ("il y a 1 h 30 min", "2025-06-10T15:00:00Z"),
            ("منذ ساعتين و 5 دقائق", "2025-06-10T14:25:00Z"),
            ("2 года назад", "2023-06-11T16:30:00Z"),
            ("5 лет назад", "2020-06-11T16:30:00Z"),
            ("год назад", "2024-06-10T16:30:00Z"),
            ("3 месяца назад", "2025-03-12T16:30:00Z"),
            ("منذ سنة", "2024-06-10T16:30:00Z"),
            ("منذ 3 سنوات", "2022-06-11T16:30:00Z"),
            ("منذ شهرين", "2025-04-11T16:30:00Z"),
            ("il y a un an", "2024-06-10T16:30:00Z"),
            ("il y a 2 années", "2023-06-11T16:30:00Z"),
            ("vor einem Monat", "2025-05-11T16:30:00Z"),
            ("vor 2 Jahren", "2023-06-11T16:30:00Z"),
            ("2 ore fa", "2025-06-10T14:30:00Z"),
            ("hace 3 meses", "2025-03-12T16:30:00Z"),
        ] {
            reckoned(text, Some(expected));
        }
        for text in ["Par M. Sow il y a", "s ago"] {
            reckoned(text, None);
        }
    }

    #[test]
    fn i10_a_zero_of_a_clock_is_no_date_of_an_item() {
        for (text, complaint) in [
            ("Thu, 01 Jan 1970 00:00:00 GMT", "date before the web: `Thu, 01 Jan 1970 00:00:00 GMT`"),
            ("0001-01-01T00:00:00Z", "date before the web: `0001-01-01T00:00:00Z`"),
            ("1899-12-30", "date before the web: `1899-12-30`"),
            ("1904-01-01", "date before the web: `1904-01-01`"),
            ("Wed, 31 Dec 1969 19:00:00 -0500", "date before the web: `Wed, 31 Dec 1969 19:00:00 -0500`"),
            ("31 Dec 1989 23:59:59", "date before the web: `31 Dec 1989 23:59:59`"),
            ("Wed, 30 Nov -0001 00:00:00 +0000", "unknown form of date: `Wed, 30 Nov -0001 00:00:00 +0000`"),
            ("0000-00-00\n00:00:00", "unknown form of date: `0000-00-00 00:00:00`"),
        ] {
            assert_eq!(parse(text), None, "{text}");
            assert_eq!(super::complaint(text, None), complaint);
        }
    }

    #[test]
    fn what_is_no_date_or_two_is_none() {
        for text in [
            "",
            "yesterday",
            "10/06/2025",
            "99 Nov 2026",
            "25:61",
            "il y a 2 heures",
            "-",
            "Mon",
            "2026-11",
            "2026-W54-1",
            "2026-367",
            "Mon, 23 Nov 2026 24:30:00",
            "Mon, 23 Nov 2026 25:00:00 GMT",
            "Mon, 23 Nov 2026 25.00.00 GMT",
            "2026-11-23T10:60:00Z",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
