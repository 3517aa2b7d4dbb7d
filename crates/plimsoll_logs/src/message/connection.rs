//! A connection's life: received, authenticated, authorized, ready, ended or lost.
//!
//! A client chooses `application_name`, and names of roles and databases may hold anything: where the prefix tells the role and the
//! database, their ends in the message are found by that.

use super::reading::{between, number, small_number, thousandths, thousandths_behind};
use super::refused::Refused;
use crate::Record;

/// What became of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connection<'a> {
    /// `connection received`.
    Received {
        /// The client's address; `[local]` for a Unix socket.
        host: &'a str,
        /// Its port; empty for a Unix socket.
        port: &'a str,
    },
    /// `connection authenticated`, since 14.
    Authenticated {
        /// Who the client proved to be.
        identity: &'a str,
        /// The method of `pg_hba.conf`.
        method: &'a str,
    },
    /// `connection authorized` or `replication connection authorized`.
    Authorized(Authorized<'a>),
    /// `connection ready`, since 18.
    Ready {
        /// From the connection's acceptance until it was ready, in microseconds.
        setup_us: u64,
        /// Starting the process, in microseconds.
        fork_us: u64,
        /// Authentication, in microseconds.
        authentication_us: u64,
    },
    /// `disconnection`.
    Ended {
        /// The session's length, in microseconds.
        session_us: u64,
        /// The role.
        user: &'a str,
        /// The database.
        database: &'a str,
        /// The client's address; `[local]` for a Unix socket.
        host: &'a str,
    },
    /// The client went without a word, as in `unexpected EOF on client connection`, or never spoke as clients do, as in
    /// `incomplete startup packet`.
    Lost {
        /// The server's words.
        reason: &'a str,
    },
    /// It was refused.
    Refused(Refused<'a>),
}

/// Who may work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Authorized<'a> {
    /// Whether it is a walsender's.
    pub is_replication: bool,
    /// The role.
    pub user: &'a str,
    /// The database; empty for physical replication.
    pub database: &'a str,
    /// `application_name`, empty where none is told (before 12, or where the client gave none).
    pub application: &'a str,
    /// What stands in `SSL enabled (…)`: protocol, cipher, bits; empty without SSL.
    pub ssl: &'a str,
    /// What stands in `GSS (…)`; empty without GSS.
    pub gss: &'a str,
}

/// Reads a message that begins with `connection `.
pub(super) fn begun<'a>(record: &Record<'a>) -> Option<Connection<'a>> {
    let rest = record.message.strip_prefix("connection ")?;
    match rest.as_bytes().first()? {
        b'r' => received(rest).or_else(|| ready(rest)),
        _ => match rest.strip_prefix("authorized: ") {
            Some(rest) => authorized(record, rest, false),
            None => authenticated(rest),
        },
    }
}

/// Reads a message that begins with `replication connection authorized: `.
pub(super) fn replication<'a>(record: &Record<'a>) -> Option<Connection<'a>> {
    authorized(record, record.message.strip_prefix("replication connection authorized: ")?, true)
}

fn received(rest: &str) -> Option<Connection<'_>> {
    let rest = rest.strip_prefix("received: host=")?;
    let (host, port) = rest.split_once(" port=").unwrap_or((rest, ""));
    Some(Connection::Received { host, port })
}

fn ready(rest: &str) -> Option<Connection<'_>> {
    let rest = rest.strip_prefix("ready: setup ")?;
    Some(Connection::Ready {
        setup_us: thousandths_behind(rest, "total=")?,
        fork_us: thousandths_behind(rest, "fork=")?,
        authentication_us: thousandths_behind(rest, "authentication=")?,
    })
}

fn authenticated(rest: &str) -> Option<Connection<'_>> {
    let rest = rest.strip_prefix("authenticated: ")?;
    let rest = rest.strip_prefix("identity=\"").or_else(|| rest.strip_prefix("user=\""))?;
    let (identity, rest) = rest.rsplit_once("\" method=")?;
    let method = rest.split_once(' ').map_or(rest, |(method, _)| method);
    Some(Connection::Authenticated { identity, method })
}

fn authorized<'a>(record: &Record<'a>, rest: &'a str, is_replication: bool) -> Option<Connection<'a>> {
    let rest = rest.strip_prefix("user=")?;
    let (rest, gss) = trailing(rest, " GSS (");
    let (rest, ssl) = trailing(rest, " SSL enabled (");
    let (user, rest) = value(rest, record.user, &[" database=", " application_name="]);
    let (database, rest) = match rest.strip_prefix(" database=") {
        Some(rest) => value(rest, record.database, &[" application_name="]),
        None => ("", rest),
    };
    let application = rest.strip_prefix(" application_name=").unwrap_or_default();
    Some(Connection::Authorized(Authorized { is_replication, user, database, application, ssl, gss }))
}

/// The part in parentheses that a text ends with, and the text before it.
fn trailing<'a>(text: &'a str, begin: &str) -> (&'a str, &'a str) {
    match text.strip_suffix(')').and_then(|open| open.rsplit_once(begin)) {
        Some((before, inner)) => (before, inner),
        None => (text, ""),
    }
}

/// The value that a text begins with: as the prefix tells it, else up to the first of these keys.
fn value<'a>(text: &'a str, known: &str, keys: &[&str]) -> (&'a str, &'a str) {
    let ends = |end: usize| end == text.len() || keys.iter().any(|key| text[end..].starts_with(key));
    if !known.is_empty() && text.starts_with(known) && ends(known.len()) {
        return text.split_at(known.len());
    }
    text.split_at(keys.iter().filter_map(|key| text.find(key)).min().unwrap_or(text.len()))
}

/// Reads a message that begins with `disconnection: `.
pub(super) fn ended<'a>(record: &Record<'a>) -> Option<Connection<'a>> {
    let rest = record.message.strip_prefix("disconnection: session time: ")?;
    let (session_us, rest) = session(rest)?;
    let (user, rest) = value(rest.strip_prefix(" user=")?, record.user, &[" database="]);
    let (database, rest) = value(rest.strip_prefix(" database=")?, record.database, &[" host="]);
    let host = rest.strip_prefix(" host=")?;
    let host = host.split_once(" port=").map_or(host, |(host, _)| host);
    Some(Connection::Ended { session_us, user, database, host })
}

/// `hours:minutes:seconds.milliseconds` in microseconds.
fn session(text: &str) -> Option<(u64, &str)> {
    let (hours, rest) = number(text)?;
    let (minutes, rest) = small_number(rest.strip_prefix(':')?)?;
    let (milliseconds, rest) = thousandths(rest.strip_prefix(':')?)?;
    let minutes = hours.checked_mul(60)?.checked_add(minutes.into())?;
    let milliseconds = minutes.checked_mul(60_000)?.checked_add(milliseconds)?;
    Some((milliseconds.checked_mul(1000)?, rest))
}

/// Reads what the server says of a client that is gone.
pub(super) fn lost(message: &str) -> Option<Connection<'_>> {
    const BEGINS: &[&str] = &[
        "connection to client lost",
        "could not accept SSL connection",
        "could not receive data from client",
        "could not send data to client",
        "incomplete startup packet",
        "invalid length of startup packet",
        "unexpected EOF on client connection",
        "unsupported frontend protocol ",
    ];
    BEGINS.iter().any(|begin| message.starts_with(begin)).then_some(Connection::Lost { reason: message })
}

/// The text between quotes behind a key, as in `user "x"`.
pub(super) fn name<'a>(message: &'a str, key: &str) -> &'a str {
    between(message, key, "\"").unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Severity;
    use crate::message::{Event, understand};

    #[track_caller]
    fn check(record: &Record<'_>, expected: Connection<'_>) {
        assert_eq!(understand(record), Event::Connection(expected));
    }

    fn log(message: &str) -> Record<'_> {
        Record::new(Severity::Log, message)
    }

    #[test]
    fn a_connection_is_received_authenticated_and_ready() {
        let received = |host, port| Connection::Received { host, port };
        check(&log("connection received: host=[local]"), received("[local]", ""));
        check(&log("connection received: host=10.0.0.1 port=5000"), received("10.0.0.1", "5000"));
        let authenticated = |identity, method| Connection::Authenticated { identity, method };
        check(
            &log("connection authenticated: identity=\"app\" method=scram-sha-256 (/etc/pg_hba.conf:97)"),
            authenticated("app", "scram-sha-256"),
        );
        check(
            &log("connection authenticated: user=\"app\" method=trust (/x/pg_hba.conf:1)"),
            authenticated("app", "trust"),
        );
        check(
            &log("connection ready: setup total=12.345 ms, fork=0.500 ms, authentication=1.001 ms"),
            Connection::Ready { setup_us: 12_345, fork_us: 500, authentication_us: 1001 },
        );
    }

    const BARE: Authorized<'static> = Authorized {
        is_replication: false,
        user: "app",
        database: "shop",
        application: "",
        ssl: "",
        gss: "",
    };

    #[test]
    fn who_is_authorized_is_told_in_every_versions_words() {
        let check = |message: &str, expected| check(&log(message), Connection::Authorized(expected));
        check("connection authorized: user=app database=shop", BARE);
        check(
            "connection authorized: user=app database=shop application_name=psql",
            Authorized { application: "psql", ..BARE },
        );
        check(
            "connection authorized: user=app database=shop application_name=a b SSL enabled (protocol=TLSv1.3, \
             cipher=TLS_AES_256_GCM_SHA384, bits=256, compression=off)",
            Authorized {
                application: "a b",
                ssl: "protocol=TLSv1.3, cipher=TLS_AES_256_GCM_SHA384, bits=256, compression=off",
                ..BARE
            },
        );
        check(
            "replication connection authorized: user=app application_name=walreceiver GSS (authenticated=yes, encrypted=no)",
            Authorized {
                is_replication: true,
                database: "",
                application: "walreceiver",
                gss: "authenticated=yes, encrypted=no",
                ..BARE
            },
        );
    }

    #[test]
    fn the_prefix_bounds_names_that_look_like_keys() {
        let (user, database) = ("a database=b", "c application_name=d");
        let message =
            format!("connection authorized: user={user} database={database} application_name=x host=y");
        let record = Record { user, database, ..log(&message) };
        check(
            &record,
            Connection::Authorized(Authorized { user, database, application: "x host=y", ..BARE }),
        );
        let message =
            format!("disconnection: session time: 1:02:03.004 user={user} database={database} host=[local]");
        let expected = Connection::Ended { session_us: 3_723_004_000, user, database, host: "[local]" };
        check(&Record { message: &message, ..record }, expected);
    }

    #[test]
    fn a_session_has_its_length() {
        let message = "disconnection: session time: 100:00:00.250 user=app database=shop host=::1 port=1234";
        let expected =
            Connection::Ended { session_us: 360_000_250_000, user: "app", database: "shop", host: "::1" };
        check(&log(message), expected);
        assert_eq!(understand(&log("disconnection: session time: 1:2 user=a")), Event::Other);
    }

    #[test]
    fn a_client_may_be_lost() {
        for reason in [
            "unexpected EOF on client connection with an open transaction",
            "could not receive data from client: Connection reset by peer",
            "could not send data to client: Broken pipe",
            "could not accept SSL connection: EOF detected",
            "incomplete startup packet",
            "invalid length of startup packet",
        ] {
            check(&log(reason), Connection::Lost { reason });
        }
        for reason in
            ["connection to client lost", "unsupported frontend protocol 0.0: server supports 3.0 to 3.0"]
        {
            check(&Record::new(Severity::Fatal, reason), Connection::Lost { reason });
        }
    }
}
