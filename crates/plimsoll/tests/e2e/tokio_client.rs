//! tokio-postgres as a client: `clients/all.sh` runs this test binary for it. What comes back goes to `$OUT/tokio_postgres`.

use std::fmt::{Debug, Write as _};
use std::io::Cursor;
use std::pin::pin;

use futures_util::future::{join_all, poll_fn};
use futures_util::{SinkExt as _, StreamExt as _, TryStreamExt as _};
use tokio_postgres::types::Type;
use tokio_postgres::{AsyncMessage, Client, Config, Error, NoTls, SimpleQueryMessage};

fn variable(name: &str) -> String {
    std::env::var(name).unwrap_or_default()
}

/// A session, and what the server says without being asked.
async fn connect() -> (Client, tokio::sync::mpsc::UnboundedReceiver<String>) {
    let mut config = Config::new();
    config.host(variable("PGHOST")).port(variable("PGPORT").parse().unwrap()).user(variable("PGUSER"));
    config.password(variable("PGPASSWORD")).dbname(variable("PGDATABASE"));
    let (client, mut connection) = config.connect(NoTls).await.unwrap();
    let (sender, heard) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Some(message) = poll_fn(|context| connection.poll_message(context)).await {
            let said = match message {
                Ok(AsyncMessage::Notification(said)) => format!("{}: {}", said.channel(), said.payload()),
                Ok(AsyncMessage::Notice(notice)) => notice.to_string(),
                other => format!("{:?}", other.err()),
            };
            if sender.send(said).is_err() {
                break;
            }
        }
    });
    (client, heard)
}

/// Lines of what came back.
#[derive(Default)]
struct Told(String);

impl Told {
    fn add(&mut self, what: &str, told: impl Debug) {
        writeln!(self.0, "{what}: {told:?}").unwrap();
    }

    fn refused<T: Debug>(&mut self, what: &str, result: Result<T, Error>) {
        let error = result.expect_err(what);
        let error = error.as_db_error().unwrap_or_else(|| panic!("{what}: {error}"));
        self.add(what, (error.code().code(), error.message(), error.position()));
    }
}

async fn statements(client: &mut Client, told: &mut Told) {
    client
        .batch_execute("create schema rs; create table rs.t (id int primary key, name text)")
        .await
        .unwrap();
    let messages = client
        .simple_query("select 1 as one, null; insert into rs.t values (1, 'é'); ; select 2")
        .await
        .unwrap();
    for message in messages {
        match message {
            SimpleQueryMessage::Row(row) => told.add("row", (row.get(0), row.len())),
            SimpleQueryMessage::CommandComplete(rows) => told.add("complete", rows),
            _ => {}
        }
    }
    told.refused(
        "several",
        client.batch_execute("select 1; select 1 / 0; insert into rs.t values (2, 'x')").await,
    );
    let insert =
        client.prepare_typed("insert into rs.t values ($1, $2)", &[Type::INT4, Type::TEXT]).await.unwrap();
    for id in 10..15 {
        told.add("inserted", client.execute(&insert, &[&id, &format!("n{id}")]).await.unwrap());
    }
    told.refused("twice", client.execute(&insert, &[&10, &"again"]).await);
    told.refused("prepare", client.prepare("selec 1").await);
    // All are sent before the first is answered.
    let select = client.prepare("select name from rs.t where id = $1").await.unwrap();
    let ids: Vec<i32> = (9..16).collect();
    let answers = join_all(ids.iter().map(|id| async {
        client.query_opt(&select, &[id]).await.unwrap().map(|row| row.get::<_, String>(0))
    }));
    told.add("sent at once", answers.await);
    let (one, two) =
        (client.query("select 1 / $1::int", &[&0]), client.query_one("select $1::int8", &[&7_i64]));
    let (one, two) = tokio::join!(one, two);
    told.refused("first of two", one);
    told.add("second of two", two.unwrap().get::<_, i64>(0));
    let transaction = client.build_transaction().read_only(false).start().await.unwrap();
    let portal = transaction.bind("select generate_series(1, 10)", &[]).await.unwrap();
    for most in [3, 4, 0] {
        let rows = transaction.query_portal(&portal, most).await.unwrap();
        told.add("portal", rows.iter().map(|row| row.get::<_, i32>(0)).collect::<Vec<_>>());
    }
    transaction.commit().await.unwrap();
    let mut transaction = client.transaction().await.unwrap();
    let savepoint = transaction.savepoint("s").await.unwrap();
    told.refused("in a savepoint", savepoint.execute("insert into rs.t values (1)", &[]).await);
    savepoint.rollback().await.unwrap();
    transaction.execute("update rs.t set name = $1 where id > $2", &[&"u", &12]).await.unwrap();
    // Dropped: rolled back.
    drop(transaction);
    let left = client.query_one("select count(*) from rs.t where name = 'u'", &[]).await.unwrap();
    told.add("rolled back", left.get::<_, i64>(0));
    client.batch_execute("create index concurrently on rs.t (name)").await.unwrap();
}

async fn copies(client: &Client, told: &mut Told) {
    let mut into = pin!(client.copy_in("copy rs.t from stdin").await.unwrap());
    for id in 100..400 {
        into.send(Cursor::new(format!("{id}\tcopied {id}\n"))).await.unwrap();
    }
    told.add("copied", into.finish().await.unwrap());
    let mut wrong = pin!(client.copy_in("copy rs.t from stdin").await.unwrap());
    wrong.send(Cursor::new("no number\n")).await.unwrap();
    told.refused("copy", wrong.finish().await);
    // Given up: CopyFail.
    let given_up = client.copy_in::<_, Cursor<String>>("copy rs.t from stdin").await.unwrap();
    drop(given_up);
    let out = client.copy_out("copy (select * from rs.t order by id desc limit 3) to stdout").await.unwrap();
    let out: Vec<_> = out.try_collect().await.unwrap();
    told.add("out", out.concat().escape_ascii().to_string());
    let mut binary = pin!(client.copy_out("copy rs.t to stdout (format binary)").await.unwrap());
    told.add("first of binary", binary.next().await.unwrap().unwrap().len());
}

async fn cancelled(client: &Client, told: &mut Told) {
    let (other, _heard) = connect().await;
    let asleep =
        "select count(*) from pg_stat_activity where state = 'active' and query = 'select pg_sleep(61)'";
    let cancel = async {
        while other.query_one(asleep, &[]).await.unwrap().get::<_, i64>(0) == 0 {}
        client.cancel_token().cancel_query(NoTls).await.unwrap();
    };
    let (slept, ()) = tokio::join!(client.batch_execute("select pg_sleep(61)"), cancel);
    told.refused("cancelled", slept);
}

#[test]
#[ignore = "a client that `clients` runs, with and without a tap"]
fn talks() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let told = runtime.block_on(async {
        let mut told = Told::default();
        let (mut client, mut heard) = connect().await;
        statements(&mut client, &mut told).await;
        copies(&client, &mut told).await;
        cancelled(&client, &mut told).await;
        client.batch_execute("listen wave; do $$ begin raise notice 'noted'; end $$").await.unwrap();
        client.query("select pg_notify('wave', $1)", &[&"hi"]).await.unwrap();
        told.add("heard", (heard.recv().await, heard.recv().await));
        told
    });
    std::fs::write(format!("{}/tokio_postgres", variable("OUT")), told.0).unwrap();
}
