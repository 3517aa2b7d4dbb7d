//! All that talks to a live PostgreSQL: private servers, the rehearsal of a change on one, and the
//! measuring of queries before and after it.
//!
//! The only asynchronous crate. Whatever it started dies with it: on drop, on error, on a signal,
//! on SIGKILL of the program.

pub mod queries;
pub mod rehearse;
pub mod server;
