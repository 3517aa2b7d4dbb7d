use proptest::prelude::*;

use super::*;

fn values(pairs: &[(&str, &str)]) -> Values {
    Values(pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect())
}

/// The text that is parsed when nothing has a value.
#[track_caller]
fn check(text: &str, expected: &str) {
    let expanded = expand(text, &Values::default());
    assert_eq!(expanded.as_ref().map_or(text, |expanded| &expanded.text), expected);
    if let Some(expanded) = expanded {
        assert_eq!(
            expanded.restored(&expanded.text).replace(' ', ""),
            without_dropped(text, &expanded),
            "{text}"
        );
    }
}

/// The text without spaces and without the placeholders that became one.
fn without_dropped(text: &str, expanded: &Expanded) -> String {
    let mut kept = String::new();
    let mut at = 0;
    for (placeholder, replaced) in expanded.placeholders.iter().zip(&expanded.replaced) {
        kept.push_str(&text[at..placeholder.range.start]);
        if &expanded.text[replaced.clone()] != " " {
            let spelled = &text[placeholder.range.clone()];
            kept.push_str(&match placeholder.kind {
                Kind::VariableLiteral => format!("'{spelled}'"),
                Kind::VariableName => format!("\"{spelled}\""),
                _ => spelled.to_owned(),
            });
        }
        at = placeholder.range.end;
    }
    kept.push_str(&text[at..]);
    kept.replace(' ', "")
}

#[test]
fn names_become_names() {
    check("drop table ${schema}.ships", "drop table placeholder_schema.ships");
    check("drop table app_${env}_ships", "drop table app_placeholder_env_ships");
    check("select * from {{ ref('ships') }}", "select * from placeholder_ref__ships__");
    check("select * from {{- x -}}, b", "select * from placeholder_x, b");
    check("select {{ \"it's\" }}, 'b'", "select placeholder__it_s_, 'b'");
    check("grant select on t to :role", "grant select on t to placeholder_role");
    check("create table :schema.t (a int)", "create table placeholder_schema.t (a int)");
    check(
        "alter role :\"who\" password :'secret'",
        "alter role \"placeholder_who\" password 'placeholder_secret'",
    );
    check(
        "select * from t where a = %(a)s and b in (%(b)s)",
        "select * from t where a = placeholder_a and b in (placeholder_b)",
    );
    check("select a from t limit %(n)s", "select a from t limit placeholder_n");
    check("select array[:a, :b], (:c)", "select array[placeholder_a, placeholder_b], (placeholder_c)");
}

#[test]
fn blocks_and_what_begins_a_statement_go() {
    check("{{ config(x='y') }}\nselect 1", " \nselect 1");
    check("{% if x %}drop table a;{% else %}drop table b;{% endif %}", " drop table a; drop table b; ");
    check("{# it's nothing #}select 1; ${statements}; select 2", " select 1;  ; select 2");
}

#[test]
fn what_is_sql_stays() {
    for text in [
        "select a::text, b::int[], '1'::date, :: text",
        "select a[1:n], a[:n], a[n:], a[1:2][:m], (f(x))[i:j]",
        "select '{\"a\": :b}', ':x', '${x}', '{{x}}', \"${x}\", \":x\", '%(a)s', '{% x %}'",
        "select $$ ${x} {{y}} :z $$, $tag$ {% x %} $tag$, $1, $2::int",
        "select a % b, a %(b), 5 %(b)s, f() %(b)s, \"a\" %(b)s, a %(b)s from t",
        "select '{}'::jsonb ? 'a', j @> '{\"a\":1}', j #>> '{a,b}', j ->> 'x'",
        "select json_object('a': 'b', 'c':d, \"e\":f, k:g)",
        "call f(a := 1, b => 2)",
        "-- ${x} {{y}} :z %(a)s\nselect /* {{ x }} */ 1",
        "copy t from stdin;\n:a\t${b}\t{{c}}\n\\.\nselect 1",
        "\\set x :y\n\\echo {{ z }}\nselect 1",
        "select e'\\'${x}', U&'\\0041 :x', b'1', x'{'",
        "select time '12:30:00', interval '1:2'",
        "select '{{' || '}}', '${' || '}'",
        "select { { a } }, ${}, {{ }}, ${a\n}",
    ] {
        check(text, text);
    }
}

#[test]
fn values_take_their_places() {
    let values =
        values(&[("schema", "har bour"), ("who", "a\"b"), ("x", "it's\\"), ("n", "5"), ("Name", "go")]);
    let filled = |text: &str| expand(text, &values).unwrap().text;
    assert_eq!(filled("drop table ${schema}.t"), "drop table har bour.t");
    assert_eq!(filled("set role :\"who\""), "set role \"a\"\"b\"");
    assert_eq!(filled("select :'x', :n, %(n)s"), "select  E'it''s\\\\', 5, '5'");
    assert_eq!(filled("drop table {{ .Name }}"), "drop table go");
    assert_eq!(filled("{{ schema }}"), "har bour");
    let expanded = expand("select ${n}, ${m}", &values).unwrap();
    let filled: Vec<bool> = expanded.placeholders.iter().map(|placeholder| placeholder.filled).collect();
    assert_eq!(filled, [true, false]);
}

#[test]
fn ranges_lead_back_to_the_script() {
    let text = "drop table ${schema}.ships; drop table b";
    let expanded = expand(text, &values(&[("schema", "a_longer_name")])).unwrap();
    let origin = |part: &str| {
        let start = expanded.text.find(part).unwrap();
        &text[expanded.origin(start..start + part.len())]
    };
    assert_eq!(origin("drop table b"), "drop table b");
    assert_eq!(origin("a_longer_name"), "${schema}");
    assert_eq!(origin("longer"), "${schema}");
    assert_eq!(origin("table a_long"), "table ${schema}");
    assert_eq!(origin("name.ships"), "${schema}.ships");
    assert!(expanded.is_original(&(0..11)) && !expanded.is_original(&(0..12)));
    assert_eq!(expanded.origin(11..11), 11..11);
}

#[test]
fn one_that_is_never_closed_hides_nothing() {
    check("select {{ a; drop table {{ b }}.c", "select {{ a; drop table placeholder_b.c");
    let openers = "{{ ${ {% ".repeat(50_000);
    assert!(expand(&openers, &Values::default()).is_none());
    assert!(expand(&format!("{openers}\n}}"), &Values::default()).is_none());
}

proptest! {
    #[test]
    fn every_range_leads_back_in_order(text in "([ -~\nβ]|\\$\\{[a-c]\\}|\\{\\{ a \\}\\}|:[a-c]|:'a'|%\\(a\\)s){0,60}") {
        let Some(expanded) = expand(&text, &values(&[("a", "é long value;'")])) else { return Ok(()) };
        let mut end = 0;
        for placeholder in &expanded.placeholders {
            prop_assert!(placeholder.range.start >= end && text.is_char_boundary(placeholder.range.end));
            end = placeholder.range.end;
        }
        let offsets: Vec<usize> = expanded.text.char_indices().map(|(at, _)| at).chain([expanded.text.len()]).collect();
        let mut before = 0;
        for offset in offsets {
            let origin = expanded.origin(offset..offset).start;
            prop_assert!(origin >= before && origin <= text.len() && text.is_char_boundary(origin));
            before = origin;
        }
        prop_assert_eq!(expanded.origin(0..expanded.text.len()).end, text.len());
    }
}
