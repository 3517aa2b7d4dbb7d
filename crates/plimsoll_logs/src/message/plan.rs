//! Plans that auto_explain has written. What a plan says is read elsewhere; here its format and its query are found.

use std::borrow::Cow;

/// A format of EXPLAIN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PlanFormat {
    /// Lines with arrows.
    Text,
    /// JSON.
    Json,
    /// XML.
    Xml,
    /// YAML.
    Yaml,
}

/// A statement's plan, told after it ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoggedPlan<'a> {
    /// How long the statement ran, in microseconds, without its parsing and planning.
    pub duration_us: u64,
    /// The plan's format.
    pub format: PlanFormat,
    /// All that follows `plan:` and its line's end, the query included.
    pub text: &'a str,
}

impl<'a> LoggedPlan<'a> {
    /// The statement's text; None where the plan was cut. The textual format doesn't say where a query of several lines ends: it is
    /// taken to end before the first line that a plan can begin with.
    #[must_use]
    pub fn query(&self) -> Option<Cow<'a, str>> {
        match self.format {
            PlanFormat::Text => Some(textual(self.text.strip_prefix("Query Text: ")?).into()),
            PlanFormat::Json => json_text(self.text.split_once("\"Query Text\":")?.1.trim_start()),
            PlanFormat::Yaml => json_text(self.text.split_once("Query Text:")?.1.trim_start()),
            PlanFormat::Xml => {
                let text = super::reading::between(self.text, "<Query-Text>", "</Query-Text>")?;
                Some(without_entities(text))
            }
        }
    }
}

pub(super) fn logged(body: &str, duration_us: u64) -> LoggedPlan<'_> {
    let text = body.trim_start();
    let format = match text.as_bytes().first() {
        Some(b'{' | b'[') => PlanFormat::Json,
        Some(b'<') => PlanFormat::Xml,
        _ if text.starts_with("Query Text: \"") && text.contains("\nPlan:") => PlanFormat::Yaml,
        _ => PlanFormat::Text,
    };
    LoggedPlan { duration_us, format, text }
}

/// The query before the first line such as `Seq Scan on ships  (cost=0.00..1.00 rows=1 width=4)`, or before its parameters.
fn textual(text: &str) -> &str {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if at > 0 && is_plans_first(line.trim_start_matches('\t')) {
            return text[..at].trim_end();
        }
        at += line.len();
    }
    text.trim_end()
}

fn is_plans_first(line: &str) -> bool {
    line.starts_with("Query Parameters: ")
        || line.starts_with("Query Identifier: ")
        || line.starts_with(|letter: char| letter.is_ascii_uppercase())
            && (line.contains("  (cost=") || line.contains(" (actual "))
}

/// The string at a text's begin, as JSON writes it, which YAML's quoted strings share.
fn json_text(text: &str) -> Option<Cow<'_, str>> {
    let mut strings = serde_json::Deserializer::from_str(text).into_iter::<String>();
    Some(Cow::Owned(strings.next()?.ok()?))
}

fn without_entities(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return text.into();
    }
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"");
    text.replace("&#x0d;", "\r").replace("&amp;", "&").into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{Event, understand};
    use crate::{Record, Severity};

    #[track_caller]
    fn check(body: &str, format: PlanFormat, query: Option<&str>) {
        let message = format!("duration: 12.345 ms  plan:\n{body}");
        let Event::Plan(plan) = understand(&Record::new(Severity::Log, &message)) else { panic!("no plan") };
        assert_eq!((plan.duration_us, plan.format), (12_345, format));
        assert_eq!(plan.query().as_deref(), query, "{body}");
    }

    #[test]
    fn each_format_tells_its_query() {
        let plan = "Seq Scan on a  (cost=0.00..1.00 rows=1 width=4)\n  Filter: (x > 1)";
        check(&format!("Query Text: select 1\n{plan}"), PlanFormat::Text, Some("select 1"));
        check(&format!("Query Text: select\n\tA (\n1)\n{plan}"), PlanFormat::Text, Some("select\n\tA (\n1)"));
        check(
            "Query Text: select $1\nQuery Parameters: $1 = 'x'\nResult  (cost=0..1 rows=1 width=1)",
            PlanFormat::Text,
            Some("select $1"),
        );
        check(
            "{\n  \"Query Text\": \"select \\\"a\\\"\\n\",\n  \"Plan\": {}\n}",
            PlanFormat::Json,
            Some("select \"a\"\n"),
        );
        check(
            "Query Text: \"select 1\"\nPlan: \n  Node Type: \"Result\"",
            PlanFormat::Yaml,
            Some("select 1"),
        );
        check(
            "<explain xmlns=\"x\">\n <Query-Text>select 1 &lt; 2 &amp;&amp; true</Query-Text>\n</explain>",
            PlanFormat::Xml,
            Some("select 1 < 2 && true"),
        );
    }

    #[test]
    fn a_cut_plan_is_still_one() {
        check("", PlanFormat::Text, None);
        check("{ \"Query Text\": \"sel", PlanFormat::Json, None);
        check("<explain>", PlanFormat::Xml, None);
    }
}
