//! One message of the server, with all lines that belong to it and what its prefix says.

use twox_hash::XxHash3_64;

use crate::Severity;

/// A record of a log, whatever its format. Texts that the log doesn't have, or has empty, are empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// When it was written, in microseconds since 1970-01-01 UTC (stderr's `%n`, `%m`, `%t` and the like; precise to what the
    /// log holds). None where the log doesn't say.
    pub time_us: Option<i64>,
    /// Its severity.
    pub severity: Severity,
    /// Five characters (`%e`).
    pub sqlstate: &'a str,
    /// The process (`%p`); 0 if unknown.
    pub process: u32,
    /// The session (`%c`): start and process in hexadecimal.
    pub session: &'a str,
    /// The role (`%u`).
    pub user: &'a str,
    /// The database (`%d`).
    pub database: &'a str,
    /// `application_name` (`%a`).
    pub application: &'a str,
    /// The client's address, without its port (`%h`, `%r`); `[local]` for a Unix socket.
    pub host: &'a str,
    /// A hash of application, user, database and host where the reader has it at hand, 0 otherwise.
    pub who: u64,
    /// The backend's type (`%b`).
    pub backend: &'a str,
    /// The command tag (`%i`).
    pub command_tag: &'a str,
    /// The message.
    pub message: &'a str,
    /// `DETAIL`.
    pub detail: &'a str,
    /// `HINT`.
    pub hint: &'a str,
    /// `CONTEXT`.
    pub context: &'a str,
    /// `STATEMENT`: what the client had sent, or in csvlog and jsonlog the field that stands for it.
    pub statement: &'a str,
    /// `QUERY`: the internal query that failed.
    pub query: &'a str,
}

impl<'a> Record<'a> {
    /// A message of which nothing else is known.
    #[must_use]
    pub const fn new(severity: Severity, message: &'a str) -> Self {
        Self {
            time_us: None,
            severity,
            sqlstate: "",
            process: 0,
            session: "",
            user: "",
            database: "",
            application: "",
            host: "",
            who: 0,
            backend: "",
            command_tag: "",
            message,
            detail: "",
            hint: "",
            context: "",
            statement: "",
            query: "",
        }
    }

    /// A hash of who the record is of: application, role, database, and address.
    pub(crate) fn names_hash(&self) -> u64 {
        self.names_hash_from(self.session_names_hash())
    }

    /// A hash of the names that a session keeps: of all but the application.
    pub(crate) fn session_names_hash(&self) -> u64 {
        [self.user, self.database, self.host].iter().fold(0_u64, |hash, name| joined(hash, name))
    }

    /// [`Self::names_hash`], made from [`Self::session_names_hash`].
    pub(crate) fn names_hash_from(&self, session_names_hash: u64) -> u64 {
        joined(session_names_hash, self.application)
    }
}

fn joined(hash: u64, name: &str) -> u64 {
    hash.rotate_left(17) ^ XxHash3_64::oneshot_with_seed(name.len() as u64, name.as_bytes())
}
