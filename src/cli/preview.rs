//! `harmattan preview`: what would be read from a source before it is added. Nothing is stored.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use bytes::Bytes;
use clap::ValueEnum;
use serde::Serialize;
use url::Url;

use super::At;
use super::print::{Exit, json, line, plain, talk};
use super::reach::heed_orders;
use super::table::Table;
use crate::daemon::clock;
use crate::fetch::{self, Answer, Document, Fetcher, HttpSettings, Redirects, Request, Validators};
use crate::item::SourceName;
use crate::source::page::Selectors;
use crate::source::telegram::ChannelName;
use crate::source::{self, Kind as Sniffed, Plan, ProblemKind, ReadAs, Reading};
use crate::wire;

/// Greatest size of a file that is previewed, packed and unpacked.
const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;

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
    #[arg(long, value_name = "CSS", default_value = "article")]
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
        (Err(why), None) => return refuse(options, &why.to_string()),
    };
    if let Some(why) = broken {
        reading.broke_off(&why);
    }
    print(options, reading)
}

/// Says why nothing can be read.
fn refuse(options: &Options, why: &str) -> anyhow::Result<Exit> {
    tell(options, why)?;
    Ok(Exit::Wrong)
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
    talk(format!("{count} items, {lost} lost"));
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

/// The document at an address, with the reason where its transfer broke off; the inner error says why the server gave none.
async fn from_network(at: &At, options: &Options) -> anyhow::Result<Result<Arrived, String>> {
    let telegram = options.kind == Some(Kind::Telegram) || options.what.starts_with('@');
    let channel = options.what.parse::<ChannelName>().ok();
    let url = match (Url::parse(&options.what), channel) {
        (Ok(url), channel) => {
            let preview = channel.and_then(|channel| channel.preview_url("t.me"));
            let at_telegram = url.host_str().is_some_and(|host| {
                ["t.me", "telegram.me", "telegram.dog"]
                    .iter()
                    .any(|h| host == *h || host.ends_with(&format!(".{h}")))
            });
            preview.filter(|_| at_telegram).unwrap_or(url)
        }
        (Err(_), Some(channel)) if telegram => {
            channel.preview_url("t.me").context("no address for that channel")?
        }
        (Err(_), _) => {
            bail!("`{}` is neither a file nor an address; a channel is written @name", options.what)
        }
    };
    let fetcher = fetcher(at).await?;
    let request = Request {
        url: &url,
        validators: None,
        accept: "*/*",
        delta: false,
        redirects: Redirects::Follow,
        proxy: None,
        pinned: None,
        contact: true,
        now: clock::now(),
    };
    Ok(match fetcher.fetch(&request).await.map(|got| got.answer) {
        Err(mut error) => match error.part.take() {
            Some(part) => Ok((*part, Some(error.to_string()))),
            None => Err(unfetched(&url, &error.to_string())),
        },
        Ok(Answer::Document(document)) => Ok((document, None)),
        Ok(Answer::Unchanged { .. } | Answer::Redirect { .. }) => {
            Err(format!("`{url}` answered without a document"))
        }
    })
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
