//! Irregular words by families: what belongs together, and what does not.

use std::collections::HashMap;

/// Beginnings and endings, each beginning with each ending being a word; `-` stands for an empty one. The
/// first ending makes the base of the words that share its beginning.
pub(super) type Family = (&'static str, &'static str);

/// Irregular words of a language, by word.
#[derive(Debug)]
pub(super) struct Families {
    bases: HashMap<String, Vec<String>>,
    apart: HashMap<String, String>,
}

impl Families {
    /// Words of `joined` are filed under their base too; those of `apart` under their base alone.
    pub(super) fn new(joined: &[Family], apart: &[Family]) -> Self {
        let mut families = Self { bases: HashMap::new(), apart: HashMap::new() };
        for_each(joined, |word, base| {
            let bases = families.bases.entry(word).or_default();
            if !bases.contains(&base) {
                bases.push(base);
            }
        });
        for_each(apart, |word, base| {
            families.apart.insert(word, base);
        });
        families
    }

    /// The words that `word` is an irregular form of, itself included when it is one's base.
    pub(super) fn bases(&self, word: &str) -> &[String] {
        self.bases.get(word).map_or(&[], Vec::as_slice)
    }

    /// The word that `word` is a form of and that is its only stem.
    pub(super) fn apart(&self, word: &str) -> Option<&str> {
        self.apart.get(word).map(String::as_str)
    }
}

/// Calls `each` with every word of the families and its base.
fn for_each(families: &[Family], mut each: impl FnMut(String, String)) {
    for (beginnings, endings) in families {
        for beginning in beginnings.split(' ').map(part) {
            let words = endings.split(' ').map(|ending| format!("{beginning}{}", part(ending)));
            let base = words.clone().next().unwrap_or_default();
            words.for_each(|word| each(word, base.clone()));
        }
    }
}

fn part(written: &str) -> &str {
    if written == "-" { "" } else { written }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_is_every_beginning_with_every_ending() {
        let families = Families::new(&[("- over", "take took"), ("t", "- a")], &[("news", "- x")]);
        assert_eq!(families.bases("took"), ["take"]);
        assert_eq!(families.bases("overtook"), ["overtake"]);
        assert_eq!(families.bases("ta"), ["t"]);
        assert!(families.bases("taken").is_empty());
        assert_eq!(families.apart("newsx"), Some("news"));
    }
}
