//! A server's log, read near the speed of memory: records of every format, what they say, and summaries that merge.
//!
//! Deliberately absent: files, sockets, clocks. Bytes in, values out.

pub mod message;
pub mod normalised;
pub mod record;
pub mod severity;

pub use record::Record;
pub use severity::Severity;
