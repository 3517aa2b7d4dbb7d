//! `plimsoll branch`: what a person does with branches, by every mechanism that the machine has.

use crate::small_disk::SmallDisk;
use crate::stateful::Stateful;

const FILES: [(&str, &str); 3] = [
    ("plimsoll.toml", "[database]\nname = \"shop\"\nseed = \"seed.sql\"\n"),
    ("migrations/0001_init.sql", "create table t (id int primary key, v text);"),
    ("seed.sql", "insert into t select g, 'v' || g from generate_series(1, 2000) g;"),
];

/// With a trunk, `main`.
fn with_trunk(major: u32) -> Stateful {
    let stateful = Stateful::new(FILES);
    stateful.succeed(&["trunk", "create", "main", "--postgres", &major.to_string()]);
    stateful
}

#[test]
fn a_state_folder_is_told_when_no_socket_fits() {
    let stateful = Stateful::new(FILES);
    let folder = stateful.state().join("x".repeat(90));
    let made = stateful.plimsoll(&["trunk", "create", "main"]).env("PLIMSOLL_STATE", &folder).run();
    made.fails(2, &["fit a socket's name", "set PLIMSOLL_STATE to a shorter one"]);
    assert!(!folder.exists());
}

#[test]
fn a_state_folder_can_be_moved_and_have_two_paths() {
    let stateful = with_trunk(18);
    stateful.succeed(&["branch", "create", "a"]);
    let shows_files = shows_files(&stateful, "a");
    let other = stateful.state().with_file_name("other");
    std::os::unix::fs::symlink(stateful.state(), &other).unwrap();
    let by_other = |arguments: &[&str]| stateful.plimsoll(arguments).env("PLIMSOLL_STATE", &other).run();
    by_other(&["trunk", "refresh", "main"]).fails(0, &["version 2"]);
    let dropped = by_other(&["trunk", "drop", "main"]);
    dropped.fails(if shows_files { 2 } else { 0 }, &[]);
    assert_eq!(stateful.query("a", "select count(*) from t"), "2000");
    stateful.succeed(&["branch", "stop", "a"]);
    std::fs::remove_file(&other).unwrap();
    std::fs::rename(stateful.state(), &other).unwrap();
    let query = ["branch", "psql", "a", "--", "-XAtqc", "select count(*) from t"];
    let asked = by_other(&query);
    assert_eq!(asked.stdout.trim(), "2000", "{}", asked.shown());
    by_other(&["branch", "stop", "a"]).fails(0, &[]);
    std::fs::rename(&other, stateful.state()).unwrap();
    // What is damaged can be dropped.
    std::fs::write(stateful.state().join("branches/a/branch.json"), "{").unwrap();
    stateful.run(&["branch", "url", "a"]).fails(3, &["if it is damaged"]);
    stateful.succeed(&["branch", "drop", "a"]);
}

#[test]
fn no_other_user_can_hold_a_lock() {
    use std::os::unix::fs::PermissionsExt as _;
    let stateful = with_trunk(18);
    stateful.succeed(&["branch", "create", "a"]);
    let found = std::process::Command::new("find").arg(stateful.state()).args(["-name", "*.lock"]).output();
    let found = String::from_utf8(found.unwrap().stdout).unwrap();
    assert!(found.contains("branches/a/work.lock"), "{found}");
    for path in found.lines() {
        let mode = std::fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{path}: {mode:o}");
    }
}

fn check_life(major: u32) {
    let stateful = with_trunk(major);
    let made = stateful.succeed(&["branch", "create", "a"]);
    assert!(made.stdout.starts_with("postgresql://postgres@/shop?host="), "{}", made.shown());
    assert!(made.stderr.contains("branch a of trunk main (version 1), by "), "{}", made.shown());
    assert!(stateful.query("a", "show server_version_num").starts_with(&major.to_string()));
    stateful.query("a", "insert into t values (3000, 'mine'); create table own (id int)");
    stateful.succeed(&["branch", "create", "b"]);
    assert_eq!(stateful.query("b", "select count(*) from t"), "2000");
    // Of a branch that runs, and of one that rests.
    stateful.succeed(&["branch", "create", "c", "--from", "a", "--mechanism", "copy"]);
    assert_eq!(stateful.query("c", "select count(*), to_regclass('own') from t"), "2001|own");
    stateful.query("c", "delete from t");
    stateful.succeed(&["branch", "stop", "c"]);
    assert_eq!(stateful.listed("c").unwrap()["running"], false);
    stateful.succeed(&["branch", "create", "d", "--from", "c"]);
    assert_eq!(stateful.query("d", "select count(*) from t"), "0");
    assert_eq!(stateful.query("a", "select count(*) from t"), "2001");
    // Against the parent.
    let different = stateful.succeed(&["branch", "diff", "a"]);
    assert!(different.stdout.contains("+CREATE TABLE public.own ("), "{}", different.shown());
    assert!(different.stdout.contains("public.t    2,000        2,001"), "{}", different.shown());
    stateful.succeed(&["branch", "reset", "a"]);
    assert_eq!(stateful.query("a", "select count(*), to_regclass('own') from t"), "2000|");
    let same = stateful.succeed(&["branch", "diff", "a"]);
    assert!(
        same.stdout.is_empty() && same.stderr.contains("has the schema and the numbers of rows"),
        "{}",
        same.shown()
    );
    // A trunk that is taken anew leaves branches as they are.
    let name = "insert into t values (9999, 'new seed')";
    stateful.project.write("seed.sql", name);
    stateful.succeed(&["trunk", "refresh", "main"]);
    assert_eq!(stateful.query("b", "select count(*) from t"), "2000");
    stateful.succeed(&["branch", "reset", "b"]);
    assert_eq!(stateful.query("b", "select count(*) from t"), "1");
    assert_eq!(stateful.entries("trunks/main/versions").len(), 1 + usize::from(shows_files(&stateful, "a")));
    stateful.succeed(&["branch", "drop", "a", "b", "c", "d"]);
    stateful.succeed(&["branch", "gc"]);
    assert_eq!(stateful.entries("trunks/main/versions"), ["2"]);
    stateful.succeed(&["trunk", "drop", "main"]);
    for folder in ["branches", "building", "s", "trash", "trunks"] {
        assert!(stateful.entries(folder).is_empty(), "{folder}: {:?}", stateful.entries(folder));
    }
}

fn shows_files(stateful: &Stateful, branch: &str) -> bool {
    let path = stateful.state().join("branches").join(branch).join("branch.json");
    let json: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    !json["lower"].is_null()
}

#[test]
fn branches_live_apart_on_15() {
    check_life(15);
}

#[test]
fn branches_live_apart_on_18() {
    check_life(18);
}

/// Every mechanism that can be used in this place makes a branch that lives through the death of its keeper.
fn check_mechanisms(stateful: &Stateful, expected: &[&str]) {
    stateful.succeed(&["trunk", "create", "main"]);
    let doctor = stateful.succeed(&["branch", "doctor"]).stdout;
    let mut tried = Vec::new();
    for kind in ["btrfs-snapshot", "block-clone", "fuse", "overlay", "copy"] {
        let line = doctor.lines().find(|line| line.trim_start_matches(['→', ' ']).starts_with(kind)).unwrap();
        if line.contains("can't be used here") {
            let refused = stateful.run(&["branch", "create", "x", "--mechanism", kind]);
            refused.fails(2, &["branch doctor"]);
            continue;
        }
        if kind == "btrfs-snapshot" || !expected.contains(&"btrfs-snapshot") || kind == "copy" {
            tried.push(kind);
        }
        stateful.succeed(&["branch", "create", kind, "--mechanism", kind]);
        let own = stateful.listed(kind).unwrap()["own_bytes"].as_u64().unwrap();
        assert!(
            own < if kind == "copy" { 100 << 20 } else { 20 << 20 },
            "{kind} takes {own} bytes when it is fresh"
        );
        stateful.query(kind, "update t set v = 'x'; create index on t (v)");
        // Commits are written to the WAL a little later.
        stateful.query(kind, "checkpoint");
        let keeper = rustix::process::Pid::from_raw(stateful.process(kind, "keeper")).unwrap();
        rustix::process::kill_process(keeper, rustix::process::Signal::KILL).unwrap();
        assert_eq!(stateful.query(kind, "select count(*) from t where v = 'x'"), "2000", "{kind}");
        let postmaster = rustix::process::Pid::from_raw(stateful.process(kind, "postmaster")).unwrap();
        rustix::process::kill_process(postmaster, rustix::process::Signal::KILL).unwrap();
        let again = || stateful.try_query(kind, "select count(*) from t where v = 'x'");
        // Until the keeper has heard of it.
        let answer = (0..100).find_map(|_| {
            again().ok().or_else(|| {
                std::thread::sleep(std::time::Duration::from_millis(50));
                None
            })
        });
        assert_eq!(answer.as_deref(), Some("2000"), "{kind}");
    }
    for kind in expected {
        assert!(tried.contains(kind), "{kind} can't be used: {doctor}");
    }
    for kind in &tried {
        stateful.succeed(&["branch", "drop", kind]);
    }
}

#[test]
fn every_mechanism_of_this_place_keeps_what_was_written() {
    check_mechanisms(&Stateful::new(FILES), &["copy"]);
}

#[test]
fn files_are_cloned_on_xfs() {
    let Some(stateful) = Stateful::on(FILES, |folder| SmallDisk::format(folder, "xfs", 2000)) else { return };
    check_mechanisms(&stateful, &["block-clone"]);
}

#[test]
fn subvolumes_are_snapshot_on_btrfs() {
    let Some(stateful) = Stateful::on(FILES, |folder| SmallDisk::format(folder, "btrfs", 2000)) else {
        return;
    };
    check_mechanisms(&stateful, &["btrfs-snapshot"]);
}

#[test]
fn a_program_gets_a_branch_that_goes_with_it() {
    let stateful = with_trunk(18);
    let script = "psql -XAtq -c 'insert into t values (5000, 1) returning id' && psql -XAtq \"$DATABASE_URL\" -c 'select count(*) from t'";
    let arguments = ["branch", "create", "short", "--exec", "sh", "-c", script];
    let path = crate::clients::path(18);
    let ended = stateful.plimsoll(&arguments).env("PATH", &path).run();
    ended.prints(0, &["5000\n2001\n"]);
    assert!(stateful.listed("short").is_none() && stateful.entries("s").is_empty());
    stateful.run(&["branch", "create", "short", "--exec", "sh", "-c", "exit 7"]).fails(7, &[]);
    stateful.run(&["branch", "create", "short", "--exec", "nonesuch"]).fails(2, &["run nonesuch"]);
    assert!(stateful.listed("short").is_none());
    // However the program ends, the branch goes.
    let mut running = stateful.plimsoll(&["branch", "create", "short", "--exec", "sleep", "100"]).start();
    running.wait_until("a branch", |_| stateful.listed("short").filter(|known| known["running"] == true));
    running.signal(rustix::process::Signal::KILL);
    let gone = (0..200).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(50));
        stateful.entries("branches").is_empty()
    });
    assert!(gone, "{:?}", stateful.entries("branches"));
}

#[test]
fn a_branch_ends_with_its_time() {
    let stateful = with_trunk(18);
    stateful.succeed(&["branch", "create", "brief", "--ttl", "2s"]);
    assert_eq!(stateful.query("brief", "select count(*) from t"), "2000");
    let gone = (0..200).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(50));
        stateful.entries("branches").is_empty()
    });
    assert!(gone);
    // One that doesn't run when its time is over goes with the next command.
    stateful.succeed(&["branch", "create", "brief", "--ttl", "1s"]);
    stateful.succeed(&["branch", "stop", "brief"]);
    std::thread::sleep(std::time::Duration::from_millis(1500));
    assert!(stateful.listed("brief").is_none());
}

#[test]
fn a_port_wants_a_password() {
    let stateful = with_trunk(18);
    let made = stateful.succeed(&["branch", "create", "open", "--port"]);
    let url = made.stdout.trim().to_owned();
    assert!(url.starts_with("postgresql://postgres:") && url.contains("@127.0.0.1:"), "{url}");
    let psql = |url: &str| {
        let mut command = std::process::Command::new(crate::project::programs(18).join("psql"));
        command
            .args(["-XAtqw", "-c", "select count(*) from t", url])
            .env("PGCONNECT_TIMEOUT", "10")
            .output()
            .unwrap()
    };
    assert_eq!(String::from_utf8(psql(&url).stdout).unwrap().trim(), "2000");
    let (login, rest) = url.split_once('@').unwrap();
    let (user, _) = login.rsplit_once(':').unwrap();
    assert!(!psql(&format!("{user}@{rest}")).status.success());
    assert!(!psql(&format!("{user}:wrong@{rest}")).status.success());
}

#[test]
fn what_is_wrong_is_told() {
    let stateful = Stateful::new(FILES);
    stateful.run(&["branch", "create", "a"]).fails(2, &["there is none; `plimsoll trunk create NAME"]);
    stateful.run(&["branch", "url", "a"]).fails(2, &["find branch a: there is none"]);
    for name in ["../x", "/tmp/x", ".", "a/b", "", "-", "a b"] {
        for verb in ["branch", "trunk"] {
            let ended = stateful.run(&[verb, "create", "--", name]);
            ended.fails(2, &["use up to 63 letters"]);
        }
        stateful.run(&["branch", "drop", "--", name]).fails(2, &["use up to 63 letters"]);
    }
    stateful.succeed(&["trunk", "create", "main"]);
    stateful.run(&["trunk", "create", "main"]).fails(2, &["there is one of this name", "trunk refresh"]);
    stateful.succeed(&["branch", "create", "a"]);
    stateful.run(&["branch", "create", "a"]).fails(2, &["there is one of this name"]);
    stateful.run(&["branch", "create", "b", "--from", "zzz"]).fails(2, &["neither a trunk nor a branch"]);
    stateful.run(&["branch", "create", "b", "--mechanism", "magic"]).fails(2, &["use one of btrfs-snapshot"]);
    stateful.run(&["branch", "create", "b", "--set", "x y=1"]).fails(2, &["correct the name"]);
    for setting in ["unix_socket_permissions=0777", "Listen_Addresses=*", "data_directory=/nowhere"] {
        stateful.run(&["branch", "create", "b", "--set", setting]).fails(2, &["is not to be set", "--port"]);
    }
    let refused = stateful.run(&["branch", "create", "b", "--set", "work_mem=lots"]);
    refused.fails(3, &["start branch b", "invalid value for parameter \"work_mem\""]);
    assert!(stateful.listed("b").is_none());
    stateful.run(&["trunk", "refresh", "zzz"]).fails(2, &["there are main"]);
    for source in ["nowhere.dump", "postgres://boss@/x?host=/nowhere"] {
        let ended = stateful.run(&["trunk", "create", "other", "--from", source]);
        assert!(matches!(ended.status.code(), Some(2 | 3)), "{}", ended.shown());
    }
    assert_eq!(stateful.entries("trunks"), ["main"]);
    assert!(stateful.entries("building").is_empty());
}

#[test]
fn nobody_else_can_read_a_branch() {
    use std::os::unix::fs::PermissionsExt as _;
    let stateful = with_trunk(18);
    stateful.succeed(&["branch", "create", "a"]);
    stateful.query("a", "select 1");
    let mode = |path: &str| stateful.state().join(path).metadata().unwrap().permissions().mode() & 0o777;
    for private in ["branches/a/data", "trunks/main/versions/1/data"] {
        assert_eq!(mode(private), 0o700, "{private}");
    }
    for private in
        ["branches/a/server.log", "branches/a/keeper.log", "branches/a/branch.json", "trunks/main/trunk.json"]
    {
        assert_eq!(mode(private) & 0o077, 0, "{private}");
    }
    let sockets = stateful.entries("s");
    assert_eq!(mode(&format!("s/{}", sockets[0])), 0o700);
    assert_eq!(mode("branches") & 0o066, 0);
}

#[test]
fn a_private_server_has_branches_too() {
    let stateful = Stateful::new([("plimsoll.toml", "")]);
    let served = crate::served::Served::start(&stateful.project, 18);
    let sql = |url: &str, sql: &str| {
        let mut psql = std::process::Command::new(crate::project::programs(18).join("psql"));
        let output = psql.args(["-XAtq", "-c", sql, url]).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    sql(&served.url, "create table t as select generate_series(1, 600) id");
    stateful.succeed(&["branch", "create", "a", "--from", &served.url]);
    assert_eq!(stateful.query("a", "delete from t returning id").lines().count(), 600);
    assert_eq!(sql(&served.url, "select count(*) from t"), "600");
    stateful.run(&["branch", "reset", "a"]).fails(2, &["create it anew"]);
    let production = crate::production::Production::start(18, "");
    stateful
        .run(&["branch", "create", "b", "--from", &production.url("postgres")])
        .fails(2, &["no private server of Plimsoll's"]);
    stateful
        .run(&["branch", "create", "b", "--from", "postgres://x@db.example/shop?sslmode=disable"])
        .fails(2, &["trunk create --from"]);
    served.stop();
}

#[test]
fn a_change_is_rehearsed_on_a_trunk() {
    let stateful = with_trunk(18);
    stateful.project.write(
        "migrations/0002_change.sql",
        "alter table t alter column v type varchar(3);\nalter table t rename column id to number;\n",
    );
    stateful.project.write("queries/all.sql", "-- name: by_id\nselect v from t where id = 7;\n");
    stateful.project.write("plimsoll.toml", "[queries]\npath = \"queries\"\n");
    let arguments = ["check", "migrations/0002_change.sql", "--on", "main", "--format", "json"];
    let ended = stateful.run(&arguments);
    let report = ended.report();
    let failed = report.statement("alter table t alter column v type varchar(3)");
    assert!(failed["error"]["message"].as_str().unwrap().contains("too long"), "{failed:#}");
    stateful.project.write(
        "migrations/0002_change.sql",
        "alter table t alter column v type varchar(9);\nalter table t rename column id to number;\n",
    );
    let ended = stateful.run(&arguments);
    let report = ended.report();
    let rewritten = report.statement("alter table t alter column v type varchar(9)");
    // The trunk's rows, not a seed's.
    assert_eq!(report.json["rehearsal"]["seeded"], true);
    assert!(
        rewritten["rows_read"].to_string().contains("2000") || rewritten.to_string().contains("2000"),
        "{rewritten:#}"
    );
    let query = &report.json["queries"][0];
    assert_eq!(query["verdict"], "failed");
    assert!(query["reasons"].to_string().contains("broken by migrations/0002_change.sql:2"), "{query:#}");
    assert!(
        report.json["notes"].to_string().contains("Rehearsed on a branch of trunk main (version 1"),
        "{:#}",
        report.json["notes"]
    );
    // Neither side is left, and the trunk is as it was.
    assert!(stateful.entries("branches").is_empty() && stateful.entries("s").is_empty());
    stateful.succeed(&["branch", "create", "a"]);
    assert_eq!(stateful.query("a", "select count(*) from t where id > 0"), "2000");
    stateful.run(&["check", "migrations/0002_change.sql", "--on", "nonesuch"]).fails(2, &["there are main"]);
    stateful
        .run(&[&arguments[..], &["--postgres", "15"]].concat())
        .fails(2, &["the trunk is one of PostgreSQL 18"]);
    // Several at once share the trunk.
    let runs: Vec<_> = (0..3).map(|_| stateful.plimsoll(&arguments).start()).collect();
    for running in runs {
        assert_eq!(running.end().report().json["queries"][0]["verdict"], "failed");
    }
    let mut running = stateful.plimsoll(&["check", "migrations/0002_change.sql", "--on", "main"]).start();
    running.wait_until("a branch", |_| (stateful.entries("branches").len() > 1).then_some(()));
    running.signal(rustix::process::Signal::INT);
    running.end().fails(130, &[]);
    assert_eq!(stateful.entries("branches"), ["a"]);
}
