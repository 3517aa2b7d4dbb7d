//! One PostgreSQL installation whose programs were run and found to work.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::process_environment::isolate;
use super::server_user::ServerUser;
use super::version::ServerVersion;

/// A folder with PostgreSQL's server programs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binaries {
    bin_folder: PathBuf,
    version: ServerVersion,
}

impl Binaries {
    /// Tries the programs in a folder, as the user that will run the server; on failure says
    /// in words what doesn't work.
    pub(super) fn probe(bin_folder: &Path, user: &ServerUser) -> Result<Self, String> {
        let postgres = version_line(&bin_folder.join("postgres"), user)?;
        let version = ServerVersion::parse(&postgres)
            .ok_or_else(|| format!("`postgres --version` printed {postgres:?}, which is no version"))?;
        version_line(&bin_folder.join("initdb"), user)?;
        Ok(Self { bin_folder: bin_folder.to_owned(), version })
    }

    /// The folder that holds `postgres`, `initdb` and usually the client programs.
    #[must_use]
    pub fn bin_folder(&self) -> &Path {
        &self.bin_folder
    }

    /// The server's version.
    #[must_use]
    pub fn version(&self) -> &ServerVersion {
        &self.version
    }

    /// Where a program of this installation would be; only `postgres` and `initdb` are known
    /// to be there.
    #[must_use]
    pub fn program(&self, name: &str) -> PathBuf {
        self.bin_folder.join(name)
    }

    /// The names of the extensions that are installed for this server, by their control files; `None` where they can't be
    /// looked at.
    #[must_use]
    pub fn extensions(&self, user: &ServerUser) -> Option<BTreeSet<String>> {
        let mut command = Command::new(self.program("initdb"));
        // Says where the server's own files are, and makes nothing.
        command.args(["--show", "--pgdata=/"]).stdin(Stdio::null());
        isolate(&mut command);
        user.run(&mut command);
        let said = String::from_utf8(command.output().ok()?.stderr).ok()?;
        let share = said.lines().find_map(|line| line.strip_prefix("share_path="))?;
        let files = std::fs::read_dir(Path::new(share).join("extension")).ok()?;
        let name =
            |file: std::fs::DirEntry| Some(file.file_name().to_str()?.strip_suffix(".control")?.to_owned());
        Some(files.filter_map(|file| name(file.ok()?)).collect())
    }
}

fn version_line(program: &Path, user: &ServerUser) -> Result<String, String> {
    let name = program.file_name().unwrap_or(program.as_os_str()).display();
    let mut command = Command::new(program);
    command.arg("--version").stdin(Stdio::null());
    isolate(&mut command);
    user.run(&mut command);
    let output = match (command.output(), user.name()) {
        (Ok(output), _) => output,
        (Err(error), Some(user)) => return Err(format!("user `{user}` can't run `{name}`: {error}")),
        (Err(error), None) => return Err(format!("can't run `{name}`: {error}")),
    };
    let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if output.status.success() && !said.is_empty() {
        return Ok(said);
    }
    let complaint = String::from_utf8_lossy(&output.stderr);
    Err(format!("`{name} --version` failed ({}): {}", output.status, complaint.trim()))
}
