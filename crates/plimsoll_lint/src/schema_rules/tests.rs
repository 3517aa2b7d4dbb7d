use std::path::PathBuf;

use plimsoll_core::{Finding, SourceFile};
use plimsoll_sql::{Migration, TransactionHabit};

use super::*;
use crate::policy::{Level, Policy};
use crate::{RULES, Settings};

fn migration(path: &str, sql: &str) -> Migration {
    Migration::new(SourceFile::new(PathBuf::from(path), sql), 0..sql.len(), TransactionHabit::Statement)
}

fn judged(files: &[&str], settings: &Settings) -> Vec<Finding> {
    let files: Vec<Migration> =
        files.iter().enumerate().map(|(at, sql)| migration(&format!("{at}.sql"), sql)).collect();
    let parts: Vec<SchemaPart> = files.iter().map(SchemaPart::Migration).collect();
    let mut findings = judge_schema(&parts, settings).findings;
    findings.sort_by(|a, b| (&a.location, &a.rule).cmp(&(&b.location, &b.rule)));
    findings
}

/// Findings on a schema: file, line and rule.
fn check(files: &[&str], expected: &[&str]) {
    let findings = judged(files, &Settings::default());
    let found: Vec<String> = findings
        .iter()
        .map(|finding| format!("{}:{} {}", finding.location.file, finding.location.line, finding.rule))
        .collect();
    assert_eq!(found, expected, "{files:?}");
}

#[test]
fn ids_are_sorted_and_pages_are_whole() {
    assert!(SCHEMA_RULES.is_sorted_by_key(|rule| rule.id));
    for rule in SCHEMA_RULES {
        assert!(RULES.iter().all(|other| other.id != rule.id), "{}", rule.id);
        assert!(rule.page.starts_with(&format!("# {}\n", rule.id)), "{}", rule.id);
        assert!(rule.summary().ends_with('.'), "{}", rule.id);
        let example = rule.example();
        assert!(!example.bad.is_empty() && !example.good.is_empty(), "{}", rule.id);
    }
}

#[test]
fn every_page_example_holds() {
    for rule in SCHEMA_RULES.iter().filter(|rule| rule.needs == Needs::Definitions) {
        let fires = |sql: &str| judged(&[sql], &Settings::default()).iter().any(|one| one.rule == rule.id);
        let example = rule.example();
        assert!(fires(&example.bad), "{}: silent on its bad example", rule.id);
        assert!(!fires(&example.good), "{}: fires on its good example", rule.id);
    }
}

#[test]
fn a_finding_stands_where_the_thing_was_made() {
    check(
        &[
            "create table ships (id bigint primary key);\ncreate table calls (id bigint);\n",
            "alter table calls add ship_id bigint;\nalter table calls add foreign key (ship_id) references ships;",
            "alter table calls rename to visits;\nselect 1;",
        ],
        &["0.sql:2 no-primary-key", "1.sql:2 unindexed-foreign-keys"],
    );
}

#[test]
fn what_a_later_file_mends_is_not_told() {
    check(
        &[
            "create table ships (id bigint);\ncreate policy p on ships using (id = 1);",
            "alter table ships add primary key (id);\nalter table ships enable row level security;",
        ],
        &[],
    );
    check(&["create table a (id bigint);", "drop table a;"], &[]);
    check(&["begin;\ncreate table a (id bigint);\nrollback;"], &[]);
}

#[test]
fn comments_and_configuration_are_heeded() {
    check(&["-- plimsoll: ignore no-primary-key -- a log\ncreate table log (line text);"], &[]);
    check(&["create table log (line text); -- plimsoll: ignore no_primary_key -- splinter's name"], &[]);
    check(&["-- plimsoll: ignore-file\ncreate table log (line text);"], &[]);
    let with = |level| Settings {
        policy: Policy { levels: [("no-primary-key", level)].into(), ..Policy::default() },
        ..Settings::default()
    };
    let sql = ["create table log (line text);"];
    assert!(judged(&sql, &with(Level::Off)).is_empty());
    let severity = Level::At(plimsoll_core::Severity::Error);
    assert_eq!(judged(&sql, &with(severity))[0].severity, plimsoll_core::Severity::Error);
}

#[test]
fn indexes_are_compared_by_their_keys() {
    let table = "create table t (id bigint primary key, a int, b int, c text);";
    let on = |sql: &str, expected: &[&str]| check(&[table, sql], expected);
    on("create index on t (a, b); create index on t (a);", &["1.sql:1 duplicate-index"]);
    on("create index on t (a, b); create index on t (b);", &[]);
    on("create index on t (a); create index on t (a desc);", &[]);
    on("create index on t (id);", &["1.sql:1 duplicate-index"]);
    on("create unique index on t (a); create index on t (a, b);", &[]);
    on("create index on t (a); create index on t (a) where b > 0;", &[]);
    on("create index on t (a); create index i on t (a) include (b);", &[]);
    on("create index on t (c); create index on t (c text_pattern_ops);", &[]);
    on("create index on t using hash (a); create index on t (a);", &[]);
    on("create index on t (lower(c)); create index i on t (lower(c));", &["1.sql:1 duplicate-index"]);
}

#[test]
fn foreign_keys_are_served_by_any_index_that_begins_with_them() {
    let table = "create table p (x int, y int, primary key (x, y));";
    let on = |sql: &str, expected: &[&str]| check(&[table, sql], expected);
    let key = "create table c (id int primary key, x int, y int, foreign key (x, y) references p);";
    on(&format!("{key} create index on c (y, x);"), &[]);
    on(&format!("{key} create index on c (y, x, id);"), &[]);
    on(&format!("{key} create index on c (id, x, y);"), &["1.sql:1 unindexed-foreign-keys"]);
    on(&format!("{key} create index on c (x);"), &["1.sql:1 unindexed-foreign-keys"]);
    on(&format!("{key} create index on c (x, y) where x is not null;"), &[]);
    on(&format!("{key} create index on c (x, y) where id > 5;"), &["1.sql:1 unindexed-foreign-keys"]);
    on("create table c (x int, y int, primary key (x, y), foreign key (x, y) references p);", &[]);
}

#[test]
fn policies_are_read_as_they_stand_now() {
    let table = "create table t (id int primary key, who text); alter table t enable row level security;";
    let on = |sql: &str, expected: &[&str]| check(&[table, sql], expected);
    on("create policy p on t for select using (true);", &[]);
    on("create policy p on t for insert with check (true);", &["1.sql:1 rls-policy-always-true"]);
    on(
        "create policy p on t for update using (who = 'a'); alter policy p on t using ((true));",
        &["1.sql:1 rls-policy-always-true"],
    );
    on(
        "create policy p on t as restrictive using (true); create policy q on t for select using (id > 0);",
        &[],
    );
    on("create policy p on t for select using (app.me() = who);", &["1.sql:1 rls-initplan"]);
    on("create policy p on t for select using (app.may(id));", &[]);
    on(
        "create policy p on t for select to a using (id > 0); create policy q on t for select to b using (id > 0);",
        &[],
    );
}
