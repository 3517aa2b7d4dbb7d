//! Files that a statement spilled to (`log_temp_files`), told when they are removed; the statement is the record's.

use super::reading::number;

/// A temporary file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TemporaryFile<'a> {
    /// Its path below the data folder.
    pub path: &'a str,
    /// Its size, in bytes.
    pub bytes: u64,
}

/// Reads a message that begins with `temporary file: `.
pub(super) fn told(message: &str) -> Option<TemporaryFile<'_>> {
    let rest = message.strip_prefix("temporary file: path \"")?;
    let (path, size) = rest.rsplit_once("\", size ")?;
    let (bytes, rest) = number(size)?;
    rest.is_empty().then_some(TemporaryFile { path, bytes })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{Event, understand};
    use crate::{Record, Severity};

    #[test]
    fn a_file_has_its_size() {
        let read = |message| understand(&Record::new(Severity::Log, message));
        let path = "base/pgsql_tmp/pgsql_tmp1234.0";
        let told = format!("temporary file: path \"{path}\", size 14000000000");
        assert_eq!(read(&told), Event::TemporaryFile(TemporaryFile { path, bytes: 14_000_000_000 }));
        assert_eq!(read("temporary file: path \"x\", size many"), Event::Other);
    }
}
