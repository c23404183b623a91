//! Names of Telegram channels, in all the forms that people paste.

use std::fmt;
use std::str::FromStr;

use url::Url;

/// Hosts that are all Telegram's.
pub(super) const HOSTS: [&str; 3] = ["t.me", "telegram.me", "telegram.dog"];

/// Paths of `t.me` that are no channels.
const RESERVED: [&str; 12] = [
    "addemoji",
    "addlist",
    "addstickers",
    "addtheme",
    "bg",
    "boost",
    "c",
    "iv",
    "joinchat",
    "login",
    "proxy",
    "share",
];

/// The name of a public channel, as typed: letters, digits and `_`, at most 32 of them. Telegram does not
/// tell upper from lower case.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ChannelName(String);

/// The text names no public channel.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no channel: write its name, as in `grey_zone`, or its address, as in `https://t.me/grey_zone`"
)]
pub struct NotAChannelName(String);

impl FromStr for ChannelName {
    type Err = NotAChannelName;

    /// Takes `grey_zone`, `@grey_zone`, `t.me/grey_zone`, `https://t.me/s/grey_zone`, `telegram.me/grey_zone`,
    /// `grey_zone.t.me` and `https://t.me/grey_zone/123`.
    fn from_str(text: &str) -> Result<Self, NotAChannelName> {
        let typed = text.trim();
        let name = typed.strip_prefix('@').or_else(|| name_in_address(typed)).unwrap_or(typed);
        let fits = name.len() >= 2
            && name.len() <= 32
            && name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
            && !RESERVED.contains(&name.to_ascii_lowercase().as_str());
        if fits { Ok(Self(name.to_owned())) } else { Err(NotAChannelName(text.to_owned())) }
    }
}

/// The name in an address of Telegram; `None` when the text is no such address.
fn name_in_address(text: &str) -> Option<&str> {
    let address = ["https://", "http://"].iter().find_map(|scheme| text.strip_prefix(scheme)).unwrap_or(text);
    let address = address.strip_prefix("www.").unwrap_or(address);
    let (host, path) = address.split_once('/').unwrap_or((address, ""));
    let is = |known: &str| HOSTS.iter().any(|host| known.eq_ignore_ascii_case(host));
    if is(host) {
        let path = path.strip_prefix("s/").unwrap_or(path);
        return path.split(['/', '?', '#']).next();
    }
    let (name, rest) = host.split_once('.')?;
    is(rest).then_some(name)
}

impl ChannelName {
    /// The name as typed, without `@`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Where its newest messages are shown, on a host of Telegram (`t.me`) or at a base address
    /// (`http://127.0.0.1:8080`).
    ///
    /// `None` when `host` is neither.
    pub fn preview_url(&self, host: &str) -> Option<Url> {
        self.url(host, "s/")
    }

    /// Where it says what the name stands for: a channel, a person, a group, a bot, nothing.
    ///
    /// `None` when `host` is neither a host nor a base address.
    pub fn landing_url(&self, host: &str) -> Option<Url> {
        self.url(host, "")
    }

    /// Where the messages older than number `before` are shown, on such a host.
    pub fn older_url(&self, host: &str, before: u64) -> Option<Url> {
        let mut url = self.preview_url(host)?;
        url.set_query(Some(&format!("before={before}")));
        Some(url)
    }

    fn url(&self, host: &str, folder: &str) -> Option<Url> {
        let host = host.trim().trim_end_matches('/');
        if host.is_empty() {
            return None;
        }
        let base = if host.contains("://") { host.to_owned() } else { format!("https://{host}") };
        let url = Url::parse(&format!("{base}/{folder}{}", self.0)).ok()?;
        (matches!(url.scheme(), "http" | "https") && url.has_host()).then_some(url)
    }
}

impl fmt::Display for ChannelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_name_is_taken() {
        for text in [
            "grey_zone",
            "@grey_zone",
            " grey_zone ",
            "t.me/grey_zone",
            "https://t.me/grey_zone",
            "https://t.me/s/grey_zone",
            "https://t.me/s/grey_zone?before=120",
            "https://t.me/grey_zone/123",
            "http://www.telegram.me/grey_zone/",
            "telegram.dog/s/grey_zone#x",
            "grey_zone.t.me",
            "https://grey_zone.t.me/12",
        ] {
            assert_eq!(text.parse::<ChannelName>().map(|name| name.0).as_deref(), Ok("grey_zone"), "{text}");
        }
    }

    #[test]
    fn what_names_no_channel_is_refused() {
        for text in [
            "",
            "@",
            "a",
            "t.me/",
            "https://t.me/+AbCdEf",
            "https://t.me/joinchat/AbC",
            "https://t.me/c/123/4",
            "https://example.org/x",
            "grey zone",
            "серая_зона",
            "1abc",
            "a-b",
            "x.example.org",
            "abcdefghijklmnopqrstuvwxyz1234567",
        ] {
            assert!(text.parse::<ChannelName>().is_err(), "{text}");
        }
    }

    #[test]
    fn the_preview_is_at_the_host_asked_for() {
        let name: ChannelName = "grey_zone".parse().unwrap();
        let url = |host| name.preview_url(host).map(String::from);
        assert_eq!(url("t.me").as_deref(), Some("https://t.me/s/grey_zone"));
        assert_eq!(url("http://127.0.0.1:8080").as_deref(), Some("http://127.0.0.1:8080/s/grey_zone"));
        assert_eq!(url("ftp://t.me"), None);
        assert_eq!(url(""), None);
    }
}
