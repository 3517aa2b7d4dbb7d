//! What the server tells of a statement's work at `debug1`: messages for its developers (`errmsg_internal`, never
//! translated), the same on 15 and 18. The table of DDL kinds notices when one changes.
//!
//! Source: `tablecmds.c`, `ri_triggers.c` and, for temporary files, `fd.c`.

use plimsoll_core::facts::{ServerMessage, TempFiles};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio_postgres::error::DbError;

/// Said before every row of a foreign key is looked up, which may happen through indexes alone, so that no sequential
/// scan shows it.
const VALIDATING_FOREIGN_KEY: &str = "validating foreign key constraint \"";

/// Said before ALTER TABLE writes every row of a table anew, followed by the table's bare name.
const REWRITING_TABLE: &str = "rewriting table \"";

/// Said at the end of a temporary file, with `log_temp_files = 0`.
const TEMPORARY_FILE: &str = "temporary file: path \"";

/// Said of the server's own memory, which is no fact about the statement.
const REHASHING: &str = "rehashing catalog cache id ";

/// A statement that says more than this repeats itself.
const MOST_MESSAGES: usize = 50;

/// Characters of a message that are kept.
const MOST_CHARACTERS: usize = 500;

#[derive(Default)]
pub(super) struct Told {
    /// Names of the foreign keys that were validated.
    pub(super) validated: Vec<String>,
    /// Bare names of the tables that ALTER TABLE rewrote.
    pub(super) rewritten: Vec<String>,
    /// Temporary files that were closed.
    pub(super) temp_files: TempFiles,
    /// What it said otherwise, each once.
    pub(super) messages: Vec<ServerMessage>,
}

/// Where a session's notices come from.
pub(super) enum Notices {
    /// A client of ours.
    OfClient(UnboundedReceiver<DbError>),
    /// A session that a program drives: severity and message of each.
    OfProgram(UnboundedReceiver<(String, String)>),
}

impl Notices {
    /// What the server has told since this was last asked.
    pub(super) fn told(&mut self) -> Told {
        let mut told = Told::default();
        match self {
            Self::OfClient(notices) => {
                while let Ok(notice) = notices.try_recv() {
                    told.note(notice.severity(), notice.message());
                }
            }
            Self::OfProgram(notices) => {
                while let Ok((severity, message)) = notices.try_recv() {
                    told.note(&severity, &message);
                }
            }
        }
        told
    }
}

impl Told {
    /// Takes note of one message.
    pub(super) fn note(&mut self, severity: &str, message: &str) {
        if message.starts_with(REHASHING) {
            return;
        }
        let name_after = |words: &str| message.strip_prefix(words)?.strip_suffix('"').map(ToOwned::to_owned);
        if let Some(bytes) = temporary_file(message) {
            self.temp_files.files += 1;
            self.temp_files.bytes += bytes;
            return;
        }
        self.validated.extend(name_after(VALIDATING_FOREIGN_KEY));
        self.rewritten.extend(name_after(REWRITING_TABLE));
        let message = ServerMessage {
            severity: severity.trim_end_matches(|digit: char| digit.is_ascii_digit()).to_owned(),
            message: message.chars().take(MOST_CHARACTERS).collect(),
        };
        if self.messages.len() < MOST_MESSAGES && !self.messages.contains(&message) {
            self.messages.push(message);
        }
    }
}

/// The size of a temporary file: `temporary file: path "base/pgsql_tmp/…", size 1024`.
fn temporary_file(message: &str) -> Option<u64> {
    message.strip_prefix(TEMPORARY_FILE)?.rsplit_once(", size ")?.1.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn temporary_files_are_summed_and_repetitions_dropped() {
        let mut told = Told::default();
        told.note("LOG", "temporary file: path \"base/pgsql_tmp/pgsql_tmp1.0\", size 1024");
        told.note("LOG", "temporary file: path \"base/pgsql_tmp/pgsql_tmp1.1\", size 1");
        told.note("DEBUG1", "rehashing catalog cache id 7 for pg_class; 257 tups, 128 buckets");
        told.note("DEBUG1", "rewriting table \"ships\"");
        told.note("DEBUG1", "rewriting table \"ships\"");
        assert_eq!(told.temp_files, TempFiles { files: 2, bytes: 1025 });
        let message = ServerMessage { severity: "DEBUG".into(), message: "rewriting table \"ships\"".into() };
        assert_eq!(told.messages, [message]);
        assert_eq!(told.rewritten, ["ships", "ships"]);
    }
}
