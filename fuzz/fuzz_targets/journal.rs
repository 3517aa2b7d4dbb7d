//! A journal of a copy-on-write folder, its checksums right, is read whatever its records say; a copy of it says the same.

#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use twox_hash::XxHash3_64;

/// As a journal is framed: its beginning, then records of a length, a checksum and changes. Bytes of 255 part them here.
fn journal(bodies: &[u8]) -> Vec<u8> {
    let mut journal = b"plimsoll cow 1\n\0".to_vec();
    for body in bodies.split(|byte| *byte == 0xff) {
        journal.extend(u32::try_from(body.len()).unwrap().to_le_bytes());
        journal.extend(XxHash3_64::oneshot(body).to_le_bytes());
        journal.extend(body);
    }
    journal
}

fn copied(from: &Path, to: &Path) -> Option<Vec<u8>> {
    plimsoll_cow::copy_delta(from, to).ok()?;
    Some(std::fs::read(to.join("journal")).unwrap())
}

fuzz_target!(|bytes: &[u8]| {
    let folder = tempfile::tempdir_in("/dev/shm").unwrap();
    let [given, once, twice] = ["given", "once", "twice"].map(|name| folder.path().join(name));
    std::fs::create_dir_all(given.join("data")).unwrap();
    for journal in [bytes.to_vec(), journal(bytes)] {
        std::fs::write(given.join("journal"), journal).unwrap();
        if let Some(first) = copied(&given, &once) {
            assert_eq!(copied(&once, &twice).unwrap().len(), first.len());
        }
        for folder in [&once, &twice] {
            std::fs::remove_dir_all(folder).unwrap_or_default();
        }
    }
});
