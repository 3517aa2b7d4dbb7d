//! Changes that take several deploys: expand, move the code over, contract. Spelled out, and written into no file.

use std::ops::Range;

use plimsoll_sql::ObjectName;
use plimsoll_sql::command::{ActionKind, Generated, TableAction};
use plimsoll_sql::name::{quote_identifier, quote_name};
use plimsoll_sql::outline::Outline;

use super::batches;
use super::site::Site;

/// What spells out a plan for what a finding points at; nothing where the rule's own remedy is all there is.
pub(super) type Plan = fn(&Site, &Range<usize>) -> Option<String>;

/// The plan for what a rule tells of, if that takes several deploys.
pub(super) fn of(rule: &str) -> Option<Plan> {
    Some(match rule {
        "renaming-column" => rename_column,
        "renaming-table" => rename_table,
        "changing-column-type" | "type-change-rechecks-constraint" | "type-change-rebuilds-index" => {
            change_type
        }
        "add-stored-generated-column" | "set-generated-expression" | "add-column-constrained-domain" => {
            remedy_alone
        }
        _ => return None,
    })
}

fn remedy_alone(_: &Site, _: &Range<usize>) -> Option<String> {
    None
}

fn action<'a>(site: &Site<'a>, range: &Range<usize>) -> Option<(&'a ObjectName, &'a TableAction)> {
    let alter = site.alter().ok()?;
    let action = alter
        .actions
        .iter()
        .find(|action| action.range.start <= range.start && range.start < action.range.end);
    Some((&alter.name, action.or_else(|| alter.actions.first())?))
}

fn rename_table(site: &Site, range: &Range<usize>) -> Option<String> {
    let (table, action) = action(site, range)?;
    let ActionKind::RenameTo { to } = &action.kind else { return None };
    let (old, new) =
        (quote_name(table), quote_name(&ObjectName { schema: table.schema.clone(), name: to.clone() }));
    Some(format!(
        "-- 1. now: rename it, and leave a view of the old name for the code that runs\n\
         BEGIN;\n\
         SET LOCAL lock_timeout = '2s';\n\
         ALTER TABLE {old} RENAME TO {};\n\
         CREATE VIEW {old} AS SELECT * FROM {new};\n\
         COMMIT;\n\
         -- 2. deploy code that says {to}\n\
         -- 3. when no old code runs\n\
         DROP VIEW {old};",
        quote_identifier(to)
    ))
}

fn rename_column(site: &Site, range: &Range<usize>) -> Option<String> {
    let (table, action) = action(site, range)?;
    let ActionKind::RenameColumn { from, to } = &action.kind else { return None };
    let data_type = site.relation(table)?.column(from)?.data_type.as_ref()?.to_string();
    let (old, new) = (quote_identifier(from), quote_identifier(to));
    let body = format!(
        "  IF TG_OP = 'INSERT' THEN\n    \
         NEW.{new} := coalesce(NEW.{new}, NEW.{old});\n    \
         NEW.{old} := coalesce(NEW.{old}, NEW.{new});\n  \
         ELSIF NEW.{new} IS DISTINCT FROM OLD.{new} THEN\n    \
         NEW.{old} := NEW.{new};\n  \
         ELSE\n    \
         NEW.{new} := NEW.{old};\n  \
         END IF;\n"
    );
    let steps = Steps { site, table, old: from, new: to, data_type, body, value: old.clone() };
    Some(format!(
        "{}\n-- 4. deploy code that says {to} alone, then\n{}\nALTER TABLE {} DROP COLUMN {old};\nCOMMIT;",
        steps.expand(),
        steps.contract(),
        quote_name(table)
    ))
}

fn change_type(site: &Site, range: &Range<usize>) -> Option<String> {
    let (table, action) = action(site, range)?;
    let ActionKind::AlterColumnType { column, data_type, .. } = &action.kind else { return None };
    let written = &site.sql[action.range.clone()];
    let old = quote_identifier(column);
    let new = format!("{column}_new");
    let using = Outline::of(written).find(&["using"]).map(|at| written[at.end..].trim().to_owned());
    let value = using.clone().unwrap_or_else(|| format!("{old}::{data_type}"));
    // In a trigger, the row's columns are NEW's.
    let assigned = match &using {
        None => format!("NEW.{old}::{data_type}"),
        Some(using) => format!("(SELECT {using} FROM (SELECT NEW.*) AS row_now)"),
    };
    let quoted = quote_identifier(&new);
    let body = format!("  NEW.{quoted} := {assigned};\n");
    let steps = Steps { site, table, old: column, new: &new, data_type: data_type.to_string(), body, value };
    let sql = quote_name(table);
    Some(format!(
        "{}\n-- 4. swap the two, in one short transaction\n{}\n\
         ALTER TABLE {sql} DROP COLUMN {old};\n\
         ALTER TABLE {sql} RENAME COLUMN {quoted} TO {old};\nCOMMIT;",
        steps.expand(),
        steps.contract(),
    ))
}

/// A new column beside an old one.
struct Steps<'a> {
    site: &'a Site<'a>,
    table: &'a ObjectName,
    old: &'a str,
    new: &'a str,
    data_type: String,
    /// What the trigger does.
    body: String,
    /// The new column's value for a row that was there.
    value: String,
}

impl Steps<'_> {
    fn trigger(&self) -> String {
        quote_identifier(&format!("{}_{}_in_step", self.table.name, self.new))
    }

    /// Up to the code that reads the new column.
    fn expand(&self) -> String {
        let (table, new, trigger) = (quote_name(self.table), quote_identifier(self.new), self.trigger());
        let filled = batches::in_batches(
            self.site,
            self.table,
            &format!("UPDATE {table} SET {new} = {}", self.value),
            Some(&format!("{new} IS NULL AND {} IS NOT NULL", quote_identifier(self.old))),
        );
        let filled = filled.map_or_else(
            |_| {
                format!(
                    "-- UPDATE {table} SET {new} = {} …, in batches, each a transaction of its own",
                    self.value
                )
            },
            |step| format!("{};", step.sql),
        );
        format!(
            "-- 1. a column beside it, kept in step by a trigger\n\
             BEGIN;\n\
             SET LOCAL lock_timeout = '2s';\n\
             ALTER TABLE {table} ADD COLUMN {new} {};\n\
             CREATE FUNCTION {trigger}() RETURNS trigger LANGUAGE plpgsql AS $trigger$\nBEGIN\n{}  RETURN NEW;\nEND\n$trigger$;\n\
             CREATE TRIGGER {trigger} BEFORE INSERT OR UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION {trigger}();\n\
             COMMIT;\n\
             -- 2. the rows that were there, outside a transaction\n\
             {filled}\n\
             -- 3. {}",
            self.data_type,
            self.body,
            self.belongings(),
        )
    }

    fn contract(&self) -> String {
        let (table, trigger) = (quote_name(self.table), self.trigger());
        format!(
            "BEGIN;\nSET LOCAL lock_timeout = '2s';\nDROP TRIGGER {trigger} ON {table};\nDROP FUNCTION {trigger}();"
        )
    }

    /// What the old column has and the new one needs.
    fn belongings(&self) -> String {
        let mut found: Vec<String> = Vec::new();
        if let Some(known) = self.site.relation(self.table) {
            let about = |columns: &[String]| columns.iter().any(|column| column == self.old);
            if let Some(column) = known.column(self.old) {
                found.extend(column.not_null.then(|| "NOT NULL".to_owned()));
                found.extend(column.generated.map(|generated| match generated {
                    Generated::Identity => "IDENTITY".to_owned(),
                    Generated::Stored | Generated::Virtual => "GENERATED ALWAYS AS".to_owned(),
                }));
                found.extend(column.default.as_ref().map(|default| format!("DEFAULT {default}")));
            }
            let indexes = known.indexes.iter().filter(|index| {
                about(&index.predicate_columns) || index.keys.iter().any(|key| about(&key.columns))
            });
            found.extend(indexes.map(|index| format!("index {}", index.name)));
            let constraints = known.constraints.iter().filter(|constraint| {
                plimsoll_sql::schema::constrained_columns(&constraint.kind)
                    .iter()
                    .any(|column| *column == self.old)
            });
            found.extend(constraints.map(|constraint| format!("constraint {}", constraint.name)));
        }
        match found.is_empty() {
            true => format!(
                "the indexes, constraints, default and NOT NULL of {}, if it has any, concurrently on {}",
                self.old, self.new
            ),
            false => format!("on {}, concurrently, what {} has: {}", self.new, self.old, found.join(", ")),
        }
    }
}
