//! Connections to a private server, for this program and for programs that it starts.

use std::fmt::Write as _;
use std::future::poll_fn;
use std::process::Command;
use std::time::{Duration, Instant};

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio_postgres::error::{DbError, SqlState};
use tokio_postgres::{AsyncMessage, Client, Config, Connection, NoTls};

use super::error::ServerError;
use super::private_folder::PORT;
use super::private_server::{PrivateServer, SUPERUSER};

/// Variables that would lead a child elsewhere than to the private server, or change its
/// session. `PGHOSTADDR` and `PGSERVICE` beat `PGHOST`. In which encoding a child writes is its own affair.
pub const MISLEADING: [&str; 13] = [
    "PGHOSTADDR",
    "PGSERVICE",
    "PGSERVICEFILE",
    "PGPASSWORD",
    "PGPASSFILE",
    "PGOPTIONS",
    "PGTARGETSESSIONATTRS",
    "PGLOADBALANCEHOSTS",
    "PGREQUIREAUTH",
    "PGREQUIRESSL",
    "PGSSLMODE",
    "PGSSLNEGOTIATION",
    "PGCHANNELBINDING",
];

/// How long sessions may take to end; the server itself waits for 5 s.
const COPY_PATIENCE: Duration = Duration::from_secs(15);

/// The environment that leads a child program to the private server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionEnvironment {
    /// Variables to set.
    pub set: Vec<(&'static str, String)>,
    /// Variables to remove.
    pub remove: &'static [&'static str],
}

impl ConnectionEnvironment {
    /// Gives the command this environment, on top of what it has.
    pub fn apply(&self, command: &mut Command) {
        for name in self.remove {
            command.env_remove(name);
        }
        command.envs(self.set.iter().map(|(name, value)| (name, value)));
    }
}

impl PrivateServer {
    /// Connects as superuser. The connection is served by a task of the current runtime.
    ///
    /// # Errors
    /// When the database doesn't exist or the server ended.
    pub async fn connect(&self, database: &str) -> Result<Client, ServerError> {
        let (client, connection) = self.open(database).await?;
        // An error reaches the client's next call, which reports it.
        tokio::spawn(async move { connection.await.unwrap_or_default() });
        Ok(client)
    }

    /// Connects as [`Self::connect`] does, and delivers the server's notices. All notices of a
    /// statement are in the channel before the statement's result is returned.
    ///
    /// # Errors
    /// When the database doesn't exist or the server ended.
    pub async fn connect_with_notices(
        &self,
        database: &str,
    ) -> Result<(Client, UnboundedReceiver<DbError>), ServerError> {
        let (client, mut connection) = self.open(database).await?;
        let (sender, receiver) = unbounded_channel();
        tokio::spawn(async move {
            while let Some(Ok(message)) = poll_fn(|context| connection.poll_message(context)).await {
                if let AsyncMessage::Notice(notice) = message {
                    // The caller may have dropped the receiver; the connection goes on.
                    sender.send(notice).unwrap_or_default();
                }
            }
        });
        Ok((client, receiver))
    }

    /// Makes an empty database.
    ///
    /// # Errors
    /// When it exists already, or the server ended.
    pub async fn create_database(&self, database: &str) -> Result<(), ServerError> {
        let client = self.connect(SUPERUSER).await?;
        let statement = format!("CREATE DATABASE \"{}\"", database.replace('"', "\"\""));
        client.batch_execute(&statement).await.map_err(|error| ServerError::CreateDatabase {
            database: database.to_owned(),
            why: self.explain(&error),
        })
    }

    /// Makes a database that is a copy of another, with the settings that its sessions begin with; nobody may be connected to
    /// the other. Sessions that have just ended are waited for.
    ///
    /// # Errors
    /// When it exists already, when somebody stays connected to the other one, or when the server ended.
    pub async fn copy_database(&self, from: &str, to: &str) -> Result<(), ServerError> {
        let client = self.connect(SUPERUSER).await?;
        let quoted = |name: &str| name.replace('"', "\"\"");
        // Where files can be cloned, a copy shares them; the usual way reads and writes every page.
        let clones = "SELECT current_setting('file_copy_method', true) = 'clone'";
        let clones =
            client.query_one(clones, &[]).await.is_ok_and(|row| row.get::<_, Option<bool>>(0) == Some(true));
        let strategy = if clones { " STRATEGY FILE_COPY" } else { "" };
        let statement = format!("CREATE DATABASE \"{}\" TEMPLATE \"{}\"{strategy}", quoted(to), quoted(from));
        let failed = |error: &tokio_postgres::Error| ServerError::CreateDatabase {
            database: to.to_owned(),
            why: self.explain(error),
        };
        let deadline = Instant::now() + COPY_PATIENCE;
        loop {
            match client.batch_execute(&statement).await {
                Err(error) if error.code() == Some(&SqlState::OBJECT_IN_USE) && Instant::now() < deadline => {
                }
                Ok(()) => break,
                Err(error) => return Err(failed(&error)),
            }
        }
        // What ALTER DATABASE … SET and ALTER ROLE … IN DATABASE … SET left; CREATE DATABASE doesn't copy it.
        let literal = |name: &str| name.replace('\'', "''");
        let settings = format!(
            "INSERT INTO pg_catalog.pg_db_role_setting (setdatabase, setrole, setconfig) SELECT made.oid, setrole, setconfig FROM \
             pg_catalog.pg_db_role_setting JOIN pg_catalog.pg_database d ON d.oid = setdatabase, pg_catalog.pg_database made \
             WHERE d.datname = '{}' AND made.datname = '{}'",
            literal(from),
            literal(to)
        );
        client.batch_execute(&settings).await.map_err(|error| failed(&error))
    }

    /// Removes a database, sessions included.
    ///
    /// # Errors
    /// When the server ended.
    pub async fn drop_database(&self, database: &str) -> Result<(), ServerError> {
        let client = self.connect(SUPERUSER).await?;
        let statement = format!("DROP DATABASE \"{}\" WITH (FORCE)", database.replace('"', "\"\""));
        client.batch_execute(&statement).await.map_err(|error| ServerError::DropDatabase {
            database: database.to_owned(),
            why: self.explain(&error),
        })
    }

    /// A connection URL, as libpq and most drivers understand it.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        let host = percent_encoded(&self.folder().to_string_lossy());
        // The port is the default one, but PGPORT would win over an absent one.
        let user = percent_encoded(self.superuser());
        format!("postgresql://{user}@/{}?host={host}&port={PORT}", percent_encoded(database))
    }

    /// What makes a child program connect here.
    #[must_use]
    pub fn environment(&self, database: &str) -> ConnectionEnvironment {
        ConnectionEnvironment {
            set: vec![
                ("PGHOST", self.folder().to_string_lossy().into_owned()),
                ("PGPORT", PORT.to_string()),
                ("PGUSER", self.superuser().to_owned()),
                ("PGDATABASE", database.to_owned()),
                ("DATABASE_URL", self.url(database)),
            ],
            remove: &MISLEADING,
        }
    }

    async fn open(
        &self,
        database: &str,
    ) -> Result<(Client, Connection<tokio_postgres::Socket, tokio_postgres::tls::NoTlsStream>), ServerError>
    {
        let mut config = Config::new();
        config.host_path(self.folder()).port(PORT).user(self.superuser()).dbname(database);
        config.application_name("plimsoll");
        config.connect(NoTls).await.map_err(|error| ServerError::Connect {
            database: database.to_owned(),
            why: self.explain(&error),
        })
    }

    /// The error in words, with the server's end if that is the reason.
    fn explain(&self, error: &tokio_postgres::Error) -> String {
        let mut why = match error.as_db_error() {
            Some(error) => format!("{} (SQLSTATE {})", error.message(), error.code().code()),
            None => with_sources(error),
        };
        if let Some(death) = self.death() {
            // Writing to a String can't fail.
            write!(why, "; {death}").unwrap_or_default();
        }
        why
    }
}

/// An error with what caused it.
pub(crate) fn with_sources(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        write!(text, ": {error}").unwrap_or_default();
        source = error.source();
    }
    text
}

/// Text with everything encoded that may have a meaning in a URL (RFC 3986, unreserved characters).
#[must_use]
pub fn percent_encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            write!(encoded, "%{byte:02X}").unwrap_or_default();
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_with_a_meaning_in_a_url_is_encoded() {
        assert_eq!(percent_encoded("/tmp/plimsoll-a1"), "%2Ftmp%2Fplimsoll-a1");
        assert_eq!(percent_encoded("a b?c&d=é"), "a%20b%3Fc%26d%3D%C3%A9");
    }
}
