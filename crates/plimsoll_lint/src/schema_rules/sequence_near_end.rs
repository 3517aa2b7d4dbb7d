//! Sequences that will run out.

use super::schema_rule::{Needs, SchemaContext, SchemaProblem, SchemaRule, Subject};
use plimsoll_core::Severity;
use plimsoll_core::units;
use plimsoll_sql::ObjectName;

pub(super) const RULE: SchemaRule = SchemaRule {
    id: "sequence-near-end",
    other_tools: &[],
    severity: Severity::Warning,
    needs: Needs::Counters,
    page: include_str!("sequence_near_end.md"),
    check,
};

fn check(context: &SchemaContext, problems: &mut Vec<SchemaProblem>) {
    /// Shares of its values that a sequence may have given out.
    const WARNS_FROM: f64 = 0.7;
    const FAILS_SOON_FROM: f64 = 0.9;
    for (name, facts) in &context.facts.sequences {
        if facts.cycles || facts.step <= 0 {
            continue;
        }
        let table = facts
            .column
            .as_ref()
            .map(|(schema, table, column)| (ObjectName::qualified(schema, table), column));
        let holds = table.as_ref().and_then(|(table, column)| most_of(context, table, column));
        let most = holds.map_or(facts.most, |holds| holds.min(facts.most));
        let share = (facts.last as f64 - facts.least as f64) / (most as f64 - facts.least as f64).max(1.0);
        if share < WARNS_FROM {
            continue;
        }
        let left = units::count(
            u64::try_from(most.saturating_sub(facts.last).max(0) / facts.step).unwrap_or_default(),
        );
        let (subject, what) = match &table {
            Some((table, column)) => (Subject::Relation(table.clone()), format!("{table}.{column}")),
            None => (Subject::Relation(name.clone()), name.to_string()),
        };
        let problem = SchemaProblem::new(
            subject,
            format!(
                "{what} has {left} values left: {} % of them are given out, and inserts fail behind the last",
                (share * 100.0).floor()
            ),
            "Add a bigint column, fill it in batches and swap the two, as `changing-column-type` tells: ALTER COLUMN … TYPE bigint rewrites the table.",
        );
        problems.push(if share >= FAILS_SOON_FROM { problem.severity(Severity::Error) } else { problem });
    }
}

/// The greatest value that a column of a whole-number type holds.
fn most_of(context: &SchemaContext, table: &ObjectName, column: &str) -> Option<i64> {
    let column = context.schema.relation(table)?.column(column)?;
    match column.data_type.as_ref()?.name.name.as_str() {
        "smallint" => Some(i64::from(i16::MAX)),
        "integer" => Some(i64::from(i32::MAX)),
        _ => None,
    }
}
