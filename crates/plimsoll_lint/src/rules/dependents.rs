//! What needs a column or a relation, so that PostgreSQL refuses to drop or retype it, and `CASCADE`
//! takes it along.
//!
//! Says only what the schema decides: a name in a query of several relations counts where no other
//! of them has such a column. Source: `findDependentObjects`, `RememberAllDependentForRebuilding`.

use plimsoll_sql::ObjectName;
use plimsoll_sql::command::ConstraintKind;
use plimsoll_sql::name::{quote_identifier, quote_name};
use plimsoll_sql::schema::{Policy, Relation, RelationKind, ResolvedName, TableConstraint};

use crate::context::Context;

/// Something that needs another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Dependent {
    /// In words, such as `view public.flags`.
    pub(super) shown: String,
    /// SQL that drops it.
    pub(super) drop: String,
}

impl Dependent {
    pub(super) fn foreign_key(owner: &ResolvedName, key: &TableConstraint) -> Self {
        let drop =
            format!("ALTER TABLE {} DROP CONSTRAINT {};", quote_name(owner), quote_identifier(&key.name));
        Self { shown: format!("foreign key {} of {owner}", key.name), drop }
    }

    pub(super) fn column(kind: &str, table: &ResolvedName, column: &str) -> Self {
        let drop = format!("ALTER TABLE {} DROP COLUMN {};", quote_name(table), quote_identifier(column));
        Self { shown: format!("{kind} {table}.{column}"), drop }
    }

    pub(super) fn relation(name: &ResolvedName, relation: &Relation) -> Self {
        let kind = match relation.kind {
            RelationKind::View => "view",
            RelationKind::MaterializedView => "materialized view",
            RelationKind::Sequence => "sequence",
            RelationKind::ForeignTable => "foreign table",
            RelationKind::Table | RelationKind::PartitionedTable => "table",
        };
        let drop = format!("DROP {} {};", kind.to_uppercase(), quote_name(name));
        Self { shown: format!("{kind} {name}"), drop }
    }
}

impl AsRef<str> for Dependent {
    fn as_ref(&self) -> &str {
        &self.shown
    }
}

/// Views, generated columns, policies and a partition key that need a column.
pub(super) fn of_column(context: &Context, table: &ObjectName, column: &str) -> Vec<Dependent> {
    let name = context.schema.resolve(table);
    let Some(relation) = context.schema.relation(&name) else { return Vec::new() };
    let mut found = views_with(context, &name, column);
    let generated =
        relation.columns.iter().filter(|other| other.generated_from.iter().any(|from| from == column));
    found.extend(generated.map(|other| Dependent::column("generated column", &name, &other.name)));
    let policies = relation.policies.iter().filter(|policy| looks_at(policy, column));
    found.extend(policies.map(|policy| Dependent {
        shown: format!("policy {} of {name}", policy.name),
        drop: format!("DROP POLICY {} ON {};", quote_identifier(&policy.name), quote_name(&name)),
    }));
    found
}

/// Whether a column is part of the table's partition key, which no `CASCADE` gives up.
pub(super) fn partitions_by(context: &Context, table: &ObjectName, column: &str) -> bool {
    let key = context.schema.relation(table).and_then(|relation| relation.partition_key.as_ref());
    key.is_some_and(|key| key.keys.iter().any(|key| key == column))
}

fn views_with(context: &Context, table: &ResolvedName, column: &str) -> Vec<Dependent> {
    let schema = context.schema;
    let elsewhere = |view: &Relation| {
        let mut others = view.reads.iter().filter(|read| *read != table);
        !others.all(|other| {
            schema.relation(other).is_some_and(|other| other.columns_known && other.column(column).is_none())
        })
    };
    let needs = |view: &Relation| {
        !view.reads_nested && view.names_read.iter().any(|name| name == column) && !elsewhere(view)
    };
    let views = schema.views_on(table).into_iter().filter(|(_, view)| needs(view));
    views.map(|(name, view)| Dependent::relation(name, view)).collect()
}

/// Foreign keys that reference a column.
pub(super) fn keys_to_column(context: &Context, table: &ObjectName, column: &str) -> Vec<Dependent> {
    let name = context.schema.resolve(table);
    let Some(relation) = context.schema.relation(&name) else { return Vec::new() };
    let primary = relation.constraints.iter().any(|constraint| {
        matches!(&constraint.kind, ConstraintKind::PrimaryKey(key) if key.columns.iter().any(|key| key == column))
    });
    let concerned = |kind: &ConstraintKind| match kind {
        ConstraintKind::ForeignKey { referenced_columns, .. } if referenced_columns.is_empty() => primary,
        ConstraintKind::ForeignKey { referenced_columns, .. } => {
            referenced_columns.iter().any(|key| key == column)
        }
        _ => false,
    };
    let keys = context.schema.foreign_keys_to(&name).into_iter();
    keys.filter(|(_, key)| concerned(&key.kind))
        .map(|(owner, key)| Dependent::foreign_key(owner, key))
        .collect()
}

/// Foreign keys and views that need a relation, but for those of the relations that go with it.
pub(super) fn of_relation(
    context: &Context,
    name: &ResolvedName,
    dropped: &[ResolvedName],
) -> Vec<Dependent> {
    let schema = context.schema;
    let stays = |other: &ResolvedName| !dropped.contains(other);
    let keys = schema.foreign_keys_to(name).into_iter().filter(|(owner, _)| stays(owner));
    let views = schema.views_on(name).into_iter().filter(|(view, _)| stays(view));
    keys.map(|(owner, key)| Dependent::foreign_key(owner, key))
        .chain(views.map(|(name, view)| Dependent::relation(name, view)))
        .collect()
}

/// The columns of a UNIQUE or PRIMARY KEY constraint.
pub(super) fn key_columns(kind: &ConstraintKind) -> Option<&[String]> {
    match kind {
        ConstraintKind::Unique(key) | ConstraintKind::PrimaryKey(key) => Some(&key.columns),
        _ => None,
    }
}

/// Foreign keys that need a key of the table.
pub(super) fn keys_on(context: &Context, table: &ObjectName, constraint: &str) -> Vec<Dependent> {
    let table = context.schema.resolve(table);
    let known = context.schema.relation(&table).and_then(|relation| relation.constraint(constraint));
    let Some((ConstraintKind::Unique(key) | ConstraintKind::PrimaryKey(key), primary)) =
        known.map(|known| (&known.kind, matches!(known.kind, ConstraintKind::PrimaryKey(_))))
    else {
        return Vec::new();
    };
    let needs = |kind: &ConstraintKind| match kind {
        ConstraintKind::ForeignKey { referenced_columns, .. } => {
            (referenced_columns.is_empty() && primary) || *referenced_columns == key.columns
        }
        _ => false,
    };
    let keys =
        context.schema.foreign_keys_to(&table).into_iter().filter(|(_, constraint)| needs(&constraint.kind));
    keys.map(|(owner, constraint)| Dependent::foreign_key(owner, constraint)).collect()
}

/// Views on a relation, and views on those.
pub(super) fn views_above(context: &Context, name: &ResolvedName) -> Vec<ResolvedName> {
    let mut found: Vec<ResolvedName> = Vec::new();
    let mut open = vec![name.clone()];
    while let Some(read) = open.pop() {
        for (view, _) in context.schema.views_on(&read) {
            if !found.contains(view) {
                found.push(view.clone());
                open.push(view.clone());
            }
        }
    }
    found
}

/// Relations that go where these are dropped: themselves, their partitions and children.
pub(super) fn with_descendants(context: &Context, names: &[ObjectName]) -> Vec<ResolvedName> {
    let mut all: Vec<ResolvedName> = names.iter().map(|name| context.schema.resolve(name)).collect();
    let below: Vec<ResolvedName> =
        all.iter().flat_map(|name| context.schema.descendants(name)).cloned().collect();
    all.extend(below);
    all
}

/// `a, b and c`; of more than five the first four and how many more.
pub(super) fn listed(things: &[impl AsRef<str>]) -> String {
    let shown: Vec<&str> = things.iter().map(AsRef::as_ref).collect();
    match shown.as_slice() {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [most @ .., last] if shown.len() <= 5 => format!("{} and {last}", most.join(", ")),
        many => format!("{} and {} more", many[..4].join(", "), many.len() - 4),
    }
}

/// The SQL that drops each, a line each.
pub(super) fn drops(dependents: &[Dependent]) -> String {
    dependents.iter().map(|dependent| dependent.drop.as_str()).collect::<Vec<_>>().join("\n")
}

/// Whether a policy's conditions name a column. A subquery's names may be another table's.
fn looks_at(policy: &Policy, column: &str) -> bool {
    let unquoted: String = policy.clauses.split('\'').step_by(2).collect::<Vec<_>>().join(" ");
    let mut words = unquoted.split(|c: char| !c.is_alphanumeric() && c != '_' && c != '"');
    let plain = words.clone().all(|word| word != "select");
    let conditions = unquoted.find("using").or_else(|| unquoted.find("with check"));
    plain && conditions.is_some() && words.any(|word| word.trim_matches('"') == column)
}
