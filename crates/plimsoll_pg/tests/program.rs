//! A program behind the tap that holds each answer: what is recorded of its statements, and that it notices nothing.

#[path = "support/mod.rs"]
mod support;

use plimsoll_core::rehearsal::Outcome;
use plimsoll_core::{LockMode, StatementRecord};
use plimsoll_pg::rehearse::{ProgramRehearsal, rehearse_program};
use plimsoll_pg::server::SUPERUSER;
use plimsoll_pg::tap::Doors;
use tokio_postgres::{Client, NoTls, SimpleQueryMessage};

/// Rehearses what `program` does on a connection, with a table of 1,000 ships there before.
async fn rehearsed<Running: Future>(
    major: u32,
    program: impl FnOnce(Client) -> Running,
) -> (Running::Output, ProgramRehearsal) {
    let server = support::start(major);
    server.create_database("harbour").await.expect("a database");
    let before = server.connect("harbour").await.expect("a connection");
    before
        .batch_execute(
            "CREATE TABLE ships (id int PRIMARY KEY, name text); INSERT INTO ships SELECT g, 'ship ' || g FROM \
             generate_series(1, 1000) g; ANALYZE",
        )
        .await
        .expect("the state before");
    drop(before);
    let running = |doors: &Doors| {
        let connecting = connect_later(doors);
        async move { program(connecting.await).await }
    };
    rehearse_program(&server, "harbour", "program", &|_| {}, running).await.expect("a rehearsal")
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
