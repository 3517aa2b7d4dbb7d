//! What rewrites a table while it is in use.

use plimsoll_sql::name::quote_name;
use plimsoll_sql::schema::ResolvedName;

use crate::context::Context;

/// The first version that has `REPACK (CONCURRENTLY)`.
const REPACK: u32 = 19;

/// What to do instead of `VACUUM FULL` and `CLUSTER`.
pub(super) fn remedy(context: &Context, relation: &ResolvedName) -> String {
    if relation.schema.is_none() {
        return "Let pg_repack rewrite those tables that need it while they are in use.".to_owned();
    }
    let sql = quote_name(relation);
    match context.settings.server_major {
        Some(major) if major >= REPACK => {
            format!("Rewrite it while it is in use:\nREPACK (CONCURRENTLY) {sql};")
        }
        _ => format!(
            "Let pg_repack or pg_squeeze rewrite it while it is in use (pg_repack --table {relation}), and let autovacuum keep it \
             small; a plain VACUUM {sql} blocks nobody."
        ),
    }
}
