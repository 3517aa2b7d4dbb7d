use std::path::PathBuf;

use plimsoll_core::{ChangeScope, Finding, Fix, Severity, SourceFile};
use plimsoll_sql::{Migration, Schema, TransactionHabit};

use crate::{PageExample, Policy, RULES, Script, Settings, lint};

mod compatibility;
mod locks;
mod style;
mod transactions;

fn migration(sql: &str, habit: TransactionHabit) -> Migration {
    Migration::new(SourceFile::new(PathBuf::from("m.sql"), sql), 0..sql.len(), habit)
}

/// Findings about `sql`, run on `schema`.
fn findings(schema: &str, sql: &str, habit: TransactionHabit, settings: &Settings) -> Vec<Finding> {
    let mut state = Schema::default();
    state.apply_script(&migration(schema, TransactionHabit::Statement).statements);
    lint(&mut state, &[&migration(sql, habit)], ChangeScope::Together, settings)
}

fn rules_of(schema: &str, sql: &str, habit: TransactionHabit) -> Vec<String> {
    let findings = findings(schema, sql, habit, &Settings::default());
    findings.into_iter().map(|finding| finding.rule).collect()
}

/// Rules that fire on `sql`, run on a schema of two tables with a `lock_timeout`.
fn check(sql: &str, expected: &[&str]) {
    let schema = "create table berths (id bigint primary key, name varchar(50), length int not null);
                  create table calls (id bigint primary key, berth_id bigint, note text);
                  create table visits (id bigint, day date) partition by range (day);
                  create view berth_names as select id from berths;";
    let found = rules_of(schema, &format!("set lock_timeout = '1s'; {sql}"), TransactionHabit::Statement);
    assert_eq!(found, expected, "{sql}");
}

#[test]
fn ids_are_sorted_and_pages_are_whole() {
    assert!(RULES.is_sorted_by_key(|rule| rule.id));
    for rule in RULES {
        assert!(rule.page.starts_with(&format!("# {}\n", rule.id)), "{}", rule.id);
        assert!(rule.summary().ends_with('.'), "{}", rule.id);
    }
}

#[test]
fn every_page_example_holds() {
    for rule in RULES {
        let example = rule.example();
        let fires = |script: &Script| {
            let settings =
                Settings { server_major: script.only, policy: Policy::everything(), ..Settings::default() };
            let findings = findings(&example.schema, &script.sql, script.habit, &settings);
            findings.iter().any(|finding| finding.rule == rule.id)
        };
        assert!(fires(&example.bad), "{}: silent on its bad example", rule.id);
        assert!(!fires(&example.good), "{}: fires on its good example", rule.id);
    }
}

#[test]
fn every_fix_of_a_page_mends_its_example() {
    let mut mended = 0;
    for rule in RULES {
        let PageExample { schema, bad, .. } = rule.example();
        let settings =
            Settings { server_major: bad.only, policy: Policy::everything(), ..Settings::default() };
        let own = |sql: &str| {
            let mut found = findings(&schema, sql, bad.habit, &settings);
            found.retain(|finding| finding.rule == rule.id);
            found
        };
        let Some(fix) = own(&bad.sql).into_iter().find_map(|finding| finding.fix) else { continue };
        let sql = apply(&bad.sql, fix);
        assert!(own(&sql).is_empty(), "{}: fires on its fix: {sql}", rule.id);
        mended += 1;
    }
    assert!(mended > 20, "{mended}");
}

/// The text after a fix.
fn apply(text: &str, mut fix: Fix) -> String {
    let offset = |line: usize, column: usize| {
        let start: usize = text.split_inclusive('\n').take(line - 1).map(str::len).sum();
        start + column - 1
    };
    fix.edits.sort_by_key(|edit| (edit.location.line, edit.location.column));
    let mut text_after = text.to_owned();
    for edit in fix.edits.iter().rev() {
        let place = &edit.location;
        text_after.replace_range(
            offset(place.line, place.column)..offset(place.end_line, place.end_column),
            &edit.text,
        );
    }
    text_after
}

#[test]
fn what_the_change_makes_is_left_alone() {
    check(
        "create table t (a int, b text); create index on t (a); alter table t alter a type bigint, alter b set not null, \
         add check (a > 0), add unique (a), add column c uuid default gen_random_uuid(), drop column b; alter table t \
         rename to u; alter table u rename a to z; drop table u;",
        &[],
    );
    check("create table t as select 1 as a; create index on t (a);", &[]);
    check("create materialized view m as select 1 as a; create index on m (a);", &[]);
    check(
        "create table t (berth_id bigint); alter table t add foreign key (berth_id) references berths;",
        &[],
    );
}

#[test]
fn type_changes_are_decided_by_the_old_type() {
    check("alter table berths alter name type varchar(100)", &[]);
    check("alter table berths alter name type text", &[]);
    check("alter table berths alter name type text using name", &[]);
    check("alter table berths alter name type varchar(20)", &["changing-column-type"]);
    check("alter table berths alter length type bigint", &["changing-column-type"]);
    check("alter table berths alter name type text using upper(name)", &["changing-column-type"]);
    check("alter table unknown alter a type text", &["changing-column-type"]);
}

#[test]
fn a_proof_silences_set_not_null() {
    check("alter table calls alter note set not null", &["adding-not-nullable-field"]);
    check("alter table berths alter length set not null", &[]);
    check(
        "alter table calls add constraint k check (note is not null) not valid; alter table calls validate constraint k; \
         alter table calls alter note set not null",
        &[],
    );
    check(
        "alter table calls add constraint k check (note is not null) not valid; alter table calls alter note set not null",
        &["adding-not-nullable-field"],
    );
}

#[test]
fn defaults_fire_only_when_volatile() {
    check(
        "alter table calls add a timestamptz default now(), add b int default -1, add c text default upper('x')",
        &[],
    );
    check("alter table calls add a float default random()", &["adding-field-with-default"]);
    check(
        "create function f() returns int immutable language sql as 'select 1'; alter table calls add a int default f()",
        &[],
    );
    check(
        "create function f() returns int language plpgsql as 'begin return 1; end'; alter table calls add a int default f()",
        &["adding-field-with-default"],
    );
}

#[test]
fn not_valid_and_using_index_are_silent() {
    check("alter table calls add foreign key (berth_id) references berths not valid", &[]);
    check("alter table calls add check (note <> '') not valid", &[]);
    check("alter table calls add constraint u unique using index i", &[]);
    check("alter table calls add primary key (id, note)", &["adding-primary-key-constraint"]);
}

#[test]
fn only_what_exists_is_dropped() {
    check("drop table if exists nothing", &[]);
    check("drop view berth_names; drop table calls, berths", &["ban-drop-table", "ban-drop-table"]);
    check("drop table calls, berths", &["drop-table-still-referenced"]);
    check("alter table calls drop column if exists nothing", &[]);
    check("drop view berth_names", &[]);
    check("create schema app; create table app.t (); drop schema app cascade", &[]);
    check("alter table calls set schema app", &["renaming-table"]);
}

#[test]
fn transactions_decide_about_concurrently() {
    let schema = "create table t (a int)";
    let both = "create index concurrently i on t (a); select 1";
    assert_eq!(rules_of(schema, both, TransactionHabit::Statement), [""; 0]);
    assert_eq!(rules_of(schema, both, TransactionHabit::File), ["ban-concurrent-in-transaction"]);
    assert_eq!(rules_of(schema, both, TransactionHabit::Batch), ["concurrent-in-implicit-transaction"]);
    let lone = "create index concurrently i on t (a)";
    assert_eq!(rules_of(schema, lone, TransactionHabit::Batch), [""; 0]);
    let committed = "commit; create index concurrently i on t (a)";
    assert_eq!(rules_of(schema, committed, TransactionHabit::File), ["transaction-nesting"]);
}

#[test]
fn lock_timeouts_are_followed_through_the_session() {
    let schema = "create table t (a int)";
    let alter = "alter table t alter a set default 1";
    let fires = |before: &str, habit| !rules_of(schema, &format!("{before}; {alter}"), habit).is_empty();
    assert!(fires("select 1", TransactionHabit::File));
    assert!(!fires("set lock_timeout = '1s'", TransactionHabit::File));
    assert!(!fires("set local lock_timeout = 500", TransactionHabit::File));
    assert!(fires("set local lock_timeout = 500", TransactionHabit::Statement));
    assert!(fires("set lock_timeout = 0", TransactionHabit::File));
    assert!(fires("set lock_timeout = '1s'; reset lock_timeout", TransactionHabit::File));
    assert!(fires("set lock_timeout = '1s'; reset all", TransactionHabit::File));
    assert!(!fires("select set_config('lock_timeout', '1s', false)", TransactionHabit::Statement));
    assert!(fires("begin; set lock_timeout = '1s'; rollback", TransactionHabit::Statement));
    assert!(fires("begin; set local lock_timeout = '1s'; commit", TransactionHabit::Statement));
}

#[test]
fn a_lock_timeout_is_asked_for_once_a_file() {
    let twice = "alter table t alter a set default 1; alter table t alter a set default 2";
    assert_eq!(rules_of("create table t (a int)", twice, TransactionHabit::File), ["require-lock-timeout"]);
    assert_eq!(
        rules_of(
            "create table t (a int)",
            "create index concurrently i on t (a)",
            TransactionHabit::Statement
        ),
        [""; 0]
    );
}

#[test]
fn each_file_can_be_a_change_of_its_own() {
    let first = migration("create table t (a int)", TransactionHabit::File);
    let second = migration("create index on t (a)", TransactionHabit::File);
    let count = |scope| lint(&mut Schema::default(), &[&first, &second], scope, &Settings::default()).len();
    assert_eq!((count(ChangeScope::Together), count(ChangeScope::EachFile)), (0, 1));
}

#[test]
fn a_statement_that_does_not_parse_is_placed() {
    let change = migration("select 1;\nalter tabel t;\ndrop table calls", TransactionHabit::File);
    let findings = lint(&mut Schema::default(), &[&change], ChangeScope::Together, &Settings::default());
    assert_eq!(
        (findings[0].rule.as_str(), findings[0].location.line, findings[0].statement),
        ("syntax-error", 2, Some(1))
    );
    assert_eq!(findings[1].rule, "ban-drop-table");
}
