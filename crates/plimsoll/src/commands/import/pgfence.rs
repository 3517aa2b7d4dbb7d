//! `.pgfence.toml` and `.pgfence.json`.

use plimsoll_lint::RULES;
use toml::{Table, Value};

use super::written::Written;
use super::{major, texts};

const TOOL: &str = "pgfence";

pub(super) fn import(table: &Table) -> Result<Written, String> {
    let mut written = Written::default();
    for (key, value) in table {
        match (key.as_str(), value) {
            ("disable-rules", value) => {
                texts(value, key)?.iter().for_each(|name| written.rule(TOOL, name, "off"));
            }
            ("enable-rules", value) => only(&texts(value, key)?, &mut written),
            ("require-lock-timeout", Value::Boolean(false)) => {
                written.own_rule("require-lock-timeout", "off")
            }
            ("require-lock-timeout" | "telemetry", _) => {}
            ("require-statement-timeout", Value::Boolean(required)) => {
                let word = if *required { "on" } else { "off" };
                match plimsoll_lint::rule("require-statement-timeout") {
                    Some(rule) => written.own_rule(rule.id, word),
                    None => written.leave_out("require-statement-timeout: Plimsoll has no such rule"),
                }
            }
            ("min-pg-version", value) => written.version("min-pg-version", major(value)),
            ("max-risk", _) => {
                written.leave_out("max-risk: `--fail-on error`, `warning` or `note` fails a run")
            }
            ("output", _) => written.leave_out("output: `--format` says it"),
            ("format", _) => {
                written.leave_out("format: [migrations] layout says how the migrations are laid out")
            }
            ("snapshot" | "db-url" | "stats-file", _) => written.leave_out(format!(
                "{key}: the schema comes from the earlier migrations, or from a dump by [database] schema"
            )),
            _ => written.leave_out(format!("{key}: nothing here is like it")),
        }
    }
    Ok(written)
}

/// Turns every rule off but those named.
fn only(names: &[String], written: &mut Written) {
    RULES.iter().for_each(|rule| written.own_rule(rule.id, "off"));
    names.iter().for_each(|name| written.rule(TOOL, name, "on"));
}
