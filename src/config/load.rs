//! Loads a config: reads its files, gathers what they say, checks it as a whole.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::path::{Path, PathBuf};

use super::environment::Environment;
use super::file::{Document, File, Include, included};
use super::option::Form;
use super::problem::{Problem, Problems, Report};
use super::read::{Node, Section};
use super::settings::Config;
use super::source::SourceSpec;
use super::tuning::Tuning;
use super::{advice, entity, general, keys, notifier, route, rule, source};
use crate::notify::{NotifierKind, NotifierSettings};
use crate::route::RouteSpec;
use crate::rules::spec::{EntitySpec, Located, Origin, RuleSpec};

/// A config and what there is to know about it.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The config.
    pub config: Config,
    /// What the operator should know and may keep, ordered by file and line.
    pub warnings: Vec<Problem>,
    /// Names of notifiers that are missing from the config because a credential of theirs can only be read by
    /// the service. Who means to deliver must refuse to start unless this is empty.
    pub unchecked: Vec<String>,
    /// The files read, named as in messages: the main one, then the included ones in their order.
    pub files: Vec<PathBuf>,
}

/// Loads the config at `path`.
///
/// Reads files and, for secrets, `environment`; keeps nothing, so that a reload is another call.
///
/// # Errors
///
/// All mistakes found, when there is one: nothing of the config may be used then.
pub fn load(path: &Path, environment: &Environment) -> Result<Loaded, Problems> {
    let report = Report::default();
    let loaded = read(path, environment, &report);
    let (mut problems, warnings) = report.into_parts();
    match loaded {
        Some(loaded) if problems.is_empty() => Ok(Loaded { warnings, ..loaded }),
        _ => {
            if problems.is_empty() {
                problems.push(Problem::new("", "a bug: the config was refused without a reason"));
            }
            Err(Problems::new(problems))
        }
    }
}

fn read(path: &Path, environment: &Environment, report: &Report) -> Option<Loaded> {
    let main_path = environment.working_directory.join(path);
    let main = File::read(&main_path, path).map_err(|problem| report.problem(problem)).ok()?;
    let document = main.parse(report)?;
    let includes = includes(&document, report);
    let others = included(&main, &main_path, &includes, report);
    let mut documents = vec![document];
    for file in &others {
        if let Some(document) = file.parse(report) {
            refuse_include(&document, report);
            documents.push(document);
        }
    }
    let top = top(&documents, others.len() + 1, report, environment);
    let general = General { documents: &documents, main: &main, report };
    let (config, unchecked) = assemble(&general, top, general::is_installed(&main_path), environment)?;
    advice::give(&config, report);
    let files = std::iter::once(&main).chain(&others).map(|file| file.shown.to_path_buf()).collect();
    Some(Loaded { config, warnings: Vec::new(), unchecked, files })
}

/// The globs of the main file.
fn includes(document: &Document<'_>, report: &Report) -> Vec<Include> {
    let mut section = Section::new(&keys::ROOT, String::new(), document.file, 0, report);
    let table = document.table.get_ref();
    if let Some((key, value)) = table.get_key_value("include") {
        section.insert("include", document.file, key.span().start, value);
    }
    section
        .texts("include")
        .into_iter()
        .map(|glob| Include { pattern: glob.value, origin: glob.origin })
        .collect()
}

fn refuse_include(document: &Document<'_>, report: &Report) {
    if let Some((key, _)) = document.table.get_ref().get_key_value("include") {
        let problem = Problem::new("include", "stands in an included file");
        report.problem(
            problem.at(document.file.origin(key.span().start)).hint("only the main file may include others"),
        );
    }
}

/// Gathers the lists of all files, the desk's changes carried out; `files` is how many there are.
fn top(documents: &[Document<'_>], files: usize, report: &Report, environment: &Environment) -> Top {
    let sections: Vec<Section<'_>> = documents
        .iter()
        .map(|document| {
            let mut section = Section::new(&keys::ROOT, String::new(), document.file, 0, report);
            section.add(document.file, document.table.get_ref());
            section
        })
        .collect();
    let mut tuning = Tuning::default();
    for section in &sections {
        tuning.add(section, report);
    }
    let mut top = Top { unread: documents.len() < files, ..Top::default() };
    for section in &sections {
        top.add(section, &tuning, report, environment);
    }
    if !top.unread {
        tuning.check_names(&top.entities, &top.rules, report);
        let notifiers = top.names.keys().filter(|(table, _)| *table == "notifier");
        let mut notifiers: Vec<&str> = notifiers.map(|(_, name)| name.as_str()).collect();
        notifiers.sort_unstable();
        route::check_names(&top.routes, &notifiers, &top.entities, report);
    }
    tuning.check_weights(&top.rules, report);
    tuning.extend(&mut top.entities);
    top
}

/// What the lists of all files hold.
#[derive(Default)]
struct Top {
    sources: Vec<SourceSpec>,
    entities: Vec<EntitySpec>,
    rules: Vec<RuleSpec>,
    notifiers: Vec<NotifierSettings>,
    routes: Vec<RouteSpec>,
    unchecked: Vec<String>,
    /// Whether something could not be read at all, so that a name that is nowhere may stand in it.
    unread: bool,
    /// Where each name was first given, by the table it belongs to.
    names: HashMap<(&'static str, String), Origin>,
}

impl Top {
    fn add(&mut self, top: &Section<'_>, tuning: &Tuning, report: &Report, environment: &Environment) {
        for section in top.sections("source") {
            if let Some(Located { value, origin }) = source::source(&section) {
                self.claim("source", "name", value.name.as_str(), &origin, report);
                self.sources.push(value);
            }
        }
        each(top, "entity", "id", report, |section| {
            if let Some(spec) = entity::entity(section) {
                self.claim("entity", "id", &spec.id.value, &spec.id.origin, report);
                self.entities.push(spec);
            } else {
                self.unread = true;
            }
        });
        each(top, "rule", "name", report, |section| {
            if let Some(spec) = rule::rule(section, tuning) {
                self.claim("rule", "name", &spec.name.value, &spec.name.origin, report);
                self.rules.push(spec);
            } else {
                self.unread = true;
            }
        });
        for node in top.list("notifier") {
            if let Some(read) = notifier::notifier(&node, environment) {
                self.claim("notifier", "name", &read.name.value, &read.name.origin, report);
                match read.settings {
                    Some(settings) => self.notifiers.push(settings),
                    None => self.unchecked.push(read.name.value),
                }
            } else {
                self.unread = true;
            }
        }
        self.routes.extend(top.sections("route").iter().filter_map(route::route));
    }

    /// Notes a name that is given twice, with both places.
    fn claim(&mut self, table: &'static str, key: &str, name: &str, origin: &Origin, report: &Report) {
        match self.names.entry((table, name.to_owned())) {
            Entry::Occupied(first) => {
                let problem = Problem::new(&format!("{table}.{key}"), format!("`{name}` is given twice"));
                let hint = format!("it is also given at {}", first.get());
                report.problem(problem.at(origin.clone()).hint(hint));
            }
            Entry::Vacant(slot) => {
                slot.insert(origin.clone());
            }
        }
    }
}

/// Reads each table of a list; mistakes in it are told with what it is called under `key`.
fn each<'a>(top: &Section<'a>, list: &str, key: &str, report: &Report, mut read: impl FnMut(&Section<'a>)) {
    for node in top.list(list) {
        let known = report.count();
        let Some(section) = node.section() else { continue };
        read(&section);
        if let Some(name) = section.peek(key) {
            report.name_owner(known, list, name);
        }
    }
}

/// The tables that stand once, each gathered from all files.
struct General<'a> {
    documents: &'a [Document<'a>],
    main: &'a File,
    report: &'a Report,
}

impl<'a> General<'a> {
    fn section(&self, name: &'static str) -> Option<Section<'a>> {
        let form = &keys::ROOT.key(name)?.form;
        let Form::Table(table) = form else { return None };
        let mut whole: Option<Section<'a>> = None;
        for document in self.documents {
            let Some((key, value)) = document.table.get_ref().get_key_value(name) else { continue };
            let node = Node::new(form, name, value, document.file, self.report);
            let Some(table_written) = node.table() else { continue };
            whole
                .get_or_insert_with(|| {
                    let at = key.span().start;
                    Section::new(table, name.to_owned(), document.file, at, self.report)
                })
                .add(document.file, table_written);
        }
        Some(whole.unwrap_or_else(|| Section::new(table, name.to_owned(), self.main, 0, self.report)))
    }
}

fn assemble(
    general: &General<'_>,
    top: Top,
    installed: bool,
    environment: &Environment,
) -> Option<(Config, Vec<String>)> {
    let store = general::store(&general.section("store")?, installed, environment);
    let desk = general::desk(&general.section("desk")?);
    let http = general::http(&general.section("http")?);
    let schedule = general::schedule(&general.section("schedule")?);
    let alerts = general::alerts(&general.section("alerts")?);
    let log = general::log(&general.section("log")?);
    let heartbeat = general::heartbeat(&general.section("heartbeat")?);
    let control = general::control(&general.section("control")?, installed, environment, store.as_ref());
    let mut notifiers = top.notifiers;
    if notifiers.is_empty() && top.unchecked.is_empty() {
        notifiers.push(NotifierSettings { name: "screen".to_owned(), kind: NotifierKind::Stdout });
    }
    let config = Config {
        store: store?,
        desk: desk?,
        http: http?,
        schedule: schedule?,
        alerts: alerts?,
        log: log?,
        heartbeat: heartbeat?,
        control: control?,
        sources: top.sources,
        entities: top.entities,
        rules: top.rules,
        notifiers,
        routes: top.routes,
    };
    Some((config, top.unchecked))
}
