//! `CREATE TABLE … PARTITION OF` a table in use.

use plimsoll_core::Severity;
use plimsoll_sql::Command;
use plimsoll_sql::effects::Cause;
use plimsoll_sql::name::quote_name;

use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "create-partition-of",
    group: Group::Locks,
    on_by_default: true,
    other_tools: &[],
    severity: Severity::Warning,
    page: include_str!("create_partition_of.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    let Command::CreateTable(table) = context.command else { return };
    let Some(parent) = &table.partition_of else { return };
    for hazard in context.brief_locks(&[Cause::CreatePartition]) {
        let relation = hazard.relation();
        let message = format!(
            "making this partition waits for every query on {}, and from then until its transaction ends {}",
            context.sized(relation),
            context.kept_out(relation, hazard.effect.mode)
        );
        let (name, parent) = (quote_name(&table.name), quote_name(parent));
        let remedy = format!(
            "Make a plain table and attach it, which blocks neither reads nor writes of the parent:\n\
             CREATE TABLE {name} (LIKE {parent} INCLUDING ALL);\n\
             ALTER TABLE {parent} ATTACH PARTITION {name} {};",
            bound_text(context.sql())
        );
        problems.push(Problem::new(message, remedy, hazard.claim()).severity(context.brief_severity()));
    }
}

/// The bound as the statement writes it.
fn bound_text(sql: &str) -> &str {
    let lower = sql.to_ascii_lowercase();
    let start = lower.find("for values").or_else(|| lower.rfind("default"));
    let end = lower.find("partition by").unwrap_or(sql.len());
    start.and_then(|start| sql.get(start..end)).map_or("FOR VALUES …", str::trim)
}
