//! The schema, as `pg_dump` writes it, in pieces of one object each.

use std::process::Stdio;
use std::time::Duration;

use plimsoll_pg::catalogue::{Limits, Target};
use plimsoll_pg::server::Binaries;
use tokio::process::Command;

use super::error::CaptureError;
use crate::source::SchemaEntry;

/// What a plan branch is made without: what reaches out, what acts on its own, and what holds secrets.
const LEFT_OUT: [&str; 8] = [
    "EVENT TRIGGER",
    "USER MAPPING",
    "PUBLICATION",
    "PUBLICATION TABLE",
    "PUBLICATION TABLES IN SCHEMA",
    "SUBSCRIPTION",
    "DATABASE",
    "DATABASE PROPERTIES",
];
const ARGUMENTS: [&str; 7] = [
    "--schema-only",
    "--no-publications",
    "--no-subscriptions",
    "--no-security-labels",
    "--encoding=UTF8",
    "--no-password",
    "--quote-all-identifiers",
];
/// `pg_dump` runs many statements.
const STATEMENTS: u32 = 4;

pub(super) fn check_version(binaries: &Binaries, major: u32, target: &Target) -> Result<(), CaptureError> {
    if binaries.version().major >= major {
        return Ok(());
    }
    Err(CaptureError::OldClient {
        server: target.shown().to_owned(),
        major,
        folder: binaries.bin_folder().to_owned(),
        client: binaries.version().to_string(),
    })
}

pub(super) async fn schema(
    target: &Target,
    binaries: &Binaries,
    snapshot: &str,
    limits: Limits,
) -> Result<Vec<SchemaEntry>, CaptureError> {
    let program = binaries.program("pg_dump");
    let failed =
        |why: String| CaptureError::Dump { server: target.shown().to_owned(), program: program.clone(), why };
    let mut command = std::process::Command::new(&program);
    command
        .args(ARGUMENTS)
        .arg(format!("--snapshot={snapshot}"))
        .arg(format!("--lock-wait-timeout={}", limits.lock.as_millis()))
        .env("LC_ALL", "C");
    target.environment().apply(&mut command);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut command = Command::from(command);
    command.kill_on_drop(true);
    let patience: Duration = limits.statement * STATEMENTS;
    let output = tokio::time::timeout(patience, command.output())
        .await
        .map_err(|_| {
            failed(format!(
                "not done after {} s; give it more time by --statement-timeout",
                patience.as_secs()
            ))
        })?
        .map_err(|error| {
            failed(format!("{error}; install PostgreSQL's client programs beside its server"))
        })?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).trim().replace('\n', " / ");
        return Err(failed(format!("{said}; it needs to read the whole schema, as pg_read_all_data may")));
    }
    let text =
        String::from_utf8(output.stdout).map_err(|_| failed("it wrote what isn't UTF-8".to_owned()))?;
    let mut entries = entries(&text);
    entries.retain(|entry| !LEFT_OUT.contains(&entry.kind.as_str()));
    Ok(entries)
}

/// Takes a dump's script apart at the headings of its objects.
fn entries(script: &str) -> Vec<SchemaEntry> {
    let mut entries: Vec<SchemaEntry> = Vec::new();
    let mut defaults = Defaults::default();
    let mut places = Vec::new();
    let mut lines = script.lines().peekable();
    while let Some(line) = lines.next() {
        if let Some(heading) = line.strip_prefix("-- Name: ").filter(|_| lines.peek() == Some(&"--"))
            && let Some(entry) = begun(heading)
        {
            // The comment's first line stands at the end of the one before.
            if let Some(last) = entries.last_mut()
                && last.sql.ends_with("--\n")
            {
                last.sql.truncate(last.sql.len() - 3);
            }
            lines.next();
            entries.push(entry);
            places.push(defaults.clone());
            continue;
        }
        // Said before the heading of the object that it is for; the objects get another order.
        if defaults.take(line) || line.starts_with("\\restrict ") || line.starts_with("\\unrestrict ") {
            continue;
        }
        if let Some(entry) = entries.last_mut() {
            entry.sql.push_str(line);
            entry.sql.push('\n');
        }
    }
    const END: &str = "--\n-- PostgreSQL database dump complete\n--\n";
    if let Some(last) = entries.last_mut()
        && let Some(end) = last.sql.find(END)
    {
        last.sql.truncate(end);
    }
    for (entry, place) in entries.iter_mut().zip(&places) {
        entry.sql = place.around(entry.sql.trim());
    }
    entries.retain(|entry| !entry.sql.is_empty());
    entries
}

/// `pilots_pkey; Type: CONSTRAINT; Schema: public; Owner: harbour`
fn begun(heading: &str) -> Option<SchemaEntry> {
    let (name, rest) = heading.split_once("; Type: ")?;
    let (kind, rest) = rest.split_once("; Schema: ")?;
    let (schema, _) = rest.split_once("; Owner: ")?;
    Some(SchemaEntry {
        kind: kind.to_owned(),
        schema: schema.to_owned(),
        name: name.to_owned(),
        sql: String::new(),
    })
}

/// Where the objects that follow are made.
#[derive(Clone, Default)]
struct Defaults {
    tablespace: String,
    access_method: String,
}

impl Defaults {
    /// Takes a line that sets one.
    fn take(&mut self, line: &str) -> bool {
        let setting = |name: &str| {
            line.strip_prefix("SET ")?.strip_prefix(name)?.strip_prefix(" = ")?.strip_suffix(';')
        };
        if let Some(value) = setting("default_tablespace") {
            self.tablespace = if value == "''" { String::new() } else { value.to_owned() };
        } else if let Some(value) = setting("default_table_access_method") {
            let value = value.trim_matches('"');
            self.access_method = if value == "heap" { String::new() } else { value.to_owned() };
        } else {
            return false;
        }
        true
    }

    /// The statements with what sets and resets the places that aren't the usual ones.
    fn around(&self, sql: &str) -> String {
        let mut text = sql.to_owned();
        for (name, value) in
            [("default_tablespace", &self.tablespace), ("default_table_access_method", &self.access_method)]
        {
            if !value.is_empty() && !text.is_empty() {
                text = format!("SET {name} = {value};\n{text}\nRESET {name};");
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dump_comes_apart_at_its_headings() {
        let script = "--\n-- PostgreSQL database dump\n--\n\n\\restrict x\n\nSET lock_timeout = 0;\n\nSET default_tablespace = fast;\n\n\
            --\n-- Name: visits; Type: TABLE; Schema: public; Owner: harbour\n--\n\nCREATE TABLE public.visits (\n    a integer\n);\n\n\n\
            SET default_tablespace = '';\n\n\
            --\n-- Name: visits visits_pkey; Type: CONSTRAINT; Schema: public; Owner: harbour\n--\n\nALTER TABLE x;\n\n\n\
            --\n-- PostgreSQL database dump complete\n--\n\n\\unrestrict x\n";
        let entries = entries(script);
        let seen: Vec<_> = entries
            .iter()
            .map(|entry| {
                (entry.kind.as_str(), entry.schema.as_str(), entry.name.as_str(), entry.sql.as_str())
            })
            .collect();
        assert_eq!(
            seen,
            [
                (
                    "TABLE",
                    "public",
                    "visits",
                    "SET default_tablespace = fast;\nCREATE TABLE public.visits (\n    a integer\n);\nRESET default_tablespace;"
                ),
                ("CONSTRAINT", "public", "visits visits_pkey", "ALTER TABLE x;"),
            ]
        );
    }
}
