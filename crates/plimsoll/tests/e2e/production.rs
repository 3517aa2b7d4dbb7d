//! A server that Plimsoll didn't start, as a production's would be: with its own superuser, tablespaces, archive and more.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::project::{open_folder, programs};

/// A running server. It is stopped with this value.
pub(crate) struct Production {
    major: u32,
    folder: TempDir,
}

impl Production {
    /// One with these lines added to its configuration.
    pub(crate) fn start(major: u32, configuration: &str) -> Self {
        let production = Self { major, folder: open_folder() };
        production.own(production.path());
        let data = production.data();
        production.tool(
            "initdb",
            &["-D", data.to_str().unwrap(), "-A", "trust", "-U", "boss", "-E", "UTF8", "--locale=C", "-N"],
        );
        let mut text = std::fs::read_to_string(data.join("postgresql.conf")).unwrap();
        text.push_str(&format!(
            "listen_addresses = ''\nunix_socket_directories = '{}'\nfsync = off\n{configuration}",
            production.path().display()
        ));
        std::fs::write(data.join("postgresql.conf"), text).unwrap();
        production.start_again();
        production
    }

    pub(crate) fn start_again(&self) {
        let (data, log) = (self.data(), self.path().join("log"));
        self.tool(
            "pg_ctl",
            &["-D", data.to_str().unwrap(), "-l", log.to_str().unwrap(), "-w", "-s", "start"],
        );
    }

    pub(crate) fn stop(&self) {
        let data = self.data();
        self.tool("pg_ctl", &["-D", data.to_str().unwrap(), "-m", "fast", "-w", "-s", "stop"]);
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.path().join("data")
    }

    /// A folder that the server can write.
    pub(crate) fn make_folder(&self, name: &str) -> PathBuf {
        let folder = self.path().join(name);
        std::fs::create_dir(&folder).unwrap();
        self.own(&folder);
        folder
    }

    pub(crate) fn url(&self, database: &str) -> String {
        format!("postgres://boss@/{database}?host={}", self.path().display())
    }

    /// Runs SQL, psql's own commands included, and returns what it printed.
    #[track_caller]
    pub(crate) fn psql(&self, database: &str, sql: &str) -> String {
        let arguments = ["-XAtq", "-v", "ON_ERROR_STOP=1", "-d", database, "-f", "-"];
        let mut command = self.command("psql", &arguments);
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), sql.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Runs one of PostgreSQL's programs, which leads to this server.
    #[track_caller]
    pub(crate) fn tool(&self, name: &str, arguments: &[&str]) {
        // Its standard output would be held open by a server that it starts.
        let mut command = self.command(name, arguments);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let output = command.spawn().unwrap().wait_with_output().unwrap();
        assert!(output.status.success(), "{name} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    fn command(&self, name: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(programs(self.major).join(name));
        command.args(arguments).current_dir(self.path()).env("PGHOST", self.path()).env("PGUSER", "boss");
        command.env_remove("PGPORT").env("LC_ALL", "C");
        if let Some((user, group)) = postgres() {
            use std::os::unix::process::CommandExt as _;
            command.uid(user).gid(group);
        }
        command
    }

    fn own(&self, path: &Path) {
        if let Some((user, group)) = postgres() {
            std::os::unix::fs::chown(path, Some(user), Some(group)).unwrap();
        }
    }
}

/// Who runs servers for root.
fn postgres() -> Option<(u32, u32)> {
    let number = |option: &str, user: &str| -> Option<u32> {
        let output = Command::new("id").args([option, user]).output().ok()?;
        String::from_utf8(output.stdout).ok()?.trim().parse().ok()
    };
    let is_root = rustix::process::geteuid().is_root();
    let user = if number("-u", "postgres").is_some() { "postgres" } else { "nobody" };
    is_root.then(|| number("-u", user).zip(number("-g", user)))?
}

impl Drop for Production {
    fn drop(&mut self) {
        let data = self.data();
        // It may have been stopped already.
        let mut command =
            self.command("pg_ctl", &["-D", data.to_str().unwrap(), "-m", "immediate", "-s", "stop"]);
        command.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
    }
}
