//! What the machine lacks or refuses: exit code 3, a message that helps, nothing left behind.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::project::{Project, open_folder, programs};
use crate::small_disk::SmallDisk;

fn project() -> Project {
    Project::new([("migrations/1.sql", "create table t (id int);"), ("migrations/2.sql", "drop table t;")])
}

fn write_program(path: &Path, script: &str) {
    std::fs::write(path, script).unwrap();
    std::fs::set_permissions(path, PermissionsExt::from_mode(0o755)).unwrap();
}

#[test]
fn a_missing_server_tells_how_to_install_one() {
    project()
        .run(&["check", "--postgres", "99", "migrations/2.sql"])
        .fails(3, &["find PostgreSQL 99 on this machine", "install it with `"]);
    let project = project();
    std::fs::create_dir(project.path().join("empty")).unwrap();
    project.write("plimsoll.toml", "[database]\nbinaries = \"empty\"\n");
    project
        .run(&["check", "migrations/2.sql"])
        .fails(3, &["/empty as PostgreSQL", "name a folder with PostgreSQL's programs"]);
    // Lint needs none.
    project.run(&["lint", "migrations/2.sql"]).prints(0, &["ban-drop-table"]);
}

#[test]
fn a_server_that_refuses_to_start_shows_its_log() {
    let folder = open_folder();
    let real = programs(15);
    let fake = |script: &str| {
        write_program(
            &folder.path().join("postgres"),
            &format!(
                "#!/bin/sh\nif [ \"$1\" = --version ]; then exec '{}' --version; fi\n{script}\n",
                real.join("postgres").display()
            ),
        );
    };
    for program in ["initdb", "pg_ctl"] {
        let script = format!("#!/bin/sh\nexec '{}' \"$@\"\n", real.join(program).display());
        write_program(&folder.path().join(program), &script);
    }
    let project = project();
    project.write("plimsoll.toml", format!("[database]\nbinaries = \"{}\"\n", folder.path().display()));
    // Prepared data directories of this server are of no use to others.
    let cache = open_folder();
    let check = || project.plimsoll(&["check", "migrations/2.sql"]).env("PLIMSOLL_CACHE", cache.path()).run();
    fake("echo 'FATAL:  the moon is wrong' >&2; exit 1");
    check().fails(3, &["start a private PostgreSQL 15", "exit status: 1", "FATAL:  the moon is wrong"]);
    fake("kill -SEGV $$");
    check().fails(3, &["start a private PostgreSQL 15", "SIGSEGV"]);
    std::fs::write(folder.path().join("postgres"), [0x7f, b'E', b'L', b'F', 0]).unwrap();
    check().fails(3, &[&folder.path().display().to_string()]);
}

#[test]
fn a_full_or_read_only_cache_is_named() {
    let folder = open_folder();
    let project = project();
    use_installed(&project);
    let check =
        || project.plimsoll(&["check", "migrations/2.sql"]).env("PLIMSOLL_CACHE", folder.path()).run();
    let Some(disk) = SmallDisk::mount(folder.path(), 4) else {
        std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o555)).unwrap();
        return check().fails(3, &["Permission denied", "PLIMSOLL_CACHE"]);
    };
    check().fails(3, &["No space left on device", "PLIMSOLL_CACHE"]);
    disk.make_read_only();
    check().fails(3, &["Read-only file system", "PLIMSOLL_CACHE"]);
}

#[test]
fn no_room_for_the_server_is_the_environments_fault() {
    let project = project();
    let Some(run) = project.plimsoll(&["check", "migrations/2.sql"]).on_small_disk(8) else { return };
    run.run().fails(3, &["No space left on device", "TMPDIR"]);
}

#[test]
fn a_disk_that_fills_up_meanwhile_is_the_environments_fault() {
    let rows = "create unlogged table big as select repeat(n::text, 100) from generate_series(1, 1000000) n;";
    for (seed, change) in [(rows, "select 1"), ("select 1", rows)] {
        let project = project();
        project.write("plimsoll.toml", "[database]\nseed = \"seed.sql\"\n");
        project.write("seed.sql", seed);
        project.write("migrations/2.sql", change);
        let Some(run) =
            project.plimsoll(&["check", "--postgres", "15", "migrations/2.sql"]).on_small_disk(128)
        else {
            return;
        };
        run.run().fails(3, &["No space left on device"]);
    }
}

#[test]
fn a_temporary_folder_that_cant_be_used_is_replaced_or_named() {
    let project = project();
    let long = project.path().join("x".repeat(90));
    std::fs::create_dir(&long).unwrap();
    let check = |folder: &Path| project.plimsoll(&["check", "migrations/2.sql"]).env("TMPDIR", folder).run();
    check(&long).prints(0, &["ban-drop-table"]);
    check(&project.path().join("missing")).prints(0, &["ban-drop-table"]);
}

#[test]
fn two_runs_at_once_dont_disturb_each_other() {
    let project = project();
    use_installed(&project);
    let cache = open_folder();
    let start = || {
        let run = project.plimsoll(&["check", "--format", "json", "--postgres", "15", "migrations/2.sql"]);
        run.env("PLIMSOLL_CACHE", cache.path()).start()
    };
    // With a cache that neither has filled.
    let (one, other) = (start(), start());
    for running in [one, other] {
        assert_eq!(running.end().report().deeds(), ["AccessExclusiveLock public.t"]);
    }
}

/// Names the server's programs, which may lie in the cache that a test does without.
fn use_installed(project: &Project) {
    project.write("plimsoll.toml", format!("[database]\nbinaries = '{}'\n", programs(15).display()));
}
