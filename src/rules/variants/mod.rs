//! Other spellings of a name, made by rules when the config is loaded.
//!
//! A name from Mali reaches us as French, English, Russian and Arabic desks spell it. `latin` knows how their
//! spellings differ, `cyrillic` and `arabic` write a name in another script and vary it in their own. Each
//! rule has a cost, and a spelling costs what its changes cost together; the cheapest come first. `name`
//! says which words of an alias may change at all.
//!
//! Arabic is not written in Latin letters: it leaves short vowels out, and guesses make no sound spelling.

mod arabic;
mod cyrillic;
mod latin;
mod name;
mod spelling;

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use name::Name;

/// Spellings that a name gets at most.
pub(crate) const VARIANTS_MAX: usize = 24;

/// What the changes of one spelling may cost together.
const COST_MAX: u8 = 3;

/// Some letters of a name, and what stands for them.
#[derive(Clone, Debug)]
struct Edit {
    /// The first letter, counted from the beginning of the name.
    at: usize,
    /// How many of them.
    len: usize,
    to: Cow<'static, str>,
}

/// Edits that are made together: those of one rule, or one for each word.
#[derive(Clone, Debug)]
struct Change {
    /// How far it leads away from the name; 1 is what desks do all the time.
    cost: u8,
    edits: Vec<Edit>,
    /// Whether other changes can be made as well; not when it writes the name in another script.
    combines: bool,
}

/// Other spellings of `name`, an alias as it is written in the config, without the name itself.
///
/// The most likely come first, at most [`VARIANTS_MAX`]. Words that do not look like names stay as they are:
/// short, lower case or all capitals, with `*` or digits, and those that are `is_common` (asked of folded
/// words). No spelling consists of common words alone. What is more than words (`=`, `~`, `@`, `|`, a gap)
/// has no other spelling.
pub(crate) fn variants(name: &str, is_common: &dyn Fn(&str) -> bool) -> Vec<String> {
    let Some(name) = Name::read(name, is_common) else { return Vec::new() };
    let mut changes = Vec::new();
    latin::changes(&name, &mut changes);
    cyrillic::changes(&name, &mut changes);
    arabic::changes(&name, &mut changes);
    changes.sort_by_key(|change| change.cost);
    let mut made = Made { name: &name, is_common, folded: vec![name.folded(&[])], shown: Vec::new() };
    for cost in 1..=COST_MAX {
        for change in changes.iter().filter(|change| change.cost == cost) {
            made.add(&[change]);
        }
        if made.shown.len() == VARIANTS_MAX {
            break;
        }
        for (place, first) in changes.iter().enumerate() {
            for second in changes.iter().skip(place + 1) {
                if first.cost + second.cost == cost && first.combines && second.combines {
                    made.add(&[first, second]);
                }
            }
        }
    }
    made.shown
}

/// The spellings so far.
struct Made<'a> {
    name: &'a Name,
    is_common: &'a dyn Fn(&str) -> bool,
    /// The name and its spellings, folded.
    folded: Vec<String>,
    shown: Vec<String>,
}

impl Made<'_> {
    fn add(&mut self, changes: &[&Change]) {
        if self.shown.len() == VARIANTS_MAX {
            return;
        }
        let mut edits: Vec<&Edit> = changes.iter().flat_map(|change| &change.edits).collect();
        edits.sort_by_key(|edit| edit.at);
        if edits.iter().zip(edits.iter().skip(1)).any(|(edit, next)| edit.at + edit.len > next.at) {
            return;
        }
        let folded = self.name.folded(&edits);
        let mut words =
            folded.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty());
        if self.folded.contains(&folded) || words.all(self.is_common) {
            return;
        }
        self.shown.push(self.name.shown(&edits));
        self.folded.push(folded);
    }
}
