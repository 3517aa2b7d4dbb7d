//! Where PostgreSQL installations are looked for, in order.
//!
//! Only lists folders; whether the programs in them work is tried elsewhere.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::cache::Cache;
use super::environment::Environment;
use super::installed;

/// Folders where packagers put servers. A `*` stands for any text within one path segment.
const USUAL_PLACES: [&str; 7] = [
    "usr/lib/postgresql/*/bin",
    "usr/pgsql-*/bin",
    "opt/homebrew/opt/postgresql@*/bin",
    "opt/homebrew/opt/postgresql/bin",
    "usr/local/opt/postgresql@*/bin",
    "usr/local/opt/postgresql/bin",
    "Applications/Postgres.app/Contents/Versions/*/bin",
];

/// Everything that the search for PostgreSQL looks at.
#[derive(Clone, Debug)]
pub struct SearchPlaces {
    /// The folder of PostgreSQL's programs that the user set. Then nothing else is looked at.
    pub explicit: Option<PathBuf>,
    /// The `pg_config` that the user set.
    pub pg_config: Option<PathBuf>,
    /// The folders of `PATH`.
    pub path: Vec<PathBuf>,
    /// The root of the file system; another folder in tests.
    pub root: PathBuf,
    /// The cache, with the servers that Plimsoll installed.
    pub cache: Cache,
}

impl SearchPlaces {
    /// The places that this environment implies.
    #[must_use]
    pub fn new(environment: &Environment, cache: &Cache, explicit: Option<PathBuf>) -> Self {
        let path = environment.path.as_ref().map(|path| std::env::split_paths(path).collect());
        Self {
            explicit,
            pg_config: environment.pg_config.clone(),
            path: path.unwrap_or_default(),
            root: PathBuf::from("/"),
            cache: cache.clone(),
        }
    }

    /// The folders to try, each once, in the order of preference among equal versions.
    pub(super) fn candidates(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        if let Some(folder) = &self.explicit {
            // Naming the installation instead of its `bin` folder is an easy slip.
            let below = folder.join("bin");
            found.push(if below.join("postgres").exists() { below } else { folder.clone() });
            return found;
        }
        found.extend(self.pg_config.as_deref().and_then(bin_folder_of));
        // Often /bin is /usr/bin, and pg_config takes its time.
        for folder in &each_once(self.path.clone()) {
            found.extend(folder_of_program(&folder.join("postgres")));
            let pg_config = folder.join("pg_config");
            if pg_config.is_file() {
                found.extend(bin_folder_of(&pg_config));
            }
        }
        for place in USUAL_PLACES {
            found.extend(expand(&self.root, place));
        }
        found.extend(installed::bin_folders(&self.cache));
        each_once(found)
    }
}

/// `postgres` on PATH is often a link: its neighbours are where the link leads.
fn folder_of_program(program: &Path) -> Option<PathBuf> {
    program.canonicalize().ok()?.parent().map(Path::to_owned)
}

/// What `pg_config --bindir` says. Debian's may name a folder without server programs.
fn bin_folder_of(pg_config: &Path) -> Option<PathBuf> {
    let output = Command::new(pg_config).arg("--bindir").stdin(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let folder = PathBuf::from(text.trim_end_matches('\n'));
    (output.status.success() && folder.is_absolute()).then_some(folder)
}

/// The existing folders that match a pattern, those with the highest version first.
fn expand(root: &Path, pattern: &str) -> Vec<PathBuf> {
    let mut matches = vec![root.to_owned()];
    for segment in pattern.split('/') {
        matches = matches.iter().flat_map(|folder| matching_children(folder, segment)).collect();
    }
    matches
}

fn matching_children(folder: &Path, segment: &str) -> Vec<PathBuf> {
    let Some((before, after)) = segment.split_once('*') else {
        let child = folder.join(segment);
        return if child.is_dir() { vec![child] } else { Vec::new() };
    };
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut names: Vec<String> = entries
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.strip_prefix(before).is_some_and(|rest| rest.ends_with(after)))
        .collect();
    names.sort_unstable_by_key(|name| (name.len(), name.clone()));
    names.reverse();
    names.into_iter().map(|name| folder.join(name)).filter(|child| child.is_dir()).collect()
}

fn each_once(folders: Vec<PathBuf>) -> Vec<PathBuf> {
    let mut seen = Vec::new();
    let mut kept = Vec::new();
    for folder in folders {
        let real = folder.canonicalize().unwrap_or_else(|_| folder.clone());
        if !seen.contains(&real) {
            seen.push(real);
            kept.push(folder);
        }
    }
    kept
}
