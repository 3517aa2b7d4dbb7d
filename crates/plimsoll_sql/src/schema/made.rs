//! What the change itself made, of things that aren't relations: columns, constraints, types,
//! functions, schemas, extensions, policies, values of enums.

use std::sync::Arc;

use super::relation::made_up_name;
use super::{ResolvedName, Schema};
use crate::command::{ActionKind, Command, DomainAction, ObjectKind, TypeAction, Verb};
use crate::name::ObjectName;

/// A thing that the change made.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Made {
    Column(ResolvedName, String),
    Constraint(ResolvedName, String),
    Policy(ResolvedName, String),
    Type(ResolvedName),
    EnumValue(String),
    Function(String),
    Schema(String),
    Extension(String),
}

impl Schema {
    /// Whether the change itself added this column to a table.
    #[must_use]
    pub fn is_new_column(&self, table: &ObjectName, column: &str) -> bool {
        self.has_made(|| Made::Column(self.resolve(table), column.to_owned()))
    }

    /// Whether the change itself added this constraint to a table.
    #[must_use]
    pub fn is_new_constraint(&self, table: &ObjectName, constraint: &str) -> bool {
        self.has_made(|| Made::Constraint(self.resolve(table), constraint.to_owned()))
    }

    /// Whether the change itself made this policy of a table.
    #[must_use]
    pub fn is_new_policy(&self, table: &ObjectName, policy: &str) -> bool {
        self.has_made(|| Made::Policy(self.resolve(table), policy.to_owned()))
    }

    /// Whether the change itself made this type or domain.
    #[must_use]
    pub fn is_new_type(&self, name: &ObjectName) -> bool {
        self.has_made(|| Made::Type(self.resolve_among(name, |name| self.types.contains_key(name))))
    }

    /// Whether the change itself added this value to an enum that existed.
    #[must_use]
    pub fn is_new_enum_value(&self, value: &str) -> bool {
        self.has_made(|| Made::EnumValue(value.to_owned()))
    }

    /// Whether the change itself made a function of this name.
    #[must_use]
    pub fn is_new_function(&self, name: &ObjectName) -> bool {
        self.has_made(|| Made::Function(name.name.clone()))
    }

    /// Whether the change itself made this schema.
    #[must_use]
    pub fn is_new_schema(&self, name: &str) -> bool {
        self.has_made(|| Made::Schema(name.to_owned()))
    }

    /// Whether the change itself made this extension.
    #[must_use]
    pub fn is_new_extension(&self, name: &str) -> bool {
        self.has_made(|| Made::Extension(name.to_owned()))
    }

    fn has_made(&self, made: impl Fn() -> Made) -> bool {
        !self.made.is_empty() && self.made.contains(&made())
    }

    /// Takes note of what a command is about to make and nothing has made before.
    pub(super) fn note_made(&mut self, command: &Command) {
        if self.change == 0 {
            return;
        }
        let mut found = Vec::new();
        match command {
            Command::AlterTable(alter) => {
                let table = self.resolve(&alter.name);
                let known = self.relations.get(&table);
                for action in &alter.actions {
                    match &action.kind {
                        ActionKind::AddColumn { column, .. }
                            if known.is_none_or(|known| known.column(&column.name).is_none()) =>
                        {
                            found.push(Made::Column(table.clone(), column.name.clone()));
                        }
                        ActionKind::AddConstraint(constraint) => {
                            let name = constraint.name.clone();
                            let name = name.unwrap_or_else(|| made_up_name(&table.name, &constraint.kind));
                            found.push(Made::Constraint(table.clone(), name));
                        }
                        _ => {}
                    }
                }
            }
            Command::AlterAttachment(made)
                if made.verb == Verb::Create && made.kind == ObjectKind::Policy =>
            {
                found.push(Made::Policy(self.resolve(&made.table), made.name.clone()));
            }
            Command::CreateType { name, .. } if self.user_type(name).is_none() => {
                found.push(Made::Type(self.place(name)));
            }
            Command::CreateDomain(domain) if self.user_type(&domain.name).is_none() => {
                found.push(Made::Type(self.place(&domain.name)));
            }
            Command::AlterType { name, action: TypeAction::AddValue { value, .. } }
                if !self.is_new_type(name) =>
            {
                found.push(Made::EnumValue(value.clone()));
            }
            // It stays the change's own under its new name.
            Command::AlterType { name, action: TypeAction::RenameTo(to) }
            | Command::AlterDomain { name, action: DomainAction::RenameTo(to) }
                if self.is_new_type(name) =>
            {
                let known = self.resolve_among(name, |name| self.types.contains_key(name));
                found.push(Made::Type(ObjectName { name: to.clone(), ..known }));
            }
            Command::CreateFunction(function) if self.function(&function.name).is_none() => {
                found.push(Made::Function(function.name.name.clone()));
            }
            Command::CreateSchema { name: Some(name), .. } if !self.has_anything_in(name) => {
                found.push(Made::Schema(name.clone()));
            }
            Command::CreateExtension { name, .. } if !self.extensions.contains_key(name) => {
                found.push(Made::Extension(name.clone()));
            }
            _ => {}
        }
        if !found.is_empty() {
            Arc::make_mut(&mut self.made).extend(found);
        }
    }

    /// Whether a schema is known to hold a relation, so that `IF NOT EXISTS` makes nothing.
    fn has_anything_in(&self, schema: &str) -> bool {
        self.relations.keys().any(|name| name.schema.as_deref() == Some(schema))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::parse_script;

    #[test]
    fn what_a_change_makes_is_new_and_what_it_meets_is_not() {
        let mut schema = Schema::default();
        schema.apply_script(
            &parse_script(
                "create table t (a int); create type m as enum ('x'); create schema s; create table s.t ();",
            )
            .0,
        );
        schema.begin_change();
        schema.apply_script(
            &parse_script(
                "alter table t add b int, add column if not exists a int, add check (b > 0); create domain d as int;
                 alter type m add value 'y'; create schema if not exists s; create schema r; create extension citext;",
            )
            .0,
        );
        let t = ObjectName::unqualified("t");
        assert!(schema.is_new_column(&t, "b") && !schema.is_new_column(&t, "a"));
        assert!(schema.is_new_constraint(&t, "t_b_check") && !schema.is_new_constraint(&t, "t_a_check"));
        assert!(schema.is_new_type(&ObjectName::unqualified("d")));
        assert!(!schema.is_new_type(&ObjectName::unqualified("m")) && schema.is_new_enum_value("y"));
        assert!(schema.is_new_schema("r") && !schema.is_new_schema("s") && schema.is_new_extension("citext"));
        schema.begin_change();
        assert!(!schema.is_new_column(&t, "b") && !schema.is_new_schema("r"));
    }
}
