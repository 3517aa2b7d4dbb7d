//! An object that moves to another schema.

use plimsoll_core::{Claim, Severity};
use plimsoll_sql::Command;
use plimsoll_sql::command::{ActionKind, DomainAction, ObjectChange, ObjectKind, TypeAction, Verb};
use plimsoll_sql::schema::RelationKind;

use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "ban-set-schema",
    group: Group::Compatibility,
    on_by_default: false,
    other_tools: &[("squawk", "ban-set-schema")],
    severity: Severity::Warning,
    page: include_str!("ban_set_schema.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    let schema = context.schema;
    let name = match context.command {
        // Of what is read like a table, renaming-table tells.
        Command::AlterTable(alter) => {
            let sequence = alter.kind == ObjectKind::Sequence
                || schema.relation(&alter.name).is_some_and(|known| known.kind == RelationKind::Sequence);
            let moves =
                alter.actions.iter().any(|action| matches!(action.kind, ActionKind::SetSchema { .. }));
            (sequence && !schema.is_new(&alter.name) && (moves || moved(context)))
                .then(|| alter.name.to_string())
        }
        Command::AlterType { name, action: TypeAction::Other }
        | Command::AlterDomain { name, action: DomainAction::Other } => {
            (!schema.is_new_type(name) && moved(context)).then(|| name.to_string())
        }
        Command::Object(ObjectChange { verb: Verb::Alter, kind, name: Some(name), .. }) => {
            let new = match kind {
                ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Aggregate => {
                    schema.is_new_function(name)
                }
                ObjectKind::Extension => schema.is_new_extension(&name.name),
                _ => false,
            };
            (!new && moved(context)).then(|| name.to_string())
        }
        _ => None,
    };
    let Some(name) = name else { return };
    let to = context.words().rsplit(' ').next().unwrap_or_default().trim_end_matches(';').to_owned();
    problems.push(Problem::new(
        format!("code that finds {name} by its old schema fails from this moment on, and code that says {to} fails until then"),
        format!("Put the new schema on the search_path of the role that the code has, behind the old one, then move it:\nALTER ROLE … SET search_path = …, {to};"),
        Claim::Nothing,
    ));
}

fn moved(context: &Context) -> bool {
    context.words().contains(" set schema ")
}
