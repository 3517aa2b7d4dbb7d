//! `DROP INDEX` that locks the table.

use plimsoll_core::Severity;
use plimsoll_sql::Command;
use plimsoll_sql::effects::Cause;
use plimsoll_sql::name::quote_name;
use plimsoll_sql::schema::RelationKind;

use super::require_lock_timeout;
use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "require-concurrent-index-deletion",
    group: Group::Locks,
    on_by_default: true,
    other_tools: &[
        ("squawk", "require-concurrent-index-deletion"),
        ("strong_migrations", "remove_index"),
        ("online_migrations", "remove_index"),
        ("django-migration-linter", "DROP_INDEX"),
        ("postgres-language-server", "requireConcurrentIndexDeletion"),
        ("pgfence", "drop-index-not-concurrent"),
        ("pgsafe", "drop-index-non-concurrent"),
    ],
    severity: Severity::Warning,
    page: include_str!("require_concurrent_index_deletion.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    let Command::Drop(drop) = context.command else { return };
    for hazard in context.brief_locks(&[Cause::DropIndex]) {
        let relation = hazard.relation();
        let names: Vec<String> = drop.names.iter().map(quote_name).collect();
        let message = format!(
            "dropping {} waits for every query on {}{}, and from then until its transaction ends {}",
            names.join(", "),
            context.sized(relation),
            hazard.and_others(),
            context.kept_out(relation, hazard.effect.mode)
        );
        let partitioned = context
            .schema
            .relation(relation)
            .is_some_and(|known| known.kind == RelationKind::PartitionedTable);
        if partitioned {
            // PostgreSQL refuses CONCURRENTLY for an index that has partitions.
            if context.session.waits_forever() {
                let problem = Problem::new(message, require_lock_timeout::REMEDY, hazard.claim());
                problems.push(
                    problem
                        .fix("Set lock_timeout before it", vec![(0..0, "SET lock_timeout = '2s';\n".into())]),
                );
            }
            continue;
        }
        let if_exists = if drop.if_exists { "IF EXISTS " } else { "" };
        let mut remedy = format!("Drop it without blocking anyone, {}:", context.outside());
        for name in &names {
            remedy.push_str(&format!("\nDROP INDEX CONCURRENTLY {if_exists}{name};"));
        }
        // CONCURRENTLY takes one index and no CASCADE.
        let alone = names.len() == 1 && !drop.cascade && !context.place.in_transaction();
        let at = context.behind(&["drop", "index"]).filter(|_| alone);
        problems.push(
            Problem::new(message, remedy, hazard.claim())
                .severity(context.brief_severity())
                .maybe_fix("Add CONCURRENTLY", at.map(|at| vec![(at..at, " CONCURRENTLY".into())])),
        );
    }
}
