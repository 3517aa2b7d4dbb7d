//! One query with one set of values, on one state of the database.
//!
//! Everything runs in transactions that are rolled back. The query itself is run first: that warms up the session and its caches,
//! and gives the result; then `EXPLAIN (ANALYZE, BUFFERS)` of the same.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use plimsoll_core::{Measurement, Plan, PlanNode, SourceFile};
use plimsoll_explain::{ReadError, from_json};
use plimsoll_regress::{Failed, ResultSum, Run};
use plimsoll_sql::query_file::Query;
use plimsoll_sql::{asks_for_an_order, asks_for_the_moment};
use tokio_postgres::error::{DbError, ErrorPosition};
use tokio_postgres::{Client, SimpleQueryMessage};

use super::result::{Repeats, Sums};
use crate::server::ServerError;

/// A query with the values of its parameters.
#[derive(Clone, Debug)]
pub struct PreparedQuery {
    /// The query.
    pub query: Query,
    /// The file that it stands in.
    pub source: SourceFile,
    /// A value for each parameter, as text; `None` is NULL.
    pub values: Vec<Option<String>>,
}

/// How queries are measured.
#[derive(Clone, Copy, Debug)]
pub struct MeasureSettings {
    /// Runs after the warm-up; at least one.
    pub runs: usize,
    /// A run that lasts longer fails.
    pub timeout: Duration,
}

/// What is found out about a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Thoroughness {
    /// How far it repeats: the query is run once more, with another plan. Its rows stay.
    FindOut,
    /// The same, of rows that are loaded anew each time: what a default such as `now()` has given them doesn't repeat.
    FindOutOfSeed,
    /// That is known.
    Known(Repeats),
}

/// What was seen of a query.
#[derive(Clone, Debug, PartialEq)]
pub struct Taken {
    /// What repeats.
    pub run: Run,
    /// How far its result does.
    pub repeats: Repeats,
    /// The plan of the last run, with all that EXPLAIN printed.
    pub plan: Plan,
    /// Median execution time of the runs after the warm-up, in milliseconds.
    pub time_ms: f64,
    /// Runs after the warm-up.
    pub runs: usize,
    /// What it does that a rollback doesn't take back, and what it sets off, in words.
    pub side_effects: Vec<String>,
}

impl Taken {
    /// What a report shows.
    #[must_use]
    pub fn measurement(&self) -> Measurement {
        Measurement {
            shared_buffers: self.run.shared(),
            temp_blocks: self.run.temp(),
            rows: rows(&self.plan.root),
            cost: self.run.cost,
            time_ms: (self.runs > 0).then_some(self.time_ms),
            runs: self.runs,
            plan: self.plan.root.clone(),
        }
    }

    /// Whether it inserts, updates, deletes or merges.
    #[must_use]
    pub fn writes(&self) -> bool {
        writes(&self.plan.root)
    }
}

/// Why nothing can be measured.
#[derive(Debug, thiserror::Error)]
pub enum MeasureError {
    /// The private server refuses connections, or is gone.
    #[error(transparent)]
    Server(#[from] ServerError),
    /// The server ended while a query ran.
    #[error("measure query {query}: the private server is gone: {why}")]
    Interrupted {
        /// The query.
        query: String,
        /// How the server ended.
        why: String,
    },
    /// The server's EXPLAIN is not of the form that we know.
    #[error("measure query {query}: read the server's plan: {why}")]
    Plan {
        /// The query.
        query: String,
        /// What is wrong with the plan.
        why: ReadError,
    },
}

/// Why a query gave nothing: the server's refusal, or ours to go on.
pub(super) enum Trouble {
    Postgres(tokio_postgres::Error),
    Plan(ReadError),
}

impl From<tokio_postgres::Error> for Trouble {
    fn from(error: tokio_postgres::Error) -> Self {
        Self::Postgres(error)
    }
}

impl From<ReadError> for Trouble {
    fn from(error: ReadError) -> Self {
        Self::Plan(error)
    }
}

const EXPLAIN: &str = "EXPLAIN (ANALYZE, BUFFERS, WAL, VERBOSE, SETTINGS, FORMAT JSON) ";

/// Another plan for the same rows: what comes out otherwise hangs on the plan.
const ANOTHER_PLAN: &str = "SET LOCAL enable_hashjoin = off; SET LOCAL enable_hashagg = off; SET LOCAL enable_indexscan = off; \
                            SET LOCAL enable_indexonlyscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL work_mem = '64kB'";

/// How much longer than the query itself its other plan may take.
const PATIENCE: u32 = 10;
const LEAST_PATIENCE: Duration = Duration::from_secs(1);

/// Measures a query in a session that was prepared for it.
pub(super) async fn take(
    client: &Client,
    query: &PreparedQuery,
    settings: MeasureSettings,
    thoroughness: Thoroughness,
) -> Result<Taken, Trouble> {
    let execute = prepare(client, query, settings.timeout).await?;
    let planned = explained(client, &format!("EXPLAIN (VERBOSE, FORMAT JSON) {execute}")).await?;
    let has_effects = writes(&planned.root) || query.query.sql.to_ascii_lowercase().contains("nextval");
    let sequences = if has_effects { sequences(client).await? } else { BTreeMap::new() };
    let began = Instant::now();
    let sums = rolled_back(client, async || Sums::of(client, &execute).await).await?;
    let lasted = began.elapsed();
    let mut plans = Vec::new();
    let explain = format!("{EXPLAIN}{execute}");
    for _ in 0..settings.runs.max(1) {
        plans.push(rolled_back(client, async || explained(client, &explain).await).await?);
    }
    let repeats = match thoroughness {
        Thoroughness::Known(repeats) => repeats,
        _ if asks_for_the_moment(&query.query.sql) => Repeats::Not,
        Thoroughness::FindOutOfSeed if shows_a_moment(client, &planned.root).await? => Repeats::Not,
        Thoroughness::FindOut | Thoroughness::FindOutOfSeed => {
            let patience = (lasted * PATIENCE).max(LEAST_PATIENCE).min(settings.timeout);
            find_out(client, &execute, &sums, asks_for_an_order(&query.query.sql), patience).await?
        }
    };
    let mut side_effects = Vec::new();
    if has_effects {
        let now = self::sequences(client).await?;
        let moved = now.iter().filter(|(name, value)| sequences.get(*name) != Some(*value));
        side_effects
            .extend(moved.map(|(name, _)| format!("advances sequence {name}, which no rollback takes back")));
    }
    let times = times(&plans);
    let plan = plans.pop().unwrap_or_default();
    side_effects.extend(plan.triggers.iter().filter(|one| one.constraint.is_none()).map(|trigger| {
        format!("fires trigger {} on {}", trigger.name, trigger.relation.as_deref().unwrap_or("a relation"))
    }));
    Ok(Taken {
        run: Run::of(&plan.root, sums.recorded(repeats)),
        repeats,
        time_ms: median(times),
        runs: settings.runs.max(1),
        plan,
        side_effects,
    })
}

/// Plans a query alone.
pub(super) async fn plan(
    client: &Client,
    query: &PreparedQuery,
    timeout: Duration,
) -> Result<Taken, Trouble> {
    let execute = prepare(client, query, timeout).await?;
    let plan = explained(client, &format!("EXPLAIN (VERBOSE, SETTINGS, FORMAT JSON) {execute}")).await?;
    Ok(Taken {
        run: Run::of(&plan.root, ResultSum::default()),
        repeats: Repeats::Not,
        plan,
        time_ms: 0.0,
        runs: 0,
        side_effects: Vec::new(),
    })
}

/// Prepares a query; returns the text that executes it.
pub(super) async fn prepare(
    client: &Client,
    query: &PreparedQuery,
    timeout: Duration,
) -> Result<String, tokio_postgres::Error> {
    let prepare = format!(
        "SET statement_timeout = {}; DEALLOCATE ALL; PREPARE plimsoll_query AS {}",
        timeout.as_millis(),
        query.query.sql
    );
    client.batch_execute(&prepare).await?;
    Ok(format!("EXECUTE plimsoll_query{}", arguments(&query.values)))
}

/// Runs something in a transaction that is rolled back, whatever came of it.
pub(super) async fn rolled_back<Answer, Why: From<tokio_postgres::Error>>(
    client: &Client,
    run: impl AsyncFnOnce() -> Result<Answer, Why>,
) -> Result<Answer, Why> {
    client.batch_execute("BEGIN").await?;
    let answer = run().await;
    let ended = client.batch_execute("ROLLBACK").await;
    let answer = answer?;
    ended?;
    Ok(answer)
}

/// The plan that an EXPLAIN prints.
pub(super) async fn explained(client: &Client, explain: &str) -> Result<Plan, Trouble> {
    let answer = client.simple_query(explain).await?;
    let text = answer.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0),
        _ => None,
    });
    let mut plans = from_json(text.unwrap_or_default())?;
    Ok(plans.swap_remove(0))
}

/// Runs the query again, with another plan.
async fn find_out(
    client: &Client,
    execute: &str,
    sums: &Sums,
    is_ordered: bool,
    patience: Duration,
) -> Result<Repeats, tokio_postgres::Error> {
    let again = rolled_back(client, async || {
        client.batch_execute(ANOTHER_PLAN).await?;
        client.batch_execute(&format!("SET LOCAL statement_timeout = {}", patience.as_millis())).await?;
        Sums::of(client, execute).await
    });
    match again.await {
        Ok(again) => Ok(sums.repeats(&again, is_ordered)),
        // The other plan takes too long, or divides by zero where this one doesn't: then this result is all that is known.
        Err(error) if error.as_db_error().is_some() => {
            Ok(if is_ordered { Repeats::InOrder } else { Repeats::AsASet })
        }
        Err(error) => Err(error),
    }
}

/// Whether a query returns, or asks for, a column whose default is the time or chance.
async fn shows_a_moment(client: &Client, root: &PlanNode) -> Result<bool, tokio_postgres::Error> {
    let mut relations = BTreeSet::new();
    let mut texts: Vec<&str> = root.output.iter().map(String::as_str).collect();
    root.walk(&mut |node| {
        relations.extend(node.qualified());
        texts.extend(node.conditions.iter().map(|one| one.text.as_str()));
    });
    let answer = client.simple_query(DEFAULTS).await?;
    Ok(answer.iter().any(|message| match message {
        SimpleQueryMessage::Row(row) => {
            let [relation, column, default] = [0, 1, 2].map(|at| row.get(at).unwrap_or_default());
            relations.contains(relation)
                && asks_for_the_moment(default)
                && texts.iter().any(|text| names(text, column))
        }
        _ => false,
    }))
}

/// Columns with a default, and the default.
const DEFAULTS: &str = "select n.nspname || '.' || c.relname, a.attname, pg_get_expr(d.adbin, d.adrelid) \
    from pg_attrdef d join pg_class c on c.oid = d.adrelid join pg_namespace n on n.oid = c.relnamespace \
    join pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum \
    where a.attgenerated = '' and pg_get_expr(d.adbin, d.adrelid) !~ '^nextval'";

/// Whether an expression has a word.
fn names(expression: &str, word: &str) -> bool {
    expression.split(|letter: char| !(letter.is_alphanumeric() || letter == '_')).any(|part| part == word)
}

async fn sequences(client: &Client) -> Result<BTreeMap<String, String>, tokio_postgres::Error> {
    let sql = "select schemaname || '.' || sequencename, coalesce(last_value::text, '') from pg_sequences";
    let answer = client.simple_query(sql).await?;
    let entry = |message: &SimpleQueryMessage| match message {
        SimpleQueryMessage::Row(row) => Some((row.get(0)?.to_owned(), row.get(1)?.to_owned())),
        _ => None,
    };
    Ok(answer.iter().filter_map(entry).collect())
}

fn times(plans: &[Plan]) -> Vec<f64> {
    plans.iter().filter_map(|plan| plan.execution_ms).collect()
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    let middle = times.len() / 2;
    match times.len() {
        0 => 0.0,
        even if even.is_multiple_of(2) => f64::midpoint(times[middle - 1], times[middle]),
        _ => times[middle],
    }
}

/// Whether a plan inserts, updates, deletes or merges.
pub(super) fn writes(plan: &PlanNode) -> bool {
    plan.node_type == "ModifyTable" || plan.children.iter().any(writes)
}

/// Rows returned; what a writing node got from below it when it returns none.
fn rows(node: &PlanNode) -> u64 {
    match node.children.first() {
        Some(input) if node.node_type == "ModifyTable" && node.total_rows() == 0.0 => rows(input),
        _ => node.total_rows().round() as u64,
    }
}

/// `('42', NULL)`: literals of unknown type take the parameter's type.
pub(crate) fn arguments(values: &[Option<String>]) -> String {
    if values.is_empty() {
        return String::new();
    }
    let literal = |value: &Option<String>| match value {
        // Doubling quotes suffices: standard_conforming_strings is on.
        Some(value) => format!("'{}'", value.replace('\'', "''")),
        None => "NULL".to_owned(),
    };
    format!("({})", values.iter().map(literal).collect::<Vec<_>>().join(", "))
}

/// What the server said to a query, with the place in its file where the text is as it was sent.
pub(super) fn failure(refusal: &DbError, query: &PreparedQuery, timeout: Duration) -> Failed {
    let mut message = refusal.message().to_owned();
    if let Some(ErrorPosition::Original(position)) = refusal.position()
        && query.values.is_empty()
        && let Some(offset) = (*position as usize).checked_sub(1 + preamble(timeout))
    {
        let text = &query.source.text()[query.query.range.clone()];
        let bytes = text.char_indices().nth(offset).map_or(text.len(), |(at, _)| at);
        let (line, column) = query.source.line_column(query.query.range.start + bytes);
        message = format!("{message} (at {}:{line}:{column})", query.source.name());
    }
    if refusal.code().code() == "57014" {
        message = format!("{message}: it ran for {} s", timeout.as_secs_f64());
    }
    Failed { sqlstate: refusal.code().code().to_owned(), message }
}

/// Characters that [`prepare`] sends before the query.
fn preamble(timeout: Duration) -> usize {
    format!("SET statement_timeout = {}; DEALLOCATE ALL; PREPARE plimsoll_query AS ", timeout.as_millis())
        .len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_become_literals() {
        assert_eq!(arguments(&[]), "");
        assert_eq!(arguments(&[Some("it's".into()), None]), "('it''s', NULL)");
    }

    #[test]
    fn a_median_is_the_middle() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 1.0]), 2.5);
        assert_eq!(median(Vec::new()), 0.0);
    }
}
