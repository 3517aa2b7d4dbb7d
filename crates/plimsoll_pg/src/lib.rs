//! All that talks to a live PostgreSQL: private servers, the rehearsal of a change on one, the
//! measuring of queries before and after it, whether two changes come to the same, and the reading of another
//! server's catalogue.
//!
//! The only asynchronous crate. Whatever it started dies with it: on drop, on error, on a signal,
//! on SIGKILL of the program.

pub mod catalogue;
pub mod dump_file;
pub mod equality;
pub mod explain;
pub mod load;
pub mod queries;
pub mod rehearse;
pub mod server;
pub mod tap;
