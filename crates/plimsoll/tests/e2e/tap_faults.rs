//! What goes wrong around a tap: clients that die or misbehave, a server that dies, signals. Nothing is left of a run
//! ([`crate::project`] sees to that), nothing panics, and the report says what was lost.

use std::path::Path;

use rustix::process::Signal;

use crate::clients::{path, python};
use crate::project::{Ended, MAJORS, Project, Run, Running};
use crate::report::text;

const TAPS: [&str; 2] = ["watch", "rehearse"];

fn tapped(project: &Project, verb: &str, major: u32, command: &[&str]) -> Run {
    let major_text = major.to_string();
    let words =
        [verb, "--postgres", &major_text, "--env", "SERVER_SOCKET={socket}", "--format", "json", "--"];
    project.plimsoll(&[&words[..], command].concat()).env("PATH", path(major))
}

/// A project, and a client of it that waits for the server.
fn sleeping(verb: &str, major: u32) -> (Project, Running) {
    let project = Project::new([("plimsoll.toml", "")]);
    let mut running = tapped(&project, verb, major, &["psql", "-X", "-c", "select pg_sleep(300)"]).start();
    running.wait_for_query("select pg_sleep(300)");
    (project, running)
}

/// Runs a client of bytes alone.
fn misbehaving(verb: &str, major: u32, what: &str) -> Ended {
    let project = Project::new([("plimsoll.toml", "")]);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/e2e/clients/faults.py");
    let ended = tapped(&project, verb, major, &[&python(), script.to_str().unwrap(), what]).run();
    ended.fails(0, &["behaved\n"]);
    ended
}

fn has_note(ended: &Ended, words: &str) {
    let report = ended.report();
    let of_rehearsal = report.json["rehearsal"]["notes"].as_array().into_iter().flatten().map(text);
    let mut notes = report.notes().into_iter().chain(of_rehearsal);
    assert!(notes.any(|note| note.contains(words)), "no {words:?}: {}", ended.shown());
}

#[test]
fn a_client_that_is_killed_leaves_a_word_of_what_it_waited_for() {
    let script = "psql -X -c 'create table before (a int)'; psql -X -c 'select pg_sleep(300)' & client=$!; \
                  until psql -X -A -t -c \"select 'active' from pg_stat_activity where query = 'select pg_sleep(300)'\" | \
                  grep -q active; do sleep 0.1; done; kill -9 $client; psql -X -c 'create table behind (a int)'";
    for major in MAJORS {
        for verb in TAPS {
            let project = Project::new([("plimsoll.toml", "")]);
            let ended = tapped(&project, verb, major, &["sh", "-c", script]).run();
            let report = ended.report();
            if verb == "watch" {
                let queries = report.json["traffic"]["queries"].as_array().unwrap();
                let named = |name: &str| queries.iter().find(|query| text(&query["query"]).starts_with(name));
                let lost = named("select pg_sleep($1)").unwrap_or_else(|| panic!("{}", ended.shown()));
                assert_eq!((&lost["calls"], &lost["failures"]), (&1.into(), &1.into()), "{lost:#}");
                assert!(named("create table before").is_some() && named("create table behind").is_some());
            } else {
                has_note(&ended, "ended while `select pg_sleep(300)` ran");
                assert!(report.statement("create table before")["error"].is_null());
                assert!(report.statement("create table behind")["error"].is_null());
            }
        }
    }
}

#[test]
fn malformed_messages_end_their_connection_alone() {
    for verb in TAPS {
        let ended = misbehaving(verb, 18, "malformed");
        if verb == "rehearse" {
            has_note(&ended, "Connection 0 was ended: a message said that it is shorter than its length.");
        }
    }
}

#[test]
fn a_row_of_a_gigabyte_passes_in_little_memory() {
    for verb in TAPS {
        misbehaving(verb, 18, "huge");
    }
}

#[test]
fn five_hundred_connections_at_once_are_served_or_told_why_not() {
    let ended = misbehaving("watch", 18, "many");
    assert!(ended.stderr.contains("refused 0\n"), "{}", ended.shown());
    let report = ended.report();
    assert_eq!(report.json["traffic"]["statements"], 500, "{}", ended.shown());
    assert_eq!(report.json["traffic"]["sessions"], 500, "{}", ended.shown());
    let ended = misbehaving("rehearse", 18, "many");
    has_note(&ended, "A connection was refused: sorry, too many clients already (SQLSTATE 53300)");
}

#[test]
fn a_client_that_never_reads_stops_nobody_else() {
    for verb in TAPS {
        let ended = misbehaving(verb, 18, "deaf");
        if verb == "rehearse" {
            has_note(&ended, "Connection 0 ended while `select repeat('x', 1000) from generate_series");
        }
    }
}

#[test]
fn a_server_that_is_killed_ends_the_command_and_is_told() {
    for major in MAJORS {
        for verb in TAPS {
            let (_project, running) = sleeping(verb, major);
            running.signal_server(Signal::KILL);
            let ended = running.end();
            assert!(!ended.status.success(), "{}", ended.shown());
            assert!(ended.stderr.contains("server closed the connection"), "{}", ended.shown());
        }
    }
}

#[test]
fn a_signal_ends_the_command_too() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP, Signal::KILL] {
        for verb in TAPS {
            let (_project, running) = sleeping(verb, 18);
            running.signal(signal);
            if signal == Signal::INT {
                // A terminal sends it to the command as well, which decides.
                running.signal_psql(signal);
            }
            let ended = running.end();
            assert!(!ended.status.success(), "{verb} {signal:?}: {}", ended.shown());
        }
    }
}
