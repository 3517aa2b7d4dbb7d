use super::*;

const SCHEMA: &str = "
    create table ports (id bigint primary key, name varchar(50));
    create table ships (id bigint primary key, name text, length int not null, state text);
    create table calls (id bigint primary key, port_id bigint references ports, note text);
    create index calls_note on calls (note);
    create materialized view names as select name from ships;
    create table visits (id bigint, day date not null) partition by range (day);
    create table visits_1 partition of visits for values from ('2025-01-01') to ('2026-01-01');
    create table apart (id bigint, day date not null) partition by range (day);
    create table apart_rest partition of apart default;
    create function noted() returns trigger language plpgsql as 'begin return new; end';
    create trigger ships_noted after update on ships for each row execute function noted();
";

/// Rules that fire on `sql`, each statement alone, with a `lock_timeout`.
fn guarded(sql: &str, expected: &[&str]) {
    let sql = format!("set lock_timeout = '1s'; {sql}");
    assert_eq!(rules_of(SCHEMA, &sql, TransactionHabit::Statement), expected, "{sql}");
}

/// Rules that fire on `sql`, each statement alone, without a `lock_timeout`.
fn unguarded(sql: &str, expected: &[&str]) {
    assert_eq!(rules_of(SCHEMA, sql, TransactionHabit::Statement), expected, "{sql}");
}

/// Rules that fire on `sql`, all of it in one transaction with a `lock_timeout`.
fn together(sql: &str, expected: &[&str]) {
    let sql = format!("set lock_timeout = '1s'; {sql}");
    assert_eq!(rules_of(SCHEMA, &sql, TransactionHabit::File), expected, "{sql}");
}

fn first(sql: &str, habit: TransactionHabit) -> Finding {
    findings(SCHEMA, sql, habit, &Settings::default()).remove(0)
}

/// The statement after its finding's edits.
fn mended(sql: &str) -> String {
    apply(sql, first(sql, TransactionHabit::Statement).fix.unwrap())
}

#[test]
fn what_works_online_is_silent() {
    guarded("drop index concurrently calls_note; reindex index concurrently calls_pkey", &[]);
    guarded("refresh materialized view concurrently names", &[]);
    guarded("alter table visits detach partition visits_1 concurrently", &[]);
    guarded("create index visits_day on only visits (day)", &[]);
    guarded("drop index if exists nothing; drop table if exists nothing", &[]);
    guarded("create table t (a int); create index i on t (a); drop index i; truncate t", &[]);
}

#[test]
fn a_brief_lock_with_another_way_is_a_note_where_it_gives_up() {
    for (sql, rule) in [
        ("drop index calls_note", "require-concurrent-index-deletion"),
        ("alter table visits detach partition visits_1", "require-concurrent-partition-detach"),
        (
            "create table visits_2 partition of visits for values from ('2026-01-01') to ('2027-01-01')",
            "create-partition-of",
        ),
    ] {
        unguarded(sql, &[rule]);
        guarded(sql, &[rule]);
        assert_eq!(first(sql, TransactionHabit::Statement).severity, Severity::Warning, "{sql}");
        let sql = format!("set lock_timeout = '1s'; {sql}");
        assert_eq!(first(&sql, TransactionHabit::Statement).severity, Severity::Note, "{sql}");
    }
}

#[test]
fn concurrently_is_put_in_only_where_it_may_run() {
    assert_eq!(mended("drop index calls_note"), "drop index CONCURRENTLY calls_note");
    assert_eq!(mended("reindex table calls"), "reindex table CONCURRENTLY calls");
    assert_eq!(
        mended("alter table visits detach partition visits_1"),
        "alter table visits detach partition visits_1 CONCURRENTLY"
    );
    for sql in
        ["drop index calls_note", "reindex table calls", "alter table visits detach partition visits_1"]
    {
        assert_eq!(first(sql, TransactionHabit::File).fix, None, "{sql}");
    }
    assert_eq!(first("drop index calls_note, calls_note cascade", TransactionHabit::Statement).fix, None);
}

#[test]
fn a_default_partition_leaves_only_a_lock_timeout() {
    let detach = "alter table apart detach partition apart_rest";
    unguarded(detach, &["require-concurrent-partition-detach"]);
    guarded(detach, &[]);
    guarded(
        "alter table apart detach partition apart_rest concurrently",
        &["require-concurrent-partition-detach"],
    );
    assert!(first(detach, TransactionHabit::Statement).remedy.contains("lock_timeout"));
    let attach = "create table apart_1 (like apart); alter table apart attach partition apart_1 for values from \
                  ('2025-01-01') to ('2026-01-01')";
    guarded(attach, &["partition-scans-default"]);
    guarded(
        &format!(
            "alter table apart_rest add constraint k check (day < '2025-01-01' OR day >= '2026-01-01') not valid; alter table \
             apart_rest validate constraint k; {attach}"
        ),
        &[],
    );
    guarded(
        &format!("alter table apart_rest add constraint k check (day < '2025-01-01' or id > 7); {attach}"),
        &["constraint-missing-not-valid", "partition-scans-default"],
    );
}

#[test]
fn a_refresh_names_the_index_that_lets_it_go_on() {
    let refresh = "refresh materialized view names";
    unguarded(refresh, &["require-concurrent-refresh-matview"]);
    let finding = first(refresh, TransactionHabit::Statement);
    assert!(
        finding.fix.is_none() && finding.remedy.contains("CREATE UNIQUE INDEX CONCURRENTLY"),
        "{finding:?}"
    );
    let schema = format!("{SCHEMA} create unique index names_key on names (name);");
    let finding = findings(&schema, refresh, TransactionHabit::File, &Settings::default()).remove(0);
    assert!(finding.fix.is_some() && finding.remedy.contains("names_key"), "{finding:?}");
}

#[test]
fn an_index_of_a_partitioned_table_is_built_partition_by_partition() {
    guarded("create index visits_id on visits (id)", &["index-on-partitioned-parent"]);
    let remedy = first("create index visits_id on visits (id desc)", TransactionHabit::Statement).remedy;
    assert!(remedy.contains("CREATE INDEX visits_id ON ONLY visits (id desc);"), "{remedy}");
    assert!(
        remedy.contains("CREATE INDEX CONCURRENTLY visits_1_id_idx ON public.visits_1 (id desc);"),
        "{remedy}"
    );
    assert!(remedy.contains("ALTER INDEX visits_id ATTACH PARTITION visits_1_id_idx;"), "{remedy}");
    guarded("create table p (a int) partition by range (a); create index on p (a)", &[]);
}

#[test]
fn attaching_reads_what_no_check_proves() {
    let schema = format!("{SCHEMA} create table visits_2 (id bigint, day date not null);");
    let attach =
        "alter table visits attach partition visits_2 for values from ('2026-01-01') to ('2027-01-01')";
    let rules = |before: &str, sql: &str| {
        let sql = format!("set lock_timeout = '1s'; {before}; {sql}");
        rules_of(&schema, &sql, TransactionHabit::Statement)
    };
    assert_eq!(rules("select 1", attach), ["attach-partition-without-check"]);
    let proof = "alter table visits_2 add constraint k check (day is not null and day >= '2026-01-01' and day < \
                 '2027-01-01') not valid; alter table visits_2 validate constraint k";
    assert_eq!(rules(proof, attach), [""; 0]);
    let empty = "create table visits_3 (like visits including all)";
    let new = "alter table visits attach partition visits_3 for values from ('2027-01-01') to ('2028-01-01')";
    assert_eq!(rules(empty, new), [""; 0]);
    let remedy =
        findings(&schema, attach, TransactionHabit::Statement, &Settings::default()).remove(0).remedy;
    assert!(
        remedy.contains("CHECK (day IS NOT NULL AND day >= '2026-01-01' AND day < '2027-01-01') NOT VALID"),
        "{remedy}"
    );
}

#[test]
fn the_key_of_a_partitioned_table_goes_to_its_partitions_one_by_one() {
    let schema = "create schema log; create table log.calls (id int not null) partition by hash (id);\n\
                  create table log.calls_1 partition of log.calls for values with (modulus 1, remainder 0);";
    let sql = "alter table log.calls add constraint k primary key (id)";
    let found = findings(schema, sql, TransactionHabit::Statement, &Settings::default());
    let finding = found.iter().find(|finding| finding.rule == "adding-primary-key-constraint");
    let remedy = &finding.unwrap_or_else(|| panic!("{found:#?}")).remedy;
    let statements: Vec<&str> = remedy.lines().skip(1).collect();
    assert_eq!(
        statements,
        [
            "ALTER TABLE ONLY log.calls ADD CONSTRAINT k PRIMARY KEY (id);",
            "CREATE UNIQUE INDEX CONCURRENTLY … ON … (id);",
            "ALTER TABLE … ADD CONSTRAINT … PRIMARY KEY USING INDEX …;",
            "ALTER INDEX log.k ATTACH PARTITION …;",
        ]
    );
}

#[test]
fn an_index_made_first_keeps_what_the_constraint_says() {
    let remedy = |constraint: &str| {
        let sql = format!("alter table ships add constraint u unique {constraint}");
        findings(SCHEMA, &sql, TransactionHabit::Statement, &Settings::default()).remove(0).remedy
    };
    let expected = |index: &str, constraint: &str| {
        format!(
            "Build the index without blocking anyone, outside a transaction, then give it to the constraint:\n\
             CREATE UNIQUE INDEX CONCURRENTLY u ON ships (name){index};\n\
             ALTER TABLE ships ADD CONSTRAINT u UNIQUE USING INDEX u{constraint};"
        )
    };
    assert_eq!(remedy("(name)"), expected("", ""));
    assert_eq!(remedy("nulls not distinct (name)"), expected(" NULLS NOT DISTINCT", ""));
    assert_eq!(remedy("(name) include (id)"), expected(" include (id)", ""));
    assert_eq!(
        remedy("(name) deferrable initially deferred"),
        expected("", " deferrable initially deferred")
    );
}

#[test]
fn a_generated_column_is_filled_by_an_update_that_ends() {
    let sql = "alter table ships add column shout text generated always as (upper(name)) stored";
    let found = findings(SCHEMA, sql, TransactionHabit::Statement, &Settings::default()).remove(0);
    assert!(found.remedy.contains("WHERE shout IS DISTINCT FROM (upper(name)) LIMIT"), "{}", found.remedy);
}

#[test]
fn numbers_prove_a_bound_by_their_values() {
    let schema = "create table counts (n bigint not null) partition by range (n);
        create table counts_2 (n bigint not null);";
    let rules = |check: &str| {
        let sql = format!(
            "set lock_timeout = '1s'; alter table counts_2 add constraint k check ({check}) not valid;
             alter table counts_2 validate constraint k;
             alter table counts attach partition counts_2 for values from (1000) to (2000)"
        );
        rules_of(schema, &sql, TransactionHabit::Statement)
    };
    assert_eq!(rules("n >= 1000 and n < 2000"), [""; 0]);
    assert_eq!(rules("n >= 1 and n < 9"), ["attach-partition-without-check"]);
}

#[test]
fn a_new_columns_cost_has_one_rule_each() {
    guarded("alter table ships add column a serial", &["add-serial-column"]);
    guarded("alter table ships add column a bigint generated always as identity", &["add-serial-column"]);
    guarded(
        "alter table ships add column a int generated always as (length * 2) stored",
        &["add-stored-generated-column"],
    );
    guarded("alter table ships add column a int generated always as (length * 2) virtual", &[]);
    guarded("alter table ships add column a int check (a > 0)", &["add-column-with-check"]);
    guarded("alter table ships add column a int unique", &["add-column-unique"]);
    guarded("alter table ships add column a int not null", &["adding-required-field"]);
    guarded("alter table ships add column a int not null default 1", &[]);
    guarded("alter table ships add column a bigint default 1 references ports", &["add-column-references"]);
    guarded("alter table ships add column a bigint references ports", &[]);
    guarded("alter table ships add column if not exists name text unique not null", &[]);
    guarded(
        "create domain d as int check (value > 0); alter table ships add column a d",
        &["ban-create-domain-with-constraint", "add-column-constrained-domain"],
    );
}

#[test]
fn a_check_of_a_new_column_is_moved_behind_it() {
    assert_eq!(
        mended("alter table ships add column a int check (a > 0) not null default 1, add column b int"),
        "alter table ships add column a int not null default 1, ADD CONSTRAINT ships_a_check CHECK (a > 0) NOT VALID, add \
         column b int"
    );
    assert_eq!(
        mended("alter table ships add column a int constraint k check (a > 0)"),
        "alter table ships add column a int, ADD CONSTRAINT k CHECK (a > 0) NOT VALID"
    );
    assert_eq!(
        mended("alter table ships add column a bigint default 1 references ports (id)"),
        "alter table ships add column a bigint default 1, ADD CONSTRAINT ships_a_fkey FOREIGN KEY (a) REFERENCES ports (id) \
         NOT VALID"
    );
}

#[test]
fn checks_and_indexes_go_along_with_a_type() {
    let schema = "create table t (a numeric(10, 2) constraint k check (a > 0), b varchar(9)); create index i on t (lower(b));";
    let rules =
        |sql: &str| rules_of(schema, &format!("set lock_timeout = '1s'; {sql}"), TransactionHabit::Statement);
    assert_eq!(rules("alter table t alter a type numeric(12, 2)"), ["type-change-rechecks-constraint"]);
    assert_eq!(rules("alter table t drop constraint k, alter a type numeric(12, 2)"), [""; 0]);
    assert_eq!(rules("alter table t alter b type text"), ["type-change-rebuilds-index"]);
    assert_eq!(rules("alter table t alter a type int"), ["changing-column-type"]);
}

#[test]
fn foreign_keys_are_looked_up_again_with_a_rewritten_column() {
    let sql = "set lock_timeout = '1s'; alter table calls alter port_id type integer";
    let found = findings(SCHEMA, sql, TransactionHabit::Statement, &Settings::default());
    let rules: Vec<&str> = found.iter().map(|finding| finding.rule.as_str()).collect();
    assert_eq!(rules, ["changing-column-type", "type-change-rechecks-constraint"]);
    assert!(
        found[1].remedy.contains("ALTER TABLE public.calls DROP CONSTRAINT calls_port_id_fkey;"),
        "{found:?}"
    );
}

#[test]
fn validating_needs_a_transaction_of_its_own() {
    let add = "alter table calls add constraint k check (note <> '') not valid";
    let validate = "alter table calls validate constraint k";
    guarded(&format!("{add}; {validate}"), &[]);
    together(&format!("{add}; {validate}"), &["validate-in-same-transaction"]);
    guarded(&format!("begin; {add}; commit; {validate}"), &[]);
    guarded(&format!("begin; savepoint s; {add}; rollback to s; {add}; commit"), &[]);
    guarded(&format!("{add}; begin; savepoint s; {add}; rollback to s; {validate}; commit"), &[]);
    guarded(&format!("{add}, validate constraint k"), &["validate-in-same-transaction"]);
    // A foreign key's lock is enough, and another table's isn't.
    together(
        "alter table ships add constraint f foreign key (id) references ports not valid; alter table ships validate constraint f",
        &["validate-in-same-transaction"],
    );
    together(&format!("lock table ports in share mode; {validate}"), &[]);
}

#[test]
fn brief_locks_are_told_of_once_a_file() {
    for (sql, rule) in [
        ("alter table calls drop constraint calls_port_id_fkey", "drop-foreign-key"),
        ("create table t (port_id bigint references ports)", "create-table-references"),
        ("alter table ships add column a bigint references ports", "add-column-references"),
        (
            "create trigger t after insert on ports for each row execute function noted()",
            "avoid-create-trigger",
        ),
        ("alter table ships disable trigger all", "avoid-disable-trigger"),
        ("drop trigger ships_noted on ships", "ban-drop-trigger"),
        ("begin; lock table ports; commit", "explicit-lock-table"),
        ("begin; lock table ports in share mode; commit", "explicit-lock-table"),
    ] {
        unguarded(sql, &[rule]);
        guarded(sql, &[]);
        unguarded(&format!("{sql}; alter table ships alter name set default 'x'"), &[rule]);
        unguarded(&format!("alter table ships alter name set default 'x'; {sql}"), &["require-lock-timeout"]);
    }
    unguarded("drop table calls", &["ban-drop-table", "drop-table-with-foreign-keys"]);
    unguarded("drop trigger if exists nothing on ships", &[]);
    unguarded("create table a (id int primary key); create table b (a_id int references a)", &[]);
    unguarded("begin; lock table ports in row exclusive mode; commit", &[]);
}

#[test]
fn truncating_is_told_of_once() {
    unguarded("truncate calls", &["ban-truncate"]);
    guarded("truncate calls", &["ban-truncate"]);
    unguarded("create table t (a int); truncate t", &[]);
}

#[test]
fn a_wide_window_is_two_tables_of_two_statements() {
    let rule = &["avoid-wide-lock-window"];
    let (ships, ports) = ("alter table ships add a int", "alter table ports add a int");
    together(&format!("{ships}; {ports}"), rule);
    together(&format!("{ships}; {ports}; alter table calls add a int"), rule);
    together(&format!("{ships}; {ships}; commit"), &["transaction-nesting"]);
    together(&format!("{ships}; create table t (a int); alter table t add b int"), &[]);
    together("alter table calls drop constraint calls_port_id_fkey; alter table ports add a int", &[]);
    together("alter table ships rename to vessels; alter table vessels add a int", &["renaming-table"]);
    together("alter table visits add a int; alter table visits_1 add b int", &[]);
    guarded(&format!("{ships}; {ports}"), &[]);
    guarded(&format!("begin; {ships}; commit; begin; {ports}; commit"), &[]);
    let severity = |sql: &str| {
        let found = findings(SCHEMA, sql, TransactionHabit::File, &Settings::default());
        found.into_iter().find(|finding| finding.rule == rule[0]).map(|finding| finding.severity)
    };
    assert_eq!(severity(&format!("{ships}; {ports}")), Some(Severity::Warning));
    assert_eq!(severity(&format!("set lock_timeout = '1s'; {ships}; {ports}")), Some(Severity::Note));
}

#[test]
fn long_work_under_an_earlier_lock_is_told_of_once() {
    let rule = &["statement-while-holding-access-exclusive"];
    let lock = "alter table ships add a int";
    for work in [
        "create table t as select * from calls",
        "create materialized view m as select * from calls",
        "refresh materialized view concurrently names",
        "select rebuild_everything()",
        "create table t (a text); insert into t select note from calls",
    ] {
        together(&format!("{lock}; {work}"), rule);
        together(&format!("{work}; {lock}"), &[]);
        guarded(&format!("{lock}; {work}"), &[]);
    }
    together(&format!("{lock}; create table t as select 1; select rebuild_everything()"), rule);
    // Quick, or told of by another rule.
    for quick in [
        "create table t (a int); create index on t (a)",
        "select setval('s', 1), now()",
        "insert into ships values (1)",
        "create materialized view m as select * from calls with no data",
    ] {
        together(&format!("{lock}; {quick}"), &[]);
    }
    together(&format!("{lock}; create index on calls (id)"), &["require-concurrent-index-creation"]);
    together(
        &format!("{lock}; create index concurrently i on calls (id)"),
        &["ban-concurrent-in-transaction"],
    );
    together(
        "drop materialized view names; drop table ships; create table t as select * from calls",
        &["ban-drop-table"],
    );
}

#[test]
fn each_reading_of_a_table_under_its_lock_is_told_of() {
    let rule = "statement-while-holding-access-exclusive";
    let lock = "set lock_timeout = '1s'; alter table ships add a int";
    together(
        &format!("{lock}; select count(*) from ships; select name from ships where name = 'x'"),
        &[rule; 2],
    );
    together(&format!("{lock}; create table t (a text); insert into t select name from ships"), &[rule]);
    together(&format!("{lock}; select name from ships where id = 1"), &[]);
    together(&format!("{lock}; select count(*) from calls"), &[]);
    let update = "update ships set name = 'x' where name is null";
    together(&format!("{lock}; {update}; {update}"), &["backfill-with-ddl"; 2]);
}

#[test]
fn rows_are_written_in_batches_and_apart() {
    let rule = &["backfill-with-ddl"];
    let lock = "alter table ships add a int";
    guarded("update ships set name = 'x'", rule);
    guarded("delete from ships", rule);
    guarded("update ships set name = 'x' where true", rule);
    guarded("update ships set name = 'x' where id < 10", &[]);
    guarded("insert into ships select id, note, 1 from calls", &[]);
    guarded("create table t (a int); insert into t values (1); update t set a = 2; delete from t", &[]);
    together(&format!("{lock}; update ships set a = 1 where id < 10"), rule);
    together(&format!("{lock}; insert into ports select id, note from calls"), rule);
    together(
        &format!(
            "{lock}; update ports set name = 'x' where id < 9; update ports set name = 'y' where id < 9"
        ),
        rule,
    );
    together(&format!("{lock}; insert into ports values (1)"), &[]);
    together(&format!("update ships set name = 'x' where id < 10; {lock}"), &[]);
    let remedy = first("update ships set name = 'x'", TransactionHabit::Statement).remedy;
    assert!(remedy.contains("update ships set name = 'x' WHERE id >= 1 AND id < 10001;"), "{remedy}");
    let sql = format!("set lock_timeout = '1s'; {lock}; update ships set a = 1 where a = 2 or a = 3");
    let remedy = first(&sql, TransactionHabit::File).remedy;
    assert!(remedy.contains("WHERE (a = 2 or a = 3) AND id >= 1"), "{remedy}");
    let remedy = first("delete from ships", TransactionHabit::Statement).remedy;
    assert!(remedy.contains("DELETE FROM ships WHERE ctid = ANY"), "{remedy}");
}

#[test]
fn an_unknown_table_is_held_all_the_same() {
    let sql =
        "set lock_timeout = '1s'; alter table elsewhere add a int; create table t as select * from calls";
    let found = lint(
        &mut Schema::default(),
        &[&migration(sql, TransactionHabit::File)],
        ChangeScope::Together,
        &Settings::default(),
    );
    assert_eq!(found[0].rule, "statement-while-holding-access-exclusive");
}

#[test]
fn small_tables_are_noted_only() {
    let mut schema = Schema::default();
    schema.apply_script(&migration(SCHEMA, TransactionHabit::Statement).statements);
    schema.set_size(&plimsoll_sql::ObjectName::qualified("public", "ships"), 8192, 1);
    let change = migration("update ships set name = 'x'", TransactionHabit::Statement);
    let found = lint(&mut schema, &[&change], ChangeScope::Together, &Settings::default());
    assert_eq!((found[0].rule.as_str(), found[0].severity), ("backfill-with-ddl", Severity::Note));
}

#[test]
fn foreign_keys_to_several_tables_are_told_of_where_they_may_wait() {
    let two = "create table a (port_id bigint references ports, ship_id bigint references ships)";
    let first_only = |sql: &str, habit| {
        let rules = rules_of(SCHEMA, sql, habit);
        rules.iter().filter(|rule| *rule == "multiple-foreign-keys").count()
    };
    assert_eq!(first_only(two, TransactionHabit::Statement), 1);
    assert_eq!(first_only(&format!("set lock_timeout = '1s'; {two}"), TransactionHabit::Statement), 0);
    let apart = "create table a (p bigint references ports); create table b (s bigint references ships)";
    assert_eq!(first_only(apart, TransactionHabit::Statement), 0);
    assert_eq!(first_only(apart, TransactionHabit::File), 1);
    let one = "create table a (p bigint references ports, q bigint references ports, a bigint references b)";
    assert_eq!(
        first_only(&format!("create table b (id bigint primary key); {one}"), TransactionHabit::File),
        0
    );
}

#[test]
fn domains_matter_where_a_table_uses_them() {
    let schema = "create domain d as int; create domain unused as int; create table t (a d);";
    let rules = |sql: &str, major: u32| {
        let settings = Settings { server_major: Some(major), ..Settings::default() };
        let found = findings(schema, sql, TransactionHabit::Statement, &settings);
        found.into_iter().map(|finding| finding.rule).collect::<Vec<_>>()
    };
    let rule = ["ban-alter-domain-add-constraint"];
    assert_eq!(rules("alter domain d add constraint k check (value > 0)", 18), rule);
    assert_eq!(rules("alter domain d set not null", 18), rule);
    assert_eq!(rules("alter domain unused add constraint k check (value > 0)", 18), [""; 0]);
    let not_valid = "alter domain d add constraint k check (value > 0) not valid";
    assert_eq!(rules(not_valid, 15), [""; 0]);
    assert_eq!(rules(&format!("{not_valid}; alter domain d validate constraint k"), 15), rule);
    assert_eq!(rules(&format!("{not_valid}; alter domain d validate constraint k"), 18), rule);
    assert_eq!(rules("create domain e as int", 18), [""; 0]);
}

#[test]
fn moves_within_a_tablespace_or_method_are_silent() {
    guarded("alter table ships set tablespace pg_default, set access method heap, set logged", &[]);
    guarded("alter table ships set tablespace fast", &["set-tablespace"]);
    guarded("alter table ships set access method columns", &["set-access-method"]);
    guarded("alter table ships set unlogged", &["set-logged-unlogged"]);
    guarded("vacuum full ships", &["ban-vacuum-full"]);
    guarded("cluster ships using ships_pkey", &["ban-cluster"]);
    guarded("vacuum ships; analyze ships", &[]);
}

#[test]
fn corruption_is_a_matter_of_one_version() {
    let rules = |major: Option<u32>| {
        let settings = Settings { server_major: major, ..Settings::default() };
        findings(SCHEMA, "create index concurrently i on calls (id)", TransactionHabit::Statement, &settings)
            .len()
    };
    assert_eq!((rules(Some(14)), rules(Some(15)), rules(None)), (1, 0, 0));
}
