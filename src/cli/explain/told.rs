//! What was explained, for people: the item with its words marked, then the rules, those that matter most first.

use std::collections::BTreeMap;

use super::super::alerts::fate;
use super::super::marked::{self, Style};
use super::super::print::{line, plain};
use crate::control::api::{Alert, Delivery, Explain, RuleVerdict};
use crate::control::article::Article;
use crate::control::route::Way;
use crate::notify::foreign::wrap;
use crate::text::{ByteSpan, Field};
use crate::wire::alert::Why;
use crate::wire::item::Item;

/// Clauses that say for which items a rule is. A rule that is not for an item has little to say of it.
const FILTERS: [&str; 6] = ["mode", "lang", "source", "kind", "forwarded_from", "max_age"];

/// Greatest width of a term in a column; longer ones push their line out of it.
const TERM_CHARS_MAX: usize = 40;

/// Greatest length of quoted words.
const WORDS_CHARS_MAX: usize = 60;

/// Greatest length of the words that tell why a rule is silent.
const WHY_CHARS_MAX: usize = 1000;

/// Characters of a line.
const WIDTH: usize = 98;

/// Prints it. `asked` says whether one rule was asked for by name.
pub(super) fn print(told: &Explain, asked: bool, style: Style) -> anyhow::Result<()> {
    head(told)?;
    text(told, style)?;
    let begins = told.article.as_ref().and_then(|article| article.start);
    for rule in told.rules.iter().filter(|rule| rule.fired) {
        fired(rule, begins, style).into_iter().try_for_each(line)?;
    }
    silent(&told.rules, asked).into_iter().try_for_each(line)?;
    told.way.iter().flat_map(Way::lines).try_for_each(line)?;
    told.article.iter().map(article).try_for_each(line)?;
    told.alerts.iter().map(alert).try_for_each(line)?;
    let silences = told.alerts.iter().filter_map(|alert| Some((alert, alert.silence.as_ref()?)));
    for (alert, silence) in silences {
        line(format!("silenced  {}  by {silence}", alert.alert.id))?;
    }
    told.deliveries.iter().map(delivery).try_for_each(line)
}

fn head(told: &Explain) -> anyhow::Result<()> {
    let Item { id, source, lang, published, url, .. } = &told.item;
    line(format!("item      {id}"))?;
    let from = source.as_ref().map(|name| format!("from {}", plain(name, 64)));
    let lang = lang.as_ref().map(|lang| format!("in {}", plain(lang, 20)));
    let published = published.map(|at| format!("published {}", at.strftime("%Y-%m-%d %H:%MZ")));
    let facts: Vec<String> = [from, lang, published].into_iter().flatten().collect();
    if !facts.is_empty() {
        line(format!("source    {}", facts.join(", ")))?;
    }
    if let Some(url) = url {
        line(format!("link      {}", plain(url, 200)))?;
    }
    line(format!("mentions  {}", told.entities.join(" ")).trim_end())
}

/// Title and text, each set off by a line.
fn text(told: &Explain, style: Style) -> anyhow::Result<()> {
    for (text, field) in [(&told.item.title, Field::Title), (&told.item.text, Field::Text)] {
        let whys = told.rules.iter().flat_map(|rule| &rule.why);
        let spans: Vec<ByteSpan> = whys
            .filter(|why| why.field == field.as_str())
            .map(|why| ByteSpan { start: why.start, end: why.end })
            .collect();
        let lines = marked::lines(text, &spans, style);
        if !lines.is_empty() {
            line("")?;
        }
        lines.into_iter().try_for_each(|shown| line(format!("  {shown}")))?;
    }
    line("")
}

/// A rule that fired: its terms, the words that met them and their places, in columns. The article, if there is one, begins
/// at that byte of the text.
fn fired(rule: &RuleVerdict, article: Option<usize>, style: Style) -> Vec<String> {
    let mode = rule.mode.as_ref().map(|mode| format!(", {mode}: recorded, not sent")).unwrap_or_default();
    let mut lines =
        vec![format!("{}     {} ({}{mode})", style.strong("FIRED"), plain(&rule.rule, 100), rule.severity)];
    let rows: Vec<[String; 2]> = rule.why.iter().map(reason).collect();
    let widths = [0, 1].map(|column| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    });
    for ([term, words], why) in rows.iter().zip(&rule.why) {
        let term = padded(term, widths[0].min(TERM_CHARS_MAX));
        let words = padded(words, widths[1].min(WORDS_CHARS_MAX));
        let in_article =
            why.field == Field::Text.as_str() && article.is_some_and(|begins| why.start >= begins);
        let whose = if in_article { ", in the linked article" } else { "" };
        lines.push(format!("  {term}  {words}  {} {}..{}{whose}", why.field, why.start, why.end));
    }
    match (rule.score, rule.threshold) {
        (Some(score), Some(threshold)) => lines.push(format!("  score {score} of {threshold}")),
        (Some(score), None) => lines.push(format!("  score {score}")),
        (None, _) => {}
    }
    lines.extend(rule.note.as_ref().map(|note| format!("  note: {}", plain(note, WHY_CHARS_MAX))));
    lines
}

fn reason(why: &Why) -> [String; 2] {
    [plain(&why.term, 200), format!("\"{}\"", plain(&why.text, WORDS_CHARS_MAX))]
}

fn padded(cell: &str, width: usize) -> String {
    format!("{cell}{}", " ".repeat(width.saturating_sub(cell.chars().count())))
}

/// The silent rules: first those that only `none` silences, then those with a nearest miss, last in one line
/// those that are not for such an item, unless they were asked for.
fn silent(rules: &[RuleVerdict], asked: bool) -> Vec<String> {
    let mut lines = Vec::new();
    let mut filtered: BTreeMap<&str, usize> = BTreeMap::new();
    let mut silent: Vec<&RuleVerdict> = Vec::new();
    for rule in rules.iter().filter(|rule| !rule.fired) {
        match filter(rule).filter(|_| !asked) {
            Some(filter) => *filtered.entry(filter).or_default() += 1,
            None => silent.push(rule),
        }
    }
    silent.sort_by_key(|rule| (!rule.only_none, rule.nearest.is_none()));
    lines.extend(silent.into_iter().flat_map(|rule| miss(rule, asked)));
    if !filtered.is_empty() {
        let count: usize = filtered.values().sum();
        let by: Vec<String> = filtered.iter().map(|(filter, count)| format!("{count} by {filter}")).collect();
        lines
            .push(format!("not asked {count} rules are not for this item ({}); --rule tells", by.join(", ")));
    }
    lines
}

/// Why a rule is silent: whole when it came close or was asked for, else in one line.
fn miss(rule: &RuleVerdict, asked: bool) -> Vec<String> {
    let (clause, detail) = (rule.clause.as_deref(), rule.detail.as_deref().unwrap_or_default());
    let clause = if rule.only_none { Some("lost only to none") } else { clause };
    let failed = format!("{}: {detail}", clause.unwrap_or_default());
    let name = plain(&rule.rule, 100);
    if !asked && !rule.only_none && rule.nearest.is_none() {
        return hanging("silent    ", &format!("{name}: {}", plain(&failed, WHY_CHARS_MAX)));
    }
    let nearest = rule.nearest.as_ref().map(|nearest| format!("nearest: {nearest}"));
    let mut lines = vec![format!("silent    {name}")];
    for told in std::iter::once(failed).chain(nearest) {
        let wrapped = wrap(&plain(&told, WHY_CHARS_MAX), WIDTH - 4);
        lines.extend(wrapped.lines().zip(0_usize..).map(|(row, number)| {
            let indent = if number == 0 { "  " } else { "    " };
            format!("{indent}{row}")
        }));
    }
    lines
}

/// A text in lines of the width behind a head, the later ones indented as far.
fn hanging(head: &str, text: &str) -> Vec<String> {
    let wrapped = wrap(text, WIDTH - head.len());
    let rows = wrapped.lines().zip(0_usize..);
    rows.map(|(row, number)| format!("{}{row}", if number == 0 { head } else { "          " })).collect()
}

/// The filter that keeps a rule from being asked.
fn filter(rule: &RuleVerdict) -> Option<&'static str> {
    let clause = rule.clause.as_deref()?;
    let word = clause.split(':').next().unwrap_or_default();
    FILTERS.into_iter().find(|filter| *filter == word)
}

fn alert(alert: &Alert) -> String {
    let created = alert.created.strftime("%Y-%m-%d %H:%M:%SZ");
    let (kind, fate) = (&alert.kind, fate(alert));
    let (story, reports) = (&alert.alert.story.id, alert.alert.story.reports);
    let id = &alert.alert.id;
    format!("alert     {id}  {created}  {kind}, {fate}, story {story}, report {reports}")
}

fn article(article: &Article) -> String {
    let at = article.at.strftime("%Y-%m-%d %H:%MZ");
    let more = match (article.end.as_str(), &article.detail, article.characters) {
        ("waiting", ..) => format!(", due {at}"),
        (_, Some(detail), _) => format!(" {at}: {}", plain(detail, WHY_CHARS_MAX)),
        (_, None, Some(characters)) => format!(" {at}, {characters} characters"),
        (_, None, None) => format!(" {at}"),
    };
    format!("article   {}  {}{more}", plain(&article.url, 200), plain(&article.end, 20))
}

fn delivery(delivery: &Delivery) -> String {
    let reason = plain(delivery.reason.as_deref().unwrap_or_default(), 100);
    let to = [delivery.notifier.as_str(), delivery.recipient.as_str()].join(" ");
    let (id, state, attempts) = (&delivery.id, &delivery.state, delivery.attempts);
    format!("delivery  {id}  {}, {state} after {attempts} attempts {reason}", to.trim_end()).trim_end().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn why(term: &str, text: &str, start: usize) -> Why {
        let (term, text) = (term.to_owned(), text.to_owned());
        Why { end: start + text.len(), term, text, field: "title".to_owned(), start }
    }

    fn missed(rule: &str, clause: &str, detail: &str, nearest: Option<&str>) -> RuleVerdict {
        RuleVerdict {
            rule: rule.to_owned(),
            clause: Some(clause.to_owned()),
            detail: Some(detail.to_owned()),
            nearest: nearest.map(str::to_owned),
            only_none: clause.starts_with("none"),
            ..RuleVerdict::default()
        }
    }

    #[test]
    fn a_rule_that_fired_stands_in_columns() {
        let rule = RuleVerdict {
            rule: "cholera".to_owned(),
            severity: "high".to_owned(),
            mode: Some("shadow".to_owned()),
            fired: true,
            why: vec![
                why("cholera", "Choléra", 0),
                why("@sahel | @ml", "Mali\u{1b}", 12),
                Why { field: "text".to_owned(), ..why("cholera", "choléra", 11) },
                Why { field: "text".to_owned(), ..why("@ml", "Mali", 12) },
            ],
            score: Some(45),
            threshold: Some(40),
            note: Some("Call\nthe desk.".to_owned()),
            ..RuleVerdict::default()
        };
        let expected = [
            "FIRED     cholera (high, shadow: recorded, not sent)",
            "  cholera       \"Choléra\"  title 0..8",
            "  @sahel | @ml  \"Mali\"     title 12..17",
            "  cholera       \"choléra\"  text 11..19",
            "  @ml           \"Mali\"     text 12..16, in the linked article",
            "  score 45 of 40",
            "  note: Call the desk.",
        ];
        assert_eq!(fired(&rule, Some(12), Style::Plain), expected);
    }

    #[test]
    fn silent_rules_that_came_closest_come_first() {
        let rules = [
            missed("far", "all: mopti", "nothing in the item meets it", None),
            missed("french", "lang", "the item is in `en`", None),
            missed(
                "close",
                "all: withdraw*",
                "nothing meets it",
                Some("`withdrew` is not matched by `withdraw*`"),
            ),
            missed("press", "source", "the item is from `x`", None),
            missed("sport", "none: @sport", "`@sport` vetoes it by `match` (title 3..8)", None),
            missed("german", "lang", "the item is in `en`", None),
        ];
        let expected = [
            "silent    sport",
            "  lost only to none: `@sport` vetoes it by `match` (title 3..8)",
            "silent    close",
            "  all: withdraw*: nothing meets it",
            "  nearest: `withdrew` is not matched by `withdraw*`",
            "silent    far: all: mopti: nothing in the item meets it",
            "not asked 3 rules are not for this item (2 by lang, 1 by source); --rule tells",
        ];
        assert_eq!(silent(&rules, false), expected);
        assert_eq!(silent(&rules[1..2], true), ["silent    french", "  lang: the item is in `en`"]);
    }
}
