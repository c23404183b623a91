use super::*;
use crate::item::SourceName;
use crate::rules::spec::Mode;

fn place() -> Origin {
    Origin { file: std::path::Path::new("t.toml").into(), line: 1 }
}

fn located(value: &str) -> Located<String> {
    Located { value: value.to_owned(), origin: place() }
}

fn route(filter: AlertFilter, to: &[&str]) -> RouteSpec {
    RouteSpec {
        origin: place(),
        takes: Takes::Alerts(Box::new(filter)),
        to: to.iter().map(|name| located(name)).collect(),
        further: false,
    }
}

fn events(globs: &[&str], to: &[&str]) -> RouteSpec {
    let globs = globs.iter().map(|glob| glob::Pattern::new(glob).unwrap()).collect();
    RouteSpec { takes: Takes::Events(globs), ..route(AlertFilter::default(), to) }
}

fn everybody() -> Vec<Recipient> {
    let all = [("mail", "a@x.org"), ("mail", "b@x.org"), ("hook", "")];
    all.map(|(notifier, to)| (notifier.to_owned(), to.to_owned())).to_vec()
}

fn sources(filter: &str) -> SourceFilters {
    let mut sources = SourceFilters::default();
    sources.add(filter).unwrap();
    sources
}

fn fired(rule: &str, tags: &[&str]) -> Match {
    Match {
        rule: rule.into(),
        severity: Severity::High,
        tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
        mode: Mode::Live,
        note: None,
        max_age: None,
        score: None,
        why: Vec::new(),
    }
}

fn entities() -> Vec<EntitySpec> {
    let entity = |id: &str, parents: &[&str]| EntitySpec {
        parents: parents.iter().map(|parent| located(parent)).collect(),
        ..EntitySpec::new(located(id), "place")
    };
    vec![
        entity("sahel", &[]),
        entity("ml", &["sahel"]),
        entity("ml-gao", &["ml", "gao"]),
        entity("gao", &["ml-gao"]),
    ]
}

#[test]
fn each_key_asks_for_what_it_says() {
    let globs = |text: &str| vec![glob::Pattern::new(text).unwrap()];
    let none = AlertFilter::default;
    let name = SourceName::new("rfi").unwrap();
    let tags = ["press".to_owned()];
    let rules = [fired("wagner-moves", &["wagner"]), fired("coup", &[])];
    let facts = Facts {
        severity: Severity::High,
        rules: &rules,
        source: Some(SourceLabel { name: &name, tags: &tags }),
        tier: 2,
        entities: &["ml-gao", "jnim"],
    };
    for (filter, expected) in [
        (none(), true),
        (AlertFilter { severity: Some(Severity::High), ..none() }, true),
        (AlertFilter { severity: Some(Severity::Critical), ..none() }, false),
        (AlertFilter { rules: globs("wagner-*"), ..none() }, true),
        (AlertFilter { rules: globs("wagner"), ..none() }, false),
        (AlertFilter { tags: vec!["x".into(), "wagner".into()], ..none() }, true),
        (AlertFilter { tags: vec!["x".into()], ..none() }, false),
        (AlertFilter { entities: vec![located("sahel")], ..none() }, true),
        (AlertFilter { entities: vec![located("jnim")], ..none() }, true),
        (AlertFilter { entities: vec![located("ne")], ..none() }, false),
        (AlertFilter { source: sources("tag:press"), ..none() }, true),
        (AlertFilter { source: sources("wagner-*"), ..none() }, false),
        (AlertFilter { tier: Some(2), ..none() }, true),
        (AlertFilter { tier: Some(1), ..none() }, false),
        // All keys must hold, and names and tags may be those of different rules.
        (AlertFilter { rules: globs("coup"), tags: vec!["wagner".into()], tier: Some(3), ..none() }, true),
        (AlertFilter { rules: globs("coup"), tier: Some(1), ..none() }, false),
    ] {
        let words = filter.to_string();
        let routes = Routes::new(&[route(filter, &["hook"])], &entities(), everybody());
        let goes = routes.of_alert(&facts);
        assert_eq!(goes.unrouted, !expected, "{words}");
        assert_eq!(goes.to.len(), if expected { 1 } else { 3 }, "{words}");
    }
}

#[test]
fn the_first_route_decides_unless_it_says_continue() {
    let low = |to: &[&str], further| RouteSpec { further, ..route(AlertFilter::default(), to) };
    let facts = Facts { severity: Severity::Low, rules: &[], source: None, tier: 3, entities: &[] };
    let to = |specs: &[RouteSpec]| {
        let routed = Routes::new(specs, &[], everybody()).of_alert(&facts);
        (routed.routes, routed.to.into_iter().map(|(notifier, to)| notifier + &to).collect::<Vec<_>>())
    };
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    assert_eq!(to(&[low(&["hook"], false), low(&["mail"], false)]), (vec![0], names(&["hook"])));
    let both = names(&["hook", "maila@x.org", "mailb@x.org"]);
    assert_eq!(to(&[low(&["hook"], true), low(&["mail", "hook"], false)]), (vec![0, 1], both));
    assert_eq!(to(&[low(&[], false), low(&["mail"], false)]), (vec![0], vec![]));
    let high = AlertFilter { severity: Some(Severity::High), ..AlertFilter::default() };
    assert_eq!(to(&[route(high, &["mail"]), low(&["hook"], false)]), (vec![1], names(&["hook"])));
}

#[test]
fn without_routes_everybody_is_told_and_nothing_is_unrouted() {
    let facts = Facts { severity: Severity::Low, rules: &[], source: None, tier: 3, entities: &[] };
    let routed = Routes::to_all(everybody()).of_alert(&facts);
    assert_eq!(routed, Routed { routes: vec![], to: everybody(), unrouted: false });
}

#[test]
fn events_go_by_their_own_routes_and_else_to_everybody() {
    let specs = [route(AlertFilter::default(), &["hook"]), events(&["source.*"], &["mail"])];
    let routes = Routes::new(&specs, &[], everybody());
    let told = routes.of_event(EventKind::SourceFailing);
    assert_eq!((told.routes, told.to.len()), (vec![1], 2));
    let told = routes.of_event(EventKind::NetworkOffline);
    assert_eq!((told.routes, told.to, told.unrouted), (vec![], everybody(), false));
}

#[test]
fn what_no_route_takes_for_sure_is_known_beforehand() {
    let rule = |name: &str, severity| RuleSpec { severity, ..RuleSpec::named(located(name)) };
    let rules = [rule("a", Severity::High), rule("b", Severity::Low)];
    let uncovered = |specs: &[RouteSpec]| {
        super::uncovered(specs, &rules).iter().map(|rule| rule.name.value.clone()).collect::<Vec<_>>()
    };
    let high = AlertFilter { severity: Some(Severity::High), ..AlertFilter::default() };
    let press = AlertFilter { source: sources("tag:press"), ..AlertFilter::default() };
    assert_eq!(uncovered(&[]), Vec::<String>::new());
    assert_eq!(uncovered(&[events(&["*"], &["hook"])]), ["a", "b"]);
    assert_eq!(uncovered(&[route(high.clone(), &["mail"]), route(press, &["hook"])]), ["b"]);
    assert_eq!(
        uncovered(&[route(high, &["mail"]), route(AlertFilter::default(), &[])]),
        Vec::<String>::new()
    );
}

#[test]
fn a_route_behind_one_that_takes_all_is_never_asked() {
    let all = || route(AlertFilter::default(), &["mail"]);
    let hidden = |specs: &[RouteSpec]| unreached(specs).len();
    assert_eq!(hidden(&[all(), all(), events(&["*"], &["hook"])]), 1);
    assert_eq!(hidden(&[RouteSpec { further: true, ..all() }, all()]), 0);
}

#[test]
fn a_route_says_what_it_takes() {
    let filter = AlertFilter {
        severity: Some(Severity::High),
        rules: vec![glob::Pattern::new("wagner-*").unwrap()],
        entities: vec![located("ml")],
        source: sources("tag:press"),
        tier: Some(1),
        ..AlertFilter::default()
    };
    for (spec, expected) in [
        (
            route(filter, &["mail", "hook"]),
            "severity high and up, rules wagner-*, entities @ml, sources tag:press, tier 1 and better -> mail, hook",
        ),
        (route(AlertFilter::default(), &[]), "every alert -> nobody: recorded without sending"),
        (RouteSpec { further: true, ..events(&["source.*"], &["mail"]) }, "events source.* -> mail, and on"),
    ] {
        assert_eq!(spec.to_string(), expected);
    }
}
