//! Compressed logs, read as they come: memory stays the same however much a file says it holds.

use std::cell::RefCell;
use std::io::{self, BufReader, Cursor, Read};
use std::rc::Rc;

use bzip2::read::MultiBzDecoder;
use flate2::read::MultiGzDecoder;
use lzma_rust2::XzReader;

/// The largest window that a zstd frame may ask for, as a power of two: 128 MiB, zstd's own limit.
const ZSTD_WINDOW: u32 = 27;
/// The largest dictionary that an xz stream may ask for, as the byte that tells it: 128 MiB. Its strongest preset asks for 64.
const XZ_DICTIONARY: u8 = 30;

/// Why a compressed log ended before its end, if it did.
#[derive(Clone, Debug, Default)]
pub(super) struct Torn(Rc<RefCell<Option<String>>>);

impl Torn {
    pub(super) fn why(&self) -> Option<String> {
        self.0.borrow().clone()
    }
}

/// Decompresses what begins with `sample`. Whatever isn't compressed comes back as it was, without a [`Torn`].
pub(super) fn decompressed(sample: &[u8], input: Box<dyn Read>) -> io::Result<(Box<dyn Read>, Option<Torn>)> {
    let torn = Torn::default();
    let reader: Box<dyn Read> = if sample.starts_with(b"\x1f\x8b") {
        Box::new(MultiGzDecoder::new(input))
    } else if is_zstd(sample) {
        let mut decoder = zstd::stream::read::Decoder::new(input)?;
        decoder.window_log_max(ZSTD_WINDOW)?;
        Box::new(decoder)
    } else if sample.starts_with(b"\xfd7zXZ\0") {
        if xz_dictionary(sample).is_some_and(|dictionary| dictionary > XZ_DICTIONARY) {
            return Err(io::Error::other(
                "its xz dictionary is larger than 128 MiB; decompress it with `xz -dc`",
            ));
        }
        Box::new(XzReader::new(BufReader::new(input), true))
    } else if sample.starts_with(b"BZh") {
        Box::new(MultiBzDecoder::new(input))
    } else {
        return Ok((input, None));
    };
    Ok((Box::new(UpToDamage { reader, torn: torn.clone() }), Some(torn)))
}

/// A frame, or one that is skipped.
fn is_zstd(sample: &[u8]) -> bool {
    sample.starts_with(b"\x28\xb5\x2f\xfd") || matches!(sample, [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..])
}

/// The byte that tells the dictionary's size in the first block's header (xz file format 1.2, 3.1 and 5.3.1).
fn xz_dictionary(sample: &[u8]) -> Option<u8> {
    let flags = *sample.get(13)?;
    let mut at = 14;
    // The sizes of the block, if they are told: seven bits a byte.
    for told in [flags & 0x40, flags & 0x80] {
        while told != 0 && sample.get(at)? & 0x80 != 0 {
            at += 1;
        }
        at += usize::from(told != 0);
    }
    match sample.get(at..at + 3)? {
        [0x21, 1, dictionary] => Some(*dictionary),
        _ => None,
    }
}

/// Ends where the compressed data is damaged, and keeps why: what was read before counts.
struct UpToDamage {
    reader: Box<dyn Read>,
    torn: Torn,
}

impl Read for UpToDamage {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        if self.torn.0.borrow().is_some() {
            return Ok(0);
        }
        match self.reader.read(room) {
            Err(why) if why.kind() != io::ErrorKind::Interrupted => {
                *self.torn.0.borrow_mut() = Some(why.to_string());
                Ok(0)
            }
            other => other,
        }
    }
}

/// An input whose first bytes were read.
pub(super) fn again(sample: Vec<u8>, input: Box<dyn Read>) -> Box<dyn Read> {
    Box::new(Cursor::new(sample).chain(input))
}
