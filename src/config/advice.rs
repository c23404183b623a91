//! What a sound config may still want: warnings about the whole.

use std::collections::{BTreeMap, BTreeSet};

use url::Url;

use super::problem::{Problem, Report};
use super::settings::Config;
use super::source::{ArticleChoice, SourceAddress, SourceSpec};
use super::unmatched;
use super::value::duration_text;
use crate::route::{self, RouteSpec, Takes};
use crate::rules::spec::Origin;

/// Warns of what cannot be seen in one table alone.
pub(super) fn give(config: &Config, report: &Report) {
    contact(config, report);
    empty(config, report);
    repeated(config, report);
    crowded(config, report);
    refused(config, report);
    proxied(config, report);
    unmatched::warn(config, report);
    unlinked(config, report);
    routes(config, report);
    idle(config, report);
}

fn polled(config: &Config) -> impl Iterator<Item = &SourceSpec> {
    config.sources.iter().filter(|source| source.enabled)
}

fn contact(config: &Config, report: &Report) {
    if config.http.contact.is_none() && polled(config).any(|source| source.contact) {
        report.warn(
            Problem::new("http.contact", "is missing: the owner of a server cannot reach the desk")
                .hint("write `contact = \"mailto:…\"`; some servers refuse programs without one"),
        );
    }
}

fn empty(config: &Config, report: &Report) {
    if polled(config).next().is_none() {
        report.warn(Problem::new("source", "none is enabled: nothing is read"));
    }
    if config.rules.is_empty() {
        report.warn(Problem::new("rule", "there is none: nothing can alert"));
    }
}

/// Sources that read the same address: each item would be told twice.
fn repeated(config: &Config, report: &Report) {
    let mut first: BTreeMap<String, &SourceSpec> = BTreeMap::new();
    for source in polled(config) {
        let (key, address) = match &source.what {
            SourceAddress::Feed(url) => ("source.feed", url.to_string()),
            SourceAddress::Page { url, .. } => ("source.page", url.to_string()),
            SourceAddress::Telegram { channel, .. } => ("source.telegram", channel_key(channel)),
        };
        if let Some(other) = first.get(&address) {
            let message = format!("`{}` reads the same address as `{}`", source.name, other.name);
            let hint = format!("the other is at {}", other.origin);
            report.warn(Problem::new(key, message).at(source.origin.clone()).hint(hint));
        } else {
            first.insert(address, source);
        }
    }
}

/// Pages whose items have no link to an article that is asked for.
fn unlinked(config: &Config, report: &Report) {
    let wants = |source: &&SourceSpec| source.article != ArticleChoice::Never;
    for source in polled(config).filter(wants) {
        if let SourceAddress::Page { select, .. } = &source.what
            && select.link.is_none()
        {
            let message = format!("`{}` selects no link, so no article of it can be fetched", source.name);
            let problem = Problem::new("source.article", message).at(source.origin.clone());
            report.warn(problem.hint("write `link` in its `select`, such as `link = \"h2 a@href\"`"));
        }
    }
}

/// Telegram takes a channel's name in any case, with or without `@` and host.
fn channel_key(channel: &str) -> String {
    let name = channel.trim_end_matches('/').rsplit('/').next().unwrap_or(channel);
    format!("telegram:{}", name.trim_start_matches('@').to_lowercase())
}

/// Hosts that would have to be asked more often than `host_gap` allows.
fn crowded(config: &Config, report: &Report) {
    let mut load: BTreeMap<String, (usize, f64, Origin)> = BTreeMap::new();
    for source in polled(config) {
        let Some((host, start)) = host_and_start(source, config) else { continue };
        let interval = source.interval.unwrap_or(start).as_secs_f64();
        let entry = load.entry(host).or_insert((0, 0.0, source.origin.clone()));
        entry.0 += 1;
        entry.1 += config.schedule.host_gap.as_secs_f64() / interval;
    }
    for (host, (sources, share, origin)) in load {
        if share > 1.0 {
            let gap = duration_text(config.schedule.host_gap);
            let message = format!(
                "the {sources} sources on `{host}` cannot be polled in their interval: \
                 one request every \"{gap}\" is {share:.1} times too slow"
            );
            report.warn(
                Problem::new("schedule.host_gap", message)
                    .at(origin)
                    .hint("they are polled less often than asked; raise their intervals or lower `host_gap`"),
            );
        }
    }
}

fn host_and_start(source: &SourceSpec, config: &Config) -> Option<(String, std::time::Duration)> {
    match &source.what {
        SourceAddress::Feed(url) | SourceAddress::Page { url, .. } => {
            Some((url.host_str()?.to_owned(), config.schedule.interval))
        }
        SourceAddress::Telegram { hosts, .. } => {
            let first = hosts.first()?;
            let host = Url::parse(first).ok().and_then(|url| url.host_str().map(str::to_owned));
            Some((host.unwrap_or_else(|| first.to_lowercase()), config.schedule.telegram))
        }
    }
}

/// Sources at addresses that no source may reach: every poll would be refused.
fn refused(config: &Config, report: &Report) {
    for source in polled(config) {
        let (key, urls) = match &source.what {
            SourceAddress::Feed(url) => ("source.feed", vec![url.clone()]),
            SourceAddress::Page { url, .. } => ("source.page", vec![url.clone()]),
            SourceAddress::Telegram { hosts, .. } => {
                let guess = |host: &str| Url::parse(&format!("https://{host}"));
                let full = |host: &String| Url::parse(host).or_else(|_| guess(host)).ok();
                ("source.hosts", hosts.iter().filter_map(full).collect())
            }
        };
        let networks = &config.http.allow_networks;
        let found = urls.iter().find_map(|url| Some((url.host_str()?, networks.refuse_literal(url)?)));
        if let Some((host, why)) = found {
            let message = format!("`{}` names `{host}`, which is refused: the address is {why}", source.name);
            report.warn(
                Problem::new(key, message)
                    .at(source.origin.clone())
                    .hint("list the range under `allow_networks` in `[http]` if it is meant"),
            );
        }
    }
}

/// Behind a proxy names are resolved out of our sight, so private addresses can hide there.
fn proxied(config: &Config, report: &Report) {
    let own = polled(config).find(|source| source.proxy.is_some());
    let (key, origin) = match (&config.http.proxy, own) {
        (Some(_), _) => ("http.proxy", None),
        (None, Some(source)) => ("source.proxy", Some(source.origin.clone())),
        (None, None) => return,
    };
    let warning = Problem::new(key, "through a proxy only literal addresses can be checked")
        .hint("private networks that the proxy can reach are not protected from hostile links");
    report.warn(match origin {
        Some(origin) => warning.at(origin),
        None => warning,
    });
}

/// Alerts that no route takes, and routes that take none.
fn routes(config: &Config, report: &Report) {
    let uncovered = route::uncovered(&config.routes, &config.rules);
    if let (Some(first), Some(last)) = (uncovered.first(), config.routes.last()) {
        let others = match uncovered.len() {
            1 => String::new(),
            count => format!(" and {} more", count - 1),
        };
        let message = format!("no route takes all alerts of `{}`{others}", first.name.value);
        report.warn(
            Problem::new("route", message)
                .at(last.origin.clone())
                .hint("what none takes goes to every notifier, marked `unrouted`; end with a route that asks for nothing"),
        );
    }
    for (hidden, by) in route::unreached(&config.routes) {
        let message = format!("is never asked: the one at {} takes every alert", by.origin);
        let hint = "put it before that one, or write `continue = true` there";
        report.warn(Problem::new("route", message).at(hidden.origin.clone()).hint(hint));
    }
}

/// What of a route never applies, and notifiers that have no alert of any.
fn idle(config: &Config, report: &Report) {
    for route in &config.routes {
        let holds = &route.holds;
        let warn = |key: &str, message: &str, hint: &str| {
            report.warn(Problem::new(key, message).at(route.origin.clone()).hint(hint));
        };
        if holds.report.is_some() && route.to.is_empty() {
            warn("route.report", "goes to nobody: `to` is empty", "name in `to` whom it is for");
        }
        if holds.digest.is_empty() {
            continue;
        }
        let never = "take it out, or write a route of its own for it";
        if holds.batch.is_some() {
            warn("route.batch", "never applies: `digest` holds all alerts of the route", never);
        }
        // Where another route leads to the same people, either budget is enough.
        let leads_there = |other: &RouteSpec| {
            other.to.iter().any(|name| route.to.iter().any(|own| own.value == name.value))
        };
        let is_alone = config.routes.iter().filter(|other| leads_there(other)).count() < 2;
        if holds.budget.is_some() && is_alone {
            warn("route.budget", "never applies: digests do not use it", never);
        }
    }
    let named: BTreeSet<&str> =
        config.routes.iter().flat_map(|route| &route.to).map(|name| name.value.as_str()).collect();
    if !config.routes.iter().any(|route| matches!(route.takes, Takes::Alerts(_))) {
        return;
    }
    for notifier in config.notifiers.iter().filter(|notifier| !named.contains(notifier.name.as_str())) {
        let message =
            format!("`{}` is named by no route: it has no alert that one of them takes", notifier.name);
        let hint = "write its name into `to` of a route, or take it out; events without a route go to it all the same";
        report.warn(Problem::new("notifier", message).hint(hint));
    }
}
