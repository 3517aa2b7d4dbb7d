//! `.squawk.toml`.

use plimsoll_lint::RULES;
use toml::{Table, Value};

use super::written::{Written, list};
use super::{major, texts};

const TOOL: &str = "squawk";

/// Rules that Squawk runs unless they are excluded and that style or taste may leave off here.
/// Its others are opt-in, or run here by default, too.
const ON_BY_DEFAULT: &[&str] = &[
    "adding-required-field",
    "ban-alter-domain-with-add-constraint",
    "ban-char-field",
    "ban-create-domain-with-constraint",
    "ban-drop-column",
    "ban-drop-database",
    "ban-drop-not-null",
    "ban-drop-table",
    "ban-truncate-cascade",
    "ban-uncommitted-transaction",
    "prefer-bigint-over-int",
    "prefer-bigint-over-smallint",
    "prefer-identity",
    "prefer-robust-stmts",
    "prefer-text-field",
    "prefer-timestamp-tz",
    "renaming-column",
    "renaming-table",
    "require-concurrent-index-deletion",
    "require-enum-value-ordering",
    "transaction-nesting",
];

pub(super) fn import(table: &Table) -> Result<Written, String> {
    let mut written = Written::default();
    for (key, value) in table {
        match (key.as_str(), value) {
            ("excluded_rules", value) => {
                texts(value, key)?.iter().for_each(|name| written.rule(TOOL, name, "off"));
            }
            ("included_rules", value) => {
                texts(value, key)?.iter().for_each(|name| written.rule(TOOL, name, "on"));
            }
            ("excluded_paths", value) => {
                let globs: Vec<String> = texts(value, key)?.iter().map(|glob| path_glob(glob)).collect();
                written.lint("exclude", &list(&globs));
            }
            ("pg_version", value) => written.version("pg_version", major(value)),
            ("assume_in_transaction", Value::Boolean(true)) => written.transaction("file"),
            ("assume_in_transaction", _) => written.leave_out(
                "assume_in_transaction = false: each layout knows what its tool does ([migrations] transaction sets it)",
            ),
            ("upload_to_github", _) => written.leave_out(
                "[upload_to_github]: `--format github` annotates, `--report markdown=FILE` writes a comment, and \
                 `--fail-on` decides about the exit code",
            ),
            _ => written.leave_out(format!("{key}: nothing here is like it")),
        }
    }
    for rule in
        RULES.iter().filter(|rule| !rule.on_by_default && !written.has_rule(rule.id)).collect::<Vec<_>>()
    {
        let runs_there =
            rule.other_tools.iter().any(|(tool, id)| *tool == TOOL && ON_BY_DEFAULT.contains(id));
        if runs_there || ON_BY_DEFAULT.contains(&rule.id) {
            written.own_rule(rule.id, "on");
        }
    }
    Ok(written)
}

/// Squawk matches a path with `*` across folders; a bare name means one in any folder.
fn path_glob(glob: &str) -> String {
    match glob.strip_prefix('*') {
        Some(rest) if !rest.starts_with('*') && !rest.contains('/') => format!("**/*{rest}"),
        None if !glob.contains('/') => format!("**/{glob}"),
        _ => glob.to_owned(),
    }
}
