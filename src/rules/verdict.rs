//! What the rules say of an item.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use super::spec::{Mode, Severity};
use crate::item::Item;
use crate::text::{ByteSpan, Field};

/// What fired on an item and what it mentions.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Verdict {
    /// Rules that fired, live and shadow, in the order of the config.
    pub fired: Vec<Match>,
    /// Entities found, places excepted, each once, in order of first occurrence.
    pub entities: Vec<Arc<EntityRef>>,
    /// Places found, each once, in order of first occurrence.
    pub places: Vec<Arc<PlaceRef>>,
    /// Whether a field was longer than [`crate::text::FIELD_BYTES_MAX`], so that its rest was not looked at.
    pub cut: bool,
}

impl Verdict {
    /// The highest severity among the rules that fired.
    pub fn severity(&self) -> Option<Severity> {
        self.fired.iter().map(|fired| fired.severity).max()
    }

    /// The item that the reasons are places of: with all that its message says where one lies behind its text.
    pub fn quoted<'i>(&self, item: &'i Item) -> Cow<'i, Item> {
        let is_behind = |why: &Reason| why.field == Field::Text && why.span.end > item.text.len();
        let is_behind = self.fired.iter().flat_map(|fired| &fired.why).any(is_behind);
        let whole = is_behind.then(|| item.whole()).flatten();
        whole.map_or(Cow::Borrowed(item), Cow::Owned)
    }

    /// Adds what `more` has beyond this; it is of the same item with more behind its text.
    pub(super) fn add(&mut self, more: Self) {
        let Self { fired, entities, places, cut } = more;
        let is_new = |rule: &Match| self.fired.iter().all(|known| known.rule != rule.rule);
        let fired: Vec<Match> = fired.into_iter().filter(is_new).collect();
        self.fired.extend(fired);
        self.entities = joined(std::mem::take(&mut self.entities), entities);
        self.places = joined(std::mem::take(&mut self.places), places);
        self.cut |= cut;
    }
}

/// What either has, each once.
fn joined<T: PartialEq>(mut known: Vec<T>, more: Vec<T>) -> Vec<T> {
    let more: Vec<T> = more.into_iter().filter(|one| !known.contains(one)).collect();
    known.extend(more);
    known
}

/// One rule that fired, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Match {
    /// Name of the rule.
    pub rule: Arc<str>,
    /// Its severity.
    pub severity: Severity,
    /// Its tags.
    pub tags: Vec<String>,
    /// Whether its alerts are sent: live or shadow.
    pub mode: Mode,
    /// What the desk wrote for whoever reads the alert.
    pub note: Option<Arc<str>>,
    /// The rule's own greatest age of an item.
    pub max_age: Option<Duration>,
    /// The sum of its weights, when it has any.
    pub score: Option<i64>,
    /// The words that met its conditions, in order of field and place.
    pub why: Vec<Reason>,
}

/// A piece of the item that met a term of a rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Reason {
    /// The term as written in the rule.
    pub term: String,
    /// The words that met it, as written in the item.
    pub text: String,
    /// Where they stand.
    pub field: Field,
    /// Byte offsets into that field.
    pub span: ByteSpan,
}

/// An entity, as alerts name it.
#[derive(Clone, Debug, PartialEq)]
pub struct EntityRef {
    /// Id.
    pub id: String,
    /// Type.
    pub entity_type: String,
    /// Name in Latin script.
    pub name: String,
}

/// A place, as alerts name it.
#[derive(Clone, Debug, PartialEq)]
pub struct PlaceRef {
    /// Id.
    pub id: String,
    /// Name in Latin script.
    pub name: String,
    /// ISO 3166-1 alpha-2.
    pub country: Option<String>,
    /// All ancestors, nearest first.
    pub within: Vec<String>,
    /// Latitude and longitude, decimal degrees, WGS 84.
    pub at: Option<(f64, f64)>,
}
