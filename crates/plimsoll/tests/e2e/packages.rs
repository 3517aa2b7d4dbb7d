//! The ways in which Plimsoll is installed: the wheel, and the hook under pre-commit and prek, all
//! built from this working copy, and without a network.
//!
//! What cargo has compiled for the suite serves them, too: the profile is the same, and the hooks' clones have files as old as
//! the working copy's. The program itself goes to a folder of its own, lest it take the place of the one under test.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Mutex, OnceLock, PoisonError};

use serde_json::Value;
use tempfile::TempDir;

use crate::project::{Project, isolate_git};

pub(crate) const SAFE: &str = "create table ships (id bigint primary key, name text);\n";
pub(crate) const DANGEROUS: &str = "create index ships_name on ships (name);\n";
pub(crate) const FOUND: &str = "require-concurrent-index-creation";

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// The environment with Python, maturin, pre-commit, prek and uv.
fn environment() -> PathBuf {
    let Ok(python) = std::env::var("PLIMSOLL_TEST_PYTHON") else {
        panic!("PLIMSOLL_TEST_PYTHON names no Python with maturin: run `make test`");
    };
    Path::new(&python).ancestors().nth(2).unwrap().to_owned()
}

/// The target folder of the suite.
fn target() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_plimsoll")).ancestors().nth(2).unwrap()
}

/// The folder of what is built for wheels.
fn wheels() -> PathBuf {
    target().join("wheels")
}

/// A program of the tests' environment, which builds what the suite has built, and takes nothing from a network.
pub(crate) fn tool(name: &str) -> Command {
    let tools = environment().join("bin");
    let mut command = Command::new(tools.join(name));
    let path = std::env::var("PATH").unwrap();
    command
        .env("PATH", format!("{}:{path}", tools.display()))
        .env("CARGO_TARGET_DIR", wheels())
        .env("CARGO_BUILD_BUILD_DIR", target())
        .env("CARGO_NET_OFFLINE", "true")
        .env("MATURIN_PEP517_ARGS", "--profile dev")
        // What is stripped is another program to cargo.
        .env("MATURIN_STRIP", "false");
    // What builds the wheel comes from here.
    let wheels = environment().join("wheels");
    command.env("PIP_NO_INDEX", "1").env("PIP_FIND_LINKS", &wheels);
    command.env("UV_NO_INDEX", "1").env("UV_FIND_LINKS", &wheels).env("UV_OFFLINE", "1");
    // Cargo sets what belongs to this test for what the test runs.
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST") || name == "CARGO" {
            command.env_remove(&*name);
        }
    }
    isolate_git(&mut command);
    command
}

#[track_caller]
pub(crate) fn succeed(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}: run `make test`"));
    assert!(output.status.success(), "{command:?}: {}", shown(&output));
    String::from_utf8(output.stdout).unwrap()
}

pub(crate) fn shown(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    format!("{}\nstdout:\n{}\nstderr:\n{}", output.status, text(&output.stdout), text(&output.stderr))
}

/// The wheel of this working copy.
pub(crate) fn wheel() -> &'static Path {
    static WHEEL: OnceLock<PathBuf> = OnceLock::new();
    WHEEL.get_or_init(|| {
        let folder = wheels().join("out");
        std::fs::remove_dir_all(&folder).unwrap_or_default();
        let mut maturin = tool("maturin");
        succeed(maturin.args(["build", "--profile", "dev", "--out"]).arg(&folder).current_dir(root()));
        std::fs::read_dir(&folder).unwrap().next().unwrap().unwrap().path()
    })
}

#[test]
fn the_wheel_is_complete_and_runs_with_any_python() {
    let wheel = wheel();
    let name = wheel.file_name().unwrap().to_string_lossy();
    let version = env!("CARGO_PKG_VERSION");
    assert!(name.starts_with(&format!("plimsoll-{version}-py3-none-")), "{name}");

    let folder = tempfile::tempdir().unwrap();
    let environment = folder.path().join("environment");
    succeed(tool("uv").args(["venv", "--quiet"]).arg(&environment));
    let mut install = tool("uv");
    install.args(["pip", "install", "--quiet", "--offline", "--no-deps", "--python"]).arg(&environment);
    succeed(install.arg(wheel));
    let program = environment.join("bin/plimsoll");
    assert_eq!(succeed(Command::new(program).arg("--version")), format!("plimsoll {version}\n"));

    let read =
        "import importlib.metadata as m; d = m.distribution('plimsoll'); print(d.metadata); print(d.files)";
    let metadata = succeed(Command::new(environment.join("bin/python")).args(["-c", read]));
    for line in [
        "Name: plimsoll",
        "Summary: Shows, before you deploy,",
        "License-Expression: MIT OR Apache-2.0",
        "License-File: LICENSE-APACHE",
        "License-File: LICENSE-MIT",
        "Requires-Python: >=3.9",
        "Description-Content-Type: text/markdown",
        "The Plimsoll line on a ship's hull",
        "LICENSE-MIT')",
    ] {
        assert!(metadata.contains(line), "no {line:?} in {metadata}");
    }
}

/// A repository of the working copy's files as they are, saved or not, and its commit.
fn hook_repository() -> (Project, String) {
    let repository = Project::new::<&str>([]);
    let mut list = Command::new("git");
    list.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]).current_dir(root());
    isolate_git(&mut list);
    for file in succeed(&mut list).split('\0').filter(|file| !file.is_empty()) {
        // One that was removed and not yet committed is listed, too.
        if let Ok(text) = std::fs::read(root().join(file)) {
            repository.write(file, text);
        }
    }
    repository.git_init("main");
    repository.git_commit_all();
    let mut head = Command::new("git");
    head.args(["rev-parse", "HEAD"]).current_dir(repository.path());
    isolate_git(&mut head);
    let commit = succeed(&mut head).trim().to_owned();
    (repository, commit)
}

/// What git runs after a checkout: it makes the clone's files as old as those of the working copy,
/// by which cargo knows that it has built them.
fn git_hooks() -> TempDir {
    let folder = TempDir::new().unwrap();
    let script = format!(
        "#!/bin/sh\ngit ls-files | while read -r file; do touch -r '{}'/\"$file\" \"$file\" || exit; done\n",
        root().display()
    );
    let hook = folder.path().join("post-checkout");
    std::fs::write(&hook, script).unwrap();
    std::fs::set_permissions(&hook, PermissionsExt::from_mode(0o755)).unwrap();
    folder
}

/// Hooks are built one at a time: maturin packs a copy that it keeps in the target folder, and another build writes over it.
static BUILDING: Mutex<()> = Mutex::new(());

/// Runs the hook as this program runs it, in a scratch repository.
#[track_caller]
fn check_hook(runner: &str) {
    // Builds what the hook then only packs.
    wheel();
    let home = TempDir::new().unwrap();
    let (hook, commit) = hook_repository();
    let git_hooks = git_hooks();
    let config = format!(
        "repos:\n- repo: {}\n  rev: {commit}\n  hooks:\n  - id: plimsoll-lint\n",
        hook.path().display()
    );
    let project = Project::new([("migrations/0001_ships.sql", SAFE), (".pre-commit-config.yaml", &config)]);
    project.git_init("main");
    let run = || {
        project.git(&["add", "--all"]);
        let mut command = tool(runner);
        command.arg("run").current_dir(project.path());
        command.env("PRE_COMMIT_HOME", home.path()).env("PREK_HOME", home.path()).env("NO_COLOR", "1");
        command.env("GIT_CONFIG_COUNT", "1").env("GIT_CONFIG_KEY_0", "core.hooksPath");
        command.env("GIT_CONFIG_VALUE_0", git_hooks.path());
        command.output().unwrap_or_else(|error| panic!("{runner}: {error}: run `make test`"))
    };
    let ended = {
        let _alone = BUILDING.lock().unwrap_or_else(PoisonError::into_inner);
        run()
    };
    assert!(ended.status.success(), "{}", shown(&ended));
    assert!(shown(&ended).contains("plimsoll lint"), "{}", shown(&ended));
    project.git_commit_all();

    project.write("migrations/0002_search.sql", DANGEROUS);
    project.write("migrations/0002_search.down.sql", "drop index ships_name;\n");
    project.write("notes/0003.sql", DANGEROUS);
    let ended = run();
    let told = shown(&ended);
    assert_eq!(ended.status.code(), Some(1), "{told}");
    assert!(told.contains(FOUND) && told.contains("migrations/0002_search.sql:1:1"), "{told}");
    assert!(!told.contains("down.sql") && !told.contains("notes/"), "{told}");

    project
        .write("migrations/0002_search.sql", DANGEROUS.replace("create index", "create index concurrently"));
    let ended = run();
    assert!(ended.status.success(), "{}", shown(&ended));
}

/// A YAML file of the working copy.
pub(crate) fn yaml(file: &str) -> Value {
    let script = "import json, sys, yaml; json.dump(yaml.safe_load(open(sys.argv[1])), sys.stdout)";
    let mut python = tool("python");
    let json = succeed(python.args(["-c", script]).arg(root().join(file)));
    serde_json::from_str(&json).unwrap()
}

#[test]
fn the_hook_pins_no_interpreter_and_takes_migrations_alone() {
    let hooks = yaml(".pre-commit-hooks.yaml");
    let [hook] = &hooks.as_array().unwrap()[..] else { panic!("{hooks}") };
    // A machine without that very version couldn't install it.
    assert_eq!(hook["language_version"], Value::Null);
    assert_eq!(hook["require_serial"], true);
    // What the documentation says for a hook without the build.
    let documented = std::fs::read_to_string(root().join("docs/ci.md")).unwrap();
    for key in ["entry", "files", "exclude"] {
        let line = format!("    {key}: {}\n", hook[key].as_str().unwrap());
        assert!(documented.contains(&line), "no {line:?} in docs/ci.md");
    }
}

#[test]
fn pre_commit_builds_the_hook_and_refuses_a_dangerous_migration() {
    check_hook("pre-commit");
}

#[test]
fn prek_builds_the_hook_and_refuses_a_dangerous_migration() {
    check_hook("prek");
}
