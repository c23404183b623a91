//! How long an article takes at worst, and what the rules weigh: `cargo bench --bench percentiles`.
//!
//! Every article of the corpus is judged 20 times, all in turn. Each number of rules has a process of its own,
//! whose memory is what the system says it holds: kept is what compiling added once the specs are gone, peak
//! what it added with them at its worst. Freed memory that the allocator holds back counts as kept.

#![expect(clippy::print_stdout, reason = "a bench prints what it measured")]

use std::collections::HashSet;
use std::fmt::Write as _;
use std::hint::black_box;
use std::io;
use std::process::Command;
use std::time::{Duration, Instant};

use harmattan::item::Item;
use harmattan::rules::Engine;
use harmattan::text::folded;

mod corpus;

use corpus::{Corpus, LONG_BYTES, SHORT_BYTES};

/// Numbers of rules, the least first and the greatest last.
const SIZES: [usize; 3] = [1_000, 10_000, 100_000];

/// Times that each article is judged.
const ROUNDS: usize = 20;

/// Words of the longest phrase whose hits are counted.
const PHRASE_WORDS_MAX: usize = 8;

fn main() -> io::Result<()> {
    if let Some(count) = std::env::args().nth(1).and_then(|argument| argument.parse().ok()) {
        print!("{}", measured(count)?);
        return Ok(());
    }
    let mut medians = Vec::new();
    for count in SIZES {
        let child = Command::new(std::env::current_exe()?).arg(count.to_string()).output()?;
        if !child.status.success() {
            return Err(io::Error::other(String::from_utf8_lossy(&child.stderr).into_owned()));
        }
        let report = String::from_utf8_lossy(&child.stdout);
        println!("{report}");
        medians.push(report.lines().filter_map(median).collect::<Vec<f64>>());
    }
    if let (Some(least), Some(most)) = (medians.first(), medians.last()) {
        for (kind, (least, most)) in ["0.3k", "5k"].iter().zip(least.iter().zip(most)) {
            println!("{kind}: p50 at 100,000 rules is {:.2} times that at 1,000", most / least);
        }
    }
    Ok(())
}

/// The median in a line of a report, in µs.
fn median(line: &str) -> Option<f64> {
    line.split_once("fired list: p50 ")?.1.split_once(" µs")?.0.parse().ok()
}

/// The figures for a number of rules, as text.
fn measured(count: usize) -> io::Result<String> {
    let corpus = Corpus::new();
    let before = held("VmRSS")?;
    let (entities, rules) = corpus.pack(count);
    let with_specs = held("VmRSS")?;
    let began = Instant::now();
    let engine = match Engine::compile(entities, rules) {
        Ok(engine) => engine,
        Err(problems) => return Err(io::Error::other(format!("{:#?}", problems.first()))),
    };
    let load = began.elapsed();
    let (kept, peak) = (held("VmRSS")?.saturating_sub(before), held("VmHWM")?.saturating_sub(before));
    let mut report = format!(
        "{count} rules, {} literals: loaded in {:.0} ms; {:.0} bytes a literal in the table\n",
        engine.literal_count(),
        load.as_secs_f64() * 1e3,
        per(engine.literal_bytes(), engine.literal_count())
    );
    let each = |bytes: usize| bytes / count;
    writeln!(
        report,
        "  memory a pattern (as many as rules): kept {} B, peak {} B, of which specs {} B",
        each(kept),
        each(peak),
        each(with_specs.saturating_sub(before))
    )
    .map_err(io::Error::other)?;
    let patterns: HashSet<String> = corpus.patterns.iter().take(count).map(|text| folded(text)).collect();
    for (kind, bytes) in [("0.3k", SHORT_BYTES), ("5k", LONG_BYTES)] {
        let items = corpus.articles(bytes);
        report.push_str(&row(kind, &engine, &items, &patterns));
        let (candidates, fired) = items.iter().fold((0, 0), |(candidates, fired), item| {
            (candidates + engine.candidate_count(item, None), fired + engine.fired(item, None).len())
        });
        let looked_at = per(candidates, items.len());
        writeln!(
            report,
            "  {kind}: {looked_at:.1} rules looked at, {:.1} for each that fires",
            per(candidates, fired)
        )
        .map_err(io::Error::other)?;
    }
    Ok(report)
}

/// Speed over a set of articles, and what is found in it: to the list of rules that fire, to the verdict with its
/// reasons, and to the places of words alone.
fn row(kind: &str, engine: &Engine, items: &[Item], patterns: &HashSet<String>) -> String {
    // The first round fills buffers and caches.
    let fired: usize = items.iter().map(|item| engine.judge(item, None).fired.len()).sum();
    let hits: usize = items.iter().map(|item| hits(item, patterns)).sum();
    let found = format!(
        "  {kind}: an article has {:.1} hits and fires {:.2} rules\n",
        per(hits, items.len()),
        per(fired, items.len())
    );
    [
        found,
        timed(kind, "fired list", items, |item| engine.fired(item, None).len()),
        timed(kind, "verdict", items, |item| engine.judge(item, None).fired.len()),
        timed(kind, "scan alone", items, |item| engine.hit_count(item)),
    ]
    .concat()
}

/// The time from raw text to what `work` finds.
fn timed(kind: &str, what: &str, items: &[Item], work: impl Fn(&Item) -> usize) -> String {
    let mut times = Vec::with_capacity(items.len() * ROUNDS);
    for _ in 0..ROUNDS {
        for item in items {
            let began = Instant::now();
            black_box(work(black_box(item)));
            times.push(began.elapsed());
        }
    }
    let megabytes = per(corpus::bytes(items) * ROUNDS, 1_000_000);
    let speed = megabytes / times.iter().sum::<Duration>().as_secs_f64();
    times.sort_unstable();
    let at = |percent: usize| {
        let time = times.get((times.len() * percent / 100).min(times.len() - 1));
        time.copied().unwrap_or_default().as_secs_f64() * 1e6
    };
    format!("  {kind}: {what}: p50 {:.1} µs, p99 {:.1} µs, {speed:.1} MB/s\n", at(50), at(99))
}

/// Stretches of words of an article that are patterns, overlapping ones too.
fn hits(item: &Item, patterns: &HashSet<String>) -> usize {
    let count = |field: &str| {
        let text = folded(field);
        let words: Vec<&str> = text.split(' ').collect();
        let lengths = 1..=PHRASE_WORDS_MAX;
        lengths
            .map(|len| words.windows(len).filter(|run| patterns.contains(&run.join(" "))).count())
            .sum::<usize>()
    };
    count(&item.title) + count(&item.text)
}

/// A line of `/proc/self/status`, in bytes.
fn held(name: &str) -> io::Result<usize> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let kilobytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<usize>().ok());
    kilobytes.map(|kilobytes| kilobytes * 1024).ok_or_else(|| io::Error::other("the system tells no memory"))
}

/// A ratio of two counts, which are small enough to be told apart as fractions.
fn per(count: usize, of: usize) -> f64 {
    let float = |count: usize| u32::try_from(count).map_or(f64::INFINITY, f64::from);
    float(count) / float(of)
}
