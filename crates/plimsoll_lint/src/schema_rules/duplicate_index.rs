//! Indexes that another one makes needless.

use super::schema_rule::{Needs, SchemaContext, SchemaProblem, SchemaRule, Subject};
use plimsoll_core::Severity;
use plimsoll_core::units;
use plimsoll_sql::ObjectName;
use plimsoll_sql::command::ConstraintKind;
use plimsoll_sql::name::quote_name;
use plimsoll_sql::schema::{Relation, ResolvedName};

pub(super) const RULE: SchemaRule = SchemaRule {
    id: "duplicate-index",
    other_tools: &[("splinter", "duplicate_index"), ("pglinter", "B002")],
    severity: Severity::Warning,
    needs: Needs::Definitions,
    page: include_str!("duplicate_index.md"),
    check,
};

fn check(context: &SchemaContext, problems: &mut Vec<SchemaProblem>) {
    for (name, table) in context.schema.relations() {
        // A partition's indexes are those of its parent.
        if table.partition_of.is_some() {
            continue;
        }
        let all = indexes(context, name, table);
        for (at, index) in all.iter().enumerate().filter(|(_, index)| !index.of_constraint) {
            let others = all.iter().enumerate().filter(|(other, _)| *other != at);
            let Some((twin, other)) = others
                .filter_map(|(at, other)| Some((at, needless(index, other)?, other)))
                .map(|(twin, how, other)| (twin, (how, other)))
                .next()
            else {
                continue;
            };
            let (how, other) = other;
            // Of two that are alike, the later one is told.
            if how == How::Same
                && twin > at
                && needless(other, index) == Some(How::Same)
                && !other.of_constraint
            {
                continue;
            }
            let full = ObjectName { schema: name.schema.clone(), name: index.name.clone() };
            let size =
                context.facts.indexes.get(&full).map(|known| format!(" ({})", units::bytes(known.bytes)));
            let size = size.unwrap_or_default();
            let (message, severity) = match how {
                How::Same => (
                    format!(
                        "{full}{size} has the same keys as {}: each write to {name} pays for both",
                        other.name
                    ),
                    None,
                ),
                How::Prefix => (
                    format!(
                        "{full}{size} begins {} as well: what it finds, the longer one finds too",
                        other.name
                    ),
                    Some(Severity::Note),
                ),
            };
            let remedy = format!("DROP INDEX CONCURRENTLY {};", quote_name(&full));
            let problem =
                SchemaProblem::new(Subject::Index(name.clone(), index.name.clone()), message, remedy);
            problems.push(match severity {
                Some(severity) => problem.severity(severity),
                None => problem,
            });
        }
    }
}

/// How one index makes another needless.
#[derive(Clone, Copy, PartialEq, Eq)]
enum How {
    Same,
    Prefix,
}

struct Index<'a> {
    name: String,
    keys: Vec<String>,
    unique: bool,
    method: &'a str,
    of_constraint: bool,
}

/// The plain indexes of a table, those of its constraints first.
fn indexes<'a>(context: &SchemaContext, name: &ResolvedName, table: &'a Relation) -> Vec<Index<'a>> {
    let of_constraints = table.constraints.iter().filter_map(|one| match &one.kind {
        ConstraintKind::Unique(key) | ConstraintKind::PrimaryKey(key) => Some(Index {
            name: one.name.clone(),
            keys: key.columns.clone(),
            unique: true,
            method: "btree",
            of_constraint: true,
        }),
        _ => None,
    });
    let is_plain = |index: &&plimsoll_sql::schema::TableIndex| {
        let text = (context.text)(&Subject::Index(name.clone(), index.name.clone())).unwrap_or_default();
        let text = text.to_ascii_lowercase();
        index.valid && !index.partial && !text.contains("include") && !text.contains("not distinct")
    };
    let own = table.indexes.iter().filter(is_plain).map(|index| Index {
        name: index.name.clone(),
        keys: index
            .keys
            .iter()
            .map(|key| {
                key.column
                    .clone()
                    .filter(|_| key.text.split_whitespace().count() == 1)
                    .unwrap_or_else(|| key.text.to_ascii_lowercase())
            })
            .collect(),
        unique: index.unique,
        method: &index.method,
        of_constraint: false,
    });
    of_constraints.chain(own).collect()
}

fn needless(index: &Index, other: &Index) -> Option<How> {
    if index.method != other.method || (index.unique && !other.unique) {
        return None;
    }
    if index.keys == other.keys {
        return Some(How::Same);
    }
    let begins = index.method == "btree" && !index.unique && other.keys.starts_with(&index.keys);
    begins.then_some(How::Prefix)
}
