//! Any text, known or not, has an event.

use proptest::prelude::*;

use super::*;

fn read_all(event: Event<'_>) {
    match event {
        Event::Statement(one) => assert!(one.parameters.iter().count() <= one.parameters.text.len()),
        Event::Plan(plan) => drop(plan.query()),
        Event::LockWait(wait) => drop((wait.holders.iter().count(), wait.queue.iter().count())),
        Event::Deadlock(deadlock) => {
            assert!(deadlock.queries().count() <= deadlock.edges().count());
        }
        Event::AutomaticWork(work) => drop(work.figures()),
        Event::Checkpoint(Checkpoint::Complete(complete)) => drop(complete.figures()),
        Event::Failure(failure) => {
            let mut text = String::new();
            failure.write_normal_form(&mut text);
            assert_eq!(text.is_empty(), failure.message.is_empty());
        }
        _ => {}
    }
}

const WORDS: &[&str] = &[
    "duration: ",
    " ms",
    "  ",
    "statement: ",
    "execute ",
    "parse ",
    "bind ",
    "plan:",
    "\n",
    "<unnamed>",
    ": ",
    "/",
    "process ",
    " still waiting for ",
    "ShareLock",
    " on ",
    "transaction ",
    "tuple (",
    " after ",
    "12",
    "0.5",
    "connection ",
    "authorized: user=",
    " database=",
    "disconnection: session time: ",
    "1:02:03.004",
    "automatic ",
    "vacuum",
    " of table \"",
    "a.b.c",
    "\"",
    "pages: ",
    " removed",
    "checkpoint",
    " complete: ",
    "wrote ",
    " buffers",
    "canceling ",
    "statement",
    " due to ",
    "lock timeout",
    "deadlock detected",
    "Process 1 waits for X on transaction 2; blocked by process 3.",
    "Process 1: ",
    "temporary file: path \"",
    "\", size ",
    "server process (PID ",
    ") was terminated by signal ",
    "standby \"",
    "parameter \"",
    "Parameters: ",
    "$1 = ",
    "'",
    "''",
    "NULL",
    ", ",
    "unnamed portal with parameters: ",
    "Query Text: ",
    "{",
    "<",
    "ü",
    "\0",
    "Processes holding the lock: ",
    ". Wait queue: ",
    "redo ",
    "logical ",
    "archive command ",
    "invalidating slot \"",
];

fn text() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        8 => prop::sample::select(WORDS).prop_map(str::to_owned),
        1 => any::<String>(),
    ];
    prop::collection::vec(word, 0..12).prop_map(|words| words.concat())
}

fn severity() -> impl Strategy<Value = Severity> {
    prop::sample::select(vec![
        Severity::Log,
        Severity::Notice,
        Severity::Warning,
        Severity::Error,
        Severity::Fatal,
    ])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn no_text_makes_it_panic(message in text(), detail in text(), context in text(), user in text(), severity in severity()) {
        let record = Record {
            detail: &detail,
            context: &context,
            user: &user,
            database: &user,
            ..Record::new(severity, &message)
        };
        let event = understand(&record);
        if event == Event::Other {
            assert!(severity < Severity::Warning, "a failure is never lost");
        }
        read_all(event);
    }
}

#[test]
fn other_languages_are_told_by_severity() {
    let german = "Dauer: 0.123 ms  Anweisung: select 1";
    assert_eq!(understand(&Record::new(Severity::Log, german)), Event::Other);
    let error = "Relation »ships« existiert nicht";
    let Event::Failure(failure) = understand(&Record::new(Severity::Error, error)) else { panic!() };
    assert_eq!((failure.severity, failure.message), (Severity::Error, error));
    assert_eq!(understand(&Record::new(Severity::Log, "")), Event::Other);
    assert!(matches!(understand(&Record::new(Severity::Panic, "")), Event::Failure(_)));
}

#[test]
fn an_event_stays_small() {
    assert!(size_of::<Event<'_>>() <= 144, "{} bytes", size_of::<Event<'_>>());
}

/// Lines may have a megabyte, and who writes them may be hostile: nothing takes more than one look at each byte, or few.
#[test]
fn long_texts_are_read_in_their_lengths_time() {
    let begun = std::time::Instant::now();
    for piece in [
        "a.",
        "a ",
        "\"",
        "' ",
        "table \"a\" ",
        "portal \"",
        "portal \"\n",
        "Process 1: \n",
        "1, ",
        "\n",
        "a-1 ",
        "=(",
        "\u{bb}",
    ] {
        let text = piece.repeat(1_000_000 / piece.len());
        for severity in [Severity::Log, Severity::Error, Severity::Fatal] {
            let detail = format!("Process 1 waits for X on y; blocked by process 1.\n{text}");
            for message in [&text, "deadlock detected", "process 1 acquired X on y after 1.000 ms"] {
                read_all(understand(&Record {
                    detail: &detail,
                    context: &text,
                    ..Record::new(severity, message)
                }));
            }
        }
    }
    // Quadratic time would be minutes.
    assert!(begun.elapsed().as_secs() < 30, "{:?}", begun.elapsed());
}
