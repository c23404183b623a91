//! A corpus made from fixed seeds: the same articles, patterns and rules for every bench and every engine.
//!
//! Four made-up languages, one of each script, whose words come as often as Zipf says. Articles speak of names
//! that other articles speak of too. Patterns are phrases of articles that are in no corpus, and new phrases of
//! the rarer words; rules ask for patterns near keywords.

#![allow(dead_code, reason = "each bench uses a part of it")]

mod language;
mod seeded;

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use harmattan::item::Item;
use harmattan::rules::spec::{EntitySpec, Located, NearSpec, Origin, RuleSpec};

pub(crate) use language::LANGUAGES;
use language::{Language, RARE_RANK, capital};
pub(crate) use seeded::Seeded;

/// Bytes of title and text of a long article.
pub(crate) const LONG_BYTES: usize = 5 * 1024;

/// Bytes of title and text of a short one.
pub(crate) const SHORT_BYTES: usize = 300;

/// Articles of each size in a set, in equal shares of the languages.
pub(crate) const ARTICLES: usize = 400;

/// Patterns to draw from.
const PATTERNS: usize = 100_000;

/// Lists of keywords, and the words in each.
const KEYWORD_SETS: usize = 50;
const KEYWORDS_PER_SET: usize = 40;

/// Ranks of words that are keywords: neither the words of grammar nor rare ones.
const KEYWORD_RANKS: std::ops::Range<usize> = 50..1_500;

/// Once in so many words of an article a name stands.
const WORDS_PER_NAME: usize = 40;

/// Everything that is made once.
pub(crate) struct Corpus {
    languages: Vec<Language>,
    /// Different names and phrases.
    pub(crate) patterns: Vec<String>,
}

/// A piece of running text: a word of a rank, or a name.
enum Piece<'a> {
    Word(usize),
    Name(&'a str),
}

impl Corpus {
    pub(crate) fn new() -> Self {
        let languages = (0..LANGUAGES).map(Language::new).collect();
        let mut corpus = Self { languages, patterns: Vec::new() };
        corpus.patterns = corpus.phrases();
        corpus
    }

    /// The mixed set of articles of a size.
    pub(crate) fn articles(&self, bytes: usize) -> Vec<Item> {
        let mut random = Seeded::new(7);
        (0..ARTICLES).map(|number| self.article(number % LANGUAGES, bytes, &mut random)).collect()
    }

    /// The articles of the mixed set that are of one language: 0 is ASCII, 1 has accents, 2 is Cyrillic,
    /// 3 Arabic.
    pub(crate) fn articles_of(&self, language: usize, bytes: usize) -> Vec<Item> {
        self.articles(bytes).into_iter().skip(language).step_by(LANGUAGES).collect()
    }

    /// Keyword lists, and `count` rules over as many patterns.
    pub(crate) fn pack(&self, count: usize) -> (Vec<EntitySpec>, Vec<RuleSpec>) {
        (self.keywords(), self.rules(count))
    }

    /// Entities `kw-0`, `kw-1` and so on, each of commoner words of all languages.
    pub(crate) fn keywords(&self) -> Vec<EntitySpec> {
        let mut random = Seeded::new(11);
        let mut set = |number| {
            let mut entity = EntitySpec::new(located(format!("kw-{number}")), "event-type");
            for word in 0..KEYWORDS_PER_SET {
                let rank = KEYWORD_RANKS.start + random.below(KEYWORD_RANKS.len());
                entity.aliases.push(located(self.languages[word % LANGUAGES].words[rank].clone()));
            }
            entity.aliases.sort_by(|one, other| one.value.cmp(&other.value));
            entity.aliases.dedup_by(|one, other| one.value == other.value);
            entity
        };
        (0..KEYWORD_SETS).map(&mut set).collect()
    }

    /// Rules that ask for one of three patterns near a keyword.
    pub(crate) fn rules(&self, count: usize) -> Vec<RuleSpec> {
        let mut random = Seeded::new(13);
        let patterns = &self.patterns[..count.min(self.patterns.len())];
        let mut rule = |number| {
            let names: Vec<&str> = (0..3).map(|_| &*patterns[random.below(patterns.len())]).collect();
            let keyword = format!("@kw-{}", random.below(KEYWORD_SETS));
            let terms = vec![located(names.join(" | ")), located(keyword)];
            let mut spec = RuleSpec::named(located(format!("rule-{number}")));
            spec.near.push(NearSpec { within: 10, terms, ordered: false });
            spec
        };
        (0..count).map(&mut rule).collect()
    }

    /// Half of them stand in articles made for this alone, half are new.
    fn phrases(&self) -> Vec<String> {
        let mut random = Seeded::new(3);
        let mut known = HashSet::new();
        let mut patterns = Vec::with_capacity(PATTERNS);
        let mut number = 0;
        while patterns.len() < PATTERNS {
            let language = &self.languages[number % LANGUAGES];
            number += 1;
            let mut found = quoted(language, &mut random);
            for _ in 0..found.len() {
                let count = words_of_a_phrase(&mut random);
                let words: Vec<&str> = (0..count).map(|_| language.rare_word(&mut random)).collect();
                found.push(words.join(" "));
            }
            for phrase in found {
                let tells = phrase.contains(' ') || phrase.chars().count() >= LONE_LETTERS_MIN;
                if tells && patterns.len() < PATTERNS && known.insert(phrase.to_lowercase()) {
                    patterns.push(phrase);
                }
            }
        }
        // So that the first thousand are like all of them.
        for last in (1..patterns.len()).rev() {
            patterns.swap(last, random.below(last + 1));
        }
        patterns
    }

    fn article(&self, language: usize, bytes: usize, random: &mut Seeded) -> Item {
        let writer = Writer { language: &self.languages[language], number: language };
        let title = writer.title(random);
        let text = writer.text(bytes.saturating_sub(title.len()), random);
        item(title, text)
    }
}

/// Letters of a pattern of one word at least: made-up short words are common real ones, which rules must not ask
/// for alone.
const LONE_LETTERS_MIN: usize = 6;

/// Most names and phrases have two words.
fn words_of_a_phrase(random: &mut Seeded) -> usize {
    [1, 1, 1, 2, 2, 2, 2, 3, 3, 4][random.below(10)]
}

/// Names and phrases of an article.
fn quoted(language: &Language, random: &mut Seeded) -> Vec<String> {
    let mut found = Vec::new();
    let pieces: Vec<Piece> = (0..600).map(|_| piece(language, random)).collect();
    for (at, piece) in pieces.iter().enumerate() {
        match *piece {
            Piece::Name(name) => found.push(name.to_owned()),
            Piece::Word(rank) if rank >= RARE_RANK && random.once_in(6) => {
                let run = pieces.iter().skip(at).take(words_of_a_phrase(random));
                let words = run.map(|piece| match *piece {
                    Piece::Word(rank) => &*language.words[rank],
                    Piece::Name(name) => name,
                });
                found.push(words.collect::<Vec<_>>().join(" "));
            }
            Piece::Word(_) => {}
        }
    }
    found
}

fn piece<'a>(language: &'a Language, random: &mut Seeded) -> Piece<'a> {
    if random.once_in(WORDS_PER_NAME) {
        Piece::Name(language.name(random))
    } else {
        Piece::Word(language.rank(random))
    }
}

/// Puts words into sentences as the language writes them.
struct Writer<'a> {
    language: &'a Language,
    number: usize,
}

impl Writer<'_> {
    /// Marks between words: commas, quotes and dashes; the ASCII language stays in ASCII.
    const COMMAS: [&'static [&'static str]; LANGUAGES] = [
        &[", ", ", ", ": ", " (", ") ", "; "],
        &[", ", ", ", " : ", " « ", " » ", " – "],
        &[", ", ", ", " — ", " «", "» ", ": "],
        &["، ", "، ", ": ", " \"", "\" ", "؛ "],
    ];

    /// What stands before a word or after it without a space.
    const BEFORE: [&'static [&'static str]; LANGUAGES] =
        [&["o'", "non-"], &["l'", "d’", "qu'", "l’", "s'"], &["по-"], &["و", "و", "ب", "ل"]];
    const AFTER: [&'static [&'static str]; LANGUAGES] = [&["'s", "-in"], &["-là", "-ci"], &["-то"], &["ها"]];

    fn title(&self, random: &mut Seeded) -> String {
        let mut title = String::new();
        for number in 0..7 {
            let (_, word) = self.word(random);
            title.push_str(if number == 0 { "" } else { " " });
            title.push_str(&word);
        }
        capital(&title)
    }

    /// Paragraphs of sentences until there are so many bytes of them.
    fn text(&self, bytes: usize, random: &mut Seeded) -> String {
        let mut text = String::new();
        while text.len() < bytes {
            for _ in 0..2 + random.below(3) {
                self.sentence(&mut text, bytes, random);
                if text.len() >= bytes {
                    break;
                }
                text.push(' ');
            }
            text.push('\n');
        }
        text
    }

    /// Ends early when the text has all its bytes.
    fn sentence(&self, text: &mut String, bytes: usize, random: &mut Seeded) {
        let words = 7 + random.below(20);
        for number in 0..words {
            let (is_plain, word) = self.word(random);
            let joins = is_plain && random.once_in([40, 12, 80, 10][self.number]);
            if number == 0 {
                text.push_str(&capital(&word));
            } else if joins && random.once_in(4) {
                text.push_str(&word);
                text.push_str(random.pick(Self::AFTER[self.number]));
            } else if joins {
                text.push_str(random.pick(Self::BEFORE[self.number]));
                text.push_str(&word);
            } else {
                text.push_str(&word);
            }
            if number + 1 == words || text.len() >= bytes {
                text.push(if self.number == 3 && random.once_in(8) { '؟' } else { '.' });
                break;
            }
            text.push_str(if random.once_in(9) { random.pick(Self::COMMAS[self.number]) } else { " " });
        }
    }

    /// A word, a name or a number, and whether it is a word.
    fn word(&self, random: &mut Seeded) -> (bool, String) {
        if random.once_in(35) {
            let most = [12, 100, 3_000][random.below(3)];
            let number = random.below(most);
            return (false, number.to_string());
        }
        match piece(self.language, random) {
            Piece::Word(rank) => (true, self.language.words[rank].clone()),
            Piece::Name(name) => (false, name.to_owned()),
        }
    }
}

/// An item without anything but title and text.
pub(crate) fn item(title: String, text: String) -> Item {
    Item::of_text(title, text)
}

/// Bytes of title and text of all items.
pub(crate) fn bytes(items: &[Item]) -> usize {
    items.iter().map(|item| item.title.len() + item.text.len()).sum()
}

/// A value as if it had been read from a config file.
pub(crate) fn located(value: String) -> Located<String> {
    Located { value, origin: Origin { file: Arc::from(Path::new("bench.toml")), line: 1 } }
}
