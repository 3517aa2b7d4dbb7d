//! Ties a child process to this one: where the kernel offers it, the child gets a signal when
//! we die, however we die.

use std::process::Command;

use rustix::process::Signal;

/// Makes the kernel send `signal` to the child when the **thread** that spawns it ends; so
/// spawn from a thread that waits for the child. Does nothing on systems without that service.
#[cfg(target_os = "linux")]
pub fn die_with_us(command: &mut Command, signal: Signal) {
    use std::os::unix::process::CommandExt as _;

    let parent = rustix::process::getpid();
    let tie = move || {
        rustix::process::set_parent_process_death_signal(Some(signal))?;
        // The parent may have died before the call, and then no signal will ever come.
        if rustix::process::getppid() == Some(parent) {
            Ok(())
        } else {
            Err(std::io::ErrorKind::NotConnected.into())
        }
    };
    // SAFETY: between fork and exec the closure makes two system calls, and neither allocates
    // nor takes a lock. It runs after the change of user, which would clear the setting.
    unsafe { command.pre_exec(tie) };
}

/// Does nothing: this system can't send a signal on a parent's death; the watchdog remains.
#[cfg(not(target_os = "linux"))]
pub fn die_with_us(_command: &mut Command, _signal: Signal) {}
