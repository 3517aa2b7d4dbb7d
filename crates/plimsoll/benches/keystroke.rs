//! A keystroke in a migration of 5,000 lines, from the client's message to the diagnostics that
//! answer it: `cargo bench -p plimsoll --bench keystroke`.
//!
//! The built language server is driven as an editor drives it, by one who types no faster than 20
//! keys a second: what the server does between two keys, once it has answered, isn't measured.

use std::cell::RefCell;
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use divan::Bencher;
use serde_json::{Value, json};

const LINES: usize = 5_000;
const BETWEEN_KEYS: Duration = Duration::from_millis(50);

fn main() {
    divan::main();
}

/// New tables, and changes of those that an earlier migration made, five lines a statement.
fn text() -> String {
    let mut text = String::new();
    for number in 0.. {
        let old = number % 50;
        let _ = write!(
            text,
            "-- Step {number} of the ledger's move.\n\
             CREATE TABLE entry_{number} (\n    \
                 id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,\n    \
                 account_id bigint NOT NULL REFERENCES account_{old} (id),\n    \
                 amount numeric(12, 2) NOT NULL DEFAULT 0 CHECK (amount >= 0),\n    \
                 note varchar(200),\n    \
                 booked_at timestamptz NOT NULL DEFAULT now(),\n    \
                 UNIQUE (account_id, booked_at)\n);\n\n\
             ALTER TABLE account_{old}\n    \
                 ADD COLUMN reviewed_{number} boolean NOT NULL DEFAULT false,\n    \
                 ALTER COLUMN note TYPE varchar({number});\n\n\
             INSERT INTO entry_{number} (account_id, amount, note)\n\
             SELECT id, 0, 'opening'\n\
             FROM account_{old}\n\
             WHERE closed_at IS NULL;\n\n\
             CREATE INDEX CONCURRENTLY entry_{number}_note ON entry_{number} (note);\n\
             COMMENT ON TABLE entry_{number} IS 'What was booked; see \"the manual\"';\n\n"
        );
        if text.lines().count() >= LINES {
            return text.lines().take(LINES).collect::<Vec<_>>().join("\n");
        }
    }
    unreachable!("the numbers end later")
}

fn history() -> String {
    let tables = (0..50).map(|number| {
        format!("CREATE TABLE account_{number} (id bigint PRIMARY KEY, note varchar(20), closed_at timestamptz);\n")
    });
    tables.collect()
}

/// An editor with the file open.
struct Editor {
    server: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    uri: String,
    version: u64,
    /// Whether a character was typed that is to be taken back.
    typed: bool,
}

impl Editor {
    fn open(folder: &Path, text: &str) -> Self {
        let mut server = Command::new(env!("CARGO_BIN_EXE_plimsoll"))
            .arg("lsp")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let input = server.stdin.take().expect("it is piped");
        let output = BufReader::new(server.stdout.take().expect("it is piped"));
        let uri = format!("file://{}/migrations/2.sql", folder.display());
        let mut editor = Self { server, input, output, uri, version: 1, typed: false };
        let folders = json!([{ "uri": format!("file://{}", folder.display()), "name": "bench" }]);
        editor.send(&json!({
            "jsonrpc": "2.0", "id": 1, "method": "initialize",
            "params": { "processId": null, "capabilities": {}, "workspaceFolders": folders },
        }));
        editor.read();
        let document = json!({ "uri": editor.uri, "languageId": "sql", "version": 1, "text": text });
        editor.send(&json!({
            "jsonrpc": "2.0", "method": "textDocument/didOpen", "params": { "textDocument": document },
        }));
        editor.read_version(1);
        editor
    }

    /// Types a character, or takes it back, and waits for the answer.
    fn key(&mut self, line: usize, column: usize) {
        self.version += 1;
        let end = if self.typed { column + 1 } else { column };
        let text = if self.typed { "" } else { "x" };
        self.typed = !self.typed;
        let range = json!({
            "start": { "line": line, "character": column }, "end": { "line": line, "character": end },
        });
        let document = json!({ "uri": self.uri, "version": self.version });
        self.send(&json!({
            "jsonrpc": "2.0", "method": "textDocument/didChange",
            "params": { "textDocument": document, "contentChanges": [{ "range": range, "text": text }] },
        }));
        self.read_version(self.version);
    }

    fn send(&mut self, message: &Value) {
        let body = message.to_string();
        write!(self.input, "Content-Length: {}\r\n\r\n{body}", body.len()).expect("the server reads");
    }

    /// The next message's bytes; reading them as JSON would be the editor's work.
    fn read(&mut self) -> Vec<u8> {
        let mut length = 0;
        loop {
            let mut line = String::new();
            self.output.read_line(&mut line).expect("the server answers");
            match line.trim().split_once(": ") {
                Some((_, value)) => length = value.parse().expect("it is a length"),
                None => break,
            }
        }
        let mut body = vec![0; length];
        self.output.read_exact(&mut body).expect("the server answers");
        body
    }

    /// Reads to the first diagnostics of this version. There may be more of the one before.
    fn read_version(&mut self, version: u64) {
        let wanted = format!("\"version\":{version},");
        loop {
            let body = self.read();
            if body.windows(wanted.len()).any(|window| window == wanted.as_bytes()) {
                return;
            }
        }
    }
}

impl Drop for Editor {
    fn drop(&mut self) {
        self.server.kill().unwrap_or_default();
        self.server.wait().map(drop).unwrap_or_default();
    }
}

fn bench(bencher: Bencher, line: usize, column: usize) {
    let folder = tempfile::tempdir().expect("a folder is made");
    let migrations = folder.path().join("migrations");
    std::fs::create_dir(&migrations).expect("a folder is made");
    std::fs::write(migrations.join("1.sql"), history()).expect("a file is written");
    let editor = RefCell::new(Editor::open(folder.path(), &text()));
    // The first key at a place makes the server look there.
    editor.borrow_mut().key(line, column);
    bencher
        .with_inputs(|| std::thread::sleep(BETWEEN_KEYS))
        .bench_local_values(|()| editor.borrow_mut().key(line, column));
}

/// Within the name of the first table.
#[divan::bench]
fn key_in_the_first_line(bencher: Bencher) {
    bench(bencher, 1, 18);
}

/// Within a comment in the middle.
#[divan::bench]
fn key_in_the_middle(bencher: Bencher) {
    bench(bencher, 22 * 113, 5);
}

/// Within the last statement.
#[divan::bench]
fn key_in_the_last_line(bencher: Bencher) {
    bench(bencher, LINES - 1, 0);
}
