//! Reading the catalogue of a server that isn't ours: a snapshot of its schema and sizes.
//!
//! One read-only transaction of SELECTs on system catalogues, with time limits, over the simple protocol.
//! Nothing is written, no row of a table is read, no lock above ACCESS SHARE is taken. Deliberately absent:
//! TLS, whose crates this build doesn't carry; [`script`] gives the same queries to psql, which has it.

mod connect;
mod error;
mod password_file;
mod queries;
mod read;
mod session;
mod target;

pub use error::CatalogueError;
pub use queries::{Bodies, script};
pub use read::{Limits, Taken, take_snapshot};
pub use session::{Session, Unanswered};
pub use target::{Target, TargetError, Variables};
