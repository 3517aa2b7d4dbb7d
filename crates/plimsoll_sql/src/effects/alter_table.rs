//! What each action of `ALTER TABLE` locks and does.

use std::ops::Range;

use plimsoll_core::{LockMode, Work};

use super::{Cause, Model, Taken, action_lock, column_type_change};
use crate::command::{
    ActionKind, AlterTable, ColumnDefinition, Constraint, ConstraintKind, Generated, KeyConstraint,
    ObjectKind,
};
use crate::data_type::{DataType, TypeChange};
use crate::name::ObjectName;
use crate::schema::ResolvedName;
use crate::volatility::volatile_call;

impl Model<'_> {
    pub(super) fn alter_table(&mut self, alter: &AlterTable) {
        if alter.if_exists && self.is_missing(&alter.name) {
            return;
        }
        let table = self.schema.resolve(&alter.name);
        if alter.kind == ObjectKind::Sequence && self.schema.relation(&table).is_none() {
            return;
        }
        for action in &alter.actions {
            self.action(&table, &action.kind, &action.range, alter.only);
        }
    }

    fn action(&mut self, table: &ResolvedName, kind: &ActionKind, range: &Range<usize>, only: bool) {
        let mode = action_lock(kind);
        let brief = Taken::new(mode, Cause::Brief).at(range);
        let because = |cause: Cause| Taken::new(mode, cause).at(range);
        match kind {
            ActionKind::AddColumn { column, if_not_exists } => {
                let exists =
                    self.schema.relation(table).is_some_and(|known| known.column(&column.name).is_some());
                match *if_not_exists && exists {
                    true => self.lock(table, &brief),
                    false => self.add_column(table, column, range),
                }
            }
            ActionKind::DropColumn { name, .. } => self.drop_column(table, name, &brief),
            ActionKind::AlterColumnType { column, data_type, using, collation } => {
                let change = column_type_change(
                    self.schema,
                    self.schema.relation(table),
                    column,
                    data_type,
                    using.as_ref(),
                    collation.as_ref(),
                    self.environment,
                );
                match change.rows {
                    TypeChange::Rewrite => self.work(table, &because(Cause::TypeChange), Work::Rewrite),
                    TypeChange::Unknown => {
                        self.work(table, &because(Cause::TypeChangeUnknown), Work::Rewrite)
                    }
                    TypeChange::Nothing => self.lock_all(table, &brief),
                }
                if !change.checks.is_empty() {
                    self.work(table, &because(Cause::TypeChangeConstraint), Work::Scan);
                }
                if !change.indexes.is_empty() {
                    self.work(table, &because(Cause::TypeChangeIndex), Work::IndexBuild);
                }
                self.relock_foreign_keys(table, column, &because(Cause::TypeChangeConstraint));
            }
            ActionKind::SetNotNull { column } => {
                let proven = self.schema.relation(table).is_some_and(|known| known.proves_not_null(column));
                match proven {
                    true => self.lock_all(table, &brief),
                    false => self.work(table, &because(Cause::SetNotNull), Work::Scan),
                }
            }
            ActionKind::SetExpression { .. } => self.set_expression(table, kind, range),
            ActionKind::AddConstraint(constraint) => self.add_constraint(table, constraint, range, only),
            ActionKind::DropConstraint { name, cascade, .. } => {
                self.drop_constraint(table, name, *cascade, &brief);
            }
            ActionKind::AlterConstraint { name } => {
                self.lock(table, &brief);
                self.relock_referenced(table, name, &brief);
            }
            ActionKind::ValidateConstraint { name } => self.validate(table, name, range),
            ActionKind::AttachPartition { name, bound } => {
                self.attach_partition(table, name, bound.as_ref(), &brief);
            }
            ActionKind::DetachPartition { name, concurrently, finalize } => {
                self.detach_partition(table, name, *concurrently || *finalize, &brief);
            }
            ActionKind::Inherit { parent, leaves } => {
                self.lock(table, &brief);
                if !leaves {
                    let parent = self.schema.resolve(parent);
                    self.lock(&parent, &Taken::new(LockMode::ShareUpdateExclusive, Cause::Brief).at(range));
                }
            }
            ActionKind::SetLogged { logged } => {
                let same = self
                    .schema
                    .relation(table)
                    .is_some_and(|known| known.columns_known && known.unlogged != *logged);
                match same {
                    true => self.lock(table, &brief),
                    false => self.push(table, &because(Cause::SetLogged), Some(Work::Rewrite)),
                }
            }
            ActionKind::SetTablespace { tablespace } => {
                let known = self.schema.relation(table);
                let same = known.is_some_and(|known| known.tablespace.as_ref() == Some(tablespace))
                    || (tablespace == "pg_default" && known.is_some_and(|known| known.tablespace.is_none()));
                match same || known.is_some_and(|known| !known.holds_rows()) {
                    true => self.lock(table, &brief),
                    false => self.push(table, &because(Cause::SetTablespace), Some(Work::Rewrite)),
                }
            }
            ActionKind::SetAccessMethod { method } => {
                // heap is what every server has; another one comes by an extension.
                match method.as_deref().is_none_or(|method| method == "heap") {
                    true => self.lock(table, &brief),
                    false => self.push(table, &because(Cause::SetAccessMethod), Some(Work::Rewrite)),
                }
            }
            ActionKind::TriggerFiring { .. } => self.lock_all(table, &because(Cause::Trigger)),
            ActionKind::RenameColumn { .. }
            | ActionKind::RenameConstraint { .. }
            | ActionKind::DropNotNull { .. }
            | ActionKind::SetDefault { .. }
            | ActionKind::DropDefault { .. }
            | ActionKind::DropExpression { .. }
            | ActionKind::AddIdentity { .. }
            | ActionKind::AlterIdentity { .. }
                if !only =>
            {
                self.lock_all(table, &brief);
            }
            _ => self.lock(table, &brief),
        }
    }

    fn add_column(&mut self, table: &ResolvedName, column: &ColumnDefinition, range: &Range<usize>) {
        let because = |cause: Cause| Taken::new(LockMode::AccessExclusive, cause).at(range);
        let before = self.effects.len();
        let data_type = column.data_type.as_ref();
        let domain = data_type.is_some_and(|data_type| self.schema.is_constrained_domain(data_type));
        let volatile =
            column.default.as_ref().is_some_and(|default| volatile_call(default, self.schema).is_some());
        let serial =
            data_type.is_some_and(DataType::is_serial) || column.generated == Some(Generated::Identity);
        if serial {
            self.work(table, &because(Cause::ColumnSerial), Work::Rewrite);
        } else if column.generated == Some(Generated::Stored) {
            self.work(table, &because(Cause::ColumnGenerated), Work::Rewrite);
        } else if volatile {
            let range = column.default.as_ref().map_or(range, |default| &default.range);
            let taken = Taken::new(LockMode::AccessExclusive, Cause::ColumnDefault).at(range);
            self.work(table, &taken, Work::Rewrite);
        } else if domain && column.generated != Some(Generated::Virtual) {
            self.work(table, &because(Cause::ColumnDomain), Work::Rewrite);
        }
        let rewritten = self.effects.len() > before;
        let filled = column.default.as_ref().is_some_and(|default| !default.null);
        for constraint in &column.constraints {
            let at = |cause: Cause| Taken::new(LockMode::AccessExclusive, cause).at(&constraint.range);
            match &constraint.kind {
                ConstraintKind::Check { .. }
                    if !constraint.not_valid && !constraint.not_enforced && !rewritten =>
                {
                    self.work(table, &at(Cause::ColumnCheck), Work::Scan);
                }
                ConstraintKind::Unique(_) | ConstraintKind::PrimaryKey(_) => {
                    self.work(table, &at(Cause::ColumnUnique), Work::IndexBuild);
                }
                ConstraintKind::NotNull { .. } if !filled && !rewritten && column.generated.is_none() => {
                    self.work(table, &at(Cause::ColumnNotNull), Work::Scan);
                }
                ConstraintKind::ForeignKey { references, .. } => {
                    let referenced = self.schema.resolve(references);
                    let taken = Taken { mode: LockMode::ShareRowExclusive, ..at(Cause::ColumnReferences) };
                    let reads = (filled || rewritten) && !constraint.not_enforced;
                    if reads {
                        self.work(table, &at(Cause::ColumnReferences), Work::Scan);
                    }
                    if referenced != *table {
                        match reads {
                            true => self.work(&referenced, &taken, Work::Scan),
                            false => self.lock_all(&referenced, &taken),
                        }
                    }
                }
                _ => {}
            }
        }
        self.lock_all(table, &because(Cause::Brief));
    }

    fn drop_column(&mut self, table: &ResolvedName, name: &str, brief: &Taken) {
        self.lock_all(table, brief);
        let Some(known) = self.schema.relation(table) else { return };
        let referenced: Vec<ResolvedName> = known
            .constraints
            .iter()
            .filter_map(|constraint| match &constraint.kind {
                ConstraintKind::ForeignKey { columns, references, .. }
                    if columns.iter().any(|c| c == name) =>
                {
                    Some(self.schema.resolve(references))
                }
                _ => None,
            })
            .collect();
        for referenced in referenced.iter().filter(|referenced| *referenced != table) {
            self.lock_all(referenced, &Taken { cause: Cause::DropForeignKey, ..*brief });
        }
    }

    fn set_expression(&mut self, table: &ResolvedName, kind: &ActionKind, range: &Range<usize>) {
        let ActionKind::SetExpression { column } = kind else { return };
        let is_virtual = self
            .schema
            .relation(table)
            .and_then(|known| known.column(column))
            .is_some_and(|column| column.generated == Some(Generated::Virtual));
        let mode = LockMode::AccessExclusive;
        match is_virtual {
            true => self.lock_all(table, &Taken::new(mode, Cause::Brief).at(range)),
            false => self.work(table, &Taken::new(mode, Cause::SetExpression).at(range), Work::Rewrite),
        }
    }

    fn add_constraint(
        &mut self,
        table: &ResolvedName,
        constraint: &Constraint,
        range: &Range<usize>,
        only: bool,
    ) {
        let mode = match constraint.kind {
            ConstraintKind::ForeignKey { .. } => LockMode::ShareRowExclusive,
            _ => LockMode::AccessExclusive,
        };
        let brief = Taken::new(mode, Cause::Brief).at(range);
        let because = |cause: Cause| Taken::new(mode, cause).at(range);
        let unchecked = constraint.not_valid || constraint.not_enforced;
        match &constraint.kind {
            ConstraintKind::ForeignKey { references, .. } => {
                let referenced = self.schema.resolve(references);
                if unchecked || self.schema.is_new(table) {
                    // A table that the change made is empty: nothing is looked up.
                    let brief = Taken { cause: Cause::CreateTableReferences, ..brief };
                    self.lock_all(table, &brief);
                    self.lock_all(&referenced, &brief);
                } else {
                    self.work(table, &because(Cause::ForeignKey), Work::Scan);
                    if referenced != *table {
                        self.work(&referenced, &because(Cause::ForeignKey), Work::Scan);
                    }
                }
            }
            ConstraintKind::Check { .. } if unchecked => self.lock_all(table, &brief),
            ConstraintKind::Check { .. } if only => self.lock(table, &brief),
            ConstraintKind::Check { .. } => self.work(table, &because(Cause::Check), Work::Scan),
            ConstraintKind::NotNull { column } => {
                let proven = self.schema.relation(table).is_some_and(|known| known.proves_not_null(column));
                match unchecked || proven {
                    true => self.lock_all(table, &brief),
                    false => self.work(table, &because(Cause::NotNullConstraint), Work::Scan),
                }
            }
            ConstraintKind::Unique(key) => match key.using_index {
                Some(_) => self.lock(table, &brief),
                None => self.work(table, &because(Cause::Unique), Work::IndexBuild),
            },
            ConstraintKind::PrimaryKey(key) => self.add_primary_key(table, key, &because(Cause::PrimaryKey)),
            ConstraintKind::Exclude => self.work(table, &because(Cause::Exclusion), Work::IndexBuild),
        }
    }

    /// A primary key makes its columns NOT NULL, which reads the table where that isn't known.
    fn add_primary_key(&mut self, table: &ResolvedName, key: &KeyConstraint, taken: &Taken) {
        let known = self.schema.relation(table);
        let Some(index) = &key.using_index else {
            self.work(table, taken, Work::IndexBuild);
            return;
        };
        let columns: Option<Vec<&String>> = known
            .and_then(|known| known.index(index))
            .map(|index| index.keys.iter().filter_map(|key| key.column.as_ref()).collect());
        let nullable = match (known, &columns) {
            (Some(known), Some(columns)) => columns.iter().any(|column| !known.proves_not_null(column)),
            _ => false,
        };
        match nullable {
            true => self.work(table, &Taken { cause: Cause::PrimaryKeyNullable, ..*taken }, Work::Scan),
            false => self.lock(table, &Taken { cause: Cause::Brief, ..*taken }),
        }
    }

    fn validate(&mut self, table: &ResolvedName, name: &str, range: &Range<usize>) {
        let known = self.schema.relation(table).and_then(|known| known.constraint(name));
        let taken = Taken::new(LockMode::ShareUpdateExclusive, Cause::Validate).at(range);
        match known {
            Some(constraint) if constraint.validated => self.lock_all(table, &taken),
            _ => self.work(table, &taken, Work::Scan),
        }
    }

    /// The table that a foreign key references is locked with it.
    fn relock_referenced(&mut self, table: &ResolvedName, name: &str, taken: &Taken) {
        let constraint = self.schema.relation(table).and_then(|known| known.constraint(name));
        if let Some(ConstraintKind::ForeignKey { references, .. }) = constraint.map(|one| &one.kind) {
            self.lock(&self.schema.resolve(references), taken);
        }
    }

    /// A type change makes the foreign keys on the column, from both sides, anew.
    fn relock_foreign_keys(&mut self, table: &ResolvedName, column: &str, taken: &Taken) {
        let brief = Taken { cause: Cause::Brief, ..*taken };
        let mut others: Vec<ResolvedName> = Vec::new();
        for (referencing, constraint) in self.schema.foreign_keys_to(table) {
            let ConstraintKind::ForeignKey { referenced_columns, .. } = &constraint.kind else { continue };
            let key = || self.primary_key(table);
            let concerned = match referenced_columns.is_empty() {
                true => key().iter().any(|c| c == column),
                false => referenced_columns.iter().any(|c| c == column),
            };
            if concerned {
                others.push(referencing.clone());
            }
        }
        let own = self.schema.relation(table).into_iter().flat_map(|known| &known.constraints);
        for constraint in own {
            if let ConstraintKind::ForeignKey { columns, references, .. } = &constraint.kind
                && columns.iter().any(|c| c == column)
            {
                others.push(self.schema.resolve(references));
            }
        }
        for other in others.iter().filter(|other| *other != table) {
            self.lock_all(other, &brief);
        }
    }

    fn primary_key(&self, table: &ObjectName) -> Vec<String> {
        let constraints = self.schema.relation(table).into_iter().flat_map(|known| &known.constraints);
        let key = constraints.filter_map(|constraint| match &constraint.kind {
            ConstraintKind::PrimaryKey(key) => Some(key.columns.clone()),
            _ => None,
        });
        key.last().unwrap_or_default()
    }
}
