//! Changes the rows: one `UPDATE` a table, all tables at once as far as the machine goes; then each table is written anew.
//!
//! Indexes take no part in the update: they are set to be as good as absent, and built again afterwards, which also finds what
//! isn't unique any more. A table is written anew only when every update has ended, since `VACUUM FULL` keeps rows that an older
//! transaction could see.

use std::collections::HashSet;
use std::path::PathBuf;
use std::str::FromStr;

use tokio::task::JoinSet;
use tokio_postgres::{Client, Error, SimpleQueryMessage, SimpleQueryRow};

use super::catalogue::{literal, quoted};
use super::check::Samples;
use super::expression::{Made, expression};
use super::fake::{self, Faker};
use super::made::Make;
use super::plan::{Plan, Planned};
use super::rules::{How, Key};
use crate::error::BranchError;
use crate::running::{Address, in_words};
use crate::state::random_text;

/// More connections would be at work on one disk.
const MOST_CONNECTIONS: usize = 8;
/// As short a value that a fake of it may be the same by chance: 12 digits are 40 bits.
const LONG_ENOUGH: u32 = 12;

/// Opens sessions.
#[derive(Clone)]
pub(super) struct Connector {
    sockets: PathBuf,
    port: u16,
    superuser: String,
    key: Key,
}

/// A session in a database, in which nothing fires and nothing times out.
pub(super) struct Session {
    pub(super) client: Client,
    database: String,
}

impl Connector {
    pub(super) fn new(address: &Address<'_>, key: &Key) -> Self {
        Self {
            sockets: address.sockets.to_owned(),
            port: address.port,
            superuser: address.superuser.to_owned(),
            key: key.clone(),
        }
    }

    pub(super) async fn open(&self, database: &str) -> Result<Session, BranchError> {
        let address = Address { sockets: &self.sockets, port: self.port, superuser: &self.superuser };
        let client = address.connect(database).await?;
        let session = Session { client, database: database.to_owned() };
        // Roles and databases of the source may have settings of their own.
        let set = format!(
            "SET log_statement = none; SET session_replication_role = replica; SET allow_system_table_mods = on; \
             SET default_transaction_read_only = off; SET statement_timeout = 0; SET lock_timeout = 0; \
             SET idle_in_transaction_session_timeout = 0; SET work_mem = '64MB'; SET maintenance_work_mem = '256MB'; \
             SET client_min_messages = error; SET default_tablespace = ''; SET datestyle = 'ISO'; SET bytea_output = 'hex'; \
             SET plimsoll.key = '{}'",
            self.key.hex()
        );
        session.run("prepare a session", &set).await?;
        Ok(session)
    }
}

impl Session {
    pub(super) async fn try_rows(&self, sql: &str) -> Result<Vec<SimpleQueryRow>, Error> {
        let messages = self.client.simple_query(sql).await?;
        Ok(messages
            .into_iter()
            .filter_map(|message| match message {
                SimpleQueryMessage::Row(row) => Some(row),
                _ => None,
            })
            .collect())
    }

    /// The rows that a query answers.
    pub(super) async fn rows(&self, sql: &str) -> Result<Vec<SimpleQueryRow>, BranchError> {
        self.try_rows(sql).await.map_err(|why| self.failed("look at the columns", &why))
    }

    /// Runs statements. `what` completes "failed to …".
    pub(super) async fn run(&self, what: &str, sql: &str) -> Result<Vec<SimpleQueryRow>, BranchError> {
        self.try_rows(sql).await.map_err(|why| self.failed(what, &why))
    }

    /// What rows do not allow can be put right by a rule.
    pub(super) fn failed(&self, what: &str, why: &Error) -> BranchError {
        let told = format!("{what} in database {}: {}", self.database, in_words(why));
        let state = why.code().map_or("", tokio_postgres::error::SqlState::code);
        if state.starts_with("23") || state.starts_with("22") {
            return BranchError::Refused(format!("{told}; give the column another rule"));
        }
        BranchError::Environment(told)
    }
}

/// The characters that a database's encoding has, of those that letters may become; none where it has all.
async fn characters(session: &Session, schema: &str) -> Result<Option<HashSet<char>>, BranchError> {
    let rows = session.rows("SELECT getdatabaseencoding()").await?;
    if matches!(rows.first().and_then(|row| row.get(0)), Some("UTF8" | "SQL_ASCII") | None) {
        return Ok(None);
    }
    let hex = |letter: char| letter.to_string().bytes().map(|byte| format!("{byte:02x}")).collect::<String>();
    let codes: Vec<String> = fake::letters().map(hex).collect();
    let rows = session.rows(&format!("SELECT {schema}.characters('{}')", codes.join(" "))).await?;
    Ok(rows.first().and_then(|row| row.get(0)).map(|letters| letters.chars().collect()))
}

/// A value of a row; a type's default if it is none.
pub(super) fn parsed<T: FromStr + Default>(row: &SimpleQueryRow, index: usize) -> T {
    row.get(index).and_then(|text| text.parse().ok()).unwrap_or_default()
}

/// Steps that are taken in order, in one session.
struct Job {
    what: String,
    steps: Vec<Step>,
}

enum Step {
    Sql(String),
    Make(Box<Make>),
}

/// Runs jobs, several at once. The last statement's rows of each, in the order of the jobs.
async fn all(
    connector: &Connector,
    database: &str,
    jobs: Vec<Job>,
) -> Result<Vec<Vec<SimpleQueryRow>>, BranchError> {
    let most =
        std::thread::available_parallelism().map_or(1, usize::from).min(MOST_CONNECTIONS).min(jobs.len());
    let count = jobs.len();
    let queue = std::sync::Arc::new(std::sync::Mutex::new(jobs.into_iter().enumerate()));
    let mut workers = JoinSet::new();
    for _ in 0..most {
        let (queue, connector, database) = (queue.clone(), connector.clone(), database.to_owned());
        workers.spawn(async move {
            let session = connector.open(&database).await?;
            let mut answers = Vec::new();
            loop {
                let next = queue.lock().ok().and_then(|mut queue| queue.next());
                let Some((number, job)) = next else { return Ok::<_, BranchError>(answers) };
                let mut last = Vec::new();
                for step in job.steps {
                    match step {
                        Step::Sql(sql) => last = session.run(&job.what, &sql).await?,
                        Step::Make(make) => {
                            make.run(&session, &connector.open(&database).await?, &job.what).await?;
                        }
                    }
                }
                answers.push((number, last));
            }
        });
    }
    let mut answers: Vec<Vec<SimpleQueryRow>> = Vec::new();
    answers.resize_with(count, Vec::new);
    while let Some(ended) = workers.join_next().await {
        let ended = ended.map_err(|why| BranchError::Environment(format!("mask the trunk: {why}")))?;
        for (number, rows) in ended? {
            answers[number] = rows;
        }
    }
    Ok(answers)
}

/// Masks one database.
pub(super) async fn run(
    connector: &Connector,
    plan: &Plan,
    samples: &mut Samples,
    notes: &mut Vec<String>,
) -> Result<(), BranchError> {
    let schema = format!("plimsoll_{}", random_text(12));
    let session = connector.open(&plan.database).await?;
    let event_triggers = silence_event_triggers(&session).await?;
    samples.take(&session, plan).await?;
    let functions = include_str!("functions.sql").replace("{schema}", &schema);
    session.run("make functions", &format!("CREATE SCHEMA {schema}; {functions}")).await?;
    set_aside(&session, plan, &schema, notes).await?;
    let faker = Faker::new(connector.key.bytes(), characters(&session, &schema).await?);
    let updates = plan.touched().map(|table| Job {
        what: format!("mask {}", table.sql()),
        steps: changes(plan, table.oid, &schema, &faker),
    });
    let answers = all(connector, &plan.database, updates.collect()).await?;
    for (table, rows) in plan.touched().zip(&answers) {
        for (number, planned) in plan.of(table.oid).enumerate() {
            let same = |index: usize| rows.first().map_or(0_u64, |row| parsed(row, 2 * number + index));
            verify(planned, same(1), same(2), notes)?;
        }
    }
    let heaps: Vec<&(u32, String)> = plan.touched().flat_map(|table| &table.heaps).collect();
    let job = |what: &str, name: &str, sql: String| Job {
        what: format!("{what} {name}"),
        steps: vec![Step::Sql(sql)],
    };
    let written = heaps.iter().map(|(_, name)| job("write anew", name, format!("VACUUM FULL {name}")));
    all(connector, &plan.database, written.collect()).await?;
    let oids = list(heaps.iter().map(|(oid, _)| *oid));
    let live = format!("UPDATE pg_index SET indislive = true WHERE indrelid IN ({oids})");
    connector.open(&plan.database).await?.run("bring back indexes", &live).await?;
    let indexed =
        heaps.iter().map(|(_, name)| job("build the indexes of", name, format!("REINDEX TABLE {name}")));
    all(connector, &plan.database, indexed.collect()).await?;
    let session = connector.open(&plan.database).await?;
    bring_back(&session, &schema).await?;
    check_keys(&session, plan).await?;
    let views = refresh_views(&session, notes).await?;
    forget_statistics(&session, plan).await?;
    let names = plan.touched().map(super::catalogue::Table::sql).chain(views);
    let analyzed = names.map(|name| job("analyze", &name, format!("ANALYZE {name}")));
    all(connector, &plan.database, analyzed.collect()).await?;
    for name in ["pg_statistic", "pg_statistic_ext_data"] {
        session.run("write the statistics anew", &format!("VACUUM FULL pg_catalog.{name}")).await?;
    }
    session.run("drop functions", &format!("DROP SCHEMA {schema} CASCADE")).await?;
    for (oid, was) in event_triggers {
        let sql = format!("UPDATE pg_event_trigger SET evtenabled = '{was}' WHERE oid = {oid}");
        session.run("bring back event triggers", &sql).await?;
    }
    Ok(())
}

/// Those that fire on replicas too would see, or refuse, what masking makes and drops. Returns them, and how they were.
async fn silence_event_triggers(session: &Session) -> Result<Vec<(u32, String)>, BranchError> {
    let rows =
        session.rows("SELECT oid, evtenabled FROM pg_event_trigger WHERE evtenabled IN ('A', 'R')").await?;
    let silence = "UPDATE pg_event_trigger SET evtenabled = 'D' WHERE evtenabled IN ('A', 'R')";
    session.run("silence event triggers", silence).await?;
    Ok(rows.iter().map(|row| (parsed(row, 0), parsed(row, 1))).collect())
}

fn list(oids: impl Iterator<Item = u32>) -> String {
    let texts: Vec<String> = oids.map(|oid| oid.to_string()).collect();
    texts.join(", ")
}

/// What would take part in an update, or forbid it: triggers and rules that fire on replicas too, identities, publications that
/// want a replica identity, indexes.
async fn set_aside(
    session: &Session,
    plan: &Plan,
    schema: &str,
    notes: &mut Vec<String>,
) -> Result<(), BranchError> {
    let roots = list(plan.touched().map(|table| table.oid));
    let heaps = list(plan.touched().flat_map(|table| table.heaps.iter().map(|(oid, _)| *oid)));
    let invalid = format!(
        "SELECT format('%I.%I', n.nspname, c.relname) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid \
         JOIN pg_namespace n ON n.oid = c.relnamespace WHERE indrelid IN ({heaps}) AND NOT (indisvalid AND indisready AND indislive)"
    );
    for row in session.rows(&invalid).await? {
        let name: String = parsed(&row, 0);
        session.run("drop an invalid index", &format!("DROP INDEX {name}")).await?;
        notes.push(format!("index {name} was invalid, and is dropped"));
    }
    let sql = format!(
        "CREATE TABLE {schema}.aside AS
            SELECT 'trigger' AS kind, oid AS object, 0 AS part, tgenabled::text AS was FROM pg_trigger
                WHERE tgrelid IN ({roots}, {heaps}) AND tgenabled IN ('A', 'R')
            UNION ALL SELECT 'rule', oid, 0, ev_enabled::text FROM pg_rewrite
                WHERE ev_class IN ({roots}, {heaps}) AND ev_enabled IN ('A', 'R')
            UNION ALL SELECT 'identity', attrelid, attnum, attidentity::text FROM pg_attribute
                WHERE attrelid IN ({roots}, {heaps}) AND attidentity = 'a'
            UNION ALL SELECT 'update', oid, 0, pubupdate::text FROM pg_publication
            UNION ALL SELECT 'delete', oid, 0, pubdelete::text FROM pg_publication;
        UPDATE pg_trigger SET tgenabled = 'D' FROM {schema}.aside WHERE kind = 'trigger' AND object = oid;
        UPDATE pg_rewrite SET ev_enabled = 'D' FROM {schema}.aside WHERE kind = 'rule' AND object = oid;
        UPDATE pg_attribute SET attidentity = 'd' FROM {schema}.aside WHERE kind = 'identity' AND object = attrelid AND part = attnum;
        UPDATE pg_publication SET pubupdate = false, pubdelete = false;
        UPDATE pg_index SET indislive = false, indisready = false, indisvalid = false WHERE indrelid IN ({heaps})",
        heaps = if heaps.is_empty() { "0" } else { &heaps }
    );
    session.run("set aside what fires", &sql).await.map(drop)
}

async fn bring_back(session: &Session, schema: &str) -> Result<(), BranchError> {
    let sql = format!(
        "UPDATE pg_trigger SET tgenabled = was::\"char\" FROM {schema}.aside WHERE kind = 'trigger' AND object = oid;
        UPDATE pg_rewrite SET ev_enabled = was::\"char\" FROM {schema}.aside WHERE kind = 'rule' AND object = oid;
        UPDATE pg_attribute SET attidentity = was::\"char\" FROM {schema}.aside
            WHERE kind = 'identity' AND object = attrelid AND part = attnum;
        UPDATE pg_publication SET pubupdate = was::boolean FROM {schema}.aside WHERE kind = 'update' AND object = oid;
        UPDATE pg_publication SET pubdelete = was::boolean FROM {schema}.aside WHERE kind = 'delete' AND object = oid"
    );
    session.run("bring back what fires", &sql).await.map(drop)
}

/// What changes every masked column of a table at once, and counts for each how many values are the same as before, and how
/// many of those are too long for chance.
fn changes(plan: &Plan, table: u32, schema: &str, faker: &Faker) -> Vec<Step> {
    let Some(known) = plan.tables.get(&table) else { return Vec::new() };
    // Children of a table have rules of their own; partitions don't.
    let from = if known.is_partitioned { known.sql() } else { format!("ONLY {}", known.sql()) };
    let (mut sets, mut news, mut joins, mut counts, mut returned) =
        (vec![], vec![], String::new(), vec![], vec![]);
    let (mut is_moved, mut here, mut texts, mut types) = (false, vec![], vec![], vec![]);
    for (number, planned) in plan.of(table).enumerate() {
        let column = quoted(&planned.column.name);
        let row = "tableoid::text || ctid::text";
        match expression(&planned.how, &planned.column, planned.limits, row, schema) {
            Made::Sql(new) => news.push(format!("{new} AS new{number}")),
            Made::Here(text, how) => {
                here.push(how);
                texts.push(text);
                types.push(format!("new{number} {}", planned.column.data_type));
            }
            Made::Moved => {
                is_moved = true;
                joins.push_str(&format!(
                    " JOIN (SELECT {column} AS new{number}, row_number() OVER (ORDER BY {schema}.digest('shuffle{number}', {row})) AS place \
                     FROM {from}) shuffled{number} USING (place)"
                ));
            }
        }
        news.push(format!("{column}::text AS old{number}"));
        sets.push(format!("{column} = source.new{number}"));
        let same = same(planned, &format!("target.{column}"), &format!("source.old{number}"));
        let long = format!(
            "char_length(regexp_replace(source.old{number}, '[^[:alnum:]]', '', 'g')) >= {LONG_ENOUGH}"
        );
        returned.push(format!("{same} AS same{number}, {same} AND {long} AS long{number}"));
        counts.push(format!("count(*) FILTER (WHERE same{number}), count(*) FILTER (WHERE long{number})"));
    }
    let mut steps = Vec::new();
    if !here.is_empty() {
        let made = format!("{schema}.made_{table}");
        // No WAL; and the planner has to know that there is a row for each.
        steps.push(Step::Sql(format!(
            "CREATE UNLOGGED TABLE {made} (source_table oid, source_row tid, {})",
            types.join(", ")
        )));
        steps.push(Step::Make(Box::new(Make {
            from: format!("COPY (SELECT tableoid, ctid, {} FROM {from}) TO STDOUT", texts.join(", ")),
            into: format!("COPY {made} FROM STDIN"),
            here,
            faker: faker.clone(),
        })));
        steps.push(Step::Sql(format!("ANALYZE {made}")));
        joins.push_str(&format!(" JOIN {made} USING (source_table, source_row)"));
    }
    let place = if is_moved { "row_number() OVER (ORDER BY tableoid, ctid) AS place, " } else { "" };
    steps.push(Step::Sql(format!(
        "WITH changed AS (
            UPDATE {from} AS target SET {} FROM (
                SELECT * FROM (SELECT {place}tableoid AS source_table, ctid AS source_row, {} FROM {from}) rows{joins}
            ) source WHERE target.ctid = source.source_row AND target.tableoid = source.source_table RETURNING {}
        ) SELECT count(*), {} FROM changed",
        sets.join(", "),
        news.join(", "),
        returned.join(", "),
        counts.join(", ")
    )));
    steps
}

/// In SQL: whether a row still has what must not be there.
fn same(planned: &Planned, new: &str, old: &str) -> String {
    match &planned.how {
        How::Shuffle | How::Keep | How::Fixed(_) => "false".to_owned(),
        How::Null => format!("{new} IS NOT NULL"),
        How::DateShift { .. } => format!("({new}::text = {old} AND isfinite({new}))"),
        How::Hash | How::Fake => format!("({new}::text = {old} AND {old} <> '')"),
    }
}

fn verify(planned: &Planned, same: u64, long: u64, notes: &mut Vec<String>) -> Result<(), BranchError> {
    let by_chance = matches!(planned.how, How::Hash | How::Fake);
    let wrong = if by_chance { long } else { same };
    if wrong > 0 {
        return Err(BranchError::Environment(format!(
            "mask {}: {wrong} rows have the value of before; report this as a bug of Plimsoll",
            planned.name
        )));
    }
    if same > 0 {
        notes.push(format!(
            "{same} values of {} are as before: they have so few letters and digits that the fake of one may be itself",
            planned.name
        ));
    }
    Ok(())
}

/// Foreign keys weren't looked at during the update.
async fn check_keys(session: &Session, plan: &Plan) -> Result<(), BranchError> {
    let is_masked = |place: (u32, i16)| {
        plan.columns.iter().any(|known| (known.column.table, known.column.number) == place)
    };
    let mut done = std::collections::BTreeSet::new();
    for key in
        plan.keys.iter().filter(|key| key.is_validated && (is_masked(key.child) || is_masked(key.parent)))
    {
        if !done.insert(key.constraint) {
            continue;
        }
        let (Some(child), Some(parent)) = (plan.tables.get(&key.child.0), plan.tables.get(&key.parent.0))
        else {
            continue;
        };
        let column = |place: (u32, i16)| {
            let found = plan.all.iter().find(|column| (column.table, column.number) == place);
            found.map(|column| quoted(&column.name)).unwrap_or_default()
        };
        let pairs = plan.keys.iter().filter(|other| other.constraint == key.constraint);
        let pairs: Vec<(String, String)> =
            pairs.map(|pair| (column(pair.child), column(pair.parent))).collect();
        let has_value: Vec<String> =
            pairs.iter().map(|(child, _)| format!("child.{child} IS NOT NULL")).collect();
        let equal: Vec<String> =
            pairs.iter().map(|(child, parent)| format!("child.{child} = parent.{parent}")).collect();
        let sql = format!(
            "SELECT count(*) FROM {} child WHERE {} AND NOT EXISTS (SELECT FROM {} parent WHERE {})",
            child.sql(),
            has_value.join(" AND "),
            parent.sql(),
            equal.join(" AND ")
        );
        let rows = session.run(&format!("check foreign key {}", key.name), &sql).await?;
        let lost: u64 = rows.first().map_or(0, |row| parsed(row, 0));
        if lost > 0 {
            return Err(BranchError::Refused(format!(
                "mask {}: {lost} rows refer to nothing in {} then (foreign key {}); give both sides the same rule",
                child.sql(),
                parent.sql(),
                key.name
            )));
        }
    }
    Ok(())
}

/// Refreshes all materialized views that have rows, those first that others read. Says which have rows now.
async fn refresh_views(session: &Session, notes: &mut Vec<String>) -> Result<Vec<String>, BranchError> {
    let sql = "
        WITH RECURSIVE edge AS (
            SELECT DISTINCT r.ev_class AS reader, d.refobjid AS read FROM pg_rewrite r JOIN pg_depend d
            ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid AND d.refclassid = 'pg_class'::regclass
            WHERE r.ev_type = '1' AND d.refobjid <> r.ev_class
        ), depth(relation, level) AS (
            SELECT oid, 0 FROM pg_class WHERE relkind IN ('v', 'm')
            UNION SELECT edge.reader, level + 1 FROM depth JOIN edge ON edge.read = depth.relation WHERE level < 100
        )
        SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        JOIN depth ON depth.relation = c.oid WHERE c.relkind = 'm' AND c.relispopulated GROUP BY n.nspname, c.relname, c.oid
        ORDER BY max(level), c.oid";
    let mut refreshed = Vec::new();
    for row in session.rows(sql).await? {
        let name: String = parsed(&row, 0);
        match session.try_rows(&format!("REFRESH MATERIALIZED VIEW {name}")).await {
            Ok(_) => refreshed.push(name),
            Err(why) => {
                let empty = format!("REFRESH MATERIALIZED VIEW {name} WITH NO DATA");
                session.run(&format!("empty {name}"), &empty).await?;
                notes.push(format!(
                    "materialized view {name} is empty, since it can't be refreshed: {}",
                    in_words(&why)
                ));
            }
        }
    }
    Ok(refreshed)
}

/// The statistics of masked tables, their partitions, parents and indexes, and of all materialized views.
async fn forget_statistics(session: &Session, plan: &Plan) -> Result<(), BranchError> {
    let oids = list(
        plan.touched()
            .flat_map(|table| std::iter::once(table.oid).chain(table.heaps.iter().map(|(oid, _)| *oid))),
    );
    let sql = format!(
        "CREATE TEMP TABLE forgotten ON COMMIT DROP AS WITH RECURSIVE related AS (
            SELECT oid FROM pg_class WHERE oid IN ({oids}) OR relkind = 'm'
            UNION SELECT partrelid FROM pg_partitioned_table WHERE partrelid IN (SELECT relid FROM unnest(ARRAY[{oids}]::oid[]) AS root, pg_partition_tree(root))
            UNION SELECT inhparent FROM related JOIN pg_inherits ON inhrelid = oid
        ) SELECT oid FROM related UNION SELECT indexrelid FROM pg_index JOIN related ON indrelid = oid;
        DELETE FROM pg_statistic WHERE starelid IN (SELECT oid FROM forgotten);
        DELETE FROM pg_statistic_ext_data WHERE stxoid IN (SELECT oid FROM pg_statistic_ext WHERE stxrelid IN (SELECT oid FROM forgotten))"
    );
    session.run("forget statistics", &sql).await.map(drop)
}

/// Texts as `IN` takes them.
pub(super) fn in_list(texts: &[String]) -> String {
    texts.iter().map(|text| literal(text)).collect::<Vec<_>>().join(", ")
}
