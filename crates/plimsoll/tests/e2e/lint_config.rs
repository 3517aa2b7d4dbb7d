//! `[lint]` in plimsoll.toml, ignore comments, baselines.

use crate::project::Project;

const BASE: &str = "create table t (id int, n int);\ncreate table u (id int);\n";

/// What follows the base; a lock timeout keeps other rules quiet.
fn project(change: &str) -> Project {
    let change = format!("set lock_timeout = '1s';\n{change}");
    Project::new([("migrations/1.sql", BASE.to_owned()), ("migrations/2.sql", change)])
}

/// The findings of `lint` on the change, as `line severity rule`.
#[track_caller]
fn check(project: &Project, expected: &[&str]) {
    check_with(project, &["migrations/2.sql"], expected);
}

#[track_caller]
fn check_with(project: &Project, arguments: &[&str], expected: &[&str]) {
    let ended = project.run(&[&["lint", "--format", "short"], arguments].concat());
    assert!(matches!(ended.status.code(), Some(0 | 1)), "{}", ended.shown());
    let found: Vec<String> = ended
        .stdout
        .lines()
        .map(|line| {
            let (place, rest) = line.split_once(": ").unwrap();
            let (severity, rest) = rest.split_once('[').unwrap();
            let rule = rest.split_once(']').unwrap().0;
            format!("{} {severity} {rule}", place.split(':').nth(1).unwrap())
        })
        .collect();
    assert_eq!(found, expected, "{}", ended.shown());
}

#[test]
fn a_rule_has_the_severity_that_config_gives_it() {
    let project = project("drop table t;");
    check(&project, &["2 warning ban-drop-table"]);
    for (level, expected) in [
        ("error", &["2 error ban-drop-table"][..]),
        ("note", &["2 note ban-drop-table"]),
        ("on", &["2 warning ban-drop-table"]),
        ("off", &[]),
    ] {
        project.write("plimsoll.toml", format!("[lint.rules]\nban-drop-table = \"{level}\"\n"));
        check(&project, expected);
    }
    project.write("plimsoll.toml", "[lint]\nignore = [\"ban-drop-table\"]\n");
    check(&project, &[]);
}

#[test]
fn another_tools_name_means_the_rule() {
    let project = project("create index on t (n);");
    check(&project, &["2 error require-concurrent-index-creation"]);
    project.write("plimsoll.toml", "[lint]\nignore = [\"E6\"]\n");
    check(&project, &[]);
    project.write("plimsoll.toml", "[lint.rules]\nadd_index = \"note\"\n");
    check(&project, &["2 note require-concurrent-index-creation"]);
}

#[test]
fn paths_have_rules_of_their_own() {
    let project = project("drop table t;");
    project.write("migrations/3_old.sql", "set lock_timeout = 1; drop table u;");
    let config = "[lint.rules]\nban-drop-table = \"error\"\n\
                  [[lint.overrides]]\npaths = [\"**/*_old.sql\"]\nrules = { ban-drop-table = \"off\" }\n";
    project.write("plimsoll.toml", config);
    let both = ["migrations/2.sql", "migrations/3_old.sql"];
    check_with(&project, &both, &["2 error ban-drop-table"]);
    // Globs are seen from the project's folder, wherever the program runs.
    let ended = project
        .plimsoll(&["lint", "--format", "short", "2.sql", "3_old.sql"])
        .within(&project.path().join("migrations"))
        .run();
    ended.prints(1, &["2.sql:2:1: error[ban-drop-table]"]);
    assert_eq!(ended.stdout.lines().count(), 1, "{}", ended.shown());
}

#[test]
fn files_are_included_and_excluded() {
    let project = project("drop table t;");
    project.write("migrations/vendor/3.sql", "set lock_timeout = 1; drop table u; create table w (a int);");
    project.write("migrations/vendor_4.sql", "set lock_timeout = 1; drop table w;");
    let all = ["--all"];
    check_with(
        &project,
        &all,
        &["2 warning ban-drop-table", "1 warning ban-drop-table", "1 warning ban-drop-table"],
    );
    project.write("plimsoll.toml", "[lint]\nexclude = [\"migrations/vendor\"]\n");
    // What the file makes is known all the same.
    check_with(&project, &all, &["2 warning ban-drop-table", "1 warning ban-drop-table"]);
    project.run(&["lint", "--all"]).prints(0, &["1 file was not judged, as [lint] include and exclude say."]);
    project.write("plimsoll.toml", "[lint]\ninclude = [\"migrations/vendor/**\"]\n");
    check_with(&project, &all, &["1 warning ban-drop-table"]);
}

#[test]
fn wrong_policies_are_placed() {
    let project = project("select 1");
    for (config, says) in [
        (
            "[lint]\nextend = [\"lokcs\"]\n",
            "plimsoll.toml:2:11: unknown group of rules `lokcs`; did you mean `locks`?",
        ),
        (
            "[lint.rules]\nban-drop-tabel = \"off\"\n",
            "plimsoll.toml:2:1: unknown rule `ban-drop-tabel`; did you mean `ban-drop-table`?",
        ),
        (
            "[lint.rules]\nban-drop-table = \"erorr\"\n",
            "plimsoll.toml:2:18: unknown level `erorr`; did you mean `error`?",
        ),
        ("[[lint.overrides]]\npaths = [\"a{\"]\nrules = {}\n", "plimsoll.toml:2:10: `a{` is no glob: "),
        ("[[lint.overrides]]\nrules = {}\n", "plimsoll.toml:1:1: missing field `paths`"),
        (
            "[lint]\nignore = [\"ban-drop-table\"]\n[lint.rules]\nban-drop-table = \"on\"\n",
            "plimsoll.toml:4:1: `ban-drop-table` is in `ignore`, too",
        ),
        ("[lint.placeholders]\na = [1]\n", "plimsoll.toml:2:5: a placeholder's value is a text or a number"),
        ("[lint]\nbaseline = \"none\"\n", "read none: No such file"),
    ] {
        project.write("plimsoll.toml", config);
        project.run(&["lint", "migrations/2.sql"]).fails(2, &[says]);
    }
}

#[test]
fn comments_ignore_rules() {
    let above = "-- plimsoll: ignore ban-drop-table -- it is empty\ndrop table t;\ndrop table u;";
    check(&project(above), &["4 warning ban-drop-table"]);
    let behind = "drop table t; -- plimsoll: ignore ban-drop-table -- it is empty\ndrop table u;";
    check(&project(behind), &["3 warning ban-drop-table"]);
    check(&project("drop table t;\ndrop table u;\n/* plimsoll: ignore-file\n   ban-drop-table */"), &[]);
    check(&project("select '-- plimsoll: ignore-file';\ndrop table t;"), &["3 warning ban-drop-table"]);
    check(&project("-- squawk-ignore ban-drop-table\ndrop table t;"), &[]);
    check(&project("-- eugene: ignore E6\ncreate index on t (n);"), &[]);
}

#[test]
fn remarks_on_comments_are_findings() {
    check(&project("-- plimsoll: ignore ban-drop-table\nselect 1;"), &["2 note unused-ignore"]);
    let typo = project("-- plimsoll: ignore ban-drop-tabel\ndrop table t;");
    check(&typo, &["2 warning unknown-rule", "3 warning ban-drop-table"]);
    typo.run(&["lint", "--format", "short", "migrations/2.sql"])
        .prints(0, &["2.sql:2:21: warning[unknown-rule] there is no rule `ban-drop-tabel`; did you mean `ban-drop-table`?"]);
    let silent = project("-- plimsoll: ignore ban-drop-table\ndrop table t;");
    check(&silent, &[]);
    silent.write("plimsoll.toml", "[lint]\nrequire_reason = true\n");
    check(&silent, &["2 warning ignore-without-reason"]);
    silent.write(
        "plimsoll.toml",
        "[lint]\nrequire_reason = true\nrules = { ignore-without-reason = \"error\" }\n",
    );
    silent.run(&["lint", "migrations/2.sql"]).prints(1, &["error[ignore-without-reason]"]);
}

#[test]
fn a_rehearsal_doesnt_bring_back_what_was_ignored() {
    for change in [
        "-- plimsoll: ignore\ncreate index on t (n);",
        "-- plimsoll: ignore require-concurrent-index-creation -- small\ncreate index on t (n);",
        "-- squawk-ignore require-concurrent-index-creation\ncreate index on t (n);",
        "create index on t (n);",
    ] {
        let project = project(change);
        if !change.contains("ignore") {
            project.write("plimsoll.toml", "[lint]\nignore = [\"require-concurrent-index-creation\"]\n");
        }
        for verb in ["check", "rehearse"] {
            let ended = project.run(&[verb, "--format", "json", "--postgres", "18", "migrations/2.sql"]);
            assert_eq!(ended.report().findings(), [""; 0], "{change}");
        }
    }
    // What no rule can say is ignored by its own name.
    let insert = "-- plimsoll: ignore unclaimed-hazard\nalter table t add check (n > 0) no inherit;";
    let ended = project(insert).check(18, &["migrations/2.sql"]);
    assert!(ended.findings_of("unclaimed-hazard").is_empty(), "{:?}", ended.findings());
}

#[test]
fn a_baseline_leaves_out_what_it_has() {
    let project = project("drop table t;\ncreate index on u (id);");
    let write = ["lint", "--write-baseline", "baseline.txt", "migrations/2.sql"];
    project.run(&write).prints(0, &["wrote baseline.txt: 2 findings"]);
    let first = std::fs::read_to_string(project.path().join("baseline.txt")).unwrap();
    let mut lines = first.lines();
    assert_eq!(lines.next(), Some("# plimsoll baseline, format 1"));
    assert!(first.lines().skip(3).is_sorted(), "{first}");
    assert!(
        first.contains("migrations/2.sql\tban-drop-table\t") && first.contains("\tdrop table t\n"),
        "{first}"
    );
    project.run(&write).prints(0, &["wrote"]);
    assert_eq!(std::fs::read_to_string(project.path().join("baseline.txt")).unwrap(), first);

    check_with(&project, &["--baseline", "baseline.txt", "migrations/2.sql"], &[]);
    project.write("plimsoll.toml", "[lint]\nbaseline = \"baseline.txt\"\n");
    project
        .run(&["lint", "migrations/2.sql"])
        .prints(0, &["2 findings are in the baseline baseline.txt and left out.", "NOTHING FOUND"]);

    // Lines that moved are known; a statement more is not; one that is gone is told.
    let moved = "set lock_timeout = '1s';\n\n\ndrop\n  table t;\ndrop table t;\n";
    project.write("migrations/2.sql", moved);
    check(&project, &["6 warning ban-drop-table"]);
    project.run(&["lint", "migrations/2.sql"]).prints(
        0,
        &["1 finding is in the baseline", "1 entry of the baseline baseline.txt no longer occurs"],
    );
    // Seen from another folder it is the same.
    let within = project.path().join("migrations");
    let ended = project.plimsoll(&["lint", "--format", "short", "2.sql"]).within(&within).run();
    assert_eq!(ended.stdout.lines().count(), 1, "{}", ended.shown());
    // Other files' entries stay when it is written again, unless the file is gone.
    project.write("migrations/3.sql", "set lock_timeout = 1; drop table u;");
    project.run(&["lint", "--write-baseline", "baseline.txt", "migrations/3.sql"]).prints(0, &["3 findings"]);
    std::fs::remove_file(project.path().join("migrations/2.sql")).unwrap();
    project
        .run(&["lint", "migrations/3.sql"])
        .prints(0, &["2 entries of the baseline baseline.txt no longer occur"]);
    project
        .run(&["lint", "--write-baseline", "baseline.txt", "migrations/3.sql"])
        .prints(0, &["1 finding\n"]);
}

#[test]
fn a_baseline_counts_in_a_check_too() {
    let project = project("create index on t (n);");
    project.run(&["lint", "--write-baseline", "b", "migrations/2.sql"]).prints(0, &["1 finding"]);
    assert_eq!(project.check(18, &["--baseline", "b", "migrations/2.sql"]).findings(), [""; 0]);
}

#[test]
fn a_wrong_baseline_is_placed() {
    let project = project("drop table t;");
    let arguments = ["lint", "--baseline", "b", "migrations/2.sql"];
    project.run(&arguments).fails(2, &["read b: No such file"]);
    project.write("b", "{}");
    project.run(&arguments).fails(2, &["read b:1:1: it doesn't begin with `# plimsoll baseline, format 1`"]);
    project.write("b", "# plimsoll baseline, format 1\n\nmigrations/2.sql ban-drop-table\n");
    project.run(&arguments).fails(2, &["read b:3:1: a file, a rule and a fingerprint are to stand here"]);
}
