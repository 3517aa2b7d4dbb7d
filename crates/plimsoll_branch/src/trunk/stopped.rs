//! A trunk from the data directory of a server that doesn't run.

use std::path::Path;
use std::process::{Command, Stdio};

use super::{Place, Supplied};
use crate::configuration::CARRIED;
use crate::error::BranchError;
use crate::manifest::{ServerFacts, Source};
use crate::masking::Masked;

pub(super) fn take(place: &Place<'_>, path: &Path) -> Result<Supplied, BranchError> {
    let refused = |why: String| BranchError::Refused(format!("take a copy of {}: {why}", path.display()));
    let path = path.canonicalize().map_err(|why| refused(why.to_string()))?;
    let version = std::fs::read_to_string(path.join("PG_VERSION"))
        .map_err(|why| refused(format!("it is no data directory of PostgreSQL: PG_VERSION: {why}")))?;
    let major: u32 =
        version.trim().parse().map_err(|_| refused(format!("its PG_VERSION says {:?}", version.trim())))?;
    if place.state.base().starts_with(&path) || path.starts_with(place.state.base()) {
        return Err(refused("it is where trunks and branches are; name those by their names".to_owned()));
    }
    if let Some(process) = running(&path) {
        return Err(refused(format!(
            "its server runs (process {process}); stop it, or take the copy from its address by --from URL"
        )));
    }
    let binaries = place.host.installation(major)?;
    place.say.say(format!("copying {}", path.display()));
    place.copy(&path)?;
    let mut notes = Vec::new();
    if !path.join("postgresql.conf").exists() {
        notes.push(format!(
            "{} has no postgresql.conf: settings that change plans were not carried over",
            path.display()
        ));
    }
    let server = ServerFacts {
        major,
        version: binaries.version().to_string(),
        superuser: plimsoll_pg::server::SUPERUSER.to_owned(),
        database: String::new(),
        settings: settings(&path),
    };
    Ok(Supplied { source: Source::DataDirectory { path }, server, notes, masked: Masked::default() })
}

/// The process of the directory's server, if it runs. Its pid file alone may be left from a crash.
fn running(data: &Path) -> Option<u32> {
    let file = std::fs::read_to_string(data.join("postmaster.pid")).ok()?;
    let process: u32 = file.lines().next()?.trim().parse().ok()?;
    let mut command = Command::new("ps");
    command.args(["-ww", "-o", "args=", "-p"]).arg(process.to_string()).stderr(Stdio::null());
    let said = String::from_utf8_lossy(&command.output().ok()?.stdout).into_owned();
    said.contains("postgres").then_some(process)
}

/// What its files say of settings that change plans. Files that they include are not read.
fn settings(data: &Path) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = Vec::new();
    for name in ["postgresql.conf", "postgresql.auto.conf"] {
        let text = std::fs::read_to_string(data.join(name)).unwrap_or_default();
        for (name, value) in text.lines().filter_map(setting) {
            if CARRIED.contains(&name.as_str()) {
                // The last one counts.
                found.retain(|(known, _)| *known != name);
                found.push((name, value));
            }
        }
    }
    found
}

/// `name = value`, `name value` or `name = 'it''s'`, with a comment behind it. (PostgreSQL's manual, "Setting Parameters".)
fn setting(line: &str) -> Option<(String, String)> {
    let line = line.trim();
    let end = line.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_' && letter != '.')?;
    let (name, rest) = line.split_at(end);
    if name.is_empty() {
        return None;
    }
    let rest = rest.trim_start();
    let rest = rest.strip_prefix('=').unwrap_or(rest).trim_start();
    let value = match rest.strip_prefix('\'') {
        Some(quoted) => unquoted(quoted)?,
        None => rest.split(|letter: char| letter.is_whitespace() || letter == '#').next()?.to_owned(),
    };
    Some((name.to_ascii_lowercase(), value))
}

fn unquoted(text: &str) -> Option<String> {
    let mut value = String::new();
    let mut letters = text.chars().peekable();
    loop {
        match letters.next()? {
            '\'' if letters.peek() == Some(&'\'') => {
                letters.next();
                value.push('\'');
            }
            '\'' => return Some(value),
            '\\' => value.push(letters.next()?),
            letter => value.push(letter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_read_as_the_server_reads_them() {
        let check = |line: &str, expected: Option<(&str, &str)>| {
            let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
            assert_eq!(setting(line), expected, "{line}");
        };
        check("work_mem = 64MB   # per sort", Some(("work_mem", "64MB")));
        check("  Random_Page_Cost 1.1", Some(("random_page_cost", "1.1")));
        check("timezone='Europe/Paris'", Some(("timezone", "Europe/Paris")));
        check("search_path = 'it''s, \"$user\"' # x", Some(("search_path", "it's, \"$user\"")));
        check("# work_mem = 4MB", None);
        check("", None);
        check("broken = 'no end", None);
    }
}
