//! `REINDEX` that blocks everybody while it builds.

use plimsoll_core::Severity;
use plimsoll_sql::Command;
use plimsoll_sql::command::ReindexTarget;
use plimsoll_sql::effects::Cause;
use plimsoll_sql::name::{quote_identifier, quote_name};

use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "require-concurrent-reindex",
    group: Group::Locks,
    on_by_default: true,
    other_tools: &[
        ("squawk", "require-concurrent-reindex"),
        ("django-migration-linter", "REINDEX"),
        ("postgres-language-server", "requireConcurrentReindex"),
        ("pgfence", "reindex-non-concurrent"),
        ("pgsafe", "reindex-non-concurrent"),
    ],
    severity: Severity::Error,
    page: include_str!("require_concurrent_reindex.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    let Command::Reindex { target, .. } = context.command else { return };
    for hazard in context.hazards(&[Cause::Reindex]) {
        let relation = hazard.relation();
        let message = format!(
            "rebuilding indexes reads all of {}{} while {}, and nobody can plan a query of it either, since planning opens \
             every index",
            context.sized(relation),
            hazard.and_others(),
            context.kept_out(relation, hazard.effect.mode)
        );
        let concurrently = match target {
            ReindexTarget::Index(name) => format!("INDEX CONCURRENTLY {}", quote_name(name)),
            ReindexTarget::Table(name) => format!("TABLE CONCURRENTLY {}", quote_name(name)),
            ReindexTarget::Schema(Some(name)) => format!("SCHEMA CONCURRENTLY {}", quote_identifier(name)),
            ReindexTarget::Schema(None) | ReindexTarget::System => "DATABASE CONCURRENTLY …".to_owned(),
        };
        let remedy =
            format!("Rebuild without blocking anyone, {}:\nREINDEX {concurrently};", context.outside());
        let kinds: &[&[&str]] = &[&["reindex", "index"], &["reindex", "table"], &["reindex", "schema"]];
        let at = kinds.iter().find_map(|words| context.behind(words));
        let at = at.filter(|_| !context.place.in_transaction());
        problems.push(
            Problem::new(message, remedy, hazard.claim())
                .maybe_fix("Add CONCURRENTLY", at.map(|at| vec![(at..at, " CONCURRENTLY".into())])),
        );
    }
}
