//! Values of queries' parameters as JSON lines: `{"query": "x", "set": "big", "parameters": {"id": 5}}`.
//!
//! Deliberately absent: which queries and parameters there are.

use std::ops::Range;

use plimsoll_core::SourceFile;
use serde_json::{Map, Value};

use crate::query_file::QueryFileError;

/// From here on a number that isn't whole to JSON has lost digits.
const LARGEST_EXACT: f64 = 9_007_199_254_740_992.0;

/// One line: a set of values for one query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParameterLine {
    /// The query's name.
    pub query: String,
    /// The set's name, if it has one.
    pub set: Option<String>,
    /// Values by the parameter's name; none is NULL.
    pub values: Vec<(String, Option<String>)>,
    /// Bytes in the file.
    pub range: Range<usize>,
}

/// Reads the lines of a file. Empty lines are left out.
///
/// # Errors
/// If a line is no JSON object of that form.
pub fn parse_parameter_lines(source: &SourceFile) -> Result<Vec<ParameterLine>, QueryFileError> {
    let mut start = 0;
    let mut lines = Vec::new();
    for line in source.text().split_inclusive('\n') {
        let range = start..start + line.trim_end().len();
        start += line.len();
        if !range.is_empty() {
            lines.push(parse_line(&source.text()[range.clone()], range)?);
        }
    }
    Ok(lines)
}

/// A value as PostgreSQL reads it; none is NULL. Arrays become PostgreSQL's, unless they hold objects: those become JSON.
///
/// # Errors
/// Why PostgreSQL can't have it, behind the value's name: `holds a zero byte`.
pub fn parameter_text(value: &Value) -> Result<Option<String>, String> {
    let text = match value {
        Value::Null => return Ok(None),
        Value::String(text) => text.clone(),
        Value::Number(number) if number.as_f64().is_some_and(is_inexact) && !is_whole(number) => {
            return Err(format!("is {number}, which has lost digits: write it in quotes"));
        }
        Value::Bool(_) | Value::Number(_) => value.to_string(),
        Value::Array(elements) if !holds_object(value) => array_literal(elements)?,
        Value::Array(_) | Value::Object(_) => value.to_string(),
    };
    match text.contains('\0') {
        true => Err("holds a zero byte (\\u0000), which no text in PostgreSQL does".to_owned()),
        false => Ok(Some(text)),
    }
}

fn is_inexact(number: f64) -> bool {
    number.abs() >= LARGEST_EXACT
}

fn is_whole(number: &serde_json::Number) -> bool {
    number.is_i64() || number.is_u64()
}

fn holds_object(value: &Value) -> bool {
    match value {
        Value::Object(_) => true,
        Value::Array(elements) => elements.iter().any(holds_object),
        _ => false,
    }
}

/// An array as PostgreSQL reads it: `{"a","b"}` (documentation, "Array Value Input").
fn array_literal(elements: &[Value]) -> Result<String, String> {
    let element = |value: &Value| match value {
        Value::Array(elements) => array_literal(elements),
        other => Ok(match parameter_text(other)? {
            Some(text) => format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")),
            None => "NULL".to_owned(),
        }),
    };
    let elements: Vec<String> = elements.iter().map(element).collect::<Result<_, _>>()?;
    Ok(format!("{{{}}}", elements.join(",")))
}

fn parse_line(line: &str, range: Range<usize>) -> Result<ParameterLine, QueryFileError> {
    let wrong = |key: &str, message: String| {
        let at = range.start + line.find(&format!("\"{key}\"")).unwrap_or(0);
        QueryFileError { message, range: at..range.end }
    };
    let mut fields = object(line, range.start)?;
    let query = match fields.remove("query") {
        Some(Value::String(query)) if !query.is_empty() => query,
        _ => return Err(wrong("query", "\"query\" has to be a query's name".into())),
    };
    let set = match fields.remove("set") {
        None => None,
        Some(Value::String(set)) => Some(set),
        Some(Value::Number(number)) => Some(number.to_string()),
        Some(_) => return Err(wrong("set", "\"set\" has to be a set's name".into())),
    };
    let Some(Value::Object(parameters)) = fields.remove("parameters") else {
        let message = "\"parameters\" has to be an object: values by the parameters' names";
        return Err(wrong("parameters", message.into()));
    };
    if let Some(stranger) = fields.keys().next() {
        let message = format!("unknown key \"{stranger}\" (valid keys are query, set, parameters)");
        return Err(wrong(stranger, message));
    }
    let mut values = Vec::new();
    for (name, value) in parameters {
        let text =
            parameter_text(&value).map_err(|why| wrong(&name, format!("query {query}'s {name} {why}")))?;
        values.push((name, text));
    }
    Ok(ParameterLine { query, set, values, range })
}

fn object(line: &str, start: usize) -> Result<Map<String, Value>, QueryFileError> {
    serde_json::from_str(line).map_err(|error| {
        let why = error.to_string();
        let why = why.split(" at line ").next().unwrap_or(&why);
        // serde_json counts bytes.
        let at = line.floor_char_boundary(error.column().saturating_sub(1).min(line.len()));
        let message = format!("the line is no JSON object: {why}");
        QueryFileError { message, range: start + at..start + line.len() }
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Result<Vec<ParameterLine>, String> {
        let source = SourceFile::new("q.jsonl", text);
        parse_parameter_lines(&source).map_err(|error| {
            let (line, column) = source.line_column(error.range.start);
            format!("{line}:{column}: {}", error.message)
        })
    }

    fn check(parameters: &str, expected: Option<&str>) {
        let lines =
            read(&format!("{{\"query\": \"x\", \"parameters\": {{\"a\": {parameters}}}}}\n")).unwrap();
        assert_eq!(lines[0].values, [("a".to_owned(), expected.map(ToOwned::to_owned))]);
    }

    #[test]
    fn values_are_read_as_postgresql_reads_them() {
        check("5", Some("5"));
        check("18446744073709551615", Some("18446744073709551615"));
        check("1.5", Some("1.5"));
        check("true", Some("true"));
        check("null", None);
        check("\"it's\"", Some("it's"));
        check("[1, null, \"a\\\"b\\\\\"]", Some("{\"1\",NULL,\"a\\\"b\\\\\"}"));
        check("[[1], [2]]", Some("{{\"1\"},{\"2\"}}"));
        check("[]", Some("{}"));
        check("{\"k\": [1]}", Some("{\"k\":[1]}"));
        check("[{\"k\": 1}, 2]", Some("[{\"k\":1},2]"));
        check("{}", Some("{}"));
    }

    #[test]
    fn sets_have_names_or_none() {
        let lines = read(
            "{\"query\": \"x\", \"set\": \"big\", \"parameters\": {}}\r\n\n{\"query\": \"y\", \"parameters\": {\"1\": 2}}",
        );
        let lines: Vec<(String, Option<String>, Range<usize>)> =
            lines.unwrap().into_iter().map(|line| (line.query, line.set, line.range)).collect();
        assert_eq!(lines, [("x".into(), Some("big".into()), 0..46), ("y".into(), None, 49..87)]);
    }

    #[test]
    fn what_is_wrong_is_placed() {
        let wrong = |text: &str| read(text).unwrap_err();
        assert_eq!(
            wrong("\n{\"query\": \"é\", x}"),
            "2:16: the line is no JSON object: key must be a string"
        );
        assert_eq!(wrong("[]"), "1:1: the line is no JSON object: invalid type: sequence, expected a map");
        assert_eq!(wrong("{\"query\": 5}"), "1:2: \"query\" has to be a query's name");
        assert_eq!(
            wrong("{\"query\": \"x\", \"params\": {}}"),
            "1:1: \"parameters\" has to be an object: values by the parameters' names"
        );
        assert_eq!(
            wrong("{\"query\": \"x\", \"parameters\": {}, \"sett\": 1}"),
            "1:34: unknown key \"sett\" (valid keys are query, set, parameters)"
        );
        assert_eq!(
            wrong("{\"query\": \"x\", \"parameters\": {\"a\": [\"\\u0000\"]}}"),
            "1:31: query x's a holds a zero byte (\\u0000), which no text in PostgreSQL does"
        );
        assert_eq!(
            wrong("{\"query\": \"x\", \"parameters\": {\"a\": 18446744073709551617}}"),
            "1:31: query x's a is 1.8446744073709552e+19, which has lost digits: write it in quotes"
        );
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused_at_a_place_in_it(text in "(\\{\"query\": ?\"[a-zé]\", ?|\"parameters\":|[{}\\[\\]\",:0-9é\n\r])*") {
            let source = SourceFile::new("q.jsonl", text.clone());
            if let Err(error) = parse_parameter_lines(&source) {
                prop_assert!(error.range.end <= text.len() && text.is_char_boundary(error.range.start));
            }
        }
    }
}
