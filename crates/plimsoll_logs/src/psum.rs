//! A summary as a file: a line that names the format and its version, a checksum, and the summary, compressed.
//!
//! The same summary always gives the same bytes: maps are in order, numbers are integers, and the compressor is one of our
//! own build.

use std::io::{Read as _, Write as _};

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use twox_hash::XxHash3_64;

use crate::summary::Summary;

/// The version of the format. Another one is refused, never guessed at.
pub const FORMAT_VERSION: u32 = 2;

const HEAD: &str = "plimsoll summary ";
/// A summary takes no more than this, decompressed; more is a bomb.
const LARGEST: u64 = 1 << 30;

/// A file that isn't a summary.
#[derive(Debug, thiserror::Error)]
pub enum PsumError {
    /// It is something else.
    #[error("it is no summary; write one with `plimsoll logs LOG --save FILE.psum`")]
    NoSummary,
    /// It is of another version.
    #[error(
        "it is of format {found}, and this program reads format {FORMAT_VERSION}; write it anew from the log"
    )]
    Version {
        /// The version that it names.
        found: String,
    },
    /// Its end is missing, or bytes have changed.
    #[error("it is damaged: {why}; write it anew from the log")]
    Damaged {
        /// What doesn't fit.
        why: String,
    },
}

/// Whether a file says that it is a summary.
#[must_use]
pub fn is_summary(start: &[u8]) -> bool {
    start.starts_with(HEAD.as_bytes())
}

/// Writes a summary.
///
/// # Errors
/// None that is known: memory is all that it needs.
pub fn encode(summary: &Summary) -> Result<Vec<u8>, std::io::Error> {
    let plain = postcard::to_allocvec(summary).map_err(std::io::Error::other)?;
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::new(6));
    encoder.write_all(&plain)?;
    let packed = encoder.finish()?;
    let mut file = format!("{HEAD}{FORMAT_VERSION}\n").into_bytes();
    file.extend(XxHash3_64::oneshot(&packed).to_le_bytes());
    file.extend(packed);
    Ok(file)
}

/// Reads a summary.
///
/// # Errors
/// When the bytes are no summary, of another version, or damaged.
pub fn decode(file: &[u8]) -> Result<Summary, PsumError> {
    let rest = file.strip_prefix(HEAD.as_bytes()).ok_or(PsumError::NoSummary)?;
    let end = memchr::memchr(b'\n', &rest[..rest.len().min(20)]).ok_or(PsumError::NoSummary)?;
    let version = String::from_utf8_lossy(&rest[..end]);
    if version != FORMAT_VERSION.to_string() {
        return Err(PsumError::Version { found: version.into_owned() });
    }
    let damaged = |why: String| PsumError::Damaged { why };
    let (checksum, packed) =
        rest[end + 1..].split_first_chunk::<8>().ok_or_else(|| damaged("it ends early".to_owned()))?;
    if XxHash3_64::oneshot(packed).to_le_bytes() != *checksum {
        return Err(damaged("its checksum doesn't fit".to_owned()));
    }
    let mut plain = Vec::new();
    let read = DeflateDecoder::new(packed).take(LARGEST).read_to_end(&mut plain);
    read.map_err(|why| damaged(why.to_string()))?;
    postcard::from_bytes(&plain).map_err(|why| damaged(why.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let mut summary = Summary::default();
        summary.counts.records = 7;
        summary.reach(5);
        summary.unlisted.add(Some(77));
        let file = encode(&summary).unwrap();
        assert_eq!(decode(&file).unwrap(), summary);
        for end in 0..file.len() {
            decode(&file[..end]).unwrap_err();
        }
    }

    #[test]
    fn what_is_none_is_told() {
        assert!(decode(b"x").unwrap_err().to_string().contains("no summary"));
        let error = decode(b"plimsoll summary 99\nabc").unwrap_err().to_string();
        assert!(error.contains("format 99"), "{error}");
        let mut file = encode(&Summary::default()).unwrap();
        *file.last_mut().unwrap() ^= 1;
        assert!(decode(&file).unwrap_err().to_string().contains("checksum"));
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
            let _ = decode(&bytes);
            let mut packed = Vec::new();
            let mut encoder = DeflateEncoder::new(&mut packed, Compression::fast());
            encoder.write_all(&bytes).unwrap();
            encoder.finish().unwrap();
            let mut file = format!("{HEAD}{FORMAT_VERSION}\n").into_bytes();
            file.extend(XxHash3_64::oneshot(&packed).to_le_bytes());
            file.extend(packed);
            let _ = decode(&file);
        }
    }
}
