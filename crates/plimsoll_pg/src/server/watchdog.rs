//! Removes what this program leaves behind when it can't do so itself.
//!
//! A watchdog is a small shell process that reads from a pipe whose other end only this
//! program holds. However the program ends (`kill -9` included), the pipe closes, and the
//! watchdog stops the server and removes the folder. It is in its own process group, so that
//! Ctrl-C in a terminal doesn't reach it.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

const SCRIPT: &str = include_str!("watchdog.sh");

/// A running watchdog over one folder. Dropping it lets it look once more and end.
#[derive(Debug)]
pub(super) struct Watchdog {
    shell: Child,
}

impl Watchdog {
    /// Makes a folder that only its owner can enter, under a name of `names` in `root`, and watches over it. It need not
    /// exist any more when the program ends, or when the watchdog is dropped; else it is removed then.
    ///
    /// # Errors
    /// When no shell can be started, or the folder can't be made.
    pub(super) fn over_new(names: &tempfile::Builder<'_, '_>, root: &Path) -> io::Result<(Self, PathBuf)> {
        names.make_in(root, Self::make)?.keep().map_err(|failed| failed.error)
    }

    /// Errs with `AlreadyExists` if something is there, so that another name is tried.
    fn make(folder: &Path) -> io::Result<Self> {
        let mut command = command(folder, "1");
        command.arg("make").stdin(Stdio::piped()).stdout(Stdio::piped()).process_group(0);
        let mut shell = command.spawn()?;
        let mut answer = String::new();
        if let Some(output) = shell.stdout.take() {
            BufReader::new(output).read_line(&mut answer)?;
        }
        if answer == "\n" {
            return Ok(Self { shell });
        }
        shell.wait()?;
        if folder.symlink_metadata().is_ok() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        Err(io::Error::other(answer.trim_end().to_owned()))
    }

    /// Tells the watchdog which program works in the folder: a server, or `initdb`.
    pub(super) fn report_server(&mut self, process: u32) -> io::Result<()> {
        match &mut self.shell.stdin {
            Some(pipe) => writeln!(pipe, "{process}"),
            None => Ok(()),
        }
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        drop(self.shell.stdin.take());
        // Ends at once if the folder is gone; else this waits until the watchdog removed it.
        // An error would mean that the process was waited for already.
        self.shell.wait().ok();
    }
}

/// Does a watchdog's work at once for a folder whose program is known to be gone.
pub(super) fn remove_abandoned(folder: &Path) -> io::Result<()> {
    command(folder, "0").stdin(Stdio::null()).process_group(0).status().map(drop)
}

fn command(folder: &Path, seconds_until_pid_file: &str) -> Command {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", SCRIPT, "plimsoll-watchdog"]).arg(folder).arg(seconds_until_pid_file);
    // Its output must not hold open a pipe that the program's caller reads to the end.
    command.stdout(Stdio::null()).stderr(Stdio::null()).current_dir("/").env("LC_ALL", "C");
    command
}
