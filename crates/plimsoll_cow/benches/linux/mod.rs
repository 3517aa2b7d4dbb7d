//! The measurements.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use divan::Bencher;
use plimsoll_cow::{MountOptions, Mounted, WriteCache, mount};
use tempfile::TempDir;

const PAGE: usize = 8192;
/// Pages of the file that is read and written.
const PAGES: u64 = 16 * 1024;
/// Pages a sample.
const BATCH: u64 = 4096;

/// Where a page is read or written.
#[derive(Clone, Copy, Debug)]
enum Place {
    Plain,
    View,
    ViewThrough,
}

const PLACES: [Place; 3] = [Place::Plain, Place::View, Place::ViewThrough];

struct Setting {
    mounted: Option<Mounted>,
    file: PathBuf,
    // Last, so that it goes when nothing is mounted in it any more.
    _folder: TempDir,
}

fn lower_of(folder: &Path, files: usize) {
    for at in 0..files {
        let below = folder.join("lower").join(format!("{:02}", at % 16));
        std::fs::create_dir_all(&below).expect("a folder");
        std::fs::write(below.join(at.to_string()), [1; 100]).expect("a file");
    }
}

fn options(folder: &Path) -> MountOptions {
    std::fs::create_dir_all(folder.join("mountpoint")).expect("a folder");
    MountOptions::new(folder.join("lower"), folder.join("delta"), folder.join("mountpoint"))
}

/// Mounting over so many files; unmounting isn't counted.
#[divan::bench(args = [1_300, 100_000], sample_count = 20, sample_size = 1)]
fn mounting(bencher: Bencher<'_, '_>, files: usize) {
    let folder = TempDir::new().expect("a temporary folder");
    lower_of(folder.path(), files);
    let options = options(folder.path());
    bencher.bench_local(|| mount(&options).expect("it mounts"));
}

/// Mounting and a list of all that's there, with attributes.
#[divan::bench(args = [1_300, 100_000], sample_count = 5, sample_size = 1)]
fn mounting_and_listing(bencher: Bencher<'_, '_>, files: usize) {
    let folder = TempDir::new().expect("a temporary folder");
    lower_of(folder.path(), files);
    let options = options(folder.path());
    bencher.bench_local(|| {
        let mounted = mount(&options).expect("it mounts");
        let mut seen = 0;
        for below in std::fs::read_dir(mounted.mountpoint()).expect("a list") {
            for file in std::fs::read_dir(below.expect("a name").path()).expect("a list") {
                seen += file.expect("a name").metadata().expect("attributes").len();
            }
        }
        assert_eq!(seen, 100 * files as u64);
        mounted
    });
}

fn setting(place: Place) -> Setting {
    let folder = TempDir::new().expect("a temporary folder");
    let lower = folder.path().join("lower");
    std::fs::create_dir(&lower).expect("a folder");
    let page = vec![7; PAGE];
    let file = File::create(lower.join("relation")).expect("a file");
    for at in 0..PAGES {
        file.write_all_at(&page, at * PAGE as u64).expect("a page");
    }
    let mut options = options(folder.path());
    let mounted = match place {
        Place::Plain => None,
        Place::View => Some(mount(&options).expect("it mounts")),
        Place::ViewThrough => {
            options.write_cache = WriteCache::Through;
            Some(mount(&options).expect("it mounts"))
        }
    };
    let shown = mounted.as_ref().map_or(lower.as_path(), Mounted::mountpoint);
    Setting { file: shown.join("relation"), mounted, _folder: folder }
}

/// The same places in the same order each time, all over the file.
fn places() -> impl Iterator<Item = u64> {
    (0..BATCH).map(|at| (at.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20) % PAGES * PAGE as u64)
}

/// Pages read for the first time: the view's cache is cold, the lower file's is warm.
#[divan::bench(args = PLACES, sample_count = 10, sample_size = 1)]
fn first_random_reads(bencher: Bencher<'_, '_>, place: Place) {
    bencher.counter(divan::counter::ItemsCount::new(BATCH)).with_inputs(|| setting(place)).bench_local_refs(
        |setting| {
            let file = File::open(&setting.file).expect("it opens");
            let mut page = [0; PAGE];
            places().for_each(|at| file.read_exact_at(&mut page, at).expect("a page"));
        },
    );
}

/// Pages that were read before.
#[divan::bench(args = PLACES, sample_count = 10, sample_size = 1)]
fn next_random_reads(bencher: Bencher<'_, '_>, place: Place) {
    let setting = setting(place);
    let file = File::open(&setting.file).expect("it opens");
    let mut page = [0; PAGE];
    places().for_each(|at| file.read_exact_at(&mut page, at).expect("a page"));
    bencher.counter(divan::counter::ItemsCount::new(BATCH)).bench_local(|| {
        places().for_each(|at| file.read_exact_at(&mut page, at).expect("a page"));
    });
}

/// Pages written for the first time, until they are in the delta or the file.
#[divan::bench(args = PLACES, sample_count = 10, sample_size = 1)]
fn first_random_writes(bencher: Bencher<'_, '_>, place: Place) {
    bencher.counter(divan::counter::ItemsCount::new(BATCH)).with_inputs(|| setting(place)).bench_local_refs(
        |setting| {
            let page = [3; PAGE];
            let file = File::options().write(true).open(&setting.file).expect("it opens");
            places().for_each(|at| file.write_all_at(&page, at).expect("a page"));
            if setting.mounted.is_some() {
                file.sync_data().expect("it syncs");
            }
        },
    );
}

/// A new file of 128 MiB, until it is in the delta or the file.
#[divan::bench(args = PLACES, sample_count = 5, sample_size = 1)]
fn sequential_writes(bencher: Bencher<'_, '_>, place: Place) {
    bencher
        .counter(divan::counter::BytesCount::new(PAGES * PAGE as u64))
        .with_inputs(|| setting(place))
        .bench_local_refs(|setting| {
            let page = [3; PAGE];
            let file = File::create(setting.file.with_file_name("new")).expect("it is made");
            (0..PAGES).for_each(|at| file.write_all_at(&page, at * PAGE as u64).expect("a page"));
            if setting.mounted.is_some() {
                file.sync_data().expect("it syncs");
            }
        });
}
