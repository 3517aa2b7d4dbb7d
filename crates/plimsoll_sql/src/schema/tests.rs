use super::*;
use crate::parse::parse_script;

fn schema(sql: &str) -> Schema {
    let mut schema = Schema::default();
    schema.apply_script(&parse_script(sql).0);
    schema
}

fn name(text: &str) -> ObjectName {
    ObjectName::unqualified(text)
}

#[test]
fn renames_are_followed() {
    let schema = schema(
        "create table a (id int primary key, n int); create table b (a_id int references a);
         create index i on a (n); alter table a rename to c; alter table c rename n to m;",
    );
    assert!(schema.relation(&name("a")).is_none());
    assert!(schema.relation(&name("c")).unwrap().column("m").is_some());
    assert_eq!(schema.table_of_index(&name("i")).unwrap().to_string(), "public.c");
    assert_eq!(schema.referencing(&name("c"))[0].to_string(), "public.b");
}

#[test]
fn a_new_tables_constraints_are_valid_whatever_they_say() {
    let schema = schema(
        "create table a (n int, constraint early check (n > 0) not valid);
         alter table a add constraint late check (n < 9) not valid;",
    );
    let validated =
        |constraint: &str| schema.relation(&name("a")).unwrap().constraint(constraint).unwrap().validated;
    assert!(validated("early") && !validated("late"));
}

#[test]
fn rollbacks_undo() {
    let schema = schema(
        "begin; create table a (); savepoint s; create table b (); rollback to s; create table c (); commit;
         begin; create table d (); rollback;",
    );
    let names: Vec<String> = schema.relations().map(|(name, _)| name.name.clone()).collect();
    assert_eq!(names, ["a", "c"]);
}

#[test]
fn a_released_savepoint_hides_no_older_one() {
    let schema = schema(
        "begin; savepoint s; create table a (); savepoint s; create table b (); release s; rollback to s; commit;",
    );
    assert_eq!(schema.relations().count(), 0);
}

#[test]
fn a_column_that_comes_twice_is_one() {
    let schema =
        schema("create table a (n int); create table b (like a, like a); create table c () inherits (a, b);");
    let columns = |table| schema.relation(&name(table)).unwrap().columns.len();
    assert_eq!((columns("b"), columns("c")), (1, 1));
}

#[test]
fn a_valid_check_proves_not_null() {
    let schema = schema(
        "create table t (a int, b int, c int not null);
         alter table t add constraint k check (a is not null and (b IS NOT NULL)) not valid;",
    );
    let relation = schema.relation(&name("t")).unwrap();
    assert!(relation.proves_not_null("c") && !relation.proves_not_null("a"));
    let mut schema = schema.clone();
    schema.apply_script(&parse_script("alter table t validate constraint k").0);
    let relation = schema.relation(&name("t")).unwrap();
    assert!(relation.proves_not_null("a") && relation.proves_not_null("b"));
}

#[test]
fn an_and_within_something_else_proves_nothing() {
    for check in [
        "case when x and a is not null and y then true end",
        "note <> 'x and a is not null and y'",
        "x between 1 and a is not null",
        "a is not null or x",
    ] {
        let schema = schema(&format!("create table t (a int, x int, note text, check ({check}))"));
        assert!(!schema.relation(&name("t")).unwrap().proves_not_null("a"), "{check}");
    }
}

#[test]
fn the_search_path_places_and_finds() {
    let schema = schema("set search_path to app, public; create table t (); create table public.u ();");
    assert_eq!(schema.resolve(&name("t")).to_string(), "app.t");
    assert_eq!(schema.resolve(&name("u")).to_string(), "public.u");
}

#[test]
fn a_computed_search_path_changes_nothing() {
    let schema =
        schema("create table t (); select set_config('search_path', current_setting('app.former'), true);");
    assert_eq!(schema.resolve(&name("t")).to_string(), "public.t");
}

#[test]
fn what_the_change_makes_is_new() {
    let mut schema = schema("create table old ()");
    schema.begin_change();
    schema.apply_script(&parse_script("create table fresh (); select 1 as x into copied").0);
    assert!(!schema.is_new(&name("old")) && schema.is_new(&name("fresh")) && schema.is_new(&name("copied")));
}

#[test]
fn publications_know_their_tables() {
    let schema = schema(
        "create table a (); create table b (); create table c (); create publication p for table a, public.b with (publish = 'insert');
         alter publication p add table c; alter publication p drop table a; create publication every for all tables;",
    );
    let of = |table: &str| schema.publications_of(&ObjectName::qualified("public", table));
    assert_eq!(of("a"), ["every"]);
    assert_eq!(of("b"), ["every", "p"]);
    assert_eq!(of("c"), ["every", "p"]);
}

#[test]
fn a_star_is_the_columns_there_were() {
    let schema = schema(
        "create table a (x int, y int); create view v as select * from a; alter table a add z int; alter table a rename y to w;",
    );
    let view = schema.relation(&name("v")).unwrap();
    assert_eq!(
        view.names_read
            .iter()
            .filter(|name| ["w", "x", "y", "z"].contains(&name.as_str()))
            .collect::<Vec<_>>(),
        ["x", "w"]
    );
}

#[test]
fn sequences_are_renamed() {
    let schema = schema("create sequence s; alter sequence s rename to t;");
    assert!(schema.relation(&name("s")).is_none() && schema.relation(&name("t")).is_some());
}
