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
