//! A workload on real servers: what its statements lock, and what they feel while a change runs among them.
//!
//! Times are compared with wide margins: the machine may be busy with other things.

use std::time::Duration;

use plimsoll_core::blocked::{Traffic, behind_a_transaction, blocked};
use plimsoll_core::hold::holds;
use plimsoll_core::load::{LoadRun, LoadedStatement, Phase};
use plimsoll_core::workload::WorkloadStatement;
use plimsoll_core::{ChangeScope, LockMode, Rehearsal, SourceFile};
use plimsoll_pg::load::{LoadError, LoadSettings, LongTransaction, measure_traffic, run_change, run_load};
use plimsoll_pg::rehearse::{rehearse, run_script};
use plimsoll_pg::server::PrivateServer;
use plimsoll_sql::{Migration, TransactionHabit};
use support::start;

mod support;

const SCHEMA: &str = "
    create table ships (id int primary key, name text, flag text);
    create index ships_flag on ships (flag);
    create table calls (id serial primary key, ship_id int not null references ships (id), note text);
    create table visits (id int, day date) partition by range (day);
    create table visits_2025 partition of visits for values from ('2025-01-01') to ('2026-01-01');
    create table visits_2026 partition of visits for values from ('2026-01-01') to ('2027-01-01');
    create view named as select id, name from ships;
    insert into ships select n, 'ship ' || n, 'LR' from generate_series(1, 1000) n;
    insert into calls (ship_id) select n from generate_series(1, 1000) n;
    vacuum analyze;";

fn request(name: &str, sql: &str, sets: &[&[Option<&str>]], rate_per_s: f64) -> WorkloadStatement {
    let owned = |set: &&[Option<&str>]| set.iter().map(|value| value.map(ToOwned::to_owned)).collect();
    WorkloadStatement {
        name: name.to_owned(),
        sql: sql.to_owned(),
        parameters: sets.iter().map(owned).collect(),
        rate_per_s,
        location: SourceFile::new("workload.jsonl", "\n\n").location(1..1),
    }
}

fn change(sql: &str) -> Migration {
    Migration::new(SourceFile::new("change.sql", sql), 0..sql.len(), TransactionHabit::Statement)
}

async fn database(server: &PrivateServer, name: &str) {
    server.create_database(name).await.expect("a database");
    run_script(server, name, &SourceFile::new("schema.sql", SCHEMA)).await.expect("the schema");
}

async fn load(
    server: &PrivateServer,
    database: &str,
    workload: &[WorkloadStatement],
    migration: &Migration,
    settings: &LoadSettings,
) -> Result<LoadRun, LoadError> {
    let change =
        async || Ok(run_change(server, database, &[migration], settings.lock_timeout).await?.failure.into());
    run_load(server, database, workload, settings, change).await
}

fn settings() -> LoadSettings {
    LoadSettings {
        connections: 8,
        lead: Duration::from_millis(1000),
        long_transaction: None,
        lock_timeout: None,
    }
}

fn statement<'a>(run: &'a LoadRun, name: &str) -> &'a LoadedStatement {
    run.statements.iter().find(|statement| statement.name == name).expect("the statement")
}

fn longest_during(run: &LoadRun, name: &str) -> f64 {
    statement(run, name).during.max_ms.expect("requests while the change runs")
}

#[tokio::test]
async fn locks_of_traffic_are_seen_and_not_guessed() {
    for major in [15, 18] {
        let server = start(major);
        database(&server, "locks").await;
        let workload = [
            request("by_view", "select * from named where id = $1", &[&[Some("1")]], 1.0),
            request("call", "insert into calls (ship_id) values ($1)", &[&[Some("7")]], 1.0),
            request(
                "visit",
                "select * from visits where day = $1",
                &[&[Some("2025-05-05")], &[Some("2026-05-05")]],
                1.0,
            ),
            request("count", "select count(*) from ships where flag is null", &[], 1.0),
        ];
        let traffic = measure_traffic(&server, "locks", &workload).await.expect("traffic");
        let lock = |of: usize, relation: &str| -> Option<LockMode> {
            let locks = &traffic[of].locks;
            locks.iter().filter(|lock| lock.relation == relation).map(|lock| lock.mode).max()
        };
        assert_eq!(lock(0, "public.ships"), Some(LockMode::AccessShare), "a view's table");
        assert_eq!(lock(0, "public.ships_pkey"), Some(LockMode::AccessShare), "its index");
        assert_eq!(lock(1, "public.calls"), Some(LockMode::RowExclusive));
        assert_eq!(lock(1, "public.ships"), Some(LockMode::RowShare), "the foreign key's other side");
        assert_eq!(lock(2, "public.visits_2025"), Some(LockMode::AccessShare), "a partition");
        assert_eq!(lock(2, "public.visits_2026"), Some(LockMode::AccessShare), "another set's partition");
        assert!(traffic.iter().all(|one| one.usual_ms > 0.0));
        let client = server.connect("locks").await.expect("a connection");
        let row = client.query_one("select count(*) from calls", &[]).await.expect("a count");
        assert_eq!(row.get::<_, i64>(0), 1000, "what is measured is undone");
    }
}

#[tokio::test]
async fn a_statement_that_fails_before_the_change_is_placed() {
    let server = start(18);
    database(&server, "wrong").await;
    let workload = [request("lost", "select * from nowhere", &[], 1.0)];
    let error = measure_traffic(&server, "wrong", &workload).await.expect_err("it fails");
    assert!(matches!(error, LoadError::Statement { .. }), "{error:?}");
    assert_eq!(
        error.to_string(),
        "run statement lost of the workload at workload.jsonl:2:1: relation \"nowhere\" does not exist (SQLSTATE 42P01); \
         correct it, or leave it out"
    );
    let workload = [request("bare", "select * from ships where id = $1", &[], 1.0)];
    let error = measure_traffic(&server, "wrong", &workload).await.expect_err("it lacks a parameter");
    assert!(error.to_string().contains("wrong number of parameters"), "{error}");
}

/// Predicts and measures one change on copies of one state.
async fn predicted_and_measured(
    server: &PrivateServer,
    sql: &str,
    workload: &[WorkloadStatement],
    settings: &LoadSettings,
) -> (Rehearsal, Vec<Traffic>, LoadRun) {
    database(server, "predicted").await;
    database(server, "measured").await;
    let traffic = measure_traffic(server, "predicted", workload).await.expect("traffic");
    let migration = change(sql);
    let mut rehearsal = rehearse(server, "predicted", &[&migration], ChangeScope::Together, &|_, _, _| {})
        .await
        .expect("a rehearsal");
    rehearsal.seeded = true;
    let run = load(server, "measured", workload, &migration, settings).await.expect("a load");
    (rehearsal, traffic, run)
}

#[tokio::test]
async fn who_was_predicted_to_wait_waits() {
    for major in [15, 18] {
        let server = start(major);
        let workload = [
            request(
                "read_ships",
                "select name from ships where id = $1",
                &[&[Some("1")], &[Some("2")]],
                60.0,
            ),
            request("read_visits", "select count(*) from visits", &[], 20.0),
        ];
        let sql = "begin; alter table ships add column x int; select pg_sleep(0.8); commit";
        let (rehearsal, traffic, run) = predicted_and_measured(&server, sql, &workload, &settings()).await;
        let report = blocked(&rehearsal, &holds(&rehearsal), traffic);
        let names: Vec<&str> = report.statements.iter().map(|queued| queued.name.as_str()).collect();
        assert_eq!(names, ["read_ships"], "on {major}");
        let predicted = report.of("read_ships").expect("a prediction");
        assert!(predicted.longest_wait_ms >= 800.0 && predicted.requests >= 48.0, "{predicted:?}");
        assert!(predicted.longest_wait_ms < 4000.0, "{predicted:?}");
        let ships = statement(&run, "read_ships");
        assert_eq!(run.change.error, None);
        assert!(longest_during(&run, "read_ships") > 500.0, "on {major}: {ships:?}");
        assert!(ships.longest_stall_ms > 500.0, "on {major}: {ships:?}");
        assert!(ships.during.requests >= 10 && ships.before.requests >= 10, "on {major}: {ships:?}");
        assert_eq!(ships.during.failed() + ships.before.failed() + ships.after.failed(), 0);
        // The median of those who needn't wait is far from the wait of those who had to.
        let others = statement(&run, "read_visits").before.p50_ms.expect("requests before");
        assert!(others < 400.0, "on {major}: {others}");
        let finished: u64 = run.timeline.buckets.iter().map(|bucket| bucket.finished).sum();
        let requests: usize = run
            .statements
            .iter()
            .map(|one| one.before.requests + one.during.requests + one.after.requests)
            .sum();
        assert_eq!(finished, requests as u64);
    }
}

#[tokio::test]
async fn writes_are_run_for_real() {
    let server = start(18);
    let workload = [request("call", "insert into calls (ship_id) values ($1)", &[&[Some("7")]], 100.0)];
    let (_, _, run) = predicted_and_measured(&server, "select 1", &workload, &settings()).await;
    let client = server.connect("measured").await.expect("a connection");
    let row = client.query_one("select count(*) from calls where ship_id = 7", &[]).await.expect("a count");
    assert!(row.get::<_, i64>(0) > 50, "{run:?}");
}

#[tokio::test]
async fn behind_a_long_transaction_everybody_waits_unless_the_change_gives_up() {
    let server = start(15);
    let workload = [request("read", "select name from ships where id = $1", &[&[Some("1")]], 40.0)];
    let sql = "alter table ships add column x int";
    database(&server, "rehearsed").await;
    let traffic = measure_traffic(&server, "rehearsed", &workload).await.expect("traffic");
    let migration = change(sql);
    let mut rehearsal = rehearse(&server, "rehearsed", &[&migration], ChangeScope::Together, &|_, _, _| {})
        .await
        .expect("a rehearsal");
    rehearsal.seeded = true;
    let long = LongTransaction::against(&rehearsal, Duration::from_millis(2500));
    assert!(long.locks.contains(&("public.ships".to_owned(), LockMode::AccessShare)), "{:?}", long.locks);
    let patient = LoadSettings { long_transaction: Some(long), ..settings() };
    let hasty = LoadSettings { lock_timeout: Some(Duration::from_millis(300)), ..patient.clone() };
    let mut longest = Vec::new();
    for (name, settings) in [("patient", &patient), ("hasty", &hasty)] {
        database(&server, name).await;
        let run = load(&server, name, &workload, &migration, settings).await.expect("a load");
        longest.push((longest_during(&run, "read"), run.change.error.map(|error| error.sqlstate)));
    }
    let [(waited, no_error), (briefly, error)] = &longest[..] else { panic!("two runs") };
    assert!(*waited > 1800.0 && no_error.is_none(), "{longest:?}");
    assert!(briefly < waited && error.as_deref() == Some("55P03"), "{longest:?}");
    let predicted = |timeout| {
        let held = holds(&rehearsal);
        let held = behind_a_transaction(&rehearsal, &held, 2500.0, timeout);
        blocked(&rehearsal, &held, traffic.clone()).statements[0].longest_wait_ms
    };
    assert!(predicted(None) >= 2500.0);
    assert_eq!(predicted(Some(300.0)), 300.0);
}

#[tokio::test]
async fn a_change_that_deadlocks_with_the_load_is_told() {
    let server = start(18);
    // The request locks one table and waits for the other, the change the other way round.
    let workload = [request("both", "select count(*) from calls, ships where ships.id = 1", &[], 20.0)];
    let sql = "begin; alter table ships add column x int; select pg_sleep(0.5); alter table calls add column x int; commit";
    let (_, _, run) = predicted_and_measured(&server, sql, &workload, &settings()).await;
    let of_requests = run.statements[0].during.failures.get("40P01").copied().unwrap_or(0);
    let of_change = run.change.error.as_ref().is_some_and(|error| error.sqlstate == "40P01");
    assert!(of_requests > 0 || of_change, "{:?} {:?}", run.change, run.statements);
}

#[tokio::test]
async fn a_rate_beyond_the_machine_is_told() {
    let server = start(18);
    // Eight connections finish 80 a second.
    let workload = [request("slow", "select pg_sleep(0.1)", &[], 400.0)];
    let (_, _, run) = predicted_and_measured(&server, "select 1", &workload, &settings()).await;
    let slow = &run.statements[0];
    assert!(!slow.achieved && slow.achieved_per_s < 200.0, "{slow:?}");
}

#[tokio::test]
async fn a_plan_that_outlives_its_result_type_fails_as_it_does_for_drivers() {
    let server = start(15);
    let workload = [request("star", "select * from ships where id = $1", &[&[Some("1")]], 50.0)];
    let sql = "alter table ships add column x int";
    let (_, _, run) = predicted_and_measured(&server, sql, &workload, &settings()).await;
    let star = &run.statements[0];
    let of = |phase: &Phase| phase.failures.get("0A000").copied().unwrap_or(0);
    let failed = of(&star.during) + of(&star.after);
    // Once a connection, which prepares it anew then.
    assert!((1..=8).contains(&failed), "{star:?}");
    assert_eq!(star.messages["0A000"], "cached plan must not change result type");
}
