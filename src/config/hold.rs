//! What of a `[[route]]` makes its alerts wait.

use jiff::civil::Time;

use super::option::Form;
use super::read::{Node, Section};
use super::{typed, value};
use crate::route::hold::{Budget, Holds, Quiet};
use crate::rules::spec::Severity;

/// What a route for events cannot ask for: nothing holds them.
pub(super) const OF_ALERTS: [&str; 4] = ["batch", "digest", "quiet", "budget"];

/// The holds of a route; a mistake is noted and counts as absent.
pub(super) fn holds(section: &Section<'_>) -> Holds {
    let mut digest: Vec<Time> = section.list("digest").iter().filter_map(time_of_day).collect();
    digest.sort_unstable();
    digest.dedup();
    if section.has("digest") && section.list("digest").is_empty() {
        let hint = "write a time of day such as \"07:00\", or leave `digest` out";
        section.problem("digest", "is empty", Some(hint));
    }
    let at = |name: &str| section.get(name);
    Holds {
        timezone: section.has("timezone").then(|| section.zone("timezone")).flatten(),
        digest,
        quiet: at("quiet").and_then(|node| quiet(&node)),
        batch: section.has("batch").then(|| section.duration("batch")).flatten(),
        report: at("report").and_then(|node| time_of_day(&node)),
        budget: at("budget").and_then(|node| budget(&node)),
    }
}

fn quiet(node: &Node<'_>) -> Option<Quiet> {
    let section = node.section()?;
    let (from, to, except) = (section.get("from"), section.get("to"), section.word("except"));
    let (from, to) = (time_of_day(&from?), time_of_day(&to?));
    let quiet = Quiet { from: from?, to: to?, except: Severity::from_word(except?)? };
    if quiet.from == quiet.to {
        return node.problem("lasts the whole day", "to be told once a day, write a `digest`");
    }
    Some(quiet)
}

/// `00:00` to `23:59`, with two digits each.
fn time_of_day(node: &Node<'_>) -> Option<Time> {
    let text = node.text()?.value;
    let number = |digits: &str| {
        digits
            .parse::<i8>()
            .ok()
            .filter(|_| digits.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let parts = text.split_once(':').and_then(|(hour, minute)| Some((number(hour)?, number(minute)?)));
    match parts.and_then(|(hour, minute)| Time::new(hour, minute, 0, 0).ok()) {
        Some(time) => Some(time),
        None => node.problem(
            format!("`{}` is no time of day", text.escape_debug()),
            "write it from \"00:00\" to \"23:59\"",
        ),
    }
}

/// A count of messages and a time: `20/1h`.
fn budget(node: &Node<'_>) -> Option<Budget> {
    let Form::Budget { count_max, min, max } = node.form else {
        return node.mismatch(typed::BUG, None);
    };
    let text = node.text()?.value;
    let hint = "write the number of messages and the time, such as \"20/1h\"";
    let parts = text
        .split_once('/')
        .and_then(|(count, per)| Some((count.trim().parse::<usize>().ok()?, value::duration(per)?)));
    let Some((messages, per)) = parts else {
        return node.problem(format!("`{}` is no budget", text.escape_debug()), hint);
    };
    if (1..=*count_max).contains(&messages) && (*min..=*max).contains(&per) {
        return Some(Budget { messages, per });
    }
    let (min, max) = (value::duration_text(*min), value::duration_text(*max));
    node.problem(
        format!("`{}` is out of bounds", text.escape_debug()),
        &format!("write 1 to {count_max} messages in \"{min}\" to \"{max}\""),
    )
}
