//! What a robots.txt says to us (RFC 9309): read and asked without any request.

use std::fmt;
use std::time::Duration;

use url::Url;

/// Our product token: the name by which a robots.txt speaks to us alone.
const TOKEN: &str = "harmattan";

/// How much of a robots.txt is read, in bytes: the least that RFC 9309 asks for (section 2.5).
pub(super) const ROBOTS_BYTES_MAX: usize = 500 * 1024;

/// Longest `Crawl-delay` that is kept; what is longer is taken for a mistake.
const DELAY_MAX: Duration = Duration::from_mins(10);

/// What a robots.txt says to us.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rules {
    lines: Vec<Rule>,
    /// The patterns of all rules, one after the other: a robots.txt may have tens of thousands of short ones.
    patterns: String,
    delay: Option<Duration>,
}

/// A rule, apart from its pattern.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Rule {
    allow: bool,
    /// Where its pattern ends in [`Rules::patterns`]; it begins where that of the rule before ends.
    end: u32,
    /// Whether the path must end where the pattern does.
    anchored: bool,
}

/// A rule's pattern: normalised, without the `$` of its end.
#[derive(Clone, Copy)]
struct Pattern<'a> {
    text: &'a str,
    anchored: bool,
}

impl Rules {
    /// Reads a robots.txt, of which everything after the first 500 KiB is left out. Whatever is no rule is passed
    /// over. All groups that name us count as one; without any, those for `*` do.
    pub fn parse(bytes: &[u8]) -> Self {
        Self::of_text(&String::from_utf8_lossy(bytes.get(..ROBOTS_BYTES_MAX).unwrap_or(bytes)))
    }

    /// The same of a text of any length; also the reverse of `Display`.
    pub fn of_text(text: &str) -> Self {
        let [mut ours, mut others] = [Self::default(), Self::default()];
        let (mut to_us, mut to_others, mut named) = (false, false, false);
        let mut heads = false;
        for line in text.trim_start_matches('\u{feff}').split(['\n', '\r']) {
            let line = line.split('#').next().unwrap_or_default();
            let Some((key, value)) = line.split_once(':') else { continue };
            let (key, value) = (key.trim().to_ascii_lowercase(), value.trim());
            if matches!(key.as_str(), "user-agent" | "useragent" | "user agent") {
                if !heads {
                    (to_us, to_others) = (false, false);
                }
                heads = true;
                to_us |= names_us(value);
                to_others |= value.starts_with('*');
                named |= to_us;
                continue;
            }
            let told = [(to_us, &mut ours), (to_others, &mut others)];
            for (_, rules) in told.into_iter().filter(|(meant, _)| *meant) {
                rules.take(&key, value);
            }
            // Lines of other meaning, such as those of a sitemap, end no list of names.
            heads &= !matches!(key.as_str(), "allow" | "disallow" | "crawl-delay");
        }
        let mut rules = if named { ours } else { others };
        rules.lines.shrink_to_fit();
        rules.patterns.shrink_to_fit();
        rules
    }

    /// Whether an address may be asked for: the longest pattern that fits decides, of two equally long ones that which
    /// allows.
    pub fn allow(&self, url: &Url) -> bool {
        let path = normalised(&[url.path(), &query(url)].concat(), Stars::Literal);
        if path == "/robots.txt" {
            return true;
        }
        let fitting = self.patterns().filter(|(_, pattern)| pattern.fits(&path));
        fitting.map(|(allow, pattern)| (pattern.length(), allow)).max().is_none_or(|(_, allow)| allow)
    }

    /// What it takes of the memory, in bytes.
    pub(super) fn bytes(&self) -> usize {
        size_of::<Self>() + self.lines.capacity() * size_of::<Rule>() + self.patterns.capacity()
    }

    /// The pattern of each rule, and whether it allows.
    fn patterns(&self) -> impl Iterator<Item = (bool, Pattern<'_>)> {
        let mut start = 0;
        self.lines.iter().map(move |rule| {
            let end = usize::try_from(rule.end).unwrap_or(usize::MAX);
            let text = self.patterns.get(std::mem::replace(&mut start, end)..end).unwrap_or_default();
            (rule.allow, Pattern { text, anchored: rule.anchored })
        })
    }

    /// Least time between two requests, where one is stated.
    pub fn delay(&self) -> Option<Duration> {
        self.delay
    }

    fn take(&mut self, key: &str, value: &str) {
        match key {
            "allow" | "disallow" if !value.is_empty() => self.add(key == "allow", value),
            "crawl-delay" => {
                let stated = value.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
                self.delay = self.delay.max(stated.map(|delay| delay.min(DELAY_MAX)));
            }
            _ => {}
        }
    }
}

/// A robots.txt that says the same to us: what is stored.
impl fmt::Display for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("User-agent:*\n")?;
        if let Some(delay) = self.delay {
            writeln!(f, "Crawl-delay:{}", delay.as_secs_f64())?;
        }
        self.patterns().try_for_each(|(allow, Pattern { text, anchored })| {
            let (word, end) = (if allow { "Allow" } else { "Disallow" }, if anchored { "$" } else { "" });
            writeln!(f, "{word}:{text}{end}")
        })
    }
}

impl Rules {
    fn add(&mut self, allow: bool, pattern: &str) {
        let (pattern, anchored) =
            pattern.strip_suffix('$').map_or((pattern, false), |pattern| (pattern, true));
        let pattern = normalised(pattern, Stars::Wild);
        if !pattern.starts_with(['/', '*']) {
            // Never fits as it stands; a forgotten slash must not open what was to be closed.
            self.patterns.push('/');
        }
        self.patterns.push_str(&pattern);
        // What is read of a robots.txt is far shorter.
        let end = u32::try_from(self.patterns.len()).unwrap_or(u32::MAX);
        self.lines.push(Rule { allow, end, anchored });
    }
}

fn query(url: &Url) -> String {
    url.query().map(|query| format!("?{query}")).unwrap_or_default()
}

/// Whether the value of a `User-agent` names us: up to a version, in any case.
fn names_us(value: &str) -> bool {
    let token = value.split(|c: char| !(c.is_ascii_alphabetic() || matches!(c, '_' | '-'))).next();
    token.is_some_and(|token| token.eq_ignore_ascii_case(TOKEN))
}

impl Pattern<'_> {
    /// Octets of the pattern, which decide between rules.
    fn length(self) -> usize {
        self.text.len() + usize::from(self.anchored)
    }

    /// Whether the pattern fits the beginning of a path, or all of it when it is anchored. Each piece between two stars
    /// is taken where it comes first, so a path is passed once.
    fn fits(self, path: &str) -> bool {
        let mut pieces = self.text.split('*');
        let Some(mut rest) = pieces.next().and_then(|first| path.strip_prefix(first)) else { return false };
        let mut last = None;
        for piece in pieces {
            if let Some(before) = last.replace(piece) {
                let Some((_, after)) = rest.split_once(before) else { return false };
                rest = after;
            }
        }
        match (last, self.anchored) {
            (None, false) => true,
            (None, true) => rest.is_empty(),
            (Some(piece), false) => rest.contains(piece),
            (Some(piece), true) => rest.ends_with(piece),
        }
    }
}

/// What a star is.
#[derive(Clone, Copy, PartialEq)]
enum Stars {
    /// Any characters, in a pattern.
    Wild,
    /// Itself, in a path.
    Literal,
}

/// A path as RFC 9309 compares it (section 2.2.2): what needs no percent-encoding has none, all else has it in upper
/// case.
fn normalised(path: &str, stars: Stars) -> String {
    let mut out = String::with_capacity(path.len());
    let mut bytes = path.bytes();
    while let Some(byte) = bytes.next() {
        let mut ahead = bytes.clone();
        let coded = match (byte, ahead.next().and_then(hex), ahead.next().and_then(hex)) {
            (b'%', Some(high), Some(low)) => {
                bytes = ahead;
                Some(high * 16 + low)
            }
            _ => None,
        };
        let plain = match coded {
            Some(coded) => coded.is_ascii_alphanumeric() || matches!(coded, b'-' | b'.' | b'_' | b'~'),
            None if byte == b'*' => stars == Stars::Wild,
            None => byte.is_ascii_graphic() && byte != b'$',
        };
        let byte = coded.unwrap_or(byte);
        if plain {
            out.push(char::from(byte));
        } else {
            let digit =
                |value: u8| char::from_digit(value.into(), 16).map(|digit| digit.to_ascii_uppercase());
            out.push('%');
            out.extend([byte / 16, byte % 16].into_iter().filter_map(digit));
        }
    }
    out
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(robots: &str, path: &str) -> bool {
        Rules::parse(robots.as_bytes()).allow(&Url::parse("https://a.example").unwrap().join(path).unwrap())
    }

    #[test]
    fn g9_the_longest_pattern_decides() {
        let rfc = "User-Agent: *\nAllow: /example/page/\nDisallow: /example/page/disallowed.gif\n";
        for (robots, path, expected) in [
            (rfc, "/example/page/", true),
            (rfc, "/example/page/disallowed.gif", false),
            (rfc, "/elsewhere", true),
            ("user-agent:*\ndisallow:/", "/", false),
            ("user-agent:*\ndisallow:/", "/robots.txt", true),
            ("User-agent: *\nDisallow:\n", "/x", true),
            ("User-agent: *\nDisallow: /p\nAllow: /p", "/p", true),
            ("User-agent: *\nAllow: /p\nDisallow: /", "/page", true),
            ("User-agent: *\nAllow: /folder\nDisallow: /folder", "/folder/page", true),
            ("User-agent: *\nAllow: /page\nDisallow: /*.htm", "/page.htm", false),
            ("User-agent: *\nDisallow: /*.gif$", "/a/b.gif", false),
            ("User-agent: *\nDisallow: /*.gif$", "/a/b.gif?x", true),
            ("User-agent: *\nAllow: /$\nDisallow: /", "/", true),
            ("User-agent: *\nAllow: /$\nDisallow: /", "/page", false),
            ("User-agent: *\nDisallow: /*/feed/*/x$", "/a/feed/b/x/y/x", false),
            ("User-agent: *\nDisallow: /fish*", "/Fish.asp", true),
            ("User-agent: *\nDisallow: /fish*", "/fishheads", false),
            ("User-agent: *\nDisallow: private", "/private/1", false),
            ("User-agent: *\nDisallow: /search?q=", "/search?q=mali", false),
            ("", "/x", true),
            ("<html>not found</html>", "/x", true),
        ] {
            assert_eq!(allowed(robots, path), expected, "{robots} {path}");
        }
    }

    #[test]
    fn g9_rules_that_were_stored_say_the_same() {
        for robots in [
            "",
            "User-agent: *\nDisallow: /",
            "User-agent: *\nAllow: /page*end$\nDisallow: private\nDisallow: *.gif$\nCrawl-delay: 0.3",
            "User-agent: harmattan\nUser-agent: *\nDisallow: /مالي\nDisallow: /a%24b%2a#c\nDisallow: /a b?c:d",
            "User-agent: *\nDisallow: /\nUser-agent: harmattan\nCrawl-delay: 17.123456789",
        ] {
            let rules = Rules::parse(robots.as_bytes());
            assert_eq!(Rules::of_text(&rules.to_string()), rules, "{robots}");
        }
        let long = Rules::parse(format!("User-agent: *\n{}", "Allow: /é\n".repeat(50_000)).as_bytes());
        assert_eq!(Rules::of_text(&long.to_string()), long);
    }

    #[test]
    fn g9_letters_are_compared_whatever_their_encoding() {
        let robots = "User-agent: *\nDisallow: /foo/bar?baz=https://foo.bar\nDisallow: /مالي\nDisallow: /%7ejoe\nDisallow: /a%3cd\nDisallow: /star%2A\n";
        for (path, expected) in [
            ("/foo/bar?baz=https://foo.bar", false),
            ("/%D9%85%D8%A7%D9%84%D9%8A/1", false),
            ("/~joe/index.html", false),
            ("/a%3Cd.html", false),
            ("/star*", false),
            ("/starfish", true),
        ] {
            assert_eq!(allowed(robots, path), expected, "{path}");
        }
    }

    #[test]
    fn g9_groups_that_name_us_are_one_and_come_before_the_others() {
        let ours = "User-agent: *\nDisallow: /\n\nUser-agent: Other\nUser-agent: HARMATTAN/0.1\nDisallow: /a\n\
                    User-agent: other\nDisallow: /c\nuser-agent: harmattan # us\r\nDisallow: /b\nCrawl-delay: 2.5\n";
        for (path, expected) in [("/a", false), ("/b", false), ("/c", true), ("/", true)] {
            assert_eq!(allowed(ours, path), expected, "{path}");
        }
        assert_eq!(Rules::parse(ours.as_bytes()).delay(), Some(Duration::from_millis(2500)));
        let sitemap = "User-agent: harmattan\nSitemap: https://a.example/map\nUser-agent: x\nDisallow: /";
        assert!(!allowed(sitemap, "/p"), "a sitemap ends no list of names");
        assert!(allowed("User-agent: harmattan-news\nDisallow: /", "/p"), "another product");
        assert!(
            allowed("User-agent: *\nDisallow: /\nUser-agent: harmattan\n", "/p"),
            "nothing is closed to us"
        );
        assert!(!allowed("\u{feff}User-agent: *\nDisallow: /", "/p"), "after a byte order mark");
    }

    #[test]
    fn g9_delays_are_bounded_and_long_files_are_cut() {
        for (value, expected) in [
            ("5", Some(5)),
            ("86400", Some(600)),
            ("-1", None),
            ("soon", None),
            ("1e400", None),
            ("NaN", None),
        ] {
            let robots = format!("User-agent: *\nCrawl-delay: {value}");
            assert_eq!(
                Rules::parse(robots.as_bytes()).delay().map(|delay| delay.as_secs()),
                expected,
                "{value}"
            );
        }
        let long = format!("User-agent: *\n{}Disallow: /late\n", "# padding\n".repeat(60_000));
        assert!(allowed(&long, "/late"));
    }

    #[test]
    fn hostile_patterns_cost_bounded_work() {
        let robots = format!("User-agent: *\n{}", format!("Disallow: /{}$\n", "*a".repeat(2_000)).repeat(60));
        assert!(allowed(&robots, &format!("{}b", "a".repeat(20_000))), "it ends, and none fits");
    }

    #[test]
    fn the_longest_robots_txt_takes_little_memory() {
        for line in ["Disallow: /a\n", "Allow: /é\n"] {
            let robots = format!("User-agent: *\n{}", line.repeat(ROBOTS_BYTES_MAX / 5));
            let read = Rules::parse(robots.as_bytes());
            assert!(read.lines.len() > 39_000, "{line} {}", read.lines.len());
            assert!(read.bytes() < 2 * ROBOTS_BYTES_MAX, "{line} {}", read.bytes());
        }
    }
}
