//! The further facts of a rehearsal's records, each seen on servers 15 and 18.

use plimsoll_core::hold::holds;
use plimsoll_core::{ChangeScope, LockMode, Rehearsal, SourceFile, StatementRecord};
use plimsoll_pg::rehearse::{rehearse, run_script};
use plimsoll_pg::server::PrivateServer;
use plimsoll_sql::{Migration, TransactionHabit};
use serde_json::{Value, json};
use support::start;

mod support;

const SCHEMA: &str = "
    create table ships (id serial primary key, name text, flag text);
    create table calls (id int primary key, ship_id int not null, note text);
    create table visits (id int, day date) partition by range (day);
    create table visits_2025 partition of visits for values from ('2025-01-01') to ('2026-01-01');
    create table visits_2026 partition of visits for values from ('2026-01-01') to ('2027-01-01');
    create materialized view flags as select flag, count(*) from ships group by flag;
    create unique index flags_flag on flags (flag);
    create function stamp() returns trigger language plpgsql as $$ begin return new; end $$;
    create trigger ships_stamp before insert or update on ships for each row execute function stamp();
    insert into ships (name, flag) select 'ship ' || n, 'LR' from generate_series(1, 100) n;
    insert into calls select n, n % 100 + 1, repeat('x', 20) || n from generate_series(1, 60000) n;
    vacuum analyze;";

async fn run(server: &PrivateServer, database: &str, sql: &str, habit: TransactionHabit) -> Rehearsal {
    server.create_database(database).await.expect("a database");
    run_script(server, database, &SourceFile::new("schema.sql", SCHEMA)).await.expect("the schema");
    let migration = Migration::new(SourceFile::new("change.sql", sql), 0..sql.len(), habit);
    rehearse(server, database, &[&migration], ChangeScope::Together, &|_, _, _| {})
        .await
        .expect("a rehearsal")
}

/// The facts of the last statement, each run in a transaction of its own, on both servers. Without what depends on the
/// version: how many rows of catalogs, and what the server says.
async fn check(sql: &str, expected: Value) {
    for major in [15, 18] {
        let server = start(major);
        let rehearsal = run(&server, "facts", sql, TransactionHabit::Statement).await;
        let last = rehearsal.statements.last().expect("a record");
        assert_eq!(last.error, None);
        assert_eq!(facts(last), expected, "on {major}: {sql}");
    }
}

fn facts(record: &StatementRecord) -> Value {
    let mut further = record.further.clone();
    further.catalog_rows = 0;
    further.server_messages.clear();
    further.waits.clear();
    serde_json::to_value(further).expect("facts")
}

#[tokio::test]
async fn a_trigger_that_fires_is_counted() {
    check(
        "update ships set flag = 'PA' where id <= 40",
        json!({
            "rows_written": [{"relation": "public.ships", "inserted": 0, "updated": 40, "deleted": 0}],
            "triggers": [{"function": "public.stamp", "calls": 40, "triggers": ["ships_stamp on public.ships"]}],
        }),
    )
    .await;
}

#[tokio::test]
async fn a_truncated_table_is_named() {
    check("truncate calls", json!({"truncated": ["public.calls"]})).await;
}

#[tokio::test]
async fn a_validated_foreign_key_is_named() {
    check(
        "alter table calls add constraint calls_ship foreign key (ship_id) references ships (id)",
        json!({"validated_foreign_keys": [{"relation": "public.calls", "constraint": "calls_ship"}]}),
    )
    .await;
    check(
        "alter table calls add constraint calls_ship foreign key (ship_id) references ships (id) not valid",
        json!({"catalog_only": true}),
    )
    .await;
}

#[tokio::test]
async fn a_rewrite_takes_toast_and_indexes_along() {
    check(
        "alter table calls alter column id type bigint",
        json!({"toast_rewrites": ["public.calls"], "index_rewrites": ["public.calls_pkey"]}),
    )
    .await;
    check("reindex index calls_pkey", json!({"index_rewrites": ["public.calls_pkey"]})).await;
}

#[tokio::test]
async fn what_changes_catalogs_alone_is_told() {
    check("alter table calls add column x int", json!({"catalog_only": true})).await;
    check("select 1", json!({})).await;
}

#[tokio::test]
async fn a_sequence_that_moves_is_told() {
    check(
        "select setval('ships_id_seq', 5000)",
        json!({"sequences": [{"sequence": "public.ships_id_seq", "from": 100, "to": 5000}]}),
    )
    .await;
    check(
        "select nextval('ships_id_seq'); select nextval('ships_id_seq')",
        json!({"sequences": [{"sequence": "public.ships_id_seq", "from": 101, "to": 102}]}),
    )
    .await;
}

#[tokio::test]
async fn a_refreshed_view_is_named() {
    check(
        "refresh materialized view flags",
        json!({
            "refreshed": ["public.flags"],
            "index_rewrites": ["public.flags_flag"],
            "toast_rewrites": ["public.flags"],
            "rows_written": [{"relation": "public.flags", "inserted": 1, "updated": 0, "deleted": 0}],
        }),
    )
    .await;
    // Its temporary table of differences is the session's own.
    check(
        "refresh materialized view flags; refresh materialized view concurrently flags",
        json!({"refreshed": ["public.flags"]}),
    )
    .await;
}

#[tokio::test]
async fn temporary_files_are_counted() {
    for major in [15, 18] {
        let server = start(major);
        let sql = "set maintenance_work_mem = '1MB'; create index calls_note on calls (note)";
        let rehearsal = run(&server, "spilled", sql, TransactionHabit::Statement).await;
        let temp_files = rehearsal.statements[1].further.temp_files.expect("it spills");
        assert!(temp_files.files >= 1 && temp_files.bytes > 1_000_000, "{temp_files:?} on {major}");
    }
}

#[tokio::test]
async fn the_server_is_heard() {
    for major in [15, 18] {
        let server = start(major);
        let sql = "alter table calls alter column id type bigint; do $$ begin raise warning 'ahoy'; end $$; \
                   create index concurrently calls_note on calls (note); select 1";
        let rehearsal = run(&server, "heard", sql, TransactionHabit::Statement).await;
        let said = |at: usize| -> Vec<String> {
            let messages = &rehearsal.statements[at].further.server_messages;
            messages.iter().map(|one| format!("{} {}", one.severity, one.message)).collect()
        };
        assert!(said(0).contains(&"DEBUG rewriting table \"calls\"".to_owned()), "{:?}", said(0));
        assert_eq!(said(1), ["WARNING ahoy"]);
        assert!(said(2).iter().any(|line| line.contains("building index \"calls_note\"")), "{:?}", said(2));
        assert!(said(3).is_empty(), "{:?}", said(3));
    }
}

#[tokio::test]
async fn waits_are_looked_at() {
    let server = start(18);
    let rehearsal = run(&server, "waits", "select pg_sleep(0.3)", TransactionHabit::Statement).await;
    let waits = &rehearsal.statements[0].further.waits;
    assert_eq!(waits.first().map(|wait| wait.event.as_str()), Some("Timeout:PgSleep"), "{waits:?}");
}

#[tokio::test]
async fn each_partition_is_locked_by_name() {
    for major in [15, 18] {
        let server = start(major);
        let rehearsal =
            run(&server, "parts", "alter table visits add column x int", TransactionHabit::Statement).await;
        let locks: Vec<(&str, LockMode, Option<&str>)> = rehearsal.statements[0]
            .strongest_locks()
            .into_iter()
            .map(|lock| (lock.relation.as_str(), lock.mode, lock.partition_of.as_deref()))
            .collect();
        let parent = Some("public.visits");
        let strongest = LockMode::AccessExclusive;
        let expected = [
            ("public.visits", strongest, None),
            ("public.visits_2025", strongest, parent),
            ("public.visits_2026", strongest, parent),
        ];
        assert_eq!(locks, expected, "on {major}");
    }
}

#[tokio::test]
async fn a_brief_lock_counts_to_the_end_of_its_transaction() {
    let server = start(15);
    let sql = "alter table ships add column x int; select pg_sleep(0.3); update calls set note = ''";
    let rehearsal = run(&server, "held", sql, TransactionHabit::File).await;
    let holds = holds(&rehearsal);
    let hold = holds.iter().find(|hold| hold.mode == LockMode::AccessExclusive).expect("a hold");
    assert_eq!((hold.relation, hold.statement), ("public.ships", 0));
    assert!(hold.duration_ms() > 300.0, "{hold:?}");
    assert!(rehearsal.statements[0].duration_ms < hold.duration_ms() / 2.0);
}

#[tokio::test]
async fn a_lock_at_the_end_of_a_concurrent_statement_is_not_held_from_its_start() {
    let server = start(18);
    let sql = "create index concurrently calls_note on calls (note, ship_id)";
    let rehearsal = run(&server, "spans", sql, TransactionHabit::Statement).await;
    let record = &rehearsal.statements[0];
    assert!(record.lock_spans.iter().all(|span| span.from_ms <= span.to_ms), "{:?}", record.lock_spans);
    let table = holds(&rehearsal);
    let table = table.iter().find(|hold| hold.relation == "public.calls").expect("a hold of the table");
    assert!(table.duration_ms() > 0.0 && table.end_ms <= record.duration_ms + 1.0, "{table:?}");
}

#[tokio::test]
async fn a_role_without_rights_is_not_disturbed_by_questions() {
    let server = start(15);
    let sql = "create role mate; grant usage on schema public to mate; grant insert on ships to mate; \
               grant usage on ships_id_seq to mate; set role mate; insert into ships (name) values ('a'); \
               reset role; drop owned by mate; drop role mate";
    let rehearsal = run(&server, "mate", sql, TransactionHabit::File).await;
    let errors: Vec<_> = rehearsal.statements.iter().filter_map(|record| record.error.as_ref()).collect();
    assert!(errors.is_empty(), "{errors:?}");
    assert_eq!(rehearsal.statements[5].further.sequences.len(), 1);
}
