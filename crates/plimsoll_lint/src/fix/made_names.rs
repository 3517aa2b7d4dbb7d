//! The names that PostgreSQL makes up for constraints and indexes: `ChooseConstraintName`, `ChooseIndexName` and
//! `makeObjectName` in `indexcmds.c` and `pg_constraint.c`.

use plimsoll_sql::command::{ConstraintKind, IndexKey};
use plimsoll_sql::{ObjectName, Schema};

/// Bytes of a name, without the closing zero.
const LONGEST: usize = 63;

/// What kind of name is made.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    /// An index.
    Index,
    /// A constraint with an index, whose name they share.
    Key,
    /// A constraint without an index.
    Constraint,
}

/// The name for something of a table: `ships_owner_id_fkey`, numbered where another has it.
pub(super) fn made_name(schema: &Schema, table: &ObjectName, columns: &str, label: &str, of: Of) -> String {
    let namespace = schema.resolve(table).schema;
    let taken = |name: &str| {
        let qualified = ObjectName { schema: namespace.clone(), name: name.to_owned() };
        let as_relation = || schema.has(&qualified) || schema.table_of_index(&qualified).is_some();
        let constraint = |keys_alone: bool| {
            schema.relations().filter(|(other, _)| other.schema == namespace).any(|(_, relation)| {
                relation.constraints.iter().any(|constraint| {
                    let key = matches!(
                        constraint.kind,
                        ConstraintKind::Unique(_) | ConstraintKind::PrimaryKey(_) | ConstraintKind::Exclude
                    );
                    constraint.name == name && (key || !keys_alone)
                })
            })
        };
        match of {
            Of::Index => as_relation() || constraint(true),
            Of::Key => as_relation() || constraint(false),
            Of::Constraint => constraint(false),
        }
    };
    let first = cut(&table.name, columns, label);
    if !taken(&first) {
        return first;
    }
    let numbered = (1..).map(|number| cut(&table.name, columns, &format!("{label}{number}")));
    numbered.into_iter().find(|name| !taken(name)).unwrap_or(first)
}

/// What an index's columns are called in its name: `a_expr_b`.
pub(super) fn index_columns(keys: &[IndexKey], included: &[String]) -> String {
    let mut names: Vec<String> = Vec::new();
    let keys = keys.iter().map(|key| key.column.clone().unwrap_or_else(|| expression_name(&key.text)));
    for name in keys.chain(included.iter().cloned()) {
        let mut unused = name.clone();
        let mut number = 0;
        while names.contains(&unused) {
            number += 1;
            unused = format!("{name}{number}");
        }
        names.push(unused);
    }
    names.join("_")
}

/// `FigureIndexColname`: a function's name, or `expr`.
fn expression_name(text: &str) -> String {
    let text = text.trim().trim_start_matches('(').trim();
    let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '.')).unwrap_or(text.len());
    match text[end..].trim_start().starts_with('(') && end > 0 {
        true => text[..end].rsplit('.').next().unwrap_or(text).to_lowercase(),
        false => "expr".to_owned(),
    }
}

/// `makeObjectName`: the longer of table and columns loses bytes at its end until all fits.
fn cut(table: &str, columns: &str, label: &str) -> String {
    let overhead = label.len() + 1 + usize::from(!columns.is_empty());
    let room = LONGEST.saturating_sub(overhead);
    let (mut first, mut second) = (table.len(), columns.len().min(LONGEST));
    while first + second > room {
        if first > second { first -= 1 } else { second -= 1 }
    }
    let (first, second) = (clipped(table, first), clipped(columns, second));
    match columns.is_empty() {
        true => format!("{first}_{label}"),
        false => format!("{first}_{second}_{label}"),
    }
}

/// So many bytes at most, whole characters alone.
fn clipped(text: &str, mut bytes: usize) -> &str {
    while !text.is_char_boundary(bytes) {
        bytes -= 1;
    }
    &text[..bytes]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_are_cut_where_postgresql_cuts_them() {
        assert_eq!(cut("ships", "owner_id", "fkey"), "ships_owner_id_fkey");
        assert_eq!(cut("ships", "", "pkey"), "ships_pkey");
        let cut = cut(&"t".repeat(60), &"c".repeat(40), "key");
        assert_eq!(cut, format!("{}_{}_key", "t".repeat(29), "c".repeat(29)));
        assert_eq!(super::cut(&"é".repeat(31), "a", "idx").len(), 62);
    }

    #[test]
    fn expressions_are_called_by_their_function() {
        let key = |text: &str, column: Option<&str>| IndexKey {
            text: text.to_owned(),
            column: column.map(ToOwned::to_owned),
            columns: Vec::new(),
            operator_class: None,
        };
        let keys = [key("a", Some("a")), key("lower(b)", None), key("(a + 1)", None), key("a", Some("a"))];
        assert_eq!(index_columns(&keys, &["c".to_owned()]), "a_lower_expr_a1_c");
    }
}
