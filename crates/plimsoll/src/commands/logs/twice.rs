//! A server that logs in two formats at once writes everything twice, into files that differ in their ends.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::source::{Content, Source};
use crate::output::tell;

/// Warns of logs in two formats that are called alike.
pub(super) fn warn(sources: &[Source]) {
    let mut by_stem: BTreeMap<PathBuf, Vec<(&Source, &'static str)>> = BTreeMap::new();
    for source in sources {
        if let Content::Log { format, .. } = &source.content {
            by_stem.entry(stem(&source.name)).or_default().push((source, format.word()));
        }
    }
    for logs in by_stem.values() {
        let [(first, format), rest @ ..] = logs.as_slice() else { continue };
        if let Some((other, second)) = rest.iter().find(|(_, other)| other != format) {
            tell(&format!(
                "warning: {} and {} look like one server's log in two formats ({format} and {second}): what is in both is counted \
                 twice; give one of them",
                first.name, other.name
            ));
        }
    }
}

/// A name without what tells its format, compression, or turn.
fn stem(name: &str) -> PathBuf {
    let path = Path::new(name);
    let file = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let parts =
        file.split('.').filter(|part| !["log", "csv", "json", "gz", "zst", "xz", "bz2"].contains(part));
    path.with_file_name(parts.collect::<Vec<_>>().join("."))
}
