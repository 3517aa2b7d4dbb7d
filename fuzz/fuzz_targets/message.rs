//! A record's texts: no panic, no failure is lost, and lists are no longer than what they are read from.
//!
//! The input is the severity's word, message, detail, context and user, divided by lines of `=== `.

#![no_main]

use libfuzzer_sys::fuzz_target;
use plimsoll_logs::message::{Checkpoint, Event, understand};
use plimsoll_logs::{Record, Severity};

fuzz_target!(|text: &str| {
    let mut parts = text.split("\n=== \n");
    let severity = parts.next().and_then(Severity::of).unwrap_or(Severity::Log);
    let [message, detail, context, user] = [(); 4].map(|()| parts.next().unwrap_or_default());
    let record = Record { detail, context, user, database: user, ..Record::new(severity, message) };
    match understand(&record) {
        Event::Statement(one) => assert!(one.parameters.iter().count() <= detail.len()),
        Event::Plan(plan) => drop(plan.query()),
        Event::LockWait(wait) => {
            assert!(wait.holders.iter().count() + wait.queue.iter().count() <= detail.len());
        }
        Event::Deadlock(deadlock) => assert!(deadlock.queries().count() <= deadlock.edges().count()),
        Event::AutomaticWork(work) => _ = work.figures(),
        Event::Checkpoint(Checkpoint::Complete(complete)) => _ = complete.figures(),
        Event::Failure(failure) => {
            let mut form = String::new();
            failure.write_normal_form(&mut form);
            assert_eq!(form.is_empty(), message.is_empty());
        }
        Event::Other => assert!(severity < Severity::Warning),
        _ => {}
    }
});
