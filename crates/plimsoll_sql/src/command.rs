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
    CreateTable(Box<CreateTable>),
    /// `CREATE TABLE … AS`, `SELECT … INTO`.
    CreateTableAs {
        /// The new table.
        name: ObjectName,
        /// Whether `IF NOT EXISTS` is given.
        if_not_exists: bool,
        /// Whether it is temporary.
        temporary: bool,
    },
    /// `ALTER TABLE`, and what PostgreSQL treats as one: `ALTER MATERIALIZED VIEW`, renames of
    /// views and sequences.
    AlterTable(AlterTable),
    /// `ALTER TABLE ALL IN TABLESPACE … SET TABLESPACE …`, and of materialized views.
    MoveAll {
        /// Tables or materialized views.
        kind: ObjectKind,
        /// The tablespace that they leave.
        from: String,
    },
    /// `REASSIGN OWNED`, `DROP OWNED`.
    OwnedBy {
        /// The owner.
        role: String,
    },
    /// `CREATE INDEX`.
    CreateIndex(Box<CreateIndex>),
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
        /// What happens to it.
        action: IndexAction,
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
        /// Whether it is filled; not with `WITH NO DATA`.
        with_data: bool,
    },
    /// `TRUNCATE`.
    Truncate {
        /// The tables named.
        names: Vec<ObjectName>,
        /// Whether tables that reference them are emptied too.
        cascade: bool,
        /// Whether `ONLY` spares children.
        only: bool,
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
    CreateView(Box<CreateView>),
    /// `CREATE TRIGGER`.
    CreateTrigger {
        /// The trigger.
        name: String,
        /// The table.
        table: ObjectName,
        /// The other table of a constraint trigger.
        from: Option<ObjectName>,
        /// Whether `OR REPLACE` is given.
        or_replace: bool,
        /// The function that it runs.
        function: Option<ObjectName>,
        /// Whether it fires for each row, so that partitions get one too.
        each_row: bool,
    },
    /// Creates, alters or drops what hangs on a table: a policy, a rule; alters or drops a trigger.
    AlterAttachment(Attachment),
    /// `CREATE DOMAIN`.
    CreateDomain(CreateDomain),
    /// `ALTER DOMAIN`.
    AlterDomain {
        /// The domain.
        name: ObjectName,
        /// What happens to it.
        action: DomainAction,
    },
    /// `CREATE TYPE`.
    CreateType {
        /// The type.
        name: ObjectName,
        /// The values, if it is an enum.
        enum_values: Option<Vec<String>>,
    },
    /// `ALTER TYPE`.
    AlterType {
        /// The type.
        name: ObjectName,
        /// What happens to it.
        action: TypeAction,
    },
    /// `CREATE SCHEMA`.
    CreateSchema {
        /// The schema; none if only `AUTHORIZATION` is given.
        name: Option<String>,
        /// The objects that it creates inside.
        elements: Vec<Command>,
    },
    /// `CREATE FUNCTION`, `CREATE PROCEDURE`.
    CreateFunction(Box<CreateFunction>),
    /// `CREATE SEQUENCE`.
    CreateSequence {
        /// The sequence.
        name: ObjectName,
    },
    /// `CREATE EXTENSION`.
    CreateExtension {
        /// The extension.
        name: String,
        /// The schema that is named for it.
        schema: Option<String>,
    },
    /// `CREATE STATISTICS`.
    CreateStatistics {
        /// The table.
        table: ObjectName,
    },
    /// `DO`.
    Do {
        /// Bytes of the body in the statement, without its quotes; none if it isn't a plain or
        /// dollar-quoted string.
        body: Option<Range<usize>>,
    },
    /// SQL that PL/pgSQL puts together at run time: what it does isn't known.
    DynamicSql {
        /// The EXECUTE statement.
        text: String,
    },
    /// `SELECT`, `CALL`, `VALUES`: what runs functions and reads tables.
    Query {
        /// Functions called.
        calls: Vec<ObjectName>,
        /// Relations read.
        reads: Vec<ObjectName>,
        /// Columns by which the WHERE picks rows, as an index can find them.
        sought: Vec<String>,
    },
    /// `GRANT`, `REVOKE` on objects or of roles.
    Grant(Box<Grant>),
    /// `ANALYZE`.
    Analyze {
        /// The tables named; none means all.
        names: Vec<ObjectName>,
    },
    /// `COMMENT ON` a relation.
    Comment {
        /// The relation.
        on: ObjectName,
    },
    /// `CREATE …`, `ALTER …` of a kind that has no variant of its own.
    Object(ObjectChange),
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
    Modify(Modify),
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
    /// Whether it is unlogged.
    pub unlogged: bool,
    /// Whether it is a foreign table.
    pub foreign: bool,
    /// Columns in order.
    pub columns: Vec<ColumnDefinition>,
    /// Table constraints.
    pub constraints: Vec<Constraint>,
    /// The parent, for `PARTITION OF`.
    pub partition_of: Option<ObjectName>,
    /// Which rows it takes, for `PARTITION OF`.
    pub bound: Option<PartitionBound>,
    /// `PARTITION BY`.
    pub partition_by: Option<PartitionKey>,
    /// Parents, for `INHERITS`.
    pub inherits: Vec<ObjectName>,
    /// Tables whose columns are copied, for `LIKE`.
    pub like: Vec<Like>,
    /// Relations that an inline statement names elsewhere, such as a composite type (`OF`).
    pub of_type: Option<ObjectName>,
}

/// `LIKE table …`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Like {
    /// The table whose columns are copied.
    pub table: ObjectName,
    /// What is copied besides, in lower case: `all`, `indexes`, `constraints`, ….
    pub including: Vec<String>,
}

/// `PARTITION BY`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionKey {
    /// `range`, `list` or `hash`.
    pub strategy: String,
    /// Key columns and expressions as written.
    pub keys: Vec<String>,
}

/// Which rows a partition takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PartitionBound {
    /// `DEFAULT`.
    Default,
    /// `FROM (…) TO (…)`, each value as written.
    Range {
        /// Inclusive lower bound.
        from: Vec<String>,
        /// Exclusive upper bound.
        to: Vec<String>,
    },
    /// `IN (…)`, each value as written.
    List(Vec<String>),
    /// `WITH (MODULUS …, REMAINDER …)`.
    Hash,
}

/// A column's definition.
#[derive(Clone, Debug, PartialEq)]
pub struct ColumnDefinition {
    /// Its name.
    pub name: String,
    /// Its type; none if the parser found none (typed tables).
    pub data_type: Option<DataType>,
    /// Its collation, if one is named.
    pub collation: Option<Box<ObjectName>>,
    /// Its default.
    pub default: Option<Box<Expression>>,
    /// How it is generated.
    pub generated: Option<Generated>,
    /// The expression of a generated column.
    pub generation: Option<Box<Expression>>,
    /// Its constraints.
    pub constraints: Vec<Constraint>,
    /// Where it stands.
    pub bytes: ColumnBytes,
}

/// Where a column's definition stands in its statement: four numbers, since a history holds many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ColumnBytes {
    start: u32,
    end: u32,
    type_start: u32,
    type_end: u32,
}

impl ColumnBytes {
    /// Of a definition's bytes, and of its type's.
    #[must_use]
    pub fn new(whole: &Range<usize>, data_type: Option<&Range<usize>>) -> Self {
        // A statement beyond 4 GB isn't parsed.
        let number = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        let (type_start, type_end) = data_type.map_or((0, 0), |of| (number(of.start), number(of.end)));
        Self { start: number(whole.start), end: number(whole.end), type_start, type_end }
    }

    /// Bytes of the definition in the statement.
    #[must_use]
    pub fn whole(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    /// Bytes of its type in the statement; none where it has none.
    #[must_use]
    pub fn data_type(self) -> Option<Range<usize>> {
        (self.type_start < self.type_end).then_some(self.type_start as usize..self.type_end as usize)
    }
}

/// An expression, as far as PostgreSQL's rules about rewrites and scans ask.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expression {
    /// Its text.
    pub text: String,
    /// Bytes in the statement.
    pub range: Range<usize>,
    /// Functions called in it.
    pub calls: Vec<ObjectName>,
    /// Plain names in it, most of them columns.
    pub columns: Vec<String>,
    /// Whether it is the literal NULL.
    pub null: bool,
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
    /// Whether `NOT ENFORCED` is given (PostgreSQL 18).
    pub not_enforced: bool,
    /// Whether `NO INHERIT` is given.
    pub no_inherit: bool,
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
        /// Names in it, most of them columns.
        columns: Vec<String>,
        /// Its comparisons of a column with a constant, joined with AND alone.
        comparisons: Vec<Comparison>,
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

/// `column operator constant`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// The column.
    pub column: String,
    /// `<`, `<=`, `=`, `>=`, `>` or `<>`; `in` for a list.
    pub operator: String,
    /// The constants as written; several for `in`.
    pub values: Vec<String>,
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
    /// What the statement calls the thing: a table, view, materialized view, sequence or foreign table.
    pub kind: ObjectKind,
    /// The table (or view, sequence, …).
    pub name: ObjectName,
    /// Whether `ONLY` is given, which spares partitions and children.
    pub only: bool,
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
        column: Box<ColumnDefinition>,
        /// Whether `IF NOT EXISTS` is given.
        if_not_exists: bool,
    },
    /// `DROP COLUMN`.
    DropColumn {
        /// The column.
        name: String,
        /// Whether `IF EXISTS` is given.
        if_exists: bool,
        /// Whether `CASCADE` is given.
        cascade: bool,
    },
    /// `ALTER COLUMN … TYPE`.
    AlterColumnType {
        /// The column.
        column: String,
        /// The new type.
        data_type: DataType,
        /// `USING`'s expression, if given.
        using: Option<UsingExpression>,
        /// The collation, if one is named.
        collation: Option<ObjectName>,
    },
    /// `ALTER COLUMN … SET DEFAULT`.
    SetDefault {
        /// The column.
        column: String,
        /// The default.
        default: Option<Expression>,
    },
    /// `ALTER COLUMN … DROP DEFAULT`.
    DropDefault {
        /// The column.
        column: String,
    },
    /// `ALTER COLUMN … SET EXPRESSION` (PostgreSQL 17).
    SetExpression {
        /// The column.
        column: String,
    },
    /// `ALTER COLUMN … DROP EXPRESSION`.
    DropExpression {
        /// The column.
        column: String,
    },
    /// `ALTER COLUMN … ADD GENERATED … AS IDENTITY`.
    AddIdentity {
        /// The column.
        column: String,
    },
    /// `ALTER COLUMN … DROP IDENTITY`, `SET GENERATED`, `RESTART`.
    AlterIdentity {
        /// The column.
        column: String,
        /// Whether the identity is dropped.
        dropped: bool,
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
        /// Whether `IF EXISTS` is given.
        if_exists: bool,
        /// Whether `CASCADE` is given.
        cascade: bool,
    },
    /// `ALTER CONSTRAINT`.
    AlterConstraint {
        /// The constraint.
        name: String,
        /// Whether it becomes `ENFORCED` (PostgreSQL 18).
        enforced: bool,
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
        /// Which rows it takes.
        bound: Option<PartitionBound>,
    },
    /// `DETACH PARTITION`.
    DetachPartition {
        /// The partition.
        name: ObjectName,
        /// Whether `CONCURRENTLY` is given.
        concurrently: bool,
        /// Whether `FINALIZE` is given.
        finalize: bool,
    },
    /// `INHERIT`, `NO INHERIT`.
    Inherit {
        /// The parent.
        parent: ObjectName,
        /// Whether the child leaves it.
        leaves: bool,
    },
    /// `OWNER TO`.
    OwnerTo {
        /// The new owner.
        role: String,
    },
    /// `SET LOGGED`, `SET UNLOGGED`.
    SetLogged {
        /// Whether it becomes `LOGGED`.
        logged: bool,
    },
    /// `SET TABLESPACE`.
    SetTablespace {
        /// The tablespace.
        tablespace: String,
    },
    /// `SET ACCESS METHOD`.
    SetAccessMethod {
        /// The access method; none for `DEFAULT`.
        method: Option<String>,
    },
    /// `ENABLE`, `DISABLE`, `FORCE`, `NO FORCE ROW LEVEL SECURITY`.
    RowSecurity {
        /// The words: `enable`, `disable`, `force`, `no force`.
        words: &'static str,
    },
    /// `ENABLE TRIGGER`, `DISABLE TRIGGER`.
    TriggerFiring {
        /// Whether it is switched off.
        disabled: bool,
        /// The trigger, `all` or `user`.
        trigger: String,
    },
    /// `CLUSTER ON`, `SET WITHOUT CLUSTER`.
    Cluster {
        /// Whether an index is named.
        on: bool,
    },
    /// `SET (…)`, `RESET (…)` of a view.
    ViewOptions {
        /// The clause in lower case, single spaces between its words.
        words: String,
    },
    /// `REPLICA IDENTITY`.
    ReplicaIdentity,
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
    /// The access method.
    pub method: String,
    /// Key columns and expressions.
    pub keys: Vec<IndexKey>,
    /// Whether it has a `WHERE`.
    pub partial: bool,
    /// Names in its `WHERE`, most of them columns.
    pub predicate_columns: Vec<String>,
    /// Bytes of the word `INDEX` in the statement.
    pub index_word: Range<usize>,
}

/// A key of an index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexKey {
    /// As written, with operator class and order.
    pub text: String,
    /// The column, if it is one and not an expression.
    pub column: Option<String>,
    /// Names in it, most of them columns.
    pub columns: Vec<String>,
    /// The operator class, if one is named.
    pub operator_class: Option<String>,
}

/// What `ALTER INDEX` does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IndexAction {
    /// `ATTACH PARTITION`.
    AttachPartition(ObjectName),
    /// `SET TABLESPACE`.
    SetTablespace,
    /// `SET (…)`, `RESET (…)`, `SET STATISTICS`.
    SetOptions,
    /// Any other.
    Other,
}

/// `CREATE VIEW`, `CREATE MATERIALIZED VIEW`.
#[derive(Clone, Debug, PartialEq)]
pub struct CreateView {
    /// The view.
    pub name: ObjectName,
    /// Whether it is materialized.
    pub materialized: bool,
    /// Whether `OR REPLACE` is given.
    pub or_replace: bool,
    /// Whether `IF NOT EXISTS` is given.
    pub if_not_exists: bool,
    /// Whether it is temporary.
    pub temporary: bool,
    /// Relations that its query reads.
    pub reads: Vec<ObjectName>,
    /// Names in its query, most of them columns.
    pub columns: Vec<String>,
    /// Whether its query selects `*`.
    pub star: bool,
    /// Whether its query holds further queries.
    pub nested: bool,
    /// Options in `WITH (…)`, in lower case, as written.
    pub options: String,
}

/// `CREATE DOMAIN`.
#[derive(Clone, Debug, PartialEq)]
pub struct CreateDomain {
    /// The domain.
    pub name: ObjectName,
    /// The type that it stands on.
    pub base: Option<DataType>,
    /// Its constraints.
    pub constraints: Vec<Constraint>,
}

/// What `ALTER DOMAIN` does.
#[derive(Clone, Debug, PartialEq)]
pub enum DomainAction {
    /// `ADD CONSTRAINT`.
    AddConstraint(Constraint),
    /// `DROP CONSTRAINT`.
    DropConstraint(String),
    /// `VALIDATE CONSTRAINT`.
    ValidateConstraint(String),
    /// `SET NOT NULL`.
    SetNotNull,
    /// `DROP NOT NULL`.
    DropNotNull,
    /// `RENAME TO`.
    RenameTo(String),
    /// Any other.
    Other,
}

/// What `ALTER TYPE` does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TypeAction {
    /// `ADD VALUE`.
    AddValue {
        /// The value.
        value: String,
        /// Whether `IF NOT EXISTS` is given.
        if_not_exists: bool,
        /// Whether `BEFORE` or `AFTER` is given.
        placed: bool,
    },
    /// `RENAME VALUE`.
    RenameValue {
        /// The value.
        from: String,
        /// Its new name.
        to: String,
    },
    /// `ADD ATTRIBUTE`, `DROP ATTRIBUTE`, `ALTER ATTRIBUTE`.
    Attributes {
        /// Whether an attribute is added.
        adds: bool,
        /// Whether an attribute's type changes.
        retypes: bool,
    },
    /// `RENAME ATTRIBUTE`.
    RenameAttribute,
    /// `RENAME TO`.
    RenameTo(String),
    /// Any other.
    Other,
}

/// How often a function must be called (documentation, "Function Volatility Categories").
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Volatility {
    /// The same result for ever.
    Immutable,
    /// The same result within a statement.
    Stable,
    /// Another result at each call.
    #[default]
    Volatile,
}

/// `CREATE FUNCTION`, `CREATE PROCEDURE`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CreateFunction {
    /// The function.
    pub name: ObjectName,
    /// Whether `OR REPLACE` is given.
    pub or_replace: bool,
    /// Whether it is a procedure.
    pub procedure: bool,
    /// As declared; volatile when nothing is said.
    pub volatility: Volatility,
    /// Its language, in lower case.
    pub language: String,
    /// Bytes of a quoted body in the statement, without the quotes.
    pub body: Option<Range<usize>>,
    /// The body's text, without quotes; empty where it isn't a string.
    pub body_text: String,
    /// For `LANGUAGE sql` with a body of one expression: functions that the expression calls.
    pub inlines_to: Option<Vec<ObjectName>>,
    /// Whether it runs with its owner's rights.
    pub security_definer: bool,
    /// Whether it sets `search_path` itself.
    pub sets_search_path: bool,
    /// What it returns, in lower case; empty if that isn't said.
    pub returns: String,
}

/// A change of what hangs on a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// What is done.
    pub verb: Verb,
    /// A trigger, policy or rule.
    pub kind: ObjectKind,
    /// Its name.
    pub name: String,
    /// The table.
    pub table: ObjectName,
    /// Whether `IF EXISTS` is given.
    pub if_exists: bool,
    /// The clauses behind the table's name, in lower case, as written.
    pub clauses: String,
}

/// What is done to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// `CREATE`.
    Create,
    /// `ALTER`.
    Alter,
    /// `DROP`.
    Drop,
}

/// A change of an object that has no command of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectChange {
    /// What is done.
    pub verb: Verb,
    /// What kind of thing.
    pub kind: ObjectKind,
    /// Which, where the grammar tells.
    pub name: Option<ObjectName>,
    /// Its new name, for `RENAME TO`.
    pub rename_to: Option<String>,
    /// Words of the statement in lower case, joined by single spaces; cut at 500 bytes.
    pub words: String,
}

/// `GRANT`, `REVOKE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Whether it takes away.
    pub revoke: bool,
    /// The privileges in lower case, or the roles granted.
    pub privileges: Vec<String>,
    /// What kind of object, in lower case as written (`table`, `all tables in schema`, `schema`, …);
    /// empty where roles are granted.
    pub object_kind: String,
    /// The objects.
    pub objects: Vec<ObjectName>,
    /// To or from whom.
    pub roles: Vec<String>,
    /// Whether `WITH GRANT OPTION` or `WITH ADMIN OPTION` is given.
    pub with_option: bool,
    /// Whether `CASCADE` is given.
    pub cascade: bool,
}

/// `INSERT`, `UPDATE`, `DELETE`, `MERGE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Modify {
    /// The table written to.
    pub table: ObjectName,
    /// Which of them.
    pub kind: ModifyKind,
    /// Whether it names the rows: a WHERE that isn't always true, or listed VALUES.
    pub bounded: bool,
    /// Columns by which the WHERE picks rows, as an index can find them.
    pub sought: Vec<String>,
    /// Relations that it reads besides.
    pub reads: Vec<ObjectName>,
    /// String constants in it, for values of enums.
    pub strings: Vec<String>,
    /// A column that it writes to twice in one list, which PostgreSQL refuses.
    pub written_twice: Option<String>,
}

/// A kind of data modification.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ModifyKind {
    /// `INSERT … VALUES`.
    InsertValues,
    /// `INSERT … SELECT`.
    InsertSelect,
    /// `UPDATE`.
    Update,
    /// `DELETE`.
    Delete,
    /// `MERGE`.
    Merge,
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
    /// Whether `CASCADE` is given.
    pub cascade: bool,
}

/// A kind of database object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ObjectKind {
    /// A table.
    Table,
    /// A foreign table.
    ForeignTable,
    /// An index.
    Index,
    /// A view.
    View,
    /// A materialized view.
    MaterializedView,
    /// A sequence.
    Sequence,
    /// A schema.
    Schema,
    /// A type.
    Type,
    /// A domain.
    Domain,
    /// A function.
    Function,
    /// A procedure.
    Procedure,
    /// An aggregate.
    Aggregate,
    /// An operator.
    Operator,
    /// A cast.
    Cast,
    /// A collation.
    Collation,
    /// A trigger.
    Trigger,
    /// An event trigger.
    EventTrigger,
    /// A policy.
    Policy,
    /// A rule.
    Rule,
    /// An extension.
    Extension,
    /// A publication.
    Publication,
    /// A subscription.
    Subscription,
    /// A statistics.
    Statistics,
    /// A role.
    Role,
    /// A database.
    Database,
    /// A system.
    System,
    /// A default privileges.
    DefaultPrivileges,
    /// An object.
    Other,
}

impl ObjectKind {
    /// Its word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Table => "table",
            Self::ForeignTable => "foreign table",
            Self::Index => "index",
            Self::View => "view",
            Self::MaterializedView => "materialized view",
            Self::Sequence => "sequence",
            Self::Schema => "schema",
            Self::Type => "type",
            Self::Domain => "domain",
            Self::Function => "function",
            Self::Procedure => "procedure",
            Self::Aggregate => "aggregate",
            Self::Operator => "operator",
            Self::Cast => "cast",
            Self::Collation => "collation",
            Self::Trigger => "trigger",
            Self::EventTrigger => "event trigger",
            Self::Policy => "policy",
            Self::Rule => "rule",
            Self::Extension => "extension",
            Self::Publication => "publication",
            Self::Subscription => "subscription",
            Self::Statistics => "statistics",
            Self::Role => "role",
            Self::Database => "database",
            Self::System => "system",
            Self::DefaultPrivileges => "default privileges",
            Self::Other => "object",
        }
    }
}

/// What `REINDEX` works on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReindexTarget {
    /// An index.
    Index(ObjectName),
    /// A table's indexes.
    Table(ObjectName),
    /// A schema's indexes; none for all of the database.
    Schema(Option<String>),
    /// The system catalogs.
    System,
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
