//! What `lint`, `rules` and `rule` print.

use std::os::unix::fs::PermissionsExt;

use crate::project::Project;

fn project() -> Project {
    Project::new([
        ("migrations/1.sql", "create table t (id int, n int);\n"),
        ("migrations/2.sql", "set lock_timeout = '1s';\nselect 'é'; create index on t (n);\n"),
    ])
}

#[test]
fn short_is_a_line_a_finding() {
    let ended = project().run(&["lint", "--format", "short", "migrations/2.sql"]);
    let message = "building this index reads all of public.t while nobody can write to it";
    assert_eq!(
        ended.stdout,
        format!("migrations/2.sql:2:13: error[require-concurrent-index-creation] {message}\n")
    );
}

#[test]
fn rdjson_counts_bytes() {
    let ended = project().run(&["lint", "--format", "rdjson", "migrations/2.sql"]);
    let value: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    let diagnostic = &value["diagnostics"][0];
    assert_eq!(diagnostic["location"]["path"], "migrations/2.sql");
    assert_eq!(diagnostic["location"]["range"]["start"], serde_json::json!({"line": 2, "column": 14}));
    assert_eq!(diagnostic["severity"], "ERROR");
    assert_eq!(diagnostic["code"]["value"], "require-concurrent-index-creation");
}

#[test]
fn github_gets_no_more_than_it_shows() {
    let project = project();
    let each = |sql: fn(usize) -> String| (0..25).map(sql).collect::<String>();
    project.write("migrations/1.sql", each(|n| format!("create table t{n} (a int);\n")));
    let drops = each(|n| format!("drop table t{n};\n"));
    project.write("migrations/2.sql", format!("set lock_timeout = '1s';\n{drops}"));
    let ended = project.run(&["lint", "--format", "github", "migrations/2.sql"]);
    let count = |word: &str| ended.stdout.lines().filter(|line| line.starts_with(word)).count();
    assert!(count("::warning ") <= 10 && count("::error ") <= 10 && count("::notice ") <= 10);
    assert_eq!((count("::warning "), count("also ")), (10, 15), "{}", ended.shown());
    assert!(
        ended.stdout.lines().last().unwrap().starts_with("::notice title=plimsoll::"),
        "{}",
        ended.shown()
    );
}

#[test]
fn who_knows_the_checkout_alone_is_told_paths_from_its_root() {
    let project = Project::new([
        ("services/api/migrations/1.sql", "create table t (id int, n int);\n"),
        ("services/api/migrations/2.sql", "set lock_timeout = '1s';\ncreate index on t (n);\n"),
    ]);
    project.git_init("main");
    let folder = project.path().join("services/api");
    let lint = |format: &str, folder: &std::path::Path, file: &str| {
        project.plimsoll(&["lint", "--format", format, file]).within(folder).run().stdout
    };
    let json = |format: &str| serde_json::from_str(&lint(format, &folder, "migrations/2.sql")).unwrap();
    let from_root = "services/api/migrations/2.sql";

    let sarif: serde_json::Value = json("sarif");
    let result = &sarif["runs"][0]["results"][0];
    let change = &result["fixes"][0]["artifactChanges"][0];
    assert_eq!(result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"], from_root);
    assert_eq!(change["artifactLocation"]["uri"], from_root);
    let gitlab: serde_json::Value = json("gitlab");
    assert_eq!(gitlab[0]["location"]["path"], from_root);
    let at_root: serde_json::Value =
        serde_json::from_str(&lint("gitlab", project.path(), from_root)).unwrap();
    assert_eq!(gitlab, at_root, "a finding has one fingerprint, wherever the program runs");
    // In a folder beside the migrations, too.
    let github = lint("github", &folder.join("migrations"), "../migrations/2.sql");
    assert!(github.starts_with(&format!("::error file={from_root},line=2,")), "{github}");

    // People and reviewdog see paths from where they are.
    assert!(lint("short", &folder, "migrations/2.sql").starts_with("migrations/2.sql:2:1:"));
    let rdjson: serde_json::Value = json("rdjson");
    assert_eq!(rdjson["diagnostics"][0]["location"]["path"], "migrations/2.sql");
}

#[test]
fn a_report_that_cannot_be_written_costs_neither_findings_nor_the_others() {
    let project = project();
    let reports = ["--report", "html=missing/a.html", "--report", "sarif=b.sarif"];
    let ended = project.run(&[&["lint", "--format", "short", "migrations/2.sql"], &reports[..]].concat());
    ended.fails(3, &["failed to write missing/a.html"]);
    ended.prints(3, &["migrations/2.sql:2:13: error"]);
    assert!(project.path().join("b.sarif").exists());
}

#[test]
fn a_report_keeps_the_link_and_the_permissions_of_what_it_replaces() {
    let project = project();
    project.write("private.json", "");
    let target = project.path().join("private.json");
    std::fs::set_permissions(&target, PermissionsExt::from_mode(0o600)).unwrap();
    std::os::unix::fs::symlink("private.json", project.path().join("link.json")).unwrap();
    project.run(&["lint", "--report", "json=link.json", "migrations/2.sql"]).prints(1, &[]);
    assert!(std::fs::symlink_metadata(project.path().join("link.json")).unwrap().is_symlink());
    assert_eq!(std::fs::metadata(&target).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(std::fs::read_to_string(&target).unwrap().contains("format_version"));
}

#[test]
fn what_was_only_read_is_never_called_safe() {
    let project = project();
    project.write("migrations/2.sql", "select 1;");
    project.run(&["lint", "migrations/2.sql"]).prints(0, &["NOTHING FOUND (NOT REHEARSED)"]);
    let markdown = project.run(&["lint", "--format", "markdown", "migrations/2.sql"]);
    assert!(!markdown.stdout.contains("SAFE"), "{}", markdown.shown());
}

#[test]
fn rules_are_listed_as_they_run_here() {
    let project = project();
    let row = |rule: &str| {
        let listed = project.run(&["rules"]);
        listed.prints(0, &["RULE", "GROUP", "SEVERITY"]);
        let line =
            listed.stdout.lines().find(|line| line.starts_with(&format!("{rule} "))).map(ToOwned::to_owned);
        line.unwrap().split_whitespace().skip(1).take(3).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(row("ban-drop-table"), "compatibility warning on");
    assert_eq!(row("unused-ignore"), "- note on");
    project.write(
        "plimsoll.toml",
        "[lint.rules]\nban-drop-table = \"error\"\nE6 = \"off\"\nunused-ignore = \"off\"\n",
    );
    assert_eq!(row("ban-drop-table"), "compatibility error on");
    assert_eq!(row("require-concurrent-index-creation"), "locks error off");
    assert_eq!(row("unused-ignore"), "- note off");
}

#[test]
fn a_rule_is_explained_by_any_of_its_names() {
    let project = project();
    let own = project.run(&["rule", "require-concurrent-index-creation"]);
    own.prints(0, &["# require-concurrent-index-creation", "eugene `E6`"]);
    assert_eq!(project.run(&["rule", "E6"]).stdout, own.stdout);
    project.run(&["rule", "unused-ignore"]).prints(0, &["# unused-ignore", "severity is note"]);
    project.run(&["rule", "E666"]).fails(2, &["there is no such rule"]);
}
