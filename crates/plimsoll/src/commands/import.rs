//! `plimsoll lint --import`: another linter's configuration as ours.
//!
//! What can't be carried over stands in comments of what is written, so that nothing is lost in
//! silence. eugene has no configuration file; its ids are understood wherever rules are named.
//!
//! Sources: Squawk, `docs/docs/cli.md`; pgfence, `src/config.ts`; pgsafe, `config-example.toml`;
//! strong_migrations, `README.md`.

use std::path::Path;

use crate::config::{self, FILE_NAME};
use crate::exit::{CLEAN, Failure};
use crate::inputs::read_text;
use crate::output::{print, write_file};

mod pgfence;
mod pgsafe;
mod squawk;
mod strong_migrations;
mod written;

use written::Written;

/// Where the result goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum To {
    Stdout,
    Config,
}

pub(crate) fn run(file: &Path, config: Option<&Path>, to: To) -> Result<u8, Failure> {
    let current = std::env::current_dir()
        .map_err(|why| Failure::environment(format!("find the current folder: {why}")))?;
    let text = read_text(&current.join(file), &current)?;
    let written = imported(file, &text)?;
    if to == To::Stdout {
        print(&written.text(file))?;
        return Ok(CLEAN);
    }
    let path = match config {
        Some(path) => current.join(path),
        None => config::find_upward(&current).unwrap_or_else(|| current.join(FILE_NAME)),
    };
    let before = if path.exists() { read_text(&path, &current)? } else { String::new() };
    let table: toml::Table = before.parse().map_err(|why: toml::de::Error| {
        Failure::input(format!("read {}: {}", path.display(), why.message()))
    })?;
    if let Some(section) = written.sections().find(|section| table.contains_key(*section)) {
        return Err(Failure::input(format!(
            "write {}: it has a section [{section}] already; print the other one without --force and merge the two",
            path.display()
        )));
    }
    let gap = if before.is_empty() || before.ends_with("\n\n") { "" } else { "\n" };
    write_file(&path, &format!("{before}{gap}{}", written.text(file)))?;
    print(&format!("wrote {}\n", path.display()))?;
    Ok(CLEAN)
}

fn imported(file: &Path, text: &str) -> Result<Written, Failure> {
    let name = file.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    let wrong = |why: String| Failure::input(format!("import {}: {why}", file.display()));
    if name.contains("squawk") {
        return squawk::import(&table(text).map_err(wrong)?).map_err(wrong);
    }
    if name.contains("pgfence") {
        let table = match name.ends_with(".json") {
            true => serde_json::from_str(text).map_err(|why| wrong(why.to_string()))?,
            false => table(text).map_err(wrong)?,
        };
        return pgfence::import(&table).map_err(wrong);
    }
    if name.contains("pgsafe") {
        return pgsafe::import(&table(text).map_err(wrong)?).map_err(wrong);
    }
    if name.ends_with(".rb") {
        return Ok(strong_migrations::import(text));
    }
    let eugene = match name.contains("eugene") {
        true => {
            "eugene has no configuration file; its ids can stand in [lint] as they are, such as ignore = [\"E6\"]"
        }
        false => {
            "its name is that of no configuration that is known: .squawk.toml, .pgfence.toml, .pgfence.json, \
                  .pgsafe.toml, or strong_migrations.rb"
        }
    };
    Err(wrong(eugene.to_owned()))
}

fn table(text: &str) -> Result<toml::Table, String> {
    text.parse().map_err(|why: toml::de::Error| {
        let (line, column) =
            plimsoll_core::SourceFile::new("", text).line_column(why.span().map_or(0, |span| span.start));
        format!("line {line}, column {column}: {}", why.message())
    })
}

/// The texts of a list.
fn texts(value: &toml::Value, key: &str) -> Result<Vec<String>, String> {
    let wrong = || format!("`{key}` is to be a list of texts");
    let values = value.as_array().ok_or_else(wrong)?;
    values.iter().map(|value| value.as_str().map(ToOwned::to_owned).ok_or_else(wrong)).collect()
}

/// The major version at the head of `15`, `15.2` or `"15"`.
fn major(value: &toml::Value) -> Option<i64> {
    match value {
        toml::Value::Integer(major) => Some(*major),
        toml::Value::Float(version) => Some(*version as i64),
        toml::Value::String(text) => text.split('.').next()?.trim().parse().ok(),
        _ => None,
    }
}
