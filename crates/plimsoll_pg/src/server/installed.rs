//! The servers that Plimsoll installed in its cache, and the small file that describes each.

use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::cache::Cache;

const FORMAT: u64 = 1;
const FILE: &str = "plimsoll-server.json";

/// Describes an installed server; the last thing written into its folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Manifest {
    /// The package it came from.
    pub(super) package: String,
    /// The package's version.
    pub(super) version: String,
    /// The folder of the programs, below the server's folder.
    pub(super) bin: PathBuf,
}

impl Manifest {
    /// Writes the description into a server's folder.
    pub(super) fn write(&self, folder: &Path) -> io::Result<()> {
        let value = json!({
            "format": FORMAT,
            "package": self.package,
            "version": self.version,
            "bin": self.bin.to_string_lossy(),
        });
        std::fs::write(folder.join(FILE), format!("{value:#}\n"))
    }

    /// Reads a server's description. `None` when the folder has none that this version of
    /// Plimsoll understands: then it isn't a server for us.
    pub(super) fn read(folder: &Path) -> Option<Self> {
        let value: Value = serde_json::from_slice(&std::fs::read(folder.join(FILE)).ok()?).ok()?;
        if value["format"].as_u64()? != FORMAT {
            return None;
        }
        let text = |name: &str| value[name].as_str().map(str::to_owned);
        Some(Self { package: text("package")?, version: text("version")?, bin: text("bin")?.into() })
    }
}

/// The program folders of all servers in the cache.
pub(super) fn bin_folders(cache: &Cache) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(cache.servers()) else { return Vec::new() };
    let mut folders: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    folders.sort_unstable();
    folders.into_iter().filter_map(|folder| Some(folder.join(Manifest::read(&folder)?.bin))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_can_be_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let manifest =
            Manifest { package: "p".to_owned(), version: "18.6.3".to_owned(), bin: "a/bin".into() };
        manifest.write(folder.path()).unwrap();
        assert_eq!(Manifest::read(folder.path()), Some(manifest));
    }

    #[test]
    fn another_format_is_not_guessed_at() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FILE), r#"{"format": 2, "bin": "bin"}"#).unwrap();
        assert_eq!(Manifest::read(folder.path()), None);
    }
}
