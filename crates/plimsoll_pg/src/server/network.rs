//! Takes the network away from a server: its sessions then reach nobody, whatever foreign servers, subscriptions and
//! extensions its data name. Sockets with a path still work.
//!
//! Linux has namespaces for it. Root makes one for the thread that starts the server; an ordinary user has to become the
//! root of a user namespace first, which many systems allow and some don't.

#[cfg(target_os = "linux")]
use std::process::Command;

/// What a server can reach.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Network {
    /// Whatever this program can.
    #[default]
    Host,
    /// Nothing but sockets with a path.
    None,
}

#[cfg(target_os = "linux")]
mod namespaces {
    use std::io;
    use std::process::Command;

    use rustix::fs::{CWD, Mode, OFlags, openat};
    use rustix::thread::UnshareFlags;

    /// Takes the network from this thread and what it starts. Only root may.
    pub(crate) fn leave_network() -> io::Result<()> {
        // SAFETY: a new network namespace changes nothing that this process' memory or open files depend on.
        Ok(unsafe { rustix::thread::unshare_unsafe(UnshareFlags::NEWNET) }?)
    }

    /// Makes the command take the network from itself before it runs.
    pub(crate) fn without_network(command: &mut Command) {
        use std::os::unix::process::CommandExt as _;

        let (user, group) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
        let maps = [
            (c"/proc/self/setgroups", "deny".to_owned()),
            (c"/proc/self/uid_map", format!("{user} {user} 1")),
            (c"/proc/self/gid_map", format!("{group} {group} 1")),
        ];
        let leave = move || {
            // SAFETY: the process has one thread here, and the namespaces change nothing that its memory depends on.
            unsafe { rustix::thread::unshare_unsafe(UnshareFlags::NEWUSER | UnshareFlags::NEWNET) }?;
            for (path, text) in &maps {
                let file = openat(CWD, *path, OFlags::WRONLY | OFlags::CLOEXEC, Mode::empty())?;
                rustix::io::write(&file, text.as_bytes())?;
            }
            Ok(())
        };
        // SAFETY: between fork and exec the closure makes system calls alone: it allocates nothing and takes no lock.
        unsafe { command.pre_exec(leave) };
    }
}

#[cfg(target_os = "linux")]
pub(super) use namespaces::{leave_network, without_network};

/// Whether this system lets us take the network from a server, by trying it on `/bin/true`.
#[must_use]
pub fn network_can_be_taken() -> bool {
    #[cfg(target_os = "linux")]
    {
        if rustix::process::geteuid().is_root() {
            return std::thread::spawn(leave_network).join().is_ok_and(|left| left.is_ok());
        }
        let mut command = Command::new("/bin/true");
        without_network(&mut command);
        command.status().is_ok_and(|status| status.success())
    }
    #[cfg(not(target_os = "linux"))]
    false
}
