//! What each service takes of a text, by its published limits.

use super::super::foreign::{is_address, unmarked};
use super::note::Shape;
use super::{Service, channels};

/// The limits of a service.
///
/// | service | title | text | counted in | source |
/// |---|---|---|---|---|
/// | slack | 150 | 9,000 | UTF-16, escaped | Block Kit: a header, sections of 3,000 each; near 12,000 in all, link included |
/// | discord | 256 | 4,096 | UTF-16 | embed limits; 6,000 in all |
/// | mattermost | 256 | 7,000 | UTF-16 | what reads well; supported servers take 760,000 in attachments |
/// | teams | 500 | 22,000 | bytes as JSON in JSON, and what a paragraph costs | messages of 28 KB, the whole card |
/// | telegram | 256 | 3,800 | UTF-16 | `sendMessage`: 4,096 with title and line breaks |
/// | ntfy | 1,000 | 4,095 | bytes as JSON | `message-size-limit` of 4,096, which makes an attachment; JSON of twice as much |
/// | gotify | 1,000 | 16,384 | bytes | none published: what a telephone can show |
/// | matrix | 1,000 | 30,000 | bytes as JSON | events of 65,536 bytes, signatures included |
/// | pagerduty | 1,024 | 16,384 | UTF-16 | Events API v2: `summary`; 512 KB in all |
/// | alertmanager | 1,024 | 16,384 | bytes | none published |
pub(super) fn of(service: Service) -> Shape {
    let (title, text): (usize, usize) = match service {
        Service::Slack => (150, 9_000),
        Service::Discord => (256, 4_096),
        Service::Mattermost => (256, 7_000),
        Service::Teams => (500, 22_000),
        Service::Telegram => (256, 3_800),
        Service::Ntfy => (1_000, 4_095),
        Service::Gotify => (1_000, 16_384),
        Service::Matrix => (1_000, 30_000),
        Service::PagerDuty | Service::Alertmanager => (1_024, 16_384),
    };
    let size: fn(&str) -> usize = match service {
        Service::Slack => slack_size,
        Service::Discord | Service::Mattermost | Service::Telegram | Service::PagerDuty => utf16,
        Service::Gotify | Service::Alertmanager => bytes,
        Service::Ntfy | Service::Matrix => json_bytes,
        Service::Teams => card_bytes,
    };
    let plain: fn(&str) -> String = match service {
        Service::Discord => |text| unmarked(text),
        Service::Mattermost => |text| uncalled(&unmarked(text)),
        Service::Telegram | Service::Matrix => |text| uncalled(text),
        // Their fields are plain text, in which nothing is obeyed.
        Service::Slack
        | Service::Teams
        | Service::Ntfy
        | Service::Gotify
        | Service::PagerDuty
        | Service::Alertmanager => str::to_owned,
    };
    Shape { title, text, size, plain }
}

/// Greatest length of the text of a section of Slack, in UTF-16, markup and escapes included.
pub(super) const SLACK_SECTION_MAX: usize = 3_000;

/// Greatest length of a link for Teams, in bytes in a card.
const TEAMS_LINK_BYTES_MAX: usize = 2_500;

/// Greatest length of a link for ntfy, in bytes as JSON: with title and message it stays below 8,192, twice the
/// `message-size-limit`, which no JSON may reach.
const NTFY_LINK_BYTES_MAX: usize = 2_500;

/// Whether `service` takes a link, which has at most 2,000 characters, in the form in which it is sent.
pub(super) fn takes_link(service: Service, link: &str) -> bool {
    match service {
        Service::Slack => utf16(&channels::slack_link(link)) <= SLACK_SECTION_MAX,
        Service::Ntfy => json_bytes(link) <= NTFY_LINK_BYTES_MAX,
        Service::Teams => card_bytes(link) <= TEAMS_LINK_BYTES_MAX,
        Service::Discord
        | Service::Mattermost
        | Service::Telegram
        | Service::Gotify
        | Service::Matrix
        | Service::PagerDuty
        | Service::Alertmanager => true,
    }
}

fn utf16(text: &str) -> usize {
    text.encode_utf16().count()
}

/// Slack does not say whether it counts what is escaped as it was written; here it is counted as it may be kept.
fn slack_size(text: &str) -> usize {
    utf16(&channels::entities(text))
}

fn bytes(text: &str) -> usize {
    text.len()
}

/// Bytes in a JSON string, without its quotes.
fn json_bytes(text: &str) -> usize {
    serde_json::to_string(text).map_or(usize::MAX, |json| json.len() - 2)
}

/// What a paragraph of a card costs beside its words, in bytes.
const PARAGRAPH_BYTES: usize = 120;

/// Bytes in a card of which every line is a paragraph, as Teams seems to count: it refused a request of 24,453 bytes as
/// 28,897 (<https://github.com/MicrosoftDocs/msteams-docs/issues/11274>), after it had answered that it took it. That is
/// what a card weighs as JSON within JSON, where every quote is escaped twice. What is not ASCII is counted as `\\uXXXX`,
/// which it may be there.
fn card_bytes(text: &str) -> usize {
    let weight = |char: char| match char {
        '"' | '\\' => 2,
        char if char.is_ascii() => 1,
        char => 7 * char.len_utf16(),
    };
    let words = |json: String| json.chars().map(weight).sum::<usize>() - 2 * weight('"');
    serde_json::to_string(text)
        .map_or(usize::MAX, |json| words(json) + text.matches('\n').count() * PARAGRAPH_BYTES)
}

/// `text` in which no `@` calls anybody: a joiner that cannot be seen stands behind it, but for those within an address.
pub(super) fn uncalled(text: &str) -> String {
    let word = |word: &str| {
        if is_address(word) && is_within(word) { word.to_owned() } else { word.replace('@', "@\u{2060}") }
    };
    text.split_inclusive(char::is_whitespace).map(word).collect()
}

/// Whether no service ends an address before the last `@` in it: what stands there is common in addresses.
fn is_within(address: &str) -> bool {
    let common = |char: char| char.is_ascii_alphanumeric() || "<:/.-_%?&=#+@".contains(char);
    address.rsplit_once('@').is_none_or(|(before, _)| before.chars().all(common))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_and_calls_are_taken_away_and_addresses_kept() {
        for (text, expected) in [
            ("**Coup** in _Mali_", "\\*\\*Coup\\*\\* in \\_Mali\\_"),
            ("[click](https://evil.example)", "\\[click\\](https://evil.example)"),
            ("see https://a.example/x_y_z now", "see https://a.example/x_y_z now"),
            ("name <https://a.example/x_y>", "name <https://a.example/x_y>"),
            ("https://пример.example/x_y", "https://пример.example/x_y"),
            ("https://_a_", "https://\\_a\\_"),
            ("https://a.example/[x](y)", "https://a.example/\\[x\\](y)"),
            ("at 16:40: x", "at 16:40: x"),
            ("# Title\n- item\n1. one", "\\# Title\n\\- item\n1\\. one"),
            ("a - b # c", "a - b # c"),
            ("<@123> <#4> ||s|| :x: `c`", "\\<@123\\> \\<#4\\> \\|\\|s\\|\\| \\:x: \\`c\\`"),
        ] {
            assert_eq!(unmarked(text), expected, "{text}");
        }
        for (text, expected) in [
            ("@everyone @here a@b.example", "@\u{2060}everyone @\u{2060}here a@\u{2060}b.example"),
            ("https://t.example/@name x", "https://t.example/@name x"),
            ("https://@all http://@here/x", "https://@\u{2060}all http://@\u{2060}here/x"),
            ("https://a_b/@channel", "https://a_b/@\u{2060}channel"),
            ("https://a_b.example/@channel", "https://a_b.example/@\u{2060}channel"),
            ("https://all/@channel", "https://all/@\u{2060}channel"),
            ("https://-.example/@all", "https://-.example/@\u{2060}all"),
            ("https://user@t.example/", "https://user@\u{2060}t.example/"),
            ("https://t.example:80/@name", "https://t.example:80/@name"),
            ("https://t.example:x/@all", "https://t.example:x/@\u{2060}all"),
            ("https://t.example),@all", "https://t.example),@\u{2060}all"),
            ("https://t.example/x),@all", "https://t.example/x),@\u{2060}all"),
            ("https://t.example/\"@all", "https://t.example/\"@\u{2060}all"),
            ("<https://t.example/@name>", "<https://t.example/@name>"),
        ] {
            assert_eq!(uncalled(text), expected, "{text}");
        }
    }

    #[test]
    fn sizes_are_counted_as_the_services_count() {
        for (size, text, expected) in [
            (utf16 as fn(&str) -> usize, "a👩é", 4),
            (slack_size, "a<é", 6),
            (bytes, "é€", 5),
            (json_bytes, "a\"\n\u{1}", 11),
            (card_bytes, "a\nb", 125),
            (card_bytes, "\"é👩\\", 4 + 7 + 14 + 4),
        ] {
            assert_eq!(size(text), expected, "{text:?}");
        }
    }
}
