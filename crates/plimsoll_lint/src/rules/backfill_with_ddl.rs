//! Rows that are written in bulk under a strong lock, or all at once.

use plimsoll_core::{Claim, LockMode, Severity, Work};
use plimsoll_sql::Command;
use plimsoll_sql::command::{ConstraintKind, Modify, ModifyKind};
use plimsoll_sql::name::quote_identifier;
use plimsoll_sql::schema::ResolvedName;

use crate::context::{Context, Existing, Problem, kept_out_by};
use crate::precedence::ALL_ROWS;
use crate::rule::{Group, Rule};
use crate::session::Held;

const ID: &str = "backfill-with-ddl";

pub(super) const RULE: Rule = Rule {
    id: ID,
    group: Group::Locks,
    on_by_default: true,
    other_tools: &[
        ("postgres-language-server", "banUpdateWithoutWhere"),
        ("postgres-language-server", "banDeleteWithoutWhere"),
        ("pgfence", "update-in-migration"),
        ("pgfence", "delete-without-where"),
    ],
    severity: Severity::Warning,
    page: include_str!("backfill_with_ddl.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    let Command::Modify(modify) = context.command else { return };
    let Some(verb) = verb(modify.kind) else { return };
    let Some(table) = context.existing(&modify.table) else { return };
    let relation = context.schema.resolve(&modify.table);
    if let Some((effect, held)) = context.read_under_lock() {
        let what = match effect.relation == relation {
            true => format!("{verb} rows of"),
            false => "reads all of".to_owned(),
        };
        let message = format!(
            "this {what} {} while {}, which line {} locked by {}, until the transaction ends",
            context.sized(&effect.relation),
            kept_out_by(held.mode),
            context.line_of_statement(held.statement),
            held.mode.sql(),
        );
        let claim =
            Claim::Lock { relation: held.relation.to_string(), mode: held.mode, work: Some(Work::Scan) };
        let problem = Problem::new(message, remedy(context, modify, &table), claim);
        problems.push(problem.severity(Severity::Error));
        return;
    }
    let all_rows = !modify.bounded && matches!(modify.kind, ModifyKind::Update | ModifyKind::Delete);
    let held = strong_lock(context, &relation).filter(|_| !context.session.told_in_transaction(ID));
    let (message, claim) = match held {
        Some(held) => {
            let message = format!(
                "this {verb} rows of {} while {} {}, which line {} locked by {}, until the transaction ends",
                context.sized(&relation),
                match held.mode {
                    LockMode::AccessExclusive => "nobody can read or write",
                    _ => "nobody can write to",
                },
                if held.relation == relation { "it".to_owned() } else { held.relation.to_string() },
                context.line_of_statement(held.statement),
                held.mode.sql(),
            );
            (message, Claim::Lock { relation: held.relation.to_string(), mode: held.mode, work: None })
        }
        None if all_rows => {
            let message = format!(
                "this {verb} all of {} in one transaction: each row stays locked until it ends, and neither vacuum nor replicas \
                 keep up",
                context.sized(&relation)
            );
            (message, table.claim(LockMode::RowExclusive, Work::Scan))
        }
        None => return,
    };
    let problem = Problem::new(message, remedy(context, modify, &table), claim);
    let subject = held.is_none().then(|| ALL_ROWS.to_owned());
    problems.push(Problem { subject, ..problem });
}

fn verb(kind: ModifyKind) -> Option<&'static str> {
    match kind {
        ModifyKind::Update => Some("updates"),
        ModifyKind::Delete => Some("deletes"),
        ModifyKind::InsertSelect => Some("inserts"),
        ModifyKind::Merge => Some("merges"),
        ModifyKind::InsertValues => None,
    }
}

/// A lock of an earlier statement that blocks writers of a table that is still there, the
/// statement's own table first.
fn strong_lock<'a>(context: &'a Context, relation: &ResolvedName) -> Option<&'a Held> {
    let strong = |held: &&Held| {
        held.mode >= LockMode::ShareRowExclusive && held.statement < context.index && !held.dropped
    };
    let locks = || context.session.held().iter().filter(strong);
    let own = locks().filter(|held| held.relation == *relation).max_by_key(|held| held.mode);
    own.or_else(|| locks().max_by_key(|held| held.mode))
}

fn remedy(context: &Context, modify: &Modify, table: &Existing) -> String {
    let sql = &table.sql;
    let head = match context.place.in_transaction() {
        true => {
            "Write in batches, each in a transaction of its own that holds no such lock, in a file that the tool doesn't wrap:"
        }
        false => "Write in batches, each in a transaction of its own:",
    };
    let spelled_out = match modify.kind {
        ModifyKind::Update => single_key(table).and_then(|key| in_ranges(context, &quote_identifier(key))),
        _ => None,
    };
    let batch = match (spelled_out, modify.kind) {
        (Some(batch), _) => batch,
        (None, ModifyKind::Delete) if !modify.bounded => format!(
            "DELETE FROM {sql} WHERE ctid = ANY (ARRAY(SELECT ctid FROM {sql} LIMIT 10000)); -- until it deletes no row"
        ),
        (None, ModifyKind::Delete) => format!(
            "DELETE FROM {sql} WHERE ctid = ANY (ARRAY(SELECT ctid FROM {sql} WHERE … LIMIT 10000)); -- until it deletes no row"
        ),
        (None, ModifyKind::Update) => format!(
            "UPDATE {sql} SET … WHERE ctid = ANY (ARRAY(SELECT ctid FROM {sql} WHERE … LIMIT 10000)); -- the inner WHERE: rows \
             that aren't done yet; until it updates no row"
        ),
        _ => format!("INSERT INTO {sql} SELECT … WHERE …; -- by ranges of the source's key"),
    };
    format!("{head}\n{batch}")
}

/// The primary key, if it is one column.
fn single_key<'a>(table: &Existing<'a>) -> Option<&'a String> {
    table.relation?.constraints.iter().find_map(|constraint| match &constraint.kind {
        ConstraintKind::PrimaryKey(key) => key.columns.first().filter(|_| key.columns.len() == 1),
        _ => None,
    })
}

/// The statement for the rows of a range of keys, where its text is so plain that another
/// condition can be put behind it.
fn in_ranges(context: &Context, key: &str) -> Option<String> {
    let sql = context.sql();
    let words: Vec<String> = sql.split_whitespace().map(str::to_ascii_lowercase).collect();
    let has = |word: &str| words.iter().any(|own| own == word);
    if sql.len() > 300 || ["returning", "from", "current", "--"].into_iter().any(has) {
        return None;
    }
    let range = format!("{key} >= 1 AND {key} < 10001; -- then the next 10,000, and so on");
    match words.iter().filter(|word| *word == "where").count() {
        0 => Some(format!("{sql} WHERE {range}")),
        1 => {
            let at = sql.to_ascii_lowercase().find("where")?;
            let (head, condition) = (sql.get(..at)?, sql.get(at + "where".len()..)?);
            Some(format!("{head}WHERE ({}) AND {range}", condition.trim()))
        }
        _ => None,
    }
}
