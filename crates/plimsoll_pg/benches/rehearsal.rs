//! What a rehearsal costs a statement over its plain execution:
//! `cargo bench -p plimsoll_pg --bench rehearsal`.
//!
//! The same statements run plain and rehearsed by turns on one server, each run on a database of
//! its own. The overhead is the median difference of the runs, divided by the statements.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::time::{Duration, Instant};

use plimsoll_core::{ChangeScope, SourceFile};
use plimsoll_pg::rehearse::{rehearse, run_script};
use plimsoll_pg::server::{
    Cache, Environment, PrivateServer, SearchPlaces, ServerUser, StartOptions, Wanted, find,
};
use plimsoll_sql::{Migration, TransactionHabit};

const STATEMENTS: usize = 200;
const ROUNDS: usize = 11;
const TABLES: usize = 100;

type Anything = Box<dyn std::error::Error>;

fn main() -> Result<(), Anything> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        for major in [15, 18] {
            let server = start(major)?;
            for (name, habit) in
                [("one transaction", TransactionHabit::File), ("each alone", TransactionHabit::Statement)]
            {
                let overhead = measure(&server, name, habit).await?;
                println!(
                    "PostgreSQL {major}, {name}: {:.2} ms a statement over plain execution",
                    overhead.as_secs_f64() * 1e3
                );
            }
        }
        Ok(())
    })
}

fn start(major: u32) -> Result<PrivateServer, Anything> {
    let environment = Environment::read();
    let cache = Cache::locate(&environment)?;
    let user = ServerUser::choose(&environment)?;
    let binaries = find(Wanted::Major(major), &SearchPlaces::new(&environment, &cache, None), &user)?;
    Ok(PrivateServer::start(&binaries, &StartOptions::new(&environment, cache, user))?)
}

async fn measure(server: &PrivateServer, name: &str, habit: TransactionHabit) -> Result<Duration, Anything> {
    let schema: String =
        (0..TABLES).map(|t| format!("create table t{t} (id bigint primary key, n int);\n")).collect();
    let change: String =
        (0..STATEMENTS).map(|s| format!("alter table t{} add column c{s} int;\n", s % TABLES)).collect();
    let migration = Migration::new(SourceFile::new("change.sql", change.as_str()), 0..change.len(), habit);
    let mut differences = Vec::new();
    for round in 0..ROUNDS {
        let mut took = [Duration::ZERO; 2];
        for (way, time) in took.iter_mut().enumerate() {
            let database = format!("bench_{}_{round}_{way}", name.replace(' ', "_"));
            server.create_database(&database).await?;
            run_script(server, &database, &SourceFile::new("schema.sql", schema.as_str())).await?;
            let started = Instant::now();
            match way {
                0 => plain(server, &database, &migration, habit).await?,
                _ => drop(
                    rehearse(server, &database, &[&migration], ChangeScope::Together, &|_, _, _| {}).await?,
                ),
            }
            *time = started.elapsed();
        }
        differences.push(took[1].saturating_sub(took[0]));
    }
    differences.sort();
    Ok(differences[ROUNDS / 2] / u32::try_from(STATEMENTS)?)
}

async fn plain(
    server: &PrivateServer,
    database: &str,
    migration: &Migration,
    habit: TransactionHabit,
) -> Result<(), Anything> {
    let client = server.connect(database).await?;
    let wrapped = habit == TransactionHabit::File;
    if wrapped {
        client.batch_execute("BEGIN").await?;
    }
    for statement in &migration.statements {
        client.batch_execute(migration.sql(statement)).await?;
    }
    if wrapped {
        client.batch_execute("COMMIT").await?;
    }
    Ok(())
}
