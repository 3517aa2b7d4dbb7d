//! Rows that are written in bulk under a strong lock, or all at once.

use plimsoll_core::{Claim, LockMode, Severity, Work};
use plimsoll_sql::Command;
use plimsoll_sql::command::{ConstraintKind, Modify, ModifyKind};
use plimsoll_sql::name::quote_identifier;
use plimsoll_sql::schema::ResolvedName;

use crate::context::{Context, Existing, Problem};
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
            let claim = match (held.relation == relation, all_rows) {
                (true, true) => table.claim(held.mode, Work::Scan),
                _ => Claim::Lock { relation: held.relation.to_string(), mode: held.mode, work: None },
            };
            (message, claim)
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
    problems.push(Problem::new(message, remedy(context, modify, &table), claim));
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
        held.mode >= LockMode::ShareRowExclusive
            && held.statement < context.index
            && (context.schema.has(&held.relation) || !context.schema.is_known())
    };
    let locks = || context.session.held().iter().filter(strong);
    let own = locks().filter(|held| held.relation == *relation).max_by_key(|held| held.mode);
    own.or_else(|| locks().max_by_key(|held| held.mode))
}

fn remedy(context: &Context, modify: &Modify, table: &Existing) -> String {
    let sql = &table.sql;
    let head = format!("Write in batches, {}, without a strong lock:", batches(context));
    let key = table.relation.and_then(|known| {
        known.constraints.iter().find_map(|constraint| match &constraint.kind {
            ConstraintKind::PrimaryKey(key) => key.columns.first().filter(|_| key.columns.len() == 1),
            _ => None,
        })
    });
    let statement = context.sql();
    let statement = statement.split_whitespace().collect::<Vec<_>>().join(" ");
    let short = statement.len() <= 300 && !statement.to_ascii_lowercase().contains(" returning ");
    match (modify.kind, key) {
        (ModifyKind::Update, Some(key)) if short => {
            let key = quote_identifier(key);
            let joint = if statement.to_ascii_lowercase().contains(" where ") { "AND" } else { "WHERE" };
            format!(
                "{head}\n{statement} {joint} {key} >= 1 AND {key} < 10001; -- then the next 10,000, and so on"
            )
        }
        (ModifyKind::Delete, _) if !modify.bounded => format!(
            "{head}\nDELETE FROM {sql} WHERE ctid = ANY (ARRAY(SELECT ctid FROM {sql} LIMIT 10000)); -- until it deletes no row"
        ),
        (ModifyKind::Delete, _) => format!(
            "{head}\nDELETE FROM {sql} WHERE ctid = ANY (ARRAY(SELECT ctid FROM {sql} WHERE … LIMIT 10000)); -- until it deletes \
             no row"
        ),
        (ModifyKind::Update, _) => format!(
            "{head}\nUPDATE {sql} SET … WHERE ctid = ANY (ARRAY(SELECT ctid FROM {sql} WHERE … LIMIT 10000)); -- the inner WHERE: \
             rows that aren't done yet; until it updates no row"
        ),
        _ => format!("{head}\nINSERT INTO {sql} SELECT … WHERE …; -- by ranges of the source's key"),
    }
}

fn batches(context: &Context) -> &'static str {
    match context.place.in_transaction() {
        true => "each in a transaction of its own, outside this migration or in a file without a transaction",
        false => "each in a transaction of its own",
    }
}
