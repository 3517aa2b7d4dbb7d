//! `SET LOGGED`, `SET UNLOGGED`: a rewrite.

use plimsoll_core::Severity;
use plimsoll_sql::Command;
use plimsoll_sql::command::ActionKind;
use plimsoll_sql::effects::Cause;
use plimsoll_sql::name::{quote_identifier, quote_name};

use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "set-logged-unlogged",
    group: Group::Locks,
    on_by_default: true,
    other_tools: &[("pgfence", "set-logged-unlogged"), ("pgsafe", "set-logged-unlogged")],
    severity: Severity::Error,
    page: include_str!("set_logged_unlogged.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    let Command::AlterTable(alter) = context.command else { return };
    for hazard in context.hazards(&[Cause::SetLogged]) {
        let Some(ActionKind::SetLogged { logged }) = context.action_of(&hazard).map(|action| &action.kind)
        else {
            continue;
        };
        let relation = hazard.relation();
        let (words, unlogged) = if *logged { ("LOGGED", "") } else { ("UNLOGGED", "UNLOGGED ") };
        let message = format!(
            "SET {words} rewrites all of {} and its indexes while {}",
            context.sized(relation),
            context.kept_out(relation, hazard.effect.mode)
        );
        let sql = quote_name(&alter.name);
        let new = quote_identifier(&format!("{}_new", alter.name.name));
        let remedy = format!(
            "Fill a new table in batches, with triggers that keep it in step, then swap names:\n\
             CREATE {unlogged}TABLE {new} (LIKE {sql} INCLUDING ALL);"
        );
        problems.push(Problem::new(message, remedy, hazard.claim()).of(&hazard));
    }
}
