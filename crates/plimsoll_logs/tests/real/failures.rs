//! Each interruption and each error is told once, and grouped without its data.

use plimsoll_logs::message::interruption::{Cause, Interrupted};
use plimsoll_logs::message::{Event, Failure, Interruption};

use crate::Understood;
use crate::doings::Doings;

fn cause(words: &str) -> Cause<'static> {
    match words {
        "statement timeout" => Cause::StatementTimeout,
        "lock timeout" => Cause::LockTimeout,
        "user request" => Cause::UserRequest,
        "administrator command" => Cause::Administrator,
        "idle-in-transaction timeout" => Cause::IdleInTransactionTimeout,
        "idle-session timeout" => Cause::IdleSessionTimeout,
        "transaction timeout" => Cause::TransactionTimeout,
        _ => panic!("{words}"),
    }
}

pub(crate) fn check(doings: &Doings, understood: &Understood<'_>) {
    for done in &doings.interrupted {
        let told: Vec<_> = understood.of(done.application).filter_map(interruption).collect();
        let what = if done.ends_session { Interrupted::Session } else { Interrupted::Statement };
        let expected = Interruption { what, cause: cause(done.cause), table: "" };
        assert_eq!(told, [expected], "{}", done.application);
    }
    let sessions = understood.kind(interruption);
    let sessions =
        sessions.iter().filter(|one| matches!(one.what, Interrupted::Session | Interrupted::Statement));
    assert_eq!(sessions.count(), doings.interrupted.len());
    errors(doings, understood);
}

fn interruption(event: Event<'_>) -> Option<Interruption<'_>> {
    match event {
        Event::Interruption(interruption) => Some(interruption),
        _ => None,
    }
}

fn failure(event: Event<'_>) -> Option<Failure<'_>> {
    match event {
        Event::Failure(failure) => Some(failure),
        _ => None,
    }
}

fn errors(doings: &Doings, understood: &Understood<'_>) {
    let told: Vec<_> = understood
        .of("wrong")
        .filter_map(failure)
        .map(|failure| {
            let mut form = String::new();
            failure.write_normal_form(&mut form);
            (failure.sqlstate, form)
        })
        .collect();
    let done: Vec<_> = doings.wrong.iter().map(|one| (one.sqlstate, one.normal_form.to_owned())).collect();
    assert_eq!(told, done);
    assert!(
        told.iter().all(|(_, form)| !form.contains("secret") || form.starts_with("function")),
        "{told:?}"
    );
    let value: Vec<_> = understood.of("wrong_value").filter_map(failure).collect();
    let [value] = value[..] else { panic!("{value:?}") };
    let values: Vec<_> = value.parameters.iter().map(|one| one.value().map(Into::<String>::into)).collect();
    assert_eq!((value.message, values), ("division by zero", vec![Some("0".to_owned())]));
}
