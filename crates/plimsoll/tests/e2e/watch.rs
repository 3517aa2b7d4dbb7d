//! `plimsoll watch` in front of a real test suite.

use crate::clients::python;
use crate::programs::{project, with_python};
use crate::project::MAJORS;
use crate::report::{list, text};

#[test]
fn a_django_test_suites_n_plus_one_is_found_and_fails_the_run() {
    let project = project("django", |_| false);
    for major in MAJORS {
        let words =
            ["watch", "--postgres", &major.to_string(), "--format", "json", "--fail-on", "n-plus-one", "--"];
        let python = python();
        let suite = [&python, "manage.py", "test", "--settings", "harbour.settings_of_tests"];
        let ended = with_python(project.plimsoll(&[&words[..], &suite].concat())).run();
        assert!(ended.stderr.contains("Ran 2 tests") && ended.stderr.contains("\nOK\n"), "{}", ended.shown());
        assert_eq!(ended.status.code(), Some(1), "{}", ended.shown());
        let report = ended.report();
        let found = report.findings_of("n-plus-one");
        assert_eq!(found.len(), 1, "the joined page has none: {}", ended.shown());
        let message = text(&found[0]["message"]);
        assert!(
            message.contains("ran 1,000 times in a row") && message.contains("`harbour_id`"),
            "{message}"
        );
        // The tags differ from statement to statement: they are one query all the same.
        let queries = list(&report.json["traffic"]["queries"]);
        let looked_up: Vec<_> = queries
            .iter()
            .filter(|query| text(&query["query"]).contains("where ships_harbour.id = $1"))
            .collect();
        assert_eq!(looked_up.len(), 1, "{looked_up:#?}");
        assert_eq!((&looked_up[0]["calls"], &looked_up[0]["failures"]), (&1000.into(), &0.into()));
    }
}
