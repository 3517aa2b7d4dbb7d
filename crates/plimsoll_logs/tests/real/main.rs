//! Logs of real servers, 15 and 18: what was done to them is what is understood of them, no more and no less.

#![expect(clippy::unwrap_used, reason = "a test may end in a panic, helper functions included")]

use doings::{Doings, do_all};
use jsonlog::{Line, lines};
use plimsoll_logs::message::{Event, understand};

mod connections;
mod doings;
mod failures;
mod jsonlog;
mod locks;
mod servers_work;
mod statements;

/// What the log says, line by line.
struct Understood<'a> {
    all: Vec<(&'a Line, Event<'a>)>,
}

impl<'a> Understood<'a> {
    /// The events of an application.
    fn of(&self, application: &str) -> impl Iterator<Item = Event<'a>> {
        self.all.iter().filter(move |(line, _)| line.application_name == application).map(|(_, event)| *event)
    }

    /// All events of one kind.
    fn kind<T>(&self, pick: impl Fn(Event<'a>) -> Option<T>) -> Vec<T> {
        self.all.iter().filter_map(|(_, event)| pick(*event)).collect()
    }
}

async fn all_is_understood(major: u32) {
    let doings: Doings = do_all(major).await;
    let text = std::fs::read_to_string(&doings.logs.json).unwrap();
    let lines = lines(&text);
    let all = lines.iter().map(|line| (line, understand(&line.record()))).collect();
    let understood = Understood { all };
    statements::check(&doings, &understood);
    locks::check(&doings, &understood);
    failures::check(&doings, &understood);
    connections::check(&doings, &understood);
    servers_work::check(&doings, &understood);
    nothing_else_is_told(&doings, &lines);
}

/// Every message is known, but for what a function let the server log.
fn nothing_else_is_told(doings: &Doings, lines: &[Line]) {
    let unknown: Vec<String> = lines
        .iter()
        .filter(|line| understand(&line.record()) == Event::Other)
        .map(|line| line.record().message.to_owned())
        .collect();
    assert_eq!(unknown, [doings.sent.forged]);
    for path in [&doings.logs.stderr, &doings.logs.csv] {
        let text = std::fs::read_to_string(path).unwrap();
        assert!(
            text.contains("deadlock detected") && text.contains(doings.sent.forged),
            "{}",
            path.display()
        );
    }
}

#[tokio::test]
async fn all_that_is_done_to_15_is_understood() {
    all_is_understood(15).await;
}

#[tokio::test]
async fn all_that_is_done_to_18_is_understood() {
    all_is_understood(18).await;
}
