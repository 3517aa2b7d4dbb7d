//! A folder of trunks and branches, and runs of the program that use it. When it goes, nothing of it may run any more.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::project::{Ended, Project, Run, open_folder};
use crate::small_disk::SmallDisk;

/// As above.
pub(crate) struct Stateful {
    pub(crate) project: Project,
    state: PathBuf,
    // Unmounted before the folder is removed.
    disk: Option<SmallDisk>,
    folder: TempDir,
}

impl Stateful {
    /// One in a project of these files.
    pub(crate) fn new(files: impl IntoIterator<Item = (&'static str, &'static str)>) -> Self {
        let folder = open_folder();
        Self { project: Project::new(files), state: folder.path().join("state"), disk: None, folder }
    }

    /// One on a file system of its own, where this user can mount it.
    pub(crate) fn on(
        files: impl IntoIterator<Item = (&'static str, &'static str)>,
        mount: impl FnOnce(&Path) -> Option<SmallDisk>,
    ) -> Option<Self> {
        let mut stateful = Self::new(files);
        stateful.disk = Some(mount(stateful.folder.path())?);
        Some(stateful)
    }

    pub(crate) fn state(&self) -> &Path {
        &self.state
    }

    /// A run to be set up further.
    pub(crate) fn plimsoll(&self, arguments: &[&str]) -> Run {
        self.project.plimsoll(arguments).env("PLIMSOLL_STATE", &self.state)
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        self.plimsoll(arguments).run()
    }

    /// A run that has to succeed.
    #[track_caller]
    pub(crate) fn succeed(&self, arguments: &[&str]) -> Ended {
        let ended = self.run(arguments);
        assert_eq!(ended.status.code(), Some(0), "{arguments:?}: {}", ended.shown());
        ended
    }

    /// Where trunks and branches are: in the folder itself, or in its yard.
    fn base(&self) -> PathBuf {
        if self.state.join("yard.img").exists() { self.state.join("yard") } else { self.state.clone() }
    }

    /// What a query on a branch answers, or the server's complaint.
    pub(crate) fn try_query(&self, branch: &str, sql: &str) -> Result<String, String> {
        let ended = self.run(&["branch", "psql", branch, "--", "-XAtq", "-v", "ON_ERROR_STOP=1", "-c", sql]);
        match ended.status.success() {
            true => Ok(ended.stdout.trim().to_owned()),
            false => Err(ended.stderr),
        }
    }

    #[track_caller]
    pub(crate) fn query(&self, branch: &str, sql: &str) -> String {
        match self.try_query(branch, sql) {
            Ok(answer) => answer,
            Err(why) => panic!("{sql}: {why}"),
        }
    }

    /// What `branch list` knows of a branch.
    #[track_caller]
    pub(crate) fn listed(&self, branch: &str) -> Option<serde_json::Value> {
        let ended = self.succeed(&["branch", "list", "--format", "json"]);
        let json: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
        json["branches"].as_array().unwrap().iter().find(|known| known["name"] == branch).cloned()
    }

    /// A process number that the branch's keeper wrote down.
    pub(crate) fn process(&self, branch: &str, which: &str) -> i32 {
        let path = self.base().join("branches").join(branch).join("keeper.json");
        let json: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        i32::try_from(json[which].as_i64().unwrap()).unwrap()
    }

    /// Paths below one of the state's folders.
    pub(crate) fn entries(&self, folder: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.state.join(folder)).into_iter().flatten();
        let mut names: Vec<String> =
            entries.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }
}

impl Drop for Stateful {
    fn drop(&mut self) {
        let is_yard = self.base() != self.state;
        let branches = self.entries(if is_yard { "yard/branches" } else { "branches" });
        for branch in &branches {
            let mut command = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
            command.args(["branch", "drop", branch]).env("PLIMSOLL_STATE", &self.state).current_dir("/");
            let output = command.output().unwrap();
            if !std::thread::panicking() {
                assert!(output.status.success(), "{branch}: {}", String::from_utf8_lossy(&output.stderr));
            }
        }
        if is_yard {
            Command::new("umount").arg(self.base()).status().unwrap();
        }
        if !std::thread::panicking() {
            let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
            let name = self.state.to_string_lossy().into_owned();
            assert!(!mounts.contains(&name), "a mount is left: {mounts}");
        }
    }
}
