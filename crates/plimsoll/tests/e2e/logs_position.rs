//! `plimsoll logs --position`: each record counts once, however logs are written, rotated, or the program is killed.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use crate::project::{Ended, Project};

/// Records of statements, each by its own session, so that no burst goes over a cut.
fn records(from: usize, to: usize) -> String {
    (from..to)
        .map(|number| {
            let (minute, second) = (number / 60 % 60, number % 60);
            format!(
                "2026-11-23 12:{minute:02}:{second:02}.000 UTC [{number}] LOG:  duration: 1.{number} ms  statement: select a\n\
                 \tfrom t where a = {number}\n\
                 2026-11-23 12:{minute:02}:{second:02}.001 UTC [{number}] ERROR:  no row {number}\n\
                 2026-11-23 12:{minute:02}:{second:02}.001 UTC [{number}] DETAIL:  x\n\
                 2026-11-23 12:{minute:02}:{second:02}.001 UTC [{number}] STATEMENT:  select b from t\n"
            )
        })
        .collect()
}

/// Makes a log look as if nobody had written to it for a while.
fn age(path: &Path) {
    let file = std::fs::File::options().append(true).open(path).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_secs(60)).unwrap();
}

fn read(project: &Project, logs: &str) -> Ended {
    let ended = project.run(&["logs", logs, "--position", "p", "--save", "day.psum"]);
    ended.prints(0, &[]);
    ended
}

fn is_one_run(project: &Project, whole: &str) {
    project.write("whole.log", whole);
    project.run(&["logs", "whole.log", "--save", "whole.psum"]).prints(0, &[]);
    let bytes = |name: &str| std::fs::read(project.path().join(name)).unwrap();
    let shown = |name: &str| project.run(&["logs", name, "--format", "json"]).stdout;
    assert!(bytes("day.psum") == bytes("whole.psum"), "{}\n{}", shown("day.psum"), shown("whole.psum"));
}

#[test]
fn runs_over_a_growing_log_add_up_to_one() {
    let project = Project::new([("plimsoll.toml", "")]);
    let whole = records(0, 300);
    // Cuts within records, within lines, and at lines' ends.
    for end in (1..whole.len()).step_by(1709).chain([whole.len()]) {
        project.write("logs/a.log", &whole[..end]);
        read(&project, "logs/a.log");
    }
    age(&project.path().join("logs/a.log"));
    read(&project, "logs/a.log").prints(0, &["1 record of"]);
    read(&project, "logs/a.log").prints(0, &["0 records"]);
    is_one_run(&project, &whole);
}

#[test]
fn rotated_logs_are_known_again() {
    let project = Project::new([("plimsoll.toml", "")]);
    let path = |name: &str| project.path().join("logs").join(name);
    let whole = records(0, 600);
    let at = |record: usize| records(0, record).len();
    project.write("logs/a.log", &whole[..at(100)]);
    read(&project, "logs");
    // Renamed, with more in it.
    project.write("logs/a.log", &whole[..at(150)]);
    std::fs::rename(path("a.log"), path("a.log.1")).unwrap();
    project.write("logs/a.log", &whole[at(150)..at(250)]);
    age(&path("a.log.1"));
    read(&project, "logs");
    // Compressed, and the next one copied and truncated.
    let gzip = Command::new("gzip").arg("-k").arg(path("a.log.1")).stdin(Stdio::null()).status();
    assert!(gzip.unwrap().success());
    std::fs::remove_file(path("a.log.1")).unwrap();
    std::fs::rename(path("a.log.1.gz"), path("a.log.2.gz")).unwrap();
    std::fs::write(path("a.log.1"), &whole[at(150)..at(300)]).unwrap();
    std::fs::write(path("a.log"), &whole[at(300)..]).unwrap();
    age(&path("a.log"));
    age(&path("a.log.1"));
    age(&path("a.log.2.gz"));
    read(&project, "logs");
    read(&project, "logs").prints(0, &["0 records"]);
    is_one_run(&project, &whole);
}

#[test]
fn whoever_is_killed_counts_nothing_twice() {
    let project = Project::new([("plimsoll.toml", "")]);
    let whole = records(0, 3000);
    let mut killed = 0;
    for round in 1..=40_usize {
        project.write("logs/a.log", &whole[..whole.len() * round / 40]);
        let mut child = Command::new(env!("CARGO_BIN_EXE_plimsoll"))
            .args(["logs", "logs", "--position", "p", "--save", "day.psum"])
            .current_dir(project.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(round as u64 * 2));
        child.kill().unwrap();
        killed += usize::from(!child.wait().unwrap().success());
    }
    assert!(killed > 3, "{killed} of 40 were killed");
    age(&project.path().join("logs/a.log"));
    read(&project, "logs");
    is_one_run(&project, &whole);
}

#[test]
fn a_position_that_is_no_good_is_refused() {
    let project = Project::new([("plimsoll.toml", ""), ("a.log", &records(0, 9))]);
    read(&project, "a.log");
    let good = std::fs::read_to_string(project.path().join("p")).unwrap();
    for bad in [good.replace("a.log", "b.log"), good[..good.len() / 2].to_owned(), "x".to_owned()] {
        project.write("p", bad);
        project.run(&["logs", "a.log", "--position", "p"]).fails(2, &["position file p", "remove it"]);
    }
    project.write("p", good);
    let lock = std::fs::File::open(project.path().join("p.lock")).unwrap();
    lock.lock().unwrap();
    project.run(&["logs", "a.log", "--position", "p"]).fails(3, &["another run reads with it"]);
    drop(lock);
    project.plimsoll(&["logs", "-", "--position", "p"]).stdin("").run().fails(2, &["position"]);
}
