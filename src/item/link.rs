//! When two links lead to the same article.
//!
//! The normalised form is an alias for recognising an item again and for joining reports of one story. It
//! is never fetched and never shown.

use memchr::memchr;
use url::Url;

/// Query parameters that only say where a reader came from (BBC, DW, French press, the ad networks).
const TRACKING: &[&str] = &[
    "at_campaign",
    "at_medium",
    "cmp",
    "cmpid",
    "fbclid",
    "gclid",
    "igshid",
    "maca",
    "mc_cid",
    "mc_eid",
    "ns_campaign",
    "ns_mchannel",
    "ns_source",
    "ocid",
    "ref_src",
    "xtor",
    "yclid",
];

/// Whether a parser leaves a byte behind the host as it is, wherever it stands there.
const STAYS: [bool; 256] = {
    let mut stays = [false; 256];
    let bytes = b"-._~/?#&=+%:,;@!$()*ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut place = 0;
    while place < bytes.len() {
        stays[bytes[place] as usize] = true;
        place += 1;
    }
    stays
};

/// A link that is written as a parser would write it, as most are: its host, and what stands behind that. `None` for all
/// that is not plainly so.
fn canonical(link: &str) -> Option<(&str, &str)> {
    let rest = link.strip_prefix("https://").or_else(|| link.strip_prefix("http://"))?;
    let (host, behind) = rest.split_at(memchr(b'/', rest.as_bytes())?);
    // What ends in a number is an address, which can be written in many ways; `xn--` can be wrong.
    let (_, last) = host.rsplit_once('.')?;
    let is_plain = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.');
    let is_name = last.starts_with(|c: char| c.is_ascii_lowercase())
        && host.bytes().all(is_plain)
        && !host.contains("xn--")
        && !host.contains("..")
        && !host.starts_with('.');
    // A point can be a whole segment of a path, also as `%2e`.
    let goes_up = || behind.contains("/.") || behind.contains("%2");
    (is_name && behind.bytes().all(|byte| STAYS[usize::from(byte)]) && !goes_up()).then_some((host, behind))
}

/// Whether a parser would write a link just so; `false` when only a parser knows.
pub fn is_canonical(link: &str) -> bool {
    canonical(link).is_some()
}

/// The link without scheme, `www.`, default port, trailing slash, fragment and tracking parameters.
///
/// `None` when it is not an absolute `http` or `https` address.
pub fn normalise(link: &str) -> Option<String> {
    let link = link.trim();
    let Some((host, behind)) = canonical(link) else { return parsed(link) };
    let page = behind.split_once('#').map_or(behind, |(page, _)| page);
    let (path, query) = page.split_once('?').unwrap_or((page, ""));
    Some(normal(host, None, path, query))
}

/// The same of any link.
fn parsed(link: &str) -> Option<String> {
    let url = Url::parse(link).ok()?;
    let is_web = matches!(url.scheme(), "http" | "https");
    let host = url.host_str().filter(|_| is_web)?;
    Some(normal(host, url.port(), url.path(), url.query().unwrap_or_default()))
}

fn normal(host: &str, port: Option<u16>, path: &str, query: &str) -> String {
    let host = host.strip_prefix("www.").unwrap_or(host);
    let mut out = String::with_capacity(host.len() + path.len() + query.len() + 8);
    out.push_str(host);
    if let Some(port) = port {
        out.push(':');
        out.push_str(&port.to_string());
    }
    out.push_str(path.trim_end_matches('/'));
    let mut mark = '?';
    for part in query.split('&').filter(|part| !part.is_empty()) {
        let name = part.split('=').next().unwrap_or(part).to_ascii_lowercase();
        if name.starts_with("utm_") || TRACKING.contains(&name.as_str()) {
            continue;
        }
        out.push(mark);
        out.push_str(part);
        mark = '&';
    }
    out
}

/// The same link with its fragment, where that may lead to a part of the page; `None` when it has none that may.
///
/// `normal` is its normalised form.
pub fn with_fragment(link: &str, normal: &str) -> Option<String> {
    let (_, fragment) = link.split_once('#')?;
    let fragment = fragment.trim();
    let name = fragment.trim_start_matches('?').split('=').next().unwrap_or_default().to_ascii_lowercase();
    let tracks = fragment.contains('=') && (name.starts_with("utm_") || TRACKING.contains(&name.as_str()));
    (!fragment.is_empty() && !tracks).then(|| format!("{normal}#{fragment}"))
}

/// Whether a link leads to the front page of a site: that names no article, and shows another one every hour.
pub fn is_front(link: &str) -> bool {
    normalise(link).is_some_and(|normal| is_host(&normal) && with_fragment(link, &normal).is_none())
}

/// Whether nothing of a normalised link tells one page of its site from another.
fn is_host(normal: &str) -> bool {
    !normal.contains(['/', '?'])
}

/// The normalised form under which a link names one item among others: without its fragment where the item has the page
/// to itself (`alone`), else with it. `None` when nothing is left that would name it: a page that several items share, the
/// front page of a site, no web address.
pub fn naming(link: &str, alone: bool) -> Option<String> {
    let normal = normalise(link)?;
    if alone && !is_host(&normal) { Some(normal) } else { with_fragment(link, &normal) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_canonical_is_what_a_parser_writes(
            host in "(www\\.|xn--|0x|\\.)?[a-z0-9.-]{1,12}\\.?[a-zA-Z0-9]{0,3}",
            behind in "(/[a-zA-Z0-9._~:,;@!$()*%|'\\[\\\\ é-]{0,6}){0,4}/?(\\?[a-z0-9&=+%/?\"']{0,12})?(#[a-z0-9=`?]{0,6})?",
        ) {
            let link = format!("https://{host}{behind}");
            let by_parser = Url::parse(&link).map(String::from);
            prop_assert!(!is_canonical(&link) || by_parser.as_ref() == Ok(&link), "{:?}", by_parser);
            prop_assert_eq!(normalise(&link), parsed(link.trim()));
        }
    }

    #[test]
    fn links_as_feeds_have_them_are_canonical() {
        for link in [
            "https://www.rfi.fr/fr/afrique/20261123-mali?xtor=RSS-1#ici",
            "http://maliweb.net/a/%D9%85%D8%A7%D9%84%D9%8A.html",
            "https://a-b.example/?p=12&utm_source=x",
        ] {
            assert!(is_canonical(link), "{link}");
        }
    }

    #[test]
    fn links_to_one_article_become_equal() {
        for (link, expected) in [
            ("https://www.rfi.fr/fr/afrique/1-mali/", "rfi.fr/fr/afrique/1-mali"),
            ("http://rfi.fr:80/fr/afrique/1-mali#xtor=RSS-1", "rfi.fr/fr/afrique/1-mali"),
            ("https://bbc.co.uk/news/1?at_medium=RSS&at_campaign=KARANGA", "bbc.co.uk/news/1"),
            ("https://a.example/?p=12&utm_source=x", "a.example?p=12"),
            ("https://a.example:8443/x?b=1&a=2", "a.example:8443/x?b=1&a=2"),
        ] {
            assert_eq!(normalise(link).as_deref(), Some(expected), "{link}");
        }
    }

    #[test]
    fn a_fragment_may_lead_to_a_part_of_a_page() {
        for (link, expected) in [
            ("https://a.example/live#post-7", Some("a.example/live#post-7")),
            ("https://a.example/live#xtor=RSS-1", None),
            ("https://a.example/live#?utm_source=rss", None),
            ("https://a.example/live#", None),
            ("https://a.example/live", None),
        ] {
            let normal = normalise(link).unwrap();
            assert_eq!(with_fragment(link, &normal).as_deref(), expected, "{link}");
        }
    }

    #[test]
    fn a_link_names_an_item_by_what_the_item_has_to_itself() {
        for (link, alone, expected) in [
            ("https://www.a.example/1?utm_source=rss#comments", true, Some("a.example/1")),
            ("https://a.example/live#post-7", false, Some("a.example/live#post-7")),
            ("https://a.example/live#xtor=RSS-1", false, None),
            ("https://a.example/live", false, None),
            ("https://a.example/?p=12", true, Some("a.example?p=12")),
            ("https://www.a.example:8443/?utm_source=rss", true, None),
            ("https://a.example", true, None),
            ("https://a.example/#/news/1", true, Some("a.example#/news/1")),
            ("mailto:desk@a.example", true, None),
        ] {
            assert_eq!(naming(link, alone).as_deref(), expected, "{link}");
        }
        assert!(is_front("http://a.example/?xtor=RSS-1") && !is_front("http://a.example/fr/"));
    }

    #[test]
    fn what_is_no_web_address_has_no_normal_form() {
        for link in ["", "/news/1", "mailto:a@b.example", "javascript:alert(1)"] {
            assert_eq!(normalise(link), None, "{link}");
        }
    }
}
