//! What is done to each column of a database: rules, foreign keys, and what speaks against it, before anything is changed.

use std::collections::{BTreeMap, BTreeSet};

use super::catalogue::{self, Catalogue, Column, KeyPair, Table, literal};
use super::expression::{Family, Limits, check};
use super::personal::looks_personal;
use super::rules::{How, chosen};
use super::run::{Connector, Session};
use super::{Masked, Request};
use crate::error::BranchError;

/// A column to be masked.
#[derive(Clone, Debug)]
pub(super) struct Planned {
    pub(super) column: Column,
    /// `schema.table.column`.
    pub(super) name: String,
    pub(super) how: How,
    pub(super) rule: String,
    pub(super) limits: Limits,
}

/// As above.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) database: String,
    pub(super) tables: BTreeMap<u32, Table>,
    /// The columns of all tables.
    pub(super) all: Vec<Column>,
    pub(super) columns: Vec<Planned>,
    /// Columns that a rule says to keep, with its place.
    pub(super) kept: Vec<(String, String)>,
    /// Columns that look personal and have no rule.
    pub(super) personal: Vec<String>,
    /// Places of the rules that matched a column.
    pub(super) matched: BTreeSet<String>,
    pub(super) wrong: Vec<String>,
    pub(super) notes: Vec<String>,
    /// The foreign keys.
    pub(super) keys: Vec<KeyPair>,
}

impl Plan {
    /// The tables that have a column to be masked.
    pub(super) fn touched(&self) -> impl Iterator<Item = &Table> {
        self.tables.values().filter(|table| self.of(table.oid).next().is_some())
    }

    /// A table's columns to be masked.
    pub(super) fn of(&self, table: u32) -> impl Iterator<Item = &Planned> {
        self.columns.iter().filter(move |planned| planned.column.table == table)
    }

    /// `schema.table.column`.
    pub(super) fn name(&self, column: &Column) -> String {
        name(&self.tables, column)
    }
}

fn name(tables: &BTreeMap<u32, Table>, column: &Column) -> String {
    tables.get(&column.table).map_or_else(
        || column.name.clone(),
        |table| format!("{}.{}.{}", table.schema, table.name, column.name),
    )
}

/// What a column gets, and by which rule.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Chosen {
    how: How,
    rule: String,
}

/// Reads a database and plans.
pub(super) async fn read(
    connector: &Connector,
    database: &str,
    request: &Request<'_>,
) -> Result<Plan, BranchError> {
    let session = connector.open(database).await?;
    let catalogue = catalogue::read(&session).await?;
    let mut plan = plan(database, catalogue, request);
    for planned in &plan.columns {
        if let How::Fixed(value) = &planned.how
            && let Err(why) = fits(&session, value, &planned.column.data_type).await
        {
            plan.wrong.push(format!("{}: {}: {why}", planned.rule, planned.name));
        }
    }
    Ok(plan)
}

async fn fits(session: &Session, value: &str, data_type: &str) -> Result<(), String> {
    let query = format!("SELECT {}::{data_type}", literal(value));
    session.try_rows(&query).await.map(drop).map_err(|why| crate::running::in_words(&why))
}

fn plan(database: &str, catalogue: Catalogue, request: &Request<'_>) -> Plan {
    let Catalogue { tables, columns, keys, large_objects, foreign_tables } = catalogue;
    let mut plan = Plan {
        database: database.to_owned(),
        tables,
        all: columns,
        columns: Vec::new(),
        kept: Vec::new(),
        personal: Vec::new(),
        matched: BTreeSet::new(),
        wrong: Vec::new(),
        notes: Vec::new(),
        keys,
    };
    let mut choices: BTreeMap<(u32, i16), Chosen> = BTreeMap::new();
    for column in &plan.all {
        let Some(table) = plan.tables.get(&column.table) else { continue };
        let Some(rule) =
            chosen(&request.masking.rules, &table.schema, &table.name, &column.name, &column.types)
        else {
            continue;
        };
        plan.matched.insert(rule.place.clone());
        if column.is_generated {
            // It follows from others, which rules are for.
            continue;
        }
        choices.insert(
            (column.table, column.number),
            Chosen { how: rule.how.clone(), rule: rule.place.clone() },
        );
    }
    inherit(&plan, &mut choices);
    let limits = spread(&mut plan, &mut choices);
    let masked_already = |name: &str| is_masked(request.already, database, name);
    for column in plan.all.clone() {
        let name = plan.name(&column);
        if masked_already(&name) {
            continue;
        }
        let place = (column.table, column.number);
        match choices.get(&place) {
            None => {
                let table = plan.tables.get(&column.table).map_or("", |table| table.name.as_str());
                if looks_personal(table, &column) {
                    plan.personal.push(name);
                }
            }
            Some(Chosen { how: How::Keep, rule }) => plan.kept.push((name, rule.clone())),
            Some(Chosen { how, rule }) => {
                let limits = limits.get(&place).copied().unwrap_or(Limits::of(&column));
                let has_column = |name: &str| {
                    plan.all.iter().any(|other| other.table == column.table && other.name == name)
                };
                match check(how, &column, limits, has_column) {
                    Ok(()) => plan.columns.push(Planned {
                        column,
                        name,
                        how: how.clone(),
                        rule: rule.clone(),
                        limits,
                    }),
                    Err(why) => plan.wrong.push(format!("{rule}: {name}: {why}")),
                }
            }
        }
    }
    if !plan.columns.is_empty() {
        if large_objects > 0 {
            plan.notes.push(format!("{large_objects} large objects of {database} are not masked"));
        }
        if foreign_tables > 0 {
            plan.notes.push(format!(
                "{foreign_tables} foreign tables of {database} have no rows here, and are not masked"
            ));
        }
    }
    plan
}

fn is_masked(already: &Masked, database: &str, name: &str) -> bool {
    already
        .columns
        .iter()
        .any(|known| known.database == database && known.column == name && known.with != "keep")
}

/// A child's column gets what its parent's has, unless a rule is for it.
fn inherit(plan: &Plan, choices: &mut BTreeMap<(u32, i16), Chosen>) {
    // A child of a child comes in a later round.
    for _ in 0..plan.tables.len() {
        let before = choices.len();
        for column in plan.all.iter().filter(|column| !column.is_generated) {
            let of_parent = plan
                .all
                .iter()
                .filter(|other| column.inherited_from.contains(&other.table) && other.name == column.name);
            let found =
                of_parent.filter_map(|other| choices.get(&(other.table, other.number))).next().cloned();
            if let Some(found) = found {
                choices.entry((column.table, column.number)).or_insert(found);
            }
        }
        if choices.len() == before {
            return;
        }
    }
}

/// Gives the other side of each foreign key the same, and says what its columns have to agree on.
fn spread(plan: &mut Plan, choices: &mut BTreeMap<(u32, i16), Chosen>) -> BTreeMap<(u32, i16), Limits> {
    let columns: BTreeMap<(u32, i16), Column> =
        plan.all.iter().map(|column| ((column.table, column.number), column.clone())).collect();
    let mut limits: BTreeMap<(u32, i16), Limits> =
        columns.iter().map(|(place, column)| (*place, Limits::of(column))).collect();
    let keys = plan.keys.clone();
    let mut told = BTreeSet::new();
    loop {
        let before = (choices.clone(), limits.clone());
        for key in &keys {
            let (Some(child), Some(parent)) = (columns.get(&key.child), columns.get(&key.parent)) else {
                continue;
            };
            let both = limits.get(&key.child).copied().zip(limits.get(&key.parent).copied());
            if let Some((one, other)) = both {
                limits.insert(key.child, one.and(other));
                limits.insert(key.parent, one.and(other));
            }
            let (child_name, parent_name) = (name(&plan.tables, child), name(&plan.tables, parent));
            let mut wrong = |rule: &str, why: String| {
                if told.insert(key.constraint) {
                    plan.wrong.push(format!(
                        "{rule}: foreign key {} of {child_name} and {parent_name}: {why}",
                        key.name
                    ));
                }
            };
            let spreads = |how: &How| matches!(how, How::Hash | How::Fake);
            let is_free = |how: &How| matches!(how, How::Keep | How::Shuffle);
            match (choices.get(&key.child).cloned(), choices.get(&key.parent).cloned()) {
                (None, None) => {}
                (Some(one), Some(other))
                    if one.how == other.how && (spreads(&one.how) || one.how == How::Null) =>
                {
                    if Family::of(child) != Family::of(parent) {
                        wrong(
                            &one.rule,
                            format!("{} and {} aren't masked alike", child.data_type, parent.data_type),
                        );
                    }
                }
                (Some(one), None) if spreads(&one.how) => {
                    plan.notes.push(format!(
                        "{parent_name} is masked as {child_name} is: foreign key {}",
                        key.name
                    ));
                    choices.insert(key.parent, one);
                }
                (None, Some(one)) if spreads(&one.how) || one.how == How::Null => {
                    plan.notes.push(format!(
                        "{child_name} is masked as {parent_name} is: foreign key {}",
                        key.name
                    ));
                    choices.insert(key.child, one);
                }
                // The row refers to nothing then.
                (Some(one), _) if one.how == How::Null => {}
                (one, other) => {
                    let broken = [one.as_ref(), other.as_ref()]
                        .into_iter()
                        .flatten()
                        .find(|chosen| !is_free(&chosen.how));
                    if let Some(broken) = broken {
                        let why = format!(
                            "\"{}\" on one side would leave rows that refer to nothing: take \"hash\" or \"fake\" for both, or \"shuffle\"",
                            broken.how.word()
                        );
                        wrong(&broken.rule, why);
                    }
                }
            }
        }
        if before == (choices.clone(), limits.clone()) {
            return limits;
        }
    }
}
