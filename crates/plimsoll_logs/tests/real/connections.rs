//! Each session has its begin and its end, and each refusal its reason.

use plimsoll_logs::message::{Connection, Event, Refused};

use crate::Understood;
use crate::doings::Doings;

fn connection(event: Event<'_>) -> Option<Connection<'_>> {
    match event {
        Event::Connection(connection) => Some(connection),
        _ => None,
    }
}

pub(crate) fn check(doings: &Doings, understood: &Understood<'_>) {
    for (application, sessions) in
        [("director", 1), ("simple", 1), ("interrupter", 2), ("proven", 1), ("terminated", 1), ("victim", 1)]
    {
        // A session that is killed has no end, and the name is known to the log only from the authorization on.
        let ended = understood.of(application).filter_map(connection).filter_map(ended);
        let expected = if application == "victim" { 0 } else { sessions };
        assert_eq!(
            ended.filter(|(user, database)| !user.is_empty() && !database.is_empty()).count(),
            expected
        );
        let authorized = understood.kind(|event| match connection(event)? {
            Connection::Authorized(authorized) => {
                (authorized.application == application).then_some(authorized)
            }
            _ => None,
        });
        assert_eq!(authorized.len(), sessions, "{application}: {authorized:?}");
        assert!(
            authorized.iter().all(|one| one.database == "postgres" && !one.user.is_empty()),
            "{authorized:?}"
        );
    }
    let begun = understood.kind(connection);
    let count = |is: fn(&Connection<'_>) -> bool| begun.iter().filter(|one| is(one)).count();
    let authorized = count(|one| matches!(one, Connection::Authorized(_)));
    let received = count(|one| matches!(one, Connection::Received { host: "[local]", .. }));
    let authenticated = count(|one| matches!(one, Connection::Authenticated { method: "scram-sha-256", .. }));
    // A wrong password and a line that rejects come before the authorization, other refusals after it.
    assert!(received >= authorized + 2 && authorized > 25, "{received} {authorized}");
    assert_eq!(authenticated, 1, "the password that is right");
    let ready = count(|one| matches!(one, Connection::Ready { setup_us: 1.., fork_us: 1.., .. }));
    assert_eq!(ready > 0, doings.major >= 18);
    refusals(understood);
}

fn ended<'a>(connection: Connection<'a>) -> Option<(&'a str, &'a str)> {
    match connection {
        Connection::Ended { user, database, host: "[local]", session_us: 1.. } => Some((user, database)),
        _ => None,
    }
}

fn refusals(understood: &Understood<'_>) {
    let refused = understood.kind(|event| match connection(event)? {
        // The server's start and its recovery after the crash refuse as many as try.
        Connection::Refused(Refused::StartingUp) => None,
        Connection::Refused(refused) => Some(refused),
        _ => None,
    });
    let rejected = Refused::HostBased {
        is_rejected: true,
        host: "[local]",
        user: "rejected",
        database: "postgres",
        encryption: "no encryption",
    };
    assert_eq!(
        refused,
        [
            Refused::NoRole("nobody_here"),
            Refused::Authentication { method: "password", user: "secret" },
            rejected,
            Refused::NoLogin("locked"),
            Refused::NoDatabase("nothing_here"),
        ]
    );
}
