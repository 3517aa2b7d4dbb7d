//! Tables of labelled and scored cases, read near the speed of memory: CSV, TSV, JSON lines and Parquet to columns.
//!
//! [`read_text`] takes a file's bytes (mapped, say: nothing copies them), [`read_parquet`] an open file. Both read blocks of
//! whole rows on all cores, and keep only the columns that [`Wanted`] names. What is wrong is told by its row, its column and
//! its value: always what comes first in the file, whatever the threads do.
//!
//! Deliberately absent: names of files and opening them (the caller's), compressed text, a column that isn't asked for, and
//! whether both classes are there.

mod columnar;
mod error;
mod format;
mod groups;
mod kinds;
mod labels;
mod moment;
mod number;
mod part;
mod table;
mod text;
mod wanted;
mod whole;

pub use columnar::{read_parquet, read_parquet_bytes};
pub use error::{Fault, Place, TableError};
pub use format::Format;
pub use kinds::Seen;
pub use table::{Groups, ScoreColumn, Table};
pub use text::read_text;
pub use wanted::Wanted;
