//! A DROP … CASCADE that takes along what it doesn't name.

use plimsoll_core::{Claim, LockMode, Severity};
use plimsoll_sql::command::{ActionKind, Drop, ObjectKind};
use plimsoll_sql::name::{quote_identifier, quote_name};
use plimsoll_sql::schema::ResolvedName;
use plimsoll_sql::{Command, ObjectName};

use super::dependents::{self, Dependent};
use super::dropped;
use crate::context::{Context, Problem};
use crate::rule::{Group, Rule};

pub(super) const RULE: Rule = Rule {
    id: "destructive-cascade",
    group: Group::Compatibility,
    on_by_default: false,
    other_tools: &[("pgfence", "drop-schema-cascade")],
    severity: Severity::Warning,
    page: include_str!("destructive_cascade.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    match context.command {
        Command::Drop(drop) if drop.cascade => {
            let names = dropped::names(context, &[drop.kind]);
            if names.is_empty() || drop.kind == ObjectKind::Index {
                return;
            }
            let shown: Vec<String> = names.iter().map(ToString::to_string).collect();
            problems.extend(problem(context, &shown.join(", "), &taken_by_drop(context, drop, &names)));
        }
        Command::AlterTable(_) => {
            let Some((alter, table)) = context.altered() else { return };
            for action in &alter.actions {
                let (name, taken) = match &action.kind {
                    ActionKind::DropColumn { name, cascade: true, .. } => {
                        let mut taken = dependents::of_column(context, &alter.name, name);
                        taken.extend(dependents::keys_to_column(context, &alter.name, name));
                        (name, taken)
                    }
                    ActionKind::DropConstraint { name, cascade: true, .. } => {
                        (name, dependents::keys_on(context, &alter.name, name))
                    }
                    _ => continue,
                };
                let shown = format!("{name} of {}", table.name);
                problems.extend(problem(context, &shown, &taken).map(|problem| problem.at(&action.range)));
            }
        }
        _ => {}
    }
}

/// None where nothing is taken along.
fn problem(context: &Context, shown: &str, taken: &[Dependent]) -> Option<Problem> {
    let strong = context.effects.iter().find(|effect| effect.mode == LockMode::AccessExclusive);
    let claim = strong.map_or(Claim::Nothing, |effect| Claim::Lock {
        relation: effect.relation.to_string(),
        mode: effect.mode,
        work: None,
    });
    if !context.schema.is_known() {
        return Some(Problem::new(
            format!("this drops whatever needs {shown} too, unseen"),
            "Leave CASCADE out: the statement then fails and lists what needs it, which can be dropped by name.",
            claim,
        ));
    }
    if taken.is_empty() {
        return None;
    }
    let problem = Problem::new(
        format!("with {shown} this drops {}", dependents::listed(taken)),
        format!(
            "Drop by name what is meant to go, and leave CASCADE out, so that nothing else goes unseen:\n{}",
            dependents::drops(taken)
        ),
        claim,
    );
    let rows = taken.iter().any(|one| one.shown.starts_with("column ") || one.shown.starts_with("table "));
    Some(if rows { problem.severity(Severity::Error) } else { problem })
}

fn taken_by_drop(context: &Context, drop: &Drop, names: &[&ObjectName]) -> Vec<Dependent> {
    let schema = context.schema;
    let described = |name: &ResolvedName| schema.relation(name).map(|known| Dependent::relation(name, known));
    match drop.kind {
        ObjectKind::Table | ObjectKind::ForeignTable | ObjectKind::View | ObjectKind::MaterializedView => {
            let gone = dependents::with_descendants(context, &drop.names);
            let mut taken: Vec<Dependent> = Vec::new();
            for name in &gone {
                let keys =
                    schema.foreign_keys_to(name).into_iter().filter(|(owner, _)| !gone.contains(owner));
                taken.extend(keys.map(|(owner, key)| Dependent::foreign_key(owner, key)));
                let views = dependents::views_above(context, name);
                taken.extend(views.iter().filter(|view| !gone.contains(view)).filter_map(described));
            }
            taken.sort();
            taken.dedup();
            taken
        }
        ObjectKind::Schema => {
            let inside =
                |name: &ResolvedName| names.iter().any(|schema| name.schema.as_ref() == Some(&schema.name));
            let mut taken: Vec<Dependent> = Vec::new();
            for (name, relation) in schema.relations().filter(|(name, _)| inside(name)) {
                taken.push(Dependent::relation(name, relation));
                let keys = schema.foreign_keys_to(name).into_iter().filter(|(owner, _)| !inside(owner));
                taken.extend(keys.map(|(owner, key)| Dependent::foreign_key(owner, key)));
            }
            taken
        }
        ObjectKind::Type | ObjectKind::Domain => names
            .iter()
            .flat_map(|name| schema.columns_of_type(name))
            .filter(|(table, _)| !schema.is_new(table))
            .map(|(table, column)| Dependent::column("column", table, &column.name))
            .collect(),
        ObjectKind::Function => {
            let runs = |function: &ObjectName| names.iter().any(|name| name.name == function.name);
            let triggers = schema
                .relations()
                .flat_map(|(table, relation)| relation.triggers.iter().map(move |trigger| (table, trigger)));
            triggers
                .filter(|(_, trigger)| trigger.function.as_ref().is_some_and(runs))
                .map(|(table, trigger)| Dependent {
                    shown: format!("trigger {} of {table}", trigger.name),
                    drop: format!(
                        "DROP TRIGGER {} ON {};",
                        quote_identifier(&trigger.name),
                        quote_name(table)
                    ),
                })
                .collect()
        }
        ObjectKind::Sequence => {
            let draws = |default: &String| {
                default.contains("nextval") && names.iter().any(|name| default.contains(&name.name))
            };
            let columns = schema
                .relations()
                .flat_map(|(table, relation)| relation.columns.iter().map(move |column| (table, column)));
            columns
                .filter(|(_, column)| column.default.as_ref().is_some_and(draws))
                .map(|(table, column)| Dependent {
                    shown: format!("the default of {table}.{}", column.name),
                    drop: format!(
                        "ALTER TABLE {} ALTER COLUMN {} DROP DEFAULT;",
                        quote_name(table),
                        quote_identifier(&column.name)
                    ),
                })
                .collect()
        }
        _ => Vec::new(),
    }
}
