use super::*;

const SCHEMA: &str = "
    create type state as enum ('moored', 'at sea');
    create table ships (id bigint primary key, state state, name text);
    create table log (entry text);
";

fn check(sql: &str, habit: TransactionHabit, expected: &[&str]) {
    assert_eq!(rules_of(SCHEMA, sql, habit), expected, "{sql}");
}

/// Rules that fire on `sql` where each statement runs alone.
fn alone(sql: &str, expected: &[&str]) {
    check(sql, TransactionHabit::Statement, expected);
}

/// Rules that fire on `sql` where the tool wraps the file.
fn wrapped(sql: &str, expected: &[&str]) {
    check(sql, TransactionHabit::File, expected);
}

/// Whether a rule that is off by default fires.
fn strict(sql: &str, habit: TransactionHabit, rule: &str) -> usize {
    let settings = Settings { policy: Policy::everything(), ..Settings::default() };
    let found = findings(SCHEMA, sql, habit, &settings);
    found.iter().filter(|finding| finding.rule == rule).count()
}

#[test]
fn concurrent_builds_are_named_and_made_once() {
    alone("create index concurrently on ships (name)", &["unnamed-concurrent-index"]);
    alone("create table t (a int); create index concurrently on t (a)", &[]);
    let build = "create index concurrently if not exists i on ships (name)";
    alone(build, &["concurrently-if-not-exists"]);
    alone(&format!("drop index concurrently if exists i; {build}"), &[]);
    alone("create index if not exists i on ships (name)", &["require-concurrent-index-creation"]);
    alone("create table t (a int); create index concurrently if not exists i on t (a)", &[]);
}

#[test]
fn only_a_transaction_that_fits_is_left_alone() {
    let rule = &["transaction-nesting"];
    alone("begin; select 1; commit", &[]);
    alone("begin; savepoint s; rollback to s; commit", &[]);
    alone("begin; begin; commit", rule);
    wrapped("begin; select 1; commit", &[]);
    wrapped("begin; select 1; commit; select 2", rule);
    wrapped("select 1; commit; select 1", rule);
    wrapped("savepoint s; select 1; rollback to savepoint s", &[]);
    check("begin; select 1; commit", TransactionHabit::Batch, &[]);
}

#[test]
fn a_begin_needs_its_end() {
    let rule = &["ban-uncommitted-transaction"];
    alone("begin; select 1", rule);
    alone("begin; select 1; rollback", &[]);
    alone("begin; select 1; commit; begin; select 1", rule);
    alone("begin; select 1; commit and chain", rule);
    alone("begin; select 1; commit and chain; select 1; commit", &[]);
    // The tool's own COMMIT ends it.
    wrapped("commit; begin; select 1", &["transaction-nesting"]);
}

#[test]
fn new_enum_values_wait_for_the_commit() {
    let rule = &["enum-value-used-in-transaction"];
    let add = "alter type state add value 'laid up'";
    for used in [
        "update ships set name = 'x' where state = 'laid up' and id = 1",
        "insert into ships values (1, 'laid up')",
        "create table t (s state default 'laid up')",
        "create table t (s state check (s <> 'laid up'))",
        "create view v as select 1 from ships where state = 'laid up'",
        "select 1 from ships where state = 'laid up'",
        "insert into elsewhere values ('laid up')",
    ] {
        wrapped(&format!("{add}; {used}"), rule);
        alone(&format!("{add}; {used}"), &[]);
    }
    for unused in [
        "insert into log values ('laid up')",
        "insert into ships values (1, 'moored')",
        "create table t (s text default 'laid up')",
    ] {
        wrapped(&format!("{add}; {unused}"), &[]);
    }
    wrapped(
        "create type other as enum ('a'); alter type other add value 'b'; create table t (o other default 'b')",
        &[],
    );
    wrapped(&format!("{add}; commit; insert into ships values (1, 'laid up')"), &["transaction-nesting"]);
}

#[test]
fn before_17_a_value_added_to_a_new_enum_waits_for_the_commit_too() {
    let made = "create type o as enum ('a'); alter type o add value 'b'";
    let count = |value: &str, major: u32| {
        let settings = Settings { server_major: Some(major), ..Settings::default() };
        let sql = format!("{made}; create table t (o o default '{value}')");
        findings(SCHEMA, &sql, TransactionHabit::File, &settings).len()
    };
    assert_eq!((count("b", 16), count("b", 17)), (1, 0));
    assert_eq!(count("a", 16), 0);
}

#[test]
fn old_servers_add_no_value_in_a_transaction() {
    let count = |sql: &str, major: u32| {
        let settings = Settings { server_major: Some(major), ..Settings::default() };
        findings(SCHEMA, sql, TransactionHabit::File, &settings).len()
    };
    let add = "alter type state add value 'laid up'";
    assert_eq!((count(add, 11), count(add, 12)), (1, 0));
    assert_eq!(count("create type o as enum ('a'); alter type o add value 'b'", 11), 0);
}

#[test]
fn set_local_needs_a_transaction() {
    let rule = &["set-local-outside-transaction"];
    alone("set local search_path = app", rule);
    alone("begin; set local search_path = app; commit", &[]);
    alone("set search_path = app", &[]);
    alone("select set_config('search_path', 'app', true)", rule);
    wrapped("set local search_path = app", &[]);
}

#[test]
fn a_lock_timeout_is_looked_at_once() {
    let rule = &["lock-timeout-ineffective"];
    let alter = "alter table ships alter name set default 'x'";
    alone(&format!("set lock_timeout = 0; {alter}"), rule);
    alone(&format!("set lock_timeout = '1h'; {alter}"), rule);
    alone(&format!("set lock_timeout = '1s'; {alter}; set lock_timeout = 0"), &[]);
    alone("set lock_timeout = 0; create table t (a int); alter table t add b int", &[]);
    alone(&format!("set lock_timeout = 0; set lock_timeout = '1s'; {alter}"), &[]);
    alone(
        &format!("{alter}; set lock_timeout = '1s'; {alter}"),
        &["require-lock-timeout", "lock-timeout-ineffective"],
    );
    alone(&format!("set lock_timeout = '2s'; {alter}; set lock_timeout = '1s'; {alter}"), &[]);
}

#[test]
fn a_lock_that_the_transaction_holds_is_not_waited_for() {
    let scan = "alter table ships alter name set not null";
    let brief = "alter table ships alter name set default 'x'";
    wrapped(&format!("{scan}; {brief}"), &["adding-not-nullable-field"]);
    alone(&format!("{scan}; {brief}"), &["adding-not-nullable-field", "require-lock-timeout"]);
    // A weaker one that it holds doesn't spare the wait, and another table has a queue of its own.
    let reference = "alter table ships add foreign key (id) references ships (id)";
    wrapped(&format!("{reference}; {brief}"), &["adding-foreign-key-constraint", "require-lock-timeout"]);
    let other = "alter table log alter entry set default 'x'";
    let both = &["adding-not-nullable-field", "avoid-wide-lock-window", "require-lock-timeout"];
    wrapped(&format!("{scan}; {other}"), both);
}

#[test]
fn other_timeouts_are_asked_for_only_on_request() {
    let alter = "set lock_timeout = '1s'; alter table ships alter name set default 'x'";
    alone(alter, &[]);
    let twice = format!("{alter}; {alter}");
    for (rule, parameter) in [
        ("require-statement-timeout", "statement_timeout"),
        ("require-idle-in-transaction-timeout", "idle_in_transaction_session_timeout"),
        ("require-transaction-timeout", "transaction_timeout"),
    ] {
        assert_eq!(strict(&twice, TransactionHabit::File, rule), 1, "{rule}");
        assert_eq!(
            strict(&format!("set {parameter} = '1s'; {twice}"), TransactionHabit::File, rule),
            0,
            "{rule}"
        );
        assert_eq!(strict("create table t (a int)", TransactionHabit::File, rule), 0, "{rule}");
    }
    assert_eq!(strict(&twice, TransactionHabit::Statement, "require-idle-in-transaction-timeout"), 0);
}

#[test]
fn a_build_may_take_its_time() {
    let rule = &["timeout-kills-concurrent-build"];
    let build = "create index concurrently i on ships (name)";
    alone(&format!("set statement_timeout = '5s'; {build}"), rule);
    alone(&format!("set statement_timeout = '5s'; set statement_timeout = 0; {build}"), &[]);
    alone(&format!("set statement_timeout = '5s'; reset statement_timeout; {build}"), &[]);
    alone("set statement_timeout = '5s'; create table t (a int); create index concurrently i on t (a)", &[]);
}

#[test]
fn steps_without_a_transaction_can_run_twice() {
    let fires = |sql: &str| strict(sql, TransactionHabit::Statement, "migration-not-rerunnable");
    let build = "create index concurrently i on ships (name)";
    assert_eq!(fires(&format!("alter table ships add a int; {build}")), 1);
    assert_eq!(fires(&format!("alter table ships add a int; alter table ships add b int; {build}")), 1);
    assert_eq!(
        fires(&format!(
            "alter table ships add if not exists a int; drop index concurrently if exists i; {build}"
        )),
        0
    );
    assert_eq!(fires(build), 0);
    assert_eq!(fires("set lock_timeout = '1s'; alter table ships add a int"), 0);
    assert_eq!(fires("begin; alter table ships add a int; alter table ships add b int; commit"), 0);
    assert_eq!(
        fires(
            "alter table ships drop constraint if exists k; alter table ships add constraint k check (id > 0) not valid; alter \
             table ships validate constraint k"
        ),
        0
    );
}

#[test]
fn what_postgresql_refuses_in_a_transaction_is_known() {
    let rule = ["ban-concurrent-in-transaction"];
    for sql in [
        "reindex database",
        "reindex system",
        "vacuum",
        "discard all",
        "commit prepared 'x'",
        "alter database d set tablespace fast",
        "create subscription s connection 'host=a' publication p",
        "alter subscription s refresh publication",
        "drop subscription s",
    ] {
        let found = rules_of(SCHEMA, &format!("select 1; {sql}"), TransactionHabit::File);
        assert!(found.iter().any(|id| id == rule[0]), "{sql}: {found:?}");
    }
    for sql in [
        "discard plans",
        "alter database d set work_mem = '1MB'",
        "create subscription s connection 'host=a' publication p with (create_slot = false)",
        "alter subscription s add publication q with (refresh = false)",
        "alter subscription s set (slot_name = none); drop subscription s",
    ] {
        let found = rules_of(SCHEMA, &format!("select 1; {sql}"), TransactionHabit::File);
        assert!(!found.iter().any(|id| id == rule[0]), "{sql}: {found:?}");
    }
}
