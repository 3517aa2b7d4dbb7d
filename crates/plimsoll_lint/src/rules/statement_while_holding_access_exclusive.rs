//! Work that goes on while an earlier statement's lock keeps everybody out of a table.

use plimsoll_core::lock::Blocks;
use plimsoll_core::{Claim, LockMode, Severity, Work};
use plimsoll_sql::command::{Expression, ModifyKind};
use plimsoll_sql::effects::{Cause, Effect};
use plimsoll_sql::volatility::volatile_call;
use plimsoll_sql::{Command, ObjectName};

use crate::context::{Context, Problem, kept_out_by};
use crate::rule::{Group, Rule};
use crate::session::Held;

const ID: &str = "statement-while-holding-access-exclusive";

pub(super) const RULE: Rule = Rule {
    id: ID,
    group: Group::Locks,
    on_by_default: true,
    other_tools: &[
        ("eugene", "E4"),
        ("postgres-language-server", "runningStatementWhileHoldingAccessExclusive"),
        ("pgfence", "statement-after-access-exclusive"),
    ],
    severity: Severity::Warning,
    page: include_str!("statement_while_holding_access_exclusive.md"),
    check,
};

fn check(context: &Context, problems: &mut Vec<Problem>) {
    if !is_backfill(context)
        && let Some((effect, held)) = context.read_under_lock()
    {
        let message = format!(
            "this reads all of {} while {}, since line {}, until the transaction ends",
            context.sized(&effect.relation),
            kept_out_by(held.mode),
            context.line_of_statement(held.statement)
        );
        let claim =
            Claim::Lock { relation: held.relation.to_string(), mode: held.mode, work: Some(Work::Scan) };
        problems.push(Problem::new(message, remedy(context, held), claim).severity(Severity::Error));
        return;
    }
    if context.session.told_in_transaction(ID) {
        return;
    }
    let Some(held) = context.session.held().iter().find(|held| {
        held.mode == LockMode::AccessExclusive && held.statement < context.index && !held.dropped
    }) else {
        return;
    };
    let Some(work) = long_work(context) else { return };
    let message = format!(
        "{work} while nobody can read or write {}, which line {} locked",
        context.sized(&held.relation),
        context.line_of_statement(held.statement)
    );
    let claim =
        Claim::Lock { relation: held.relation.to_string(), mode: LockMode::AccessExclusive, work: None };
    problems.push(Problem::new(message, remedy(context, held), claim));
}

/// Whether rows of an existing table are written, of which that rule tells.
fn is_backfill(context: &Context) -> bool {
    matches!(context.command, Command::Modify(modify) if !context.schema.is_new(&modify.table))
}

fn remedy(context: &Context, held: &Held) -> String {
    format!(
        "Run it before line {}, or {}; let statements that lock a table be the transaction's last.",
        context.line_of_statement(held.statement),
        context.elsewhere()
    )
}

/// What a statement does that may take long, unless another rule tells of it.
fn long_work(context: &Context) -> Option<String> {
    let works = |effect: &&Effect| {
        effect.work.is_some() && !matches!(effect.cause, Cause::Data | Cause::ConcurrentRefresh)
    };
    if context.effects.iter().filter(works).any(|effect| effect.mode.blocks() != Blocks::Nothing) {
        return None;
    }
    if let Some(effect) = context.effects.iter().find(works) {
        let held = context.session.held_on(&effect.relation);
        let told = held.is_some_and(|held| held.mode >= LockMode::ShareRowExclusive);
        // A concurrent build fails in a transaction, and that is told.
        let reads = effect.cause == Cause::Validate && !told;
        return reads.then(|| format!("this reads all of {}", context.sized(&effect.relation)));
    }
    match context.command {
        Command::Refresh { name, concurrently: true, .. } => {
            Some(format!("this runs the query of {}", context.schema.resolve(name)))
        }
        Command::CreateTableAs { name, .. } if fills(context) => {
            Some(format!("this runs the query that fills {}", name.name))
        }
        Command::CreateView(view) if view.materialized && fills(context) && !view.reads.is_empty() => {
            Some(format!("this runs the query that fills {}", view.name.name))
        }
        Command::Modify(modify) if modify.kind == ModifyKind::InsertSelect => {
            // Into a table that existed it is a backfill, of which that rule tells.
            context
                .schema
                .is_new(&modify.table)
                .then(|| format!("this runs the query that fills {}", modify.table.name))
        }
        Command::CreateIndex(index) if context.schema.is_new(&index.table) => {
            let known = context.schema.relation(&index.table)?;
            // Made from a query: it may hold any number of rows.
            (!known.columns_known).then(|| format!("this builds an index on {}", index.table.name))
        }
        Command::Query { calls, .. } => {
            let call = calls.iter().find(|call| is_unknown(context, call))?;
            Some(format!("this calls {call}(), of which nothing is known,"))
        }
        Command::CopyFromStdin => Some("this loads rows".to_owned()),
        _ => None,
    }
}

fn fills(context: &Context) -> bool {
    let words: Vec<String> = context.sql().split_whitespace().map(str::to_ascii_lowercase).collect();
    !words.ends_with(&["with".to_owned(), "no".to_owned(), "data".to_owned()])
}

/// Whether a function is neither PostgreSQL's own nor in the schema.
fn is_unknown(context: &Context, name: &ObjectName) -> bool {
    const OWN_AND_VOLATILE: [&str; 9] = [
        "clock_timestamp",
        "currval",
        "gen_random_uuid",
        "lastval",
        "nextval",
        "random",
        "set_config",
        "setval",
        "timeofday",
    ];
    let call = Expression { calls: vec![name.clone()], ..Expression::default() };
    context.schema.function(name).is_none()
        && volatile_call(&call, context.schema).is_some()
        && !OWN_AND_VOLATILE.contains(&name.name.as_str())
        && !name.name.starts_with("pg_")
}
