//! What each action of `ALTER TABLE` locks and does.

use std::ops::Range;

use plimsoll_core::{LockMode, Work};

use super::type_change::without_dropped;
use super::{Cause, Model, Taken, action_lock, column_type_change};
use crate::command::{
    ActionKind, AlterTable, ColumnDefinition, Constraint, ConstraintKind, Generated, KeyConstraint,
    ObjectKind,
};
use crate::data_type::{DataType, TypeChange};
use crate::name::ObjectName;
use crate::schema::{Relation, RelationKind, ResolvedName, TableConstraint};
use crate::volatility::volatile_call;

impl Model<'_> {
    pub(super) fn alter_table(&mut self, alter: &AlterTable) {
        if alter.if_exists && self.is_missing(&alter.name) {
            return;
        }
        let table = self.schema.resolve(&alter.name);
        let known = self.schema.relation(&table);
        let is_sequence = known.is_some_and(|known| known.kind == RelationKind::Sequence);
        let is_index = known.is_none() && self.schema.table_of_index(&alter.name).is_some();
        if alter.kind == ObjectKind::Sequence || is_sequence || is_index {
            return;
        }
        if alter.kind == ObjectKind::View {
            self.lock(&table, &Taken::new(LockMode::AccessExclusive, Cause::Brief));
        }
        for action in &alter.actions {
            self.action(&table, &action.kind, &action.range, alter);
        }
    }

    fn action(&mut self, table: &ResolvedName, kind: &ActionKind, range: &Range<usize>, alter: &AlterTable) {
        let only = alter.only;
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
            ActionKind::DropColumn { name, cascade, .. } => self.drop_column(table, name, *cascade, &brief),
            ActionKind::AlterColumnType { column, data_type, using, collation } => {
                // Constraints are dropped before types change.
                let known = self.schema.relation(table).map(|known| without_dropped(known, alter));
                let change = column_type_change(
                    self.schema,
                    known.as_deref(),
                    column,
                    data_type,
                    using.as_ref(),
                    collation.as_ref(),
                    self.environment,
                );
                match change.rows {
                    TypeChange::Rewrite => self.work(table, &because(Cause::TypeChange), Work::Rewrite),
                    // Few other types store the same bytes as this one: whatever the old type is.
                    TypeChange::Unknown if !data_type.is_often_coercible() => {
                        self.work(table, &because(Cause::TypeChange), Work::Rewrite);
                    }
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
                let rewritten = change.rows != TypeChange::Nothing;
                self.relock_foreign_keys(table, column, rewritten, &because(Cause::TypeChangeConstraint));
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
            ActionKind::AlterConstraint { name, enforced } => {
                self.alter_constraint(table, name, *enforced, &brief);
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
                let holds_rows = self.schema.relation(table).is_none_or(|known| known.holds_rows());
                match method.as_deref().is_none_or(|method| method == "heap") || !holds_rows {
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
        // A type of the user's may be a constrained domain, where nothing is known of it.
        let domain = data_type.is_some_and(|data_type| match self.schema.is_known() {
            true => self.schema.is_constrained_domain(data_type),
            false => !data_type.is_builtin() && !data_type.array,
        });
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
        let stored = matches!(column.generated, Some(Generated::Stored | Generated::Identity));
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
                ConstraintKind::NotNull { .. } if !filled && !rewritten && !stored => {
                    self.work(table, &at(Cause::ColumnNotNull), Work::Scan);
                }
                ConstraintKind::ForeignKey { references, .. } => {
                    let referenced = self.schema.resolve(references);
                    let taken = Taken { mode: LockMode::ShareRowExclusive, ..at(Cause::ColumnReferences) };
                    // Any default counts, NULL too.
                    let reads = (column.default.is_some() || rewritten) && !constraint.not_enforced;
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

    fn drop_column(&mut self, table: &ResolvedName, name: &str, cascade: bool, brief: &Taken) {
        self.lock_all(table, brief);
        if cascade {
            self.lock_views_with(table, Some(name), brief);
            self.lock_keys_on(table, name, brief);
        }
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

    /// Views that need a column, and views on those, which CASCADE drops.
    fn lock_views_with(&mut self, relation: &ResolvedName, column: Option<&str>, brief: &Taken) {
        let needs = |view: &Relation| {
            column.is_none_or(|column| view.reads_star || view.names_read.iter().any(|name| name == column))
        };
        for (view, known) in self.schema.views_on(relation) {
            let seen = self.effects.iter().any(|effect| effect.relation == *view);
            if needs(known) && !seen {
                self.lock(view, brief);
                self.lock_views_with(view, None, brief);
            }
        }
    }

    /// Tables whose foreign keys need a column, which CASCADE drops.
    fn lock_keys_on(&mut self, table: &ResolvedName, column: &str, brief: &Taken) {
        for referencing in self.keys_on(table, column) {
            self.lock_all(&referencing, &Taken { cause: Cause::DropForeignKey, ..*brief });
        }
    }

    /// Tables whose foreign keys reference a column.
    fn keys_on(&self, table: &ResolvedName, column: &str) -> Vec<ResolvedName> {
        let concerned = |kind: &ConstraintKind| match kind {
            ConstraintKind::ForeignKey { referenced_columns, .. } if referenced_columns.is_empty() => {
                self.primary_key(table).iter().any(|key| key == column)
            }
            ConstraintKind::ForeignKey { referenced_columns, .. } => {
                referenced_columns.iter().any(|key| key == column)
            }
            _ => false,
        };
        let keys = self.schema.foreign_keys_to(table).into_iter();
        keys.filter(|(_, constraint)| concerned(&constraint.kind)).map(|(table, _)| table.clone()).collect()
    }

    /// `ALTER CONSTRAINT … ENFORCED` checks a foreign key.
    fn alter_constraint(&mut self, table: &ResolvedName, name: &str, enforced: bool, brief: &Taken) {
        let constraint = self.schema.relation(table).and_then(|known| known.constraint(name));
        let references = constraint.and_then(|constraint| match &constraint.kind {
            ConstraintKind::ForeignKey { references, .. } => Some(self.schema.resolve(references)),
            _ => None,
        });
        match (enforced, references) {
            (true, references) if references.is_some() || constraint.is_none() => {
                let taken = Taken { cause: Cause::ForeignKey, ..*brief };
                self.work(table, &taken, Work::Scan);
                let taken = Taken { mode: LockMode::ShareRowExclusive, ..taken };
                if let Some(references) = references {
                    self.work(&references, &taken, Work::Scan);
                }
            }
            _ if self.environment.is_at_least(18) => self.lock_all(table, brief),
            _ => self.lock(table, brief),
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

    /// Whether each partition of a partitioned table has a validated foreign key like this one.
    fn partitions_obey(&self, table: &ResolvedName, constraint: &Constraint) -> bool {
        let ConstraintKind::ForeignKey { columns, references, .. } = &constraint.kind else { return false };
        let partitioned =
            self.schema.relation(table).is_some_and(|known| known.kind == RelationKind::PartitionedTable);
        let obeys = |partition: &ResolvedName| {
            self.schema.relation(partition).is_some_and(|known| {
                let has = |own: &TableConstraint| {
                    let same = matches!(&own.kind, ConstraintKind::ForeignKey { columns: c, references: r, .. }
                        if c == columns && self.schema.resolve(r) == self.schema.resolve(references));
                    same && own.validated && own.enforced
                };
                !known.holds_rows() || known.constraints.iter().any(has)
            })
        };
        let partitions = self.schema.descendants(table);
        partitioned && !partitions.is_empty() && partitions.into_iter().all(obeys)
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
                if unchecked || self.schema.is_new(table) || self.partitions_obey(table, constraint) {
                    // A table that the change made is empty: nothing is looked up. Nor where every partition has the key
                    // already, which becomes a part of the parent's.
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
            ConstraintKind::Check { .. } if constraint.no_inherit => {
                self.push(table, &because(Cause::Check), Some(Work::Scan));
                if self.environment.is_at_least(18) {
                    for child in self.schema.descendants(table) {
                        self.lock(child, &brief);
                    }
                }
            }
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
                None => self.add_key(table, &because(Cause::Unique)),
            },
            ConstraintKind::PrimaryKey(key) => self.add_primary_key(table, key, &because(Cause::PrimaryKey)),
            ConstraintKind::Exclude => self.work(table, &because(Cause::Exclusion), Work::IndexBuild),
        }
    }

    /// Builds a key's index, on each partition too: those were only locked in SHARE mode before 18.
    fn add_key(&mut self, table: &ResolvedName, taken: &Taken) {
        let partitioned =
            self.schema.relation(table).is_some_and(|known| known.kind == RelationKind::PartitionedTable);
        if !partitioned || self.environment.is_at_least(18) {
            self.work(table, taken, Work::IndexBuild);
            return;
        }
        self.lock(table, taken);
        for partition in self.schema.descendants(table) {
            let holds_rows = self.schema.relation(partition).is_none_or(|known| known.holds_rows());
            let taken = Taken { mode: LockMode::Share, ..*taken };
            self.push(partition, &taken, holds_rows.then_some(Work::IndexBuild));
        }
    }

    /// A primary key makes its columns NOT NULL, which reads the table where that isn't known.
    fn add_primary_key(&mut self, table: &ResolvedName, key: &KeyConstraint, taken: &Taken) {
        let known = self.schema.relation(table);
        let Some(index) = &key.using_index else {
            self.add_key(table, taken);
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

    /// A type change makes the foreign keys on the column, from both sides, anew; it checks them
    /// where the rows change.
    fn relock_foreign_keys(&mut self, table: &ResolvedName, column: &str, checks: bool, taken: &Taken) {
        let mut others = self.keys_on(table, column);
        let own = self.schema.relation(table).into_iter().flat_map(|known| &known.constraints);
        for constraint in own {
            if let ConstraintKind::ForeignKey { columns, references, .. } = &constraint.kind
                && columns.iter().any(|c| c == column)
            {
                others.push(self.schema.resolve(references));
            }
        }
        for other in others.iter().filter(|other| *other != table) {
            match checks {
                true => self.work(other, taken, Work::Scan),
                false => self.lock_all(other, &Taken { cause: Cause::Brief, ..*taken }),
            }
        }
    }

    fn primary_key(&self, table: &ObjectName) -> Vec<String> {
        let constraints = self.schema.relation(table).into_iter().flat_map(|known| &known.constraints);
        let mut newest_first = constraints.rev();
        let key = newest_first.find_map(|constraint| match &constraint.kind {
            ConstraintKind::PrimaryKey(key) => Some(key.columns.clone()),
            _ => None,
        });
        key.unwrap_or_default()
    }
}
