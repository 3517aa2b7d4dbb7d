//! A primary key from an index whose columns may hold nulls.

use plimsoll_core::Severity;
use plimsoll_sql::Command;
use plimsoll_sql::command::{ActionKind, Constraint, ConstraintKind};
use plimsoll_sql::effects::Cause;
use plimsoll_sql::name::{quote_identifier, quote_name};

use crate::context::{Context, Problem, made_up_name};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "pk-using-nullable-index",
    group: Group::Locks,
    on_by_default: true,
    other_tools: &[("eugene", "W14"), ("pgfence", "add-pk-using-index")],
    severity: Severity::Error,
    page: include_str!("pk_using_nullable_index.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    let Command::AlterTable(alter) = context.command else { return };
    for hazard in context.hazards(&[Cause::PrimaryKeyNullable]) {
        let Some(ActionKind::AddConstraint(Constraint { kind: ConstraintKind::PrimaryKey(key), .. })) =
            context.action_of(&hazard).map(|action| &action.kind)
        else {
            continue;
        };
        let (Some(known), Some(index)) = (context.schema.relation(&alter.name), &key.using_index) else {
            continue;
        };
        let keys = known.index(index).map(|index| index.keys.as_slice()).unwrap_or_default();
        let nullable: Vec<&String> = keys
            .iter()
            .filter_map(|key| key.column.as_ref())
            .filter(|column| !known.proves_not_null(column))
            .collect();
        let relation = hazard.relation();
        let names: Vec<&str> = nullable.iter().map(|column| column.as_str()).collect();
        let message = format!(
            "a primary key makes {} NOT NULL, which reads all of {} while {}",
            names.join(", "),
            context.sized(relation),
            context.kept_out(relation, hazard.effect.mode)
        );
        let sql = quote_name(&alter.name);
        let mut remedy =
            "Make the columns NOT NULL before, each step in a transaction of its own:".to_owned();
        for column in nullable {
            let check = made_up_name(&[&alter.name.name, column, "not_null"]);
            let column = quote_identifier(column);
            remedy.push_str(&format!(
                "\nALTER TABLE {sql} ADD CONSTRAINT {check} CHECK ({column} IS NOT NULL) NOT VALID;\n\
                 ALTER TABLE {sql} VALIDATE CONSTRAINT {check};\n\
                 ALTER TABLE {sql} ALTER COLUMN {column} SET NOT NULL;"
            ));
        }
        problems.push(Problem::new(message, remedy, hazard.claim()).of(&hazard));
    }
}
