//! `harmattan match`: JSON Lines of items in, JSON Lines of verdicts out. No store, no network.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::PathBuf;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use super::At;
use super::print::{Exit, json, talk};
use crate::desk::Desk;
use crate::item::{Item, ItemId, SeenKey, SourceKind, SourceName};
use crate::rules::SourceLabel;
use crate::wire::alert::Rule;

/// Greatest length of a line.
const LINE_BYTES_MAX: u64 = 16 * 1024 * 1024;

#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// JSON Lines with `id,title,text,lang?,source?,url?,published?` [default: standard input]
    file: Option<PathBuf>,
}

/// A line of input. Further fields, such as those of `preview --json`, are passed over.
#[derive(Debug, Deserialize)]
struct Line {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    title: String,
    #[serde(default)]
    text: String,
    #[serde(default)]
    lang: Option<String>,
    #[serde(default)]
    source: Option<String>,
    #[serde(default)]
    url: Option<String>,
    #[serde(default)]
    published: Option<jiff::Timestamp>,
    /// Lines of `preview --json` that tell of a problem and hold no item.
    #[serde(default)]
    problem: Option<serde_json::Value>,
}

/// A line of output.
#[derive(Debug, Serialize)]
struct Verdict {
    id: String,
    fired: Vec<Fired>,
    entities: Vec<String>,
    places: Vec<String>,
}

/// A rule that fired.
#[derive(Debug, Serialize)]
struct Fired {
    rule: String,
    severity: String,
    score: Option<i64>,
    why: Vec<crate::wire::alert::Why>,
}

pub(super) fn matching(at: &At, options: &Options) -> anyhow::Result<Exit> {
    let desk = at.desk()?;
    let mut input: Box<dyn BufRead> = match &options.file {
        Some(path) => {
            let file = File::open(path).with_context(|| format!("cannot read `{}`", path.display()))?;
            Box::new(BufReader::new(file))
        }
        None => Box::new(io::stdin().lock()),
    };
    let mut wrong = false;
    for number in 1.. {
        let mut bytes = Vec::new();
        if input.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut bytes)? == 0 {
            break;
        }
        if bytes.trim_ascii().is_empty() {
            continue;
        }
        match serde_json::from_slice::<Line>(&bytes) {
            Ok(line) if line.problem.is_some() => {}
            Ok(line) => json(&judge(&desk, line, number))?,
            Err(error) => {
                talk(format!("line {number}: {error}"));
                wrong = true;
            }
        }
    }
    Ok(Exit::wrong_if(wrong))
}

fn judge(desk: &Desk, line: Line, number: u64) -> Verdict {
    let name = line.source.as_deref().and_then(SourceName::new);
    let item = Item {
        id: ItemId::from_bytes(SeenKey::new("line", &number.to_string()).to_bytes()),
        source: name.clone(),
        kind: SourceKind::Feed,
        title: line.title,
        text: line.text,
        url: line.url,
        author: None,
        lang: line.lang,
        published: line.published,
        updated: None,
        tags: Vec::new(),
        guid: None,
        telegram: None,
    };
    let configured = name.as_ref().and_then(|name| desk.source(name.as_str()));
    let tags = configured.map(|source| source.spec.tags.as_slice()).unwrap_or_default();
    let label = name.as_ref().map(|name| SourceLabel { name, tags });
    let verdict = desk.engine.judge(&item, label);
    Verdict {
        id: line.id.unwrap_or_else(|| number.to_string()),
        fired: verdict.fired.into_iter().map(|fired| fired_of(fired.into())).collect(),
        entities: verdict.entities.into_iter().map(|entity| entity.id).collect(),
        places: verdict.places.into_iter().map(|place| place.id).collect(),
    }
}

fn fired_of(rule: Rule) -> Fired {
    Fired { rule: rule.name, severity: rule.severity, score: rule.score, why: rule.why }
}
