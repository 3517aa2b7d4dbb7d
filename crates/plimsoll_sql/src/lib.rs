//! SQL text to values: statements with byte ranges, the command that each one is, the
//! migrations of a project in the layout of its tool, the transactions they run in, and a schema
//! in memory built by replaying them.
//!
//! Deliberately absent: files and sockets (the caller brings texts), and any judgement about what
//! is dangerous. The parser's own types end in [`parse`]: no other crate sees them.

pub mod command;
pub mod comments;
pub mod data_type;
pub mod effects;
pub mod layout;
pub mod migration;
pub mod name;
pub mod normal_form;
pub mod outline;
pub mod parameter_lines;
pub mod parse;
pub mod placeholder;
pub mod plpgsql;
pub mod query_file;
pub mod repeatable;
pub mod schema;
pub mod snapshot;
pub mod split;
pub mod sqlcommenter;
pub mod transaction;
pub mod volatility;

pub use command::Command;
pub use data_type::DataType;
pub use layout::{InputFile, Layout};
pub use migration::{Migration, TransactionHabit};
pub use name::ObjectName;
pub use normal_form::{Fingerprint, NormalForm};
pub use parse::{Statement, StatementKind, SyntaxError};
pub use repeatable::{asks_for_an_order, asks_for_the_moment};
pub use schema::Schema;
pub use snapshot::Snapshot;
