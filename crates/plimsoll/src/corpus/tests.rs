use std::time::Duration;

use tempfile::TempDir;

use super::*;

/// A project's folder with these files; its corpus is `queries`.
fn project(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

fn read(files: &[(&str, &str)]) -> Result<Vec<CorpusQuery>, String> {
    let folder = project(files);
    let current = folder.path().to_owned();
    let config = current.join("plimsoll.toml");
    let settings = Settings::load_in(current, config.is_file().then_some(config.as_path()), None);
    let loaded = settings.and_then(|settings| load(&folder.path().join("queries"), &settings));
    loaded.map_err(|failure| match failure {
        Failure::Input(message) => message.replace(&folder.path().display().to_string(), ""),
        other => panic!("{other:?}"),
    })
}

fn refused(files: &[(&str, &str)], expected: &str) {
    assert_eq!(read(files).map(drop), Err(expected.to_owned()));
}

#[test]
fn a_comment_beats_the_querys_configuration_which_beats_everybodys() {
    let corpus = read(&[
        (
            "plimsoll.toml",
            "[regress]\nbuffers_ratio = 2\nrows_floor = 7\ntimeout = \"1s\"\nresult = \"ignore\"\n\
             [regress.queries.a]\nbuffers_ratio = 3.5\nrows_floor = 8\nresult = \"compare\"\n",
        ),
        ("queries/q.sql", "-- name: a\n-- rows_floor: 9\n-- timeout: 5s\nselect 1;\n-- name: b\nselect 2"),
    ]);
    let corpus = corpus.unwrap();
    let common = Thresholds {
        buffers_ratio: 2.0,
        rows_floor: 7,
        timeout: Some(Duration::from_secs(1)),
        compares_result: false,
        ..Thresholds::default()
    };
    assert_eq!(corpus[1].thresholds, common);
    let own = Thresholds {
        buffers_ratio: 3.5,
        rows_floor: 9,
        timeout: Some(Duration::from_secs(5)),
        compares_result: true,
        ..common
    };
    assert_eq!(corpus[0].thresholds, own);
}

#[test]
fn fixtures_are_those_of_every_folder_down_to_the_querys() {
    let corpus = read(&[
        ("queries/fixtures.sql", "insert into a values (1)"),
        ("queries/a.sql", "select 1"),
        ("queries/x/y/fixtures.sql", "insert into a values (2)"),
        ("queries/x/y/b.sql", "select 2"),
        ("queries/z/fixtures.sql", "insert into a values (3)"),
    ]);
    let shown: Vec<(String, Vec<String>)> = corpus
        .unwrap()
        .iter()
        .map(|query| {
            let tail = |path: &PathBuf| path.to_string_lossy().split("/queries/").nth(1).unwrap().to_owned();
            (query.query.name.clone(), query.fixtures.iter().map(tail).collect())
        })
        .collect();
    let expected = [
        ("a".to_owned(), vec!["fixtures.sql".to_owned()]),
        ("b".to_owned(), vec!["fixtures.sql".to_owned(), "x/y/fixtures.sql".to_owned()]),
    ];
    assert_eq!(shown, expected);
}

#[test]
fn tags_are_collected_and_skipped_queries_need_no_values() {
    let corpus = read(&[(
        "queries/q.sql",
        "-- name: a\n-- tags: checkout, hot\n-- tags: hot,,slow\nselect 1;\n-- name: b\n-- skip: needs values\nselect $1;\n\
         -- name: c\n-- skip:\nselect $1",
    )]);
    let corpus = corpus.unwrap();
    assert_eq!(corpus[0].tags, ["checkout", "hot", "slow"]);
    assert_eq!(corpus[0].prepared().count(), 1);
    assert_eq!(corpus[1].skipped(), Some(("b", "needs values")));
    assert_eq!(corpus[2].skipped(), Some(("c", "its file says so")));
    assert_eq!(corpus[1].prepared().count(), 0);
}

#[test]
fn a_set_is_named_behind_its_query() {
    let corpus = read(&[
        ("queries/q.sql", "-- name: a\nselect $1"),
        ("queries/q.toml", "[a.big]\n1 = 5\n[a.default]\n1 = 6"),
    ]);
    let names: Vec<String> = corpus.unwrap()[0].prepared().map(|query| query.query.name).collect();
    assert_eq!(names, ["a [big]", "a"]);
}

#[test]
fn names_of_two_queries_are_refused_with_both_places() {
    refused(
        &[("queries/a.sql", "-- name: x\nselect 1"), ("queries/b/c.sql", "\n-- name: x\nselect 1")],
        "read queries/b/c.sql:3:1: query x has the name of the one at queries/a.sql:2:1; rename one of them",
    );
    refused(
        &[("queries/a.sql", "-- name: x\nselect 1;\n-- name: x\nselect 1")],
        "read queries/a.sql:4:1: query x has the name of the one at queries/a.sql:2:1; rename one of them",
    );
}

#[test]
fn wrong_thresholds_are_placed() {
    let file = |comment: &str| format!("-- name: x\n{comment}\nselect 1");
    refused(
        &[("queries/a.sql", &file("-- buffers_ratio: 0.5"))],
        "read queries/a.sql:2:1: buffers_ratio is `0.5`: write a ratio of 1 or more, such as 1.5",
    );
    refused(
        &[("queries/a.sql", &file("-- bufers_ratio: 2"))],
        "read queries/a.sql:2:1: there is no `bufers_ratio`; did you mean `buffers_ratio`? (known: buffers_ratio, buffers_floor, \
         rows_ratio, rows_floor, cost_ratio, cost_floor, result, timeout)",
    );
    refused(
        &[("queries/a.sql", &file("-- timeout: 5s\n-- timeout: 6s"))],
        "read queries/a.sql:3:1: query x has its timeout in line 2 already",
    );
    assert!(read(&[("queries/a.sql", &file("-- note: one, two\n-- TODO: three\n-- why_so: four"))]).is_ok());
    refused(
        &[("plimsoll.toml", "[regress]\nrows_floor = -1\n")],
        "use plimsoll.toml:2:14: rows_floor is `-1`: write a whole number of rows, such as 100",
    );
    refused(
        &[("plimsoll.toml", "[regress.queries.ab]\nresult = \"ignore\"\n"), ("queries/abc.sql", "select 1")],
        "use plimsoll.toml:1:18: there is no query `ab`; did you mean `abc`?",
    );
}
