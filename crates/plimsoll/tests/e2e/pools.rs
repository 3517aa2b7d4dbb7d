//! `plimsoll branch pool` and `take`: branches that are ready before they are asked for, and go with their pool.

use std::time::Duration;

use rustix::process::Signal;

use crate::small_disk::SmallDisk;
use crate::stateful::Stateful;

const FILES: [(&str, &str); 3] = [
    ("plimsoll.toml", "[database]\nseed = \"seed.sql\"\n"),
    ("migrations/0001_init.sql", "create table t (id int primary key, v text);"),
    ("seed.sql", "insert into t select g, 'v' || g from generate_series(1, 500) g;"),
];

fn with_trunk() -> Stateful {
    let stateful = Stateful::new(FILES);
    stateful.succeed(&["trunk", "create", "main"]);
    stateful
}

#[track_caller]
fn is_empty_soon(stateful: &Stateful) {
    let gone = (0..400).any(|_| {
        std::thread::sleep(Duration::from_millis(50));
        stateful.entries("branches").is_empty()
    });
    assert!(gone, "{:?}", stateful.entries("branches"));
}

#[test]
fn a_suite_takes_more_branches_than_are_ready() {
    let stateful = with_trunk();
    let script = "for worker in 1 2 3 4 5; do
            url=$(\"$PLIMSOLL\" branch take suite) || exit 1
            psql -XAtq \"$url\" -c \"insert into t values (1000 + $worker)\" -c 'select count(*) from t' || exit 1
        done
        \"$PLIMSOLL\" branch take suite --exec sh -c 'psql -XAtqc \"select count(*) from t\"; exit 3'
        test $? = 3 && exit 7";
    let run = stateful.plimsoll(&["branch", "pool", "suite", "--size", "2", "--exec", "sh", "-c", script]);
    let run = run.env("PATH", crate::clients::path(18)).env("PLIMSOLL", env!("CARGO_BIN_EXE_plimsoll"));
    let ended = run.run();
    // Each begins with the trunk's rows.
    ended.prints(7, &["501\n501\n501\n501\n501\n500\n"]);
    assert!(ended.stderr.contains("pool suite: 2 branches of trunk main are ready"), "{}", ended.shown());
    assert!(stateful.entries("branches").is_empty(), "{:?}", stateful.entries("branches"));
    stateful.run(&["branch", "take", "suite"]).fails(2, &["no pool of this name is ready"]);
}

#[test]
fn a_pool_that_is_killed_leaves_nothing() {
    let stateful = with_trunk();
    let pool = ["branch", "pool", "suite", "--size", "2"];
    let mut running = stateful.plimsoll(&pool).start();
    running.wait_until("a branch", |_| {
        stateful.run(&["branch", "take", "suite"]).status.success().then_some(())
    });
    stateful.run(&pool).fails(2, &["one of this name is kept by another program"]);
    // One whose server has died isn't handed over.
    let ready = running.wait_until("two more", |_| {
        let names = stateful.entries("branches");
        let running = |name: &String| stateful.listed(name).is_some_and(|known| known["running"] == true);
        (names.len() == 3 && names.iter().all(running)).then_some(names)
    });
    let next = ready.iter().max().unwrap();
    let keeper = rustix::process::Pid::from_raw(stateful.process(next, "keeper")).unwrap();
    rustix::process::kill_process(keeper, Signal::KILL).unwrap();
    for _ in 0..3 {
        let taken = stateful.succeed(&["branch", "take", "suite"]);
        assert!(!taken.stderr.contains(&format!("branch {next}\n")), "{}", taken.shown());
    }
    stateful.succeed(&["branch", "drop", next]);
    running.signal(Signal::KILL);
    is_empty_soon(&stateful);
    running.end();
    stateful.run(&["branch", "take", "suite"]).fails(2, &["no pool of this name is ready"]);
    // What is left of it is in nobody's way.
    let mut running = stateful.plimsoll(&pool).start();
    running.wait_until("a branch", |_| {
        stateful.run(&["branch", "take", "suite", "--ttl", "1s"]).status.success().then_some(())
    });
    running.signal(Signal::TERM);
    running.end().fails(143, &[]);
    is_empty_soon(&stateful);
}

#[test]
fn a_pool_that_can_not_be_filled_ends() {
    let stateful = with_trunk();
    stateful.run(&["branch", "pool", "suite", "--from", "zzz"]).fails(2, &["neither a trunk nor a branch"]);
    let long = "a".repeat(63);
    stateful.run(&["branch", "pool", &long]).fails(3, &["it is too long"]);
    assert!(stateful.entries("branches").is_empty());
}

/// A worker's life with databases of one server.
const DATABASES: &str = "for worker in 1 2 3; do
        url=$(\"$PLIMSOLL\" branch take suite) || exit 1
        psql -XAtq \"$url\" -c \"insert into t values (1000 + $worker)\" -c 'select count(*) from t' || exit 1
    done
    \"$PLIMSOLL\" branch take suite --exec psql -XAtc 'show work_mem' -c 'select count(*) from t' || exit 1
    short=$(\"$PLIMSOLL\" branch take suite --ttl 1s) || exit 1
    for wait in $(seq 100); do psql -XAtq \"$short\" -c '' 2> /dev/null || break; sleep 0.1; done
    psql -XAtq \"$short\" -c '' 2>&1 | grep -c 'does not exist'
    psql -XAtq \"$url\" -c 'show file_copy_method' \
        -c \"select count(*) filter (where datname like 'suite%') >= 5 from pg_database\"";

fn check_databases(stateful: &Stateful, how: &str, says: &str) {
    let pool = ["branch", "pool", "suite", "--size", "2", "--databases", "--exec", "sh", "-c", DATABASES];
    let run = stateful.plimsoll(&pool).env("PATH", crate::clients::path(18));
    let ended = run.env("PLIMSOLL", env!("CARGO_BIN_EXE_plimsoll")).run();
    // Each begins with the trunk's rows, and sessions with the database's settings.
    ended.prints(0, &[&format!("501\n501\n501\n7MB\n500\n1\n{how}\nt\n")]);
    let is_told = ended.stderr.contains("copied byte for byte");
    assert!(ended.stderr.contains("2 databases of a branch of trunk main are ready"), "{}", ended.shown());
    assert!(is_told == (how == "copy") && ended.stderr.contains(says), "{}", ended.shown());
    assert!(stateful.entries("branches").is_empty(), "{:?}", stateful.entries("branches"));
}

/// With a setting of the database.
fn with_setting(stateful: Stateful) -> Stateful {
    let migration =
        "create table t (id int primary key, v text); alter database plimsoll set work_mem = '7MB';";
    stateful.project.write("migrations/0001_init.sql", migration);
    stateful.succeed(&["trunk", "create", "main", "--postgres", "18"]);
    stateful
}

#[test]
fn databases_of_one_server_are_cloned_on_xfs() {
    let on = Stateful::on(FILES, |folder| SmallDisk::format(folder, "xfs", 1000));
    let Some(stateful) = on.map(with_setting) else { return };
    check_databases(&stateful, "clone", "database suite_2 of branch suite-1");
}

#[test]
fn databases_of_one_server_are_copied_where_nothing_clones() {
    let on = Stateful::on(FILES, |folder| SmallDisk::mount(folder, 1000));
    let Some(stateful) = on.map(with_setting) else { return };
    check_databases(&stateful, "copy", "database suite_2 of branch suite-1");
    // A server that has died is replaced.
    let mut running = stateful.plimsoll(&["branch", "pool", "suite", "--size", "1", "--databases"]).start();
    let take = |what: &str| {
        let taken = stateful.run(&["branch", "take", "suite"]);
        (taken.status.success() && taken.stderr.contains(what)).then_some(())
    };
    running.wait_until("a database", |_| take("of branch suite-1"));
    let postmaster = rustix::process::Pid::from_raw(stateful.process("suite-1", "postmaster")).unwrap();
    rustix::process::kill_process(postmaster, Signal::KILL).unwrap();
    running.wait_until("one of another server", |_| {
        let taken = stateful.run(&["branch", "take", "suite"]);
        (taken.status.success() && !taken.stderr.contains("of branch suite-1\n")).then_some(())
    });
    running.signal(Signal::TERM);
    running.end().fails(143, &[]);
    is_empty_soon(&stateful);
}
