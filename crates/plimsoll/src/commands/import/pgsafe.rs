//! `.pgsafe.toml`.

use toml::{Table, Value};

use super::texts;
use super::written::{Written, list};

const TOOL: &str = "pgsafe";

pub(super) fn import(table: &Table) -> Result<Written, String> {
    let mut written = Written::default();
    for (key, value) in table {
        match (key.as_str(), value) {
            ("rules", Value::Table(rules)) => {
                for (name, value) in rules {
                    match value {
                        Value::Boolean(true) => written.rule(TOOL, name, "on"),
                        Value::Boolean(false) => written.rule(TOOL, name, "off"),
                        Value::String(word) if ["error", "warning"].contains(&word.as_str()) => {
                            written.rule(TOOL, name, word);
                        }
                        _ => {
                            return Err(format!(
                                "`rules.{name}` is to be true, false, \"error\" or \"warning\""
                            ));
                        }
                    }
                }
            }
            ("ignore", Value::Array(entries)) => ignore(entries, &mut written)?,
            ("paths", value) => written.lint("include", &list(&texts(value, key)?)),
            ("in_transaction", Value::Boolean(true)) => written.transaction("file"),
            ("in_transaction", _) => {}
            ("fail_on" | "format", _) => {
                written.leave_out(format!("{key}: `--{}` says it", key.replace('_', "-")))
            }
            ("since", _) => {
                written.leave_out("since: only what git calls new is judged; see also --write-baseline")
            }
            _ => written.leave_out(format!("{key}: nothing here is like it")),
        }
    }
    Ok(written)
}

fn ignore(entries: &[Value], written: &mut Written) -> Result<(), String> {
    let mut excluded = Vec::new();
    for entry in entries {
        let path = entry.get("path").and_then(Value::as_str).ok_or("an [[ignore]] has no `path`")?;
        let rules = entry.get("rules").map(|rules| texts(rules, "ignore.rules")).transpose()?;
        match rules.filter(|rules| !rules.iter().any(|rule| rule == "*")) {
            Some(rules) => written.override_paths(TOOL, &[path.to_owned()], &rules),
            None => excluded.push(path.to_owned()),
        }
    }
    if !excluded.is_empty() {
        written.lint("exclude", &list(&excluded));
    }
    Ok(())
}
