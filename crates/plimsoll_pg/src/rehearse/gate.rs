//! A gate in the way of a statement that commits by itself, which makes its short locks visible.
//!
//! One of two sessions holds a lock and a snapshot on every relation that the statement may come to. Such a statement
//! waits for them between its phases, with its own locks in hand. Once it is seen waiting, the other session takes over
//! the relations that the statement hasn't come to yet, and the first lets go of all. So the statement is held up a
//! millisecond or two at each relation, and never for good.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use plimsoll_core::LockMode;
use plimsoll_sql::command::{ObjectKind, ReindexTarget};
use plimsoll_sql::name::quote_name;
use plimsoll_sql::{Command, ObjectName, Statement};
use tokio_postgres::Client;

use super::catalog::{IS_USERS, number, rows};
use super::outside::locks_of;
use super::photograph::Locks;
use super::sampling::SAMPLE_EVERY;

/// How long the gate stays shut for a statement that doesn't wait for it.
const PATIENCE: Duration = Duration::from_millis(500);

/// More relations aren't watched: each takes its place in the server's lock table, which holds a thousand or two.
const MOST_RELATIONS: usize = 300;

/// The sessions that a gate is made of.
pub(super) struct GateSessions {
    pub(super) clients: [Client; 2],
    /// Their processes.
    pub(super) pids: [i32; 2],
}

pub(super) struct Gate<'a> {
    sessions: Option<[&'a Client; 2]>,
    /// Their processes.
    pids: [i32; 2],
    /// How to lock the relations that the statement hasn't come to, by oid.
    remaining: BTreeMap<u32, String>,
    shut_since: Instant,
    held_up: Duration,
}

impl<'a> Gate<'a> {
    /// Shuts the gate, if there is one, on what the statement may lock.
    pub(super) async fn shut(
        sessions: Option<&'a GateSessions>,
        statement: &Statement,
    ) -> Result<Self, tokio_postgres::Error> {
        let open = Self {
            sessions: None,
            pids: sessions.map_or([0; 2], |sessions| sessions.pids),
            remaining: BTreeMap::new(),
            shut_since: Instant::now(),
            held_up: Duration::ZERO,
        };
        let (Some(sessions), Some(command)) = (sessions, statement.command()) else { return Ok(open) };
        let Some(target) = target_of(command) else { return Ok(open) };
        let sessions = sessions.clients.each_ref();
        let remaining = locking_statements(sessions[0], &target, mode_against(command)).await?;
        if remaining.is_empty() || remaining.len() > MOST_RELATIONS {
            return Ok(open);
        }
        let gate = Self { sessions: Some(sessions), remaining, ..open };
        gate.take(sessions[0]).await?;
        Ok(Self { shut_since: Instant::now(), ..gate })
    }

    /// Lets the statement pass the relations that it has come to, if it waits.
    pub(super) async fn let_pass(
        &mut self,
        observer: &Client,
        pid: i32,
        locks: &mut Locks,
    ) -> Result<(), tokio_postgres::Error> {
        let Some([holding, resting]) = self.sessions else { return Ok(()) };
        let waits = waits(observer, pid, self.pids).await?;
        if !waits && self.shut_since.elapsed() < PATIENCE {
            return Ok(());
        }
        let waiting_since = Instant::now();
        // Read while it waits, so that what it waits for is among them. What an earlier phase held and let go of doesn't
        // count: a later one may come back for more (DETACH PARTITION CONCURRENTLY to the partition).
        let now = locks_of(observer, pid).await?;
        let is_reached = |oid: &u32| {
            now.iter().any(|(locked, mode)| locked == oid && *mode >= LockMode::ShareUpdateExclusive)
        };
        self.remaining.retain(|oid, _| !is_reached(oid));
        locks.extend(now);
        if !waits {
            return self.open().await;
        }
        if self.remaining.is_empty() {
            self.open().await?;
        } else {
            self.take(resting).await?;
            let_go(holding).await?;
            self.sessions = Some([resting, holding]);
            self.shut_since = Instant::now();
        }
        self.held_up += waiting_since.elapsed() + SAMPLE_EVERY;
        Ok(())
    }

    /// Lets go of everything.
    pub(super) async fn open(&mut self) -> Result<(), tokio_postgres::Error> {
        let Some([holding, _]) = self.sessions.take() else { return Ok(()) };
        let_go(holding).await
    }

    /// How long the statement was kept waiting.
    pub(super) fn held_up(&self) -> Duration {
        self.held_up
    }

    /// Locks what remains. What can't be locked at once (the statement may have come to it by now) is passed over.
    async fn take(&self, session: &Client) -> Result<(), tokio_postgres::Error> {
        session
            .batch_execute(
                "BEGIN ISOLATION LEVEL REPEATABLE READ; SET LOCAL lock_timeout = '100ms'; SELECT 1",
            )
            .await?;
        let all: String = self.remaining.values().map(|lock| format!("{lock}; ")).collect();
        let taken = session.batch_execute(&format!("SAVEPOINT gate; {all}")).await;
        match taken {
            Err(error) if error.as_db_error().is_some() => session.batch_execute("ROLLBACK TO gate").await,
            result => result,
        }
    }
}

async fn let_go(session: &Client) -> Result<(), tokio_postgres::Error> {
    session.batch_execute("ROLLBACK; DEALLOCATE ALL").await
}

/// Where a gate has to stand.
enum Target {
    /// At a relation, quoted for SQL, and its partitions.
    Relation(String),
    /// At an index's table, and its partitions.
    TableOfIndex(String),
    /// Everywhere: the statement names no relation.
    Everything,
}

fn target_of(command: &Command) -> Option<Target> {
    match command {
        Command::Drop(drop) if drop.kind == ObjectKind::Index => {
            Some(Target::TableOfIndex(quote_name(drop.names.first()?)))
        }
        Command::Reindex { target: ReindexTarget::Index(index), .. } => {
            Some(Target::TableOfIndex(quote_name(index)))
        }
        Command::Reindex { target: ReindexTarget::Schema(_) | ReindexTarget::System, .. }
        | Command::Cluster { name: None } => Some(Target::Everything),
        Command::Vacuum { names, .. } if names.len() != 1 => Some(Target::Everything),
        // A block or a procedure that commits.
        Command::Other | Command::Do { .. } | Command::Query { .. } => Some(Target::Everything),
        command => named_relation(command).map(|name| Target::Relation(quote_name(name))),
    }
}

/// The relation that a statement which refuses a transaction block names; as written, so that the
/// session's search path finds it.
fn named_relation(command: &Command) -> Option<&ObjectName> {
    match command {
        Command::AlterTable(alter) => Some(&alter.name),
        Command::CreateIndex(index) => Some(&index.table),
        Command::Reindex { target: ReindexTarget::Table(name), .. }
        | Command::Refresh { name, .. }
        | Command::Cluster { name: Some(name) } => Some(name),
        Command::Vacuum { names, .. } | Command::Analyze { names } => names.first(),
        _ => None,
    }
}

/// The mode that the statement has to wait for, and that doesn't keep the other session out.
fn mode_against(command: &Command) -> LockMode {
    match command {
        // Takes SHARE UPDATE EXCLUSIVE, and has no phases between which it would wait for the snapshot.
        Command::Vacuum { full: false, .. } => LockMode::Share,
        _ => LockMode::RowExclusive,
    }
}

/// How to lock each relation at the target; nothing if there is none such.
async fn locking_statements(
    session: &Client,
    target: &Target,
    mode: LockMode,
) -> Result<BTreeMap<u32, String>, tokio_postgres::Error> {
    let text = |name: &str| format!("pg_catalog.to_regclass('{}')", name.replace('\'', "''"));
    let within = match target {
        Target::Everything => "true".to_owned(),
        Target::Relation(name) => tree(&text(name)),
        Target::TableOfIndex(name) => tree(&format!(
            "(SELECT indrelid::regclass FROM pg_catalog.pg_index WHERE indexrelid = {})",
            text(name)
        )),
    };
    let query = format!(
        "SELECT c.oid, c.oid::regclass AS name, c.relkind FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON \
         n.oid = c.relnamespace WHERE {IS_USERS} AND c.relkind IN ('r', 'p', 'm') AND {within} LIMIT {}",
        MOST_RELATIONS + 1
    );
    let read = rows(session.simple_query(&query).await?);
    Ok(read
        .filter_map(|row| {
            let name = row.get("name")?;
            let lock = match row.get("relkind") {
                // LOCK TABLE refuses materialized views. To prepare a DELETE, which nobody could execute, takes ROW
                // EXCLUSIVE.
                Some("m") => format!("PREPARE gate_{} AS DELETE FROM {name}", number::<u32>(&row, "oid")),
                _ => format!("LOCK TABLE ONLY {name} IN {} MODE", mode.sql()),
            };
            Some((number(&row, "oid"), lock))
        })
        .collect())
}

/// A condition on `c.oid`: the relation is this one, or a partition below it.
fn tree(relation: &str) -> String {
    format!(
        "c.oid IN (SELECT {relation} UNION ALL SELECT relid FROM pg_catalog.pg_partition_tree({relation}))"
    )
}

/// Whether the session waits for the gate.
async fn waits(observer: &Client, pid: i32, gate: [i32; 2]) -> Result<bool, tokio_postgres::Error> {
    let [one, other] = gate;
    let query = format!(
        "SELECT count(*) AS waits FROM pg_catalog.unnest(pg_catalog.pg_blocking_pids({pid})) blocking WHERE blocking IN ({one}, \
         {other})"
    );
    Ok(rows(observer.simple_query(&query).await?).any(|row| number::<u32>(&row, "waits") > 0))
}
