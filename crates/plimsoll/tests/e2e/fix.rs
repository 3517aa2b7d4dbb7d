//! `plimsoll fix`: what is rewritten is proven, written whole or not at all, and only where git has the files.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::project::{MAJORS, Project};

const CONFIG: &str = "[database]\nseed = \"seed.sql\"\n";
const BASE: &str = "create table owners (id bigint primary key);\n\
                    create table ships (id bigint primary key, owner_id bigint, name text, flag text);\n";
const SEED: &str = "insert into owners select i from generate_series(1, 50) i;\n\
                    insert into ships select i, 1 + i % 50, 'ship ' || i from generate_series(1, 25000) i;\n";
const CHANGE: &str = "-- why\nalter table ships add column port text;\n\n-- by name\ncreate index on ships (name);\n\
                      alter table ships add foreign key (owner_id) references owners;\nupdate ships set flag = 'LR';\n";

/// A project whose last migration is new, in a repository that has all of it.
fn project(files: &[(&'static str, &str)]) -> Project {
    let project = Project::new([("plimsoll.toml", CONFIG), ("seed.sql", SEED)]);
    for (path, text) in files {
        project.write(path, text);
    }
    project.git_init("main");
    project.git_commit_all();
    project
}

fn plain(change: &str) -> Project {
    project(&[("migrations/1_base.sql", BASE), ("migrations/2_change.sql", change)])
}

const NEW: &str = "migrations/2_change.sql";

/// The files below a folder of a project, by name.
fn texts(project: &Project, folder: &str) -> BTreeMap<String, String> {
    let mut texts = BTreeMap::new();
    let mut folders = vec![project.path().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(project.path()).unwrap().display().to_string();
                texts.insert(name, std::fs::read_to_string(path).unwrap());
            }
        }
    }
    texts
}

/// The text with its times and versions made the same for every run.
fn normal(text: &str) -> String {
    let is_time = |line: &&str| line.contains(" before, ") && line.ends_with(" after");
    let mut lines = Vec::new();
    for line in text.lines() {
        let line = match (is_time(&line), line.split_once("proven on PostgreSQL ")) {
            (true, _) => format!("{}: … before, … after", line.split(':').next().unwrap()),
            (_, Some((head, rest))) => {
                format!("{head}proven on PostgreSQL …:{}", rest.split_once(':').unwrap().1)
            }
            _ => line.to_owned(),
        };
        lines.push(line);
    }
    lines.join("\n")
}

fn json(project: &Project, code: i32, arguments: &[&str]) -> Value {
    let ended = project.run(&[&["fix", "--format", "json"], arguments].concat());
    assert_eq!(ended.status.code(), Some(code), "{}", ended.shown());
    serde_json::from_str(&ended.stdout).unwrap()
}

#[test]
fn a_person_sees_the_proof_and_the_difference() {
    let change = format!("{CHANGE}alter table ships rename to boats;\n");
    let ended = plain(&change).run(&["fix", "--postgres", "15", NEW]);
    ended.prints(1, &[]);
    insta::assert_snapshot!(normal(&ended.stdout));
}

#[test]
fn what_is_written_is_clean_and_not_rewritten_again() {
    for major in MAJORS {
        let project = plain(CHANGE);
        let major = major.to_string();
        let ended = project.run(&["fix", "--write", "--postgres", &major, NEW]);
        ended.prints(0, &["proven on PostgreSQL", "25,050 rows in 2 tables", "Written."]);
        let text = &texts(&project, "migrations")[NEW];
        assert!(
            text.starts_with("-- why\nSET lock_timeout = '2s';\nalter table ships add column port text;\n"),
            "{text}"
        );
        assert!(
            text.contains("\n-- by name\ncreate index CONCURRENTLY ships_name_idx on ships (name);\n"),
            "{text}"
        );
        let report = project.check(major.parse().unwrap(), &[NEW]);
        assert_eq!(report.findings(), Vec::<String>::new());
        let again = project.run(&["fix", "--postgres", &major, NEW]);
        assert_eq!((again.status.code(), again.stdout.as_str()), (Some(0), "Nothing to rewrite.\n"));
    }
}

#[test]
fn programs_read_the_proof() {
    let found = json(&plain(CHANGE), 1, &["--postgres", "18", NEW]);
    let migration = &found["migrations"][0];
    assert_eq!(found["format_version"], 1);
    assert_eq!(migration["rewrites"].as_array().unwrap().len(), 3);
    assert!(migration["rewrites"].as_array().unwrap().iter().all(|rewrite| rewrite["proven"] == true));
    assert_eq!(
        migration["rewrites"][0]["steps"][0],
        "create index CONCURRENTLY ships_name_idx on ships (name)"
    );
    assert_eq!(
        (&migration["files"][0]["path"], &migration["files"][0]["is_new"]),
        (&NEW.into(), &false.into())
    );
    let proof = &migration["proof"];
    let ms = |side: &str, key: &str| proof[side][key].as_f64().unwrap();
    assert!(ms("blocked_before", "longest_hold_ms") > ms("blocked_after", "longest_hold_ms"), "{proof:#}");
    assert!(ms("blocked_before", "writers_ms") >= ms("blocked_before", "readers_ms"), "{proof:#}");
}

#[test]
fn a_rewrite_that_comes_to_something_else_is_not_offered() {
    let base = format!(
        "{BASE}create table log (said text);\n\
         create function told() returns trigger language plpgsql as 'begin insert into log values (''once''); return null; end';\n\
         create trigger told after update on ships for each statement execute function told();\n"
    );
    let project = project(&[
        ("migrations/1_base.sql", &base),
        (NEW, "update ships set flag = 'LR';\ncreate index on ships (name);\n"),
    ]);
    let before = texts(&project, "migrations");
    let ended = project.run(&["fix", NEW]);
    ended.prints(
        1,
        &[
            "UNPROVEN, not offered: line 1",
            "\"log\" holds 3 rows instead of 1",
            "line 2: builds the index CONCURRENTLY [",
            "+create index CONCURRENTLY",
        ],
    );
    assert!(!ended.stdout.contains("-update ships"), "{}", ended.stdout);
    assert_eq!(texts(&project, "migrations"), before);
    project.run(&["fix", "--write", NEW]).prints(0, &["UNPROVEN"]);
    assert_eq!(
        texts(&project, "migrations")[NEW],
        "update ships set flag = 'LR';\ncreate index CONCURRENTLY ships_name_idx on ships (name);\n"
    );
}

#[test]
fn files_that_git_could_not_bring_back_are_left_alone() {
    let project = plain(CHANGE);
    let dirty = format!("{CHANGE}-- more\n");
    project.write(NEW, &dirty);
    project.run(&["fix", "--write", NEW]).fails(2, &[NEW, "changes that aren't committed"]);
    project.git(&["add", "--all"]);
    project.run(&["fix", "--write", NEW]).fails(2, &["changes that aren't committed"]);
    project.write("migrations/3_new.sql", "create index on ships (flag);");
    project.run(&["fix", "--write", "migrations/3_new.sql"]).fails(2, &["git doesn't have it"]);
    assert_eq!(texts(&project, "migrations")[NEW], dirty);
    project.git_commit_all();
    for hidden in ["assume-unchanged", "skip-worktree"] {
        project.git(&["update-index", &format!("--{hidden}"), NEW]);
        let more = format!("{dirty}-- that git doesn't see\n");
        project.write(NEW, &more);
        project.run(&["fix", "--write", NEW]).fails(2, &["git was told not to look at it"]);
        assert_eq!(texts(&project, "migrations")[NEW], more);
        project.git(&["update-index", &format!("--no-{hidden}"), NEW]);
    }
    let homeless = Project::new([("migrations/1_base.sql", BASE), (NEW, CHANGE)]);
    homeless.run(&["fix", "--write", NEW]).fails(2, &["no git repository"]);
    homeless.run(&["fix", "--write", "--all"]).fails(2, &["cannot be used with"]);
    homeless.run(&["fix", "-"]).fails(2, &["name the file"]);
    assert_eq!(texts(&homeless, "migrations")[NEW], CHANGE);
}

#[test]
fn all_files_are_written_or_none() {
    let project = project(&[
        ("migrations/2024-01-01-000000_base/up.sql", BASE),
        ("migrations/2024-01-02-000000_change/up.sql", CHANGE),
    ]);
    // A file stands where a folder has to be made.
    project.write("migrations/2024-01-02-000002_change_3", "");
    let before = texts(&project, "migrations");
    let ended = project.run(&["fix", "--write", "migrations/2024-01-02-000000_change/up.sql"]);
    ended.fails(3, &["no file was changed"]);
    assert_eq!(texts(&project, "migrations"), before);
    assert!(!project.path().join("migrations/2024-01-02-000001_change_2").exists());
}

/// Rewrites a change in a layout, and shows the names of the files that come of it.
#[track_caller]
fn check_layout(files: &[(&'static str, &str)], expected: &[&str]) {
    let project = project(files);
    let new = files[1].0;
    let ended = project.run(&["fix", "--write", "--postgres", "15", new]);
    ended.prints(0, &["Written."]);
    let folder = new.split('/').next().unwrap();
    let after = texts(&project, folder);
    let made: Vec<&str> = after
        .keys()
        .map(String::as_str)
        .filter(|path| !files.iter().any(|(known, _)| known == path))
        .collect();
    assert_eq!(made, expected, "{after:#?}");
    // The whole folder, as its tool runs it, does what it is to do: nothing fails, nothing is found.
    let report = project.check(
        15,
        &[
            &[new],
            &made
                .iter()
                .copied()
                .filter(|path| path.ends_with(".sql") && !path.contains("down"))
                .collect::<Vec<_>>()[..],
        ]
        .concat(),
    );
    assert_eq!(report.findings(), Vec::<String>::new(), "{after:#?}");
    let failed: Vec<_> = report.statements().iter().filter(|s| !s["error"].is_null()).collect();
    assert!(failed.is_empty(), "{failed:#?}");
}

#[test]
fn each_layout_gets_files_in_its_own_form() {
    let marked = |up: &str, text: &str, down: &str| format!("{up}\n{text}{down}\ndrop table ships;\n");
    let dbmate = |text: &str| marked("-- migrate:up", text, "-- migrate:down");
    check_layout(
        &[
            ("db/migrations/20240101_base.sql", &dbmate(BASE)),
            ("db/migrations/20240102_change.sql", &dbmate(CHANGE)),
        ],
        &[
            "db/migrations/20240103_change_2.sql",
            "db/migrations/20240104_change_3.sql",
            "db/migrations/20240105_change_4.sql",
            "db/migrations/20240106_change_5.sql",
        ],
    );
    let goose = |text: &str| marked("-- +goose Up", text, "-- +goose Down");
    check_layout(
        &[("migrations/1_base.sql", &goose(BASE)), ("migrations/2_change.sql", &goose(CHANGE))],
        &["migrations/3_change_2.sql"],
    );
    check_layout(
        &[("migrations/V1__base.sql", BASE), ("migrations/V2__change.sql", CHANGE)],
        &["migrations/V2.1__change_2.sql", "migrations/V2.1__change_2.sql.conf"],
    );
    check_layout(
        &[
            ("migrations/1_base.up.sql", BASE),
            ("migrations/2_change.up.sql", CHANGE),
            ("migrations/2_change.down.sql", "select 1;"),
        ],
        &[
            "migrations/3_change_2.down.sql",
            "migrations/3_change_2.up.sql",
            "migrations/4_change_3.down.sql",
            "migrations/4_change_3.up.sql",
            "migrations/5_change_4.down.sql",
            "migrations/5_change_4.up.sql",
            "migrations/6_change_5.down.sql",
            "migrations/6_change_5.up.sql",
        ],
    );
    check_layout(
        &[
            ("migrations/2024-01-01-000000_a/up.sql", BASE),
            ("migrations/2024-01-02-000000_b/up.sql", "create index on ships (name);\n"),
        ],
        &["migrations/2024-01-02-000000_b/metadata.toml"],
    );
}

#[test]
fn a_first_index_turns_its_own_files_transaction_off() {
    let project = project(&[
        ("Cargo.toml", "[dependencies]\nsqlx = \"0.8\"\n"),
        ("migrations/1_base.sql", BASE),
        (NEW, "-- by name\ncreate index on ships (name);\nalter table ships add check (id > 0);\n"),
    ]);
    project.run(&["fix", "--write", NEW]).prints(0, &["Written."]);
    let texts = texts(&project, "migrations");
    assert_eq!(
        texts[NEW],
        "-- no-transaction\n-- by name\ncreate index CONCURRENTLY ships_name_idx on ships (name);\n"
    );
    assert_eq!(
        texts["migrations/3_change_2.sql"],
        "SET LOCAL lock_timeout = '2s';\nALTER TABLE ships ADD CONSTRAINT ships_id_check check (id > 0) NOT VALID;\n"
    );
    assert_eq!(texts["migrations/4_change_3.sql"], "ALTER TABLE ships VALIDATE CONSTRAINT ships_id_check;\n");
}

#[test]
fn flyways_own_lock_is_told() {
    let project = project(&[
        ("migrations/V1__base.sql", BASE),
        ("migrations/V2__change.sql", "create index on ships (name);\n"),
    ]);
    let ended = project.run(&["fix", "--no-seed", "migrations/V2__change.sql"]);
    ended.prints(1, &["builds the index CONCURRENTLY", "flyway.postgresql.transactional.lock=false"]);
}

#[test]
fn what_cant_be_rewritten_says_why() {
    let check = |change: &str, says: &[&str]| plain(change).run(&["fix", "--no-seed", NEW]).prints(1, says);
    check(
        "create index on ships (name);\nalter tabel ships;\n",
        &["nothing was tried: line 2 of the file doesn't parse"],
    );
    check(
        "do $$ begin create index on ships (name); end $$;\n",
        &["not rewritten: it stands in a DO block", "Nothing was written."],
    );
    check("vacuum full ships;\n", &["not rewritten: no form of it is known"]);
    let fails =
        "create index on ships (name);\nalter table ships add foreign key (name) references owners;\n";
    let failing = project(&[
        ("migrations/1_base.sql", BASE),
        (NEW, fails),
        ("migrations/3_next.sql", "create index on ships (flag);\n"),
    ]);
    let ended = failing.run(&["fix", "--no-seed", NEW, "migrations/3_next.sql"]);
    ended.prints(
        1,
        &[
            "  nothing was tried: the change as it is fails at migrations/2_change.sql:2: ",
            "(42804); mend that first\n",
            "  nothing was tried: the migration before it fails: ",
            "Nothing was written.",
        ],
    );
    assert!(!ended.stdout.contains("UNPROVEN"), "{}", ended.stdout);
    let found = json(&failing, 1, &["--no-seed", NEW]);
    let rewrites = found["migrations"][0]["rewrites"].as_array().unwrap();
    let doubts: Vec<&str> = rewrites.iter().filter_map(|rewrite| rewrite["doubt"].as_str()).collect();
    assert!(doubts.len() == 2 && doubts.iter().all(|doubt| doubt.contains("fails at")), "{found:#}");
    let wrapped = project(&[
        ("plimsoll.toml", "[migrations]\ntransaction = \"file\"\n"),
        ("migrations/1_base.sql", BASE),
        (NEW, "create index on ships (name);\n"),
    ]);
    wrapped
        .run(&["fix", NEW])
        .prints(1, &["the tool wraps every file in a transaction, and nothing turns that off"]);
    let goose = |text: &str| format!("-- +goose Up\n{text}");
    let full = project(&[
        ("migrations/1_base.sql", &goose(BASE)),
        (NEW, &goose(CHANGE)),
        ("migrations/3_next.sql", &goose("select 1;")),
    ]);
    full.run(&["fix", NEW]).prints(1, &["there is no room for further versions"]);
    plain("create table ports (id bigint);\n").run(&["fix", NEW]).prints(0, &["Nothing to rewrite."]);
}

#[test]
fn roles_that_a_change_makes_and_random_values_dont_stand_in_its_way() {
    let project = plain(
        "create role sailors;\ngrant select on ships to sailors;\nalter table ships add column token uuid default gen_random_uuid();\n",
    );
    project.write("manage.py", "");
    project
        .run(&["fix", "--postgres", "15", NEW])
        .prints(1, &["proven on", "of public.ships.token, whose values differ from run to run", "In Django"]);
}

#[test]
fn migrations_that_are_programs_are_told_in_their_frameworks_words() {
    let django = project(&[("manage.py", "")]);
    django.run(&["fix"]).fails(2, &["fix migrations that are programs", "AddIndexConcurrently"]);
}
