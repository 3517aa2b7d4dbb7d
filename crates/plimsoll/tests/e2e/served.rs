//! A server that `plimsoll server` has started, for other clients to use.

use std::path::PathBuf;

use rustix::process::Signal;

use crate::project::{Ended, Project, Running};

/// `plimsoll server`, and the URL that it has printed.
pub(crate) struct Served {
    pub(crate) running: Running,
    pub(crate) url: String,
}

impl Served {
    pub(crate) fn start(project: &Project, major: u32) -> Self {
        let output = project.path().join("url");
        let arguments = ["server", "--postgres", &major.to_string()];
        let stdout = std::fs::File::create(&output).unwrap();
        let mut running = project.plimsoll(&arguments).stdout(stdout).start_unpiped();
        let url = running.wait_until("a URL", |_| {
            std::fs::read_to_string(&output).unwrap().strip_suffix('\n').map(ToOwned::to_owned)
        });
        Self { running, url }
    }

    pub(crate) fn socket_folder(&self) -> PathBuf {
        self.running.server_folder().unwrap()
    }

    /// Stops it as a person does, by Ctrl-C.
    pub(crate) fn stop(self) -> Ended {
        self.running.signal(Signal::INT);
        let ended = self.running.end();
        ended.fails(130, &["runs until Ctrl-C", "stopped"]);
        ended
    }
}
