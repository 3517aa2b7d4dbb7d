//! The cache: made once, repaired, and never half-written.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use plimsoll_pg::server::{Cache, PrivateServer, StartOptions};

use crate::support::{Ground, MAJORS, SmallDisk, binaries, start};

fn template(options: &StartOptions) -> PathBuf {
    let entries = std::fs::read_dir(options.cache.templates()).unwrap();
    let mut folders = entries.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir());
    let folder = folders.next().expect("a template");
    assert_eq!(folders.next(), None, "one template");
    folder
}

fn inode(path: &Path) -> u64 {
    std::os::unix::fs::MetadataExt::ino(&path.metadata().unwrap())
}

#[test]
fn a_template_is_made_once() {
    for major in MAJORS {
        let ground = Ground::new();
        let options = ground.options_with_own_cache();
        drop(start(&binaries(major), &options));
        let first = inode(&template(&options));
        drop(start(&binaries(major), &options));
        assert_eq!(inode(&template(&options)), first);
    }
}

enum Damage {
    Removed,
    Emptied,
}

impl Damage {
    fn inflict_on(&self, path: &Path) {
        match self {
            Self::Removed if path.is_dir() => std::fs::remove_dir_all(path).unwrap(),
            Self::Removed => std::fs::remove_file(path).unwrap(),
            Self::Emptied => std::fs::write(path, b"").unwrap(),
        }
    }
}

#[test]
fn a_damaged_template_is_made_again() {
    let ground = Ground::new();
    let options = ground.options_with_own_cache();
    drop(start(&binaries(18), &options));
    for (file, damage) in [
        ("data/PG_VERSION", Damage::Removed),
        ("template.json", Damage::Removed),
        ("data/global/pg_control", Damage::Emptied),
        ("data/base", Damage::Removed),
    ] {
        damage.inflict_on(&template(&options).join(file));
        drop(start(&binaries(18), &options));
        ground.check_nothing_remains();
        assert!(template(&options).join(file).exists(), "{file}");
    }
}

#[test]
fn what_a_killed_program_left_is_no_template() {
    let ground = Ground::new();
    let options = ground.options_with_own_cache();
    drop(start(&binaries(18), &options));
    let whole = template(&options);
    let left = whole.with_file_name(format!(".{}-abc123", whole.file_name().unwrap().display()));
    std::fs::rename(&whole, &left).unwrap();
    drop(start(&binaries(18), &options));
    assert!(!left.exists());
    assert!(template(&options).join("data/PG_VERSION").exists());
}

#[test]
fn a_read_only_cache_is_named_with_what_to_set() {
    let ground = Ground::new();
    let Some(disk) = SmallDisk::mount(ground.path().join("cache"), "size=200m,mode=755") else { return };
    disk.make_read_only();
    let options = StartOptions { cache: Cache::at(disk.path()), ..ground.options() };
    let error = PrivateServer::start(&binaries(18), &options).unwrap_err().to_string();
    assert!(error.contains(&*disk.path().to_string_lossy()), "{error}");
    assert!(error.contains("Read-only file system"), "{error}");
    assert!(error.contains("set PLIMSOLL_CACHE"), "{error}");
    ground.check_nothing_remains();
}

#[test]
fn a_read_only_cache_with_a_template_does() {
    let ground = Ground::new();
    let Some(disk) = SmallDisk::mount(ground.path().join("cache"), "size=200m,mode=755") else { return };
    let options = StartOptions { cache: Cache::at(disk.path()), ..ground.options() };
    drop(start(&binaries(18), &options));
    disk.make_read_only();
    drop(start(&binaries(18), &options));
}

/// Root can write everywhere, so this is for ordinary users.
#[test]
fn a_cache_of_somebody_else_is_named_with_what_to_set() {
    if rustix::process::geteuid().is_root() {
        println!("skipped: root can write to any folder");
        return;
    }
    let ground = Ground::new();
    let options = ground.options_with_own_cache();
    std::fs::create_dir(options.cache.root()).unwrap();
    std::fs::set_permissions(options.cache.root(), PermissionsExt::from_mode(0o555)).unwrap();
    let error = PrivateServer::start(&binaries(18), &options).unwrap_err().to_string();
    assert!(error.contains("Permission denied"), "{error}");
    assert!(error.contains("set PLIMSOLL_CACHE"), "{error}");
    ground.check_nothing_remains();
}

#[test]
fn a_full_cache_is_named_and_stays_empty() {
    let ground = Ground::new();
    let Some(disk) = SmallDisk::mount(ground.path().join("cache"), "size=10m,mode=755") else { return };
    let options = StartOptions { cache: Cache::at(disk.path()), ..ground.options() };
    let error = PrivateServer::start(&binaries(18), &options).unwrap_err().to_string();
    assert!(error.contains("No space left on device"), "{error}");
    assert!(error.contains("PLIMSOLL_CACHE"), "{error}");
    let left = std::fs::read_dir(options.cache.templates()).unwrap();
    let folders = left.map(|entry| entry.unwrap().path()).filter(|path| path.is_dir());
    assert_eq!(folders.count(), 0);
}
