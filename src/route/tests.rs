use std::time::Duration;

use super::*;
use crate::item::SourceName;
use crate::rules::spec::Mode;
use crate::story::StoryId;

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
        holds: Holds::default(),
    }
}

fn events(globs: &[&str], to: &[&str]) -> RouteSpec {
    let globs = globs.iter().map(|glob| glob::Pattern::new(glob).unwrap()).collect();
    RouteSpec { takes: Takes::Events(globs), ..route(AlertFilter::default(), to) }
}

fn night() -> Holds {
    let clock = |hour| jiff::civil::Time::new(hour, 0, 0, 0).unwrap();
    let quiet = hold::Quiet { from: clock(22), to: clock(6), except: Severity::High };
    let budget = Budget { messages: 20, per: Duration::from_hours(1) };
    let batch = Some(Duration::from_secs(30));
    Holds { quiet: Some(quiet), budget: Some(budget), batch, ..Holds::default() }
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
        let routes = Routes::new(&[route(filter, &["hook"])], &entities(), everybody(), TimeZone::UTC);
        let goes = routes.of_alert(&facts);
        assert_eq!(goes.unrouted, !expected, "{words}");
        assert_eq!(goes.to.len(), if expected { 1 } else { 3 }, "{words}");
    }
}

#[test]
fn what_lies_in_what_is_known_through_all_that_lies_between() {
    let routes = Routes::new(&[], &entities(), everybody(), TimeZone::UTC);
    for (mentioned, group, expected) in [
        (&["ml-gao", "jnim"][..], "sahel", true),
        (&["ml-gao"], "ml-gao", true),
        (&["gao"], "ml", true),
        (&["sahel"], "ml", false),
        (&["ml"], "ne", false),
        (&["jnim"], "jnim", true),
        (&[], "ml", false),
    ] {
        assert_eq!(routes.lies_in(mentioned, group), expected, "{mentioned:?} in {group}");
    }
}

#[test]
fn the_first_route_decides_unless_it_says_continue() {
    let low = |to: &[&str], further| RouteSpec { further, ..route(AlertFilter::default(), to) };
    let facts = Facts { severity: Severity::Low, rules: &[], source: None, tier: 3, entities: &[] };
    let to = |specs: &[RouteSpec]| {
        let routed = Routes::new(specs, &[], everybody(), TimeZone::UTC).of_alert(&facts);
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
    let routes = Routes::new(&specs, &[], everybody(), TimeZone::UTC);
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
        (
            RouteSpec { holds: night(), ..route(AlertFilter::default(), &["mail"]) },
            "every alert -> mail; quiet 22:00 to 06:00 except high, batch 30s, budget 20 in 1h",
        ),
    ] {
        assert_eq!(spec.to_string(), expected);
    }
}

#[test]
fn of_several_routes_the_one_that_lets_go_first_decides() {
    let at = |text: &str| text.parse::<jiff::Timestamp>().unwrap();
    let now = at("2026-11-23T23:00:00Z");
    let asked = Asked { severity: Severity::Low, story: StoryId::from_bytes([7; 16]), began: now, now };
    let with = |holds, to: &[&str]| RouteSpec { holds, further: true, ..route(AlertFilter::default(), to) };
    let batched = Holds { batch: Some(Duration::from_secs(30)), ..Holds::default() };
    let specs =
        [with(night(), &["mail", "hook"]), with(batched, &["mail"]), with(Holds::default(), &["mail"])];
    let who = |name: &str| everybody().into_iter().find(|(notifier, _)| notifier == name).unwrap();
    for (count, name, until, budgets) in [
        (1, "mail", Some("2026-11-24T06:00:00Z"), 1),
        (2, "mail", Some("2026-11-23T23:00:30Z"), 0),
        (3, "mail", None, 0),
        (3, "hook", Some("2026-11-24T06:00:00Z"), 1),
    ] {
        let routes = Routes::new(&specs[..count], &[], everybody(), TimeZone::UTC);
        let goes = Routed { routes: (0..count).collect(), to: everybody(), unrouted: false };
        let hold = routes.hold(&goes, &who(name), asked);
        assert_eq!(hold.map(|hold| hold.until), until.map(at), "{count} routes to {name}");
        assert_eq!(routes.budgets(&goes, &who(name)).len(), budgets, "{count} routes to {name}");
    }
}

#[test]
fn what_is_about_to_leave_waits_for_quiet_hours_and_for_room() {
    let at = |text: &str| text.parse::<jiff::Timestamp>().unwrap();
    let budget = Some(Budget { messages: 2, per: Duration::from_hours(1) });
    let specs =
        [RouteSpec { holds: Holds { budget, ..night() }, ..route(AlertFilter::default(), &["hook"]) }];
    let routes = Routes::new(&specs, &[], everybody(), TimeZone::UTC);
    let goes = Routed { routes: vec![0], to: everybody(), unrouted: false };
    let hook = ("hook".to_owned(), String::new());
    let (noon, late, night) = ("2026-11-23T12:00:00Z", "2026-11-23T21:30:00Z", "2026-11-23T23:00:00Z");
    let before = |now: &str, minutes: u64| at(now) - Duration::from_mins(minutes);
    for (severity, now, left, expected) in [
        (Severity::Low, noon, vec![], None),
        (Severity::Low, noon, vec![before(noon, 5)], None),
        (
            Severity::Critical,
            noon,
            vec![before(noon, 50), before(noon, 5)],
            Some(("budget", "2026-11-23T12:10:00Z")),
        ),
        (Severity::Low, night, vec![], Some(("quiet", "2026-11-24T06:00:00Z"))),
        (Severity::High, night, vec![], None),
        // There is room again at 22:10, in quiet hours.
        (Severity::Low, late, vec![before(late, 20); 2], Some(("budget", "2026-11-24T06:00:00Z"))),
        (Severity::High, late, vec![before(late, 20); 2], Some(("budget", "2026-11-23T22:10:00Z"))),
    ] {
        let asked = Asked::of_a_new_story(severity, at(now));
        let hold = routes.hold_back(&goes, &hook, asked, &left);
        let told = hold.map(|hold| (hold.reason.as_str(), hold.until));
        assert_eq!(told, expected.map(|(reason, until)| (reason, at(until))), "{severity} at {now}");
        let unrouted = Routed { routes: Vec::new(), to: everybody(), unrouted: true };
        assert_eq!(routes.hold_back(&unrouted, &hook, asked, &left), None, "no route, no hold");
    }
}

#[test]
fn what_happens_to_a_notifier_is_told_by_the_others() {
    let kind = EventKind::NotifierFailing;
    let to = |specs: &[RouteSpec], about: &str| {
        let routes = Routes::new(specs, &[], everybody(), TimeZone::UTC);
        let (about, only) = about.split_once(' ').map_or((about, None), |(name, to)| (name, Some(to)));
        let to = routes.of_notifier_event(kind, about, only).into_iter();
        to.map(|(notifier, to)| notifier + &to).collect::<Vec<_>>().join(" ")
    };
    for (specs, about, expected) in [
        (vec![], "mail", "hook"),
        (vec![], "hook", "maila@x.org mailb@x.org"),
        (vec![events(&["notifier.*"], &["mail", "hook"])], "mail", "hook"),
        (vec![events(&["notifier.*"], &["hook"])], "hook", "maila@x.org mailb@x.org"),
        (vec![events(&["notifier.*"], &["mail"])], "mail a@x.org", "mailb@x.org"),
        (vec![events(&["notifier.*"], &[])], "hook", ""),
    ] {
        assert_eq!(to(&specs, about), expected, "{specs:?}");
    }
}
