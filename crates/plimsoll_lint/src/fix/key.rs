//! `UNIQUE` and `PRIMARY KEY` with an index that is built before, concurrently.

use plimsoll_sql::ObjectName;
use plimsoll_sql::command::{ConstraintKind, TableAction};
use plimsoll_sql::name::{quote_identifier, quote_name};
use plimsoll_sql::outline::Outline;

use super::index::included;
use super::made_names::{Of, made_name};
use super::not_null;
use super::site::{Mended, Refusal, Site, because};
use super::{Step, alter_head};
use crate::context::column_list;

/// Which of the two a key is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    Unique,
    Primary,
}

/// A key and what is said of its index.
struct Key<'a> {
    which: Which,
    table: &'a ObjectName,
    name: String,
    columns: &'a [String],
    /// The constraint as it is written.
    written: &'a str,
}

pub(super) fn add(site: &Site, action: &TableAction) -> Result<Mended, Refusal> {
    let (alter, constraint) = (site.alter()?, site.constraint(&action.kind)?);
    let written = &site.sql[constraint.range.clone()];
    let (which, key, title) = match &constraint.kind {
        ConstraintKind::Unique(key) => {
            (Which::Unique, key, "builds the unique index CONCURRENTLY, then gives it to the constraint")
        }
        ConstraintKind::PrimaryKey(key) => (
            Which::Primary,
            key,
            "makes the columns NOT NULL and builds the index CONCURRENTLY before the key",
        ),
        _ => return because("it is no key"),
    };
    if let (Which::Primary, Some(index)) = (which, &key.using_index) {
        let known = site.relation(&alter.name).and_then(|known| known.index(index));
        let Some(known) = known else { return because("the columns of its index aren't known here") };
        let columns: Vec<String> = known.keys.iter().filter_map(|key| key.column.clone()).collect();
        let mut steps = columns_not_null(site, &alter.name, &columns);
        steps.push(Step::along(format!("{} ADD {written}", alter_head(alter))));
        return Ok(Mended::new("makes the columns NOT NULL before the key", steps));
    }
    let steps = steps(site, which, &alter.name, constraint.name.as_deref(), &key.columns, written)?;
    Ok(Mended::new(title, steps))
}

/// The steps that add a key.
pub(super) fn steps(
    site: &Site,
    which: Which,
    table: &ObjectName,
    name: Option<&str>,
    columns: &[String],
    written: &str,
) -> Result<Vec<Step>, Refusal> {
    let made = || match which {
        Which::Unique => {
            let included = included(written, &Outline::of(written));
            let all: Vec<String> = columns.iter().chain(&included).cloned().collect();
            made_name(site.schema, table, &all.join("_"), "key", Of::Key)
        }
        Which::Primary => made_name(site.schema, table, "", "pkey", Of::Key),
    };
    let name = name.map_or_else(made, ToOwned::to_owned);
    let mut steps = match which {
        Which::Unique => Vec::new(),
        Which::Primary => columns_not_null(site, table, columns),
    };
    steps.extend(Key { which, table, name, columns, written }.steps(site)?);
    Ok(steps)
}

/// The steps that make those columns `NOT NULL` that aren't yet.
fn columns_not_null(site: &Site, table: &ObjectName, columns: &[String]) -> Vec<Step> {
    let head = format!("ALTER TABLE {}", quote_name(table));
    let declared = |column: &&String| {
        site.relation(table).and_then(|known| known.column(column)).is_some_and(|known| known.not_null)
    };
    let open: Vec<&String> = columns.iter().filter(|column| !declared(column)).collect();
    let each: Vec<Vec<Step>> =
        open.iter().map(|column| not_null::steps(site, &head, table, column)).collect();
    // All checks first, then all scans in one transaction, then what is brief.
    let most = each.iter().map(Vec::len).max().unwrap_or_default();
    (0..most).flat_map(|at| each.iter().filter_map(move |steps| steps.get(at).cloned())).collect()
}

impl Which {
    fn words(self) -> &'static str {
        match self {
            Self::Unique => "UNIQUE",
            Self::Primary => "PRIMARY KEY",
        }
    }
}

impl Key<'_> {
    fn steps(&self, site: &Site) -> Result<Vec<Step>, Refusal> {
        if site.is_partitioned(self.table) {
            return because("the key of a partitioned table can't be given an index that was built before");
        }
        let outline = Outline::of(self.written);
        let list = outline
            .parenthesized_behind(0)
            .map(|list| Outline::of(&self.written[list.start + 1..list.end - 1]));
        if list.is_some_and(|list| list.find(&["without", "overlaps"]).is_some()) {
            return because("a key WITHOUT OVERLAPS can't be given an index that was built before");
        }
        let clause = |words: &[&str]| outline.find(words).map(|found| found.start);
        let timing = ["not deferrable", "deferrable", "initially"]
            .iter()
            .filter_map(|words| clause(&words.split(' ').collect::<Vec<_>>()))
            .min();
        let timing = timing.map_or("", |at| self.written[at..].trim_end());
        let (name, table) = (quote_identifier(&self.name), quote_name(self.table));
        let constraint = format!(
            "ALTER TABLE {table} ADD CONSTRAINT {name} {} USING INDEX {name}{}{timing}",
            self.which.words(),
            if timing.is_empty() { "" } else { " " },
        );
        let index = format!(
            "CREATE UNIQUE INDEX CONCURRENTLY {name} ON {table} ({}){}",
            column_list(self.columns),
            self.index_clauses(&outline)
        );
        Ok(vec![Step::outside(index), Step::along(constraint)])
    }

    /// What is said of the constraint and holds for its index, in the order of `CREATE INDEX`.
    fn index_clauses(&self, outline: &Outline) -> String {
        let mut clauses = String::new();
        let text_of = |words: &[&str]| {
            let found = outline.find(words)?;
            let list = outline.parenthesized_behind(found.end)?;
            Some(self.written[list].to_owned())
        };
        if let Some(list) = text_of(&["include"]) {
            clauses.push_str(&format!(" INCLUDE {list}"));
        }
        if outline.find(&["nulls", "not", "distinct"]).is_some() {
            clauses.push_str(" NULLS NOT DISTINCT");
        }
        if let Some(list) = text_of(&["with"]) {
            clauses.push_str(&format!(" WITH {list}"));
        }
        if let Some(found) = outline.find(&["using", "index", "tablespace"])
            && let Some(tablespace) = outline.name_behind(self.written, found.end)
        {
            clauses.push_str(&format!(" TABLESPACE {}", &self.written[tablespace]));
        }
        clauses
    }
}
