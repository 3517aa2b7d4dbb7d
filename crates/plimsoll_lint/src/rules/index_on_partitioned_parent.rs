//! `CREATE INDEX` on a partitioned table, which builds one on every partition.

use plimsoll_core::Severity;
use plimsoll_sql::Command;
use plimsoll_sql::command::CreateIndex;
use plimsoll_sql::effects::Cause;
use plimsoll_sql::name::{quote_identifier, quote_name};
use plimsoll_sql::schema::ResolvedName;

use crate::context::{Context, Problem, made_up_name};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "index-on-partitioned-parent",
    group: Group::Locks,
    on_by_default: true,
    other_tools: &[],
    severity: Severity::Error,
    page: include_str!("index_on_partitioned_parent.md"),
    check,
};

/// Partitions for which the remedy is spelled out.
const MOST_SPELLED_OUT: usize = 3;

fn check(context: &Context, problems: &mut Vec<Problem>) {
    let Command::CreateIndex(index) = context.command else { return };
    for hazard in context.hazards(&[Cause::PartitionedIndex]) {
        let relation = hazard.relation();
        let message = format!(
            "building this index on every partition of {} reads all of {}{} while {}",
            context.schema.resolve(&index.table),
            context.sized(relation),
            hazard.and_others(),
            context.kept_out(relation, hazard.effect.mode)
        );
        let mut partitions = vec![relation];
        partitions.extend(&hazard.others);
        problems.push(Problem::new(message, remedy(context, index, &partitions), hazard.claim()));
    }
}

fn remedy(context: &Context, index: &CreateIndex, partitions: &[&ResolvedName]) -> String {
    let unique = if index.unique { "UNIQUE " } else { "" };
    let keys: Vec<&str> = index.keys.iter().map(|key| key.text.as_str()).collect();
    let columns: Vec<&str> = index.keys.iter().map(|key| key.column.as_deref().unwrap_or("expr")).collect();
    let name_of = |table: &str| made_up_name(&[table, &columns.join("_"), "idx"]);
    let name = index.name.as_ref().map_or_else(|| name_of(&index.table.name), |name| quote_identifier(name));
    let method = if index.method == "btree" { String::new() } else { format!("USING {} ", index.method) };
    let tail = format!("{method}({}){}", keys.join(", "), if index.partial { " WHERE …" } else { "" });
    let mut remedy = format!(
        "Make the parent's index of the parent alone, build each partition's without blocking writers ({}), and attach it; with \
         the last one the parent's becomes valid:\n\
         CREATE {unique}INDEX {name} ON ONLY {} {tail};",
        context.outside(),
        quote_name(&index.table)
    );
    for partition in partitions.iter().take(MOST_SPELLED_OUT) {
        let own = name_of(&partition.name);
        remedy.push_str(&format!(
            "\nCREATE {unique}INDEX CONCURRENTLY {own} ON {} {tail};\nALTER INDEX {name} ATTACH PARTITION {own};",
            quote_name(partition)
        ));
    }
    if partitions.len() > MOST_SPELLED_OUT {
        remedy.push_str(&format!("\n-- and so on for the other {}", partitions.len() - MOST_SPELLED_OUT));
    }
    remedy
}
