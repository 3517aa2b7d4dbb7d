//! A renamed sequence, type, function or key that running code knows by its old name.

use plimsoll_core::{Claim, Severity};
use plimsoll_sql::Command;
use plimsoll_sql::command::{
    ActionKind, ConstraintKind, DomainAction, ObjectChange, ObjectKind, TypeAction, Verb,
};
use plimsoll_sql::schema::RelationKind;

use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "renaming-object",
    group: Group::Compatibility,
    on_by_default: false,
    other_tools: &[("squawk", "renaming-object")],
    severity: Severity::Warning,
    page: include_str!("renaming_object.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    let schema = context.schema;
    match context.command {
        Command::AlterTable(_) => in_table(context, problems),
        Command::AlterType { name, action } if !schema.is_new_type(name) => match action {
            TypeAction::RenameTo(to) => problems.push(renamed(&name.to_string(), to)),
            TypeAction::RenameAttribute => problems.push(Problem::new(
                format!("code that says the old name of an attribute of {name} fails from this moment on"),
                format!(
                    "Make a second type with the new name, deploy code that uses that, then drop {name}."
                ),
                Claim::Nothing,
            )),
            _ => {}
        },
        Command::AlterDomain { name, action: DomainAction::RenameTo(to) } if !schema.is_new_type(name) => {
            problems.push(renamed(&name.to_string(), to));
        }
        Command::Object(ObjectChange {
            verb: Verb::Alter,
            kind,
            name: Some(name),
            rename_to: Some(to),
            ..
        }) => {
            let called = matches!(
                kind,
                ObjectKind::Function
                    | ObjectKind::Procedure
                    | ObjectKind::Aggregate
                    | ObjectKind::Role
                    | ObjectKind::Collation
            );
            if called && !schema.is_new_function(name) {
                problems.push(renamed(&name.to_string(), to));
            }
        }
        _ => {}
    }
}

fn in_table(context: &Context, problems: &mut Vec<Problem>) {
    let Some((alter, table)) = context.altered() else { return };
    let sequence = alter.kind == ObjectKind::Sequence
        || table.relation.is_some_and(|relation| relation.kind == RelationKind::Sequence);
    for action in &alter.actions {
        match &action.kind {
            ActionKind::RenameTo { to } if sequence => {
                problems.push(renamed(&table.name, to).at(&action.range));
            }
            ActionKind::RenameConstraint { from, to } => {
                let known = table.relation.and_then(|relation| relation.constraint(from));
                let named_by_code = known.is_some_and(|constraint| {
                    matches!(
                        constraint.kind,
                        ConstraintKind::Unique(_) | ConstraintKind::PrimaryKey(_) | ConstraintKind::Exclude
                    )
                });
                if named_by_code && !context.schema.is_new_constraint(&alter.name, from) {
                    problems.push(
                        Problem::new(
                            format!("INSERT … ON CONFLICT ON CONSTRAINT {from} of running code fails from this moment on, and code that tells errors by that name no longer does"),
                            format!("Deploy code that names the columns instead, which no rename breaks: ON CONFLICT (…); then rename {from} to {to}."),
                            Claim::Nothing,
                        )
                        .at(&action.range),
                    );
                }
            }
            _ => {}
        }
    }
}

fn renamed(from: &str, to: &str) -> Problem {
    Problem::new(
        format!(
            "code that still says {from} fails from this moment on, and code that says {to} fails until then"
        ),
        format!(
            "Make {to} beside {from} (for a function: one that calls the other), move the code over, then drop {from}."
        ),
        Claim::Nothing,
    )
}
