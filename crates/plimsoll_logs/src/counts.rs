//! How much was read, and what couldn't be.

use serde::{Deserialize, Serialize};

/// Lines that couldn't be read are kept up to this number, for a person to look at.
const MOST_SAMPLES: usize = 100;
/// Bytes of one that are kept.
const LONGEST_SAMPLE: usize = 300;

/// What a reader has met.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Bytes of log, decompressed.
    pub bytes: u64,
    /// Messages.
    pub records: u64,
    /// Lines, or records of csvlog and jsonlog, that couldn't be read.
    pub unparsed: u64,
    /// Messages of a server that speaks another language: their severity isn't known.
    pub foreign: u64,
    /// Lines with a second severity close to a name that a client chooses: they may be forged, and count for nothing else.
    pub suspicious: u64,
    /// Bytes that were no UTF-8 and were replaced.
    pub replaced: u64,
    /// Moments in zones that aren't known: they count as UTC.
    pub unknown_zones: u64,
    /// The first lines that couldn't be read.
    #[serde(skip)]
    pub samples: Vec<String>,
}

impl Counts {
    /// Counts a line that can't be read.
    pub(crate) fn unparsed(&mut self, line: &str) {
        self.unparsed += 1;
        if self.samples.len() < MOST_SAMPLES {
            let mut end = line.len().min(LONGEST_SAMPLE);
            while !line.is_char_boundary(end) {
                end -= 1;
            }
            self.samples.push(line[..end].trim_end_matches(['\r', '\n']).to_owned());
        }
    }

    /// Adds what another reader has met.
    pub fn merge(&mut self, other: &Self) {
        self.bytes += other.bytes;
        self.records += other.records;
        self.unparsed += other.unparsed;
        self.foreign += other.foreign;
        self.suspicious += other.suspicious;
        self.replaced += other.replaced;
        self.unknown_zones += other.unknown_zones;
        let room = MOST_SAMPLES.saturating_sub(self.samples.len());
        self.samples.extend(other.samples.iter().take(room).cloned());
    }
}
