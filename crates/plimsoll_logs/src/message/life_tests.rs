//! The words of a server's start, crash and end.

use super::*;
use crate::Severity;
use crate::message::{Event, understand};

#[track_caller]
fn check(message: &str, expected: Life<'_>) {
    assert_eq!(understand(&Record::new(Severity::Log, message)), Event::Life(expected), "{message}");
}

#[test]
fn a_server_starts() {
    let version = "PostgreSQL 18.0 on x86_64-pc-linux-gnu, compiled by gcc, 64-bit";
    check(&format!("starting {version}"), Life::Starting { version });
    for place in ["IPv4 address \"127.0.0.1\", port 5432", "Unix socket \"/run/.s.PGSQL.5432\""] {
        check(&format!("listening on {place}"), Life::Listening { place });
    }
    check("database system is ready to accept connections", Life::Ready { is_read_only: false });
    check("database system is ready to accept read only connections", Life::Ready { is_read_only: true });
    check("database system is ready to accept read-only connections", Life::Ready { is_read_only: true });
}

#[test]
fn the_last_run_left_a_state() {
    let at = "2026-01-02 03:04:05 UTC";
    let run = |message: String, expected| check(&message, Life::LastRun(expected));
    run(format!("database system was shut down at {at}"), LastRun::ShutDown { at });
    run(format!("database system was shut down in recovery at {at}"), LastRun::ShutDown { at });
    run(format!("database system was interrupted; last known up at {at}"), LastRun::Interrupted { at });
    run(
        format!("database system shutdown was interrupted; last known up at {at}"),
        LastRun::Interrupted { at },
    );
    run(format!("database system was interrupted while in recovery at {at}"), LastRun::Interrupted { at });
    run(
        "database system was not properly shut down; automatic recovery in progress".to_owned(),
        LastRun::Recovering,
    );
}

#[test]
fn recovery_has_steps() {
    let lsn = "0/1F2E3D4C";
    check("redo starts at 0/1F2E3D4C", Life::RedoStarts { lsn });
    check("redo done at 0/1F2E3D4C", Life::RedoDone { lsn });
    let used = "system usage: CPU: user: 0.00 s, system: 0.00 s, elapsed: 0.00 s";
    check(&format!("redo done at {lsn} {used}"), Life::RedoDone { lsn });
    check("redo in progress, elapsed time: 10.00 s, current LSN: 0/1F2E3D4C", Life::RedoInProgress { lsn });
    for reason in [
        "invalid record length at 0/7001A0: wanted 24, got 0",
        "invalid record length at 0/7001A0: expected at least 24, got 0",
        "unexpected pageaddr 0/1 in WAL segment 000000010000000000000001, LSN 0/1, offset 0",
        "record with incorrect prev-link 0/1 at 0/2",
    ] {
        check(reason, Life::WalEnds { reason });
    }
    check("redo is not required", Life::RedoNotRequired);
    check("consistent recovery state reached at 0/1F2E3D4C", Life::Consistent { lsn });
    check("entering standby mode", Life::StandbyMode);
    check(
        "restored log file \"000000010000000000000001\" from archive",
        Life::Restored { file: "000000010000000000000001" },
    );
    check("archive recovery complete", Life::ArchiveRecoveryComplete);
    check("selected new timeline ID: 2", Life::NewTimeline { timeline: 2 });
    check("received promote request", Life::PromotionRequested);
}

#[test]
fn a_process_dies_and_all_start_anew() {
    let killed = Record {
        detail: "Failed process was running: select\n1",
        ..Record::new(Severity::Log, "server process (PID 1234) was terminated by signal 9: Killed")
    };
    let died = ProcessDied {
        what: "server process",
        process: 1234,
        exit_code: None,
        signal: Some(9),
        running: "select\n1",
    };
    assert_eq!(understand(&killed), Event::Life(Life::ProcessDied(died)));
    check(
        "background worker \"w\" (PID 5) exited with exit code 1",
        Life::ProcessDied(ProcessDied {
            what: "background worker \"w\"",
            process: 5,
            exit_code: Some(1),
            signal: None,
            running: "",
        }),
    );
    check("terminating any other active server processes", Life::EndingOthers);
    check("all server processes terminated; reinitializing", Life::StartingAnew);
}

#[test]
fn a_server_is_shut_down() {
    for mode in ["smart", "fast", "immediate"] {
        check(&format!("received {mode} shutdown request"), Life::ShutdownRequested { mode });
    }
    check("aborting any active transactions", Life::EndingSessions);
    check("shutting down", Life::ShuttingDown);
    check("database system is shut down", Life::ShutDown { is_abnormal: false });
    check("abnormal database system shutdown", Life::ShutDown { is_abnormal: true });
}

#[test]
fn settings_change() {
    check("received SIGHUP, reloading configuration files", Life::Reloading);
    for (message, expected) in [
        ("parameter \"work_mem\" changed to \"8MB\"", Parameter::Changed { name: "work_mem", value: "8MB" }),
        (
            "parameter \"work_mem\" removed from configuration file, reset to default",
            Parameter::Reset { name: "work_mem" },
        ),
        (
            "parameter \"port\" cannot be changed without restarting the server",
            Parameter::NeedsRestart { name: "port" },
        ),
        (
            "invalid value for parameter \"work_mem\": \"much\"",
            Parameter::Invalid { name: "work_mem", value: "much" },
        ),
        (
            "unrecognized configuration parameter \"x\" in file \"/p.conf\" line 3",
            Parameter::Unknown { name: "x" },
        ),
        (
            "configuration file \"/p.conf\" contains errors; unaffected changes were applied",
            Parameter::FileInvalid { file: "/p.conf" },
        ),
    ] {
        check(message, Life::Parameter(expected));
    }
    let session = Record::new(Severity::Error, "invalid value for parameter \"work_mem\": \"much\"");
    assert!(matches!(understand(&session), Event::Failure(_)));
}
