//! What a view does beside PostgreSQL's everyday work: large files and folders, maps, locks, refusals, ordinary users.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test fails by it")]

#[expect(dead_code, reason = "the parts for PostgreSQL aren't needed here")]
mod support;

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::PathBuf;
use std::process::Command;

use plimsoll_cow::{Durability, MountError, MountOptions, Mounted, copy_delta, delta_bytes, mount};
use support::can_mount;
use tempfile::TempDir;

struct View {
    options: MountOptions,
    mounted: Option<Mounted>,
    folder: TempDir,
}

impl View {
    /// A view of what `fill` makes.
    fn of(fill: impl FnOnce(&std::path::Path)) -> Self {
        let folder = support::folder();
        let [lower, delta, mountpoint] =
            ["lower", "delta", "mountpoint"].map(|name| folder.path().join(name));
        std::fs::create_dir(&lower).unwrap();
        std::fs::create_dir(&mountpoint).unwrap();
        fill(&lower);
        let options = MountOptions::new(lower, delta, mountpoint);
        let mounted = Some(mount(&options).unwrap());
        Self { options, mounted, folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.options.mountpoint.join(name)
    }

    fn mount_again(&mut self) {
        self.mounted.take().unwrap().unmount().unwrap();
        self.mounted = Some(mount(&self.options).unwrap());
    }

    fn delta_bytes(&self) -> u64 {
        self.mounted.as_ref().unwrap().sync().unwrap();
        delta_bytes(&self.options.delta).unwrap()
    }
}

#[test]
fn a_write_into_a_large_file_takes_a_block() {
    if !can_mount("a large file") {
        return;
    }
    const LENGTH: u64 = 5 << 30;
    let mut view = View::of(|lower| {
        let file = File::create(lower.join("large")).unwrap();
        file.set_len(LENGTH).unwrap();
        file.write_all_at(b"end", LENGTH - 3).unwrap();
    });
    let before = view.delta_bytes();
    let mut file = File::options().read(true).write(true).open(view.path("large")).unwrap();
    assert_eq!(file.seek(SeekFrom::End(0)).unwrap(), LENGTH);
    file.write_all_at(b"middle", (3 << 30) + 5).unwrap();
    let taken = view.delta_bytes() - before;
    assert!(taken < 256 * 1024, "{taken} bytes");
    file.seek(SeekFrom::End(0)).unwrap();
    file.write_all(b"more").unwrap();
    drop(file);
    view.mount_again();
    let mut file = File::open(view.path("large")).unwrap();
    assert_eq!(file.seek(SeekFrom::End(0)).unwrap(), LENGTH + 4);
    let mut read = [0; 7];
    file.read_exact_at(&mut read, LENGTH - 3).unwrap();
    assert_eq!(&read, b"endmore");
    file.read_exact_at(&mut read, (3 << 30) + 4).unwrap();
    assert_eq!(&read, b"\0middle");
}

#[test]
fn a_folder_of_many_files_is_listed_and_emptied() {
    if !can_mount("a large folder") {
        return;
    }
    const FILES: usize = 20_000;
    let mut view = View::of(|lower| {
        std::fs::create_dir(lower.join("many")).unwrap();
        for at in 0..FILES {
            File::create(lower.join("many").join(at.to_string())).unwrap();
        }
    });
    let many = view.path("many");
    let count = |many: &PathBuf| {
        let names: std::collections::HashSet<_> =
            std::fs::read_dir(many).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.len()
    };
    assert_eq!(count(&many), FILES);
    for at in 0..FILES / 2 {
        std::fs::remove_file(many.join(at.to_string())).unwrap();
    }
    std::fs::write(many.join("7"), "again").unwrap();
    assert_eq!(count(&many), FILES / 2 + 1);
    view.mount_again();
    assert_eq!(count(&many), FILES / 2 + 1);
    assert_eq!(std::fs::read_to_string(many.join("7")).unwrap(), "again");
    std::fs::remove_dir_all(&many).unwrap();
    view.mount_again();
    assert!(!many.exists());
}

#[test]
fn a_moved_file_is_not_copied() {
    if !can_mount("a moved file") {
        return;
    }
    let mut view = View::of(|lower| {
        std::fs::create_dir(lower.join("folder")).unwrap();
        std::fs::write(lower.join("folder/file"), vec![5; 10 << 20]).unwrap();
    });
    let before = view.delta_bytes();
    std::fs::rename(view.path("folder"), view.path("moved")).unwrap();
    std::fs::rename(view.path("moved/file"), view.path("moved/renamed")).unwrap();
    // The journal allocates ahead.
    assert!(view.delta_bytes() - before < 128 * 1024);
    view.mount_again();
    assert!(!view.path("folder").exists());
    assert!(!view.path("moved/file").exists());
    assert_eq!(std::fs::read(view.path("moved/renamed")).unwrap(), vec![5; 10 << 20]);
}

#[test]
fn an_unlinked_file_lives_until_it_is_closed() {
    if !can_mount("an unlinked file") {
        return;
    }
    let view = View::of(|lower| std::fs::write(lower.join("old"), vec![1; 100_000]).unwrap());
    let mut old = File::options().read(true).write(true).open(view.path("old")).unwrap();
    let mut new =
        File::options().read(true).write(true).create(true).truncate(true).open(view.path("new")).unwrap();
    new.write_all(&vec![2; 1 << 20]).unwrap();
    std::fs::remove_file(view.path("old")).unwrap();
    std::fs::remove_file(view.path("new")).unwrap();
    old.write_all_at(&[9; 10], 50_000).unwrap();
    old.sync_all().unwrap();
    new.sync_all().unwrap();
    let mut bytes = Vec::new();
    old.read_to_end(&mut bytes).unwrap();
    assert_eq!((bytes.len(), bytes[49_999], bytes[50_000]), (100_000, 1, 9));
    bytes.clear();
    new.rewind().unwrap();
    new.read_to_end(&mut bytes).unwrap();
    assert_eq!(bytes, vec![2; 1 << 20]);
    drop((old, new));
    let data = view.options.delta.join("data");
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while std::fs::read_dir(&data).unwrap().count() > 0 {
        assert!(std::time::Instant::now() < deadline, "the delta keeps files that nobody can reach");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}

#[test]
fn programs_append_map_lock_and_list() {
    if !can_mount("other programs") {
        return;
    }
    let view = View::of(|lower| std::fs::write(lower.join("file"), vec![b'x'; 100_000]).unwrap());
    let script = r#"
import fcntl, mmap, os, socket
with open("file", "ab") as file:
    file.write(b"appended")
with open("file", "r+b") as file:
    fcntl.lockf(file, fcntl.LOCK_EX)
    with mmap.mmap(file.fileno(), 0) as mapped:
        mapped[40960:40966] = b"mapped"
        mapped.flush()
with open("shared", "w+b") as file:
    file.truncate(1 << 20)
    with mmap.mmap(file.fileno(), 0) as mapped:
        mapped[-3:] = b"end"
server = socket.socket(socket.AF_UNIX)
server.bind("socket")
os.mkfifo("fifo")
os.symlink("file", "link")
assert os.readlink("link") == "file"
"#;
    let python = Command::new("python3").arg("-c").arg(script).current_dir(&view.options.mountpoint).status();
    assert!(python.unwrap().success());
    let mut view = view;
    view.mount_again();
    let bytes = std::fs::read(view.path("file")).unwrap();
    assert_eq!(bytes.len(), 100_008);
    assert_eq!(&bytes[40_959..40_967], b"xmappedx");
    assert!(bytes.ends_with(b"xappended"));
    assert!(std::fs::read(view.path("shared")).unwrap().ends_with(b"\0end"));
    let mut names: Vec<_> = std::fs::read_dir(&view.options.mountpoint)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["fifo", "file", "link", "shared", "socket"]);
}

#[test]
fn all_files_belong_to_the_owner_that_was_asked_for() {
    if !can_mount("an owner") {
        return;
    }
    let mut view = View::of(|lower| std::fs::write(lower.join("old"), "").unwrap());
    let us = (rustix_user(), view.folder.path().metadata().unwrap().gid());
    view.options.owner = Some(if us.0 == 0 { (12_345, 23_456) } else { us });
    view.mount_again();
    std::fs::write(view.path("new"), "").unwrap();
    view.mount_again();
    for name in ["", "old", "new"] {
        let metadata = view.path(name).metadata().unwrap();
        assert_eq!(Some((metadata.uid(), metadata.gid())), view.options.owner, "{name:?}");
    }
}

fn rustix_user() -> u32 {
    std::fs::metadata("/proc/self").unwrap().uid()
}

#[test]
fn a_machine_durable_view_syncs() {
    if !can_mount("a durable view") {
        return;
    }
    let mut view = View::of(|lower| std::fs::write(lower.join("old"), vec![1; 100_000]).unwrap());
    view.options.durability = Durability::Machine;
    view.mount_again();
    let file = File::options().write(true).open(view.path("old")).unwrap();
    file.write_all_at(b"synced", 9000).unwrap();
    file.sync_all().unwrap();
    File::open(&view.options.mountpoint).unwrap().sync_all().unwrap();
    // Read beside the mount: it is there without being asked for.
    let copy = view.folder.path().join("copy");
    copy_delta(&view.options.delta, &copy).unwrap();
    let mountpoint = view.folder.path().join("other");
    std::fs::create_dir(&mountpoint).unwrap();
    let other =
        mount(&MountOptions { delta: copy, mountpoint: mountpoint.clone(), ..view.options.clone() }).unwrap();
    assert_eq!(&std::fs::read(mountpoint.join("old")).unwrap()[9000..9006], b"synced");
    other.unmount().unwrap();
}

#[test]
fn what_cannot_be_mounted_is_refused_with_reasons() {
    if !can_mount("refusals") {
        return;
    }
    let view = View::of(|lower| std::fs::create_dir(lower.join("inner")).unwrap());
    let other = view.folder.path().join("other");
    std::fs::create_dir(&other).unwrap();
    let refused = |change: &dyn Fn(&mut MountOptions)| {
        let mut options = MountOptions { mountpoint: other.clone(), ..view.options.clone() };
        change(&mut options);
        mount(&options).unwrap_err()
    };
    assert!(matches!(refused(&|_| {}), MountError::InUse { .. }));
    let within = |options: &mut MountOptions| options.delta = options.lower.join("inner");
    assert!(matches!(refused(&within), MountError::Overlap { .. }));
    let missing = |options: &mut MountOptions| options.lower = "/nonexistent".into();
    assert!(matches!(refused(&missing), MountError::Folder { role: "lower", .. }));
    std::fs::write(other.join("file"), "").unwrap();
    assert!(matches!(refused(&|_| {}), MountError::Folder { role: "mountpoint", .. }));
    std::fs::remove_file(other.join("file")).unwrap();
    let strange = |options: &mut MountOptions| {
        options.delta = view.folder.path().join("strange");
        std::fs::create_dir(&options.delta).unwrap();
        std::fs::write(options.delta.join("journal"), "this isn't a journal at all").unwrap();
    };
    let error = refused(&strange);
    assert!(error.to_string().contains("no journal"), "{error}");
}

#[test]
fn a_view_in_use_is_detached_when_it_is_dropped() {
    if !can_mount("a view in use") {
        return;
    }
    let mut view = View::of(|lower| std::fs::write(lower.join("file"), "content").unwrap());
    let mut file = File::open(view.path("file")).unwrap();
    drop(view.mounted.take());
    assert_eq!(std::fs::read_dir(&view.options.mountpoint).unwrap().count(), 0, "it is gone from here");
    let mut content = String::new();
    file.read_to_string(&mut content).unwrap();
    assert_eq!(content, "content", "and served to who has it");
}

#[test]
fn a_write_that_is_lost_is_told_and_room_heals() {
    if !can_mount("a lost write") {
        return;
    }
    let mut view = View::of(|lower| std::fs::write(lower.join("old"), vec![1; 1 << 20]).unwrap());
    view.mounted.take().unwrap().unmount().unwrap();
    let delta = view.folder.path().join("small");
    std::fs::create_dir(&delta).unwrap();
    let tmpfs =
        Command::new("mount").args(["-t", "tmpfs", "-o", "size=4m", "plimsoll-test"]).arg(&delta).output();
    if !tmpfs.unwrap().status.success() {
        support::skip("a lost write", "mount a tmpfs, which takes root");
        return;
    }
    view.options.delta.clone_from(&delta);
    let mounted = mount(&view.options).unwrap();
    let file = File::create(view.path("large")).unwrap();
    let written = file.write_all_at(&vec![2; 16 << 20], 0).and_then(|()| file.sync_data());
    assert_eq!(written.unwrap_err().kind(), std::io::ErrorKind::StorageFull);
    drop(file);
    let lost = mounted.lost_write().expect("it is told");
    assert_eq!(lost.path.as_deref(), Some(std::path::Path::new("large")));
    assert_eq!(lost.why.kind(), std::io::ErrorKind::StorageFull);
    // Nothing is told to be safe any more, and what frees space works.
    let old = File::options().write(true).open(view.path("old")).unwrap();
    assert!(old.sync_data().is_err());
    assert!(File::create(view.path("another")).is_err());
    assert_eq!(std::fs::read(view.path("old")).unwrap(), vec![1; 1 << 20]);
    std::fs::remove_file(view.path("large")).unwrap();
    drop(old);
    mounted.unmount().unwrap();

    let mounted = mount(&view.options).unwrap();
    assert!(mounted.lost_write().is_some(), "still told");
    assert!(!view.path("large").exists());
    let file = File::options().write(true).open(view.path("old")).unwrap();
    file.write_all_at(b"room again", 70_000).unwrap();
    file.sync_data().unwrap();
    drop(file);
    mounted.unmount().unwrap();
    assert!(Command::new("umount").arg(&delta).status().unwrap().success());
}
