//! Changed options of the database.

use plimsoll_core::{Claim, Severity};
use plimsoll_sql::command::ObjectKind;

use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "ban-alter-database-options",
    group: Group::Compatibility,
    on_by_default: false,
    other_tools: &[("squawk", "ban-alter-database-options")],
    severity: Severity::Warning,
    page: include_str!("ban_alter_database_options.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    let Some(name) = context.altered_object(ObjectKind::Database) else { return };
    problems.push(Problem::new(
        format!("all sessions of {name} that begin from now on work under other settings, those of running code too"),
        "Set it for the role of the new code only (ALTER ROLE … IN DATABASE … SET …), and for the database when no old code runs.",
        Claim::Nothing,
    ));
}
