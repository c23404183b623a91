//! The rule language, key by key and sigil by sigil, and that no rule is passed over.

use harmattan::item::{Forward, Item, LinkPreview, Poll, SourceKind, SourceName, TelegramPost};
use harmattan::rules::spec::{
    EntitySpec, FieldFilter, Mode, NearSpec, RuleSpec, Scope, TestText, UnlessSpec,
};
use harmattan::rules::{Engine, Outcome, SourceLabel, SummaryKind};
use proptest::prelude::*;

use crate::support::rules::{ambiguous, engine, entity, item, located, pack, rule, terms, within};

/// A rule with one term.
fn of(term: &str) -> RuleSpec {
    rule("r", &[term])
}

fn near(within: u32, ordered: bool, of: &[&str]) -> NearSpec {
    NearSpec { within, terms: terms(of), ordered }
}

fn fires(rule: RuleSpec, title: &str, text: &str) -> bool {
    !engine(pack(), vec![rule]).judge(&item(title, text), None).fired.is_empty()
}

/// Why a rule stays silent: clause, detail, nearest.
fn silence(rule: RuleSpec, title: &str, text: &str) -> [String; 3] {
    let told = engine(pack(), vec![rule]).explain(&item(title, text), None, Some("r"));
    match told.into_iter().map(|told| told.outcome).next() {
        Some(Outcome::Silent(silence)) => {
            [silence.clause, silence.detail, silence.nearest.unwrap_or_default()]
        }
        other => panic!("{title}: {other:?}"),
    }
}

#[test]
fn stems_find_all_forms_of_a_word() {
    let mut french = of("~attaquer");
    french.lang = vec!["fr".to_owned()];
    for (rule, title, expected) in [
        (of("~withdraw"), "Wagner withdrew from Mali", true),
        (of("~withdraw"), "Withdrawing, withdrawn, WITHDRAWS", true),
        (of("~withdraw"), "drawn", false),
        (of("~retirer"), "les soldats se retirent, retirés, RETIREE", true),
        (of("~захватить"), "боевики захватили город", true),
        (of("~هجوم"), "شن هجوما", true),
        (of("~prise otage"), "des prises otages", true),
        (french.clone(), "ils attaquaient", true),
        (french, "the attack", false),
    ] {
        let term = rule.all[0].value.clone();
        assert_eq!(fires(rule, title, ""), expected, "{term}: {title}");
    }
}

#[test]
fn gaps_take_so_many_words_and_no_more() {
    for (term, title, text, expected) in [
        ("base ..3 captured", "the base was captured", "", true),
        ("base ..0 captured", "the base was captured", "", false),
        ("base ..1 captured", "the base was captured", "", true),
        ("base ..9 captured", "captured the base", "", false),
        ("base ..9 captured", "base", "captured", false),
        ("base ..2 (captur* | ~seize)", "a base they had seized", "", true),
        ("@wagner-group ..4 ~leave ..3 @ml", "GW fighters have left northern Tombouctou", "", true),
        (
            "@wagner-group ..4 ~leave ..3 @ml",
            "GW fighters left after ten long years in Tombouctou",
            "",
            false,
        ),
        // the nearest middle piece leads nowhere, a later one does
        ("coup ..9 in ..0 Tombouctou", "coup in the night in Tombouctou", "", true),
        ("zebu | base ..0 captured", "base captured", "", true),
    ] {
        assert_eq!(fires(of(term), title, text), expected, "{term}: {title} / {text}");
    }
}

#[test]
fn an_alias_or_a_need_may_have_a_gap() {
    let base = entity("base", "place", &["base ..2 Tessalit"]);
    let gw = ambiguous(entity("gw", "mercenary", &[]), "Orchestra", &["@base ..5 ~capture"], &[]);
    let engine = engine(vec![base, gw], vec![rule("base", &["@base"]), rule("gw", &["@gw"])]);
    let fired = |title: &str| engine.judge(&item(title, ""), None).fired.len();
    assert_eq!(fired("the base at Tessalit"), 1);
    assert_eq!(fired("Tessalit base"), 0);
    assert_eq!(fired("the base at Tessalit was captured by the Orchestra"), 2);
}

#[test]
fn a_reject_may_have_a_gap_that_names_an_entity() {
    let base = entity("base", "place", &["Tessalit"]);
    let gw = ambiguous(entity("gw", "mercenary", &[]), "Orchestra", &[], &["@base ..2 plays"]);
    let engine = engine(vec![base, gw], vec![rule("gw", &["@gw"])]);
    let fired = |title: &str| engine.judge(&item(title, ""), None).fired.len();
    assert_eq!(fired("the Orchestra in Tessalit"), 1);
    assert_eq!(fired("the Orchestra: Tessalit still plays"), 0);
}

#[test]
fn a_test_that_states_a_source_is_of_any_kind_and_origin() {
    let stated = TestText { text: "coup".to_owned(), source: Some("one".to_owned()), ..TestText::default() };
    let rule = |source: &str| RuleSpec {
        source: terms(&[source]),
        kind: terms(&["telegram"]),
        forwarded_from: terms(&["grey_zone"]),
        fires_on: vec![located(stated.clone())],
        ..of("coup")
    };
    assert_eq!(engine(pack(), vec![rule("one")]).test(&[]), []);
    assert_eq!(engine(pack(), vec![rule("two")]).test(&[]).len(), 1);
}

#[test]
fn near_may_be_ordered_repeated_and_of_many_terms() {
    let with = |list: Vec<NearSpec>| RuleSpec { near: list, ..rule("r", &[]) };
    for (rule, title, expected) in [
        (with(vec![near(3, true, &["zebu", "coup"])]), "zebu and coup", true),
        (with(vec![near(3, true, &["zebu", "coup"])]), "coup and zebu", false),
        (
            with(vec![near(2, false, &["zebu", "coup"]), near(2, false, &["putsch", "junta"])]),
            "zebu coup, junta putsch",
            true,
        ),
        (
            with(vec![near(2, false, &["zebu", "coup"]), near(2, false, &["putsch", "junta"])]),
            "zebu coup, junta",
            false,
        ),
        (
            with(vec![near(9, false, &["b1", "b2", "b3", "b4", "b5", "b6", "b7", "b8", "b9", "b10"])]),
            "b9 b10 b1 b2 b3 b4 b5 b6 b7 b8",
            true,
        ),
        (
            with(vec![near(9, false, &["b1", "b2", "b3", "b4", "b5", "b6", "b7", "b8", "b9", "b10"])]),
            "b9 b10 b1 b2 b3 b4 b5 b6 b7 x b8",
            false,
        ),
    ] {
        assert_eq!(fires(rule, title, ""), expected, "{title}");
    }
}

#[test]
fn unless_takes_hits_away_and_not_the_item() {
    let unless = |within, spec: RuleSpec| RuleSpec {
        unless: Some(UnlessSpec { within, terms: terms(&["film | documentary", "anniversary"]) }),
        ..spec
    };
    for (rule, title, text, expected) in [
        (unless(2, of("coup")), "a film about the coup", "", true),
        (unless(3, of("coup")), "a film about the coup", "", false),
        (unless(3, of("coup")), "a film about the coup", "another coup", true),
        (unless(3, of("coup")), "the coup", "a film", true),
        (unless(1, of("coup")), "coup documentary", "", false),
        (
            unless(2, RuleSpec { near: vec![near(9, false, &["coup", "@ml"])], ..rule("r", &[]) }),
            "coup film in Tombouctou",
            "",
            false,
        ),
        (
            unless(2, RuleSpec { any: terms(&["coup", "putsch"]), ..rule("r", &[]) }),
            "coup film",
            "putsch",
            true,
        ),
    ] {
        assert_eq!(fires(rule, title, text), expected, "{title} / {text}");
    }
}

#[test]
fn a_scope_asks_for_all_in_one_piece() {
    let scoped = |scope| RuleSpec { scope, ..rule("r", &["coup", "@ml"]) };
    for (scope, title, text, expected) in [
        (Scope::Item, "coup", "Tombouctou", true),
        (Scope::Sentence, "coup", "Tombouctou", false),
        (Scope::Sentence, "", "A coup. In Tombouctou nothing.", false),
        (Scope::Sentence, "", "No news. A coup shakes Tombouctou. End", true),
        (Scope::Paragraph, "", "A coup. In Tombouctou nothing.", true),
        (Scope::Paragraph, "", "A coup.\nIn Tombouctou nothing.", false),
    ] {
        assert_eq!(fires(scoped(scope), title, text), expected, "{scope:?}: {title} / {text}");
    }
    let title = RuleSpec { field: FieldFilter::Title, ..scoped(Scope::Sentence) };
    assert!(!fires(title, "A coup", "Coup in Tombouctou"), "the field still holds");
}

#[test]
fn weights_add_up() {
    let score = |terms: &[(&str, i64)], threshold, title_factor| {
        let mut spec = rule("r", &[]);
        spec.score = terms.iter().map(|(term, weight)| (located((*term).to_owned()), *weight)).collect();
        (spec.threshold, spec.title_factor) = (Some(threshold), title_factor);
        spec
    };
    let cholera = || score(&[("cholera | choléra", 30), ("~outbreak", 10), ("novel", -20)], 40, 2);
    for (rule, title, text, expected) in [
        (cholera(), "", "cholera outbreaks", true),
        (cholera(), "", "cholera cholera", false),
        (cholera(), "Cholera", "", true),
        (cholera(), "Cholera", "a novel", true),
        (cholera(), "A cholera novel", "", false),
        (cholera(), "", "cholera outbreak novel", false),
        (RuleSpec { all: terms(&["@ml"]), ..cholera() }, "Cholera", "", false),
        (RuleSpec { all: terms(&["@ml"]), ..cholera() }, "Cholera", "Tombouctou", true),
        (RuleSpec { field: FieldFilter::Text, ..cholera() }, "Cholera", "outbreak", false),
    ] {
        assert_eq!(fires(rule, title, text), expected, "{title} / {text}");
    }
    let fired = engine(pack(), vec![cholera()]).judge(&item("Cholera outbreak", ""), None).fired;
    assert_eq!(fired.first().and_then(|fired| fired.score), Some(80));
}

#[test]
fn what_a_message_says_beside_its_text_only_adds_to_what_fires() {
    let preview = LinkPreview {
        title: Some("Wagner quitte Tombouctou".to_owned()),
        description: Some("Un roman".to_owned()),
        ..LinkPreview::default()
    };
    let poll =
        Poll { question: "Qui tient Kidal ?".to_owned(), options: vec!["Zebu".into(), "Bamako".into()] };
    let post = TelegramPost {
        preview: Some(preview),
        poll: Some(poll),
        documents: vec!["Communique_FAMa_Menaka.pdf".to_owned()],
        ..TelegramPost::default()
    };
    let message = |text: &str| Item { telegram: Some(post.clone()), ..item("", text) };
    let words = ["zebu", "menaka", "gao", "wagner", "lion"];
    let mut rules: Vec<RuleSpec> = words.iter().map(|word| rule(word, &[word])).collect();
    rules.push(RuleSpec { none: terms(&["roman"]), ..rule("veto", &["gao"]) });
    let engine = engine(pack(), rules);
    for (text, expected) in
        [("", vec!["zebu", "menaka", "wagner"]), ("Gao", vec!["zebu", "menaka", "gao", "wagner", "veto"])]
    {
        let message = message(text);
        let verdict = engine.judge(&message, None);
        let fired: Vec<&str> = verdict.fired.iter().map(|fired| &*fired.rule).collect();
        assert_eq!(fired, expected, "{text}");
        let quoted = verdict.quoted(&message);
        for why in verdict.fired.iter().flat_map(|fired| &fired.why) {
            assert_eq!(why.span.of(&quoted.text), why.text, "{text}");
        }
        assert_eq!(quoted.whole(), None, "{text}: it is not added twice");
        let told = engine.explain(&message, None, None);
        let told: Vec<&str> = told
            .iter()
            .filter(|told| matches!(told.outcome, Outcome::Fired(_)))
            .map(|told| &*told.rule)
            .collect();
        assert_eq!(told, expected, "{text}");
    }
    let gao = Item { telegram: Some(post), ..item("", "Gao") };
    assert_eq!(engine.lost_to_none(&gao, None).len(), 0);
}

#[test]
fn filters_take_sources_kinds_and_origins() {
    let name = SourceName::new("wagner-1").expect("a name");
    let other = SourceName::new("other").expect("a name");
    let post = TelegramPost {
        kinds: vec!["video".to_owned()],
        forwarded_from: Some(Forward {
            name: "x".to_owned(),
            url: Some("https://t.me/grey_zone/1".to_owned()),
        }),
        ..TelegramPost::default()
    };
    let message = Item {
        kind: SourceKind::Telegram,
        telegram: Some(post),
        source: Some(name.clone()),
        ..item("", "zebu")
    };
    let entry = Item { source: Some(other.clone()), ..item("zebu", "") };
    let with = |change: fn(&mut RuleSpec)| {
        let mut spec = of("zebu");
        change(&mut spec);
        spec
    };
    for (at, (rule, in_message, in_entry)) in [
        (with(|spec| spec.kind = terms(&["telegram"])), true, false),
        (with(|spec| spec.kind = terms(&["video", "page"])), true, false),
        (with(|spec| spec.kind = terms(&["feed"])), false, true),
        (with(|spec| spec.forwarded_from = terms(&["grey_zone"])), true, false),
        (with(|spec| spec.source = terms(&["wagner-*"])), true, false),
        (
            with(|spec| (spec.all, spec.any, spec.source) = (vec![], terms(&["*"]), terms(&["other"]))),
            false,
            true,
        ),
        (
            with(|spec| (spec.all, spec.source) = (terms(&["the | de | в"]), terms(&["wagner-1"]))),
            false,
            false,
        ),
        (with(|spec| spec.mode = Mode::Off), false, false),
        (with(|spec| spec.mode = Mode::Shadow), true, true),
    ]
    .into_iter()
    .enumerate()
    {
        let engine = engine(pack(), vec![rule]);
        for (item, name, expected) in [(&message, &name, in_message), (&entry, &other, in_entry)] {
            let fired = engine.judge(item, Some(SourceLabel { name, tags: &[] })).fired;
            assert_eq!(!fired.is_empty(), expected, "rule {at}, {name}");
        }
    }
}

#[test]
fn a_match_hands_out_what_its_rule_says() {
    let mut spec = of("zebu");
    spec.note = Some("Call the desk head.".to_owned());
    spec.mode = Mode::Shadow;
    spec.max_age = Some(std::time::Duration::from_hours(72));
    let fired = engine(pack(), vec![spec.clone()]).judge(&item("zebu", ""), None).fired.remove(0);
    assert_eq!((fired.mode, fired.max_age, fired.score), (Mode::Shadow, spec.max_age, None));
    assert_eq!(fired.note.as_deref(), Some("Call the desk head."));
}

#[test]
fn names_are_found_in_other_spellings() {
    let fuzzy = EntitySpec { fuzzy: true, ..entity("kidal", "place", &["Anefis sector"]) };
    let engine = engine(
        vec![
            entity("boulikessi", "place", &["Boulikessi"]),
            entity("tinzaouaten", "place", &["Tinzaouaten"]),
            entity("goita", "person", &["Assimi Goïta"]),
            entity("prigozhin", "person", &["Prigojine"]),
            fuzzy,
        ],
        Vec::new(),
    );
    for (title, expected) in [
        ("Boulkessi, Boulkessy", "boulikessi"),
        ("Tinzawaten", "tinzaouaten"),
        ("Tin Zaouatine", "tinzaouaten"),
        ("ASSIMI GOITA", "goita"),
        ("Yevgeny Prigozhin", "prigozhin"),
        ("Пригожин", "prigozhin"),
        ("the Anefis sectar", "kidal"),
        ("the Anefis sektor", "kidal"),
    ] {
        let verdict = engine.judge(&item(title, ""), None);
        let found: Vec<&str> = verdict.entities.iter().map(|found| &*found.id).collect();
        let places: Vec<&str> = verdict.places.iter().map(|found| &*found.id).collect();
        assert!(found.contains(&expected) || places.contains(&expected), "{title}: {found:?} {places:?}");
    }
    let facts = engine.entity_facts("boulikessi").expect("it is there");
    assert!(facts.aliases[0].variants.contains(&"Boulkessy".to_owned()), "{facts:?}");
    assert_eq!((facts.entity_type.as_str(), facts.name.as_str()), ("place", "BOULIKESSI"));
}

#[test]
fn facts_tell_who_asks_for_an_entity_and_what_lies_below() {
    let engine = engine(
        pack(),
        vec![rule("sahel", &["@sahel"]), rule("type", &["x ..3 @type:place"]), rule("no", &["coup"])],
    );
    let facts = engine.entity_facts("ml").expect("it is there");
    assert_eq!(facts.rules, ["sahel", "type"]);
    assert_eq!(
        (facts.ancestors, facts.below),
        (vec!["sahel".to_owned(), "aes".to_owned()], vec!["ml-timbuktu".to_owned()])
    );
    assert_eq!(facts.aliases[2].rejects, ["@sport"]);
    assert!(engine.entity_facts("nowhere").is_none());
}

#[test]
fn silence_names_what_comes_closest() {
    let mut score = rule("r", &[]);
    score.score = vec![(located("cholera".to_owned()), 30), (located("~outbreak".to_owned()), 10)];
    score.threshold = Some(40);
    for (rule, title, clause, detail, nearest) in [
        (
            of("withdraw*"),
            "Wagner withdrew",
            "all: withdraw*",
            "nothing in the item meets it",
            "`withdrew` is not matched by `withdraw*`; use `~withdraw`",
        ),
        (of("zebu"), "zebuesque", "all: zebu", "", "`zebuesque` is not matched by `zebu`; use `zebu*`"),
        (
            of("=GW"),
            "gw",
            "all: =GW",
            "",
            "`gw` is not matched by `=GW`; `=` asks for the very letters; take it off",
        ),
        (
            of("Boulikessi"),
            "Boulikesi",
            "all: Boulikessi",
            "",
            "`Boulikesi` is not matched by `Boulikessi`; add it: `Boulikessi | boulikesi`",
        ),
        (
            of("@ml-timbuktu"),
            "Tombouctxu",
            "all: @ml-timbuktu",
            "",
            "`Tombouctxu` is not matched by `Tombouctou`; add it to the aliases of `ml-timbuktu`, or set `fuzzy = 1` there",
        ),
        (
            RuleSpec { near: vec![near(2, false, &["coup", "@ml"])], ..rule("r", &[]) },
            "coup a b c Tombouctou",
            "near: coup, @ml",
            "no group of them stands within 2 words",
            "`coup` (title 0..4), `Tombouctou` (title 11..21) stand within 4 words; `within = 4` would take them in",
        ),
        (score, "cholera", "score: 30 of 40", "`cholera` +30; missing 10", ""),
        (
            RuleSpec { scope: Scope::Sentence, ..rule("r", &["coup", "@ml"]) },
            "coup! Tombouctou",
            "scope: sentence",
            "not together in one sentence",
            "",
        ),
    ] {
        let told = silence(rule, title, "");
        assert_eq!(told[0], clause, "{title}");
        assert!(told[1].contains(detail), "{title}: {}", told[1]);
        assert_eq!(told[2], nearest, "{title}");
    }
    let vetoed = RuleSpec { none: terms(&["opera"]), ..of("coup") };
    let engine = engine(pack(), vec![vetoed, rule("other", &["zebu"]), rule("fires", &["opera"])]);
    let lost = engine.lost_to_none(&item("coup at the opera", ""), None);
    let [told] = lost.as_slice() else { panic!("{lost:?}") };
    assert!(matches!(&told.outcome, Outcome::Silent(silence) if silence.only_none));
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn the_nearest_miss_tells_what_is_there_and_does_not_count() {
    let unless = RuleSpec { unless: Some(UnlessSpec { within: 3, terms: terms(&["film"]) }), ..of("coup") };
    let in_title = RuleSpec { field: FieldFilter::Title, ..of("zebu") };
    let of_near =
        |within, ordered| RuleSpec { near: vec![near(within, ordered, &["coup", "@ml"])], ..rule("r", &[]) };
    for (rule, title, text, expected) in [
        // another order, words between, gaps that are too wide
        (
            of("leaves Kidal"),
            "Kidal leaves",
            "",
            "`Kidal leaves` (title 0..12) stands there, and `leaves Kidal` asks for another order; add that, or use `near`",
        ),
        (
            of("leaves Kidal"),
            "",
            "leaves the old Kidal",
            "`leaves` (text 0..6), `Kidal` (text 15..20) stand in this order with 2 words between; `leaves ..2 Kidal` would take them in",
        ),
        (
            of("~leave northern Kidal"),
            "left all northern Kidal",
            "",
            "`left` (title 0..4), `northern` (title 9..17), `Kidal` (title 18..23) stand in this order with 1 words between; `~leave ..1 ~northern ..0 ~Kidal` would take them in",
        ),
        (
            of("base ..1 (captur* | seized) ..0 @ml"),
            "the base was at last captured in Tombouctou",
            "",
            "`base` (title 4..8), `captured` (title 21..29), `Tombouctou` (title 33..43) stand in this order with 3 words between; `base ..3 (captur* | seized) ..1 @ml` would take them in",
        ),
        (
            of("base ..3 captured"),
            "captured the base",
            "",
            "`captured the base` (title 0..17) stands there, and `base ..3 captured` asks for another order; add that, or use `near`",
        ),
        // words of everyday language stand in any order
        (of("@africa-corps"), "Corps Africa", "", ""),
        (
            of("@sahel"),
            "sahélienne bande",
            "",
            "`sahélienne bande` (title 0..17) stands there, and `bande sahélienne` asks for another order; add that, or use `near`",
        ),
        // fields
        (
            in_title,
            "",
            "zebu",
            "`zebu` (text 0..4) stands in the text, and `field = \"title\"` looks past it; take `field` out",
        ),
        (
            of_near(9, false),
            "coup",
            "Tombouctou",
            "`coup` (title 0..4), `Tombouctou` (text 0..10) stand in different fields, and `near` looks in one; `all` looks in both",
        ),
        // order and distance of `near`
        (
            of_near(2, true),
            "Tombouctou coup",
            "",
            "`Tombouctou` (title 0..10), `coup` (title 11..15) stand in another order; take `ordered` out to take them in",
        ),
        (
            of_near(2, true),
            "Tombouctou a b c coup",
            "",
            "`Tombouctou` (title 0..10), `coup` (title 17..21) stand in another order, within 4 words",
        ),
        (
            RuleSpec { near: vec![near(9, false, &["@ml", "Tombouctou"])], ..rule("r", &[]) },
            "Tombouctou",
            "",
            "`Tombouctou` (title 0..10), `Tombouctou` (title 0..10): the same words meet several of the terms, and each term needs its own",
        ),
        // taken away
        (
            unless,
            "film coup",
            "",
            "`coup` (title 5..9) is taken away by `film` (title 0..4), which `film` in `unless` finds 1 words from it, and `within` is 3",
        ),
        (
            of("@wagner-group"),
            "Wagner at work",
            "",
            "`Wagner` (title 0..6) is `wagner-group` only with one of `@merc`, `@sahel` anywhere in the item",
        ),
        (
            of("@ml"),
            "Mali wins at football",
            "",
            "`Mali` (title 0..4) is `ml` only without `@sport` anywhere in the item",
        ),
        (
            of("@ne"),
            "oil of the Niger Delta",
            "",
            "`Niger` (title 11..16) lies in `Niger Delta` (title 11..22), which the mask `masks` hides; ask for the longer words if they are meant",
        ),
        (
            of("@deby-father"),
            "Mahamat Idriss Déby",
            "",
            "`Idriss Déby` (title 8..20) is no `deby-father` inside `Mahamat Idriss Déby` (title 0..20), the longest name of its type there; ask for `@deby-son` too if it is meant",
        ),
    ] {
        let told = silence(rule, title, text);
        assert_eq!(told[2], expected, "{title} / {text}: {told:?}");
    }
}

#[test]
fn rules_that_make_no_sense_are_refused_or_warned_of() {
    let weights = |weight, threshold| RuleSpec {
        score: vec![(located("zebu".to_owned()), weight)],
        threshold: Some(threshold),
        ..rule("r", &[])
    };
    let hausa = RuleSpec { lang: vec!["ha".to_owned()], ..of("~zebu") };
    for (rule, expected) in [
        (of("the"), "its rarest condition, `the`, is met by"),
        (
            RuleSpec { any: terms(&["*"]), ..rule("r", &[]) },
            "`*` stands for every item, and no `source` narrows it down",
        ),
        (of("*"), "`*` stands for every item"),
        (weights(10, 40), "it can never fire: its weights add up to 10, threshold is 40"),
        (weights(10, 0), "threshold is less than 1"),
        (hausa, "`~` knows no word forms of `ha`"),
        (of("@ml ..900 x"), "`..900` is too wide a gap"),
    ] {
        let problems = Engine::compile(pack(), vec![rule]).expect_err(expected);
        let told: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert!(told.iter().any(|told| told.contains(expected)), "{expected}: {told:?}");
        assert!(problems.iter().all(|problem| problem.hint.is_some()), "{problems:?}");
    }
    let sourced = RuleSpec { source: terms(&["wagner-1"]), ..of("the") };
    let lonely = entity("lonely", "person", &[]);
    let unused = entity("unused", "context", &["zebu"]);
    for (rule, expected) in [
        (of("president"), "`president` stands in"),
        (
            RuleSpec { none: terms(&["@wagner-group"]), ..of("@wagner-group") },
            "it can never fire: what meets `@wagner-group` is vetoed",
        ),
        (of("@lonely"), "it can never fire: no alias finds `@lonely`"),
        (
            RuleSpec { kind: terms(&["video"]), field: FieldFilter::Title, ..of("zebu") },
            "messages of Telegram have none",
        ),
        (sourced, "entity `unused`: nothing asks for it"),
    ] {
        let mut entities = pack();
        entities.extend([lonely.clone(), unused.clone()]);
        let engine = engine(entities, vec![rule]);
        let told: Vec<String> = engine.warnings().iter().map(ToString::to_string).collect();
        assert!(told.iter().any(|told| told.contains(expected)), "{expected}: {told:?}");
    }
}

/// The same entity as if a file of that path held it.
fn in_file(mut spec: EntitySpec, file: &str) -> EntitySpec {
    spec.id.origin.file = std::path::Path::new(file).into();
    spec
}

#[test]
fn what_no_rule_asks_for_is_told_one_by_one_or_in_one_line() {
    let person = |id: &str, file: &str| in_file(entity(id, "person", &[id]), file);
    let shipped = "config/entities/persons.toml";
    let asks = rule("r", &["@asked | coup ..2 @in-gap", "@sahel"]);
    let kola = ambiguous(in_file(entity("kola", "org", &[]), shipped), "Kola", &["@needed"], &[]);
    let mut entities = pack();
    entities.extend([kola, in_file(entity("mask", "mask", &["Mask of clay"]), shipped)]);
    entities.extend(["asked", "in-gap", "needed", "idle"].map(|id| person(id, shipped)));
    entities.push(person("own", "config/local/persons.toml"));
    let engine = engine(entities, vec![asks]);
    let told: Vec<String> = engine.summaries().iter().map(ToString::to_string).collect();
    let told: Vec<&str> = told.iter().filter_map(|told| told.lines().next()).collect();
    assert_eq!(told, ["2 entities are asked for by no rule and only named in alerts: `kola`, `idle`"]);
    let warned = engine.warnings().iter().filter(|told| told.message.starts_with("no rule asks for it"));
    let warned: Vec<&str> = warned.map(|told| told.rule_or_entity.as_str()).collect();
    for (id, expected) in [("own", true), ("idle", false), ("asked", false), ("needed", false)] {
        assert_eq!(warned.contains(&format!("entity `{id}`").as_str()), expected, "{id}: {warned:?}");
    }
    let by_type = engine_of_persons(60);
    assert_eq!(by_type.summaries(), [], "what is asked for by its type is in use");
}

/// Persons of a desk, all of them asked for by their type.
fn engine_of_persons(count: usize) -> Engine {
    let person = |at: usize| in_file(entity(&format!("p{at}"), "person", &["Zebu"]), "local/persons.toml");
    engine((0..count).map(person).collect(), vec![of("@type:person")])
}

#[test]
fn common_words_beside_rare_ones_are_told_in_one_line() {
    let mut spec = rule("r", &["Boulikessi", "president | zebu"]);
    spec.near = vec![near(9, false, &["Boulikessi", "government"])];
    let engine = engine(pack(), vec![spec.clone(), RuleSpec { name: located("s".to_owned()), ..spec }]);
    let common = engine.summaries().iter().find(|told| told.kind == SummaryKind::CommonTerms);
    let mut names = common.map(|told| told.names.clone()).unwrap_or_default();
    names.sort();
    assert_eq!(names, ["government", "president"]);
}

#[test]
fn an_alias_of_two_entities_is_warned_of() {
    let shared = |a: &str, b: &str| {
        let entities = vec![entity("one", a, &["Zebu Front"]), entity("two", b, &["zebu front"])];
        let told = engine(entities, vec![of("@one | @two")]);
        told.warnings().iter().any(|told| told.message == "`zebu front` is an alias of `one` too")
    };
    for (a, b, expected) in [
        ("person", "person", true),
        ("person", "organisation", true),
        ("event-type", "event-type", true),
        ("place", "place", true),
        // A country is called by the name of who rules it, an event by that of who does it.
        ("place", "government", false),
        ("event-type", "person", false),
        ("context", "person", false),
    ] {
        assert_eq!(shared(a, b), expected, "{a}, {b}");
    }
}

#[test]
fn hostile_texts_cost_bounded_work() {
    let mut spec = of("~withdraw | base ..100 captured | @ml");
    spec.near = vec![near(50, false, &["~coup", "@ml", "zebu"])];
    spec.scope = Scope::Sentence;
    spec.unless = Some(UnlessSpec { within: 5, terms: terms(&["film"]) });
    let fuzzy =
        within(EntitySpec { fuzzy: true, ..entity("kidal", "place", &["Anefis", "Tessalit"]) }, &["ml"]);
    let mut entities = pack();
    entities.push(fuzzy);
    let engine = engine(entities, vec![spec]);
    for text in [
        "a".repeat(1 << 20),
        "\u{301}".repeat(100_000),
        "\u{202e}\u{2066}".repeat(50_000),
        "\u{fffd}".repeat(50_000),
        "a ".repeat(200_000),
        "coup Mali film ".repeat(30_000),
        "base captured ".repeat(20_000),
        "&#39;&eacute;&".repeat(20_000),
        "Вaгнeр ".repeat(20_000),
        "Anefiz ".repeat(30_000),
        "coup film\nMali Mali\n".repeat(13_000),
        ["का".repeat(40_000), "ш".repeat(9_000), "\u{306}".repeat(9_000)].concat(),
    ] {
        assert!(engine.judge(&item(&text, &text), None).fired.len() <= 1);
    }
}

/// Words out of which random rules and texts are made.
const WORDS: &[&str] = &[
    "Wagner",
    "Mali",
    "Group",
    "coup",
    "opera",
    "GW",
    "Niger",
    "Delta",
    "Tombouctou",
    "football",
    "x",
    "withdrew.",
    "film",
    "captured",
    "the",
];
const TERMS: &[&str] = &[
    "@wagner-group",
    "@sahel",
    "@ml",
    "@opera",
    "@type:place",
    "coup",
    "=GW",
    "Niger Delta",
    "tomb*",
    "x | @ne",
    "~withdraw",
    "coup ..2 captured",
    "@ml ..1 (coup | ~withdraw)",
    "the",
];

fn some_terms(max: usize) -> impl Strategy<Value = Vec<&'static str>> {
    prop::collection::vec(prop::sample::select(TERMS), 0..=max)
}

prop_compose! {
    fn some_rule()(
        (all, any, none, near, unless) in (some_terms(2), some_terms(3), some_terms(1), some_terms(3), some_terms(1)),
        score in prop::collection::vec((prop::sample::select(TERMS), -20_i64..40), 0..4),
        threshold in 1_i64..60,
        within in 3_u32..9,
        ordered in any::<bool>(),
        scope in prop::sample::select(&[Scope::Item, Scope::Sentence, Scope::Paragraph][..]),
        field in prop::sample::select(&[FieldFilter::Any, FieldFilter::Any, FieldFilter::Title, FieldFilter::Text][..]),
        source in prop::sample::select(&["", "", "one", "o*", "tag:press"][..]),
    ) -> RuleSpec {
        let mut spec = RuleSpec { all: terms(&all), any: terms(&any), none: terms(&none), scope, field, ..rule("random", &[]) };
        spec.near.extend((near.len() > 1).then_some(NearSpec { within, terms: terms(&near), ordered }));
        spec.unless = (!unless.is_empty()).then(|| UnlessSpec { within, terms: terms(&unless) });
        if !score.is_empty() {
            spec.score = score.into_iter().map(|(term, weight)| (located(term.to_owned()), weight)).collect();
            spec.threshold = Some(threshold);
            spec.title_factor = 2;
        }
        spec.source = if source.is_empty() { Vec::new() } else { terms(&[source]) };
        spec
    }
}

proptest! {
    /// Only rules that something in the item points to are looked at; none that fires may be missed. Rules that
    /// the compiler refuses, such as those of common words alone, are left out.
    #[test]
    fn looking_at_few_rules_misses_none(
        rules in prop::collection::vec(some_rule(), 1..8),
        title in prop::collection::vec(prop::sample::select(WORDS), 0..6),
        text in prop::collection::vec(prop::sample::select(WORDS), 0..12),
        from in prop::sample::select(&["", "one", "two"][..]),
    ) {
        let sound = |rule: &RuleSpec| Engine::compile(pack(), vec![rule.clone()]).is_ok();
        let numbered = rules.into_iter().filter(sound).enumerate();
        let rules: Vec<RuleSpec> =
            numbered.map(|(number, rule)| RuleSpec { name: located(number.to_string()), ..rule }).collect();
        let engine = engine(pack(), rules);
        let name = SourceName::new(from);
        let tags = ["press".to_owned()];
        let source = name.as_ref().map(|name| SourceLabel { name, tags: if from == "two" { &tags } else { &[] } });
        let item = Item { source: name.clone(), ..item(&title.join(" "), &text.join(" ")) };
        let all = engine.explain(&item, source, None);
        let expected: Vec<_> = all.into_iter().filter_map(|told| match told.outcome {
            Outcome::Fired(fired) => Some(fired),
            Outcome::Silent(_) => None,
        }).collect();
        prop_assert_eq!(engine.judge(&item, source).fired, expected);
    }
}
