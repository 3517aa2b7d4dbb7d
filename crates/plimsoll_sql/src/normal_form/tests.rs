use super::*;

fn check(statement: &str, expected: &str) {
    assert_eq!(normal_form(statement), expected, "{statement}");
}

fn same(one: &str, other: &str) {
    assert_eq!(normal_form(one), normal_form(other));
}

#[test]
fn values_blanks_comments_and_case_go() {
    check(
        "SELECT  abalance FROM pgbench_accounts WHERE aid = 12345;",
        "select abalance from pgbench_accounts where aid = $1",
    );
    check("select 'a', E'b\\'', $$c$$, 1.5, $3 -- why\n", "select $1, $2, $3, $4, $5");
    check("SELECT count(*), t.* FROM \"t\" /* here */", "select count(*), t.* from t");
    check("select \"Camel\", \"a b\"", "select \"Camel\", \"a b\"");
    check("select 'a'\n 'b'", "select $1");
}

#[test]
fn a_sign_belongs_to_its_number_where_no_operand_stands_before() {
    check("select -5, a -5, f(-1), (a) - 1", "select $1, a - $2, f($3), (a) - $4");
    check("select * from t where a = -1 limit -1", "select * from t where a = $1 limit $2");
}

#[test]
fn what_names_no_value_stays() {
    check(
        "select a is null, b is not true, null, true from t where x is distinct from null",
        "select a is null, b is not true, $1, $2 from t where x is distinct from $3",
    );
    check("create table t (a int not null)", "create table t(a int not null)");
}

#[test]
fn lists_have_any_length() {
    same("select * from t where a in (1, 2, 3)", "select * from t where a in (4,-5)");
    check("select * from t where a in (1,2) and b", "select * from t where a in ($1 /*, ... */) and b");
    check("select * from t where a in ($1)", "select * from t where a in ($1 /*, ... */)");
    check("select * from t where a in (select 1, 2)", "select * from t where a in (select $1, $2)");
    check("select array[1,2]::int[]", "select array[$1 /*, ... */]::integer[]");
    check("select * from t where a in (1::int, 2::int)", "select * from t where a in ($1 /*, ... */)");
    check("select * from t where a in (1, b)", "select * from t where a in ($1, b)");
}

#[test]
fn rows_that_look_alike_are_one() {
    same("insert into t(a, b) values (1, 'x')", "INSERT INTO t (a,b) VALUES (2,'y'), (3,'z'), ($1, $2)");
    check("insert into t values (1, 2), (3, default)", "insert into t values ($1, $2), ($3, default)");
    check(
        "insert into t values (1, f(2)), (3, f(4)) on conflict do nothing",
        "insert into t values ($1, f($2)) on conflict do nothing",
    );
}

#[test]
fn names_that_drivers_make_up_are_values() {
    same("SAVEPOINT \"s140_x1\"", "savepoint s2");
    same("RELEASE SAVEPOINT s1", "release s2");
    same("ROLLBACK TO SAVEPOINT s1", "rollback to s2;");
    same("COMMIT", "end work;");
    same(
        "DECLARE \"_django_curs_1_sync_1\" NO SCROLL CURSOR FOR SELECT 1",
        "declare b no scroll cursor for select 2",
    );
    same("FETCH 100 FROM \"c1\"", "fetch 2000 from c2");
    check("ROLLBACK", "rollback");
    check("close all", "close all");
}

#[test]
fn a_literal_has_its_type_behind_it() {
    check("select date '2020-01-01', cast(-5 as int4), 5::INT", "select $1::date, $2::integer, $3::integer");
    same("select timestamp with time zone 'now'", "select 'now'::timestamptz");
    same("select interval '1' day, date(a) from date", "select '2'::interval day, date(a) from date");
    check("select cast(a as int), date '1' 'x'", "select cast(a as int), $1::date $2");
}

#[test]
fn positions_name_columns() {
    check("select a, b from t group by 1, b order by 2 desc, -1 limit 3", {
        "select a, b from t group by 1, b order by 2 desc, $1 limit $2"
    });
    check(
        "select a from t order by 1 + 2, (3), f(4, 5), 6",
        "select a from t order by $1 + $2, ($3), f($4, $5), 6",
    );
    check(
        "select a from t order by 1 union values (1, 2)",
        "select a from t order by 1 union values ($1, $2)",
    );
}

#[test]
fn one_operator_has_one_name() {
    same("select a != 1, f(b := 2)", "select a <> 3, f(b => 4)");
}

#[test]
fn colons_apart_are_no_cast() {
    check("a : :b", "a: : b");
}

#[test]
fn lists_may_hold_null() {
    same("select * from t where a in (1, null, true)", "select * from t where a in (2)");
    check("select * from t where a in (1, - 'x', b)", "select * from t where a in ($1, - $2, b)");
}

#[test]
fn settings_are_values() {
    same("SET search_path = a, b", "set SESSION Search_Path to 'c';");
    check("set local a.b = 5", "set local a.b to $1");
    check("set x to default", "set x to default");
    same("set time zone 'utc'", "set timezone = 'x'");
    same("set role a", "SET ROLE b");
    same("set session authorization a", "set session authorization 'b'");
    check("set transaction isolation level serializable", "set transaction isolation level serializable");
    check("set constraints all deferred", "set constraints all deferred");
    same("begin work", "BEGIN;");
    same("begin transaction isolation level serializable", "begin isolation level serializable");
    same("fetch all in a", "FETCH ALL FROM b");
}

#[test]
fn values_are_where_they_stand() {
    let mut form = NormalForm::default();
    let text = "select * from t where a in (1, -2) and b = 'x'";
    form.of(text);
    let values: Vec<&str> = form.values().iter().map(|value| &text[value.range.clone()]).collect();
    assert_eq!(values, ["1", "-2", "'x'"]);
    let numbers: Vec<usize> = form.values().iter().map(|value| value.number).collect();
    assert_eq!(numbers, [1, 0, 2]);
    assert!(form.is_folded());
}

#[test]
fn nothing_is_too_odd() {
    for text in [
        "",
        ";",
        "(",
        "in (",
        "values (",
        "values (1),(",
        "in (1,",
        "array[",
        "declare",
        "fetch",
        "'",
        "é'",
        "- -",
        "rollback to",
        "set",
        "set a.",
        "set session",
        "set time",
        "begin",
        "cast(",
        "date",
        "timestamp with time",
        "order by",
    ] {
        let form = normal_form(text);
        assert!(form.len() <= text.len() * 20, "{text}: {form}");
    }
}

proptest::proptest! {
    #[test]
    fn a_normal_form_is_its_own(text in "(?s)[a-z_ '\"$0-9.,:()\\[\\]*=<>+\\-/;\\\\é]{0,60}") {
        let once = normal_form(&text);
        // A quote that is never closed swallows what follows it, so only whole statements are compared.
        let quotes = |text: &str| text.matches('\'').count() + text.matches('"').count() + text.matches('$').count();
        if quotes(&text) == 0 && !text.contains("/*") {
            proptest::prop_assert_eq!(normal_form(&once), once);
        }
    }

    #[test]
    fn blanks_comments_case_and_values_change_nothing(
        pieces in proptest::collection::vec("select|from|where|a|b_1|\\(|\\)|,|=|<>|in \\(|values \\(|order by|is null|::int|date|and|not|\"a\"|V|W", 1..30),
        blank in "( |\n|\t|/\\*x/\\*y\\*/\\*/|--z\n){1,3}",
        values in ("[1-9][0-9]{0,4}", "'[a-z ]{0,5}'"),
    ) {
        let with = |blank: &str, values: (&str, &str), upper: bool| -> String {
            let piece = |piece: &String| match piece.as_str() {
                "V" => values.0.to_owned(),
                "W" => values.1.to_owned(),
                quoted if quoted.starts_with('"') => quoted.to_owned(),
                word if upper => word.to_uppercase(),
                word => word.to_owned(),
            };
            pieces.iter().map(piece).collect::<Vec<_>>().join(blank)
        };
        // A number behind BY is a column's, whatever else is one's value.
        let number = if pieces.iter().any(|piece| piece == "order by") { "7" } else { values.0.as_str() };
        let (one, other) = (with(" ", ("7", "'x'"), false), with(&blank, (number, &values.1), true));
        // Strings of which one continues another are one, if a line's end is between them.
        let continued = pieces.windows(2).any(|pair| pair[0] == "W" && pair[1] == "W");
        if !continued {
            proptest::prop_assert_eq!(normal_form(&one), normal_form(&other));
        }
    }

    #[test]
    fn no_text_is_too_odd(text in "(?s).{0,80}") {
        let mut form = NormalForm::default();
        form.of(&text);
        for value in form.values() {
            proptest::prop_assert!(text.get(value.range.clone()).is_some());
        }
    }
}
