//! What each command does to the schema.

use std::sync::Arc;

use super::relation::{Policy, made_up_name};
use super::{
    Domain, Function, Relation, RelationKind, ResolvedName, Schema, Snapshots, TEMPORARY, TableIndex,
    Trigger, UserType, is_temporary,
};
use crate::command::DomainAction;
use crate::command::{
    ActionKind, AlterTable, Attachment, Command, Constraint, ConstraintKind, CreateFunction, CreateIndex,
    CreateTable, CreateView, Drop, IndexAction, ObjectChange, ObjectKind, PartitionBound, SetParameter,
    TypeAction, Verb,
};
use crate::name::ObjectName;
use crate::parse::Statement;

impl Schema {
    /// Replays a script. `ROLLBACK` and `ROLLBACK TO` undo what their transaction did.
    pub fn apply_script(&mut self, statements: &[Statement]) {
        // Snapshots cost a copy of the schema; nearly no migration rolls back.
        let mut snapshots = statements.iter().any(Statement::rolls_back).then(Snapshots::default);
        for statement in statements {
            for command in statement.commands() {
                match &mut snapshots {
                    Some(snapshots) => snapshots.apply(self, command),
                    None => self.apply(command),
                }
            }
        }
    }

    /// Replays one command. Rollbacks are [`Snapshots`]' affair.
    pub fn apply(&mut self, command: &Command) {
        self.known = true;
        self.note_made(command);
        self.note_privileges(command);
        match command {
            Command::CreateTable(table) => self.create_table(table),
            Command::CreateTableAs { name, temporary, .. } => {
                let name =
                    if *temporary { ObjectName::qualified(TEMPORARY, &name.name) } else { self.place(name) };
                self.create_unknown(name, RelationKind::Table);
            }
            Command::CreateView(view) => self.create_view(view),
            Command::CreateSequence { name } => self.create_unknown(self.place(name), RelationKind::Sequence),
            Command::AlterTable(alter) => self.alter_table(alter),
            Command::CreateIndex(index) => self.create_index(index),
            Command::RenameIndex { name, to } => self.rename_index(name, to),
            Command::Drop(drop) => {
                self.drop_objects(drop);
                self.forget_dropped_privileges(drop.kind);
            }
            Command::CreateSchema { name, elements } => self.create_schema(name.as_deref(), elements),
            Command::Cluster { name: Some(name) } => {
                self.change_relation(name, |table| table.clustered = true)
            }
            Command::CreateTrigger { name, table, function, .. } => {
                let trigger = Trigger { name: name.clone(), function: function.clone(), disabled: false };
                self.change_relation(table, |relation| relation.triggers.push(trigger));
            }
            Command::AlterAttachment(attachment) => self.alter_attachment(attachment),
            Command::AlterIndex { name, action: IndexAction::AttachPartition(_) } => {
                // Forgiving: the last partition's index makes it valid, and this may be the first.
                let index = self.resolve_among(name, |name| self.index_tables.contains_key(name));
                self.set_index_valid(&index, true);
            }
            Command::CreateDomain(domain) => {
                self.create_type(&domain.name, UserType::Domain(Domain::new(domain)))
            }
            Command::AlterDomain { name, action } => self.alter_domain(name, action),
            Command::CreateType { name, enum_values } => {
                let made = enum_values.clone().map_or(UserType::Other, UserType::Enum);
                self.create_type(name, made);
            }
            Command::AlterType { name, action } => self.alter_type(name, action),
            Command::CreateFunction(function) => self.create_function(function),
            Command::CreateExtension { name, schema } => {
                self.extensions.entry(name.clone()).or_insert_with(|| schema.clone());
            }
            Command::Object(change) => self.change_object(change),
            Command::Set(SetParameter { name, values, .. }) if name == "search_path" => {
                self.search_path = values.iter().filter(|value| !value.is_empty()).cloned().collect();
                self.search_path.retain(|schema| schema != "$user");
            }
            Command::Reset { name } if name.as_deref().is_none_or(|name| name == "search_path") => {
                self.search_path = vec!["public".into()];
            }
            _ => {}
        }
    }

    fn relations_mut(&mut self) -> &mut std::collections::BTreeMap<ResolvedName, Relation> {
        Arc::make_mut(&mut self.relations)
    }

    /// Adds or replaces a relation.
    pub(super) fn put(&mut self, name: ResolvedName, relation: Relation) {
        self.has_temporary |= is_temporary(&name);
        self.relations_mut().insert(name.clone(), relation);
        self.note_pointers(&name);
    }

    fn change_relation(&mut self, name: &ObjectName, change: impl FnOnce(&mut Relation)) {
        let name = self.resolve(name);
        if self.relations.contains_key(&name)
            && let Some(relation) = self.relations_mut().get_mut(&name)
        {
            change(relation);
        }
    }

    /// The constraint with the referenced table's name resolved, so that a later `SET search_path`
    /// doesn't change its meaning.
    fn resolved(&self, constraint: &Constraint) -> Constraint {
        let mut constraint = constraint.clone();
        if let ConstraintKind::ForeignKey { references, .. } = &mut constraint.kind {
            *references = self.resolve(references);
        }
        constraint
    }

    fn create_table(&mut self, table: &CreateTable) {
        let name = match table.temporary {
            true => ObjectName::qualified(TEMPORARY, &table.name.name),
            false => self.place(&table.name),
        };
        if self.relations.contains_key(&name) {
            return;
        }
        let parents: Vec<ResolvedName> =
            table.partition_of.iter().chain(&table.inherits).map(|parent| self.resolve(parent)).collect();
        let mut relation = Relation {
            kind: match table.partition_by {
                Some(_) => RelationKind::PartitionedTable,
                None if table.foreign => RelationKind::ForeignTable,
                None => RelationKind::Table,
            },
            made_by: self.change,
            columns_known: table.of_type.is_none(),
            of_type: table
                .of_type
                .as_ref()
                .map(|name| self.resolve_among(name, |name| self.types.contains_key(name))),
            partition_of: table.partition_of.as_ref().map(|parent| self.resolve(parent)),
            bound: table.bound.clone(),
            partition_key: table.partition_by.clone(),
            inherits: table.inherits.iter().map(|parent| self.resolve(parent)).collect(),
            unlogged: table.unlogged,
            ..Relation::default()
        };
        for parent in &parents {
            match self.relations.get(parent) {
                // A parent's column may come by several ways; it is one column all the same.
                Some(parent) => {
                    relation.copy_columns(parent);
                    relation.copy_constraints(&name.name, parent, table.partition_of.is_some());
                }
                None => relation.columns_known = false,
            }
        }
        for like in &table.like {
            let Some(source) = self.relation(&like.table) else {
                relation.columns_known = false;
                continue;
            };
            relation.copy_columns(source);
            let includes = |part: &str| like.including.iter().any(|word| word == "all" || word == part);
            let mut copied = Relation::default();
            copied.copy_constraints(&name.name, source, includes("indexes"));
            copied.constraints.retain(|constraint| match constraint.kind {
                ConstraintKind::Check { .. } => includes("constraints"),
                ConstraintKind::ForeignKey { .. } => false,
                _ => true,
            });
            relation.constraints.extend(copied.constraints);
        }
        for column in &table.columns {
            let mut column = column.clone();
            column.constraints =
                column.constraints.iter().map(|constraint| self.resolved(constraint)).collect();
            relation.add_column(&name.name, &column);
        }
        for constraint in &table.constraints {
            // A new table has no row that breaks it: PostgreSQL makes it valid whatever it says.
            let constraint = Constraint { not_valid: false, ..self.resolved(constraint) };
            relation.add_constraint(&name.name, &constraint);
        }
        // A table that references itself does so by its own name.
        self.put(name, relation);
    }

    /// `CREATE SCHEMA` makes its elements inside itself.
    fn create_schema(&mut self, name: Option<&str>, elements: &[Command]) {
        let Some(name) = name.filter(|_| !elements.is_empty()) else { return };
        let outer = self.search_path.clone();
        self.search_path.insert(0, name.to_owned());
        for element in elements {
            self.apply(element);
        }
        self.search_path = outer;
    }

    fn create_unknown(&mut self, name: ResolvedName, kind: RelationKind) {
        let relation = Relation { kind, made_by: self.change, ..Relation::default() };
        self.has_temporary |= is_temporary(&name);
        self.relations_mut().entry(name).or_insert(relation);
    }

    fn create_view(&mut self, view: &CreateView) {
        let name = match view.temporary {
            true => ObjectName::qualified(TEMPORARY, &view.name.name),
            false => self.place(&view.name),
        };
        let kind = if view.materialized { RelationKind::MaterializedView } else { RelationKind::View };
        let made_by = match self.relations.get(&name) {
            Some(_) if !view.or_replace => return,
            Some(existing) => existing.made_by,
            None => self.change,
        };
        let reads: Vec<ResolvedName> = view.reads.iter().map(|read| self.resolve(read)).collect();
        let mut names_read = view.columns.clone();
        if view.star
            && !view.nested
            && let [only] = reads.as_slice()
            && let Some(only) = self.relations.get(only)
        {
            // A `*` is the columns that there are when the view is made.
            names_read.extend(only.columns.iter().map(|column| column.name.clone()));
        }
        let relation = Relation {
            kind,
            made_by,
            reads,
            names_read,
            reads_nested: view.nested,
            reads_star: view.star,
            options: view.options.clone(),
            ..Relation::default()
        };
        self.put(name, relation);
    }

    fn create_index(&mut self, index: &CreateIndex) {
        let table = self.resolve(&index.table);
        let made_by = self.change;
        let Some(relation) = self.relations_mut().get_mut(&table) else { return };
        let made_up = || {
            let part =
                |key: &crate::command::IndexKey| key.column.clone().unwrap_or_else(|| "expr".to_owned());
            let keys: Vec<String> = index.keys.iter().map(part).collect();
            format!("{}_{}_idx", table.name, keys.join("_"))
        };
        let name = index.name.clone().unwrap_or_else(made_up);
        if relation.indexes.iter().any(|existing| existing.name == name) {
            return;
        }
        relation.indexes.push(TableIndex {
            name: name.clone(),
            unique: index.unique,
            made_by,
            // An index on the parent alone is invalid until each partition's is attached.
            valid: !index.only,
            method: index.method.clone(),
            keys: index.keys.clone(),
            partial: index.partial,
            predicate_columns: index.predicate_columns.clone(),
        });
        Arc::make_mut(&mut self.index_tables)
            .insert(ObjectName { schema: table.schema.clone(), name }, table);
    }

    fn rename_index(&mut self, name: &ObjectName, to: &str) {
        let old = self.resolve_among(name, |name| self.index_tables.contains_key(name));
        let Some(table) = Arc::make_mut(&mut self.index_tables).remove(&old) else { return };
        if let Some(relation) = self.relations_mut().get_mut(&table) {
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
                ObjectKind::Table
                | ObjectKind::View
                | ObjectKind::MaterializedView
                | ObjectKind::ForeignTable
                | ObjectKind::Sequence => self.drop_relation(&self.resolve(name), drop.cascade),
                ObjectKind::Index => self.drop_index(name),
                ObjectKind::Schema => {
                    let outside = |of: &ResolvedName| of.schema.as_deref() != Some(name.name.as_str());
                    self.relations_mut().retain(|relation, _| outside(relation));
                    Arc::make_mut(&mut self.index_tables).retain(|index, _| outside(index));
                    Arc::make_mut(&mut self.types).retain(|of, _| outside(of));
                }
                ObjectKind::Type | ObjectKind::Domain => {
                    let name = self.resolve_among(name, |name| self.types.contains_key(name));
                    Arc::make_mut(&mut self.types).remove(&name);
                }
                ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Aggregate => {
                    Arc::make_mut(&mut self.functions).remove(&name.name);
                }
                ObjectKind::Extension => {
                    self.extensions.remove(&name.name);
                }
                ObjectKind::Publication => {
                    self.publications.remove(&name.name);
                }
                _ => {}
            }
        }
    }

    fn drop_relation(&mut self, name: &ResolvedName, cascade: bool) {
        let mut dropped: Vec<ResolvedName> = self.descendants(name).into_iter().cloned().collect();
        if cascade {
            dropped.extend(self.views_on(name).into_iter().map(|(view, _)| view.clone()));
            self.retain_keys_to(name, |_| false);
        }
        dropped.push(name.clone());
        for name in dropped {
            let Some(relation) = self.relations_mut().remove(&name) else { continue };
            for index in relation.indexes {
                let index = ObjectName { schema: name.schema.clone(), name: index.name };
                Arc::make_mut(&mut self.index_tables).remove(&index);
            }
        }
    }

    /// Drops the foreign keys that reference a table, but for those of which `stays` holds.
    fn retain_keys_to(&mut self, table: &ResolvedName, stays: impl Fn(&ConstraintKind) -> bool) {
        let owners: Vec<ResolvedName> = self.referencing(table).into_iter().cloned().collect();
        for owner in owners {
            self.change_relation(&owner, |relation| {
                relation.constraints.retain(|constraint| match &constraint.kind {
                    kind @ ConstraintKind::ForeignKey { references, .. } => {
                        references != table || stays(kind)
                    }
                    _ => true,
                });
            });
        }
    }

    fn drop_index(&mut self, name: &ObjectName) {
        let name = self.resolve_among(name, |name| self.index_tables.contains_key(name));
        if let Some(table) = Arc::make_mut(&mut self.index_tables).remove(&name)
            && let Some(relation) = self.relations_mut().get_mut(&table)
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
        let descendants: Vec<ResolvedName> = match alter.only {
            true => Vec::new(),
            false => self.descendants(&name).into_iter().cloned().collect(),
        };
        for action in &alter.actions {
            match &action.kind {
                ActionKind::RenameTo { to } => {
                    name = self
                        .move_relation(&name, ObjectName { schema: name.schema.clone(), name: to.clone() });
                }
                ActionKind::SetSchema { schema } => {
                    name = self.move_relation(&name, ObjectName::qualified(schema, &name.name));
                }
                ActionKind::AttachPartition { name: partition, bound } => {
                    self.attach(&name, partition, bound.clone());
                }
                ActionKind::DetachPartition { name: partition, .. } => {
                    self.change_relation(partition, |partition| {
                        partition.partition_of = None;
                        partition.bound = None;
                    });
                }
                ActionKind::Inherit { parent, leaves } => {
                    let parent = self.resolve(parent);
                    self.change_relation(&name, |child| {
                        child.inherits.retain(|known| *known != parent);
                        if !leaves {
                            child.inherits.push(parent.clone());
                        }
                    });
                    self.note_pointers(&name);
                }
                kind => {
                    let kind = self.resolved_action(kind);
                    for table in std::iter::once(&name).chain(&descendants) {
                        if let Some(relation) = self.relations_mut().get_mut(table) {
                            relation.alter(&table.name, &kind);
                        }
                        if matches!(kind, ActionKind::AddConstraint(_) | ActionKind::AddColumn { .. }) {
                            self.note_pointers(table);
                        }
                    }
                    if let ActionKind::RenameColumn { from, to } = &kind {
                        self.rename_in_views(&name, from, to);
                    }
                    if let ActionKind::DropConstraint { name: constraint, cascade: true, .. } = &kind {
                        self.drop_dependent_keys(&name, constraint);
                    }
                }
            }
        }
    }

    /// A view follows its tables' columns.
    fn rename_in_views(&mut self, table: &ResolvedName, from: &str, to: &str) {
        let views: Vec<ResolvedName> =
            self.views_on(table).into_iter().map(|(view, _)| view.clone()).collect();
        for view in views {
            self.change_relation(&view, |view| {
                let names = view.names_read.iter_mut().filter(|name| *name == from);
                names.for_each(|name| to.clone_into(name));
            });
        }
    }

    fn attach(&mut self, parent: &ResolvedName, partition: &ObjectName, bound: Option<PartitionBound>) {
        let parent_relation = self.relations.get(parent).cloned();
        let partition_name = self.resolve(partition);
        self.change_relation(&partition_name.clone(), |partition| {
            partition.partition_of = Some(parent.clone());
            partition.bound = bound;
            let Some(parent) = parent_relation else { return };
            for constraint in parent.constraints {
                let twin = |known: &super::TableConstraint| {
                    known.kind == constraint.kind
                        || known.name == made_up_name(&partition_name.name, &constraint.kind)
                };
                if !partition.constraints.iter().any(twin) {
                    partition.constraints.push(constraint);
                }
            }
        });
        self.note_pointers(&partition_name);
    }

    /// `DROP CONSTRAINT key CASCADE` drops the foreign keys that need the key.
    fn drop_dependent_keys(&mut self, table: &ResolvedName, constraint: &str) {
        let is_primary = constraint.ends_with("_pkey");
        self.retain_keys_to(table, |kind| match kind {
            ConstraintKind::ForeignKey { referenced_columns, .. } => {
                is_primary && !referenced_columns.is_empty()
            }
            _ => true,
        });
    }

    fn resolved_action(&self, kind: &ActionKind) -> ActionKind {
        match kind {
            ActionKind::AddConstraint(constraint) => ActionKind::AddConstraint(self.resolved(constraint)),
            ActionKind::AddColumn { column, if_not_exists } => {
                let mut column = column.clone();
                column.constraints = column.constraints.iter().map(|one| self.resolved(one)).collect();
                ActionKind::AddColumn { column, if_not_exists: *if_not_exists }
            }
            other => other.clone(),
        }
    }

    fn move_relation(&mut self, from: &ResolvedName, to: ResolvedName) -> ResolvedName {
        let Some(relation) = self.relations_mut().remove(from) else { return to };
        self.rename_privileges(from, &to);
        for index in &relation.indexes {
            let indexes = Arc::make_mut(&mut self.index_tables);
            // An index lives in its table's schema.
            let in_schema = |schema: &ResolvedName| ObjectName { name: index.name.clone(), ..schema.clone() };
            indexes.remove(&in_schema(from));
            indexes.insert(in_schema(&to), to.clone());
        }
        self.put(to.clone(), relation);
        let mut pointing: Vec<ResolvedName> = self.pointing_at(from).map(|(name, _)| name.clone()).collect();
        // It may point at itself.
        pointing.push(to.clone());
        let rename = |name: &mut ResolvedName| {
            if name == from {
                name.clone_from(&to);
            }
        };
        for name in pointing {
            let Some(relation) = self.relations_mut().get_mut(&name) else { continue };
            relation
                .partition_of
                .iter_mut()
                .chain(&mut relation.inherits)
                .chain(&mut relation.reads)
                .for_each(rename);
            for constraint in &mut relation.constraints {
                if let ConstraintKind::ForeignKey { references, .. } = &mut constraint.kind {
                    rename(references);
                }
            }
            self.note_pointers(&name);
        }
        to
    }

    fn alter_attachment(&mut self, attachment: &Attachment) {
        let Attachment { verb, kind, name, clauses, .. } = attachment;
        let (name, clauses) = (name.clone(), clauses.clone());
        self.change_relation(&attachment.table, |table| match (kind, verb) {
            (ObjectKind::Policy, Verb::Create) => table.policies.push(Policy { name, clauses }),
            (ObjectKind::Policy, Verb::Drop) => table.policies.retain(|policy| policy.name != name),
            (ObjectKind::Policy, Verb::Alter) => {
                let policies = table.policies.iter_mut().filter(|policy| policy.name == name);
                policies.for_each(|policy| policy.clauses = format!("{} {clauses}", policy.clauses));
            }
            (ObjectKind::Trigger, Verb::Drop) => table.triggers.retain(|trigger| trigger.name != name),
            _ => {}
        });
    }

    fn create_type(&mut self, name: &ObjectName, made: UserType) {
        let name = self.place(name);
        self.has_temporary |= is_temporary(&name);
        Arc::make_mut(&mut self.types).entry(name).or_insert(made);
    }

    fn alter_domain(&mut self, name: &ObjectName, action: &DomainAction) {
        let name = self.resolve_among(name, |name| self.types.contains_key(name));
        if let DomainAction::RenameTo(to) = action {
            self.rename_type(&name, to);
        } else if let Some(UserType::Domain(domain)) = Arc::make_mut(&mut self.types).get_mut(&name) {
            domain.alter(action);
        }
    }

    fn alter_type(&mut self, name: &ObjectName, action: &TypeAction) {
        let name = self.resolve_among(name, |name| self.types.contains_key(name));
        if let TypeAction::RenameTo(to) = action {
            self.rename_type(&name, to);
        } else if let Some(user_type) = Arc::make_mut(&mut self.types).get_mut(&name) {
            user_type.alter(action);
        }
    }

    fn rename_type(&mut self, from: &ResolvedName, to: &str) {
        let to = ObjectName { schema: from.schema.clone(), name: to.to_owned() };
        let Some(user_type) = Arc::make_mut(&mut self.types).remove(from) else { return };
        Arc::make_mut(&mut self.types).insert(to.clone(), user_type);
        for column in self.relations_mut().values_mut().flat_map(|relation| &mut relation.columns) {
            let Some(data_type) = &mut column.data_type else { continue };
            let named = data_type.name.name == from.name
                && data_type.name.schema.as_ref().is_none_or(|schema| Some(schema) == from.schema.as_ref());
            if named && !data_type.is_builtin() {
                data_type.name.name.clone_from(&to.name);
            }
        }
    }

    fn create_function(&mut self, function: &CreateFunction) {
        let made = Function {
            name: self.place(&function.name),
            volatility: function.volatility,
            inlines_to: function.inlines_to.clone(),
            language: function.language.clone(),
            body: function.body_text.clone(),
            security_definer: function.security_definer,
            sets_search_path: function.sets_search_path,
            returns: function.returns.clone(),
            owner: self.functions.get(&function.name.name).and_then(|known| known.owner.clone()),
        };
        Arc::make_mut(&mut self.functions).insert(function.name.name.clone(), made);
    }

    fn change_object(&mut self, change: &ObjectChange) {
        let Some(name) = &change.name else { return };
        match (change.kind, change.verb) {
            (ObjectKind::Publication, _) => {
                let listed: Vec<ResolvedName> = match change.words.split_once(" table ") {
                    Some((_, list)) => list
                        .split(" with ")
                        .next()
                        .unwrap_or_default()
                        .split(" , ")
                        .map(|table| {
                            let table = table.trim_start_matches("only ");
                            let table = match table.split_once(" . ") {
                                Some((schema, table)) => {
                                    ObjectName::qualified(schema, table.split(' ').next().unwrap_or_default())
                                }
                                None => ObjectName::unqualified(table.split(' ').next().unwrap_or_default()),
                            };
                            self.resolve(&table)
                        })
                        .collect(),
                    None => Vec::new(),
                };
                let all = change.words.contains(" for all tables");
                let publication = self.publications.entry(name.name.clone()).or_default();
                publication.all |= all;
                if change.words.contains(" drop table ") {
                    publication.tables.retain(|table| !listed.contains(table));
                    return;
                }
                if change.words.contains(" set table ") {
                    publication.tables.clear();
                }
                publication.tables.extend(listed);
            }
            (ObjectKind::Function | ObjectKind::Procedure, _) => self.alter_function(change),
            (ObjectKind::Schema, Verb::Alter) => {
                if let Some(to) = &change.rename_to {
                    self.rename_schema(&name.name, to);
                }
            }
            _ => {}
        }
    }

    fn rename_schema(&mut self, from: &str, to: &str) {
        let inside: Vec<ResolvedName> =
            self.relations.keys().filter(|name| name.schema.as_deref() == Some(from)).cloned().collect();
        for name in inside {
            self.move_relation(&name, ObjectName::qualified(to, &name.name));
        }
    }
}
