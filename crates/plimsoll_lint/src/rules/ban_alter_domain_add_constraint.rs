//! `ALTER DOMAIN` that reads every table with a column of the domain.

use plimsoll_core::Severity;
use plimsoll_core::lock::Blocks;
use plimsoll_sql::Command;
use plimsoll_sql::command::{Constraint, ConstraintKind, DomainAction};
use plimsoll_sql::effects::Cause;
use plimsoll_sql::name::{quote_identifier, quote_name};

use crate::context::{Context, Problem, made_up_name};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "ban-alter-domain-add-constraint",
    group: Group::Locks,
    on_by_default: true,
    other_tools: &[
        ("squawk", "ban-alter-domain-with-add-constraint"),
        ("pgsafe", "add-domain-constraint-without-not-valid"),
        ("pgsafe", "add-domain-not-null"),
    ],
    severity: Severity::Error,
    page: include_str!("ban_alter_domain_add_constraint.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    let Command::AlterDomain { name, action } = context.command else { return };
    for hazard in context.hazards(&[Cause::Domain]) {
        if hazard.effect.mode.blocks() == Blocks::Nothing {
            continue;
        }
        let relation = hazard.relation();
        let which = match context.schema.is_known() {
            true => format!(", all of {}{}", context.sized(relation), hazard.and_others()),
            // Which tables these are isn't known: the domain stands for them.
            false => String::new(),
        };
        let message = format!(
            "this reads every table with a column of the domain {name}{which}, while {}",
            context.kept_out(relation, hazard.effect.mode)
        );
        let sql = quote_name(name);
        let made_up = made_up_name(&[&name.name, "check"]);
        let unchecked = |constraint: &str, condition: &str| {
            format!(
                "Add it unchecked, which locks no table. Validating it blocks the tables' writers, too: wait for a quiet hour, or \
                 leave it so, which holds for all new values:\n\
                 ALTER DOMAIN {sql} ADD CONSTRAINT {constraint} CHECK ({condition}) NOT VALID;\n\
                 ALTER DOMAIN {sql} VALIDATE CONSTRAINT {constraint};"
            )
        };
        let mut edits = None;
        let remedy = match action {
            DomainAction::AddConstraint(Constraint {
                name,
                kind: ConstraintKind::Check { expression, .. },
                range,
                ..
            }) => {
                edits = Some(vec![(range.end..range.end, " NOT VALID".into())]);
                let name = name.as_ref().map_or(made_up, |name| quote_identifier(name));
                unchecked(&name, expression)
            }
            DomainAction::ValidateConstraint(_) => {
                "Validating blocks the tables' writers: wait for a quiet hour, or leave it NOT VALID, which holds for all new \
                 values."
                    .to_owned()
            }
            _ => unchecked(&made_up_name(&[&name.name, "not_null"]), "VALUE IS NOT NULL"),
        };
        problems.push(Problem::new(message, remedy, hazard.claim()).maybe_fix("Add NOT VALID", edits));
    }
}
