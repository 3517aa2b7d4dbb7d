//! A running server, and what is asked of it.

use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use super::cluster::Cluster;

/// A running server; dropping it ends it at once.
pub(crate) struct Server<'cluster> {
    cluster: &'cluster Cluster,
    data: PathBuf,
    child: Child,
}

impl<'cluster> Server<'cluster> {
    /// Starts a server on a data directory and waits until it answers.
    pub(crate) fn start(cluster: &'cluster Cluster, data: &Path, settings: &[&str]) -> Self {
        let mut command = cluster.mortal_postgres();
        command.arg("-D").arg(data).arg("-k").arg(cluster.path("socket"));
        let always =
            ["listen_addresses=", "shared_buffers=16MB", "max_wal_size=64MB", "log_min_messages=fatal"];
        for setting in always.iter().chain(settings) {
            command.args(["-c", setting]);
        }
        let log =
            std::fs::File::options().append(true).create(true).open(cluster.path("log")).expect("a log");
        let child = command.stdout(Stdio::null()).stderr(log).spawn().expect("it starts");
        let mut server = Self { cluster, data: data.to_owned(), child };
        let deadline = Instant::now() + Duration::from_secs(60);
        while server.try_query("select 1").is_err() {
            let ended = server.child.try_wait().expect("its state");
            assert!(ended.is_none() && Instant::now() < deadline, "no server: {}", server.log());
            std::thread::sleep(Duration::from_millis(10));
        }
        server
    }

    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.cluster.path("log")).unwrap_or_default()
    }

    /// The answer, or what the server said against it.
    pub(crate) fn try_query(&self, sql: &str) -> Result<String, String> {
        let output = self
            .cluster
            .connected("psql")
            .args(["-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1", "-c", sql])
            .output()
            .expect("psql runs");
        if output.status.success() {
            Ok(String::from_utf8(output.stdout).expect("UTF-8").trim().to_owned())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    }

    pub(crate) fn query(&self, sql: &str) -> String {
        self.try_query(sql).unwrap_or_else(|error| panic!("{sql}: {error}{}", self.log()))
    }

    /// Holds all B-tree indexes against their tables, reads all rows, and holds pgbench's sums against each other.
    pub(crate) fn check_whole(&self) {
        let indexes = self.query(
            "select count(bt_index_check(c.oid, true)) from pg_class c join pg_am a on a.oid = c.relam \
             where a.amname = 'btree' and c.relkind = 'i' and c.relpersistence = 'p'",
        );
        assert!(indexes.parse::<u32>().expect("a number") > 100, "{indexes} indexes");
        let sums = self.query(
            "select a = b and b = t and t = h from (select sum(abalance) a from pgbench_accounts) a, \
             (select sum(bbalance) b from pgbench_branches) b, (select sum(tbalance) t from pgbench_tellers) t, \
             (select coalesce(sum(delta), 0) h from pgbench_history) h",
        );
        assert_eq!(sums, "t", "pgbench's sums differ");
    }

    /// Stops it as `pg_ctl stop` does.
    pub(crate) fn stop(mut self) {
        self.cluster
            .succeed("pg_ctl", &["stop", "-s", "-m", "fast", "-D", self.data.to_str().expect("UTF-8")]);
        self.child.wait().expect("it ended");
    }

    /// The postmaster and all its children. A child that waits for a lock of a dead one never sees that the postmaster is
    /// gone: who kills the one has to kill the others.
    pub(crate) fn processes(&self) -> Vec<i32> {
        let pid = std::fs::read_to_string(self.data.join("postmaster.pid")).expect("postmaster.pid");
        let postmaster = pid.lines().next().expect("a line");
        let children = std::fs::read_to_string(format!("/proc/{postmaster}/task/{postmaster}/children"));
        let children = children.expect("the kernel lists children");
        [postmaster]
            .into_iter()
            .chain(children.split_whitespace())
            .map(|pid| pid.parse().expect("a number"))
            .collect()
    }
}

/// Kills processes at once; some may have ended already.
pub(crate) fn kill(processes: &[i32]) {
    let numbers = processes.iter().map(i32::to_string);
    let killed = std::process::Command::new("kill").arg("-9").args(numbers).stderr(Stdio::null()).status();
    killed.expect("kill runs");
}

impl Drop for Server<'_> {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            // `timeout` hands it on to the postmaster.
            let _ = std::process::Command::new("kill").args(["-QUIT", &self.child.id().to_string()]).status();
            let _ = self.child.wait();
        }
    }
}
