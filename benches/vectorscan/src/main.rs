//! Harmattan's rules beside bare literal scanners; see README.md.

use std::hint::black_box;
use std::time::{Duration, Instant};

use aho_corasick::{AhoCorasick, AhoCorasickKind};
use daachorse::DoubleArrayAhoCorasick;
use harmattan::item::Item;
use harmattan::rules::Engine;
use harmattan::text::folded;

#[path = "../../corpus/mod.rs"]
mod corpus;
mod heap;
mod hs;

use corpus::{Corpus, LONG_BYTES, SHORT_BYTES};

#[global_allocator]
static HEAP: heap::Counted = heap::Counted;

/// Numbers of patterns, and of rules over them.
const SIZES: [usize; 3] = [1_000, 10_000, 100_000];

/// Times that every engine goes through the articles, in turn with the others.
const ROUNDS: usize = 9;

/// An engine under measurement: what it does with all articles, and what it finds.
struct Contender<'a> {
    name: &'static str,
    run: Box<dyn Fn() -> usize + 'a>,
    times: Vec<Duration>,
    found: usize,
}

impl<'a> Contender<'a> {
    fn new(name: &'static str, run: impl Fn() -> usize + 'a) -> Self {
        Self { name, run: Box::new(run), times: Vec::new(), found: 0 }
    }

    fn median(&mut self) -> Duration {
        self.times.sort_unstable();
        self.times[self.times.len() / 2]
    }
}

fn main() {
    println!("Vectorscan {}; MB/s of raw text, median of {ROUNDS} rounds", hs::version().trim_end());
    let corpus = Corpus::new();
    for count in SIZES {
        compare(&corpus, count);
    }
}

/// All engines over as many patterns, and over as many rules.
fn compare(corpus: &Corpus, count: usize) {
    let mut patterns: Vec<String> = corpus.patterns.iter().take(count).map(|one| folded(one)).collect();
    patterns.sort_unstable();
    patterns.dedup();
    println!("\n{count} rules over {} patterns", patterns.len());
    let literals = timed("vectorscan", || hs::Literals::new(&patterns).expect("literals compile"));
    let automaton = timed("aho-corasick", || {
        let mut builder = AhoCorasick::builder();
        builder.kind(Some(AhoCorasickKind::ContiguousNFA)).build(&patterns).expect("patterns are few")
    });
    let double =
        timed("daachorse", || DoubleArrayAhoCorasick::<u32>::new(&patterns).expect("patterns differ"));
    let (entities, rules) = corpus.pack(count);
    let specs = (entities.clone(), rules.clone());
    drop(timed("harmattan", || Engine::compile(specs.0, specs.1).expect("rules compile")));
    // The copies are made and freed within, so that nothing but the engine is left.
    let (engine, heap) =
        heap::counted(|| Engine::compile(entities.clone(), rules.clone()).expect("rules compile"));
    let each = |bytes: isize| bytes / isize::try_from(count).unwrap_or(1);
    println!("harmattan holds {} B a rule, at most {} B with specs", each(heap.kept), each(heap.peak));
    for (kind, bytes) in [("0.3k", SHORT_BYTES), ("5k", LONG_BYTES)] {
        let items = corpus.articles(bytes);
        let texts: Vec<String> =
            items.iter().map(|item| folded(&item.title) + "\n" + &folded(&item.text)).collect();
        let mut contenders = [
            Contender::new("vectorscan, bare", || {
                let mut count = 0;
                texts.iter().for_each(|text| literals.scan(text, |_, _| count += 1));
                count
            }),
            Contender::new("vectorscan, words", || {
                count_hits(&texts, |text, each| {
                    literals.scan(text, |id, end| each(end - patterns[id].len(), end));
                })
            }),
            Contender::new("aho-corasick", || {
                count_hits(&texts, |text, each| {
                    automaton.find_overlapping_iter(text).for_each(|hit| each(hit.start(), hit.end()));
                })
            }),
            Contender::new("daachorse", || {
                count_hits(&texts, |text, each| {
                    double.find_overlapping_iter(text).for_each(|hit| each(hit.start(), hit.end()));
                })
            }),
            Contender::new("harmattan, scan", || {
                items.iter().map(|item| engine.hit_count(black_box(item))).sum()
            }),
            Contender::new("harmattan, fired", || {
                items.iter().map(|item| engine.fired(black_box(item), None).len()).sum()
            }),
            Contender::new("harmattan, verdict", || {
                items.iter().map(|item| engine.judge(black_box(item), None).fired.len()).sum()
            }),
        ];
        report(kind, &items, &mut contenders);
    }
}

/// Lets the contenders run in turn and prints how fast each was.
fn report(kind: &str, items: &[Item], contenders: &mut [Contender<'_>]) {
    for _ in 0..ROUNDS {
        for contender in &mut *contenders {
            let began = Instant::now();
            contender.found = black_box((contender.run)());
            contender.times.push(began.elapsed());
        }
    }
    let bytes = corpus::bytes(items) as f64;
    let articles = items.len() as f64;
    let [bare, words, automaton, double, _, fired, verdict] = contenders else { panic!("seven contenders") };
    assert!(words.found == automaton.found && automaton.found == double.found, "scanners disagree");
    assert_eq!(fired.found, verdict.found);
    println!(
        "{kind}: {:.1} hits and {:.2} rules fired an article",
        words.found as f64 / articles,
        verdict.found as f64 / articles
    );
    let reference = bare.median().as_secs_f64();
    for contender in contenders {
        let seconds = contender.median().as_secs_f64();
        println!(
            "  {:<19}{:>8.1} MB/s   {:.2} times bare vectorscan",
            contender.name,
            bytes / seconds / 1e6,
            reference / seconds
        );
    }
}

/// Hits in folded texts that begin and end where words do.
fn count_hits(texts: &[String], scan: impl Fn(&str, &mut dyn FnMut(usize, usize))) -> usize {
    let mut count = 0;
    for text in texts {
        let bytes = text.as_bytes();
        // Between folded words stand single spaces and line ends.
        let is_edge = |at: usize| bytes.get(at).is_none_or(|&byte| byte <= b' ');
        scan(text, &mut |start, end| {
            count += usize::from((start == 0 || is_edge(start - 1)) && is_edge(end));
        });
    }
    count
}

fn timed<T>(name: &str, build: impl FnOnce() -> T) -> T {
    let began = Instant::now();
    let built = build();
    println!("{name} built in {:.0} ms", began.elapsed().as_secs_f64() * 1e3);
    built
}
