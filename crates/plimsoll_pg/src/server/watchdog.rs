//! Removes what this program leaves behind when it can't do so itself.
//!
//! A watchdog is a small shell process that reads from a pipe whose other end only this
//! program holds. However the program ends (`kill -9` included), the pipe closes, and the
//! watchdog stops the server and removes the folder. It is in its own process group, so that
//! Ctrl-C in a terminal doesn't reach it.

use std::io::{self, Write as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

const SCRIPT: &str = include_str!("watchdog.sh");

/// A running watchdog over one folder. Dropping it lets it look once more and end.
#[derive(Debug)]
pub(super) struct Watchdog {
    shell: Child,
}

impl Watchdog {
    /// Starts to watch over the folder, which need not exist any more when the program ends.
    pub(super) fn over(folder: &Path) -> io::Result<Self> {
        let shell = command(folder, "1").stdin(Stdio::piped()).process_group(0).spawn()?;
        Ok(Self { shell })
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
