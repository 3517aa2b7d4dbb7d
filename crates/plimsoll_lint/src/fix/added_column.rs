//! A new column whose default, number or constraint makes PostgreSQL work under its lock: the bare column first, then the
//! rest.

use std::ops::Range;

use plimsoll_sql::command::{
    ActionKind, AlterTable, ColumnDefinition, Constraint, ConstraintKind, TableAction,
};
use plimsoll_sql::data_type::TimeZone;
use plimsoll_sql::effects::{Cause, Environment, effects};
use plimsoll_sql::name::{quote_identifier, quote_name};
use plimsoll_sql::outline::Outline;
use plimsoll_sql::parse::parse_script;
use plimsoll_sql::{Command, ObjectName};

use super::check::check_name;
use super::made_names::{Of, made_name};
use super::site::{Mended, Refusal, Site, because};
use super::{Step, alter_head, batches, key, not_null};

pub(super) fn add(site: &Site, action: &TableAction) -> Result<Mended, Refusal> {
    let alter = site.alter()?;
    let ActionKind::AddColumn { column, if_not_exists } = &action.kind else {
        return because("it adds no column");
    };
    if *if_not_exists {
        return because(
            "its IF NOT EXISTS is said of the whole column: leave it out, and what is said of the column can be moved",
        );
    }
    if column.generated.is_some() {
        return because("a generated column can't be made of a plain one: see the remedy");
    }
    if alter.only || site.is_partitioned(&alter.name) {
        return because("the column goes to partitions too, whose rows would have to be filled one by one");
    }
    let added = Added { site, alter, action, column, causes: causes(site, alter, action) };
    let kept = added.kept();
    let mut schema = site.schema.clone();
    for statement in parse_script(&format!("{} {kept}", alter_head(alter))).0 {
        statement.commands().for_each(|command| schema.apply(command));
    }
    let after = Site { schema: &schema, ..*site };
    let mut steps = added.fill(&after)?;
    for constraint in added.moved() {
        steps.extend(added.constraint_steps(&after, constraint)?);
    }
    Ok(Mended { kept: Some(kept), ..Mended::new("adds the bare column, then what is said of it", steps) })
}

/// Why PostgreSQL works while it adds the column, with the places.
fn causes(site: &Site, alter: &AlterTable, action: &TableAction) -> Vec<(Cause, Option<Range<usize>>)> {
    let alone = Command::AlterTable(AlterTable { actions: vec![action.clone()], ..alter.clone() });
    let environment = Environment { server_major: site.settings.server_major, time_zone: TimeZone::Utc };
    let effects = effects(&alone, site.schema, environment);
    effects.into_iter().filter(|one| one.work.is_some()).map(|one| (one.cause, one.range)).collect()
}

struct Added<'a> {
    site: &'a Site<'a>,
    alter: &'a AlterTable,
    action: &'a TableAction,
    column: &'a ColumnDefinition,
    causes: Vec<(Cause, Option<Range<usize>>)>,
}

impl Added<'_> {
    fn has(&self, cause: Cause) -> bool {
        self.causes.iter().any(|(one, _)| *one == cause)
    }

    fn is_serial(&self) -> bool {
        self.has(Cause::ColumnSerial)
    }

    /// Whether every row gets a value of its own.
    fn is_filled(&self) -> bool {
        self.has(Cause::ColumnDefault) || self.is_serial()
    }

    fn quoted(&self) -> String {
        quote_identifier(&self.column.name)
    }

    /// The constraints that come later.
    fn moved(&self) -> impl Iterator<Item = &Constraint> {
        self.column.constraints.iter().filter(|constraint| match constraint.kind {
            ConstraintKind::NotNull { .. } => self.is_filled(),
            // Unvalidated by a scan: a constraint on nothing but NULLs is checked in no time, but builds its index.
            ConstraintKind::ForeignKey { .. } => self.has(Cause::ColumnReferences) || self.is_filled(),
            _ => true,
        })
    }

    /// The action without what comes later.
    fn kept(&self) -> String {
        let sql = self.site.sql;
        let mut cuts: Vec<(Range<usize>, String)> =
            self.moved().map(|constraint| (constraint.range.clone(), String::new())).collect();
        if let Some(default) = self.column.default.as_ref().filter(|_| self.has(Cause::ColumnDefault)) {
            let before = Outline::of(&sql[..default.range.start]);
            let start = before.parts().last().map_or(default.range.start, |part| part.range.start);
            cuts.push((start..default.range.end, String::new()));
        }
        if self.is_serial()
            && let (Some(range), Some(data_type)) = (self.column.bytes.data_type(), &self.column.data_type)
        {
            cuts.push((range, data_type.stored().to_string()));
        }
        cuts.sort_by_key(|(range, _)| range.start);
        let mut text = sql[self.action.range.clone()].to_owned();
        for (range, new) in cuts.into_iter().rev() {
            let (start, end) = (range.start - self.action.range.start, range.end - self.action.range.start);
            let start = if new.is_empty() { text[..start].trim_end().len() } else { start };
            text.replace_range(start..end, &new);
        }
        let default = self.column.default.as_ref().filter(|_| self.has(Cause::ColumnDefault));
        match default {
            Some(default) => format!("{text}, ALTER COLUMN {} SET DEFAULT {}", self.quoted(), default.text),
            None => text,
        }
    }

    /// The steps that give the rows their values.
    fn fill(&self, after: &Site) -> Result<Vec<Step>, Refusal> {
        let (table, column) = (&self.alter.name, self.quoted());
        let (sql, empty) = (quote_name(table), format!("{column} IS NULL"));
        let update = |value: &str| {
            batches::in_batches(after, table, &format!("UPDATE {sql} SET {column} = {value}"), Some(&empty))
        };
        let mut steps = Vec::new();
        if self.is_serial() {
            let name = made_name(after.schema, table, &self.column.name, "seq", Of::Index);
            // A name without a schema goes to the first of the search path; the table may be in a later one.
            let sequence = ObjectName { schema: table.schema.clone(), name };
            let own = after.schema.resolve(table).schema;
            let sequence = match after.schema.resolve(&sequence).schema == own {
                true => quote_name(&sequence),
                false => quote_name(&ObjectName { schema: own, ..sequence }),
            };
            let data_type =
                self.column.data_type.as_ref().map(|one| one.stored().to_string()).unwrap_or_default();
            let next = format!("nextval('{}')", sequence.replace('\'', "''"));
            steps.push(Step::along(format!("CREATE SEQUENCE {sequence} AS {data_type}")));
            steps.push(Step::along(format!("ALTER SEQUENCE {sequence} OWNED BY {sql}.{column}")));
            steps.push(Step::along(format!(
                "{} ALTER COLUMN {column} SET DEFAULT {next}",
                alter_head(self.alter)
            )));
            steps.push(update(&next)?);
            let declared = self.column.constraints.iter().any(|one| {
                matches!(one.kind, ConstraintKind::NotNull { .. } | ConstraintKind::PrimaryKey(_))
            });
            if !declared {
                steps.extend(not_null::steps(after, &alter_head(self.alter), table, &self.column.name));
            }
        } else if let Some(default) = self.column.default.as_ref().filter(|_| self.has(Cause::ColumnDefault))
        {
            steps.push(update(&default.text)?);
        }
        Ok(steps)
    }

    fn constraint_steps(&self, after: &Site, constraint: &Constraint) -> Result<Vec<Step>, Refusal> {
        let (table, head) = (&self.alter.name, alter_head(self.alter));
        let written = &self.site.sql[constraint.range.clone()];
        let column = &self.column.name;
        let checked = |name: String, definition: String| {
            let name = quote_identifier(&name);
            vec![
                Step::along(format!("{head} ADD CONSTRAINT {name} {definition} NOT VALID")),
                Step::fresh(format!("{head} VALIDATE CONSTRAINT {name}")),
            ]
        };
        let added_key = |which| {
            let columns = std::slice::from_ref(column);
            key::steps(after, which, table, constraint.name.as_deref(), columns, written)
        };
        let outline = Outline::of(written);
        let behind = |word: &str| outline.find(&[word]).map(|at| written[at.start..].to_owned());
        Ok(match &constraint.kind {
            ConstraintKind::NotNull { .. } => not_null::steps(after, &head, table, column),
            ConstraintKind::Check { columns, .. } => {
                let name =
                    constraint.name.clone().unwrap_or_else(|| check_name(after.schema, table, columns));
                checked(name, behind("check").unwrap_or_default())
            }
            ConstraintKind::ForeignKey { .. } => {
                let made = || made_name(after.schema, table, column, "fkey", Of::Constraint);
                let references = behind("references").unwrap_or_default();
                let name = constraint.name.clone().unwrap_or_else(made);
                checked(name, format!("FOREIGN KEY ({}) {references}", self.quoted()))
            }
            ConstraintKind::Unique(_) => added_key(key::Which::Unique)?,
            ConstraintKind::PrimaryKey(_) => added_key(key::Which::Primary)?,
            ConstraintKind::Exclude => {
                return because("an exclusion constraint has no form that blocks nobody");
            }
        })
    }
}
