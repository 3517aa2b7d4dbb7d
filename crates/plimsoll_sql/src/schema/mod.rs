//! A schema in memory, built by replaying DDL: what existed before a change, and what the change
//! made itself.
//!
//! Deliberately forgiving: a statement about something unknown changes nothing, since a schema
//! may come from a part of the history only.

mod apply;
mod made;
mod pointers;
mod privileges;
mod relation;
mod snapshots;
mod user_type;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::command::{ConstraintKind, Volatility};
use crate::data_type::DataType;
use crate::name::ObjectName;

use pointers::Pointers;
pub use privileges::{Grantable, Granted, PUBLIC, Privileges};
pub use relation::{
    Column, Policy, Relation, RelationKind, TableConstraint, TableIndex, Trigger, constrained_columns,
};
pub use snapshots::Snapshots;
pub use user_type::{Domain, UserType};

/// A schema-qualified name that the schema knows or would give.
pub type ResolvedName = ObjectName;

/// Schema of temporary tables, searched before all others.
const TEMPORARY: &str = "pg_temp";

fn is_temporary(name: &ResolvedName) -> bool {
    name.schema.as_deref() == Some(TEMPORARY)
}

/// Tables, views, indexes, types and functions by name.
///
/// A copy shares the maps until one of the two writes: a script may hold thousands of savepoints.
#[derive(Clone, Debug)]
pub struct Schema {
    relations: Arc<BTreeMap<ResolvedName, Relation>>,
    pointers: Arc<Pointers>,
    /// The table of each index.
    index_tables: Arc<BTreeMap<ResolvedName, ResolvedName>>,
    types: Arc<BTreeMap<ResolvedName, UserType>>,
    /// User functions by unqualified name: overloads are told apart by nobody who reads SQL alone.
    functions: Arc<BTreeMap<String, Function>>,
    /// Extensions with their schemas, where those are said.
    extensions: BTreeMap<String, Option<String>>,
    privileges: Arc<Privileges>,
    publications: BTreeMap<String, Publication>,
    /// Parts and objects that aren't relations, made by the change itself.
    made: Arc<BTreeSet<made::Made>>,
    search_path: Vec<String>,
    /// Number of the change that is replayed now; 0 before the first.
    change: u32,
    /// Whether anything was ever replayed into it.
    known: bool,
    /// Whether there is any temporary relation or type: asked at every name that is looked up.
    has_temporary: bool,
}

/// What a publication publishes.
#[derive(Clone, Debug, Default)]
struct Publication {
    /// Whether it is `FOR ALL TABLES`.
    all: bool,
    /// The tables that it names.
    tables: Vec<ResolvedName>,
}

/// A user function.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Function {
    /// Its name with its schema.
    pub name: ResolvedName,
    /// As declared.
    pub volatility: Volatility,
    /// Functions that it comes down to where PostgreSQL inlines it.
    pub inlines_to: Option<Vec<ObjectName>>,
    /// Its language, in lower case.
    pub language: String,
    /// Its body's text, without quotes; empty where it isn't known.
    pub body: String,
    /// Whether it runs with its owner's rights.
    pub security_definer: bool,
    /// Whether it sets `search_path` itself.
    pub sets_search_path: bool,
    /// What it returns, in lower case.
    pub returns: String,
    /// Its owner, where that was said.
    pub owner: Option<String>,
}

impl Default for Schema {
    fn default() -> Self {
        Self {
            relations: Arc::default(),
            pointers: Arc::default(),
            index_tables: Arc::default(),
            types: Arc::default(),
            functions: Arc::default(),
            extensions: BTreeMap::new(),
            privileges: Arc::default(),
            publications: BTreeMap::new(),
            made: Arc::default(),
            search_path: vec!["public".into()],
            change: 0,
            known: false,
            has_temporary: false,
        }
    }
}

impl Schema {
    /// Says that all there is now existed before the change, and all to come is made by it.
    pub fn begin_change(&mut self) {
        self.change += 1;
        self.made = Arc::default();
        self.begin_session();
    }

    /// Forgets `SET search_path` and temporary tables, as a new session does.
    pub fn begin_session(&mut self) {
        if self.search_path != ["public"] {
            self.search_path = vec!["public".into()];
        }
        if std::mem::take(&mut self.has_temporary) {
            Arc::make_mut(&mut self.relations).retain(|name, _| !is_temporary(name));
            Arc::make_mut(&mut self.index_tables).retain(|name, _| !is_temporary(name));
            Arc::make_mut(&mut self.types).retain(|name, _| !is_temporary(name));
        }
    }

    /// Whether anything was ever replayed into it. If not, every name is unknown.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.known
    }

    /// Number of the change that is replayed now; 0 before the first.
    #[must_use]
    pub fn change(&self) -> u32 {
        self.change
    }

    /// The relation of this name.
    #[must_use]
    pub fn relation(&self, name: &ObjectName) -> Option<&Relation> {
        self.relations.get(&self.resolve(name))
    }

    /// The relation that is shown as `schema.name`.
    #[must_use]
    pub fn relation_shown_as(&self, shown: &str) -> Option<&Relation> {
        let (schema, name) = shown.split_once('.')?;
        self.relations.get(&ObjectName::qualified(schema, name))
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

    /// All user types, by name.
    pub fn types(&self) -> impl Iterator<Item = (&ResolvedName, &UserType)> {
        self.types.iter()
    }

    /// All user functions, by name.
    pub fn functions(&self) -> impl Iterator<Item = &Function> {
        self.functions.values()
    }

    /// Extensions by name.
    pub fn extensions(&self) -> impl Iterator<Item = &str> {
        self.extensions.keys().map(String::as_str)
    }

    /// The schema of an extension, where that was said.
    #[must_use]
    pub fn extension_schema(&self, extension: &str) -> Option<&str> {
        self.extensions.get(extension).and_then(Option::as_deref)
    }

    /// Whether the change itself made this relation.
    #[must_use]
    pub fn is_new(&self, name: &ObjectName) -> bool {
        self.change > 0 && self.relation(name).is_some_and(|relation| relation.made_by == self.change)
    }

    /// Whether the change itself made this index.
    #[must_use]
    pub fn is_new_index(&self, index: &TableIndex) -> bool {
        self.change > 0 && index.made_by == self.change
    }

    /// The table of an index, if it is known.
    #[must_use]
    pub fn table_of_index(&self, index: &ObjectName) -> Option<&ResolvedName> {
        self.index_tables.get(&self.resolve_among(index, |name| self.index_tables.contains_key(name)))
    }

    /// The user function of this name.
    #[must_use]
    pub fn function(&self, name: &ObjectName) -> Option<&Function> {
        self.functions.get(&name.name)
    }

    /// The user type of this name.
    #[must_use]
    pub fn user_type(&self, name: &ObjectName) -> Option<&UserType> {
        self.types.get(&self.resolve_among(name, |name| self.types.contains_key(name)))
    }

    /// A type's base where it is a domain, through any number of domains; itself otherwise.
    #[must_use]
    pub fn base_type(&self, data_type: &DataType) -> DataType {
        let mut base = data_type.clone();
        // Domains can't be circular; a snapshot that says so must not hang us.
        for _ in 0..32 {
            match self.user_type(&base.name) {
                Some(UserType::Domain(domain)) if !base.is_builtin() => match &domain.base {
                    Some(under) => base = DataType { array: base.array || under.array, ..under.clone() },
                    None => break,
                },
                _ => break,
            }
        }
        base
    }

    /// Whether a type is a domain with a constraint, its own or one of a domain below it.
    #[must_use]
    pub fn is_constrained_domain(&self, data_type: &DataType) -> bool {
        if data_type.array {
            return false;
        }
        let mut current = data_type.clone();
        for _ in 0..32 {
            match self.user_type(&current.name) {
                Some(UserType::Domain(domain)) if !current.is_builtin() => {
                    if domain.is_constrained() {
                        return true;
                    }
                    match &domain.base {
                        Some(base) => current = base.clone(),
                        None => return false,
                    }
                }
                _ => return false,
            }
        }
        false
    }

    /// Columns whose type is this domain, or a domain over it.
    #[must_use]
    pub fn columns_of_type(&self, domain: &ObjectName) -> Vec<(&ResolvedName, &Column)> {
        let wanted = self.resolve_among(domain, |name| self.types.contains_key(name));
        let uses = |data_type: &DataType| {
            let mut current = data_type.clone();
            for _ in 0..32 {
                if current.is_builtin() {
                    return false;
                }
                let name = self.resolve_among(&current.name, |name| self.types.contains_key(name));
                if name == wanted {
                    return true;
                }
                match self.types.get(&name) {
                    Some(UserType::Domain(domain)) if domain.base.is_some() => {
                        current = domain.base.clone().unwrap_or(current);
                    }
                    _ => return false,
                }
            }
            false
        };
        self.relations
            .iter()
            .flat_map(|(name, relation)| relation.columns.iter().map(move |column| (name, column)))
            .filter(|(_, column)| column.data_type.as_ref().is_some_and(uses))
            .collect()
    }

    /// Tables whose foreign keys reference this one.
    #[must_use]
    pub fn referencing(&self, name: &ObjectName) -> Vec<&ResolvedName> {
        let name = self.resolve(name);
        self.pointing_at(&name)
            .filter(|(_, relation)| relation.references().any(|referenced| *referenced == name))
            .map(|(name, _)| name)
            .collect()
    }

    /// Partitions and children of a table, at every depth.
    #[must_use]
    pub fn descendants(&self, name: &ResolvedName) -> Vec<&ResolvedName> {
        let mut found: Vec<&ResolvedName> = Vec::new();
        let mut open = vec![name];
        while let Some(parent) = open.pop() {
            if !self.has(parent) {
                continue;
            }
            for (child, relation) in self.pointing_at(parent) {
                let descends =
                    relation.partition_of.as_ref() == Some(parent) || relation.inherits.contains(parent);
                if descends && !found.contains(&child) {
                    found.push(child);
                    open.push(child);
                }
            }
        }
        found
    }

    /// Partitions of a partitioned table, not those of its partitions.
    pub fn partitions(&self, parent: &ResolvedName) -> impl Iterator<Item = (&ResolvedName, &Relation)> {
        self.pointing_at(parent).filter(move |(_, relation)| relation.partition_of.as_ref() == Some(parent))
    }

    /// The default partition of a partitioned table.
    #[must_use]
    pub fn default_partition(&self, parent: &ResolvedName) -> Option<&ResolvedName> {
        use crate::command::PartitionBound;
        self.partitions(parent)
            .find(|(_, relation)| relation.bound == Some(PartitionBound::Default))
            .map(|(name, _)| name)
    }

    /// Views and materialized views whose query reads a relation.
    #[must_use]
    pub fn views_on(&self, name: &ResolvedName) -> Vec<(&ResolvedName, &Relation)> {
        self.pointing_at(name).filter(|(_, relation)| relation.reads.contains(name)).collect()
    }

    /// Publications that name this table; those of all tables too.
    #[must_use]
    pub fn publications_of(&self, name: &ResolvedName) -> Vec<&str> {
        let of = |publication: &Publication| publication.all || publication.tables.contains(name);
        self.publications
            .iter()
            .filter(|(_, publication)| of(publication))
            .map(|(name, _)| name.as_str())
            .collect()
    }

    /// Foreign keys of other tables, or of the table itself, that reference it, with their table.
    #[must_use]
    pub fn foreign_keys_to(&self, name: &ResolvedName) -> Vec<(&ResolvedName, &TableConstraint)> {
        self.pointing_at(name)
            .flat_map(|(table, relation)| relation.constraints.iter().map(move |constraint| (table, constraint)))
            .filter(|(_, constraint)| {
                matches!(&constraint.kind, ConstraintKind::ForeignKey { references, .. } if references == name)
            })
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
        if self.has_temporary {
            let temporary = ObjectName::qualified(TEMPORARY, &name.name);
            if exists(&temporary) {
                return temporary;
            }
        }
        let in_schema = |schema: &String| ObjectName::qualified(schema, &name.name);
        match self.search_path.as_slice() {
            [] => name.clone(),
            // It is there, or would be.
            [only] => in_schema(only),
            [first, ..] => {
                self.search_path.iter().map(in_schema).find(exists).unwrap_or_else(|| in_schema(first))
            }
        }
    }

    /// The name that a new object gets: in the first schema of the search path.
    fn place(&self, name: &ObjectName) -> ResolvedName {
        match (&name.schema, self.search_path.first()) {
            (None, Some(schema)) => ObjectName::qualified(schema, &name.name),
            _ => name.clone(),
        }
    }

    /// Adds or replaces a relation that a snapshot describes.
    pub fn insert(&mut self, name: ResolvedName, relation: Relation) {
        self.known = true;
        let indexes = Arc::make_mut(&mut self.index_tables);
        for index in &relation.indexes {
            indexes
                .insert(ObjectName { schema: name.schema.clone(), name: index.name.clone() }, name.clone());
        }
        self.put(name, relation);
    }

    /// Notes whether queries may use an index, as a snapshot told it.
    pub fn set_index_valid(&mut self, index: &ResolvedName, valid: bool) {
        let Some(table) = self.index_tables.get(index).cloned() else { return };
        if let Some(relation) = Arc::make_mut(&mut self.relations).get_mut(&table) {
            relation
                .indexes
                .iter_mut()
                .filter(|known| known.name == index.name)
                .for_each(|known| known.valid = valid);
        }
    }

    /// Notes a relation's size as a snapshot told it: bytes with TOAST, and rows.
    pub fn set_size(&mut self, name: &ResolvedName, bytes: u64, rows: u64) {
        if let Some(relation) = Arc::make_mut(&mut self.relations).get_mut(name) {
            relation.size_bytes = Some(bytes);
            relation.rows = Some(rows);
        }
    }
}

#[cfg(test)]
mod tests;
