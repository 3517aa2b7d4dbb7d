use super::*;

const SCHEMA: &str = "
    create schema app;
    create type state as enum ('arrived', 'left');
    create domain draught as numeric check (value > 0);
    create sequence numbers;
    create table ships (id bigint primary key, name text not null, flag text default 'LR', draught draught,
        length numeric, doubled numeric generated always as (length * 2) stored,
        constraint named unique (name), constraint flagged check (flag <> ''));
    create table calls (id bigint primary key, ship_id bigint references ships, state state, day date);
    create index calls_day on calls (day);
    create index calls_day_state on calls (day, state);
    create unique index calls_once on calls (ship_id, day);
    create view names as select name from ships;
    create view shouted as select upper(name) as name from names;
    create view mixed as select s.id, c.day from ships s join calls c on c.ship_id = s.id;
    create view nested as select id from (select id, flag from ships) as inner_ships;
    create function f() returns int immutable language sql as 'select 1';
    create table secured (id bigint primary key, owner text);
    alter table secured enable row level security;
    create policy own on secured using (owner = current_user);
    create publication p for table calls;
    create table visits (id bigint, day date) partition by range (day);
    create table visits_1 partition of visits for values from ('2026-01-01') to ('2027-01-01');
    create table kinds (kind text) partition by list (kind);
    create table kinds_1 partition of kinds for values in ('a', 'b');
    create table tiers (tier int) partition by list (tier);
    create table tiers_1 partition of tiers for values in (1, null);
    create table counts (n bigint) partition by range (n);
    create table counts_1 partition of counts for values from (0) to (1000);
";

/// Rules of the group that fire on `sql`, all of it one change.
fn compatible(sql: &str, expected: &[&str]) {
    let settings = Settings { policy: Policy::everything(), ..Settings::default() };
    let found = findings(SCHEMA, sql, TransactionHabit::Statement, &settings);
    let of_group = |id: &String| {
        RULES.iter().any(|rule| rule.id == *id && rule.group == crate::Group::Compatibility)
            && !["adding-required-field", "privilege-difference"].contains(&id.as_str())
    };
    let found: Vec<String> = found.into_iter().map(|finding| finding.rule).filter(of_group).collect();
    assert_eq!(found, expected, "{sql}");
}

fn message(rule: &str, sql: &str) -> String {
    let settings = Settings { policy: Policy::everything(), ..Settings::default() };
    let found = findings(SCHEMA, sql, TransactionHabit::Statement, &settings);
    let found = found.into_iter().find(|finding| finding.rule == rule);
    found.unwrap_or_else(|| panic!("{rule} is silent on {sql}")).message
}

#[test]
fn what_the_change_makes_may_go_again() {
    for sql in [
        "create type t as enum ('a'); alter type t add value 'b'; alter type t rename value 'a' to 'c'; alter type t rename \
         to u; drop type u",
        "create domain d as int; alter domain d add check (value > 0); alter domain d rename to e; drop domain e",
        "create sequence s; drop sequence s",
        "create view v as select 1; drop view v",
        "create schema s; drop schema s",
        "create schema s; create table s.t (id int); drop schema s cascade",
        "create extension citext; alter extension citext update; drop extension citext",
        "create function g() returns int language sql as 'select 1'; alter function g() strict; drop function g()",
        "create table t (id int not null default 1); alter table t alter id drop not null, alter id drop default; \
         alter table t enable row level security; create policy q on t using (true); drop policy q on t; alter table t \
         replica identity full; delete from t; update t set id = 1; truncate t cascade; revoke all on t from public",
        "alter table ships add column c int default 1; alter table ships alter c set default 2, alter c drop default; alter \
         table ships add constraint k check (c > 0) not valid; alter table ships drop constraint k",
    ] {
        let settings = Settings { policy: Policy::everything(), ..Settings::default() };
        let found = findings(SCHEMA, sql, TransactionHabit::Statement, &settings);
        let allowed = ["ban-add-column", "create-table-force", "ban-drop-table"];
        for finding in found {
            let rule = RULES.iter().find(|rule| rule.id == finding.rule).unwrap();
            assert!(
                rule.group != crate::Group::Compatibility || allowed.contains(&rule.id),
                "{} on {sql}: {}",
                rule.id,
                finding.message
            );
        }
    }
}

#[test]
fn if_exists_of_what_is_missing_does_nothing() {
    for sql in [
        "drop view if exists nothing",
        "drop type if exists nothing",
        "drop domain if exists nothing",
        "drop sequence if exists nothing",
        "drop function if exists nothing()",
        "drop extension if exists nothing",
        "drop index if exists nothing",
        "drop policy if exists nothing on secured",
        "alter table ships drop constraint if exists nothing",
        "alter table if exists nothing alter a drop not null, replica identity full, add b int",
        "alter table ships add column if not exists flag text",
        "alter type state add value if not exists 'left'",
        "drop table if exists nothing; create table nothing (id int primary key)",
    ] {
        compatible(sql, &[]);
    }
}

#[test]
fn drops_are_told_once_and_by_what_says_most() {
    compatible("drop view shouted", &["ban-drop-view"]);
    compatible("drop view names", &["drop-table-still-referenced"]);
    compatible("drop view names cascade", &["destructive-cascade"]);
    compatible("drop table ships", &["drop-table-still-referenced"]);
    compatible("drop table ships cascade", &["destructive-cascade"]);
    compatible("drop table secured", &["ban-drop-table"]);
    compatible("drop table secured cascade", &["ban-drop-table"]);
    compatible("drop table secured; create table secured (id bigint)", &["create-table-force"]);
    compatible("drop table ships; create table ships (id bigint)", &["drop-table-still-referenced"]);
    compatible("drop type state cascade", &["destructive-cascade"]);
    compatible("drop type state", &["drop-object-still-referenced"]);
    compatible("drop domain draught", &["drop-object-still-referenced"]);
    compatible(
        "alter table calls drop column state; drop type state",
        &["ban-drop-column", "drop-column-in-publication", "ban-drop-type"],
    );
    compatible("drop schema app", &["ban-drop-schema"]);
    compatible(
        "create table app.t (id bigint primary key); drop schema app",
        &["drop-object-still-referenced"],
    );
    compatible("alter table ships drop constraint ships_pkey", &["drop-object-still-referenced"]);
    compatible("alter table ships drop constraint ships_pkey cascade", &["destructive-cascade"]);
    compatible(
        "alter table ships add unique (id); alter table ships drop constraint ships_pkey",
        &["ban-new-write-restriction", "ban-drop-constraint"],
    );
    compatible("alter table calls drop constraint calls_pkey", &["ban-drop-constraint"]);
    compatible("drop function f()", &["ban-drop-function"]);
    compatible("drop database harbour", &["ban-drop-database"]);
    compatible("alter table ships drop column name", &["drop-column-still-referenced"]);
    compatible("alter table ships drop column name cascade", &["destructive-cascade"]);
    compatible("alter table ships drop column flag", &["ban-drop-column"]);
    compatible("alter table calls drop column state", &["ban-drop-column", "drop-column-in-publication"]);
}

#[test]
fn a_rule_that_is_off_takes_no_precedence() {
    let level = |id: &'static str, level| Settings {
        policy: Policy { levels: [(id, level)].into(), ..Policy::everything() },
        ..Settings::default()
    };
    let told = |settings: &Settings| {
        let found = findings(SCHEMA, "drop view names cascade", TransactionHabit::Statement, settings);
        let of = |id: &str| found.iter().any(|finding| finding.rule == id);
        (of("destructive-cascade"), of("ban-drop-view"))
    };
    assert_eq!(told(&level("destructive-cascade", crate::policy::Level::Off)), (false, true));
    assert_eq!(told(&level("ban-drop-view", crate::policy::Level::Off)), (true, false));
}

#[test]
fn a_cascade_lists_what_goes() {
    assert_eq!(
        message("destructive-cascade", "drop table ships cascade"),
        "with ships this drops foreign key calls_ship_id_fkey of public.calls, view public.mixed, view public.names, view \
         public.nested and view public.shouted"
    );
    assert_eq!(
        message("destructive-cascade", "drop domain draught cascade"),
        "with draught this drops column public.ships.draught"
    );
    assert_eq!(message("ban-truncate-cascade", "truncate ships cascade"), "this also empties public.calls");
    compatible("truncate ships, calls cascade", &[]);
    compatible("truncate calls cascade", &[]);
}

#[test]
fn a_column_is_needed_where_the_schema_decides_it() {
    for sql in [
        "alter table ships drop column length",
        "alter table ships drop column id",
        "alter table calls drop column ship_id",
        "alter table secured drop column owner",
        "alter table visits drop column day",
    ] {
        compatible(sql, &["drop-column-still-referenced"]);
    }
    compatible("alter table visits drop column day cascade", &["drop-column-still-referenced"]);
    let own = "create table t (id bigint primary key, parent bigint references t, note text)";
    compatible(&format!("{own}; alter table t drop column id"), &["drop-column-still-referenced"]);
    compatible(&format!("{own}; alter table t drop column parent, drop column id"), &[]);
    compatible(
        "alter table ships drop column length, drop column doubled",
        &["ban-drop-column", "drop-column-still-referenced"],
    );
    // The generated column goes first, in the same statement or before it.
    compatible(
        "alter table ships drop column doubled, drop column length",
        &["ban-drop-column", "ban-drop-column"],
    );
    compatible(
        "alter table ships drop column doubled; alter table ships drop column length",
        &["ban-drop-column", "ban-drop-column"],
    );
    // A view with a query in its query may take the name from there.
    compatible("alter table ships drop column flag", &["ban-drop-column"]);
    compatible(
        "drop view mixed; alter table calls drop column ship_id",
        &["ban-drop-view", "ban-drop-column", "drop-column-in-publication"],
    );
    // What a block may not reach is not said to fail.
    compatible(
        "do $$ begin if false then alter table ships drop column name; end if; end $$",
        &["ban-drop-column"],
    );
    compatible(
        "alter table ships rename name to title; alter table ships drop column title",
        &["renaming-column", "drop-column-still-referenced"],
    );
}

#[test]
fn a_type_stays_while_something_needs_the_column() {
    for sql in [
        "alter table ships alter name type varchar(100)",
        "alter table ships alter length type numeric(10)",
        "alter table visits alter day type timestamp",
        "alter table secured alter owner type varchar(9)",
    ] {
        compatible(sql, &["alter-type-still-referenced"]);
        let settings = Settings::default();
        let rules: Vec<String> = findings(SCHEMA, sql, TransactionHabit::Statement, &settings)
            .into_iter()
            .map(|finding| finding.rule)
            .filter(|rule| rule != "require-lock-timeout")
            .collect();
        assert_eq!(rules, ["alter-type-still-referenced"], "{sql}");
    }
    compatible("alter table ships alter flag type varchar(100)", &[]);
    compatible(
        "drop view shouted; drop view names; alter table ships alter name type varchar(9)",
        &["ban-drop-view", "ban-drop-view"],
    );
}

#[test]
fn indexes_that_another_one_stands_for_may_go() {
    compatible("drop index calls_day", &[]);
    compatible("drop index calls_day_state", &["ban-drop-index"]);
    compatible("drop index calls_once", &["ban-drop-index"]);
    compatible("drop index calls_day_state; create index calls_day_state on calls (day, state, id)", &[]);
}

#[test]
fn defaults_are_told_by_what_there_was() {
    compatible("alter table ships alter flag set default 'LR'", &[]);
    compatible("alter table ships alter flag set default 'DE'", &["changing-default-with-partial-inserts"]);
    compatible("alter table ships alter length set default 1", &["ban-set-default"]);
    compatible("alter table ships alter length set default null", &[]);
    compatible("alter table ships alter flag drop default", &["ban-drop-default"]);
    compatible("alter table ships alter length drop default", &[]);
    compatible(
        "alter table ships add c int default 1 not null; alter table ships alter c drop default",
        &["ban-add-column", "not-null-default-dropped"],
    );
    compatible(
        "alter table ships add c int default 1 not null, alter c drop default",
        &["ban-add-column", "not-null-default-dropped"],
    );
    compatible(
        "alter table ships add c int default 1; alter table ships alter c drop default",
        &["ban-add-column"],
    );
}

#[test]
fn writes_are_restricted_where_they_were_free() {
    let rule = &["ban-new-write-restriction"];
    for sql in [
        "alter table calls alter day set not null",
        "alter table calls add check (day > '2000-01-01') not valid",
        "alter table calls add unique (day)",
        "create unique index concurrently on calls (day)",
        "alter table calls add foreign key (id) references ships not valid",
        "alter domain draught add check (value < 30) not valid",
        "alter domain draught set not null",
    ] {
        compatible(sql, rule);
    }
    for sql in [
        "alter table ships alter name set not null",
        "alter table calls add constraint once unique using index calls_once",
        "alter table calls validate constraint calls_ship_id_fkey",
        "create table t (id bigint primary key, a int unique check (a > 0))",
    ] {
        compatible(sql, &[]);
    }
    compatible(
        "alter table calls add constraint k check (day is not null) not valid; alter table calls alter day set not null",
        rule,
    );
    compatible("alter table calls add berth text; alter table calls add unique (berth)", &["ban-add-column"]);
    compatible(
        "alter table ships drop constraint flagged, add constraint flagged check (flag > '') not valid",
        rule,
    );
    compatible("alter table ships drop constraint flagged", &["ban-drop-constraint"]);
}

#[test]
fn policies_count_where_they_are_looked_at() {
    compatible("create policy q on ships using (true)", &[]);
    compatible("create policy q on secured using (true)", &["ban-create-policy"]);
    compatible("create policy q on secured as restrictive using (true)", &["restrictive-policy"]);
    compatible("alter policy own on secured using (true)", &["ban-alter-policy"]);
    compatible("alter policy own on secured rename to other", &[]);
    compatible("drop policy own on secured", &["ban-drop-policy"]);
    compatible(
        "drop policy own on secured; create policy own on secured using (true)",
        &["ban-create-policy"],
    );
    compatible(
        "create policy q on ships using (true); alter table ships enable row level security",
        &["ban-alter-row-level-security"],
    );
}

#[test]
fn renames_are_told_by_what_code_names() {
    compatible("alter sequence numbers rename to n", &["renaming-object"]);
    compatible("alter table numbers rename to n", &["renaming-object"]);
    compatible("alter sequence numbers set schema app", &["ban-set-schema"]);
    compatible("alter view names rename to n", &["renaming-table"]);
    compatible("alter table names set schema app", &["renaming-table"]);
    compatible("alter type state rename to s", &["renaming-object"]);
    compatible("alter type state set schema app", &["ban-set-schema"]);
    compatible("alter type state rename value 'left' to 'gone'", &["renaming-enum-value"]);
    compatible("alter domain draught rename to d", &["renaming-object"]);
    compatible("alter function f() rename to g", &["renaming-object"]);
    compatible("alter function f() set schema app", &["ban-set-schema"]);
    compatible("alter function f() owner to someone", &[]);
    compatible("alter schema app rename to other", &["renaming-schema"]);
    compatible("alter table ships rename constraint named to n", &["renaming-object"]);
    compatible("alter table ships rename constraint flagged to n", &[]);
    compatible("alter index calls_day rename to d", &[]);
}

#[test]
fn functions_and_views_are_replaced_and_changed() {
    compatible(
        "create or replace view names as select name from ships where id > 0",
        &["ban-replace-view-function"],
    );
    compatible("create or replace view fresh as select 1 as a", &[]);
    compatible(
        "create or replace function f() returns int immutable language sql as 'select 2'",
        &["ban-replace-view-function"],
    );
    compatible(
        "create or replace function f() returns int language sql as 'select 2'",
        &["function-volatility-change"],
    );
    compatible("create or replace function g() returns int language sql as 'select 2'", &[]);
    compatible("alter function f() volatile", &["function-volatility-change"]);
    compatible("alter function f() immutable strict", &["ban-alter-function-options"]);
    compatible("alter view names set (security_barrier)", &["ban-alter-view-options"]);
}

#[test]
fn rights_and_settings_reach_running_code() {
    compatible("revoke select on ships from reader", &["ban-revoke"]);
    compatible("grant select on ships to reader", &[]);
    compatible("grant all privileges on ships to reader", &["overbroad-grant"]);
    compatible("grant select on ships to public", &["overbroad-grant"]);
    compatible("grant reader to writer", &[]);
    compatible("alter role reader set work_mem = '1MB'", &["ban-alter-role-options"]);
    compatible("alter role reader rename to other", &["renaming-object"]);
    compatible("alter database harbour set work_mem = '1MB'", &["ban-alter-database-options"]);
    compatible("alter system set work_mem = '1MB'", &["ban-alter-system-options"]);
    compatible("alter sequence numbers restart", &["ban-alter-sequence-values"]);
    compatible("alter sequence numbers increment by 10", &["ban-alter-sequence-values"]);
    compatible("alter sequence numbers owned by calls.id", &[]);
    compatible("alter sequence numbers owner to someone", &[]);
}

#[test]
fn enum_values_are_written_after_they_are_known() {
    compatible("alter type state add value 'x'", &["ban-add-enum-value"]);
    compatible(
        "alter type state add value 'x'; update calls set state = 'x' where id = 1",
        &["ban-add-enum-value", "add-enum-value-before-readers"],
    );
    compatible(
        "alter type state add value 'x'; alter table calls alter state set default 'x'::state",
        &["ban-add-enum-value", "add-enum-value-before-readers", "ban-set-default"],
    );
}

#[test]
fn bounds_are_compared_where_their_texts_decide() {
    let rule = &["partition-bound-overlap"];
    for sql in [
        "create table v partition of visits for values from ('2026-06-01') to ('2028-01-01')",
        "create table v partition of visits for values from ('2027-01-01') to ('2027-01-01')",
        "create table v partition of visits for values in ('2027-01-01')",
        "create table v (id bigint, day date); alter table visits attach partition v for values from ('2025-01-01') to \
         ('2026-01-02')",
        "create table k partition of kinds for values in ('c', 'b')",
        "create table k partition of kinds for values from ('c') to ('d')",
        "create table k partition of kinds default; create table l partition of kinds default",
        "create table t partition of tiers for values in (2, 1)",
        "create table t partition of tiers for values in (2, NULL)",
        "create table c partition of counts for values from (999) to (2000)",
        "create table c partition of counts for values from (2000) to (1000)",
    ] {
        compatible(sql, rule);
    }
    for sql in [
        "create table v partition of visits for values from ('2027-01-01') to ('2028-01-01')",
        "create table v partition of visits default",
        "create table k partition of kinds for values in ('c', 'B')",
        "create table if not exists visits_1 partition of visits for values from ('2026-01-01') to ('2027-01-01')",
        "create table v partition of visits for values from (now()) to ('2028-01-01')",
        "create table t partition of tiers for values in (2, 3)",
        "create table c partition of counts for values from (1000) to (2000)",
        "create table c partition of counts for values from (minvalue) to (-1)",
    ] {
        compatible(sql, &[]);
    }
    compatible(
        "alter table visits detach partition visits_1; create table v partition of visits for values from ('2026-06-01') to \
         ('2028-01-01')",
        &["ban-detach-inheritance"],
    );
}

#[test]
fn rows_are_named() {
    compatible("delete from calls", &["ban-delete-without-where"]);
    compatible("delete from calls where 1 = 1", &["ban-delete-without-where"]);
    compatible("delete from calls where id = 1", &[]);
    compatible("update calls set day = null", &["ban-update-without-where"]);
    compatible("update calls set day = null where true", &["ban-update-without-where"]);
    compatible(
        "update calls set day = null, id = 1, day = null where id = 1",
        &["ban-duplicate-column-assignments"],
    );
    compatible("create table t (a int, b int, a text)", &["ban-duplicate-column-assignments"]);
    compatible("create table if not exists calls (a int, a text)", &[]);
}

#[test]
fn without_a_schema_little_is_known_and_nothing_is_said_to_fail() {
    let settings = Settings { policy: Policy::everything(), ..Settings::default() };
    for (sql, expected) in [
        ("drop table t", "ban-drop-table"),
        ("drop table t cascade", "destructive-cascade"),
        ("drop view v", "ban-drop-view"),
        ("drop type t", "ban-drop-type"),
        ("alter table t drop column c", "ban-drop-column"),
        ("truncate t cascade", "ban-truncate-cascade"),
        ("alter table t alter c drop not null", "ban-drop-not-null"),
    ] {
        let found = lint(
            &mut Schema::default(),
            &[&migration(sql, TransactionHabit::Statement)],
            ChangeScope::Together,
            &settings,
        );
        assert!(found.iter().any(|finding| finding.rule == expected), "{sql}: {found:?}");
        let fails = found.iter().any(|finding| finding.claim == plimsoll_core::Claim::Fails);
        assert!(!fails, "{sql}: {found:?}");
    }
}
