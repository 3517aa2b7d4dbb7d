//! Migrations with placeholders: judged as far as they can be, sent only with values.

use crate::project::Project;

const BASE: &str = "create schema harbour; create table harbour.ships (id int, n int);\n";

fn project(change: &str) -> Project {
    Project::new([("migrations/1.sql", BASE), ("migrations/2.sql", change)])
}

#[test]
fn a_placeholder_hides_nothing() {
    let project = project(
        "{{ config(x='y') }}\n{% if a %}drop table ${schema}.ships;{% endif %}\ncreate index on {{ ref('ships') }} (n);\n\
         select :name, :'it', a[1:2], '${x}' from %(t)s;\n",
    );
    let ended = project.run(&["lint", "--format", "short", "migrations/2.sql"]);
    ended.prints(
        1,
        &[
            "migrations/2.sql:2:11: warning[ban-drop-table] code that still uses ${schema}.ships fails",
            "migrations/2.sql:3:1: error[require-concurrent-index-creation] building this index reads all of \
             public.{{ ref('ships') }} while",
        ],
    );
    assert!(
        !ended.stdout.contains("syntax-error") && !ended.stdout.contains("placeholder_"),
        "{}",
        ended.shown()
    );
    project
        .run(&["lint", "migrations/2.sql"])
        .prints(1, &["8 placeholders in templates", "[lint.placeholders] gives"]);
}

#[test]
fn a_value_is_judged_and_sent() {
    let project = project(
        "set lock_timeout = '1s';\nselect 1; create index on ${schema}.ships (n); select * from nope;\n",
    );
    project.write("plimsoll.toml", "[lint.placeholders]\nschema = \"harbour\"\n");
    project
        .run(&["lint", "--format", "short", "migrations/2.sql"])
        .prints(1, &["2.sql:2:11: error[require-concurrent-index-creation] building this index reads all of harbour.ships"]);
    let report = project.check(18, &["migrations/2.sql"]);
    assert_eq!(
        report.findings(),
        ["2 require-concurrent-index-creation error confirmed", "2 statement-fails error observed"]
    );
    // The server's place is the file's, though what was sent is shorter.
    let error = &report.statements()[3]["error"];
    assert_eq!((&error["line"], &error["column"]), (&2.into(), &62.into()));
}

#[test]
fn nothing_is_sent_without_its_value() {
    let project = project("select 1;\nselect * from ${schema}.ships;\n");
    for verb in ["check", "rehearse"] {
        project.run(&[verb, "migrations/2.sql"]).fails(
            2,
            &["migrations/2.sql:2:15: ${schema} has no value; set \"schema\" = \"…\" in [lint.placeholders] of plimsoll.toml"],
        );
    }
    project.write("migrations/2.sql", "{% if x %}select 1;{% endif %}");
    project.run(&["check", "migrations/2.sql"]).fails(2, &["render the file first"]);
    // An earlier one is sent, too.
    project.write("migrations/1.sql", "create table :name (a int);");
    project.run(&["check", "migrations/2.sql"]).fails(2, &["migrations/1.sql:1:14: :name has no value"]);
}
