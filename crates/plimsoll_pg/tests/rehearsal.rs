//! What a rehearsal records of each kind of statement, on real servers 15 and 18.

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

/// Statements, each run alone on its own database, and what is recorded on both versions.
const KINDS: &[(&str, &str)] = &[
    ("alter table ships add column x int", "ships:ACCESS EXCLUSIVE"),
    ("alter table ships add column x int default 5", "ships:ACCESS EXCLUSIVE"),
    (
        "alter table ships add column x float default random()",
        "ships:ACCESS EXCLUSIVE, ships_pkey:ACCESS EXCLUSIVE, rewrite ships, scan ships 100, build ships_pkey",
    ),
    ("alter table ships alter name type varchar(100)", "ships:ACCESS EXCLUSIVE"),
    ("alter table ships alter name type text", "ships:ACCESS EXCLUSIVE"),
    ("alter table ships alter name set not null", "ships:ACCESS EXCLUSIVE, scan ships 100"),
    ("alter table ships add check (id > 0)", "ships:ACCESS EXCLUSIVE, scan ships 100"),
    ("alter table ships add check (id > 0) not valid", "ships:ACCESS EXCLUSIVE"),
    (
        "alter table calls add foreign key (ship_id) references ships",
        "calls:SHARE ROW EXCLUSIVE, ships:SHARE ROW EXCLUSIVE, scan calls 1000, scan ships 100",
    ),
    (
        "set enable_seqscan = off; set enable_hashjoin = off; alter table calls add foreign key (ship_id) references ships",
        "calls:SHARE ROW EXCLUSIVE, ships:SHARE ROW EXCLUSIVE, scan calls 1000",
    ),
    (
        "alter table calls add foreign key (ship_id) references ships not valid",
        "calls:SHARE ROW EXCLUSIVE, ships:SHARE ROW EXCLUSIVE",
    ),
    ("create index on ships (flag)", "ships:SHARE, scan ships 100, build ships_flag_idx"),
    ("alter table ships add unique (name)", "ships:ACCESS EXCLUSIVE, scan ships 100, build ships_name_key"),
    (
        "create index on visits (day)",
        "visits:SHARE, visits_2025:SHARE, visits_rest:SHARE, scan visits_2025 10, scan visits_rest 0, build \
         visits_2025_day_idx, build visits_rest_day_idx",
    ),
    ("create index on only visits (day)", "visits:SHARE"),
    (
        "create table visits_2026 partition of visits for values from ('2026-01-01') to ('2027-01-01')",
        "visits:ACCESS EXCLUSIVE, visits_rest:ACCESS EXCLUSIVE, scan visits_rest 0",
    ),
    ("drop index calls_note", "calls:ACCESS EXCLUSIVE, calls_note:ACCESS EXCLUSIVE"),
    (
        "drop table calls",
        "calls:ACCESS EXCLUSIVE, calls_note:ACCESS EXCLUSIVE, calls_pkey:ACCESS EXCLUSIVE, calls_ship:ACCESS EXCLUSIVE",
    ),
    (
        "truncate calls",
        "calls:ACCESS EXCLUSIVE, calls_note:ACCESS EXCLUSIVE, calls_pkey:ACCESS EXCLUSIVE, calls_ship:ACCESS EXCLUSIVE",
    ),
    ("refresh materialized view flags", "flags:ACCESS EXCLUSIVE, rewrite flags, scan ships 100"),
    (
        "reindex index calls_note",
        "calls:SHARE, calls_note:ACCESS EXCLUSIVE, scan calls 1000, build calls_note",
    ),
    ("create index concurrently i on calls (note)", "calls:SHARE UPDATE EXCLUSIVE, scan calls 1000, build i"),
    ("vacuum full ships", "ships:ACCESS EXCLUSIVE, rewrite ships, scan ships 100, build ships_pkey"),
    ("lock table ships", "error 25P01"),
    (
        "do $$ begin execute 'alter table ships add check (id > 0)'; end $$",
        "ships:ACCESS EXCLUSIVE, scan ships 100",
    ),
    ("do $$ begin commit; end $$", ""),
    ("grant select on ships to nobody_known", "ships:ACCESS SHARE"),
    ("update ships set flag = 'PA'", "scan ships 100"),
    ("alter table nowhere add column x int", "error 42P01"),
];

async fn check_kinds(major: u32) {
    let server = start(major);
    let mut wrong = Vec::new();
    for (number, (sql, expected)) in KINDS.iter().enumerate() {
        let rehearsal = run(&server, &format!("kind_{number}"), sql, TransactionHabit::Statement).await;
        let record = rehearsal.statements.last().expect("a record");
        let seen = shown(record);
        // GRANT's lock and VACUUM's short ones differ by version and luck.
        let agrees = match *sql {
            sql if sql.starts_with("grant") => record.outcome == Outcome::Ok,
            sql if sql.starts_with("vacuum") => expected.split(", ").skip(1).all(|part| seen.contains(part)),
            _ => seen == *expected,
        };
        if !agrees {
            wrong.push(format!("{sql}\n  expected {expected}\n  recorded {seen}"));
        }
    }
    assert!(wrong.is_empty(), "on {major}:\n{}", wrong.join("\n"));
}

#[tokio::test]
async fn each_kind_of_statement_is_recorded_on_15() {
    check_kinds(15).await;
}

#[tokio::test]
async fn each_kind_of_statement_is_recorded_on_18() {
    check_kinds(18).await;
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
