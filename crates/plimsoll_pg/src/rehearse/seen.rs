//! What a statement is seen to have done: by a photograph at its end, or by samples while it runs.

use std::collections::BTreeSet;

use plimsoll_core::LockMode;
use plimsoll_core::facts::TriggersFired;
use plimsoll_sql::{Command, Migration, Statement};
use tokio_postgres::Client;

use super::catalog::CatalogEntry;
use super::change::{Session, Stage};
use super::deed::Deed;
use super::error::{RehearseError, catalog_error};
use super::inside::{FLUSH_COUNTERS, inside, trigger_functions, validated_foreign_keys, without_rows};
use super::notices::Told;
use super::outside::{locks_of, others_are_in_transactions, outside, sequence_values};
use super::photograph::{Counters, Photograph};
use super::runner::run;
use super::sampling::{SHORTEST_GATED_MS, Sampled, Sampler};

impl Stage<'_> {
    /// Photographs a session that has just run a statement in its transaction, of which the server has told this.
    pub(super) async fn photograph(
        &mut self,
        session: &Session,
        told: Told,
        command: Option<&Command>,
        open: &mut Photograph,
    ) -> Result<Deed, RehearseError> {
        // First of all, since to answer the session locks sequences.
        let locks = ours!(self, locks_of(&self.observer, session.pid).await);
        let now = ours!(self, inside(&session.client).await);
        let mut scans = now.counters.scanned_since(&open.counters);
        let mut validated = Vec::new();
        if !told.validated.is_empty() {
            for (oid, rows, key) in
                ours!(self, validated_foreign_keys(&session.client, &told.validated).await)
            {
                if now.entries.contains_key(&oid) {
                    if !scans.iter().any(|(known, _)| *known == oid) {
                        scans.push((oid, rows));
                    }
                    validated.push(key);
                }
            }
        }
        let mut changed = self.ledger.changed(now.entries);
        // Beside a statement that commits by itself it may have come across what that one has made.
        let is_own = |oid: u32, (locked, mode): &(u32, LockMode)| {
            *locked == oid && *mode >= LockMode::ShareUpdateExclusive
        };
        changed.retain(|(oid, _)| locks.iter().any(|lock| is_own(*oid, lock)));
        let emptied = self.emptied(session, command, &changed, &told.rewritten).await?;
        let called = now.counters.called_since(&open.counters);
        let deed = Deed {
            locks: locks.difference(&open.locks).copied().collect(),
            scans,
            changed,
            emptied,
            wal_bytes: now.wal.saturating_sub(open.wal),
            lock_timeout_ms: now.lock_timeout_ms,
            written: now.counters.written_since(&open.counters),
            catalog_rows: now.counters.catalog_rows.saturating_sub(open.counters.catalog_rows),
            validated,
            sequences: self.ledger.moved(now.sequences),
            triggers: self.triggers(&session.client, &called).await?,
            temp_files: told.temp_files,
            messages: told.messages,
            ..Deed::default()
        };
        *open = Photograph { locks, counters: now.counters, wal: now.wal };
        Ok(deed)
    }

    /// The trigger functions that were called, by name; asked where they are seen.
    async fn triggers(
        &self,
        client: &Client,
        called: &[(u32, u64)],
    ) -> Result<Vec<TriggersFired>, RehearseError> {
        if called.is_empty() {
            return Ok(Vec::new());
        }
        let oids: Vec<u32> = called.iter().map(|(oid, _)| *oid).collect();
        let mut named = ours!(self, trigger_functions(client, &oids).await);
        let fired = called.iter().filter_map(|(oid, calls)| {
            let (function, triggers) = named.remove(oid)?;
            Some(TriggersFired { function, calls: *calls, triggers })
        });
        Ok(fired.collect())
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

    /// Runs a statement of a migration that commits by itself.
    pub(super) async fn run_sampled(
        &mut self,
        session: &mut Session,
        migration: &Migration,
        statement: &Statement,
    ) -> Result<Deed, RehearseError> {
        let before = self.before_sampling(session).await?;
        let sampler = Sampler::open(self.server, self.database).await?;
        let running = run(&session.client, &migration.source, statement);
        let (result, sampled) = sampler.sample(&before, session.pid, statement, running, &|| true).await?;
        let error = match &result {
            Ok(()) => None,
            Err(error) => Some(self.refusal(error, migration, statement).await?),
        };
        let told = session.notices.told();
        let deed = self.after_sampling(&session.client, &before, sampled, true).await?;
        Ok(Deed { error, temp_files: told.temp_files, messages: told.messages, ..deed })
    }

    /// What is to be known before a statement that commits by itself.
    pub(super) async fn before_sampling(&self, session: &Session) -> Result<BeforeSampling, RehearseError> {
        let (_, counters, wal) = ours!(self, outside(&self.observer).await);
        let is_alone = !ours!(self, others_are_in_transactions(&self.observer, session.pid).await);
        // A statement that gives up soon must not be kept waiting by us.
        let patience = ours!(self, inside(&session.client).await).lock_timeout_ms;
        let is_gated = patience == 0 || patience > SHORTEST_GATED_MS;
        Ok(BeforeSampling { counters, wal, is_gated, is_alone })
    }

    /// What the statement did, all but its error and what the server told. Where it wasn't alone, everybody's counters say
    /// nothing of it: what is left are its locks, and what became of the relations that it has locked.
    pub(super) async fn after_sampling(
        &mut self,
        client: &Client,
        before: &BeforeSampling,
        sampled: Sampled,
        was_alone: bool,
    ) -> Result<Deed, RehearseError> {
        let lock_timeout_ms = ours!(self, inside(client).await).lock_timeout_ms;
        ours!(self, client.batch_execute(FLUSH_COUNTERS).await);
        let (catalog, after, wal) = ours!(self, outside(&self.observer).await);
        if !was_alone {
            let is_locked = |oid: u32| sampled.locks.iter().any(|(locked, _)| *locked == oid);
            let mut scans = after.scanned_since(&before.counters);
            scans.retain(|(oid, _)| is_locked(*oid));
            let mut changed = self.ledger.changed(catalog.entries);
            changed.retain(|(oid, entry)| is_locked(*oid) || entry.indexed.is_some_and(is_locked));
            let Sampled { duration, locks, spans, waits } = sampled;
            return Ok(Deed {
                duration,
                locks,
                scans,
                changed,
                lock_timeout_ms,
                spans,
                waits,
                ..Deed::default()
            });
        }
        let sequences = ours!(self, sequence_values(&self.observer).await);
        let triggers = self.triggers(&self.observer, &after.called_since(&before.counters)).await?;
        Ok(Deed {
            duration: sampled.duration,
            locks: sampled.locks,
            scans: after.scanned_since(&before.counters),
            changed: self.ledger.changed(catalog.entries),
            wal_bytes: wal.saturating_sub(before.wal),
            lock_timeout_ms,
            spans: sampled.spans,
            written: after.written_since(&before.counters),
            catalog_rows: after.catalog_rows.saturating_sub(before.counters.catalog_rows),
            sequences: self.ledger.moved(sequences),
            triggers,
            waits: sampled.waits,
            ..Deed::default()
        })
    }
}

/// What was known before a statement that commits by itself.
pub(super) struct BeforeSampling {
    counters: Counters,
    /// Insert position of the write-ahead log, in bytes.
    wal: u64,
    /// Whether it may be kept waiting.
    pub(super) is_gated: bool,
    /// Whether no other session is in a transaction.
    pub(super) is_alone: bool,
}
