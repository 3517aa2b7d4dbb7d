//! `SET TABLESPACE`: a copy.

use plimsoll_core::Severity;
use plimsoll_sql::effects::Cause;

use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "set-tablespace",
    group: Group::Locks,
    on_by_default: true,
    other_tools: &[],
    severity: Severity::Error,
    page: include_str!("set_tablespace.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    for hazard in context.hazards(&[Cause::SetTablespace]) {
        let relation = hazard.relation();
        let message = format!(
            "this copies all of {} to the other tablespace while {}",
            context.sized(relation),
            context.kept_out(relation, hazard.effect.mode)
        );
        let remedy = match context.action_of(&hazard) {
            Some(_) => format!(
                "Let pg_repack copy it while it is in use (pg_repack --table {relation} --tablespace …), or wait for a quiet hour."
            ),
            None => "Build a second index in the other tablespace (CREATE INDEX CONCURRENTLY … TABLESPACE …), then drop the \
                     first one CONCURRENTLY."
                .to_owned(),
        };
        problems.push(Problem::new(message, remedy, hazard.claim()).of(&hazard));
    }
}
