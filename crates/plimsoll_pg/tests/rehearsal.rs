//! What a rehearsal records of several statements, on real servers. What it records of each kind of statement is the
//! table's matter: `ddl`.

use plimsoll_core::{ChangeScope, Outcome, Rehearsal, SourceFile, StatementRecord};
use plimsoll_pg::rehearse::{rehearse, run_script};
use plimsoll_pg::server::PrivateServer;
use plimsoll_sql::{Migration, TransactionHabit};
use support::start;

mod support;

const SCHEMA: &str = "
    create table ships (id int primary key, name varchar(50), flag text);
    create table calls (id int primary key, ship_id int not null, note text);
    create index calls_ship on calls (ship_id);
    create index calls_note on calls (note);
    create table visits (id int, day date) partition by range (day);
    create table visits_2025 partition of visits for values from ('2025-01-01') to ('2026-01-01');
    create table visits_rest partition of visits default;
    create materialized view flags as select flag, count(*) from ships group by flag;
    create domain tonnage as int;
    insert into ships select n, 'ship ' || n, 'LR' from generate_series(1, 100) n;
    insert into calls select n, n % 100 + 1, 'x' from generate_series(1, 1000) n;
    insert into visits select n, date '2025-06-01' from generate_series(1, 10) n;
    analyze;";

async fn run(server: &PrivateServer, database: &str, sql: &str, habit: TransactionHabit) -> Rehearsal {
    server.create_database(database).await.expect("a database");
    run_script(server, database, &SourceFile::new("schema.sql", SCHEMA)).await.expect("the schema");
    let migration = Migration::new(SourceFile::new("change.sql", sql), 0..sql.len(), habit);
    rehearse(server, database, &[&migration], ChangeScope::Together, &|_, _, _| {})
        .await
        .expect("a rehearsal")
}

/// A record in a line: the strongest locks on existing relations beyond ROW EXCLUSIVE, and the work.
fn shown(record: &StatementRecord) -> String {
    if let Some(error) = &record.error {
        return format!("error {}", error.sqlstate);
    }
    let mut parts: Vec<String> = record
        .strongest_locks()
        .iter()
        .filter(|lock| lock.existing && lock.mode > plimsoll_core::LockMode::RowExclusive)
        .map(|lock| format!("{}:{}", short(&lock.relation), lock.mode.sql()))
        .collect();
    parts.extend(record.rewrites.iter().map(|relation| format!("rewrite {}", short(relation))));
    parts.extend(record.scans.iter().map(|scan| format!("scan {} {}", short(&scan.relation), scan.rows)));
    parts.extend(record.index_builds.iter().map(|build| format!("build {}", short(&build.index))));
    parts.join(", ")
}

fn short(name: &str) -> &str {
    name.strip_prefix("public.").unwrap_or(name)
}

#[tokio::test]
async fn locks_are_new_once_in_a_transaction() {
    let server = start(18);
    let sql =
        "alter table ships add column x int; alter table ships add column y int; update calls set note = 'y'";
    let rehearsal = run(&server, "once", sql, TransactionHabit::File).await;
    let locks: Vec<String> = rehearsal.statements.iter().map(shown).collect();
    assert_eq!(locks, ["ships:ACCESS EXCLUSIVE", "", "scan calls 1000"]);
    assert!(rehearsal.statements.iter().all(|record| record.in_transaction && record.transaction == 0));
    assert!(rehearsal.statements[2].wal_bytes > 10_000);
}

#[tokio::test]
async fn a_failure_in_a_transaction_spares_the_rest() {
    let server = start(15);
    let sql =
        "alter table ships add column x int;\nalter table ships add column x int;\ncreate table t (a int);";
    let rehearsal = run(&server, "spared", sql, TransactionHabit::File).await;
    let outcomes: Vec<Outcome> = rehearsal.statements.iter().map(|record| record.outcome).collect();
    assert_eq!(outcomes, [Outcome::Ok, Outcome::Error, Outcome::Ok]);
    let error = rehearsal.statements[1].error.as_ref().expect("an error");
    assert_eq!((error.sqlstate.as_str(), error.line), ("42701", 2));
    assert_eq!(rehearsal.notes.len(), 1);
}

#[tokio::test]
async fn what_the_change_makes_is_not_existing() {
    let server = start(18);
    let sql = "create table fresh (id int primary key); alter table fresh add column n int; insert into fresh values (1)";
    let rehearsal = run(&server, "fresh", sql, TransactionHabit::Statement).await;
    assert!(rehearsal.statements.iter().flat_map(|record| &record.locks).all(|lock| !lock.existing));
    assert!(rehearsal.statements[0].index_builds.iter().all(|build| !build.existing));
}

#[tokio::test]
async fn a_rollback_gives_names_and_locks_back() {
    let server = start(15);
    let sql = "begin; savepoint here; alter table ships rename to boats; rollback to savepoint here; \
               alter table ships add column x int; rollback; alter table ships add column y int";
    let rehearsal = run(&server, "back", sql, TransactionHabit::Statement).await;
    let locks: Vec<String> = rehearsal.statements.iter().map(shown).collect();
    let alter = "ships:ACCESS EXCLUSIVE";
    assert_eq!(locks, ["", "", alter, "", alter, "", alter]);
}

#[tokio::test]
async fn a_table_that_a_block_empties_is_not_rewritten() {
    let server = start(18);
    let sql = "do $$ begin truncate calls; end $$; do $$ begin alter table calls add column x float default random(); end $$";
    let rehearsal = run(&server, "emptied", sql, TransactionHabit::Statement).await;
    let rewrites: Vec<&[String]> = rehearsal.statements.iter().map(|record| &record.rewrites[..]).collect();
    assert_eq!(rewrites, [&[][..], &["public.calls".to_owned()]]);
}

#[tokio::test]
async fn savepoints_are_not_felt() {
    let server = start(18);
    let sql = "begin; set transaction isolation level serializable; create type mood as enum ('calm'); \
               alter type mood add value 'rough'; select 'rough'::mood; commit";
    let rehearsal = run(&server, "unfelt", sql, TransactionHabit::Statement).await;
    let errors: Vec<_> = rehearsal.statements.iter().filter_map(|record| record.error.as_ref()).collect();
    assert!(errors.is_empty(), "{errors:?}");
}
