//! What runs on a server: statements counted by fingerprint, and bursts of one query, N+1 among them. The tap brings what
//! it sees, and the reader of logs what a log tells.
//!
//! Deliberately absent: sockets, files, clocks. Statements in, a [`plimsoll_core::traffic::Traffic`] out.

pub mod burst;
mod collector;
pub mod findings;
pub mod hashed;
mod histogram;
mod observed;
mod query;
mod rows;
#[cfg(test)]
mod tests;
pub mod texts;
mod timeline;

pub use collector::Collector;
pub use histogram::Histogram;
pub use observed::{Answer, Ending, Observed};
pub use query::{Sample, SeenQuery};
