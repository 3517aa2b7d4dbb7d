//! Plans that auto_explain has written into a server's log: stderr's text, csvlog or jsonlog, in any of EXPLAIN's formats.

use std::borrow::Cow;

use plimsoll_core::plan::Plan;
use serde::Deserialize;

use crate::{Format, ReadError, from_json, from_text, from_xml, from_yaml};

/// A plan out of a log.
#[derive(Clone, Debug, PartialEq)]
pub struct LoggedPlan {
    /// The plan, with its query.
    pub plan: Plan,
    /// How long the statement ran, in milliseconds.
    pub duration_ms: f64,
    /// The line of the log that its entry begins in, from 1.
    pub line: usize,
}

/// What a log holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LogPlans {
    /// The plans, in their order.
    pub plans: Vec<LoggedPlan>,
    /// Entries that are no whole plan, as where a log was cut.
    pub unreadable: Vec<ReadError>,
}

/// Whether a text is a log that auto_explain wrote to.
#[must_use]
pub fn is_log(text: &str) -> bool {
    text.contains("duration: ") && text.lines().any(|line| announced(line).is_some())
}

/// Finds the plans of a log.
#[must_use]
pub fn from_log(text: &str) -> LogPlans {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut found = LogPlans::default();
    let mut at = 0;
    let mut line = 1;
    while at < text.len() {
        let rest = &text[at..];
        let end = rest.find('\n').map_or(rest.len(), |end| end + 1);
        let first = rest[..end].trim_end();
        let length = match announced(first) {
            Some(start) => entry(&mut found, rest, first, start, line),
            None => end,
        };
        line += rest[..length].bytes().filter(|byte| *byte == b'\n').count();
        at += length;
    }
    found
}

/// Where a line announces a plan: the place of `duration:`.
fn announced(line: &str) -> Option<usize> {
    let start = line.find("duration: ")?;
    line[start..].contains(" ms  plan:").then_some(start)
}

/// A line of jsonlog.
#[derive(Deserialize)]
struct JsonLine<'a> {
    #[serde(borrow)]
    message: Cow<'a, str>,
}

/// Reads the entry that begins with a line; returns its length.
fn entry(found: &mut LogPlans, rest: &str, first: &str, start: usize, line: usize) -> usize {
    let first_end = rest.find('\n').map_or(rest.len(), |end| end + 1);
    if first.starts_with('{')
        && let Ok(entry) = serde_json::from_str::<JsonLine<'_>>(first)
    {
        message(found, &entry.message, line);
        return first_end;
    }
    if first[..start].ends_with('"') {
        let (field, length) = csv_field(&rest[start..]);
        message(found, &field, line);
        let after = &rest[start + length..];
        return start + length + after.find('\n').map_or(after.len(), |end| end + 1);
    }
    let mut length = first_end;
    let mut lines = String::from(&rest[start..first_end]);
    for next in rest[first_end..].split_inclusive('\n') {
        // The server puts a tab before each further line of an entry.
        let Some(further) = next.strip_prefix('\t') else { break };
        lines.push_str(further);
        length += next.len();
    }
    message(found, &lines, line);
    length
}

/// A field of csvlog up to its closing quote, and its length with that.
fn csv_field(text: &str) -> (String, usize) {
    let mut from = 0;
    while let Some(quote) = text[from..].find('"') {
        let at = from + quote;
        if text.as_bytes().get(at + 1) == Some(&b'"') {
            from = at + 2;
        } else {
            return (text[..at].replace("\"\"", "\""), at + 1);
        }
    }
    (text.replace("\"\"", "\""), text.len())
}

/// `duration: 0.123 ms  plan:`, and the plan from the next line on.
fn message(found: &mut LogPlans, text: &str, line: usize) {
    let (head, body) = text.split_once('\n').unwrap_or((text, ""));
    let duration = head.strip_prefix("duration: ").and_then(|rest| rest.split(' ').next()?.parse().ok());
    let body = body.replace('\r', "");
    let plans = match Format::of(&body) {
        Format::Text => from_text(&body),
        Format::Json => from_json(&body),
        Format::Yaml => from_yaml(&body),
        Format::Xml => from_xml(&as_document(&body)),
    };
    match (plans, duration) {
        (Ok(plans), Some(duration_ms)) => {
            found.plans.extend(plans.into_iter().map(|plan| LoggedPlan { plan, duration_ms, line }));
        }
        (Ok(_), None) => {
            let message = "expected `duration: … ms  plan:`".to_owned();
            found.unreadable.push(ReadError { line, column: 1, message });
        }
        (Err(error), _) => found.unreadable.push(ReadError { line: line + error.line, ..error }),
    }
}

/// auto_explain's XML has no `<Query>` around what it prints.
fn as_document(body: &str) -> String {
    if body.contains("<Query>") {
        return body.to_owned();
    }
    body.replacen("<explain xmlns=\"http://www.postgresql.org/2009/explain\">", "<explain><Query>", 1)
        .replace("</explain>", "</Query></explain>")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
2026-11-23 20:00:00.000 UTC [7] LOG:  database system is ready to accept connections
2026-11-23 20:00:01.000 UTC [8] LOG:  duration: 12.345 ms  plan:
\tQuery Text: SELECT *
\t  FROM ships -- all
\tSeq Scan on ships  (cost=0.00..1.01 rows=1 width=4) (actual time=0.01..0.02 rows=1 loops=1)
\t  Filter: (id = 3)
2026-11-23 20:00:01.100 UTC [8] LOG:  statement: SELECT 1
2026-11-23 20:00:02.000 UTC [8] LOG:  duration: 1.500 ms  plan:
\t{
\t  \"Query Text\": \"SELECT 2\",
\t  \"Plan\": {
\t    \"Node Type\": \"Result\"
\t  }
\t}
2026-11-23 20:00:03.000 UTC [8] LOG:  duration: 3.000 ms  plan:
\t{ \"Query Text\": \"SELECT 3\", \"Plan\": {
";

    /// A log's plans as line, query, duration and root.
    #[track_caller]
    fn check(text: &str, expected: &[(usize, &str, f64, &str)]) -> LogPlans {
        let found = from_log(text);
        let seen: Vec<_> = found
            .plans
            .iter()
            .map(|one| {
                (one.line, one.plan.query.clone().unwrap_or_default(), one.duration_ms, one.plan.root.label())
            })
            .collect();
        let expected: Vec<_> = expected
            .iter()
            .map(|(line, query, ms, root)| (*line, (*query).to_owned(), *ms, (*root).to_owned()))
            .collect();
        assert_eq!(seen, expected, "{:?}", found.unreadable);
        found
    }

    #[test]
    fn plans_are_found_in_the_text_of_stderr() {
        let plans =
            [(2, "SELECT *\nFROM ships -- all", 12.345, "Seq Scan on ships"), (8, "SELECT 2", 1.5, "Result")];
        let found = check(TEXT, &plans);
        assert_eq!((found.unreadable.len(), found.unreadable[0].line), (1, 17));
        assert!(is_log(TEXT) && !is_log("Seq Scan on ships\n"));
        check(&TEXT.replace('\n', "\r\n"), &plans);
    }

    #[test]
    fn plans_are_found_in_csvlog_and_jsonlog() {
        let csv = "2026-11-23 20:00:01.000 UTC,\"u\",\"d\",8,,x,1,\"SELECT\",2026,3/0,0,LOG,00000,\"duration: 0.500 ms  plan:\n\
                   Query Text: SELECT \"\"Odd\"\"\nResult  (cost=0.00..0.01 rows=1 width=4)\",,,,,,,,,\"psql\",\"client backend\",,0\n";
        check(csv, &[(1, "SELECT \"Odd\"", 0.5, "Result")]);
        let json = "{\"timestamp\":\"x\",\"message\":\"duration: 0.500 ms  plan:\\n{\\n  \\\"Query Text\\\": \\\"SELECT 1\\\",\\n  \\\"Plan\\\": {\\\"Node Type\\\": \\\"Result\\\"}\\n}\",\"n\":1}\n";
        check(&json.repeat(2), &[(1, "SELECT 1", 0.5, "Result"), (2, "SELECT 1", 0.5, "Result")]);
    }

    #[test]
    fn plans_are_found_in_yaml_and_xml() {
        let yaml = "x LOG:  duration: 1.0 ms  plan:\n\tQuery Text: \"SELECT 1\"\n\tPlan: \n\t  Node Type: \"Result\"\n";
        check(yaml, &[(1, "SELECT 1", 1.0, "Result")]);
        let xml = "x LOG:  duration: 1.0 ms  plan:\n\t<explain xmlns=\"http://www.postgresql.org/2009/explain\">\n\t  <Query-Text>SELECT 1</Query-Text>\n\t  <Plan>\n\t    <Node-Type>Result</Node-Type>\n\t  </Plan>\n\t</explain>\n";
        check(xml, &[(1, "SELECT 1", 1.0, "Result")]);
    }
}
