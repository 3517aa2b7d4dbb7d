//! The GitHub action and the GitLab job: what they declare, what they pin, and their scripts, run as
//! a runner would run them. What GitHub and GitLab do themselves isn't run here.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::packages::{DANGEROUS, FOUND, SAFE, root, shown, succeed, wheel, yaml};
use crate::project::{Project, isolate_git};

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text"))
}

#[track_caller]
fn check_syntax(script: &str) {
    succeed(Command::new("sh").args(["-n", "-c", script]));
}

/// A repository with a dangerous migration on a branch, and the commit that the branch came from.
fn pull_request() -> (Project, String) {
    let project = Project::new([("migrations/0001_ships.sql", SAFE)]);
    project.git_init("main");
    project.git_commit_all();
    let mut head = Command::new("git");
    head.args(["rev-parse", "HEAD"]).current_dir(project.path());
    isolate_git(&mut head);
    let base = succeed(&mut head).trim().to_owned();
    project.git(&["checkout", "--quiet", "-b", "search"]);
    project.write("migrations/0002_search.sql", DANGEROUS);
    project.git_commit_all();
    (project, base)
}

/// A shell that runs a step of a pipeline.
fn shell(script: &str, project: &Project, environment: &[(&str, &str)]) -> Output {
    let mut shell = Command::new("sh");
    shell.args(["-e", "-c", script]).current_dir(project.path());
    for (name, value) in environment {
        shell.env(name, value);
    }
    isolate_git(&mut shell);
    shell.output().unwrap()
}

#[test]
fn the_action_declares_its_inputs_and_pins_what_it_uses() {
    let action = yaml("action.yml");
    let source = std::fs::read_to_string(root().join("action.yml")).unwrap();
    let declared: Vec<&str> = action["inputs"].as_object().unwrap().keys().map(String::as_str).collect();
    let is_name = |c: char| c.is_ascii_lowercase() || c == '-';
    let used: Vec<&str> =
        source.split("inputs.").skip(1).map(|rest| rest.split(|c| !is_name(c)).next().unwrap()).collect();
    assert!(used.iter().all(|name| declared.contains(name)), "{used:?} and {declared:?}");
    assert!(declared.iter().all(|name| used.contains(name)), "{used:?} and {declared:?}");
    for step in action["runs"]["steps"].as_array().unwrap() {
        if let Some(uses) = step["uses"].as_str() {
            let digest = uses.split_once('@').map(|(_, digest)| digest).unwrap_or_default();
            assert!(digest.len() == 40 && digest.bytes().all(|byte| byte.is_ascii_hexdigit()), "{uses}");
        }
        let script = step["run"].as_str().unwrap_or_default();
        check_syntax(script);
        // A value put into a script would be run by it.
        assert!(!script.contains("${{"), "{script}");
        assert!(script.is_empty() || step["shell"] == "sh");
    }
}

#[test]
fn the_action_installs_the_wheel_and_tells_of_a_pull_request() {
    let action = yaml("action.yml");
    let step = |name: &str| {
        let steps = action["runs"]["steps"].as_array().unwrap();
        text(&steps.iter().find(|step| step["name"] == name).unwrap()["run"]).to_owned()
    };
    let (project, base) = pull_request();
    let runner = tempfile::tempdir().unwrap();
    let at = |name: &str| runner.path().join(name).to_string_lossy().into_owned();
    let wheel = wheel().to_string_lossy();
    let place =
        [("RUNNER_TEMP", at("")), ("GITHUB_PATH", at("path")), ("GITHUB_STEP_SUMMARY", at("summary.md"))];
    let run = |script: &str, more: &[(&str, &str)]| {
        let mut all: Vec<(&str, &str)> = place.iter().map(|(name, value)| (*name, value.as_str())).collect();
        all.extend(more);
        shell(script, &project, &all)
    };

    // What isn't pinned isn't installed.
    for (version, wheel, told) in [
        ("", "", "::error::Give the version"),
        ("0.1.0", "", "::error::Pin the version by hashes"),
        ("", "https://example.org/plimsoll-0.1.0-py3-none-any.whl", "::error::Pin the wheel by its digest"),
    ] {
        let inputs = [("PLIMSOLL_VERSION", version), ("PLIMSOLL_HASHES", ""), ("PLIMSOLL_WHEEL", wheel)];
        let ended = run(&step("Install Plimsoll"), &inputs);
        assert!(ended.status.code() == Some(2) && shown(&ended).contains(told), "{}", shown(&ended));
    }
    // A digest that isn't the wheel's is refused before anything is installed.
    let versioned = [("PLIMSOLL_VERSION", "0.1.0"), ("PLIMSOLL_WHEEL", ""), ("PIP_NO_INDEX", "1")];
    let out = Path::new(&*wheel).parent().unwrap().to_string_lossy().into_owned();
    let hash = format!("sha256:{}", "0".repeat(64));
    let with_hash =
        [&versioned[..], &[("PIP_FIND_LINKS", out.as_str()), ("PLIMSOLL_HASHES", hash.as_str())]].concat();
    let ended = run(&step("Install Plimsoll"), &with_hash);
    assert!(
        !ended.status.success() && shown(&ended).contains("DO NOT MATCH THE HASHES"),
        "{}",
        shown(&ended)
    );
    let sum = succeed(Command::new("sha256sum").arg(&*wheel));
    let hash = format!("sha256:{}", sum.split_whitespace().next().unwrap());
    let with_hash =
        [&versioned[..], &[("PIP_FIND_LINKS", out.as_str()), ("PLIMSOLL_HASHES", hash.as_str())]].concat();
    let ended = run(&step("Install Plimsoll"), &with_hash);
    assert!(ended.status.success(), "{}", shown(&ended));
    std::fs::remove_dir_all(runner.path().join("plimsoll")).unwrap();
    let ended = run(
        &step("Install Plimsoll"),
        &[("PLIMSOLL_VERSION", ""), ("PLIMSOLL_HASHES", ""), ("PLIMSOLL_WHEEL", &wheel)],
    );
    assert!(ended.status.success(), "{}", shown(&ended));

    let added = std::fs::read_to_string(runner.path().join("path")).unwrap();
    let path = format!("{}:{}", added.lines().last().unwrap(), std::env::var("PATH").unwrap());
    let lint = [("PATH", path.as_str()), ("PLIMSOLL_VERB", "lint"), ("PLIMSOLL_FAIL_ON", "error")];
    let ended = run(&step("Run Plimsoll"), &[&lint[..], &[("PLIMSOLL_BASE", base.as_str())]].concat());
    let told = shown(&ended);
    assert_eq!(ended.status.code(), Some(1), "{told}");
    assert!(
        told.contains("::error file=migrations/0002_search.sql,line=1") && told.contains(FOUND),
        "{told}"
    );
    let sarif = std::fs::read_to_string(runner.path().join("plimsoll.sarif")).unwrap();
    assert!(sarif.contains(FOUND), "{sarif}");
    let summary = std::fs::read_to_string(runner.path().join("summary.md")).unwrap();
    assert!(summary.contains(FOUND), "{summary}");

    // A new branch has nothing before it: the main branch is looked for.
    let zeros = "0".repeat(40);
    let gentle = [("PATH", path.as_str()), ("PLIMSOLL_VERB", "lint"), ("PLIMSOLL_FAIL_ON", "never")];
    let ended = run(&step("Run Plimsoll"), &[&gentle[..], &[("PLIMSOLL_BASE", zeros.as_str())]].concat());
    assert!(ended.status.success() && shown(&ended).contains(FOUND), "{}", shown(&ended));
    let wrong = [("PLIMSOLL_VERB", "server; true"), ("PLIMSOLL_FAIL_ON", "error"), ("PLIMSOLL_BASE", "")];
    let ended = run(&step("Run Plimsoll"), &wrong);
    assert_eq!(ended.status.code(), Some(2), "{}", shown(&ended));

    // What is sent to GitHub is the report, packed as its API wants it.
    let bin = runner.path().join("bin");
    std::fs::create_dir(&bin).unwrap();
    std::fs::write(bin.join("gh"), "#!/bin/sh\nprintf '%s\\n' \"$@\" > \"$RUNNER_TEMP/sent\"\n").unwrap();
    succeed(Command::new("chmod").arg("+x").arg(bin.join("gh")));
    let path = format!("{}:{path}", bin.display());
    let github = [
        ("PATH", path.as_str()),
        ("GITHUB_REPOSITORY", "a/b"),
        ("GITHUB_SHA", "c"),
        ("GITHUB_REF", "refs/pull/1/merge"),
    ];
    let ended = run(&step("Upload the findings"), &github);
    assert!(ended.status.success(), "{}", shown(&ended));
    let sent = std::fs::read_to_string(runner.path().join("sent")).unwrap();
    for part in ["repos/a/b/code-scanning/sarifs", "commit_sha=c", "ref=refs/pull/1/merge"] {
        assert!(sent.contains(part), "{sent}");
    }
    let packed = sent.lines().find_map(|line| line.strip_prefix("sarif=@")).unwrap();
    let unpack = format!("base64 -d < '{packed}' | gunzip");
    assert_eq!(succeed(Command::new("sh").args(["-c", &unpack])), sarif);
}

#[test]
fn the_gitlab_job_installs_the_wheel_and_tells_of_a_merge_request() {
    let job = &yaml("ci/gitlab.yml")["plimsoll"];
    let script = |part: &str| {
        let lines: Vec<&str> = job[part].as_array().unwrap().iter().map(text).collect();
        lines.join("\n")
    };
    check_syntax(&script("before_script"));
    check_syntax(&script("script"));
    assert_eq!(job["image"], "$PLIMSOLL_IMAGE");
    let report = text(&job["artifacts"]["reports"]["codequality"]);

    let (project, base) = pull_request();
    // What isn't pinned isn't installed.
    let url = "https://example.org/plimsoll-0.1.0-py3-none-any.whl";
    for (variable, told) in [
        (("PLIMSOLL_VERSION", ""), "Set PLIMSOLL_VERSION"),
        (("PLIMSOLL_VERSION", "0.1.0"), "Set PLIMSOLL_HASHES"),
        (("PLIMSOLL_WHEEL", url), "Pin PLIMSOLL_WHEEL"),
        (("CI_JOB_IMAGE", "python:3.13"), "Set PLIMSOLL_IMAGE"),
    ] {
        let ended = shell(&script("before_script"), &project, &[variable]);
        assert!(ended.status.code() == Some(2) && shown(&ended).contains(told), "{}", shown(&ended));
    }
    let image = format!("python@sha256:{}", "0".repeat(64));
    let wheel = wheel().to_string_lossy();
    let with_wheel = [("CI_JOB_IMAGE", image.as_str()), ("PLIMSOLL_WHEEL", &wheel)];
    let ended = shell(&script("before_script"), &project, &with_wheel);
    assert!(ended.status.success(), "{}", shown(&ended));
    let ended = shell(&script("script"), &project, &[("CI_MERGE_REQUEST_DIFF_BASE_SHA", &base)]);
    assert_eq!(ended.status.code(), Some(1), "{}", shown(&ended));
    let quality: Value =
        serde_json::from_str(&std::fs::read_to_string(project.path().join(report)).unwrap()).unwrap();
    assert_eq!(quality[0]["check_name"], FOUND);
    assert_eq!(quality[0]["location"]["path"], "migrations/0002_search.sql");
}
