//! `harmattan silence`: being told nothing of something for a while.

use std::time::Duration;

use super::At;
use super::print::{Exit, json_lines, line, plain, talk};
use super::reach::{reach, unexpected};
use super::table::Table;
use crate::control::{Call, Reply, api};

/// Alerts that are named under a silence.
const SHOWN_MAX: usize = 10;

#[derive(Debug, clap::Args)]
pub(super) struct Options {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    list: List,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Begin a silence: its alerts, those that wait included, are recorded and counted, and nobody is told
    Add(Add),
    /// List the silences and what each held back
    List(List),
    /// End a silence early; what it held back stays untold, and `alerts` lists it
    End(End),
}

#[derive(Debug, clap::Args)]
#[group(id = "about", required = true, multiple = false)]
struct What {
    /// Alerts that tell of this rule and of no other that is not silenced
    #[arg(long)]
    rule: Option<String>,
    /// Alerts that mention this entity or place, or what lies in it
    #[arg(long, value_name = "ID")]
    entity: Option<String>,
    /// Alerts on items of this source
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    /// Alerts of this story, or of that of an alert whose id it is
    #[arg(long, value_name = "ID")]
    story: Option<String>,
}

#[derive(Debug, clap::Args)]
struct Add {
    #[command(flatten)]
    what: What,
    /// For how long, such as 4h; at most 90d
    #[arg(long = "for", value_name = "DURATION", value_parser = duration)]
    length: Duration,
    /// Why, for whoever lists it
    #[arg(long, value_parser = clap::builder::NonEmptyStringValueParser::new())]
    reason: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct List {
    /// Those that are over too
    #[arg(long)]
    all: bool,
    /// Print JSON Lines
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct End {
    /// Its id
    id: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

fn duration(text: &str) -> Result<Duration, String> {
    crate::config::duration(text).ok_or_else(|| "write a whole number and a unit, such as 4h".to_owned())
}

pub(super) async fn silence(at: &At, options: &Options) -> anyhow::Result<Exit> {
    match &options.command {
        Some(Command::Add(add)) => begin(at, add).await,
        Some(Command::End(end)) => {
            let told = ask(at, Call::EndSilence { id: end.id.clone() }).await?;
            tell(&told, end.json, "ended")
        }
        Some(Command::List(list)) => show(at, list).await,
        None => show(at, &options.list).await,
    }
}

async fn ask(at: &At, call: Call) -> anyhow::Result<Vec<api::Silence>> {
    let reply = reach(at, call).await?;
    let Reply::Silences(silences) = reply else { return unexpected(reply) };
    Ok(silences)
}

async fn begin(at: &At, options: &Add) -> anyhow::Result<Exit> {
    let What { rule, entity, source, story } = &options.what;
    let named = [("rule", rule), ("entity", entity), ("source", source), ("story", story)];
    let Some((about, name)) = named.into_iter().find_map(|(about, name)| Some((about, name.clone()?))) else {
        anyhow::bail!("nothing is named");
    };
    let call = Call::Silence {
        about: about.to_owned(),
        name: if about == "entity" { name.trim_start_matches('@').to_owned() } else { name },
        seconds: options.length.as_secs(),
        reason: options.reason.clone(),
    };
    tell(&ask(at, call).await?, options.json, "begun")
}

fn tell(silences: &[api::Silence], json: bool, done: &str) -> anyhow::Result<Exit> {
    if json {
        json_lines(silences)?;
        return Ok(Exit::Done);
    }
    for silence in silences {
        let (about, name) = (&silence.about, plain(&silence.name, 100));
        let until = silence.until.strftime("%Y-%m-%d %H:%MZ");
        line(format!(
            "{done}: {} on {about} `{name}`, until {until}; {} held back",
            silence.id, silence.held
        ))?;
    }
    Ok(Exit::Done)
}

async fn show(at: &At, options: &List) -> anyhow::Result<Exit> {
    let mut silences = ask(at, Call::Silences).await?;
    silences.retain(|silence| options.all || silence.active);
    if options.json {
        json_lines(&silences)?;
        return Ok(Exit::Done);
    }
    if silences.is_empty() {
        talk(if options.all { "no silences" } else { "no silence is in force" });
        return Ok(Exit::Done);
    }
    let mut table = Table::new(&["until", "held back", "about", "", "id"]);
    let held: Vec<String> = silences.iter().filter_map(held_back).collect();
    for silence in silences {
        let over = if silence.active { "" } else { " (over)" };
        let cells = vec![
            format!("{}{over}", silence.until.strftime("%Y-%m-%d %H:%MZ")),
            silence.held.to_string(),
            silence.about,
            silence.name,
            silence.id,
        ];
        table.row(cells, &plain(&silence.reason, 200));
    }
    table.print()?;
    held.into_iter().try_for_each(line)?;
    Ok(Exit::Done)
}

/// The newest alerts that a silence held back, newest first; `None` where there is none.
fn held_back(silence: &api::Silence) -> Option<String> {
    let newest: Vec<&str> = silence.alerts.iter().rev().take(SHOWN_MAX).map(String::as_str).collect();
    let more = if silence.alerts.len() > SHOWN_MAX { "; --json lists more" } else { "" };
    (!newest.is_empty()).then(|| format!("held back by {}: {}{more}", silence.id, newest.join(" ")))
}
