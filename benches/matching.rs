//! How long folding and the rules take: `cargo bench --bench matching`.
//!
//! Everything is made from fixed seeds, so figures of two builds compare. `fold` and `fold-crates` do the same
//! work, once by our table and once by the obvious crates. `judge` has the shipped pack, and one of its size
//! that stays the same when the shipped one changes. `rules`, `load` and `explain` have packs of up to 100,000
//! rules over the corpus.

use std::hint::black_box;
use std::path::Path;

use criterion::{BatchSize, Criterion, Throughput};
use harmattan::config::{self, Config, Environment};
use harmattan::item::Item;
use harmattan::rules::Engine;
use harmattan::rules::spec::{AmbiguousSpec, EntitySpec, NearSpec, RuleSpec, Severity};
use harmattan::text::folded;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

mod corpus;

use corpus::{Corpus, LANGUAGES, LONG_BYTES, SHORT_BYTES, Seeded, item, located};

/// Bytes of the article of `judge`.
const ARTICLE_BYTES: usize = 5 * 1024;

/// Sizes of the generated pack: those of the shipped one.
const ENTITIES: usize = 418;
const ALIASES_PER_ENTITY: usize = 10;
const CONTEXTS: usize = 40;
const TERMS_PER_CONTEXT: usize = 20;
const RULES: usize = 15;

/// Numbers of rules over the corpus.
const SIZES: [(&str, usize); 3] = [("1k", 1_000), ("10k", 10_000), ("100k", 100_000)];

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let corpus = Corpus::new();
    fold(&mut criterion, &corpus);
    judge(&mut criterion);
    rules(&mut criterion, &corpus);
    load(&mut criterion, &corpus);
    criterion.final_summary();
}

/// From raw text to folded words, by language.
fn fold(criterion: &mut Criterion, corpus: &Corpus) {
    let mut texts: Vec<(&str, Vec<Item>)> = ["ascii", "accents", "cyrillic", "arabic"]
        .into_iter()
        .zip((0..LANGUAGES).map(|language| corpus.articles_of(language, LONG_BYTES)))
        .collect();
    texts.push(("mixed", corpus.articles(LONG_BYTES)));
    for (name, work) in [("fold", folded as fn(&str) -> String), ("fold-crates", folded_by_crates)] {
        let mut group = criterion.benchmark_group(name);
        for (kind, items) in &texts {
            group.throughput(Throughput::Bytes(corpus::bytes(items) as u64));
            group.bench_function(*kind, |bencher| {
                bencher.iter(|| {
                    for item in items {
                        black_box(work(black_box(&item.title)));
                        black_box(work(black_box(&item.text)));
                    }
                });
            });
        }
        group.finish();
    }
}

/// What one writes who has no table: NFKC, lower case, NFD, marks off, cut into words.
fn folded_by_crates(text: &str) -> String {
    let lower = text.nfkc().flat_map(char::to_lowercase);
    let bare: String = lower.nfd().filter(|&c| !is_combining_mark(c)).collect();
    let words = bare.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let mut out = String::with_capacity(bare.len());
    for word in words {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

/// Packs of the shipped size.
fn judge(criterion: &mut Criterion) {
    for (name, engine) in packs() {
        let mut group = criterion.benchmark_group(format!("judge/{name}"));
        for (kind, item) in articles() {
            group.throughput(Throughput::Bytes(item.text.len() as u64));
            group.bench_function(kind, |bencher| bencher.iter(|| engine.judge(black_box(&item), None)));
        }
        group.finish();
    }
    criterion.bench_function("compile/generated", |bencher| {
        bencher.iter_with_setup(
            || pack(&mut Seeded::new(1)),
            |(entities, rules)| Engine::compile(entities, rules),
        );
    });
}

/// Large packs: one article of the corpus after the other.
fn rules(criterion: &mut Criterion, corpus: &Corpus) {
    for (name, count) in SIZES {
        let (entities, rules) = corpus.pack(count);
        let engine = compiled(name, entities, rules);
        let mut group = criterion.benchmark_group(format!("rules/{name}"));
        for (kind, bytes) in [("0.3k", SHORT_BYTES), ("5k", LONG_BYTES)] {
            let items = corpus.articles(bytes);
            let mut turn = items.iter().cycle();
            group.throughput(Throughput::Bytes((corpus::bytes(&items) / items.len()) as u64));
            group.bench_function(kind, |bencher| {
                bencher.iter(|| turn.next().map(|item| engine.judge(black_box(item), None)));
            });
        }
        group.finish();
        if count == 100_000 {
            explain(criterion, &engine, &corpus.articles(LONG_BYTES));
        }
    }
}

/// One rule that fires, explained.
fn explain(criterion: &mut Criterion, engine: &Engine, items: &[Item]) {
    let fired = items.iter().find_map(|item| Some((item, engine.judge(item, None).fired.pop()?.rule)));
    let Some((item, rule)) = fired else { panic!("no rule fires on any article") };
    criterion.bench_function("explain/100k", |bencher| {
        bencher.iter(|| engine.explain(black_box(item), None, Some(&rule)));
    });
}

/// From the checked config to an engine.
fn load(criterion: &mut Criterion, corpus: &Corpus) {
    let (entities, rules) = corpus.pack(100_000);
    let mut group = criterion.benchmark_group("load");
    group.sample_size(10);
    group.throughput(Throughput::Elements(rules.len() as u64));
    group.bench_function("100k", |bencher| {
        bencher.iter_batched(
            || (entities.clone(), rules.clone()),
            |(entities, rules)| Engine::compile(entities, rules),
            BatchSize::PerIteration,
        );
    });
    group.finish();
}

/// The engines of `judge`.
fn packs() -> Vec<(&'static str, Engine)> {
    let (entities, rules) = pack(&mut Seeded::new(1));
    let shipped = shipped();
    vec![
        ("generated", compiled("generated", entities, rules)),
        ("shipped", compiled("shipped", shipped.entities, shipped.rules)),
    ]
}

fn compiled(name: &str, entities: Vec<EntitySpec>, rules: Vec<RuleSpec>) -> Engine {
    match Engine::compile(entities, rules) {
        Ok(engine) => engine,
        Err(problems) => panic!("the {name} pack has mistakes: {:#?}", problems.first()),
    }
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
    let mut random = Seeded::new(1);
    let (entities, _) = pack(&mut random);
    let names = names(&entities);
    let rich = prose(&mut random, |random| random.below(20) == 0, &names);
    let poor = prose(&mut random, |_| false, &names);
    let sahel = prose(&mut random, |random| random.below(20) == 0, &self::names(&shipped().entities));
    vec![("mixed-5k", article(rich)), ("sahel-5k", article(sahel)), ("nothing-5k", article(poor))]
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

fn article(text: String) -> Item {
    item(text.chars().take(80).collect(), text)
}

/// Letters of the scripts that words are made of.
const SCRIPTS: [&str; 4] = ["etaoinshrdlucm", "eàéasintrulodçê", "оеаинтсрвлкмдпуяыйё", "االيمنرتوبعدسفهةأ"];

/// Words and terms of the generated pack.
impl Seeded {
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
