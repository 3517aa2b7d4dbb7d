use plimsoll_core::{ChangeScope, SourceFile};
use plimsoll_sql::TransactionHabit;
use plimsoll_sql::parse::parse_script;

use super::arrange::{Terms, arrange};
use super::*;
use crate::lint;

const BEFORE: &str = "create table owners (id bigint primary key);\n\
    create table ships (id bigint primary key, owner_id bigint, name text, flag varchar(2));\n\
    create materialized view fleet as select id from ships;\n\
    create unique index fleet_id on fleet (id);\n\
    create table voyages (id bigint, day date not null) partition by range (day);\n\
    create table voyages_1 partition of voyages for values from ('2026-01-01') to ('2026-02-01');\n\
    create table voyages_2 (id bigint, day date not null);\n";

fn migration(sql: &str, habit: TransactionHabit) -> Migration {
    Migration::new(SourceFile::new("change.sql", sql), 0..sql.len(), habit)
}

fn before() -> Schema {
    let mut schema = Schema::default();
    schema.apply_script(&parse_script(BEFORE).0);
    schema
}

fn proposed(migration: &Migration, settings: &Settings) -> (Vec<Finding>, Proposal) {
    let findings = lint(&mut before(), &[migration], ChangeScope::Together, settings);
    let mut schema = before();
    schema.begin_change();
    let proposal = propose(&mut schema, migration, &findings, settings);
    (findings, proposal)
}

/// The steps that take a statement's place, each with how it runs.
fn check(sql: &str, expected: &str) {
    check_for(None, sql, expected);
}

fn check_for(server_major: Option<u32>, sql: &str, expected: &str) {
    let settings = Settings { server_major, ..Settings::default() };
    let migration = migration(sql, TransactionHabit::Statement);
    let (findings, proposal) = proposed(&migration, &settings);
    let steps: Vec<String> = proposal
        .rewrites
        .iter()
        .flat_map(|rewrite| &rewrite.steps)
        .map(|step| {
            format!(
                "{}{}",
                match step.run {
                    Run::Along => "",
                    Run::Fresh => "fresh ",
                    Run::Outside => "outside ",
                },
                step.sql
            )
        })
        .collect();
    assert_eq!(steps.join("\n"), expected, "{findings:#?} {:#?}", proposal.answers);
}

/// Why a statement isn't rewritten.
fn refused(sql: &str, why: &str) {
    let migration = migration(sql, TransactionHabit::Statement);
    let (findings, proposal) = proposed(&migration, &Settings::default());
    let said = proposal
        .answers
        .iter()
        .any(|(_, answer)| matches!(answer, Answer::Unmended(text) if text.contains(why)));
    assert!(said && proposal.rewrites.is_empty(), "{findings:#?} {proposal:#?}");
}

/// The files that a change becomes where the tool runs each in one transaction.
fn arranged(
    sql: &str,
    habit: TransactionHabit,
    turned_off: Option<TransactionHabit>,
    lock_timeout: Option<&str>,
) -> Result<String, String> {
    let migration = migration(sql, habit);
    let (_, proposal) = proposed(&migration, &Settings::default());
    let terms = Terms { turned_off, lock_timeout, written: &|sql| sql.to_owned() };
    let parts = arrange(&migration, &proposal.rewrites.iter().collect::<Vec<_>>(), terms)?;
    let shown = parts.iter().map(|part| format!("== {:?}\n{}", part.wrapping, part.section));
    Ok(shown.collect())
}

#[test]
fn indexes_are_built_and_dropped_concurrently_under_the_name_that_they_would_have() {
    check(
        "create unique index on ships (lower(name), flag) where id > 1;",
        "outside create unique index CONCURRENTLY ships_lower_flag_idx on ships (lower(name), flag) where id > 1",
    );
    check(
        "drop index if exists fleet_id, x;",
        "outside DROP INDEX CONCURRENTLY IF EXISTS fleet_id\noutside DROP INDEX CONCURRENTLY IF EXISTS x",
    );
    check("reindex (verbose) table ships;", "outside reindex (verbose) table CONCURRENTLY ships");
    check("refresh materialized view fleet;", "refresh materialized view CONCURRENTLY fleet");
    refused("drop index fleet_id cascade;", "CASCADE");
}

#[test]
fn a_serial_has_its_sequence_in_the_schema_of_its_table() {
    for (path, written) in [("public", "ships_n_seq"), ("app, public", "public.ships_n_seq")] {
        let sql = format!("set search_path = {path};\nalter table ships add column n serial;");
        let migration = migration(&sql, TransactionHabit::Statement);
        let (_, proposal) = proposed(&migration, &Settings::default());
        let made = format!("CREATE SEQUENCE {written} AS integer");
        assert!(proposal.rewrites[0].steps.iter().any(|step| step.sql == made), "{proposal:#?}");
    }
}

#[test]
fn constraints_are_validated_apart() {
    check(
        "alter table ships add foreign key (owner_id) references owners on delete cascade;",
        "ALTER TABLE ships ADD CONSTRAINT ships_owner_id_fkey foreign key (owner_id) references owners on delete cascade NOT VALID\n\
         fresh ALTER TABLE ships VALIDATE CONSTRAINT ships_owner_id_fkey",
    );
    check(
        "alter table ships add check (length(name) > 0), add column note text;",
        "alter table ships add column note text\n\
         ALTER TABLE ships ADD CONSTRAINT ships_name_check check (length(name) > 0) NOT VALID\n\
         fresh ALTER TABLE ships VALIDATE CONSTRAINT ships_name_check",
    );
}

#[test]
fn not_null_has_another_form_from_18_on() {
    check(
        "alter table ships alter name set not null;",
        "ALTER TABLE ships ADD CONSTRAINT ships_name_not_null_check CHECK (name IS NOT NULL) NOT VALID\n\
         fresh ALTER TABLE ships VALIDATE CONSTRAINT ships_name_not_null_check\n\
         ALTER TABLE ships ALTER COLUMN name SET NOT NULL\n\
         ALTER TABLE ships DROP CONSTRAINT ships_name_not_null_check",
    );
    check_for(
        Some(18),
        "alter table ships alter name set not null;",
        "ALTER TABLE ships ADD CONSTRAINT ships_name_not_null NOT NULL name NOT VALID\n\
         fresh ALTER TABLE ships VALIDATE CONSTRAINT ships_name_not_null",
    );
}

#[test]
fn keys_keep_what_is_said_of_them() {
    check(
        "alter table ships add unique nulls not distinct (name, flag) include (id) with (fillfactor = 70) deferrable initially deferred;",
        "outside CREATE UNIQUE INDEX CONCURRENTLY ships_name_flag_id_key ON ships (name, flag) INCLUDE (id) NULLS NOT DISTINCT WITH (fillfactor = 70)\n\
         ALTER TABLE ships ADD CONSTRAINT ships_name_flag_id_key UNIQUE USING INDEX ships_name_flag_id_key deferrable initially deferred",
    );
    check_for(
        Some(18),
        "alter table voyages_2 add primary key (id, day);",
        "ALTER TABLE voyages_2 ADD CONSTRAINT voyages_2_id_not_null NOT NULL id NOT VALID\n\
         fresh ALTER TABLE voyages_2 VALIDATE CONSTRAINT voyages_2_id_not_null\n\
         outside CREATE UNIQUE INDEX CONCURRENTLY voyages_2_pkey ON voyages_2 (id, day)\n\
         ALTER TABLE voyages_2 ADD CONSTRAINT voyages_2_pkey PRIMARY KEY USING INDEX voyages_2_pkey",
    );
}

#[test]
fn partitions_are_indexed_one_by_one_and_come_with_a_check() {
    check(
        "create index on voyages (id);",
        "CREATE INDEX voyages_id_idx ON ONLY voyages (id)\n\
         outside CREATE INDEX CONCURRENTLY voyages_1_id_idx ON public.voyages_1 (id)\n\
         ALTER INDEX public.voyages_id_idx ATTACH PARTITION public.voyages_1_id_idx",
    );
    check(
        "alter table voyages attach partition voyages_2 for values from ('2026-02-01') to ('2026-03-01');",
        "ALTER TABLE voyages_2 ADD CONSTRAINT voyages_2_bound CHECK (day IS NOT NULL AND day >= '2026-02-01' AND day < '2026-03-01') NOT VALID\n\
         fresh ALTER TABLE voyages_2 VALIDATE CONSTRAINT voyages_2_bound\n\
         alter table voyages attach partition voyages_2 for values from ('2026-02-01') to ('2026-03-01')\n\
         ALTER TABLE voyages_2 DROP CONSTRAINT voyages_2_bound",
    );
}

#[test]
fn what_has_no_safer_form_says_so() {
    refused("alter table ships add exclude using gist (name with =);", "no form of it is known");
    refused("alter table ships add unique (id, name without overlaps);", "WITHOUT OVERLAPS");
    refused("alter table ships add foreign key (id) references voyages (id);", "towards each partition");
    refused("vacuum full ships;", "no form of it is known");
    refused("do $$ begin create index on ships (name); end $$;", "DO block");
    refused("update ships set id = id + 1;", "primary key");
    refused("update ships set name = o.id from owners o;", "joins");
    refused("update voyages_2 set id = 1;", "primary key of one column");
    refused(
        "alter table ships add column if not exists token uuid default gen_random_uuid();",
        "IF NOT EXISTS",
    );
}

#[test]
fn renames_and_type_changes_are_planned() {
    for sql in [
        "alter table ships rename column name to title;",
        "alter table ships rename to boats;",
        "alter table ships alter owner_id type text;",
    ] {
        let migration = migration(sql, TransactionHabit::Statement);
        let (_, proposal) = proposed(&migration, &Settings::default());
        let planned = proposal.answers.iter().find_map(|(_, answer)| match answer {
            Answer::Planned(text) => Some(text.clone()),
            _ => None,
        });
        let planned = planned.unwrap_or_else(|| panic!("{proposal:#?}"));
        let invalid: Vec<_> =
            parse_script(&planned).0.into_iter().filter(|one| one.command().is_none()).collect();
        assert!(planned.starts_with("-- 1.") && invalid.is_empty(), "{planned}\n{invalid:#?}");
    }
}

#[test]
fn a_file_of_one_transaction_is_cut() {
    let sql = "-- why\nset local search_path = 'public';\nalter table ships add column note text; -- a note\n\n-- fast\ncreate index ships_name on ships (name);\n\
               alter table ships add check (id > 0);\ncreate table ports (id bigint);\n";
    insta(
        &arranged(sql, TransactionHabit::File, Some(TransactionHabit::Statement), Some("2s")).unwrap(),
        "== None
-- why
set local search_path = 'public';
SET LOCAL lock_timeout = '2s';
alter table ships add column note text; -- a note
== Some(TurnedOff)
SET search_path = 'public';
-- fast
create index CONCURRENTLY ships_name on ships (name);
SET lock_timeout = '2s';
ALTER TABLE ships ADD CONSTRAINT ships_id_check check (id > 0) NOT VALID;
ALTER TABLE ships VALIDATE CONSTRAINT ships_id_check;
== Some(Usual)
SET LOCAL search_path = 'public';
SET LOCAL lock_timeout = '2s';
create table ports (id bigint);
",
    );
    assert!(
        arranged(sql, TransactionHabit::File, Some(TransactionHabit::Batch), None)
            .unwrap_err()
            .contains("search_path")
    );
    assert!(
        arranged(sql, TransactionHabit::File, None, None).unwrap_err().contains("nothing turns that off")
    );
}

#[test]
fn a_batch_is_cut_so_that_concurrent_builds_are_alone() {
    let sql = "set lock_timeout = '1s';\ncreate index ships_name on ships (name);\nbegin;\ncreate table ports (id bigint);\n\
               create index ships_flag on ships (flag);\ncommit;\n";
    insta(
        &arranged(sql, TransactionHabit::Batch, Some(TransactionHabit::Batch), None).unwrap(),
        "== Some(TurnedOff)
create index CONCURRENTLY ships_name on ships (name);
== Some(Usual)
SET lock_timeout = '1s';
begin;
create table ports (id bigint);
COMMIT;
== Some(TurnedOff)
create index CONCURRENTLY ships_flag on ships (flag);
",
    );
}

#[test]
fn the_scripts_own_transaction_is_closed_around_a_step() {
    let sql = "begin;\nset local lock_timeout = '1s';\ncreate index ships_name on ships (name);\nalter table ships add column note text;\ncommit;\n";
    insta(
        &arranged(sql, TransactionHabit::Statement, None, None).unwrap(),
        "== None
create index CONCURRENTLY ships_name on ships (name);
BEGIN;
SET LOCAL lock_timeout = '1s';
alter table ships add column note text;
commit;
",
    );
}

#[test]
fn what_is_concurrent_already_leaves_the_transaction() {
    let sql = "create table ports (id bigint);\ncreate index concurrently ships_name on ships (name);\n";
    insta(
        &arranged(sql, TransactionHabit::Batch, Some(TransactionHabit::Batch), None).unwrap(),
        "== None
create table ports (id bigint);
== Some(TurnedOff)
create index concurrently ships_name on ships (name);
",
    );
}

#[test]
fn a_template_is_not_rewritten() {
    refused("alter table ${name} add column x int; create index on ships (name);", "template");
    let migration = migration("alter table ships rename column name to ${new_name};", TransactionHabit::File);
    let (_, proposal) = proposed(&migration, &Settings::default());
    assert!(proposal.rewrites.is_empty(), "{proposal:#?}");
}

#[test]
fn updates_become_loops_that_commit() {
    let sql = "update ships set flag = 'LR' where flag is null;\n";
    let migration = migration(&format!("alter table ships add column x int;\n{sql}"), TransactionHabit::File);
    let (findings, proposal) = proposed(&migration, &Settings::default());
    let step = &proposal.rewrites.first().unwrap_or_else(|| panic!("{findings:#?}")).steps[0];
    assert_eq!(step.run, Run::Outside);
    assert!(step.sql.contains("update ships set flag = 'LR' WHERE (flag is null) AND id >= batch_first AND id <= batch_last;\n    COMMIT;"), "{}", step.sql);
    let (statements, _) = parse_script(&step.sql);
    assert!(statements.len() == 1 && statements[0].command().is_some());
}

#[test]
fn new_columns_get_their_values_and_constraints_after_they_are_there() {
    let settings = Settings::default();
    let migration = migration(
        "alter table ships add column token uuid not null default gen_random_uuid() unique;",
        TransactionHabit::Statement,
    );
    let (findings, proposal) = proposed(&migration, &settings);
    let steps = &proposal.rewrites.first().unwrap_or_else(|| panic!("{findings:#?} {proposal:#?}")).steps;
    let shown: Vec<String> =
        steps.iter().map(|step| step.sql.lines().next().unwrap_or_default().to_owned()).collect();
    assert_eq!(
        shown,
        [
            "alter table ships add column token uuid, ALTER COLUMN token SET DEFAULT gen_random_uuid()",
            "DO $batches$",
            "ALTER TABLE ships ADD CONSTRAINT ships_token_not_null_check CHECK (token IS NOT NULL) NOT VALID",
            "ALTER TABLE ships VALIDATE CONSTRAINT ships_token_not_null_check",
            "ALTER TABLE ships ALTER COLUMN token SET NOT NULL",
            "ALTER TABLE ships DROP CONSTRAINT ships_token_not_null_check",
            "CREATE UNIQUE INDEX CONCURRENTLY ships_token_key ON ships (token)",
            "ALTER TABLE ships ADD CONSTRAINT ships_token_key UNIQUE USING INDEX ships_token_key",
        ]
    );
}

#[track_caller]
fn insta(got: &str, expected: &str) {
    assert_eq!(got, expected, "got:\n{got}");
}

#[test]
fn comments_within_a_statement_are_kept() {
    let sql = "alter table ships -- ticket 12; keep\n  /* by hand */ add check (id > 0) -- last\n;\n\
               create index i /* here */ on ships (name);\n";
    assert_eq!(
        arranged(sql, TransactionHabit::Statement, None, None).unwrap(),
        "== None\n-- ticket 12; keep\n/* by hand */\n-- last\n\
         ALTER TABLE ships ADD CONSTRAINT ships_id_check check (id > 0) NOT VALID;\n\
         ALTER TABLE ships VALIDATE CONSTRAINT ships_id_check;\n\
         create index CONCURRENTLY i /* here */ on ships (name);\n"
    );
}
