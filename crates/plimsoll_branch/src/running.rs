//! Copies the data directory of a server of ours while it runs: what comes out is consistent, as of the copy's end.
//!
//! PostgreSQL's own way ("Making a Base Backup Using the Low Level API"): backup mode, a copy of everything but the WAL,
//! the end of backup mode, then the WAL in between. Nobody is blocked. In backup mode WAL has whole pages even where
//! `full_page_writes` is off, so a page that is copied while it is written is mended by recovery.

use std::path::Path;

use plimsoll_pg::server::ServerUser;
use tokio_postgres::{Client, Config, NoTls};

use crate::error::{BranchError, file_error};
use crate::state::remove_file;

/// What a server holds in its folder that is only its own, or that recovery makes anew. The same list as `pg_basebackup`'s.
const LEFT: [&str; 12] = [
    "backup_label.old",
    "current_logfiles",
    "pg_dynshmem",
    "pg_internal.init",
    "pg_notify",
    "pg_replslot",
    "pg_serial",
    "pg_snapshots",
    "pg_stat_tmp",
    "pg_subtrans",
    "postmaster.opts",
    "postmaster.pid",
];

/// Whether a stopped server's file is of no use in a copy.
pub(crate) fn is_left(path: &Path) -> bool {
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else { return false };
    let in_a_left_folder = path
        .parent()
        .and_then(|parent| parent.to_str())
        .is_some_and(|parent| !parent.is_empty() && LEFT.contains(&parent));
    in_a_left_folder
        || (!name.starts_with("pg_") || name == "pg_internal.init") && LEFT.contains(&name)
        || name.starts_with("pgsql_tmp")
        || name.ends_with(".signal") && path.parent() == Some(Path::new(""))
}

/// What roles and databases of production may have set otherwise, for people's sessions. PostgreSQL lets what a session
/// begins with win.
const SESSION: &str = "-c statement_timeout=0 -c lock_timeout=0 -c idle_in_transaction_session_timeout=0 -c idle_session_timeout=0 \
     -c default_transaction_read_only=off -c default_transaction_deferrable=off -c role=none \
     -c session_preload_libraries= -c local_preload_libraries=";

/// How to reach a server of ours.
#[derive(Clone, Debug)]
pub(crate) struct Address<'a> {
    pub(crate) sockets: &'a Path,
    pub(crate) port: u16,
    pub(crate) superuser: &'a str,
}

impl Address<'_> {
    /// Connects as superuser; a task of the current runtime serves the connection.
    pub(crate) async fn connect(&self, database: &str) -> Result<Client, BranchError> {
        let mut config = Config::new();
        config.host_path(self.sockets).port(self.port).user(self.superuser).dbname(database);
        config.application_name("plimsoll").options(SESSION);
        let failed = |why: tokio_postgres::Error| {
            let why = in_words(&why);
            BranchError::Environment(format!(
                "connect to database {database:?} of the branch's server: {why}"
            ))
        };
        let (client, connection) = config.connect(NoTls).await.map_err(failed)?;
        // An error reaches the client's next call, which reports it.
        tokio::spawn(async move { connection.await.unwrap_or_default() });
        Ok(client)
    }
}

/// An error of a server with its SQLSTATE, or of the connection with its cause.
pub(crate) fn in_words(error: &tokio_postgres::Error) -> String {
    use std::error::Error as _;
    match (error.as_db_error(), error.source()) {
        (Some(error), _) => format!("{} (SQLSTATE {})", error.message(), error.code().code()),
        (None, Some(source)) => format!("{error}: {source}"),
        (None, None) => error.to_string(),
    }
}

/// Copies files from one folder to another, which is there, but for those to be left.
pub(crate) type Copy<'a> =
    &'a (dyn Fn(&Path, &Path, super::mechanism::Leave<'_>) -> std::io::Result<()> + Sync);

/// Copies from `source`, where the server at `address` runs, into the folder `target`.
pub(crate) async fn copy_running(
    address: &Address<'_>,
    source: &Path,
    target: &Path,
    user: &ServerUser,
    copy: Copy<'_>,
) -> Result<(), BranchError> {
    let backup = Backup::begin(address).await?;
    let leave = |path: &Path| is_left(path) || path.parent() == Some(Path::new("pg_wal"));
    copy(source, target, &leave).map_err(file_error("copy", source))?;
    backup.end(source, target, user, copy).await
}

/// A server in backup mode. Its end without [`Self::end`] ends that mode too.
pub(crate) struct Backup {
    client: Client,
    /// The first segment of the WAL that a copy needs.
    first: String,
}

fn asked(what: &'static str) -> impl FnOnce(tokio_postgres::Error) -> BranchError {
    move |why| BranchError::Environment(format!("{what}: {}", in_words(&why)))
}

impl Backup {
    /// Begins, with a checkpoint at once.
    pub(crate) async fn begin(address: &Address<'_>) -> Result<Self, BranchError> {
        let client = match address.connect("postgres").await {
            Ok(client) => client,
            Err(_) => address.connect("template1").await?,
        };
        // Keeps the WAL until the session ends, should a checkpoint come in between.
        let slot = format!("plimsoll_{}", crate::state::random_text(8));
        client
            .execute("SELECT pg_create_physical_replication_slot($1, true, true)", &[&slot])
            .await
            .map_err(asked("keep the WAL of the branch's server"))?;
        let began =
            client.query_one("SELECT pg_walfile_name(pg_backup_start('plimsoll branch', true))", &[]).await;
        let first = began.map_err(asked("begin a copy of the branch's server"))?.get(0);
        Ok(Self { client, first })
    }

    /// Ends it, and gives the copy its label and the WAL that it needs.
    pub(crate) async fn end(
        self,
        source: &Path,
        target: &Path,
        user: &ServerUser,
        copy: Copy<'_>,
    ) -> Result<(), BranchError> {
        let query = "SELECT labelfile, pg_walfile_name(lsn) FROM pg_backup_stop(false)";
        let stopped =
            self.client.query_one(query, &[]).await.map_err(asked("end a copy of the branch's server"))?;
        let (label, last): (String, String) = (stopped.get(0), stopped.get(1));
        let path = target.join("backup_label");
        std::fs::write(&path, label).and_then(|()| user.own(&path)).map_err(file_error("write", &path))?;
        let (source, target) = (source.join("pg_wal"), target.join("pg_wal"));
        // A copy of what was written may have other segments already, whole or in part.
        for entry in std::fs::read_dir(&target).map_err(file_error("read", &target))? {
            let entry = entry.map_err(file_error("read", &target))?;
            if entry.file_type().map_err(file_error("look at", &entry.path()))?.is_file() {
                remove_file(&entry.path())?;
            }
        }
        let leave = |path: &Path| {
            let name = path.to_string_lossy();
            // Names of segments are in order; the first eight digits are the timeline.
            !(name.len() == 24 && *name >= *self.first && *name <= *last)
        };
        copy(&source, &target, &leave).map_err(file_error("copy", &source))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_recovery_makes_anew_is_left() {
        for left in [
            "postmaster.pid",
            "pg_replslot/s",
            "pg_dynshmem/mmap.1",
            "standby.signal",
            "base/5/pg_internal.init",
            "base/pgsql_tmp",
            "pg_stat_tmp/global.stat",
            "current_logfiles",
        ] {
            assert!(is_left(Path::new(left)), "{left}");
        }
        for kept in [
            "pg_replslot",
            "pg_xact/0000",
            "base/5/1259",
            "global/pg_control",
            "pg_logical",
            "pg_twophase/x",
            "PG_VERSION",
            "pg_multixact/offsets/0000",
        ] {
            assert!(!is_left(Path::new(kept)), "{kept}");
        }
    }
}
