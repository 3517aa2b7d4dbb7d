use plimsoll_core::{ChangeScope, SourceFile};
use plimsoll_sql::{Migration, Schema, TransactionHabit};

use super::*;
use crate::policy::Level;
use crate::{Settings, judge, lint};

fn migration(sql: &str) -> Migration {
    Migration::new(SourceFile::new("m.sql", sql), 0..sql.len(), TransactionHabit::Statement)
}

/// Findings as `line rule`, with a lock timeout set and a table there.
fn found(sql: &str, policy: Policy) -> Vec<String> {
    let settings = Settings { policy, lock_timeout_ms: 1000, ..Settings::default() };
    let findings = lint(&mut Schema::default(), &[&migration(sql)], ChangeScope::Together, &settings);
    let mut shown: Vec<(usize, String)> =
        findings.into_iter().map(|finding| (finding.location.line, finding.rule)).collect();
    shown.sort();
    shown.into_iter().map(|(line, rule)| format!("{line} {rule}")).collect()
}

#[track_caller]
fn check(sql: &str, expected: &[&str]) {
    assert_eq!(found(sql, Policy::default()), expected, "{sql}");
}

#[test]
fn a_comment_above_is_for_the_next_statement() {
    check("-- plimsoll: ignore ban-drop-table -- empty\ndrop table a;\ndrop table b;", &["3 ban-drop-table"]);
    check("/* plimsoll: ignore ban-drop-table */\n\n-- and another\ndrop table a;", &[]);
    check("-- plimsoll: ignore\ndrop table a;", &[]);
    check("-- plimsoll: ignore ban-drop-column, ban-drop-table\ndrop table a;", &[]);
}

#[test]
fn a_comment_behind_is_for_its_line() {
    check("drop table a; -- plimsoll: ignore ban-drop-table\ndrop table b;", &["2 ban-drop-table"]);
    check("drop table a -- plimsoll: ignore ban-drop-table\n;", &[]);
    check("drop table\n  a; -- plimsoll: ignore ban-drop-table", &[]);
    check("drop table a; /* plimsoll: ignore ban-drop-table */ drop table b;", &["1 ban-drop-table"]);
    check("drop table -- plimsoll: ignore ban-drop-table\n  a;", &[]);
}

#[test]
fn a_file_can_be_ignored() {
    check("drop table a;\n-- plimsoll: ignore-file ban-drop-table\ndrop table b;", &[]);
    check("-- plimsoll: ignore-file\ndrop table a; alter tabel x; create index on b (c);", &[]);
    check(
        "-- plimsoll: ignore-file ban-drop-column\ndrop table a;",
        &["1 unused-ignore", "2 ban-drop-table"],
    );
}

#[test]
fn a_literal_is_no_comment() {
    check("select '-- plimsoll: ignore-file';\ndrop table a;", &["2 ban-drop-table"]);
    check("select $$ -- plimsoll: ignore-file\n$$;\ndrop table a;", &["3 ban-drop-table"]);
}

#[test]
fn other_tools_comments_mean_what_they_mean_there() {
    check("-- squawk-ignore ban-drop-table\ndrop table a;", &[]);
    check("-- squawk-ignore-file\ndrop table a;", &[]);
    check("-- eugene: ignore E6\ncreate index on a (b);", &[]);
    check("-- pgfence-ignore\ncreate index on a (b);", &[]);
    check("-- safety-assured\ndrop table a;\ndrop table b;", &["3 ban-drop-table"]);
    check(
        "-- safety-assured:start\ndrop table a;\ndrop table b;\n-- safety-assured:end\ndrop table c;",
        &["5 ban-drop-table"],
    );
    check("-- squawk-ignore E6\ncreate index on a (b);", &["2 require-concurrent-index-creation"]);
    check("-- plimsoll: ignore E6\ncreate index on a (b);", &[]);
}

#[test]
fn a_comment_of_no_use_is_told_if_it_is_ours() {
    check("-- plimsoll: ignore ban-drop-table\nselect 1;", &["1 unused-ignore"]);
    check("-- plimsoll: ignore\nselect 1;", &["1 unused-ignore"]);
    check("select 1;\n-- plimsoll: ignore ban-drop-table", &["2 unused-ignore"]);
    check("-- squawk-ignore ban-drop-table\nselect 1;", &[]);
    check("-- plimsoll: ignore unclaimed-hazard\nselect 1;", &[]);
    let off = Policy { levels: [("ban-drop-table", Level::Off)].into(), ..Policy::default() };
    assert_eq!(found("-- plimsoll: ignore ban-drop-table\nselect 1;", off), [""; 0]);
}

#[test]
fn what_nothing_can_be_made_of_is_placed() {
    let source = "-- plimsoll: ignore ban-drop-tabel\ndrop table a;";
    let findings =
        lint(&mut Schema::default(), &[&migration(source)], ChangeScope::Together, &Settings::default());
    let unknown = findings.iter().find(|finding| finding.rule == UNKNOWN_RULE).unwrap();
    assert_eq!((unknown.location.line, unknown.location.column, unknown.location.end_column), (1, 21, 35));
    assert_eq!(unknown.message, "there is no rule `ban-drop-tabel`; did you mean `ban-drop-table`?");
    check("-- plimsoll: ignroe\nselect 1;", &["1 unknown-rule"]);
    check("-- plimsoll: ignore ban-drop-table as agreed\ndrop table a;", &["1 unknown-rule"]);
    check("-- squawk-ignore ban-char-feild\nselect 1;", &[]);
}

#[test]
fn a_reason_can_be_asked_for() {
    let required = || Policy { reasons: Reasons::Required, ..Policy::default() };
    let without = "-- plimsoll: ignore ban-drop-table\ndrop table a;";
    assert_eq!(found(without, required()), ["1 ignore-without-reason"]);
    let with = "-- plimsoll: ignore ban-drop-table -- it is empty\ndrop table a;";
    assert_eq!(found(with, required()), [""; 0]);
    assert_eq!(found("-- squawk-ignore\ndrop table a;", required()), ["1 ignore-without-reason"]);
}

#[test]
fn remarks_have_levels_too() {
    let policy = Policy { levels: [("unused-ignore", Level::Off)].into(), ..Policy::default() };
    assert_eq!(found("-- plimsoll: ignore ban-drop-table\nselect 1;", policy), [""; 0]);
}

#[test]
fn a_finding_told_once_a_file_moves_to_the_next_statement() {
    let sql = "-- plimsoll: ignore require-lock-timeout\nalter table a alter b set default 1;\n\
               alter table c alter d set default 1;\nalter table e alter f set default 1;";
    let settings = Settings::default();
    let findings = lint(&mut Schema::default(), &[&migration(sql)], ChangeScope::Together, &settings);
    let lines: Vec<usize> = findings.iter().map(|finding| finding.location.line).collect();
    assert_eq!(lines, [3]);
}

#[test]
fn what_is_ignored_is_still_known() {
    let sql = "-- plimsoll: ignore\ncreate index on a (b);\ndrop table c;";
    let policy = Policy { levels: [("ban-drop-table", Level::Off)].into(), ..Policy::default() };
    let settings = Settings { policy, lock_timeout_ms: 1000, ..Settings::default() };
    let judgement = judge(&mut Schema::default(), &[&migration(sql)], ChangeScope::Together, &settings);
    let accepted: Vec<&str> = judgement.accepted.iter().map(|finding| finding.rule.as_str()).collect();
    assert_eq!(accepted, ["require-concurrent-index-creation", "ban-drop-table"]);
    assert!(judgement.findings.is_empty() && judgement.touches_unknown);
}
