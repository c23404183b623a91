//! Numbers that are the same everywhere, for ever.

/// A small generator of numbers (splitmix64).
pub(crate) struct Seeded(u64);

impl Seeded {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `limit`.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        // 31 bits fit everywhere.
        usize::try_from((mixed ^ (mixed >> 31)) >> 33).unwrap_or_default() % limit
    }

    /// Whether something happens that happens once in so many times.
    pub(crate) fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// One of several.
    pub(crate) fn pick<'a, T: ?Sized>(&mut self, several: &[&'a T]) -> &'a T {
        several[self.below(several.len())]
    }
}

/// Ranks by the law of Zipf and Mandelbrot: the commonest word is rank 0.
pub(crate) struct Zipf {
    /// Weights of a rank and all before it.
    sums: Vec<usize>,
}

impl Zipf {
    /// Weight of a word of rank 1, so small that the numbers drawn (31 bits) reach all alike.
    const WEIGHT: usize = 1 << 20;

    pub(crate) fn new(ranks: usize) -> Self {
        let sums = (0..ranks).scan(0, |sum, rank| {
            *sum += Self::WEIGHT / (rank + 4);
            Some(*sum)
        });
        Self { sums: sums.collect() }
    }

    pub(crate) fn rank(&self, random: &mut Seeded) -> usize {
        let all = self.sums.last().copied().unwrap_or(1);
        let at = random.below(all);
        self.sums.partition_point(|&sum| sum <= at)
    }
}
