//! `harmattan explain`: why each rule did or did not fire on an item, and what an entity is found by.

pub(super) mod entity;
mod told;

use std::io::{self, Read};

use anyhow::{Context as _, bail};

use super::At;
use super::marked::Style;
use super::print::{Exit, json};
use super::reach::{reach, unexpected};
use crate::control::explain::verdicts;
use crate::control::{Call, Mistake, Reply};
use crate::desk::Desk;
use crate::item::SourceKind;
use crate::wire;

/// Greatest size of an item on the standard input.
const INPUT_BYTES_MAX: usize = 16 * 1024 * 1024;

#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// Id of an item or alert, link of a stored item, or - for an item as JSON (or plain text) on standard input
    #[arg(value_name = "URL|ID|-", required_unless_present = "entity")]
    subject: Option<String>,
    /// Only this rule
    #[arg(long)]
    rule: Option<String>,
    /// Instead: what this entity is found by, what lies above and below it, and which rules ask for it
    #[arg(long, value_name = "ID", conflicts_with_all = ["subject", "rule"])]
    entity: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn explain(at: &At, options: &Options) -> anyhow::Result<Exit> {
    if let Some(id) = &options.entity {
        return entity::explain(&at.desk()?, id, options.json);
    }
    let subject = options.subject.as_deref().unwrap_or_default();
    let told = if subject == "-" {
        let desk = at.desk()?;
        if let Some(rule) = options.rule.as_deref().filter(|rule| !desk.engine.has_rule(rule)) {
            return Err(unknown(&desk, rule).into());
        }
        let item = given(&whole(io::stdin().lock(), INPUT_BYTES_MAX)?, &desk)?;
        verdicts(&desk, item, None, options.rule.as_deref(), (&[], None))
    } else {
        let call = Call::Explain { subject: subject.to_owned(), rule: options.rule.clone() };
        let reply = reach(at, call).await?;
        let Reply::Explain(told) = reply else { return unexpected(reply) };
        if let Some(rule) = options.rule.as_deref().filter(|_| told.rules.is_empty()) {
            // The daemon has no such rule; those on disk are the nearest to what it has.
            return Err(unknown(&at.desk()?, rule).into());
        }
        *told
    };
    if options.json {
        json(&told)?;
    } else {
        let style = Style::of_output(at.environment.variable("NO_COLOR").as_deref());
        told::print(&told, options.rule.is_some(), style)?;
    }
    Ok(Exit::Done)
}

fn unknown(desk: &Desk, rule: &str) -> Mistake {
    Mistake::unknown("rule", rule, desk.engine.rule_names())
}

/// The whole input, which is refused when it is longer than `most` bytes: a part of an item would be judged wrongly.
fn whole(input: impl Read, most: usize) -> anyhow::Result<String> {
    let mut bytes = Vec::new();
    let read = input.take(most as u64 + 1).read_to_end(&mut bytes);
    read.context("cannot read the standard input")?;
    if bytes.len() > most {
        bail!("the standard input is longer than {most} bytes");
    }
    String::from_utf8(bytes).context("the standard input is not UTF-8")
}

/// An item as `preview --json` prints it, or a plain text whose first line is the title. One that says nothing of its
/// kind is of that of its source.
fn given(input: &str, desk: &Desk) -> anyhow::Result<crate::item::Item> {
    let item: wire::item::Item = if input.trim_start().starts_with('{') {
        let mut value: serde_json::Value = serde_json::from_str(input)?;
        let fields = value.as_object_mut().context("an item is a JSON object")?;
        fields.entry("id").or_insert_with(|| "0".repeat(26).into());
        let source = fields.get("source").and_then(|name| name.as_str()).and_then(|name| desk.source(name));
        let kind = source.map_or(SourceKind::Feed, |source| source.kind());
        fields.entry("kind").or_insert_with(|| kind.as_str().into());
        let known = fields
            .get("id")
            .and_then(|id| id.as_str())
            .is_some_and(|id| id.parse::<crate::item::ItemId>().is_ok());
        if !known {
            fields.insert("id".into(), "0".repeat(26).into());
        }
        serde_json::from_value(value)?
    } else {
        let (title, text) = input.split_once('\n').unwrap_or((input, ""));
        serde_json::from_value(serde_json::json!({
            "id": "0".repeat(26), "kind": "feed", "title": title.trim(), "text": text.trim(),
        }))?
    };
    Ok(item.try_into()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_input_is_taken_whole_or_not_at_all() {
        assert_eq!(whole("Мали".as_bytes(), 8).unwrap(), "Мали");
        for (input, most, expected) in
            [("Мали".as_bytes(), 7, "longer than 7 bytes"), (b"\xff".as_slice(), 7, "not UTF-8")]
        {
            let refused = whole(input, most).unwrap_err();
            assert!(format!("{refused:#}").contains(expected), "{refused:#}");
        }
    }
}
