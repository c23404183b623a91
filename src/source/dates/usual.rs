//! The form that most feeds use, read without a search: `Wed, 18 Nov 2026 10:56:40 GMT` (RFC 822 with a year of four
//! figures). A zone in letters other than those of UTC is left to the general reading.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Reads a date of this form; `None` for all others.
pub(super) fn parse(text: &str) -> Option<Timestamp> {
    let text = text.split_once(", ").map_or(text, |(_, date)| date);
    let mut words = text.split(' ');
    let day = number(words.next()?, 1..=2)?;
    let month = words.next()?;
    let month = MONTHS.iter().zip(1..).find(|(known, _)| **known == month)?.1;
    let year = number(words.next()?, 4..=4)?;
    let mut clock = words.next()?.split(':').map(|part| number(part, 2..=2));
    let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next()??);
    let offset = offset(words.next()?)?;
    if clock.next().is_some() || words.next().is_some() {
        return None;
    }
    let small = |number: i16| i8::try_from(number).ok();
    let moment =
        DateTime::new(year, month, small(day)?, small(hour)?, small(minute)?, small(second)?, 0).ok()?;
    offset.to_timestamp(moment).ok()
}

/// A number without sign, of so many figures.
fn number(text: &str, figures: std::ops::RangeInclusive<usize>) -> Option<i16> {
    let plain = figures.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}

/// `GMT`, `UT`, `UTC`, `Z`, or `+0100`.
fn offset(zone: &str) -> Option<Offset> {
    if matches!(zone, "GMT" | "UT" | "UTC" | "Z") {
        return Some(Offset::UTC);
    }
    let (sign, figures) = match zone.split_at_checked(1)? {
        ("+", figures) => (1, figures),
        ("-", figures) => (-1, figures),
        _ => return None,
    };
    let figures = i32::from(number(figures, 4..=4)?);
    Offset::from_seconds(sign * (figures / 100 * 3600 + figures % 100 * 60)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_form_is_read_and_no_other() {
        for (text, expected) in [
            ("Wed, 18 Nov 2026 10:56:40 GMT", Some("2026-11-18T10:56:40Z")),
            ("8 Jan 2026 00:00:00 -0530", Some("2026-01-08T05:30:00Z")),
            ("Wed, 18 Nov 2026 10:56:40 +0100", Some("2026-11-18T09:56:40Z")),
            ("Wed, 18 Nov 2026 10:56:40 CET", None),
            ("Wed, 18 Nov 2026 10:56 GMT", None),
            ("Wed, 18 Nov 26 10:56:40 GMT", None),
            ("Wed, 18 nov 2026 10:56:40 GMT", None),
            ("Wed, 31 Jun 2026 10:56:40 GMT", None),
            ("Wed, 18 Nov 2026 10:56:40 GMT 7", None),
            ("Wed, 18 Nov 2026 +1:56:40 GMT", None),
            ("", None),
        ] {
            assert_eq!(parse(text), expected.map(|stamp| stamp.parse().unwrap()), "{text}");
        }
    }
}
