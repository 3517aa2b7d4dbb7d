//! A start removes what a dead program left, and nothing else.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::support::{Ground, binaries, start, wait_until};

const MARKER: &str = "plimsoll private server, format 1\n1\n";

fn folder_with_marker(ground: &Ground, name: &str, marker: &str) -> PathBuf {
    let folder = ground.path().join(name);
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("plimsoll.lock"), marker).unwrap();
    std::fs::write(folder.join("something"), "x").unwrap();
    folder
}

#[test]
fn an_abandoned_folder_is_removed() {
    let ground = Ground::new();
    let abandoned = folder_with_marker(&ground, "plimsoll-abc123", MARKER);
    drop(ground.start(18));
    assert!(!abandoned.exists());
    ground.check_nothing_remains();
}

#[test]
fn everything_else_stays() {
    let ground = Ground::new();
    let kept = [
        folder_with_marker(&ground, "plimsoll-results", MARKER),
        folder_with_marker(&ground, "plimsoll-abc124", "another program's\n"),
        folder_with_marker(&ground, "other-abc123", MARKER),
    ];
    let elsewhere = folder_with_marker(&ground, "elsewhere", MARKER);
    let link = ground.path().join("plimsoll-abc125");
    std::os::unix::fs::symlink(&elsewhere, &link).unwrap();
    let without_marker = ground.path().join("plimsoll-abc126");
    std::fs::create_dir(&without_marker).unwrap();

    drop(ground.start(18));

    for path in kept.iter().chain([&elsewhere, &link, &without_marker]) {
        assert!(path.exists(), "{}", path.display());
    }
    assert!(elsewhere.join("something").exists());
}

#[test]
fn a_folder_in_use_stays() {
    let ground = Ground::new();
    let first = ground.start(18);
    drop(ground.start(15));
    assert!(first.is_alive());
    assert!(first.folder().join("plimsoll.lock").exists());
}

/// The watchdog was killed with the program, but the server was not.
#[test]
fn a_server_that_still_runs_in_it_is_stopped() {
    let ground = Ground::new();
    let server = start(&binaries(15), &ground.options());
    let folder = ground.path().join("plimsoll-abc127");
    copy_of_stopped(server, &folder);
    std::fs::write(folder.join("plimsoll.lock"), MARKER).unwrap();
    let mut orphan = run_orphan(&folder);
    wait_until(Duration::from_secs(20), "the orphan runs", || {
        let pid_file = std::fs::read_to_string(folder.join("data/postmaster.pid")).ok()?;
        pid_file.contains("ready").then_some(())
    })
    .unwrap();

    drop(ground.start(18));

    assert!(!folder.exists());
    orphan.wait().unwrap();
    ground.check_nothing_remains();
}

/// Makes `folder` what a server's folder was, as its owner's.
fn copy_of_stopped(server: plimsoll_pg::server::PrivateServer, folder: &Path) {
    std::fs::create_dir(folder).unwrap();
    let status = Command::new("cp").arg("-a").arg(server.data_folder()).arg(folder).status().unwrap();
    assert!(status.success());
    drop(server);
    std::fs::remove_file(folder.join("data/postmaster.pid")).unwrap();
    let status =
        Command::new("chown").arg("--reference").arg(folder.join("data")).arg(folder).status().unwrap();
    assert!(status.success());
}

fn run_orphan(folder: &Path) -> std::process::Child {
    use std::os::unix::fs::MetadataExt as _;
    use std::os::unix::process::CommandExt as _;

    let owner = folder.metadata().unwrap();
    let mut command = Command::new(binaries(15).program("postgres"));
    command.arg("-D").arg(folder.join("data")).arg("-c");
    command.arg(format!("unix_socket_directories={}", folder.display()));
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).current_dir("/");
    if rustix::process::geteuid().is_root() {
        command.uid(owner.uid()).gid(owner.gid());
    }
    command.spawn().unwrap()
}
