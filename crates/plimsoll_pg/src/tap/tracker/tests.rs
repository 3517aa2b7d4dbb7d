use std::sync::Mutex;

use super::*;
use crate::tap::Outcome;

#[derive(Default)]
struct Lines(Mutex<Vec<String>>);

impl Lines {
    fn add(&self, line: String) {
        self.0.lock().unwrap().push(line);
    }
}

impl Sink for Lines {
    fn statement(&self, session: &Session, statement: &Statement<'_>) {
        let values: Vec<String> = statement
            .parameters
            .values()
            .map(|value| value.text().map_or_else(|| "NULL".to_owned(), std::borrow::Cow::into_owned))
            .collect();
        let outcome = match &statement.outcome {
            Outcome::Complete(tag) => format!("{tag:?}"),
            Outcome::Suspended => "suspended".to_owned(),
            Outcome::Failed(error) => error.sqlstate.clone(),
            Outcome::Lost => "lost".to_owned(),
        };
        let name = statement.prepared.as_deref().map(|name| format!(" as {name}")).unwrap_or_default();
        let resumed = if statement.resumed { ", resumed" } else { "" };
        self.add(format!(
            "{}{name} {values:?} {:?} {}..{} rows {}: {outcome}{resumed} by {}",
            statement.text,
            statement.transaction,
            statement.started.as_millis(),
            statement.ended.as_millis(),
            statement.rows,
            session.application_name,
        ));
    }

    fn refused(&self, _: &Session, error: &ServerError) {
        self.add(format!("refused: {}", error.message));
    }

    fn trouble(&self, _: &Session, what: String) {
        self.add(what);
    }
}

fn message(tag: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![tag];
    bytes.extend((body.len() as u32 + 4).to_be_bytes());
    bytes.extend(body);
    bytes
}

fn parse(name: &str, text: &str) -> Vec<u8> {
    message(b'P', format!("{name}\0{text}\0\0\0").as_bytes())
}

/// Binds text values.
fn bind(portal: &str, name: &str, values: &[&str]) -> Vec<u8> {
    let mut body = format!("{portal}\0{name}\0\0\0").into_bytes();
    body.extend((values.len() as i16).to_be_bytes());
    for value in values {
        body.extend((value.len() as i32).to_be_bytes());
        body.extend(value.as_bytes());
    }
    body.extend([0, 0]);
    message(b'B', &body)
}

fn execute(portal: &str) -> Vec<u8> {
    message(b'E', format!("{portal}\0\0\0\0\0").as_bytes())
}

fn query(text: &str) -> Vec<u8> {
    message(b'Q', format!("{text}\0").as_bytes())
}

fn complete(tag: &str) -> Vec<u8> {
    message(b'C', format!("{tag}\0").as_bytes())
}

fn ready(status: u8) -> Vec<u8> {
    message(b'Z', &[status])
}

fn error(sqlstate: &str) -> Vec<u8> {
    message(b'E', format!("SERROR\0VERROR\0C{sqlstate}\0Mno\0\0").as_bytes())
}

fn row(value: &str) -> Vec<u8> {
    let mut body = 1_i16.to_be_bytes().to_vec();
    body.extend((value.len() as i32).to_be_bytes());
    body.extend(value.as_bytes());
    message(b'D', &body)
}

enum Sent {
    Client(Vec<Vec<u8>>),
    Server(Vec<Vec<u8>>),
}
use Sent::{Client, Server};

/// What is told of these messages; each direction's piece comes a millisecond after the one before it.
fn told(pieces: &[Sent]) -> Vec<String> {
    let sink = Lines::default();
    let mut tracker = Tracker::new(Session::default());
    let mut now = 0;
    for piece in pieces {
        now += 1;
        match piece {
            Client(messages) => tracker.client_sent(&messages.concat(), Duration::from_millis(now), &sink),
            Server(messages) => tracker.server_sent(&messages.concat(), Duration::from_millis(now), &sink),
        }
    }
    tracker.close(Duration::from_millis(now + 1), &sink);
    sink.0.into_inner().unwrap()
}

fn check(pieces: &[Sent], expected: &[&str]) {
    assert_eq!(told(pieces), expected);
}

#[test]
fn simple_queries_are_told_statement_by_statement() {
    check(
        &[
            Client(vec![query("begin; select 1;\n select 2")]),
            Server(vec![complete("BEGIN"), row("1"), complete("SELECT 1")]),
            Server(vec![row("2"), complete("SELECT 1"), ready(b'T')]),
            Client(vec![query("")]),
            Server(vec![message(b'I', b""), ready(b'T')]),
        ],
        &[
            "begin [] Idle 1..2 rows 0: \"BEGIN\" by ",
            "select 1 [] Idle 2..2 rows 1: \"SELECT 1\" by ",
            "select 2 [] Idle 2..3 rows 1: \"SELECT 1\" by ",
            " [] InTransaction 4..5 rows 0: \"\" by ",
        ],
    );
}

#[test]
fn an_extended_query_has_the_text_it_was_prepared_with() {
    check(
        &[
            Client(vec![parse("s1", "select $1"), message(b'D', b"Ss1\0"), message(b'S', b"")]),
            Server(vec![
                message(b'1', b""),
                message(b't', &[0, 1, 0, 0, 0, 25]),
                message(b'T', &[0, 0]),
                ready(b'I'),
            ]),
            Client(vec![bind("", "s1", &["a"]), execute(""), message(b'S', b"")]),
            Server(vec![
                message(b'S', b"application_name\0psql\0"),
                message(b'2', b""),
                row("a"),
                complete("SELECT 1"),
                ready(b'I'),
            ]),
            Client(vec![bind("", "s1", &["b"]), execute(""), message(b'S', b"")]),
            Server(vec![message(b'2', b""), row("b"), complete("SELECT 1"), ready(b'I')]),
        ],
        &[
            "select $1 as s1 [\"a\"] Idle 3..4 rows 1: \"SELECT 1\" by psql",
            "select $1 as s1 [\"b\"] Idle 5..6 rows 1: \"SELECT 1\" by psql",
        ],
    );
}

#[test]
fn an_error_takes_the_rest_of_the_pipeline_with_it() {
    let insert = |value| [parse("", "insert $1"), bind("", "", &[value]), execute("")].concat();
    check(
        &[
            Client(vec![
                insert("1"),
                insert("2"),
                insert("3"),
                message(b'S', b""),
                insert("4"),
                message(b'S', b""),
            ]),
            Server(vec![message(b'1', b""), message(b'2', b""), complete("INSERT 0 1")]),
            Server(vec![message(b'1', b""), message(b'2', b""), error("23505"), ready(b'I')]),
            Server(vec![message(b'1', b""), message(b'2', b""), complete("INSERT 0 1"), ready(b'I')]),
        ],
        &[
            "insert $1 [\"1\"] Idle 1..2 rows 1: \"INSERT 0 1\" by ",
            "insert $1 [\"2\"] Idle 2..3 rows 0: 23505 by ",
            "insert $1 [\"4\"] Idle 3..4 rows 1: \"INSERT 0 1\" by ",
        ],
    );
}

#[test]
fn what_follows_an_error_before_its_sync_is_passed_over() {
    check(
        &[
            Client(vec![parse("", "selec"), message(b'H', b"")]),
            Server(vec![error("42601")]),
            Client(vec![bind("", "", &[]), execute("")]),
            Client(vec![message(b'S', b""), query("select 1")]),
            Server(vec![ready(b'I'), complete("SELECT 0"), ready(b'I')]),
        ],
        &["selec [] Idle 1..2 rows 0: 42601 by ", "select 1 [] Idle 4..5 rows 0: \"SELECT 0\" by "],
    );
}

#[test]
fn a_portal_that_is_suspended_goes_on() {
    check(
        &[
            Client(vec![parse("", "select"), bind("p", "", &[]), execute("p"), message(b'H', b"")]),
            Server(vec![message(b'1', b""), message(b'2', b""), row("1"), row("2"), message(b's', b"")]),
            Client(vec![execute("p"), message(b'S', b"")]),
            Server(vec![row("3"), complete("SELECT 1"), ready(b'I')]),
        ],
        &[
            "select [] Idle 1..2 rows 2: suspended by ",
            "select [] Idle 3..4 rows 1: \"SELECT 1\", resumed by ",
        ],
    );
}

#[test]
fn copies_are_followed_both_ways() {
    check(
        &[
            Client(vec![query("copy t from stdin")]),
            Server(vec![message(b'G', &[0, 0, 0])]),
            Client(vec![message(b'd', b"1\n"), message(b'S', b""), message(b'c', b"")]),
            Server(vec![complete("COPY 1"), ready(b'I')]),
            Client(vec![query("copy t to stdout")]),
            Server(vec![
                message(b'H', &[0, 0, 0]),
                message(b'd', b"1\n"),
                message(b'c', b""),
                complete("COPY 1"),
                ready(b'I'),
            ]),
            Client(vec![query("copy t from stdin")]),
            Server(vec![message(b'G', &[0, 0, 0])]),
            Client(vec![message(b'f', b"no\0")]),
            Server(vec![error("57014"), ready(b'I')]),
        ],
        &[
            "copy t from stdin [] Idle 1..4 rows 1: \"COPY 1\" by ",
            "copy t to stdout [] Idle 5..6 rows 1: \"COPY 1\" by ",
            "copy t from stdin [] Idle 7..10 rows 0: 57014 by ",
        ],
    );
}

#[test]
fn a_deferred_constraint_fails_the_commit() {
    check(
        &[
            Client(vec![parse("", "insert"), bind("", "", &[]), execute(""), message(b'S', b"")]),
            Server(vec![
                message(b'1', b""),
                message(b'2', b""),
                complete("INSERT 0 1"),
                error("23503"),
                ready(b'I'),
            ]),
        ],
        &["insert [] Idle 1..2 rows 1: \"INSERT 0 1\" by ", "COMMIT [] Idle 2..2 rows 0: 23503 by "],
    );
}

#[test]
fn statements_prepared_by_sql_are_resolved() {
    check(
        &[
            Client(vec![query("prepare Q as select 7")]),
            Server(vec![complete("PREPARE"), ready(b'I')]),
            Client(vec![query("/* c */ execute q")]),
            Server(vec![complete("SELECT 1"), ready(b'I')]),
        ],
        &[
            "prepare Q as select 7 [] Idle 1..2 rows 0: \"PREPARE\" by ",
            "select 7 as q [] Idle 3..4 rows 1: \"SELECT 1\" by ",
        ],
    );
}

#[test]
fn what_is_never_answered_is_lost_and_told() {
    check(
        &[Client(vec![query("select pg_sleep(9)"), query("select 2")])],
        &["select pg_sleep(9) [] Idle 1..2 rows 0: lost by ", "select 2 [] Idle 2..2 rows 0: lost by "],
    );
    check(&[Server(vec![error("28P01")])], &["refused: no"]);
    check(&[Server(vec![ready(b'I'), error("57P01")])], &["the server ended the session: no"]);
}

#[test]
fn a_malformed_message_ends_the_record_and_says_so() {
    check(
        &[Client(vec![vec![b'Q', 0, 0, 0, 1], query("select 1")]), Server(vec![complete("SELECT 1")])],
        &[
            "the client sent a message `Q` that says it is 1 bytes long: it was passed on, and nothing behind it on that connection \
           is recorded",
        ],
    );
}

proptest::proptest! {
    /// Whatever comes, however it is cut, nothing panics, and the record is the same.
    #[test]
    fn any_bytes_are_followed(
        pieces in proptest::collection::vec((proptest::bool::ANY, proptest::collection::vec(
            (proptest::sample::select(b"QPBEDCSFHcdfXp123nstTZICGHWRKNAv".to_vec()),
             proptest::collection::vec(proptest::num::u8::ANY, 0..40)), 0..6)), 0..12),
        cut in 1_usize..7,
    ) {
        let run = |cut: usize| {
            let sink = Lines::default();
            let mut tracker = Tracker::new(Session::default());
            for (from_client, messages) in &pieces {
                let bytes: Vec<u8> =
                    messages.iter().flat_map(|(tag, body)| message(*tag, body)).collect();
                for piece in bytes.chunks(cut) {
                    if *from_client {
                        tracker.client_sent(piece, Duration::ZERO, &sink);
                    } else {
                        tracker.server_sent(piece, Duration::ZERO, &sink);
                    }
                }
            }
            tracker.close(Duration::ZERO, &sink);
            sink.0.into_inner().unwrap()
        };
        proptest::prop_assert_eq!(run(cut), run(usize::MAX));
    }
}
