//! Which statement made what: kept beside the schema while it is replayed.

use std::collections::BTreeMap;

use plimsoll_sql::schema::ResolvedName;
use plimsoll_sql::{Command, ObjectName, Schema};

use super::schema_rule::Subject;
use plimsoll_sql::command::ActionKind;

/// A statement: which script, and which of its statements.
pub(super) type Origin = (usize, usize);

/// The statements that made things.
#[derive(Default)]
pub(super) struct Origins {
    made: BTreeMap<Subject, Origin>,
}

impl Origins {
    /// Takes note of what a command has just made; `schema` is the state behind it.
    pub(super) fn note(&mut self, command: &Command, schema: &Schema, origin: Origin) {
        match command {
            Command::CreateTable(table) => self.note_relation(&table.name, schema, origin),
            Command::CreateTableAs { name, .. } | Command::CreateSequence { name } => {
                self.note_relation(name, schema, origin);
            }
            Command::CreateView(view) => self.note_relation(&view.name, schema, origin),
            Command::AlterTable(alter) => {
                self.note_renames(&alter.name, alter.actions.iter().map(|action| &action.kind), schema);
                self.note_relation(&alter.name, schema, origin);
            }
            Command::CreateIndex(index) => self.note_relation(&index.table, schema, origin),
            Command::CreateTrigger { table, .. } => self.note_relation(table, schema, origin),
            Command::AlterAttachment(attachment) => self.note_relation(&attachment.table, schema, origin),
            Command::CreateFunction(function) => {
                self.made.insert(Subject::Function(function.name.name.clone()), origin);
            }
            Command::CreateExtension { name, .. } => {
                self.made.entry(Subject::Extension(name.clone())).or_insert(origin);
            }
            Command::CreateSchema { elements, .. } => {
                elements.iter().for_each(|element| self.note(element, schema, origin));
            }
            _ => {}
        }
    }

    /// The statement that made a thing, or the table that it belongs to.
    pub(super) fn of(&self, subject: &Subject) -> Option<Origin> {
        self.made.get(subject).copied().or_else(|| {
            let relation = Subject::Relation(subject.relation()?.clone());
            self.made.get(&relation).copied()
        })
    }

    /// What a relation has and nobody has made yet, this statement has.
    fn note_relation(&mut self, name: &ObjectName, schema: &Schema, origin: Origin) {
        let name = schema.resolve(name);
        let Some(relation) = schema.relation(&name) else { return };
        let mut note = |subject: Subject| {
            self.made.entry(subject).or_insert(origin);
        };
        note(Subject::Relation(name.clone()));
        for constraint in &relation.constraints {
            note(Subject::Constraint(name.clone(), constraint.name.clone()));
        }
        for index in &relation.indexes {
            note(Subject::Index(name.clone(), index.name.clone()));
        }
        for policy in &relation.policies {
            note(Subject::Policy(name.clone(), policy.name.clone()));
        }
        for trigger in &relation.triggers {
            note(Subject::Trigger(name.clone(), trigger.name.clone()));
        }
    }

    /// A table that was renamed is still made where it was made.
    fn note_renames<'a>(
        &mut self,
        name: &ObjectName,
        actions: impl Iterator<Item = &'a ActionKind>,
        schema: &Schema,
    ) {
        // Resolved behind the rename, the old name has the schema that it would have.
        let from = schema.resolve(name);
        for action in actions {
            let to = match action {
                ActionKind::RenameTo { to } => ObjectName { schema: from.schema.clone(), name: to.clone() },
                ActionKind::SetSchema { schema } => ObjectName::qualified(schema, &from.name),
                _ => continue,
            };
            self.move_relation(&from, &to);
        }
    }

    fn move_relation(&mut self, from: &ResolvedName, to: &ResolvedName) {
        let moved: Vec<Subject> =
            self.made.keys().filter(|subject| subject.relation() == Some(from)).cloned().collect();
        for subject in moved {
            let Some(origin) = self.made.remove(&subject) else { continue };
            let to = to.clone();
            let subject = match subject {
                Subject::Relation(_) => Subject::Relation(to),
                Subject::Index(_, name) => Subject::Index(to, name),
                Subject::Constraint(_, name) => Subject::Constraint(to, name),
                Subject::Policy(_, name) => Subject::Policy(to, name),
                Subject::Trigger(_, name) => Subject::Trigger(to, name),
                other => other,
            };
            self.made.insert(subject, origin);
        }
    }
}
