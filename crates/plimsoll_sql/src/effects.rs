//! Which locks a command takes on relations, by what the server was seen to do on 15 and 18.
//!
//! Source: PostgreSQL documentation, `ALTER TABLE` and "Explicit Locking"; `AlterTableGetLockLevel`
//! in `tablecmds.c`; confirmed by reading `pg_locks`.

use plimsoll_core::LockMode;

use crate::command::{
    ActionKind, ColumnDefinition, Command, Constraint, ConstraintKind, ObjectKind, ReindexTarget,
};
use crate::name::ObjectName;
use crate::schema::{ResolvedName, Schema};

/// A lock that a command takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LockEffect {
    /// The relation.
    pub relation: ResolvedName,
    /// The mode.
    pub mode: LockMode,
}

/// Locks that a command takes on relations which existed before the change, strongest first;
/// one for each relation. Locks below `SHARE UPDATE EXCLUSIVE` are left out.
#[must_use]
pub fn locks_on_existing(command: &Command, schema: &Schema) -> Vec<LockEffect> {
    let mut effects: Vec<LockEffect> = Vec::new();
    for (name, mode) in locks(command, schema) {
        let relation = schema.resolve(&name);
        if schema.is_new(&name) || mode < LockMode::ShareUpdateExclusive {
            continue;
        }
        match effects.iter_mut().find(|effect| effect.relation == relation) {
            Some(effect) => effect.mode = effect.mode.max(mode),
            None => effects.push(LockEffect { relation, mode }),
        }
    }
    effects.sort_by_key(|effect| std::cmp::Reverse(effect.mode));
    effects
}

/// The lock that one action of `ALTER TABLE` takes on its table.
#[must_use]
pub fn action_lock(action: &ActionKind) -> LockMode {
    match action {
        ActionKind::AddConstraint(Constraint { kind: ConstraintKind::ForeignKey { .. }, .. }) => {
            LockMode::ShareRowExclusive
        }
        ActionKind::ValidateConstraint { .. }
        | ActionKind::AttachPartition { .. }
        | ActionKind::DetachPartition { concurrently: true, .. } => LockMode::ShareUpdateExclusive,
        ActionKind::Other(mode) => *mode,
        _ => LockMode::AccessExclusive,
    }
}

fn locks(command: &Command, schema: &Schema) -> Vec<(ObjectName, LockMode)> {
    use LockMode::{AccessExclusive, Exclusive, Share, ShareRowExclusive, ShareUpdateExclusive};
    match command {
        Command::AlterTable(alter) => {
            if alter.if_exists && schema.is_known() && schema.relation(&alter.name).is_none() {
                return Vec::new();
            }
            let mut locks = Vec::new();
            for action in &alter.actions {
                locks.push((alter.name.clone(), action_lock(&action.kind)));
                locks.extend(action_locks_elsewhere(&alter.name, &action.kind, schema));
            }
            locks
        }
        Command::CreateTable(table) => {
            let constraints =
                table.constraints.iter().chain(table.columns.iter().flat_map(|c| &c.constraints));
            constraints
                .filter_map(|constraint| referenced(&constraint.kind))
                .map(|referenced| (referenced.clone(), ShareRowExclusive))
                .chain(table.partition_of.iter().map(|parent| (parent.clone(), AccessExclusive)))
                .collect()
        }
        Command::CreateIndex(index) => {
            vec![(index.table.clone(), if index.concurrently { ShareUpdateExclusive } else { Share })]
        }
        Command::Drop(drop) => drop
            .names
            .iter()
            .flat_map(|name| drop_locks(drop.kind, name, drop.concurrently, schema))
            .collect(),
        Command::Reindex { target, concurrently } => {
            let mode = if *concurrently { ShareUpdateExclusive } else { Share };
            match target {
                ReindexTarget::Table(name) => vec![(name.clone(), mode)],
                ReindexTarget::Index(name) => {
                    schema.table_of_index(name).map(|table| (table.clone(), mode)).into_iter().collect()
                }
                ReindexTarget::Many => Vec::new(),
            }
        }
        Command::Refresh { name, concurrently } => {
            vec![(name.clone(), if *concurrently { Exclusive } else { AccessExclusive })]
        }
        Command::Truncate { names } => names.iter().map(|name| (name.clone(), AccessExclusive)).collect(),
        Command::Cluster { name } => name.iter().map(|name| (name.clone(), AccessExclusive)).collect(),
        Command::Vacuum { full, names } => {
            let mode = if *full { AccessExclusive } else { ShareUpdateExclusive };
            names.iter().map(|name| (name.clone(), mode)).collect()
        }
        Command::LockTable { names, mode } => names.iter().map(|name| (name.clone(), *mode)).collect(),
        Command::CreateTrigger { table } => vec![(table.clone(), ShareRowExclusive)],
        Command::AlterAttachment { table } => vec![(table.clone(), AccessExclusive)],
        _ => Vec::new(),
    }
}

/// Locks of an action on other relations than its table.
fn action_locks_elsewhere(
    table: &ObjectName,
    action: &ActionKind,
    schema: &Schema,
) -> Vec<(ObjectName, LockMode)> {
    match action {
        ActionKind::AddConstraint(constraint) => referenced(&constraint.kind)
            .map(|referenced| (referenced.clone(), LockMode::ShareRowExclusive))
            .into_iter()
            .collect(),
        ActionKind::AddColumn { column: ColumnDefinition { constraints, .. }, .. } => constraints
            .iter()
            .filter_map(|constraint| referenced(&constraint.kind))
            .map(|referenced| (referenced.clone(), LockMode::ShareRowExclusive))
            .collect(),
        ActionKind::DropConstraint { name } => schema
            .relation(table)
            .and_then(|relation| relation.constraint(name))
            .and_then(|constraint| referenced(&constraint.kind))
            .map(|referenced| (referenced.clone(), LockMode::AccessExclusive))
            .into_iter()
            .collect(),
        ActionKind::AttachPartition { name } | ActionKind::DetachPartition { name, .. } => {
            vec![(name.clone(), LockMode::AccessExclusive)]
        }
        _ => Vec::new(),
    }
}

fn drop_locks(
    kind: ObjectKind,
    name: &ObjectName,
    concurrently: bool,
    schema: &Schema,
) -> Vec<(ObjectName, LockMode)> {
    let mode = if concurrently { LockMode::ShareUpdateExclusive } else { LockMode::AccessExclusive };
    match kind {
        ObjectKind::Table | ObjectKind::View | ObjectKind::MaterializedView => {
            let relation = schema.relation(name);
            if relation.is_none() && schema.is_known() {
                return Vec::new();
            }
            let referenced = relation.into_iter().flat_map(|relation| relation.references());
            std::iter::once((name.clone(), mode))
                .chain(referenced.map(|other| (other.clone(), mode)))
                .collect()
        }
        ObjectKind::Index => {
            schema.table_of_index(name).map(|table| (table.clone(), mode)).into_iter().collect()
        }
        ObjectKind::Schema | ObjectKind::Type => Vec::new(),
    }
}

fn referenced(kind: &ConstraintKind) -> Option<&ObjectName> {
    match kind {
        ConstraintKind::ForeignKey { references, .. } => Some(references),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::parse::parse_script;

    fn check(sql: &str, expected: &[(&str, LockMode)]) {
        let mut schema = Schema::default();
        schema.apply_script(
            &parse_script(
                "create table a (id int primary key); create table b (id int, a_id int references a);
                 create index b_a on b (a_id);",
            )
            .0,
        );
        schema.begin_change();
        schema.apply_script(&parse_script("create table fresh (id int)").0);
        let statements = parse_script(sql).0;
        let shown: Vec<(String, LockMode)> = locks_on_existing(statements[0].command().unwrap(), &schema)
            .into_iter()
            .map(|effect| (effect.relation.name, effect.mode))
            .collect();
        let expected: Vec<(String, LockMode)> =
            expected.iter().map(|(name, mode)| ((*name).into(), *mode)).collect();
        assert_eq!(shown, expected, "{sql}");
    }

    #[test]
    fn locks_are_those_that_pg_locks_shows() {
        use LockMode::{AccessExclusive, Share, ShareRowExclusive, ShareUpdateExclusive};
        check("create index on b (id)", &[("b", Share)]);
        check("create index concurrently on b (id)", &[("b", ShareUpdateExclusive)]);
        check(
            "alter table b add foreign key (id) references a",
            &[("b", ShareRowExclusive), ("a", ShareRowExclusive)],
        );
        check("alter table b drop constraint b_a_id_fkey", &[("b", AccessExclusive), ("a", AccessExclusive)]);
        check("drop table b", &[("b", AccessExclusive), ("a", AccessExclusive)]);
        check("create table c (a_id int references a)", &[("a", ShareRowExclusive)]);
        check("alter table b validate constraint k", &[("b", ShareUpdateExclusive)]);
        check("drop index b_a", &[("b", AccessExclusive)]);
        check("alter table fresh add x int", &[]);
        check("drop table if exists nothing", &[]);
        check("update b set id = 1", &[]);
    }
}
