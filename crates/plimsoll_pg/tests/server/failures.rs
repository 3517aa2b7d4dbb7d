//! What goes wrong is said, with the reason, and leaves nothing behind.

use std::time::Duration;

use plimsoll_pg::server::{PrivateServer, ServerError};
use rustix::process::{Pid, Signal, kill_process};

use crate::support::{Ground, MAJORS, SmallDisk, binaries};

fn error_of(result: Result<PrivateServer, ServerError>) -> String {
    match result {
        Ok(_) => panic!("the server started"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_bad_setting_is_shown_with_the_log() {
    for major in MAJORS {
        let ground = Ground::new();
        let mut options = ground.options();
        options.settings = vec![("shared_preload_libraries".to_owned(), "no_such_library".to_owned())];
        let error = error_of(PrivateServer::start(&binaries(major), &options));
        assert!(error.contains("exit status: 1"), "{error}");
        assert!(error.contains(r#"could not access file "no_such_library""#), "{error}");
        ground.check_nothing_remains();
    }
}

#[test]
fn a_setting_name_that_is_none_is_refused() {
    let ground = Ground::new();
    let mut options = ground.options();
    options.settings = vec![("x = 1\ny".to_owned(), "2".to_owned())];
    let error = error_of(PrivateServer::start(&binaries(18), &options));
    assert!(error.contains("correct the name"), "{error}");
    ground.check_nothing_remains();
}

#[tokio::test]
async fn a_killed_server_is_reported_and_leaves_nothing() {
    for major in MAJORS {
        let ground = Ground::new();
        let server = ground.start(major);
        let client = server.connect("postgres").await.unwrap();
        let segment = shared_segment(&server);
        let process = Pid::from_raw(i32::try_from(server.process()).unwrap()).unwrap();
        kill_process(process, Signal::KILL).unwrap();

        let death = server.death_within(Duration::from_secs(10)).await.expect("the server is dead");
        assert!(death.to_string().contains("signal: 9 (SIGKILL)"), "{death}");
        assert!(!server.is_alive());
        let error = server.connect("postgres").await.expect_err("nobody answers");
        assert!(error.to_string().contains("signal: 9"), "{error}");
        drop(client);
        server.stop().unwrap();
        ground.check_nothing_remains();
        let segments = std::fs::read_to_string("/proc/sysvipc/shm").unwrap_or_default();
        let numbers = segments.lines().filter_map(|line| line.split_whitespace().nth(1));
        assert_eq!(numbers.filter(|number| *number == segment).count(), 0, "its segment is gone");
    }
}

/// The number of the System V segment that a server uses.
fn shared_segment(server: &PrivateServer) -> String {
    let pid_file = std::fs::read_to_string(server.data_folder().join("postmaster.pid")).unwrap();
    let line = pid_file.lines().nth(6).unwrap();
    line.split_whitespace().nth(1).unwrap().to_owned()
}

#[tokio::test]
async fn a_crashed_backend_ends_the_server_and_the_log_says_why() {
    let ground = Ground::new();
    let server = ground.start(18);
    let client = server.connect("postgres").await.unwrap();
    let process: i32 = client.query_one("SELECT pg_backend_pid()", &[]).await.unwrap().get(0);
    kill_process(Pid::from_raw(process).unwrap(), Signal::SEGV).unwrap();
    let death = server.death_within(Duration::from_secs(10)).await.expect("the server ended");
    assert!(death.log_tail.contains("was terminated by signal 11"), "{death}");
    drop(server);
    ground.check_nothing_remains();
}

#[tokio::test]
async fn a_running_server_has_no_death() {
    let ground = Ground::new();
    let server = ground.start(15);
    assert_eq!(server.death_within(Duration::from_millis(50)).await, None);
}

#[test]
fn a_full_temporary_folder_is_named() {
    let ground = Ground::new();
    let Some(disk) = SmallDisk::mount(ground.path().join("disk"), "size=10m,mode=1777") else { return };
    let mut options = ground.options();
    options.temp_root = Some(disk.path().to_owned());
    let error = error_of(PrivateServer::start(&binaries(18), &options));
    assert!(error.contains("No space left on device"), "{error}");
    assert!(error.contains(&*disk.path().to_string_lossy()), "{error}");
    assert!(error.contains("set TMPDIR"), "{error}");
    assert_eq!(std::fs::read_dir(disk.path()).unwrap().count(), 0);
}

#[test]
fn a_temporary_folder_with_a_long_path_is_replaced() {
    let ground = Ground::new();
    let long = ground.path().join("x".repeat(120));
    std::fs::create_dir(&long).unwrap();
    let mut options = ground.options();
    options.temp_root = Some(long);
    let server = PrivateServer::start(&binaries(18), &options).unwrap();
    let folder = server.folder().to_owned();
    assert_eq!(folder.parent(), std::path::Path::new("/tmp").canonicalize().ok().as_deref());
    server.stop().unwrap();
    assert!(!folder.exists());
}
