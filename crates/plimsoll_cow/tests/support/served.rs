//! A view that another process serves, so that the process can be killed.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Child, ChildStdout, Command, Stdio};

use plimsoll_cow::{MountOptions, WriteCache, mount};

const WHAT: &str = "PLIMSOLL_COW_TEST_SERVE";

/// The process that serves; ends with this one, since it waits for the end of its input.
pub(crate) struct Served {
    child: Child,
    _output: BufReader<ChildStdout>,
}

impl Served {
    /// Starts this test's program once more, in which the test named `serves` calls [`serve_if_asked`].
    pub(crate) fn start(options: &MountOptions) -> Self {
        let owner = options.owner.map_or_else(String::new, |(user, group)| format!("{user} {group}"));
        let cache = if options.write_cache == WriteCache::Back { "back" } else { "through" };
        let [lower, delta, mountpoint] =
            [&options.lower, &options.delta, &options.mountpoint].map(|path| path.to_str().expect("UTF-8"));
        let mut child = Command::new(std::env::current_exe().expect("this program"))
            .args(["--exact", "serves_when_asked", "--nocapture"])
            .env(WHAT, [lower, delta, mountpoint, &owner, cache].join("\n"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut output = BufReader::new(child.stdout.take().expect("it is piped"));
        let mut line = String::new();
        while !line.contains("serving") {
            line.clear();
            assert_ne!(output.read_line(&mut line).expect("its output"), 0, "it ended");
        }
        Self { child, _output: output }
    }

    /// Kills it at once.
    pub(crate) fn kill(mut self) {
        self.child.kill().expect("it is killed");
        self.child.wait().expect("it ended");
    }
}

/// Serves what the variable says, until the input ends; says whether there was one.
#[expect(clippy::print_stdout, reason = "the process that started this one waits for it")]
pub(crate) fn serve_if_asked() -> bool {
    let Ok(what) = std::env::var(WHAT) else { return false };
    let [lower, delta, mountpoint, owner, cache] = what.split('\n').collect::<Vec<_>>()[..] else {
        panic!("{WHAT} has five lines");
    };
    let mut options = MountOptions::new(lower, delta, mountpoint);
    options.owner = owner
        .split_once(' ')
        .map(|(user, group)| (user.parse().expect("a number"), group.parse().expect("a number")));
    options.write_cache = if cache == "back" { WriteCache::Back } else { WriteCache::Through };
    let mounted = mount(&options).expect("it mounts");
    println!("serving");
    std::io::stdout().flush().expect("it is told");
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
    drop(mounted);
    true
}
