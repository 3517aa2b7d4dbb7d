use plimsoll_sql::query_file::parse_queries;

use super::*;

const QUERY: &str = "-- name: a\nselect :n::int, :tags::text[];\n-- name: none\nselect 1";

type Sets = Vec<(String, Vec<Option<String>>)>;

fn read(toml: &str, jsonl: &str) -> Result<Sets, String> {
    let source = SourceFile::new("queries/q.sql", QUERY);
    let tables = SourceFile::new("queries/q.toml", toml);
    let lines = SourceFile::new("queries/q.jsonl", jsonl);
    let queries = parse_queries(&source).unwrap();
    let read = || {
        let mut values = ValueFiles::read(&source, Some(&tables), Some(&lines), &queries)?;
        let mut sets = values.take(&queries[0], &source)?;
        let none = values.take(&queries[1], &source)?;
        assert_eq!(none, [ParameterSet { name: "default".into(), values: Vec::new() }]);
        Ok(sets.drain(..).map(|set| (set.name, set.values)).collect())
    };
    read().map_err(|failure| match failure {
        Failure::Input(message) => message,
        other => panic!("{other:?}"),
    })
}

fn check(toml: &str, jsonl: &str, expected: &[(&str, &[Option<&str>])]) {
    let owned = |values: &[Option<&str>]| values.iter().map(|value| value.map(ToOwned::to_owned)).collect();
    let expected: Sets = expected.iter().map(|(name, values)| ((*name).to_owned(), owned(values))).collect();
    assert_eq!(read(toml, jsonl), Ok(expected));
}

fn refused(toml: &str, jsonl: &str, expected: &str) {
    assert_eq!(read(toml, jsonl), Err(expected.to_owned()));
}

#[test]
fn values_are_read_as_postgresql_reads_them() {
    let one = |values: &str, expected: [Option<&str>; 2]| check(values, "", &[("default", &expected)]);
    one("[a]\nn = 42\ntags = [\"x\", \"y\\\"z\"]\n", [Some("42"), Some("{\"x\",\"y\\\"z\"}")]);
    one("[a]\nn = {}\ntags = 2024-01-02\n", [None, Some("2024-01-02")]);
    one("[a]\nn = 12345678901234567890123\ntags = 1.50\n", [Some("12345678901234567890123"), Some("1.50")]);
    one("[a]\nn = 0x1f\ntags = [1_000, {}]\n", [Some("31"), Some("{\"1000\",NULL}")]);
    one(
        "[a]\nn = { x = 1.50, y = {} }\ntags = [{ z = true }]\n",
        [Some("{\"x\":1.5,\"y\":{}}"), Some("[{\"z\":true}]")],
    );
}

#[test]
fn a_table_whose_key_is_no_parameter_is_a_set() {
    check(
        "[a]\ntags = []\n[a.small]\nn = 1\n[a.big]\nn = 2\ntags = [\"x\"]\n",
        "",
        &[("small", &[Some("1"), Some("{}")]), ("big", &[Some("2"), Some("{\"x\"}")])],
    );
    check("[a.default]\nn = 1\ntags = {}\n", "", &[("default", &[Some("1"), None])]);
}

#[test]
fn where_there_are_named_sets_the_table_is_only_their_ground() {
    check("[a]\nn = 1\ntags = []\n[a.big]\nn = 2\n", "", &[("big", &[Some("2"), Some("{}")])]);
}

#[test]
fn lines_are_sets_and_take_their_number_where_they_have_no_name() {
    check(
        "[a]\ntags = []\n",
        "{\"query\": \"a\", \"parameters\": {\"n\": 7}}\n\
         {\"query\": \"a\", \"set\": \"big\", \"parameters\": {\"n\": 8, \"tags\": [\"x\"]}}\n\
         {\"query\": \"a\", \"parameters\": {\"n\": null}}\n",
        &[
            ("1", &[Some("7"), Some("{}")]),
            ("big", &[Some("8"), Some("{\"x\"}")]),
            ("3", &[None, Some("{}")]),
        ],
    );
}

#[test]
fn missing_values_are_placed() {
    refused(
        "[a]\nn = 1\n",
        "",
        "read queries/q.sql:2:17: query a has no value for its parameter tags; give one in queries/q.toml:\n[a]\ntags = …",
    );
    refused(
        "[a]\nn = 1\n[a.big]\nn = 2\n",
        "",
        "read queries/q.toml:3:4: query a's set big has no value for the parameter tags, and neither has [a]; give one",
    );
    refused(
        "",
        "\n{\"query\": \"a\", \"parameters\": {\"n\": 7}}",
        "read queries/q.jsonl:2:1: query a's set 1 has no value for the parameter tags, and neither has [a]; give one",
    );
}

#[test]
fn strangers_are_refused() {
    refused("[b]\n", "", "read queries/q.toml:1:2: [b] is the name of no query in queries/q.sql");
    refused("a = 1\n", "", "read queries/q.toml:1:1: a must be a table, [a]");
    refused("[a]\nn = 1\ntags = []\nx = 1", "", "read queries/q.toml:4:1: query a has no parameter x");
    refused("[a.s]\nn = 1\ny = []\n", "", "read queries/q.toml:3:1: query a has no parameter y");
    refused(
        "",
        "{\"query\": \"b\", \"parameters\": {}}",
        "read queries/q.jsonl:1:1: b is the name of no query in queries/q.sql",
    );
    refused(
        "",
        "{\"query\": \"a\", \"parameters\": {\"m\": 1}}",
        "read queries/q.jsonl:1:1: query a has no parameter m",
    );
    refused(
        "[a]\nn = 1\ntags = [\"a\\u0000\"]",
        "",
        "read queries/q.toml:3:1: query a's tags holds a zero byte (\\u0000), which no text in PostgreSQL does",
    );
    refused(
        "[a]\nn = 0xfffffffffffffffff\ntags = []",
        "",
        "read queries/q.toml:2:1: query a's n is too large: write it in quotes, with decimal digits",
    );
}

#[test]
fn sets_of_one_name_are_refused_with_both_places() {
    refused(
        "[a.big]\nn = 1\ntags = []\n",
        "{\"query\": \"a\", \"set\": \"big\", \"parameters\": {\"n\": 1, \"tags\": []}}",
        "read queries/q.jsonl:1:1: query a has a set big at queries/q.toml:1:4 already; rename one of them",
    );
    refused(
        "",
        "{\"query\": \"a\", \"set\": 2, \"parameters\": {}}\n{\"query\": \"a\", \"parameters\": {}}",
        "read queries/q.jsonl:2:1: query a has a set 2 at queries/q.jsonl:1:1 already; rename one of them",
    );
}

#[test]
fn a_query_without_parameters_has_no_sets_and_names_fit_on_a_line() {
    refused(
        "[a]\nn = 1\ntags = []\n[none.x]\n",
        "",
        "read queries/q.toml:4:7: query none has no parameters, so it can't have a set x",
    );
    refused(
        "[a.\"x\\ny\"]\nn = 1\ntags = []\n",
        "",
        "read queries/q.toml:1:4: query a's set `x\\ny` needs another name: one line without brackets or spaces around it",
    );
}
