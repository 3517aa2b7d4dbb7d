//! `CREATE INDEX` that blocks writers while it builds.

use plimsoll_core::{LockMode, Severity, Work};
use plimsoll_sql::Command;
use plimsoll_sql::schema::RelationKind;

use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "require-concurrent-index-creation",
    group: Group::Locks,
    on_by_default: true,
    other_tools: &[
        ("squawk", "require-concurrent-index-creation"),
        ("eugene", "E6"),
        ("strong_migrations", "add_index"),
    ],
    severity: Severity::Error,
    page: include_str!("require_concurrent_index_creation.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    let Command::CreateIndex(index) = context.command else { return };
    let Some(table) = context.existing(&index.table) else { return };
    if index.concurrently {
        return;
    }
    let partitioned = table.relation.is_some_and(|relation| relation.kind == RelationKind::PartitionedTable);
    if partitioned && index.only {
        // ON ONLY makes an invalid index on the parent alone and reads nothing.
        return;
    }
    let sql = context.sql();
    let (head, tail) = sql.split_at(index.index_word.end);
    let remedy = if partitioned {
        "Create the index ON ONLY the partitioned table, create one CONCURRENTLY on each partition, then ALTER INDEX \
         … ATTACH PARTITION for each."
            .to_owned()
    } else {
        format!("Build it without blocking writers, outside a transaction:\n{head} CONCURRENTLY{tail};")
    };
    problems.push(Problem {
        severity: None,
        fix: None,
        range: None,
        message: format!("building this index blocks every write to {} until it is done", table.name),
        remedy,
        claim: table.claim(LockMode::Share, Work::IndexBuild),
    });
}
