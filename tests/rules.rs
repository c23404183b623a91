//! The rule engine from outside: what fires, what is told, what is refused.

use std::sync::Arc;

use harmattan::item::{Item, SourceName};
use harmattan::rules::spec::{FieldFilter, NearSpec, RuleSpec, Severity, TestText};
use harmattan::rules::{Engine, Outcome, SourceLabel};
use harmattan::text::{FIELD_BYTES_MAX, Field};
use proptest::prelude::*;

use crate::support::rules::{ambiguous, engine, entity, item, located, pack, rule, terms, within};

fn told(engine: &Engine, title: &str, text: &str) -> Vec<String> {
    let verdict = engine.judge(&item(title, text), None);
    let entities = verdict.entities.iter().map(|entity| entity.id.clone());
    entities.chain(verdict.places.iter().map(|place| place.id.clone())).collect()
}

/// Whether a rule fires on a text.
fn fires(rule: RuleSpec, title: &str, text: &str) -> bool {
    !engine(pack(), vec![rule]).judge(&item(title, text), None).fired.is_empty()
}

#[test]
fn an_engine_can_be_shared_between_threads() {
    let engine = Arc::new(engine(pack(), vec![rule("r", &["@ml"])]));
    let asked = Arc::clone(&engine);
    let fired = std::thread::spawn(move || asked.judge(&item("Tombouctou", ""), None).fired.len());
    assert_eq!(fired.join().expect("no panic"), 1);
    assert_eq!((engine.rule_count(), engine.entity_count()), (1, 13));
}

#[test]
fn entities_are_told_when_their_words_count() {
    let engine = engine(pack(), Vec::new());
    for (title, text, expected) in [
        ("", "", &[][..]),
        ("ЧВК «Вагнер» в Тимбукту", "", &["wagner-group", "ml-timbuktu"]),
        ("", "انسحاب مجموعة فاغنر من تمبكتو", &["wagner-group", "ml-timbuktu"]),
        // an ambiguous alias needs company, in title or text
        ("Wagner wins", "", &[]),
        ("Wagner wins", "in Tombouctou", &["wagner-group", "ml-timbuktu"]),
        ("Wagner and his mercenaries", "", &["wagner-group"]),
        // company must stand outside its own words; a reject may contain them
        ("Richard Wagner in Tombouctou", "", &["ml-timbuktu"]),
        ("Wagner in Tombouctou", "a night at the opera", &["ml-timbuktu"]),
        // an unambiguous alias settles it
        ("Wagner at the opera", "said GW", &["wagner-group"]),
        // without needs, only a reject can drop it, and then it is no company for others
        ("Mali", "", &["ml"]),
        ("Mali", "football", &[]),
        ("Wagner plays", "football in Mali", &[]),
        // the longest match of a type wins, but not over another type
        ("Mahamat Idriss Déby", "", &["deby-son"]),
        ("Mahamat Idriss Déby", "Idriss Deby", &["deby-son", "deby-father"]),
        // what lies inside a mask is no hit; a word list may name the mask itself
        ("Niger Delta", "", &[]),
        ("Niger Delta", "Niger", &["ne"]),
        ("Mali", "Niger Delta", &[]),
        ("Wagner Moura", "in Tombouctou", &["ml-timbuktu"]),
        // word lists do not compete with each other or with entities
        ("Wagner", "Africa Corps", &["wagner-group", "africa-corps"]),
        // exact means exact
        ("gw", "Gw", &[]),
    ] {
        assert_eq!(told(&engine, title, text), expected, "{title} / {text}");
    }
}

#[test]
fn company_can_be_asked_to_stand_close() {
    let mut wagner = ambiguous(entity("wagner", "mercenary", &[]), "Wagner", &["coup"], &["opera"]);
    wagner.ambiguous[0].within = Some(3);
    wagner.ambiguous[0].rejects_within = Some(1);
    let engine = engine(vec![wagner], Vec::new());
    for (title, text, expected) in [
        ("Wagner one two coup", "", true),
        ("Wagner one two three coup", "", false),
        ("coup: Wagner", "", true),
        ("Wagner", "coup", false),
        ("Wagner opera coup", "", false),
        ("Wagner coup opera", "", true),
        ("opera Wagner", "Wagner coup", true),
    ] {
        assert_eq!(!told(&engine, title, text).is_empty(), expected, "{title} / {text}");
    }
}

#[test]
fn places_are_told_with_all_that_holds_them() {
    let verdict = engine(pack(), Vec::new()).judge(&item("Tombouctou, Malian Tombouctou", ""), None);
    let places: Vec<(&str, Vec<&str>)> = verdict
        .places
        .iter()
        .map(|place| (place.id.as_str(), place.within.iter().map(String::as_str).collect()))
        .collect();
    assert_eq!(places, [("ml-timbuktu", vec!["ml", "sahel", "aes"]), ("ml", vec!["sahel", "aes"])]);
}

#[test]
fn conditions_hold_where_they_should() {
    let (mut any, mut none, mut title, mut text) =
        (rule("any", &[]), rule("none", &["Tombouctou"]), rule("title", &["@ml"]), rule("text", &["@ml"]));
    any.any = terms(&["coup", "@deby-son | putsch*"]);
    none.none = terms(&["film | @opera"]);
    title.field = FieldFilter::Title;
    title.none = terms(&["film"]);
    text.field = FieldFilter::Text;
    for (rule, in_title, in_text, expected) in [
        (rule("both", &["coup", "@sahel"]), "coup", "Tombouctou", true),
        (rule("both", &["coup", "@sahel"]), "coup", "", false),
        (rule("alternatives", &["@wagner-group | @africa-corps"]), "", "Africa Corps", true),
        (rule("by another parent", &["@aes"]), "Tombouctou", "", true),
        (rule("by type", &["@type:person"]), "Idriss Deby", "", true),
        (rule("by type", &["@type:person"]), "Tombouctou", "", false),
        (rule("by type inside a longer match", &["@type:place"]), "Niger Delta", "", false),
        (rule("words inside a mask", &["Niger"]), "Niger Delta", "", false),
        (rule("a gap from inside a mask", &["Niger ..2 shelled"]), "Niger Delta town shelled", "", false),
        (rule("a gap from a mask", &["Niger Delta ..2 shelled"]), "Niger Delta town shelled", "", true),
        (rule("the words of a mask", &["Niger Delta"]), "Niger Delta", "", true),
        (any.clone(), "", "a putschist", true),
        (any, "", "nothing", false),
        (none.clone(), "Tombouctou", "", true),
        (none.clone(), "Tombouctou", "the film", false),
        (none, "Tombouctou", "Bayreuth", false),
        (title.clone(), "Tombouctou", "", true),
        (title.clone(), "", "Tombouctou", false),
        (title, "Tombouctou", "the film", false),
        (text.clone(), "", "Tombouctou", true),
        (text, "Tombouctou", "", false),
    ] {
        let name = rule.name.value.clone();
        assert_eq!(fires(rule, in_title, in_text), expected, "{name}: {in_title} / {in_text}");
    }
}

#[test]
fn near_asks_for_one_hit_of_each_in_one_field() {
    let near = |limit, of: &[&str]| {
        let mut close = rule("close", &[]);
        close.near = vec![NearSpec { within: limit, terms: terms(of), ordered: false }];
        close
    };
    for (rule, title, text, expected) in [
        (near(1, &["@ml", "coup"]), "coup Tombouctou", "", true),
        (near(1, &["@ml", "coup"]), "Tombouctou: a coup", "", false),
        (near(2, &["@ml", "coup"]), "Tombouctou: a coup", "", true),
        (near(99, &["@ml", "coup"]), "Tombouctou", "coup", false),
        (near(9, &["@type:person", "@type:person"]), "Idriss Deby", "", false),
        (near(9, &["@type:person", "@type:person"]), "Idriss Deby, Mahamat Idriss Deby", "", true),
        (near(9, &["Africa", "Africa Corps"]), "Africa Corps", "", false),
        (near(3, &["a | b", "c", "d"]), "d x b c", "", true),
    ] {
        let asked = rule.near.clone();
        assert_eq!(fires(rule, title, text), expected, "{asked:?}: {title} / {text}");
    }
}

#[test]
fn filters_take_language_and_source() {
    let mut spec = rule("filtered", &["coup"]);
    spec.lang = vec!["fr".to_owned()];
    spec.source = terms(&["tag:press", "wagner-*"]);
    let engine = engine(Vec::new(), vec![spec]);
    let name = |name| SourceName::new(name).expect("a name");
    let (wagner, other, press) = (name("wagner-1"), name("other"), ["press".to_owned()]);
    for (lang, source, expected) in [
        (None, None, true),
        (Some("fr"), Some(SourceLabel { name: &wagner, tags: &[] }), true),
        (Some("en"), Some(SourceLabel { name: &wagner, tags: &[] }), false),
        (None, Some(SourceLabel { name: &other, tags: &press }), true),
        (None, Some(SourceLabel { name: &other, tags: &[] }), false),
    ] {
        let item = Item { lang: lang.map(str::to_owned), ..item("coup", "") };
        assert_eq!(!engine.judge(&item, source).fired.is_empty(), expected, "{lang:?} {source:?}");
    }
}

#[test]
fn a_match_says_which_words_met_which_term() {
    let mut spec = rule("wagner-in-sahel", &["@wagner-group | @africa-corps", "@sahel"]);
    spec.any = terms(&["retir*"]);
    let (title, text) = ("Les mercenaires de Wagner", "se retirent de Tombouctou, dit l'Élysée à Tombouctou");
    let verdict = engine(pack(), vec![spec]).judge(&item(title, text), None);
    let [fired] = verdict.fired.as_slice() else { panic!("{verdict:?}") };
    assert_eq!(
        (&*fired.rule, fired.severity, &fired.tags[..]),
        ("wagner-in-sahel", Severity::High, &["desk".to_owned()][..])
    );
    let why: Vec<(&str, &str, Field, usize)> =
        fired.why.iter().map(|why| (&*why.term, &*why.text, why.field, why.span.start)).collect();
    assert_eq!(
        why,
        [
            ("@wagner-group", "Wagner", Field::Title, 19),
            ("retir*", "retirent", Field::Text, 3),
            ("@sahel", "Tombouctou", Field::Text, 15),
            ("@sahel", "Tombouctou", Field::Text, 45),
        ]
    );
}

#[test]
fn all_mistakes_are_told_at_once_with_their_place_and_remedy() {
    let mut entities = pack();
    entities.push(entity("ml", "place", &[]));
    entities.push(within(entity("loop-a", "place", &[]), &["loop-b"]));
    entities.push(within(entity("loop-b", "place", &[]), &["loop-a"]));
    entities.push(within(entity("lost", "place", &["@ml"]), &["sahell"]));
    entities.push(ambiguous(entity("hide", "mask", &[]), "x y", &[], &[]));
    let mut near = rule("near", &[]);
    near.near = vec![NearSpec { within: 0, terms: terms(&["a", "b"]), ordered: false }];
    let mut single = rule("single", &[]);
    single.near = vec![NearSpec { within: 3, terms: terms(&["zebu"]), ordered: false }];
    let mut only_none = rule("only-none", &[]);
    only_none.none = terms(&["@opera"]);
    let mut filters = rule("filters", &["zebu"]);
    filters.source = terms(&["RFI Afrique"]);
    filters.lang = vec!["français".to_owned()];
    let rules = vec![
        rule("twice", &["zebu"]),
        rule("twice", &["zebu"]),
        rule("empty", &[]),
        only_none,
        near,
        single,
        filters,
        rule(
            "terms",
            &["@wagner-grup", "@type:persn", "~withdraw*", "a ..3", "*x", "a |", "@masks", "@type:context"],
        ),
    ];
    let problems = Engine::compile(entities, rules).expect_err("full of mistakes");
    let told: Vec<String> = problems
        .iter()
        .map(|problem| format!("{problem} ({})", problem.hint.as_deref().unwrap_or_default()))
        .collect();
    for expected in [
        "rules.toml:7: entity `ml`: the id is taken by an earlier entity",
        "entity `loop-a`: it lies in itself, by way of `loop-b`",
        "entity `lost`: aliases: `@ml` names an entity",
        "entity `lost`: in: no entity has the id `sahell` (did you mean `sahel`?)",
        "entity `hide`: a mask has ambiguous aliases",
        "rule `twice`: the name is taken",
        "rule `empty`: it has no condition",
        "rule `only-none`: its only condition is `none`",
        "rule `near`: near.within is 0 words",
        "rule `single`: near has fewer than two terms",
        "rule `filters`: source: `RFI Afrique` cannot name a source",
        "rule `filters`: lang: `français` is no language tag",
        "rule `terms`: all: no entity has the id `wagner-grup` (did you mean `@wagner-group`?)",
        "rule `terms`: all: no entity has the type `persn` (did you mean `@type:person`?)",
        "rule `terms`: all: `~withdraw*` has a `*` in a term of stems",
        "rule `terms`: all: a gap of `a ..3` has nothing beside it",
        "rule `terms`: all: `*x` has a `*` that ends no word",
        "rule `terms`: all: an alternative of `a |` is empty",
        "rule `terms`: all: `@masks` is a mask",
        "rule `terms`: all: `@type:context` asks for what is reported nowhere",
    ] {
        assert!(
            told.iter().any(|told| told.contains(expected)),
            "{expected}\nis not in\n{}",
            told.join("\n")
        );
    }
    assert_eq!(told.len(), 21, "{}", told.join("\n"));
}

#[test]
fn what_is_probably_a_slip_is_warned_of() {
    let mut entities = vec![
        entity("one", "person", &["Traoré", "Ibrahim"]),
        entity("two", "person", &["TRAORE", "two", "zebu"]),
        entity("Gossi", "place", &["Багзан"]),
    ];
    entities[0].name = "Ibrahim Traoré".to_owned();
    let engine = engine(entities, Vec::new());
    let warnings: Vec<String> = engine.warnings().iter().map(ToString::to_string).collect();
    assert_eq!(
        warnings,
        [
            "rules.toml:7: entity `two`: `TRAORE` is an alias of `one` too",
            "rules.toml:7: entity `two`: `two` is a common word: it stands in 9 % of ordinary items",
            "rules.toml:7: entity `Gossi`: no alias finds its name, `GOSSI`",
        ]
    );
}

#[test]
fn operators_of_other_tools_are_words_and_warned_of() {
    let boolean = rule("boolean", &["zebra AND lion", "zebra | lion SAUF «lion ET zebra»", "zebra et lion"]);
    let engine = engine(Vec::new(), vec![boolean]);
    let warnings = engine.warnings().iter();
    let told: Vec<(String, bool)> = warnings
        .map(|warning| {
            (warning.to_string(), warning.hint.as_deref().is_some_and(|hint| hint.contains("`none`")))
        })
        .collect();
    let place = "rules.toml:7: rule `boolean`: all:";
    assert_eq!(
        told,
        [
            (format!("{place} `zebra AND lion` is a phrase, and `AND` a word of it"), false),
            (
                format!("{place} `zebra | lion SAUF «lion ET zebra»` is a phrase, and `SAUF` a word of it"),
                true
            ),
        ]
    );
}

#[test]
fn rules_carry_their_tests() {
    let text = |title: &str| located(TestText { title: title.to_owned(), ..TestText::default() });
    let mut sound = rule("sound", &["@wagner-group", "@sahel"]);
    sound.fires_on = vec![text("Les mercenaires de Wagner se retirent de Tombouctou, au Mali")];
    sound.silent_on = vec![text("Mali opera stages Richard Wagner"), text("Wagner")];
    let mut wrong = rule("wrong", &["coup"]);
    wrong.field = FieldFilter::Text;
    let in_text = |text: &str| located(TestText { text: text.to_owned(), ..TestText::default() });
    wrong.fires_on = vec![in_text("coup"), in_text("a putsch")];
    wrong.silent_on = vec![in_text("coup"), text("coup")];
    let engine = engine(pack(), vec![sound, wrong]);
    assert_eq!(engine.test_count(&[]), 7);
    assert_eq!(engine.test(&["sound".to_owned()]), []);
    let failures: Vec<(bool, String)> =
        engine.test(&[]).into_iter().map(|failure| (failure.expected_to_fire, failure.detail)).collect();
    assert_eq!(
        failures,
        [
            (true, "all: coup: nothing in the item meets it".to_owned()),
            (false, "fired: `coup` by `coup` (text 0..4)".to_owned()),
        ]
    );
}

#[test]
fn silence_is_explained() {
    let mut spec = rule("wagner", &["@wagner-group", "@sahel"]);
    spec.none = terms(&["film"]);
    let engine = engine(pack(), vec![spec, rule("other", &["coup"])]);
    for (title, clause, detail) in [
        (
            "Wagner",
            "all: @wagner-group",
            "nothing in the item meets it; `Wagner` (title 0..6) does not count as `wagner-group`: nothing it needs stands by it",
        ),
        (
            "GW in Mali, film and football",
            "all: @sahel",
            "nothing in the item meets it; `Mali` (title 6..10) does not count as `ml`: `@sport` rejects it; `film` vetoes it by `film` (title 12..16)",
        ),
        ("GW in Tombouctou: the film", "none: film", "`film` vetoes it by `film` (title 22..26)"),
    ] {
        let told = engine.explain(&item(title, ""), None, Some("wagner"));
        let [explanation] = told.as_slice() else { panic!("{told:?}") };
        let Outcome::Silent(silence) = &explanation.outcome else { panic!("{told:?}") };
        assert_eq!((&*silence.clause, &*silence.detail), (clause, detail), "{title}");
    }
    assert_eq!(engine.explain(&item("", ""), None, None).len(), 2);
}

#[test]
fn hostile_texts_are_read_up_to_the_cap() {
    let mut near = rule("near", &[]);
    near.near = vec![NearSpec { within: 2, terms: terms(&["@wagner-group", "@ml", "coup"]), ordered: false }];
    let engine = engine(pack(), vec![near, rule("all", &["@sahel", "Wagner"])]);
    for piece in [
        "a",
        "\u{301}",
        "Wagner ",
        "Mali Wagner ",
        "a-",
        "l'",
        "\u{fdfa}",
        "ولل",
        "Wagner Group ",
        "coup Mali ",
    ] {
        let text = piece.repeat(FIELD_BYTES_MAX / piece.len() + 10);
        assert!(engine.judge(&item("", &text), None).cut, "{piece}");
    }
    assert!(!engine.judge(&item("Mali", "coup"), None).cut);
}

proptest! {
    #[test]
    fn reasons_quote_the_item(title in "\\PC{0,40}", text in "(Mali|Wagner|coup|e\u{301}|و| |-|'|東|\\PC){0,60}") {
        let engine = engine(pack(), vec![rule("r", &["@wagner-group | @sahel | coup | 東 | e"])]);
        for why in engine.judge(&item(&title, &text), None).fired.into_iter().flat_map(|fired| fired.why) {
            let source = if why.field == Field::Title { &title } else { &text };
            prop_assert_eq!(source.get(why.span.start..why.span.end), Some(why.text.as_str()));
        }
    }
}

#[test]
fn a_dropped_match_hides_no_shorter_one() {
    let entities = || {
        vec![
            ambiguous(entity("band", "group", &[]), "Mali Zebu Band", &["~tour"], &[]),
            ambiguous(entity("zebus", "group", &[]), "Zebu Band", &[], &["@sport"]),
            entity("zebu", "group", &["Zebu"]),
            ambiguous(entity("fans", "group", &[]), "Fans", &["@zebu"], &[]),
            entity("sport", "context", &["football"]),
            entity("masks", "mask", &["Zebu Bandana"]),
        ]
    };
    let engine = engine(entities(), Vec::new());
    for (title, expected) in [
        ("the Mali Zebu Band on tour", &["band"][..]),
        ("the Mali Zebu Band", &["zebus"]),
        ("the Mali Zebu Band at the football", &["zebu"]),
        ("football: the Mali Zebu Band on tour", &["band"]),
        ("the Zebu Band at the football, and its Fans", &["zebu", "fans"]),
        ("the Zebu Band and its Fans", &["zebus"]),
        ("football: Zebu Bandana", &[]),
    ] {
        let verdict = engine.judge(&item(title, ""), None);
        let found: Vec<&str> = verdict.entities.iter().map(|found| &*found.id).collect();
        assert_eq!(found, expected, "{title}");
    }
    // Each repeats what is nested; the work stays that of sorting.
    let long = "Mali Zebu Band ".repeat(15_000);
    let found = engine.judge(&item(&long, &long), None).entities;
    assert_eq!(found.len(), 1, "{found:?}");
}
