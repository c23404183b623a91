//! `harmattan preview`: what would be read from a source before it is added. Nothing is stored.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use bytes::Bytes;
use clap::ValueEnum;
use serde::Serialize;
use url::Url;

use super::At;
use super::print::{Exit, counted, json, line, plain, talk};
use super::reach::heed_orders;
use super::sources::address;
use super::table::Table;
use crate::daemon::clock;
use crate::fetch::{
    self, Answer, Document, FetchError, Fetcher, HttpSettings, Redirects, Request, Validators,
};
use crate::item::SourceName;
use crate::source::page::Selectors;
use crate::source::telegram::ChannelName;
use crate::source::{self, Kind as Sniffed, Plan, ProblemKind, ReadAs, Reading, Unreadable};
use crate::wire;

/// Greatest size of a file that is previewed, packed and unpacked.
const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// What of a page is an item where nobody says.
const ITEM: &str = "article";

#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// Address, Telegram channel (@name) or file
    #[arg(value_name = "URL|FILE")]
    what: String,
    /// Read it as this, whatever it looks like
    #[arg(long = "as", value_name = "KIND")]
    kind: Option<Kind>,
    /// Address that a file's relative links belong to
    #[arg(long, value_name = "URL")]
    base: Option<Url>,
    /// Print one item per line as JSON
    #[arg(long)]
    json: bool,
    /// Of a page: selector of its items
    #[arg(long, value_name = "CSS", default_value = ITEM)]
    item: String,
    /// Of a page: selector of the title in an item
    #[arg(long, value_name = "CSS", default_value = "h1, h2, h3")]
    title: String,
    /// Of a page: selector and attribute of the link
    #[arg(long, value_name = "CSS@ATTR", default_value = "a@href")]
    link: String,
    /// Of a page: selector of the date
    #[arg(long, value_name = "CSS@ATTR", default_value = "time@datetime")]
    date: String,
    /// Of a page: selector of the text
    #[arg(long, value_name = "CSS", default_value = "p")]
    text: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Kind {
    Feed,
    Telegram,
    Page,
}

pub(super) async fn preview(at: &At, options: &Options) -> anyhow::Result<Exit> {
    let (document, broken) = if Path::new(&options.what).is_file() {
        (from_file(options)?, None)
    } else {
        match from_network(at, options).await? {
            Ok(arrived) => arrived,
            Err(why) => return refuse(options, &why),
        }
    };
    let kind = options.kind.unwrap_or_else(|| look(&document));
    if let Some(why) = broken.as_ref().filter(|_| kind != Kind::Feed) {
        return refuse(options, &unfetched(&document.url, why));
    }
    let is_unselected = kind == Kind::Page && options.kind.is_none() && options.item == ITEM;
    let channel = channel_of(options, &document)?;
    let selectors = Selectors::parse(
        &options.item,
        Some(&options.title),
        Some(&options.link),
        Some(&options.date),
        Some(&options.text),
    )?;
    let kind = match kind {
        Kind::Feed => ReadAs::Feed,
        Kind::Telegram => ReadAs::Telegram { channel: &channel },
        Kind::Page => ReadAs::Page { select: &selectors },
    };
    let source = SourceName::new("preview").context("the name of the preview is one")?;
    let plan = Plan { source: &source, kind, lang: None, now: Some(clock::now()) };
    let mut reading = match (source::read(&document, &plan), &broken) {
        (Ok(reading), None) => reading,
        (Ok(reading), Some(_)) if !reading.items.is_empty() || reading.begun.is_some() => reading,
        (Ok(_) | Err(_), Some(why)) => return refuse(options, &unfetched(&document.url, why)),
        (Err(Unreadable::Layout(_)), None) if is_unselected => return refuse(options, &unselected(options)),
        (Err(why), None) => return refuse(options, &why.to_string()),
    };
    if let Some(why) = broken {
        reading.broke_off(&why);
    }
    if let Some(complaint) = reading.complaint.as_ref().filter(|_| is_unselected) {
        // Nobody gave the selectors of which it speaks.
        reading.problems.retain(|problem| problem.detail != complaint.detail);
    }
    print(options, reading)
}

/// Says why nothing can be read.
fn refuse(options: &Options, why: &str) -> anyhow::Result<Exit> {
    tell(options, why)?;
    Ok(Exit::Wrong)
}

/// What to do with a page of which nobody said where its items are.
fn unselected(options: &Options) -> String {
    let finds = if Path::new(&options.what).is_file() {
        String::new()
    } else {
        format!("`harmattan sources add {}` finds the feeds of its site, and ", options.what)
    };
    format!("it is an HTML page, not a feed: {finds}`--item CSS` says where a page has its items")
}

fn unfetched(url: &Url, why: &str) -> String {
    format!("cannot fetch `{url}`: {why}")
}

/// A line of JSON: an item, and whether it is the one inside which the document ends.
#[derive(Debug, Serialize)]
struct Entry {
    #[serde(flatten)]
    item: wire::item::Item,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    partial: bool,
}

fn print(options: &Options, reading: Reading) -> anyhow::Result<Exit> {
    for problem in &reading.problems {
        tell(options, &format!("{}: {}", problem.kind.as_str(), problem.detail))?;
    }
    let cut_short = reading.problems.iter().any(|problem| problem.kind == ProblemKind::Salvaged);
    let wrong = reading.lost > 0 || cut_short;
    let (count, lost) = (reading.items.len(), reading.lost);
    let whole = reading.items.into_iter().map(|candidate| (candidate, false));
    let entries = whole.chain(reading.begun.map(|begun| (begun.candidate, true)));
    if options.json {
        for (candidate, partial) in entries {
            let item = wire::item::Item { source: None, ..wire::item::Item::from(candidate.item) };
            json(&Entry { item, partial })?;
        }
        return Ok(Exit::wrong_if(wrong));
    }
    let mut table = Table::new(&["published", "lang", "title"]);
    for (candidate, partial) in entries {
        let item = candidate.item;
        let head = if item.title.is_empty() { &item.text } else { &item.title };
        let mark = if partial { " (cut off)" } else { "" };
        let cells = vec![
            item.published.map_or_else(|| "-".to_owned(), |at| at.strftime("%Y-%m-%d %H:%MZ").to_string()),
            item.lang.unwrap_or_default(),
            format!("{}{mark}", plain(head, 75)).trim_start().to_owned(),
        ];
        table.row(cells, item.url.as_deref().unwrap_or_default());
    }
    table.print()?;
    talk(format!("{}, {lost} lost", counted(count, ["item", "items"])));
    Ok(Exit::wrong_if(wrong))
}

/// A problem: on stderr, and among the JSON Lines for machines.
fn tell(options: &Options, problem: &str) -> anyhow::Result<()> {
    talk(plain(problem, 400));
    if options.json {
        line(serde_json::json!({ "problem": problem }))?;
    }
    Ok(())
}

/// A document, and why it is only the beginning of one.
type Arrived = (Document, Option<String>);

fn from_file(options: &Options) -> anyhow::Result<Document> {
    let path = Path::new(&options.what);
    let size = path.metadata().with_context(|| format!("cannot read `{}`", options.what))?.len();
    if size > FILE_BYTES_MAX {
        bail!("`{}` has {size} bytes; at most {FILE_BYTES_MAX} are read", options.what);
    }
    let bytes = std::fs::read(path).with_context(|| format!("cannot read `{}`", options.what))?;
    let bytes = fetch::unpacked(Bytes::from(bytes), FILE_BYTES_MAX)
        .with_context(|| format!("cannot read `{}`", options.what))?;
    let base = options.base.clone().map_or_else(|| Url::parse("http://file.invalid/"), Ok)?;
    Ok(Document { url: base, bytes, content_type: None, validators: Validators::default(), delta: false })
}

/// The address that is meant, and whether its scheme is a guess.
fn address_of(options: &Options) -> anyhow::Result<(Url, bool)> {
    let what = options.what.as_str();
    let channel = what.parse::<ChannelName>().ok();
    let url = Url::parse(what).ok();
    let is_named = options.kind == Some(Kind::Telegram) || what.starts_with('@');
    if let Some(channel) = channel.as_ref().filter(|_| is_named && url.is_none()) {
        return Ok((channel.preview_url("t.me").context("no address for that channel")?, false));
    }
    let url = url.filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
    if url.is_none() && what.starts_with(['.', '/', '~']) {
        bail!("there is no file `{what}`");
    }
    let is_guess = url.is_none() && !what.contains("://");
    let url = url.map_or_else(|| address(what).context("there is no such file"), Ok)?;
    let at_telegram = url.host_str().is_some_and(|host| {
        ["t.me", "telegram.me", "telegram.dog"].iter().any(|h| host == *h || host.ends_with(&format!(".{h}")))
    });
    let preview = channel.filter(|_| at_telegram).and_then(|channel| channel.preview_url("t.me"));
    Ok(preview.map_or((url, is_guess), |preview| (preview, false)))
}

/// The document at an address, with the reason where its transfer broke off; the inner error says why the server gave none.
async fn from_network(at: &At, options: &Options) -> anyhow::Result<Result<Arrived, String>> {
    let (mut url, is_guess) = address_of(options)?;
    let fetcher = fetcher(at).await?;
    let mut got = Box::pin(ask(&fetcher, &url)).await;
    let is_unheard =
        got.as_ref().is_err_and(|error| error.part.is_none() && error.status().is_none() && !error.is_held());
    if is_guess && is_unheard && url.set_scheme("http").is_ok() {
        got = Box::pin(ask(&fetcher, &url)).await;
    }
    Ok(match got {
        Err(mut error) => match error.part.take() {
            Some(part) => Ok((*part, Some(error.to_string()))),
            None if is_guess => {
                let why = unfetched(&url, &error.to_string());
                Err(format!("there is no file `{}`; {why}", options.what))
            }
            None => Err(unfetched(&url, &error.to_string())),
        },
        Ok(Answer::Document(document)) => Ok((document, None)),
        Ok(Answer::Unchanged { .. } | Answer::Redirect { .. }) => {
            Err(format!("`{url}` answered without a document"))
        }
    })
}

async fn ask(fetcher: &Fetcher, url: &Url) -> Result<Answer, FetchError> {
    let request = Request {
        url,
        validators: None,
        accept: "*/*",
        delta: false,
        redirects: Redirects::Follow,
        proxy: None,
        pinned: None,
        contact: true,
        now: clock::now(),
    };
    fetcher.fetch(&request).await.map(|got| got.answer)
}

/// By the config where there is one; the defaults otherwise: a preview must work before anything is set up.
async fn fetcher(at: &At) -> anyhow::Result<Arc<Fetcher>> {
    if at.config.is_none() && at.path().is_err() {
        return Ok(Arc::new(Fetcher::new(HttpSettings::default())?));
    }
    let desk = Arc::new(at.desk()?);
    heed_orders(&desk).await;
    Ok(Arc::clone(&desk.fetcher))
}

fn look(document: &Document) -> Kind {
    match source::sniff(&document.bytes, document.content_type.as_deref()) {
        Sniffed::Telegram => Kind::Telegram,
        Sniffed::Page => Kind::Page,
        Sniffed::Feed | Sniffed::Challenge | Sniffed::Empty | Sniffed::Unknown => Kind::Feed,
    }
}

/// The channel that a Telegram page is read for: as asked for, else as the page's messages name it.
fn channel_of(options: &Options, document: &Document) -> anyhow::Result<ChannelName> {
    let asked = options.what.parse().or_else(|_| document.url.as_str().parse()).ok();
    match asked.or_else(|| channel_in(document)) {
        Some(channel) => Ok(channel),
        None => Ok("preview".parse::<ChannelName>()?),
    }
}

/// The channel of the first message on a page.
fn channel_in(document: &Document) -> Option<ChannelName> {
    let page = String::from_utf8_lossy(&document.bytes);
    let (_, post) = page.split_once("data-post=\"")?;
    let (channel, _) = post.split_once('/')?;
    channel.parse().ok()
}
