//! Alembic: `alembic upgrade heads` with a copy of `alembic.ini` that names the tap.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::{Command, Helper, MigrationProgram, helper_folder, new_files, python};
use crate::args::CheckArguments;
use crate::exit::Failure;
use crate::inputs::walk;
use crate::output::write_file;
use crate::settings::Settings;

/// The configuration's name.
const FILE: &str = "alembic.ini";

pub(super) fn find(arguments: &CheckArguments, settings: &Settings) -> Result<MigrationProgram, Failure> {
    let path = settings.root.join(FILE);
    let read = |path: &Path| {
        std::fs::read_to_string(path).map_err(|why| Failure::input(format!("read {}: {why}", path.display())))
    };
    let ini = read(&path)?;
    let mut revisions = Vec::new();
    for file in walk(&settings.root)?.into_iter().filter(|file| has_extension_py(file)) {
        // What isn't UTF-8 is no revision.
        if let Some(revision) = std::fs::read_to_string(&file).ok().and_then(|text| Revision::read(&text)) {
            revisions.push((file, revision));
        }
    }
    let is_revision = |path: &Path| revisions.iter().any(|(file, _)| file == path);
    let (files, notes) = new_files(arguments, settings, is_revision)?;
    let new: BTreeSet<&PathBuf> = files.iter().collect();
    let old: BTreeMap<&str, &Revision> = revisions
        .iter()
        .filter(|(file, _)| !new.contains(file))
        .map(|(_, revision)| (revision.id.as_str(), revision))
        .collect();
    let folder = helper_folder()?;
    let file = folder.path().join(FILE);
    let python = python(settings);
    let upgrade = |target: &str| {
        let words = [python.as_os_str(), "-m".as_ref(), "alembic".as_ref(), "-c".as_ref(), file.as_os_str()];
        Command::of(words.into_iter().chain(["upgrade".as_ref(), target.as_ref()]))
    };
    let before = match &settings.command_before {
        Some(line) => vec![Command::line(line)],
        None => heads(&old).into_iter().map(upgrade).collect(),
    };
    Ok(MigrationProgram {
        name: "alembic upgrade heads".into(),
        before,
        change: upgrade("heads"),
        notes,
        helper: Some(Helper::Alembic {
            scheme: scheme(&ini).to_owned(),
            ini: absolute(&ini, &settings.root),
            folder,
        }),
    })
}

fn has_extension_py(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "py")
}

/// A revision file.
#[derive(Debug, PartialEq, Eq)]
struct Revision {
    id: String,
    down: Vec<String>,
}

impl Revision {
    /// Reads the assignments `revision = …` and `down_revision = …`, as Alembic writes them.
    fn read(text: &str) -> Option<Self> {
        let assigned = |name: &str| {
            text.lines().find_map(|line| {
                let rest = line.strip_prefix(name)?;
                let (kind, value) = rest.split_once('=')?;
                (kind.trim().is_empty() || kind.trim_start().starts_with(':')).then(|| value.trim())
            })
        };
        let quoted = |value: &str| -> Vec<String> {
            value.split(['\'', '"']).skip(1).step_by(2).map(ToOwned::to_owned).collect()
        };
        let id = quoted(assigned("revision")?).into_iter().next()?;
        Some(Self { id, down: quoted(assigned("down_revision")?) })
    }
}

/// Revisions that no other one builds on.
fn heads<'a>(revisions: &BTreeMap<&'a str, &'a Revision>) -> Vec<&'a str> {
    let built_on: BTreeSet<&str> =
        revisions.values().flat_map(|revision| revision.down.iter().map(String::as_str)).collect();
    revisions.keys().copied().filter(|id| !built_on.contains(id)).collect()
}

/// What stands before `://` in the URL of the file, which says the driver.
fn scheme(ini: &str) -> &str {
    let url = ini.lines().find_map(|line| line.trim().strip_prefix("sqlalchemy.url"));
    let url = url.and_then(|rest| rest.split_once('=')).map_or("", |(_, url)| url.trim());
    url.split_once("://").map_or("", |(scheme, _)| scheme)
}

/// The file as it reads from another folder.
fn absolute(ini: &str, root: &Path) -> String {
    let root = root.to_string_lossy().replace('%', "%%");
    let mut text = String::new();
    for line in ini.lines() {
        let replaced = line.replace("%(here)s", &root);
        let key = replaced.split('=').next().unwrap_or_default().trim();
        match replaced.split_once('=') {
            Some((_, value))
                if key == "script_location" && !value.trim().starts_with('/') && !value.contains(':') =>
            {
                text.push_str(&format!("script_location = {root}/{}", value.trim()));
            }
            _ => text.push_str(&replaced),
        }
        text.push('\n');
    }
    text
}

/// Writes the copy with the tap's URL.
pub(super) fn write_ini(folder: &Path, ini: &str, url: &str) -> Result<(), Failure> {
    let url = url.replace('%', "%%");
    let mut text = String::new();
    let mut section_seen = false;
    for line in ini.lines() {
        if line.trim().split('=').next().is_some_and(|key| key.trim() == "sqlalchemy.url") {
            continue;
        }
        text.push_str(line);
        text.push('\n');
        if line.trim() == "[alembic]" && !section_seen {
            section_seen = true;
            text.push_str(&format!("sqlalchemy.url = {url}\n"));
        }
    }
    write_file(&folder.join(FILE), &text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn revisions_are_read_as_alembic_writes_them() {
        let text = "\"\"\"add\n\nRevision ID: b2\nRevises: a1\n\"\"\"\nrevision: str = 'b2'\ndown_revision: Union[str, None] = 'a1'\n";
        assert_eq!(Revision::read(text), Some(Revision { id: "b2".into(), down: vec!["a1".into()] }));
        let text = "revision = 'c'\ndown_revision = ('a', \"b\")\n";
        assert_eq!(Revision::read(text).map(|revision| revision.down), Some(vec!["a".into(), "b".into()]));
        let text = "revision = 'a'\ndown_revision = None\n";
        assert_eq!(Revision::read(text).map(|revision| revision.down), Some(Vec::new()));
        assert_eq!(Revision::read("import os\n"), None);
    }

    #[test]
    fn the_file_is_made_to_be_read_elsewhere() {
        let ini = "[alembic]\nscript_location = alembic\nsqlalchemy.url = postgresql+psycopg://a@b/c\nx = %(here)s/y\n";
        assert_eq!(scheme(ini), "postgresql+psycopg");
        assert_eq!(
            absolute(ini, Path::new("/p")),
            "[alembic]\nscript_location = /p/alembic\nsqlalchemy.url = postgresql+psycopg://a@b/c\nx = /p/y\n"
        );
    }
}
