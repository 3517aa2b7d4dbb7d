//! Which files are meant: names, folders, patterns that no shell has expanded; each file once.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::exit::Failure;
use crate::output::tell;

/// The files that are meant, in the order in which they were given; those of a folder or a pattern by name.
pub(super) fn meant(given: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut files = Vec::new();
    for path in given {
        if path.as_os_str() == "-" || path.is_file() {
            files.push(path.clone());
        } else if path.is_dir() {
            files.extend(of_folder(path)?);
        } else if !path.exists() && path.to_string_lossy().contains(['*', '?', '[']) {
            files.extend(matching(path)?);
        } else {
            // A pipe, or what can't be opened, which is said when it is.
            files.push(path.clone());
        }
    }
    Ok(once(files))
}

fn matching(pattern: &Path) -> Result<Vec<PathBuf>, Failure> {
    let shown = pattern.display();
    let paths = glob::glob(&pattern.to_string_lossy())
        .map_err(|why| Failure::input(format!("read the pattern {shown}: {why}")))?;
    let files: Vec<PathBuf> = paths.filter_map(Result::ok).filter(|path| path.is_file()).collect();
    if files.is_empty() {
        return Err(Failure::input(format!("read {shown}: no file has a name like this")));
    }
    Ok(files)
}

fn of_folder(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let refused =
        |why: std::io::Error| Failure::input(format!("read the folder {}: {why}", folder.display()));
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(refused)? {
        let path = entry.map_err(refused)?.path();
        if path.is_file() && is_log(&path) {
            files.push(path);
        }
    }
    files.sort();
    if files.is_empty() {
        return Err(Failure::input(format!(
            "read the folder {}: no file in it is called like a log (*.log, *.csv, *.json, *.log.2.gz)",
            folder.display()
        )));
    }
    Ok(files)
}

/// Whether a name is a log's, rotated or compressed or not.
fn is_log(path: &Path) -> bool {
    let Some(name) = path.file_name() else { return false };
    let name = name.to_string_lossy().to_lowercase();
    let behind = name.rsplit('.').find(|part| {
        !matches!(*part, "gz" | "zst" | "xz" | "bz2")
            && !part.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-')
    });
    // logrotate's dateext: `postgresql.log-20261123`.
    let behind =
        behind.map(|part| part.trim_end_matches(|letter: char| letter == '-' || letter.is_ascii_digit()));
    !name.starts_with('.') && name.contains('.') && matches!(behind, Some("log" | "csv" | "json"))
}

/// Leaves out a file that came before, by whatever name.
fn once(files: Vec<PathBuf>) -> Vec<PathBuf> {
    let mut seen = BTreeSet::new();
    let is_new = |path: &PathBuf| {
        let is_new = fs::metadata(path).map_or(true, |file| seen.insert((file.dev(), file.ino())));
        if !is_new {
            tell(&format!("note: {} is a file that was given before: it is read once", path.display()));
        }
        is_new
    };
    files.into_iter().filter(is_new).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logs_are_told_by_their_names() {
        for name in
            ["a.log", "a.log.1", "a.log.2.gz", "a.csv.zst", "a.LOG", "postgresql.log-20261123.xz", "a.json"]
        {
            assert!(is_log(Path::new(name)), "{name}");
        }
        for name in ["log", "notes.txt", ".a.log", "current_logfiles", "a.log.txt", "1.gz"] {
            assert!(!is_log(Path::new(name)), "{name}");
        }
    }
}
