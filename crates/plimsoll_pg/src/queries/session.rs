//! Sessions in which queries are measured, so that the same is seen each time.

use std::time::Duration;

use plimsoll_regress::Failed;
use tokio_postgres::Client;
use tokio_postgres::error::DbError;

use super::facts::{State, read_state};
use super::measure::{self, MeasureError, MeasureSettings, PreparedQuery, Taken, Thoroughness, Trouble};
use crate::server::PrivateServer;

/// A generic plan after the fifth run would be another plan than the first four had. A scan that begins where another one is returns
/// other rows first. Workers come or don't, and share the work by chance: plans have them, and the leader runs their part.
const SESSION: &str =
    "SET plan_cache_mode = force_custom_plan; SET synchronize_seqscans = off; SET max_parallel_workers = 0";

/// A session in which queries are measured.
pub struct MeasuringSession<'a> {
    server: &'a PrivateServer,
    client: Client,
}

impl<'a> MeasuringSession<'a> {
    /// Connects to a database.
    ///
    /// # Errors
    /// When the server is gone.
    pub async fn open(server: &'a PrivateServer, database: &str) -> Result<Self, MeasureError> {
        let client = server.connect(database).await?;
        let session = Self { server, client };
        match session.client.batch_execute(SESSION).await {
            Ok(()) => Ok(session),
            Err(error) => Err(session.interrupted("any", &error).await),
        }
    }

    /// Reads what explains the plans of the database, as another session sees it.
    ///
    /// # Errors
    /// When the server is gone.
    pub async fn state(&self, database: &str) -> Result<State, MeasureError> {
        let client = self.server.connect(database).await?;
        let major = self.server.server_version().major;
        match read_state(&client, major).await {
            Ok(state) => Ok(state),
            Err(error) => Err(self.interrupted("any", &error).await),
        }
    }

    /// Measures a query. One that fails is an inner error.
    ///
    /// # Errors
    /// When the server is gone.
    pub async fn measure(
        &self,
        query: &PreparedQuery,
        settings: MeasureSettings,
        thoroughness: Thoroughness,
    ) -> Result<Result<Taken, Failed>, MeasureError> {
        let taken = measure::take(&self.client, query, settings, thoroughness).await;
        self.told(taken, query, settings.timeout).await
    }

    /// Plans a query without running it: what is taken has nothing but a cost and a shape, and no runs.
    ///
    /// # Errors
    /// When the server is gone.
    pub async fn plan(
        &self,
        query: &PreparedQuery,
        timeout: Duration,
    ) -> Result<Result<Taken, Failed>, MeasureError> {
        let planned = measure::plan(&self.client, query, timeout).await;
        self.told(planned, query, timeout).await
    }

    /// Removes the dead rows that a writing query left behind when it was rolled back.
    ///
    /// # Errors
    /// When the server is gone.
    pub async fn tidy(&self, taken: &Taken) -> Result<(), MeasureError> {
        let mut written = std::collections::BTreeSet::new();
        taken.plan.root.walk(&mut |node| {
            if node.node_type == "ModifyTable" {
                written.insert((
                    node.schema.clone().unwrap_or_default(),
                    node.relation.clone().unwrap_or_default(),
                ));
            }
        });
        let quoted = |name: &str| format!("\"{}\"", name.replace('"', "\"\""));
        for (schema, relation) in written {
            let vacuum = format!("VACUUM {}.{}", quoted(&schema), quoted(&relation));
            match self.client.batch_execute(&vacuum).await {
                // A view that is written through isn't vacuumed.
                Err(error) if error.as_db_error().is_none() => {
                    return Err(self.interrupted("any", &error).await);
                }
                _ => {}
            }
        }
        Ok(())
    }

    async fn told<Answer>(
        &self,
        answer: Result<Answer, Trouble>,
        query: &PreparedQuery,
        timeout: Duration,
    ) -> Result<Result<Answer, Failed>, MeasureError> {
        let failed = |refusal: &DbError| measure::failure(refusal, query, timeout);
        self.unless_gone(answer, &query.query.name, failed).await
    }

    /// Tells what PostgreSQL refuses, which is an inner error in its words, from a server that is gone.
    pub(super) async fn refused<Answer>(
        &self,
        answer: Result<Answer, impl Into<Trouble>>,
    ) -> Result<Result<Answer, String>, MeasureError> {
        let in_its_words = |refusal: &DbError| refusal.message().to_owned();
        self.unless_gone(answer.map_err(Into::into), "any", in_its_words).await
    }

    async fn unless_gone<Answer, Refused>(
        &self,
        answer: Result<Answer, Trouble>,
        query: &str,
        refused: impl FnOnce(&DbError) -> Refused,
    ) -> Result<Result<Answer, Refused>, MeasureError> {
        match answer {
            Ok(answer) => Ok(Ok(answer)),
            Err(Trouble::Plan(why)) => Err(MeasureError::Plan { query: query.to_owned(), why }),
            Err(Trouble::Postgres(error)) => match error.as_db_error() {
                // FATAL and PANIC end the session.
                Some(refusal) if !self.client.is_closed() => Ok(Err(refused(refusal))),
                _ => Err(self.interrupted(query, &error).await),
            },
        }
    }

    pub(super) async fn interrupted(&self, query: &str, error: &tokio_postgres::Error) -> MeasureError {
        let death = self.server.death_within(Duration::from_secs(2)).await;
        let why = death.map_or_else(|| error.to_string(), |death| death.to_string());
        MeasureError::Interrupted { query: query.to_owned(), why }
    }

    pub(super) fn client(&self) -> &Client {
        &self.client
    }
}
