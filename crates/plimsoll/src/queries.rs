//! The queries folder: `.sql` files with named queries, and the `.toml` beside each with the
//! values of their parameters.

use std::path::Path;

use plimsoll_core::SourceFile;
use plimsoll_pg::queries::PreparedQuery;
use plimsoll_sql::query_file::{Query, parse_queries};
use toml::{Table, Value};

use crate::exit::Failure;
use crate::inputs::{read_source, walk};
use crate::settings::Settings;

/// Reads every query below the folder.
pub(crate) fn load(folder: &Path, settings: &Settings) -> Result<Vec<PreparedQuery>, Failure> {
    let mut queries: Vec<PreparedQuery> = Vec::new();
    for path in
        walk(folder)?.iter().filter(|path| path.extension().is_some_and(|extension| extension == "sql"))
    {
        let source = read_source(path, &settings.current)?;
        let values_path = path.with_extension("toml");
        let values = match values_path.is_file() {
            true => Some(read_source(&values_path, &settings.current)?),
            false => None,
        };
        for query in load_file(&source, values.as_ref())? {
            if let Some(twin) = queries.iter().find(|other| other.query.name == query.query.name) {
                return Err(misplaced(
                    &source,
                    query.query.range.start,
                    &format!(
                        "query {} has the name of one in {}; rename one of them",
                        query.query.name,
                        twin.source.name()
                    ),
                ));
            }
            queries.push(query);
        }
    }
    Ok(queries)
}

fn load_file(source: &SourceFile, values: Option<&SourceFile>) -> Result<Vec<PreparedQuery>, Failure> {
    let queries =
        parse_queries(source).map_err(|error| misplaced(source, error.range.start, &error.message))?;
    let table = match values {
        Some(values) => parse_values(values)?,
        None => Table::new(),
    };
    if let (Some(values), Some(stranger)) =
        (values, table.keys().find(|key| !queries.iter().any(|q| q.name == **key)))
    {
        return Err(Failure::input(format!(
            "read {}: [{stranger}] is the name of no query in {}",
            values.name(),
            source.name()
        )));
    }
    queries.into_iter().map(|query| with_values(query, source, values, &table)).collect()
}

fn parse_values(values: &SourceFile) -> Result<Table, Failure> {
    toml::from_str(values.text()).map_err(|error| {
        let (line, column) = values.line_column(error.span().map_or(0, |span| span.start));
        Failure::input(format!("read {}:{line}:{column}: {}", values.name(), error.message()))
    })
}

fn with_values(
    query: Query,
    source: &SourceFile,
    values: Option<&SourceFile>,
    table: &Table,
) -> Result<PreparedQuery, Failure> {
    let own = match table.get(&query.name) {
        Some(Value::Table(own)) => own.clone(),
        Some(_) => {
            let file = values.map(SourceFile::name).unwrap_or_default();
            return Err(Failure::input(format!("read {file}: {} must be a table, [{0}]", query.name)));
        }
        None => Table::new(),
    };
    if let Some(stranger) = own.keys().find(|key| !query.parameters.iter().any(|p| p.name == **key)) {
        let file = values.map(SourceFile::name).unwrap_or_default();
        return Err(Failure::input(format!("read {file}: query {} has no parameter {stranger}", query.name)));
    }
    let mut texts = Vec::new();
    for parameter in &query.parameters {
        let Some(value) = own.get(&parameter.name) else {
            let beside = source.path().with_extension("toml");
            return Err(misplaced(
                source,
                parameter.range.start,
                &format!(
                    "query {} has no value for its parameter {}; give one in {}:\n[{}]\n{} = …",
                    query.name,
                    parameter.name,
                    beside.display(),
                    query.name,
                    parameter.name
                ),
            ));
        };
        let text = text_of(value);
        if text.as_ref().is_some_and(|text| text.contains('\0')) {
            let file = values.map(SourceFile::name).unwrap_or_default();
            return Err(Failure::input(format!(
                "read {file}: query {}'s {} holds a zero byte (\\u0000), which no text in PostgreSQL does",
                query.name, parameter.name
            )));
        }
        texts.push(text);
    }
    Ok(PreparedQuery { query, source: source.clone(), values: texts })
}

fn misplaced(source: &SourceFile, offset: usize, message: &str) -> Failure {
    let (line, column) = source.line_column(offset);
    Failure::input(format!("read {}:{line}:{column}: {message}", source.name()))
}

/// A value as PostgreSQL reads it; the empty table `{}` is NULL.
fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Table(table) if table.is_empty() => None,
        Value::Array(values) => Some(array_literal(values)),
        Value::Datetime(moment) => Some(moment.to_string()),
        other => Some(other.to_string()),
    }
}

/// An array as PostgreSQL reads it: `{"a","b"}` (documentation, "Array Value Input").
fn array_literal(values: &[Value]) -> String {
    let element = |value: &Value| match value {
        Value::Array(values) => array_literal(values),
        other => match text_of(other) {
            Some(text) => format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")),
            None => "NULL".to_owned(),
        },
    };
    format!("{{{}}}", values.iter().map(element).collect::<Vec<_>>().join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUERY: &str = "-- name: a\nselect :n::int, :tags::text[]";

    fn check(values: &str) -> Result<Vec<Option<String>>, String> {
        let source = SourceFile::new("queries/q.sql", QUERY);
        match load_file(&source, Some(&SourceFile::new("queries/q.toml", values))) {
            Ok(queries) => Ok(queries[0].values.clone()),
            Err(Failure::Input(message)) => Err(message),
            Err(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn values_are_read_as_postgresql_reads_them() {
        let values = check("[a]\nn = 42\ntags = [\"x\", \"y\\\"z\"]\n");
        assert_eq!(values, Ok(vec![Some("42".into()), Some("{\"x\",\"y\\\"z\"}".into())]));
        let values = check("[a]\nn = {}\ntags = 2024-01-02\n");
        assert_eq!(values, Ok(vec![None, Some("2024-01-02".into())]));
    }

    #[test]
    fn a_missing_value_is_placed() {
        let message = check("[a]\nn = 1\n").expect_err("tags is missing");
        assert_eq!(
            message,
            "read queries/q.sql:2:17: query a has no value for its parameter tags; give one in queries/q.toml:\n[a]\ntags = …"
        );
    }

    #[test]
    fn strangers_are_refused() {
        assert_eq!(
            check("[b]\n"),
            Err("read queries/q.toml: [b] is the name of no query in queries/q.sql".into())
        );
        let message = check("[a]\nn = 1\ntags = [\"a\\u0000\"]").expect_err("a zero byte");
        assert_eq!(
            message,
            "read queries/q.toml: query a's tags holds a zero byte (\\u0000), which no text in PostgreSQL does"
        );
        let message = check("[a]\nn = 1\ntags = []\nx = 1").expect_err("x is no parameter");
        assert_eq!(message, "read queries/q.toml: query a has no parameter x");
    }
}
