//! How long the rules take for an article: `cargo bench --bench matching`.
//!
//! The articles are made from a fixed seed, so figures of two builds compare. They meet the shipped pack, and
//! one of its size made from the same seed, which stays the same when the shipped one changes.

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;

use criterion::{Criterion, Throughput};
use harmattan::config::{self, Config, Environment};
use harmattan::item::{Item, ItemId, SourceKind};
use harmattan::rules::Engine;
use harmattan::rules::spec::{AmbiguousSpec, EntitySpec, Located, NearSpec, Origin, RuleSpec, Severity};

/// Bytes of the article.
const ARTICLE_BYTES: usize = 5 * 1024;

/// Sizes of the generated pack: those of the shipped one.
const ENTITIES: usize = 418;
const ALIASES_PER_ENTITY: usize = 10;
const CONTEXTS: usize = 40;
const TERMS_PER_CONTEXT: usize = 20;
const RULES: usize = 15;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    for (name, engine) in packs() {
        let mut group = criterion.benchmark_group(format!("judge/{name}"));
        for (kind, item) in articles() {
            group.throughput(Throughput::Bytes(item.text.len() as u64));
            group.bench_function(kind, |bencher| bencher.iter(|| engine.judge(black_box(&item), None)));
        }
        group.finish();
    }
    criterion.bench_function("compile/generated", |bencher| {
        bencher
            .iter_with_setup(|| pack(&mut Seeded(1)), |(entities, rules)| Engine::compile(entities, rules));
    });
    criterion.final_summary();
}

/// The engines to measure.
fn packs() -> Vec<(&'static str, Engine)> {
    let compiled = |name, entities, rules| match Engine::compile(entities, rules) {
        Ok(engine) => (name, engine),
        Err(problems) => panic!("the {name} pack has mistakes: {problems:#?}"),
    };
    let (entities, rules) = pack(&mut Seeded(1));
    let shipped = shipped();
    vec![compiled("generated", entities, rules), compiled("shipped", shipped.entities, shipped.rules)]
}

/// The config as it is shipped.
fn shipped() -> Config {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    match config::load(&root.join("config/harmattan.toml"), &Environment::bare(root.to_owned())) {
        Ok(loaded) => loaded.config,
        Err(problems) => panic!("{problems}"),
    }
}

/// An article that mentions much of the generated pack, one that is news of the Sahel throughout, and one that mentions none of it.
fn articles() -> Vec<(&'static str, Item)> {
    let mut random = Seeded(1);
    let (entities, _) = pack(&mut random);
    let names = names(&entities);
    let rich = prose(&mut random, |random| random.below(20) == 0, &names);
    let poor = prose(&mut random, |_| false, &names);
    let sahel = prose(&mut random, |random| random.below(20) == 0, &self::names(&shipped().entities));
    vec![("mixed-5k", item(rich)), ("sahel-5k", item(sahel)), ("nothing-5k", item(poor))]
}

/// The aliases of entities as they stand in prose.
fn names(entities: &[EntitySpec]) -> Vec<String> {
    let aliases = entities.iter().flat_map(|entity| &entity.aliases);
    aliases.map(|alias| alias.value.replace(['*', '='], "")).collect()
}

/// Words of four languages, with names strewn in where `is_name` says.
fn prose(random: &mut Seeded, is_name: impl Fn(&mut Seeded) -> bool, names: &[String]) -> String {
    let mut text = String::new();
    while text.len() < ARTICLE_BYTES {
        let script = random.below(SCRIPTS.len());
        for _ in 0..12 {
            if is_name(random) {
                text.push_str(&names[random.below(names.len())]);
            } else {
                text.push_str(&random.word(script, 9));
            }
            text.push_str([" ", " ", " ", " ", ", ", " l'", "-"][random.below(7)]);
        }
        text.push_str(".\n");
    }
    text
}

fn pack(random: &mut Seeded) -> (Vec<EntitySpec>, Vec<RuleSpec>) {
    let mut entities = Vec::new();
    for number in 0..CONTEXTS {
        let mut context = entity(&format!("context-{number}"), "context");
        context.aliases = (0..TERMS_PER_CONTEXT).map(|_| located(random.term())).collect();
        entities.push(context);
    }
    for number in 0..ENTITIES {
        let kind = ["place", "place", "person", "armed-group", "event-type"][number % 5];
        let mut named = entity(&format!("entity-{number}"), kind);
        named.aliases = (0..ALIASES_PER_ENTITY).map(|_| located(random.term())).collect();
        if number % 3 == 0 {
            let context = |random: &mut Seeded| located(format!("@context-{}", random.below(CONTEXTS)));
            named.ambiguous.push(AmbiguousSpec {
                alias: located(random.term()),
                needs: vec![context(random), context(random)],
                rejects: vec![context(random)],
                within: None,
                rejects_within: Some(40),
            });
        }
        if number >= 10 && kind == "place" {
            named.parents = vec![located(format!("entity-{}", number % 10 / 5 * 5))];
        }
        entities.push(named);
    }
    (entities, (0..RULES).map(|number| rule(number, random)).collect())
}

fn rule(number: usize, random: &mut Seeded) -> RuleSpec {
    let mut any_entity = || format!("@entity-{}", random.below(ENTITIES));
    let actors = format!("{} | {}", any_entity(), any_entity());
    let mut spec = RuleSpec::named(located(format!("rule-{number}")));
    spec.severity = Severity::High;
    spec.all = vec![located(actors.clone()), located("@entity-0 | @entity-5".to_owned())];
    spec.none = vec![located(format!("@context-{number}"))];
    if number.is_multiple_of(3) {
        let terms = vec![located(actors), located("@type:event-type".to_owned())];
        spec.near.push(NearSpec { within: 25, terms, ordered: false });
    }
    spec
}

fn entity(id: &str, entity_type: &str) -> EntitySpec {
    EntitySpec::new(located(id.to_owned()), entity_type)
}

fn item(text: String) -> Item {
    Item {
        id: ItemId::from_bytes([0; 16]),
        source: None,
        kind: SourceKind::Feed,
        title: text.chars().take(80).collect(),
        text,
        url: None,
        author: None,
        lang: None,
        published: None,
        updated: None,
        tags: Vec::new(),
        guid: None,
        telegram: None,
    }
}

fn located(value: String) -> Located<String> {
    Located { value, origin: Origin { file: Arc::from(Path::new("bench.toml")), line: 1 } }
}

/// Letters of the scripts that words are made of.
const SCRIPTS: [&str; 4] = ["etaoinshrdlucm", "eàéasintrulodçê", "оеаинтсрвлкмдпуяыйё", "االيمنرتوبعدسفهةأ"];

/// A small generator of numbers (splitmix64): the same numbers everywhere, for ever.
struct Seeded(u64);

impl Seeded {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        // 31 bits fit everywhere.
        usize::try_from((mixed ^ (mixed >> 31)) >> 33).unwrap_or_default() % limit
    }

    fn word(&mut self, script: usize, letters_max: usize) -> String {
        let letters: Vec<char> = SCRIPTS[script].chars().collect();
        let len = 2 + self.below(letters_max - 1);
        (0..len).map(|_| letters[self.below(letters.len())]).collect()
    }

    /// One to three words of five letters or more, some of them prefixes, some exact.
    fn term(&mut self) -> String {
        let script = self.below(SCRIPTS.len());
        let count = 1 + self.below(3);
        let words: Vec<String> = (0..count).map(|_| self.word(script, 4) + &self.word(script, 4)).collect();
        match self.below(8) {
            0 => words.join(" ") + "*",
            1 => format!("={}", words.join(" ")),
            _ => words.join(" "),
        }
    }
}
