//! Statements that commit by themselves (`CREATE INDEX CONCURRENTLY`, `VACUUM`, …): their locks
//! are sampled while they run, since none is left at their end.
//!
//! A gate session makes short locks visible: it holds `ROW EXCLUSIVE` and a snapshot on the table,
//! for which such statements wait between their phases with their locks in hand. `VACUUM` has no
//! such phases, and waits for a stronger gate at its start. The gate lets go once the statement is
//! seen waiting, so that it costs a millisecond or two, which are taken off the duration.

use std::time::{Duration, Instant};

use plimsoll_core::{LockMode, SourceFile};
use plimsoll_sql::command::{ObjectKind, ReindexTarget};
use plimsoll_sql::data_type::TimeZone;
use plimsoll_sql::effects::{Environment, effects, strongest_locks};
use plimsoll_sql::name::quote_name;
use plimsoll_sql::schema::Schema;
use plimsoll_sql::{Command, ObjectName, Statement};
use tokio_postgres::Client;

use super::catalog::{number, rows};
use super::photograph::{Locks, locks_of};
use super::runner::run;

/// How long the gate stays shut for a statement that never waits for it.
const GATE_PATIENCE: Duration = Duration::from_millis(500);

/// A `lock_timeout` of so many milliseconds or less could end a statement that waits for the gate.
pub(super) const SHORTEST_GATED_MS: u64 = 1000;

const SAMPLE_EVERY: Duration = Duration::from_millis(1);

/// What sampling saw.
pub(super) struct Sampled {
    pub(super) result: Result<(), tokio_postgres::Error>,
    pub(super) duration: Duration,
    pub(super) locks: Locks,
}

/// Runs a statement alone in its session while `observer` samples its locks.
pub(super) async fn run_sampled(
    session: &Client,
    session_pid: i32,
    observer: &Client,
    gate: Option<&Client>,
    source: &SourceFile,
    statement: &Statement,
) -> Result<Sampled, tokio_postgres::Error> {
    let mut gate = Gate::shut(gate, statement).await?;
    let mut locks = Locks::new();
    let started = Instant::now();
    let mut running = std::pin::pin!(run(session, source, statement));
    let result = loop {
        tokio::select! {
            biased;
            result = &mut running => break result,
            () = tokio::time::sleep(SAMPLE_EVERY) => {}
        }
        locks.extend(locks_of(observer, session_pid).await?);
        if gate.is_shut()
            && (gate.holds_up(observer, session_pid).await? || started.elapsed() > GATE_PATIENCE)
        {
            locks.extend(locks_of(observer, session_pid).await?);
            gate.open().await?;
        }
    };
    let duration = started.elapsed().saturating_sub(gate.held_up);
    gate.open().await?;
    Ok(Sampled { result, duration, locks })
}

struct Gate<'a> {
    client: Option<&'a Client>,
    waiting_since: Option<Instant>,
    held_up: Duration,
}

impl<'a> Gate<'a> {
    async fn shut(client: Option<&'a Client>, statement: &Statement) -> Result<Self, tokio_postgres::Error> {
        let open = Self { client: None, waiting_since: None, held_up: Duration::ZERO };
        let (Some(client), Some(command)) = (client, statement.command()) else { return Ok(open) };
        let name = match index_of(command) {
            Some(index) => table_of_index(client, index).await?,
            // What it locks is asked of an empty schema: names resolve by the session's search path.
            None => {
                let environment = Environment { server_major: None, time_zone: TimeZone::Utc };
                let effects = effects(command, &Schema::default(), environment);
                strongest_locks(&effects).first().map(|lock| quote_name(&lock.relation))
            }
        };
        let Some(name) = name else { return Ok(open) };
        let mode = match command {
            Command::Vacuum { full: false, .. } => LockMode::ShareUpdateExclusive,
            _ => LockMode::RowExclusive,
        };
        let shut = client
            .batch_execute(&format!(
                "BEGIN ISOLATION LEVEL REPEATABLE READ; LOCK TABLE {name} IN {} MODE; SELECT 1",
                mode.sql()
            ))
            .await;
        match shut {
            Ok(()) => Ok(Self { client: Some(client), ..open }),
            Err(error) if error.as_db_error().is_some() => {
                // No such table, or a view: then there is nothing to wait for.
                client.batch_execute("ROLLBACK").await?;
                Ok(open)
            }
            Err(error) => Err(error),
        }
    }

    fn is_shut(&self) -> bool {
        self.client.is_some()
    }

    /// Whether the session waits for a lock.
    async fn holds_up(&mut self, observer: &Client, session_pid: i32) -> Result<bool, tokio_postgres::Error> {
        let query = format!(
            "SELECT count(*) AS waits FROM pg_catalog.pg_locks WHERE pid = {session_pid} AND NOT granted"
        );
        let waits: u32 =
            rows(observer.simple_query(&query).await?).map(|row| number::<u32>(&row, "waits")).sum();
        if waits > 0 {
            self.waiting_since.get_or_insert_with(Instant::now);
        }
        Ok(waits > 0)
    }

    async fn open(&mut self) -> Result<(), tokio_postgres::Error> {
        let Some(client) = self.client.take() else { return Ok(()) };
        client.batch_execute("ROLLBACK").await?;
        if let Some(since) = self.waiting_since {
            self.held_up = since.elapsed() + SAMPLE_EVERY;
        }
        Ok(())
    }
}

/// The index that is all that a statement names.
fn index_of(command: &Command) -> Option<&ObjectName> {
    match command {
        Command::Drop(drop) if drop.kind == ObjectKind::Index => drop.names.first(),
        Command::Reindex { target: ReindexTarget::Index(index), .. } => Some(index),
        _ => None,
    }
}

/// The table of an index, quoted for SQL.
async fn table_of_index(
    client: &Client,
    index: &ObjectName,
) -> Result<Option<String>, tokio_postgres::Error> {
    let index = quote_name(index).replace('\'', "\'\'");
    let query = format!(
        "SELECT indrelid::regclass FROM pg_catalog.pg_index WHERE indexrelid = pg_catalog.to_regclass('{index}')"
    );
    Ok(rows(client.simple_query(&query).await?).find_map(|row| row.get(0).map(ToOwned::to_owned)))
}
