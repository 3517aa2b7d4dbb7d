//! What a command does to relations that exist: the lock on each, the work under it, and why.
//!
//! One model for all rules: a rule explains an effect, it doesn't decide it. Source: PostgreSQL
//! documentation, `ALTER TABLE` and "Explicit Locking"; `AlterTableGetLockLevel` and the phases of
//! `ATController` in `tablecmds.c`; confirmed on servers 15 and 18 by the table of statements in
//! `plimsoll_pg/tests/ddl`.

mod alter_table;
mod drop;
mod partition;
mod partition_overlap;
mod type_change;

use std::ops::Range;

use plimsoll_core::{LockMode, Work};

use crate::command::{
    ActionKind, Attachment, Command, Constraint, ConstraintKind, CreateIndex, CreateTable, DomainAction,
    IndexAction, ModifyKind, ObjectKind, ReindexTarget, TypeAction, Verb,
};
use crate::data_type::TimeZone;
use crate::name::ObjectName;
use crate::schema::{Relation, RelationKind, ResolvedName, Schema};

pub use partition::{default_excludes, implies_bound};
pub use partition_overlap::{bounds_overlap, is_empty_range};
pub use type_change::{ColumnTypeChange, column_type_change, without_dropped};

/// What of the server and the session decides about rewrites.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Environment {
    /// Major version; none if it isn't known, which means the newest.
    pub server_major: Option<u32>,
    /// TimeZone of the session.
    pub time_zone: TimeZone,
}

impl Environment {
    /// Whether the server is of this version or newer, or of a version that isn't known.
    #[must_use]
    pub fn is_at_least(self, major: u32) -> bool {
        self.server_major.is_none_or(|server| server >= major)
    }
}

/// A lock on a relation, and the work done under it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effect {
    /// The relation.
    pub relation: ResolvedName,
    /// The lock's mode.
    pub mode: LockMode,
    /// Work proportional to the relation's size; none for a brief lock.
    pub work: Option<Work>,
    /// Why.
    pub cause: Cause,
    /// The part of the statement that causes it, in bytes; none means the whole.
    pub range: Option<Range<usize>>,
}

/// Why a command locks or works. Each is explained by one rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// A new column's volatile default.
    ColumnDefault,
    /// A new serial or identity column.
    ColumnSerial,
    /// A new stored generated column.
    ColumnGenerated,
    /// A new column of a constrained domain.
    ColumnDomain,
    /// A new column's CHECK.
    ColumnCheck,
    /// A new column's UNIQUE or PRIMARY KEY.
    ColumnUnique,
    /// A new column's REFERENCES.
    ColumnReferences,
    /// A new column that is NOT NULL without a default.
    ColumnNotNull,
    /// `ADD FOREIGN KEY`.
    ForeignKey,
    /// `ADD CHECK`.
    Check,
    /// `SET NOT NULL`.
    SetNotNull,
    /// `ADD CONSTRAINT … NOT NULL`.
    NotNullConstraint,
    /// `ADD UNIQUE`.
    Unique,
    /// `ADD PRIMARY KEY`.
    PrimaryKey,
    /// `ADD PRIMARY KEY USING INDEX` on a column that may hold nulls.
    PrimaryKeyNullable,
    /// `ADD EXCLUDE`.
    Exclusion,
    /// A type change that rewrites.
    TypeChange,
    /// A type change that may rewrite: the old type isn't known here.
    TypeChangeUnknown,
    /// A type change that checks a constraint again.
    TypeChangeConstraint,
    /// A type change that builds an index again.
    TypeChangeIndex,
    /// `SET EXPRESSION`.
    SetExpression,
    /// `VALIDATE CONSTRAINT`.
    Validate,
    /// `SET LOGGED`, `SET UNLOGGED`.
    SetLogged,
    /// `SET TABLESPACE`.
    SetTablespace,
    /// `SET ACCESS METHOD`.
    SetAccessMethod,
    /// `CREATE INDEX`.
    CreateIndex,
    /// `CREATE INDEX` on a partitioned table.
    PartitionedIndex,
    /// `CREATE INDEX CONCURRENTLY`.
    ConcurrentIndex,
    /// `DROP INDEX`.
    DropIndex,
    /// `REINDEX`.
    Reindex,
    /// `REFRESH MATERIALIZED VIEW`.
    Refresh,
    /// `REFRESH MATERIALIZED VIEW CONCURRENTLY`.
    ConcurrentRefresh,
    /// `CLUSTER`.
    Cluster,
    /// `VACUUM FULL`.
    VacuumFull,
    /// `TRUNCATE`.
    Truncate,
    /// `ATTACH PARTITION` reads the partition.
    AttachPartition,
    /// `ATTACH PARTITION` builds an index on the partition.
    AttachIndex,
    /// A new partition makes the default one be read.
    PartitionDefault,
    /// `CREATE TABLE … PARTITION OF`.
    CreatePartition,
    /// `DETACH PARTITION`.
    DetachPartition,
    /// `ALTER DOMAIN`.
    Domain,
    /// `DROP CONSTRAINT` of a foreign key.
    DropForeignKey,
    /// `DROP TABLE` drops its foreign keys.
    DropTableForeignKey,
    /// `CREATE TABLE … REFERENCES`.
    CreateTableReferences,
    /// `CREATE TRIGGER`, `ENABLE TRIGGER`, `DISABLE TRIGGER`.
    Trigger,
    /// `DROP TRIGGER`.
    DropTrigger,
    /// `LOCK TABLE`.
    LockTable,
    /// Rows are read or written.
    Data,
    /// A brief lock of any other command.
    Brief,
}

/// Effects on relations that existed before the change, in the order in which they come.
#[must_use]
pub fn effects(command: &Command, schema: &Schema, environment: Environment) -> Vec<Effect> {
    let mut model = Model { schema, environment, effects: Vec::new() };
    model.command(command);
    model.effects.retain(|effect| !schema.is_new(&effect.relation));
    model.effects
}

/// The strongest lock on each relation, strongest first, those of equal strength in their order.
#[must_use]
pub fn strongest_locks(effects: &[Effect]) -> Vec<&Effect> {
    let mut strongest: Vec<&Effect> = Vec::new();
    for effect in effects {
        match strongest.iter_mut().find(|known| known.relation == effect.relation) {
            Some(known) if known.mode < effect.mode => *known = effect,
            Some(_) => {}
            None => strongest.push(effect),
        }
    }
    strongest.sort_by_key(|effect| std::cmp::Reverse(effect.mode));
    strongest
}

struct Model<'a> {
    schema: &'a Schema,
    environment: Environment,
    effects: Vec<Effect>,
}

/// A lock with its reason and its place in the statement.
struct Taken<'a> {
    mode: LockMode,
    cause: Cause,
    range: Option<&'a Range<usize>>,
}

impl<'a> Taken<'a> {
    const fn new(mode: LockMode, cause: Cause) -> Self {
        Self { mode, cause, range: None }
    }

    fn at(self, range: &'a Range<usize>) -> Self {
        Self { range: Some(range), ..self }
    }
}

impl Model<'_> {
    /// A brief lock.
    fn lock(&mut self, relation: &ResolvedName, taken: &Taken) {
        self.push(relation, taken, None);
    }

    /// Work on a table under a lock; on its partitions and children where it has some.
    fn work(&mut self, relation: &ResolvedName, taken: &Taken, work: Work) {
        let holds_rows = self.schema.relation(relation).is_none_or(|known| {
            !matches!(
                known.kind,
                RelationKind::PartitionedTable | RelationKind::View | RelationKind::ForeignTable
            )
        });
        self.push(relation, taken, holds_rows.then_some(work));
        for child in self.schema.descendants(relation) {
            let holds_rows = self.schema.relation(child).is_none_or(|known| known.holds_rows());
            self.push(child, taken, holds_rows.then_some(work));
        }
    }

    /// A brief lock on a table, its partitions and children.
    fn lock_all(&mut self, relation: &ResolvedName, taken: &Taken) {
        self.lock(relation, taken);
        for child in self.schema.descendants(relation) {
            self.lock(child, taken);
        }
    }

    fn push(&mut self, relation: &ResolvedName, taken: &Taken, work: Option<Work>) {
        self.effects.push(Effect {
            relation: relation.clone(),
            mode: taken.mode,
            work,
            cause: taken.cause,
            range: taken.range.cloned(),
        });
    }

    fn is_missing(&self, name: &ObjectName) -> bool {
        self.schema.is_known() && self.schema.relation(name).is_none()
    }

    fn command(&mut self, command: &Command) {
        use LockMode::{AccessExclusive, Exclusive, RowExclusive, ShareRowExclusive, ShareUpdateExclusive};
        let schema = self.schema;
        match command {
            Command::AlterTable(alter) => self.alter_table(alter),
            Command::MoveAll { kind, from } => self.move_all(*kind, from),
            Command::CreateTable(table) => self.create_table(table),
            Command::CreateIndex(index) => self.create_index(index),
            Command::Drop(drop) => self.drop(drop),
            Command::AlterIndex { name, action } => match action {
                IndexAction::AttachPartition(child) => {
                    let child = self.index_name(child);
                    self.lock(&child, &Taken::new(AccessExclusive, Cause::Brief));
                }
                IndexAction::SetTablespace => {
                    let index = self.index_name(name);
                    self.push(
                        &index,
                        &Taken::new(AccessExclusive, Cause::SetTablespace),
                        Some(Work::Rewrite),
                    );
                }
                IndexAction::SetOptions | IndexAction::Other => {}
            },
            Command::Reindex { target, concurrently } => self.reindex(target, *concurrently),
            Command::Refresh { name, concurrently, .. } => {
                let name = schema.resolve(name);
                self.read(schema.relation(&name).map_or(&[], |known| known.reads.as_slice()), &[]);
                match concurrently {
                    // Readers go on; nobody else writes to a materialized view.
                    true => {
                        self.push(&name, &Taken::new(Exclusive, Cause::ConcurrentRefresh), Some(Work::Scan));
                    }
                    false => {
                        self.push(&name, &Taken::new(AccessExclusive, Cause::Refresh), Some(Work::Rewrite))
                    }
                }
            }
            Command::OwnedBy { role } => {
                let owned: Vec<_> = schema
                    .relations()
                    .filter(|(_, known)| known.owner.as_ref() == Some(role))
                    .map(|(name, _)| name)
                    .collect();
                for relation in owned {
                    self.lock(relation, &Taken::new(AccessExclusive, Cause::Brief));
                }
            }
            Command::Truncate { names, cascade, only } => {
                for name in names {
                    let name = schema.resolve(name);
                    match only {
                        true => self.lock(&name, &Taken::new(AccessExclusive, Cause::Truncate)),
                        false => self.truncate(&name, *cascade, 0),
                    }
                }
            }
            Command::Cluster { name: None } => {
                let taken = Taken::new(AccessExclusive, Cause::Cluster);
                let clustered: Vec<_> = schema.relations().filter(|(_, known)| known.clustered).collect();
                for (table, _) in clustered {
                    self.push(table, &taken, Some(Work::Rewrite));
                }
                if !schema.is_known() {
                    self.push(&ObjectName::unqualified("the database"), &taken, Some(Work::Rewrite));
                }
            }
            Command::Cluster { name: Some(name) } => {
                self.work(&schema.resolve(name), &Taken::new(AccessExclusive, Cause::Cluster), Work::Rewrite);
            }
            Command::Vacuum { full, names } => {
                for name in names {
                    let name = schema.resolve(name);
                    match full {
                        true => {
                            self.work(&name, &Taken::new(AccessExclusive, Cause::VacuumFull), Work::Rewrite)
                        }
                        false => self.lock_all(&name, &Taken::new(ShareUpdateExclusive, Cause::Brief)),
                    }
                }
                if names.is_empty() && *full {
                    let tables: Vec<_> = schema.relations().filter(|(_, known)| known.holds_rows()).collect();
                    for (name, _) in tables {
                        self.push(name, &Taken::new(AccessExclusive, Cause::VacuumFull), Some(Work::Rewrite));
                    }
                }
            }
            Command::Analyze { names } => {
                for name in names {
                    self.lock(&schema.resolve(name), &Taken::new(ShareUpdateExclusive, Cause::Brief));
                }
            }
            Command::LockTable { names, mode } => {
                for name in names {
                    self.lock_table(&schema.resolve(name), *mode);
                }
            }
            Command::CreateTrigger { table, each_row, .. } => {
                let taken = Taken::new(ShareRowExclusive, Cause::Trigger);
                match each_row {
                    true => self.lock_all(&schema.resolve(table), &taken),
                    false => self.lock(&schema.resolve(table), &taken),
                }
            }
            Command::CreateSchema { elements, .. } => {
                for element in elements {
                    self.command(element);
                }
            }
            Command::AlterType { name, action } => self.alter_type(name, action),
            Command::AlterAttachment(attachment) => {
                if attachment.if_exists && self.is_missing_attachment(attachment) {
                    return;
                }
                let cause = match (attachment.kind, attachment.verb) {
                    (ObjectKind::Trigger, Verb::Drop) => Cause::DropTrigger,
                    _ => Cause::Brief,
                };
                let table = schema.resolve(&attachment.table);
                match attachment.kind {
                    ObjectKind::Trigger => self.lock_all(&table, &Taken::new(AccessExclusive, cause)),
                    _ => self.lock(&table, &Taken::new(AccessExclusive, cause)),
                }
            }
            Command::CreateView(view) if view.or_replace && schema.relation(&view.name).is_some() => {
                self.lock(&schema.resolve(&view.name), &Taken::new(AccessExclusive, Cause::Brief));
            }
            Command::CreateStatistics { table } => {
                self.lock(&schema.resolve(table), &Taken::new(ShareUpdateExclusive, Cause::Brief));
            }
            Command::AlterDomain { name, action } => self.alter_domain(name, action),
            Command::Modify(modify) => {
                let inserts = matches!(modify.kind, ModifyKind::InsertValues | ModifyKind::InsertSelect);
                let table = schema.resolve(&modify.table);
                let scans = !inserts && (!modify.bounded || !self.finds(&table, &modify.sought));
                let taken = Taken::new(RowExclusive, Cause::Data);
                self.push(&table, &taken, scans.then_some(Work::Scan));
                self.read(&modify.reads, &[]);
            }
            Command::Query { reads, sought, .. } => match reads.as_slice() {
                [_] => self.read(reads, sought),
                _ => self.read(reads, &[]),
            },
            _ => {}
        }
    }

    /// Copies every table, or materialized view, of a tablespace to another.
    fn move_all(&mut self, kind: ObjectKind, from: &str) {
        let wanted = match kind {
            ObjectKind::MaterializedView => RelationKind::MaterializedView,
            _ => RelationKind::Table,
        };
        let lies_there = |known: &Relation| match &known.tablespace {
            Some(tablespace) => tablespace == from,
            None => from == "pg_default",
        };
        let tables: Vec<&ResolvedName> = self
            .schema
            .relations()
            .filter(|(_, known)| {
                let partitioned =
                    wanted == RelationKind::Table && known.kind == RelationKind::PartitionedTable;
                (known.kind == wanted || partitioned) && lies_there(known)
            })
            .map(|(name, _)| name)
            .collect();
        let taken = Taken::new(LockMode::AccessExclusive, Cause::SetTablespace);
        for table in tables {
            let holds_rows = self.schema.relation(table).is_some_and(|known| known.holds_rows());
            self.push(table, &taken, holds_rows.then_some(Work::Rewrite));
        }
    }

    /// Whether an index leads to the rows of a condition on these columns; of an unknown relation it is believed.
    fn finds(&self, relation: &ResolvedName, sought: &[String]) -> bool {
        let Some(known) = self.schema.relation(relation).filter(|known| known.columns_known) else {
            return !sought.is_empty();
        };
        let leads = |column: Option<&String>| column.is_some_and(|column| sought.contains(column));
        let keys = known.constraints.iter().filter_map(|constraint| match &constraint.kind {
            ConstraintKind::PrimaryKey(key) | ConstraintKind::Unique(key) => Some(key),
            _ => None,
        });
        keys.into_iter().any(|key| leads(key.columns.first()))
            || known
                .indexes
                .iter()
                .filter(|index| index.valid && !index.partial)
                .any(|index| leads(index.keys.first().and_then(|key| key.column.as_ref())))
    }

    /// Reads relations, in full unless an index leads to the rows.
    fn read(&mut self, relations: &[ObjectName], sought: &[String]) {
        for relation in relations {
            let relation = self.schema.resolve(relation);
            let scans = sought.is_empty() || !self.finds(&relation, sought);
            let taken = Taken::new(LockMode::AccessShare, Cause::Data);
            self.push(&relation, &taken, scans.then_some(Work::Scan));
        }
    }

    /// Locks a table with its partitions, a view with what it reads.
    fn lock_table(&mut self, name: &ResolvedName, mode: LockMode) {
        if self.effects.iter().any(|effect| effect.relation == *name) {
            return;
        }
        self.lock_all(name, &Taken::new(mode, Cause::LockTable));
        let reads = self.schema.relation(name).map(|known| known.reads.clone()).unwrap_or_default();
        for read in reads {
            self.lock_table(&read, mode);
        }
    }

    /// Whether `IF EXISTS` finds no table, or no such trigger or policy on it.
    fn is_missing_attachment(&self, attachment: &Attachment) -> bool {
        let Some(known) = self.schema.relation(&attachment.table) else { return self.schema.is_known() };
        let name = &attachment.name;
        known.columns_known
            && match attachment.kind {
                ObjectKind::Trigger => !known.triggers.iter().any(|trigger| trigger.name == *name),
                ObjectKind::Policy => !known.policies.iter().any(|policy| policy.name == *name),
                _ => false,
            }
    }

    /// A change of a composite type goes on to the tables of that type.
    fn alter_type(&mut self, name: &ObjectName, action: &TypeAction) {
        let retypes = match action {
            TypeAction::Attributes { retypes, .. } => *retypes,
            TypeAction::RenameAttribute => false,
            _ => return,
        };
        let of_type = |known: &Relation| {
            known
                .of_type
                .as_ref()
                .is_some_and(|of| of.name == name.name && (name.schema.is_none() || name.schema == of.schema))
        };
        let tables: Vec<&ResolvedName> =
            self.schema.relations().filter(|(_, known)| of_type(known)).map(|(name, _)| name).collect();
        if retypes && !self.schema.is_known() {
            // Which tables are of that type isn't known: the type stands for them.
            let of_type = self.schema.resolve(name);
            let taken = Taken::new(LockMode::AccessExclusive, Cause::TypeChange);
            self.push(&of_type, &taken, Some(Work::Rewrite));
        }
        for table in tables {
            match retypes {
                true => self.work(
                    table,
                    &Taken::new(LockMode::AccessExclusive, Cause::TypeChangeUnknown),
                    Work::Rewrite,
                ),
                false => self.lock_all(table, &Taken::new(LockMode::AccessExclusive, Cause::Brief)),
            }
        }
    }

    /// An index's name with its schema.
    fn index_name(&self, index: &ObjectName) -> ResolvedName {
        match (&index.schema, self.schema.table_of_index(index)) {
            (None, Some(table)) => ObjectName { schema: table.schema.clone(), name: index.name.clone() },
            (None, None) => ObjectName::qualified("public", &index.name),
            _ => index.clone(),
        }
    }

    fn create_table(&mut self, table: &CreateTable) {
        if table.if_not_exists && self.schema.relation(&table.name).is_some() {
            return;
        }
        let own_name = &table.name;
        let inline = table.columns.iter().flat_map(|column| &column.constraints);
        for constraint in table.constraints.iter().chain(inline) {
            if let ConstraintKind::ForeignKey { references, .. } = &constraint.kind
                && references != own_name
            {
                let taken = Taken::new(LockMode::ShareRowExclusive, Cause::CreateTableReferences);
                self.lock_all(&self.schema.resolve(references), &taken.at(&constraint.range));
            }
        }
        for parent in &table.inherits {
            let taken = Taken::new(LockMode::ShareUpdateExclusive, Cause::Brief);
            self.lock(&self.schema.resolve(parent), &taken);
        }
        if let Some(parent) = &table.partition_of {
            self.create_partition(&self.schema.resolve(parent), table.bound.as_ref());
        }
    }

    fn create_index(&mut self, index: &CreateIndex) {
        let table = self.schema.resolve(&index.table);
        let known = self.schema.relation(&table);
        if index.if_not_exists
            && let (Some(name), Some(known)) = (&index.name, known)
            && known.index(name).is_some()
        {
            let mode = if index.concurrently { LockMode::ShareUpdateExclusive } else { LockMode::Share };
            self.lock(&table, &Taken::new(mode, Cause::Brief));
            return;
        }
        let partitioned = known.is_some_and(|known| known.kind == RelationKind::PartitionedTable);
        match (index.concurrently, partitioned) {
            (true, _) => {
                let taken = Taken::new(LockMode::ShareUpdateExclusive, Cause::ConcurrentIndex);
                self.push(&table, &taken, Some(Work::IndexBuild));
            }
            // Nobody writes ONLY of a table without partitions.
            (false, _) if index.only && (partitioned || known.is_none()) => {
                self.lock(&table, &Taken::new(LockMode::Share, Cause::Brief));
            }
            (false, true) => self.partitioned_index(&table, index),
            (false, false) => {
                self.push(&table, &Taken::new(LockMode::Share, Cause::CreateIndex), Some(Work::IndexBuild));
            }
        }
    }

    /// Builds an index on each partition that has none like it to be attached.
    fn partitioned_index(&mut self, table: &ResolvedName, index: &CreateIndex) {
        let taken = Taken::new(LockMode::Share, Cause::PartitionedIndex);
        self.lock(table, &taken);
        for partition in self.schema.descendants(table) {
            let known = self.schema.relation(partition);
            let columns = |keys: &[crate::command::IndexKey]| {
                keys.iter().map(|key| (key.column.clone(), key.text.clone())).collect::<Vec<_>>()
            };
            let alike = known.is_some_and(|known| {
                known.indexes.iter().any(|own| {
                    columns(&own.keys) == columns(&index.keys)
                        && own.unique == index.unique
                        && own.method == index.method
                        && !own.partial
                        && !index.partial
                })
            });
            let holds_rows = known.is_none_or(|known| known.holds_rows());
            self.push(partition, &taken, (holds_rows && !alike).then_some(Work::IndexBuild));
        }
    }

    fn reindex(&mut self, target: &ReindexTarget, concurrently: bool) {
        let mode = if concurrently { LockMode::ShareUpdateExclusive } else { LockMode::Share };
        let taken = Taken::new(mode, if concurrently { Cause::ConcurrentIndex } else { Cause::Reindex });
        match target {
            ReindexTarget::Table(name) => {
                let table = self.schema.resolve(name);
                // All partitions are locked at once for a moment, then taken one by one.
                for partition in self.schema.descendants(&table) {
                    self.lock(partition, &Taken::new(LockMode::Share, Cause::Brief));
                }
                self.work(&table, &taken, Work::IndexBuild);
            }
            ReindexTarget::Index(name) => {
                let table =
                    self.schema.table_of_index(name).cloned().or_else(|| self.table_of_constraint(name));
                match table {
                    Some(table) => self.work(&table, &taken, Work::IndexBuild),
                    None if !self.schema.is_known() && !concurrently => {
                        // Which table it is isn't known; the index's own lock keeps readers out.
                        let taken = Taken { mode: LockMode::AccessExclusive, ..taken };
                        self.push(&self.index_name(name), &taken, Some(Work::IndexBuild));
                    }
                    None => {}
                }
            }
            ReindexTarget::System => {}
            ReindexTarget::Schema(schema) => {
                let inside = |name: &ResolvedName| {
                    schema.as_ref().is_none_or(|schema| name.schema.as_ref() == Some(schema))
                };
                let tables: Vec<_> = self
                    .schema
                    .relations()
                    .filter(|(name, known)| known.holds_rows() && inside(name))
                    .map(|(name, known)| (name, has_index(known)))
                    .collect();
                for (table, indexed) in tables {
                    self.push(table, &taken, indexed.then_some(Work::IndexBuild));
                }
                if !self.schema.is_known() {
                    let all = schema.clone().unwrap_or_else(|| "the database".to_owned());
                    self.push(&ObjectName::unqualified(all), &taken, Some(Work::IndexBuild));
                }
            }
        }
    }

    /// The table whose UNIQUE or PRIMARY KEY has an index of this name.
    fn table_of_constraint(&self, name: &ObjectName) -> Option<ResolvedName> {
        self.schema
            .relations()
            .find(|(table, relation)| {
                (name.schema.is_none() || name.schema == table.schema)
                    && relation.constraint(&name.name).is_some()
            })
            .map(|(table, _)| table.clone())
    }

    fn truncate(&mut self, table: &ResolvedName, cascade: bool, depth: usize) {
        let taken = Taken::new(LockMode::AccessExclusive, Cause::Truncate);
        if self.effects.iter().any(|effect| effect.relation == *table) || depth > 100 {
            return;
        }
        self.lock_all(table, &taken);
        if cascade {
            for referencing in self.schema.referencing(table) {
                self.truncate(referencing, true, depth + 1);
            }
        }
    }

    fn alter_domain(&mut self, name: &ObjectName, action: &DomainAction) {
        let reads = match action {
            DomainAction::AddConstraint(Constraint { not_valid, .. }) => !not_valid,
            DomainAction::SetNotNull | DomainAction::ValidateConstraint(_) => true,
            _ => false,
        };
        if !reads {
            return;
        }
        let taken = Taken::new(LockMode::Share, Cause::Domain);
        if !self.schema.is_known() {
            // Which tables use it isn't known: the domain stands for them.
            let domain = self.schema.resolve(name);
            self.push(&domain, &taken, Some(Work::Scan));
            return;
        }
        let mut tables: Vec<&ResolvedName> =
            self.schema.columns_of_type(name).into_iter().map(|(table, _)| table).collect();
        tables.dedup();
        for table in tables {
            if self.schema.relation(table).is_some_and(|known| known.holds_rows()) {
                self.push(table, &taken, Some(Work::Scan));
            }
        }
    }
}

fn has_index(relation: &Relation) -> bool {
    !relation.indexes.is_empty()
        || relation
            .constraints
            .iter()
            .any(|one| matches!(one.kind, ConstraintKind::Unique(_) | ConstraintKind::PrimaryKey(_)))
}

/// The lock that one action of `ALTER TABLE` takes on its table.
#[must_use]
pub fn action_lock(action: &ActionKind) -> LockMode {
    match action {
        ActionKind::AddConstraint(Constraint { kind: ConstraintKind::ForeignKey { .. }, .. })
        | ActionKind::TriggerFiring { .. } => LockMode::ShareRowExclusive,
        ActionKind::ValidateConstraint { .. }
        | ActionKind::AttachPartition { .. }
        | ActionKind::DetachPartition { concurrently: true, .. }
        | ActionKind::DetachPartition { finalize: true, .. }
        | ActionKind::Cluster { .. } => LockMode::ShareUpdateExclusive,
        ActionKind::Other(mode) => *mode,
        _ => LockMode::AccessExclusive,
    }
}

#[cfg(test)]
mod tests;
