//! Django: `manage.py migrate` with settings of ours on top of the project's, so that its default database is the tap.

use std::ffi::OsString;
use std::path::Path;

use super::{Command, Helper, MigrationProgram, helper_folder, new_files, python};
use crate::args::CheckArguments;
use crate::exit::Failure;
use crate::settings::Settings;

/// The module that takes the place of the project's settings.
const SETTINGS_MODULE: &str = "plimsoll_rehearsal_settings";
const SETTINGS: &str = include_str!("django_settings.py");
/// Migrates to where the database is before the new migrations.
const BEFORE: &str = include_str!("django_before.py");

pub(super) fn find(arguments: &CheckArguments, settings: &Settings) -> Result<MigrationProgram, Failure> {
    let (files, notes) = new_files(arguments, settings, is_migration)?;
    let python = python(settings).into_os_string();
    let own_settings = own_settings(&settings.root)?;
    let folder = helper_folder()?;
    let written = [(format!("{SETTINGS_MODULE}.py"), SETTINGS), ("plimsoll_before.py".to_owned(), BEFORE)];
    for (name, text) in &written {
        let path = folder.path().join(name);
        std::fs::write(&path, text)
            .map_err(|why| Failure::environment(format!("write {}: {why}", path.display())))?;
    }
    let mut before: Vec<OsString> = vec![python.clone(), folder.path().join("plimsoll_before.py").into()];
    before.extend(files.iter().map(|path| path.clone().into_os_string()));
    let before = match &settings.command_before {
        Some(line) => Command::line(line),
        None => Command(before),
    };
    let change = Command(vec![python, "manage.py".into(), "migrate".into(), "--noinput".into()]);
    Ok(MigrationProgram {
        name: "manage.py migrate".into(),
        before: vec![before],
        change,
        notes,
        helper: Some(Helper::Django { folder, settings: own_settings }),
    })
}

/// `app/migrations/0001_initial.py`.
fn is_migration(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let folder = path.parent().and_then(Path::file_name).unwrap_or_default();
    folder == "migrations" && name.ends_with(".py") && !name.starts_with('_') && !name.starts_with('.')
}

/// The project's settings module, as the environment or `manage.py` names it.
fn own_settings(root: &Path) -> Result<String, Failure> {
    if let Ok(named) = std::env::var("DJANGO_SETTINGS_MODULE")
        && !named.is_empty()
    {
        return Ok(named);
    }
    let path = root.join("manage.py");
    let text = std::fs::read_to_string(&path)
        .map_err(|why| Failure::input(format!("read {}: {why}", path.display())))?;
    let behind = text.split("DJANGO_SETTINGS_MODULE").nth(1).unwrap_or_default();
    let quoted = behind.split(['"', '\'']).find(|part| {
        !part.is_empty() && part.chars().all(|letter| letter.is_alphanumeric() || "._".contains(letter))
    });
    quoted.map(ToOwned::to_owned).ok_or_else(|| {
        Failure::input(format!(
            "find the Django settings: {} doesn't name them; set DJANGO_SETTINGS_MODULE, or name the command behind --",
            path.display()
        ))
    })
}

pub(super) fn environment(folder: &Path, own_settings: &str) -> Vec<(String, OsString)> {
    let mut path = folder.as_os_str().to_owned();
    if let Some(old) = std::env::var_os("PYTHONPATH").filter(|old| !old.is_empty()) {
        path.push(":");
        path.push(old);
    }
    vec![
        ("PYTHONPATH".into(), path),
        ("PLIMSOLL_DJANGO_SETTINGS".into(), own_settings.into()),
        ("DJANGO_SETTINGS_MODULE".into(), SETTINGS_MODULE.into()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn migrations_are_told_by_their_place() {
        assert!(is_migration(Path::new("/p/shop/migrations/0001_initial.py")));
        for other in ["/p/shop/migrations/__init__.py", "/p/shop/models.py", "/p/shop/migrations/notes.txt"] {
            assert!(!is_migration(Path::new(other)), "{other}");
        }
    }
}
