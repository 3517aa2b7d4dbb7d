//! The yard: a file system of our own, for root where no other clones files.

use std::os::unix::process::CommandExt as _;
use std::process::Command;

use crate::stateful::Stateful;

const FILES: [(&str, &str); 3] = [
    ("plimsoll.toml", "[database]\nseed = \"seed.sql\"\n"),
    ("migrations/0001_init.sql", "create table t (id int primary key, v text);"),
    ("seed.sql", "insert into t select g, 'v' || g from generate_series(1, 500) g;"),
];

/// Whether this user and machine can have one; says why not.
pub(crate) fn can_be_made() -> bool {
    let is_root = rustix::process::geteuid().is_root();
    let can = is_root && Command::new("mkfs.xfs").arg("-V").output().is_ok();
    if !can {
        println!("skipped: a yard takes root and mkfs.xfs");
    }
    can
}

#[test]
fn trunks_and_branches_live_in_a_yard() {
    if !can_be_made() {
        return;
    }
    let stateful = Stateful::new(FILES);
    let make = ["branch", "yard", "--size", "1GB"];
    stateful.succeed(&["trunk", "create", "early"]);
    stateful.run(&make).fails(2, &["trunk early is outside of it"]);
    stateful.succeed(&["trunk", "drop", "early"]);
    stateful.run(&["branch", "yard", "--size", "10MB"]).fails(2, &["ask for 300 MB or more"]);
    stateful.run(&["branch", "yard", "--size", "900TB"]).fails(3, &["free, and 900 TB were asked for"]);
    stateful.run(&["branch", "yard", "--remove"]).fails(2, &["there is none"]);
    assert!(stateful.succeed(&["branch", "yard"]).stdout.starts_with("no yard"));

    let made = stateful.succeed(&make);
    assert!(
        made.stdout.contains("1.00 GB at most") && made.stdout.contains("mounted at"),
        "{}",
        made.shown()
    );
    stateful.run(&make).fails(2, &["there is one"]);
    stateful.succeed(&["trunk", "create", "main"]);
    let branch = stateful.succeed(&["branch", "create", "a"]);
    assert!(branch.stderr.contains("by block-clone"), "{}", branch.shown());
    stateful.query("a", "update t set v = 'mine'; checkpoint");
    assert_eq!((stateful.entries("yard/branches").len(), stateful.entries("s").len()), (1, 1));
    assert!(stateful.entries("branches").is_empty() && stateful.entries("trunks").is_empty());
    stateful.run(&["branch", "yard", "--remove"]).fails(2, &["trunk main is in it"]);

    // As after a restart of the machine.
    stateful.succeed(&["branch", "stop", "a"]);
    let unmounted = Command::new("umount").arg(stateful.state().join("yard")).status().unwrap();
    assert!(unmounted.success());
    assert_eq!(stateful.query("a", "select count(*) from t where v = 'mine'"), "500");

    // It gives back what nobody uses any more.
    stateful.query(
        "a",
        "create table big as select repeat('x', 1000) from generate_series(1, 200000); checkpoint",
    );
    let taken = || {
        use std::os::unix::fs::MetadataExt as _;
        // Servers of branches don't wait for the disk.
        let synced = Command::new("sync").arg("-f").arg(stateful.state().join("yard")).status().unwrap();
        assert!(synced.success());
        let image = stateful.state().join("yard.img");
        image.metadata().unwrap().blocks() * 512
    };
    let full = taken();
    stateful.succeed(&["branch", "drop", "a"]);
    let gave_back = (0..300).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(100));
        taken() + (100 << 20) < full
    });
    assert!(gave_back, "{full} {}", taken());
    stateful.succeed(&["trunk", "drop", "main"]);
    stateful.succeed(&["branch", "yard", "--remove"]);
    assert!(!stateful.state().join("yard.img").exists() && !stateful.state().join("yard").exists());
    stateful.succeed(&["trunk", "create", "late"]);
}

#[test]
fn a_full_yard_is_told() {
    if !can_be_made() {
        return;
    }
    let stateful = Stateful::new(FILES);
    stateful.succeed(&["branch", "yard", "--size", "400MB"]);
    stateful.succeed(&["trunk", "create", "main"]);
    stateful.succeed(&["branch", "create", "greedy"]);
    stateful.succeed(&["branch", "create", "modest"]);
    let fill = "create table big as select g, repeat('x', 1000) x from generate_series(1, 1000000) g";
    let why = stateful.try_query("greedy", fill).unwrap_err();
    assert!(why.contains("No space left on device") || why.contains("server closed the connection"), "{why}");
    assert_eq!(stateful.query("modest", "select count(*) from t"), "500");
    let place = stateful.state().join("yard/ballast");
    std::fs::create_dir(&place).unwrap();
    for size in [1 << 20, 4 << 10] {
        let bytes = vec![1; size];
        let full =
            (0..4000).any(|number| std::fs::write(place.join(format!("{size}-{number}")), &bytes).is_err());
        assert!(full);
    }
    stateful.run(&["branch", "create", "late"]).fails(3, &["the yard is full", "branch drop"]);
    std::fs::remove_dir_all(place).unwrap();
    stateful.succeed(&["branch", "drop", "greedy"]);
    stateful.succeed(&["branch", "create", "late"]);
    assert_eq!(stateful.query("late", "select count(*) from t"), "500");
}

#[test]
fn only_root_makes_a_yard() {
    if !rustix::process::geteuid().is_root() {
        println!("skipped: only root can run a program as nobody");
        return;
    }
    let stateful = Stateful::new(FILES);
    let mut command = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
    command.args(["branch", "yard", "--size", "1GB"]).env("PLIMSOLL_STATE", stateful.state());
    let Ok(output) = command.env("HOME", "/").current_dir("/").uid(65534).gid(65534).output() else {
        println!("skipped: the program is where nobody else can run it");
        return;
    };
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(3) && said.contains("only root can mount it"), "{said}");
}
