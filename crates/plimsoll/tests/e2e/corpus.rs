//! A corpus with several sets of values a query, tags, thresholds and skipped queries, as `check` takes it.

use crate::project::{MAJORS, Project, programs};

const SHIPS: &str = "create table ships (id int primary key, harbour int not null, name text);\n\
                     create index ships_harbour on ships (harbour);\n";

fn project() -> Project {
    Project::new([
        (
            "plimsoll.toml",
            "[queries]\npath = \"queries\"\nruns = 1\n[database]\nseed = \"seed.sql\"\n[regress]\nbuffers_ratio = 2\n",
        ),
        (
            "seed.sql",
            "insert into ships select n, case when n <= 19000 then 1 else n end, 'x' from generate_series(1, 20000) n;\n",
        ),
        ("migrations/1.sql", SHIPS),
        ("migrations/2.sql", "drop index ships_harbour;\n"),
        (
            "queries/ships.sql",
            "-- name: by_harbour\n-- tags: hot\n-- buffers_floor: 5\nselect * from ships where harbour = :harbour and name = :name;\n\
             -- name: unknown\n-- skip: needs values\nselect * from ships where id = $1;\n",
        ),
        ("queries/ships.toml", "[by_harbour]\nname = \"x\"\n[by_harbour.big]\nharbour = 1\n"),
        (
            "queries/ships.jsonl",
            "{\"query\": \"by_harbour\", \"set\": \"small\", \"parameters\": {\"harbour\": 19500}}\n",
        ),
        ("queries/deep/lone.sql", "-- timeout: 5s\nselect count(*) from ships"),
        ("queries/fixtures.sql", "insert into ships values (0, 0, 'y');\n"),
    ])
}

#[test]
fn check_measures_every_set_on_15_and_18() {
    let project = project();
    for major in MAJORS {
        let report = project.check(major, &["migrations/2.sql", "--fail-on", "never"]);
        let verdict = |name: &str| report.query(name)["verdict"].as_str().unwrap().to_owned();
        assert_eq!(verdict("by_harbour [small]"), "worse", "{:?}", report.queries());
        assert_eq!(verdict("by_harbour [big]"), "same", "{:?}", report.queries());
        assert_eq!(verdict("lone"), "same", "{:?}", report.queries());
        assert_eq!(report.queries().len(), 3);
        assert!(report.notes().contains(&"Query unknown is skipped: needs values."), "{:?}", report.notes());
    }
}

#[test]
fn what_is_wrong_in_a_corpus_is_placed() {
    let project = project();
    for (path, text, says) in [
        (
            "queries/b.sql",
            "\n-- name: lone\nselect 1",
            "queries/deep/lone.sql:2:1: query lone has the name of the one at queries/b.sql:3:1",
        ),
        ("queries/b.sql", "-- rows_ratio: 0\nselect 1", "queries/b.sql:1:1: rows_ratio is `0`"),
        (
            "queries/deep/lone.jsonl",
            "{\"query\": \"lone\", \"parameters\": {\"x\": 1}}",
            "queries/deep/lone.jsonl:1:1: query lone has no parameter x",
        ),
        (
            "queries/deep/lone.jsonl",
            "{\"query\": \"lone\"",
            "queries/deep/lone.jsonl:1:16: the line is no JSON object",
        ),
        (
            "queries/ships.jsonl",
            "{\"query\": \"by_harbour\", \"set\": \"big\", \"parameters\": {\"harbour\": 2}}",
            "queries/ships.jsonl:1:1: query by_harbour has a set big at queries/ships.toml:3:13 already",
        ),
        (
            "queries/ships.toml",
            "[by_harbour.big]\nharbour = 1\n",
            "queries/ships.toml:1:13: query by_harbour's set big has no value for the parameter name",
        ),
    ] {
        let before = std::fs::read(project.path().join(path)).ok();
        project.write(path, text);
        project.run(&["check", "migrations/2.sql"]).fails(2, &[says]);
        match before {
            Some(before) => project.write(path, before),
            None => std::fs::remove_file(project.path().join(path)).unwrap(),
        }
    }
}

#[test]
fn watch_saves_several_sets_that_check_measures() {
    let project = project();
    for file in ["ships.sql", "ships.toml", "ships.jsonl", "deep/lone.sql"] {
        std::fs::remove_file(project.path().join("queries").join(file)).unwrap();
    }
    for major in MAJORS {
        let psql = programs(major).join("psql");
        let asked = |harbour: u32| {
            format!("select id from ships where harbour = {harbour} and name <> 'Ada {harbour}'")
        };
        let asked: Vec<String> = (1..=7).map(asked).collect();
        let mut words = vec!["watch", "--migrate", "--save", "queries", "--postgres"];
        let major_word = major.to_string();
        words.extend([major_word.as_str(), "--", psql.to_str().unwrap(), "-XAtq"]);
        words.extend(asked.iter().flat_map(|sql| ["-c", sql.as_str()]));
        let ended = project.run(&words);
        ended.prints(0, &["1 query written to", "5 values left out; --keep-values writes them."]);
        let report = project.check(major, &["migrations/2.sql", "--fail-on", "never"]);
        let queries = report.queries();
        assert_eq!(queries.len(), 5, "{queries:?}");
        let has = |set: u32| queries.iter().any(|query| query.contains(&format!("[call_{set}] ")));
        assert!((1..=5).all(has), "{queries:?}");
        let saved = std::fs::read_dir(project.path().join("queries")).unwrap();
        let saved = saved
            .map(|entry| entry.unwrap().path())
            .find(|path| path.extension().is_some_and(|ending| ending == "toml"));
        let text = std::fs::read_to_string(saved.as_ref().unwrap()).unwrap();
        assert!(text.contains("call_3]\n1 = \"3\"\n2 = \"left out\"") && !text.contains("Ada"), "{text}");
        std::fs::remove_file(saved.as_ref().unwrap().with_extension("sql")).unwrap();
        std::fs::remove_file(saved.unwrap()).unwrap();
    }
}
