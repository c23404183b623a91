//! Values written as strings: durations, sizes, networks.

use std::time::Duration;

/// Units of durations, greatest first, in milliseconds.
const DURATION_UNITS: [(&str, u64); 5] =
    [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)];

/// Units of sizes, greatest first, in bytes.
const SIZE_UNITS: [(&str, u64); 4] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];

/// A whole number directly followed by one of the units; `None` also when it overflows.
fn quantity(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at_checked(digits)?;
    let factor = units.iter().find(|(name, _)| *name == unit.trim_start())?.1;
    number.parse::<u64>().ok()?.checked_mul(factor)
}

/// The greatest unit in which the amount is a whole number.
fn quantity_text(amount: u64, units: &[(&str, u64)], zero: &str) -> String {
    units
        .iter()
        .find(|(_, factor)| amount > 0 && amount.is_multiple_of(*factor))
        .map_or_else(|| zero.to_owned(), |(name, factor)| format!("{}{name}", amount / factor))
}

/// Reads `90s`, `15m`, `36h`, `180d`, `500ms`.
pub fn duration(text: &str) -> Option<Duration> {
    quantity(text, &DURATION_UNITS).map(Duration::from_millis)
}

/// Writes a duration as [`duration`] reads it.
pub(super) fn duration_text(duration: Duration) -> String {
    let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    quantity_text(millis, &DURATION_UNITS, "0s")
}

/// Reads `16MiB`, `512KiB`, `100B`.
pub(super) fn size(text: &str) -> Option<u64> {
    quantity(text, &SIZE_UNITS)
}

/// Writes a size as [`size`] reads it.
pub(super) fn size_text(bytes: u64) -> String {
    quantity_text(bytes, &SIZE_UNITS, "0B")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_a_number_and_a_unit() {
        for (text, seconds) in
            [("90s", 90), ("15m", 900), ("36h", 129_600), ("180d", 15_552_000), ("0s", 0), ("5 m", 300)]
        {
            assert_eq!(duration(text), Some(Duration::from_secs(seconds)), "{text}");
        }
        assert_eq!(duration("250ms"), Some(Duration::from_millis(250)));
        for text in ["", "5", "m", "-5m", "1.5h", "1h30m", "5 minutes", "5M", "99999999999999999999d"] {
            assert_eq!(duration(text), None, "{text}");
        }
    }

    #[test]
    fn a_duration_is_written_as_it_is_read() {
        for text in ["90s", "15m", "36h", "180d", "250ms", "0s"] {
            assert_eq!(duration(text).map(duration_text).as_deref(), Some(text));
        }
    }

    #[test]
    fn a_size_is_a_number_and_a_unit() {
        for (text, bytes) in [("16MiB", 16 << 20), ("512KiB", 512 << 10), ("1GiB", 1 << 30), ("7B", 7)] {
            assert_eq!(size(text), Some(bytes), "{text}");
            assert_eq!(size_text(bytes), text);
        }
        for text in ["", "16", "16MB", "MiB", "16Mib", "18446744073709551615GiB"] {
            assert_eq!(size(text), None, "{text}");
        }
    }
}
