//! A Rails initializer with the settings of strong_migrations. It is a program: only settings that
//! stand on a line of their own are read.

use super::major;
use super::written::{Written, quoted};

const TOOL: &str = "strong_migrations";

pub(super) fn import(text: &str) -> Written {
    let mut written = Written::default();
    for line in text.lines() {
        let line = line.split(" #").next().unwrap_or_default().trim();
        let Some(setting) = line.strip_prefix("StrongMigrations.") else { continue };
        match setting.split_once('=') {
            Some((key, value)) => assigned(key.trim(), value.trim(), &mut written),
            None => called(setting, &mut written),
        }
    }
    written
}

fn assigned(key: &str, value: &str, written: &mut Written) {
    match key {
        "lock_timeout" => match duration(value) {
            Some(duration) => written.lint("lock_timeout", &quoted(&duration)),
            None => written.leave_out(format!("{key} = {value}: write it as [lint] lock_timeout = \"2s\"")),
        },
        "target_version" | "target_postgresql_version" => {
            written.version(key, major(&toml::Value::String(value.trim_matches(['"', '\'']).to_owned())));
        }
        "start_after" => written.leave_out(format!(
            "{key} = {value}: only what git calls new is judged; --write-baseline leaves out what is there"
        )),
        _ => written.leave_out(format!("{key} = {value}: nothing here is like it")),
    }
}

fn called(setting: &str, written: &mut Written) {
    let word = match setting {
        _ if setting.starts_with("disable_check") => "off",
        _ if setting.starts_with("enable_check") => "on",
        _ => return written.leave_out(format!("{setting}: nothing here is like it")),
    };
    let inner = setting.split_once(['(', ' ']).map_or("", |(_, inner)| inner);
    let name = inner.trim_start().trim_start_matches([':', '"', '\'']);
    let end = name.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(name.len());
    if name[end..].contains("start_after") {
        written.leave_out(format!("{}: start_after has nothing like it here", &name[..end]));
    }
    written.rule(TOOL, &name[..end], word);
}

/// `10.seconds` or `10` as a duration of ours.
fn duration(value: &str) -> Option<String> {
    let (number, unit) = value.split_once('.').unwrap_or((value, "seconds"));
    let number: u64 = number.replace('_', "").parse().ok()?;
    let unit = match unit {
        "second" | "seconds" => "s",
        "minute" | "minutes" => "min",
        "hour" | "hours" => "h",
        _ => return None,
    };
    Some(format!("{number}{unit}"))
}
