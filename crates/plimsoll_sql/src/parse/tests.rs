use proptest::prelude::*;

use super::*;
use crate::ObjectName;
use crate::command::{ActionKind, ConstraintKind, UsingExpression};

fn only_command(sql: &str) -> Command {
    let (statements, _) = parse_script(sql);
    assert_eq!(statements.len(), 1, "{sql}");
    statements[0].command().unwrap_or_else(|| panic!("{sql}: {:?}", statements[0].kind)).clone()
}

fn only_action(sql: &str) -> ActionKind {
    match only_command(sql) {
        Command::AlterTable(alter) if alter.actions.len() == 1 => alter.actions[0].kind.clone(),
        other => panic!("{sql}: {other:?}"),
    }
}

#[test]
fn a_bad_statement_spoils_itself_only() {
    let text = "create table t (id int);\nalter tabel t add x int;\nselect 1;";
    let (statements, _) = parse_script(text);
    assert_eq!(statements.len(), 3);
    let StatementKind::Invalid(error) = &statements[1].kind else { panic!("{:?}", statements[1]) };
    assert!(error.range.start >= 25 && error.range.end <= 50, "{error:?}");
    assert!(statements[2].command().is_some());
}

#[test]
fn a_comment_that_never_ends_is_an_error() {
    let (statements, _) = parse_script("select 1;\n/* alter table t add x int;");
    assert_eq!(statements.len(), 2);
    let StatementKind::Invalid(error) = &statements[1].kind else { panic!("{:?}", statements[1]) };
    assert_eq!(error.range.start, 10, "{error:?}");
}

#[test]
fn names_are_folded_and_qualified() {
    let Command::CreateTable(table) = only_command("CREATE TABLE App.\"Big Ships\" (ID int)") else {
        panic!()
    };
    assert_eq!(
        (table.name, table.columns[0].name.as_str()),
        (ObjectName::qualified("app", "Big Ships"), "id")
    );
}

#[test]
fn column_constraints_are_told_apart() {
    let sql = "create table t (id serial primary key, a text not null default 'x' check (a <> ''), b int references u (id), \
               unique (a, b), constraint fk foreign key (b) references v)";
    let Command::CreateTable(table) = only_command(sql) else { panic!() };
    assert!(matches!(table.columns[0].constraints[0].kind, ConstraintKind::PrimaryKey(_)));
    assert_eq!(table.columns[1].constraints.len(), 2);
    assert_eq!(table.columns[1].default.as_ref().map(|default| default.text.as_str()), Some("'x'"));
    assert!(matches!(&table.constraints[0].kind, ConstraintKind::Unique(key) if key.columns == ["a", "b"]));
    assert!(matches!(&table.constraints[1].kind,
        ConstraintKind::ForeignKey { references, .. } if references.name == "v"));
}

#[test]
fn type_changes_know_their_using() {
    let using = |sql: &str| match only_action(sql) {
        ActionKind::AlterColumnType { using, .. } => using,
        other => panic!("{other:?}"),
    };
    assert_eq!(using("alter table t alter a type bigint"), None);
    assert_eq!(using("alter table t alter a type bigint using a::bigint"), Some(UsingExpression::SameColumn));
    assert_eq!(using("alter table t alter a type text using (a)"), Some(UsingExpression::SameColumn));
    assert_eq!(using("alter table t alter a type text using lower(a)"), Some(UsingExpression::Other));
}

#[test]
fn defaults_name_the_functions_they_call() {
    let calls = |default: &str| match only_action(&format!("alter table t add c text default {default}")) {
        ActionKind::AddColumn { column, .. } => {
            column.default.unwrap().calls.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(calls("-1"), "");
    assert_eq!(calls("current_timestamp"), "");
    assert_eq!(calls("md5(random()::text)"), "md5 random");
    assert_eq!(calls("pg_catalog.now()"), "pg_catalog.now");
    assert_eq!(calls("array[random()]"), "random");
}

#[test]
fn settings_are_read_in_all_their_forms() {
    let set = |sql: &str| match only_command(sql) {
        Command::Set(set) => format!("{}={} {}", set.name, set.values.join(","), set.local),
        other => panic!("{sql}: {other:?}"),
    };
    assert_eq!(set("SET lock_timeout = '5s'"), "lock_timeout=5s false");
    assert_eq!(set("set local lock_timeout to 500"), "lock_timeout=500 true");
    assert_eq!(set("set search_path to app, \"Public\""), "search_path=app,Public false");
    assert_eq!(set("select pg_catalog.set_config('lock_timeout', '2s', true)"), "lock_timeout=2s true");
    assert_eq!(only_command("reset all"), Command::Reset { name: None });
    assert_eq!(only_command("reset lock_timeout"), Command::Reset { name: Some("lock_timeout".into()) });
}

#[test]
fn concurrent_forms_are_seen() {
    assert!(
        matches!(only_command("create unique index concurrently if not exists i on only s.t using gin (a)"),
        Command::CreateIndex(index) if index.concurrently && index.unique && index.only && index.if_not_exists)
    );
    assert!(
        matches!(only_command("drop index concurrently a, s.b"), Command::Drop(drop) if drop.concurrently && drop.names.len() == 2)
    );
    assert!(matches!(
        only_command("reindex (concurrently) table t"),
        Command::Reindex { concurrently: true, .. }
    ));
    assert!(matches!(
        only_action("alter table t detach partition p concurrently"),
        ActionKind::DetachPartition { concurrently: true, .. }
    ));
}

#[test]
fn renames_of_every_kind_are_seen() {
    assert!(matches!(only_action("alter table t rename to u"), ActionKind::RenameTo { to } if to == "u"));
    assert!(
        matches!(only_action("alter table t rename a to b"), ActionKind::RenameColumn { from, to } if from == "a" && to == "b")
    );
    assert!(matches!(only_action("alter view v rename to w"), ActionKind::RenameTo { to } if to == "w"));
    assert!(
        matches!(only_command("alter index i rename to j"), Command::RenameIndex { to, .. } if to == "j")
    );
}

#[test]
fn transaction_control_is_seen() {
    assert_eq!(only_command("start transaction isolation level serializable"), Command::Begin);
    assert_eq!(only_command("end"), Command::Commit { chain: false });
    assert_eq!(only_command("abort and chain"), Command::Rollback { chain: true });
    assert_eq!(only_command("rollback to savepoint s"), Command::RollbackTo("s".into()));
}

#[test]
fn deep_nesting_and_long_chains_are_survived() {
    for (open, close) in [
        ("(", ")"),
        ("not ", ""),
        ("1 || ", ""),
        ("- ", ""),
        ("case when true then ", " end"),
        ("[", "]"),
        ("array[", "]"),
    ] {
        for depth in [140, 290, 4_000, 100_000] {
            let sql = format!("select {}1{}; select 2", open.repeat(depth), close.repeat(depth));
            assert_eq!(parse_script(&sql).0.len(), 2, "{open} {depth}");
        }
    }
}

#[test]
fn what_nests_deeper_than_any_migration_is_left_alone() {
    assert_eq!(only_command(&format!("select * from {}", "(".repeat(1_001))), Command::Other);
}

proptest! {
    #[test]
    fn any_text_is_survived(text in "(alter|table|create|index|select|\\(|\\)|;|'|\"|\\$\\$|--|\n| |:|[a-z]|é|add|column|check|not|null|,){0,60}") {
        let (statements, _) = parse_script(&text);
        for statement in statements {
            prop_assert!(text.get(statement.range.clone()).is_some());
            if let StatementKind::Invalid(error) = statement.kind {
                prop_assert!(text.get(error.range).is_some());
            }
        }
    }
}

#[test]
fn columns_know_their_bytes() {
    let sql = "create table t (id  int primary key, note varchar(9) not null)";
    let Command::CreateTable(table) = only_command(sql) else { panic!() };
    let bytes: Vec<(&str, &str)> = table
        .columns
        .iter()
        .map(|column| (&sql[column.bytes.whole()], &sql[column.bytes.data_type().unwrap()]))
        .collect();
    assert_eq!(bytes, [("id  int primary key", "int"), ("note varchar(9) not null", "varchar(9)")]);
    let sql = "alter table t add column a serial not null, add b int";
    let Command::AlterTable(alter) = only_command(sql) else { panic!() };
    let ActionKind::AddColumn { column, .. } = &alter.actions[0].kind else { panic!() };
    assert_eq!(&sql[column.bytes.whole()], "a serial not null");
    assert_eq!(&sql[column.bytes.data_type().unwrap()], "serial");
}

#[test]
fn a_column_that_is_written_twice_is_seen() {
    let twice = |sql: &str| match only_command(sql) {
        Command::Modify(modify) => modify.written_twice,
        other => panic!("{other:?}"),
    };
    assert_eq!(twice("update t set a = 1, b = 2, A = 3").as_deref(), Some("a"));
    assert_eq!(twice("update t set (a, b) = (1, 2), b = 3").as_deref(), Some("b"));
    assert_eq!(twice("insert into t (a, b, a) values (1, 2, 3)").as_deref(), Some("a"));
    assert_eq!(
        twice("insert into t (a) values (1) on conflict (a) do update set b = 1, b = 2").as_deref(),
        Some("b")
    );
    assert_eq!(twice("update t set a[1] = 1, a[2] = 2"), None);
    assert_eq!(twice("insert into t (a) values (1) on conflict (a) do update set a = 1"), None);
}

#[test]
fn comments_on_relations_are_seen() {
    let on = |sql: &str| match only_command(sql) {
        Command::Comment { on } => on.to_string(),
        other => format!("{other:?}"),
    };
    assert_eq!(on("comment on table App.Ships is 'x'"), "app.ships");
    assert_eq!(on("comment on column ships.id is 'x'"), "Other");
}

#[test]
fn functions_are_dropped_by_name_alone() {
    let names = |sql: &str| match only_command(sql) {
        Command::Drop(drop) => drop.names.iter().map(ToString::to_string).collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    assert_eq!(names("drop function f(app.mood, int), s.g(x text)"), ["f", "s.g"]);
    assert_eq!(names("drop function if exists f cascade"), ["f"]);
    assert_eq!(names("drop procedure p(int)"), ["p"]);
    assert_eq!(names("drop routine r(int)"), ["r"]);
    assert_eq!(names("drop aggregate a(int)"), ["a"]);
}
