//! What the server tells of a statement's work at `debug1`: messages for its developers (`errmsg_internal`, never
//! translated), the same on 15 and 18. The table of DDL kinds notices when one changes.
//!
//! Source: `tablecmds.c` and `ri_triggers.c`.

use tokio::sync::mpsc::UnboundedReceiver;
use tokio_postgres::error::DbError;

/// Said before every row of a foreign key is looked up, which may happen through indexes alone, so that no sequential
/// scan shows it.
const VALIDATING_FOREIGN_KEY: &str = "validating foreign key constraint \"";

/// Said before ALTER TABLE writes every row of a table anew, followed by the table's bare name.
const REWRITING_TABLE: &str = "rewriting table \"";

#[derive(Default)]
pub(super) struct Told {
    /// Names of the foreign keys that were validated.
    pub(super) validated: Vec<String>,
    /// Bare names of the tables that ALTER TABLE rewrote.
    pub(super) rewritten: Vec<String>,
}

/// What the server has told since this was last asked.
pub(super) fn told(notices: &mut UnboundedReceiver<DbError>) -> Told {
    let mut told = Told::default();
    while let Ok(notice) = notices.try_recv() {
        let name_after = |words: &str| notice.message().strip_prefix(words)?.strip_suffix('"');
        told.validated.extend(name_after(VALIDATING_FOREIGN_KEY).map(ToOwned::to_owned));
        told.rewritten.extend(name_after(REWRITING_TABLE).map(ToOwned::to_owned));
    }
    told
}
