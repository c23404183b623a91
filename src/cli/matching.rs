//! `harmattan match`: JSON Lines of items in, JSON Lines of verdicts out. No store, no network.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read as _};
use std::path::PathBuf;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};

use super::At;
use super::print::{Exit, json, talk};
use crate::control::explain::label;
use crate::desk::Desk;
use crate::item::{Item, ItemId, SeenKey, SourceName};
use crate::rules::spec::Mode;
use crate::rules::verdict::Match;
use crate::wire::item::{Kind, Telegram};

/// Greatest length of a line, its end included.
const LINE_BYTES_MAX: usize = 16 * 1024 * 1024;

#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// JSON Lines with `id,title,text,lang?,source?,url?,published?`, and `kind?,telegram?` as `preview --json`
    /// prints them [default: standard input]
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
    /// As `preview --json` prints it; whatever else stands there is passed over.
    #[serde(default)]
    kind: serde_json::Value,
    /// Likewise.
    #[serde(default)]
    telegram: serde_json::Value,
    /// Lines of `preview --json` that tell of a problem and hold no item.
    #[serde(default)]
    problem: Option<serde_json::Value>,
}

/// A line of output.
#[derive(Debug, Serialize)]
struct Verdict {
    id: String,
    /// The text that the reasons are places of, where it is longer than the one given: with a poll, for example.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
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
    /// `shadow`; absent of a live rule.
    #[serde(skip_serializing_if = "Option::is_none")]
    mode: Option<&'static str>,
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
        let line = match next_line(&mut input, LINE_BYTES_MAX)? {
            Read::End => break,
            Read::Line(bytes) if bytes.trim_ascii().is_empty() => continue,
            Read::Line(bytes) => serde_json::from_slice::<Line>(&bytes).map_err(|error| error.to_string()),
            Read::TooLong => Err(format!("longer than {LINE_BYTES_MAX} bytes; passed over")),
        };
        match line {
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

/// What comes next in the input.
#[derive(Debug, PartialEq)]
enum Read {
    /// Nothing.
    End,
    /// A line, with its end unless the input ends first.
    Line(Vec<u8>),
    /// A line too long to hold; the input is behind it.
    TooLong,
}

/// Reads a line of at most `most` bytes, its end included.
fn next_line(input: &mut impl BufRead, most: usize) -> io::Result<Read> {
    let mut bytes = Vec::new();
    input.by_ref().take(most as u64).read_until(b'\n', &mut bytes)?;
    if bytes.is_empty() {
        return Ok(Read::End);
    }
    let is_cut = bytes.len() == most && bytes.last() != Some(&b'\n');
    // A last line without an end may be just that long.
    if is_cut && input.skip_until(b'\n')? > 0 {
        return Ok(Read::TooLong);
    }
    Ok(Read::Line(bytes))
}

fn judge(desk: &Desk, line: Line, number: u64) -> Verdict {
    let name = line.source.as_deref().and_then(SourceName::new);
    let telegram: Option<Telegram> = serde_json::from_value(line.telegram).ok();
    let source = line.source.as_deref().and_then(|name| desk.source(name));
    let default = match source {
        _ if telegram.is_some() => Kind::Telegram,
        Some(source) => source.kind().into(),
        None => Kind::Feed,
    };
    let kind: Kind = serde_json::from_value(line.kind).unwrap_or(default);
    let item = Item {
        id: ItemId::from_bytes(SeenKey::new("line", &number.to_string()).to_bytes()),
        source: name,
        kind: kind.into(),
        url: line.url,
        lang: line.lang.or_else(|| source.and_then(|source| source.plan().lang).map(str::to_owned)),
        published: line.published,
        telegram: telegram.map(Into::into),
        ..Item::of_text(line.title, line.text)
    };
    let label = label(desk, &item);
    let verdict = desk.engine.judge(&item, label);
    let text = match verdict.quoted(&item) {
        Cow::Borrowed(_) => None,
        Cow::Owned(whole) => Some(whole.text),
    };
    Verdict {
        text,
        id: line.id.unwrap_or_else(|| number.to_string()),
        fired: verdict.fired.into_iter().map(fired_of).collect(),
        entities: verdict.entities.iter().map(|entity| entity.id.clone()).collect(),
        places: verdict.places.iter().map(|place| place.id.clone()).collect(),
    }
}

fn fired_of(fired: Match) -> Fired {
    Fired {
        rule: fired.rule.to_string(),
        severity: fired.severity.to_string(),
        score: fired.score,
        mode: (fired.mode != Mode::Live).then(|| fired.mode.as_str()),
        why: fired.why.into_iter().map(Into::into).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_too_long_is_told_and_passed_over_whole() {
        let line = |text: &str| Read::Line(text.into());
        for (input, expected) in [
            ("", vec![]),
            ("a\n\nb", vec![line("a\n"), line("\n"), line("b")]),
            ("abc\nd\n", vec![line("abc\n"), line("d\n")]),
            ("abcd", vec![line("abcd")]),
            ("abcd\ne\n", vec![Read::TooLong, line("e\n")]),
            ("abcdefghijkl\ne", vec![Read::TooLong, line("e")]),
            ("a\nbcdef", vec![line("a\n"), Read::TooLong]),
        ] {
            let mut rest = input.as_bytes();
            let mut read = Vec::new();
            while let next @ (Read::Line(_) | Read::TooLong) = next_line(&mut rest, 4).unwrap() {
                read.push(next);
            }
            assert_eq!(read, expected, "{input:?}");
        }
    }
}
