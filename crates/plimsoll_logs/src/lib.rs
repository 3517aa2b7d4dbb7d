//! A server's log, read near the speed of memory: records of every format, what they say, and summaries that merge.
//!
//! Deliberately absent: files, sockets, clocks. Bytes in, values out.

pub mod alert;
mod blocking;
mod blocks;
mod changes;
mod counts;
mod csv;
pub mod diff;
pub mod doctor;
mod each;
pub mod envelope;
pub mod format;
mod happened;
mod json;
pub mod label;
pub mod message;
pub mod normalised;
pub mod prefix;
pub mod psum;
pub mod record;
pub mod report;
pub mod rhythm;
pub mod scan;
mod sequence;
mod sessions;
pub mod severity;
mod slow_plan;
mod stderr;
mod steps;
pub mod summary;
mod tally;
pub mod time;
mod words;

#[cfg(test)]
mod scan_tests;

pub use counts::Counts;
pub use each::each_record;
pub use envelope::{Envelope, Unwrapped};
pub use format::Format;
pub use happened::{kind, object};
pub use prefix::{Prefix, PrefixError};
pub use record::Record;
pub use scan::{End, Scan};
pub use severity::Severity;
pub use summary::Summary;
