//! A connection that sends requests, each as a prepared statement, as drivers with a cache of them do. What can't be
//! prepared is sent as it is.

use plimsoll_core::workload::WorkloadStatement;
use tokio_postgres::Client;

use crate::queries::arguments;

pub(super) struct RequestSession {
    client: Client,
    /// What to send for each statement.
    requests: Vec<Requests>,
    /// Their texts.
    prepared: Vec<String>,
}

/// The texts of a statement, one a set of parameters.
struct Requests(Vec<String>);

impl RequestSession {
    /// Prepares every statement.
    ///
    /// # Errors
    /// With the index of a statement that can be neither prepared nor, lacking parameters, sent as it is.
    pub(super) async fn prepare(
        client: Client,
        statements: &[WorkloadStatement],
    ) -> Result<Self, (usize, tokio_postgres::Error)> {
        let mut requests = Vec::new();
        for (index, statement) in statements.iter().enumerate() {
            let prepared =
                client.batch_execute(&format!("PREPARE request_{index} AS {}", statement.sql)).await;
            requests.push(match prepared {
                Ok(()) => Requests(executions(index, statement)),
                Err(error) if error.as_db_error().is_none() => return Err((index, error)),
                Err(error) if has_parameters(statement) || !is_syntax_error(&error) => {
                    return Err((index, error));
                }
                // CALL, SET, BEGIN and their like: a syntax error behind PREPARE.
                Err(_) => Requests(vec![statement.sql.clone()]),
            });
        }
        let prepared = statements.iter().map(|statement| statement.sql.clone()).collect();
        Ok(Self { client, requests, prepared })
    }

    /// Sends a statement with the parameters whose turn it is.
    pub(super) async fn send(&self, statement: usize, number: usize) -> Result<(), tokio_postgres::Error> {
        let Some(Requests(texts)) = self.requests.get(statement) else { return Ok(()) };
        let Some(text) = texts.get(number % texts.len().max(1)) else { return Ok(()) };
        self.client.simple_query(text).await.map(drop)
    }

    /// Prepares a statement anew, whose result has another type now. If that fails, so will its requests.
    pub(super) async fn prepare_again(&self, statement: usize) {
        let Some(sql) = self.prepared.get(statement) else { return };
        let again = format!("DEALLOCATE request_{statement}; PREPARE request_{statement} AS {sql}");
        self.client.batch_execute(&again).await.unwrap_or_default();
    }

    /// How many sets of parameters a statement has; at least one.
    pub(super) fn sets(&self, statement: usize) -> usize {
        self.requests.get(statement).map_or(1, |Requests(texts)| texts.len())
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }
}

fn executions(index: usize, statement: &WorkloadStatement) -> Vec<String> {
    let execute = |set: &[Option<String>]| format!("EXECUTE request_{index}{}", arguments(set));
    match &statement.parameters[..] {
        [] => vec![execute(&[])],
        sets => sets.iter().map(|set| execute(set)).collect(),
    }
}

fn has_parameters(statement: &WorkloadStatement) -> bool {
    statement.parameters.iter().any(|set| !set.is_empty())
}

fn is_syntax_error(error: &tokio_postgres::Error) -> bool {
    error.code() == Some(&tokio_postgres::error::SqlState::SYNTAX_ERROR)
}
