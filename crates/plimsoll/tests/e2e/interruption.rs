//! Signals to the program and to its server, in the middle of a check and before.

use std::os::unix::process::ExitStatusExt as _;

use rustix::process::Signal;

use crate::programs;
use crate::project::{MAJORS, Project, Running};

fn sleeping(major: u32) -> (Project, Running) {
    let project = Project::new([
        ("migrations/1.sql", "create table t (id int);"),
        ("migrations/2.sql", "alter table t add column n int;\nselect pg_sleep(300);\n"),
    ]);
    let arguments = ["check", "--postgres", &major.to_string(), "migrations/2.sql"];
    let mut running = project.plimsoll(&arguments).start();
    running.wait_for_query("select pg_sleep(300)");
    (project, running)
}

#[test]
fn a_server_that_is_killed_ends_the_check() {
    for major in MAJORS {
        let (_project, running) = sleeping(major);
        running.signal_server(Signal::KILL);
        running.end().fails(3, &["failed to run migrations/2.sql:2:1: the private server is gone"]);
    }
}

#[test]
fn a_server_that_is_shut_down_ends_the_check() {
    let (_project, running) = sleeping(18);
    running.signal_server(Signal::QUIT);
    running.end().fails(3, &["failed to run migrations/2.sql:2:1: ", "the private server is gone"]);
}

#[test]
fn signals_end_the_program_in_order() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 129)] {
        let (_project, running) = sleeping(15);
        running.signal(signal);
        running.end().fails(code, &["stopped"]);
    }
}

#[test]
fn a_signal_ends_what_waits_for_its_input_at_once() {
    for verb in ["lint", "check"] {
        for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
            if signal == Signal::HUP && hangups_are_ignored() {
                continue;
            }
            let project = Project::new([("migrations/1.sql", "create table t (id int);")]);
            let (input, silent_writer) = std::io::pipe().unwrap();
            let mut running = project.plimsoll(&[verb, "-"]).stdin_from(input).start();
            running.wait_until_it_waits();
            running.signal(signal);
            assert_eq!(running.end().status.signal(), Some(signal.as_raw()), "{verb}");
            drop(silent_writer);
        }
    }
}

/// Whoever runs the tests by `nohup` has every child ignore them.
fn hangups_are_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    ignored.is_some_and(|bits| u64::from_str_radix(bits.trim(), 16).is_ok_and(|bits| bits & 1 == 1))
}

#[test]
fn a_killed_program_leaves_nothing() {
    for major in MAJORS {
        let (_project, running) = sleeping(major);
        running.signal(Signal::KILL);
        assert_eq!(running.end().status.code(), None);
    }
}

#[test]
fn a_killed_program_leaves_no_folder_of_a_tap_or_of_helpers() {
    let nobody = Project::new([("plimsoll.toml", "")]);
    let django = programs::project("django", |name| name.starts_with("0002"));
    for (project, words) in [
        (&nobody, &["watch", "--url", "postgres://a@127.0.0.1:1/b"][..]),
        (&django, &["check", "--base", "main", "--postgres", "15"][..]),
    ] {
        let mut running = programs::with_python(project.plimsoll(words)).start();
        running.wait_until("a folder that is watched", |running| {
            running.server_folder().filter(|folder| folder.join("plimsoll.lock").exists())
        });
        running.signal(Signal::KILL);
        assert_eq!(running.end().status.code(), None);
    }
}

#[test]
fn a_watched_program_is_told_of_every_signal() {
    let project = Project::new([("plimsoll.toml", "")]);
    for (signal, name) in [(Signal::INT, "INT"), (Signal::TERM, "TERM")] {
        let script =
            format!("trap 'echo {name} >told; exit 3' {name}; touch begun; while :; do sleep 0.05; done");
        let words = ["watch", "--url", "postgres://a@127.0.0.1:1/b", "--", "sh", "-c", &script];
        let mut running = project.plimsoll(&words).start();
        running.wait_until("the program", |_| project.path().join("begun").exists().then_some(()));
        running.signal(signal);
        assert_eq!(running.end().status.code(), Some(3));
        assert_eq!(std::fs::read_to_string(project.path().join("told")).unwrap().trim(), name);
        std::fs::remove_file(project.path().join("begun")).unwrap();
    }
}

#[test]
fn a_seed_command_ends_with_the_program() {
    for signal in [Signal::INT, Signal::TERM, Signal::KILL] {
        let project = Project::new([
            ("plimsoll.toml", "[database]\nseed_command = \"touch begun; sleep 300; true\"\n"),
            ("migrations/1.sql", "create table t (id int);"),
            ("migrations/2.sql", "select 1"),
        ]);
        let mut running = project.plimsoll(&["check", "migrations/2.sql"]).start();
        running.wait_until("the seed command", |_| project.path().join("begun").exists().then_some(()));
        running.signal(signal);
        assert!(!running.end().status.success());
    }
}

#[test]
fn a_migration_that_ends_its_own_session_is_no_panic() {
    let project = Project::new([
        ("migrations/1.sql", "create table t (id int);"),
        ("migrations/2.sql", "select pg_terminate_backend(pg_backend_pid());\nselect 1;\n"),
    ]);
    project.run(&["check", "migrations/2.sql"]).fails(3, &["migrations/2.sql:1:1"]);
}

#[test]
fn a_signal_while_the_server_starts_leaves_nothing() {
    let project = Project::new([("migrations/1.sql", "select 1")]);
    for signal in [Signal::INT, Signal::KILL] {
        let mut running = project.plimsoll(&["check", "--all"]).start();
        // The marker comes when somebody watches over the folder: before, SIGKILL leaves an empty one.
        running.wait_until("a private folder that is watched", |running| {
            running.server_folder().filter(|folder| folder.join("plimsoll.lock").exists())
        });
        running.signal(signal);
        assert!(!running.end().status.success());
    }
}
