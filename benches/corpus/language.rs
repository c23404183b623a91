//! Made-up languages: words that can be pronounced, of the lengths and letters of the real ones.

use std::collections::HashSet;

use super::seeded::{Seeded, Zipf};

/// Words of a language.
const WORDS: usize = 40_000;

/// Names that its articles speak of.
const NAMES: usize = 5_000;

/// From this rank on a word is one of the rarer ones, which names are made of.
pub(crate) const RARE_RANK: usize = 500;

/// What syllables of a script are made of; the more often a piece stands here, the more often it comes.
struct Sounds {
    onsets: &'static [&'static str],
    vowels: &'static [&'static str],
    codas: &'static [&'static str],
    /// What may stand before the whole word, once in so many words.
    article: (&'static str, usize),
    /// Of ten words so many are a syllable longer than in the other scripts.
    longer_of_ten: usize,
}

/// Latin without accents, Latin with those of French, Cyrillic, Arabic.
const SOUNDS: [Sounds; 4] = [
    Sounds {
        onsets: &[
            "t", "t", "s", "s", "r", "r", "n", "n", "l", "l", "d", "d", "c", "m", "p", "b", "f", "g", "h",
            "v", "w", "st", "tr", "ch", "th", "pr", "k", "j", "",
        ],
        vowels: &["e", "e", "e", "a", "a", "o", "o", "i", "i", "u", "ea", "ou", "io"],
        codas: &["", "", "", "", "n", "r", "s", "t", "l", "d", "nd", "st", "ng", "y"],
        article: ("", 1),
        longer_of_ten: 0,
    },
    Sounds {
        onsets: &[
            "l", "l", "r", "r", "s", "s", "t", "t", "d", "d", "n", "m", "p", "c", "v", "b", "f", "g", "ch",
            "qu", "j", "ç", "tr", "pr", "",
        ],
        vowels: &[
            "e", "e", "e", "e", "e", "e", "e", "a", "a", "a", "a", "i", "i", "i", "o", "o", "u", "u", "é",
            "é", "è", "ê", "â", "ô", "ou", "eu", "ai", "oi",
        ],
        codas: &["", "", "", "", "", "n", "r", "s", "s", "t", "l", "nt", "ée", "x"],
        article: ("", 1),
        longer_of_ten: 2,
    },
    Sounds {
        onsets: &[
            "с", "с", "т", "т", "н", "н", "р", "р", "в", "в", "л", "л", "к", "к", "м", "д", "п", "п", "г",
            "з", "б", "ч", "ж", "х", "ш", "ст", "пр", "ц", "",
        ],
        vowels: &["о", "о", "о", "е", "е", "е", "а", "а", "а", "и", "и", "и", "я", "у", "ы", "ю", "ё"],
        codas: &["", "", "", "", "й", "н", "т", "л", "м", "в", "р", "х", "ть", "ст"],
        article: ("", 1),
        longer_of_ten: 10,
    },
    Sounds {
        onsets: &[
            "ل", "ل", "م", "م", "ن", "ن", "ر", "ر", "ت", "ت", "ب", "ب", "ع", "د", "س", "ه", "ف", "ق", "ك",
            "ح", "ج", "ش", "ص", "ط", "خ", "أ", "إ", "غ", "ز", "ث", "ض", "ذ",
        ],
        // Short vowels are not written.
        vowels: &["", "", "", "", "", "ا", "ا", "ي", "ي", "و"],
        codas: &["", "", "", "", "", "ن", "ر", "ل", "د", "م", "ة", "ات", "ى", "ئ"],
        article: ("ال", 4),
        longer_of_ten: 7,
    },
];

/// Languages, one of each script.
pub(crate) const LANGUAGES: usize = SOUNDS.len();

/// A made-up language.
pub(crate) struct Language {
    /// Its words by rank, the commonest first.
    pub(crate) words: Vec<String>,
    /// Names by rank: one to three of its rarer words with capitals.
    pub(crate) names: Vec<String>,
    /// How often its words come.
    pub(crate) zipf: Zipf,
    /// How often its names come.
    pub(crate) fame: Zipf,
}

impl Language {
    pub(crate) fn new(script: usize) -> Self {
        let mut random = Seeded::new(100 + u64::try_from(script).unwrap_or_default());
        let mut known = HashSet::new();
        let mut words = Vec::with_capacity(WORDS);
        while words.len() < WORDS {
            let word = word(&SOUNDS[script], words.len(), &mut random);
            if word.chars().count() > 1 && known.insert(word.clone()) {
                words.push(word);
            }
        }
        let mut names = Vec::with_capacity(NAMES);
        while names.len() < NAMES {
            let count = 1 + random.below(3);
            let rare = |random: &mut Seeded| capital(&words[RARE_RANK + random.below(WORDS - RARE_RANK)]);
            let name: Vec<String> = (0..count).map(|_| rare(&mut random)).collect();
            names.push(name.join(" "));
        }
        Self { words, names, zipf: Zipf::new(WORDS), fame: Zipf::new(NAMES) }
    }

    /// The rank of a word as it comes in running text.
    pub(crate) fn rank(&self, random: &mut Seeded) -> usize {
        self.zipf.rank(random)
    }

    /// A name as it comes in running text.
    pub(crate) fn name(&self, random: &mut Seeded) -> &str {
        &self.names[self.fame.rank(random)]
    }

    /// One of the rarer words, each as often as the other.
    pub(crate) fn rare_word(&self, random: &mut Seeded) -> &str {
        &self.words[RARE_RANK + random.below(self.words.len() - RARE_RANK)]
    }
}

/// The commoner a word, the shorter.
fn word(sounds: &Sounds, rank: usize, random: &mut Seeded) -> String {
    let syllables = match rank {
        0..120 => 1,
        120..600 => 1 + random.below(2),
        600..4_000 => 2 + random.below(2),
        _ => 2 + random.below(3),
    };
    let longer = rank >= 60 && random.below(10) < sounds.longer_of_ten;
    let mut word = String::new();
    let (article, times) = sounds.article;
    if rank > 20 && random.once_in(times) {
        word.push_str(article);
    }
    for _ in 0..syllables + usize::from(longer) {
        word.push_str(random.pick(sounds.onsets));
        word.push_str(random.pick(sounds.vowels));
    }
    word.push_str(random.pick(sounds.codas));
    word
}

/// The word as it begins a sentence.
pub(crate) fn capital(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect()
}
