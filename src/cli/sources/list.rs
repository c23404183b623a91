//! `harmattan sources list`: the state of each source on one screen.

use jiff::Timestamp;

use crate::cli::At;
use crate::cli::print::{Exit, counted, json_lines, plain};
use crate::cli::reach::{reach, unexpected};
use crate::cli::table::Table;
use crate::control::{Call, Reply, api};
use crate::daemon::clock;
use crate::item::SourceKind;
use crate::schedule;
use crate::source::LAYOUT;

const HEAD: [&str; 12] =
    ["source", "kind", "state", "read", "new", "rhythm", "known", "mended", "lost", "gaps", "next", "by"];

/// What the columns mean.
const COLUMNS: &str = "Columns:
  source  its name in the config
  kind    feed, telegram or page
  state   new (never read), ok, failing, gone (for good), silent (nothing new for too long),
          same (another source has its document), off
  read    time since it was last read
  new     time since its last new item
  rhythm  usual time between two new items; a dash also where most come together
  known   items of its last document that were known before, of all: where none was, items between
          two polls may have been missed
  mended  flaws of the last document that were mended without loss
  lost    entries of the last document that could not be read
  gaps    spans of time, the last ones, of which items may have been missed
  next    time until the next poll
  by      what decided that: interval (its own, or the one to start from), rhythm (of its items),
          burst (more may follow a new item), overlap (hardly an item was known), unconditional (its
          server gives nothing to ask by whether it has changed), ttl, update-period, skip-hours (of
          the feed), max-age, retry-after (of the server), backoff (after failures), gone (a 410
          of the server), same-document (another source has it)

Under a source stands what is odd about it. A dash is nothing known yet.";

#[derive(Clone, Debug, clap::Args)]
#[command(after_help = COLUMNS)]
pub(super) struct List {
    /// Print JSON Lines
    #[arg(long)]
    json: bool,
    /// Failing sources alone
    #[arg(long)]
    failing: bool,
}

pub(super) async fn list(at: &At, options: &List) -> anyhow::Result<Exit> {
    let reply = reach(at, Call::Sources).await?;
    let Reply::Sources(mut sources) = reply else { return unexpected(reply) };
    if options.failing {
        sources.retain(|source| source.reason.is_some());
    }
    if options.json {
        json_lines(&sources)?;
        return Ok(Exit::Done);
    }
    table(&sources, clock::now()).print()?;
    Ok(Exit::Done)
}

/// One line for each source, and what is odd about it under it.
fn table(sources: &[api::Source], now: Timestamp) -> Table {
    let mut table = Table::new(&HEAD);
    for source in sources {
        let ago = |time: Option<Timestamp>| {
            time.map_or_else(|| "-".to_owned(), |time| short(now.duration_since(time).as_secs()))
        };
        let learned = &source.learned;
        let known = match (learned.window_known, learned.window_items) {
            (Some(known), Some(items)) => format!("{known}/{items}"),
            _ => "-".to_owned(),
        };
        let rhythm = learned.rhythm_seconds.filter(|gap| *gap > 0);
        let rhythm = rhythm.map_or_else(|| "-".to_owned(), |gap| short(gap.cast_signed()));
        let cells = vec![
            source.name.clone(),
            SourceKind::from(source.kind).as_str().to_owned(),
            source.state.clone(),
            ago(source.last_success),
            ago(source.last_new),
            rhythm,
            known,
            learned.mended_last.to_string(),
            source.lost_last.to_string(),
            source.gaps.len().to_string(),
            next(source, now),
            learned.due_by.clone().unwrap_or_else(|| "-".to_owned()),
        ];
        table.row(cells, &remark(source, now));
    }
    table
}

/// How articles ended, the most frequent end first.
fn told_articles(articles: &api::Articles, now: Timestamp) -> String {
    let mut ends: Vec<_> = articles.ends.iter().collect();
    ends.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    let ends: Vec<String> = ends.iter().map(|(end, count)| format!("{count} {end}")).collect();
    let span = short(now.duration_since(articles.since).as_secs());
    format!("articles of {span}: {}", plain(&ends.join(", "), 80))
}

/// What is wrong, without what to do about it, which stands by itself.
fn wrong(detail: &str) -> String {
    let Some((wrong, deed)) = detail.split_once("; `harmattan ") else { return detail.to_owned() };
    deed.split_once("; ").map_or_else(|| wrong.to_owned(), |(_, more)| format!("{wrong}; {more}"))
}

/// How long until the next poll.
fn next(source: &api::Source, now: Timestamp) -> String {
    match source.due {
        None => "-".to_owned(),
        Some(due) if due == schedule::NEVER => "never".to_owned(),
        Some(due) if due <= now => "now".to_owned(),
        Some(due) => short(due.duration_since(now).as_secs()),
    }
}

/// A span of time in its greatest unit, cut.
fn short(seconds: i64) -> String {
    let seconds = seconds.max(0);
    match seconds {
        0..60 => format!("{seconds}s"),
        60..3_600 => format!("{}m", seconds / 60),
        3_600..172_800 => format!("{}h", seconds / 3_600),
        _ => format!("{}d", seconds / 86_400),
    }
}

fn remark(source: &api::Source, now: Timestamp) -> String {
    let mut remarks = Vec::new();
    if let (Some(reason), Some(detail)) = (&source.reason, &source.detail) {
        let since = source
            .since
            .map_or_else(String::new, |since| format!(" for {}", short(now.duration_since(since).as_secs())));
        let polls = counted(source.failures, ["poll", "polls"]);
        remarks.push(format!("{reason}{since} ({polls}): {}", plain(&wrong(detail), 80)));
    }
    if source.reason.as_deref() == Some(LAYOUT) && source.page_kept.is_some() {
        remarks.push(format!("`harmattan sources page {}` prints the page", source.name));
    }
    if let Some(other) = &source.learned.same_as {
        remarks.push(format!("the same document as `{other}`, which has its items"));
    }
    if let Some(to) = &source.learned.moved_to {
        remarks.push(format!("has moved to `{}`: write that into the config", plain(to, 100)));
    }
    if source.learned.cut_last {
        remarks.push("the last document ended too early: what else it had is not known".to_owned());
    }
    if source.lost_last > 0 {
        let lost = counted(source.lost_last, ["entry", "entries"]);
        remarks.push(format!("{lost} lost in the last reading"));
    }
    if let Some((now, before)) = source.taken_over {
        remarks.push(format!("read under its name: another channel ({now}) than at first ({before})"));
    }
    if let Some(articles) = &source.articles {
        remarks.push(told_articles(articles, now));
    }
    if source.articles_waiting > 0 {
        remarks
            .push(format!("{} yet to be fetched", counted(source.articles_waiting, ["article", "articles"])));
    }
    if let Some(last) = source.gone.last() {
        let gone = counted(source.gone.len(), ["message", "messages"]);
        remarks.push(format!("{gone} gone from the preview, last {}", last.url));
    }
    if let (Some(since), "silent") = (source.since, source.state.as_str()) {
        let (quiet, patience) =
            (short(now.duration_since(since).as_secs()), source.silent_after_minutes * 60);
        remarks.push(format!("nothing new for {quiet}; expected within {}", short(patience.cast_signed())));
    }
    if let Some(gap) = source.gaps.last() {
        let (since, until) = (gap.since.strftime("%m-%d %H:%MZ"), gap.until.strftime("%m-%d %H:%MZ"));
        remarks.push(format!("last possible gap from {since} to {until}"));
    }
    if let Some(order) = source.not_before.filter(|order| *order > now && Some(*order) >= source.due) {
        let until = order.strftime("%m-%d %H:%MZ");
        remarks.push(match source.state.as_str() {
            _ if order == schedule::NEVER => {
                "its server says that it is gone for good: give it its new address, or remove it".to_owned()
            }
            "gone" => format!("its server says that it is gone for good: asked once more at {until}"),
            _ => format!("its server ordered to wait until {until}"),
        });
    }
    remarks.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schedule::PollReason;

    #[test]
    fn spans_are_short() {
        let spans = [(-5, "0s"), (59, "59s"), (60, "1m"), (3_599, "59m"), (3_600, "1h"), (90_000, "25h")];
        for (seconds, expected) in spans {
            assert_eq!(short(seconds), expected);
        }
        assert_eq!(short(172_800), "2d");
    }

    #[test]
    fn what_is_gone_for_good_is_called_that_also_once_it_is_switched_off() {
        let json = r#"{"name":"a","kind":"feed","address":"https://a.example/","state":"off","items":0,"items_last":0,
            "lost_last":0}"#;
        let mut source: api::Source = serde_json::from_str(json).unwrap();
        source.not_before = Some(schedule::NEVER);
        assert!(remark(&source, Timestamp::UNIX_EPOCH).contains("gone for good"));
    }

    #[test]
    fn what_to_do_is_no_part_of_what_is_wrong() {
        for (detail, expected) in [
            ("a history without messages", "a history without messages"),
            ("a history; `harmattan sources page post` prints the page", "a history"),
            (
                "a history; `harmattan sources page post` prints the page; read through the mirror `m.example`",
                "a history; read through the mirror `m.example`",
            ),
        ] {
            assert_eq!(wrong(detail), expected);
        }
    }

    #[test]
    fn every_column_and_every_reason_is_explained() {
        let words: Vec<&str> = COLUMNS.split(|c: char| !c.is_alphanumeric() && c != '-').collect();
        for head in HEAD {
            assert!(COLUMNS.lines().any(|line| line.starts_with(&format!("  {head} "))), "{head}");
        }
        for reason in PollReason::ALL {
            assert!(words.contains(&reason.as_str()), "{reason:?}");
        }
        assert!(COLUMNS.lines().all(|line| line.chars().count() <= 100));
    }

    #[test]
    fn items_that_come_together_have_no_rhythm() {
        for (seconds, expected) in [(0, "-"), (59, "59s")] {
            let source: api::Source = serde_json::from_value(serde_json::json!({
                "name": "paper", "kind": "feed", "address": "https://a.example/", "state": "ok",
                "items": 9, "items_last": 9, "lost_last": 0, "rhythm_seconds": seconds,
            }))
            .unwrap();
            let lines = table(&[source], Timestamp::UNIX_EPOCH).lines();
            let cells: Vec<&str> = lines[1].split_whitespace().collect();
            assert_eq!(cells[5], expected, "{lines:?}");
        }
    }

    #[test]
    fn a_source_fits_into_a_line_of_120_characters() {
        let at = |minutes: i64| Timestamp::from_second(1_800_000_000 + 60 * minutes).unwrap();
        let json = r#"{"name":"a-source-with-a-long-name","kind":"telegram","address":"https://t.me/x",
            "state":"failing","items":999,"items_last":20,"lost_last":3,"rhythm_seconds":5400,"window_items":200,
            "window_known":180,"mended_last":12,"gaps":[{"since":"2026-11-01T00:00:00Z","until":"2026-11-02T00:00:00Z","detail":"x"}],"due_by":"unconditional"}"#;
        let mut source: api::Source = serde_json::from_str(json).unwrap();
        (source.last_success, source.last_new, source.due) = (Some(at(-5)), Some(at(-60 * 50)), Some(at(9)));
        let lines = table(&[source], at(0)).lines();
        assert_eq!(
            lines[1],
            "a-source-with-a-long-name  telegram  failing  5m    2d   1h      180/200  12      3     1     9m    \
             unconditional"
        );
        assert!(lines.iter().all(|line| line.chars().count() <= 120), "{lines:?}");
    }
}
