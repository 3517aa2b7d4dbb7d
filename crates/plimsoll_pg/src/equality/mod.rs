//! Whether two databases hold the same: every object that a change can make, by name and not by number, and the rows.
//!
//! What is the same in two copies of a database and differs after two changes, the changes made different. Numbers of
//! objects, dropped columns and the order in which rows lie aren't looked at.

mod contents;
mod copies;
mod rows;
mod trial;

pub use contents::{Contents, Difference, read_contents};
pub use copies::{Copies, copy_database, drop_database};
pub use rows::{Rows, RowsDifference, read_rows};
pub use trial::{Compared, Original};
