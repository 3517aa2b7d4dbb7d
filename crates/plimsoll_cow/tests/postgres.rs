//! PostgreSQL 15 and 18 on a view: everyday work, kills of everybody, a full disk, a copy of a running branch.
//!
//! Mounting takes root or `fusermount3`; where a view can't be mounted, each test says so and is skipped.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test fails by it")]

mod support;

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use plimsoll_cow::{MountOptions, WriteCache, clear_dead_mount, copy_delta, delta_bytes, mount};
use support::can_mount;
use support::cluster::Cluster;
use support::served::{Served, serve_if_asked};
use support::server::{Server, kill};

const MEGABYTE: u64 = 1024 * 1024;

fn options(cluster: &Cluster) -> MountOptions {
    let [lower, delta, mountpoint] = ["lower", "delta", "mountpoint"].map(|name| cluster.path(name));
    MountOptions { owner: cluster.owner(), ..MountOptions::new(lower, delta, mountpoint) }
}

/// What the killed process of other tests runs; by itself, a view of an empty folder is empty.
#[test]
fn serves_when_asked() {
    if serve_if_asked() || !can_mount("serves_when_asked") {
        return;
    }
    let folder = support::folder();
    for name in ["lower", "mountpoint"] {
        std::fs::create_dir(folder.path().join(name)).unwrap();
    }
    let [lower, delta, mountpoint] = ["lower", "delta", "mountpoint"].map(|name| folder.path().join(name));
    let mounted = mount(&MountOptions::new(lower, delta, &mountpoint)).unwrap();
    assert_eq!(std::fs::read_dir(&mountpoint).unwrap().count(), 0);
    mounted.unmount().unwrap();
}

fn check_everyday_work(major: u32) {
    if !can_mount("everyday work") {
        return;
    }
    let cluster = Cluster::with_pgbench(major, 5);
    let lower = cluster.lower_sums();
    let mounted = mount(&options(&cluster)).unwrap();
    let server =
        Server::start(&cluster, mounted.mountpoint(), &["fsync=off", "dynamic_shared_memory_type=mmap"]);
    cluster.succeed_connected("pgbench", &["-n", "-c", "4", "-t", "250"]);
    server.check_whole();
    mounted.sync().unwrap();
    let small = delta_bytes(&cluster.path("delta")).unwrap();
    assert!(small < 24 * MEGABYTE, "1000 transactions took {} MiB", small / MEGABYTE);

    // Shared memory of parallel workers lies in mapped files of the view.
    server.query(
        "set parallel_setup_cost = 0; set parallel_tuple_cost = 0; set min_parallel_table_scan_size = 0; \
         select count(*) from pgbench_accounts a join pgbench_accounts b on a.aid = b.bid",
    );
    server.query("create index on pgbench_accounts (abalance, aid)");
    server.query("vacuum full pgbench_accounts");
    server.query("create table copy as select * from pgbench_accounts; drop table copy");
    server.query("set work_mem = '64kB'; create table sorted as select * from pgbench_accounts order by filler, abalance");
    server.query("truncate sorted");
    server.query("create database other");
    server.query("drop database other");
    server.check_whole();
    server.stop();

    let server = Server::start(&cluster, mounted.mountpoint(), &["fsync=on"]);
    cluster.succeed_connected("pgbench", &["-n", "-c", "2", "-t", "50"]);
    server.query("checkpoint");
    server.check_whole();
    server.stop();
    assert!(mounted.lost_write().is_none());
    mounted.unmount().unwrap();

    // All is there after another mount, each page's checksum included.
    let mounted = mount(&options(&cluster)).unwrap();
    let mountpoint = mounted.mountpoint().to_str().unwrap().to_owned();
    cluster.succeed("pg_checksums", &["--check", "-D", &mountpoint]);
    let server = Server::start(&cluster, mounted.mountpoint(), &["fsync=off"]);
    server.check_whole();
    server.stop();
    mounted.unmount().unwrap();
    assert!(cluster.lower_sums() == lower, "the lower folder changed");
}

#[test]
fn postgresql_15_works_on_a_view() {
    check_everyday_work(15);
}

#[test]
fn postgresql_18_works_on_a_view() {
    check_everyday_work(18);
}

/// Kills the serving process and the server in the midst of pgbench: what was committed is there after recovery.
fn check_kill(major: u32, write_cache: WriteCache, settings: &[&str]) {
    if !can_mount("a kill in the midst of pgbench") {
        return;
    }
    let cluster = Cluster::with_pgbench(major, 5);
    let lower = cluster.lower_sums();
    let options = MountOptions { write_cache, ..options(&cluster) };
    let logs = cluster.path("socket");
    let mut committed = 0;
    for round in 0..2_u64 {
        let served = Served::start(&options);
        let server = Server::start(&cluster, &options.mountpoint, settings);
        let mut pgbench = cluster
            .connected("pgbench")
            .args(["-n", "-c", "4", "-T", "30", "-l", "--log-prefix"])
            .arg(logs.join(format!("round{round}")))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(900 + 700 * round));
        let processes = server.processes();
        served.kill();
        kill(&processes);
        pgbench.wait().unwrap();
        drop(server);
        committed += logged_transactions(&logs, &format!("round{round}"));
        assert!(clear_dead_mount(&options.mountpoint).unwrap(), "there was a dead mount");
        assert!(!clear_dead_mount(&options.mountpoint).unwrap(), "it is cleared");

        let mounted = mount(&options).unwrap();
        assert!(!clear_dead_mount(&options.mountpoint).unwrap(), "a served mount stays");
        let server = Server::start(&cluster, mounted.mountpoint(), settings);
        server.check_whole();
        let rows: u64 = server.query("select count(*) from pgbench_history").parse().unwrap();
        assert!(rows >= committed, "{committed} transactions were committed, {rows} are there");
        committed = rows;
        server.stop();
        mounted.unmount().unwrap();
    }
    assert!(committed > 100, "only {committed} transactions");
    assert!(cluster.lower_sums() == lower, "the lower folder changed");
}

/// pgbench writes a line once it has the answer to the COMMIT; its last one may be cut off.
fn logged_transactions(folder: &Path, prefix: &str) -> u64 {
    let mut lines = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().unwrap().to_str().unwrap().starts_with(prefix) {
            lines += std::fs::read(&path).unwrap().iter().filter(|byte| **byte == b'\n').count() as u64;
        }
    }
    lines
}

#[test]
fn a_kill_loses_nothing_that_postgresql_15_synced() {
    check_kill(15, WriteCache::Back, &["fsync=on"]);
}

#[test]
fn a_kill_loses_nothing_that_postgresql_18_synced() {
    check_kill(18, WriteCache::Back, &["fsync=on"]);
}

#[test]
fn a_kill_loses_nothing_that_was_written_through() {
    check_kill(15, WriteCache::Through, &["fsync=off"]);
}

/// The delta's disk fills up; with room again, PostgreSQL recovers to a whole state.
fn check_full_disk(write_cache: WriteCache) {
    if !can_mount("a full disk") {
        return;
    }
    let cluster = Cluster::with_pgbench(15, 2);
    let lower = cluster.lower_sums();
    let delta = cluster.path("delta");
    if !run(Command::new("mount").args(["-t", "tmpfs", "-o", "size=24m", "plimsoll-test"]).arg(&delta)) {
        support::skip("a full disk", "mount a tmpfs, which takes root");
        return;
    }
    let unmount_delta = scopeguard(|| {
        run(Command::new("umount").arg("-l").arg(&delta));
    });
    let options = MountOptions { write_cache, ..options(&cluster) };
    let mounted = mount(&options).unwrap();
    let server = Server::start(&cluster, mounted.mountpoint(), &["fsync=on"]);
    cluster.succeed_connected("pgbench", &["-n", "-c", "2", "-t", "50"]);
    let filled = server
        .try_query("create table filling as select g, repeat('x', 500) from generate_series(1, 200000) g");
    let why = filled.expect_err("the disk is full");
    assert!(
        why.contains("No space left")
            || why.contains("server closed the connection")
            || why.contains("terminating"),
        "{why}"
    );
    if let Ok(count) = server.try_query("select count(*) from pgbench_accounts") {
        assert_eq!(count, "200000", "reading goes on");
    }
    drop(server);
    if write_cache == WriteCache::Through {
        assert!(mounted.lost_write().is_none(), "each write told by itself");
    }
    mounted.unmount().unwrap();

    assert!(run(Command::new("mount").args(["-o", "remount,size=400m"]).arg(&delta)));
    let mounted = mount(&options).unwrap();
    let server = Server::start(&cluster, mounted.mountpoint(), &["fsync=on"]);
    server.check_whole();
    assert_eq!(server.query("select count(*) from pgbench_history"), "100");
    server.query("create table filling as select g, repeat('x', 500) from generate_series(1, 20000) g");
    server.stop();
    mounted.unmount().unwrap();
    drop(unmount_delta);
    assert!(cluster.lower_sums() == lower, "the lower folder changed");
}

fn run(command: &mut Command) -> bool {
    command.stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

fn scopeguard(end: impl FnMut()) -> impl Drop {
    struct Guard<End: FnMut()>(End);

    impl<End: FnMut()> Drop for Guard<End> {
        fn drop(&mut self) {
            (self.0)();
        }
    }

    Guard(end)
}

#[test]
fn a_full_disk_is_survived_with_writes_held_back() {
    check_full_disk(WriteCache::Back);
}

#[test]
fn a_full_disk_is_survived_with_writes_through() {
    check_full_disk(WriteCache::Through);
}

/// A branch of a running branch: backup mode, sync, copy, recovery.
#[test]
fn a_delta_is_copied_while_it_is_written() {
    if !can_mount("a copy of a running branch") {
        return;
    }
    let cluster = Cluster::with_pgbench(15, 5);
    let first = options(&cluster);
    let mounted = mount(&first).unwrap();
    let server = Server::start(&cluster, mounted.mountpoint(), &["fsync=off", "wal_keep_size=512MB"]);
    let mut pgbench = cluster
        .connected("pgbench")
        .args(["-n", "-c", "4", "-T", "6"])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    std::thread::sleep(Duration::from_secs(1));
    // One session has to stay connected for the backup: psql runs the copy.
    let label = cluster.path("socket").join("label");
    let ready = cluster.path("socket").join("ready");
    let copied = cluster.path("socket").join("copied");
    let wait =
        format!("\\! touch {}; while [ ! -e {} ]; do sleep 0.05; done", ready.display(), copied.display());
    let backup = cluster
        .connected("psql")
        .args(["-X", "-A", "-t", "-q", "-v", "ON_ERROR_STOP=1"])
        .args(["-c", "select pg_backup_start('branch', true)", "-c", &wait])
        .args(["-c", "select labelfile from pg_backup_stop(false)"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    while !ready.exists() {
        std::thread::sleep(Duration::from_millis(20));
    }
    mounted.sync().unwrap();
    let delta = cluster.path("second");
    copy_delta(&first.delta, &delta).unwrap();
    std::fs::write(&copied, "").unwrap();
    let output = backup.wait_with_output().unwrap();
    assert!(output.status.success());
    let label_text = String::from_utf8(output.stdout).unwrap();
    let label_text = label_text.split_once("START").map(|(_, rest)| format!("START{rest}")).unwrap();
    std::fs::write(&label, &label_text).unwrap();
    pgbench.wait().unwrap();
    server.check_whole();

    let mountpoint = cluster.path("second-mountpoint");
    std::fs::create_dir(&mountpoint).unwrap();
    let second = mount(&MountOptions { delta, mountpoint: mountpoint.clone(), ..first.clone() }).unwrap();
    for name in ["postmaster.pid", "postmaster.opts"] {
        std::fs::remove_file(mountpoint.join(name)).unwrap();
    }
    std::fs::write(mountpoint.join("backup_label"), label_text.trim_end().to_owned() + "\n").unwrap();
    // WAL that was written after the copy belongs to the backup too.
    mounted.sync().unwrap();
    for entry in std::fs::read_dir(mounted.mountpoint().join("pg_wal")).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_file() {
            let to = mountpoint.join("pg_wal").join(entry.file_name());
            std::fs::write(&to, std::fs::read(entry.path()).unwrap()).unwrap();
        }
    }
    server.stop();
    let server = Server::start(&cluster, second.mountpoint(), &["fsync=off"]);
    server.check_whole();
    assert_ne!(server.query("select count(*) from pgbench_history"), "0");
    server.stop();
    second.unmount().unwrap();
    mounted.unmount().unwrap();
}
