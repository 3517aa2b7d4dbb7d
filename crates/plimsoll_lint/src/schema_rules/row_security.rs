//! What row-level security protects, and what goes round it.

use plimsoll_sql::Schema;
use plimsoll_sql::schema::ResolvedName;

/// Views within views up to which reading is followed.
const DEPTH: usize = 32;

/// The first table with row-level security that a view reads, through other views too.
pub(super) fn protected_table<'a>(schema: &'a Schema, view: &ResolvedName) -> Option<&'a ResolvedName> {
    below(schema, view, DEPTH)
}

fn below<'a>(schema: &'a Schema, view: &ResolvedName, depth: usize) -> Option<&'a ResolvedName> {
    let relation = schema.relation(view)?;
    relation.reads.iter().find_map(|read| {
        let (name, known) = schema.relations().find(|(name, _)| *name == read)?;
        match known.row_security {
            true => Some(name),
            false if depth > 0 => below(schema, name, depth - 1),
            false => None,
        }
    })
}

/// Whether a schema's name has a table with row-level security in it.
pub(super) fn has_protected_tables(schema: &Schema, name: Option<&str>) -> bool {
    schema.relations().any(|(table, relation)| table.schema.as_deref() == name && relation.row_security)
}

/// Whether a view's options say that it reads with the rights of who asks; the last word counts.
pub(super) fn asks_with_callers_rights(options: &str) -> bool {
    let Some((before, after)) = options.rsplit_once("security_invoker") else { return false };
    let is_reset = before.rfind("reset").is_some_and(|reset| before[reset..].matches(')').count() == 0);
    let value = after.trim_start().strip_prefix('=').map(|value| value.trim_start().trim_start_matches('\''));
    let off =
        value.is_some_and(|value| ["false", "off", "no", "0"].iter().any(|word| value.starts_with(word)));
    !is_reset && !off
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_say_with_whose_rights_a_view_reads() {
        let asks = [
            "with ( security_invoker )",
            "( security_invoker = true )",
            "(security_invoker = off) set ( security_invoker = on )",
        ];
        assert!(asks.iter().all(|options| asks_with_callers_rights(options)));
        let owns = [
            "",
            "( security_barrier )",
            "( security_invoker = 'false' )",
            "(security_invoker) reset ( security_invoker )",
        ];
        assert!(!owns.iter().any(|options| asks_with_callers_rights(options)));
    }
}
