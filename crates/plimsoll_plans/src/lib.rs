//! Plan branches: a data directory with production's schema and its planner's statistics, and without its rows, on which the
//! planner chooses the plans that it chooses in production.
//!
//! [`capture()`] reads a server into a [`PlanSource`], [`Dump`] what `pg_dump` wrote; [`build()`] makes the data directory.

mod array;
mod btree;
mod build;
mod capture;
mod extended_bytes;
mod pseudonyms;
mod quoted;
mod source;

pub use build::{BuildError, Built, Unrestored, build};
pub use capture::{CaptureError, CaptureOptions, Dump, ValuePolicy, capture};
pub use source::*;
