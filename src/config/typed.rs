//! Values of one type each: bounds and choices come from the option table.

use std::path::PathBuf;
use std::time::Duration;

use jiff::tz::TimeZone;
use toml::de::DeValue;
use url::Url;

use super::option::Form;
use super::read::{Node, Section};
use super::suggest;
use super::value;
use crate::fetch::{Network, Networks};
use crate::rules::spec::Located;

pub(super) const BUG: &str = "another form; a bug: the option table says otherwise";

impl Node<'_> {
    /// A string as written.
    pub(super) fn free_text(&self) -> Option<Located<String>> {
        let DeValue::String(text) = self.value else {
            return self.mismatch("a string", None);
        };
        Some(Located { value: text.clone().into_owned(), origin: self.origin() })
    }

    /// A string of one line that says something.
    pub(super) fn text(&self) -> Option<Located<String>> {
        let text = self.free_text()?;
        if text.value.trim().is_empty() {
            return self.problem("is empty", "say something or leave the key out");
        }
        if text.value.chars().any(char::is_control) {
            return self.problem("holds a line break or another control character", "write it in one line");
        }
        Some(text)
    }

    /// A text for people, without the blanks around it.
    pub(super) fn prose(&self) -> Option<String> {
        let Form::Prose { chars_max } = self.form else {
            return self.mismatch(BUG, None);
        };
        let text = self.free_text()?.value.trim().to_owned();
        if text.is_empty() {
            return self.problem("is empty", "say something or leave the key out");
        }
        let length = text.chars().count();
        if length > *chars_max {
            let message = format!("has {length} characters");
            return self.problem(message, &format!("write at most {chars_max}"));
        }
        Some(text)
    }

    fn integer(&self, min: i64, max: i64) -> Option<i64> {
        let DeValue::Integer(written) = self.value else {
            return self.mismatch(&format!("a whole number from {min} to {max}"), None);
        };
        let number = i64::from_str_radix(written.as_str(), written.radix()).ok();
        match number.filter(|number| (min..=max).contains(number)) {
            Some(number) => Some(number),
            None => self.problem(
                format!("{written} is out of bounds"),
                &format!("write a whole number from {min} to {max}"),
            ),
        }
    }

    /// One of the words of its form.
    pub(super) fn word(&self) -> Option<&'static str> {
        let Form::Word { built, planned } = self.form else {
            return self.mismatch(BUG, None);
        };
        let text = self.text()?.value;
        if planned.contains(&text.as_str()) {
            let hint = format!("supported now: {}", ticked(built));
            return self.problem(format!("`{text}` is not supported yet"), &hint);
        }
        self.one_of(&text, built)
    }

    /// One of the words of a list.
    pub(super) fn listed_word(&self) -> Option<Located<String>> {
        let Form::Words(known) = self.form else {
            return self.mismatch(BUG, None);
        };
        let text = self.text()?;
        self.one_of(&text.value, known).map(|_| text)
    }

    fn one_of(&self, text: &str, known: &[&'static str]) -> Option<&'static str> {
        if let Some(word) = known.iter().find(|word| **word == text) {
            return Some(word);
        }
        let hint = match suggest::nearest(text, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("it may be {}", ticked(known)),
        };
        self.problem(format!("`{text}` is unknown"), &hint)
    }

    /// Terms and their weights, in the order of the file.
    pub(super) fn weights(&self) -> Option<Vec<(Located<String>, i64)>> {
        let Form::Weights { min, max } = self.form else {
            return self.mismatch(BUG, None);
        };
        let weight = |(term, node): (Located<String>, Node<'_>)| {
            if term.value.trim().is_empty() || term.value.chars().any(char::is_control) {
                return node
                    .problem("has a term that cannot be read", "write the term in one line, in quotes");
            }
            if matches!(node.value, DeValue::Table(_)) {
                let hint = format!("write the whole term in quotes: `\"{}…\" = 10`", term.value);
                return node.problem("is divided by a point", &hint);
            }
            Some((term, node.integer(*min, *max)?))
        };
        let entries = self.entries()?;
        if entries.is_empty() {
            return self.problem("is empty", "write terms and their weights, such as `{ \"cholera\" = 30 }`");
        }
        Some(entries.into_iter().filter_map(weight).collect())
    }

    /// A duration between two bounds.
    pub(super) fn duration(&self, min: Duration, max: Duration) -> Option<Duration> {
        const HINT: &str = "write a whole number and a unit, such as \"90s\", \"15m\", \"36h\" or \"180d\"";
        let DeValue::String(text) = self.value else {
            return self.mismatch("a duration", Some(HINT));
        };
        let Some(duration) = value::duration(text) else {
            return self.problem(format!("`{}` is no duration", text.escape_debug()), HINT);
        };
        if (min..=max).contains(&duration) {
            return Some(duration);
        }
        let (min, max) = (value::duration_text(min), value::duration_text(max));
        self.problem(
            format!("`{}` is out of bounds", text.escape_debug()),
            &format!("write a duration from \"{min}\" to \"{max}\""),
        )
    }

    /// A number with or without a point.
    fn number(&self) -> Option<f64> {
        let written = if let DeValue::Float(number) = self.value {
            number.as_str()
        } else if let DeValue::Integer(number) = self.value
            && number.radix() == 10
        {
            number.as_str()
        } else {
            return self.mismatch("a number", None);
        };
        match written.parse::<f64>().ok().filter(|number| number.is_finite()) {
            Some(number) => Some(number),
            None => self.mismatch("a finite number", None),
        }
    }

    /// An absolute address of one of the schemes of its form, without any user or password.
    pub(super) fn address(&self) -> Option<Url> {
        self.without_user(self.address_with_user()?)
    }

    /// `url`, unless it holds a user or a password.
    pub(super) fn without_user(&self, url: Url) -> Option<Url> {
        if url.username().is_empty() && url.password().is_none() {
            return Some(url);
        }
        self.problem("holds a user or a password", "take it out: secrets are never in these files")
    }

    /// An absolute address of one of the schemes of its form. The messages do not show it: it may hold a secret.
    pub(super) fn address_with_user(&self) -> Option<Url> {
        let Form::Address { schemes } = self.form else {
            return self.mismatch(BUG, None);
        };
        let text = self.text()?.value;
        let scheme = schemes.first().copied().unwrap_or_default();
        let colon = if scheme == "mailto" { "" } else { "//" };
        let hint = format!("begin it with `{scheme}:{colon}`");
        let url = match Url::parse(&text) {
            Ok(url) => url,
            Err(url::ParseError::RelativeUrlWithoutBase) => {
                return self.problem("is no full address", &hint);
            }
            Err(error) => return self.problem(format!("is no address: {error}"), &hint),
        };
        if !schemes.contains(&url.scheme()) {
            return self.problem(
                format!("cannot begin with `{}:`", url.scheme()),
                &format!("it may begin with {}", ticked(schemes)),
            );
        }
        if url.scheme() != "mailto" && url.host_str().is_none_or(str::is_empty) {
            return self.problem("names no host", &hint);
        }
        Some(url)
    }
}

/// Words in backticks, joined by commas.
pub(super) fn ticked(words: &[&str]) -> String {
    let ticked: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    ticked.join(", ")
}

impl Section<'_> {
    /// A whole number within the bounds of its form.
    pub(super) fn integer<T: TryFrom<i64>>(&self, name: &str) -> Option<T> {
        let node = self.get(name)?;
        let Form::Integer { min, max } = node.form else {
            return node.mismatch(BUG, None);
        };
        T::try_from(node.integer(*min, *max)?).ok()
    }

    /// `true` or `false`.
    pub(super) fn flag(&self, name: &str) -> Option<bool> {
        let node = self.get(name)?;
        let DeValue::Boolean(flag) = node.value else {
            return node.mismatch("`true` or `false`", None);
        };
        Some(*flag)
    }

    /// One of the words of its form.
    pub(super) fn word(&self, name: &str) -> Option<&'static str> {
        self.get(name)?.word()
    }

    /// A duration within the bounds of its form.
    pub(super) fn duration(&self, name: &str) -> Option<Duration> {
        let node = self.get(name)?;
        let Form::Duration { min, max } = node.form else {
            return node.mismatch(BUG, None);
        };
        node.duration(*min, *max)
    }

    /// A number of bytes within the bounds of its form.
    pub(super) fn size(&self, name: &str) -> Option<u64> {
        let node = self.get(name)?;
        let (Form::Size { min, max }, DeValue::String(text)) = (node.form, node.value) else {
            return node.mismatch("a size", Some("write a whole number and a unit, such as \"16MiB\""));
        };
        let range = format!("from \"{}\" to \"{}\"", value::size_text(*min), value::size_text(*max));
        match value::size(text) {
            Some(size) if (*min..=*max).contains(&size) => Some(size),
            Some(_) => node.problem(
                format!("`{}` is out of bounds", text.escape_debug()),
                &format!("write a size {range}"),
            ),
            None => node.problem(
                format!("`{}` is no size", text.escape_debug()),
                "write a whole number and `B`, `KiB`, `MiB` or `GiB`, such as \"16MiB\"",
            ),
        }
    }

    /// An absolute address without user or password.
    pub(super) fn address(&self, name: &str) -> Option<Url> {
        self.get(name)?.address()
    }

    /// A path; a relative one starts from the folder of the file that holds it.
    pub(super) fn path(&self, name: &str) -> Option<PathBuf> {
        let node = self.get(name)?;
        let text = node.text()?.value;
        Some(node.file.directory.join(text))
    }

    /// A time zone by its IANA name.
    pub(super) fn zone(&self, name: &str) -> Option<TimeZone> {
        let node = self.get(name)?;
        let text = node.text()?.value;
        if let Ok(zone) = TimeZone::get(&text) {
            return Some(zone);
        }
        let known: Vec<String> = jiff::tz::db().available().map(|zone| zone.as_str().to_owned()).collect();
        node.problem(format!("`{text}` is no known time zone"), &suggest::zone(&text, &known))
    }

    /// A list of networks.
    pub(super) fn networks(&self, name: &str) -> Networks {
        let network = |node: &Node<'_>| {
            let text = node.text()?.value;
            match text.parse::<Network>() {
                Ok(network) => Some(network),
                Err(error) => node.problem(
                    error.to_string(),
                    "write an address and the length of its prefix, such as \"127.0.0.0/8\"",
                ),
            }
        };
        self.list(name).iter().filter_map(network).collect()
    }

    /// Latitude and longitude.
    pub(super) fn point(&self, name: &str) -> Option<(f64, f64)> {
        const HINT: &str = "write `[latitude, longitude]` in decimal degrees, such as `[16.77, -3.00]`";
        let node = self.get(name)?;
        let nodes = node.list()?;
        let [latitude, longitude] = nodes.as_slice() else {
            return node.problem("is not a pair of numbers", HINT);
        };
        let (latitude, longitude) = (latitude.number()?, longitude.number()?);
        if latitude.abs() <= 90.0 && longitude.abs() <= 180.0 {
            return Some((latitude, longitude));
        }
        node.problem("lies outside the globe", HINT)
    }
}
