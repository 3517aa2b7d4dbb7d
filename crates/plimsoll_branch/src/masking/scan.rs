//! Looks for many byte strings at once in files.

use std::collections::{BTreeSet, HashMap};
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

/// Shorter ones are found everywhere.
pub(super) const LEAST: usize = 8;
/// The rest of a longer one says no more.
pub(super) const MOST: usize = 64;
const CHUNK: usize = 1 << 20;
const FILTER_BITS: usize = 1 << 22;

/// Byte strings to look for.
pub(super) struct Needles {
    texts: Vec<Vec<u8>>,
    by_start: HashMap<[u8; LEAST], Vec<usize>>,
    /// A bit for each start's hash: most places of a file are passed by it alone.
    filter: Vec<u64>,
}

impl Needles {
    pub(super) fn new(texts: impl IntoIterator<Item = Vec<u8>>) -> Self {
        let mut needles =
            Self { texts: Vec::new(), by_start: HashMap::new(), filter: vec![0; FILTER_BITS / 64] };
        for mut text in texts {
            text.truncate(MOST);
            let Some(start) = text.first_chunk::<LEAST>() else { continue };
            let bit = hash(start);
            needles.filter[bit / 64] |= 1 << (bit % 64);
            needles.by_start.entry(*start).or_default().push(needles.texts.len());
            needles.texts.push(text);
        }
        needles
    }

    /// The numbers of those that are in a text.
    pub(super) fn in_bytes(&self, bytes: &[u8], found: &mut BTreeSet<usize>) {
        for (at, window) in bytes.windows(LEAST).enumerate() {
            let Some(start) = window.first_chunk::<LEAST>() else { continue };
            let bit = hash(start);
            if self.filter[bit / 64] & (1 << (bit % 64)) == 0 {
                continue;
            }
            let candidates = self.by_start.get(start).into_iter().flatten();
            found.extend(candidates.filter(|number| bytes[at..].starts_with(&self.texts[**number])));
        }
    }

    /// The numbers of those that are in a file.
    pub(super) fn in_file(&self, path: &Path) -> io::Result<BTreeSet<usize>> {
        let mut file = File::open(path)?;
        let mut buffer = vec![0; CHUNK + MOST];
        let (mut kept, mut found) = (0, BTreeSet::new());
        loop {
            let read = file.read(&mut buffer[kept..])?;
            let filled = kept + read;
            self.in_bytes(&buffer[..filled], &mut found);
            if read == 0 {
                return Ok(found);
            }
            // One may go on in the next piece.
            let next = filled.min(MOST);
            buffer.copy_within(filled - next..filled, 0);
            kept = next;
        }
    }
}

fn hash(start: &[u8; LEAST]) -> usize {
    let mixed = u64::from_le_bytes(*start).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    usize::try_from(mixed >> 42).unwrap_or_default() % FILTER_BITS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_is_found_wherever_it_is() {
        let texts = ["ada@example.org", "ada@example.com", "12345678", "short"];
        let needles = Needles::new(texts.map(|text| text.as_bytes().to_vec()));
        let check = |bytes: &[u8], expected: &[usize]| {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("file");
            std::fs::write(&path, bytes).unwrap();
            assert_eq!(needles.in_file(&path).unwrap(), expected.iter().copied().collect());
        };
        check(b"", &[]);
        check(b"ada@example.orf short 1234567", &[]);
        check(b"x12345678", &[2]);
        for at in [0, 1, CHUNK - 20, CHUNK - 7, CHUNK, CHUNK + MOST - 3, 2 * CHUNK + MOST - 5] {
            let mut bytes = vec![b'a'; 3 * CHUNK];
            bytes[at..at + 15].copy_from_slice(b"ada@example.org");
            check(&bytes, &[0]);
        }
    }

    #[test]
    fn a_long_one_is_known_by_its_beginning() {
        let needles = Needles::new([vec![b'x'; 500]]);
        let mut found = BTreeSet::new();
        needles.in_bytes(&[b'x'; MOST], &mut found);
        assert_eq!(found.len(), 1);
    }
}
