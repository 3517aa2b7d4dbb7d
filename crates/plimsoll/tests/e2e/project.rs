//! A throw-away project, and runs of the built program in it.
//!
//! Each run has a temporary folder of its own. When it ends, however it ends, nothing may be left
//! there and no process may know of it: every run is checked for that.

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::report::Report;
use crate::small_disk::SmallDisk;

/// The versions that the program is tested on.
pub(crate) const MAJORS: [u32; 2] = [15, 18];

/// No run lasts this long, even on a busy machine.
const LONGEST_RUN: Duration = Duration::from_secs(180);

/// How long what a killed program leaves behind may outlive it.
const REMAINS_PATIENCE: Duration = Duration::from_secs(3);

/// A folder with files. It is removed with this value.
pub(crate) struct Project {
    folder: TempDir,
}

impl Project {
    /// A project of these files: path and text.
    pub(crate) fn new<Text: AsRef<[u8]>>(files: impl IntoIterator<Item = (&'static str, Text)>) -> Self {
        let project = Self { folder: open_folder() };
        for (path, text) in files {
            project.write(path, text);
        }
        project
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn write(&self, path: impl AsRef<Path>, text: impl AsRef<[u8]>) {
        let path = self.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Makes it a git repository on a branch.
    pub(crate) fn git_init(&self, branch: &str) {
        self.git(&["init", "--quiet"]);
        self.git(&["symbolic-ref", "HEAD", &format!("refs/heads/{branch}")]);
    }

    pub(crate) fn git_commit_all(&self) {
        self.git(&["add", "--all"]);
        let who = ["-c", "user.name=a", "-c", "user.email=a@example.org"];
        self.git(&[&who[..], &["commit", "--quiet", "--message", "x"]].concat());
    }

    pub(crate) fn git(&self, arguments: &[&str]) {
        let mut git = Command::new("git");
        git.arg("-C").arg(self.path()).args(arguments);
        isolate_git(&mut git);
        let output = git.output().unwrap();
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// Runs the program to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        self.plimsoll(arguments).run()
    }

    /// Runs `check` on a server of this version with JSON as its output, and reads that.
    pub(crate) fn check(&self, major: u32, arguments: &[&str]) -> Report {
        let major = major.to_string();
        self.run(&[&["check", "--format", "json", "--postgres", &major], arguments].concat()).report()
    }

    /// A run to be set up further.
    pub(crate) fn plimsoll(&self, arguments: &[&str]) -> Run {
        let mut command = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
        command.args(arguments).current_dir(self.path()).stdin(Stdio::null());
        let temporary = open_folder();
        command.env("TMPDIR", temporary.path());
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("PG") {
                command.env_remove(name);
            }
        }
        command.env_remove("DATABASE_URL").env_remove("NO_COLOR");
        isolate_git(&mut command);
        Run { command, temporary: Temporary { disk: None, folder: temporary } }
    }
}

/// A run that has not begun.
pub(crate) struct Run {
    command: Command,
    temporary: Temporary,
}

/// A run's temporary folder, on a file system of its own if there is one.
struct Temporary {
    // Unmounted before the folder is removed.
    disk: Option<SmallDisk>,
    folder: TempDir,
}

impl Run {
    pub(crate) fn env(mut self, name: &str, value: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Runs in a folder of the project.
    pub(crate) fn within(mut self, folder: &Path) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// Keeps temporary files on a disk of so many megabytes, where this user can mount one.
    pub(crate) fn on_small_disk(mut self, megabytes: u32) -> Option<Self> {
        let disk = SmallDisk::mount(self.temporary.folder.path(), megabytes)?;
        self.temporary.disk = Some(disk);
        Some(self)
    }

    /// Gives it this text as standard input.
    pub(crate) fn stdin(mut self, text: impl AsRef<[u8]>) -> Self {
        let mut file = tempfile::tempfile().unwrap();
        io::Write::write_all(&mut file, text.as_ref()).unwrap();
        io::Seek::rewind(&mut file).unwrap();
        self.command.stdin(file);
        self
    }

    /// Gives it what somebody else writes as standard input.
    pub(crate) fn stdin_from(mut self, stdin: impl Into<Stdio>) -> Self {
        self.command.stdin(stdin);
        self
    }

    /// Sends standard output elsewhere.
    pub(crate) fn stdout(mut self, stdout: impl Into<Stdio>) -> Self {
        self.command.stdout(stdout);
        self
    }

    pub(crate) fn run(self) -> Ended {
        self.start_piped(true).end()
    }

    pub(crate) fn start(self) -> Running {
        self.start_piped(true)
    }

    /// Starts with standard output as it was set.
    pub(crate) fn start_unpiped(self) -> Running {
        self.start_piped(false)
    }

    fn start_piped(mut self, piped: bool) -> Running {
        if piped {
            self.command.stdout(Stdio::piped());
        }
        let child = self.command.stderr(Stdio::piped()).spawn().unwrap();
        Running { child, temporary: self.temporary }
    }
}

/// A run in progress.
pub(crate) struct Running {
    child: Child,
    temporary: Temporary,
}

impl Running {
    /// The folder in which the run keeps its server, once it is there.
    pub(crate) fn server_folder(&self) -> Option<PathBuf> {
        private_folders(self.temporary.folder.path()).into_iter().next()
    }

    /// Waits for something about the running program.
    pub(crate) fn wait_until<T>(&mut self, what: &str, mut attempt: impl FnMut(&Self) -> Option<T>) -> T {
        let deadline = Instant::now() + LONGEST_RUN;
        loop {
            if let Some(answer) = attempt(self) {
                return answer;
            }
            let ended = self.child.try_wait().unwrap();
            assert!(ended.is_none() && Instant::now() < deadline, "{what}: never came; ended: {ended:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until a query that contains `text` runs on the private server.
    pub(crate) fn wait_for_query(&mut self, text: &str) {
        let psql = programs(15).join("psql");
        let question = format!(
            "select 1 from pg_stat_activity where state = 'active' and pid <> pg_backend_pid() and query like '%{text}%'"
        );
        self.wait_until(text, |running| {
            let folder = running.server_folder()?;
            let mut psql = Command::new(&psql);
            psql.arg("-h")
                .arg(folder)
                .args(["-U", "postgres", "-d", "postgres", "-X", "-A", "-t", "-c", &question]);
            let output = psql.output().unwrap();
            output.stdout.starts_with(b"1").then_some(())
        });
    }

    /// Waits until the program itself waits for something.
    pub(crate) fn wait_until_it_waits(&mut self) {
        self.wait_until("a program that waits", |running| {
            let state = std::fs::read_to_string(format!("/proc/{}/stat", running.child.id())).unwrap();
            state.contains(") S ").then_some(())
        });
    }

    /// Sends a signal to the program.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Sends a signal to the psql that the program has started.
    pub(crate) fn signal_psql(&self, signal: Signal) {
        let children = format!("/proc/{0}/task/{0}/children", self.child.id());
        for child in std::fs::read_to_string(children).unwrap().split_whitespace() {
            let command_line = std::fs::read(format!("/proc/{child}/cmdline")).unwrap_or_default();
            if command_line.starts_with(b"psql\0") {
                kill_process(Pid::from_raw(child.parse().unwrap()).unwrap(), signal).unwrap();
            }
        }
    }

    /// Sends a signal to the private server's first process.
    pub(crate) fn signal_server(&self, signal: Signal) {
        let folder = self.server_folder().unwrap();
        let text = std::fs::read_to_string(folder.join("data/postmaster.pid")).unwrap();
        let process = text.lines().next().unwrap().parse().unwrap();
        kill_process(Pid::from_raw(process).unwrap(), signal).unwrap();
    }

    /// Waits for the end, and checks what every run must hold to.
    pub(crate) fn end(self) -> Ended {
        let process = Pid::from_child(&self.child);
        let (sender, receiver) = mpsc::channel();
        std::thread::spawn(move || sender.send(self.child.wait_with_output()));
        let Ok(output) = receiver.recv_timeout(LONGEST_RUN) else {
            kill_process(process, Signal::KILL).unwrap();
            panic!("the program did not end");
        };
        let output = output.unwrap();
        let ended = Ended {
            status: output.status,
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        };
        assert!(!ended.stderr.contains("panicked"), "{}", ended.shown());
        assert!(
            !ended.stderr.contains("on this machine; install") || ended.stderr.contains("PostgreSQL 99"),
            "a PostgreSQL that the tests need is missing, run `make test`: {}",
            ended.stderr
        );
        // Who was killed can't clear up; the watchdog does so for it, soon.
        let killed = output.status.signal().is_some();
        // A seed command's processes are killed by their own watcher.
        let stopped = output.status.code().is_some_and(|code| code >= 128);
        let patience = if killed || stopped { REMAINS_PATIENCE } else { Duration::ZERO };
        check_nothing_remains(self.temporary.folder.path(), patience, &ended);
        ended
    }
}

/// A run that has ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ended {
    /// Checks the exit code, and that stderr says each of these.
    #[track_caller]
    pub(crate) fn fails(&self, code: i32, says: &[&str]) {
        assert_eq!(self.status.code(), Some(code), "{}", self.shown());
        for text in says {
            assert!(self.stderr.contains(text), "no {text:?} in: {}", self.shown());
        }
    }

    /// Checks the exit code, and that stdout says each of these.
    #[track_caller]
    pub(crate) fn prints(&self, code: i32, says: &[&str]) {
        assert_eq!(self.status.code(), Some(code), "{}", self.shown());
        for text in says {
            assert!(self.stdout.contains(text), "no {text:?} in: {}", self.shown());
        }
    }

    /// Reads stdout as a report, which the published schema must allow.
    #[track_caller]
    pub(crate) fn report(&self) -> Report {
        let code = self.status.code();
        assert!(matches!(code, Some(0 | 1)), "{}", self.shown());
        Report::read(&self.stdout, code.unwrap())
    }

    pub(crate) fn shown(&self) -> String {
        format!("{}\nstdout:\n{}\nstderr:\n{}", self.status, self.stdout, self.stderr)
    }
}

/// The folder of PostgreSQL's programs of a version, as the program itself finds it.
pub(crate) fn programs(major: u32) -> PathBuf {
    let mut command = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
    command.args(["server", "find", &major.to_string()]).current_dir("/");
    let output = command.output().unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "PostgreSQL {major} is missing, run `make test`: {stderr}");
    PathBuf::from(String::from_utf8(output.stdout).unwrap().trim_end())
}

/// Where the tests' folders are: under a short path, since a socket's path is short. `make test` names one in memory.
fn test_folder() -> PathBuf {
    std::env::var_os("PLIMSOLL_TEST_FOLDER").map_or_else(|| "/tmp".into(), PathBuf::from)
}

/// A folder which the server's user can enter.
pub(crate) fn open_folder() -> TempDir {
    let folder = tempfile::Builder::new().prefix("pl-").tempdir_in(test_folder()).unwrap();
    std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).unwrap();
    folder
}

pub(crate) fn isolate_git(command: &mut Command) {
    for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
        command.env_remove(name);
    }
    command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_NOSYSTEM", "1");
    command.env("GIT_CEILING_DIRECTORIES", test_folder());
}

fn check_nothing_remains(temporary: &Path, patience: Duration, ended: &Ended) {
    let deadline = Instant::now() + patience;
    loop {
        let remains = remains(temporary);
        if remains.is_empty() {
            return;
        }
        assert!(Instant::now() < deadline, "{remains:?} remain of {}", ended.shown());
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Private folders, and processes that name a folder or work in it.
fn remains(folder: &Path) -> Vec<String> {
    let mut remains: Vec<String> =
        private_folders(folder).iter().map(|folder| folder.display().to_string()).collect();
    let processes = std::fs::read_dir("/proc").into_iter().flatten().filter_map(Result::ok);
    for process in processes.map(|entry| entry.path()) {
        let command_line = std::fs::read(process.join("cmdline")).unwrap_or_default();
        let command_line = String::from_utf8_lossy(&command_line).replace('\0', " ");
        // Whatever the program started, and what that started, has the run's TMPDIR.
        let environment = std::fs::read(process.join("environ")).unwrap_or_default();
        let works_there = std::fs::read_link(process.join("cwd")).is_ok_and(|cwd| cwd.starts_with(folder));
        let name = folder.to_string_lossy();
        let knows = command_line.contains(&*name) || String::from_utf8_lossy(&environment).contains(&*name);
        if works_there || knows {
            remains.push(format!("{} {command_line}", process.display()));
        }
    }
    remains
}

fn private_folders(folder: &Path) -> Vec<PathBuf> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Vec::new(),
        Err(error) => panic!("{}: {error}", folder.display()),
    };
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.filter(|path| path.file_name().unwrap().to_string_lossy().starts_with("plimsoll-")).collect()
}
