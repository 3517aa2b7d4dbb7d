use std::io::Cursor;
use std::path::Path;
use std::sync::Arc;

use plimsoll_core::{ChangeScope, SourceFile};
use plimsoll_lint::{Settings, lint};
use plimsoll_sql::{Migration, Schema, TransactionHabit};

use super::*;

/// Judges on `create table t`, refuses `refuse`, and falls over `panic`.
struct Stub;

impl Judge for Stub {
    fn set_folders(&mut self, _: Vec<PathBuf>) {}

    fn set_text(&mut self, _: &Path, _: Option<&str>) {}

    fn forget(&mut self) {}

    fn glance(&mut self, _: Option<&Path>, _: &str) -> Option<Judged> {
        None
    }

    fn judge(&mut self, _: Option<&Path>, text: &str) -> Result<Option<Judged>, String> {
        match text {
            "panic" => panic!("as the test wants it"),
            "refuse" => return Err("read it".into()),
            _ => {}
        }
        let mut before = Schema::default();
        before.apply_script(&plimsoll_sql::parse::parse_script("create table t (id int);").0);
        let source = SourceFile::new("a.sql", text);
        let migration = Migration::new(source, 0..text.len(), TransactionHabit::File);
        let settings = Arc::new(Settings::default());
        let findings = lint(&mut before.clone(), &[&migration], ChangeScope::Together, &settings);
        Ok(Some(Judged { migration, findings, before, settings }))
    }
}

fn frame(message: &Value) -> String {
    let body = message.to_string();
    format!("Content-Length: {}\r\n\r\n{body}", body.len())
}

/// What the server says to these messages, and how it ends.
fn talk(messages: &[Value]) -> (Vec<Value>, Ending) {
    let input: String = messages.iter().map(frame).collect();
    let mut output = Vec::new();
    let ending = serve(Cursor::new(input), &mut output, Stub).unwrap();
    let output = String::from_utf8(output).unwrap();
    let parts = output.split("Content-Length: ").skip(1);
    let said = parts.map(|part| serde_json::from_str(part.split_once("\r\n\r\n").unwrap().1).unwrap());
    (said.collect(), ending)
}

fn initialize() -> Value {
    json!({ "id": 1, "method": "initialize", "params": { "capabilities": {} } })
}

fn open(text: &str) -> Value {
    let item = json!({ "uri": "file:///a.sql", "languageId": "sql", "version": 1, "text": text });
    json!({ "method": "textDocument/didOpen", "params": { "textDocument": item } })
}

fn change(version: i32, text: &str) -> Value {
    let document = json!({ "uri": "file:///a.sql", "version": version });
    let params = json!({ "textDocument": document, "contentChanges": [{ "text": text }] });
    json!({ "method": "textDocument/didChange", "params": params })
}

/// A question that makes the server judge what it has.
fn hover(id: i32) -> Value {
    let params =
        json!({ "textDocument": { "uri": "file:///a.sql" }, "position": { "line": 0, "character": 0 } });
    json!({ "id": id, "method": "textDocument/hover", "params": params })
}

fn of<'a>(said: &'a [Value], method: &str) -> Vec<&'a Value> {
    said.iter().filter(|one| one["method"] == method).collect()
}

#[test]
fn the_order_of_a_session_is_kept() {
    let shutdown = json!({ "id": 7, "method": "shutdown" });
    let (said, ending) = talk(&[
        json!({ "id": 0, "method": "textDocument/hover" }),
        initialize(),
        initialize(),
        json!({ "id": 2, "method": "unheard/of" }),
        json!({ "id": 3, "method": "textDocument/hover", "params": [] }),
        json!({ "method": "unheard/of" }),
        json!({ "method": "textDocument/didChange", "params": 1 }),
        shutdown.clone(),
        shutdown,
        json!({ "method": "exit" }),
    ]);
    let codes: Vec<Value> = said.iter().map(|one| one["error"]["code"].clone()).collect();
    assert_eq!(
        codes,
        [json!(-32002), Value::Null, json!(-32600), json!(-32601), json!(-32602), Value::Null, json!(-32600)]
    );
    assert_eq!(ending, Ending::Asked);
    assert_eq!(talk(&[initialize(), json!({ "method": "exit" })]).1, Ending::Abrupt);
    assert_eq!(talk(&[]).1, Ending::Abrupt);
}

#[test]
fn edits_that_came_together_are_judged_once() {
    let drop = "drop table t;";
    let edits: Vec<Value> = (2..50).map(|version| change(version, drop)).collect();
    let messages = [vec![initialize(), open("select 1;")], edits, vec![hover(2)]].concat();
    let (said, _) = talk(&messages);
    let published = of(&said, "textDocument/publishDiagnostics");
    let last = &published.last().unwrap()["params"];
    assert_eq!(last["version"], 49);
    assert!(published.len() < 20, "{}", published.len());
    assert!(last["diagnostics"].to_string().contains("ban-drop-table"), "{last}");
}

#[test]
fn a_text_that_cannot_be_judged_is_told_once_and_ends_nothing() {
    let (said, _) = talk(&[
        initialize(),
        open("drop table t;"),
        hover(2),
        change(2, "refuse"),
        hover(3),
        change(3, "refuse"),
        hover(4),
        change(4, "panic"),
        hover(5),
        change(5, "drop table t;"),
        hover(6),
    ]);
    let told: Vec<&Value> =
        of(&said, "window/showMessage").into_iter().map(|one| &one["params"]["message"]).collect();
    assert_eq!(
        told,
        ["Plimsoll failed to read it", "Plimsoll failed to judge this text: a defect, please report it"]
    );
    let counts: Vec<bool> = of(&said, "textDocument/publishDiagnostics")
        .into_iter()
        .map(|one| one["params"]["diagnostics"].as_array().unwrap().is_empty())
        .collect();
    assert_eq!(counts, [false, true, true, true, false]);
}
