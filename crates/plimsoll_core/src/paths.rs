//! Paths as reports print them. Only their text is looked at, never a file system.

use std::path::{Component, Path, PathBuf};

/// `path` as seen from `folder`; both absolute. Goes up with `..` where it must.
#[must_use]
pub fn seen_from(path: &Path, folder: &Path) -> PathBuf {
    let path = normal(path);
    let folder = normal(folder);
    let shared = path.components().zip(folder.components()).take_while(|(a, b)| a == b).count();
    // Only the root is shared: an absolute path is plainer.
    if shared <= 1 && folder.components().count() > 1 {
        return path;
    }
    let up = folder.components().skip(shared).map(|_| Component::ParentDir);
    let seen: PathBuf = up.chain(path.components().skip(shared)).collect();
    if seen.as_os_str().is_empty() { PathBuf::from(".") } else { seen }
}

/// The path without `.` and with `..` resolved by its text.
#[must_use]
pub fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                normal.pop();
            }
            other => normal.push(other),
        }
    }
    normal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_shown_from_the_current_folder() {
        let check = |path: &str, folder: &str, expected: &str| {
            assert_eq!(seen_from(Path::new(path), Path::new(folder)), Path::new(expected));
        };
        check("/a/b/m/1.sql", "/a/b", "m/1.sql");
        check("/a/b/m/1.sql", "/a/b/src/x", "../../m/1.sql");
        check("/a/./b/../c", "/a", "c");
        check("/tmp/x", "/srv/y", "/tmp/x");
    }
}
