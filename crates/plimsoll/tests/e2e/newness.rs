//! Which migrations count as new: arguments, what git says, or all.

use std::path::Path;

use crate::project::{Ended, Project};
use crate::report::{list, text};

const BASE: &str = "create table t (id int, n int);";

/// A hazard that names its file.
fn index(name: &str) -> String {
    format!("create index {name} on t (n);")
}

/// The files of the findings, each once.
#[track_caller]
fn new_files(ended: &Ended) -> Vec<String> {
    let report = ended.report();
    let mut files: Vec<String> = list(&report.json["findings"])
        .iter()
        .map(|finding| text(&finding["location"]["file"]).to_owned())
        .collect();
    files.dedup();
    files
}

#[track_caller]
fn check(project: &Project, arguments: &[&str], expected: &[&str]) {
    let ended = project.run(&[&["lint", "--format", "json"], arguments].concat());
    assert_eq!(new_files(&ended), expected, "{}", ended.shown());
}

fn repository() -> Project {
    let project = Project::new([("migrations/1_base.sql", BASE), ("README", "x")]);
    project.git_init("main");
    project.git_commit_all();
    project
}

#[test]
fn a_branch_is_compared_with_where_it_left_main() {
    let project = repository();
    project.git(&["checkout", "--quiet", "-b", "feature"]);
    project.write("migrations/3_feature.sql", index("f"));
    project.git_commit_all();
    check(&project, &[], &["migrations/3_feature.sql"]);
    // What main got since then is not this branch's change.
    project.git(&["checkout", "--quiet", "main"]);
    project.write("migrations/2_main.sql", index("m"));
    project.git_commit_all();
    check(&project, &[], &[]);
    project.git(&["checkout", "--quiet", "feature"]);
    check(&project, &[], &["migrations/3_feature.sql"]);
    check(&project, &["--base", "HEAD"], &[]);
    check(&project, &["--base", "feature~1"], &["migrations/3_feature.sql"]);
}

#[test]
fn untracked_staged_and_changed_files_are_new() {
    let project = repository();
    project.write("migrations/2_changed.sql", index("c"));
    project.write("migrations/3_gone.sql", index("g"));
    project.git_commit_all();
    check(&project, &[], &[]);
    project.write("migrations/2_changed.sql", index("c2"));
    std::fs::remove_file(project.path().join("migrations/3_gone.sql")).unwrap();
    project.write("migrations/4_staged.sql", index("s"));
    project.git(&["add", "migrations/4_staged.sql"]);
    project.write("migrations/5 untrackéd.sql", index("u"));
    project.write(".gitignore", "*_ignored.sql\n");
    project.write("migrations/6_ignored.sql", index("i"));
    check(
        &project,
        &[],
        &["migrations/2_changed.sql", "migrations/4_staged.sql", "migrations/5 untrackéd.sql"],
    );
}

#[test]
fn nothing_new_is_safe_and_said() {
    let project = repository();
    for verb in ["lint", "check", "rehearse"] {
        let ended = project.run(&[verb]);
        ended.prints(0, &["No migration was added or changed since"]);
    }
}

#[test]
fn without_a_commit_all_is_new() {
    let project = Project::new([("migrations/1.sql", BASE)]);
    project.write("migrations/2.sql", index("a"));
    project.git_init("main");
    // Together with its table it is harmless; another table exists in no migration.
    project.write("migrations/3.sql", "alter table elsewhere drop column x;");
    project.git(&["add", "migrations/1.sql"]);
    check(&project, &[], &["migrations/3.sql"]);
}

#[test]
fn without_a_repository_it_asks_for_names() {
    let project = Project::new([("migrations/1.sql", BASE)]);
    project
        .run(&["check"])
        .fails(2, &["find what is new by git", "name the new migrations as arguments", "--all"]);
    project.run(&["check", "--base", "main"]).fails(2, &["find what is new by git"]);
}

#[test]
fn an_unknown_base_is_refused() {
    let project = repository();
    project.run(&["check", "--base", "nowhere"]).fails(2, &["--base nowhere", "git knows no such commit"]);
    project.run(&["check", "--base", "--output=x"]).fails(2, &[]);
    project.run(&["check", "--base=--output=x"]).fails(2, &["git knows no such commit"]);
}

#[test]
fn a_repository_without_a_main_branch_asks_for_a_base() {
    let project = Project::new([("migrations/1.sql", BASE)]);
    project.git_init("trunk");
    project.git_commit_all();
    project.run(&["lint"]).fails(2, &["find the main branch", "--base"]);
    check(&project, &["--base", "trunk"], &[]);
}

#[test]
fn a_project_in_a_sub_folder_sees_its_own_files_alone() {
    let project = Project::new([
        ("services/a/plimsoll.toml", "[migrations]\npath = \"sql\"\n"),
        ("services/a/sql/1.sql", BASE),
        ("services/a/src/x", ""),
        ("services/b/sql/1.sql", BASE),
    ]);
    project.git_init("master");
    project.git_commit_all();
    project.write("services/a/sql/2.sql", index("a"));
    project.write("services/b/sql/2.sql", index("b"));
    let within = |folder: &str| {
        let run = project.plimsoll(&["lint", "--format", "json"]).within(&project.path().join(folder));
        new_files(&run.run())
    };
    assert_eq!(within("services/a"), ["sql/2.sql"]);
    assert_eq!(within("services/a/src"), ["../sql/2.sql"]);
    let named = project.plimsoll(&["lint", "--format", "json", "--config", "services/a/plimsoll.toml"]);
    assert_eq!(new_files(&named.run()), ["services/a/sql/2.sql"]);
}

#[test]
fn arguments_name_files_or_folders() {
    let project = Project::new([("migrations/1.sql", BASE)]);
    project.write("migrations/2.sql", index("a"));
    project.write("migrations/3.sql", index("b"));
    project.write("later/1.sql", index("c"));
    project.write("later/notes.txt", "");
    check(&project, &["migrations/2.sql"], &["migrations/2.sql"]);
    check(
        &project,
        &["./migrations/../migrations/3.sql", "migrations/2.sql"],
        &["migrations/2.sql", "migrations/3.sql"],
    );
    check(&project, &["later/1.sql"], &["later/1.sql"]);
    check(&project, &["later"], &["later/1.sql"]);
    let absolute = project.path().join("migrations/3.sql");
    check(&project, &[absolute.to_str().unwrap()], &["migrations/3.sql"]);
    // All of the folder is a history: what one file makes isn't private to the next.
    check(&project, &["migrations"], &["migrations/2.sql", "migrations/3.sql"]);
    project.run(&["lint", "migrations/9.sql"]).fails(2, &["check migrations/9.sql: there is no such file"]);
    project.run(&["lint", "later/notes.txt"]).fails(2, &["it is no SQL file"]);
    project.run(&["lint", "--all", "migrations/2.sql"]).fails(2, &["cannot be used with"]);
}

#[test]
fn a_file_outside_of_the_project_is_checked_after_all_of_it() {
    let project = Project::new([
        ("plimsoll.toml", "[migrations]\npath = \"migrations\"\n"),
        ("migrations/1.sql", BASE),
        ("migrations/2.sql", "alter table t add column m int;"),
    ]);
    let elsewhere = Project::new([("0001_new.sql", "create index t_m on t (m);")]);
    let file = elsewhere.path().join("0001_new.sql");
    let report = project.check(18, &[file.to_str().unwrap()]);
    assert_eq!(report.findings(), ["1 require-concurrent-index-creation error confirmed"]);
    let file = text(&report.json["findings"][0]["location"]["file"]).to_owned();
    assert!(file.ends_with("0001_new.sql") && !Path::new(&file).starts_with(project.path()), "{file}");
}

#[test]
fn with_all_each_file_is_a_change_of_its_own() {
    let project = Project::new([("migrations/1.sql", BASE)]);
    project.write("migrations/2.sql", index("a"));
    check(&project, &["--all"], &["migrations/2.sql"]);
    let report = project.check(15, &["--all"]);
    assert_eq!(report.findings(), ["1 require-concurrent-index-creation error confirmed"]);
    assert_eq!(report.deeds(), ["", "ShareLock public.t, scanned public.t 0, built public.a"]);
}

#[test]
fn files_between_and_behind_the_new_ones_keep_their_place() {
    let project = Project::new([
        ("migrations/1.sql", "create table a (id int);"),
        ("migrations/2.sql", "alter table a add column n int;"),
        ("migrations/3.sql", "alter table a add column m int;"),
        ("migrations/4.sql", "this is not SQL"),
    ]);
    let report = project.check(18, &["migrations/3.sql"]);
    assert_eq!(report.deeds(), ["AccessExclusiveLock public.a"]);
}
