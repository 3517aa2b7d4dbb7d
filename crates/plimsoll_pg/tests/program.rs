//! A program behind the tap that holds each answer: what is recorded of its statements, and that it notices nothing.

#[path = "support/mod.rs"]
mod support;

use std::time::Duration;

use plimsoll_core::rehearsal::Outcome;
use plimsoll_core::{LockMode, StatementRecord};
use plimsoll_pg::rehearse::{ProgramRehearsal, rehearse_program};
use plimsoll_pg::server::{PrivateServer, SUPERUSER};
use plimsoll_pg::tap::Doors;
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

/// Makes the state before: a table of 1,000 ships, and what else is wanted.
async fn prepare(server: &PrivateServer, further: &str) {
    server.create_database("harbour").await.expect("a database");
    let before = server.connect("harbour").await.expect("a connection");
    let ships = "CREATE TABLE ships (id int PRIMARY KEY, name text); INSERT INTO ships SELECT g, 'ship ' || g FROM \
                 generate_series(1, 1000) g; ANALYZE";
    before.batch_execute(ships).await.expect("the state before");
    before.batch_execute(further).await.expect("the rest of the state before");
}

/// Rehearses what `program` does on a connection, with a table of 1,000 ships there before.
async fn rehearsed<Running: Future>(
    major: u32,
    program: impl FnOnce(Client) -> Running,
) -> (Running::Output, ProgramRehearsal) {
    let server = support::start(major);
    prepare(&server, "").await;
    let running = |doors: &Doors| {
        let connecting = connect_later(doors);
        async move { program(connecting.await).await }
    };
    rehearsed_on(&server, running).await
}

/// Rehearses what runs between the doors. A rehearsal that hangs fails.
async fn rehearsed_on<Running: Future>(
    server: &PrivateServer,
    running: impl FnOnce(&Doors) -> Running,
) -> (Running::Output, ProgramRehearsal) {
    let rehearsing = rehearse_program(server, "harbour", "program", &|_| {}, running);
    let ended = tokio::time::timeout(Duration::from_secs(60), rehearsing).await;
    ended.expect("an end in time").expect("a rehearsal")
}

/// The first value that a query answers with.
async fn text_of(client: &Client, query: &str) -> String {
    let messages = client.simple_query(query).await.expect("an answer");
    let row = messages.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => row.get(0),
        _ => None,
    });
    row.unwrap_or_default().to_owned()
}

/// The doors aren't borrowed for as long as the program runs.
fn connect_later(doors: &Doors) -> impl Future<Output = Client> + use<> {
    let (folder, port) = (doors.folder().to_owned(), doors.socket_port());
    async move {
        let mut config = tokio_postgres::Config::new();
        config.host_path(folder).port(port).user(SUPERUSER).dbname("harbour");
        let (client, connection) = config.connect(NoTls).await.expect("a connection through the tap");
        tokio::spawn(async move { connection.await.unwrap_or_default() });
        client
    }
}

fn record<'a>(program: &'a ProgramRehearsal, beginning: &str) -> &'a StatementRecord {
    let found = program.rehearsal.statements.iter().find(|record| record.sql.starts_with(beginning));
    found.unwrap_or_else(|| panic!("no record of {beginning}: {:#?}", program.rehearsal.statements))
}

fn holds(record: &StatementRecord, relation: &str, mode: LockMode) -> bool {
    record.locks.iter().any(|lock| lock.relation == relation && lock.mode == mode)
}

#[tokio::test]
async fn what_a_program_does_is_recorded_as_a_files_statements_are() {
    for major in [15, 18] {
        let (ids, program) = rehearsed(major, |client| async move {
            client.batch_execute("ALTER TABLE ships ALTER COLUMN id TYPE bigint").await.expect("a rewrite");
            client.execute("CREATE INDEX ships_name ON ships (name)", &[]).await.expect("an index");
            client
                .batch_execute("CREATE INDEX CONCURRENTLY ships_name_2 ON ships (name)")
                .await
                .expect("concurrently");
            client
                .execute("DROP INDEX CONCURRENTLY ships_name_2", &[])
                .await
                .expect("prepared, concurrently");
            client
                .batch_execute(
                    "BEGIN; ALTER TABLE ships ADD COLUMN flag text; UPDATE ships SET flag = 'x'; COMMIT",
                )
                .await
                .expect("a transaction in one query");
            let rows = client
                .query("SELECT id FROM ships WHERE id < $1 ORDER BY id", &[&4_i64])
                .await
                .expect("rows");
            rows.iter().map(|row| row.get::<_, i64>(0)).collect::<Vec<_>>()
        })
        .await;
        assert_eq!(ids, [1, 2, 3]);
        let rewriting = record(&program, "ALTER TABLE ships ALTER");
        assert_eq!(rewriting.rewrites, ["public.ships"], "on {major}");
        assert!(holds(rewriting, "public.ships", LockMode::AccessExclusive) && !rewriting.in_transaction);
        let building = record(&program, "CREATE INDEX ships_name ON");
        assert!(holds(building, "public.ships", LockMode::Share), "{building:#?}");
        assert_eq!(building.index_builds[0].index, "public.ships_name");
        for beginning in ["CREATE INDEX CONCURRENTLY", "DROP INDEX CONCURRENTLY"] {
            let concurrent = record(&program, beginning);
            assert!(holds(concurrent, "public.ships", LockMode::ShareUpdateExclusive), "{concurrent:#?}");
            assert_eq!(concurrent.outcome, Outcome::Ok);
        }
        let adding = record(&program, "ALTER TABLE ships ADD");
        let updating = record(&program, "UPDATE");
        assert!(adding.in_transaction && adding.transaction == updating.transaction);
        assert!(holds(updating, "public.ships", LockMode::RowExclusive) && updating.wal_bytes > 0);
        assert_eq!(record(&program, "COMMIT").transaction, adding.transaction);
        assert!(program.script.contains("UPDATE ships SET flag = 'x';\n"));
    }
}

#[tokio::test]
async fn what_a_savepoint_undoes_is_over_and_a_chain_is_another_transaction() {
    let ((), program) = rehearsed(18, |client| async move {
        let run = async |sql: &str| client.batch_execute(sql).await;
        for sql in ["BEGIN", "SAVEPOINT a", "ALTER TABLE ships ADD COLUMN flag text", "ROLLBACK TO a"] {
            run(sql).await.expect(sql);
        }
        run("INSERT INTO ships VALUES (1001), (1)").await.expect_err("a duplicate");
        run("ROLLBACK TO a").await.expect("back once more");
        run("SELECT count(*) FROM ships").await.expect("a scan of no row that it wrote");
        run("COMMIT AND CHAIN").await.expect("the next");
        run("LOCK TABLE ships IN SHARE MODE").await.expect("a lock");
        run("COMMIT").await.expect("the end");
    })
    .await;
    let rehearsal = &program.rehearsal;
    let altering = record(&program, "ALTER");
    let (from, to) = plimsoll_core::hold::held(rehearsal, altering, &altering.locks[0]);
    let back = record(&program, "ROLLBACK TO");
    assert!(from <= altering.started_ms && to <= back.started_ms + back.duration_ms, "{from} to {to}");
    let failing = record(&program, "INSERT");
    assert!(failing.in_transaction && failing.undone_by.is_some(), "{failing:#?}");
    assert!(record(&program, "SELECT").further.rows_written.is_empty(), "{rehearsal:#?}");
    let numbers = ["BEGIN", "COMMIT AND", "LOCK"].map(|beginning| record(&program, beginning).transaction);
    assert!(numbers[0] == numbers[1] && numbers[1] != numbers[2], "{numbers:?}");
}

#[tokio::test]
async fn a_program_notices_nothing() {
    for major in [15, 18] {
        let ((), _) = rehearsed(major, |client| async move {
            // An error keeps its position, and what follows in the query isn't run.
            let error = client
                .batch_execute("SELECT 1; SELECT é; CREATE TABLE never ()")
                .await
                .expect_err("an error");
            let error = error.as_db_error().expect("the server's error");
            assert_eq!(error.code().code(), "42703");
            assert_eq!(error.position(), Some(&tokio_postgres::error::ErrorPosition::Original(18)));
            assert!(client.batch_execute("SELECT * FROM never").await.is_err());
            // Statements of one query are one transaction.
            client.batch_execute("CREATE TABLE twice (a int); SELECT 1/0").await.expect_err("a division");
            assert!(client.batch_execute("SELECT * FROM twice").await.is_err());
            // A deferred constraint fails the statement that has no transaction around it.
            client
                .batch_execute("CREATE TABLE deferred (a int UNIQUE DEFERRABLE INITIALLY DEFERRED)")
                .await
                .expect("a table");
            let error =
                client.execute("INSERT INTO deferred VALUES (1), (1)", &[]).await.expect_err("a duplicate");
            assert_eq!(error.code().expect("the server's error").code(), "23505");
            // A failed transaction stays failed until it is rolled back.
            client.batch_execute("BEGIN").await.expect("a transaction");
            client.batch_execute("SELECT 1/0").await.expect_err("a division");
            let error = client.batch_execute("SELECT 1").await.expect_err("in a failed transaction");
            assert_eq!(error.code().expect("the server's error").code(), "25P02");
            client.batch_execute("ROLLBACK").await.expect("a rollback");
            // Statements prepared long ago survive our looking.
            let prepared = client.prepare("SELECT count(*) FROM ships").await.expect("prepared");
            client.batch_execute("CREATE TABLE between (a int)").await.expect("a table");
            let count: i64 = client.query_one(&prepared, &[]).await.expect("a count").get(0);
            assert_eq!(count, 1000);
            // Rows go in and out, and no notice but those that the program wants.
            use futures_util::{SinkExt as _, TryStreamExt as _};
            let sink = client.copy_in("COPY between FROM STDIN").await.expect("a copy");
            let mut sink = std::pin::pin!(sink);
            sink.send(std::io::Cursor::new(b"1\n2\n".to_vec())).await.expect("rows");
            assert_eq!(sink.finish().await.expect("copied"), 2);
            let out = client.copy_out("COPY between TO STDOUT").await.expect("a copy");
            let chunks: Vec<_> = out.try_collect().await.expect("rows");
            assert_eq!(chunks.concat(), b"1\n2\n");
            // LOCK TABLE outside a transaction is refused, and VACUUM outside one isn't.
            assert!(client.batch_execute("LOCK TABLE ships").await.is_err());
            client.batch_execute("VACUUM ships").await.expect("a vacuum");
            let error = client.batch_execute("VACUUM ships; SELECT 1").await.expect_err("one transaction");
            assert_eq!(error.code().expect("the server's error").code(), "25001");
            let answer = client.simple_query("SHOW client_min_messages").await.expect("a setting");
            assert!(answer.iter().any(|message| matches!(message, SimpleQueryMessage::Row(_))));
        })
        .await;
    }
}

/// Before the change: a procedure that commits through another one, and a sequence that both move.
const THAT_COMMIT: &str = "CREATE SEQUENCE tickets; \
     CREATE PROCEDURE inner_one() LANGUAGE plpgsql AS 'begin perform nextval(''tickets''); commit; end'; \
     CREATE PROCEDURE outer_one() LANGUAGE plpgsql AS 'begin call inner_one(); end'";

#[tokio::test]
async fn statements_that_commit_by_themselves_run_once_and_beside_others() {
    for major in [15, 18] {
        let server = support::start(major);
        prepare(&server, THAT_COMMIT).await;
        let (tickets, program) = rehearsed_on(&server, |doors| {
            let (first, second) = (connect_later(doors), connect_later(doors));
            async move {
                let (first, second) = (first.await, second.await);
                for statement in ["CALL outer_one()", "DO 'begin perform nextval(''tickets''); commit; end'"]
                {
                    first.batch_execute(statement).await.expect("a call");
                }
                first.execute("CALL inner_one()", &[]).await.expect("a call");
                let tickets = text_of(&first, "SELECT last_value FROM tickets").await;
                // An index is built while the other connection's transaction, which it has to wait for, goes on.
                first.batch_execute("BEGIN; INSERT INTO ships VALUES (0, 'zero')").await.expect("a row");
                let building = second.batch_execute("CREATE INDEX CONCURRENTLY ships_name ON ships (name)");
                let working = async {
                    tokio::time::sleep(Duration::from_millis(200)).await;
                    let update = "UPDATE ships SET name = 'none' WHERE id = 0";
                    first.batch_execute(update).await.expect("an update");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                    first.batch_execute("COMMIT").await.expect("a commit");
                };
                let (built, ()) = tokio::join!(building, working);
                built.expect("an index");
                tickets
            }
        })
        .await;
        assert_eq!(tickets, "3", "each once, on {major}");
        for beginning in ["CALL outer_one", "DO", "CALL inner_one"] {
            assert_eq!(record(&program, beginning).outcome, Outcome::Ok, "{beginning} on {major}");
        }
        let building = record(&program, "CREATE INDEX CONCURRENTLY");
        assert!(holds(building, "public.ships", LockMode::ShareUpdateExclusive), "{building:#?}");
        assert!(!holds(building, "public.ships", LockMode::RowExclusive), "{building:#?}");
        assert_eq!(building.index_builds[0].index, "public.ships_name");
        assert!(building.duration_ms > 250.0, "it waited for the other: {building:#?}");
        let updating = record(&program, "UPDATE");
        assert!(updating.in_transaction && updating.duration_ms < 200.0, "{updating:#?}");
        assert_eq!(updating.further.rows_written[0].updated, 1, "{updating:#?}");
        assert!(program.rehearsal.notes.iter().any(|note| note.contains("other connections were at work")));
    }
}

/// Messages of the extended protocol, sent as they are.
#[tokio::test]
async fn pipelines_and_refused_texts_are_recorded_as_they_ran() {
    let server = support::start(18);
    prepare(&server, "").await;
    let (value, program) = rehearsed_on(&server, |doors| {
        let connecting = connect_later(doors);
        async move {
            let client = connecting.await;
            // A SET of a query that fails is undone with it.
            client.batch_execute("SET search_path = nowhere; SELECT 1/0").await.expect_err("a division");
            let path = text_of(&client, "SHOW search_path").await;
            // What the server refuses before it runs.
            client.execute("SELECT missing FROM ships", &[]).await.expect_err("no such column");
            // A transaction that is prepared statement by statement.
            client.execute("BEGIN", &[]).await.expect("a transaction");
            client
                .execute("SET TRANSACTION ISOLATION LEVEL SERIALIZABLE", &[])
                .await
                .expect("no query before");
            client.execute("SAVEPOINT one", &[]).await.expect("a savepoint");
            client.execute("ALTER TABLE ships ADD COLUMN flag text", &[]).await.expect("a column");
            client.execute("COMMIT", &[]).await.expect("a commit");
            path
        }
    })
    .await;
    assert_eq!(value, "\"$user\", public");
    let refused = record(&program, "SELECT missing");
    assert_eq!(refused.error.as_ref().map(|error| error.sqlstate.as_str()), Some("42703"));
    let adding = record(&program, "ALTER TABLE ships ADD");
    assert!(adding.in_transaction && adding.transaction == record(&program, "BEGIN").transaction);
    assert!(holds(adding, "public.ships", LockMode::AccessExclusive), "{adding:#?}");
}
