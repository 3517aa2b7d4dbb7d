//! The change itself, statement by statement, with a record of each.
//!
//! A statement that can run in a transaction is photographed at its end, before its transaction
//! ends: by a second session its locks, by its own session the catalog and counters that only it
//! sees. A lone statement gets a transaction of its own for that. A statement that PostgreSQL
//! refuses in a transaction runs bare and is sampled.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use plimsoll_core::ChangeScope;
use plimsoll_core::rehearsal::{Outcome, Rehearsal, StatementRecord};
use plimsoll_sql::transaction::{Block, Place};
use plimsoll_sql::{Command, Migration, Statement};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio_postgres::Client;
use tokio_postgres::error::{DbError, SqlState};

use super::catalog::{Catalog, CatalogEntry};
use super::deed::{Deed, Known};
use super::error::{RehearseError, catalog_error, refusal_of, statement_error};
use super::guard::{BACK_TO_SAVEPOINT, Guard};
use super::notices::told;
use super::photograph::{
    Locks, Scans, flush_counters, inside, locks_of, outside, referencing_relations, wal_position,
    without_rows,
};
use super::runner::{create_role, missing_role, run};
use super::sampling::{SHORTEST_GATED_MS, run_sampled};
use crate::server::PrivateServer;

/// Is told of each statement before it runs: its file, its line, its text.
pub type StatementObserver<'a> = &'a dyn Fn(&Migration, usize, &str);

/// Settings of the session that runs the change: parallel workers' scans wouldn't be counted, and
/// at `debug1` the server tells of work that leaves no other trace.
const SESSION_SETTINGS: &str = "SET max_parallel_maintenance_workers = 0; SET max_parallel_workers_per_gather = 0; \
                                SET client_min_messages = debug1";

/// Runs the change's files in order and records each statement. Where each file is a change of its
/// own, what an earlier one made counts as existing.
///
/// # Errors
/// When the server is gone. A statement that fails is recorded; the others are still run.
pub async fn rehearse(
    server: &PrivateServer,
    database: &str,
    migrations: &[&Migration],
    scope: ChangeScope,
    observer: StatementObserver<'_>,
) -> Result<Rehearsal, RehearseError> {
    let mut stage = Stage::open(server, database).await?;
    let mut notes = Vec::new();
    for (at, migration) in migrations.iter().enumerate() {
        if at > 0 && scope == ChangeScope::EachFile {
            stage.take_stock().await?;
        }
        stage.run_file(migration, observer).await?;
        if !migration.meta_commands.is_empty() {
            notes.push(format!(
                "{}: {} not run (they are psql's own)",
                migration.source.name(),
                plimsoll_core::units::plural(migration.meta_commands.len(), "backslash command")
            ));
        }
    }
    let failed = stage.records.iter().filter(|record| record.outcome == Outcome::Error).count();
    if failed > 0 {
        notes.push(
            "A migration tool would have stopped at the first failing statement; the rest ran without it."
                .into(),
        );
    }
    for role in &stage.made_roles {
        notes.push(format!(
            "Role {role} isn't made by any migration: it was made here without any right, and must exist where you deploy."
        ));
    }
    Ok(Rehearsal { server_version: stage.server_version, seeded: false, statements: stage.records, notes })
}

struct Stage<'a> {
    server: &'a PrivateServer,
    database: &'a str,
    observer: Client,
    gate: [Client; 2],
    server_version: String,
    /// All relations as of the last photograph.
    catalog: Catalog,
    /// Oids of relations that existed before the change.
    existing: BTreeSet<u32>,
    records: Vec<StatementRecord>,
    /// Roles that the change names and the server lacked.
    made_roles: Vec<String>,
    /// Time spent in statements so far.
    clock: Duration,
    /// Number of the transaction that runs.
    transaction: usize,
}

/// The session that runs one file.
struct Session {
    client: Client,
    pid: i32,
    notices: UnboundedReceiver<DbError>,
}

/// The running transaction, as far as it was photographed.
#[derive(Default)]
struct Open {
    locks: Locks,
    scans: Scans,
    wal: u64,
}

/// Maps an error of our own queries and returns.
macro_rules! ours {
    ($stage:expr, $result:expr) => {
        match $result {
            Ok(value) => value,
            Err(error) => return Err(catalog_error($stage.server, error).await),
        }
    };
}

impl<'a> Stage<'a> {
    async fn open(server: &'a PrivateServer, database: &'a str) -> Result<Self, RehearseError> {
        let observer = server.connect(database).await?;
        let gate = [server.connect(database).await?, server.connect(database).await?];
        let mut stage = Self {
            server,
            database,
            observer,
            gate,
            server_version: String::new(),
            catalog: Catalog::default(),
            existing: BTreeSet::new(),
            records: Vec::new(),
            made_roles: Vec::new(),
            clock: Duration::ZERO,
            transaction: 0,
        };
        let version = ours!(stage, stage.observer.simple_query("SHOW server_version").await);
        let version = super::catalog::rows(version).next();
        stage.server_version = version.and_then(|row| row.get(0).map(ToOwned::to_owned)).unwrap_or_default();
        stage.take_stock().await?;
        Ok(stage)
    }

    /// What exists now is what existed before the change.
    async fn take_stock(&mut self) -> Result<(), RehearseError> {
        self.catalog = ours!(self, Catalog::read(&self.observer).await);
        self.existing = self.catalog.entries.keys().copied().collect();
        Ok(())
    }

    /// After a rollback relations have their former names and files again, and some locks are gone.
    async fn forget_undone(
        &mut self,
        session: &Session,
        open: Option<&mut Open>,
    ) -> Result<(), RehearseError> {
        // The rollback of a savepoint leaves changes that only the session sees.
        match Catalog::read(&session.client).await {
            Ok(catalog) => self.catalog.entries = catalog.entries,
            // There was no such savepoint: the transaction is aborted.
            Err(error) if error.as_db_error().is_some() => return Ok(()),
            Err(error) => return Err(catalog_error(self.server, error).await),
        }
        if let Some(open) = open {
            open.locks = ours!(self, locks_of(&self.observer, session.pid).await);
        }
        Ok(())
    }

    async fn session(&self) -> Result<Session, RehearseError> {
        let (client, notices) = self.server.connect_with_notices(self.database).await?;
        ours!(self, client.batch_execute(SESSION_SETTINGS).await);
        let answer = ours!(self, client.simple_query("SELECT pg_catalog.pg_backend_pid() AS pid").await);
        let pid =
            super::catalog::rows(answer).map(|row| super::catalog::number(&row, "pid")).next().unwrap_or(0);
        Ok(Session { client, pid, notices })
    }

    async fn run_file(
        &mut self,
        migration: &Migration,
        observer: StatementObserver<'_>,
    ) -> Result<(), RehearseError> {
        let mut session = self.session().await?;
        let places = migration.places();
        let first_transaction = self.transaction;
        let mut open: Option<Open> = None;
        for (index, (statement, place)) in migration.statements.iter().zip(&places).enumerate() {
            observer(migration, index, migration.sql(statement));
            self.transaction = first_transaction + place.transaction;
            let last = places.get(index + 1).is_none_or(|next| next.transaction != place.transaction);
            let deed = self.run_statement(&mut session, migration, statement, *place, &mut open).await?;
            self.record(migration, index, statement, *place, deed);
            if last && open.take().is_some() {
                if matches!(place.block, Block::Tool | Block::Batch) {
                    self.commit(&session, migration).await?;
                }
                ours!(self, flush_counters(&session.client).await);
            }
        }
        // A file that leaves its own transaction open loses it, as it would with its tool.
        self.transaction += 1;
        Ok(())
    }

    async fn run_statement(
        &mut self,
        session: &mut Session,
        migration: &Migration,
        statement: &Statement,
        place: Place,
        open: &mut Option<Open>,
    ) -> Result<Deed, RehearseError> {
        let command = statement.command();
        if command.is_some_and(Command::is_transaction_control) {
            if matches!(command, Some(Command::Begin)) && open.is_none() {
                *open = Some(self.first_photograph().await?);
            }
            let deed = self.run_bare(session, migration, statement).await?;
            if matches!(command, Some(Command::Rollback { .. } | Command::RollbackTo(_))) {
                self.forget_undone(session, open.as_mut()).await?;
            }
            return Ok(deed);
        }
        if place.block != Block::None {
            if open.is_none() {
                *open = Some(self.first_photograph().await?);
                ours!(self, session.client.batch_execute("BEGIN").await);
            }
            let Some(open) = open.as_mut() else { return Ok(Deed::default()) };
            return self.run_photographed(session, migration, statement, open).await;
        }
        // LOCK TABLE outside a transaction is an error that our own transaction would hide.
        if !matches!(command, Some(Command::LockTable { .. })) {
            let mut own = self.first_photograph().await?;
            ours!(self, session.client.batch_execute("BEGIN").await);
            let deed = self.run_photographed(session, migration, statement, &mut own).await?;
            let refused = deed.error.as_ref().is_some_and(|error| refuses_transactions(&error.sqlstate));
            if !refused {
                let mut deed = deed;
                if let Err(error) = session.client.batch_execute("COMMIT").await {
                    deed.error = Some(self.refusal(&error, migration, statement).await?);
                }
                ours!(self, flush_counters(&session.client).await);
                return Ok(deed);
            }
            ours!(self, session.client.batch_execute("ROLLBACK").await);
        }
        self.run_sampled(session, migration, statement).await
    }

    /// What a session has before it begins a transaction: no locks, and counters at zero. Taken by
    /// another session: a query in the transaction would keep it from setting its isolation level.
    /// What a session has before it begins a transaction: no locks, and counters at zero. Taken by
    /// another session: a query in the transaction would keep it from setting its isolation level.
    async fn first_photograph(&self) -> Result<Open, RehearseError> {
        let wal = ours!(self, wal_position(&self.observer).await);
        Ok(Open { wal, ..Open::default() })
    }

    /// Runs a statement of an open transaction so that its failure leaves the transaction whole,
    /// and photographs the session at its end.
    async fn run_photographed(
        &mut self,
        session: &mut Session,
        migration: &Migration,
        statement: &Statement,
        open: &mut Open,
    ) -> Result<Deed, RehearseError> {
        let guard = Guard::of(migration.sql(statement));
        loop {
            let (result, duration) = self.run_guarded(session, migration, statement, guard).await?;
            let Err(error) = result else {
                return self.photograph(session, statement.command(), open, duration).await;
            };
            let refusal = refusal_of(self.server, &place_of(migration, statement), &error).await?;
            if guard != Guard::None {
                ours!(self, session.client.batch_execute(BACK_TO_SAVEPOINT).await);
            }
            if let Some(role) = missing_role(refusal)
                && create_role(&self.observer, role).await.is_ok()
            {
                self.made_roles.push(role.to_owned());
                // The session remembers that there is no such role until it locks a relation anew.
                ours!(
                    self,
                    session.client.batch_execute("SELECT 1 FROM pg_catalog.pg_auth_members LIMIT 0").await
                );
                continue;
            }
            let error = statement_error(refusal, &migration.source, statement.range.start);
            return Ok(Deed { duration, error: Some(error), ..Deed::default() });
        }
    }

    /// Runs a statement behind its guard. A failure leaves the savepoint for the caller to go back to.
    async fn run_guarded(
        &self,
        session: &Session,
        migration: &Migration,
        statement: &Statement,
        guard: Guard,
    ) -> Result<(Result<(), tokio_postgres::Error>, Duration), RehearseError> {
        if guard != Guard::None {
            ours!(self, session.client.batch_execute("SAVEPOINT plimsoll").await);
        }
        let (result, duration) = timed_run(session, migration, statement).await;
        match (guard, &result) {
            (Guard::Savepoint, Ok(())) => {
                ours!(self, session.client.batch_execute("RELEASE SAVEPOINT plimsoll").await);
            }
            (Guard::Trial, Ok(())) => {
                ours!(self, session.client.batch_execute(BACK_TO_SAVEPOINT).await);
                return Ok(timed_run(session, migration, statement).await);
            }
            _ => {}
        }
        Ok((result, duration))
    }

    async fn photograph(
        &mut self,
        session: &mut Session,
        command: Option<&Command>,
        open: &mut Open,
        duration: Duration,
    ) -> Result<Deed, RehearseError> {
        // The session is idle: both look at the same moment.
        let locks = ours!(self, locks_of(&self.observer, session.pid).await);
        let told = told(&mut session.notices);
        let now = ours!(self, inside(&session.client).await);
        let mut scans = scanned(&open.scans, &now.scans);
        if !told.validated.is_empty() {
            let validated = ours!(self, referencing_relations(&session.client, &told.validated).await);
            scans.extend(
                validated
                    .into_iter()
                    .filter(|(oid, _)| {
                        now.entries.contains_key(oid) && !scans.iter().any(|(known, _)| known == oid)
                    })
                    .collect::<Vec<_>>(),
            );
        }
        let changed = self.changed(now.entries);
        let emptied = self.emptied(session, command, &changed, &told.rewritten).await?;
        let deed = Deed {
            duration,
            locks: locks.difference(&open.locks).copied().collect(),
            scans,
            changed,
            emptied,
            wal_bytes: now.wal.saturating_sub(open.wal),
            lock_timeout_ms: now.lock_timeout_ms,
            error: None,
        };
        *open = Open { locks, scans: now.scans, wal: now.wal };
        Ok(deed)
    }

    /// Tables that were truncated, by the statement itself or by code that it calls, among those with a new file.
    async fn emptied(
        &self,
        session: &Session,
        command: Option<&Command>,
        changed: &[(u32, CatalogEntry)],
        rewritten: &[String],
    ) -> Result<BTreeSet<u32>, RehearseError> {
        let is_rewritten =
            |entry: &CatalogEntry| rewritten.iter().any(|name| entry.name.ends_with(&format!(".{name}")));
        let tables = changed.iter().filter(|(_, entry)| entry.kind == 'r' && !is_rewritten(entry));
        let tables: BTreeSet<u32> = tables.map(|(oid, _)| *oid).collect();
        match command {
            Some(Command::Truncate { .. }) => Ok(tables),
            // A block, a function. Others that give a table a new file keep its rows, if it has any.
            Some(Command::Other | Command::Do { .. } | Command::Query { .. }) if !tables.is_empty() => {
                Ok(ours!(self, without_rows(&session.client, &tables).await))
            }
            _ => Ok(BTreeSet::new()),
        }
    }

    /// Relations that are new, renamed or have another file, by what was known of them.
    fn changed(&self, entries: impl IntoIterator<Item = (u32, CatalogEntry)>) -> Vec<(u32, CatalogEntry)> {
        entries.into_iter().filter(|(oid, entry)| self.catalog.entries.get(oid) != Some(entry)).collect()
    }

    /// BEGIN, COMMIT and their kin, and what only they do: take no photograph.
    async fn run_bare(
        &mut self,
        session: &Session,
        migration: &Migration,
        statement: &Statement,
    ) -> Result<Deed, RehearseError> {
        let (result, duration) = timed_run(session, migration, statement).await;
        let error = match result {
            Ok(()) => None,
            Err(error) => Some(self.refusal(&error, migration, statement).await?),
        };
        Ok(Deed { duration, error, ..Deed::default() })
    }

    async fn run_sampled(
        &mut self,
        session: &Session,
        migration: &Migration,
        statement: &Statement,
    ) -> Result<Deed, RehearseError> {
        let (_, scans_before, wal_before) = ours!(self, outside(&self.observer).await);
        let source = &migration.source;
        // A statement that gives up soon must not be kept waiting by us.
        let patience = ours!(self, inside(&session.client).await).lock_timeout_ms;
        let gate = (patience == 0 || patience > SHORTEST_GATED_MS).then_some(self.gate.each_ref());
        let sampled = ours!(
            self,
            run_sampled(&session.client, session.pid, &self.observer, gate, source, statement).await
        );
        let error = match &sampled.result {
            Ok(()) => None,
            Err(error) => Some(self.refusal(error, migration, statement).await?),
        };
        let lock_timeout_ms = ours!(self, inside(&session.client).await).lock_timeout_ms;
        ours!(self, flush_counters(&session.client).await);
        let (catalog, scans_after, wal_after) = ours!(self, outside(&self.observer).await);
        Ok(Deed {
            duration: sampled.duration,
            locks: sampled.locks,
            scans: scanned(&scans_before, &scans_after),
            changed: self.changed(catalog.entries),
            emptied: BTreeSet::new(),
            wal_bytes: wal_after.saturating_sub(wal_before),
            lock_timeout_ms,
            error,
        })
    }

    async fn refusal(
        &self,
        error: &tokio_postgres::Error,
        migration: &Migration,
        statement: &Statement,
    ) -> Result<plimsoll_core::rehearsal::StatementError, RehearseError> {
        let refusal = refusal_of(self.server, &place_of(migration, statement), error).await?;
        Ok(statement_error(refusal, &migration.source, statement.range.start))
    }

    /// Ends the tool's transaction. What its COMMIT refuses (deferred constraints) is put down to
    /// the last statement.
    async fn commit(&mut self, session: &Session, migration: &Migration) -> Result<(), RehearseError> {
        let Err(error) = session.client.batch_execute("COMMIT").await else { return Ok(()) };
        let refusal = refusal_of(self.server, &migration.source.name(), &error).await?;
        if let (Some(record), Some(statement)) = (self.records.last_mut(), migration.statements.last()) {
            record.outcome = Outcome::Error;
            record.error = Some(statement_error(refusal, &migration.source, statement.range.start));
        }
        Ok(())
    }

    fn record(
        &mut self,
        migration: &Migration,
        index: usize,
        statement: &Statement,
        place: Place,
        deed: Deed,
    ) {
        let known = Known { catalog: &self.catalog, existing: &self.existing };
        self.records.push(StatementRecord {
            file: migration.source.name(),
            statement: index,
            line: migration.source.line_column(statement.range.start).0,
            sql: migration.sql(statement).to_owned(),
            outcome: if deed.error.is_some() { Outcome::Error } else { Outcome::Ok },
            duration_ms: milliseconds(deed.duration),
            started_ms: milliseconds(self.clock),
            in_transaction: place.in_transaction(),
            transaction: self.transaction,
            locks: deed.locks(&known),
            rewrites: deed.rewrites(&known),
            scans: deed.scans(&known),
            index_builds: deed.index_builds(&known),
            works_concurrently: works_concurrently(statement),
            wal_bytes: deed.wal_bytes,
            lock_timeout_ms: deed.lock_timeout_ms,
            renames: deed.renames(&known),
            error: deed.error,
        });
        self.clock += deed.duration;
        for (oid, entry) in deed.changed {
            self.catalog.insert(oid, entry);
        }
    }
}

/// Whether the statement holds locks that block only before or after its work: `REINDEX CONCURRENTLY` of a partitioned
/// table begins with `SHARE` on every partition (`ReindexPartitions` in `indexcmds.c`). Or whether they block nobody.
fn works_concurrently(statement: &Statement) -> bool {
    match statement.command() {
        Some(Command::Reindex { concurrently, .. } | Command::Refresh { concurrently, .. }) => *concurrently,
        Some(Command::CreateIndex(index)) => index.concurrently,
        _ => false,
    }
}

async fn timed_run(
    session: &Session,
    migration: &Migration,
    statement: &Statement,
) -> (Result<(), tokio_postgres::Error>, Duration) {
    let started = Instant::now();
    let result = run(&session.client, &migration.source, statement).await;
    (result, started.elapsed())
}

fn scanned(before: &Scans, after: &Scans) -> Vec<(u32, u64)> {
    after
        .iter()
        .filter_map(|(oid, (scans, rows))| {
            let (scans_before, rows_before) = before.get(oid).copied().unwrap_or_default();
            let times = scans.saturating_sub(scans_before);
            // A rewrite reads the table once for itself and once for each index: the rows of one scan.
            (times > 0).then(|| (*oid, rows.saturating_sub(rows_before) / times))
        })
        .collect()
}

/// Whether the refusal is about the transaction block that we put around a lone statement:
/// `PreventInTransactionBlock`, or a COMMIT within a procedure.
fn refuses_transactions(sqlstate: &str) -> bool {
    [SqlState::ACTIVE_SQL_TRANSACTION, SqlState::INVALID_TRANSACTION_TERMINATION]
        .iter()
        .any(|s| s.code() == sqlstate)
}

fn place_of(migration: &Migration, statement: &Statement) -> String {
    let (line, column) = migration.source.line_column(statement.range.start);
    format!("{}:{line}:{column}", migration.source.name())
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
