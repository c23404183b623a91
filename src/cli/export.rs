//! `harmattan alerts export`: what was told, for other programs and for reports.

use std::fmt::Write as _;
use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context as _;
use clap::ValueEnum;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::At;
use super::alerts::{fate, since};
use super::print::{Exit, bytes, talk};
use super::reach::{Session, unexpected};
use crate::control::{Call, Mistake, Reply, api};
use crate::desk::Desk;
use crate::notify::foreign::{cut, line, unmarked};
use crate::rules::spec::Severity;
use crate::wire::alert::severity;
use crate::wire::item::Kind;

/// Alerts asked for at once.
const PAGE: usize = 500;

/// Characters of a headline in a timeline.
const HEADLINE_CHARS_MAX: usize = 200;

#[derive(Clone, Debug, clap::Args)]
pub(super) struct Export {
    /// In which form
    #[arg(long, value_enum, default_value_t = Form::Json)]
    format: Form,
    /// Only alerts of the last so long, such as 30d
    #[arg(long, value_name = "DURATION")]
    since: Option<String>,
    /// Only those that tell of this rule; `*` stands for any letters
    #[arg(long, value_name = "RULE")]
    rule: Option<String>,
    /// Only those of this source
    #[arg(long)]
    source: Option<String>,
    /// Only those of this severity and up
    #[arg(long, value_parser = super::routes::severity)]
    severity: Option<Severity>,
    /// Those that nobody was told of as well: joined to a story, stale, silenced, on trial, given up
    #[arg(long)]
    all: bool,
    /// A file, in place of the standard output
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    /// JSON Lines, as `alerts list --json`
    Json,
    /// A table for spreadsheets
    Csv,
    /// A timeline, day by day
    Markdown,
}

/// Writes the alerts, oldest first.
pub(super) async fn export(at: &At, options: &Export) -> anyhow::Result<Exit> {
    let desk = Arc::new(at.desk()?);
    let since = options.since.as_deref().map(since).transpose()?;
    let rule = options.rule.as_deref().map(glob::Pattern::new).transpose().context("`--rule` is no glob")?;
    let session = Session::open(&desk).await?;
    let mut alerts = all(&session, since).await?;
    session.close().await?;
    if let Some(name) = &options.source {
        known(&desk, &alerts, name)?;
    }
    alerts.retain(|alert| {
        let told = options.all || alert.disposition == "sent" && !is_dead(alert);
        let least = options.severity.is_none_or(|least| severity(&alert.alert.severity) >= least);
        let from = options.source.is_none() || options.source == alert.alert.item.item.source;
        let fits = |glob: &glob::Pattern| alert.alert.rules.iter().any(|fired| glob.matches(&fired.name));
        told && least && from && rule.as_ref().is_none_or(fits)
    });
    alerts.reverse();
    let text = match options.format {
        Form::Json => lines(&alerts)?,
        Form::Csv => csv(&alerts)?,
        Form::Markdown => markdown(&alerts, &desk.config.desk.timezone),
    };
    match &options.output {
        Some(path) => File::create(path)
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .with_context(|| format!("cannot write {}", path.display()))?,
        None => bytes(text.as_bytes())?,
    }
    talk(format!("{} alerts", alerts.len()));
    Ok(Exit::Done)
}

/// Refuses the name of a source that is neither in the config nor in `alerts`.
fn known(desk: &Desk, alerts: &[api::Alert], name: &str) -> Result<(), Mistake> {
    let configured = || desk.config.sources.iter().map(|source| source.name.as_str());
    let is_told = alerts.iter().any(|alert| alert.alert.item.item.source.as_deref() == Some(name));
    if is_told || configured().any(|known| known == name) {
        return Ok(());
    }
    Err(Mistake::unknown("source", name, configured()))
}

/// What became of it, in one word: of one that is to be sent also `held`, `waiting` or `dead`, while nobody has it.
fn stand(alert: &api::Alert) -> &str {
    match (&alert.held, &alert.undelivered) {
        (Some(_), _) => "held",
        (None, Some(undelivered)) => undelivered,
        (None, None) => &alert.disposition,
    }
}

/// Whether nobody has it, nor will.
fn is_dead(alert: &api::Alert) -> bool {
    alert.undelivered.as_deref() == Some("dead")
}

/// The alerts made since `since`, newest first.
async fn all(session: &Session, since: Option<Timestamp>) -> anyhow::Result<Vec<api::Alert>> {
    let mut alerts: Vec<api::Alert> = Vec::new();
    loop {
        let after = alerts.last().map(|alert| alert.alert.id.clone());
        let reply = session.call(Call::Alerts { since, limit: PAGE, after }).await?;
        let Reply::Alerts(page) = reply else { return unexpected(reply) };
        let last = page.len() < PAGE;
        alerts.extend(page);
        if last {
            return Ok(alerts);
        }
    }
}

/// A line of JSON for each.
fn lines(alerts: &[api::Alert]) -> anyhow::Result<String> {
    let line = |alert: &api::Alert| serde_json::to_string(alert).map(|json| json + "\n");
    Ok(alerts.iter().map(line).collect::<Result<_, _>>()?)
}

/// A table with a head; times in UTC, lists parted by `; `.
fn csv(alerts: &[api::Alert]) -> anyhow::Result<String> {
    let mut table = csv::Writer::from_writer(Vec::new());
    table.write_record([
        "created",
        "severity",
        "type",
        "disposition",
        "rules",
        "title",
        "text",
        "url",
        "source",
        "tier",
        "kind",
        "lang",
        "published",
        "fetched",
        "entities",
        "places",
        "story",
        "id",
    ])?;
    for told in alerts {
        let (alert, item) = (&told.alert, &told.alert.item.item);
        let joined = |names: Vec<&str>| names.join("; ");
        table.write_record([
            told.created.to_string(),
            alert.severity.clone(),
            told.kind.clone(),
            stand(told).to_owned(),
            joined(alert.rules.iter().map(|rule| rule.name.as_str()).collect()),
            cell(&item.title),
            cell(&item.text),
            cell(item.url.as_deref().unwrap_or_default()),
            item.source.clone().unwrap_or_default(),
            alert.item.tier.to_string(),
            kind(item.kind).to_owned(),
            cell(item.lang.as_deref().unwrap_or_default()),
            item.published.map(|at| at.to_string()).unwrap_or_default(),
            alert.item.fetched.to_string(),
            cell(&joined(alert.entities.iter().map(|entity| entity.name.as_str()).collect())),
            cell(&joined(alert.places.iter().map(|place| place.name.as_str()).collect())),
            alert.story.id.clone(),
            alert.id.clone(),
        ])?;
    }
    Ok(String::from_utf8(table.into_inner()?)?)
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Feed => "feed",
        Kind::Telegram => "telegram",
        Kind::Page => "page",
    }
}

/// Foreign text for a cell: a spreadsheet would take some beginnings for a formula, and obey it.
fn cell(text: &str) -> String {
    let text: String = text.chars().filter_map(crate::notify::foreign::harmless).collect();
    if text.starts_with(['=', '+', '-', '@']) { format!("'{text}") } else { text }
}

/// A heading for each day of the desk, and under it a line for each alert; at its end what became of it, where nobody was
/// told.
fn markdown(alerts: &[api::Alert], desk: &TimeZone) -> String {
    let mut out = "# Alerts\n".to_owned();
    let mut day = None;
    for told in alerts {
        let at = told.created.to_zoned_datetime(desk.clone());
        if day != Some(at.date()) {
            day = Some(at.date());
            _ = write!(out, "\n## {}\n\n", at.date());
        }
        let (alert, item) = (&told.alert, &told.alert.item.item);
        let head = if item.title.is_empty() { &item.text } else { &item.title };
        let head = unmarked(&cut(&line(head), HEADLINE_CHARS_MAX));
        let head = match item.url.as_deref().and_then(web) {
            Some(url) => format!("[{head}](<{url}>)"),
            None => head,
        };
        let rules: Vec<String> = alert.rules.iter().map(|rule| format!("`{}`", rule.name)).collect();
        let places: Vec<String> = alert.places.iter().map(|place| unmarked(&place.name)).collect();
        let source = unmarked(item.source.as_deref().unwrap_or("?"));
        // Writing to a string fails never.
        _ = write!(
            out,
            "- **{}** {} · {head} · {source} (tier {}) · {}",
            at.strftime("%H:%M"),
            alert.severity.to_uppercase(),
            alert.item.tier,
            rules.join(", "),
        );
        if !places.is_empty() {
            _ = write!(out, " · {}", places.join(", "));
        }
        if stand(told) != "sent" {
            _ = write!(out, " · *{}*", fate(told));
        }
        out.push('\n');
    }
    out
}

/// An address that leads to the web and ends nothing early.
fn web(url: &str) -> Option<url::Url> {
    url::Url::parse(url).ok().filter(|url| matches!(url.scheme(), "http" | "https"))
}
