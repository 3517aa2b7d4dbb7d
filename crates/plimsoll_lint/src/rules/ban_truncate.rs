//! `TRUNCATE`: the rows are gone, and nobody can use the table until the transaction ends.

use plimsoll_core::Severity;
use plimsoll_sql::Command;
use plimsoll_sql::effects::Cause;
use plimsoll_sql::name::quote_name;

use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "ban-truncate",
    group: Group::Locks,
    on_by_default: true,
    other_tools: &[
        ("postgres-language-server", "banTruncate"),
        ("pgfence", "truncate"),
        ("pgsafe", "truncate"),
    ],
    severity: Severity::Warning,
    page: include_str!("ban_truncate.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    let Command::Truncate { .. } = context.command else { return };
    for hazard in context.brief_locks(&[Cause::Truncate]) {
        let relation = hazard.relation();
        let sql = quote_name(relation);
        let message = format!(
            "this empties {}{} for good, and until its transaction ends {}",
            context.sized(relation),
            hazard.and_others(),
            context.kept_out(relation, hazard.effect.mode)
        );
        let remedy = format!(
            "If the rows may go, delete them in batches, under which others read and write on:\n\
             -- again and again, each time in a transaction of its own, until it deletes no row\n\
             DELETE FROM {sql} WHERE ctid = ANY (ARRAY(SELECT ctid FROM {sql} LIMIT 10000));"
        );
        problems.push(Problem::new(message, remedy, hazard.claim()));
    }
}
