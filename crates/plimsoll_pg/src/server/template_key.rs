//! Which servers can share a prepared data directory, and the file that describes one.

use std::fmt::Write as _;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use serde_json::{Value, json};

use super::binaries::Binaries;
use super::copy_tree::TreeSize;
use super::initdb;

/// Raise it whenever a template of before must not be used any more.
const FORMAT: u64 = 1;
const FILE: &str = "template.json";

/// A folder name that differs whenever the template would: with the server's version, its
/// place, its very file (a rebuilt server of the same version may have another catalog), the
/// arguments of `initdb`, and our own format.
pub(super) fn template_key(binaries: &Binaries) -> String {
    let real = binaries.bin_folder().canonicalize().unwrap_or_else(|_| binaries.bin_folder().to_owned());
    let postgres = real.join("postgres");
    let file = postgres.metadata().map_or((0, 0), |metadata| (metadata.len(), metadata.mtime()));
    let mut text = format!("{FORMAT} {} {} {file:?}", binaries.version().text, real.display());
    for argument in initdb::all_arguments() {
        // Writing to a String can't fail.
        write!(text, " {argument}").unwrap_or_default();
    }
    format!("{}-{:016x}", binaries.version(), fnv1a(text.as_bytes()))
}

/// FNV-1a: small, and the same in every release of the compiler, unlike the standard hasher.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// Describes a complete template; the last thing written into its folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TemplateDescription {
    /// What the server says of itself.
    pub(super) server: String,
    /// How much there is to copy.
    pub(super) size: TreeSize,
}

impl TemplateDescription {
    pub(super) fn write(&self, folder: &Path) -> io::Result<()> {
        let value = json!({
            "format": FORMAT,
            "server": self.server,
            "files": self.size.files,
            "bytes": self.size.bytes,
        });
        std::fs::write(folder.join(FILE), format!("{value:#}\n"))
    }

    /// Reads it; `None` when it is missing, damaged or of another format.
    pub(super) fn read(folder: &Path) -> Option<Self> {
        let value: Value = serde_json::from_slice(&std::fs::read(folder.join(FILE)).ok()?).ok()?;
        if value["format"].as_u64()? != FORMAT {
            return None;
        }
        let size = TreeSize { files: value["files"].as_u64()?, bytes: value["bytes"].as_u64()? };
        Some(Self { server: value["server"].as_str()?.to_owned(), size })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_can_be_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let size = TreeSize { files: 966, bytes: 28_000_000 };
        let description = TemplateDescription { server: "15.18 (Debian)".to_owned(), size };
        description.write(folder.path()).unwrap();
        assert_eq!(TemplateDescription::read(folder.path()), Some(description));
    }

    #[test]
    fn half_a_description_counts_as_none() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FILE), r#"{"format": 1, "ser"#).unwrap();
        assert_eq!(TemplateDescription::read(folder.path()), None);
    }

    #[test]
    fn the_hash_is_the_published_one() {
        assert_eq!(fnv1a(b"foobar"), 0x8594_4171_f739_67e8);
    }
}
