//! Records one after the other, for what can't be counted side by side.

use std::io::{self, Read};

use crate::blocks::Blocks;
use crate::counts::Counts;
use crate::format::{Format, Scratch};
use crate::record::Record;

/// Hands over each record of a log in order; returns what was met.
///
/// # Errors
/// When the input can't be read; what was read before was handed over.
pub fn each_record(
    format: &Format,
    input: impl Read,
    sink: &mut dyn FnMut(&Record<'_>),
) -> io::Result<Counts> {
    let (mut blocks, mut scratch, mut counts) =
        (Blocks::new(input, format), Scratch::default(), Counts::default());
    let mut room = Vec::new();
    while let Some(block) = blocks.next(room)? {
        let text = String::from_utf8_lossy(&block);
        blocks.format().scan(&text, &mut scratch, &mut counts, sink);
        drop(text);
        room = block;
    }
    Ok(counts)
}
