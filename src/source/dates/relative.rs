//! Dates that pages give by their distance from now: `2 hours ago`, `hier à 14h05`, `منذ ساعتين`.

use jiff::civil::Time;
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};

use super::clock;

/// Greatest number of seconds back that is believed: a hundred years.
const SECONDS_MAX: i64 = 100 * 365 * 86_400;

/// Words that say that a distance lies in the past.
const AGO: [&str; 9] = ["ago", "il y a", "назад", "منذ", "قبل", "vor ", "hace ", "fa", "há "];

/// Units by the beginnings of their names, in seconds. Longer beginnings come first where a shorter one would take
/// them.
const UNITS: [(&str, i64); 33] = [
    ("sec", 1),
    ("sek", 1),
    ("seg", 1),
    ("сек", 1),
    ("ثاني", 1),
    ("ثواني", 1),
    ("ثوان", 1),
    ("minut", 60),
    ("min", 60),
    ("мин", 60),
    ("دقيق", 60),
    ("دقائق", 60),
    ("hour", 3600),
    ("heure", 3600),
    ("hr", 3600),
    ("stunde", 3600),
    ("hora", 3600),
    ("час", 3600),
    ("ساع", 3600),
    ("day", 86_400),
    ("jour", 86_400),
    ("tag", 86_400),
    ("día", 86_400),
    ("дн", 86_400),
    ("день", 86_400),
    ("يوم", 86_400),
    ("ايام", 86_400),
    ("week", 7 * 86_400),
    ("semaine", 7 * 86_400),
    ("недел", 7 * 86_400),
    ("اسبوع", 7 * 86_400),
    ("month", 30 * 86_400),
    ("mois", 30 * 86_400),
];

/// More of them, whose names are wholes.
const WHOLE_UNITS: [(&str, i64); 19] = [
    ("s", 1),
    ("m", 60),
    ("mn", 60),
    ("h", 3600),
    ("ч", 3600),
    ("d", 86_400),
    ("j", 86_400),
    ("w", 7 * 86_400),
    ("месяц", 30 * 86_400),
    ("месяца", 30 * 86_400),
    ("месяцев", 30 * 86_400),
    ("اسابيع", 7 * 86_400),
    ("شهر", 30 * 86_400),
    ("شهرين", 30 * 86_400),
    ("year", 365 * 86_400),
    ("years", 365 * 86_400),
    ("an", 365 * 86_400),
    ("ans", 365 * 86_400),
    ("год", 365 * 86_400),
];

/// Days by name, as how many days ago they were. The longer stand before those that they contain.
const DAYS: [(&str, i64); 15] = [
    ("avant-hier", 2),
    ("позавчера", 2),
    ("vorgestern", 2),
    ("today", 0),
    ("aujourd'hui", 0),
    ("сегодня", 0),
    ("اليوم", 0),
    ("heute", 0),
    ("hoy", 0),
    ("yesterday", 1),
    ("hier", 1),
    ("вчера", 1),
    ("امس", 1),
    ("gestern", 1),
    ("ayer", 1),
];

/// Phrases for this moment.
const NOW: [&str; 5] = ["just now", "à l'instant", "только что", "الان", "gerade eben"];

/// Reads a distance from `now` out of a folded text.
pub(super) fn parse(text: &str, now: Timestamp) -> Option<Timestamp> {
    if NOW.contains(&text) {
        return Some(now);
    }
    day(text, now).or_else(|| distance(text, now))
}

/// A day by name, with or without a time, in UTC.
fn day(text: &str, now: Timestamp) -> Option<Timestamp> {
    let mut words = text.split([' ', ',']).filter(|word| !word.is_empty());
    let first = words.next()?;
    let &(_, ago) = DAYS.iter().find(|(name, _)| *name == first)?;
    let time = words.find_map(clock).unwrap_or(Time::midnight());
    let today = Offset::UTC.to_datetime(now).date();
    let date = today.checked_sub(SignedDuration::from_hours(24 * ago)).ok()?;
    Offset::UTC.to_timestamp(date.to_datetime(time)).ok()
}

/// `2 hours ago`; without a number it is one, or two in the Arabic dual.
fn distance(text: &str, now: Timestamp) -> Option<Timestamp> {
    let is_ago = |mark: &str| {
        if mark.contains(' ') { text.starts_with(mark) } else { text.split(' ').any(|word| word == mark) }
    };
    let mark = AGO.iter().find(|mark| is_ago(mark))?;
    let rest = text.replacen(mark, " ", 1);
    let mut number: Option<i64> = None;
    let mut seconds = None;
    for word in rest.split(' ').filter(|word| !word.is_empty()) {
        let digits = word.bytes().take_while(u8::is_ascii_digit).count();
        let (figures, name) = word.split_at_checked(digits)?;
        if !figures.is_empty() {
            number = number.or(Some(figures.parse().ok()?));
        }
        let name = name.trim_matches('.');
        // In `an hour` the first word is no year.
        if name == "an" && figures.is_empty() && number.is_none() {
            continue;
        }
        if let Some(found) = unit(name) {
            number = number.or(name.ends_with("ين").then_some(2)).or(Some(1));
            seconds = Some(found);
            break;
        }
    }
    let back = seconds?.checked_mul(number?).filter(|back| *back <= SECONDS_MAX)?;
    now.checked_sub(SignedDuration::from_secs(back)).ok()
}

fn unit(name: &str) -> Option<i64> {
    let whole = WHOLE_UNITS.iter().find(|(unit, _)| *unit == name);
    whole.or_else(|| UNITS.iter().find(|(unit, _)| name.starts_with(unit))).map(|&(_, seconds)| seconds)
}
