//! What a statement is, as far as a migration's reader needs it: a small model of DDL,
//! transaction control and settings. Everything else is [`Command::Other`].

use std::ops::Range;

use plimsoll_core::LockMode;

use crate::data_type::DataType;
use crate::name::ObjectName;

/// A statement's meaning.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// `CREATE TABLE`, not `… AS`.
    CreateTable(CreateTable),
    /// `CREATE TABLE … AS`, `SELECT … INTO`.
    CreateTableAs {
        /// The new table.
        name: ObjectName,
    },
    /// `ALTER TABLE`, and what PostgreSQL treats as one: `ALTER MATERIALIZED VIEW`, renames of
    /// views and sequences.
    AlterTable(AlterTable),
    /// `CREATE INDEX`.
    CreateIndex(CreateIndex),
    /// `DROP …`.
    Drop(Drop),
    /// `ALTER INDEX … RENAME TO`.
    RenameIndex {
        /// The index.
        name: ObjectName,
        /// Its new name.
        to: String,
    },
    /// `ALTER INDEX …`, all but renames.
    AlterIndex {
        /// The index.
        name: ObjectName,
    },
    /// `REINDEX`.
    Reindex {
        /// What is reindexed.
        target: ReindexTarget,
        /// Whether `CONCURRENTLY` is given.
        concurrently: bool,
    },
    /// `REFRESH MATERIALIZED VIEW`.
    Refresh {
        /// The materialized view.
        name: ObjectName,
        /// Whether `CONCURRENTLY` is given.
        concurrently: bool,
    },
    /// `TRUNCATE`.
    Truncate {
        /// The tables named.
        names: Vec<ObjectName>,
    },
    /// `CLUSTER`; no name means every clustered table.
    Cluster {
        /// The table.
        name: Option<ObjectName>,
    },
    /// `VACUUM`.
    Vacuum {
        /// Whether it is `FULL`.
        full: bool,
        /// The tables named; none means all.
        names: Vec<ObjectName>,
    },
    /// `LOCK TABLE`.
    LockTable {
        /// The tables named.
        names: Vec<ObjectName>,
        /// The mode asked for; `ACCESS EXCLUSIVE` when not written.
        mode: LockMode,
    },
    /// `CREATE VIEW`, `CREATE MATERIALIZED VIEW`.
    CreateView {
        /// The view.
        name: ObjectName,
        /// Whether it is materialized.
        materialized: bool,
    },
    /// `CREATE TRIGGER`.
    CreateTrigger {
        /// The table.
        table: ObjectName,
    },
    /// `DROP TRIGGER`, `CREATE POLICY`, `CREATE RULE` and their kin: a brief `ACCESS EXCLUSIVE`.
    AlterAttachment {
        /// The table.
        table: ObjectName,
    },
    /// `CREATE DOMAIN`.
    CreateDomain {
        /// The domain.
        name: ObjectName,
    },
    /// `CREATE TYPE`.
    CreateType {
        /// The type.
        name: ObjectName,
    },
    /// `CREATE SCHEMA`.
    CreateSchema {
        /// The schema; none if only `AUTHORIZATION` is given.
        name: Option<String>,
    },
    /// `CREATE FUNCTION`.
    CreateFunction {
        /// The function.
        name: ObjectName,
        /// Whether it is declared `VOLATILE`, as it is when nothing is said.
        volatile: bool,
    },
    /// `BEGIN`, `START TRANSACTION`.
    Begin,
    /// `COMMIT`, `END`.
    Commit {
        /// Whether a new transaction begins at once (`AND CHAIN`).
        chain: bool,
    },
    /// `ROLLBACK`, `ABORT`.
    Rollback {
        /// Whether a new transaction begins at once (`AND CHAIN`).
        chain: bool,
    },
    /// `SAVEPOINT`.
    Savepoint(String),
    /// `RELEASE SAVEPOINT`.
    ReleaseSavepoint(String),
    /// `ROLLBACK TO SAVEPOINT`.
    RollbackTo(String),
    /// `SET`, `SELECT set_config(…)`.
    Set(SetParameter),
    /// `RESET`, `RESET ALL`; no name means all.
    Reset {
        /// The parameter, in lower case.
        name: Option<String>,
    },
    /// `INSERT`, `UPDATE`, `DELETE`, `MERGE`.
    Modify {
        /// The table written to.
        table: ObjectName,
    },
    /// `COPY … FROM STDIN`.
    CopyFromStdin,
    /// `CREATE DATABASE`, `ALTER SYSTEM` and others that refuse to run in a transaction block.
    OutsideTransactionOnly {
        /// The statement's leading words, such as `CREATE DATABASE`.
        words: &'static str,
    },
    /// Anything else.
    Other,
}

impl Command {
    /// Whether it begins, ends or marks a transaction and does nothing else.
    #[must_use]
    pub fn is_transaction_control(&self) -> bool {
        matches!(
            self,
            Self::Begin
                | Self::Commit { .. }
                | Self::Rollback { .. }
                | Self::Savepoint(_)
                | Self::ReleaseSavepoint(_)
                | Self::RollbackTo(_)
        )
    }
}

/// `CREATE TABLE`.
#[derive(Clone, Debug, PartialEq)]
pub struct CreateTable {
    /// The new table.
    pub name: ObjectName,
    /// Whether `IF NOT EXISTS` is given.
    pub if_not_exists: bool,
    /// Whether it is temporary.
    pub temporary: bool,
    /// Columns in order.
    pub columns: Vec<ColumnDefinition>,
    /// Table constraints.
    pub constraints: Vec<Constraint>,
    /// The parent, for `PARTITION OF`.
    pub partition_of: Option<ObjectName>,
    /// Whether `PARTITION BY` is given.
    pub partitioned: bool,
    /// Parents, for `INHERITS`.
    pub inherits: Vec<ObjectName>,
    /// Tables whose columns are copied, for `LIKE`.
    pub like: Vec<ObjectName>,
}

/// A column's definition.
#[derive(Clone, Debug, PartialEq)]
pub struct ColumnDefinition {
    /// Its name.
    pub name: String,
    /// Its type; none if the parser found none (typed tables).
    pub data_type: Option<DataType>,
    /// Its default.
    pub default: Option<DefaultExpression>,
    /// How it is generated.
    pub generated: Option<Generated>,
    /// Its constraints.
    pub constraints: Vec<Constraint>,
}

/// A default expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DefaultExpression {
    /// Its text.
    pub text: String,
    /// Bytes in the statement.
    pub range: Range<usize>,
    /// Functions called in it.
    pub calls: Vec<ObjectName>,
}

/// `GENERATED …`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Generated {
    /// `GENERATED … AS IDENTITY`.
    Identity,
    /// `GENERATED ALWAYS AS (…) STORED`.
    Stored,
    /// `GENERATED ALWAYS AS (…) [VIRTUAL]`.
    Virtual,
}

/// A column or table constraint.
#[derive(Clone, Debug, PartialEq)]
pub struct Constraint {
    /// Its name, if given.
    pub name: Option<String>,
    /// What it demands.
    pub kind: ConstraintKind,
    /// Whether `NOT VALID` is given.
    pub not_valid: bool,
    /// Bytes in the statement.
    pub range: Range<usize>,
}

/// What a constraint demands.
#[derive(Clone, Debug, PartialEq)]
pub enum ConstraintKind {
    /// `NOT NULL` on a column.
    NotNull {
        /// The column.
        column: String,
    },
    /// `CHECK (…)`.
    Check {
        /// The expression's text, without its parentheses.
        expression: String,
        /// Columns that it proves to hold no null, by `c IS NOT NULL` joined with AND alone.
        proves_not_null: Vec<String>,
    },
    /// `UNIQUE`.
    Unique(KeyConstraint),
    /// `PRIMARY KEY`.
    PrimaryKey(KeyConstraint),
    /// `FOREIGN KEY`, `REFERENCES`.
    ForeignKey {
        /// Referencing columns.
        columns: Vec<String>,
        /// The referenced table.
        references: ObjectName,
        /// Referenced columns; none means the primary key.
        referenced_columns: Vec<String>,
    },
    /// `EXCLUDE`.
    Exclude,
}

/// A `UNIQUE` or `PRIMARY KEY` constraint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyConstraint {
    /// Its columns; none with `USING INDEX`.
    pub columns: Vec<String>,
    /// The index made beforehand.
    pub using_index: Option<String>,
}

/// `ALTER TABLE`.
#[derive(Clone, Debug, PartialEq)]
pub struct AlterTable {
    /// The table (or view, sequence, …).
    pub name: ObjectName,
    /// Whether `IF EXISTS` is given.
    pub if_exists: bool,
    /// Its actions in order.
    pub actions: Vec<TableAction>,
}

/// One action of an `ALTER TABLE`, with its bytes in the statement.
#[derive(Clone, Debug, PartialEq)]
pub struct TableAction {
    /// Bytes in the statement.
    pub range: Range<usize>,
    /// What it does.
    pub kind: ActionKind,
}

/// What an action of `ALTER TABLE` does.
#[derive(Clone, Debug, PartialEq)]
pub enum ActionKind {
    /// `ADD COLUMN`.
    AddColumn {
        /// The column.
        column: ColumnDefinition,
        /// Whether `IF NOT EXISTS` is given.
        if_not_exists: bool,
    },
    /// `DROP COLUMN`.
    DropColumn {
        /// The column.
        name: String,
    },
    /// `ALTER COLUMN … TYPE`.
    AlterColumnType {
        /// The column.
        column: String,
        /// The new type.
        data_type: DataType,
        /// `USING`'s expression, if given.
        using: Option<UsingExpression>,
    },
    /// `ALTER COLUMN … SET NOT NULL`.
    SetNotNull {
        /// The column.
        column: String,
    },
    /// `ALTER COLUMN … DROP NOT NULL`.
    DropNotNull {
        /// The column.
        column: String,
    },
    /// `ADD CONSTRAINT`.
    AddConstraint(Constraint),
    /// `DROP CONSTRAINT`.
    DropConstraint {
        /// The constraint.
        name: String,
    },
    /// `VALIDATE CONSTRAINT`.
    ValidateConstraint {
        /// The constraint.
        name: String,
    },
    /// `RENAME CONSTRAINT`.
    RenameConstraint {
        /// The constraint.
        from: String,
        /// Its new name.
        to: String,
    },
    /// `RENAME COLUMN`.
    RenameColumn {
        /// The column.
        from: String,
        /// Its new name.
        to: String,
    },
    /// `RENAME TO`.
    RenameTo {
        /// The new name.
        to: String,
    },
    /// `SET SCHEMA`.
    SetSchema {
        /// The new schema.
        schema: String,
    },
    /// `ATTACH PARTITION`.
    AttachPartition {
        /// The partition.
        name: ObjectName,
    },
    /// `DETACH PARTITION`.
    DetachPartition {
        /// The partition.
        name: ObjectName,
        /// Whether `CONCURRENTLY` is given.
        concurrently: bool,
    },
    /// Any other, by the lock that it takes on the table (documentation, `ALTER TABLE`).
    Other(LockMode),
}

/// `USING` of a type change.
#[derive(Clone, Debug, PartialEq)]
pub enum UsingExpression {
    /// The column itself, or a plain cast of it to the new type: what happens without `USING`.
    SameColumn,
    /// Any other expression.
    Other,
}

/// `CREATE INDEX`.
#[derive(Clone, Debug, PartialEq)]
pub struct CreateIndex {
    /// The index; none if PostgreSQL is to name it.
    pub name: Option<String>,
    /// The table.
    pub table: ObjectName,
    /// Whether it is `UNIQUE`.
    pub unique: bool,
    /// Whether `CONCURRENTLY` is given.
    pub concurrently: bool,
    /// Whether `IF NOT EXISTS` is given.
    pub if_not_exists: bool,
    /// Whether it is `ON ONLY` a partitioned table.
    pub only: bool,
    /// Key columns and expressions as written.
    pub keys: Vec<String>,
    /// Whether it has a `WHERE`.
    pub partial: bool,
    /// Bytes of the word `INDEX` in the statement.
    pub index_word: Range<usize>,
}

/// `DROP …`.
#[derive(Clone, Debug, PartialEq)]
pub struct Drop {
    /// What kind of thing.
    pub kind: ObjectKind,
    /// Which.
    pub names: Vec<ObjectName>,
    /// Whether `IF EXISTS` is given.
    pub if_exists: bool,
    /// Whether `CONCURRENTLY` is given.
    pub concurrently: bool,
}

/// A kind of database object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObjectKind {
    /// A table.
    Table,
    /// An index.
    Index,
    /// A view.
    View,
    /// A materialized view.
    MaterializedView,
    /// A schema.
    Schema,
    /// A type or domain.
    Type,
}

/// What `REINDEX` works on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReindexTarget {
    /// An index.
    Index(ObjectName),
    /// A table's indexes.
    Table(ObjectName),
    /// A schema, database or the system catalogs.
    Many,
}

/// A parameter's assignment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetParameter {
    /// The parameter, in lower case.
    pub name: String,
    /// The values as written, without quotes; none means `DEFAULT`.
    pub values: Vec<String>,
    /// Whether it holds to the end of the transaction only.
    pub local: bool,
}
