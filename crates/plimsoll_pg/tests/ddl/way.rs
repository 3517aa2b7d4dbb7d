//! How statements reach a server whose rehearsal records them: as a script, or from a program behind the tap.

use plimsoll_core::{ChangeScope, SourceFile, StatementRecord};
use plimsoll_pg::rehearse::{rehearse, rehearse_program};
use plimsoll_pg::server::{PrivateServer, SUPERUSER};
use plimsoll_pg::tap::Doors;
use plimsoll_sql::parse::parse_script;
use plimsoll_sql::{Migration, TransactionHabit};
use tokio_postgres::{Client, Config, NoTls};

/// Who sends the statements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// The rehearsal itself, from a script.
    Script,
    /// A program, in these two forms by turns.
    Program([Form; 2]),
}

/// How a program sends statements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// By simple queries: what is to be undone by one, each other statement by one of its own.
    Simple,
    /// It prepares each statement and executes it.
    Extended,
}

/// Statements that are sent together.
pub(crate) struct Batch<'a> {
    pub(crate) sql: &'a str,
    /// Whether they are undone after that.
    pub(crate) is_undone: bool,
    /// How a program sends them.
    pub(crate) form: Form,
}

/// What stands before each batch of a program, and leaves no trace.
const MARK: &str = "set plimsoll.batch = ''";

impl Way {
    /// How the kind at this place is sent.
    pub(crate) fn form(self, at: usize) -> Form {
        match self {
            Self::Script => Form::Simple,
            Self::Program(forms) => forms[at % 2],
        }
    }

    /// Runs batches one after the other in a database; returns the records of each, without those of what undoes it.
    pub(crate) async fn run(
        self,
        server: &PrivateServer,
        database: &str,
        batches: &[Batch<'_>],
    ) -> Vec<Vec<StatementRecord>> {
        match self {
            Self::Script => run_script(server, database, batches).await,
            Self::Program(_) => run_program(server, database, batches).await,
        }
    }
}

async fn run_program(
    server: &PrivateServer,
    database: &str,
    batches: &[Batch<'_>],
) -> Vec<Vec<StatementRecord>> {
    let running = |doors: &Doors| {
        let mut config = Config::new();
        config.host_path(doors.folder()).port(doors.socket_port()).user(SUPERUSER).dbname(database);
        async move {
            let (client, connection) = config.connect(NoTls).await.expect("a connection through the tap");
            tokio::spawn(async move { connection.await.unwrap_or_default() });
            for batch in batches {
                client.batch_execute(MARK).await.expect("a mark");
                batch.send(&client).await;
            }
        }
    };
    let ran = rehearse_program(server, database, "kinds", &|_| {}, running).await;
    let ((), program) = ran.expect("a rehearsal");
    let records = program.rehearsal.statements;
    let parts = records.split(|record| record.sql == MARK).skip(1);
    parts.zip(batches).map(|(records, batch)| without_end(records, batch)).collect()
}

impl Batch<'_> {
    /// Whether it has to be told to begin a transaction.
    fn lacks_begin(&self) -> bool {
        self.is_undone && !self.sql.starts_with("begin;")
    }

    /// What the server refuses is recorded.
    async fn send(&self, client: &Client) {
        let texts = statements_of(self.sql);
        match (self.form, self.is_undone) {
            // The query is one transaction, which its failing end undoes; one that it begins itself as well.
            (Form::Simple, true) => {
                let _ = client.batch_execute(&format!("{}; select 1/0", texts.join("; "))).await;
                client.batch_execute("rollback").await.expect("what was begun is undone");
            }
            (Form::Simple, false) => {
                for text in texts {
                    let _ = client.batch_execute(text).await;
                }
            }
            (Form::Extended, is_undone) => {
                let around = |is: bool, text: &'static str| is.then_some(text).into_iter();
                for text in
                    around(self.lacks_begin(), "begin").chain(texts).chain(around(is_undone, "rollback"))
                {
                    let _ = client.execute(text, &[]).await;
                }
            }
        }
    }
}

/// The records that are the batch's own.
fn without_end(records: &[StatementRecord], batch: &Batch<'_>) -> Vec<StatementRecord> {
    let is_end = |record: &&StatementRecord| {
        batch.is_undone && ["rollback", "select 1/0"].contains(&record.sql.as_str())
    };
    let length = records.len() - records.iter().rev().take_while(is_end).count();
    records[..length].to_vec()
}

async fn run_script(
    server: &PrivateServer,
    database: &str,
    batches: &[Batch<'_>],
) -> Vec<Vec<StatementRecord>> {
    let mut sql = String::new();
    let mut ends = Vec::new();
    for batch in batches {
        sql.push_str(if batch.lacks_begin() { "begin;\n" } else { "" });
        sql.push_str(batch.sql);
        sql.push_str(if batch.is_undone { "rollback;\n" } else { "" });
        ends.push(sql.lines().count());
    }
    let migration =
        Migration::new(SourceFile::new("kinds.sql", sql.as_str()), 0..sql.len(), TransactionHabit::Statement);
    let rehearsal = rehearse(server, database, &[&migration], ChangeScope::Together, &|_, _, _| {}).await;
    let mut records = rehearsal.expect("a rehearsal").statements.into_iter().peekable();
    let parts = ends.into_iter().zip(batches).map(|(end, batch)| {
        let mut of_batch = Vec::new();
        while let Some(record) = records.next_if(|record| record.line <= end) {
            of_batch.push(record);
        }
        without_end(&of_batch, batch)
    });
    parts.collect()
}

fn statements_of(sql: &str) -> Vec<&str> {
    let (statements, _) = parse_script(sql);
    statements.iter().map(|statement| &sql[statement.range.clone()]).collect()
}
