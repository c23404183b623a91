//! What a server says about when to come again: `Cache-Control`, `Expires` and `Retry-After`.
//!
//! Whatever is damaged, doubled or contradictory counts as not said: the schedule then keeps its own rhythm.

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use reqwest::header::{AGE, CACHE_CONTROL, DATE, EXPIRES, HeaderMap, HeaderName, RETRY_AFTER};

use super::Freshness;

/// Longest delay read; the schedule cuts further. It keeps a silly number from overflowing a date.
const DELAY_MAX: Duration = Duration::from_hours(8784);

/// The forms of an HTTP date (RFC 9110 section 5.6.7): the usual one, that of RFC 850, and that of `asctime`.
const DATE_FORMS: [&str; 3] =
    ["%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"];

impl Freshness {
    /// Reads the headers of any answer, errors and 304 included; `now` stands in for a missing `Date`.
    pub(crate) fn of(headers: &HeaderMap, now: Timestamp) -> Self {
        let stated = only(headers, &DATE).and_then(http_date);
        let date = stated.unwrap_or(now);
        let clock = stated.and_then(|date| date.checked_add(age(headers)).ok());
        Self { max_age: max_age(headers, date), retry_after: retry_after(headers, date), clock }
    }
}

/// `max-age` less `Age`; `Expires` less `Date` where there is no `max-age` (RFC 9111 section 4.2). `s-maxage` is for
/// shared caches and we are none; with `no-cache` one may ask at any time.
fn max_age(headers: &HeaderMap, date: Timestamp) -> Option<Duration> {
    let lines: Vec<&str> =
        headers.get_all(CACHE_CONTROL).iter().filter_map(|line| line.to_str().ok()).collect();
    let mut stated = None;
    for directive in lines.iter().flat_map(|line| line.split(',')) {
        let (name, value) = directive.split_once('=').map_or((directive, None), |(n, v)| (n, Some(v.trim())));
        match name.trim().to_ascii_lowercase().as_str() {
            "no-cache" if value.is_none() => return None,
            "max-age" if stated.is_some() => return None,
            "max-age" => stated = Some(value.and_then(seconds)),
            _ => {}
        }
    }
    let lifetime = match stated {
        Some(seconds) => seconds?,
        None => delay(date, only(headers, &EXPIRES).and_then(http_date)?)?,
    };
    Some(lifetime.saturating_sub(age(headers))).filter(|left| !left.is_zero())
}

/// For how long an answer lay in caches.
fn age(headers: &HeaderMap) -> Duration {
    only(headers, &AGE).and_then(seconds).unwrap_or_default()
}

/// Seconds or a date; a date that has passed counts as not said.
fn retry_after(headers: &HeaderMap, date: Timestamp) -> Option<Duration> {
    let value = only(headers, &RETRY_AFTER)?;
    let wait = match seconds(value) {
        Some(wait) => wait,
        None => delay(date, http_date(value)?)?,
    };
    Some(wait).filter(|wait| !wait.is_zero())
}

/// The value of a header that stands once and is text.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then(|| value.trim())
}

/// Digits alone: no sign, no quotes, no fraction. A number too great to count is the longest delay.
fn seconds(value: &str) -> Option<Duration> {
    let digits = !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| value.parse().map_or(DELAY_MAX, Duration::from_secs).min(DELAY_MAX))
}

fn http_date(value: &str) -> Option<Timestamp> {
    let civil = DATE_FORMS.iter().find_map(|form| DateTime::strptime(form, value).ok())?;
    TimeZone::UTC.to_timestamp(civil).ok()
}

fn delay(from: Timestamp, until: Timestamp) -> Option<Duration> {
    Duration::try_from(until.duration_since(from)).ok().map(|delay| delay.min(DELAY_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::HeaderValue;

    use proptest::prelude::*;

    const NOW: &str = "2026-11-23T17:00:00Z";

    fn fresh(lines: &[(&'static str, &str)]) -> Freshness {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, HeaderValue::from_str(value).unwrap());
        }
        Freshness::of(&headers, NOW.parse().unwrap())
    }

    fn check(lines: &[(&'static str, &str)], max_age: Option<u64>, retry_after: Option<u64>) {
        let Freshness { max_age: lifetime, retry_after: wait, .. } = fresh(lines);
        let expected = (max_age.map(Duration::from_secs), retry_after.map(Duration::from_secs));
        assert_eq!((lifetime, wait), expected, "{lines:?}");
    }

    #[test]
    fn f1_max_age_less_age_else_expires_less_date() {
        check(&[("cache-control", "max-age=3600")], Some(3600), None);
        check(&[("cache-control", "public, Max-Age=3600 , s-maxage=9")], Some(3600), None);
        check(&[("cache-control", "public"), ("cache-control", "max-age=60")], Some(60), None);
        check(&[("cache-control", "max-age=3600"), ("age", "600")], Some(3000), None);
        check(&[("cache-control", "max-age=60"), ("age", "600")], None, None);
        check(&[("cache-control", "max-age=60"), ("age", "-1")], Some(60), None);
        check(&[("cache-control", "s-maxage=60")], None, None);
        check(&[("cache-control", "no-cache, max-age=60")], None, None);
        check(&[("cache-control", "max-age=60, no-cache=\"set-cookie\"")], Some(60), None);
        check(&[("expires", "Mon, 23 Nov 2026 17:10:00 GMT")], Some(600), None);
        check(
            &[("expires", "Mon, 23 Nov 2026 17:10:00 GMT"), ("date", "Mon, 23 Nov 2026 17:05:00 GMT")],
            Some(300),
            None,
        );
        check(&[("expires", "Mon, 23 Nov 2026 17:10:00 GMT"), ("cache-control", "max-age=5")], Some(5), None);
    }

    #[test]
    fn row_10_the_servers_clock_is_its_date_and_the_age_since() {
        let date = ("date", "Mon, 23 Nov 2026 16:00:00 GMT");
        for (lines, expected) in [
            (vec![], None),
            (vec![("date", "soon")], None),
            (vec![date, date], None),
            (vec![("age", "60")], None),
            (vec![date], Some("2026-11-23T16:00:00Z")),
            (vec![date, ("age", "60")], Some("2026-11-23T16:01:00Z")),
            (vec![date, ("age", "-1")], Some("2026-11-23T16:00:00Z")),
            (vec![("date", "Fri, 31 Dec 9999 23:59:59 GMT"), ("age", "999999999999")], None),
        ] {
            let expected = expected.map(|time| time.parse().unwrap());
            assert_eq!(fresh(&lines).clock, expected, "{lines:?}");
        }
    }

    #[test]
    fn f3_damaged_lifetimes_count_as_not_said() {
        for value in
            ["max-age=0", "max-age=-5", "max-age=abc", "max-age=\"60\"", "max-age=1.5", "max-age", "max-age="]
        {
            check(&[("cache-control", value)], None, None);
        }
        check(&[("cache-control", "max-age=60, max-age=90")], None, None);
        check(&[("cache-control", "max-age=abc"), ("expires", "Mon, 23 Nov 2026 17:10:00 GMT")], None, None);
        check(&[("expires", "0")], None, None);
        check(&[("expires", "Mon, 23 Nov 2026 16:10:00 GMT")], None, None);
        let year = DELAY_MAX.as_secs();
        check(&[("cache-control", "max-age=99999999999999999999999")], Some(year), None);
        check(&[("expires", "Thu, 31 Dec 2099 23:59:59 GMT")], Some(year), None);
    }

    #[test]
    fn r1_retry_after_in_seconds_or_any_form_of_date() {
        check(&[("retry-after", "120")], None, Some(120));
        check(&[("retry-after", " 120 ")], None, Some(120));
        check(&[("retry-after", "Mon, 23 Nov 2026 17:02:00 GMT")], None, Some(120));
        check(&[("retry-after", "Monday, 23-Nov-26 17:02:00 GMT")], None, Some(120));
        check(&[("retry-after", "Mon Nov 23 17:02:00 2026")], None, Some(120));
        check(&[("retry-after", "Tue Dec  1 17:00:00 2026")], None, Some(8 * 86_400));
        check(
            &[("retry-after", "Mon, 23 Nov 2026 17:02:00 GMT"), ("date", "Mon, 23 Nov 2026 17:01:00 GMT")],
            None,
            Some(60),
        );
    }

    #[test]
    fn r1_past_dates_and_junk_leave_the_own_backoff() {
        for value in
            ["0", "-1", "soon", "", "1.5", "Mon, 23 Nov 2026 16:00:00 GMT", "Mon, 99 Nov 2026 16:00:00 GMT"]
        {
            check(&[("retry-after", value)], None, None);
        }
    }

    proptest! {
        #[test]
        fn no_header_breaks_the_reader(
            name in prop_oneof!["cache-control", "expires", "age", "date", "retry-after"],
            value in prop_oneof![
                proptest::collection::vec(any::<u8>(), 0..40),
                "(max-age=|no-cache)?[0-9]{0,30}(, *max-age=[0-9\"-]{0,9})?".prop_map(String::into_bytes),
                "[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9]{2}:[0-9]{2}:[0-9]{2} GMT".prop_map(String::into_bytes),
            ],
        ) {
            let mut headers = HeaderMap::new();
            headers.insert("cache-control", HeaderValue::from_static("max-age=60"));
            headers.insert("retry-after", HeaderValue::from_static("Mon, 23 Nov 2026 17:02:00 GMT"));
            if let Ok(value) = HeaderValue::from_bytes(&value) {
                headers.insert(HeaderName::from_bytes(name.as_bytes()).unwrap(), value);
            }
            let said = Freshness::of(&headers, NOW.parse().unwrap());
            for delay in [said.max_age, said.retry_after].into_iter().flatten() {
                prop_assert!(delay > Duration::ZERO && delay <= DELAY_MAX);
            }
        }
    }
}
