//! What `lint` reads: files, folders, globs, git's index, standard input, and files that are no
//! good.

use crate::project::Project;

const BASE: &str = "create table t (id int, n int);\n";
const INDEX: &str = "create index on t (n);\n";

fn project() -> Project {
    Project::new([
        ("migrations/1.sql", BASE),
        ("migrations/2.sql", INDEX),
        ("migrations/3.sql", INDEX),
        ("other/2.sql", INDEX),
    ])
}

/// The places of the findings.
#[track_caller]
fn check(project: &Project, arguments: &[&str], expected: &[&str]) {
    let ended = project.run(&[&["lint", "--format", "short"], arguments].concat());
    assert!(matches!(ended.status.code(), Some(0 | 1)), "{}", ended.shown());
    let places: Vec<&str> = ended.stdout.lines().map(|line| line.split_once(": ").unwrap().0).collect();
    assert_eq!(places, expected, "{}", ended.shown());
}

#[test]
fn globs_and_folders_are_arguments() {
    let project = project();
    let both = ["migrations/2.sql:1:1", "migrations/3.sql:1:1"];
    check(&project, &["migrations/[23].sql"], &both);
    check(&project, &["migr*/{2,3}.sql"], &both);
    check(&project, &["**/2.sql"], &["migrations/2.sql:1:1", "other/2.sql:1:1"]);
    check(&project, &["migrations"], &both);
    project.run(&["lint", "migrations/9*.sql"]).fails(2, &["check migrations/9*.sql: there is no SQL file"]);
    project.run(&["lint", "migrations/{9.sql"]).fails(2, &["check migrations/{9.sql: it is no glob"]);
}

#[test]
fn a_file_named_twice_is_one() {
    let project = project();
    check(
        &project,
        &["migrations/2.sql", "./migrations/2.sql", "migrations/../migrations/2*"],
        &["migrations/2.sql:1:1"],
    );
    check(
        &project,
        &["migrations/2.sql", "other/2.sql", "other/2.sql"],
        &["migrations/2.sql:1:1", "other/2.sql:1:1"],
    );
}

#[test]
fn standard_input_stands_for_a_file() {
    let project = project();
    let lint = |arguments: &[&str], text: &str| {
        project.plimsoll(&[&["lint", "--format", "short"], arguments].concat()).stdin(text).run()
    };
    // It takes the file's place in the order: what 3.sql makes is not there yet.
    project.write("migrations/3.sql", "create table later (id int);");
    let text = "create index on t (n);\ndrop table if exists later;\n";
    let ended = lint(&["-", "--stdin-filename", "migrations/2.sql"], text);
    ended.prints(1, &["migrations/2.sql:1:1: error[require-concurrent-index-creation]"]);
    assert!(!ended.stdout.contains("ban-drop-table"), "{}", ended.shown());
    // A file that isn't there yet has a place, too.
    let ended = lint(&["-", "--stdin-filename", "migrations/1_1.sql"], text);
    ended.prints(1, &["migrations/1_1.sql:1:1: error"]);
    // Without a name it comes last.
    lint(&["-"], text).prints(1, &["stdin.sql:1:1: error", "stdin.sql:2:1: warning[ban-drop-table]"]);
    project.run(&["lint", "--stdin-filename", "x.sql", "migrations/2.sql"]).fails(2, &["name - as the file"]);
    lint(&["-"], "\u{feff}").prints(0, &[]);
    let alone = Project::new::<&str>([]);
    let ended = alone.plimsoll(&["lint", "--format", "short", "-"]).stdin("create index on t (n);").run();
    ended.prints(1, &["stdin.sql:1:1: error"]);
}

#[test]
fn what_is_staged_is_read_from_the_index() {
    let project = Project::new([("migrations/1.sql", BASE)]);
    project.git_init("main");
    project.git_commit_all();
    check(&project, &["--staged"], &[]);
    project.write("migrations/2.sql", INDEX);
    project.git(&["add", "--all"]);
    // The working tree goes on without being staged.
    project.write("migrations/2.sql", "select 1;");
    project.write("migrations/3.sql", INDEX);
    project.write("migrations/1.sql", "select 'gone';");
    check(&project, &["--staged"], &["migrations/2.sql:1:1"]);
    check(&project, &["migrations/2.sql"], &[]);
    // Of what git doesn't look at in the working tree, and of what is gone there, the index knows.
    project.git(&["update-index", "--assume-unchanged", "migrations/2.sql"]);
    std::fs::remove_file(project.path().join("migrations/1.sql")).unwrap();
    check(&project, &["--staged"], &["migrations/2.sql:1:1"]);
    project.run(&["lint", "--staged", "--all"]).fails(2, &["cannot be used with"]);
    project.git(&["reset", "--quiet", "--", "migrations/2.sql"]);
    project
        .run(&["lint", "--staged"])
        .prints(0, &["No migration is staged that the last commit doesn't have."]);
}

#[test]
fn a_hook_is_told_of_its_repository_by_variables() {
    let project = Project::new([("migrations/1.sql", BASE)]);
    project.git_init("main");
    project.git_commit_all();
    project.git(&["worktree", "add", "--quiet", "-b", "other", "linked"]);
    let linked = project.path().join("linked");
    let lint = |folder: &std::path::Path, git: &str| {
        let index = format!("{git}/index");
        let run = project.plimsoll(&["lint", "--staged", "--format", "short"]).within(folder);
        run.env("GIT_DIR", git).env("GIT_INDEX_FILE", index).run()
    };
    project.write("linked/migrations/2.sql", INDEX);
    project.git(&["-C", "linked", "add", "--all"]);
    let git = project.path().join(".git/worktrees/linked");
    let ended = lint(&linked, &git.to_string_lossy());
    assert!(ended.stdout.starts_with("migrations/2.sql:1:1: error"), "{}", ended.shown());
    project.write("migrations/3.sql", INDEX);
    project.git(&["add", "migrations/3.sql"]);
    let ended = lint(project.path(), ".git");
    assert!(ended.stdout.starts_with("migrations/3.sql:1:1: error"), "{}", ended.shown());
}

#[test]
fn since_is_another_word_for_base() {
    let project = Project::new([("migrations/1.sql", BASE)]);
    project.git_init("main");
    project.git_commit_all();
    project.write("migrations/2.sql", INDEX);
    project.git_commit_all();
    check(&project, &["--since", "HEAD"], &[]);
    check(&project, &["--since", "HEAD~1"], &["migrations/2.sql:1:1"]);
}

#[test]
fn one_bad_file_hides_no_other() {
    let project = project();
    project.write("migrations/2.sql", b"select 1;\n-- caf\xe9\n");
    project.write("migrations/4.sql", "\u{feff}create index on t (n);\r\nselect 1;\r\n");
    project.write("migrations/5.sql", "");
    project.write("migrations/6.sql/7.sql", INDEX);
    check(
        &project,
        &["migrations"],
        &[
            "migrations/2.sql:2:7",
            "migrations/3.sql:1:1",
            "migrations/4.sql:1:1",
            "migrations/6.sql/7.sql:1:1",
        ],
    );
    project.run(&["lint", "migrations/2.sql"]).prints(1, &["unreadable-file", "byte 0xe9 is not UTF-8"]);
    project.write("plimsoll.toml", "[lint.rules]\nunreadable-file = \"warning\"\n");
    project.run(&["lint", "migrations/2.sql"]).prints(0, &["warning[unreadable-file]"]);
}

#[test]
fn two_files_of_one_name_are_two() {
    let project = Project::new([("a/1.sql", INDEX), ("b/1.sql", "create index on u (n);")]);
    check(&project, &["a/1.sql", "b/1.sql"], &["a/1.sql:1:1", "b/1.sql:1:1"]);
}

#[test]
fn without_a_schema_less_is_known_and_said() {
    let says = "Nothing is known of the tables before the change";
    let alone = Project::new([("x.sql", INDEX)]);
    alone.run(&["lint", "x.sql"]).prints(1, &[says, "[database] schema"]);
    let ended = project().run(&["lint", "migrations/2.sql"]);
    assert!(!ended.stdout.contains(says), "{}", ended.shown());
    let first = Project::new([("x.sql", BASE)]);
    assert!(!first.run(&["lint", "x.sql"]).stdout.contains(says));
}
