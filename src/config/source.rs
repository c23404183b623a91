//! `[[source]]`: what is read.

use std::fs::File;
use std::io::Read as _;
use std::time::Duration;

use toml::de::DeValue;
use url::Url;

use super::option::Form;
use super::read::{Node, Section};
use crate::fetch::Authorities;
use crate::item::{SourceKind, SourceName};
use crate::rules::spec::{Located, Origin};
use crate::source::mirror;

/// Greatest size of a file of certificates, in bytes: that of all authorities that a system trusts fits.
const CA_BYTES_MAX: u64 = 256 << 10;

/// One `[[source]]`, checked.
#[derive(Clone, Debug, PartialEq)]
pub struct SourceSpec {
    /// Unique name: its identity in the store.
    pub name: SourceName,
    /// Where it is and what it is read as.
    pub what: SourceAddress,
    /// Language, as a hint, in lower case.
    pub lang: Option<String>,
    /// Free labels.
    pub tags: Vec<String>,
    /// 1 wire or official, 2 press, 3 unverified.
    pub tier: u8,
    /// Interval of its own.
    pub interval: Option<Duration>,
    /// For how long nothing new is no silence; without, that is learned.
    pub silent_after: Option<Duration>,
    /// Whether it is polled.
    pub enabled: bool,
    /// What of the first poll may alert.
    pub backlog: Backlog,
    /// Whether linked articles are fetched.
    pub article: ArticleChoice,
    /// Whether requests name the desk's contact.
    pub contact: bool,
    /// Proxy of its own.
    pub proxy: Option<Url>,
    /// The only authorities trusted at its hosts, in place of those whom the machine trusts.
    pub ca: Option<Authorities>,
    /// Where it was written.
    pub origin: Origin,
}

impl SourceSpec {
    /// What it is read as.
    pub fn kind(&self) -> SourceKind {
        match &self.what {
            SourceAddress::Feed(_) => SourceKind::Feed,
            SourceAddress::Telegram { .. } => SourceKind::Telegram,
            SourceAddress::Page { .. } => SourceKind::Page,
        }
    }
}

/// Where a source is.
#[derive(Clone, Debug, PartialEq)]
pub enum SourceAddress {
    /// A feed.
    Feed(Url),
    /// A Telegram channel.
    Telegram {
        /// The channel as written: name, @name or an address.
        channel: String,
        /// Hosts (`t.me`) or addresses (`http://127.0.0.1:8080`), tried in order.
        hosts: Vec<String>,
        /// Pages of others that show the channel, tried in order when no host does, or not all of it.
        mirrors: Vec<MirrorSpec>,
    },
    /// An HTML page.
    Page {
        /// Its address.
        url: Url,
        /// How to find items on it.
        select: Box<SelectSpec>,
    },
}

/// Selectors of a page as written, each CSS with an optional `@attribute`.
#[derive(Clone, Debug, PartialEq)]
pub struct SelectSpec {
    /// What holds one item.
    pub item: Located<String>,
    /// Its title.
    pub title: Option<Located<String>>,
    /// Its link.
    pub link: Option<Located<String>>,
    /// Its date.
    pub date: Option<Located<String>>,
    /// Its text.
    pub text: Option<Located<String>>,
    /// The link to the page with older items, in the whole page.
    pub next: Option<Located<String>>,
}

/// A mirror of a Telegram channel as written.
#[derive(Clone, Debug, PartialEq)]
pub struct MirrorSpec {
    /// Address of its page, with `{channel}` where the channel's name goes.
    pub page: Located<String>,
    /// What holds one message.
    pub item: Located<String>,
    /// The link to the original on Telegram.
    pub link: Located<String>,
    /// The text.
    pub text: Located<String>,
    /// The date.
    pub date: Option<Located<String>>,
}

/// What of a source's first poll may alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backlog {
    /// Nothing.
    None,
    /// So many of the newest items.
    Newest(u32),
    /// Items younger than this.
    Age(Duration),
}

/// Whether the article that an entry links to is fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ArticleChoice {
    /// When the entry is short and no rule fired on it alone.
    Auto,
    /// Of every entry.
    Always,
    /// Of none.
    Never,
}

/// Reads one `[[source]]`.
pub(super) fn source(section: &Section<'_>) -> Option<Located<SourceSpec>> {
    let name = name(section);
    let what = address(section);
    let lang = lang(section);
    let tags = section.words("tags");
    let tier = section.integer("tier");
    let interval = section.duration("interval");
    let article = section.word("article").map(|word| match word {
        "auto" => ArticleChoice::Auto,
        "always" => ArticleChoice::Always,
        _ => ArticleChoice::Never,
    });
    let silent_after = section.duration("silent_after");
    let backlog = section.get("backlog").and_then(|node| backlog(&node));
    let enabled = section.flag("enabled");
    let contact = section.word("contact").is_none();
    let proxy = section.address("proxy");
    let ca = section.has("ca").then(|| authorities(section)).flatten();
    let name = name?;
    let spec = SourceSpec {
        name: name.value,
        what: what?,
        lang,
        tags,
        tier: tier?,
        interval,
        silent_after,
        enabled: enabled?,
        backlog: backlog?,
        article: article?,
        contact,
        proxy,
        ca,
        origin: section.origin(),
    };
    Some(Located { value: spec, origin: name.origin })
}

fn name(section: &Section<'_>) -> Option<Located<SourceName>> {
    let node = section.get("name")?;
    let text = node.text()?;
    match SourceName::new(&text.value) {
        Some(value) => Some(Located { value, origin: text.origin }),
        None => node.problem(
            format!("`{}` is no name of a source", text.value),
            "write up to 64 of `a-z`, `0-9` and `-`",
        ),
    }
}

/// A language: two or three letters, in lower case.
pub(super) fn language(node: &Node<'_>) -> Option<String> {
    let text = node.text()?.value;
    if matches!(text.len(), 2 | 3) && text.bytes().all(|byte| byte.is_ascii_alphabetic()) {
        return Some(text.to_ascii_lowercase());
    }
    node.problem(format!("`{text}` is no language"), "write two or three letters, such as \"fr\"")
}

fn lang(section: &Section<'_>) -> Option<String> {
    language(&section.get("lang")?)
}

/// The certificates in a file; what is wrong with it is noted, and the config will be refused.
fn authorities(section: &Section<'_>) -> Option<Authorities> {
    const HINT: &str =
        "name a file in PEM with the certificate of the authority or of the server, readable for the service";
    let (path, node) = (section.path("ca")?, section.get("ca")?);
    let shown = path.display();
    let mut pem = Vec::new();
    let read = File::open(&path).and_then(|file| file.take(CA_BYTES_MAX + 1).read_to_end(&mut pem));
    match read {
        Err(error) => node.problem(format!("`{shown}` cannot be read: {error}"), HINT),
        Ok(_) if pem.len() as u64 > CA_BYTES_MAX => {
            node.problem(format!("`{shown}` is larger than 256 KiB"), HINT)
        }
        Ok(_) => match Authorities::read(&pem) {
            Ok(authorities) => Some(authorities),
            Err(why) => node.problem(format!("`{shown}` {why}"), HINT),
        },
    }
}

fn backlog(node: &Node<'_>) -> Option<Backlog> {
    const HINT: &str = "write a count of newest items, such as 5, or an age, such as \"6h\"";
    let Form::Backlog { count_max, age_max } = node.form else {
        return node.mismatch("another form; a bug: the option table says otherwise", None);
    };
    if node.is_string() {
        return node.duration(Duration::from_secs(1), *age_max).map(Backlog::Age);
    }
    let DeValue::Integer(count) = node.value else {
        return node.mismatch("a count or an age", Some(HINT));
    };
    match u32::from_str_radix(count.as_str(), count.radix()).ok().filter(|count| count <= count_max) {
        Some(0) => Some(Backlog::None),
        Some(count) => Some(Backlog::Newest(count)),
        None => node.problem(
            format!("{count} is out of bounds"),
            &format!("write a count of newest items from 0 to {count_max}"),
        ),
    }
}

fn address(section: &Section<'_>) -> Option<SourceAddress> {
    const HINT: &str = "write exactly one of `feed`, `telegram` and `page`";
    let page_only = |name: &str, owner: &str| {
        if section.has(name)
            && let Some(node) = section.get(name)
        {
            node.problem::<()>(format!("goes with `{owner}` alone"), &format!("take out `{name}`"));
        }
    };
    if !section.has("page") {
        page_only("select", "page");
    }
    if !section.has("telegram") {
        page_only("hosts", "telegram");
        page_only("mirrors", "telegram");
    }
    match [section.has("feed"), section.has("telegram"), section.has("page")] {
        [true, false, false] => section.address("feed").map(SourceAddress::Feed),
        [false, true, false] => {
            let channel = section.text("telegram");
            let hosts: Vec<String> = section.list("hosts").iter().filter_map(host).collect();
            if hosts.is_empty() {
                return section.get("hosts")?.problem("is empty", "name a host or leave `hosts` out");
            }
            let mirrors = section.sections("mirrors").iter().filter_map(mirror).collect();
            Some(SourceAddress::Telegram { channel: channel?.value, hosts, mirrors })
        }
        [false, false, true] => {
            let url = section.address("page");
            if !section.has("select") {
                section.problem("select", "is missing", Some("say by CSS where the items of the page are"));
                return None;
            }
            let select = section.section("select").and_then(|section| select(&section));
            Some(SourceAddress::Page { url: url?, select: Box::new(select?) })
        }
        [false, false, false] => {
            section.problem("", "says not where it is read", Some(HINT));
            None
        }
        _ => {
            section.problem("", "has more than one address", Some(HINT));
            None
        }
    }
}

/// A host name, or the address of a server of its own.
fn host(node: &Node<'_>) -> Option<String> {
    let text = node.text()?.value;
    let full = if text.contains("://") { text.clone() } else { format!("https://{text}") };
    let fits = Url::parse(&full).is_ok_and(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none()
    });
    if fits {
        return Some(text);
    }
    node.problem(
        "is neither a host nor the address of one",
        "write it like \"t.me\" or \"http://127.0.0.1:8080\"",
    )
}

fn mirror(section: &Section<'_>) -> Option<MirrorSpec> {
    let page = section.text("page");
    let [item, link, text, date] = ["item", "link", "text", "date"].map(|name| section.text(name));
    let page = page?;
    let address = mirror::address(&page.value, "channel").filter(|_| page.value.contains(mirror::CHANNEL));
    let Some(address) = address else {
        return section.get("page")?.problem(
            "is no address of a channel's page",
            "write `{channel}` where the name goes, as in \"https://mirror.example/{channel}\"",
        );
    };
    section.get("page")?.without_user(address)?;
    Some(MirrorSpec { page, item: item?, link: link?, text: text?, date })
}

fn select(section: &Section<'_>) -> Option<SelectSpec> {
    let item = section.text("item");
    let [title, link, date, text, next] =
        ["title", "link", "date", "text", "next"].map(|name| section.text(name));
    if ["title", "link", "text"].iter().all(|name| !section.has(name)) {
        section.problem("", "finds nothing in an item", Some("write `title`, `link` or `text`"));
        return None;
    }
    Some(SelectSpec { item: item?, title, link, date, text, next })
}
