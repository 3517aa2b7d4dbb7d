//! Whoever dies in the midst of it: the next command finds everything as it was or as it was to be, and removes what is left.

use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use crate::small_disk::SmallDisk;
use crate::stateful::Stateful;

const FILES: [(&str, &str); 3] = [
    ("plimsoll.toml", "[database]\nseed = \"seed.sql\"\n"),
    ("migrations/0001_init.sql", "create table t (id int primary key, v text);"),
    ("seed.sql", "insert into t select g, 'v' || g from generate_series(1, 500) g;"),
];

/// Kills the program after ever longer times, as often as it takes to see it end by itself, and looks after each.
fn walk(stateful: &Stateful, arguments: &[&str], step: Duration, mut look: impl FnMut(&Stateful)) {
    for number in 0..200 {
        let running = stateful.plimsoll(arguments).start();
        std::thread::sleep(step * number);
        running.signal(Signal::KILL);
        let ended = running.end();
        look(stateful);
        if ended.status.code().is_some() {
            return;
        }
    }
    panic!("{arguments:?} never came to its end");
}

fn is_whole(stateful: &Stateful, branch: &str) {
    assert_eq!(stateful.query(branch, "select count(*) from t"), "500");
}

#[test]
fn killed_at_any_step_of_a_branch() {
    let stateful = Stateful::new(FILES);
    stateful.succeed(&["trunk", "create", "main"]);
    walk(&stateful, &["branch", "create", "a"], Duration::from_millis(9), |stateful| {
        if stateful.listed("a").is_some() {
            is_whole(stateful, "a");
            stateful.succeed(&["branch", "drop", "a"]);
        }
    });
    stateful.succeed(&["branch", "create", "a"]);
    walk(&stateful, &["branch", "reset", "a"], Duration::from_millis(12), |stateful| is_whole(stateful, "a"));
    stateful.succeed(&["branch", "create", "dropped"]);
    walk(&stateful, &["branch", "drop", "dropped"], Duration::from_millis(7), |stateful| {
        if stateful.listed("dropped").is_none() {
            stateful.succeed(&["branch", "create", "dropped"]);
        }
        is_whole(stateful, "dropped");
    });
    let killed = Pid::from_raw(stateful.process("a", "keeper")).unwrap();
    kill_process(killed, Signal::KILL).unwrap();
    stateful.succeed(&["branch", "gc"]);
    for folder in ["building", "trash"] {
        assert!(stateful.entries(folder).is_empty(), "{folder}: {:?}", stateful.entries(folder));
    }
    is_whole(&stateful, "a");
}

#[test]
fn killed_at_any_step_of_a_trunk() {
    let stateful = Stateful::new(FILES);
    walk(&stateful, &["trunk", "create", "main"], Duration::from_millis(60), |stateful| {
        let is_there = stateful.succeed(&["trunk", "list"]).stdout.contains("main");
        if is_there {
            stateful.succeed(&["branch", "create", "a"]);
            is_whole(stateful, "a");
            stateful.succeed(&["branch", "drop", "a"]);
            stateful.succeed(&["trunk", "drop", "main"]);
        }
    });
    stateful.succeed(&["trunk", "create", "main"]);
    stateful.succeed(&["branch", "create", "a"]);
    walk(&stateful, &["trunk", "refresh", "main"], Duration::from_millis(70), |stateful| {
        is_whole(stateful, "a");
        stateful.succeed(&["branch", "reset", "a"]);
        is_whole(stateful, "a");
    });
    stateful.succeed(&["branch", "gc"]);
    for folder in ["building", "trash"] {
        assert!(stateful.entries(folder).is_empty(), "{folder}: {:?}", stateful.entries(folder));
    }
}

#[test]
fn killed_at_any_step_of_a_yard() {
    let stateful = Stateful::new(FILES);
    if !crate::yard::can_be_made() {
        return;
    }
    let make = ["branch", "yard", "--size", "320MB"];
    walk(&stateful, &make, Duration::from_millis(8), |stateful| {
        let is_there = stateful.state().join("yard.img").exists();
        // Whole: it can be mounted, and is empty.
        stateful.succeed(&["trunk", "list"]);
        assert_eq!(is_there, stateful.state().join("yard").join("trunks").exists());
        if is_there {
            stateful.succeed(&["branch", "yard", "--remove"]);
        }
    });
    stateful.succeed(&make);
    walk(&stateful, &["branch", "yard", "--remove"], Duration::from_millis(5), |stateful| {
        let told = stateful.succeed(&["branch", "yard"]);
        if told.stdout.starts_with("no yard") {
            stateful.succeed(&make);
        } else {
            assert!(told.stdout.contains("mounted at"), "{}", told.shown());
        }
    });
    stateful.succeed(&["branch", "yard", "--remove"]);
    stateful.succeed(&["branch", "gc"]);
    assert!(stateful.entries("building").is_empty() && stateful.entries("yard").is_empty());
}

#[test]
fn one_of_two_gets_a_name() {
    let stateful = Stateful::new(FILES);
    stateful.succeed(&["trunk", "create", "main"]);
    for _ in 0..3 {
        let runs: Vec<_> = (0..4).map(|_| stateful.plimsoll(&["branch", "create", "same"]).start()).collect();
        let codes: Vec<_> = runs
            .into_iter()
            .map(|running| {
                let ended = running.end();
                if ended.status.code() == Some(2) {
                    ended.fails(2, &["there is one of this name"]);
                }
                ended.status.code()
            })
            .collect();
        assert_eq!(codes.iter().filter(|code| **code == Some(0)).count(), 1, "{codes:?}");
        assert_eq!(codes.iter().filter(|code| **code == Some(2)).count(), 3, "{codes:?}");
        is_whole(&stateful, "same");
        stateful.succeed(&["branch", "drop", "same"]);
    }
    assert!(stateful.entries("building").is_empty());
}

#[test]
fn a_full_disk_stops_one_branch() {
    let Some(stateful) = Stateful::on(FILES, |folder| SmallDisk::mount(folder, 400)) else { return };
    stateful.succeed(&["trunk", "create", "main"]);
    stateful.succeed(&["branch", "create", "greedy"]);
    stateful.succeed(&["branch", "create", "modest"]);
    let why = stateful
        .try_query(
            "greedy",
            "create table big as select g, repeat('x', 1000) x from generate_series(1, 1000000) g",
        )
        .unwrap_err();
    assert!(why.contains("No space left on device") || why.contains("server closed the connection"), "{why}");
    assert_eq!(stateful.query("modest", "select count(*) from t"), "500");
    stateful.succeed(&["branch", "drop", "greedy"]);
    is_whole(&stateful, "modest");
    stateful.succeed(&["branch", "create", "another"]);
    is_whole(&stateful, "another");
}

#[test]
fn nothing_but_what_is_owned_by_none_is_collected() {
    let stateful = Stateful::new(FILES);
    stateful.succeed(&["trunk", "create", "main"]);
    stateful.succeed(&["branch", "create", "a"]);
    let foreign = ["branches/notes", "branches/.hidden", "trunks/mine", "elsewhere"];
    for path in foreign {
        std::fs::create_dir(stateful.state().join(path)).unwrap();
        std::fs::write(stateful.state().join(path).join("file"), "kept").unwrap();
    }
    std::fs::create_dir(stateful.state().join("trash/left")).unwrap();
    stateful.succeed(&["branch", "gc"]);
    for path in foreign {
        let kept = std::fs::read_to_string(stateful.state().join(path).join("file")).unwrap();
        assert_eq!(kept, "kept");
        std::fs::remove_dir_all(stateful.state().join(path)).unwrap();
    }
    assert!(stateful.entries("trash").is_empty());
    // A damaged manifest is told, and costs nothing but its own branch.
    let manifest = stateful.state().join("branches/a/branch.json");
    let whole = std::fs::read(&manifest).unwrap();
    std::fs::write(&manifest, "{").unwrap();
    stateful.run(&["branch", "list"]).fails(3, &["branches/a/branch.json"]);
    stateful.succeed(&["branch", "create", "b"]);
    std::fs::write(&manifest, whole).unwrap();
    is_whole(&stateful, "a");
}
