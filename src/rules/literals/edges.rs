//! The table of edges: from what was read and the next word to what may follow.
//!
//! Open addressing with linear probing, at most two thirds full; sixteen bytes a slot, so that a look-up mostly
//! touches one line of the cache. In front of it a bit set of all keys, small enough to stay near the processor: nearly all
//! look-ups of ordinary text end there.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use super::{AsIs, LiteralId};

/// Bits of a filter for each key: one absent key in ten to twenty passes by chance.
const FILTER_BITS_PER_KEY: usize = 10;

/// A bit for each key that is there, so that most of those that are not need not be looked for.
#[derive(Debug, Default)]
struct Filter(Vec<u64>);

impl Filter {
    fn new(keys: usize) -> Self {
        let bits = (keys * FILTER_BITS_PER_KEY).next_power_of_two().max(64);
        Self(vec![0; bits / 64])
    }

    /// The slot and the bit of a key.
    #[inline]
    fn place(&self, key: u64) -> (usize, u64) {
        let slot = usize::try_from(key >> 6 & 0xffff_ffff).unwrap_or_default() & self.0.len().wrapping_sub(1);
        (slot, 1 << (key & 63))
    }

    fn add(&mut self, key: u64) {
        let (slot, bit) = self.place(key);
        if let Some(bits) = self.0.get_mut(slot) {
            *bits |= bit;
        }
    }

    #[inline]
    fn may_have(&self, key: u64) -> bool {
        let (slot, bit) = self.place(key);
        self.0.get(slot).is_some_and(|bits| bits & bit != 0)
    }
}

/// An edge that was found.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Edge {
    key: u64,
    /// The literal that ends here, or the list of them.
    end: u32,
    flags: u32,
}

/// The slot is taken.
const TAKEN: u32 = 1;
/// One literal ends here.
const ENDS: u32 = 2;
/// Several do.
const ENDS_MANY: u32 = 4;
/// Phrases go on from here.
const GOES_ON: u32 = 8;
/// They go on by a prefix.
const BY_PREFIX: u32 = 16;
/// They go on by a class of words.
const BY_CLASS: u32 = 32;
/// Something begins with it.
const BEGINS: u32 = 64;

impl Edge {
    pub(super) fn goes_on(self) -> bool {
        self.flags & GOES_ON != 0
    }

    pub(super) fn by_prefix(self) -> bool {
        self.flags & BY_PREFIX != 0
    }

    pub(super) fn by_class(self) -> bool {
        self.flags & BY_CLASS != 0
    }
}

/// The finished table.
#[derive(Debug, Default)]
pub(super) struct Edges {
    slots: Vec<Edge>,
    /// Edges with which something begins: every word of an item is asked for here, so it is kept small.
    first: Filter,
    /// All edges.
    all: Filter,
    /// Lists of literals that end at one edge.
    many: Vec<Vec<LiteralId>>,
}

impl Edges {
    /// The edge with that key.
    #[inline]
    pub(super) fn get(&self, key: u64) -> Option<Edge> {
        if self.may_have(key) { self.resolve(key, self.first_slot(key)) } else { None }
    }

    /// Whether there can be an edge with that key.
    #[inline]
    pub(super) fn may_have(&self, key: u64) -> bool {
        self.all.may_have(key)
    }

    /// Whether something can begin with that edge.
    #[inline]
    pub(super) fn may_begin(&self, key: u64) -> bool {
        self.first.may_have(key)
    }

    /// What lies where the search for a key begins. A slot is far away in memory: many are asked for in a row
    /// before the first is looked at, so that their ways overlap.
    #[inline]
    pub(super) fn first_slot(&self, key: u64) -> Edge {
        self.slots.get(start(key) & self.slots.len().wrapping_sub(1)).copied().unwrap_or_default()
    }

    /// The edge with that key, whose search begins with `first`.
    #[inline]
    pub(super) fn resolve(&self, key: u64, first: Edge) -> Option<Edge> {
        let mask = self.slots.len().wrapping_sub(1);
        let mut at = start(key) & mask;
        let mut edge = first;
        loop {
            if edge.flags == 0 {
                return None;
            }
            if edge.key == key {
                return Some(edge);
            }
            at = (at + 1) & mask;
            edge = *self.slots.get(at)?;
        }
    }

    /// The literals that end at an edge.
    pub(super) fn ends<'a>(&'a self, edge: &'a Edge) -> &'a [LiteralId] {
        if edge.flags & ENDS != 0 {
            std::slice::from_ref(&edge.end)
        } else if edge.flags & ENDS_MANY != 0 {
            self.many.get(edge.end as usize).map(Vec::as_slice).unwrap_or_default()
        } else {
            &[]
        }
    }

    pub(super) fn heap_bytes(&self) -> usize {
        self.slots.capacity() * size_of::<Edge>()
            + (self.first.0.capacity() + self.all.0.capacity()) * size_of::<u64>()
            + self
                .many
                .iter()
                .map(|list| list.capacity() * size_of::<LiteralId>() + size_of_val(list))
                .sum::<usize>()
    }
}

/// Where the search for a key begins; other bits than those of the filter.
#[inline]
fn start(key: u64) -> usize {
    usize::try_from(key >> 20 & 0xffff_ffff).unwrap_or_default()
}

/// Collects edges.
#[derive(Debug, Default)]
pub(super) struct EdgesBuilder {
    edges: HashMap<u64, Edge, BuildHasherDefault<AsIs>>,
    many: Vec<Vec<LiteralId>>,
}

impl EdgesBuilder {
    /// Sees that there is an edge.
    pub(super) fn add(&mut self, key: u64, begins: bool) {
        let edge = self.edges.entry(key).or_insert(Edge { key, end: 0, flags: TAKEN });
        edge.flags |= if begins { BEGINS } else { 0 };
    }

    /// Notes that phrases go on from an edge.
    pub(super) fn go_on(&mut self, key: u64, by_prefix: bool, by_class: bool) {
        if let Some(edge) = self.edges.get_mut(&key) {
            edge.flags |= GOES_ON;
            edge.flags |= if by_prefix { BY_PREFIX } else { 0 };
            edge.flags |= if by_class { BY_CLASS } else { 0 };
        }
    }

    /// Notes that a literal ends at an edge.
    pub(super) fn end(&mut self, key: u64, literal: LiteralId) {
        let Some(edge) = self.edges.get_mut(&key) else { return };
        if edge.flags & ENDS_MANY != 0 {
            let list = self.many.get_mut(edge.end as usize);
            if let Some(list) = list.filter(|list| list.last() != Some(&literal)) {
                list.push(literal);
            }
        } else if edge.flags & ENDS == 0 {
            edge.flags |= ENDS;
            edge.end = literal;
        } else if edge.end != literal {
            self.many.push(vec![edge.end, literal]);
            edge.flags = edge.flags & !ENDS | ENDS_MANY;
            edge.end = u32::try_from(self.many.len() - 1).unwrap_or(u32::MAX);
        }
    }

    pub(super) fn finish(self) -> Edges {
        if self.edges.is_empty() {
            return Edges::default();
        }
        let slots = (self.edges.len() * 3 / 2).next_power_of_two().max(2);
        let begin = self.edges.values().filter(|edge| edge.flags & BEGINS != 0).count();
        let mut table = Edges {
            slots: vec![Edge::default(); slots],
            first: Filter::new(begin),
            all: Filter::new(self.edges.len()),
            many: self.many,
        };
        for (key, edge) in self.edges {
            table.all.add(key);
            if edge.flags & BEGINS != 0 {
                table.first.add(key);
            }
            let mut at = start(key) & (slots - 1);
            while table.slots.get(at).is_some_and(|taken| taken.flags != 0) {
                at = (at + 1) & (slots - 1);
            }
            if let Some(free) = table.slots.get_mut(at) {
                *free = edge;
            }
        }
        table
    }
}
