//! A workload: which statements a service sends, with which parameters, and how often. And the file that holds one:
//! JSON lines, a header and then a statement a line, so that whoever watches traffic can write it as it goes.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use crate::source::{Location, SourceFile};

/// Version of the file's format; the header has it.
pub const WORKLOAD_FORMAT: u64 = 1;

/// The header's key.
const HEADER: &str = "plimsoll_workload";

/// More requests a second than this are a slip of the pen.
const HIGHEST_RATE: f64 = 1e6;

/// One statement of a workload.
#[derive(Clone, Debug, PartialEq)]
pub struct WorkloadStatement {
    /// What reports call it.
    pub name: String,
    /// Its text, with parameters as `$1`, `$2`, ….
    pub sql: String,
    /// Sets of parameters as text, taken in turn; `None` is NULL. A statement without parameters has one empty set or
    /// none.
    pub parameters: Vec<Vec<Option<String>>>,
    /// Requests a second, above 0.
    pub rate_per_s: f64,
    /// Where it stands.
    pub location: Location,
}

/// Why a text is no workload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkloadError {
    /// Where.
    pub location: Location,
    /// What is wrong, and what to do.
    pub why: String,
}

/// Reads a rate: `120/s`, `90/min`, `4/h`, or a number, which is a second's. In requests a second.
///
/// # Errors
/// What is wrong with it, as a sentence without a subject.
pub fn parse_rate(text: &str) -> Result<f64, String> {
    let shown = text.trim();
    let wrong = || format!("`{shown}` is no rate: write one as 120/s, 90/min or 4/h");
    let (number, seconds) = match shown.split_once('/') {
        None => (shown, 1.0),
        Some((number, unit)) => match unit.trim() {
            "s" | "sec" | "second" => (number, 1.0),
            "min" | "minute" => (number, 60.0),
            "h" | "hour" => (number, 3600.0),
            _ => return Err(wrong()),
        },
    };
    let number: f64 = number.trim().parse().map_err(|_| wrong())?;
    check_rate(number / seconds, shown).ok_or_else(wrong)?
}

/// The rate, or what is wrong with it; none if it is no number.
fn check_rate(rate: f64, shown: &str) -> Option<Result<f64, String>> {
    match rate {
        _ if rate.is_nan() => None,
        _ if rate <= 0.0 => {
            Some(Err(format!("rate {shown} isn't above 0; leave a statement out that isn't sent")))
        }
        _ if rate > HIGHEST_RATE => Some(Err(format!("rate {shown} is above {HIGHEST_RATE} a second"))),
        _ => Some(Ok(rate)),
    }
}

/// Reads a workload file.
///
/// # Errors
/// Where and why it is none.
pub fn read_workload(source: &SourceFile) -> Result<Vec<WorkloadStatement>, WorkloadError> {
    if source.text().trim().is_empty() {
        let why = format!(
            "it is empty: a workload begins with {{\"{HEADER}\": {WORKLOAD_FORMAT}}}, and has a statement a line"
        );
        return Err(WorkloadError { location: source.location(0..0), why });
    }
    let mut lines = lines(source.text());
    let header = lines.next().unwrap_or((0, ""));
    read_header(source, header)?;
    let mut names = HashSet::new();
    let mut statements = Vec::new();
    for (start, line) in lines.filter(|(_, line)| !line.trim().is_empty()) {
        let statement = read_statement(source, start, line)?;
        if !names.insert(statement.name.clone()) {
            let why = format!("two statements are named {}", statement.name);
            return Err(WorkloadError { location: statement.location, why });
        }
        statements.push(statement);
    }
    if statements.is_empty() {
        let why = "it holds no statement: behind its first line each line is one".to_owned();
        return Err(WorkloadError { location: source.location(0..0), why });
    }
    Ok(statements)
}

/// Writes a workload file. Locations aren't written.
#[must_use]
pub fn write_workload(statements: &[WorkloadStatement]) -> String {
    let mut text = format!("{}\n", json!({ HEADER: WORKLOAD_FORMAT }));
    for statement in statements {
        let line = json!({
            "name": statement.name,
            "statement": statement.sql,
            "parameters": statement.parameters,
            "rate": statement.rate_per_s,
        });
        text.push_str(&format!("{line}\n"));
    }
    text
}

/// Lines with the byte that each begins at.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut start = 0;
    text.split_inclusive('\n').map(move |line| {
        let at = start;
        start += line.len();
        (at, line.trim_end_matches(['\n', '\r']))
    })
}

fn read_header(source: &SourceFile, (start, line): (usize, &str)) -> Result<(), WorkloadError> {
    let wrong = |why: String| WorkloadError { location: source.location(start..start + line.len()), why };
    let header = object(source, start, line)?;
    match header.get(HEADER).and_then(Value::as_u64) {
        Some(WORKLOAD_FORMAT) => Ok(()),
        Some(newer) if newer > WORKLOAD_FORMAT => Err(wrong(format!(
            "it is a workload of format {newer}, and this program reads format {WORKLOAD_FORMAT}: update the program"
        ))),
        _ => Err(wrong(format!(
            "it is no workload: its first line has to be {{\"{HEADER}\": {WORKLOAD_FORMAT}}}"
        ))),
    }
}

fn object(source: &SourceFile, start: usize, line: &str) -> Result<Map<String, Value>, WorkloadError> {
    serde_json::from_str(line).map_err(|error| {
        let why = error.to_string();
        let why = why.split(" at line ").next().unwrap_or(&why);
        let at = start + error.column().saturating_sub(1).min(line.len());
        let at = (start..=at).rev().find(|at| source.text().is_char_boundary(*at)).unwrap_or(start);
        WorkloadError { location: source.location(at..at), why: format!("the line is no JSON object: {why}") }
    })
}

fn read_statement(source: &SourceFile, start: usize, line: &str) -> Result<WorkloadStatement, WorkloadError> {
    let fields = object(source, start, line)?;
    let wrong = |key: &str, why: String| {
        let at = start + line.find(&format!("\"{key}\"")).unwrap_or(0);
        WorkloadError { location: source.location(at..start + line.len()), why }
    };
    let sql = match fields.get("statement") {
        Some(Value::String(sql)) if !sql.trim().is_empty() => sql.clone(),
        _ => return Err(wrong("statement", "\"statement\" has to be the statement's text".into())),
    };
    let rate_per_s = match fields.get("rate").map(|rate| (rate.as_f64(), rate)) {
        Some((Some(rate), shown)) => check_rate(rate, &shown.to_string())
            .unwrap_or_else(|| Err("\"rate\" is no number".into()))
            .map_err(|why| wrong("rate", why))?,
        _ => {
            return Err(wrong("rate", "\"rate\" has to be a number: requests a second".into()));
        }
    };
    let parameters = match fields.get("parameters") {
        None => Vec::new(),
        Some(sets) => parameter_sets(sets).ok_or_else(|| {
            let why =
                "\"parameters\" has to be a list of sets, each a list of texts, numbers, booleans and nulls";
            wrong("parameters", why.into())
        })?,
    };
    if parameters.iter().flatten().flatten().chain([&sql]).any(|text| text.contains('\0')) {
        return Err(wrong("parameters", "no text in PostgreSQL holds a zero byte (\\u0000)".into()));
    }
    if let [first, rest @ ..] = &parameters[..]
        && rest.iter().any(|set| set.len() != first.len())
    {
        return Err(wrong("parameters", "sets of parameters have to be of one length".into()));
    }
    let line_number = source.line_column(start).0;
    let name = match fields.get("name") {
        Some(Value::String(name)) if !name.trim().is_empty() => name.clone(),
        None => format!("statement-{line_number}"),
        Some(_) => return Err(wrong("name", "\"name\" has to be a text".into())),
    };
    Ok(WorkloadStatement {
        name,
        sql,
        parameters,
        rate_per_s,
        location: source.location(start..start + line.len()),
    })
}

fn parameter_sets(sets: &Value) -> Option<Vec<Vec<Option<String>>>> {
    let text = |value: &Value| match value {
        Value::Null => Some(None),
        Value::String(text) => Some(Some(text.clone())),
        Value::Bool(_) | Value::Number(_) => Some(Some(value.to_string())),
        Value::Array(_) | Value::Object(_) => None,
    };
    sets.as_array()?.iter().map(|set| set.as_array()?.iter().map(text).collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let error = read_workload(&SourceFile::new("w.jsonl", text)).expect_err("it is wrong");
        let Location { line, column, .. } = error.location;
        assert_eq!(format!("{line}:{column}: {}", error.why), expected);
    }

    #[test]
    fn rates_have_units() {
        assert_eq!(["120/s", "90/min", "7200 / h", "0.5"].map(parse_rate), [120.0, 1.5, 2.0, 0.5].map(Ok));
        for wrong in ["", "fast", "3/day", "NaN", "1/"] {
            assert!(parse_rate(wrong).is_err_and(|why| why.contains("is no rate")), "{wrong}");
        }
        for wrong in ["0/s", "-1"] {
            assert!(parse_rate(wrong).is_err_and(|why| why.contains("isn't above 0")), "{wrong}");
        }
        assert!(parse_rate("inf").is_err());
    }

    #[test]
    fn what_is_written_is_read() {
        let statement = |name: &str, parameters| WorkloadStatement {
            name: name.into(),
            sql: "select \"ä\" from t\nwhere a = $1".into(),
            parameters,
            rate_per_s: 0.25,
            location: SourceFile::new("x", "").location(0..0),
        };
        let written = [
            statement("a", vec![vec![Some("1".into()), None], vec![Some("it's".into()), None]]),
            statement("b", Vec::new()),
        ];
        let mut read =
            read_workload(&SourceFile::new("w.jsonl", write_workload(&written))).expect("a workload");
        assert_eq!(read[1].location.line, 3);
        for statement in &mut read {
            statement.location = written[0].location.clone();
        }
        assert_eq!(read, written);
    }

    #[test]
    fn what_is_wrong_is_placed() {
        let empty =
            "1:1: it is empty: a workload begins with {\"plimsoll_workload\": 1}, and has a statement a line";
        ["", "\n \n"].into_iter().for_each(|text| check(text, empty));
        check(
            "{\"plimsoll_workload\": 1}\n",
            "1:1: it holds no statement: behind its first line each line is one",
        );
        check("{}\n", "1:1: it is no workload: its first line has to be {\"plimsoll_workload\": 1}");
        check(
            "{\"plimsoll_workload\": 9}\n",
            "1:1: it is a workload of format 9, and this program reads format 1: update the program",
        );
        let with = |line: &str| format!("{{\"plimsoll_workload\": 1}}\n{line}\n");
        check(&with("{\"rate\": 1}"), "2:1: \"statement\" has to be the statement's text");
        check(
            &with("{\"statement\": \"select 1\", \"rate\": 0}"),
            "2:27: rate 0 isn't above 0; leave a statement out that isn't sent",
        );
        check(
            &with("{\"statement\": \"select 1\", \"rate\": \"fast\"}"),
            "2:27: \"rate\" has to be a number: requests a second",
        );
        check(&with("{\"statement\": \"ä"), "2:16: the line is no JSON object: EOF while parsing a string");
        check(
            &with("{\"statement\": \"select $1\", \"rate\": 1, \"parameters\": [[1], []]}"),
            "2:39: sets of parameters have to be of one length",
        );
        check(
            &with("{\"statement\": \"select $1\", \"rate\": 1, \"parameters\": [[\"a\\u0000\"]]}"),
            "2:39: no text in PostgreSQL holds a zero byte (\\u0000)",
        );
        let twice = "{\"statement\": \"select 1\", \"rate\": 1, \"name\": \"a\"}";
        check(&with(&format!("{twice}\n{twice}")), "3:1: two statements are named a");
    }
}
