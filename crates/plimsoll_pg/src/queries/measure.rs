//! One query on one state of the database.
//!
//! `EXPLAIN (ANALYZE, BUFFERS)` of an `EXECUTE`, in a transaction that is rolled back. The first
//! run of a session reads catalogs and fills caches: it warms up and isn't counted.

use std::time::Duration;

use plimsoll_core::{Measurement, SourceFile};
use plimsoll_sql::query_file::Query;
use tokio_postgres::Client;
use tokio_postgres::error::{DbError, ErrorPosition};

use super::plan::{Explained, PlanError};
use crate::server::{PrivateServer, ServerError};

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

/// A query that the server refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryFailure {
    /// SQLSTATE.
    pub sqlstate: String,
    /// The server's message.
    pub message: String,
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
    #[error("measure query {query}: {why}")]
    Plan {
        /// The query.
        query: String,
        /// What is wrong with the plan.
        why: PlanError,
    },
}

/// Measures a query in a session of its own.
///
/// # Errors
/// When the server is gone. A query that fails is an inner error.
pub async fn measure(
    server: &PrivateServer,
    database: &str,
    query: &PreparedQuery,
    settings: MeasureSettings,
) -> Result<Result<Measurement, QueryFailure>, MeasureError> {
    let client = server.connect(database).await?;
    match runs(&client, query, settings).await {
        Ok(explained) => {
            let summarized = summarize(explained);
            Ok(Ok(summarized.map_err(|why| MeasureError::Plan { query: query.query.name.clone(), why })?))
        }
        Err(error) => match error.as_db_error() {
            Some(refusal) => Ok(Err(failure(refusal, query))),
            None => {
                let death = server.death_within(Duration::from_secs(2)).await;
                let why = death.map_or_else(|| error.to_string(), |death| death.to_string());
                Err(MeasureError::Interrupted { query: query.query.name.clone(), why })
            }
        },
    }
}

async fn runs(
    client: &Client,
    query: &PreparedQuery,
    settings: MeasureSettings,
) -> Result<Vec<String>, tokio_postgres::Error> {
    // A generic plan after the fifth run would be another plan than the first four had.
    let session = format!(
        "SET statement_timeout = {}; SET plan_cache_mode = force_custom_plan",
        settings.timeout.as_millis()
    );
    client.batch_execute(&session).await?;
    client.batch_execute(&format!("PREPARE plimsoll_query AS {}", query.query.sql)).await?;
    let explain = format!(
        "EXPLAIN (ANALYZE, BUFFERS, VERBOSE, FORMAT JSON) EXECUTE plimsoll_query{}",
        arguments(&query.values)
    );
    let mut explained = Vec::new();
    for _ in 0..=settings.runs {
        client.batch_execute("BEGIN").await?;
        let answer = client.simple_query(&explain).await?;
        client.batch_execute("ROLLBACK").await?;
        let text = answer.into_iter().find_map(|message| match message {
            tokio_postgres::SimpleQueryMessage::Row(row) => row.get(0).map(ToOwned::to_owned),
            _ => None,
        });
        explained.extend(text);
    }
    Ok(explained)
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

fn summarize(explained: Vec<String>) -> Result<Measurement, PlanError> {
    let mut runs =
        explained.iter().skip(1).map(|text| Explained::parse(text)).collect::<Result<Vec<_>, _>>()?;
    let mut times: Vec<f64> = runs.iter().map(|run| run.execution_ms).collect();
    times.sort_by(f64::total_cmp);
    let last = runs.pop().ok_or(PlanError::NoPlan)?;
    let middle = times.len() / 2;
    let time_ms = if times.len().is_multiple_of(2) {
        f64::midpoint(times[middle - 1], times[middle])
    } else {
        times[middle]
    };
    Ok(Measurement {
        shared_buffers: last.plan.shared_buffers,
        temp_blocks: last.temp_blocks,
        rows: last.rows,
        cost: last.plan.cost,
        time_ms,
        runs: times.len(),
        plan: last.plan,
    })
}

fn failure(refusal: &DbError, query: &PreparedQuery) -> QueryFailure {
    let mut message = refusal.message().to_owned();
    if let Some(ErrorPosition::Original(position)) = refusal.position()
        && query.values.is_empty()
    {
        let prefix = "PREPARE plimsoll_query AS ".len();
        let offset = (*position as usize).saturating_sub(1 + prefix);
        let text = &query.source.text()[query.query.range.clone()];
        let bytes = text.char_indices().nth(offset).map_or(text.len(), |(at, _)| at);
        let (line, column) = query.source.line_column(query.query.range.start + bytes);
        message = format!("{message} (at {}:{line}:{column})", query.source.name());
    }
    QueryFailure { sqlstate: refusal.code().code().to_owned(), message }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_become_literals() {
        assert_eq!(arguments(&[]), "");
        assert_eq!(arguments(&[Some("it's".into()), None]), "('it''s', NULL)");
    }
}
