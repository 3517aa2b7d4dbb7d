//! A program that starts processes of its own, which nobody but it would end.
//!
//! `pg_basebackup` has a second process that receives WAL. When the first is killed, the second goes on, and with it a
//! replication slot of the server that is backed up, for which that server keeps its WAL. So both are in one process group,
//! and a small shell process ends it when this program does, `kill -9` included: it reads from a pipe whose other end only
//! this program holds.

use std::io::{self, Write as _};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process_group};

const SCRIPT: &str = "trap '' HUP INT QUIT TERM; read -r group; read -r end; kill -s KILL -- \"-$group\"";

/// A process group that ends with this value, and with this program.
#[derive(Debug)]
pub struct WatchedGroup {
    group: Pid,
    shell: Child,
}

impl WatchedGroup {
    /// Watches over a process that was started as the first of a group of its own.
    ///
    /// # Errors
    /// When there is no shell, or the process has ended.
    pub fn of(leader: Option<u32>) -> io::Result<Self> {
        let number = leader.and_then(|leader| i32::try_from(leader).ok());
        let group = number.and_then(Pid::from_raw).ok_or(io::ErrorKind::NotFound)?;
        let mut command = Command::new("/bin/sh");
        command.args(["-c", SCRIPT, "plimsoll-watch-group"]).process_group(0).current_dir("/");
        // Its output must not hold open a pipe that the program's caller reads to the end.
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut watched = Self { group, shell: command.spawn()? };
        if let Some(pipe) = &mut watched.shell.stdin {
            writeln!(pipe, "{}", group.as_raw_pid())?;
        }
        Ok(watched)
    }
}

impl Drop for WatchedGroup {
    fn drop(&mut self) {
        // Whoever is gone already is gone as wanted.
        kill_process_group(self.group, Signal::KILL).ok();
        self.shell.kill().ok();
        self.shell.wait().ok();
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead as _, BufReader, Read as _};

    use super::*;

    fn check(end: impl FnOnce(WatchedGroup)) {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "sleep 600 & echo begun; wait"]).process_group(0).stdout(Stdio::piped());
        let mut leader = command.spawn().unwrap();
        let watched = WatchedGroup::of(Some(leader.id())).unwrap();
        let mut output = BufReader::new(leader.stdout.take().unwrap());
        let mut line = String::new();
        output.read_line(&mut line).unwrap();
        leader.kill().unwrap();
        leader.wait().unwrap();
        end(watched);
        // Held open by `sleep`, were it there.
        assert_eq!(output.read_to_string(&mut line).unwrap(), 0);
    }

    #[test]
    fn what_a_program_started_ends_with_it() {
        check(drop);
    }

    #[test]
    fn it_ends_when_nobody_is_left_to_end_it() {
        check(|mut watched| {
            // As when this program is killed: its end of the pipe closes, and nothing else happens.
            drop(watched.shell.stdin.take());
            watched.shell.wait().unwrap();
            std::mem::forget(watched);
        });
    }
}
