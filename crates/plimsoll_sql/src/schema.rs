//! A schema in memory, built by replaying DDL: what existed before a change, and what the change
//! made itself.
//!
//! Deliberately forgiving: a statement about something unknown changes nothing, since a schema
//! may come from a part of the history only.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::command::{
    ActionKind, AlterTable, ColumnDefinition, Command, Constraint, ConstraintKind, CreateIndex, CreateTable,
    Drop, Generated, ObjectKind, SetParameter,
};
use crate::data_type::DataType;
use crate::name::ObjectName;
use crate::parse::Statement;

/// A schema-qualified name that the schema knows or would give.
pub type ResolvedName = ObjectName;

/// Tables, views, indexes, types and functions by name.
///
/// A copy shares the maps until one of the two writes: a script may hold thousands of savepoints.
#[derive(Clone, Debug)]
pub struct Schema {
    relations: Arc<BTreeMap<ResolvedName, Relation>>,
    /// The table of each index.
    index_tables: Arc<BTreeMap<ResolvedName, ResolvedName>>,
    /// Whether each user function is volatile, by unqualified name.
    functions: BTreeMap<String, bool>,
    search_path: Vec<String>,
    /// Whether what is made now is made by the change.
    in_change: bool,
    /// Whether anything was ever replayed into it.
    known: bool,
}

/// A table, view or materialized view.
#[derive(Clone, Debug, Default)]
pub struct Relation {
    /// What it is.
    pub kind: RelationKind,
    /// Columns in order.
    pub columns: Vec<Column>,
    /// Constraints in the order in which they were made.
    pub constraints: Vec<TableConstraint>,
    /// Indexes that aren't a constraint's.
    pub indexes: Vec<TableIndex>,
    /// Whether the change made it, so that it is empty and nobody else uses it.
    pub new: bool,
    /// Whether all its columns are known.
    pub columns_known: bool,
    /// The partitioned table that it is a partition of.
    pub partition_of: Option<ResolvedName>,
}

/// What a relation is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RelationKind {
    /// A plain table.
    #[default]
    Table,
    /// A table with partitions.
    PartitionedTable,
    /// A view.
    View,
    /// A materialized view.
    MaterializedView,
}

/// A column.
#[derive(Clone, Debug)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type, if it is known.
    pub data_type: Option<DataType>,
    /// Whether it is `NOT NULL`.
    pub not_null: bool,
}

/// A constraint in force.
#[derive(Clone, Debug)]
pub struct TableConstraint {
    /// Its name, given or made up as PostgreSQL does.
    pub name: String,
    /// What it demands.
    pub kind: ConstraintKind,
    /// Whether all rows are known to obey.
    pub validated: bool,
}

/// An index.
#[derive(Clone, Debug)]
pub struct TableIndex {
    /// Its name.
    pub name: String,
    /// Whether it is unique.
    pub unique: bool,
    /// Whether the change made it.
    pub new: bool,
}

impl Default for Schema {
    fn default() -> Self {
        Self {
            relations: Arc::default(),
            index_tables: Arc::default(),
            functions: BTreeMap::new(),
            search_path: vec!["public".into()],
            in_change: false,
            known: false,
        }
    }
}

impl Schema {
    /// Says that all there is now existed before the change, and all to come is made by it.
    pub fn begin_change(&mut self) {
        self.in_change = true;
        self.reset_search_path();
        for relation in Arc::make_mut(&mut self.relations).values_mut() {
            relation.new = false;
            relation.indexes.iter_mut().for_each(|index| index.new = false);
        }
    }

    /// Forgets `SET search_path`, as a new session does.
    pub fn reset_search_path(&mut self) {
        self.search_path = vec!["public".into()];
    }

    /// Whether anything was ever replayed into it. If not, every name is unknown.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.known
    }

    /// The relation of this name.
    #[must_use]
    pub fn relation(&self, name: &ObjectName) -> Option<&Relation> {
        self.relations.get(&self.resolve(name))
    }

    /// Whether there is a relation of this name.
    #[must_use]
    pub fn has(&self, name: &ResolvedName) -> bool {
        self.relations.contains_key(name)
    }

    /// All relations, by name.
    pub fn relations(&self) -> impl Iterator<Item = (&ResolvedName, &Relation)> {
        self.relations.iter()
    }

    /// Whether the change itself made this relation.
    #[must_use]
    pub fn is_new(&self, name: &ObjectName) -> bool {
        self.relation(name).is_some_and(|relation| relation.new)
    }

    /// The table of an index, if it is known.
    #[must_use]
    pub fn table_of_index(&self, index: &ObjectName) -> Option<&ResolvedName> {
        self.index_tables.get(&self.resolve_among(index, |name| self.index_tables.contains_key(name)))
    }

    /// Whether a user function is volatile; `None` if it is unknown.
    #[must_use]
    pub fn function_is_volatile(&self, name: &ObjectName) -> Option<bool> {
        self.functions.get(&name.name).copied()
    }

    /// Tables whose foreign keys reference this one.
    #[must_use]
    pub fn referencing(&self, name: &ObjectName) -> Vec<&ResolvedName> {
        let name = self.resolve(name);
        self.relations
            .iter()
            .filter(|(_, relation)| relation.references().any(|referenced| self.resolve(referenced) == name))
            .map(|(name, _)| name)
            .collect()
    }

    /// The name with its schema: the first on the search path that has it, else the first.
    #[must_use]
    pub fn resolve(&self, name: &ObjectName) -> ResolvedName {
        self.resolve_among(name, |name| self.relations.contains_key(name))
    }

    fn resolve_among(&self, name: &ObjectName, exists: impl Fn(&ResolvedName) -> bool) -> ResolvedName {
        if name.schema.is_some() {
            return name.clone();
        }
        let candidates = || self.search_path.iter().map(|schema| ObjectName::qualified(schema, &name.name));
        candidates().find(exists).or_else(|| candidates().next()).unwrap_or_else(|| name.clone())
    }

    /// The name that a new object gets: in the first schema of the search path.
    fn place(&self, name: &ObjectName) -> ResolvedName {
        match (&name.schema, self.search_path.first()) {
            (None, Some(schema)) => ObjectName::qualified(schema, &name.name),
            _ => name.clone(),
        }
    }

    /// Replays a script. `ROLLBACK` and `ROLLBACK TO` undo what their transaction did.
    pub fn apply_script(&mut self, statements: &[Statement]) {
        // Snapshots cost a copy of the schema; nearly no migration rolls back.
        let mut snapshots = statements.iter().any(Statement::rolls_back).then(Snapshots::default);
        for statement in statements {
            let Some(command) = statement.command() else { continue };
            match &mut snapshots {
                Some(snapshots) => snapshots.apply(self, command),
                None => self.apply(command),
            }
        }
    }

    /// Replays one command. Rollbacks are [`Snapshots`]' affair.
    pub fn apply(&mut self, command: &Command) {
        self.known = true;
        match command {
            Command::CreateTable(table) => self.create_table(table),
            Command::CreateTableAs { name } => self.create_unknown(name, RelationKind::Table),
            Command::CreateView { name, materialized } => {
                let kind = if *materialized { RelationKind::MaterializedView } else { RelationKind::View };
                self.create_unknown(name, kind);
            }
            Command::AlterTable(alter) => self.alter_table(alter),
            Command::CreateIndex(index) => self.create_index(index),
            Command::RenameIndex { name, to } => self.rename_index(name, to),
            Command::Drop(drop) => self.drop_objects(drop),
            Command::CreateFunction { name, volatile } => {
                self.functions.insert(name.name.clone(), *volatile);
            }
            Command::Set(SetParameter { name, values, .. }) if name == "search_path" => {
                self.search_path = values.iter().filter(|value| !value.is_empty()).cloned().collect();
                self.search_path.retain(|schema| schema != "$user");
            }
            Command::Reset { name } if name.as_deref().is_none_or(|name| name == "search_path") => {
                self.reset_search_path();
            }
            _ => {}
        }
    }

    fn create_table(&mut self, table: &CreateTable) {
        let name = self.place(&table.name);
        if self.relations.contains_key(&name) {
            return;
        }
        let mut relation = Relation {
            kind: if table.partitioned { RelationKind::PartitionedTable } else { RelationKind::Table },
            new: self.in_change,
            columns_known: true,
            partition_of: table.partition_of.as_ref().map(|parent| self.resolve(parent)),
            ..Relation::default()
        };
        for source in table.partition_of.iter().chain(&table.inherits).chain(&table.like) {
            match self.relation(source) {
                // A parent's column may come by several ways; it is one column all the same.
                Some(source) => relation.copy_columns(source),
                None => relation.columns_known = false,
            }
        }
        for column in &table.columns {
            relation.add_column(&name.name, column);
        }
        for constraint in &table.constraints {
            relation.add_constraint(&name.name, constraint);
        }
        Arc::make_mut(&mut self.relations).insert(name, relation);
    }

    fn create_unknown(&mut self, name: &ObjectName, kind: RelationKind) {
        let name = self.place(name);
        let relation = Relation { kind, new: self.in_change, ..Relation::default() };
        Arc::make_mut(&mut self.relations).entry(name).or_insert(relation);
    }

    fn create_index(&mut self, index: &CreateIndex) {
        let table = self.resolve(&index.table);
        let Some(relation) = Arc::make_mut(&mut self.relations).get_mut(&table) else { return };
        let made_up = || {
            let keys: Vec<String> = index.keys.iter().map(|key| key.trim_matches('"').to_owned()).collect();
            format!("{}_{}_idx", table.name, keys.join("_"))
        };
        let name = index.name.clone().unwrap_or_else(made_up);
        if relation.indexes.iter().any(|existing| existing.name == name) {
            return;
        }
        relation.indexes.push(TableIndex { name: name.clone(), unique: index.unique, new: self.in_change });
        Arc::make_mut(&mut self.index_tables)
            .insert(ObjectName { schema: table.schema.clone(), name }, table);
    }

    fn rename_index(&mut self, name: &ObjectName, to: &str) {
        let old = self.resolve_among(name, |name| self.index_tables.contains_key(name));
        let Some(table) = Arc::make_mut(&mut self.index_tables).remove(&old) else { return };
        if let Some(relation) = Arc::make_mut(&mut self.relations).get_mut(&table) {
            for index in relation.indexes.iter_mut().filter(|index| index.name == old.name) {
                index.name = to.to_owned();
            }
        }
        Arc::make_mut(&mut self.index_tables)
            .insert(ObjectName { schema: old.schema, name: to.to_owned() }, table);
    }

    fn drop_objects(&mut self, drop: &Drop) {
        for name in &drop.names {
            match drop.kind {
                ObjectKind::Table | ObjectKind::View | ObjectKind::MaterializedView => {
                    let name = self.resolve(name);
                    Arc::make_mut(&mut self.relations).remove(&name);
                    Arc::make_mut(&mut self.index_tables).retain(|_, table| *table != name);
                }
                ObjectKind::Index => self.drop_index(name),
                ObjectKind::Schema => {
                    let outside = |of: &ResolvedName| of.schema.as_deref() != Some(name.name.as_str());
                    Arc::make_mut(&mut self.relations).retain(|relation, _| outside(relation));
                    Arc::make_mut(&mut self.index_tables).retain(|index, _| outside(index));
                }
                ObjectKind::Type => {}
            }
        }
    }

    fn drop_index(&mut self, name: &ObjectName) {
        let name = self.resolve_among(name, |name| self.index_tables.contains_key(name));
        if let Some(table) = Arc::make_mut(&mut self.index_tables).remove(&name)
            && let Some(relation) = Arc::make_mut(&mut self.relations).get_mut(&table)
        {
            relation.indexes.retain(|index| index.name != name.name);
        }
    }

    fn alter_table(&mut self, alter: &AlterTable) {
        let mut name = self.resolve(&alter.name);
        if !self.relations.contains_key(&name) {
            if let [only] = alter.actions.as_slice()
                && let ActionKind::RenameTo { to } = &only.kind
            {
                // ALTER TABLE renames indexes too.
                self.rename_index(&alter.name, to);
            }
            return;
        }
        for action in &alter.actions {
            match &action.kind {
                ActionKind::RenameTo { to } => {
                    name = self
                        .move_relation(&name, ObjectName { schema: name.schema.clone(), name: to.clone() });
                }
                ActionKind::SetSchema { schema } => {
                    name = self.move_relation(&name, ObjectName::qualified(schema, &name.name));
                }
                ActionKind::AttachPartition { name: partition } => {
                    let partition = self.resolve(partition);
                    if let Some(partition) = Arc::make_mut(&mut self.relations).get_mut(&partition) {
                        partition.partition_of = Some(name.clone());
                    }
                }
                ActionKind::DetachPartition { name: partition, .. } => {
                    let partition = self.resolve(partition);
                    if let Some(partition) = Arc::make_mut(&mut self.relations).get_mut(&partition) {
                        partition.partition_of = None;
                    }
                }
                kind => {
                    if let Some(relation) = Arc::make_mut(&mut self.relations).get_mut(&name) {
                        relation.alter(&name.name, kind);
                    }
                }
            }
        }
    }

    fn move_relation(&mut self, from: &ResolvedName, to: ResolvedName) -> ResolvedName {
        let Some(relation) = Arc::make_mut(&mut self.relations).remove(from) else { return to };
        Arc::make_mut(&mut self.relations).insert(to.clone(), relation);
        Arc::make_mut(&mut self.index_tables)
            .values_mut()
            .filter(|table| *table == from)
            .for_each(|table| *table = to.clone());
        for relation in Arc::make_mut(&mut self.relations).values_mut() {
            for constraint in &mut relation.constraints {
                if let ConstraintKind::ForeignKey { references, .. } = &mut constraint.kind
                    && references.name == from.name
                    && (references.schema.is_none() || references.schema == from.schema)
                {
                    *references = to.clone();
                }
            }
        }
        to
    }
}

impl Relation {
    /// The column of this name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The constraint of this name.
    #[must_use]
    pub fn constraint(&self, name: &str) -> Option<&TableConstraint> {
        self.constraints.iter().find(|constraint| constraint.name == name)
    }

    /// Tables that its foreign keys reference, as written.
    pub fn references(&self) -> impl Iterator<Item = &ObjectName> {
        self.constraints.iter().filter_map(|constraint| match &constraint.kind {
            ConstraintKind::ForeignKey { references, .. } => Some(references),
            _ => None,
        })
    }

    /// Whether a column is known to hold no null: declared so, or proven by a valid CHECK.
    #[must_use]
    pub fn proves_not_null(&self, column: &str) -> bool {
        self.column(column).is_some_and(|column| column.not_null)
            || self.constraints.iter().filter(|constraint| constraint.validated).any(|constraint| {
                match &constraint.kind {
                    ConstraintKind::Check { proves_not_null, .. } => {
                        proves_not_null.iter().any(|c| c == column)
                    }
                    ConstraintKind::NotNull { column: proven } => proven == column,
                    _ => false,
                }
            })
    }

    fn column_mut(&mut self, name: &str) -> Option<&mut Column> {
        self.columns.iter_mut().find(|column| column.name == name)
    }

    fn copy_columns(&mut self, source: &Self) {
        let known = self.columns.len();
        for column in &source.columns {
            if !self.columns[..known].iter().any(|existing| existing.name == column.name) {
                self.columns.push(column.clone());
            }
        }
    }

    fn add_column(&mut self, table: &str, definition: &ColumnDefinition) {
        if self.column(&definition.name).is_some() {
            return;
        }
        let serial = definition.data_type.as_ref().is_some_and(DataType::is_serial);
        self.columns.push(Column {
            name: definition.name.clone(),
            data_type: definition.data_type.as_ref().map(DataType::stored),
            not_null: serial || definition.generated == Some(Generated::Identity),
        });
        for constraint in &definition.constraints {
            self.add_constraint(table, constraint);
        }
    }

    fn add_constraint(&mut self, table: &str, constraint: &Constraint) {
        let not_null: Vec<String> = match &constraint.kind {
            // NOT VALID: new rows obey, the old ones may not (PostgreSQL 18).
            ConstraintKind::NotNull { column } if !constraint.not_valid => vec![column.clone()],
            ConstraintKind::PrimaryKey(key) => key.columns.clone(),
            _ => Vec::new(),
        };
        for column in not_null {
            if let Some(column) = self.column_mut(&column) {
                column.not_null = true;
            }
        }
        if let ConstraintKind::Unique(key) | ConstraintKind::PrimaryKey(key) = &constraint.kind
            && let Some(index) = &key.using_index
        {
            // The index becomes the constraint's and takes its name.
            self.indexes.retain(|existing| existing.name != *index);
        }
        let name = constraint.name.clone().unwrap_or_else(|| made_up_name(table, &constraint.kind));
        let kind = constraint.kind.clone();
        self.constraints.push(TableConstraint { name, kind, validated: !constraint.not_valid });
    }

    fn alter(&mut self, table: &str, action: &ActionKind) {
        match action {
            ActionKind::AddColumn { column, .. } => self.add_column(table, column),
            ActionKind::DropColumn { name } => self.drop_column(name),
            ActionKind::AlterColumnType { column, data_type, .. } => {
                if let Some(column) = self.column_mut(column) {
                    column.data_type = Some(data_type.clone());
                }
            }
            ActionKind::SetNotNull { column } => self.set_not_null(column, Nullability::NotNull),
            ActionKind::DropNotNull { column } => self.set_not_null(column, Nullability::Nullable),
            ActionKind::AddConstraint(constraint) => self.add_constraint(table, constraint),
            ActionKind::DropConstraint { name } => {
                self.constraints.retain(|constraint| constraint.name != *name)
            }
            ActionKind::ValidateConstraint { name } => self.validate(name),
            ActionKind::RenameConstraint { from, to } => {
                for constraint in self.constraints.iter_mut().filter(|constraint| constraint.name == *from) {
                    constraint.name = to.clone();
                }
            }
            ActionKind::RenameColumn { from, to } => self.rename_column(from, to),
            _ => {}
        }
    }

    fn set_not_null(&mut self, column: &str, nullability: Nullability) {
        if let Some(column) = self.column_mut(column) {
            column.not_null = nullability == Nullability::NotNull;
        }
    }

    fn drop_column(&mut self, name: &str) {
        self.columns.retain(|column| column.name != name);
        self.constraints.retain(|constraint| match &constraint.kind {
            ConstraintKind::NotNull { column } => column != name,
            ConstraintKind::Check { proves_not_null, .. } => !proves_not_null.iter().any(|c| c == name),
            ConstraintKind::Unique(key) | ConstraintKind::PrimaryKey(key) => {
                !key.columns.iter().any(|c| c == name)
            }
            ConstraintKind::ForeignKey { columns, .. } => !columns.iter().any(|c| c == name),
            ConstraintKind::Exclude => true,
        });
    }

    fn validate(&mut self, name: &str) {
        let mut proven = None;
        for constraint in self.constraints.iter_mut().filter(|constraint| constraint.name == name) {
            constraint.validated = true;
            if let ConstraintKind::NotNull { column } = &constraint.kind {
                proven = Some(column.clone());
            }
        }
        if let Some(column) = proven {
            self.set_not_null(&column, Nullability::NotNull);
        }
    }

    fn rename_column(&mut self, from: &str, to: &str) {
        if let Some(column) = self.column_mut(from) {
            column.name = to.to_owned();
        }
        for constraint in &mut self.constraints {
            let columns: Vec<&mut String> = match &mut constraint.kind {
                ConstraintKind::NotNull { column } => vec![column],
                ConstraintKind::Check { proves_not_null, .. } => proves_not_null.iter_mut().collect(),
                ConstraintKind::Unique(key) | ConstraintKind::PrimaryKey(key) => {
                    key.columns.iter_mut().collect()
                }
                ConstraintKind::ForeignKey { columns, .. } => columns.iter_mut().collect(),
                ConstraintKind::Exclude => Vec::new(),
            };
            columns.into_iter().filter(|column| *column == from).for_each(|column| *column = to.to_owned());
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Nullability {
    NotNull,
    Nullable,
}

/// The name that PostgreSQL makes up for a constraint (`ChooseConstraintName`).
fn made_up_name(table: &str, kind: &ConstraintKind) -> String {
    match kind {
        ConstraintKind::NotNull { column } => format!("{table}_{column}_not_null"),
        ConstraintKind::Check { proves_not_null, .. } => match proves_not_null.as_slice() {
            [column] => format!("{table}_{column}_check"),
            _ => format!("{table}_check"),
        },
        ConstraintKind::Unique(key) => format!("{table}_{}_key", key.columns.join("_")),
        ConstraintKind::PrimaryKey(_) => format!("{table}_pkey"),
        ConstraintKind::ForeignKey { columns, .. } => format!("{table}_{}_fkey", columns.join("_")),
        ConstraintKind::Exclude => format!("{table}_excl"),
    }
}

/// The states to which `ROLLBACK` and `ROLLBACK TO` return.
#[derive(Default)]
pub struct Snapshots {
    /// The transaction's start, then its savepoints.
    states: Vec<(Option<String>, Schema)>,
}

impl Snapshots {
    /// Replays a command that may begin, end or roll back a transaction.
    pub fn apply(&mut self, schema: &mut Schema, command: &Command) {
        match command {
            Command::Begin if self.states.is_empty() => self.states.push((None, schema.clone())),
            Command::Savepoint(name) => self.states.push((Some(name.clone()), schema.clone())),
            Command::Commit { chain } => self.end(schema, *chain),
            Command::Rollback { chain } => {
                if let Some((_, state)) = self.states.drain(..).next() {
                    *schema = state;
                }
                self.end(schema, *chain);
            }
            Command::ReleaseSavepoint(name) => {
                if let Some(at) = self.savepoint(name) {
                    self.states.truncate(at);
                }
            }
            Command::RollbackTo(name) => {
                if let Some(at) = self.savepoint(name) {
                    *schema = self.states[at].1.clone();
                    self.states.truncate(at + 1);
                }
            }
            _ => schema.apply(command),
        }
    }

    fn savepoint(&self, name: &str) -> Option<usize> {
        self.states.iter().rposition(|(savepoint, _)| savepoint.as_deref() == Some(name))
    }

    fn end(&mut self, schema: &Schema, chain: bool) {
        self.states.clear();
        if chain {
            self.states.push((None, schema.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::parse_script;

    fn schema(sql: &str) -> Schema {
        let mut schema = Schema::default();
        schema.apply_script(&parse_script(sql).0);
        schema
    }

    fn name(text: &str) -> ObjectName {
        ObjectName::unqualified(text)
    }

    #[test]
    fn renames_are_followed() {
        let schema = schema(
            "create table a (id int primary key, n int); create table b (a_id int references a);
             create index i on a (n); alter table a rename to c; alter table c rename n to m;",
        );
        assert!(schema.relation(&name("a")).is_none());
        assert!(schema.relation(&name("c")).unwrap().column("m").is_some());
        assert_eq!(schema.table_of_index(&name("i")).unwrap().to_string(), "public.c");
        assert_eq!(schema.referencing(&name("c"))[0].to_string(), "public.b");
    }

    #[test]
    fn rollbacks_undo() {
        let schema = schema(
            "begin; create table a (); savepoint s; create table b (); rollback to s; create table c (); commit;
             begin; create table d (); rollback;",
        );
        let names: Vec<String> = schema.relations().map(|(name, _)| name.name.clone()).collect();
        assert_eq!(names, ["a", "c"]);
    }

    #[test]
    fn a_released_savepoint_hides_no_older_one() {
        let schema = schema(
            "begin; savepoint s; create table a (); savepoint s; create table b (); release s; rollback to s; commit;",
        );
        assert_eq!(schema.relations().count(), 0);
    }

    #[test]
    fn a_column_that_comes_twice_is_one() {
        let schema = schema(
            "create table a (n int); create table b (like a, like a); create table c () inherits (a, b);",
        );
        let columns = |table| schema.relation(&name(table)).unwrap().columns.len();
        assert_eq!((columns("b"), columns("c")), (1, 1));
    }

    #[test]
    fn a_valid_check_proves_not_null() {
        let schema = schema(
            "create table t (a int, b int, c int not null);
             alter table t add constraint k check (a is not null and (b IS NOT NULL)) not valid;",
        );
        let relation = schema.relation(&name("t")).unwrap();
        assert!(relation.proves_not_null("c") && !relation.proves_not_null("a"));
        let mut schema = schema.clone();
        schema.apply_script(&parse_script("alter table t validate constraint k").0);
        let relation = schema.relation(&name("t")).unwrap();
        assert!(relation.proves_not_null("a") && relation.proves_not_null("b"));
    }

    #[test]
    fn an_and_within_something_else_proves_nothing() {
        for check in [
            "case when x and a is not null and y then true end",
            "note <> 'x and a is not null and y'",
            "x between 1 and a is not null",
            "a is not null or x",
        ] {
            let schema = schema(&format!("create table t (a int, x int, note text, check ({check}))"));
            assert!(!schema.relation(&name("t")).unwrap().proves_not_null("a"), "{check}");
        }
    }

    #[test]
    fn the_search_path_places_and_finds() {
        let schema = schema("set search_path to app, public; create table t (); create table public.u ();");
        assert_eq!(schema.resolve(&name("t")).to_string(), "app.t");
        assert_eq!(schema.resolve(&name("u")).to_string(), "public.u");
    }

    #[test]
    fn what_the_change_makes_is_new() {
        let mut schema = schema("create table old ()");
        schema.begin_change();
        schema.apply_script(&parse_script("create table fresh (); select 1 as x into copied").0);
        assert!(
            !schema.is_new(&name("old")) && schema.is_new(&name("fresh")) && schema.is_new(&name("copied"))
        );
    }
}
