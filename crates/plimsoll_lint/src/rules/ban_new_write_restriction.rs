//! A new rule for rows that writes of running code may break.

use plimsoll_core::{Claim, LockMode, Severity};
use plimsoll_sql::Command;
use plimsoll_sql::command::{ActionKind, AlterTable, Constraint, ConstraintKind, DomainAction};
use plimsoll_sql::effects::action_lock;
use plimsoll_sql::schema::constrained_columns;

use crate::context::{Context, Existing, Problem, column_list};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "ban-new-write-restriction",
    group: Group::Compatibility,
    on_by_default: false,
    other_tools: &[("squawk", "ban-new-write-restriction"), ("django-migration-linter", "ADD_UNIQUE")],
    severity: Severity::Warning,
    page: include_str!("ban_new_write_restriction.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    match context.command {
        Command::AlterTable(_) => {
            let Some((alter, table)) = context.altered() else { return };
            for action in &alter.actions {
                let Some(what) = restriction(context, alter, &table, &action.kind) else { continue };
                let claim = table.brief_claim(action_lock(&action.kind));
                problems.push(problem(&table.name, &what, claim).at(&action.range));
            }
        }
        Command::CreateIndex(index) if index.unique => {
            let Some(table) = context.existing(&index.table) else { return };
            let columns: Vec<String> = index.keys.iter().map(|key| key.text.clone()).collect();
            let mode = if index.concurrently { LockMode::ShareUpdateExclusive } else { LockMode::Share };
            let what = format!("a second row with the same {}", columns.join(", "));
            problems.push(problem(&table.name, &what, table.brief_claim(mode)));
        }
        Command::AlterDomain { name, action } if !context.schema.is_new_type(name) => {
            let what = match action {
                DomainAction::AddConstraint(constraint) => broken(&constraint.kind),
                DomainAction::SetNotNull => "a null".to_owned(),
                _ => return,
            };
            problems.push(problem(&name.to_string(), &what, Claim::Nothing));
        }
        _ => {}
    }
}

/// What the action forbids that was allowed, if anything.
fn restriction(
    context: &Context,
    alter: &AlterTable,
    table: &Existing,
    action: &ActionKind,
) -> Option<String> {
    let proven = |column: &str| {
        table.relation.is_some_and(|relation| {
            relation.column(column).is_some_and(|column| column.not_null)
                // A check that isn't valid yet binds new rows all the same.
                || relation.constraints.iter().filter(|constraint| constraint.enforced).any(|constraint| {
                    matches!(&constraint.kind, ConstraintKind::Check { proves_not_null, .. } if proves_not_null.iter().any(|c| c == column))
                })
        })
    };
    match action {
        ActionKind::SetNotNull { column } => (!proven(column)).then(|| format!("a null in {column}")),
        ActionKind::AddConstraint(Constraint { kind, not_enforced: false, .. }) => {
            let columns = constrained_columns(kind);
            let all_new = !columns.is_empty()
                && columns.iter().all(|column| context.schema.is_new_column(&alter.name, column));
            match kind {
                ConstraintKind::NotNull { column } => (!proven(column)).then(|| broken(kind)),
                ConstraintKind::Unique(key) | ConstraintKind::PrimaryKey(key)
                    if key.using_index.is_some() =>
                {
                    None
                }
                _ if all_new => None,
                _ => Some(broken(kind)),
            }
        }
        _ => None,
    }
}

/// What a constraint refuses.
fn broken(kind: &ConstraintKind) -> String {
    match kind {
        ConstraintKind::NotNull { column } => format!("a null in {column}"),
        ConstraintKind::Check { expression, .. } => format!("a row for which {expression} is false"),
        ConstraintKind::Unique(key) | ConstraintKind::PrimaryKey(key) => {
            format!("a second row with the same {}", column_list(&key.columns))
        }
        ConstraintKind::ForeignKey { columns, references, .. } => {
            format!("a row whose {} isn't in {references}", column_list(columns))
        }
        ConstraintKind::Exclude => "a row that conflicts with another".to_owned(),
    }
}

fn problem(name: &str, what: &str, claim: Claim) -> Problem {
    Problem::new(
        format!("running code fails from this moment on where it writes {what} to {name}"),
        "Deploy code that keeps to it first, and see that it does (count the rows that break it, twice), then add it; NOT VALID \
         spares old rows only.",
        claim,
    )
}
