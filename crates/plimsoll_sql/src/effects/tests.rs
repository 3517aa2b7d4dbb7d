use super::*;
use crate::parse::parse_script;

fn check(sql: &str, expected: &[(&str, LockMode)]) {
    let mut schema = Schema::default();
    schema.apply_script(
        &parse_script(
            "create table a (id int primary key); create table b (id int, a_id int references a);
             create index b_a on b (a_id);",
        )
        .0,
    );
    schema.begin_change();
    schema.apply_script(&parse_script("create table fresh (id int)").0);
    let statements = parse_script(sql).0;
    let environment = Environment { server_major: None, time_zone: TimeZone::Utc };
    let effects = effects(statements[0].command().unwrap(), &schema, environment);
    let shown: Vec<(String, LockMode)> = strongest_locks(&effects)
        .into_iter()
        .map(|effect| (effect.relation.name.clone(), effect.mode))
        .collect();
    let expected: Vec<(String, LockMode)> =
        expected.iter().map(|(name, mode)| ((*name).into(), *mode)).collect();
    assert_eq!(shown, expected, "{sql}");
}

#[test]
fn locks_are_those_that_pg_locks_shows() {
    use LockMode::{AccessExclusive, Share, ShareRowExclusive, ShareUpdateExclusive};
    check("create index on b (id)", &[("b", Share)]);
    check("create index concurrently on b (id)", &[("b", ShareUpdateExclusive)]);
    check(
        "alter table b add foreign key (id) references a",
        &[("b", ShareRowExclusive), ("a", ShareRowExclusive)],
    );
    check("alter table b drop constraint b_a_id_fkey", &[("b", AccessExclusive), ("a", AccessExclusive)]);
    check("drop table b", &[("b", AccessExclusive), ("a", AccessExclusive)]);
    check("create table c (a_id int references a)", &[("a", ShareRowExclusive)]);
    check("alter table b validate constraint k", &[("b", ShareUpdateExclusive)]);
    check("drop index b_a", &[("b", AccessExclusive)]);
    check("alter table fresh add x int", &[]);
    check("drop table if exists nothing", &[]);
    check("update b set id = 1", &[("b", LockMode::RowExclusive)]);
}

/// Which relations a statement reads in full.
fn check_scans(sql: &str, expected: &[&str]) {
    let mut schema = Schema::default();
    schema.apply_script(
        &parse_script(
            "create table a (id int primary key, x int, y int, z int unique);
             create index on a (x); create index on a (y) where y > 0; create table b (id int);",
        )
        .0,
    );
    schema.begin_change();
    let environment = Environment { server_major: None, time_zone: TimeZone::Utc };
    let effects = effects(parse_script(sql).0[0].command().unwrap(), &schema, environment);
    let scans = effects.iter().filter(|effect| effect.work == Some(Work::Scan));
    let scanned: Vec<&str> = scans.map(|effect| effect.relation.name.as_str()).collect();
    assert_eq!(scanned, expected, "{sql}");
}

#[test]
fn rows_that_no_index_leads_to_cost_a_scan() {
    for sql in [
        "update a set x = 1",
        "update a set y = 1 where y is null",
        "update a set y = 1 where id > 5",
        "delete from a where y = 1",
        "delete from a where id + 1 = 5",
        "update a set x = 1 where id = 5 or y = 1",
    ] {
        check_scans(sql, &["a"]);
    }
    check_scans("insert into b select id from a where y = 1", &["a"]);
    check_scans("select count(*) from a where y = 1", &["a"]);
    check_scans("update a set x = b.id from b where b.id = a.id", &["a", "b"]);
}

#[test]
fn rows_that_an_index_leads_to_cost_none() {
    for sql in [
        "update a set y = 1 where id = 5",
        "update \"a\" set y = 1 where \"a\".\"id\" in (5, 6) and y is null",
        "update a set y = 1 where id >= 5 and id < 100",
        "delete from a where x is null",
        "delete from a where z = 3 and y = 1",
        "insert into a values (1)",
        "select * from a where 5 = id",
    ] {
        check_scans(sql, &[]);
    }
}

#[test]
fn checks_on_numbers_prove_bounds_of_numbers() {
    let scanned = |check: &str, bound: &str| {
        let before = format!(
            "create table cargo (n int not null) partition by {}; create table part (n int not null check ({check}));",
            if bound.contains("from") { "range (n)" } else { "list (n)" }
        );
        let mut schema = Schema::default();
        schema.apply_script(&parse_script(&before).0);
        schema.begin_change();
        let attach = parse_script(&format!("alter table cargo attach partition part for values {bound}")).0;
        let environment = Environment { server_major: None, time_zone: TimeZone::Utc };
        let effects = effects(attach[0].command().unwrap(), &schema, environment);
        effects.iter().any(|effect| effect.work == Some(Work::Scan))
    };
    assert!(!scanned("n >= 0 and n < 1000", "from (0) to (1000)"));
    assert!(scanned("n >= 0 and n < 1001", "from (0) to (1000)"));
    assert!(scanned("n >= 5 and n < 1000", "from (10) to (1000)"));
    assert!(!scanned("n in (1, 2)", "in (1, 2, 3)"));
    assert!(scanned("n in (1, 4)", "in (1, 2, 3)"));
    assert!(scanned("n = 4", "in (1, 2, 3)"));
}
