use std::fs::File;
use std::sync::Arc;

use super::*;

const LENGTH: usize = 5 * BLOCK as usize + 100;

struct Pair {
    lower: Arc<OwnedFd>,
    delta: OwnedFd,
}

impl Pair {
    fn new() -> (Self, Blocks) {
        let lower: OwnedFd = tempfile::tempfile().unwrap().into();
        write_fully(&lower, &[1; LENGTH], 0).unwrap();
        let delta: OwnedFd = tempfile::tempfile().unwrap().into();
        let blocks = Blocks::create(&delta, LENGTH as u64).unwrap();
        (Self { lower: Arc::new(lower), delta }, blocks)
    }

    fn write(&self, blocks: &mut Blocks, bytes: &[u8], offset: u64) {
        let written = blocks.write(&self.delta, || Ok(Arc::clone(&self.lower)), bytes, offset);
        assert_eq!(written, Ok(bytes.len()));
    }

    fn bytes(&self, blocks: &Blocks) -> Vec<u8> {
        let length = rustix::fs::fstat(&self.delta).unwrap().st_size.cast_unsigned() - blocks.start();
        let mut bytes = vec![9; usize::try_from(length).unwrap()];
        blocks.read(&self.delta, || Ok(Arc::clone(&self.lower)), &mut bytes, 0).unwrap();
        bytes
    }

    fn loaded(&self) -> Result<Blocks, Errno> {
        Blocks::load(&self.delta, LENGTH as u64)
    }
}

/// The lower file's bytes with a change.
fn expected(change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut bytes = vec![1; LENGTH];
    change(&mut bytes);
    bytes
}

#[test]
fn a_write_brings_the_rest_of_its_blocks() {
    let (pair, mut blocks) = Pair::new();
    pair.write(&mut blocks, &[2; 10], BLOCK - 5);
    let wanted = expected(|bytes| bytes[BLOCK as usize - 5..BLOCK as usize + 5].fill(2));
    assert_eq!(pair.bytes(&blocks), wanted);
    assert_eq!(pair.bytes(&pair.loaded().unwrap()), wanted);
    assert_eq!(blocks.words, [0b11]);
}

#[test]
fn a_block_without_its_bit_is_the_lower_one() {
    // Killed after the data and before the bit: the write wasn't answered.
    let (pair, blocks) = Pair::new();
    write_fully(&pair.delta, &[2; BLOCK as usize], blocks.start() + BLOCK).unwrap();
    assert_eq!(pair.bytes(&pair.loaded().unwrap()), expected(|_| {}));
}

#[test]
fn a_block_of_zeros_is_not_the_lower_one() {
    let (pair, mut blocks) = Pair::new();
    pair.write(&mut blocks, &[0; BLOCK as usize], BLOCK);
    let wanted = expected(|bytes| bytes[BLOCK as usize..2 * BLOCK as usize].fill(0));
    assert_eq!(pair.bytes(&pair.loaded().unwrap()), wanted);
}

#[test]
fn what_was_cut_off_never_comes_back() {
    let (pair, mut blocks) = Pair::new();
    blocks.truncate(&pair.delta, BLOCK + 7).unwrap();
    blocks.truncate(&pair.delta, LENGTH as u64).unwrap();
    let wanted = expected(|bytes| bytes[BLOCK as usize + 7..].fill(0));
    assert_eq!(pair.bytes(&blocks), wanted);
    assert_eq!(pair.bytes(&pair.loaded().unwrap()), wanted);
}

#[test]
fn a_truncation_that_was_killed_halfway_is_finished() {
    let (pair, blocks) = Pair::new();
    rustix::fs::ftruncate(&pair.delta, blocks.start() + BLOCK + 7).unwrap();
    let mut blocks = pair.loaded().unwrap();
    blocks.truncate(&pair.delta, LENGTH as u64).unwrap();
    let wanted = expected(|bytes| bytes[BLOCK as usize + 7..].fill(0));
    assert_eq!(pair.bytes(&pair.loaded().unwrap()), wanted);
}

#[test]
fn another_lower_file_or_none_of_ours_is_refused() {
    let (pair, _) = Pair::new();
    assert!(matches!(Blocks::load(&pair.delta, LENGTH as u64 + 1), Err(Errno::UCLEAN)));
    let strange: OwnedFd = File::open("/dev/null").unwrap().into();
    assert!(matches!(Blocks::load(&strange, LENGTH as u64), Err(Errno::UCLEAN)));
}
