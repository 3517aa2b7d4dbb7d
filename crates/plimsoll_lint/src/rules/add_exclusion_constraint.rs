//! An exclusion constraint, which builds its index while the table is locked.

use plimsoll_core::Severity;
use plimsoll_sql::Command;
use plimsoll_sql::effects::Cause;
use plimsoll_sql::name::{quote_identifier, quote_name};

use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "add-exclusion-constraint",
    group: Group::Locks,
    on_by_default: true,
    other_tools: &[
        ("eugene", "E8"),
        ("strong_migrations", "add_exclusion_constraint"),
        ("online_migrations", "add_exclusion_constraint"),
        ("postgres-language-server", "avoidAddingExclusionConstraint"),
        ("pgfence", "add-constraint-exclude"),
        ("pgsafe", "add-exclusion-constraint"),
    ],
    severity: Severity::Error,
    page: include_str!("add_exclusion_constraint.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    let Command::AlterTable(alter) = context.command else { return };
    for hazard in context.hazards(&[Cause::Exclusion]) {
        let Some(action) = context.action_of(&hazard) else { continue };
        let relation = hazard.relation();
        let message = format!(
            "this exclusion constraint builds its index on {}{} and looks every row up in it while {}",
            context.sized(relation),
            hazard.and_others(),
            context.kept_out(relation, hazard.effect.mode)
        );
        let sql = quote_name(&alter.name);
        let new = quote_identifier(&format!("{}_new", alter.name.name));
        let added = context.text(&action.range).unwrap_or("ADD CONSTRAINT … EXCLUDE …");
        let remedy = format!(
            "PostgreSQL knows no way to add one online. Fill a new table that has it in batches, with triggers that keep it in \
             step, then swap names; or wait for a quiet hour:\n\
             CREATE TABLE {new} (LIKE {sql} INCLUDING ALL);\n\
             ALTER TABLE {new} {added};"
        );
        problems.push(Problem::new(message, remedy, hazard.claim()).of(&hazard));
    }
}
