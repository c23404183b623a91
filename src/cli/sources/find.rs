//! What stands behind an address that somebody gives: a feed, a channel, or a site that has a feed.

use anyhow::bail;
use url::{Origin, Position, Url};

use crate::cli::print::progress;
use crate::config::NewAddress;
use crate::daemon::clock;
use crate::desk::Desk;
use crate::fetch::{ACCEPT_FEED, Answer, Document, Failure, Redirects, Request};
use crate::item::SourceName;
use crate::source::discover::{self, Listing};
use crate::source::telegram::ChannelName;
use crate::source::{self, Kind, Plan, ReadAs, Reading};

/// Hosts that are all Telegram's.
const TELEGRAM: [&str; 3] = ["t.me", "telegram.me", "telegram.dog"];

/// A source that was found and read.
pub(super) struct Found {
    pub(super) address: NewAddress,
    pub(super) reading: Reading,
    /// Further feeds that the site links to.
    pub(super) others: Vec<Url>,
}

impl Found {
    /// The same, found on a site that links to these feeds.
    fn beside(self, mut others: Vec<Url>) -> Self {
        others.retain(|other| self.address != NewAddress::Feed(other.clone()));
        Self { others, ..self }
    }

    /// Whether it was read to its end.
    fn is_whole(&self) -> bool {
        !self.reading.truncated && self.reading.lost == 0
    }
}

/// The channel that an address of Telegram or an `@name` means; `None` for any other address.
pub(super) fn channel(text: &str) -> Option<anyhow::Result<ChannelName>> {
    let address = ["https://", "http://"].iter().find_map(|scheme| text.strip_prefix(scheme)).unwrap_or(text);
    let host = address.split(['/', '?']).next().unwrap_or_default().to_ascii_lowercase();
    let is_telegram = TELEGRAM
        .iter()
        .any(|known| host == *known || host.strip_suffix(known).is_some_and(|name| name.ends_with('.')));
    (is_telegram || text.starts_with('@')).then(|| Ok(text.parse::<ChannelName>()?))
}

/// What stands behind the `feed:` by which browsers of old handed feeds to readers.
pub(super) fn without_feed(text: &str) -> &str {
    match text.split_once(':') {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("feed") => {
            rest.strip_prefix("//").unwrap_or(rest)
        }
        Some(_) | None => text,
    }
}

/// The address as typed, or with the scheme that browsers would try. What may be a password is not shown.
pub(in crate::cli) fn address(text: &str) -> anyhow::Result<Url> {
    let text = without_feed(text);
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    let guess = || {
        let guess = Url::parse(&format!("https://{text}")).ok();
        guess.filter(|url| !text.contains("://") && url.host_str().is_some_and(|host| host.contains('.')))
    };
    match url.or_else(guess) {
        Some(url) if url.username().is_empty() && url.password().is_none() => Ok(url),
        Some(_) => bail!("the address holds a user or a password: take it out, no source can have one"),
        None => {
            let shown = if text.contains('@') { "this".to_owned() } else { format!("`{text}`") };
            bail!("{shown} is no address: write it like `https://example.org`, a channel like `@grey_zone`")
        }
    }
}

/// Finds the source behind `text`.
pub(super) async fn find(desk: &Desk, text: &str) -> anyhow::Result<Found> {
    let text = without_feed(text.trim());
    let mut search = Search { desk, tried: Vec::new(), given_up: Vec::new(), ordered: false, is_page: false };
    if let Some(channel) = channel(text) {
        let channel = channel?;
        let mut page = None;
        for url in TELEGRAM.iter().filter_map(|host| channel.preview_url(host)) {
            // All are Telegram's: what one orders is not to be dodged by asking the next.
            if page.is_none() && !search.ordered {
                page = search.fetch(&url).await;
            }
        }
        let found = page.and_then(|page| search.telegram(&page, &channel, None));
        return found.map_or_else(|| search.nothing(text), Ok);
    }
    let mut page_url = address(text)?;
    let mut page = search.fetch(&page_url).await;
    if search.has_given_up(&page_url) && !text.contains("://") && page_url.set_scheme("http").is_ok() {
        page = search.fetch(&page_url).await;
    }
    if let Some(next) = page.as_ref().and_then(Arrived::leads_on) {
        page = search.fetch(&next).await.or(page);
    }
    let mut linked = Vec::new();
    if let Some(page) = &page {
        refuse_listing(page)?;
        match page.kind() {
            Kind::Feed => {
                if let Some(found) = search.feed(page) {
                    return Ok(found);
                }
            }
            Kind::Telegram => {
                if let Some(found) = search.mirror(page) {
                    return Ok(found);
                }
            }
            Kind::Page => {
                linked = discover::linked(&page.document);
                search.is_page = true;
            }
            Kind::Challenge => search.say(&page.url, "a challenge page of a bot protection"),
            Kind::Empty | Kind::Unknown => search.say(&page.url, "neither a feed nor a page"),
        }
    }
    let usual = discover::usual(page.as_ref().map_or(&page_url, |page| &page.document.url));
    let best = Box::pin(search.best(&linked, &usual)).await;
    match best {
        Some(found) => Ok(found.beside(linked)),
        None => search.nothing(text),
    }
}

/// Says what a list of addresses is good for: no site has a feed beside it.
fn refuse_listing(page: &Arrived) -> anyhow::Result<()> {
    let url = &page.url;
    match discover::listing(&page.document) {
        None => Ok(()),
        Some(Listing::Opml) => {
            bail!("`{url}` is a list of feeds: save it, and add them by `harmattan sources import FILE`")
        }
        Some(Listing::Sitemap) => {
            bail!("`{url}` is a sitemap, not a feed: give the address of the site itself")
        }
    }
}

/// A document that was found.
struct Arrived {
    /// The address to keep: behind a permanent redirect, the new one.
    url: Url,
    document: Document,
    /// Why it is only the beginning of one.
    broken: Option<String>,
}

impl Arrived {
    fn kind(&self) -> Kind {
        source::sniff(&self.document.bytes, self.document.content_type.as_deref())
    }

    /// Where a page that links to no feed sends its readers by itself.
    fn leads_on(&self) -> Option<Url> {
        let is_bare = self.kind() == Kind::Page && discover::linked(&self.document).is_empty();
        is_bare.then(|| discover::led_on(&self.document)).flatten()
    }
}

/// A search, and what it has tried.
struct Search<'a> {
    desk: &'a Desk,
    tried: Vec<(Url, String)>,
    /// The servers that could not be reached, or asked to be left alone.
    given_up: Vec<Origin>,
    /// Whether the last one ordered to wait.
    ordered: bool,
    /// Whether the address is that of a page, which can be a source itself.
    is_page: bool,
}

impl Search<'_> {
    /// The document at an address.
    async fn fetch(&mut self, url: &Url) -> Option<Arrived> {
        progress(format!("asking {url}"));
        let request = Request {
            url,
            validators: None,
            accept: ACCEPT_FEED,
            delta: false,
            redirects: Redirects::Follow,
            proxy: None,
            pinned: None,
            contact: true,
            now: clock::now(),
        };
        let fetched = self.desk.fetcher.fetch(&request).await;
        progress("");
        match fetched {
            Ok(fetched) => match fetched.answer {
                Answer::Document(document) => {
                    let url = fetched.moved.unwrap_or_else(|| url.clone());
                    return Some(Arrived { url, document, broken: None });
                }
                Answer::Unchanged { .. } | Answer::Redirect { .. } => self.say(url, "no document"),
            },
            Err(mut error) => {
                let arrived = error.part.take().map(|part| {
                    let broken = Some(error.to_string());
                    Arrived { url: url.clone(), document: *part, broken }
                });
                // Of a feed the entries that came can be read, and a page names its feeds in its head.
                let arrived = arrived.filter(|part| matches!(part.kind(), Kind::Feed | Kind::Page));
                if arrived.is_some() {
                    return arrived;
                }
                self.ordered =
                    error.is_held() || error.status() == Some(429) || error.freshness.retry_after.is_some();
                // Of a redirect, another server failed than the one that was asked.
                if self.ordered || (!error.redirected && is_of_the_server(&error.failure)) {
                    self.given_up.push(url.origin());
                }
                self.say(url, &error.to_string());
            }
        }
        None
    }

    /// The best feed of a site, of those that it links to and where feeds usually are. What it has to say stands in no
    /// feed of comments, so these come last; and one that it links to and that is empty is better than a guess.
    async fn best(&mut self, linked: &[Url], usual: &[Url]) -> Option<Found> {
        let (comments, own): (Vec<&Url>, Vec<&Url>) =
            linked.iter().partition(|url| discover::is_of_comments(url));
        let sure = own.into_iter().map(|url| (url, true));
        let worse = usual.iter().chain(comments).map(|url| (url, false));
        let mut empty: Option<Found> = None;
        for (url, is_sure) in sure.chain(worse) {
            let is_enough = !is_sure && empty.as_ref().is_some_and(Found::is_whole);
            if is_enough || self.has_given_up(url) || self.has_tried(url) {
                continue;
            }
            let Some(arrived) = self.fetch(url).await else { continue };
            match self.feed(&arrived) {
                Some(found) if found.reading.items.is_empty() => {
                    empty = empty.filter(Found::is_whole).or(Some(found));
                }
                Some(found) => return Some(found),
                None => {}
            }
        }
        empty
    }

    fn feed(&mut self, arrived: &Arrived) -> Option<Found> {
        let address = NewAddress::Feed(arrived.url.clone());
        self.read(arrived, ReadAs::Feed).map(|reading| Found { address, reading, others: Vec::new() })
    }

    /// A page laid out like Telegram's at another host.
    fn mirror(&mut self, arrived: &Arrived) -> Option<Found> {
        let url = &arrived.document.url;
        let name = url.path().strip_prefix("/s/").unwrap_or_default().trim_end_matches('/');
        let Ok(channel) = name.parse::<ChannelName>() else {
            self.say(url, "a page of Telegram without the name of a channel");
            return None;
        };
        let host = url.origin().ascii_serialization();
        self.telegram(arrived, &channel, Some(host))
    }

    fn telegram(&mut self, arrived: &Arrived, channel: &ChannelName, host: Option<String>) -> Option<Found> {
        let address = NewAddress::Telegram { channel: channel.as_str().to_owned(), host };
        let reading = self.read(arrived, ReadAs::Telegram { channel })?;
        Some(Found { address, reading, others: Vec::new() })
    }

    fn read(&mut self, arrived: &Arrived, kind: ReadAs<'_>) -> Option<Reading> {
        let Arrived { document, broken, .. } = arrived;
        let name = SourceName::new("new")?;
        let plan = Plan { source: &name, kind, lang: None, now: Some(clock::now()) };
        let why = match (source::read(document, &plan), broken) {
            (Ok(reading), None) => return Some(reading),
            (Ok(mut reading), Some(why)) if !reading.items.is_empty() => {
                reading.broke_off(why);
                return Some(reading);
            }
            (Ok(_) | Err(_), Some(why)) => why.clone(),
            (Err(why), None) => why.to_string(),
        };
        self.say(&document.url, &why);
        None
    }

    fn has_given_up(&self, url: &Url) -> bool {
        self.given_up.contains(&url.origin())
    }

    fn has_tried(&self, url: &Url) -> bool {
        self.tried.iter().any(|(tried, _)| tried == url)
    }

    fn say(&mut self, url: &Url, what: &str) {
        self.tried.push((url.clone(), what.to_owned()));
    }

    fn nothing<T>(&self, text: &str) -> anyhow::Result<T> {
        let mut told = format!("no feed was found behind `{text}`; tried:");
        // Of one server, addresses that gave the same are told together.
        let key = |(url, what): &(Url, String)| (url.origin(), what.clone());
        let mut keys: Vec<(Origin, String)> = Vec::new();
        for tried in &self.tried {
            if !keys.contains(&key(tried)) {
                keys.push(key(tried));
            }
        }
        for group in keys {
            let mut urls = self.tried.iter().filter(|tried| key(tried) == group).map(|(url, _)| url);
            told.extend(["\n  ", urls.next().map_or("", Url::as_str)]);
            urls.for_each(|url| told.extend([", ", &url[Position::BeforePath..]]));
            told.extend([": ", &group.1]);
        }
        if self.is_page {
            // The address as it was typed: another one would be the server's words in a line for a shell.
            told.extend([
                "\nthe page can be a source by itself (`page`, `select`); try selectors for its parts by\n  harmattan preview ",
                text,
                " --as page --item article --title h2 --link \"h2 a@href\"",
            ]);
        }
        bail!(told)
    }
}

/// Whether the other addresses of a server would fail alike.
fn is_of_the_server(failure: &Failure) -> bool {
    match failure {
        Failure::Transport(_)
        | Failure::Unreachable(_)
        | Failure::Dns(_)
        | Failure::Tls(_)
        | Failure::Timeout { .. }
        | Failure::TooSlow { .. }
        | Failure::Challenge { .. }
        | Failure::Refused { .. }
        | Failure::Held { .. }
        | Failure::Resting { .. }
        | Failure::NoRobots { .. }
        | Failure::Setup(_) => true,
        Failure::Status { status, .. } => [429, 503].contains(status),
        Failure::TooLarge { .. }
        | Failure::Swollen { .. }
        | Failure::NotAPage { .. }
        | Failure::Redirect(_)
        | Failure::Robots { .. } => false,
    }
}
