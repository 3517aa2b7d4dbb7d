//! What `DROP` locks: the thing, and what hangs on it.

use plimsoll_core::LockMode;

use super::{Cause, Model, Taken};
use crate::command::{ConstraintKind, Drop, ObjectKind};
use crate::name::ObjectName;
use crate::schema::{Relation, ResolvedName};

impl Model<'_> {
    pub(super) fn drop(&mut self, drop: &Drop) {
        for name in &drop.names {
            match drop.kind {
                ObjectKind::Table | ObjectKind::ForeignTable => self.drop_table(name, drop.cascade),
                ObjectKind::View | ObjectKind::MaterializedView if self.is_missing(name) => {}
                ObjectKind::View | ObjectKind::MaterializedView => {
                    let view = self.schema.resolve(name);
                    self.lock(&view, &Taken::new(LockMode::AccessExclusive, Cause::Brief));
                    self.lock_dependent_views(&view, drop.cascade);
                }
                ObjectKind::Index => self.drop_index(name, drop.concurrently),
                ObjectKind::Schema => self.drop_schema(&name.name),
                ObjectKind::Sequence if drop.cascade => self.lock_users(|known| {
                    let uses = |default: &String| default.contains("nextval") && default.contains(&name.name);
                    known.columns.iter().any(|column| column.default.as_ref().is_some_and(uses))
                }),
                ObjectKind::Function if drop.cascade => self.lock_users(|known| {
                    let runs = |function: &ObjectName| function.name == name.name;
                    known.triggers.iter().any(|trigger| trigger.function.as_ref().is_some_and(runs))
                }),
                ObjectKind::Type | ObjectKind::Domain if drop.cascade => {
                    let tables: Vec<&ResolvedName> =
                        self.schema.columns_of_type(name).into_iter().map(|(table, _)| table).collect();
                    for table in tables {
                        self.lock(table, &Taken::new(LockMode::AccessExclusive, Cause::Brief));
                    }
                }
                _ => {}
            }
        }
    }

    /// Tables that CASCADE takes a default or a trigger from.
    fn lock_users(&mut self, uses: impl Fn(&Relation) -> bool) {
        let users: Vec<&ResolvedName> =
            self.schema.relations().filter(|(_, known)| uses(known)).map(|(name, _)| name).collect();
        for user in users {
            self.lock(user, &Taken::new(LockMode::AccessExclusive, Cause::Brief));
        }
    }

    fn drop_table(&mut self, name: &ObjectName, cascade: bool) {
        if self.is_missing(name) {
            return;
        }
        let table = self.schema.resolve(name);
        let taken = Taken::new(LockMode::AccessExclusive, Cause::Brief);
        self.lock_all(&table, &taken);
        if let Some(parent) = self.schema.relation(&table).and_then(|known| known.partition_of.clone()) {
            self.lock(&parent, &taken);
            if let Some(default) = self.schema.default_partition(&parent) {
                self.lock(default, &taken);
            }
        }
        let dropped: Vec<ResolvedName> =
            std::iter::once(&table).chain(self.schema.descendants(&table)).cloned().collect();
        for table in &dropped {
            let Some(known) = self.schema.relation(table) else { continue };
            let inherited = known
                .partition_of
                .as_ref()
                .filter(|parent| !dropped.contains(parent))
                .and_then(|parent| self.schema.relation(parent));
            for referenced in known.references() {
                // The triggers of an inherited key are the parent's.
                if inherited.is_some_and(|parent| parent.references().any(|other| other == referenced)) {
                    continue;
                }
                let referenced = self.schema.resolve(referenced);
                if !dropped.contains(&referenced) {
                    let taken = Taken::new(LockMode::AccessExclusive, Cause::DropTableForeignKey);
                    self.lock(&referenced, &taken);
                }
            }
        }
        if cascade {
            for referencing in self.schema.referencing(&table) {
                self.lock(referencing, &Taken::new(LockMode::AccessExclusive, Cause::DropTableForeignKey));
            }
        }
        self.lock_dependent_views(&table, cascade);
    }

    /// `CASCADE` drops the views that read a relation.
    fn lock_dependent_views(&mut self, relation: &ResolvedName, cascade: bool) {
        if cascade {
            for (view, _) in self.schema.views_on(relation) {
                self.lock(view, &Taken::new(LockMode::AccessExclusive, Cause::Brief));
            }
        }
    }

    fn drop_index(&mut self, name: &ObjectName, concurrently: bool) {
        let Some(table) = self.schema.table_of_index(name).cloned() else { return };
        let new = self.schema.relation(&table).and_then(|known| known.index(&name.name));
        if new.is_some_and(|index| self.schema.is_new_index(index)) && self.schema.is_new(&table) {
            return;
        }
        let taken = match concurrently {
            true => Taken::new(LockMode::ShareUpdateExclusive, Cause::Brief),
            false => Taken::new(LockMode::AccessExclusive, Cause::DropIndex),
        };
        self.lock_all(&table, &taken);
    }

    fn drop_schema(&mut self, schema: &str) {
        let inside: Vec<ResolvedName> = self
            .schema
            .relations()
            .map(|(name, _)| name)
            .filter(|name| name.schema.as_deref() == Some(schema))
            .cloned()
            .collect();
        let taken = Taken::new(LockMode::AccessExclusive, Cause::Brief);
        for name in &inside {
            self.lock(name, &taken);
        }
        for name in &inside {
            let Some(known) = self.schema.relation(name) else { continue };
            let outside: Vec<ResolvedName> = known
                .references()
                .map(|referenced| self.schema.resolve(referenced))
                .chain(self.schema.referencing(name).into_iter().cloned())
                .filter(|other| !inside.contains(other))
                .collect();
            for other in outside {
                self.lock(&other, &Taken::new(LockMode::AccessExclusive, Cause::DropTableForeignKey));
            }
        }
    }

    /// Dropping a constraint drops the triggers of a foreign key on both tables, and the foreign
    /// keys that need a key (`CASCADE`).
    pub(super) fn drop_constraint(&mut self, table: &ResolvedName, name: &str, cascade: bool, taken: &Taken) {
        let known = self.schema.relation(table).and_then(|relation| relation.constraint(name));
        match known.map(|constraint| &constraint.kind) {
            Some(ConstraintKind::ForeignKey { references, .. }) => {
                let taken = Taken { mode: LockMode::AccessExclusive, cause: Cause::DropForeignKey, ..*taken };
                let references = self.schema.resolve(references);
                self.lock_all(table, &taken);
                if references != *table {
                    self.lock_all(&references, &taken);
                }
            }
            Some(ConstraintKind::Unique(_) | ConstraintKind::PrimaryKey(_)) if cascade => {
                self.lock_all(table, taken);
                for referencing in self.schema.referencing(table) {
                    self.lock(referencing, &Taken { cause: Cause::DropForeignKey, ..*taken });
                }
            }
            _ => self.lock_all(table, taken),
        }
    }
}
