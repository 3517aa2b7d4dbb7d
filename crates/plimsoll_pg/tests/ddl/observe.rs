//! Runs every kind on a server and says what was seen, as the rehearsal records it.
//!
//! What can be undone runs within BEGIN and ROLLBACK in one database for all. What refuses that, or commits on its way,
//! gets a copy of the database, which serves until a kind leaves it changed.

use std::collections::BTreeMap;

use plimsoll_core::facts::FurtherFacts;
use plimsoll_core::{LockMode, SourceFile, StatementRecord, Work};
use plimsoll_pg::rehearse::{analyze, run_script};
use plimsoll_pg::server::PrivateServer;
use plimsoll_sql::parse::parse_script;
use plimsoll_sql::{Command, Statement};
use tokio_postgres::Client;

use crate::table::{Kind, Observed, SCHEMA};
use crate::way::{Batch, Form, Way};

/// What is seen of one kind.
pub(crate) struct Seen {
    pub(crate) name: String,
    /// What the table says of it.
    pub(crate) observed: Observed,
    /// All that was recorded of its last statement, but for times and for what differs from run to run.
    pub(crate) recorded: String,
}

/// A server with the schema that kinds are tried on.
pub(crate) struct Observatory {
    server: PrivateServer,
    relations: Relations,
}

impl Observatory {
    pub(crate) async fn open(server: PrivateServer) -> Self {
        server.create_database("harbour").await.expect("a database");
        run_script(&server, "harbour", &SourceFile::new("schema.sql", SCHEMA)).await.expect("the schema");
        analyze(&server, "harbour", None).await.expect("statistics");
        let relations = Relations::read(&server).await;
        Self { server, relations }
    }

    /// What the server does with each of the kinds that it knows, in order.
    pub(crate) async fn observe(&self, kinds: &[&Kind], way: Way) -> Vec<Seen> {
        let mut together = self.observe_together(kinds, way).await;
        let mut copy = Copy::default();
        let mut all = Vec::new();
        for (at, kind) in kinds.iter().enumerate() {
            let form = way.form(at);
            let seen = match together.remove(kind.name.as_str()) {
                None => copy.observe(self, kind, way, form).await,
                // It commits by itself: seen in samples, which show an index's lock by luck.
                Some(seen) if refuses_transactions(kind, &seen.observed) => {
                    let alone = copy.observe(self, kind, way, form).await;
                    let observed = Observed { index_locks: Vec::new(), ..alone.observed };
                    let recorded = without_luck(&alone.recorded);
                    Seen { observed, recorded, ..alone }
                }
                Some(seen) => seen,
            };
            all.push(seen);
        }
        all
    }

    /// Observes what can be undone in one database, each kind undone before the next.
    async fn observe_together(&self, kinds: &[&Kind], way: Way) -> BTreeMap<String, Seen> {
        let (mut undone, mut batches) = (Vec::new(), Vec::new());
        for (at, kind) in kinds.iter().enumerate().filter(|(_, kind)| can_be_undone(kind)) {
            undone.push(kind);
            batches.push(Batch { sql: &kind.sql, is_undone: true, form: way.form(at) });
        }
        // What is undone leaves dead rows: not in the database that others are copied from.
        copy(&self.server, "undone").await;
        let records = way.run(&self.server, "undone", &batches).await;
        assert_eq!(records.len(), undone.len(), "records of each kind");
        let seen = undone
            .iter()
            .zip(records)
            .map(|(kind, records)| (kind.name.clone(), self.relations.seen(kind, &records)));
        seen.collect()
    }
}

/// Whether the kind is one statement, but for settings, and one that a transaction block wouldn't help to succeed; or a
/// transaction that it begins itself and doesn't end.
fn can_be_undone(kind: &Kind) -> bool {
    let (statements, _) = parse_script(&kind.sql);
    let commands: Vec<Option<&Command>> = statements.iter().map(Statement::command).collect();
    let Some((last, earlier)) = commands.split_last() else { return false };
    let fails_alone = matches!(last, Some(Command::LockTable { .. } | Command::Commit { .. }));
    let only_sets = earlier.iter().all(|command| matches!(command, Some(Command::Set(_))));
    starts_transaction(kind) || (only_sets && !fails_alone)
}

fn starts_transaction(kind: &Kind) -> bool {
    kind.sql.starts_with("begin;")
}

/// Whether the refusal is about the transaction around the kind.
fn refuses_transactions(kind: &Kind, observed: &Observed) -> bool {
    !starts_transaction(kind) && matches!(observed.sqlstate.as_deref(), Some("25001" | "2D000"))
}

async fn copy(server: &PrivateServer, name: &str) {
    let client = server.connect("postgres").await.expect("a connection");
    for sql in [
        format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"),
        format!("CREATE DATABASE {name} TEMPLATE harbour STRATEGY file_copy"),
    ] {
        client.batch_execute(&sql).await.expect("a copy");
    }
}

/// A copy of the database for kinds that can't be undone.
#[derive(Default)]
struct Copy {
    /// What its catalog was at first.
    print: Option<String>,
}

impl Copy {
    async fn observe(&mut self, of: &Observatory, kind: &Kind, way: Way, form: Form) -> Seen {
        let server = &of.server;
        if self.print.is_none() {
            copy(server, "alone").await;
            let client = server.connect("alone").await.expect("a connection");
            self.print = Some(fingerprint(&client).await);
        }
        let batch = Batch { sql: &kind.sql, is_undone: false, form };
        let records = way.run(server, "alone", &[batch]).await.concat();
        let client = server.connect("alone").await.expect("a connection");
        client.simple_query(&kind.undo).await.expect("the copy as it was");
        let now = fingerprint(&client).await;
        self.print = self.print.take().filter(|print| *print == now);
        of.relations.seen(kind, &records)
    }
}

/// What a kind could leave changed in the copy: definitions, and how often rows were written.
async fn fingerprint(client: &Client) -> String {
    let query = "SELECT md5(string_agg(t, ' ' ORDER BY t)) FROM (\
          SELECT concat_ws(' ', relname, relkind, relpersistence, relispartition, reloptions) FROM pg_class \
              WHERE relnamespace <> 'pg_toast'::regnamespace UNION ALL \
          SELECT concat_ws(' ', a.attrelid::regclass, attname, atttypid, atttypmod, attnotnull, atthasdef) \
              FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid WHERE relkind IN ('r', 'p', 'm') AND NOT attisdropped UNION ALL \
          SELECT concat_ws(' ', conrelid::regclass, conname, convalidated, to_jsonb(k) -> 'conenforced') FROM pg_constraint k UNION ALL \
          SELECT concat_ws(' ', indrelid::regclass, indnatts, indisvalid, indisprimary) FROM pg_index UNION ALL \
          SELECT concat_ws(' ', inhrelid::regclass, inhparent::regclass, inhdetachpending) FROM pg_inherits UNION ALL \
          SELECT enumlabel FROM pg_enum UNION ALL SELECT proname FROM pg_proc UNION ALL SELECT typname FROM pg_type UNION ALL \
          SELECT sum(n_tup_ins + n_tup_upd + n_tup_del)::text FROM pg_stat_user_tables) AS all_of_it(t)";
    let row = client.query_one(query, &[]).await.expect("a fingerprint");
    row.get(0)
}

/// The schema's relations, as far as their locks are told of.
struct Relations {
    /// The tables of indexes, both as `schema.name`.
    indexes: BTreeMap<String, String>,
    /// Sequences and composite types.
    others: Vec<String>,
}

impl Relations {
    async fn read(server: &PrivateServer) -> Self {
        let client = server.connect("harbour").await.expect("a connection");
        let mut relations = Self { indexes: BTreeMap::new(), others: Vec::new() };
        let query = "SELECT n.nspname || '.' || c.relname, c.relkind, tn.nspname || '.' || t.relname FROM pg_class c \
                     JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_index i ON i.indexrelid = c.oid \
                     LEFT JOIN pg_class t ON t.oid = i.indrelid LEFT JOIN pg_namespace tn ON tn.oid = t.relnamespace \
                     WHERE c.relkind IN ('i', 'I', 'S', 'c')";
        for message in client.simple_query(query).await.expect("the relations") {
            let tokio_postgres::SimpleQueryMessage::Row(row) = message else { continue };
            let name = row.get(0).expect("a name").to_owned();
            match row.get(2) {
                Some(table) => drop(relations.indexes.insert(name, table.to_owned())),
                None => relations.others.push(name),
            }
        }
        relations
    }

    fn seen(&self, kind: &Kind, records: &[StatementRecord]) -> Seen {
        Seen { name: kind.name.clone(), observed: self.observed(records), recorded: recorded(records) }
    }

    /// What the last statement did, and what its transaction holds after it.
    fn observed(&self, records: &[StatementRecord]) -> Observed {
        let last = records.last().expect("a record");
        if let Some(error) = &last.error {
            return Observed { sqlstate: Some(error.sqlstate.clone()), ..Observed::default() };
        }
        let held = strongest(records, last);
        let mode_on = |relation: &String| held.get(relation).copied();
        let (indexes, tables): (Vec<_>, Vec<_>) =
            held.iter().partition(|(relation, _)| self.indexes.contains_key(*relation));
        let tables = tables.into_iter().filter(|(relation, _)| !self.others.contains(relation));
        let indexes = indexes
            .into_iter()
            .filter(|(index, mode)| mode_on(&self.indexes[*index]).is_none_or(|of_table| of_table < **mode));
        let told = |locks: &mut dyn Iterator<Item = (&String, &LockMode)>| {
            let strong = locks.filter(|(_, mode)| **mode >= LockMode::ShareUpdateExclusive);
            strong.map(|(relation, mode)| (relation.clone(), *mode)).collect::<Vec<_>>()
        };
        let (locks, index_locks) = (told(&mut tables.into_iter()), told(&mut indexes.into_iter()));
        Observed {
            sqlstate: None,
            locks,
            index_locks,
            works: works(last),
            concurrently: last.works_concurrently,
        }
    }
}

/// The strongest mode on each existing relation that the last record's transaction holds, by the names that relations
/// had before that record.
fn strongest(records: &[StatementRecord], last: &StatementRecord) -> BTreeMap<String, LockMode> {
    let mut held: BTreeMap<String, LockMode> = BTreeMap::new();
    for record in records.iter().filter(|record| record.transaction == last.transaction) {
        for lock in record.locks.iter().filter(|lock| lock.existing) {
            let mode = held.entry(lock.relation.clone()).or_insert(lock.mode);
            *mode = (*mode).max(lock.mode);
        }
        if std::ptr::eq(record, last) {
            break;
        }
        for (from, to) in &record.renames {
            if let Some(mode) = held.remove(from) {
                held.insert(to.clone(), mode);
            }
        }
    }
    held
}

fn works(record: &StatementRecord) -> Vec<(String, Work)> {
    let rewrites = record.rewrites.iter().map(|relation| (relation.clone(), Work::Rewrite));
    let scans = record.scans.iter().map(|scan| (scan.relation.clone(), Work::Scan));
    let builds = record.index_builds.iter().filter(|build| build.existing);
    let builds = builds.map(|build| (build.relation.clone(), Work::IndexBuild));
    let mut works: Vec<(String, Work)> = rewrites.chain(scans).chain(builds).collect();
    works.dedup();
    works
}

/// All that was recorded of the last statement, a line each, but for times, its place, and what the server did besides.
fn recorded(records: &[StatementRecord]) -> String {
    let last = records.last().expect("a record");
    let errors = records.iter().filter_map(|record| record.error.as_ref());
    let refusals: Vec<_> = errors.map(|error| (&error.sqlstate, &error.message)).collect();
    let further = FurtherFacts { waits: Vec::new(), temp_files: None, ..last.further.clone() };
    // What takes no lock isn't looked at by a program's rehearsal: settings, and what controls transactions.
    let lock_timeout = (!last.locks.is_empty()).then_some(last.lock_timeout_ms);
    let text = format!(
        "refusals {refusals:?}\nlocks {:?}\nrewrites {:?}\nscans {:?}\nbuilds {:?}\nrenames {:?}\nlock_timeout \
         {lock_timeout:?}\n{}",
        last.locks,
        last.rewrites,
        last.scans,
        last.index_builds,
        last.renames,
        format!("{further:?}").replace("], ", "],\n"),
    );
    without_numbers(&text)
}

/// Without the oids of new relations and the numbers of sessions, which are parts of names.
fn without_numbers(text: &str) -> String {
    let is_digit = |letter: char| letter.is_ascii_digit();
    ["pg_toast_", "_temp_"].iter().fold(text.to_owned(), |text, name| {
        let parts: Vec<&str> = text.split(name).collect();
        let rest = parts[1..].iter().map(|part| part.trim_start_matches(is_digit));
        std::iter::once(parts[0]).chain(rest).collect::<Vec<_>>().join(name)
    })
}

/// Without what samples show by luck, or what the server counts otherwise from time to time.
fn without_luck(recorded: &str) -> String {
    recorded
        .lines()
        .filter(|line| !LUCK.iter().any(|luck| line.starts_with(luck)))
        .collect::<Vec<_>>()
        .join("\n")
}

/// How the lines begin that tell of it.
const LUCK: [&str; 3] = ["locks ", "lock_timeout ", "catalog_rows"];
