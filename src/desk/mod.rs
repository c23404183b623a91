//! What is in force: the checked config and everything built from it. A reload replaces it as a whole.

mod landings;
mod reached;
mod vantage;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use url::Url;

pub use self::landings::Landings;
pub use self::reached::Reached;
use crate::config::{
    self, Config, Environment, MirrorSpec, Problem, Problems, SelectSpec, SourceAddress, SourceSpec,
};
use crate::fetch::{Authorities, Fetcher, HttpSettings, Pinned};
use crate::ingest::InForce;
use crate::item::{SourceKind, SourceName};
use crate::notify::Notifier;
use crate::route::Routes;
use crate::rules::spec::Located;
use crate::rules::{Engine, RuleProblem, TestFailure};
use crate::schedule::Rhythm;
use crate::source::mirror::{Mirror, Written};
use crate::source::page::{SelectorProblem, Selectors};
use crate::source::telegram::ChannelName;
use crate::source::{Plan, ReadAs};
use crate::text;

/// Config, rules, sources and notifiers that belong together.
pub struct Desk {
    /// The main config file.
    pub path: PathBuf,
    /// The settings.
    pub config: Config,
    /// The compiled rules.
    pub engine: Arc<Engine>,
    /// The sources switched on.
    pub sources: Vec<Arc<Source>>,
    /// The notifiers.
    pub notifiers: Vec<Arc<Notifier>>,
    /// HTTP by these settings.
    pub fetcher: Arc<Fetcher>,
    /// Which source has which document.
    pub landings: Landings,
    /// Which hosts of several could not be reached lately.
    pub reached: Reached,
    /// What every poll needs of the rules and notifiers.
    pub in_force: InForce,
    /// What is odd but not wrong, in words with places.
    pub warnings: Vec<String>,
    /// Notifiers that are missing because a credential of theirs can only be read by the service.
    pub unchecked: Vec<String>,
    /// Rule tests that fail.
    pub failing_tests: Vec<TestFailure>,
    /// When the files were read.
    pub loaded: Timestamp,
}

/// A source, ready to be polled.
#[derive(Debug)]
pub struct Source {
    /// As configured.
    pub spec: SourceSpec,
    /// Where and how it is read.
    pub target: Target,
    /// Whom to trust at its hosts, where it has authorities of its own.
    pub pinned: Option<Pinned>,
}

/// Where and how a source is read.
#[derive(Debug)]
pub enum Target {
    /// A feed.
    Feed(Url),
    /// A Telegram channel, by the hosts to ask in order.
    Telegram {
        /// The channel.
        channel: ChannelName,
        /// Hosts.
        hosts: Vec<String>,
        /// Pages of others, for when no host shows it.
        mirrors: Vec<Mirror>,
    },
    /// A page.
    Page {
        /// Its address.
        url: Url,
        /// How to find the items in it.
        selectors: Box<Selectors>,
    },
}

impl Source {
    /// The name.
    pub fn name(&self) -> &SourceName {
        &self.spec.name
    }

    /// What it is read as.
    pub fn kind(&self) -> SourceKind {
        match self.target {
            Target::Feed(_) => SourceKind::Feed,
            Target::Telegram { .. } => SourceKind::Telegram,
            Target::Page { .. } => SourceKind::Page,
        }
    }

    /// Its address, as listed and as the store compares it.
    pub fn address(&self) -> String {
        match &self.target {
            Target::Feed(url) | Target::Page { url, .. } => url.to_string(),
            Target::Telegram { channel, .. } => format!("https://t.me/{}", channel.as_str()),
        }
    }

    /// How its documents are read, as far as the config says: with other selectors the same document is another.
    pub fn read_as(&self) -> String {
        match &self.spec.what {
            SourceAddress::Feed(_) | SourceAddress::Telegram { .. } => String::new(),
            SourceAddress::Page { select, .. } => {
                let parts = [&select.title, &select.link, &select.date, &select.text];
                let parts = parts.map(|part| part.as_ref().map_or("", |part| part.value.as_str()));
                let mut all = format!("{}\n{}", select.item.value, parts.join("\n"));
                // Not of a page without it: what was stored before there was such a key must read the same.
                if let Some(next) = &select.next {
                    all.push('\n');
                    all.push_str(&next.value);
                }
                all
            }
        }
    }

    /// The host that it is asked for at first.
    pub fn host(&self) -> Option<String> {
        match &self.target {
            Target::Feed(url) | Target::Page { url, .. } => url.host_str().map(str::to_ascii_lowercase),
            Target::Telegram { channel, hosts, .. } => {
                let url = channel.preview_url(hosts.first()?)?;
                url.host_str().map(str::to_ascii_lowercase)
            }
        }
    }

    /// How its documents are read.
    pub fn plan(&self) -> Plan<'_> {
        let kind = match &self.target {
            Target::Feed(_) => ReadAs::Feed,
            Target::Telegram { channel, .. } => ReadAs::Telegram { channel },
            Target::Page { selectors, .. } => ReadAs::Page { select: selectors },
        };
        Plan { source: self.name(), kind, lang: self.spec.lang.as_deref(), now: None }
    }

    /// How often it is polled.
    pub fn rhythm(&self, config: &Config) -> Rhythm {
        let default = match self.target {
            Target::Telegram { .. } => config.schedule.telegram,
            Target::Feed(_) | Target::Page { .. } => config.schedule.interval,
        };
        Rhythm {
            kind: self.kind(),
            interval: self.spec.interval.unwrap_or(default),
            fixed: self.spec.interval.is_some(),
            min: config.schedule.interval_min,
            max: config.schedule.interval_max,
        }
    }
}

impl Desk {
    /// Reads the config at `path` and builds everything from it. What outlives a reload comes from `old`: the
    /// hosts' turns and orders, and which could not be reached.
    ///
    /// # Errors
    /// All problems at once; nothing is built then.
    pub fn load(
        path: &Path,
        environment: &Environment,
        now: Timestamp,
        old: Option<&Self>,
    ) -> Result<Self, Problems> {
        // Rules are read by it, so it is made while their files are.
        let _beside = std::thread::spawn(text::prepare);
        let loaded = config::load(path, environment)?;
        let config = loaded.config;
        let mut problems = Vec::new();
        let engine = match Engine::compile(config.entities.clone(), config.rules.iter().cloned()) {
            Ok(engine) => Some(Arc::new(engine)),
            Err(found) => {
                problems.extend(found.into_iter().map(problem));
                None
            }
        };
        let sources = prepare(&config, &mut problems);
        let notifiers = notifiers(&config, &mut problems);
        let fetcher = Fetcher::new(http_settings(&config, sources.len()));
        if let Err(error) = &fetcher {
            problems.push(Problem::new("http", error.to_string()));
        }
        let (Some(engine), Ok(fetcher), true) = (engine, fetcher, problems.is_empty()) else {
            return Err(Problems::new(problems));
        };
        let mut warnings: Vec<String> = loaded.warnings.iter().map(ToString::to_string).collect();
        warnings.extend(engine.warnings().iter().map(|warning| problem(warning.clone()).to_string()));
        let failing_tests = test(&engine, &sources, &[]);
        let everybody = notifiers
            .iter()
            .flat_map(|notifier| {
                notifier
                    .recipients()
                    .into_iter()
                    .map(|to| (notifier.name().to_owned(), to))
                    .collect::<Vec<_>>()
            })
            .collect();
        let in_force = InForce {
            engine: Arc::clone(&engine),
            routes: Arc::new(Routes::new(
                &config.routes,
                &config.entities,
                everybody,
                config.desk.timezone.clone(),
            )),
            max_age: config.alerts.max_age,
            vantage: vantage::of(&sources),
        };
        Ok(Self {
            path: path.to_owned(),
            engine,
            landings: Landings::of(&sources),
            reached: old.map(|old| old.reached.clone()).unwrap_or_default(),
            sources,
            notifiers,
            fetcher: Arc::new(match old {
                Some(old) => fetcher.succeed(&old.fetcher),
                None => fetcher,
            }),
            in_force,
            warnings,
            unchecked: loaded.unchecked,
            failing_tests,
            loaded: now,
            config,
        })
    }

    /// The source of that name, if it is switched on.
    pub fn source(&self, name: &str) -> Option<&Arc<Source>> {
        self.sources.iter().find(|source| source.name().as_str() == name)
    }

    /// Refuses a desk that could not tell everybody it should.
    ///
    /// # Errors
    /// Names the notifiers whose credentials only the service can read.
    pub fn deliverable(self) -> Result<Self, Problems> {
        let problem = |name: &String| {
            Problem::new("notifier", format!("`{name}` needs a credential that only the service can read"))
                .hint("let the service do it, or name the secret as `{ file = \"…\" }` or `{ env = \"…\" }`")
        };
        if self.unchecked.is_empty() {
            return Ok(self);
        }
        Err(Problems::new(self.unchecked.iter().map(problem).collect()))
    }

    /// Runs the tests of the rules of these names, of all rules when none is named.
    pub fn test(&self, only: &[String]) -> Vec<TestFailure> {
        test(&self.engine, &self.sources, only)
    }

    /// The notifier of that name.
    pub fn notifier(&self, name: &str) -> Option<&Arc<Notifier>> {
        self.notifiers.iter().find(|notifier| notifier.name() == name)
    }
}

/// Runs the tests that live with the rules, those of `only` or all; sources that a test names have their tags.
fn test(engine: &Engine, sources: &[Arc<Source>], only: &[String]) -> Vec<TestFailure> {
    engine.test_with_tags(only, |name| {
        let named = sources.iter().find(|source| source.name().as_str() == name);
        named.map(|source| source.spec.tags.clone()).unwrap_or_default()
    })
}

/// The rules' problem as the config's.
pub fn problem(found: RuleProblem) -> Problem {
    Problem {
        origin: Some(found.origin),
        column: None,
        key: found.rule_or_entity,
        message: found.message,
        hint: found.hint,
    }
}

fn prepare(config: &Config, problems: &mut Vec<Problem>) -> Vec<Arc<Source>> {
    let mut sources = Vec::new();
    for spec in config.sources.iter().filter(|spec| spec.enabled) {
        let target = match &spec.what {
            SourceAddress::Feed(url) => Ok(Target::Feed(url.clone())),
            SourceAddress::Telegram { channel, hosts, mirrors } => telegram(channel, hosts, mirrors),
            SourceAddress::Page { url, select } => selectors(select)
                .map(|selectors| Target::Page { url: url.clone(), selectors: Box::new(selectors) })
                .map_err(|error| ("select", error.to_string())),
        };
        match target {
            Ok(target) => {
                let pinned = spec.ca.clone().map(|ca| pinned(ca, &target));
                sources.push(Arc::new(Source { spec: spec.clone(), target, pinned }));
            }
            Err((key, message)) => problems.push(Problem {
                origin: Some(spec.origin.clone()),
                column: None,
                key: format!("source {}: {key}", spec.name),
                message,
                hint: None,
            }),
        }
    }
    sources
}

/// Authorities of a source, trusted at the hosts of its address.
fn pinned(authorities: Authorities, target: &Target) -> Pinned {
    let host = |url: &Url| url.host_str().map(str::to_ascii_lowercase);
    let hosts = match target {
        Target::Feed(url) | Target::Page { url, .. } => host(url).into_iter().collect(),
        Target::Telegram { channel, hosts, .. } => {
            hosts.iter().filter_map(|base| host(&channel.preview_url(base)?)).collect()
        }
    };
    Pinned { authorities, hosts }
}

fn telegram(
    channel: &str,
    hosts: &[String],
    mirrors: &[MirrorSpec],
) -> Result<Target, (&'static str, String)> {
    let channel: ChannelName = channel.parse().map_err(|error| ("telegram", format!("{error}")))?;
    let mirrors = mirrors.iter().map(|spec| {
        let written = Written {
            page: &spec.page.value,
            item: &spec.item.value,
            link: &spec.link.value,
            text: &spec.text.value,
            date: spec.date.as_ref().map(|date| date.value.as_str()),
        };
        Mirror::new(written, &channel).map_err(|error| ("mirrors", error.to_string()))
    });
    let mirrors = mirrors.collect::<Result<_, _>>()?;
    Ok(Target::Telegram { channel, hosts: hosts.to_vec(), mirrors })
}

fn selectors(select: &SelectSpec) -> Result<Selectors, SelectorProblem> {
    fn text(part: Option<&Located<String>>) -> Option<&str> {
        part.map(|part| part.value.as_str())
    }
    Selectors::parse(
        &select.item.value,
        text(select.title.as_ref()),
        text(select.link.as_ref()),
        text(select.date.as_ref()),
        text(select.text.as_ref()),
    )?
    .with_next(text(select.next.as_ref()))
}

fn notifiers(config: &Config, problems: &mut Vec<Problem>) -> Vec<Arc<Notifier>> {
    let mut built = Vec::new();
    for settings in &config.notifiers {
        match Notifier::new(settings) {
            Ok(notifier) => built.push(Arc::new(notifier)),
            Err(error) => {
                problems.push(Problem::new("notifier", error.to_string()).hint(error.hint()));
            }
        }
    }
    built
}

fn http_settings(config: &Config, sources: usize) -> HttpSettings {
    HttpSettings {
        contact: config.http.contact.as_ref().map(ToString::to_string),
        concurrency: config.http.concurrency,
        timeout: config.http.timeout,
        body_bytes_max: config.http.body_bytes_max,
        allow_networks: config.http.allow_networks.clone(),
        proxy: config.http.proxy.clone(),
        host_gap: config.schedule.host_gap,
        sources,
    }
}
