//! Which server is meant, as libpq would understand it: a URL or `key=value` pairs, `PG…` variables, the
//! password file.
//!
//! Deliberately absent: service files, client certificates, and TLS. A connection that libpq would encrypt is
//! refused, unless the server is on this machine or `sslmode=disable` is said.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use tokio_postgres::Config;
use tokio_postgres::config::{Host, SslMode};

use super::connect::read_only_options;
use super::password_file::{Asked, password};
use crate::server::{ConnectionEnvironment, MISLEADING};
use crate::tap::Upstream;

/// The environment's variables that matter, and where the user lives.
#[derive(Clone, Debug, Default)]
pub struct Variables(pub BTreeMap<String, String>);

/// A server to read.
#[derive(Clone, Debug)]
pub struct Target {
    pub(super) config: Config,
    pub(super) database: String,
    shown: String,
}

/// Why an address names no server that can be read. Never repeats the address: it may hold a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// The address isn't understood.
    #[error("understand the server's address: {0}")]
    Address(String),
    /// Something is missing.
    #[error("know which server to read: {0}")]
    Missing(String),
    /// The connection would need TLS.
    #[error("connect to {host}: {why}")]
    Tls {
        /// The host.
        host: String,
        /// Why it isn't, and what to do.
        why: String,
    },
}

/// What libpq knows and this connection does without.
const IGNORED: [&str; 16] = [
    "application_name",
    "fallback_application_name",
    "client_encoding",
    "gssencmode",
    "gssdelegation",
    "krbsrvname",
    "sslcompression",
    "sslcert",
    "sslkey",
    "sslrootcert",
    "sslcrl",
    "sslsni",
    "keepalives",
    "keepalives_idle",
    "keepalives_interval",
    "keepalives_count",
];

/// Keys with the variables that stand for them.
const KEYS: [(&str, &str); 11] = [
    ("host", "PGHOST"),
    ("hostaddr", "PGHOSTADDR"),
    ("port", "PGPORT"),
    ("user", "PGUSER"),
    ("password", "PGPASSWORD"),
    ("dbname", "PGDATABASE"),
    ("sslmode", "PGSSLMODE"),
    ("connect_timeout", "PGCONNECT_TIMEOUT"),
    ("passfile", "PGPASSFILE"),
    ("service", "PGSERVICE"),
    ("options", "PGOPTIONS"),
];

const WITHOUT_TLS: &str = "this build speaks no TLS. Tunnel it, for example by `ssh -L 5433:HOST:5432 …` and host=localhost port=5433; or let \
                           psql read, which has TLS: `plimsoll snapshot --sql > read.sql`, `psql -XAtq -f read.sql URL > schema.plimsoll`";

impl Variables {
    /// Those of this process.
    #[must_use]
    pub fn read() -> Self {
        let wanted = |name: &str| name.starts_with("PG") || ["HOME", "USER", "LOGNAME"].contains(&name);
        let all = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        Self(all.filter(|(name, _)| wanted(name)).collect())
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

impl Target {
    /// Resolves an address; without one, the `PG…` variables alone.
    ///
    /// # Errors
    /// When it isn't understood, names no server, or needs TLS.
    pub fn resolve(address: Option<&str>, variables: &Variables) -> Result<Self, TargetError> {
        let mut settings = match address {
            Some(address) => parsed(address)?,
            None => BTreeMap::new(),
        };
        for (key, variable) in KEYS {
            if let Some(value) = variables.get(variable) {
                settings.entry(key.to_owned()).or_insert_with(|| value.to_owned());
            }
        }
        if address.is_none() && !["host", "hostaddr", "dbname"].iter().any(|key| settings.contains_key(*key))
        {
            let why = "give a URL such as postgres://reader@localhost/harbour, or set PGHOST and PGDATABASE";
            return Err(TargetError::Missing(why.into()));
        }
        if settings.contains_key("service") {
            let why = "service files aren't read; name host, port, dbname and user";
            return Err(TargetError::Address(why.into()));
        }
        let take = |key: &str| settings.get(key).cloned().filter(|value| !value.is_empty());
        let user = take("user")
            .or_else(|| variables.get("USER").or(variables.get("LOGNAME")).map(ToOwned::to_owned));
        let user = user.ok_or_else(|| TargetError::Missing("name the role, such as user=reader".into()))?;
        let database = take("dbname").unwrap_or_else(|| user.clone());
        let hosts = take("host").or_else(|| take("hostaddr")).unwrap_or_else(default_socket_folder);
        let hosts: Vec<&str> = hosts.split(',').collect();
        let ports = ports(take("port").as_deref().unwrap_or("5432"))?;
        if hosts.iter().any(|host| host.is_empty()) || (ports.len() != 1 && ports.len() != hosts.len()) {
            return Err(TargetError::Address(
                "each host needs a name, and as many ports as hosts, or one, are to be given".into(),
            ));
        }
        check_tls(take("sslmode").as_deref(), &hosts)?;
        let mut config = Config::new();
        config.user(&user).dbname(&database).application_name("plimsoll").ssl_mode(SslMode::Disable);
        for host in &hosts {
            config.host(*host);
        }
        for port in &ports {
            config.port(*port);
        }
        if let Some(addresses) = take("hostaddr").filter(|_| take("host").is_some()) {
            for address in addresses.split(',') {
                let address = address
                    .parse()
                    .map_err(|_| TargetError::Address("hostaddr is to be an IP address".into()))?;
                config.hostaddr(address);
            }
        }
        if let Some(options) = take("options") {
            config.options(options);
        }
        if let Some(seconds) = take("connect_timeout") {
            let seconds: u64 = seconds
                .parse()
                .map_err(|_| TargetError::Address("connect_timeout is to be a number of seconds".into()))?;
            if seconds > 0 {
                config.connect_timeout(Duration::from_secs(seconds));
            }
        }
        let first = Asked {
            host: if hosts[0].starts_with('/') { "localhost" } else { hosts[0] },
            port: &ports[0].to_string(),
            database: &database,
            user: &user,
        };
        let secret = take("password").or_else(|| from_file(take("passfile"), variables, &first));
        if let Some(secret) = secret {
            config.password(secret);
        }
        let places: Vec<String> = hosts
            .iter()
            .enumerate()
            .map(|(at, host)| format!("{host}:{}", ports.get(at).unwrap_or(&ports[0])))
            .collect();
        let shown = format!("database {database} at {} as {user}", places.join(","));
        Ok(Self { config, database, shown })
    }

    /// The server in words, without a password: `database harbour at db:5432 as reader`.
    #[must_use]
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// The folder of its socket, where it is reached by one.
    #[must_use]
    pub fn socket_folder(&self) -> Option<&std::path::Path> {
        match self.config.get_hosts().first() {
            Some(Host::Unix(folder)) => Some(folder),
            _ => None,
        }
    }

    /// The first of its places, for a tap.
    #[must_use]
    pub fn upstream(&self) -> Upstream {
        let port = self.config.get_ports().first().copied().unwrap_or(5432);
        match self.config.get_hosts().first() {
            Some(Host::Unix(folder)) => Upstream::Unix(folder.join(format!(".s.PGSQL.{port}"))),
            Some(Host::Tcp(host)) => Upstream::Tcp { host: host.clone(), port },
            None => Upstream::Tcp { host: "localhost".into(), port },
        }
    }

    /// The role.
    #[must_use]
    pub fn user(&self) -> &str {
        self.config.get_user().unwrap_or_default()
    }

    /// The role's password, if one is known.
    #[must_use]
    pub fn password(&self) -> Option<String> {
        self.config.get_password().map(|secret| String::from_utf8_lossy(secret).into_owned())
    }

    /// What makes a client program, such as `pg_dump`, connect there in sessions that are read-only.
    #[must_use]
    pub fn environment(&self) -> ConnectionEnvironment {
        let hosts = self.config.get_hosts().iter().map(|host| match host {
            Host::Unix(folder) => folder.to_string_lossy().into_owned(),
            Host::Tcp(host) => host.clone(),
        });
        let ports = self.config.get_ports().iter().map(ToString::to_string);
        let mut set = vec![
            ("PGHOST", hosts.collect::<Vec<_>>().join(",")),
            ("PGPORT", ports.collect::<Vec<_>>().join(",")),
            ("PGUSER", self.user().to_owned()),
            ("PGDATABASE", self.database.clone()),
            ("PGOPTIONS", read_only_options(&self.config)),
            ("PGSSLMODE", "disable".to_owned()),
        ];
        let addresses = self.config.get_hostaddrs().iter().map(ToString::to_string).collect::<Vec<_>>();
        if !addresses.is_empty() {
            set.push(("PGHOSTADDR", addresses.join(",")));
        }
        set.extend(self.password().map(|secret| ("PGPASSWORD", secret)));
        ConnectionEnvironment { set, remove: &MISLEADING }
    }

    /// The database's name.
    #[must_use]
    pub fn database(&self) -> &str {
        &self.database
    }
}

fn ports(text: &str) -> Result<Vec<u16>, TargetError> {
    let port = |port: &str| match port {
        "" => Ok(5432),
        port => port.parse().map_err(|_| TargetError::Address(format!("`{port}` is no port"))),
    };
    text.split(',').map(port).collect()
}

fn default_socket_folder() -> String {
    let folders = ["/var/run/postgresql", "/tmp"];
    let has_socket = |folder: &&&str| PathBuf::from(folder).join(".s.PGSQL.5432").exists();
    folders.iter().find(has_socket).unwrap_or(&"localhost").to_string()
}

fn check_tls(mode: Option<&str>, hosts: &[&str]) -> Result<(), TargetError> {
    let refused = |host: &str, why: String| Err(TargetError::Tls { host: host.to_owned(), why });
    let distant = hosts.iter().find(|host| !is_on_this_machine(host));
    match (mode, distant) {
        (Some("disable"), _) | (None | Some("allow" | "prefer"), None) => Ok(()),
        (Some(mode @ ("require" | "verify-ca" | "verify-full")), _) => {
            refused(hosts[0], format!("sslmode={mode} asks for TLS, and {WITHOUT_TLS}"))
        }
        (None | Some("allow" | "prefer"), Some(host)) => refused(
            host,
            format!(
                "nobody has said that the connection may go unencrypted, and {WITHOUT_TLS}. In a network that you trust, say sslmode=disable"
            ),
        ),
        (Some(mode), _) => Err(TargetError::Address(format!(
            "`{mode}` is no sslmode (disable, allow, prefer, require, verify-ca, verify-full)"
        ))),
    }
}

fn is_on_this_machine(host: &str) -> bool {
    host.starts_with(['/', '@'])
        || host.eq_ignore_ascii_case("localhost")
        || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// libpq, too, ignores a file that others may read.
fn from_file(named: Option<String>, variables: &Variables, asked: &Asked) -> Option<String> {
    use std::os::unix::fs::PermissionsExt as _;
    let path =
        named.map(PathBuf::from).or_else(|| Some(PathBuf::from(variables.get("HOME")?).join(".pgpass")))?;
    let is_private = std::fs::metadata(&path).ok()?.permissions().mode() & 0o077 == 0;
    let text = std::fs::read_to_string(&path).ok().filter(|_| is_private)?;
    password(&text, asked)
}

/// The settings that an address names.
fn parsed(address: &str) -> Result<BTreeMap<String, String>, TargetError> {
    let rest = address.strip_prefix("postgresql://").or_else(|| address.strip_prefix("postgres://"));
    let settings = match rest {
        Some(rest) => from_url(rest)?,
        None if address.contains("://") => {
            let why = "it is no PostgreSQL server's: write postgres://role@host/database";
            return Err(TargetError::Address(why.to_owned()));
        }
        // As psql has it: one word is a database.
        None if !address.contains('=') => BTreeMap::from([("dbname".to_owned(), address.to_owned())]),
        None => from_pairs(address)?,
    };
    for key in settings.keys() {
        let known = KEYS.iter().any(|(known, _)| known == key) || IGNORED.contains(&key.as_str());
        if !known {
            let nearest = KEYS.iter().map(|(known, _)| *known).collect::<Vec<_>>().join(", ");
            return Err(TargetError::Address(format!(
                "`{key}` is no key that is understood here ({nearest})"
            )));
        }
    }
    Ok(settings)
}

fn from_url(rest: &str) -> Result<BTreeMap<String, String>, TargetError> {
    let mut settings = BTreeMap::new();
    let mut set = |key: &str, value: &str| -> Result<(), TargetError> {
        if !value.is_empty() {
            settings.insert(key.to_owned(), decoded(value)?);
        }
        Ok(())
    };
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, database) = rest.split_once('/').unwrap_or((rest, ""));
    let (who, places) = authority.rsplit_once('@').unwrap_or(("", authority));
    let (user, password) = who.split_once(':').unwrap_or((who, ""));
    set("user", user)?;
    set("password", password)?;
    set("dbname", database)?;
    let (mut hosts, mut ports) = (Vec::new(), Vec::new());
    for place in places.split(',').filter(|place| !place.is_empty()) {
        let (host, port) = match place.strip_prefix('[').and_then(|place| place.split_once(']')) {
            Some((host, port)) => (host, port.strip_prefix(':').unwrap_or(port)),
            None => place.split_once(':').unwrap_or((place, "")),
        };
        hosts.push(host);
        ports.push(port);
    }
    set("host", &hosts.join(","))?;
    if ports.iter().any(|port| !port.is_empty()) {
        set("port", &ports.join(","))?;
    }
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair
            .split_once('=')
            .ok_or_else(|| TargetError::Address("behind the question mark, write key=value".into()))?;
        // JDBC's and others' word for it.
        let (key, value) =
            if (key, value) == ("ssl", "true") { ("sslmode", "require") } else { (key, value) };
        set(&decoded(key)?, value)?;
    }
    Ok(settings)
}

fn decoded(text: &str) -> Result<String, TargetError> {
    let wrong =
        || TargetError::Address("a percent sign in it is no escape: write %25 for the sign itself".into());
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let digits = rest.get(..2).and_then(|digits| std::str::from_utf8(digits).ok()).ok_or_else(wrong)?;
        bytes.push(u8::from_str_radix(digits, 16).map_err(|_| wrong())?);
        rest = &rest[2..];
    }
    String::from_utf8(bytes).map_err(|_| wrong())
}

/// `key = value key='a value'`, with backslashes before quotes and backslashes.
fn from_pairs(text: &str) -> Result<BTreeMap<String, String>, TargetError> {
    let wrong = |why: &str| TargetError::Address(why.to_owned());
    let mut settings = BTreeMap::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (key, tail) = rest.split_once('=').ok_or_else(|| wrong("a key without `=` stands in it"))?;
        let key = key.trim();
        if key.is_empty() || key.contains(char::is_whitespace) {
            return Err(wrong("a key without `=` stands in it"));
        }
        let tail = tail.trim_start();
        let quoted = tail.starts_with('\'');
        let mut value = String::new();
        let mut end = None;
        let mut characters = tail.char_indices().skip(usize::from(quoted));
        while let Some((at, character)) = characters.next() {
            match character {
                '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
                '\'' if quoted => {
                    end = Some(at + 1);
                    break;
                }
                space if !quoted && space.is_whitespace() => {
                    end = Some(at);
                    break;
                }
                other => value.push(other),
            }
        }
        let end = match end {
            None if quoted => return Err(wrong("a quote isn't closed")),
            end => end.unwrap_or(tail.len()),
        };
        settings.insert(key.to_owned(), value);
        rest = tail[end..].trim_start();
    }
    Ok(settings)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(pairs: &[(&str, &str)]) -> Variables {
        Variables(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
    }

    fn resolve(address: &str, pairs: &[(&str, &str)]) -> Result<Target, TargetError> {
        Target::resolve(Some(address), &variables(pairs))
    }

    /// How an address is shown, and its password.
    fn check(address: &str, pairs: &[(&str, &str)], shown: &str, password: Option<&str>) {
        let target = resolve(address, pairs).unwrap_or_else(|error| panic!("{address}: {error}"));
        assert_eq!(target.shown(), shown);
        assert_eq!(target.config.get_password(), password.map(str::as_bytes));
    }

    #[test]
    fn urls_and_pairs_are_understood_as_libpq_does() {
        check("postgres://u:p%40s@localhost:6/d", &[], "database d at localhost:6 as u", Some("p@s"));
        check("postgresql://u@/d?host=%2Ftmp%2Fx&port=5433", &[], "database d at /tmp/x:5433 as u", None);
        check("postgres://u@[::1]:7/d?sslmode=disable", &[], "database d at ::1:7 as u", None);
        check("postgres://u@a,b:2/d?sslmode=disable", &[], "database d at a:5432,b:2 as u", None);
        check(
            "host=localhost dbname = 'my d\\'b' user=u  password=x",
            &[],
            "database my d'b at localhost:5432 as u",
            Some("x"),
        );
        check("postgres://localhost", &[("USER", "me")], "database me at localhost:5432 as me", None);
        check(
            "harbour",
            &[("PGHOST", "/run"), ("PGUSER", "u"), ("PGPASSWORD", "s")],
            "database harbour at /run:5432 as u",
            Some("s"),
        );
    }

    #[test]
    fn what_is_written_beats_what_is_set() {
        let set = [("PGHOST", "/run"), ("PGUSER", "x"), ("PGDATABASE", "y"), ("PGPORT", "1")];
        check("postgres://u@127.0.0.1:2/d", &set, "database d at 127.0.0.1:2 as u", None);
        let target = Target::resolve(None, &variables(&set)).expect("a target");
        assert_eq!(target.shown(), "database y at /run:1 as x");
    }

    #[test]
    fn a_url_of_something_else_is_told() {
        let refused = resolve("mysql://u@localhost/d", &[("USER", "u")]).expect_err("no PostgreSQL");
        assert!(refused.to_string().contains("no PostgreSQL server's"), "{refused}");
    }

    #[test]
    fn what_needs_tls_is_refused_before_anything_is_sent() {
        let refused =
            |address: &str| resolve(address, &[("USER", "u")]).expect_err("it needs TLS").to_string();
        for mode in ["require", "verify-ca", "verify-full"] {
            assert!(refused(&format!("postgres://localhost/d?sslmode={mode}")).contains("speaks no TLS"));
        }
        assert!(refused("postgres://db.example.org/d").contains("sslmode=disable"));
        assert!(refused("postgres://localhost,db.example.org/d?sslmode=prefer").contains("db.example.org"));
        assert!(resolve("postgres://u@db.example.org/d?sslmode=disable", &[]).is_ok());
    }

    #[test]
    fn an_error_never_repeats_the_password() {
        for address in [
            "postgres://u:secret%@h/d",
            "password=secret nonsense",
            "password='secret",
            "postgres://u:secret@h:x/d",
        ] {
            let error = resolve(address, &[]).expect_err("it is wrong").to_string();
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn without_a_word_no_server_is_guessed() {
        assert!(matches!(Target::resolve(None, &variables(&[("USER", "u")])), Err(TargetError::Missing(_))));
    }
}
