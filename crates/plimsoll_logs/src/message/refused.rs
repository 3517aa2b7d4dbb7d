//! Connections that were refused: FATAL messages before a session begins.

use super::connection::name;

/// Why a connection was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused<'a> {
    /// The role didn't prove to be who it said.
    Authentication {
        /// The server's word for the method, such as `password`, `Peer` or `certificate`; empty where it names none.
        method: &'a str,
        /// The role.
        user: &'a str,
    },
    /// `pg_hba.conf` has no line for it, or one that rejects.
    HostBased {
        /// Whether a line rejects it, rather than none being there.
        is_rejected: bool,
        /// The client's address.
        host: &'a str,
        /// The role.
        user: &'a str,
        /// The database; empty for physical replication.
        database: &'a str,
        /// Such as `no encryption`, up to 13 `SSL off`.
        encryption: &'a str,
    },
    /// The role doesn't exist.
    NoRole(&'a str),
    /// The role may not log in.
    NoLogin(&'a str),
    /// The database doesn't exist.
    NoDatabase(&'a str),
    /// The role may not connect to the database, or nobody may.
    DatabaseClosed(&'a str),
    /// `max_connections` are in use.
    TooManyClients,
    /// Only reserved connections are left.
    Reserved,
    /// The database's own limit is reached.
    TooManyForDatabase(&'a str),
    /// The role's own limit is reached.
    TooManyForRole(&'a str),
    /// The server is starting up, recovering, or not yet consistent.
    StartingUp,
    /// The server is shutting down.
    ShuttingDown,
    /// The client didn't finish in `authentication_timeout`.
    TimedOut,
}

/// Reads a FATAL message.
pub(super) fn refused(message: &str) -> Option<Refused<'_>> {
    match message.as_bytes().first()? {
        b'n' | b'p' => host_based(message).or_else(|| not_allowed(message)).or_else(|| unproven(message)),
        b'r' => missing_role(message),
        b'd' => missing_database(message),
        b's' => message.starts_with("sorry, too many clients already").then_some(Refused::TooManyClients),
        b't' => unready(message).or_else(|| beyond_limit(message)),
        b'c' if message == "canceling authentication due to timeout" => Some(Refused::TimedOut),
        _ => unproven(message),
    }
}

fn unproven(message: &str) -> Option<Refused<'_>> {
    let (method, rest) = message.split_once("authentication failed for user \"")?;
    // A method is one word or few: any longer text is of something else that quotes this one.
    let user = rest.split_once('"')?.0;
    let method = method.trim_end().trim_matches('"');
    (method.len() < 24).then_some(Refused::Authentication { method, user })
}

fn host_based(message: &str) -> Option<Refused<'_>> {
    let (is_rejected, rest) = match message.strip_prefix("pg_hba.conf rejects ") {
        Some(rest) => (true, rest),
        None => (false, message.strip_prefix("no pg_hba.conf entry for ")?),
    };
    let encryption = rest.rsplit_once("\", ").map_or("", |(_, encryption)| encryption);
    Some(Refused::HostBased {
        is_rejected,
        host: name(rest, "host \""),
        user: name(rest, "user \""),
        database: name(rest, "database \""),
        encryption,
    })
}

fn not_allowed(message: &str) -> Option<Refused<'_>> {
    let database = message.strip_prefix("permission denied for database \"")?.strip_suffix('"')?;
    Some(Refused::DatabaseClosed(database))
}

fn missing_role(message: &str) -> Option<Refused<'_>> {
    if message.starts_with("remaining connection slots are reserved") {
        return Some(Refused::Reserved);
    }
    let rest = message.strip_prefix("role \"")?;
    match rest.strip_suffix("\" is not permitted to log in") {
        Some(role) => Some(Refused::NoLogin(role)),
        None => rest.strip_suffix("\" does not exist").map(Refused::NoRole),
    }
}

fn missing_database(message: &str) -> Option<Refused<'_>> {
    let rest = message.strip_prefix("database \"")?;
    match rest.strip_suffix("\" is not currently accepting connections") {
        Some(database) => Some(Refused::DatabaseClosed(database)),
        None => rest.strip_suffix("\" does not exist").map(Refused::NoDatabase),
    }
}

fn unready(message: &str) -> Option<Refused<'_>> {
    match message.strip_prefix("the database system is ")? {
        "shutting down" => Some(Refused::ShuttingDown),
        "starting up"
        | "in recovery mode"
        | "not yet accepting connections"
        | "not accepting connections" => Some(Refused::StartingUp),
        _ => None,
    }
}

fn beyond_limit(message: &str) -> Option<Refused<'_>> {
    let rest = message.strip_prefix("too many connections for ")?;
    match rest.strip_prefix("role \"") {
        Some(role) => Some(Refused::TooManyForRole(role.strip_suffix('"')?)),
        None => Some(Refused::TooManyForDatabase(rest.strip_prefix("database \"")?.strip_suffix('"')?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{Connection, Event, understand};
    use crate::{Record, Severity};

    #[track_caller]
    fn check(message: &str, expected: Refused<'_>) {
        let found = understand(&Record::new(Severity::Fatal, message));
        assert_eq!(found, Event::Connection(Connection::Refused(expected)), "{message}");
        // In a session the same words mean something else.
        let error = understand(&Record::new(Severity::Error, message));
        assert!(!matches!(error, Event::Connection(_)), "{message}: {error:?}");
    }

    #[test]
    fn a_role_may_not_be_who_it_says() {
        for (message, method) in [
            ("password authentication failed for user \"app\"", "password"),
            ("Peer authentication failed for user \"app\"", "Peer"),
            ("LDAP authentication failed for user \"app\"", "LDAP"),
            ("certificate authentication failed for user \"app\"", "certificate"),
            ("OAuth bearer authentication failed for user \"app\"", "OAuth bearer"),
            ("\"trust\" authentication failed for user \"app\"", "trust"),
            ("authentication failed for user \"app\": host rejected", ""),
        ] {
            check(message, Refused::Authentication { method, user: "app" });
        }
    }

    #[test]
    fn lines_of_pg_hba_refuse() {
        let refused = Refused::HostBased {
            is_rejected: false,
            host: "10.0.0.9",
            user: "app",
            database: "shop",
            encryption: "no encryption",
        };
        check(
            "no pg_hba.conf entry for host \"10.0.0.9\", user \"app\", database \"shop\", no encryption",
            refused,
        );
        check(
            "no pg_hba.conf entry for host \"[local]\", user \"a\", database \"b\", SSL off",
            Refused::HostBased {
                is_rejected: false,
                host: "[local]",
                user: "a",
                database: "b",
                encryption: "SSL off",
            },
        );
        check(
            "pg_hba.conf rejects replication connection for host \"::1\", user \"r\", SSL encryption",
            Refused::HostBased {
                is_rejected: true,
                host: "::1",
                user: "r",
                database: "",
                encryption: "SSL encryption",
            },
        );
    }

    #[test]
    fn limits_and_missing_things_refuse() {
        check("role \"x\" does not exist", Refused::NoRole("x"));
        check("role \"x\" is not permitted to log in", Refused::NoLogin("x"));
        check("database \"x\" does not exist", Refused::NoDatabase("x"));
        check("database \"x\" is not currently accepting connections", Refused::DatabaseClosed("x"));
        check("permission denied for database \"x\"", Refused::DatabaseClosed("x"));
        check("sorry, too many clients already", Refused::TooManyClients);
        check(
            "remaining connection slots are reserved for non-replication superuser connections",
            Refused::Reserved,
        );
        check(
            "remaining connection slots are reserved for roles with the SUPERUSER attribute",
            Refused::Reserved,
        );
        check("too many connections for role \"x\"", Refused::TooManyForRole("x"));
        check("too many connections for database \"x\"", Refused::TooManyForDatabase("x"));
        check("the database system is starting up", Refused::StartingUp);
        check("the database system is in recovery mode", Refused::StartingUp);
        check("the database system is shutting down", Refused::ShuttingDown);
        check("canceling authentication due to timeout", Refused::TimedOut);
    }
}
