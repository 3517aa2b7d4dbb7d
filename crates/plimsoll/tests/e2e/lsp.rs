//! `plimsoll lsp`, driven by a real client of language servers, pygls; and by nobody in
//! particular, who sends garbage, leaves, or dies.

use std::process::{Command, Stdio};

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::project::Project;

/// Runs a scenario of `editor.py` in a folder of its own.
#[track_caller]
fn check(scenario: &str) {
    let Ok(python) = std::env::var("PLIMSOLL_TEST_PYTHON") else {
        panic!("PLIMSOLL_TEST_PYTHON names no Python with pygls: run `make test`");
    };
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/e2e/editor.py");
    let project = Project::new::<&str>([]);
    let mut editor = Command::new(&python);
    editor.args([script, scenario, env!("CARGO_BIN_EXE_plimsoll")]).arg(project.path());
    let output = editor.output().unwrap_or_else(|error| panic!("{python}: {error}: run `make test`"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.is_empty(), "{scenario}: {}\n{said}", output.status);
}

#[test]
fn a_dangerous_migration_is_told_explained_and_mended() {
    check("session");
}

#[test]
fn a_statement_behind_another_is_ignored_alone() {
    check("statements_on_one_line");
}

#[test]
fn marks_stay_in_place_around_emoji_line_ends_and_byte_order_marks() {
    check("encodings");
}

#[test]
fn a_document_stands_in_its_place_among_what_is_open_and_saved() {
    check("place_in_history");
}

#[test]
fn changes_on_disk_are_seen() {
    check("changes_on_disk");
}

#[test]
fn an_editor_that_does_not_watch_files_has_them_read_at_a_save() {
    check("without_watching");
}

#[test]
fn every_folder_is_a_project_and_the_rest_is_judged_alone() {
    check("several_roots");
}

#[test]
fn what_is_no_change_is_left_in_peace() {
    check("no_change");
}

#[test]
fn templates_and_layouts_are_followed_as_they_are_typed() {
    check("templates_and_layouts");
}

#[test]
fn every_text_on_the_way_to_a_migration_is_survived() {
    check("every_prefix");
}

#[test]
fn positions_outside_of_the_text_do_no_harm() {
    check("wrong_positions");
}

#[test]
fn a_fast_typist_is_told_of_the_last_text() {
    check("rapid_edits");
}

#[test]
fn a_configuration_may_go_and_come_back_while_files_are_open() {
    check("configuration_deleted");
}

#[test]
fn a_large_file_is_judged() {
    check("large_file");
}

fn frame(message: &Value) -> String {
    let body = message.to_string();
    format!("Content-Length: {}\r\n\r\n{body}", body.len())
}

fn initialize() -> String {
    frame(&json!({ "jsonrpc": "2.0", "id": 1, "method": "initialize", "params": { "capabilities": {} } }))
}

fn project() -> Project {
    Project::new([("migrations/1.sql", "create table t (id int);\n")])
}

#[test]
fn the_exit_code_says_whether_the_client_had_said_goodbye() {
    let exit = frame(&json!({ "jsonrpc": "2.0", "method": "exit" }));
    let shutdown = frame(&json!({ "jsonrpc": "2.0", "id": 2, "method": "shutdown" }));
    let check = |text: String, code: i32| {
        let ended = project().plimsoll(&["lsp"]).stdin(&text).run();
        assert_eq!((ended.status.code(), ended.stderr.as_str()), (Some(code), ""), "{text}");
    };
    check(initialize() + &shutdown + &exit, 0);
    check(initialize() + &shutdown, 0);
    check(initialize() + &exit, 1);
    check(initialize(), 1);
    check(String::new(), 1);
}

#[test]
fn garbage_is_refused_and_ends_only_what_cannot_go_on() {
    let run = |text: &str| project().plimsoll(&["lsp"]).stdin(text).run();
    run("GET / HTTP/1.1\r\n\r\n")
        .fails(2, &["plimsoll: failed to read a message: this is no header: \"GET / HTTP"]);
    run("Content-Length: 18446744073709551615\r\n\r\n").fails(2, &["a message is too long"]);
    run("Content-Length: x\r\n\r\n").fails(2, &["this is no length"]);
    // Its length is known: the next message can be read.
    let broken = "Content-Length: 3\r\n\r\n{{{Content-Length: 2\r\n\r\n42";
    let ended = run(&format!("{broken}{}", initialize()));
    ended.prints(1, &["\"code\":-32700", "\"code\":-32600", "\"name\":\"plimsoll\""]);
}

#[test]
fn the_server_ends_with_its_client() {
    // A client that is killed leaves a pipe without a writer.
    let mut pipe = Command::new("sleep").arg("600").stdout(Stdio::piped()).spawn().unwrap();
    let input = pipe.stdout.take().unwrap();
    let mut server = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
    let mut server = server.arg("lsp").stdin(input).stdout(Stdio::null()).spawn().unwrap();
    assert!(server.try_wait().unwrap().is_none());
    pipe.kill().unwrap();
    pipe.wait().unwrap();
    assert_eq!(server.wait().unwrap().code(), Some(1));
}

#[test]
fn a_signal_ends_the_server_at_once() {
    let (reader, writer) = std::io::pipe().unwrap();
    let mut server = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
    let mut server = server.arg("lsp").stdin(reader).stdout(Stdio::null()).spawn().unwrap();
    rustix::process::kill_process(rustix::process::Pid::from_child(&server), Signal::TERM).unwrap();
    assert!(!server.wait().unwrap().success());
    drop(writer);
}
