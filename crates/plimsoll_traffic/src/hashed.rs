//! Tables whose keys are hashes already, or small numbers of our own: hashing them again would cost more than looking.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

/// A map by a hash or a number.
pub type ByNumber<N, T> = HashMap<N, T, BuildHasherDefault<Spread>>;

/// A set of hashes.
pub type Hashes = HashSet<u64, BuildHasherDefault<Spread>>;

/// Spreads a number over all bits by one multiplication (Knuth, "Sorting and Searching", 6.4: Fibonacci hashing).
#[derive(Default)]
pub struct Spread(u64);

impl Hasher for Spread {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_usize(&mut self, number: usize) {
        self.write_u64(number as u64);
    }

    fn write_u64(&mut self, number: u64) {
        // The table looks at the highest and the lowest bits.
        self.0 = (self.0 ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(32);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_differ_in_the_bits_that_a_table_looks_at() {
        let hash = |number: u64| {
            let mut hasher = Spread::default();
            hasher.write_u64(number);
            hasher.finish()
        };
        let differing =
            |part: fn(u64) -> u64| (0..128).map(|number| part(hash(number))).collect::<HashSet<_>>().len();
        assert!(differing(|hash| hash >> 57) > 64 && differing(|hash| hash & 127) > 64);
    }
}
