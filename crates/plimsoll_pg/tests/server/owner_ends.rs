//! However the program that owns a server ends, nothing of the server remains.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use plimsoll_pg::server::{Cache, StartOptions};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use crate::support::{Ground, MAJORS, binaries, start, user, wait_until};

const PATIENCE: Duration = Duration::from_secs(10);
const INSTRUCTION: &str = "PLIMSOLL_TEST_OWNER";
const TEMP_ROOT: &str = "PLIMSOLL_TEST_TEMP_ROOT";
const CACHE: &str = "PLIMSOLL_TEST_CACHE";
const MAJOR: &str = "PLIMSOLL_TEST_MAJOR";

/// Not a test: the program that other tests run, as this test binary once more. It starts a
/// server, says so, and then does what it was told.
#[test]
fn owner_program() {
    let Ok(instruction) = std::env::var(INSTRUCTION) else { return };
    let variable = |name| std::env::var(name).unwrap();
    let options = StartOptions {
        cache: Cache::at(variable(CACHE)),
        temp_root: Some(PathBuf::from(variable(TEMP_ROOT))),
        user: user(),
        settings: Vec::new(),
    };
    let server = start(&binaries(variable(MAJOR).parse().unwrap()), &options);
    println!("\nready {}", server.process());
    match instruction.as_str() {
        "wait" => std::thread::sleep(Duration::from_secs(60)),
        "panic" => panic!("as told"),
        "abort" => std::process::abort(),
        "exit" => std::process::exit(3),
        other => panic!("unknown instruction {other}"),
    }
}

fn owner(ground: &Ground, options: &StartOptions, major: u32, instruction: &str) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "owner_ends::owner_program", "--nocapture", "--test-threads=1"]);
    command.env(INSTRUCTION, instruction).env(MAJOR, major.to_string());
    command.env(TEMP_ROOT, ground.path()).env(CACHE, options.cache.root());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).process_group(0);
    command.spawn().unwrap()
}

/// Waits until the owner's server runs, and returns the server's process.
fn wait_until_ready(owner: &mut Child) -> Pid {
    let lines = BufReader::new(owner.stdout.as_mut().unwrap()).lines();
    let line = lines.map(Result::unwrap).find(|line| line.starts_with("ready ")).expect("a server");
    Pid::from_raw(line["ready ".len()..].parse().unwrap()).unwrap()
}

fn check(instruction: &str, end: impl Fn(Pid), expected: impl Fn(ExitStatus) -> bool) {
    for major in MAJORS {
        let ground = Ground::new();
        let mut owner = owner(&ground, &ground.options(), major, instruction);
        wait_until_ready(&mut owner);
        end(Pid::from_child(&owner));
        let status = owner.wait().unwrap();
        assert!(expected(status), "{status}");
        ground.check_nothing_remains_within(PATIENCE);
    }
}

#[test]
fn killed() {
    check("wait", |owner| kill_process(owner, Signal::KILL).unwrap(), |status| status.signal() == Some(9));
}

#[test]
fn terminated() {
    check("wait", |owner| kill_process(owner, Signal::TERM).unwrap(), |status| status.signal() == Some(15));
}

#[test]
fn interrupted_with_its_whole_process_group_as_a_terminal_does() {
    check(
        "wait",
        |owner| kill_process_group(owner, Signal::INT).unwrap(),
        |status| status.signal() == Some(2),
    );
}

#[test]
fn its_whole_process_group_killed() {
    check(
        "wait",
        |owner| kill_process_group(owner, Signal::KILL).unwrap(),
        |status| status.signal() == Some(9),
    );
}

#[test]
fn panicked() {
    check("panic", |_| (), |status| status.code() == Some(101));
}

#[test]
fn aborted() {
    check("abort", |_| (), |status| status.signal() == Some(6));
}

#[test]
fn exited_without_dropping_anything() {
    check("exit", |_| (), |status| status.code() == Some(3));
}

#[test]
fn killed_while_it_starts() {
    for milliseconds in [10, 40, 80, 160, 320, 640] {
        let ground = Ground::new();
        let shared_memory = abandoned_shared_memory();
        let options = ground.options_with_own_cache();
        let mut owner = owner(&ground, &options, 18, "wait");
        std::thread::sleep(Duration::from_millis(milliseconds));
        kill_process(Pid::from_child(&owner), Signal::KILL).unwrap();
        owner.wait().unwrap();
        ground.check_nothing_remains_within(PATIENCE);
        // Only complete templates and locks are left in the cache, once a template's own watchdog has looked.
        let hidden = || {
            let templates = std::fs::read_dir(options.cache.templates()).into_iter().flatten();
            let names = templates.map(|entry| entry.unwrap().file_name().into_string().unwrap());
            names.filter(|name| name.starts_with('.')).collect::<Vec<String>>()
        };
        wait_until(PATIENCE, "no unfinished template is left", || hidden().is_empty().then_some(()))
            .unwrap_or_else(|error| panic!("{error}: {:?} after {milliseconds} ms", hidden()));
        wait_until(PATIENCE, "no shared memory is left", || {
            abandoned_shared_memory().is_subset(&shared_memory).then_some(())
        })
        .unwrap();
        drop(start(&binaries(18), &options));
        // The killed one's watchdog may have made its folder only after the first look.
        ground.check_nothing_remains_within(PATIENCE);
    }
}

/// Shared memory that no process uses any more: other servers on the machine come and go.
fn abandoned_shared_memory() -> BTreeSet<OsString> {
    let in_use: String = std::fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .filter_map(|entry| std::fs::read_to_string(entry.ok()?.path().join("maps")).ok())
        .collect();
    let entries = std::fs::read_dir("/dev/shm").into_iter().flatten().filter_map(Result::ok);
    // Another user's processes can't be looked at, so neither can their memory count. Tests have folders there, too.
    let readable = entries.filter(|entry| File::open(entry.path()).is_ok());
    readable
        .map(|entry| entry.file_name())
        .filter(|name| name.as_encoded_bytes().starts_with(b"PostgreSQL."))
        .filter(|name| !in_use.contains(&format!("/dev/shm/{}", name.display())))
        .collect()
}

/// The watchdog alone has to do, as on systems that can't tell a server of our death.
#[test]
fn killed_while_the_server_ignores_the_kernel_signal() {
    let ground = Ground::new();
    let mut owner = owner(&ground, &ground.options(), 15, "wait");
    let server = wait_until_ready(&mut owner);
    kill_process(server, Signal::STOP).unwrap();
    kill_process(Pid::from_child(&owner), Signal::KILL).unwrap();
    owner.wait().unwrap();
    // It quits for the kernel only when it may go on; until then the watchdog is patient.
    ground.check_nothing_remains_within(Duration::from_secs(20));
}
