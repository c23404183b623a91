//! How the interstitials of bot protections are told from the answers that they stand before.
//!
//! One that was taken for an empty feed would hide all news; one that was retried in a browser's name would be rude.

use reqwest::StatusCode;
use reqwest::header::HeaderMap;

/// Marks of the interstitials. Each stands in the challenge itself: scripts that Cloudflare adds to ordinary pages do
/// not count.
const MARKS: [&str; 14] = [
    "<title>Just a moment...</title>",
    "<title>Attention Required! | Cloudflare</title>",
    "_cf_chl_opt",
    "/orchestrate/chl_page/",
    "cf-challenge-running",
    "window.awsWafCookieDomainList",
    "_Incapsula_Resource?SWUDNSAI",
    "<title>DDoS-Guard</title>",
    "ddos-guard/js-challenge",
    "sucuri_cloudproxy_js",
    "<title>Making sure you&#39;re not a bot!</title>",
    "<title>Making sure you're not a bot!</title>",
    "captcha-delivery.com/captcha/",
    "id=\"px-captcha\"",
];

/// What of Cloudflare stands in ordinary pages too, but in errors only when it made them.
const MARK_OF_ERRORS: &str = "/cdn-cgi/challenge-platform/";

/// Whether a page, whatever its status, is an interstitial.
pub fn is_challenge(page: &str) -> bool {
    MARKS.iter().any(|mark| page.contains(mark))
}

/// Whether the page of an error is an interstitial.
pub(super) fn is_challenge_of_error(page: &str) -> bool {
    is_challenge(page) || page.contains(MARK_OF_ERRORS)
}

/// Headers by which a protection says that it answered, and the values that say so: that of Cloudflare, that of AWS.
const ANNOUNCEMENTS: [(&str, &[&str]); 2] =
    [("cf-mitigated", &["challenge"]), ("x-amzn-waf-action", &["challenge", "captcha"])];

/// Whether status and headers alone tell: 202 is what the protection of AWS answers with.
pub(super) fn is_announced(status: StatusCode, headers: &HeaderMap) -> bool {
    let announced = |&(name, values): &(&str, &[&str])| {
        let stated = headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        values.iter().any(|value| stated.eq_ignore_ascii_case(value))
    };
    status == StatusCode::ACCEPTED || ANNOUNCEMENTS.iter().any(announced)
}

/// Whether a bot protection may answer with this status and tell so in the page alone.
pub(super) fn may_hide_in(status: StatusCode) -> bool {
    matches!(status.as_u16(), 401 | 403 | 405 | 406 | 429 | 503)
}
