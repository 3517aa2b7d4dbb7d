//! `ALTER TYPE … ADD VALUE` in a transaction, on a server that refuses it there.

use plimsoll_core::{Claim, Severity};
use plimsoll_sql::Command;
use plimsoll_sql::command::TypeAction;

use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "alter-enum-in-transaction",
    group: Group::Transactions,
    on_by_default: true,
    other_tools: &[
        ("postgres-language-server", "avoidAlterEnumAddValue"),
        ("pgfence", "alter-enum-add-value"),
    ],
    severity: Severity::Error,
    page: include_str!("alter_enum_in_transaction.md"),
    check,
};

/// The first version that adds a value in a transaction.
const ALLOWED: u32 = 12;

fn check(context: &Context, problems: &mut Vec<Problem>) {
    let Command::AlterType { name, action: TypeAction::AddValue { value, .. } } = context.command else {
        return;
    };
    let old = context.settings.server_major.is_some_and(|major| major < ALLOWED);
    if !old || !context.place.in_transaction() || context.session.made_type(&name.name) {
        return;
    }
    let message = format!(
        "before PostgreSQL {ALLOWED} a transaction can't add '{value}' to {name}, or any value to an enum"
    );
    let remedy = format!("Run it {}.", context.outside());
    problems.push(Problem::new(message, remedy, Claim::Fails));
}
