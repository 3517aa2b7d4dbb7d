//! Clears up after a postmaster that was killed: its children, and its System V segment.
//!
//! A server that stops by itself leaves neither. Only a killed one leaves `postmaster.pid`,
//! which names the segment; macOS has room for 32 segments in all.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Children notice a killed postmaster by themselves within 1.6 s, measured under load.
const CHILDREN_PATIENCE: Duration = Duration::from_secs(5);
const POLL: Duration = Duration::from_millis(20);

/// Clears up, if the server of this data directory was killed: waits for its processes, and removes its segment.
pub fn clear_up(data: &Path) {
    let Ok(pid_file) = std::fs::read_to_string(data.join("postmaster.pid")) else { return };
    wait_for_children(data);
    if let Some(segment) = segment_of(&pid_file) {
        // It may be gone already; then there is nothing to do.
        let mut command = Command::new("ipcrm");
        command.args(["-m", segment]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().ok();
    }
}

/// Ends what is left of a server whose postmaster is gone, whether its data directory can be read or not: a mount that
/// nobody serves any more can't, and some of a dead postmaster's children wait for each other for ever.
pub fn end_orphans(data: &Path) {
    wait_for_children(data);
}

/// The segment's number: line 7 is its key and its number.
fn segment_of(pid_file: &str) -> Option<&str> {
    let segment = pid_file.lines().nth(6)?.split_whitespace().nth(1)?;
    segment.bytes().all(|byte| byte.is_ascii_digit()).then_some(segment)
}

fn wait_for_children(data: &Path) {
    let deadline = Instant::now() + CHILDREN_PATIENCE;
    while !processes::working_in(data).is_empty() {
        if Instant::now() >= deadline {
            processes::kill_those_working_in(data);
            return;
        }
        std::thread::sleep(POLL);
    }
}

/// Every process of a server works in its data directory.
#[cfg(target_os = "linux")]
mod processes {
    use std::path::Path;

    use rustix::process::{Pid, Signal, kill_process};

    pub(super) fn working_in(folder: &Path) -> Vec<Pid> {
        let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
        entries
            .filter_map(|entry| {
                let entry = entry.ok()?;
                let process = Pid::from_raw(entry.file_name().to_str()?.parse().ok()?)?;
                let current = std::fs::read_link(entry.path().join("cwd")).ok()?;
                (current == folder).then_some(process)
            })
            .collect()
    }

    pub(super) fn kill_those_working_in(folder: &Path) {
        for process in working_in(folder) {
            // Gone meanwhile: as wanted.
            kill_process(process, Signal::KILL).ok();
        }
    }
}

/// No cheap way to see another process's folder here: they get the usual time, no more.
#[cfg(not(target_os = "linux"))]
mod processes {
    use std::path::Path;

    pub(super) fn working_in(_folder: &Path) -> Vec<()> {
        std::thread::sleep(std::time::Duration::from_millis(500));
        Vec::new()
    }

    pub(super) fn kill_those_working_in(_folder: &Path) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_segment_is_read_from_line_seven() {
        let running = "71\n/tmp/p/data\n1700000000\n5432\n/tmp/p\n\n  1234567   32769\nready   \n";
        assert_eq!(segment_of(running), Some("32769"));
        assert_eq!(segment_of("71\n/tmp/p/data\n"), None);
        assert_eq!(segment_of("1\n2\n3\n4\n5\n6\n7 --all\n"), None);
    }
}
