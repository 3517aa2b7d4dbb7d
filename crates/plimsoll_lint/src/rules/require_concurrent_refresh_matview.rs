//! `REFRESH MATERIALIZED VIEW` that keeps readers out.

use plimsoll_core::Severity;
use plimsoll_sql::Command;
use plimsoll_sql::effects::Cause;
use plimsoll_sql::name::{quote_identifier, quote_name};
use plimsoll_sql::schema::{Relation, TableIndex};

use crate::context::{Context, Problem, made_up_name};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "require-concurrent-refresh-matview",
    group: Group::Locks,
    on_by_default: true,
    other_tools: &[
        ("postgres-language-server", "requireConcurrentRefreshMatview"),
        ("pgfence", "refresh-matview-blocking"),
        ("pgsafe", "refresh-matview-non-concurrent"),
    ],
    severity: Severity::Error,
    page: include_str!("require_concurrent_refresh_matview.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    let Command::Refresh { name, with_data, .. } = context.command else { return };
    for hazard in context.hazards(&[Cause::Refresh]) {
        let relation = hazard.relation();
        let sql = quote_name(name);
        if !with_data {
            let message =
                format!("this empties {relation}, and every query of it fails until it is refreshed");
            let remedy = "Drop the view instead, or deploy code that no longer reads it before.";
            problems.push(Problem::new(message, remedy, hazard.claim()));
            continue;
        }
        let message = format!(
            "refreshing {} runs its whole query and builds its indexes while {}",
            context.sized(relation),
            context.kept_out(relation, hazard.effect.mode)
        );
        let known = context.schema.relation(relation);
        let index = known.and_then(unique_index);
        let first = match index {
            Some(index) => {
                format!("Let readers go on, which its unique index {} allows:", quote_identifier(&index.name))
            }
            None => format!(
                "Let readers go on; that needs a unique index on plain columns, without WHERE, built {}:\n\
                 CREATE UNIQUE INDEX CONCURRENTLY {} ON {sql} (…);",
                context.outside(),
                made_up_name(&[&name.name, "key"])
            ),
        };
        let remedy = format!("{first}\nREFRESH MATERIALIZED VIEW CONCURRENTLY {sql};");
        let at = context.behind(&["refresh", "materialized", "view"]).filter(|_| index.is_some());
        problems.push(
            Problem::new(message, remedy, hazard.claim())
                .maybe_fix("Add CONCURRENTLY", at.map(|at| vec![(at..at, " CONCURRENTLY".into())])),
        );
    }
}

/// An index that lets the view be refreshed concurrently.
fn unique_index(view: &Relation) -> Option<&TableIndex> {
    view.indexes.iter().find(|index| {
        index.unique && index.valid && !index.partial && index.keys.iter().all(|key| key.column.is_some())
    })
}
