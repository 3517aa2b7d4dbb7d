//! What leads a program through the tap: the variables of its environment.

use plimsoll_pg::server::{MISLEADING, percent_encoded};
use plimsoll_pg::tap::Doors;

use crate::exit::Failure;

/// Words that a template may hold in braces.
const PLACES: [&str; 7] = ["url", "host", "port", "user", "password", "database", "socket"];

/// Who connects through the tap, to what.
pub(crate) struct Login {
    pub(crate) user: String,
    pub(crate) database: String,
    /// The server's password, where the tap has none of its own.
    pub(crate) password: Option<String>,
}

/// The variables that lead a program to the doors.
pub(crate) struct TapEnvironment {
    set: Vec<(String, String)>,
    host: String,
    port: u16,
    password: String,
}

impl TapEnvironment {
    /// Those of PostgreSQL's own programs, `DATABASE_URL`, and the user's by their templates.
    ///
    /// The port stands for the socket wherever there is one: a program that takes the host from elsewhere, as from a
    /// settings file that says localhost, then finds the tap all the same, and not the server of port 5432.
    pub(crate) fn new(doors: &Doors, login: &Login, templates: &[(String, String)]) -> Self {
        let socket = doors.folder().to_string_lossy().into_owned();
        let (host, port) = match doors.port() {
            Some(port) => ("127.0.0.1".to_owned(), port),
            None => (socket.clone(), doors.socket_port()),
        };
        let own = doors.password().map(|password| password.text().to_owned());
        let password = own.or_else(|| login.password.clone()).unwrap_or_default();
        let url = url(&own_scheme(), &host, port, login, &password);
        let values = [
            url.clone(),
            host.clone(),
            port.to_string(),
            login.user.clone(),
            password.clone(),
            login.database.clone(),
            socket,
        ];
        let mut set: Vec<(String, String)> = [
            ("DATABASE_URL", url),
            ("PGHOST", host.clone()),
            ("PGPORT", port.to_string()),
            ("PGUSER", login.user.clone()),
            ("PGDATABASE", login.database.clone()),
            ("PGPASSWORD", password.clone()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into();
        for (name, template) in templates {
            let value = PLACES
                .iter()
                .zip(&values)
                .fold(template.clone(), |text, (place, value)| text.replace(&format!("{{{place}}}"), value));
            set.push((name.clone(), value));
        }
        Self { set, host, port, password }
    }

    /// The tap's URL for a driver that its scheme names; for that of `DATABASE_URL` if it names none of PostgreSQL's.
    pub(crate) fn url(&self, scheme: &str, login: &Login) -> String {
        let scheme = if scheme.starts_with("postgres") { scheme.to_owned() } else { own_scheme() };
        url(&scheme, &self.host, self.port, login, &self.password)
    }

    /// Gives a command this environment, on top of what it has.
    pub(crate) fn apply(&self, command: &mut std::process::Command) {
        for name in MISLEADING {
            command.env_remove(name);
        }
        command.envs(self.set.iter().map(|(name, value)| (name, value)));
    }

    /// The variables.
    pub(crate) fn variables(&self) -> &[(String, String)] {
        &self.set
    }
}

/// A URL as the program's own was: frameworks choose their driver by what stands before the colon.
fn own_scheme() -> String {
    let url = std::env::var("DATABASE_URL").ok();
    let scheme = url.as_deref().and_then(|url| url.split_once("://")).map(|(scheme, _)| scheme);
    scheme.filter(|scheme| scheme.starts_with("postgres")).unwrap_or("postgresql").to_owned()
}

fn url(scheme: &str, host: &str, port: u16, login: &Login, password: &str) -> String {
    let (user, database) = (percent_encoded(&login.user), percent_encoded(&login.database));
    let password =
        if password.is_empty() { String::new() } else { format!(":{}", percent_encoded(password)) };
    if host.starts_with('/') {
        return format!("{scheme}://{user}{password}@/{database}?host={}&port={port}", percent_encoded(host));
    }
    format!("{scheme}://{user}{password}@{host}:{port}/{database}")
}

/// Complains about a word in braces that means nothing.
pub(crate) fn check_template(template: &str) -> Result<(), String> {
    let mut rest = template;
    while let Some((_, behind)) = rest.split_once('{') {
        let Some((word, after)) = behind.split_once('}') else { break };
        if !PLACES.contains(&word) && word.bytes().all(|byte| byte.is_ascii_alphabetic()) && !word.is_empty()
        {
            return Err(format!(
                "`{{{word}}}` means nothing here; known are {}",
                PLACES.map(|place| format!("{{{place}}}")).join(", ")
            ));
        }
        rest = after;
    }
    Ok(())
}

/// What to do when a program never came.
pub(crate) fn never_came(command: &str, environment: &TapEnvironment) -> Failure {
    let names: Vec<&str> = environment.variables().iter().map(|(name, _)| name.as_str()).collect();
    Failure::input(format!(
        "run `{command}` through the tap: it never connected to it, so it ran on another server or on none. It is led there by {}; \
         if it reads other variables, name them with --env NAME=TEMPLATE, such as --env DB_URL={{url}}",
        names.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_are_checked() {
        assert!(check_template("postgres://{host}:{port}/x").is_ok());
        assert!(check_template("{\"a\": 1}").is_ok() && check_template("{").is_ok());
        assert!(check_template("{hots}").is_err_and(|why| why.contains("{host}")));
    }

    #[test]
    fn urls_are_encoded() {
        let login = Login { user: "a b".into(), database: "x/y".into(), password: None };
        assert!(
            url("postgresql", "127.0.0.1", 99, &login, "p@").ends_with("://a%20b:p%40@127.0.0.1:99/x%2Fy")
        );
        assert!(
            url("postgresql", "/tmp/x", 6432, &login, "")
                .ends_with("://a%20b@/x%2Fy?host=%2Ftmp%2Fx&port=6432")
        );
    }
}
