//! What is in a branch: its schema as statements, and how many rows its tables have.

use std::collections::BTreeMap;
use std::process::Stdio;

use tokio::process::Command;

use crate::branch::SOCKET_PORT;
use crate::error::{BranchError, file_error};
use crate::host::Host;
use crate::keeper::Running;
use crate::manifest::Branch;
use crate::running::{Address, in_words};

/// Rows of a table, counted; none for one that the superuser can't count, such as a foreign table.
pub type RowCount = Option<u64>;

/// Every ordinary and partitioned table and materialized view of the users', but for partitions' parents, whose rows are
/// their partitions'.
const TABLES: &str = "
    SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'm') AND c.relpersistence <> 't'
        AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema' ORDER BY 1";

/// Counts the rows of every table in the branch's database, in one snapshot.
///
/// # Errors
/// When its server can't be asked.
pub async fn row_counts(
    branch: &Branch,
    running: &Running,
) -> Result<BTreeMap<String, RowCount>, BranchError> {
    let failed = |why: tokio_postgres::Error| {
        BranchError::Environment(format!("count the rows of branch {}: {}", branch.name, in_words(&why)))
    };
    let client = address(branch, running).connect(&branch.server.database).await?;
    client.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await.map_err(failed)?;
    let mut counts = BTreeMap::new();
    for row in client.query(TABLES, &[]).await.map_err(failed)? {
        let table: String = row.get(0);
        client.batch_execute("SAVEPOINT one").await.map_err(failed)?;
        let count = client.query_one(&format!("SELECT count(*) FROM {table}"), &[]).await;
        // A materialized view that was never filled can't be read.
        let count = match count {
            Ok(row) => u64::try_from(row.get::<_, i64>(0)).ok(),
            Err(why) if why.as_db_error().is_some() => {
                client.batch_execute("ROLLBACK TO one").await.map_err(failed)?;
                None
            }
            Err(why) => return Err(failed(why)),
        };
        counts.insert(table, count);
    }
    Ok(counts)
}

/// The schema of the branch's database, by `pg_dump`.
///
/// # Errors
/// When it isn't installed, or fails.
pub async fn schema(branch: &Branch, running: &Running, host: &Host) -> Result<String, BranchError> {
    let program = host.installation(branch.server.major)?.program("pg_dump");
    let mut command = Command::new(&program);
    command.args(["-s", "-w", "-d", &branch.server.database, "-U", &branch.server.superuser, "-h"]);
    command.arg(&running.sockets).arg("-p").arg(port(branch).to_string());
    command.stdin(Stdio::null()).kill_on_drop(true).env("LC_ALL", "C");
    for name in plimsoll_pg::server::MISLEADING {
        command.env_remove(name);
    }
    let output = command.output().await.map_err(file_error("run", &program))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(BranchError::Environment(format!(
            "dump the schema of branch {}: {}",
            branch.name,
            said.trim()
        )));
    }
    let text = String::from_utf8_lossy(&output.stdout);
    // A random word that psql's later versions want, another one in each dump.
    let lines =
        text.lines().filter(|line| !line.starts_with("\\restrict ") && !line.starts_with("\\unrestrict "));
    Ok(lines.map(|line| format!("{line}\n")).collect())
}

fn address<'a>(branch: &'a Branch, running: &'a Running) -> Address<'a> {
    Address { sockets: &running.sockets, port: port(branch), superuser: &branch.server.superuser }
}

fn port(branch: &Branch) -> u16 {
    branch.port.as_ref().map_or(SOCKET_PORT, |port| port.number)
}
