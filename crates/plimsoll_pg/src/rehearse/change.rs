//! The change itself, statement by statement, with a record of each.
//!
//! A statement that can run in a transaction is photographed at its end, before its transaction
//! ends: by a second session its locks, by its own session the catalog and counters that only it
//! sees. A lone statement gets a transaction of its own for that. A statement that PostgreSQL
//! refuses in a transaction runs bare and is sampled.

use std::time::{Duration, Instant};

use plimsoll_core::ChangeScope;
use plimsoll_core::rehearsal::{Outcome, Rehearsal};
use plimsoll_sql::transaction::{Block, Place};
use plimsoll_sql::{Command, Migration, Statement};
use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use super::catalog::Catalog;
use super::commits::commits;
use super::deed::Deed;
use super::error::{RehearseError, catalog_error, refusal_of, statement_error};
use super::guard::{BACK_TO_SAVEPOINT, Guard};
use super::inside::{FLUSH_COUNTERS, SESSION_SETTINGS, all_counters};
use super::ledger::{Failures, Ledger, Subject};
use super::notices::Notices;
use super::outside::{backend_pid, locks_of, sequence_values, wal_position};
use super::photograph::Photograph;
use super::runner::{create_role, missing_role, run};
use super::waits::Waits;
use crate::server::PrivateServer;

/// Is told of each statement before it runs: its file, its line, its text.
pub type StatementObserver<'a> = &'a dyn Fn(&Migration, usize, &str);

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
    let failed = stage.ledger.records.iter().filter(|record| record.outcome == Outcome::Error).count();
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
    Ok(Rehearsal {
        server_version: stage.server_version,
        seeded: false,
        statements: stage.ledger.records,
        notes,
    })
}

pub(super) struct Stage<'a> {
    pub(super) server: &'a PrivateServer,
    pub(super) database: &'a str,
    pub(super) observer: Client,
    pub(super) server_version: String,
    pub(super) ledger: Ledger,
    /// Roles that the change names and the server lacked.
    made_roles: Vec<String>,
}

/// The session that runs one file.
pub(super) struct Session {
    pub(super) client: Client,
    pub(super) pid: i32,
    pub(super) notices: Notices,
}

impl<'a> Stage<'a> {
    pub(super) async fn open(server: &'a PrivateServer, database: &'a str) -> Result<Self, RehearseError> {
        let observer = server.connect(database).await?;
        let mut stage = Self {
            server,
            database,
            observer,
            server_version: String::new(),
            ledger: Ledger::default(),
            made_roles: Vec::new(),
        };
        let version = ours!(stage, stage.observer.simple_query("SHOW server_version").await);
        let version = super::catalog::rows(version).next();
        stage.server_version = version.and_then(|row| row.get(0).map(ToOwned::to_owned)).unwrap_or_default();
        stage.take_stock().await?;
        Ok(stage)
    }

    /// What exists now is what existed before the change.
    async fn take_stock(&mut self) -> Result<(), RehearseError> {
        let catalog = ours!(self, Catalog::read(&self.observer).await);
        let sequences = ours!(self, sequence_values(&self.observer).await);
        self.ledger.take_stock(catalog, sequences);
        Ok(())
    }

    /// After a rollback relations have their former names and files again, and some locks are gone.
    pub(super) async fn forget_undone(
        &mut self,
        session: &Session,
        open: Option<&mut Photograph>,
    ) -> Result<(), RehearseError> {
        // The rollback of a savepoint leaves changes that only the session sees.
        match Catalog::read(&session.client).await {
            Ok(catalog) => self.ledger.catalog.entries = catalog.entries,
            // There was no such savepoint: the transaction is aborted.
            Err(error) if error.as_db_error().is_some() => return Ok(()),
            Err(error) => return Err(catalog_error(self.server, error).await),
        }
        if let Some(open) = open {
            open.locks = ours!(self, locks_of(&self.observer, session.pid).await);
            self.count_anew(session, open).await?;
        }
        Ok(())
    }

    /// What was undone is counted all the same, and is nothing that the next statement did.
    async fn count_anew(&self, session: &Session, open: &mut Photograph) -> Result<(), RehearseError> {
        (open.counters, open.wal) = ours!(self, all_counters(&session.client).await);
        Ok(())
    }

    async fn session(&self) -> Result<Session, RehearseError> {
        let (client, notices) = self.server.connect_with_notices(self.database).await?;
        ours!(self, client.batch_execute(SESSION_SETTINGS).await);
        let pid = ours!(self, backend_pid(&client).await);
        Ok(Session { client, pid, notices: Notices::OfClient(notices) })
    }

    async fn run_file(
        &mut self,
        migration: &Migration,
        observer: StatementObserver<'_>,
    ) -> Result<(), RehearseError> {
        let mut session = self.session().await?;
        let places = migration.places();
        let first_transaction = self.ledger.transaction;
        let mut open: Option<Photograph> = None;
        for (index, (statement, place)) in migration.statements.iter().zip(&places).enumerate() {
            observer(migration, index, migration.sql(statement));
            self.ledger.transaction = first_transaction + place.transaction;
            let last = places.get(index + 1).is_none_or(|next| next.transaction != place.transaction);
            let deed = self.run_statement(&mut session, migration, statement, *place, &mut open).await?;
            self.ledger.record(Subject::of(migration, index, statement, *place), deed);
            if last && open.take().is_some() {
                if matches!(place.block, Block::Tool | Block::Batch) {
                    self.commit(&session, migration).await?;
                }
                ours!(self, session.client.batch_execute(FLUSH_COUNTERS).await);
            }
        }
        // A file that leaves its own transaction open loses it, as it would with its tool.
        self.ledger.transaction += 1;
        Ok(())
    }

    async fn run_statement(
        &mut self,
        session: &mut Session,
        migration: &Migration,
        statement: &Statement,
        place: Place,
        open: &mut Option<Photograph>,
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
            if let Some(Command::RollbackTo(savepoint)) = command
                && deed.error.is_none()
            {
                // Its own record is the next one. A tool goes on after no failure.
                self.ledger.undo(savepoint, self.ledger.records.len(), Failures::Stay);
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
        let needs_block = matches!(command, Some(Command::LockTable { .. }));
        if !needs_block && !self.commits(migration.sql(statement), statement).await? {
            let mut own = self.first_photograph().await?;
            ours!(self, session.client.batch_execute("BEGIN").await);
            let deed = self.run_photographed(session, migration, statement, &mut own).await?;
            let refused = deed.error.as_ref().is_some_and(|error| refuses_transactions(&error.sqlstate));
            if !refused {
                let mut deed = deed;
                if let Err(error) = session.client.batch_execute("COMMIT").await {
                    deed.error = Some(self.refusal(&error, migration, statement).await?);
                }
                ours!(self, session.client.batch_execute(FLUSH_COUNTERS).await);
                return Ok(deed);
            }
            ours!(self, session.client.batch_execute("ROLLBACK").await);
            ours!(self, session.client.batch_execute(FLUSH_COUNTERS).await);
        }
        self.run_sampled(session, migration, statement).await
    }

    /// Whether a statement commits on its way, as far as that is known beforehand.
    pub(super) async fn commits(&self, text: &str, statement: &Statement) -> Result<bool, RehearseError> {
        Ok(ours!(self, commits(&self.observer, text, statement).await))
    }

    /// What a session has before it begins a transaction: no locks, and counters at zero. Taken by
    /// another session: a query in the transaction would keep it from setting its isolation level.
    pub(super) async fn first_photograph(&self) -> Result<Photograph, RehearseError> {
        let wal = ours!(self, wal_position(&self.observer).await);
        Ok(Photograph { wal, ..Photograph::default() })
    }

    /// Runs a statement of an open transaction so that its failure leaves the transaction whole,
    /// and photographs the session at its end.
    async fn run_photographed(
        &mut self,
        session: &mut Session,
        migration: &Migration,
        statement: &Statement,
        open: &mut Photograph,
    ) -> Result<Deed, RehearseError> {
        let guard = Guard::of(migration.sql(statement));
        loop {
            let Ran { result, duration, waits } =
                self.run_guarded(session, migration, statement, guard, open).await?;
            let Err(error) = result else {
                let told = session.notices.told();
                let deed = self.photograph(session, told, statement.command(), open).await?;
                return Ok(Deed { duration, waits, ..deed });
            };
            let refusal = refusal_of(self.server, &place_of(migration, statement), &error).await?;
            if guard != Guard::None {
                ours!(self, session.client.batch_execute(BACK_TO_SAVEPOINT).await);
                self.count_anew(session, open).await?;
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
            let messages = session.notices.told().messages;
            return Ok(Deed { duration, waits, messages, error: Some(error), ..Deed::default() });
        }
    }

    /// Runs a statement behind its guard. A failure leaves the savepoint for the caller to go back to.
    async fn run_guarded(
        &self,
        session: &mut Session,
        migration: &Migration,
        statement: &Statement,
        guard: Guard,
        open: &mut Photograph,
    ) -> Result<Ran, RehearseError> {
        if guard != Guard::None {
            ours!(self, session.client.batch_execute("SAVEPOINT plimsoll").await);
        }
        let ran = timed_run(&self.observer, session, migration, statement).await;
        match (guard, &ran.result) {
            (Guard::Savepoint, Ok(())) => {
                ours!(self, session.client.batch_execute("RELEASE SAVEPOINT plimsoll").await);
            }
            (Guard::Trial, Ok(())) => {
                ours!(self, session.client.batch_execute(BACK_TO_SAVEPOINT).await);
                self.count_anew(session, open).await?;
                // What the server told was of what is undone.
                session.notices.told();
                return Ok(timed_run(&self.observer, session, migration, statement).await);
            }
            _ => {}
        }
        Ok(ran)
    }

    /// BEGIN, COMMIT and their kin, and what only they do: take no photograph.
    async fn run_bare(
        &mut self,
        session: &mut Session,
        migration: &Migration,
        statement: &Statement,
    ) -> Result<Deed, RehearseError> {
        let Ran { result, duration, waits } = timed_run(&self.observer, session, migration, statement).await;
        let error = match result {
            Ok(()) => None,
            Err(error) => Some(self.refusal(&error, migration, statement).await?),
        };
        let messages = session.notices.told().messages;
        Ok(Deed { duration, waits, messages, error, ..Deed::default() })
    }

    pub(super) async fn refusal(
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
        if let (Some(record), Some(statement)) = (self.ledger.records.last_mut(), migration.statements.last())
        {
            record.outcome = Outcome::Error;
            record.error = Some(statement_error(refusal, &migration.source, statement.range.start));
        }
        Ok(())
    }
}

/// How a statement ran.
struct Ran {
    result: Result<(), tokio_postgres::Error>,
    duration: Duration,
    waits: Waits,
}

async fn timed_run(
    observer: &Client,
    session: &Session,
    migration: &Migration,
    statement: &Statement,
) -> Ran {
    let started = Instant::now();
    let running = async {
        let result = run(&session.client, &migration.source, statement).await;
        (result, started.elapsed())
    };
    let ((result, duration), waits) = Waits::watched(observer, session.pid, running).await;
    Ran { result, duration, waits }
}

/// Whether the refusal is about the transaction block that we put around a lone statement:
/// `PreventInTransactionBlock`, or a COMMIT within a procedure.
pub(super) fn refuses_transactions(sqlstate: &str) -> bool {
    [SqlState::ACTIVE_SQL_TRANSACTION, SqlState::INVALID_TRANSACTION_TERMINATION]
        .iter()
        .any(|s| s.code() == sqlstate)
}

fn place_of(migration: &Migration, statement: &Statement) -> String {
    let (line, column) = migration.source.line_column(statement.range.start);
    format!("{}:{line}:{column}", migration.source.name())
}
